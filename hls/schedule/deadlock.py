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
        returned the design runs, with any one of them smaller it can lock; where legs cross, some may be deeper than
        that. Where several FIFOs stand on one leg, the one in front of the join holds what is lacking.
    """
    paths = _Paths(design)
    least = dict.fromkeys(design.fifos, 0)
    for join in paths.order:
        if module_of(join).JOIN is not Join.NONE:
            for leg, other in itertools.permutations(range(len(join.inputs)), 2):
                least |= paths.least_depths(join, leg, other, least)
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

    def least_depths(self, join: Instance, leg: int, other: int, least: Mapping[str, int]) -> dict[str, int]:
        """Return the FIFOs that must be deeper so that one leg of a join does not lock it, with their depths.

        Args:
            join: The join.
            leg: Index of the input that is full.
            other: Index of the input that the join waits for.
            least: The depths of all FIFOs so far.
        """
        region = self._region(join)
        full, awaited = join.inputs[leg][1], join.inputs[other][1]
        in_turn = module_of(join).JOIN is Join.IN_TURN
        ahead, pixel = int(in_turn and leg < other), _beats_a_pixel(self.streams[full])
        whole = in_turn or pixel < _beats_a_pixel(self.streams[awaited])  # no beat of the leg goes with each of its own
        height, width, _ = self.streams[awaited].shape
        left = np.arange(ahead, height * width + ahead, dtype=np.int64)
        starving = self._starving(full, awaited, region)
        needed: dict[str, Array | None] = {}

        def runs(stream: str, beats: Array, depths: Mapping[str, int]) -> bool:
            for fork, taken in self._taken(stream, beats, region, depths, starving):
                if fork.name not in needed:
                    needed[fork.name] = self._needed(awaited, fork, region, whole=whole)
                offered = needed[fork.name]
                if offered is not None and not (offered - 1 <= taken).all():
                    return False
            return True

        found: dict[str, int] = {}
        for stream, beats in [(full, left * pixel), *self._legs_of(starving, full, left, region)]:
            fifo = self._nearest_fifo(stream)
            if fifo is None or runs(stream, beats, {**least, **found}):
                continue
            # Two frames are always enough; the least is found by halving: a deeper FIFO never takes fewer beats.
            low = least[fifo] + 1
            high = least[fifo] + 2 * self.streams[fifo].beats
            while low < high:
                middle = (low + high) // 2
                enough = runs(stream, beats, {**least, **found, fifo: middle})
                low, high = (low, middle) if enough else (middle + 1, high)
            found[fifo] = low
        return found

    def _starving(self, full: str, awaited: str, region: Sequence[Instance]) -> list[Instance]:
        """Return the joins on the way to a full leg that may themselves wait, so that what is behind them stays empty.

        A join on the way waits for another of its legs where a fork that leads there leads to what is awaited as well,
        and not to the way: that fork may stand still.
        """
        forks: dict[str, frozenset[str]] = {}
        for instance in reversed(region):
            before = frozenset().union(*(forks.get(name, frozenset()) for _, name in instance.inputs))
            own = {instance.name} if len(instance.outputs) > 1 else set()
            forks |= {name: before | own for _, name in instance.outputs}
        way, found = {full}, []
        for instance in region:
            if not way & {name for _, name in instance.outputs}:
                continue
            legs = [forks.get(name, frozenset()) for _, name in instance.inputs]
            way |= {name for _, name in instance.inputs}
            shared = forks.get(awaited, frozenset())
            if any(other & shared - leg for leg, other in itertools.permutations(legs, 2)):
                found.append(instance)
        return found

    def _legs_of(
        self, joins: Sequence[Instance], full: str, left: Array, region: Sequence[Instance]
    ) -> Iterator[tuple[str, Array]]:
        """Give the legs of joins on the way to a full leg, and the beats that each has taken to let so many pixels out.

        Args:
            joins: The joins.
            full: The leg that they are on the way to.
            left: Pixels that have left it.
            region: The instances to walk through, the last first.
        """
        for join in joins:
            ((_, output),) = join.outputs
            needs = self._needs(full, [output], _Needs.of(self.streams[output]), region)
            assert needs is not None
            pixels = np.append(0, needs.completed().whole + 1)[left]
            for _, name in join.inputs:
                yield name, pixels * _beats_a_pixel(self.streams[name])

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
        """Return the instances between a join and what all its legs come from, the last first.

        That is one stream, or several inputs of the design, of which none waits for another.
        """
        live, region = {name for _, name in join.inputs}, []
        while len(live) > 1 and (written := [self.writers[name] for name in live if name in self.writers]):
            instance = max(written, key=lambda each: self.ranks[each.name])
            region.append(instance)
            live -= {name for _, name in instance.outputs}
            live |= {name for _, name in instance.inputs}
        return region

    def _taken(
        self,
        stream: str,
        left: Array,
        region: Sequence[Instance],
        depths: Mapping[str, int],
        starving: Sequence[Instance],
    ) -> Iterator[tuple[Instance, Array]]:
        """Give every fork on the way to a leg of a join, and the beats that this way can have taken of it.

        Args:
            stream: The leg.
            left: Beats that have left it, for each pixel that the join may wait for.
            region: The instances to walk through, the last first.
            depths: Of the FIFOs.
            starving: Those at which the way ends.
        """
        taken = {stream: left}
        for instance in region:
            outputs = [taken[name] for _, name in instance.outputs if name in taken]
            if not outputs or instance in starving:
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
        needs = self._needs(stream, [name for _, name in fork.outputs], _Needs.of(origin), region)
        if needs is None:
            return None
        return (needs.completed() if whole else needs).beats(origin)

    def _needs(self, stream: str, origins: Sequence[str], own: _Needs, region: Sequence[Instance]) -> _Needs | None:
        """Return what each pixel of a stream needs of some streams before it; ``None`` where it comes from none."""
        found = dict.fromkeys(origins, own)
        for instance in reversed(region):
            legs = [(name, found[name]) for _, name in instance.inputs if name in found]
            for _, target in instance.outputs:
                if legs and target not in found:
                    behind = [needs.behind(instance, self.streams[name], self.streams[target]) for name, needs in legs]
                    found[target] = behind[0] if len(behind) == 1 else behind[0] | behind[1]
        return found.get(stream)


def _beats_a_pixel(stream: Stream) -> int:
    return stream.shape[2] // stream.lanes
