"""``qun_conv2d_constant`` and its generated product against golden: corners, random layers, cycles."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.benches.cases import Case, layer_case
from helpers.matrix_cases import CONV2D_CONSTANT, case_of, cases_of, graph_of, random_layer, saturates, unfolded
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError
from quantunet.hls.design import Fold
from quantunet.ir import IntArray


def with_wrong_weight(case: Case) -> Case:
    """Return the case with one operation of its adder graph turned around."""
    (name, text), *others = case.instance.sources
    found = re.search(r" [+-] (?=\d+'\(v)", text)
    assert found
    turned = {" + ": " - ", " - ": " + "}[found[0]]
    text = text[: found.start()] + turned + text[found.end() :]
    return replace(case, instance=replace(case.instance, sources=((name, text), *others)))


def test_corners(tmp_path: Path) -> None:
    cases = cases_of(CONV2D_CONSTANT)
    assert sum(saturates(case) for case in cases) > len(cases) // 2
    check_cases("conv2d", cases, tmp_path)


def test_weights_of_zero(tmp_path: Path) -> None:
    graph = graph_of(CONV2D_CONSTANT[0], 3)
    (node,) = graph.nodes
    weight = node.weight.array.copy()  # type: ignore[union-attr]
    cases = []
    for zero in (slice(0, 1), slice(0, None)):  # the weights of one output channel, then all
        weight[..., zero] = 0
        changed = replace(graph, nodes=(replace(node, weight=IntArray.of(weight)),))  # type: ignore[type-var]
        cases.append(layer_case(changed, Fold(4, 8, "constant"), seed=3))
    check_cases("conv2d", cases, tmp_path)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 6))])
def test_random_layers(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    cases = [case_of(unfolded(random_layer(rng, transpose=False)), rng.randrange(1 << 30)) for _ in range(8)]
    check_cases("conv2d", cases, tmp_path)


def test_a_wrong_weight_is_found(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("conv2d", [with_wrong_weight(case_of(CONV2D_CONSTANT[0], 0))], tmp_path)
