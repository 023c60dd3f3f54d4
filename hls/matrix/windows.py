"""Where the windows of ``qun_window`` stand, and what follows from it: weights' order, ring, cycles, firings.

A window lies inside the frame. It is named by the input pixel where it begins and by its taps, along rows and along
columns apart. A transpose convolution reads windows too: an output row has the kernel rows of its phase, each from an
input row of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from quantunet.hls.design import Cycles
from quantunet.ir import Array

_FRAMES = 3
"""Frames after which adjacent ones no longer differ."""


@dataclass(frozen=True)
class Axis:
    """The windows along the rows, or along the columns, of an image; the names are those of ``qun_window``.

    Attributes:
        length: Input pixels.
        outputs: Output pixels.
        kernel: Taps of the whole kernel.
        stride: Input pixels from a window to the next of its phase.
        dilation: Input pixels from a tap to the next.
        up: Phases: output pixels that a transpose convolution makes of an input pixel.
        crop: Pixels of the full output in front of the first; ``kernel - 1`` where there is one phase.
    """

    length: int
    outputs: int
    kernel: int
    stride: int
    dilation: int
    up: int
    crop: int

    @property
    def places(self) -> Array:
        """The output pixels, int64 ``(outputs,)``."""
        return np.arange(self.outputs, dtype=np.int64)

    @cached_property
    def taps(self) -> Array:
        """Taps of each output pixel, int64 ``(outputs,)``."""
        taps: Array = -(-(self.kernel - (self.places + self.crop) % self.up) // self.up)
        return taps

    @cached_property
    def first(self) -> Array:
        """The first input pixel of each output pixel, int64 ``(outputs,)``."""
        phase = self.places % self.up
        first: Array = self.places // self.up * self.stride + (phase + self.crop) // self.up - self.taps + 1
        return first

    @cached_property
    def last(self) -> Array:
        """The last input pixel of each output pixel, int64 ``(outputs,)``."""
        last: Array = self.first + (self.taps - 1) * self.dilation
        return last

    def kernel_taps(self, *, transposed: bool) -> list[list[int]]:
        """Return, for each phase, the kernel's taps in the order in which they are read: input pixels from low to high.

        Args:
            transposed: Whether the kernel belongs to a transpose convolution.
        """
        if not transposed:
            return [[*range(self.kernel)]]
        return [[*range((phase + self.crop) % self.up, self.kernel, self.up)][::-1] for phase in range(self.up)]


@dataclass(frozen=True)
class Windows:
    """The windows of an image and how they are folded: what ``qun_window`` is built for.

    Attributes:
        rows: Along the rows.
        columns: Along the columns.
        in_folds: Beats of an input pixel.
        out_folds: Beats of an output pixel.
        groups: Groups of input folds, each read by as many output folds.
    """

    rows: Axis
    columns: Axis
    in_folds: int
    out_folds: int
    groups: int = 1

    @classmethod
    def of(cls, params: Mapping[str, int], in_folds: int, out_folds: int) -> Windows:
        """Return the windows that the parameters of a module describe, which are those of ``qun_window``."""
        axes = [
            Axis(params[size], params[f"Out{size}"], *(params[f"{name}{letter}"] for name in _AXIS_PARAMS))
            for size, letter in (("Height", "H"), ("Width", "W"))
        ]
        return cls(axes[0], axes[1], in_folds, out_folds, params["Groups"])

    def parameters(self) -> dict[str, int]:
        """Return the parameters of ``qun_window`` but for its folds and its word."""
        pairs = zip(("H", "W"), (self.rows, self.columns), strict=True)
        axes = {letter: (axis.kernel, axis.stride, axis.dilation, axis.up, axis.crop) for letter, axis in pairs}
        found = {
            "Height": self.rows.length,
            "Width": self.columns.length,
            "OutHeight": self.rows.outputs,
            "OutWidth": self.columns.outputs,
            "Groups": self.groups,
        }
        for place, name in enumerate(_AXIS_PARAMS):
            found |= {f"{name}{letter}": values[place] for letter, values in axes.items()}
        return {**found, "RingPixels": self.ring_pixels}

    @property
    def pixels(self) -> int:
        """Input pixels."""
        return self.rows.length * self.columns.length

    @property
    def weight_words(self) -> int:
        """Words of the weight memory: a whole kernel for every output fold."""
        return self.out_folds * self.rows.kernel * self.columns.kernel * (self.in_folds // self.groups)

    @property
    def needs(self) -> Array:
        """The last input pixel of each window, int64 ``(output pixels,)``."""
        return _grid(self.rows.last * self.columns.length, self.columns.last)

    @property
    def free(self) -> Array:
        """How many pixels are given up before each window, and before that of the next frame.

        Returns:
            int64 ``(output pixels + 1,)``: the first input pixel that this window or a later one reads.
        """
        return _free(self.rows, self.columns)

    @property
    def cost(self) -> Array:
        """Taps of each output pixel in all its folds, int64 ``(output pixels,)``."""
        return self.out_folds * self.fold_taps

    @property
    def fold_taps(self) -> Array:
        """Taps of one fold of each output pixel, int64 ``(output pixels,)``."""
        return _grid(self.rows.taps, self.columns.taps, product=True) * (self.in_folds // self.groups)

    @property
    def ring_pixels(self) -> int:
        """Pixels of the smallest ring with which neither the taps nor the input ever wait without need."""
        return _ring_pixels(self.rows, self.columns, self.out_folds // self.groups)

    def cycles(self, latency: int) -> Cycles:
        """Return the cycles of one frame, from the time that a beat takes behind the last tap of its fold.

        The first frame starts with an empty ring, so that its windows may wait for pixels; the ring is large enough
        that no pixel waits for room where a window is in want of it.
        """
        taps, cost = self.fold_taps, self.cost
        starts = _starts((self.needs + 1) * self.in_folds, cost)
        return Cycles(
            predicted=int(starts[-1] + cost[-1]) + latency,
            first_output=int(starts[0] + taps[0]) + latency,
            ideal=max(int(cost.sum()), self.pixels * self.in_folds),
        )

    @property
    def releases(self) -> Array:
        """The window after which the place of each input pixel is free, int64 ``(input pixels,)``."""
        return np.searchsorted(self.free[1:], np.arange(self.pixels), side="right").astype(np.int64)

    def rule_params(self, params: Mapping[str, int], latency: int, credit: int) -> dict[str, int]:
        """Return what the rule ``valid_window`` of the schedule is given.

        Args:
            params: The module's parameters.
            latency: Cycles from the last tap of a fold to its beat.
            credit: Output beats that may be under way.
        """
        return {
            **params,
            "InFolds": self.in_folds,
            "OutFolds": self.out_folds,
            "Credits": credit,
            "MatrixLatency": latency,
        }

    def taken(self, ring_pixels: int, left: Array, credit: int) -> Array:
        """Return the input beats that can have been taken when so many have left and the next is blocked.

        Args:
            ring_pixels: Pixels of the ring.
            left: Beats that have left, int64 of any shape.
            credit: Output beats that may be under way.
        """
        frames, done = np.divmod((left + credit) // self.out_folds, len(self.needs))
        beats: Array = (frames * self.pixels + self.free[done] + ring_pixels) * self.in_folds
        return beats


_AXIS_PARAMS = ("Kernel", "Stride", "Dilation", "Up", "Crop")


def _grid(rows: Array, columns: Array, *, product: bool = False) -> Array:
    """Return the sums, or the products, of a number of each row and one of each column, in raster order."""
    grid: Array = rows[:, None] * columns[None] if product else rows[:, None] + columns[None]
    return grid.reshape(-1)


def _free(rows: Axis, columns: Axis) -> Array:
    width = columns.length
    stays = np.append(rows.first[1:] == rows.first[:-1], False)[:, None]  # the next output row reads the same rows
    begin = rows.first[:, None] * width + np.where(stays, columns.first[0], columns.first[None])
    next_frame = (rows.length + rows.first[0]) * width + columns.first[0]
    return np.append(begin.reshape(-1), next_frame)


def _starts(came: Array, cost: Array) -> Array:
    """Return when each firing starts: when what it needs has come, and the one before is through."""
    pace = np.cumsum(cost) - cost
    starts: Array = np.maximum.accumulate(came - pace) + pace
    return starts


@lru_cache(maxsize=4096)
def _ring_pixels(rows: Axis, columns: Axis, folds: int) -> int:
    """Return the smallest ring that keeps the frame interval, found on a schedule that keeps it.

    Time is counted in beats of a pixel, so that a pixel takes 1. Where the taps take longer than the pixels, the
    schedule has taps without a gap, and each pixel comes as late as it may. Else it has pixels without a gap, and taps
    as soon as they can be. What such a schedule holds is enough: hardware that does all as early as it can is never
    later, with the same room.

    Args:
        rows: Windows along the rows.
        columns: Windows along the columns.
        folds: Output folds of a group.
    """
    pixels, width = rows.length * columns.length, columns.length
    frames = np.arange(_FRAMES, dtype=np.int64)[:, None]
    needs = (_grid(rows.last * width, columns.last) + pixels * frames).reshape(-1)
    free = np.append((_free(rows, columns)[:-1] + pixels * frames).reshape(-1), _FRAMES * pixels)
    cost = np.tile(_grid(rows.taps, columns.taps, product=True) * folds, _FRAMES)
    number = np.arange(_FRAMES * pixels, dtype=np.int64)
    if cost.sum() >= len(number):
        starts = np.cumsum(cost) - cost
        # A pixel has come when the first window that ends there or behind it starts, and in time for those behind it.
        reader = np.searchsorted(np.maximum.accumulate(needs), number)
        due = np.append(starts, starts[-1] + cost[-1])[reader]
        came = np.minimum.accumulate((due - number)[::-1])[::-1] + number
    else:
        starts, came = _starts(needs + 1, cost), number + 1
    done = np.searchsorted(starts + cost, came - 1, side="right")
    middle = slice(pixels, 2 * pixels)
    held = int((number + 1 - free[done])[middle].max())
    return max(2, held, int((needs + 1 - free[:-1]).max()))
