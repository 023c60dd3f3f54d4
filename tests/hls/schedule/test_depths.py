from __future__ import annotations

import numpy as np

from quantunet.hls.choose.default import default_folding, default_interval
from quantunet.hls.folding import ideal_cycles
from quantunet.hls.network import build
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.random_network import random_unet


def test_interval_is_that_of_the_slowest_layer() -> None:
    graph = random_unet(base=4, depth=2, size=32)
    folding = default_folding(graph)
    cycles = {node.name: ideal_cycles(graph, node, folding[node.name]) for node in graph.nodes}
    assert frame_interval(graph, folding) == max(cycles.values()) <= default_interval(graph)


def test_every_skip_of_a_deep_network_has_a_fifo_of_the_expected_share() -> None:
    """A prototype measured fills of 94 %, 87 %, 73 % and 46 % of a frame; more is latency, and never two frames."""
    graph = random_unet(base=8, depth=4, size=128)
    folding = default_folding(graph)
    depths = fifo_depths(graph, folding)
    for level, least in enumerate((0.94, 0.87, 0.73, 0.40)):
        skip = graph.node(f"concat{level}").inputs[0]
        producer = graph.producer(skip)
        assert producer is not None
        share = depths[f"concat{level}", 0] * folding[producer.name].pe / np.prod(graph.tensor(skip).shape)
        assert least < share < 1.2


def test_readers_of_poolings_have_a_fifo_for_half_a_row() -> None:
    graph = random_unet(base=8, depth=4, size=128)
    depths = fifo_depths(graph, default_folding(graph))
    assert depths["enc1_conv0", 0] >= 64 // 2 - 1


def test_depths_cover_skips_of_any_size_and_hold_what_no_deadlock_needs() -> None:
    deep = 0
    for base, depth, size in ((2, 1, 4), (2, 2, 8), (3, 3, 16)):
        graph = random_unet(base=base, depth=depth, size=size)
        folding = default_folding(graph)
        depths = fifo_depths(graph, folding)
        assert {(f"concat{level}", 0) for level in range(depth)} <= set(depths)
        assert min(depths.values()) >= 2
        design = build(graph, folding, depths)
        built, least = design.fifos, least_depths(design)
        assert built.keys() == least.keys()
        for name, beats in least.items():
            assert built[name] >= beats, name
            deep += beats > 2
    assert deep >= 6
