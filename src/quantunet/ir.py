"""The integer graph: frozen values that say exactly what the hardware computes.

Every room starts from this graph and from nothing else. A tensor holds integers ``q`` in ``(height, width, channels)``
order; its :class:`QType` gives the real value ``q * 2**-frac``. Graphs are compared with ``==``, survive a JSON round
trip unchanged (:mod:`quantunet.graph_file`), and are checked by :func:`quantunet.graph_check.check`.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from quantunet.errors import ModelError
from quantunet.ops import table
from quantunet.pixels import Pixels
from quantunet.suggestions import hinted

Array = npt.NDArray[np.int64]
Shape = tuple[int, int, int]
Pair = tuple[int, int]
"""Of rows and of columns."""
Sides = tuple[int, int, int, int]
"""Rows at the top, columns at the left, rows at the bottom, columns at the right."""

MIN_BITS = 1
MAX_BITS = 16
"""Bit-widths of tensors and weights that a graph may hold."""

MAX_ACCUMULATOR_BITS = 48
"""Accumulators wider than this are refused: float64 and the RTL's helper integers would no longer be exact. A tensor
may be as wide where it holds exact sums that a requantisation reads next."""

MAX_PRODUCT_BITS = 62
"""Of a sum times its multiplier, with the offset: what the helper integers of :class:`Affine` hold."""

MAX_TENSOR_VALUES = 1 << 26
"""Values of one tensor, or weights of one layer: 8192 x 8192 pixels. A larger one is a damaged file."""

MAX_FRAC = 256
"""Most fractional bits, and most negative ones, of a type: scales beyond do not come from a training."""

FORMAT = "quantunet-graph-2"

FORMATS = ("quantunet-graph-1", FORMAT)
"""What is read: the first lacks fields that have a default now."""


@dataclass(frozen=True)
class QType:
    """An integer type with a power-of-two scale.

    Attributes:
        bits: Width, including the sign bit.
        signed: Two's complement if true.
        frac: Fractional bits; the value of the integer ``q`` is ``q * 2**-frac``. May be negative.
    """

    bits: int
    signed: bool
    frac: int

    @property
    def qmin(self) -> int:
        """The smallest integer of the type."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def qmax(self) -> int:
        """The largest integer of the type."""
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @property
    def scale(self) -> float:
        """The real value of the integer 1."""
        return math.ldexp(1.0, -self.frac)

    @property
    def half(self) -> int:
        """The least integer that stands for 1/2 or more, whether the type holds it or not."""
        return 1 << max(self.frac - 1, 0)

    def __str__(self) -> str:
        return f"{'s' if self.signed else 'u'}{self.bits}.{self.frac}"

    @classmethod
    def parse(cls, text: str) -> QType:
        """Return the type of a text as ``str`` makes it.

        Raises:
            ValueError: There is no such type.

        >>> QType.parse("s8.5"), str(QType.parse("u4.-2"))
        (QType(bits=8, signed=True, frac=5), 'u4.-2')
        """
        found = re.fullmatch(r"([su])([1-9][0-9]?)\.(-?[0-9]{1,3})", text)
        if found is None or not MIN_BITS <= int(found[2]) <= MAX_BITS or abs(int(found[3])) > MAX_FRAC:
            message = f"{text!r} is no type such as u8.8 or s16.10 (signed or not, bits, fractional bits)"
            raise ValueError(message)
        return cls(int(found[2]), found[1] == "s", int(found[3]))


INPUT_TYPE = QType(bits=8, signed=False, frac=8)
"""The sensor's byte, read as a value in [0, 1)."""

PROBABILITY_TYPE = QType(bits=8, signed=False, frac=8)
"""The output of a sigmoid's table."""

MASK_TYPE = QType(bits=1, signed=False, frac=0)
"""A mask's pixel: 1 is the foreground, 0 the background."""


def window_places(length: int, kernel: int, stride: int, dilation: int = 1) -> int:
    """Return how many windows lie inside a row or a column; none or less where not even one fits.

    >>> window_places(7, 3, 2), window_places(7, 3, 1, dilation=3), window_places(2, 3, 1)
    (3, 1, 0)
    """
    return (length - (kernel - 1) * dilation - 1) // stride + 1


@dataclass(frozen=True)
class IntArray:
    """An immutable int64 array that can be compared and hashed.

    Attributes:
        shape: The array's shape.
        data: The values, little-endian int64 in C order.
    """

    shape: tuple[int, ...]
    data: bytes = dataclasses.field(repr=False)

    @classmethod
    def of(cls, values: npt.ArrayLike) -> IntArray:
        """Copy integers into an immutable array.

        Args:
            values: Integers of any shape.

        Raises:
            TypeError: The values are not integers.
        """
        array = np.asarray(values)
        if array.dtype.kind not in "iub":
            message = f"an IntArray holds integers, not {array.dtype}"
            raise TypeError(message)
        return cls(tuple(array.shape), array.astype("<i8").tobytes())

    @cached_property
    def array(self) -> Array:
        """The values as a read-only int64 array."""
        return np.frombuffer(self.data, dtype="<i8").reshape(self.shape)

    def encoded(self) -> dict[str, object]:
        """The array in a graph's JSON."""
        compressed = zlib.compress(self.data, 1)  # level 6: a third less, six times slower
        return {"shape": list(self.shape), "zlib_int64": base64.b64encode(compressed).decode()}


@dataclass(frozen=True)
class Tensor:
    """A named tensor of one image, ``(height, width, channels)``.

    Attributes:
        name: Its name.
        shape: Height, width and channels.
        qtype: The type of its integers.
        unit: The real value of the integer 1 where ``qtype.frac`` does not say it, which only shifts then; it is
            information for people alone, since hardware sees integers only.
    """

    name: str
    shape: Shape
    qtype: QType
    unit: Fraction | None = None


@dataclass(frozen=True)
class Node:
    """One op of the network: reads tensors and writes one. Every op is a class of its own.

    Attributes:
        name: The layer's name.
        inputs: Names of the tensors that it reads.
        output: Name of the tensor that it writes.
    """

    op: ClassVar[str]
    """The stem of the op: its name in every table and its file's name in every room."""

    arity: ClassVar[int] = 1
    """How many tensors it reads."""

    is_class: ClassVar[bool] = False
    """Whether the output is the class of each pixel, of logits that it reads."""

    is_mask: ClassVar[bool] = False
    """Whether the output is the mask itself: 1 is the foreground, 0 the background."""

    reads_sums: ClassVar[bool] = False
    """Whether its input may be wider than ``MAX_BITS``: exact sums of another layer."""

    name: str
    inputs: tuple[str, ...]
    output: str

    @property
    def native(self) -> bool:
        """Whether it is a convolution of a geometry that has a module of its own, which takes its pixels evenly."""
        return False

    @property
    def is_probability(self) -> bool:
        """Whether the output is a probability that is at least 1/2 exactly where the input is not negative."""
        return False

    @property
    def weight_bits(self) -> int:
        """Width of a weight; 0 where there is none."""
        return 0

    requantises: ClassVar[bool] = False
    """Whether it rounds its sums to the output's type itself, by a power of two."""

    multiplies: ClassVar[bool] = False
    """Whether its hardware has multipliers, so that a fold says of what they are made."""

    tied_lanes: ClassVar[bool] = True
    """Whether the hardware reads as many channels at a time as it writes: PE and SIMD are one number."""

    def macs(self, source: Shape, target: Shape) -> int:
        """Return the multiplications for one frame, from the shapes of the first input and of the output."""
        return 0

    def work(self, source: Shape, target: Shape) -> int:
        """Return the cycles in which the busiest resource has work for one frame, with one lane (PE and SIMD of 1)."""
        return max(math.prod(source), math.prod(target))

    def lane_limits(self, sources: Sequence[Shape], target: Shape) -> Pair:
        """Return the channels that PE and SIMD must divide, from the shapes of the inputs and of the output."""
        shared = math.gcd(*(shape[2] for shape in sources), target[2])
        return shared, shared


@dataclass(frozen=True)
class MatrixNode(Node):
    """An op that multiplies by weights, adds a bias and requantises: ``requantise(sum x * weight + bias)``.

    Attributes:
        weight: ``(kernel height, kernel width, channels_in, channels_out)`` in ``weight_type``.
        weight_type: The weights' type.
        bias: ``(channels_out,)`` at ``frac = weight_type.frac + input.frac``.
    """

    requantises: ClassVar[bool] = True
    multiplies: ClassVar[bool] = True
    tied_lanes: ClassVar[bool] = False

    weight: IntArray
    weight_type: QType
    bias: IntArray

    @property
    def weight_bits(self) -> int:
        """Width of a weight."""
        return self.weight_type.bits

    @property
    def phases(self) -> tuple[Array, ...]:
        """Sets of weights that meet in one accumulator, each int64 ``(taps, taps, channels_in, channels_out)``."""
        return (self.weight.array,)

    @property
    def terms(self) -> int:
        """Products in one accumulator, at most."""
        return max(math.prod(weight.shape[:3]) for weight in self.phases)

    def macs(self, source: Shape, target: Shape) -> int:
        """Return the multiplications for one frame: one for each product of each output value."""
        return math.prod(target) * self.terms

    def work(self, source: Shape, target: Shape) -> int:
        """Return the cycles in which one multiplier has work for one frame."""
        return self.macs(source, target)

    def lane_limits(self, sources: Sequence[Shape], target: Shape) -> Pair:
        """Return the channels that PE and SIMD must divide: those of the output and those of the input."""
        return target[2], sources[0][2]


@dataclass(frozen=True)
class Conv2d(MatrixNode):
    """Convolution with bias and requantisation.

    ``y[h, w, co] = requantise(sum x[h*sh + dy*dh, w*sw + dx*dw, ci] * weight[dy, dx, ci, co] + bias[co])``. ``padded``
    moves the window by ``-(k // 2)``, and pixels outside the image are the integer 0. The rectifier is an unsigned
    output type. Output channel ``co`` of group ``g = co // (channels_out / groups)`` sees the input channels from
    ``g * channels_in / groups`` on.

    Attributes:
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns from one tap to the next.
        groups: Groups of channels that do not meet; the weights' third axis has the input channels of one.
        padded: Same padding; at stride 1, dilation 1 and in one group alone, kernel 3x3 or 1x1. Another padding is a
            layer of its own, :class:`Pad`.
    """

    op: ClassVar[str] = "conv2d"

    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1
    padded: bool = True

    @property
    def native(self) -> bool:
        """Whether each pixel becomes one, of itself or of the 3x3 pixels around it, in one group."""
        point = self.weight.shape[:2] == (1, 1)
        return self.padded or (point and self.stride == (1, 1) and self.groups == 1)

    def lane_limits(self, sources: Sequence[Shape], target: Shape) -> Pair:
        """Return the channels that PE and SIMD must divide: those of one group."""
        return target[2] // self.groups, sources[0][2] // self.groups


@dataclass(frozen=True)
class DepthwiseConv2d(MatrixNode):
    """Convolution of each channel by itself, without padding, with bias and requantisation.

    ``y[h, w, c] = requantise(sum x[h*sh + dy*dh, w*sw + dx*dw, c] * weight[dy, dx, 0, c] + bias[c])``.

    Attributes:
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns from one tap to the next.
    """

    op: ClassVar[str] = "depthwise_conv2d"
    tied_lanes: ClassVar[bool] = True

    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)

    def work(self, source: Shape, target: Shape) -> int:
        """Return the cycles of its input port, or those in which one multiplier has work for one frame."""
        return max(math.prod(source), self.macs(source, target))

    def lane_limits(self, sources: Sequence[Shape], target: Shape) -> Pair:
        """Return the channels that PE and SIMD, which are one number, must divide."""
        return target[2], target[2]


@dataclass(frozen=True)
class ConvTranspose2d(MatrixNode):
    """Transpose convolution with bias and requantisation.

    ``full[h*sh + dy, w*sw + dx, co] += x[h, w, ci] * weight[dy, dx, ci, co]``, and ``y = requantise(full + bias)``
    without the rows and columns that ``crop`` names. With a kernel larger than the stride, at least ``kernel - stride``
    are cropped at every side, so that no output pixel lacks a tap: the input is padded first (:class:`Pad`).

    Attributes:
        stride: Rows and columns of the output from one input pixel to the next.
        crop: Rows and columns of the full output that are left out.
    """

    op: ClassVar[str] = "conv_transpose2d"

    stride: Pair = (2, 2)
    crop: Sides = (0, 0, 0, 0)

    @property
    def native(self) -> bool:
        """Whether each input pixel makes 2x2 output pixels of its own."""
        return (self.weight.shape[:2], self.stride, self.crop) == ((2, 2), (2, 2), (0, 0, 0, 0))

    @property
    def phases(self) -> tuple[Array, ...]:
        """The weights of each phase: of the output pixels at one place within the stride."""
        rows, columns = self.stride
        return tuple(self.weight.array[row::rows, column::columns] for row in range(rows) for column in range(columns))

    def macs(self, source: Shape, target: Shape) -> int:
        """Return the multiplications for one frame: each output pixel has the taps of its phase."""
        rows, columns = (
            sum(len(range((place + crop) % stride, taps, stride)) for place in range(length))
            for taps, stride, crop, length in zip(
                self.weight.shape[:2], self.stride, self.crop[:2], target[:2], strict=True
            )
        )
        return rows * columns * source[2] * target[2]


@dataclass(frozen=True)
class MaxPool2d(Node):
    """Maximum over windows, without padding; the type does not change.

    Attributes:
        kernel: Rows and columns of a window.
        stride: Rows and columns from one window to the next.
    """

    op: ClassVar[str] = "maxpool2d"
    adds: ClassVar[bool] = False
    """Whether the pixels of a window are added."""

    kernel: Pair = (2, 2)
    stride: Pair = (2, 2)

    def halves(self, source: Shape) -> bool:
        """Return whether it makes one pixel of each 2x2 of an image of even height and width."""
        return self.kernel == self.stride == (2, 2) and source[0] % 2 == source[1] % 2 == 0

    def work(self, source: Shape, target: Shape) -> int:
        """Return the cycles of its input port, or those in which it takes a value of a window."""
        return max(math.prod(source), math.prod(target) * math.prod(self.kernel))


@dataclass(frozen=True)
class SumPool2d(Node):
    """Exact sum over windows, without padding: the mean, at another scale.

    ``y[h, w, c] = sum x[h*sh + dy, w*sw + dx, c]``. The output type holds every sum; what it says of the scale is that
    of the mean where a window has a power of two of pixels.

    Attributes:
        kernel: Rows and columns of a window.
        stride: Rows and columns from one window to the next.
    """

    op: ClassVar[str] = "sumpool2d"
    adds: ClassVar[bool] = True
    """Whether the pixels of a window are added."""

    kernel: Pair = (2, 2)
    stride: Pair = (2, 2)

    def work(self, source: Shape, target: Shape) -> int:
        """Return the cycles of its input port, or those in which it takes a value of a window."""
        return max(math.prod(source), math.prod(target) * math.prod(self.kernel))


@dataclass(frozen=True)
class Requant(Node):
    """Requantisation from the input's type to the output's type, both with power-of-two scales."""

    op: ClassVar[str] = "requant"
    reads_sums: ClassVar[bool] = True


@dataclass(frozen=True)
class Affine(Node):
    """General requantisation, with constants of each channel: any scale, BatchNorm, LeakyReLU, PReLU, any rounding.

    ``y[h, w, c] = limit(R((x[h, w, c] * m[c] + b[c]) / 2**shift))``, where ``m`` and ``b`` are ``multiplier`` and
    ``offset`` for ``x >= split[c]``, and ``lower_multiplier`` and ``lower_offset`` below. ``R`` rounds down, or half to
    even where ``even`` is set. ``limit`` clamps to ``low`` and ``high``, or keeps the low bits of the output's
    type where ``wraps`` is set.

    Attributes:
        multiplier: ``(channels,)``.
        offset: ``(channels,)``.
        split: ``(channels,)``, the least input of the upper branch; a bias in front of a LeakyReLU moves it from 0.
        lower_multiplier: ``(channels,)``; equal to ``multiplier`` where there is but one branch.
        lower_offset: ``(channels,)``; equal to ``offset`` where there is but one branch.
        shift: Binary places that are dropped, 0 to 62.
        low: The least output, not below the least of the output's type: a narrow range, or a zero point.
        high: The greatest output, not above the greatest of the output's type.
        even: Whether it rounds half to even instead of down.
        wraps: Whether what does not fit the output's type wraps around; ``low`` and ``high`` are the type's then.
    """

    op: ClassVar[str] = "affine"
    reads_sums: ClassVar[bool] = True
    multiplies: ClassVar[bool] = True

    multiplier: IntArray
    offset: IntArray
    split: IntArray
    lower_multiplier: IntArray
    lower_offset: IntArray
    shift: int
    low: int
    high: int
    even: bool = False
    wraps: bool = False


@dataclass(frozen=True)
class Concat(Node):
    """Concatenation along the channels: first the skip leg, then the up leg, both of one type."""

    op: ClassVar[str] = "concat"
    arity: ClassVar[int] = 2


@dataclass(frozen=True)
class Add(Node):
    """Weighted sum of two tensors of one shape, requantised: ``y = requantise(g0 * a + g1 * b)``, exact before it.

    The scales of both and of the output may differ. Where the output's scale is at least as fine as both inputs', each
    is brought to it exactly and the sum saturates.

    Attributes:
        gains: ``g0`` and ``g1``, whole numbers; ``(1, -1)`` is a difference.
    """

    op: ClassVar[str] = "add"
    arity: ClassVar[int] = 2
    requantises: ClassVar[bool] = True

    gains: Pair = (1, 1)


@dataclass(frozen=True)
class Multiply(Node):
    """Exact product of two tensors, pixel by pixel; the second has as many channels, or one for all (a gate).

    ``y[h, w, c] = a[h, w, c] * b[h, w, c]``, or ``* b[h, w, 0]``. The output type holds every product.
    """

    op: ClassVar[str] = "multiply"
    arity: ClassVar[int] = 2
    multiplies: ClassVar[bool] = True

    def macs(self, source: Shape, target: Shape) -> int:
        """Return the multiplications for one frame: one for each output value."""
        return math.prod(target)

    def lane_limits(self, sources: Sequence[Shape], target: Shape) -> Pair:
        """Return the channels that PE and SIMD must divide; a gate's one channel has one lane."""
        return target[2], target[2]


@dataclass(frozen=True)
class Maximum(Node):
    """The greater of two tensors of one shape and one type, value by value."""

    op: ClassVar[str] = "maximum"
    arity: ClassVar[int] = 2


@dataclass(frozen=True)
class ResizeNearest(Node):
    """Each pixel repeated: ``y[h, w, c] = x[h // fh, w // fw, c]``; the type does not change.

    Attributes:
        factor: Rows and columns that a pixel becomes.
    """

    op: ClassVar[str] = "resize_nearest"

    factor: Pair = (2, 2)


@dataclass(frozen=True)
class ResizeBilinear(Node):
    """Twice the size, linear between the centres of pixels, edges repeated: an exact sum.

    Along an axis that doubles, ``y[2i] = x[i - 1] + 3 * x[i]`` and ``y[2i + 1] = 3 * x[i] + x[i + 1]`` with indices
    held inside the image: four times the value, so that the output's ``frac`` is two larger for each such axis.

    Attributes:
        factor: 2 or 1, of rows and of columns.
    """

    op: ClassVar[str] = "resize_bilinear"

    factor: Pair = (2, 2)


@dataclass(frozen=True)
class DepthToSpace(Node):
    """Channels become pixels: ``y[h*bh + i, w*bw + j, c] = x[h, w, (i*bw + j) * channels_out + c]``.

    Attributes:
        block: Rows and columns that a pixel becomes.
    """

    op: ClassVar[str] = "depth_to_space"

    block: Pair = (2, 2)


@dataclass(frozen=True)
class Pad(Node):
    """Pixels of one constant around the image; the type does not change.

    Attributes:
        sides: How many.
        value: The integer of every channel of these pixels.
    """

    op: ClassVar[str] = "pad"

    sides: Sides = (1, 1, 1, 1)
    value: int = 0


@dataclass(frozen=True)
class Crop(Node):
    """The image without some rows and columns at its sides; the type does not change.

    Attributes:
        sides: How many.
    """

    op: ClassVar[str] = "crop"

    sides: Sides = (1, 1, 1, 1)


@dataclass(frozen=True)
class Argmax(Node):
    """The channel of the greatest value, the first of equals: one channel, unsigned, of scale 1."""

    op: ClassVar[str] = "argmax"
    is_class: ClassVar[bool] = True
    tied_lanes: ClassVar[bool] = False

    def lane_limits(self, sources: Sequence[Shape], target: Shape) -> Pair:
        """Return the channels that PE and SIMD must divide: the one of the output, and those of the input."""
        return 1, sources[0][2]


@dataclass(frozen=True)
class Lookup(Node):
    """Any function of one value: a table over the whole range of the input.

    Attributes:
        table: ``(2**bits,)``; the entry of the integer ``q`` is ``table[q - qmin]``.
        probability: Whether the output is a probability, as a sigmoid's; at a network's end it keeps the mask's
            threshold. Files of the first format have no other tables.
    """

    op: ClassVar[str] = "lookup"

    table: IntArray
    probability: bool = True

    @property
    def is_probability(self) -> bool:
        """Whether the output is a probability that is at least 1/2 exactly where the input is not negative."""
        return self.probability


@dataclass(frozen=True)
class SmallestArea(Node):
    """A mask that is empty where its foreground is too small: one channel of one bit, 1 is the foreground.

    ``y[h, w, 0] = x[h, w, 0]`` where ``sum x >= area`` over the frame, or else 0.

    Attributes:
        area: Pixels of the smallest foreground that is kept, 1 to those of the frame.
    """

    op: ClassVar[str] = "smallest_area"
    is_mask: ClassVar[bool] = True

    area: int


NODE_TYPES: Mapping[str, type[Any]] = table(
    "quantunet.ir.NODE_TYPES",
    {
        kind.op: kind
        for kind in (
            Conv2d,
            ConvTranspose2d,
            DepthwiseConv2d,
            MaxPool2d,
            SumPool2d,
            Requant,
            Concat,
            Add,
            Lookup,
            Maximum,
            Multiply,
            Argmax,
            SmallestArea,
            Affine,
            Pad,
            Crop,
            ResizeNearest,
            ResizeBilinear,
            DepthToSpace,
        )
    },
)

RENAMED: Mapping[str, str] = {"sigmoid": Lookup.op}
"""Ops by the names that they have in files of the first format, and in the digests of networks for good."""


@dataclass(frozen=True)
class Reading:
    """What the integers of a network's output stand for, where no type says it: ``gain * q + offset``.

    Attributes:
        gain: One of each channel.
        offset: One of each channel.
    """

    gain: tuple[Fraction, ...]
    offset: tuple[Fraction, ...]

    def whole(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return gains and offsets times one positive number that makes all of them integers: order and sign stay."""
        bottom = math.lcm(*(value.denominator for value in (*self.gain, *self.offset)))
        return tuple(int(value * bottom) for value in self.gain), tuple(int(value * bottom) for value in self.offset)


@dataclass(frozen=True)
class Graph:
    """A network: tensors and the nodes that make them, in topological order.

    Attributes:
        name: The network's name, a valid identifier.
        inputs: Names of the input tensors; a network has one, a single concatenation two.
        output: Name of the output tensor.
        tensors: Every tensor, each once.
        nodes: Every node, each after the nodes that it reads.
        pixels: What the byte of a picture means to the network.
        reading: What the output's integers stand for; ``None`` where its type, or its unit, says it.
    """

    name: str
    inputs: tuple[str, ...]
    output: str
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    pixels: Pixels = Pixels()
    reading: Reading | None = None

    @cached_property
    def _tensors(self) -> Mapping[str, Tensor]:
        return {tensor.name: tensor for tensor in self.tensors}

    @cached_property
    def _nodes(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def _producers(self) -> Mapping[str, Node]:
        return {node.output: node for node in self.nodes}

    @cached_property
    def _readers(self) -> Mapping[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    def tensor(self, name: str) -> Tensor:
        """Return the tensor of that name.

        Raises:
            ModelError: There is none.
        """
        try:
            return self._tensors[name]
        except KeyError:
            raise ModelError(
                self.name, expected="a tensor of the graph", got=f"'{name}'", hint="The graph is damaged."
            ) from None

    def node(self, name: str) -> Node:
        """Return the node of that name.

        Raises:
            ModelError: There is none; the message lists the names.
        """
        try:
            return self._nodes[name]
        except KeyError:
            names = ", ".join(self._nodes)
            raise ModelError(
                self.name,
                expected="the name of a layer",
                got=f"'{name}'",
                hint=hinted(name, self._nodes, f"The layers are: {names}."),
            ) from None

    def producer(self, tensor: str) -> Node | None:
        """Return the node that writes a tensor; ``None`` for the network's input."""
        return self._producers.get(tensor)

    def consumers(self, tensor: str) -> tuple[Node, ...]:
        """Return the nodes that read a tensor, in order."""
        return self._readers.get(tensor, ())

    def input_of(self, node: Node, index: int = 0) -> Tensor:
        """Return a node's input tensor."""
        return self.tensor(node.inputs[index])

    def output_of(self, node: Node) -> Tensor:
        """Return a node's output tensor."""
        return self.tensor(node.output)

    @property
    def input(self) -> str:
        """Name of the input tensor of a network with one input.

        Raises:
            ModelError: The graph has another number of inputs.
        """
        if len(self.inputs) != 1:
            raise ModelError(self.name, expected="one input", got=", ".join(self.inputs))
        return self.inputs[0]

    @property
    def logits(self) -> Tensor:
        """The tensor whose sign is the mask, or whose greatest channel is the class.

        It is the input of the op that makes probabilities or classes of it, or else the output; of a network that
        :attr:`gives_mask` it is the mask.
        """
        last = self._producers[self.output]
        return self.input_of(last) if last.is_probability or last.is_class else self.tensor(self.output)

    @property
    def gives_probabilities(self) -> bool:
        """Whether the output is probabilities, and not the logits themselves."""
        return self._producers[self.output].is_probability

    @property
    def gives_classes(self) -> bool:
        """Whether the output is the class of each pixel, and not the logits."""
        return self._producers[self.output].is_class

    @property
    def gives_mask(self) -> bool:
        """Whether the output is the mask itself, 1 or 0 for each pixel, and not the logits."""
        return self._producers[self.output].is_mask

    def layer(self, name: str) -> Graph:
        """Return the graph of one layer alone; its inputs are the layer's inputs."""
        node = self.node(name)
        tensors = tuple(self.tensor(tensor) for tensor in dict.fromkeys((*node.inputs, node.output)))
        return Graph(name, node.inputs, node.output, tensors, (node,))
