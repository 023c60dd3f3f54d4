"""A network in RTL with FIFOs that are full before their depth: what happens at one beat less than they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from quantunet.golden.inference import Taps
from quantunet.hls.folding import Folding
from quantunet.hls.generate.rtl_project import RTL_FOLDER, write
from quantunet.hls.schedule.depths import frame_interval
from quantunet.ir import Graph
from quantunet.rtl_sim import bench
from quantunet.rtl_sim.bench_result import BenchResult
from quantunet.rtl_sim.network_bench import TEST_MODULE
from quantunet.rtl_sim.stalls import Stalls
from quantunet.rtl_sim.verilator import ASSERTIONS

_FLAGS = ("-DQUN_FIFO_LIMIT",)


class FifoBench:
    """A network's bench, built once, that runs with any limits of its FIFOs."""

    def __init__(
        self,
        graph: Graph,
        folding: Folding,
        frames: Sequence[Taps],
        folder: Path,
        builds: Path,
        *,
        jobs: int = 1,
        inside: bool = False,
        quick: bool = False,
        rtl_folder: Path = RTL_FOLDER,
    ) -> None:
        """Write and build it.

        Args:
            graph: The network.
            folding: The fold of every layer.
            frames: Golden's tensors of adjacent frames.
            folder: Working folder.
            builds: Where Verilator builds are kept.
            jobs: C++ compilers to run at once.
            inside: Whether every layer is compared inside the design, whose modules assert what they promise.
            quick: As in :func:`quantunet.rtl_sim.verilator.build`.
            rtl_folder: The SystemVerilog library.

        Raises:
            QuantUNetError: As :func:`quantunet.rtl_sim.bench.build`.
        """
        layers = {node.output: node.name for node in graph.nodes} if inside else {}
        flags = (*_FLAGS, *ASSERTIONS) if inside else _FLAGS
        project = write(graph, folding, folder, rtl_folder=rtl_folder)
        self.bench = bench.build(project, builds, layers=layers, jobs=jobs, flags=flags, quick=quick)
        self.layers = {name: [taps[name] for taps in frames] for name in layers}
        self.inputs = [np.stack([taps[name] for taps in frames]) for name in graph.inputs]
        self.expected = np.stack([taps[graph.output] for taps in frames])
        self.watchdog = 2 * frame_interval(graph, folding) + 10_000

    def run(self, limits: Mapping[str, int] | None = None, *, stalls: Stalls = "none", seed: int = 0) -> BenchResult:
        """Simulate all frames.

        Args:
            limits: Beats at which FIFOs count as full, by the instance's name; the others have their whole depth.
            stalls: The pattern in which source and sink stall.
            seed: Of the stalls.

        Raises:
            QuantUNetError: As :func:`quantunet.rtl_sim.bench.run`.
        """
        plusargs = [f"+{self.bench.top}.u_dut.u_{name}={limit}" for name, limit in (limits or {}).items()]
        return bench.run(
            self.bench,
            self.inputs,
            self.expected,
            TEST_MODULE,
            watchdog=self.watchdog,
            stream_values=self.layers,
            stalls=stalls,
            seed=seed,
            plusargs=plusargs,
        )
