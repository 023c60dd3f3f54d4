"""Cycles of the modules between the layers: fork, FIFO and width adapter."""

from __future__ import annotations

import math

from quantunet.hls.design import Cycles

_FIFO_SHALLOW = 16
"""Depth up to which ``qun_fifo`` keeps its beats in registers or LUT memory."""


def fork_cycles(beats: int) -> Cycles:
    """Return the cycles of ``qun_fork`` for a frame when every reader is ready."""
    return Cycles(predicted=beats + 1, first_output=2, ideal=beats)


def fifo_cycles(beats: int, depth: int) -> Cycles:
    """Return the cycles of ``qun_fifo`` for a frame when its reader is ready."""
    latency = 1 if depth <= _FIFO_SHALLOW else 4
    return Cycles(predicted=beats + latency, first_output=1 + latency, ideal=beats)


def width_adapter_cycles(values: int, in_lanes: int, out_lanes: int) -> Cycles:
    """Return the cycles of ``qun_width_adapter`` for a frame.

    A group of the least common multiple of the lane counts is collected, passed on as a whole, and sent: the busier
    side never waits, and the other one's beats of one group come on top.

    Args:
        values: Integers in a frame, a multiple of both lane counts.
        in_lanes: Channels in a beat that comes.
        out_lanes: Channels in a beat that leaves.
    """
    group = math.lcm(in_lanes, out_lanes)
    group_in, group_out = group // in_lanes, group // out_lanes
    busiest = max(values // in_lanes, values // out_lanes)
    return Cycles(predicted=busiest + min(group_in, group_out) + 1, first_output=group_in + 2, ideal=busiest)
