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
from quantunet.hls.design import Design, Instance
from quantunet.hls.matrix import constant_schedule
from quantunet.hls.matrix.folded import LATENCY as MATRIX_LATENCY
from quantunet.hls.schedule.program import schedule_program

CREDITS = 16
"""Beats of the output FIFO of a convolution, ``qun_credit_fifo``."""

SLICE_BEATS = 2
"""Beats that a ``qun_register_slice`` holds."""

FIFO_SHALLOW = 16
"""Depth up to which ``qun_fifo`` passes a beat on after one cycle; a deeper one takes four."""

_PREFETCH = 4
_READ_LATENCY = 3

MAXPOOL_STAGES = 5
SIGMOID_STAGES = 1
"""Registers before the output's register slice, which move together."""


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
) -> Schedule:
    """Return the cycles of a design over adjacent frames.

    Args:
        design: A network with one input and one output.
        frames: How many.
        limits: Beats at which FIFOs count as full, instead of their depths, by the instance's name.
        pace: Frame interval at which the source spreads the input's beats evenly; 0 for one that never waits.

    Raises:
        ToolMissingError: g++ is not installed.
        ToolFailedError: A module has no rules.
        StorageError: The cache folder cannot be written.
    """
    description = _description(design, frames, limits or {}, pace)
    outcome = processes.run([schedule_program()], data=description.encode())
    if outcome.code:
        raise ToolFailedError(design.name, expected="a schedule", got=outcome.output.strip())
    found = json.loads(outcome.stdout)
    fifos = [instance.name for instance in design.instances if instance.module == "qun_fifo"]
    return Schedule(
        first_output=found["first_output"],
        frame_ends=tuple(found["frame_ends"]),
        highest=dict(zip(fifos, found["highest"], strict=True)),
        stuck=tuple(design.streams[index].name for index in found["stuck"]),
    )


def _description(design: Design, frames: int, limits: Mapping[str, int], pace: int) -> str:
    """Return a design as the program reads it: numbers and words, streams by their place in the list."""
    places = {stream.name: place for place, stream in enumerate(design.streams)}
    (source,), (sink,) = design.inputs, design.outputs
    words: list[str | int] = [frames, pace, len(places), *(stream.beats for stream in design.streams)]
    words += [places[source], places[sink], len(design.instances)]
    for instance in design.instances:
        words.append(instance.kind)
        for ports in (instance.inputs, instance.outputs):
            words += [len(ports), *(places[name] for _, name in ports)]
        params = _params(instance, limits.get(instance.name))
        words += [len(params), *(word for item in params.items() for word in item)]
    return " ".join(map(str, words))


def _params(instance: Instance, limit: int | None) -> dict[str, int]:
    """Return the parameters of a module, and what its rules need beside them."""
    params = {name: value for name, value in instance.params if isinstance(value, int)}
    params |= {"SliceBeats": SLICE_BEATS, "Credits": CREDITS, "MatrixLatency": MATRIX_LATENCY}
    match instance.kind:
        case "qun_fifo":
            params |= {"Limit": params["Depth"] if limit is None else limit, "Shallow": FIFO_SHALLOW}
            params |= {"Prefetch": _PREFETCH, "ReadLatency": _READ_LATENCY}
        case "qun_conv2d":
            params["Room"] = ring_room(params["Width"], params["Kernel"])
        case "qun_conv_transpose2d":
            params["Room"] = params["Width"] + 2
        case "qun_conv2d_constant":
            params |= {"Credits": constant_schedule.credits_of(params), "Latency": constant_schedule.latency(params)}
        case "qun_maxpool2d":
            params["Stages"] = MAXPOOL_STAGES
        case "qun_sigmoid":
            params["Stages"] = SIGMOID_STAGES
    return params


def ring_room(width: int, kernel: int) -> int:
    """Return the pixels that ``qun_sliding_window`` holds from the current one on."""
    return width + 3 if kernel == 3 else 2


def last_needed(pixel: int, height: int, width: int, kernel: int) -> int:
    """Return the last pixel in a pixel's window that lies in the frame."""
    row, column = divmod(pixel, width)
    margin = kernel // 2
    return min(row + margin, height - 1) * width + min(column + margin, width - 1)
