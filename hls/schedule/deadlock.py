"""The smallest FIFO depths with which a design cannot lock, by counting beats; independent of any timing.

A fork offers each beat to all its readers, and goes on to the next beat when all have taken it. Where two legs that
come from a fork meet again, in a join, one leg can stop the fork: it is full, the join waits for the other leg, and
that one waits for beats that the fork has not offered. This cannot happen if, whenever the join waits for pixel ``i``
of one leg,

    beats that this pixel needs  -  1  <=  beats that the other leg can have taken by then,

for every pixel of the frame, and every fork on the other leg: the last of the needed beats has only to be offered. The
right side follows from the pixels that have left through the join and from what every module of the leg holds when its
output is blocked, at the least.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quantunet.hls.design import Design, Instance, Stream
from quantunet.hls.modules.sheet import Join
from quantunet.hls.modules.table import module_of
from quantunet.ir import Array


def least_depths(design: Design) -> dict[str, int]:
    """Return the smallest depth without deadlock of every FIFO of a design.

    Args:
        design: A network; the depths that its FIFOs have do not matter.

    Returns:
        By the instance's name; 0 for a FIFO without which the design could not lock either. With all of them as
        returned the design runs, with any one of them smaller it can lock. Where several FIFOs stand on one leg, the
        one in front of the join holds what is lacking.
    """
    paths = _Paths(design)
    least = dict.fromkeys(design.fifos, 0)
    for join in paths.order:
        if module_of(join).JOIN is not Join.NONE:
            for leg, other in itertools.permutations(range(len(join.inputs)), 2):
                least |= paths.least_depth(join, leg, other, least)
    return least


@dataclass(frozen=True)
class _Needs:
    """What a fork must have offered of its frame before each pixel of a stream's frame can come.

    Attributes:
        whole: The last pixel of which it must have offered all beats, int64 ``(pixels,)``; -1 for none.
        begun: The last pixel of which it must have offered the first channels, likewise.
        channels: How many of them.
    """

    whole: Array
    begun: Array
    channels: int

    @classmethod
    def of(cls, stream: Stream) -> _Needs:
        """Return what a beat of the fork's own stream needs: itself."""
        pixels = np.arange(stream.shape[0] * stream.shape[1], dtype=np.int64)
        return cls(np.full_like(pixels, -1), pixels, stream.lanes)

    def beats(self, stream: Stream) -> Array:
        """Return how many beats of the fork's stream must have been offered."""
        pixel = _beats_a_pixel(stream)
        first = -(-min(self.channels, stream.shape[2]) // stream.lanes)
        found: Array = np.maximum((self.whole + 1) * pixel, np.where(self.begun < 0, 0, self.begun * pixel + first))
        return found

    def behind(self, instance: Instance, source: Stream, target: Stream) -> _Needs:
        """Return what a pixel of an instance's output needs, when this is what a pixel of its input needs."""
        sheet = module_of(instance)
        own = sheet.needs(instance.numbers, target)
        whole, begun = (np.maximum.accumulate(pixels[own]) for pixels in (self.whole, self.begun))
        channels = max(self.channels, int(np.lcm(source.lanes, target.lanes)))
        return _Needs(whole, begun, channels).completed() if sheet.WHOLE_PIXELS else _Needs(whole, begun, channels)

    def completed(self) -> _Needs:
        """Return the same for all beats of the pixel."""
        return _Needs(np.maximum(self.whole, self.begun), np.full_like(self.begun, -1), 0)

    def __or__(self, other: _Needs) -> _Needs:
        """Return what a pixel needs that needs both."""
        whole, begun = np.maximum(self.whole, other.whole), np.maximum(self.begun, other.begun)
        return _Needs(whole, begun, max(self.channels, other.channels))


class _Paths:
    """The streams of a design, walked against their direction."""

    def __init__(self, design: Design) -> None:
        self.fifos = design.fifos
        self.streams = {stream.name: stream for stream in design.streams}
        self.writers = {name: instance for instance in design.instances for _, name in instance.outputs}
        self.order = self._order(design)
        self.ranks = {instance.name: rank for rank, instance in enumerate(self.order)}

    def _order(self, design: Design) -> list[Instance]:
        """Return the instances, each behind those that write what it reads."""
        found: dict[str, Instance] = {}
        waiting = [self.writers[name] for name in design.outputs if name in self.writers]
        while waiting:
            instance = waiting[-1]
            before = [self.writers[name] for _, name in instance.inputs if name in self.writers]
            missing = [each for each in before if each.name not in found]
            if missing:
                waiting += missing
            else:
                found[waiting.pop().name] = instance
        return list(found.values())

    def least_depth(self, join: Instance, leg: int, other: int, least: Mapping[str, int]) -> dict[str, int]:
        """Return the FIFO of one leg of a join with its smallest depth without deadlock; nothing where it has none.

        Args:
            join: The join.
            leg: Index of the input that is full.
            other: Index of the input that the join waits for.
            least: The depths of all FIFOs so far.
        """
        region = self._region(join)
        full, awaited = join.inputs[leg][1], join.inputs[other][1]
        fifo = self._nearest_fifo(full)
        if fifo is None:
            return {}
        in_turn = module_of(join).JOIN is Join.IN_TURN
        ahead, pixel = int(in_turn and leg < other), _beats_a_pixel(self.streams[full])
        whole = in_turn or pixel < _beats_a_pixel(self.streams[awaited])  # no beat of the leg goes with each of its own
        height, width, _ = self.streams[awaited].shape
        left = np.arange(ahead, height * width + ahead, dtype=np.int64) * pixel
        needed: dict[str, Array | None] = {}

        def runs(depth: int) -> bool:
            for fork, taken in self._taken(full, left, region, {**least, fifo: depth}):
                if fork.name not in needed:
                    needed[fork.name] = self._needed(awaited, fork, region, whole=whole)
                beats = needed[fork.name]
                if beats is not None and not (beats - 1 <= taken).all():
                    return False
            return True

        if runs(least[fifo]):
            return {}
        # Two frames are always enough; the least is found by halving, since a deeper FIFO never takes fewer beats.
        low, high = least[fifo] + 1, least[fifo] + 2 * self.streams[fifo].beats
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if runs(middle) else (middle + 1, high)
        return {fifo: low}

    def _nearest_fifo(self, stream: str) -> str | None:
        """Return the FIFO that a stream comes from, with nothing but modules of one input and one output between."""
        while stream in self.writers:
            instance = self.writers[stream]
            if instance.name in self.fifos:
                return instance.name
            if len(instance.inputs) > 1 or len(instance.outputs) > 1:
                return None
            stream = instance.inputs[0][1]
        return None

    def _region(self, join: Instance) -> list[Instance]:
        """Return the instances between a join and the one stream that all its legs come from, the last first."""
        live, region = {name for _, name in join.inputs}, []
        while len(live) > 1:
            written = [self.writers[name] for name in live if name in self.writers]
            instance = max(written, key=lambda each: self.ranks[each.name])
            region.append(instance)
            live -= {name for _, name in instance.outputs}
            live |= {name for _, name in instance.inputs}
        return region

    def _taken(
        self, stream: str, left: Array, region: Sequence[Instance], depths: Mapping[str, int]
    ) -> Iterator[tuple[Instance, Array]]:
        """Give every fork on the way to a leg of a join, and the beats that this way can have taken of it.

        Args:
            stream: The leg.
            left: Beats that have left it, for each pixel that the join may wait for.
            region: The instances to walk through, the last first.
            depths: Of the FIFOs.
        """
        taken = {stream: left}
        for instance in region:
            outputs = [taken[name] for _, name in instance.outputs if name in taken]
            if not outputs:
                continue
            least: Array = np.minimum.reduce(outputs)
            if len(instance.outputs) > 1:
                yield instance, least
            params = instance.numbers | ({"Depth": depths[instance.name]} if instance.name in depths else {})
            for index, (_, name) in enumerate(instance.inputs):
                taken[name] = module_of(instance).taken(params, least, index)

    def _needed(self, stream: str, fork: Instance, region: Sequence[Instance], *, whole: bool) -> Array | None:
        """Return the beats that a fork must have offered for each pixel of a stream.

        Args:
            stream: The stream.
            fork: The fork.
            region: The instances between the two, the last first.
            whole: For the whole pixel, and not only for its first beat.

        Returns:
            int64 ``(pixels,)``; ``None`` where the stream does not come from the fork.
        """
        origin = self.streams[fork.inputs[0][1]]
        found = {name: _Needs.of(origin) for _, name in fork.outputs}
        for instance in reversed(region):
            legs = [(name, found[name]) for _, name in instance.inputs if name in found]
            if instance is fork or not legs:
                continue
            for _, target in instance.outputs:
                behind = [needs.behind(instance, self.streams[name], self.streams[target]) for name, needs in legs]
                found[target] = behind[0] if len(behind) == 1 else behind[0] | behind[1]
        needs = found.get(stream)
        if needs is None:
            return None
        return (needs.completed() if whole else needs).beats(origin)


def _beats_a_pixel(stream: Stream) -> int:
    return stream.shape[2] // stream.lanes
