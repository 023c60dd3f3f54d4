"""Layers that move pixels: their cycles by the exact schedule, alone, and the FIFOs around them in networks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from helpers.benches.cases import Case
from helpers.op_cases import (
    crop_cases,
    depth_to_space_cases,
    pad_cases,
    resize_bilinear_cases,
    resize_nearest_cases,
)
from helpers.reorder import WAYS, both_legs, skips

from quantunet.hls.choose.default import default_folding
from quantunet.hls.design import Design, Fold
from quantunet.hls.network import build
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.hls.schedule.exact import schedule

CASES = (pad_cases, crop_cases, resize_nearest_cases, resize_bilinear_cases, depth_to_space_cases)


@pytest.mark.parametrize("cases", CASES)
def test_a_layer_alone_takes_the_cycles_of_its_op(cases: Callable[[], list[Case]]) -> None:
    """The benches of the modules compare the same cycles with the hardware."""
    for case in cases():
        inputs, outputs = ([name for _, name in ports] for ports in (case.instance.inputs, case.instance.outputs))
        design = Design("alone", case.streams, (case.instance,), tuple(inputs), tuple(outputs))
        found = schedule(design, 4)
        assert case.cycles is not None
        assert (found.frame_ends[0], found.first_output) == (case.cycles.predicted, case.cycles.first_output)
        assert {b - a for a, b in zip(found.frame_ends, found.frame_ends[1:], strict=False)} == {case.cycles.ideal}


@pytest.mark.parametrize("lanes", [1, 2, 4])
@pytest.mark.parametrize("way", WAYS)
def test_the_least_depths_run_and_one_beat_less_locks(way: str, lanes: int) -> None:
    graph = skips(way)
    folding = {name: Fold(min(fold.pe, lanes), min(fold.simd, lanes)) for name, fold in default_folding(graph).items()}
    design = build(graph, folding, {(f"{way}_join", 0): 600})
    (name,) = design.fifos
    least = least_depths(design)[name]
    assert least > 2
    assert schedule(design, 3, limits={name: least}).stuck == ()
    # Of the last pixel that it needs, a pixel of a block may need a part.
    spare = 16 // lanes - 1 if way == "blocks" else 0
    assert schedule(design, 3, limits={name: least - 1 - spare}).stuck != ()


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("way", WAYS)
def test_what_a_layer_holds_counts_for_the_fifo_before_it(way: str, lanes: int) -> None:
    graph = both_legs(way)
    folding = {name: Fold(min(fold.pe, lanes), min(fold.simd, lanes)) for name, fold in default_folding(graph).items()}
    design = build(graph, folding, {("skip", 0): 600})
    (name,) = design.fifos
    least = least_depths(design)[name]
    assert least > 2
    assert schedule(design, 3, limits={name: least}).stuck == ()
    assert schedule(design, 3, limits={name: least - 1}).stuck != ()


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("way", WAYS)
def test_computed_depths_keep_the_interval_of_the_slowest_layer(way: str, lanes: int) -> None:
    graph = skips(way)
    folding = {name: Fold(min(fold.pe, lanes), min(fold.simd, lanes)) for name, fold in default_folding(graph).items()}
    found = schedule(build(graph, folding, fifo_depths(graph, folding)), 8)
    assert not found.stuck
    assert found.frame_ends[-1] - found.frame_ends[-4] == 3 * frame_interval(graph, folding)
