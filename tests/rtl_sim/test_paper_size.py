"""The network of the paper's size, 31 million weights, as one streaming design: every layer of one frame."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.hls.choose.default import MAX_LANES, default_folding
from quantunet.hls.schedule.depths import first_output
from quantunet.ir import MatrixNode
from quantunet.random_network import random_image
from quantunet.rtl_sim.frames import compact
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import run_network
from quantunet.zoo import load_network


@pytest.mark.slow
def test_every_layer_of_a_frame_of_the_paper_network(tmp_path: Path) -> None:
    graph = load_network("paper")
    folding = default_folding(graph)
    matrices = [node for node in graph.nodes if isinstance(node, MatrixNode)]
    assert sum(math.prod(node.weight.shape) for node in matrices) > 31_000_000
    assert len(matrices) == 23
    assert all(max(folding[node.name].pe, folding[node.name].simd) <= MAX_LANES for node in matrices)
    taps = compact(graph, golden.run(graph, random_image(graph)))
    result = run_network(Setup(graph, folding, tmp_path, BUILD_ROOT), [taps], jobs=2)
    assert result.bench.passed, result.bench.problems
    assert [layer.layer for layer in result.bench.layers] == [node.name for node in graph.nodes]
    for layer, node in zip(result.bench.layers, graph.nodes, strict=True):
        assert layer.values_compared == math.prod(graph.output_of(node).shape) > 0
    assert (result.mask_pixels, result.mask_mismatches) == (128 * 128, 0)
    assert result.bench.first_output == first_output(graph, folding)
