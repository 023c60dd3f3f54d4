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

Where a requantisation widens what waits behind it, the FIFO stands before it, if that saves block RAM.

Two places need much: a skip connection, whose pixels wait for the whole path through the deeper levels (more than a
frame where that path's latency exceeds the frame interval), and the reader of a pooling, whose pixels come in every
second row only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding, ideal_cycles
from quantunet.hls.modules import fifo
from quantunet.hls.modules.sheet import Join, Timing
from quantunet.hls.modules.table import LAYERS, PLUMBING
from quantunet.hls.network import Connection, build, connections, fifo_before
from quantunet.hls.resources.memory_map import map_banked_ram
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.exact import schedule
from quantunet.ir import Array, Graph

MARGIN_BEATS = 8
"""Added to every FIFO: the beats on their way through it, and the uneven pace of beats within a pixel."""

_DEEP = fifo.SHALLOW + 1

_SLICE = "slice"
"""The rule of a layer that is one register slice, a requantisation: a beat before it is a beat behind it."""


def frame_interval(graph: Graph, folding: Mapping[str, Fold]) -> int:
    """Return the cycles between adjacent frames: those of the slowest layer."""
    folding = Folding.of(graph, folding)
    return max(ideal_cycles(graph, node, folding[node.name]) for node in graph.nodes)


def first_output(graph: Graph, folding: Mapping[str, Fold]) -> int:
    """Return the cycles from the first input handshake of a network to its first output handshake, both included.

    They are exact, for a source that always has a beat.

    Raises:
        FoldingError: The folding does not fit the graph.
        QuantUNetError: As :func:`quantunet.hls.schedule.exact.schedule`.
    """
    folding = Folding.of(graph, folding)
    return schedule(build(graph, folding, fifo_depths(graph, folding)), 1).first_output


def fifo_depths(graph: Graph, folding: Mapping[str, Fold], frames: int | None = None) -> dict[tuple[str, int], int]:
    """Return the depth of the FIFO in front of each input that needs one, in beats of the stream in which it stands.

    Args:
        graph: A network with one input.
        folding: The fold of every layer.
        frames: Frames that follow one another without a pause; ``None`` for any number of them.

    Returns:
        By ``(layer, index of the input)``; inputs that are not named need no FIFO.

    Raises:
        FoldingError: The folding does not fit the graph.
    """
    folding = Folding.of(graph, folding)
    endless = _depths(graph, folding, None)
    depths = endless if frames is None else _depths(graph, folding, frames)
    placed = _where_narrow(graph, folding, depths, endless)
    return {place: max(beats, fifo.LEAST_DEPTH) for place, beats in placed.items()}


def _depths(graph: Graph, folding: Folding, frames: int | None) -> dict[tuple[str, int], int]:
    """Return the depths of FIFOs that all stand right in front of an input."""
    interval = frame_interval(graph, folding)
    timings = {node.name: LAYERS[node.op].timing(graph, node, folding[node.name]) for node in graph.nodes}
    slack = {node.name: interval - ideal_cycles(graph, node, folding[node.name]) for node in graph.nodes}
    streams = connections(graph)
    legs = {
        place: _Leg.of(graph, stream, folding, timings, slack, *place) for stream in streams for place in stream.readers
    }
    waiting = _waiting(graph, timings, legs, interval, frames or 4)
    if frames is None:
        count = 4
        # until one more makes no difference
        while waiting != _waiting(graph, timings, legs, interval, count - 1) and count < 64:
            count *= 2
            waiting = _waiting(graph, timings, legs, interval, count)
    depths = {}
    for place, leg in legs.items():
        beats = max(waiting[place], leg.burst)
        begun = leg.pixel - 1 if beats >= leg.pixel else 0  # behind whole pixels, some beats of the next one
        if beats + begun > leg.spare:
            depths[place] = beats + MARGIN_BEATS
            if frames is not None:  # more than all of them cannot wait
                depths[place] = min(depths[place], frames * leg.frame)
    return _without_deadlock(graph, folding, depths)


def _where_narrow(
    graph: Graph, folding: Folding, depths: Mapping[tuple[str, int], int], endless: Mapping[tuple[str, int], int]
) -> dict[tuple[str, int], int]:
    """Return depths of FIFOs that stand before a requantisation instead of behind it, if they take fewer block RAMs.

    A beat before it is a beat behind it: where it widens values, they wait as they were. The stream before it must have
    as many lanes at least, so that beats come as soon as they did.

    Args:
        graph: The network.
        folding: Its folding.
        depths: Those behind requantisations.
        endless: The same for any number of frames, by which it is decided.
    """
    streams = connections(graph)
    before = {place: stream for stream in streams for place in stream.readers}
    moved = dict(depths)
    for stream in streams:
        node = stream.producer
        if node is None or LAYERS[node.op].RULE != _SLICE or stream.branches != 1 or not stream.readers:
            continue
        place, earlier = stream.readers[0], before[node.name, 0]
        lanes, lanes_before = folding[node.name].pe, earlier.fifo_lanes(graph, folding, node.name)
        if place not in endless or stream.widens_first(graph, folding, place[0]) or lanes_before % lanes:
            continue
        bits, bits_before = lanes * stream.tensor.qtype.bits, lanes_before * earlier.tensor.qtype.bits
        ratio, there = lanes_before // lanes, (node.name, 0)
        if _block_rams(bits_before, _both(endless, place, there, ratio)) < _block_rams(bits, endless[place]):
            moved[there] = _both(depths, place, there, ratio)
            moved.pop(place, None)
    return {place: depth for place, depth in moved.items() if depth}


def _both(depths: Mapping[tuple[str, int], int], behind: tuple[str, int], before: tuple[str, int], ratio: int) -> int:
    """Return the depth of a FIFO before a requantisation that holds what one behind it and one before it would."""
    return -(-depths.get(behind, 0) // ratio) + depths.get(before, 0)


def _block_rams(bits: int, depth: int) -> int:
    return map_banked_ram(bits, depth).block if depth >= _DEEP else 0


def _without_deadlock(
    graph: Graph, folding: Folding, depths: Mapping[tuple[str, int], int]
) -> dict[tuple[str, int], int]:
    """Return depths with which nothing can lock.

    The schedule lets a pixel pass as a whole. Where branches of one stream meet, all beats of a pixel may have to wait
    in one of them until the other one's layer has them all.
    """
    joined = [(node.name, index) for node in graph.nodes if node.arity > 1 for index in range(node.arity)]
    if not joined:
        return dict(depths)
    design = build(graph, folding, {**dict.fromkeys(joined, 1), **depths})
    least = least_depths(design)
    needed = {place: least[fifo_before(design, *place)] for place in joined}
    return {**depths, **{place: max(depths.get(place, 0), depth) for place, depth in needed.items() if depth}}


@dataclass(frozen=True)
class _Leg:
    """The way of a tensor to one of its readers.

    Attributes:
        pixel: Beats of a pixel, at the lanes of the FIFO.
        frame: Beats of a frame.
        pace: Cycles that a pixel takes at least: its beats at the fewer of the producer's and the reader's lanes.
        way: The most cycles from a pixel's last beat at the producer's output until the reader can use it.
        entry: Those of them that the reader takes.
        spare: Beats that can wait without a FIFO.
        bursts: Whether the beats of a pixel may come a beat a cycle.
        burst: Beats of each pixel for which a producer without a cycle to spare must not wait.
    """

    pixel: int
    frame: int
    pace: int
    way: int
    entry: int
    spare: int
    bursts: bool
    burst: int

    @classmethod
    def of(
        cls,
        graph: Graph,
        stream: Connection,
        folding: Folding,
        timings: Mapping[str, Timing],
        slack: Mapping[str, int],
        reader: str,
        index: int,
    ) -> _Leg:
        """Return the way of a tensor to an input; ``slack`` has the cycles of a frame in which each layer may wait."""
        height, width, channels = stream.tensor.shape
        lanes_in, lanes_out = stream.lanes(folding), stream.lanes_at(folding, reader)
        pixel, pace = channels // stream.fifo_lanes(graph, folding, reader), channels // min(lanes_in, lanes_out)
        entry = timings[reader].entry[index]
        if stream.widens_first(graph, folding, reader):
            spare = 0  # the width adapter stands in front of the FIFO
        elif stream.branches > 1:
            spare = 1  # the beat that is on offer to all readers
        elif stream.producer is None:
            spare = height * width * pixel  # outside
        else:
            spare = timings[stream.producer.name].spare
        bursts = stream.producer is None or bool(np.all(timings[stream.producer.name].busy == 1))
        burst = pixel - pixel * pixel // pace if bursts else 0  # a pixel comes a beat a cycle, and leaves at its pace
        if stream.producer is None or height * width * (burst - spare) <= slack[stream.producer.name]:
            burst = 0
        way = _way(stream, lanes_in, lanes_out) + entry
        return cls(pixel, height * width * pixel, pace, way, entry, spare, bursts, burst)


def _waiting(
    graph: Graph, timings: Mapping[str, Timing], legs: Mapping[tuple[str, int], _Leg], interval: int, frames: int
) -> dict[tuple[str, int], int]:
    """Return the highest number of beats that wait in front of each input over some frames."""
    departures: dict[str, Array] = {}
    for name in graph.inputs:
        height, width, _ = graph.tensor(name).shape
        pixels = height * width
        departures[name] = -(-np.arange(frames * pixels, dtype=np.int64) * interval // pixels)
    waiting: dict[tuple[str, int], int] = {}
    for node in graph.nodes:
        timing = timings[node.name]
        inputs = [(legs[node.name, index], departures[name]) for index, name in enumerate(node.inputs)]
        arrivals = [_paced(came + leg.way, leg.pace) for leg, came in inputs]
        starts = _starts(timing, arrivals, frames)
        for index, (leg, came) in enumerate(inputs):
            capacity, fill = timing.capacity[index], _highest_fill(timing, came, starts, frames)
            if node.arity > 1 and not capacity:
                there = [arrival - each.entry for arrival, (each, _) in zip(arrivals, inputs, strict=True)]
                in_turn = LAYERS[node.op].JOIN is Join.IN_TURN
                beside = _in_turn(timing, index, there, starts, leg) if in_turn else _beside(there[index], starts, leg)
                beats = max(beside, fill * leg.pixel if fill > 1 else 0)
            else:
                pixels = fill - capacity
                beats = max(pixels, _in_front(came, arrivals[index] - leg.way)) * leg.pixel
            waiting[node.name, index] = beats
        departures[node.output] = _departures(timing, starts)
    return waiting


def _paced(arrivals: Array, pace: int) -> Array:
    """Return the arrivals of pixels, each of which takes so many cycles."""
    turns = np.arange(len(arrivals), dtype=np.int64) * pace
    paced: Array = np.maximum.accumulate(arrivals - turns) + turns
    return paced


def _in_front(came: Array, taken: Array) -> int:
    """Return the highest number of pixels that have come and wait for those before them to be taken."""
    return int((np.searchsorted(came, taken, side="left") - np.arange(1, len(came) + 1)).max())


def _beside(arrivals: Array, starts: Array, leg: _Leg) -> int:
    """Return the highest number of beats that wait at an input of a join, which takes none while it waits.

    Args:
        arrivals: When the last beat of each pixel is there.
        starts: When it is taken, at the latest.
        leg: The way to the input.
    """
    pixels = np.arange(1, len(starts) + 1, dtype=np.int64) * leg.pixel
    there = np.interp(starts, arrivals, pixels).astype(np.int64)
    return int((there - pixels).max()) + 1


def _in_turn(timing: Timing, index: int, legs: Sequence[Array], starts: Array, leg: _Leg) -> int:
    """Return the same for a join that takes a pixel of one leg after that of the other.

    Args:
        timing: The join's.
        index: The input.
        legs: When the last beat of each pixel is there, for each input.
        starts: When the last beat of each pixel of the join is taken.
        leg: The way to the input.
    """
    arrivals, pixels = legs[index], np.arange(1, len(starts) + 1, dtype=np.int64) * leg.pixel

    def there_at(times: Array) -> Array:
        if not leg.bursts:
            return np.interp(times, arrivals, pixels, left=0).astype(np.int64)
        whole = np.searchsorted(arrivals, times, side="right")
        begun = np.clip(times - np.where(whole > 0, arrivals[whole - 1], times), 0, leg.pixel)
        found: Array = whole * leg.pixel + begun
        return found

    if index == 0:  # beats of the next pixel come while the other leg's are taken
        return int((there_at(starts) - pixels).max())
    # Beats come while the other leg's are taken, which is when that has come and the pixel before has left.
    first = np.maximum(legs[0], np.append(-1, starts[:-1]) + timing.cost - timing.entry[0]) + 1
    return int(max((there_at(starts) - pixels + 1).max(), (there_at(first) - pixels + leg.pixel).max()))


def _way(stream: Connection, lanes_in: int, lanes_out: int) -> int:
    """Return the most cycles from a pixel's last beat at the producer's output until a reader has it."""
    cycles = 0
    if stream.branches > 1:
        cycles += PLUMBING["fork"].cycles({}, 1).first_output - 1
    if stream.producer is not None:
        cycles += PLUMBING["fifo"].cycles({"Depth": _DEEP}, 1).first_output - 1
    if lanes_in != lanes_out:
        beats = math.lcm(lanes_in, lanes_out) // lanes_in
        adapter = PLUMBING["width_adapter"].cycles({"InLanes": lanes_in, "OutLanes": lanes_out}, beats)
        cycles += adapter.predicted - beats
    return cycles


def _each(cycles: int | Array, firings: int, frames: int) -> Array:
    """Return the cycles of each firing of some frames."""
    return np.tile(np.broadcast_to(np.asarray(cycles, dtype=np.int64), (firings,)), frames)


def _starts(timing: Timing, legs: list[Array], frames: int) -> Array:
    """Return the start of every firing: ``max(previous start + cost, arrival of what it needs)``."""
    pixels = len(legs[0]) // frames
    needs = (timing.needs[None, :] + pixels * np.arange(frames)[:, None]).reshape(-1)
    ready = np.maximum.reduce([arrival[needs] for arrival in legs])
    cost = _each(timing.cost, timing.firings, frames)
    pace = np.cumsum(cost) - cost
    starts: Array = np.maximum.accumulate(ready - pace) + pace
    return starts


def _departures(timing: Timing, starts: Array) -> Array:
    """Return when each output pixel's last beat is offered."""
    busy = _each(timing.busy, timing.firings, len(starts) // timing.firings)
    share = busy[:, None] * np.arange(1, timing.outputs + 1, dtype=np.int64) // timing.outputs
    departures: Array = (starts[:, None] + share - 1 + timing.latency).reshape(-1)
    return departures


def _highest_fill(timing: Timing, came: Array, starts: Array, frames: int) -> int:
    """Return the highest number of pixels that have come and are not released."""
    firings = (timing.releases[None, :] + timing.firings * np.arange(frames)[:, None]).reshape(-1)
    firings = firings[firings < len(starts)]
    released = np.sort(starts[firings] + _each(timing.busy, timing.firings, frames)[firings])
    waiting = np.arange(1, len(came) + 1) - np.searchsorted(released, came, side="right")
    return int(waiting.max())
