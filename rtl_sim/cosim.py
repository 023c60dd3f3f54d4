"""Co-simulation: every layer in HLS C++ and in RTL, and the whole network in RTL, against golden."""

from __future__ import annotations

import importlib.metadata
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from quantunet import golden
from quantunet.errors import ModelError, OptionError, ToolFailedError
from quantunet.golden.histogram import histograms
from quantunet.golden.inference import check_image
from quantunet.hls.csim import project
from quantunet.hls.folding import Folding
from quantunet.hls.generate import source_digest
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.hls.modules import table
from quantunet.hls.schedule.depths import frame_interval
from quantunet.ir import Array, Graph, Node
from quantunet.processes import Pool, StoppedError
from quantunet.rtl_sim import legs, verilator
from quantunet.rtl_sim.frames import CompactTaps, adjacent_frames, compact, widened
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.report import (
    BROKEN,
    FAILED,
    LEFT_OUT,
    PASSED,
    RUNNING,
    WAITING,
    CosimReport,
    LayerReport,
    NetworkReport,
)
from quantunet.rtl_sim.stalls import Stalls
from quantunet.storage import locked

if TYPE_CHECKING:
    from quantunet.cluster import Cluster, Shared

DEFAULT_FRAMES = 4
"""Adjacent frames of the network."""

CHECK_SECONDS = 1.0
"""Between two looks at a cluster."""

_STOP_SECONDS = 0.2

NETWORK = "network"
"""What ``layers`` calls the whole network."""

Leg = Literal["hls", "rtl", "network"]
"""Every layer alone in HLS C++; every layer alone in RTL, with its exact cycles; the whole network in RTL, in which
every layer is compared too."""

LEGS: tuple[Leg, ...] = get_args(Leg)

Progress = Callable[[CosimReport], None]
"""Called with the report so far whenever something in it has changed."""


@dataclass(frozen=True)
class Options:
    """What to co-simulate, and how.

    Attributes:
        layers: Names of layers, and ``network``; ``None`` means all of them and the network.
        legs: What is done with them.
        stalls: The pattern in which sources and sinks stall.
        seed: Of the stalls.
        jobs: Tasks at a time; ``None`` takes one a core.
        frames: Adjacent frames of the network.
        rtl_folder: The SystemVerilog library.
        builds: Where Verilator builds are kept; ``None`` takes ``builds`` in the working folder.
        waveforms: Record a waveform of everything that fails in RTL.
        assertions: As in :class:`~quantunet.rtl_sim.layer_bench.Setup`.
    """

    layers: tuple[str, ...] | None = None
    legs: tuple[Leg, ...] = LEGS
    stalls: Stalls = "none"
    seed: int = 0
    jobs: int | None = None
    frames: int = DEFAULT_FRAMES
    rtl_folder: Path = RTL_FOLDER
    builds: Path | None = None
    waveforms: bool = True
    assertions: bool = False


def cosim(
    graph: Graph,
    image: Array,
    folding: Folding,
    folder: Path,
    options: Options | None = None,
    *,
    others: Sequence[Array] = (),
    image_name: str = "image",
    progress: Progress | None = None,
    cluster: Cluster | None = None,
) -> CosimReport:
    """Compare every layer of a network, in HLS C++ and in RTL, with golden, then the network as one design.

    A layer gets the input that golden computed for it, so that one wrong layer does not hide another.

    Args:
        graph: The network.
        image: Integers ``(height, width)`` or ``(height, width, channels)`` in the input's type.
        folding: The fold of every layer.
        folder: Working folder; builds in it are reused.
        options: What to simulate.
        others: Images of the network's further frames, as many as ``options.frames`` says but one; without any they are
            made of the first.
        image_name: For the report.
        progress: Called from several threads, one at a time.
        cluster: Runs the legs, as many at a time as its workers take; they need the folders at the same absolute paths.

    Returns:
        The report. A difference, or a tool that failed on a layer, is no error: look at :attr:`CosimReport.passed` and
        :attr:`CosimReport.differs`.

    Raises:
        ImageError: The image does not fit the network.
        ModelError: A layer does not exist, or nothing was chosen.
        FoldingError: The folding does not fit the graph.
        ToolMissingError: g++, Verilator or cocotb is not installed.
        StorageError: The folder cannot be written.
        ClusterError: The cluster is gone, or a worker is not what it should be.
    """
    options = options or Options()
    names = _names(graph, options)
    place, builds = folder, options.builds or folder / "builds"
    if cluster is not None:
        folder, builds = folder.resolve(), builds.resolve()
    chosen = [image, *others] if others else adjacent_frames(graph, image, options.frames)
    images = [check_image(frame, graph.tensor(graph.input)) for frame in chosen]
    if len(images) != options.frames:
        raise OptionError("frames", expected=f"{len(images)}, a frame for each image", got=str(options.frames))
    setup = Setup(graph, folding, folder, builds, options.stalls, options.seed, options.rtl_folder, options.assertions)
    report = _empty_report(setup, names, options, image_name)
    started = time.monotonic()

    def stage(text: str) -> None:
        report.stage = text
        if progress is not None:
            progress(report)

    stage("preparing the simulator's runtime (once)")
    verilator.prepare()  # a missing tool is said before anything is written
    stage("golden inference")
    frames = [compact(graph, golden.run(graph, frame)) for frame in images]
    report.taps, report.tensors = frames[0], histograms(graph, frames[0])
    report.class_pixels = _class_pixels(graph, frames[0])
    report.stage = ""
    with locked(folder / "lock", f"waiting for another co-simulation in {folder}"):
        work = legs.Work(setup, frames, options.waveforms)
        _Run(work, options.jobs or os.cpu_count() or 1, report, progress, cluster).run()
        report.sources = _sources(folder, report)
    for part in (*report.layers, *([report.network_rtl] if report.network_rtl else ())):
        if part.waveform is not None:
            part.waveform = str(place / Path(part.waveform).relative_to(folder))
    report.seconds = time.monotonic() - started
    return report


def _sources(folder: Path, report: CosimReport) -> dict[str, str | None]:
    """Return the digests of the sources that were simulated, as they stand in the folder."""
    hls = [project.layer_folder(folder / "hls", layer.name) for layer in report.layers if layer.hls != LEFT_OUT]
    rtl = [folder / "layers" / layer.name for layer in report.layers if layer.rtl != LEFT_OUT]
    rtl += [folder / NETWORK] if report.network_rtl else []
    return {"rtl": source_digest.rtl_digest(folder, rtl), "hls": source_digest.hls_digest(folder, hls)}


def _class_pixels(graph: Graph, taps: CompactTaps) -> list[int]:
    logits = graph.logits
    if logits.shape[2] == 1:
        return []
    classes = golden.classes(graph, widened(taps, (logits.name,)))
    return [int(count) for count in np.bincount(classes.ravel(), minlength=logits.shape[2])]


def _names(graph: Graph, options: Options) -> list[str]:
    """Return the layers to look at alone, in the network's order, and ``network`` if it is to be simulated."""
    for name in options.layers or ():
        if name != NETWORK:
            graph.node(name)
    alone = set(options.legs) & {"hls", "rtl"}
    wanted = options.layers if options.layers is not None else [*(node.name for node in graph.nodes), NETWORK]
    names = [name for name in wanted if (NETWORK in options.legs if name == NETWORK else alone)]
    if not names:
        raise ModelError(
            graph.name,
            expected="at least one layer, and a leg for it",
            got="nothing to compare",
            hint="Leave --layers and --legs out for all.",
        )
    return list(dict.fromkeys(names))


def _empty_report(setup: Setup, names: Sequence[str], options: Options, image_name: str) -> CosimReport:
    graph = setup.graph
    layers = [_empty_layer(setup, node, options) for node in graph.nodes if node.name in names]
    rtl = None
    if NETWORK in names:
        rtl = NetworkReport(options.frames, frame_interval(graph, setup.folding), options.stalls)
    simulator = f"verilator {importlib.metadata.version('verilator')}"
    return CosimReport(graph.name, simulator, image_name, layers, rtl)


def _empty_layer(setup: Setup, node: Node, options: Options) -> LayerReport:
    graph, fold = setup.graph, setup.folding[node.name]
    source, target = graph.input_of(node), graph.output_of(node)
    counts = table.cycles(graph, node, fold)
    return LayerReport(
        name=node.name,
        op=node.op,
        shape_in=source.shape,
        shape_out=target.shape,
        bits_w=node.weight_bits,
        bits_in=source.qtype.bits,
        bits_out=target.qtype.bits,
        pe=fold.pe,
        simd=fold.simd,
        stalls=options.stalls,
        cycles_predicted=counts.predicted,
        cycles_ideal=counts.ideal,
        first_output_predicted=counts.first_output,
        hls=WAITING if "hls" in options.legs else LEFT_OUT,
        rtl=WAITING if "rtl" in options.legs else LEFT_OUT,
    )


@dataclass(frozen=True)
class _Task:
    """A leg of a part, and about how long it takes, in any unit: the longest start first."""

    cost: float
    part: LayerReport | NetworkReport
    leg: str
    work: Callable[..., legs.Found]
    arguments: tuple[object, ...]


class _Run:
    """One co-simulation: legs that threads run, or hand to the workers of a cluster, and that fill in a report."""

    def __init__(
        self,
        work: legs.Work,
        jobs: int,
        report: CosimReport,
        progress: Progress | None,
        cluster: Cluster | None,
    ) -> None:
        self.work = work
        self.jobs = jobs
        self.report = report
        self.progress = progress
        self.cluster = cluster
        self.lock = threading.Lock()
        self.stop = threading.Event()

    def run(self) -> None:
        """Run every task; the first error that is not of one layer ends them all."""
        tasks = [task for layer in self.report.layers for task in self._layer_tasks(layer)]
        rtl = self.report.network_rtl
        if rtl is not None:
            tasks.append(_Task(math.inf, rtl, "rtl", legs.network, (NETWORK, self.jobs)))
        tasks.sort(key=lambda task: task.cost, reverse=True)
        shared = self.cluster.share(self.work) if self.cluster else None
        with Pool(self.cluster.capacity if self.cluster else self.jobs) as pool:
            waiting = {pool.submit(self._guarded, task, shared) for task in tasks}
            try:
                while waiting:
                    done, waiting = wait(waiting, CHECK_SECONDS if self.cluster else None, FIRST_EXCEPTION)
                    for future in done:
                        future.result()
                    if self.cluster is not None and waiting:
                        self.cluster.check()
            finally:
                self.stop.set()

    def _guarded(self, task: _Task, shared: Shared | None) -> None:
        if self.stop.is_set():
            return
        setattr(task.part, task.leg, RUNNING)
        self._changed()
        found = self._found(task, shared)
        with self.lock:
            _note(task, found)
        self._changed()

    def _found(self, task: _Task, shared: Shared | None) -> legs.Found:
        if self.cluster is None:
            return task.work(self.work, *task.arguments)
        future = self.cluster.submit(task.work, *task.arguments, shared=shared)
        while not wait([future], _STOP_SECONDS).done:
            if self.stop.is_set():
                raise StoppedError
        try:
            return future.result()
        except ToolFailedError as error:
            return legs.Found(BROKEN, (f"{task.leg.upper()}: {error}",))

    def _changed(self) -> None:
        if self.progress is not None:
            with self.lock:
                self.progress(self.report)

    def _layer_tasks(self, layer: LayerReport) -> list[_Task]:
        macs = layer.cycles_ideal * layer.pe * layer.simd
        tasks = []
        if layer.hls != LEFT_OUT:
            tasks.append(_Task(macs, layer, "hls", legs.hls, (layer.name,)))
        if layer.rtl != LEFT_OUT:
            tasks.append(_Task(macs / 2, layer, "rtl", legs.rtl, (layer.name,)))
        return tasks


def _note(task: _Task, found: legs.Found) -> None:
    """Write down what a leg has found. A layer counts the values that both of its legs have compared."""
    part, problems, state = task.part, list(found.problems), found.state
    for name, value in (found.fields or {}).items():
        setattr(part, name, value)
    if found.values_compared:
        part.values_compared = min(found.values_compared, part.values_compared or found.values_compared)
    if state == PASSED and task.leg == "rtl" and part.stalls == "none":
        problems = _unpredicted_network(part) if isinstance(part, NetworkReport) else _unpredicted_layer(part)
        state = FAILED if problems else PASSED
    part.problems += problems
    part.seconds = round(part.seconds + found.seconds, 2)
    setattr(part, task.leg, state)


def _unpredicted(what: str, simulated: int, predicted: int) -> list[str]:
    return [] if simulated == predicted else [f"RTL: {simulated} {what}, predicted {predicted}"]


def _unpredicted_layer(layer: LayerReport) -> list[str]:
    return _unpredicted("cycles", layer.cycles, layer.cycles_predicted) + _unpredicted(
        "cycles to the first output", layer.first_output, layer.first_output_predicted
    )


def _unpredicted_network(rtl: NetworkReport) -> list[str]:
    problems = _unpredicted("cycles to the first output", rtl.first_output, rtl.first_output_predicted)
    if rtl.frames > 1:
        problems += _unpredicted("cycles between frames", rtl.frame_interval, rtl.frame_interval_predicted)
    if rtl.frame_interval_steady != rtl.frame_interval_ideal:
        steady, ideal = rtl.frame_interval_steady, rtl.frame_interval_ideal
        problems.append(f"RTL: {steady} cycles between frames in the long run, {ideal} in the slowest layer")
    return problems
