"""The smallest FIFO depths with which a design cannot lock, by counting beats; independent of any timing.

A fork offers each beat to all its readers, and goes on to the next beat when all have taken it. Where two branches of
a fork meet again, in a concatenation, the skip branch can stop the fork: it is full, the concatenation waits for the
other branch, and that one waits for beats that the fork has not offered. This cannot happen if, whenever the
concatenation waits for pixel ``i`` of the other branch,

    beats that this pixel needs  -  1  <=  beats that the skip branch can have taken by then,

for every pixel of the frame: the last of the needed beats has only to be offered. The right side follows from the
pixels that have left through the concatenation and from what every module of the skip branch holds when its output is
blocked.
"""

from __future__ import annotations

import itertools

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
        By the instance's name; 0 for a FIFO without which the design could not lock either. No depth depends on the
        others: with all of them as returned the design runs, with any one of them smaller it locks.
    """
    paths = _Paths(design)
    least = dict.fromkeys(design.fifos, 0)
    for instance in design.instances:
        join = module_of(instance).JOIN
        if join is Join.NONE:
            continue
        for branch, other in itertools.permutations(range(len(instance.inputs)), 2):
            ahead = int(join is Join.IN_TURN and branch < other)
            fifo, depth = paths.least_depth(instance, branch, other, ahead)
            if fifo is not None:
                least[fifo] = max(least[fifo], depth)
    return least


class _Paths:
    """The streams of a design, walked against their direction."""

    def __init__(self, design: Design) -> None:
        self.fifos = design.fifos
        self.streams = {stream.name: stream for stream in design.streams}
        self.writers = {name: instance for instance in design.instances for _, name in instance.outputs}

    def least_depth(self, join: Instance, skip_input: int, up_input: int, ahead: int) -> tuple[str | None, int]:
        """Return the FIFO of one branch of a join, and its smallest depth without deadlock.

        Args:
            join: The join.
            skip_input: Index of the input that the branch comes to.
            up_input: Index of the input that the join waits for.
            ahead: Pixels of the branch that the join takes before it waits for the other input's first pixel.
        """
        skip, up = join.inputs[skip_input][1], join.inputs[up_input][1]
        branch: list[Instance] = []  # from the join to the fork
        stream = skip
        while stream in self.writers and self.writers[stream].module != "qun_fork":
            branch.append(self.writers[stream])
            stream = branch[-1].inputs[0][1]
        fifo = next((instance.name for instance in branch if instance.name in self.fifos), None)
        if fifo is None or stream not in self.writers:
            return None, 0
        fork = self.streams[self.writers[stream].inputs[0][1]]
        needed = self.needs(up, fork.name)
        if needed is None:
            return fifo, 0
        needed_beats = (needed + 1) * _beats_a_pixel(fork)
        left = np.arange(ahead, len(needed) + ahead) * _beats_a_pixel(self.streams[skip])

        def runs(depth: int) -> bool:
            taken = left
            for instance in branch:
                params = instance.numbers | ({"Depth": depth} if instance.name == fifo else {})
                taken = module_of(instance).taken(params, taken)
            return bool((needed_beats - 1 <= taken).all())

        # A frame is always enough; the least is found by halving, since a deeper FIFO never takes fewer beats.
        low, high = 0, max(self.streams[name].beats for each in branch for _, name in each.inputs)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if runs(middle) else (middle + 1, high)
        return fifo, low

    def needs(self, stream: str, origin: str) -> Array | None:
        """Return, for each pixel of a stream's frame, the last pixel of ``origin`` without which it cannot come.

        Returns:
            int64 ``(pixels,)``; ``None`` where the stream does not descend from ``origin``.
        """
        if stream == origin:
            height, width, _ = self.streams[stream].shape
            return np.arange(height * width, dtype=np.int64)
        if stream not in self.writers:
            return None
        instance = self.writers[stream]
        own = module_of(instance).needs(instance.numbers, self.streams[stream])
        legs = [self.needs(name, origin) for _, name in instance.inputs]
        found = [leg[own] for leg in legs if leg is not None]
        return np.maximum.accumulate(np.maximum.reduce(found)) if found else None


def _beats_a_pixel(stream: Stream) -> int:
    return stream.shape[2] // stream.lanes
