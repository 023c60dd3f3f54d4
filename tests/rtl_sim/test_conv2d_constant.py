"""``qun_conv2d_constant`` and its generated product against golden: corners, random layers, cycles, faults."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.benches.cases import Case, layer_case
from helpers.faults import library_with
from helpers.matrix_cases import Layer, case_of, graph_of, random_layer, saturates
from helpers.rtl import check_cases

from quantunet.errors import ToolFailedError
from quantunet.hls.design import Fold
from quantunet.ir import IntArray


def unfolded(layer: Layer) -> Layer:
    """Return the layer with all its channels at once, its weights as constants."""
    return replace(layer, pe=layer.channels, simd=layer.shape[2], style="constant")


CORNERS = tuple(
    unfolded(layer)
    for layer in (
        Layer((8, 8, 8), 4, 4, 8, source="u4", bits_w=4, target="u4"),
        Layer((2, 2, 2), 3, 3, 2, source="u8", bits_w=8, target="u8"),
        Layer((1, 1, 4), 2, 2, 4, source="s3", bits_w=5, target="s4"),
        Layer((1, 6, 3), 2, 2, 3, source="s8", bits_w=2, target="u3"),
        Layer((6, 1, 2), 2, 2, 2, source="u2", bits_w=3, target="s8"),
        Layer((1, 2, 3), 2, 2, 3, source="u4", bits_w=4, target="u4"),
        Layer((2, 1, 3), 2, 2, 3, source="u4", bits_w=4, target="u4"),
        Layer((3, 2, 3), 2, 2, 3, source="u3", bits_w=8, target="s6"),
        # Sixteen outputs that nobody takes leave the window in the last row.
        Layer((2, 10, 1), 2, 2, 1, source="s2", bits_w=2, target="s2"),
        Layer((5, 7, 1), 1, 1, 1, source="u8", bits_w=6, target="u5"),
        Layer((3, 4, 2), 2, 2, 2, source="u4", bits_w=3, target="s8", shift=0),
        Layer((3, 4, 2), 2, 2, 2, source="s2", bits_w=2, target="u8", shift=-2),
        Layer((3, 3, 4), 2, 2, 4, source="s16", bits_w=8, target="s16"),
        Layer((1, 1, 2), 3, 3, 2, source="u4", bits_w=4, target="u4", kernel=1),
        Layer((4, 5, 3), 1, 1, 3, source="u3", bits_w=8, target="s6", kernel=1),
        Layer((3, 4, 6), 10, 10, 6, source="u7", bits_w=5, target="s3", kernel=1),
    )
)

FAULTS = {
    "tlast never": ("qun_conv2d_constant.sv", "{last_q[SumLatency:0], take_last}", "'0"),
    "one cycle late": ("qun_conv2d_constant.sv", "push     (valid_q[SumLatency+1])", "push     (valid_q[SumLatency])"),
    "credits ignored": ("qun_credit_fifo.sv", "assign credit = credits_q != '0", "assign credit = 1'b1"),
    "left edge not zero": ("qun_pixel_window.sv", "middle_place_q.first ? '0 :", "middle_place_q.first && 1'b0 ? '0 :"),
    "right edge not zero": ("qun_pixel_window.sv", "middle_place_q.last ? '0 :", "middle_place_q.last && 1'b0 ? '0 :"),
    "row above not zero": ("qun_pixel_window.sv", "top_zero_q ? '0 :", "top_zero_q && 1'b0 ? '0 :"),
    "row below not zero": ("qun_pixel_window.sv", "bottom_zero_q ? '0 :", "bottom_zero_q && 1'b0 ? '0 :"),
    "the next frame loads too early": ("qun_pixel_window.sv", "(loaded_q != LoadBits'(x_q) || fetch)", "1'b1"),
    "the next frame waits": ("qun_pixel_window.sv", "load_ready = y_last ?", "load_ready = y_last ? 1'b0 && "),
    "fetches before there is room": ("qun_pixel_window.sv", "room = !fetched_valid_q || move", "room = 1'b1"),
    "takes before the next column": ("qun_pixel_window.sv", "(fetched_valid_q || middle_place_q.last)", "1'b1"),
}


def with_wrong_weight(case: Case) -> Case:
    """Return the case with one operation of its adder graph turned around."""
    (name, text), *others = case.instance.sources
    found = re.search(r" [+-] (?=\d+'\(v)", text)
    assert found
    turned = {" + ": " - ", " - ": " + "}[found[0]]
    text = text[: found.start()] + turned + text[found.end() :]
    return replace(case, instance=replace(case.instance, sources=((name, text), *others)))


def test_corners(tmp_path: Path) -> None:
    cases = [case_of(layer, seed) for seed, layer in enumerate(CORNERS)]
    assert sum(saturates(case) for case in cases) > len(cases) // 2
    check_cases("conv2d", cases, tmp_path)


def test_weights_of_zero(tmp_path: Path) -> None:
    graph = graph_of(CORNERS[0], 3)
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
        check_cases("conv2d", [with_wrong_weight(case_of(CORNERS[0], 0))], tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_fit_the_library(tmp_path: Path, fault: str) -> None:
    assert library_with(tmp_path / "rtl", *FAULTS[fault]).is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(tmp_path: Path, fault: str) -> None:
    folder = library_with(tmp_path / "rtl", *FAULTS[fault])
    cases = [case_of(CORNERS[0], 0), case_of(CORNERS[8], 2), case_of(CORNERS[-2], 3)]
    with pytest.raises(ToolFailedError, match="failed"):
        check_cases("conv2d", cases, tmp_path / "run", rtl_folder=folder)
