"""A waveform of a layer around its first wrong value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quantunet.errors import ToolFailedError
from quantunet.hls.generate.rtl_project import RtlProject
from quantunet.ir import Array
from quantunet.rtl_sim import bench
from quantunet.rtl_sim.bench_result import WAVE_FILE, BenchResult
from quantunet.rtl_sim.stalls import Stalls

MAX_CYCLES = 6_000
"""Cycles that a waveform shows at most; a whole frame would be hundreds of megabytes."""

_AFTER = 40


@dataclass(frozen=True)
class Recording:
    """A waveform.

    Attributes:
        path: The VCD file.
        cycle: The simulator's cycle of the first wrong value; ``None`` where that is not known.
    """

    path: Path
    cycle: int | None


def record(
    project: RtlProject,
    inputs: Sequence[Array],
    expected: Array,
    result: BenchResult,
    test_module: str,
    build_root: Path,
    *,
    watchdog: int,
    stalls: Stalls,
    seed: int,
) -> Recording:
    """Build a design once more, with tracing, and record the cycles that lead to its first wrong value.

    Args:
        project: The design.
        inputs: As for :func:`quantunet.rtl_sim.bench.run`.
        expected: Likewise.
        result: The result of the run that failed.
        test_module: The cocotb module.
        build_root: Where Verilator builds are kept.
        watchdog: As in the run that failed.
        stalls: Likewise.
        seed: Likewise.

    Returns:
        The VCD file, and the cycle that it is about.

    Raises:
        ToolFailedError: The simulator left no waveform.
        QuantUNetError: As :func:`quantunet.rtl_sim.bench.run`.
    """
    traced = bench.build(project, build_root, trace=True)

    def run(*plusargs: str) -> BenchResult:
        return bench.run(
            traced, inputs, expected, test_module, watchdog=watchdog, stalls=stalls, seed=seed, plusargs=plusargs
        )

    end, found = result.last_cycle + _AFTER, None
    if result.first is not None and result.first.got is not None:
        where = (result.first.frame, result.first.y, result.first.x, result.first.channel)
        lanes = expected[0].size // bench.output_beats(project)
        beat = int(np.ravel_multi_index(where, expected.shape)) // lanes
        found = run(f"+find_beat={beat}").found_cycle
        end = end if found is None else found + _AFTER
    elif not result.frame_ends and result.last_cycle == 0:
        end = MAX_CYCLES
    wave = project.folder / WAVE_FILE
    wave.unlink(missing_ok=True)
    run(f"+dump_from={max(0, end - MAX_CYCLES)}", f"+dump_to={end}")
    if not wave.is_file():
        raise ToolFailedError(project.top, expected="a waveform", got="none", hint=f"See {project.folder}.")
    return Recording(wave, found)
