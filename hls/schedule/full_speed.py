"""The smallest FIFO depths with which a design keeps its frame interval, found with its exact schedule."""

from __future__ import annotations

from collections.abc import Mapping

from quantunet.hls.design import Design
from quantunet.hls.generate.rtl_project import design_fifos
from quantunet.hls.schedule.exact import Schedule, schedule

FRAMES = 4
"""Adjacent frames that are looked at: the last two intervals must be the ideal one."""


def keeps_interval(design: Design, limits: Mapping[str, int], interval: int) -> bool:
    """Return whether a design has the given frame interval when its FIFOs count as full at ``limits``."""
    return _at_full_speed(schedule(design, FRAMES, limits=limits), interval)


def _at_full_speed(found: Schedule, interval: int) -> bool:
    return not found.stuck and found.frame_ends[-1] - found.frame_ends[-3] == 2 * interval


def full_speed_depths(design: Design, interval: int, least: Mapping[str, int]) -> dict[str, int]:
    """Return for every FIFO a depth that is enough for full speed, while one beat less in any of them is not.

    One FIFO can stand in for another, so that there are several such answers; here the largest FIFOs are made small
    first. The time goes with the beats of a frame: a minute for a network of 128 x 128 pixels.

    Args:
        design: A network whose FIFOs are large enough for full speed.
        interval: Its frame interval at full speed.
        least: What :func:`quantunet.hls.schedule.deadlock.least_depths` returned, below which there is no need to look.

    Raises:
        QuantUNetError: As :func:`quantunet.hls.schedule.exact.schedule`.
    """
    limits = design_fifos(design)
    bits = {i.name: int(dict(i.params)["Bits"]) * limits[i.name] for i in design.instances if i.name in limits}
    fills = schedule(design, FRAMES).highest
    for name in sorted(limits, key=lambda each: -bits[each]):
        # A FIFO with room for one beat more than its highest fill never delays a beat. The module has at least two.
        enough, short = max(min(limits[name], fills[name] + 1), 2), max(least[name] - 1, 1)
        step = 1
        while enough - short > 1:
            middle = max(enough - step, (enough + short) // 2)
            found = schedule(design, FRAMES, limits={**limits, name: middle})
            if _at_full_speed(found, interval):
                enough, step, fills = middle, 2 * step, found.highest
            else:
                short = middle
        limits[name] = enough
    return limits
