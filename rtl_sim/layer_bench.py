"""One layer in RTL at its true shape and weights, against golden."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quantunet.hls.folding import Folding, ideal_cycles
from quantunet.hls.generate import rtl_project
from quantunet.ir import Array, Graph
from quantunet.rtl_sim import bench, verilator, waveform
from quantunet.rtl_sim.bench_result import BenchResult
from quantunet.rtl_sim.frames import CompactTaps, widened
from quantunet.rtl_sim.stalls import Stalls
from quantunet.rtl_sim.waveform import Recording

TEST_MODULE = "quantunet.rtl_sim.tb_layer"


@dataclass(frozen=True)
class Setup:
    """What every simulation of a network shares.

    Attributes:
        graph: The network.
        folding: The fold of every layer.
        folder: Working folders go to ``folder/layers/<name>`` and ``folder/network``.
        builds: Where Verilator builds are kept.
        stalls: The pattern in which sources and sinks stall.
        seed: Of the stalls.
        rtl_folder: The SystemVerilog library.
        assertions: Whether the modules assert what they promise, which makes a small network about 1.4 times as slow.
    """

    graph: Graph
    folding: Folding
    folder: Path
    builds: Path
    stalls: Stalls = "none"
    seed: int = 0
    rtl_folder: Path = rtl_project.RTL_FOLDER
    assertions: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of the builds."""
        return verilator.ASSERTIONS if self.assertions else ()


def layer_project(setup: Setup, name: str) -> rtl_project.RtlProject:
    """Write the RTL project of one layer.

    Raises:
        QuantUNetError: As :func:`quantunet.hls.generate.rtl_project.write`.
    """
    folder = setup.folder / "layers" / name
    return rtl_project.write(setup.graph, setup.folding, folder, layer=name, rtl_folder=setup.rtl_folder)


def run_layer(setup: Setup, name: str, taps: CompactTaps) -> BenchResult:
    """Build and simulate one layer on one frame.

    Args:
        setup: What all layers share.
        name: The layer.
        taps: Golden's tensors of the frame.

    Returns:
        What came out. A layer that computes something else is no error here.

    Raises:
        QuantUNetError: As :func:`quantunet.rtl_sim.bench.run`.
    """
    built = bench.build(layer_project(setup, name), setup.builds, flags=setup.flags)
    inputs, expected = _frames(setup, name, taps)
    return bench.run(
        built,
        inputs,
        expected,
        TEST_MODULE,
        watchdog=_watchdog(setup, name),
        stalls=setup.stalls,
        seed=setup.seed,
    )


def record_layer(setup: Setup, name: str, taps: CompactTaps, result: BenchResult) -> Recording:
    """Record a waveform of a layer that failed; see :func:`quantunet.rtl_sim.waveform.record`."""
    inputs, expected = _frames(setup, name, taps)
    return waveform.record(
        layer_project(setup, name),
        inputs,
        expected,
        result,
        TEST_MODULE,
        setup.builds,
        watchdog=_watchdog(setup, name),
        stalls=setup.stalls,
        seed=setup.seed,
    )


def _frames(setup: Setup, name: str, taps: CompactTaps) -> tuple[list[Array], Array]:
    node = setup.graph.node(name)
    wide = widened(taps, (*node.inputs, node.output))
    return [wide[tensor][None] for tensor in node.inputs], wide[node.output][None]


def _watchdog(setup: Setup, name: str) -> int:
    """A layer that moves nothing for a whole frame has stopped."""
    return ideal_cycles(setup.graph, setup.graph.node(name), setup.folding[name]) + 10_000
