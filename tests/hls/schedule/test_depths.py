from __future__ import annotations

import numpy as np

from quantunet.hls.choose.default import default_folding, default_interval
from quantunet.hls.folding import ideal_cycles
from quantunet.hls.network import build, connections
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths, frame_interval
from quantunet.hls.schedule.exact import schedule
from quantunet.hls.schedule.report import fifo_report
from quantunet.ir import Requant
from quantunet.random_network import random_unet
from quantunet.zoo import load_network


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
    streams = {place: stream for stream in connections(graph) for place in stream.readers}
    moved = 0
    for level, least in enumerate((0.94, 0.87, 0.73, 0.40)):
        skip = graph.producer(graph.node(f"concat{level}").inputs[0])
        assert isinstance(skip, Requant)
        places = {(f"concat{level}", 0), (skip.name, 0)} & depths.keys()
        (place,) = places
        stream = streams[place]
        lanes = stream.fifo_lanes(graph, folding, place[0])
        assert least < depths[place] * lanes / np.prod(stream.tensor.shape) < 1.2
        moved += place[0] == skip.name
    assert 1 <= moved < 4


def test_a_skip_waits_where_it_is_narrow_if_that_saves_block_ram() -> None:
    """Three requantisations of ``wearable`` widen 5, 4 and 4 bits to 6, 5 and 6; one widens none."""
    graph = load_network("wearable")
    folding = default_folding(graph)
    depths = fifo_depths(graph, folding)
    skips = {place for place in depths if place[0].startswith("skip") or place[0][:6] == "concat" and place[1] == 0}
    assert skips == {("skip0_requant", 0), ("skip1_requant", 0), ("concat2", 0), ("skip3_requant", 0)}
    report = {row.reader: row for row in fifo_report(graph, folding, exact=False).rows}
    assert [report[f"skip{level}_requant"].bits for level in (0, 1, 3)] == [40, 32, 16]
    assert sum(row.block_rams for row in report.values()) == 64
    assert all(0 < row.one_frame <= row.depth and row.least <= row.depth for row in report.values())
    found = schedule(build(graph, folding, depths), 3)
    assert found.frame_interval == frame_interval(graph, folding)
    assert not found.stuck


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
