"""What the cocotb benches share: wait for the end, compare the output file with golden, leave a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from cocotb.triggers import RisingEdge

from quantunet.ir import Array, QType
from quantunet.rtl_sim.bench_result import (
    CONFIG_FILE,
    EXPECTED_FILE,
    NEVER,
    RESULT_FILE,
    BenchResult,
    Difference,
)
from quantunet.storage import write_text
from quantunet.streams import from_hex_lines


async def measure(dut: Any) -> BenchResult:
    """Let the HDL bench run to its end and compare what its sink wrote with the golden output.

    Args:
        dut: The bench's top.

    Returns:
        The result, which is also written to ``result.json`` for the caller of the simulator.
    """
    config = json.loads(Path(CONFIG_FILE).read_text(encoding="utf-8"))
    expected = np.load(EXPECTED_FILE)
    if not dut.done.value:
        await RisingEdge(dut.done)
    first_input = min(_count(dut, f"{prefix}_first") for prefix in config["inputs"])
    frame_cycles = [int(line) for line in Path("m_axis.cycles").read_text(encoding="utf-8").split()]
    values, beats = _output_values(config, expected.size)
    mismatches, first = compare(expected, values)
    found = _count(dut, "m_axis_found")
    result = BenchResult(
        values_compared=expected.size,
        mismatches=mismatches,
        first=first,
        extra_beats=max(0, beats - expected.size // config["lanes"]),
        unstable=_count(dut, "m_axis_unstable"),
        wrong_last=_count(dut, "m_axis_wrong_last"),
        timed_out=bool(dut.timed_out.value),
        first_output=_count(dut, "m_axis_first") - first_input + 1 if beats else 0,
        frame_ends=tuple(cycle - first_input + 1 for cycle in frame_cycles),
        fifo_max_fill={name: (depth, _count(dut, f"{name}_highest")) for name, depth in config["fifo_depths"].items()},
        last_cycle=_count(dut, "m_axis_last"),
        found_cycle=None if found == NEVER else found,
    )
    write_text(Path(RESULT_FILE), result.to_json())
    return result


def _count(dut: Any, name: str) -> int:
    return int(getattr(dut, name).value)


def _output_values(config: dict[str, Any], limit: int) -> tuple[Array, int]:
    """Return at most ``limit`` values that came, flat, and the number of beats that came."""
    lanes, qtype = config["lanes"], QType(**config["qtype"])
    text = Path("m_axis.hex").read_bytes()
    line = -(-lanes * qtype.bits // 4) + 1
    beats = len(text) // line
    used = min(beats, limit // lanes)
    values = from_hex_lines(text[: used * line], lanes, qtype, (1, 1, lanes), "m_axis.hex")
    return values.reshape(-1), beats


def compare(expected: Array, values: Array) -> tuple[int, Difference | None]:
    """Compare frames with a flat stream of values that may be too short.

    Args:
        expected: int64 ``(frames, height, width, channels)``.
        values: int64, flat, at most as many.

    Returns:
        How many values differ or are missing, and the first of them.
    """
    flat = expected.reshape(-1)
    different = flat[: len(values)] != values
    mismatches = int(different.sum()) + len(flat) - len(values)
    if not mismatches:
        return 0, None
    position = int(different.argmax()) if different.any() else len(values)
    frame, y, x, channel = (int(index) for index in np.unravel_index(position, expected.shape))
    got = int(values[position]) if position < len(values) else None
    return mismatches, Difference(frame, y, x, channel, int(flat[position]), got)
