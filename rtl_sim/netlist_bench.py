"""The netlist of a network, as synthesis or place and route has made it, simulated against golden.

LUTs, carry cells, flip-flops and distributed RAMs become what their models say, block RAMs and multipliers are
instances of models of this project (``rtl_sim/hdl``), and the bench is that of the RTL.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quantunet import cache, golden
from quantunet.golden.inference import check_image
from quantunet.hls.folding import Folding
from quantunet.hls.generate.rtl_project import RtlProject
from quantunet.hls.schedule.depths import frame_interval
from quantunet.hls.schedule.exact import Schedule, schedule
from quantunet.hls.synth import yosys
from quantunet.hls.synth.verilog import write_verilog
from quantunet.ir import Array, Graph
from quantunet.rtl_sim import bench
from quantunet.rtl_sim.bench_result import BenchResult

logger = logging.getLogger(__name__)

TIME_LIMIT = 3600.0
"""Seconds that Yosys may take for the Verilog of a netlist, unless the caller says otherwise."""

MAPPED = tuple(bench.HDL_FOLDER / f"{name}.sv" for name in ("LUT4", "TRELLIS_COMB", "TRELLIS_RAMW"))
"""Models that take the place of their cells; those of all other cells come from Yosys."""

INSTANCES = tuple(bench.HDL_FOLDER / f"{name}.sv" for name in ("DP16KD", "MULT18X18D", "EHXPLLL"))
"""Models of the cells that stay instances."""

_TEST_MODULE = "quantunet.rtl_sim.tb_layer"
_FORMAT = "quantunet-netlist-verilog-2"
_DIGITS = 12


@dataclass(frozen=True)
class NetlistResult:
    """What the simulation of a netlist showed.

    Attributes:
        bench: What the bench saw.
        frames: Adjacent frames that were simulated.
        first_output_predicted: Cycles to the first output by the schedule.
        frame_ends_predicted: Cycles to the end of each frame by the schedule.
    """

    bench: BenchResult
    frames: int
    first_output_predicted: int
    frame_ends_predicted: tuple[int, ...]

    @property
    def problems(self) -> list[str]:
        """What is wrong, in words; empty where every value is golden's and comes in the predicted cycle."""
        found = self.bench.problems
        if not found and self.bench.first_output != self.first_output_predicted:
            found = [f"first output after {self.bench.first_output} cycles, predicted {self.first_output_predicted}"]
        if not found and self.bench.frame_ends != self.frame_ends_predicted:
            found = [f"frames end after {self.bench.frame_ends} cycles, predicted {self.frame_ends_predicted}"]
        return found


def as_project(
    project: RtlProject,
    netlist: Path,
    top: str,
    folder: Path,
    time_limit: float = TIME_LIMIT,
    models: Sequence[Path] = (),
    words: bool = False,
) -> RtlProject:
    """Return the project of a netlist for the bench of its RTL: the same ports, nothing inside.

    Args:
        project: The design that was synthesised.
        netlist: Its netlist, as Yosys' ``write_json`` makes it.
        top: The netlist's module, with the design's ports.
        folder: The Verilog goes to a folder in it that is named by content.
        time_limit: Seconds that it may take.
        models: Files of more cells that stay instances, each named as its cell.
        words: As in :func:`quantunet.hls.synth.verilog.write_verilog`.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: A cell has no model, or Yosys failed.
        StorageError: A file cannot be read or written.
    """
    instances_of = (*INSTANCES, *models)
    key = cache.key(_FORMAT, yosys.version(), netlist, top, MAPPED, words)
    kept = [path.stem for path in instances_of]

    def make(fresh: Path) -> None:
        write_verilog(netlist, top, fresh / "netlist.v", models=MAPPED, kept=kept, time_limit=time_limit, words=words)

    verilog = folder / f"verilog-{key[:_DIGITS]}"
    cache.keep(verilog, key, make)
    outer = {*project.design.inputs, *project.design.outputs}
    streams = tuple(stream for stream in project.design.streams if stream.name in outer)
    # That of a layer alone, which names the ports of several inputs.
    whole = [one for one in project.design.instances if {name for _, name in (*one.inputs, *one.outputs)} == outer]
    instances = tuple(dataclasses.replace(one, memories=(), sources=()) for one in whole)
    return dataclasses.replace(
        project,
        folder=folder,
        top=top,
        sources=(*instances_of, verilog / "netlist.v"),
        memories=(),
        design=dataclasses.replace(project.design, name=top, streams=streams, instances=instances),
    )


def run_netlist(
    graph: Graph,
    folding: Folding,
    project: RtlProject,
    netlist: Path,
    top: str,
    folder: Path,
    images: Sequence[Array],
    *,
    latency: int = 0,
    settle: int = 0,
    time_limit: float = TIME_LIMIT,
    models: Sequence[Path] = (),
    words: bool = False,
) -> NetlistResult:
    """Simulate the netlist of a whole network over adjacent frames.

    Args:
        graph: The network.
        folding: The fold of every layer.
        project: The network's RTL.
        netlist: The netlist, as Yosys' ``write_json`` makes it.
        top: Its module, with the ports of the network.
        folder: Working folder.
        images: The frames, integers in the input's type.
        latency: Cycles that the top adds to the way through the network.
        settle: Cycles that the reset takes through the top.
        time_limit: Seconds that Yosys may take.
        models: As in :func:`as_project`.
        words: Likewise.

    Returns:
        What came out. A netlist that computes something else is no error here.

    Raises:
        ToolMissingError: A tool is not installed.
        ToolFailedError: A cell has no model, or a tool failed.
        ImageError: An image does not fit the network.
        StorageError: A file cannot be read or written.
    """
    source = graph.tensor(graph.input)
    frames = np.stack([check_image(image, source) for image in images])
    expected = np.stack([golden.run(graph, frame)[graph.output] for frame in frames])
    predicted = _later(schedule(project.design, len(frames)), latency)
    simulated = as_project(project, netlist, top, folder, time_limit, models, words)
    # Of a few ten thousand cycles: to compile a device's cells for speed takes far longer than it saves.
    built = bench.build(simulated, folder / "builds", quick=not words, settle=settle)
    watchdog = 2 * frame_interval(graph, folding) + 10_000
    result = bench.run(built, [frames], expected, _TEST_MODULE, watchdog=watchdog)
    logger.info("%s: %d values compared, %d differ", netlist, result.values_compared, result.mismatches)
    return NetlistResult(result, len(frames), predicted.first_output, predicted.frame_ends)


def _later(found: Schedule, latency: int) -> Schedule:
    ends = tuple(end + latency for end in found.frame_ends)
    return dataclasses.replace(found, first_output=found.first_output + latency, frame_ends=ends)
