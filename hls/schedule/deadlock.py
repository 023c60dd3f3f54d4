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

import math
from collections.abc import Callable, Mapping

import numpy as np

from quantunet.hls.design import Design, Instance, Stream
from quantunet.hls.matrix import constant_schedule
from quantunet.hls.schedule.exact import CREDITS, SIGMOID_STAGES, SLICE_BEATS, last_needed, ring_room
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
    least = {instance.name: 0 for instance in design.instances if instance.module == "qun_fifo"}
    for instance in design.instances:
        if instance.module == "qun_concat":
            fifo, depth = paths.least_depth(instance)
            if fifo is not None:
                least[fifo] = max(least[fifo], depth)
    return least


class _Paths:
    """The streams of a design, walked against their direction."""

    def __init__(self, design: Design) -> None:
        self.streams = {stream.name: stream for stream in design.streams}
        self.writers = {name: instance for instance in design.instances for _, name in instance.outputs}

    def least_depth(self, concat: Instance) -> tuple[str | None, int]:
        """Return the FIFO of a concatenation's skip branch, and its smallest depth without deadlock."""
        (_, skip), (_, up) = concat.inputs
        branch: list[Instance] = []  # from the concatenation to the fork
        stream = skip
        while stream in self.writers and self.writers[stream].module != "qun_fork":
            branch.append(self.writers[stream])
            stream = branch[-1].inputs[0][1]
        fifo = next((instance.name for instance in branch if instance.module == "qun_fifo"), None)
        if fifo is None or stream not in self.writers:
            return None, 0
        fork = self.streams[self.writers[stream].inputs[0][1]]
        needed = self.needs(up, fork.name)
        if needed is None:
            return fifo, 0
        needed_beats = (needed + 1) * _beats_a_pixel(fork)
        # The concatenation takes the skip pixel before it waits for the other one.
        left = np.arange(1, len(needed) + 1) * _beats_a_pixel(self.streams[skip])

        def runs(depth: int) -> bool:
            taken = left
            for instance in branch:
                taken = _TAKEN[instance.kind](
                    _params(instance) | ({"Depth": depth} if instance.name == fifo else {}), taken
                )
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
        own = _NEEDS.get(instance.kind, _same_pixel)(_params(instance), self.streams[stream])
        legs = [self.needs(name, origin) for _, name in instance.inputs]
        found = [leg[own] for leg in legs if leg is not None]
        return np.maximum.accumulate(np.maximum.reduce(found)) if found else None


def _params(instance: Instance) -> dict[str, int]:
    return {name: value for name, value in instance.params if isinstance(value, int)}


def _beats_a_pixel(stream: Stream) -> int:
    return stream.shape[2] // stream.lanes


# What a pixel needs: for each output pixel, the last input pixel.


def _same_pixel(params: Mapping[str, int], target: Stream) -> Array:
    return np.arange(target.shape[0] * target.shape[1], dtype=np.int64)


def _window(params: Mapping[str, int], target: Stream) -> Array:
    height, width, kernel = params["Height"], params["Width"], params.get("Kernel", 3)
    return np.array([last_needed(pixel, height, width, kernel) for pixel in range(height * width)], dtype=np.int64)


def _upsampled(params: Mapping[str, int], target: Stream) -> Array:
    row, column = np.divmod(np.arange(target.shape[0] * target.shape[1], dtype=np.int64), target.shape[1])
    needed: Array = row // 2 * params["Width"] + column // 2
    return needed


def _pooled(params: Mapping[str, int], target: Stream) -> Array:
    row, column = np.divmod(np.arange(target.shape[0] * target.shape[1], dtype=np.int64), target.shape[1])
    needed: Array = (2 * row + 1) * params["Width"] + 2 * column + 1
    return needed


_NEEDS: dict[str, Callable[[Mapping[str, int], Stream], Array]] = {
    "qun_conv2d": _window,
    "qun_conv2d_constant": _window,
    "qun_conv_transpose2d": _upsampled,
    "qun_conv_transpose2d_constant": _upsampled,
    "qun_maxpool2d": _pooled,
}


# What a module can have taken when so many beats have left it and the next one is blocked.


def _through_slice(params: Mapping[str, int], left: Array) -> Array:
    return left + SLICE_BEATS


def _through_fifo(params: Mapping[str, int], left: Array) -> Array:
    return left + params["Depth"]


def _through_sigmoid(params: Mapping[str, int], left: Array) -> Array:
    return left + SLICE_BEATS + SIGMOID_STAGES


def _through_adapter(params: Mapping[str, int], left: Array) -> Array:
    """A group in its register, all but the last beat of the next one, and the slice on the narrower side."""
    group = math.lcm(params["InLanes"], params["OutLanes"])
    group_in, group_out = group // params["InLanes"], group // params["OutLanes"]
    if params["InLanes"] < params["OutLanes"]:
        return (left // group_out + 2) * group_in - 1 + SLICE_BEATS
    return ((left + SLICE_BEATS) // group_out + 2) * group_in - 1


def _through_conv2d(params: Mapping[str, int], left: Array) -> Array:
    """The folds that had credits, and the ring from the pixel on that waits for one."""
    in_folds, out_folds = params["InChannels"] // params["Simd"], params["OutChannels"] // params["Pe"]
    done = (left + CREDITS) // out_folds
    return (done + ring_room(params["Width"], params["Kernel"])) * in_folds


def _through_conv2d_constant(params: Mapping[str, int], left: Array) -> Array:
    """The windows that had credits, and what stands ready for the next one."""
    return left + constant_schedule.credits_of(params) + constant_schedule.ahead(params)


_TAKEN: dict[str, Callable[[Mapping[str, int], Array], Array]] = {
    "qun_conv2d": _through_conv2d,
    "qun_conv2d_constant": _through_conv2d_constant,
    "qun_fifo": _through_fifo,
    "qun_requant": _through_slice,
    "qun_sigmoid": _through_sigmoid,
    "qun_width_adapter": _through_adapter,
}
