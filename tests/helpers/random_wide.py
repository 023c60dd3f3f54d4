"""Random graphs of every op that no file makes: types of 1 to 16 bits, any rounding, wrap-around, any gains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from quantunet.errors import QuantUNetError
from quantunet.ir import MASK_TYPE, MAX_BITS, Conv2d, ConvTranspose2d, Graph, IntArray, QType
from quantunet.random_network import GraphBuilder

_Choice = TypeVar("_Choice")

_CHANNELS = (1, 2, 2, 3, 4, 4, 5, 6, 7, 8, 12)
_BITS = (1, 2, 3, 4, 5, 8, 8, 12, 15, 16)
_SIDES = (1, 2, 3, 4, 5, 6, 8, 9)
_MOST = 400
"""Values of a tensor from which on it grows no more."""

_TABLE_BITS = 8


def generate(seed: int) -> Graph:
    """Return the checked graph of a seed, of one to about ten layers."""
    for attempt in range(100):
        try:
            return _Wide(seed, attempt).build()
        except QuantUNetError:  # wider than a graph may be
            continue
    message = f"seed {seed} makes no graph"
    raise AssertionError(message)


class _Wide:
    """A graph that grows step by step.

    Args:
        seed: Of all choices.
        attempt: Another graph of the same seed.
    """

    def __init__(self, seed: int, attempt: int) -> None:
        self.rng = np.random.default_rng((seed, attempt))
        height, width = self._one(_SIDES), self._one(_SIDES)
        self.builder = GraphBuilder(f"wide{seed}", height, width, self._one(_CHANNELS), self._type(), seed)
        self.x, self.count = "image", 0

    def build(self) -> Graph:
        """Add steps and return the checked graph."""
        steps: list[Callable[[], str]] = [
            self._conv, self._conv, self._window, self._window, self._transpose, self._transpose, self._depthwise,
            self._pool, self._sums, self._requant, self._affine, self._concat, self._add, self._maximum, self._multiply,
            self._pad, self._crop, self._resize, self._to_space, self._lookup,
        ]  # fmt: skip
        for _ in range(self._one((1, 1, 2, 2, 3, 4, 5))):
            self.x = self._one(steps)()
            if self._bits > MAX_BITS:
                self.x = self._requant() if self.rng.integers(2) else self._affine()
        end = self.rng.integers(6)
        if end == 0 and self._shape[2] > 1:
            self.x = self.builder.argmax("classes", self.x)
        elif end == 1:
            last = self.builder.matrix(Conv2d, "last", self.x, 1, 1, 3, MASK_TYPE)
            most = self._shape[0] * self._shape[1]
            self.x = self.builder.smallest_area("kept", last, int(self.rng.integers(1, most + 1)))
        if not self.builder.nodes:
            self.x = self._conv()
        return self.builder.build()

    def _one(self, choices: Sequence[_Choice]) -> _Choice:
        return choices[int(self.rng.integers(len(choices)))]

    def _type(self) -> QType:
        bits = self._one(_BITS)
        return QType(bits, bool(self.rng.integers(2)), int(self.rng.integers(-2, bits + 3)))

    def _name(self, what: str) -> str:
        self.count += 1
        return f"{what}{self.count}"

    @property
    def _tensor(self) -> tuple[tuple[int, int, int], QType]:
        found = next(tensor for tensor in self.builder.tensors if tensor.name == self.x)
        return found.shape, found.qtype

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self._tensor[0]

    @property
    def _bits(self) -> int:
        return self._tensor[1].bits

    def _grows(self, factor: int) -> bool:
        return int(np.prod(self._shape)) * factor <= _MOST

    def _pair(self, least: int, most: int) -> tuple[int, int]:
        return int(self.rng.integers(least, most + 1)), int(self.rng.integers(least, most + 1))

    def _conv(self) -> str:
        kernel, bits = self._one((1, 3)), max(2, self._one(_BITS[:7]))
        return self.builder.matrix(Conv2d, self._name("conv"), self.x, self._one(_CHANNELS), kernel, bits, self._type())

    def _window(self) -> str:
        rows, columns, channels = self._shape
        kernel = min(self._one((1, 2, 3, 4)), rows), min(self._one((1, 2, 3, 5)), columns)
        dilation = tuple(
            self._one((1, 2)) if (taps - 1) * 2 < size else 1
            for taps, size in zip(kernel, (rows, columns), strict=True)
        )
        groups = self._one([number for number in (1, 2, 3, 4) if channels % number == 0])
        outputs = groups * self._one((1, 2, 3))
        return self.builder.convolution(
            self._name("window"), self.x, outputs, kernel, max(2, self._one(_BITS[:7])), self._type(),
            stride=self._pair(1, 2), dilation=(dilation[0], dilation[1]), groups=groups,
        )  # fmt: skip

    def _transpose(self) -> str:
        if not self._grows(4):
            return self._conv()
        bits, outputs, name = max(2, self._one(_BITS[:7])), self._one(_CHANNELS[:6]), self._name("up")
        if self.rng.integers(2):
            return self.builder.matrix(ConvTranspose2d, name, self.x, outputs, 2, bits, self._type())
        stride = self._pair(1, 2)
        kernel = tuple(
            step + (int(self.rng.integers(0, 2)) if size > 1 else 0)
            for step, size in zip(stride, self._shape[:2], strict=True)
        )
        crop = tuple(kernel[axis % 2] - stride[axis % 2] for axis in range(4))
        return self.builder.convolution(
            name, self.x, outputs, (kernel[0], kernel[1]), bits, self._type(), stride=stride,
            crop=(crop[0], crop[1], crop[2], crop[3]),
        )  # fmt: skip

    def _depthwise(self) -> str:
        kernel = min(self._one((1, 2, 3)), self._shape[0]), min(self._one((1, 2, 3)), self._shape[1])
        name, bits = self._name("depthwise"), max(2, self._one(_BITS[:7]))
        return self.builder.depthwise_conv2d(name, self.x, kernel, bits, self._type(), self._pair(1, 2))

    def _pool(self) -> str:
        kernel = min(self._one((1, 2, 2, 3)), self._shape[0]), min(self._one((1, 2, 2, 3)), self._shape[1])
        stride = kernel if self.rng.integers(2) else self._pair(1, 3)
        kind = self.builder.maxpool2d if self.rng.integers(2) else self.builder.sumpool2d
        return kind(self._name("pool"), self.x, kernel, stride)

    def _sums(self) -> str:
        name, wide = self._name("sums"), QType(48, True, int(self.rng.integers(-2, 9)))
        return self.builder.matrix(Conv2d, name, self.x, self._one(_CHANNELS), self._one((1, 3)), 4, wide)

    def _requant(self) -> str:
        return self.builder.requant(self._name("requant"), self.x, self._type())

    def _affine(self) -> str:
        shared, branches, splits, even = (bool(flag) for flag in self.rng.integers(2, size=4))
        return self.builder.affine(
            self._name("affine"), self.x, self._type(), bits=self._one((1, 2, 5, 8, 12)), shared=shared,
            branches=branches, splits=splits, even=even, wraps=self.rng.integers(4) == 0,
        )  # fmt: skip

    def _leg(self, channels: int, kind: QType | None = None) -> str:
        """Return a convolution of the tensor, of its size."""
        return self.builder.matrix(Conv2d, self._name("leg"), self.x, channels, 1, 4, kind or self._type())

    def _concat(self) -> str:
        kind = self._type()
        skip = self.builder.requant(self._name("skip"), self.x, kind)
        return self.builder.concat(self._name("join"), skip, self._leg(self._one(_CHANNELS), kind))

    def _add(self) -> str:
        gains = self._one((1, 1, 3, 5, -2)), self._one((1, -1, 2, -7))
        leg = self._leg(self._shape[2])
        return self.builder.add(self._name("add"), self.x, leg, self._type(), gains)

    def _maximum(self) -> str:
        return self.builder.maximum(self._name("most"), self.x, self._leg(self._shape[2], self._tensor[1]))

    def _multiply(self) -> str:
        leg = self._leg(1 if self.rng.integers(2) else self._shape[2])
        return self.builder.multiply(self._name("product"), self.x, leg)

    def _pad(self) -> str:
        sides, kind = tuple(int(side) for side in self.rng.integers(0, 3, size=4)), self._tensor[1]
        value = int(self.rng.integers(kind.qmin, kind.qmax + 1)) if self.rng.integers(2) else 0
        return self.builder.pad(self._name("pad"), self.x, (sides[0], sides[1], sides[2], sides[3]), value)

    def _crop(self) -> str:
        rows, columns, _ = self._shape
        top, bottom = int(self.rng.integers(0, (rows + 1) // 2)), int(self.rng.integers(0, (rows + 1) // 2))
        left, right = int(self.rng.integers(0, (columns + 1) // 2)), int(self.rng.integers(0, (columns + 1) // 2))
        return self.builder.crop(self._name("crop"), self.x, (top, left, bottom, right))

    def _resize(self) -> str:
        factor = self._pair(1, 2)
        if not self._grows(factor[0] * factor[1]):
            return self._pool()
        kind = self.builder.resize_nearest if self.rng.integers(2) else self.builder.resize_bilinear
        return kind(self._name("larger"), self.x, factor)

    def _to_space(self) -> str:
        block = self._pair(1, 2)
        self.x = self._leg(block[0] * block[1] * self._one((1, 2, 3)))
        return self.builder.depth_to_space(self._name("space"), self.x, block)

    def _lookup(self) -> str:
        if self._bits > _TABLE_BITS:
            self.x = self.builder.requant(self._name("narrow"), self.x, QType(_TABLE_BITS, True, 3))
        kind = self._type()
        entries = self.rng.integers(kind.qmin, kind.qmax + 1, size=1 << self._bits)
        return self.builder.lookup(self._name("table"), self.x, IntArray.of(entries), kind)
