"""Every module takes as many beats while its reader waits as its sheet says, which decides the depths of FIFOs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from helpers import op_cases
from helpers.benches.cases import Case, run_cases
from helpers.capacity import BENCH, shows, write_plan
from helpers.every_op import OPS
from helpers.faults import Fault, library_with
from helpers.matrix_cases import CONV2D, cases_of
from helpers.rtl import BUILD_ROOT

from quantunet.errors import ToolFailedError
from quantunet.hls.generate.rtl_project import RTL_FOLDER

CASES: dict[str, Callable[[], Sequence[Case]]] = (
    {name: cases for name, cases in OPS.items() if name != "fork"}
    | {
        "conv2d": lambda: cases_of([layer for layer in CONV2D if layer is not CONV2D[16]]),  # it takes long
        "fifo": lambda: op_cases.fifo_cases()[:-1],
        "resize_nearest": lambda: op_cases.resize_nearest_cases()[:-1],
    }
)


def simulate(cases: Sequence[Case], folder: Path, rtl_folder: Path = RTL_FOLDER) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    write_plan(cases, folder)
    return len(run_cases(cases, BENCH, BUILD_ROOT, folder, rtl_folder=rtl_folder))


@pytest.mark.parametrize("op", CASES)
def test_every_module_holds_what_it_promises(op: str, tmp_path: Path) -> None:
    cases = [case for case in CASES[op]() if shows(case)]
    assert cases
    assert simulate(cases, tmp_path) == 2 * len(cases)


def test_a_place_less_is_found(tmp_path: Path) -> None:
    fault = Fault("capacity", "a credit less", "qun_credit_fifo", "'(Depth);", "'(Depth - 1);")
    library = library_with(tmp_path / "rtl", fault)
    cases = [case for case in op_cases.window_pool2d_cases() if shows(case)]
    with pytest.raises(ToolFailedError, match="beats inside"):
        simulate(cases, tmp_path / "run", library)
