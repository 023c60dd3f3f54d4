"""``qun_conv2d`` against the golden model: corners, random layers, exact cycles, and faults that must be found."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
from helpers.faults import library_with
from helpers.matrix_cases import Layer, case_of, random_layer, saturates
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError

CORNERS = (
    Layer((8, 8, 8), 4, pe=2, simd=4, source="u4", bits_w=4, target="u4"),
    Layer((2, 2, 2), 3, pe=3, simd=1, source="u8", bits_w=8, target="u8"),
    Layer((1, 1, 4), 2, pe=1, simd=2, source="s3", bits_w=5, target="s4"),
    Layer((1, 6, 3), 2, pe=2, simd=3, source="s8", bits_w=2, target="u3"),
    Layer((6, 1, 2), 2, pe=1, simd=2, source="u2", bits_w=3, target="s8"),
    Layer((5, 7, 1), 1, pe=1, simd=1, source="u8", bits_w=6, target="u5"),
    Layer((3, 5, 12), 6, pe=6, simd=12, source="u5", bits_w=7, target="u2"),
    Layer((4, 4, 22), 2, pe=2, simd=11, source="s2", bits_w=3, target="s2"),
    Layer((4, 3, 16), 4, pe=4, simd=16, source="s4", bits_w=4, target="s6"),
    Layer((3, 4, 2), 2, pe=2, simd=2, source="u4", bits_w=3, target="s8", shift=0),
    Layer((3, 4, 2), 2, pe=1, simd=1, source="s2", bits_w=2, target="u8", shift=-2),
    Layer((3, 3, 4), 2, pe=1, simd=2, source="s16", bits_w=8, target="s16"),
    Layer((4, 5, 1), 1, pe=1, simd=1, source="u6", bits_w=4, target="s5", kernel=1),
    Layer((4, 5, 3), 1, pe=1, simd=1, source="u3", bits_w=8, target="s6", kernel=1),
    Layer((3, 3, 8), 8, pe=2, simd=4, source="s5", bits_w=2, target="u4", kernel=1),
    Layer((3, 4, 6), 10, pe=10, simd=6, source="u7", bits_w=5, target="s3", kernel=1),
)

FAULTS = {
    "ties always up": (
        "qun_requant_pkg.sv",
        "(below != 0 || (quotient & 64'sd1) != 0)",
        "(below != 0 || 1'b1)",
    ),
    "saturation wraps": (
        "qun_requant_pkg.sv",
        "return (quotient >= 0) ? most : out_signed ? ~most : 64'sd0;",
        "return quotient + 64'(up);",
    ),
    "swapped lanes": ("qun_lane_products.sv", "weight_word[(p*Groups+g)*", "weight_word[((Pe-1-p)*Groups+g)*"),
    "the bias forgotten": ("qun_matrix_vector.sv", "(first ? biases_q[p] : accs_q[p])", "accs_q[p]"),
    "tready always high": (
        "qun_sliding_window.sv",
        "s_axis_tready = fill_q != fill_t'(FillMax)",
        "s_axis_tready = 1'b1",
    ),
    "padding not zero": ("qun_sliding_window.sv", "tap_zero_q <= zero", "tap_zero_q <= 1'b0"),
    "starts a pixel too early": ("qun_sliding_window.sv", "fill_t'(Width + 2)", "fill_t'(Width + 1)"),
    "credits ignored": ("qun_credit_fifo.sv", "assign credit = credits_q != '0", "assign credit = 1'b1"),
    "tlast never": ("qun_matrix_vector.sv", "result_last_q <= control_q[5].frame_last", "result_last_q <= 1'b0"),
    "one cycle late": (
        "qun_credit_fifo.sv",
        "m_axis_tvalid = write_q != read_q",
        "m_axis_tvalid = write_q - read_q > 1",
    ),
}


def test_corners(tmp_path: Path) -> None:
    cases = [case_of(layer, seed) for seed, layer in enumerate(CORNERS)]
    assert sum(saturates(case) for case in cases) > len(cases) // 2
    pairs = [dataclasses.replace(layer, style="folded-dsp") for layer in CORNERS]
    cases += [case for case in map(case_of, pairs, range(len(pairs))) if dict(case.instance.params)["PairProducts"]]
    assert len(cases) > len(CORNERS) + 3, "some corners hold two products in a multiplier"
    check_cases("conv2d", cases, tmp_path)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_random_layers(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    cases = [case_of(random_layer(rng, transpose=False), rng.randrange(1 << 30)) for _ in range(8)]
    check_cases("conv2d", cases, tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_fit_the_library(tmp_path: Path, fault: str) -> None:
    assert library_with(tmp_path / "rtl", *FAULTS[fault]).is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", *FAULTS[fault])
    cases = [case_of(CORNERS[0], 0), case_of(CORNERS[2], 2), case_of(CORNERS[-2], 3)]
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("conv2d", cases, tmp_path / "run", rtl_folder=folder)
