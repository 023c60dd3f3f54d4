"""``build()``: the synthesis of a written model, by the same command that people use, and its report as a dict."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from quantunet import graph_file
from quantunet.errors import ToolFailedError
from quantunet.hls.choose.default import read_folding
from quantunet.hls.modules.table import cycles
from quantunet.hls.schedule.depths import frame_interval

GRAPH, FOLDING, SYNTHESIS = "graph.json", "folding.json", "hls_synth"
"""What a written model's folder holds: the network, its folding, and the synthesis with its report."""


def build(folder: Path, clock_ns: float, *, synth: bool) -> dict[str, Any]:
    """Return the report of a written model.

    Args:
        folder: The model's folder.
        clock_ns: The clock period that is assumed, in nanoseconds.
        synth: Whether to synthesise; else only the exact cycles are told, which takes no time.

    Raises:
        ToolFailedError: The synthesis failed; its own words are in the message.
    """
    graph = graph_file.read(folder / GRAPH)
    folding = read_folding(folder / FOLDING, graph)
    interval = frame_interval(graph, folding)
    speed = {"clock_period": clock_ns, "frames_per_second": 1e9 / (clock_ns * interval)}
    if not synth:
        layers = {node.name: cycles(graph, node, folding[node.name]).predicted for node in graph.nodes}
        return {"network": graph.name, "interval": interval, "cycles": layers, **speed}
    command = [sys.executable, "-m", "quantunet", "hls_synth", str(folder / GRAPH)]
    command += ["--folding", str(folder / FOLDING), "--out", str(folder / SYNTHESIS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ToolFailedError(
            "quantunet hls_synth", expected="a synthesis of every layer", got=done.stderr.strip()[-1000:],
            hint=f"Run it yourself: quantunet {' '.join(command[3:])}",
        )  # fmt: skip
    found: dict[str, Any] = json.loads((folder / SYNTHESIS / "report.json").read_text(encoding="utf-8"))
    return {**found, **speed}
