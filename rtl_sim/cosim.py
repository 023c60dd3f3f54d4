"""Co-simulation: every layer in HLS C++ and in RTL, and the whole network in RTL, against golden."""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from quantunet import golden
from quantunet.compare import Comparison, compare
from quantunet.errors import ModelError, OptionError, ToolFailedError
from quantunet.golden.histogram import histograms
from quantunet.golden.inference import check_image
from quantunet.hls.csim import project, simulation
from quantunet.hls.folding import Folding
from quantunet.hls.generate import source_digest
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.hls.modules import table
from quantunet.hls.schedule.depths import frame_interval
from quantunet.ir import Array, Graph, Node
from quantunet.processes import Pool
from quantunet.rtl_sim import layer_bench, network_bench, verilator
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
    InnerLayer,
    LayerReport,
    NetworkReport,
)
from quantunet.rtl_sim.stalls import Stalls
from quantunet.rtl_sim.waveform import Recording
from quantunet.storage import locked

logger = logging.getLogger(__name__)

DEFAULT_FRAMES = 4
"""Adjacent frames of the network."""

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

    Returns:
        The report. A difference, or a tool that failed on a layer, is no error: look at :attr:`CosimReport.passed` and
        :attr:`CosimReport.differs`.

    Raises:
        ImageError: The image does not fit the network.
        ModelError: A layer does not exist, or nothing was chosen.
        FoldingError: The folding does not fit the graph.
        ToolMissingError: g++, Verilator or cocotb is not installed.
        StorageError: The folder cannot be written.
    """
    options = options or Options()
    names = _names(graph, options)
    chosen = [image, *others] if others else adjacent_frames(graph, image, options.frames)
    images = [check_image(frame, graph.tensor(graph.input)) for frame in chosen]
    if len(images) != options.frames:
        raise OptionError("frames", expected=f"{len(images)}, a frame for each image", got=str(options.frames))
    builds = options.builds or folder / "builds"
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
        _Run(setup, frames, options, report, progress).run()
        report.sources = _sources(folder, report)
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
    """A unit of work and about how long it takes, in any unit: the longest start first."""

    cost: float
    work: Callable[[], None]


class _Run:
    """One co-simulation: tasks on a thread pool that fill in a report. The work itself is done by processes."""

    def __init__(
        self,
        setup: Setup,
        frames: Sequence[CompactTaps],
        options: Options,
        report: CosimReport,
        progress: Progress | None,
    ) -> None:
        self.setup = setup
        self.frames = frames
        self.options = options
        self.report = report
        self.progress = progress
        self.jobs = options.jobs or os.cpu_count() or 1
        self.lock = threading.Lock()
        self.stop = threading.Event()

    def run(self) -> None:
        """Run every task; the first error that is not of one layer ends them all."""
        tasks = [task for layer in self.report.layers for task in self._layer_tasks(layer)]
        rtl = self.report.network_rtl
        if rtl is not None:
            tasks.append(_Task(math.inf, functools.partial(self._network, rtl)))
        tasks.sort(key=lambda task: task.cost, reverse=True)
        with Pool(self.jobs) as pool:
            futures = [pool.submit(self._guarded, task) for task in tasks]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            finally:
                self.stop.set()

    def _guarded(self, task: _Task) -> None:
        if not self.stop.is_set():
            task.work()

    def _changed(self) -> None:
        if self.progress is not None:
            with self.lock:
                self.progress(self.report)

    def _layer_tasks(self, layer: LayerReport) -> list[_Task]:
        macs = layer.cycles_ideal * layer.pe * layer.simd
        tasks = []
        if layer.hls != LEFT_OUT:
            tasks.append(_Task(macs, functools.partial(self._hls, layer)))
        if layer.rtl != LEFT_OUT:
            tasks.append(_Task(macs / 2, functools.partial(self._rtl, layer)))
        return tasks

    def _hls(self, layer: LayerReport) -> None:
        started, graph = time.monotonic(), self.setup.graph
        layer.hls = RUNNING
        self._changed()
        try:
            program = simulation.build_layer(graph, layer.name, self.setup.folder / "hls")
            node = graph.node(layer.name)
            tensors = widened(self.frames[0], (*node.inputs, node.output))
            got = simulation.run_layer(graph, layer.name, program, tensors)
            comparison = compare(layer.name, tensors[node.output], got)
        except ToolFailedError as error:
            state, problems = BROKEN, [f"HLS: {error}"]
        else:
            layer.hls_mismatches, layer.hls_first = comparison.mismatches, comparison.first
            problems = [] if comparison.passed else [_wrong_hls(comparison)]
            self._compared(layer, comparison.compared)
            state = FAILED if problems else PASSED
        layer.problems += problems
        layer.hls = state
        self._spent(layer, started)

    def _rtl(self, layer: LayerReport) -> None:
        started = time.monotonic()
        layer.rtl = RUNNING
        self._changed()
        try:
            result = layer_bench.run_layer(self.setup, layer.name, self.frames[0])
        except ToolFailedError as error:
            state, problems = BROKEN, [f"RTL: {error}"]
        else:
            layer.cycles, layer.rtl_mismatches = result.cycles, result.mismatches
            layer.first_output, layer.rtl_first = result.first_output, result.first
            problems = [f"RTL: {problem}" for problem in result.problems]
            self._compared(layer, result.values_compared)
            if problems and self.options.waveforms:
                problems += self._wave(
                    layer, lambda: layer_bench.record_layer(self.setup, layer.name, self.frames[0], result)
                )
            if not problems and layer.stalls == "none":
                problems = _unpredicted("cycles", layer.cycles, layer.cycles_predicted)
                problems += _unpredicted("cycles to the first output", layer.first_output, layer.first_output_predicted)
            state = FAILED if problems else PASSED
        layer.problems += problems
        layer.rtl = state
        self._spent(layer, started)

    def _network(self, rtl: NetworkReport) -> None:
        started = time.monotonic()
        rtl.rtl = RUNNING
        self._changed()
        try:
            outcome = network_bench.run_network(self.setup, self.frames, jobs=self.jobs)
        except ToolFailedError as error:
            state, problems = BROKEN, [f"RTL: {error}"]
        else:
            result = outcome.bench
            rtl.values_compared, rtl.mismatches, rtl.first = result.values_compared, result.mismatches, result.first
            rtl.mask_pixels, rtl.mask_mismatches = outcome.mask_pixels, outcome.mask_mismatches
            rtl.cycles, rtl.frame_interval = result.cycles, result.frame_interval
            rtl.first_output, rtl.frame_interval_steady = result.first_output, outcome.steady_interval
            if outcome.predicted is not None:
                rtl.first_output_predicted = outcome.predicted.first_output
                rtl.frame_interval_predicted = outcome.predicted.frame_interval
            rtl.layers = [
                InnerLayer(
                    str(inner.layer), inner.values_compared, inner.mismatches, inner.first_cycle, inner.last_cycle
                )
                for inner in result.layers
            ]
            rtl.fifo_max_fill = result.fifo_max_fill
            problems = [f"RTL: {problem}" for problem in result.problems]
            if outcome.mask_mismatches or (outcome.mask_pixels == 0 and not problems):
                problems.append(f"RTL: {outcome.mask_mismatches} of {outcome.mask_pixels} mask pixels differ")
            if problems and self.options.waveforms:
                problems += self._wave(rtl, lambda: network_bench.record_network(self.setup, self.frames, result))
            if not problems and rtl.stalls == "none":
                problems = _unpredicted_network(rtl)
            state = FAILED if problems else PASSED
        rtl.problems += problems
        rtl.rtl = state
        self._spent(rtl, started)

    def _compared(self, layer: LayerReport, values: int) -> None:
        """Note what one leg has compared; the layer counts what both have."""
        with self.lock:
            layer.values_compared = min(values, layer.values_compared) if layer.values_compared else values

    def _wave(self, part: LayerReport | NetworkReport, record: Callable[[], Recording]) -> list[str]:
        try:
            found = record()
        except ToolFailedError as error:
            return [f"no waveform: {error}"]
        part.waveform, part.waveform_cycle = str(found.path), found.cycle
        return []

    def _spent(self, part: LayerReport | NetworkReport, started: float) -> None:
        with self.lock:
            part.seconds = round(part.seconds + time.monotonic() - started, 2)
        self._changed()


def _unpredicted(what: str, simulated: int, predicted: int) -> list[str]:
    return [] if simulated == predicted else [f"RTL: {simulated} {what}, predicted {predicted}"]


def _unpredicted_network(rtl: NetworkReport) -> list[str]:
    problems = _unpredicted("cycles to the first output", rtl.first_output, rtl.first_output_predicted)
    if rtl.frames > 1:
        problems += _unpredicted("cycles between frames", rtl.frame_interval, rtl.frame_interval_predicted)
    if rtl.frame_interval_steady != rtl.frame_interval_ideal:
        steady, ideal = rtl.frame_interval_steady, rtl.frame_interval_ideal
        problems.append(f"RTL: {steady} cycles between frames in the long run, {ideal} in the slowest layer")
    return problems


def _wrong_hls(comparison: Comparison) -> str:
    return f"HLS: {comparison.mismatches} of {comparison.compared} values differ, first {comparison.first}"
