"""``qun_smallest_area``: exact values and cycles under stalls and resets, alone and at a network's end."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.op_cases import smallest_area_cases
from helpers.rtl import BUILD_ROOT, check_cases

from quantunet import golden
from quantunet.golden.inference import Taps
from quantunet.golden.masked import with_smallest_area
from quantunet.hls.choose.default import default_folding
from quantunet.ir import Conv2d, Graph, QType
from quantunet.random_network import GraphBuilder, random_image
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import run_network
from quantunet.rtl_sim.stalls import Stalls


def test_stalls_adjacent_frames_resets_and_cycles(tmp_path: Path) -> None:
    check_cases("smallest_area", smallest_area_cases(), tmp_path)


def masked() -> tuple[Graph, list[Taps]]:
    """Return a network that gives masks, as fast as its source, with some frames on either side of the area."""
    builder = GraphBuilder("masked", 9, 12, 1, QType(8, False, 8), 5)
    builder.matrix(Conv2d, "head", "image", 1, 1, 4, QType(6, True, 3))
    graph = builder.build()
    images = [random_image(graph, seed) for seed in range(5)]
    sizes = sorted(int(golden.mask(graph, golden.run(graph, image)).sum()) for image in images)
    graph = with_smallest_area(graph, sizes[2])
    assert 0 < sizes[1] < sizes[2] < sizes[4] < 9 * 12
    return graph, [golden.run(graph, image) for image in images]


@pytest.mark.parametrize("stalls", ["none", "random"])
def test_a_network_that_gives_masks_at_a_pixel_a_cycle(stalls: Stalls, tmp_path: Path) -> None:
    graph, frames = masked()
    kept = [golden.mask(graph, taps).any() for taps in frames]
    assert kept.count(True) == 3 and kept.count(False) == 2
    setup = Setup(graph, default_folding(graph), tmp_path, BUILD_ROOT, stalls=stalls, seed=3, assertions=True)
    result = run_network(setup, frames)
    assert result.bench.problems == []
    assert (result.mask_pixels, result.mask_mismatches) == (5 * 9 * 12, 0)
    if result.predicted is not None:
        assert result.bench.first_output == result.predicted.first_output
        assert result.bench.frame_interval == result.predicted.frame_interval == result.steady_interval == 9 * 12
