"""The smallest FIFO depths with which a design keeps its frame interval, found with its exact schedule."""

from __future__ import annotations

from collections.abc import Mapping

from quantunet.hls.design import Design
from quantunet.hls.network_schedule import schedule
from quantunet.hls.rtl_project import design_fifos

FRAMES = 4
"""Adjacent frames that are looked at: the last two intervals must be the ideal one."""


def keeps_interval(design: Design, limits: Mapping[str, int], interval: int) -> bool:
    """Return whether a design has the given frame interval when its FIFOs count as full at ``limits``."""
    found = schedule(design, FRAMES, limits=limits)
    return not found.stuck and found.frame_ends[-1] - found.frame_ends[-3] == 2 * interval


def full_speed_depths(design: Design, interval: int, least: Mapping[str, int]) -> dict[str, int]:
    """Return for every FIFO a depth that is enough for full speed, while one beat less in any of them is not.

    One FIFO can stand in for another, so that there are several such answers; here the largest FIFOs are made small
    first. The time goes with the beats of a frame: a minute for a network of 32 x 32 pixels.

    Args:
        design: A network whose FIFOs are large enough for full speed.
        interval: Its frame interval at full speed.
        least: What :func:`quantunet.hls.deadlock.least_depths` returned, below which there is no need to look.
    """
    limits = design_fifos(design)
    bits = {i.name: int(dict(i.params)["Bits"]) * limits[i.name] for i in design.instances if i.name in limits}
    for name in sorted(limits, key=lambda each: -bits[each]):
        step = 1
        enough, short = limits[name], max(least[name] - 1, 1)  # the module has at least two beats
        while enough - short > 1:
            middle = max(enough - step, (enough + short) // 2)
            if keeps_interval(design, {**limits, name: middle}, interval):
                enough, step = middle, 2 * step
            else:
                short = middle
        limits[name] = enough
    return limits
