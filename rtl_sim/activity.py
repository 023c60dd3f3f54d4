"""Toggles of a frame in a whole network, by layer: of the registers of its SystemVerilog, or of its netlist's nets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from quantunet import cache
from quantunet.errors import ToolFailedError
from quantunet.hls.bitstream import netlist
from quantunet.hls.folding import Folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.generate.rtl_project import RtlProject, frame_checks
from quantunet.hls.synth import words, yosys
from quantunet.hls.synth.yosys import Job
from quantunet.ir import Array
from quantunet.rtl_sim import toggles
from quantunet.rtl_sim.netlist_bench import TIME_LIMIT, NetlistResult, run_netlist
from quantunet.rtl_sim.toggles import Count
from quantunet.rtl_sim.verilator import LOG

_FAMILY = "ecp5"
_FORMAT = "quantunet-words-1"
_DIGITS = 12


@dataclass(frozen=True)
class Activity:
    """What the counters saw over some frames.

    Attributes:
        counts: A group of nets each, in the order of the layers' names.
        simulation: What the bench saw: every value is compared with golden's.
        project: The network's RTL.
        key: Of everything that the nets depend on.
    """

    counts: tuple[Count, ...]
    simulation: NetlistResult
    project: RtlProject
    key: str

    @property
    def edges(self) -> int:
        """Clock edges over which was counted."""
        return self.counts[0].edges

    def nets(self, kind: str) -> int:
        """Return how many nets a kind of cell drives."""
        return sum(count.group.nets for count in self.counts if count.group.kind == kind)

    def toggles(self, kind: str, layer: str | None = None) -> float:
        """Return toggles of a frame, of the nets that a kind of cell drives; of one layer, or of all."""
        chosen = [one for one in self.counts if one.group.kind == kind and layer in (None, one.group.layer)]
        return sum(count.toggles for count in chosen) / self.simulation.frames


def measure(
    folding: Folding,
    folder: Path,
    images: Sequence[Array],
    *,
    mapped: bool,
    time_limit: float = TIME_LIMIT,
    stage: Callable[[str], None] = lambda text: None,
) -> Activity:
    """Count the toggles of a network over adjacent frames.

    All of the work of each frame is counted: from reset until the last value has left. Clocks are not counted.

    Args:
        folding: The network and the fold of every layer.
        folder: Working folder; what is made in it is named by content and used again.
        images: The frames, integers in the input's type.
        mapped: Whether the nets are those of the netlist that is synthesised for an ECP5, or the registers that the
            SystemVerilog asks for.
        time_limit: Seconds that one step may take.
        stage: Is told what is done next.

    Raises:
        ToolMissingError: A tool is not installed.
        ToolFailedError: A tool failed, or a counter has told nothing. A design that computes something else is no
            failure.
        ImageError: An image does not fit the network.
        StorageError: A file cannot be read or written.
    """
    project = rtl_project.write(folding.graph, folding, folder / "rtl")
    hard = tuple(f"u_{name}" for name, fold in folding.items() if fold.style == "folded-dsp")
    job = Job(
        name=project.top,
        top=project.top,
        sources=project.sources,
        folder=project.folder,
        memories=project.memories,
        family=_FAMILY,
        dsp=bool(hard),
        hard=hard,
    )
    stage("synthesis" if mapped else "registers of the RTL")
    nets, key = _cells(job, folder, time_limit) if mapped else _words(job, folder, time_limit)
    work = folder / ("netlist" if mapped else "registers")
    counted = work / "counted.json"
    instances = (*project.design.instances, *frame_checks(project.design))
    groups = toggles.with_counters(nets, project.top, "", instances, counted)
    stage(f"build and simulation, {len(images)} frames")
    result = run_netlist(
        folding.graph,
        folding,
        project,
        counted,
        project.top,
        work,
        images,
        time_limit=time_limit,
        models=(toggles.COUNTER,),
        words=not mapped,
    )
    if result.bench.values_compared == 0:
        raise ToolFailedError(project.top, expected="values to compare with golden's", got="none")
    return Activity(toggles.read_counts(work / LOG, groups), result, project, key)


def _cells(job: Job, folder: Path, time_limit: float) -> tuple[Path, str]:
    key = netlist.key(job)
    return netlist.synthesise(job, folder / f"synthesis-{key[:_DIGITS]}", time_limit=time_limit).file, key


def _words(job: Job, folder: Path, time_limit: float) -> tuple[Path, str]:
    named = [(path.name, path) for path in (*job.sources, *sorted(job.memories))]
    key = cache.key(_FORMAT, yosys.version(), words.PASSES, job.top, named)
    target = folder / f"words-{key[:_DIGITS]}"
    cache.keep(target, key, lambda fresh: words.write_words(job, fresh / netlist.NETLIST, time_limit=time_limit))
    return target / netlist.NETLIST, key
