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

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding, check_folding, ideal_cycles
from quantunet.hls.modules.plumbing import fifo_cycles, fork_cycles, width_adapter_cycles
from quantunet.hls.network import build, cycles
from quantunet.hls.schedule.exact import CREDITS, FIFO_SHALLOW, schedule
from quantunet.ir import Array, Concat, Conv2d, ConvTranspose2d, Graph, MaxPool2d, Node

MARGIN_BEATS = 8
"""Added to every FIFO: the beats on their way through it, and the uneven pace of beats within a pixel."""

_DEEP = FIFO_SHALLOW + 1


@dataclass(frozen=True)
class _Timing:
    """How one layer works through a frame, in firings.

    Attributes:
        firings: Firings a frame.
        cost: Cycles between two firings, at least.
        busy: Cycles from a firing's start until it is done with its pixels.
        needs: For each firing, the last input pixel that must have come.
        outputs: Output pixels that a firing makes.
        releases: For each input pixel, the firing after which its place is free.
        capacity: Input pixels that the module itself can hold.
    """

    firings: int
    cost: int
    busy: int
    needs: Array
    outputs: int
    releases: Array
    capacity: int


def frame_interval(graph: Graph, folding: Folding) -> int:
    """Return the cycles between adjacent frames: those of the slowest layer."""
    check_folding(graph, folding)
    return max(ideal_cycles(graph, node, folding[node.name]) for node in graph.nodes)


def first_output(graph: Graph, folding: Folding) -> int:
    """Return the cycles from the first input handshake of a network to its first output handshake, both included.

    They are exact, for a source that always has a beat.

    Raises:
        FoldingError: The folding does not fit the graph.
        QuantUNetError: As :func:`quantunet.hls.schedule.exact.schedule`.
    """
    return schedule(build(graph, folding, fifo_depths(graph, folding)), 1).first_output


def fifo_depths(graph: Graph, folding: Folding, frames: int | None = None) -> dict[tuple[str, int], int]:
    """Return the depth, in beats of the producer's stream, of the FIFO in front of each input that needs one.

    Args:
        graph: A network with one input.
        folding: The fold of every layer.
        frames: Frames that follow one another without a pause; ``None`` for any number of them.

    Returns:
        By ``(layer, index of the input)``; inputs that are not named need no FIFO.

    Raises:
        FoldingError: The folding does not fit the graph.
    """
    interval = frame_interval(graph, folding)
    fills = _fills(graph, folding, interval, frames or 4)
    if frames is None:
        count = 4
        while fills != _fills(graph, folding, interval, count - 1) and count < 64:  # until one more makes no difference
            count *= 2
            fills = _fills(graph, folding, interval, count)
    depths: dict[tuple[str, int], int] = {}
    for (reader, index), fill in fills.items():
        node = graph.node(reader)
        tensor = graph.input_of(node, index)
        producer = graph.producer(tensor.name)
        if producer is None:
            continue
        beats_per_pixel = tensor.shape[2] // folding[producer.name].pe
        beats = (fill - _timing(graph, node, folding[reader]).capacity) * beats_per_pixel
        spare = CREDITS if isinstance(producer, Conv2d | ConvTranspose2d) else 2 * beats_per_pixel
        if beats > spare:
            depths[reader, index] = beats + MARGIN_BEATS
            if frames is not None:  # more than all of them cannot wait
                most = frames * tensor.shape[0] * tensor.shape[1] * beats_per_pixel
                depths[reader, index] = min(depths[reader, index], most)
    return depths


def _fills(graph: Graph, folding: Folding, interval: int, frames: int) -> dict[tuple[str, int], int]:
    """Return the highest number of pixels that wait in front of each input over some frames."""
    departures: dict[str, Array] = {}
    for name in graph.inputs:
        height, width, _ = graph.tensor(name).shape
        pixels = height * width
        departures[name] = -(-np.arange(frames * pixels, dtype=np.int64) * interval // pixels)
    fills: dict[tuple[str, int], int] = {}
    for node in graph.nodes:
        timing = _timing(graph, node, folding[node.name])
        legs = [departures[name] + _way(graph, node, index, folding) for index, name in enumerate(node.inputs)]
        starts = _starts(timing, legs, frames)
        for index, name in enumerate(node.inputs):
            fills[node.name, index] = _highest_fill(timing, departures[name], starts, frames)
        departures[node.output] = _departures(timing, starts, _latency(graph, node, folding[node.name], timing))
    return fills


def _way(graph: Graph, node: Node, index: int, folding: Folding) -> int:
    """Return the most cycles from a pixel's last beat at the producer's output until the layer can use it."""
    tensor = graph.input_of(node, index)
    producer = graph.producer(tensor.name)
    cycles_used = int(isinstance(node, Conv2d | ConvTranspose2d))  # a buffer's pixel counts in the cycle after it came
    if len(graph.consumers(tensor.name)) > 1:
        cycles_used += fork_cycles(1).first_output - 1
    if producer is not None:
        cycles_used += fifo_cycles(1, _DEEP).first_output - 1
        lanes_in, lanes_out = folding[producer.name].pe, folding[node.name].simd
        if lanes_in != lanes_out:
            group = math.lcm(lanes_in, lanes_out)
            cycles_used += width_adapter_cycles(group, lanes_in, lanes_out).predicted - group // lanes_in
    if isinstance(node, Concat) and index == 0:  # the other leg's beats come after it
        cycles_used += graph.input_of(node, 1).shape[2] // folding[node.name].pe
    return cycles_used


def _latency(graph: Graph, node: Node, fold: Fold, timing: _Timing) -> int:
    """Return the cycles of a layer's pipeline: those of a frame without its work and without its first pixels."""
    counts = cycles(graph, node, fold)
    first = (int(timing.needs[0]) + 1) * graph.input_of(node).shape[2] // fold.simd
    return counts.predicted - counts.ideal - (first if isinstance(node, Conv2d | ConvTranspose2d) else 0)


def _starts(timing: _Timing, legs: list[Array], frames: int) -> Array:
    """Return the start of every firing: ``max(previous start + cost, arrival of what it needs)``."""
    pixels = len(legs[0]) // frames
    needs = (timing.needs[None, :] + pixels * np.arange(frames)[:, None]).reshape(-1)
    ready = np.maximum.reduce([arrival[needs] for arrival in legs])
    pace = timing.cost * np.arange(len(needs), dtype=np.int64)
    starts: Array = np.maximum.accumulate(ready - pace) + pace
    return starts


def _departures(timing: _Timing, starts: Array, latency: int) -> Array:
    """Return when each output pixel's last beat is offered."""
    share = timing.busy * np.arange(1, timing.outputs + 1, dtype=np.int64) // timing.outputs
    departures: Array = (starts[:, None] + share - 1 + latency).reshape(-1)
    return departures


def _highest_fill(timing: _Timing, came: Array, starts: Array, frames: int) -> int:
    """Return the highest number of pixels that have come and are not released."""
    firings = (timing.releases[None, :] + timing.firings * np.arange(frames)[:, None]).reshape(-1)
    released = np.sort(starts[firings[firings < len(starts)]] + timing.busy)
    waiting = np.arange(1, len(came) + 1) - np.searchsorted(released, came, side="right")
    return int(waiting.max())


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
    return _Timing(len(pixels), cost, cost, np.minimum(pixels + ahead, len(pixels) - 1), 1, pixels + ahead, capacity)


def _conv_transpose2d(graph: Graph, node: Node, fold: Fold) -> _Timing:
    height, width, _ = graph.input_of(node).shape
    firings = np.arange(2 * height * width, dtype=np.int64)  # one a column of an output row; each makes two pixels
    row, column = np.divmod(firings, width)
    pixel_row, pixel_column = np.divmod(np.arange(height * width, dtype=np.int64), width)
    cost = ideal_cycles(graph, node, fold) // len(firings)
    releases = (2 * pixel_row + 1) * width + pixel_column
    return _Timing(len(firings), cost, cost, row // 2 * width + column, 2, releases, width + 2)


def _maxpool2d(graph: Graph, node: Node, fold: Fold) -> _Timing:
    height, width, channels = graph.input_of(node).shape
    row, column = np.divmod(np.arange(height * width // 4, dtype=np.int64), width // 2)
    needs = (2 * row + 1) * width + 2 * column + 1
    releases = np.minimum(np.searchsorted(needs, np.arange(height * width)), len(needs) - 1)
    return _Timing(len(needs), channels // fold.pe, 1, needs, 1, releases, 2 * width + 2)


def _pixelwise(graph: Graph, node: Node, fold: Fold) -> _Timing:
    height, width, channels = graph.output_of(node).shape
    pixels = np.arange(height * width, dtype=np.int64)
    return _Timing(len(pixels), channels // fold.pe, 1, pixels, 1, pixels, 1)


_TIMINGS: dict[str, Callable[[Graph, Node, Fold], _Timing]] = {
    Conv2d.op: _conv2d,
    ConvTranspose2d.op: _conv_transpose2d,
    MaxPool2d.op: _maxpool2d,
    Concat.op: _pixelwise,
    "requant": _pixelwise,
    "sigmoid": _pixelwise,
}
