"""FIFO depths of a streaming network, from its graph and folding alone.

Let every layer work at the pace of the slowest one: the source gives a pixel every ``interval / pixels`` cycles, and
each layer starts a pixel as soon as the pixels it needs have come and its previous pixel is through. This schedule has
the best possible frame interval, that of the slowest layer. It follows from max-plus recurrences, ``start[i] =
max(start[i-1] + cost, arrival[need(i)])``, without any simulation. Counting what has arrived and is not yet released
gives the highest fill of every stream. What exceeds the buffer that the reading layer has anyway becomes the depth of
a FIFO.

With these depths the schedule never waits for space, so it is one that the hardware could follow. Hardware that starts
everything as early as it can is never later than any such schedule (more input or more space never delays an output),
so it neither deadlocks nor loses throughput between adjacent frames.

Two places need much: a skip connection, whose pixels wait for the whole path through the deeper levels (more than a
frame where that path's latency exceeds the frame interval), and the reader of a pooling, whose pixels come in every
second row only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding, check_folding, ideal_cycles
from quantunet.ir import Array, Concat, Conv2d, ConvTranspose2d, Graph, MaxPool2d, Node

LATENCY = 24
"""Cycles that a pixel may spend in a layer's pipeline, its output register and a width adapter; an upper bound."""

MARGIN_BEATS = 16
"""Added to every FIFO: the pipelines' variation within a pixel."""

_MATRIX_OUTPUT_BEATS = 16
"""Depth of the output FIFO that every convolution module has."""


@dataclass(frozen=True)
class _Timing:
    """How one layer works through a frame, in firings.

    Attributes:
        firings: Firings a frame.
        cost: Cycles between two firings.
        needs: For each firing, the last input pixel that must have come.
        outputs: Output pixels that a firing makes.
        releases: For each input pixel, the firing after which its place is free.
        capacity: Input pixels that the module itself can hold.
    """

    firings: int
    cost: int
    needs: Array
    outputs: int
    releases: Array
    capacity: int


def frame_interval(graph: Graph, folding: Folding) -> int:
    """Return the cycles between adjacent frames: those of the slowest layer."""
    check_folding(graph, folding)
    return max(ideal_cycles(graph, node, folding[node.name]) for node in graph.nodes)


def fifo_depths(graph: Graph, folding: Folding) -> dict[tuple[str, int], int]:
    """Return the depth, in beats of the producer's stream, of the FIFO in front of each input that needs one.

    Args:
        graph: A network with one input.
        folding: The fold of every layer.

    Returns:
        By ``(layer, index of the input)``; inputs that are not named need no FIFO.

    Raises:
        FoldingError: The folding does not fit the graph.
    """
    interval = frame_interval(graph, folding)
    frames = 4
    before, fills = _fills(graph, folding, interval, frames - 1), _fills(graph, folding, interval, frames)
    while fills != before and frames < 64:  # until the last frame looks like the one before
        frames *= 2
        before, fills = _fills(graph, folding, interval, frames - 1), _fills(graph, folding, interval, frames)
    depths: dict[tuple[str, int], int] = {}
    for (reader, index), fill in fills.items():
        node = graph.node(reader)
        tensor = graph.input_of(node, index)
        producer = graph.producer(tensor.name)
        if producer is None:
            continue
        beats_per_pixel = tensor.shape[2] // folding[producer.name].pe
        beats = (fill - _timing(graph, node, folding[reader]).capacity) * beats_per_pixel
        spare = _MATRIX_OUTPUT_BEATS if isinstance(producer, Conv2d | ConvTranspose2d) else 2 * beats_per_pixel
        if beats > spare:
            depths[reader, index] = beats + MARGIN_BEATS
    return depths


def _fills(graph: Graph, folding: Folding, interval: int, frames: int) -> dict[tuple[str, int], int]:
    """Return the highest number of pixels that wait in front of each input over some frames."""
    arrivals: dict[str, Array] = {}
    for name in graph.inputs:
        height, width, _ = graph.tensor(name).shape
        pixels = height * width
        arrivals[name] = -(-np.arange(frames * pixels, dtype=np.int64) * interval // pixels)
    fills: dict[tuple[str, int], int] = {}
    for node in graph.nodes:
        timing = _timing(graph, node, folding[node.name])
        legs = [arrivals[name] for name in node.inputs]
        starts = _starts(timing, legs, frames)
        for index, arrival in enumerate(legs):
            fills[node.name, index] = _highest_fill(timing, arrival, starts, frames)
        arrivals[node.output] = _departures(timing, starts)
    return fills


def _starts(timing: _Timing, legs: list[Array], frames: int) -> Array:
    """Return the start of every firing: ``max(previous start + cost, arrival of what it needs)``."""
    pixels = len(legs[0]) // frames
    needs = (timing.needs[None, :] + pixels * np.arange(frames)[:, None]).reshape(-1)
    ready = np.maximum.reduce([arrival[needs] for arrival in legs])
    pace = timing.cost * np.arange(len(needs), dtype=np.int64)
    starts: Array = np.maximum.accumulate(ready - pace) + pace
    return starts


def _departures(timing: _Timing, starts: Array) -> Array:
    """Return when each output pixel leaves."""
    share = timing.cost * np.arange(1, timing.outputs + 1, dtype=np.int64) // timing.outputs
    departures: Array = (starts[:, None] + share + LATENCY).reshape(-1)
    return departures


def _highest_fill(timing: _Timing, arrival: Array, starts: Array, frames: int) -> int:
    """Return the highest number of pixels that have come and are not released."""
    firings = (timing.releases[None, :] + timing.firings * np.arange(frames)[:, None]).reshape(-1)
    known = firings < len(starts)
    released = np.sort(starts[firings[known]] + timing.cost)
    waiting = np.arange(1, len(arrival) + 1) - np.searchsorted(released, arrival, side="right")
    return int(waiting[known].max())


def _timing(graph: Graph, node: Node, fold: Fold) -> _Timing:
    return _TIMINGS[node.op](graph, node, fold)


def _conv2d(graph: Graph, node: Node, fold: Fold) -> _Timing:
    assert isinstance(node, Conv2d)
    height, width, _ = graph.input_of(node).shape
    pixels = np.arange(height * width, dtype=np.int64)
    cost = ideal_cycles(graph, node, fold) // len(pixels)
    ahead = width + 1 if node.weight.shape[0] == 3 else 0
    capacity = 2 * width + 4 if ahead else 2
    if fold.style == "constant":  # the pixels from the first that a window holds to the last that may have come
        capacity = ahead + 2 + (width if min(height, width) > 1 else 0) if ahead else 0
    # The firing after which a pixel is free lies in the next frame for a frame's last rows.
    return _Timing(len(pixels), cost, np.minimum(pixels + ahead, len(pixels) - 1), 1, pixels + ahead, capacity)


def _conv_transpose2d(graph: Graph, node: Node, fold: Fold) -> _Timing:
    height, width, _ = graph.input_of(node).shape
    firings = np.arange(2 * height * width, dtype=np.int64)  # one a column of an output row; each makes two pixels
    row, column = np.divmod(firings, width)
    pixel_row, pixel_column = np.divmod(np.arange(height * width, dtype=np.int64), width)
    cost = ideal_cycles(graph, node, fold) // len(firings)
    releases = (2 * pixel_row + 1) * width + pixel_column
    return _Timing(len(firings), cost, row // 2 * width + column, 2, releases, width + 2)


def _maxpool2d(graph: Graph, node: Node, fold: Fold) -> _Timing:
    height, width, channels = graph.input_of(node).shape
    row, column = np.divmod(np.arange(height * width // 4, dtype=np.int64), width // 2)
    needs = (2 * row + 1) * width + 2 * column + 1
    releases = np.minimum(np.searchsorted(needs, np.arange(height * width)), len(needs) - 1)
    return _Timing(len(needs), channels // fold.pe, needs, 1, releases, 2 * width + 2)


def _pixelwise(graph: Graph, node: Node, fold: Fold) -> _Timing:
    height, width, channels = graph.output_of(node).shape
    pixels = np.arange(height * width, dtype=np.int64)
    return _Timing(len(pixels), channels // fold.pe, pixels, 1, pixels, 1)


_TIMINGS: dict[str, Callable[[Graph, Node, Fold], _Timing]] = {
    Conv2d.op: _conv2d,
    ConvTranspose2d.op: _conv_transpose2d,
    MaxPool2d.op: _maxpool2d,
    Concat.op: _pixelwise,
    "requant": _pixelwise,
    "sigmoid": _pixelwise,
}
