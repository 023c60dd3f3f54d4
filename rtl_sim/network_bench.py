"""A whole network in RTL as one streaming design over adjacent frames, against golden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantunet import golden
from quantunet.compare import compare
from quantunet.errors import ToolFailedError
from quantunet.hls.design import Design
from quantunet.hls.generate import rtl_project
from quantunet.hls.schedule.depths import frame_interval
from quantunet.hls.schedule.exact import Schedule, schedule, settled
from quantunet.ir import Array, Graph
from quantunet.processes import Pool
from quantunet.rtl_sim import bench, waveform
from quantunet.rtl_sim.bench_result import BenchResult
from quantunet.rtl_sim.frames import CompactTaps, widened
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.waveform import Recording
from quantunet.streams import read_frames

TEST_MODULE = "quantunet.rtl_sim.tb_network"

Map = npt.NDArray[np.int64] | npt.NDArray[np.bool_]


@dataclass(frozen=True)
class NetworkResult:
    """The result of a network's simulation.

    Attributes:
        bench: What the bench saw.
        mask_pixels: Pixels of the masks or class maps that were compared with golden's.
        mask_mismatches: Those that differ.
        predicted: The schedule of these frames in this design; ``None`` with stalls.
        steady_interval: Cycles between frames by the schedule of the design, when it has long run; 0 with stalls.
    """

    bench: BenchResult
    mask_pixels: int
    mask_mismatches: int
    predicted: Schedule | None
    steady_interval: int


def network_project(setup: Setup) -> rtl_project.RtlProject:
    """Write the RTL project of the network.

    Raises:
        QuantUNetError: As :func:`quantunet.hls.generate.rtl_project.write`.
    """
    return rtl_project.write(setup.graph, setup.folding, setup.folder / "network", rtl_folder=setup.rtl_folder)


def run_network(setup: Setup, frames: Sequence[CompactTaps], *, jobs: int = 1) -> NetworkResult:
    """Build and simulate the network; every layer's output is compared inside the design.

    Args:
        setup: What all simulations share.
        frames: Golden's tensors of each frame.
        jobs: C++ compilers to run at once.

    Raises:
        QuantUNetError: As :func:`quantunet.rtl_sim.bench.run`.
    """
    layers = {node.output: node.name for node in setup.graph.nodes}
    project = network_project(setup)
    inputs, expected = _frames(setup, frames)
    with Pool(1) as pool:  # a process of its own computes them meanwhile
        predictions = pool.submit(_predictions, setup, project.design, len(frames))
        built = bench.build(project, setup.builds, layers=layers, jobs=jobs, flags=setup.flags)
        result = bench.run(
            built,
            inputs,
            expected,
            TEST_MODULE,
            watchdog=_watchdog(setup),
            stream_values={name: [taps[name] for taps in frames] for name in layers},
            stalls=setup.stalls,
            seed=setup.seed,
        )
        predicted, steady = predictions.result()
    compared = [layer.layer for layer in result.layers]
    if compared != list(layers.values()):
        raise ToolFailedError(TEST_MODULE, expected="a comparison of every layer", got=f"of {compared}")
    if result.timed_out or result.extra_beats or result.mismatches:
        return NetworkResult(result, 0, 0, predicted, steady)
    (port,) = rtl_project.output_ports(built.project.design)
    stream = port.stream
    output = read_frames(built.project.folder / "m_axis.hex", stream.lanes, stream.qtype, stream.shape)
    got, wanted = _maps(setup.graph, output.reshape(len(frames), *stream.shape), frames)
    maps = compare("mask", wanted.reshape(*wanted.shape[:3], -1), got.reshape(*got.shape[:3], -1))
    return NetworkResult(result, maps.compared, maps.mismatches, predicted, steady)


def _predictions(setup: Setup, design: Design, frames: int) -> tuple[Schedule | None, int]:
    """Return the schedule of some frames, and the interval between two when all that comes before them has left.

    With stalls there is none.
    """
    if setup.stalls != "none":
        return None, 0
    predicted, ideal = schedule(design, frames), frame_interval(setup.graph, setup.folding)
    return predicted, settled(design, ideal, predicted.first_output).frame_interval


def record_network(setup: Setup, frames: Sequence[CompactTaps], result: BenchResult) -> Recording:
    """Record a waveform of a network that failed; see :func:`quantunet.rtl_sim.waveform.record`."""
    inputs, expected = _frames(setup, frames)
    return waveform.record(
        network_project(setup),
        inputs,
        expected,
        result,
        TEST_MODULE,
        setup.builds,
        watchdog=_watchdog(setup),
        stalls=setup.stalls,
        seed=setup.seed,
    )


def _maps(graph: Graph, output: Array, frames: Sequence[CompactTaps]) -> tuple[Map, Map]:
    """Return what the hardware's output stands for, and golden's, frame by frame.

    Masks, ``probability >= 1/2`` or ``logit >= 0``; of several classes the class maps of the logits. As different
    logits may have equal probabilities, of several classes with probabilities it is the mask of each class.
    """
    logits = graph.logits.name
    taps = {logits: np.stack([widened(each, (logits,))[logits] for each in frames])}
    one = graph.logits.shape[2] == 1
    if graph.gives_probabilities:
        masks = output >= graph.tensor(graph.output).qtype.half
        return (masks[..., 0], golden.mask(graph, taps)) if one else (masks, taps[logits] >= 0)
    if graph.gives_classes:
        return output[..., 0], golden.classes(graph, taps)
    return golden.classes(graph, {logits: output}), golden.classes(graph, taps)


def _frames(setup: Setup, frames: Sequence[CompactTaps]) -> tuple[list[Array], Array]:
    graph = setup.graph
    wide = [widened(taps, (*graph.inputs, graph.output)) for taps in frames]
    inputs = [np.stack([taps[name] for taps in wide]) for name in graph.inputs]
    return inputs, np.stack([taps[graph.output] for taps in wide])


def _watchdog(setup: Setup) -> int:
    """A network that moves nothing at its ends for two frame intervals has stopped."""
    return 2 * frame_interval(setup.graph, setup.folding) + 10_000
