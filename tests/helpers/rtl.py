"""Runs of small RTL benches for the tests, with builds that are kept between test runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from helpers.benches.cases import Case, Outcome, run_cases

from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.rtl_sim.verilator import ASSERTIONS, build

BUILD_ROOT = Path(__file__).parents[2] / "build" / "tests" / "verilator"
SCENARIOS = {"full_speed", "random_stalls", "sinks_that_wait", "reset_in_mid_frame"}


@dataclass(frozen=True)
class Design:
    """What a bench simulates.

    Attributes:
        sources: SystemVerilog files, each after those that it needs.
        top: The top module; its file has its name.
        parameters: Of the top module.
        flags: More flags for Verilator.
        quick: As in :func:`quantunet.rtl_sim.verilator.build`.
    """

    sources: tuple[Path, ...]
    top: str
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    quick: bool = True

    def build(self) -> Path:
        """Return the folder of a simulator with assertions.

        Raises:
            ToolFailedError: A tool refused the design.
        """
        flags = (*ASSERTIONS, *self.flags)
        return build(self.sources, self.top, self.parameters, BUILD_ROOT, flags=flags, quick=self.quick)


def long_parameters(values: Mapping[str, int]) -> tuple[str, ...]:
    """Return flags that set parameters of 64 bits: a plain number is one of 32 for Verilator."""
    return tuple(f"-G{name}=64'sh{value % (1 << 64):016x}" for name, value in values.items())


def bench_module(op: str) -> str:
    """Return the cocotb module of an op: its own, where it has more scenarios than all others."""
    own = Path(__file__).parent / "benches" / f"tb_{op}.py"
    return f"helpers.benches.{own.stem if own.is_file() else 'scenarios'}"


def check_cases(
    op: str,
    cases: Sequence[Case],
    folder: Path,
    *,
    more_scenarios: Sequence[str] = (),
    rtl_folder: Path = RTL_FOLDER,
) -> tuple[Outcome, ...]:
    """Run the bench of an op on some cases and check that every scenario compared every value it should."""
    outcomes = run_cases(cases, bench_module(op), BUILD_ROOT, folder, rtl_folder=rtl_folder)
    expected = [sum(case.frames[name].size for _, name in case.instance.outputs) for case in cases]
    assert {outcome.scenario for outcome in outcomes} == SCENARIOS | set(more_scenarios)
    for outcome in outcomes:
        assert outcome.values_compared == expected[outcome.case], outcome
    return outcomes
