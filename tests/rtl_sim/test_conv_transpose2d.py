"""``qun_conv_transpose2d`` against the golden model: corners, random layers, cycles."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
from helpers.matrix_cases import CONV_TRANSPOSE2D, case_of, cases_of, random_layer, saturates
from helpers.rtl import check_cases


def test_corners(tmp_path: Path) -> None:
    cases = cases_of(CONV_TRANSPOSE2D)
    assert sum(saturates(case) for case in cases) > len(cases) // 2
    pairs = [dataclasses.replace(layer, style="folded-dsp") for layer in CONV_TRANSPOSE2D]
    cases += [case for case in map(case_of, pairs, range(len(pairs))) if dict(case.instance.params)["PairProducts"]]
    assert len(cases) > len(CONV_TRANSPOSE2D) + 3, "some corners hold two products in a multiplier"
    check_cases("conv_transpose2d", cases, tmp_path)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_random_layers(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    cases = [case_of(random_layer(rng, transpose=True), rng.randrange(1 << 30)) for _ in range(6)]
    check_cases("conv_transpose2d", cases, tmp_path)
