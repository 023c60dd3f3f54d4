"""The legs of a co-simulation: each compares one layer, or the network, with golden and returns what it has found.

A leg depends on its arguments alone, so that it can run in a thread of this process or on another machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from quantunet.compare import Comparison, compare
from quantunet.errors import ToolFailedError
from quantunet.hls.csim import simulation
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.rtl_sim import layer_bench, network_bench
from quantunet.rtl_sim.frames import CompactTaps, widened
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.report import BROKEN, FAILED, PASSED, InnerLayer
from quantunet.rtl_sim.waveform import Recording
from quantunet.storage import locked


@dataclass(frozen=True)
class Work:
    """What all legs of a co-simulation share.

    Attributes:
        setup: Network, folding and folders.
        frames: Golden's tensors of each frame; layers alone get the first.
        waveforms: Record a waveform of what fails in RTL.
    """

    setup: Setup
    frames: Sequence[CompactTaps]
    waveforms: bool

    def __reduce__(self) -> tuple[Any, ...]:
        """On another machine, the SystemVerilog library of this package stands elsewhere."""
        own = self.setup.rtl_folder == RTL_FOLDER
        return _work_here, (self.setup, tuple(self.frames), self.waveforms, own)


def _work_here(setup: Setup, frames: Sequence[CompactTaps], waveforms: bool, own: bool) -> Work:
    return Work(replace(setup, rtl_folder=RTL_FOLDER) if own else setup, frames, waveforms)


@dataclass(frozen=True)
class Found:
    """What a leg has found.

    Attributes:
        state: ``passed``, ``failed`` or ``tool failed``.
        problems: What is wrong, in words.
        seconds: Time that it took, builds included.
        values_compared: Values of a layer's output; 0 for the network, whose fields hold its own.
        fields: Fields of the report of the layer or of the network, by name.
    """

    state: str
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    values_compared: int = 0
    fields: Mapping[str, Any] | None = None


def hls(work: Work, name: str) -> Found:
    """Compare a layer in HLS C++ on the first frame."""
    return _timed(work, name, "hls", lambda: _hls(work, name))


def rtl(work: Work, name: str) -> Found:
    """Compare a layer alone in RTL on the first frame."""
    return _timed(work, name, "rtl", lambda: _rtl(work, name))


def network(work: Work, name: str, jobs: int) -> Found:
    """Compare the network, and every layer inside it, in RTL on all frames.

    Args:
        work: What the legs share.
        name: What the report calls the network.
        jobs: C++ compilers to run at once.
    """
    return _timed(work, name, "network", lambda: _network(work, jobs))


def _timed(work: Work, name: str, leg: str, compared: Callable[[], Found]) -> Found:
    """Run a leg while no other process runs the same one: a worker that was given up may still be at it."""
    started = time.monotonic()
    with locked(work.setup.folder / f".{leg}-{name}.lock"):
        try:
            found = compared()
        except ToolFailedError as error:
            found = Found(BROKEN, (f"{'HLS' if leg == 'hls' else 'RTL'}: {error}",))
    return replace(found, seconds=time.monotonic() - started)


def _hls(work: Work, name: str) -> Found:
    graph = work.setup.graph
    program = simulation.build_layer(graph, name, work.setup.folder / "hls")
    node = graph.node(name)
    tensors = widened(work.frames[0], (*node.inputs, node.output))
    got = simulation.run_layer(graph, name, program, tensors)
    comparison = compare(name, tensors[node.output], got)
    fields = {"hls_mismatches": comparison.mismatches, "hls_first": comparison.first}
    problems = () if comparison.passed else (_wrong_hls(comparison),)
    return Found(FAILED if problems else PASSED, problems, values_compared=comparison.compared, fields=fields)


def _wrong_hls(comparison: Comparison) -> str:
    return f"HLS: {comparison.mismatches} of {comparison.compared} values differ, first {comparison.first}"


def _rtl(work: Work, name: str) -> Found:
    setup, frame = work.setup, work.frames[0]
    result = layer_bench.run_layer(setup, name, frame)
    fields: dict[str, Any] = {
        "cycles": result.cycles,
        "rtl_mismatches": result.mismatches,
        "first_output": result.first_output,
        "rtl_first": result.first,
    }
    problems = [f"RTL: {problem}" for problem in result.problems]
    if problems and work.waveforms:
        problems += _wave(fields, lambda: layer_bench.record_layer(setup, name, frame, result))
    state = FAILED if problems else PASSED
    return Found(state, tuple(problems), values_compared=result.values_compared, fields=fields)


def _network(work: Work, jobs: int) -> Found:
    outcome = network_bench.run_network(work.setup, work.frames, jobs=jobs)
    result = outcome.bench
    fields: dict[str, Any] = {
        "values_compared": result.values_compared,
        "mismatches": result.mismatches,
        "first": result.first,
        "mask_pixels": outcome.mask_pixels,
        "mask_mismatches": outcome.mask_mismatches,
        "cycles": result.cycles,
        "frame_interval": result.frame_interval,
        "first_output": result.first_output,
        "frame_interval_steady": outcome.steady_interval,
        "layers": [
            InnerLayer(str(inner.layer), inner.values_compared, inner.mismatches, inner.first_cycle, inner.last_cycle)
            for inner in result.layers
        ],
        "fifo_max_fill": result.fifo_max_fill,
    }
    if outcome.predicted is not None:
        fields["first_output_predicted"] = outcome.predicted.first_output
        fields["frame_interval_predicted"] = outcome.predicted.frame_interval
    problems = [f"RTL: {problem}" for problem in result.problems]
    if outcome.mask_mismatches or (outcome.mask_pixels == 0 and not problems):
        problems.append(f"RTL: {outcome.mask_mismatches} of {outcome.mask_pixels} mask pixels differ")
    if problems and work.waveforms:
        problems += _wave(fields, lambda: network_bench.record_network(work.setup, work.frames, result))
    return Found(FAILED if problems else PASSED, tuple(problems), fields=fields)


def _wave(fields: dict[str, Any], record: Callable[[], Recording]) -> list[str]:
    try:
        found = record()
    except ToolFailedError as error:
        return [f"no waveform: {error}"]
    fields["waveform"], fields["waveform_cycle"] = str(found.path), found.cycle
    return []
