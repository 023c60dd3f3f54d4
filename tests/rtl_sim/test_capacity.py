"""Every module takes as many beats while its reader waits as its sheet says, which decides the depths of FIFOs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from helpers import op_cases
from helpers.benches.cases import Case, run_cases
from helpers.capacity import BENCH, shows, write_plan
from helpers.faults import Fault, library_with
from helpers.matrix_cases import CONV2D, CONV2D_CONSTANT, CONV_TRANSPOSE2D, WINDOW_CONV2D, Layer, case_of
from helpers.rtl import BUILD_ROOT

from quantunet.errors import ToolFailedError
from quantunet.hls.generate.rtl_project import RTL_FOLDER


def matrix(layers: Sequence[Layer]) -> list[Case]:
    return [case_of(layer, seed) for seed, layer in enumerate(layers)]


CASES: dict[str, Callable[[], list[Case]]] = {
    "add": op_cases.add_cases,
    "affine": op_cases.affine_cases,
    "argmax": op_cases.argmax_cases,
    "concat": op_cases.concat_cases,
    "conv2d": lambda: matrix([layer for layer in CONV2D if layer is not CONV2D[16]]),  # it takes long
    "conv2d_constant": lambda: matrix(CONV2D_CONSTANT),
    "conv_transpose2d": lambda: matrix(CONV_TRANSPOSE2D),
    "crop": op_cases.crop_cases,
    "depth_to_space": op_cases.depth_to_space_cases,
    "depthwise_conv2d": op_cases.depthwise_conv2d_cases,
    "fifo": lambda: op_cases.fifo_cases()[:-1],
    "global_pool2d": op_cases.global_pool2d_cases,
    "lookup": op_cases.lookup_cases,
    "maximum": op_cases.maximum_cases,
    "maxpool2d": op_cases.maxpool2d_cases,
    "multiply": op_cases.multiply_cases,
    "pad": op_cases.pad_cases,
    "requant": op_cases.requant_cases,
    "resize_bilinear": op_cases.resize_bilinear_cases,
    "resize_nearest": lambda: op_cases.resize_nearest_cases()[:-1],
    "smallest_area": op_cases.smallest_area_cases,
    "width_adapter": op_cases.width_adapter_cases,
    "window_conv2d": lambda: matrix(WINDOW_CONV2D),
    "window_pool2d": op_cases.window_pool2d_cases,
}


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
