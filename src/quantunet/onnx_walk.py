"""The state of reading an ONNX file: what is known of each tensor so far, and what every handler of an op needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from quantunet.errors import FileFormatError, LayoutError, ShapeError, UnsupportedOpError
from quantunet.ir import Array, Pair, Sides
from quantunet.normalise import Builder
from quantunet.onnx_file import Attributes, OnnxFile, Op, Reals
from quantunet.values import AnyValue, Place

Axes = tuple[str, ...]
"""The order of a tensor's axes in the file: ``n``, ``c``, ``h`` and ``w``; several letters where axes were merged, none
for an axis of size 1 that was put in."""

ORDERS: dict[int, Axes] = {2: ("n", "c"), 3: ("n", "c", "w"), 4: ("n", "c", "h", "w")}
"""The axes of a vector, a signal and an image, channels first."""

LAST: dict[int, Axes] = {2: ("n", "c"), 3: ("n", "w", "c"), 4: ("n", "h", "w", "c")}
"""Channels last."""

_WORDS = {"n": "batch", "c": "channels", "h": "height", "w": "width"}


@dataclass(frozen=True)
class Constant:
    """A constant of the file.

    Attributes:
        values: Real numbers; those of a quantised constant are rounded to float64 where that does not hold them.
        codes: The integers of a quantised constant.
        scales: What their integer 1 stands for; they broadcast.
        bits: The width that the last quantizer declared, the sign included.
        whole: Whether the file holds integers.
    """

    values: Reals
    codes: Array | None = None
    scales: Reals | None = None
    bits: int = 0
    whole: bool = False

    def turned(self, order: Sequence[int]) -> Constant:
        """Return it with its axes in another order."""
        if self.codes is None or self.scales is None:
            return replace(self, values=self.values.transpose(order))
        scales = np.broadcast_to(self.scales, self.values.shape).transpose(order)
        return replace(self, values=self.values.transpose(order), codes=self.codes.transpose(order), scales=scales)

    def reshaped(self, shape: Sequence[int]) -> Constant:
        """Return it in another shape."""
        if self.codes is None or self.scales is None:
            return replace(self, values=self.values.reshape(shape))
        scales = np.broadcast_to(self.scales, self.values.shape).reshape(shape)
        return replace(self, values=self.values.reshape(shape), codes=self.codes.reshape(shape), scales=scales)

    def fractions(self) -> list[Fraction]:
        """Return its numbers, exact, in C order."""
        if self.codes is None or self.scales is None:
            return [Fraction(value) for value in self.values.reshape(-1).tolist()]
        scales = np.broadcast_to(self.scales, self.values.shape).reshape(-1).tolist()
        return [code * Fraction(scale) for code, scale in zip(self.codes.reshape(-1).tolist(), scales, strict=True)]


@dataclass(frozen=True)
class Carried:
    """What the network computes, with the order of its axes in the file.

    Attributes:
        value: The value.
        axes: The order of its axes.
        turned: The transposition that has brought them into this order.
        integers: Of what ``QuantizeLinear`` returns: the scale and the zero point; the value is what they stand for.
    """

    value: AnyValue
    axes: Axes
    turned: str = ""
    integers: tuple[Fraction, int] | None = None

    def size(self, axis: int) -> int:
        """Return the size of an axis of the file."""
        height, width, channels = self.value.shape
        sizes = {"n": 1, "c": channels, "h": height, "w": width}
        size = 1
        for letter in self.axes[axis]:
            size *= sizes[letter]
        return size

    @property
    def dims(self) -> list[int]:
        """The shape in the file."""
        return [self.size(axis) for axis in range(len(self.axes))]

    def letters(self, axis: int) -> str:
        """Return the letters of an axis whose size is not 1."""
        height, width, channels = self.value.shape
        sizes = {"n": 1, "c": channels, "h": height, "w": width}
        return "".join(letter for letter in self.axes[axis] if sizes[letter] > 1)

    def channel_axis(self, op: Op) -> int:
        """Return the axis that holds the channels alone.

        Raises:
            LayoutError: There is none.
        """
        for axis, letters in enumerate(self.axes):
            if letters == "c":
                return axis
        raise LayoutError(
            op.name, expected="a tensor with an axis of channels", got=described(self.axes),
            hint="Give the file with the channels first, as torch exports it.",
        )  # fmt: skip


def described(axes: Axes) -> str:
    """Return the order of axes in words."""
    return ", ".join(" and ".join(_WORDS[letter] for letter in letters) or "1" for letters in axes)


@dataclass
class Walk:
    """The state of one import."""

    file: OnnxFile
    builder: Builder
    values: dict[str, Carried | Constant] = field(default_factory=dict)

    def get(self, op: Op, index: int) -> Carried | Constant:
        """Return an input of an op.

        Raises:
            FileFormatError: No earlier node writes it.
        """
        name = op.input(index)
        if name not in self.values:
            if name not in self.file.constants:
                raise FileFormatError(
                    op.name, expected="an input that an earlier node writes", got=f"'{name}'",
                    hint="Sort the nodes of the file, or export it again.",
                )  # fmt: skip
            constants = self.file.constants
            reals = constants.reals(name, op.name, self.file.role(name))
            self.values[name] = Constant(reals, whole=constants.whole(name))
        return self.values[name]

    def tensor(self, op: Op, index: int = 0) -> Carried:
        """Return an input that the network computes.

        Raises:
            UnsupportedOpError: It is a constant.
        """
        found = self.get(op, index)
        if isinstance(found, Constant):
            raise UnsupportedOpError(
                op.name, expected=f"a tensor of the network as input {index}", got=f"the constant '{op.input(index)}'"
            )
        return found

    def constant(self, op: Op, index: int, what: str) -> Constant:
        """Return an input that is a constant.

        Raises:
            UnsupportedOpError: The network computes it.
        """
        found = self.get(op, index)
        if not isinstance(found, Constant):
            raise UnsupportedOpError(
                op.name, expected=f"constant {what}", got=f"'{op.input(index)}', which the network computes",
                hint="Export the network in evaluation mode.",
            )  # fmt: skip
        return found

    def integers(self, op: Op, index: int, what: str) -> list[int]:
        """Return an input that is a list of constant integers."""
        values = self.constant(op, index, what).values
        if (values != np.rint(values)).any():
            raise FileFormatError(op.name, expected=f"integers as {what}", got="fractions")
        return [int(value) for value in values.reshape(-1).tolist()]

    def scalar(self, op: Op, index: int, what: str) -> float:
        """Return an input that is one constant number."""
        values = self.constant(op, index, what).values
        if values.size != 1:
            raise UnsupportedOpError(op.name, expected=f"one number as {what}", got=f"{values.size} numbers")
        return float(values.flat[0])

    def ordered(self, op: Op, tensor: Carried, order: Axes) -> AnyValue:
        """Return a value for an op that reads its axes in an order.

        Raises:
            LayoutError: They stand in another order.
        """
        fits = len(tensor.axes) == len(order) and all(
            tensor.letters(axis) == (letter if tensor.size(axis) > 1 else "") for axis, letter in enumerate(order)
        )
        if not fits:
            raise LayoutError(
                tensor.turned or op.name,
                expected=f"axes in the order {described(order)} where '{op.name}' reads them",
                got=f"{'a Transpose to ' if tensor.turned else ''}{described(tensor.axes)}",
                hint="Give the file with the channels first, as torch exports it.",
            )
        return tensor.value

    def order(self, op: Op, tensor: Carried) -> Axes:
        """Return the order of axes that an op reads: channels first, or last where qonnx' wrapper says so.

        Raises:
            ShapeError: It has another number of axes than a vector, a signal or an image.
        """
        rank = len(tensor.axes)
        if rank not in ORDERS:
            raise ShapeError(op.name, expected="a tensor of two to four axes", got=f"{rank} axes")
        return LAST[rank] if op.channels_last else ORDERS[rank]


def place_of(op: Op) -> Place:
    """Return where the layers of an op stand."""
    return Place(op.name, op.order, f"{op.name}_out")


def expect(op: Op, name: str, got: object, allowed: object) -> None:
    """Check an attribute.

    Raises:
        UnsupportedOpError: It has another value.
    """
    if got != allowed:
        raise UnsupportedOpError(op.name, expected=f"{name} = {allowed}", got=f"{op.kind} with {name} = {got}")


def pair_of(op: Op, key: str, rank: int) -> Pair:
    """Return an attribute of rows and columns; of a one-dimensional op its one number is of the columns.

    Raises:
        FileFormatError: It has another length, or sizes below 1.
    """
    found = op.attributes.integers(key) or [1] * rank
    if len(found) != rank or min(found) < 1:
        raise FileFormatError(op.name, expected=f"{rank} sizes of 1 or more as {key}", got=str(found))
    return (1, found[0]) if rank == 1 else (found[0], found[1])


def sides_of(pads: Sequence[int]) -> Sides:
    """Return ONNX' pads (begins, then ends) as top, left, bottom, right.

    >>> sides_of([1, 2, 3, 4]), sides_of([5, 6])
    ((1, 2, 3, 4), (0, 5, 0, 6))
    """
    return (0, pads[0], 0, pads[1]) if len(pads) == 2 else (pads[0], pads[1], pads[2], pads[3])


def pads_of(
    op: Op, attributes: Attributes, kernel: Sequence[int], stride: Sequence[int], size: Sequence[int]
) -> list[int]:
    """Return the pads (all begins, then all ends) that a node asks for, in pixels.

    Args:
        op: The node.
        attributes: Its attributes.
        kernel: Pixels from the first to the last tap.
        stride: From one window to the next.
        size: Of the image.

    Raises:
        FileFormatError: Both ``pads`` and ``auto_pad``, or another number of pads.
        UnsupportedOpError: Pads below 0, or another ``auto_pad``.
    """
    rank = len(size)
    given = attributes.integers("pads")
    auto = attributes.text("auto_pad", "NOTSET")
    if given is not None and len(given) != 2 * rank:
        raise FileFormatError(op.name, expected=f"{2 * rank} pads", got=str(given))
    if auto == "NOTSET":
        pads = [0] * 2 * rank if given is None else given
        if min(pads) < 0:
            raise UnsupportedOpError(op.name, expected="pads of 0 or more", got=str(pads))
        return pads
    if auto == "VALID":
        pads = [0] * 2 * rank
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        totals = [
            max((-(-length // step) - 1) * step + taps - length, 0)
            for taps, step, length in zip(kernel, stride, size, strict=True)
        ]
        small, large = [total // 2 for total in totals], [total - total // 2 for total in totals]
        pads = [*small, *large] if auto == "SAME_UPPER" else [*large, *small]
    else:
        raise UnsupportedOpError(op.name, expected="auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER", got=auto)
    if given is not None and any(given):
        raise FileFormatError(
            op.name, expected="either pads or auto_pad", got=f"{given} and {auto}", hint="Remove one of the two."
        )
    return pads
