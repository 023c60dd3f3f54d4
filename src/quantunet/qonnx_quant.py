"""Reading QONNX' quantizers: the rule of an activation, and the exact values of a quantised constant.

Source: the operators ``Quant`` (also called ``IntQuant``) and ``BipolarQuant`` of QONNX, by the definitions in
``qonnx.custom_op.general``: inputs X, scale, zero point, bit-width; attributes ``signed``, ``narrow``,
``rounding_mode``. A signed quantizer of one bit is bipolar there: its integers are -1 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto

from quantunet.errors import ScaleError, ShapeError, UnsupportedOpError, WidthError
from quantunet.fraction_rounding import Rounding, away, bipolar, half_away, half_even, half_odd, half_to_zero
from quantunet.ir import MAX_BITS, MAX_FRAC, MIN_BITS, Array, QType
from quantunet.onnx_file import Attributes, Constants
from quantunet.values import Form, Rule

Reals = npt.NDArray[np.float64]

BIAS_MAX_BITS = 32

_ROUNDINGS: dict[str, Rounding] = {
    "ROUND": half_even,
    "HALF_EVEN": half_even,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "UP": away,
    "DOWN": math.trunc,
    "HALF_UP": half_away,
    "HALF_DOWN": half_to_zero,
}

_NEAR = 1e-6
"""How near a quotient of two float64 may be to the edge of a step and still be rounded as it is."""


@dataclass(frozen=True)
class Quantizer:
    """The parameters of one ``Quant`` node.

    Attributes:
        name: The node's name.
        bits: Width.
        signed: Whether negative integers exist.
        narrow: Whether the most negative (signed) or greatest (unsigned) integer is left out.
        scales: The real value of the integer 1; of each element that they broadcast to.
        zero: The zero point.
        rounding: From a fraction to an integer.
        rounds_first: Whether it rounds before the zero point is added (ONNX), and not behind it (QONNX).
    """

    name: str
    bits: int
    signed: bool
    narrow: bool
    scales: Reals
    zero: int
    rounding: Rounding
    rounds_first: bool = False

    @property
    def bipolar(self) -> bool:
        """Whether the integers are -1 and 1."""
        return self.signed and self.bits == 1

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest integer, before the zero point is subtracted."""
        qtype = QType(self.bits, self.signed, 0)
        return qtype.qmin + (self.narrow and self.signed), qtype.qmax - (self.narrow and not self.signed)

    @property
    def step(self) -> Fraction | None:
        """The real value of the integer 1, where it is one for the whole tensor."""
        return Fraction(float(self.scales.flat[0])) if (self.scales == self.scales.flat[0]).all() else None

    @property
    def centred(self) -> Rounding:
        """The rounding of ``x / scale`` whose result lacks the zero point."""
        if not self.zero or self.rounds_first or self.rounding in (math.floor, math.ceil):
            return self.rounding
        if self.rounding is half_even:
            return half_odd if self.zero % 2 else half_even
        zero, rounding = self.zero, self.rounding
        return lambda value: rounding(value + zero) - zero

    def rule(self) -> Rule:
        """Return what the quantizer does to an activation.

        Raises:
            ScaleError: It has a scale for each channel.
        """
        step = self.step
        if step is None:
            raise ScaleError(
                self.name, expected="one scale for the whole tensor", got=f"{self.scales.size} different scales",
                hint="Quantise activations per tensor.",
            )  # fmt: skip
        if self.bipolar:
            return Rule(step, -1, 1, None, bipolar)
        low, high = self.limits
        declared = None if self.zero else Form(self.bits, self.signed, step)
        return Rule(step, low - self.zero, high - self.zero, declared, self.centred)

    def integers(self, values: Reals) -> Array:
        """Return ``clamp(R(values / scale + zero), low, high) - zero``, exactly.

        Args:
            values: Finite real values.

        Returns:
            int64 of the same shape.

        Raises:
            ShapeError: The scales do not fit the shape of the values.
        """
        try:
            scales = np.broadcast_to(self.scales, values.shape)
        except ValueError as error:
            raise ShapeError(
                self.name, expected=f"a scale, or scales that fit {values.shape}", got=str(self.scales.shape)
            ) from error
        if self.bipolar:
            return np.where(values + self.zero * scales >= 0, 1, -1) - self.zero
        low, high = (limit - self.zero for limit in self.limits)
        with np.errstate(over="ignore"):  # an infinite quotient is clamped
            guess = np.clip(values / scales, low - 1.0, high + 1.0)
        rounding = self.centred
        quick = _QUICK.get(rounding)
        codes = np.zeros(values.shape, dtype=np.int64) if quick is None else quick(guess).astype(np.int64)
        unsure = np.ones(values.shape, dtype=bool) if quick is None else _near_an_edge(guess, rounding)
        pairs, where = np.unique(np.stack([values[unsure], scales[unsure]]), axis=1, return_inverse=True)
        exact = [self._code(float(value), float(scale), rounding) for value, scale in pairs.T]
        codes[unsure] = np.array(exact, dtype=np.int64)[where.reshape(-1)]
        return np.clip(codes, low, high)

    def _code(self, value: float, scale: float, rounding: Rounding) -> int:
        """Return a code by fractions, or one beyond the limits."""
        beyond = 2 << self.bits
        quotient = Fraction(value) / Fraction(scale)
        return rounding(quotient) if abs(quotient) < beyond else int(math.copysign(beyond, value)) - self.zero


_QUICK: dict[Rounding, Callable[[Reals], Reals]] = {
    half_even: np.rint,
    math.floor: np.floor,
    math.ceil: np.ceil,
    math.trunc: np.trunc,
    away: lambda x: np.sign(x) * np.ceil(np.abs(x)),
    half_away: lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    half_to_zero: lambda x: np.sign(x) * np.ceil(np.abs(x) - 0.5),
}
"""The same roundings of float64, right where a value is not near the edge of a step."""


def _near_an_edge(values: Reals, rounding: Rounding) -> npt.NDArray[np.bool_]:
    """Return where a quotient is so near to the edge of a step that float64 may be on the wrong side."""
    nearest = np.rint(2 * values)
    near = np.abs(2 * values - nearest) <= _NEAR * np.maximum(1, np.abs(values))
    return np.asarray(near & (nearest % 2 == 1) if rounding is half_even else near)


def read_quant(node: NodeProto, name: str, attributes: Attributes, constants: Constants, max_bits: int) -> Quantizer:
    """Read a ``Quant`` or ``IntQuant`` node.

    Args:
        node: The ONNX node.
        name: Its name in messages.
        attributes: Its attributes.
        constants: The graph's constants by name.
        max_bits: The greatest width that is allowed here; biases may be wider than tensors.

    Raises:
        ScaleError: A scale that is no power of two, or a zero point that is no integer.
        WidthError: The width is not one integer from 1 to ``max_bits``.
        UnsupportedOpError: A rounding mode that QONNX does not define, or parameters that are not constant.
    """
    scales = read_scales(node, name, 1, constants)
    zero = _whole(node, name, 2, "zero point", constants)
    if not zero.is_integer() or abs(zero) > 2**MAX_BITS:
        raise ScaleError(
            name, expected="an integer as zero point", got=repr(zero), hint="Use a symmetric quantizer (zero point 0)."
        )
    bits = _whole(node, name, 3, "bit-width", constants)
    if not bits.is_integer() or not MIN_BITS <= bits <= max_bits:
        raise WidthError(
            name,
            expected=f"an integer bit-width of {MIN_BITS} to {max_bits}",
            got=f"{bits:g}",
            hint="Train with widths inside this range.",
        )
    rounding = attributes.text("rounding_mode", "ROUND").upper()
    if rounding not in _ROUNDINGS:
        raise UnsupportedOpError(name, expected=f"a rounding_mode out of {', '.join(_ROUNDINGS)}", got=rounding)
    signed, narrow = attributes.flag("signed"), attributes.flag("narrow")
    return Quantizer(name, int(bits), signed, narrow, scales, int(zero), _ROUNDINGS[rounding])


def read_bipolar(node: NodeProto, name: str, constants: Constants) -> Quantizer:
    """Read a ``BipolarQuant`` node: a scale with the sign of each value.

    Raises:
        ScaleError: A scale that is not greater than 0.
    """
    return Quantizer(name, 1, True, False, read_scales(node, name, 1, constants), 0, half_even)


def read_trunc(node: NodeProto, name: str, attributes: Attributes, constants: Constants) -> Quantizer:
    """Read a ``Trunc`` node of the second version: scale, zero point, width, output scale and output width.

    Raises:
        UnsupportedOpError: Another version, a zero point, or scales whose ratio is no power of two.
    """
    if len(node.input) != 6:
        raise UnsupportedOpError(
            name, expected="Trunc with the six inputs of version 2", got=f"{len(node.input)} inputs",
            hint="Export it with a current Brevitas.",
        )  # fmt: skip
    zero, bits = _whole(node, name, 2, "zero point", constants), _whole(node, name, 5, "bit-width", constants)
    before, scales = read_scales(node, name, 1, constants), read_scales(node, name, 4, constants)
    ratios = {Fraction(float(after)) / Fraction(float(one)) for one in before.flat for after in scales.flat}
    power = all(ratio.numerator & (ratio.numerator - 1) == 0 == ratio.denominator & (ratio.denominator - 1)
                for ratio in ratios)  # fmt: skip
    rounding = attributes.text("rounding_mode", "FLOOR").upper()
    if zero or not power or len(ratios) != 1 or rounding not in _ROUNDINGS or not 1 <= bits <= MAX_BITS:
        raise UnsupportedOpError(
            name, expected="Trunc without a zero point, by a power of two, with a rounding_mode of QONNX",
            got=f"zero point {zero:g}, factors {sorted(map(float, ratios))}, {bits:g} bits, {rounding}",
        )  # fmt: skip
    signed = bool(attributes.integer("signed", 1))
    narrow = bool(attributes.integer("narrow", 0))
    return Quantizer(name, int(bits), signed, narrow, scales, 0, _ROUNDINGS[rounding])


def read_linear(
    node: NodeProto, name: str, attributes: Attributes, constants: Constants, rank: int, integer: bool = True
) -> Quantizer:
    """Read a ``QuantizeLinear`` or ``DequantizeLinear`` node of ONNX; its integers are those of its zero point.

    Args:
        node: The ONNX node.
        name: Its name in messages.
        attributes: Its attributes.
        constants: The graph's constants by name.
        rank: Axes of what it reads.
        integer: Whether what a DequantizeLinear reads is integers.

    Raises:
        ScaleError: Zero points that differ, or scales that are none of a network.
        UnsupportedOpError: Blocked quantisation, or integers of another kind than 4, 8, 16 or 32 bits.
    """
    scales = read_scales(node, name, 1, constants)
    if attributes.integer("block_size", 0) or not integer:
        raise UnsupportedOpError(
            name, expected="integers with one scale, or one of each channel", got="others", hint="Quantise per channel."
        )
    zero, kind = 0.0, "INT8" if node.op_type == "DequantizeLinear" else "UINT8"
    if len(node.input) > 2 and node.input[2]:
        kind = constants.kind(node.input[2])
        zero = _whole(node, name, 2, "zero point", constants)
    elif node.op_type == "DequantizeLinear" and node.input[0] in constants:
        kind = constants.kind(node.input[0])
    elif attributes.integer("output_dtype", 0):
        kind = TensorProto.DataType.Name(attributes.integer("output_dtype", 0))
    if kind not in _LINEAR:
        raise UnsupportedOpError(name, expected=f"integers of {', '.join(_LINEAR)}", got=kind)
    signed, bits = _LINEAR[kind]
    if scales.ndim == 1 and scales.size > 1:
        axis = attributes.integer("axis", 1) % rank
        scales = scales.reshape([-1 if each == axis else 1 for each in range(rank)])
    elif scales.size == 1:
        scales = scales.reshape(())
    return Quantizer(name, bits, signed, False, scales, int(zero), half_even, rounds_first=True)


_LINEAR = {
    "INT4": (True, 4), "UINT4": (False, 4), "INT8": (True, 8), "UINT8": (False, 8), "INT16": (True, 16),
    "UINT16": (False, 16), "INT32": (True, 32),
}  # fmt: skip


def read_scales(node: NodeProto, name: str, index: int, constants: Constants) -> Reals:
    """Return the scales of a quantizer.

    Raises:
        ScaleError: One that is not greater than 0, or that is no scale of a network.
        UnsupportedOpError: They are not constant.
    """
    scales = _parameter(node, name, index, "scale", constants)
    limit = math.ldexp(1.0, MAX_FRAC // 2)
    for scale in scales.flat:
        if not 1 / limit <= scale <= limit:
            raise ScaleError(
                name, expected=f"a scale from 2**-{MAX_FRAC // 2} to 2**{MAX_FRAC // 2}", got=repr(float(scale)),
                hint="Export the network again.",
            )  # fmt: skip
    return scales


def _parameter(node: NodeProto, name: str, index: int, what: str, constants: Constants) -> Reals:
    source = node.input[index] if index < len(node.input) else ""
    if source not in constants:
        raise UnsupportedOpError(
            name, expected=f"a constant {what}", got=f"'{source}'", hint="Export the network in evaluation mode."
        )
    values = constants.reals(source, name, what)
    if not values.size:
        raise ShapeError(name, expected=f"at least one {what}", got="an empty constant")
    return values


def _whole(node: NodeProto, name: str, index: int, what: str, constants: Constants) -> float:
    values = _parameter(node, name, index, what, constants)
    if (values != values.flat[0]).any():
        raise ScaleError(
            name, expected=f"one {what} for the whole tensor", got=f"{values.size} different values",
            hint=f"Use one {what} per tensor.",
        )  # fmt: skip
    return float(values.flat[0])
