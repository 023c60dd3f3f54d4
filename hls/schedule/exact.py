"""Exact cycles of a whole streaming design, by recurrences over its beats; no data, no clock.

A beat moves in the first cycle in which it is offered, its reader has room for it, and the beat before it has moved.
When it is offered, and when there is room, follow from earlier moves: each module adds its own rules, which stand in
``hls/schedule``, each beside the name of the SystemVerilog file that it is taken from. The modules have no choices that
depend on time (which of two streams is read next, for example, is fixed), so the cycle of every handshake is the
solution of these recurrences, whatever the order in which they are solved. If none can be solved any further before the
last beat has left, the design is in deadlock.

A network of 128 x 128 pixels moves two million beats a frame: the rules are in C++, compiled at the first use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from quantunet import processes
from quantunet.errors import ToolFailedError
from quantunet.hls.design import Design
from quantunet.hls.modules.table import module_of
from quantunet.hls.schedule.program import schedule_program

SETTLING_FRAMES = 6
"""Frames that pass, after those that were inside when the first output came, until their interval is steady."""

_RIGID = frozenset({"last_group", "pipeline", "pooled", "whole_image"})
"""Rules of pipelines that stand still as a whole, gaps included."""


@dataclass(frozen=True)
class Schedule:
    """The cycles of a design with a source that always has a beat and a sink that is always ready.

    Attributes:
        first_output: Cycles from the first input handshake to the first output handshake, both included; 0 without one.
        frame_ends: Cycles from the first input handshake to the last output handshake of each frame, both included.
        highest: Highest fill of each FIFO, in beats, by the instance's name.
        stuck: Streams on which a beat waits for room when nothing moves any more; empty when all frames come out.
    """

    first_output: int
    frame_ends: tuple[int, ...]
    highest: Mapping[str, int]
    stuck: tuple[str, ...]

    @property
    def frame_interval(self) -> int:
        """Cycles between the last two frames, or 0 where there are fewer."""
        return self.frame_ends[-1] - self.frame_ends[-2] if len(self.frame_ends) > 1 else 0


def schedule(
    design: Design,
    frames: int,
    *,
    limits: Mapping[str, int] | None = None,
    pace: int = 0,
    gaps: bool = False,
) -> Schedule:
    """Return the cycles of a design over adjacent frames.

    Args:
        design: A network with one input and one output.
        frames: How many.
        limits: Beats at which FIFOs count as full, instead of their depths, by the instance's name.
        pace: Frame interval at which the source spreads the input's beats evenly; 0 for one that never waits.
        gaps: Let pipelines that stand still as a whole hold nothing, as they may when beats come with gaps: what runs
            so runs under any stalls. Its cycles mean nothing.

    Raises:
        ToolMissingError: g++ is not installed.
        ToolFailedError: A module has no rules.
        StorageError: The cache folder cannot be written.
    """
    description = _description(design, frames, limits or {}, pace, gaps=gaps)
    outcome = processes.run([schedule_program()], data=description.encode())
    if outcome.code:
        raise ToolFailedError(design.name, expected="a schedule", got=outcome.output.strip())
    found = json.loads(outcome.stdout)
    return Schedule(
        first_output=found["first_output"],
        frame_ends=tuple(found["frame_ends"]),
        highest=dict(zip(design.fifos, found["highest"], strict=True)),
        stuck=tuple(design.streams[index].name for index in found["stuck"]),
    )


def settled(design: Design, interval: int, first_output: int) -> Schedule:
    """Return the schedule of so many frames that the interval between the last two is the steady one.

    Args:
        design: A network.
        interval: Cycles between frames that its slowest layer needs.
        first_output: Cycles to its first output.

    Raises:
        ToolMissingError: g++ is not installed.
        ToolFailedError: A module has no rules.
        StorageError: The cache folder cannot be written.
    """
    return schedule(design, first_output // interval + SETTLING_FRAMES)


def _description(design: Design, frames: int, limits: Mapping[str, int], pace: int, *, gaps: bool) -> str:
    """Return a design as the program reads it: numbers and words, streams by their place in the list."""
    places = {stream.name: place for place, stream in enumerate(design.streams)}
    (source,), (sink,) = design.inputs, design.outputs
    words: list[str | int] = [frames, pace, len(places), *(stream.beats for stream in design.streams)]
    words += [places[source], places[sink], len(design.instances)]
    for instance in design.instances:
        sheet = module_of(instance)
        words.append(sheet.RULE)
        for ports in (instance.inputs, instance.outputs):
            words += [len(ports), *(places[name] for _, name in ports)]
        params = sheet.rule_params(instance.numbers)
        if instance.name in limits:
            params["Limit"] = limits[instance.name]
        if gaps and sheet.RULE in _RIGID:
            params["Stages"] = 0
        words += [len(params), *(word for item in params.items() for word in item)]
    return " ".join(map(str, words))
