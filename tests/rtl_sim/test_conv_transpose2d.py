"""``qun_conv_transpose2d`` against the golden model: corners, random layers, cycles, faults that must be found."""

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
    Layer((4, 4, 8), 4, pe=2, simd=4, source="u4", bits_w=4, target="s4", kernel=2),
    Layer((2, 2, 1), 1, pe=1, simd=1, source="u8", bits_w=8, target="s8", kernel=2),
    Layer((1, 1, 4), 2, pe=1, simd=2, source="s3", bits_w=5, target="s4", kernel=2),
    Layer((1, 5, 2), 2, pe=2, simd=2, source="s8", bits_w=2, target="u3", kernel=2),
    Layer((5, 1, 2), 2, pe=2, simd=1, source="u2", bits_w=3, target="s8", kernel=2),
    Layer((3, 5, 12), 6, pe=6, simd=12, source="u5", bits_w=7, target="u2", kernel=2),
    Layer((3, 2, 22), 2, pe=1, simd=11, source="s2", bits_w=3, target="s2", kernel=2),
    Layer((2, 3, 4), 2, pe=2, simd=4, source="u4", bits_w=3, target="s8", kernel=2, shift=-1),
    Layer((3, 3, 4), 4, pe=1, simd=1, source="s16", bits_w=8, target="s16", kernel=2),
    Layer((4, 3, 16), 4, pe=4, simd=16, source="s4", bits_w=6, target="s6", kernel=2),
)

FAULTS = {
    "ties always down": ("qun_requant_pkg.sv", "(below != 0 || (quotient & 64'sd1) != 0)", "below != 0"),
    "swapped lanes": ("qun_lane_products.sv", "weight_word[(p*Groups+g)*", "weight_word[((Pe-1-p)*Groups+g)*"),
    "tready always high": (
        "qun_row_repeat.sv",
        "s_axis_tready = fill_q != fill_t'(RingPixels)",
        "s_axis_tready = 1'b1",
    ),
    "reads what is not there": ("qun_row_repeat.sv", "fill_q > fill_t'(x_q)", "fill_q >= fill_t'(x_q)"),
    "kernel rows swapped": (
        "qun_row_repeat.sv",
        "weight_addr_q <= ky_q ? WeightAddrBits'(RowWeights) : '0",
        "weight_addr_q <= '0",
    ),
    "credits ignored": ("qun_credit_fifo.sv", "assign credit = credits_q != '0", "assign credit = 1'b1"),
}


def test_corners(tmp_path: Path) -> None:
    cases = [case_of(layer, seed) for seed, layer in enumerate(CORNERS)]
    assert sum(saturates(case) for case in cases) > len(cases) // 2
    pairs = [dataclasses.replace(layer, style="folded-dsp") for layer in CORNERS]
    cases += [case for case in map(case_of, pairs, range(len(pairs))) if dict(case.instance.params)["PairProducts"]]
    assert len(cases) > len(CORNERS) + 3, "some corners hold two products in a multiplier"
    check_cases("conv_transpose2d", cases, tmp_path)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_random_layers(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    cases = [case_of(random_layer(rng, transpose=True), rng.randrange(1 << 30)) for _ in range(6)]
    check_cases("conv_transpose2d", cases, tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_fit_the_library(tmp_path: Path, fault: str) -> None:
    assert library_with(tmp_path / "rtl", *FAULTS[fault]).is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", *FAULTS[fault])
    cases = [case_of(CORNERS[0], 0), case_of(CORNERS[2], 2), case_of(CORNERS[3], 3)]
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("conv_transpose2d", cases, tmp_path / "run", rtl_folder=folder)
