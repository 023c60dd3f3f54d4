"""Reading QONNX' quantizers: the rule of an activation, and the exact values of a quantised constant.

Source: the operators ``Quant`` (also called ``IntQuant``) and ``BipolarQuant`` of QONNX, by the definitions in
``qonnx.custom_op.general``: inputs X, scale, zero point, bit-width; attributes ``signed``, ``narrow``,
``rounding_mode``. A signed quantizer of one bit is bipolar there: its integers are -1 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import NodeProto

from quantunet.errors import ScaleError, ShapeError, UnsupportedOpError, WidthError
from quantunet.ir import MAX_BITS, MAX_FRAC, MIN_BITS, QType
from quantunet.normalise import Rule
from quantunet.onnx_file import Attributes, Constants

Reals = npt.NDArray[np.float64]

BIAS_MAX_BITS = 32

_EVEN = ("ROUND", "HALF_EVEN")
_ROUNDINGS: dict[str, Callable[[Reals], Reals]] = {
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
    # The difference is exact in float64; a sum with one half would not be.
    "HALF_UP": lambda x: np.sign(x) * (np.floor(np.abs(x)) + (np.abs(x) - np.floor(np.abs(x)) >= 0.5)),
    "HALF_DOWN": lambda x: np.sign(x) * (np.floor(np.abs(x)) + (np.abs(x) - np.floor(np.abs(x)) > 0.5)),
}

_PO2_HINT = "Train with fixed-point quantizers (for example Int8WeightPerTensorFixedPoint)."


@dataclass(frozen=True)
class Quantizer:
    """The parameters of one ``Quant`` node.

    Attributes:
        name: The node's name.
        bits: Width.
        signed: Whether negative integers exist.
        narrow: Whether the most negative (signed) or greatest (unsigned) integer is left out.
        frac: Fractional bits; of each element of ``scales`` that they broadcast from.
        zero: The zero point.
        rounding: In capitals.
    """

    name: str
    bits: int
    signed: bool
    narrow: bool
    frac: npt.NDArray[np.int64]
    zero: int
    rounding: str

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
    def whole_frac(self) -> int | None:
        """The fractional bits, where one scale holds for the whole tensor."""
        return int(self.frac.flat[0]) if (self.frac == self.frac.flat[0]).all() else None

    def rule(self) -> Rule:
        """Return what the quantizer does to an activation.

        Raises:
            ScaleError: It has a scale for each channel.
            UnsupportedOpError: It is bipolar, or has an odd zero point where rounding needs an even one.
        """
        if self.whole_frac is None:
            raise ScaleError(
                self.name, expected="one scale for the whole tensor", got=f"{self.frac.size} different scales",
                hint="Quantise activations per tensor.",
            )  # fmt: skip
        if self.bipolar:
            raise UnsupportedOpError(
                self.name,
                expected="an activation quantizer of 2 bits or more, or an unsigned one",
                got="a signed quantizer of 1 bit, whose integers are -1 and 1",
                hint="Use 2 bits.",
            )
        low, high = self.limits
        plain = not self.zero
        rounding = None if self.rounding in _EVEN else f"rounding_mode {self.rounding}"
        if rounding is None and self.zero % 2:
            rounding = f"half to odd (zero point {self.zero})"  # the tie goes to the even sum with the zero point
        return Rule(
            self.whole_frac,
            low - self.zero,
            high - self.zero,
            QType(self.bits, self.signed, self.whole_frac) if plain else None,
            rounding,
            hint="Use rounding_mode ROUND and an even zero point.",
        )

    def constant(self, values: Reals) -> Reals:
        """Return ``(clamp(R(values / scale + zero), low, high) - zero) * scale``, exactly.

        Args:
            values: Finite real values.

        Raises:
            ShapeError: The scales do not fit the shape of the values.
            UnsupportedOpError: A rounding whose result with this zero point is not known to be exact.
        """
        try:
            frac = np.broadcast_to(self.frac, values.shape)
        except ValueError as error:
            raise ShapeError(
                self.name, expected=f"a scale, or scales that fit {values.shape}", got=str(self.frac.shape)
            ) from error
        with np.errstate(over="ignore"):  # an infinite quotient is clamped below
            scaled = np.ldexp(values, frac)
        if self.bipolar:
            codes = np.where(scaled + self.zero >= 0, 1.0, -1.0) - self.zero
        else:
            low, high = self.limits
            codes = np.clip(self._rounded(np.clip(scaled, low - self.zero, high - self.zero)), low - self.zero,
                            high - self.zero)  # fmt: skip
        return np.asarray(np.ldexp(codes, -frac), dtype=np.float64)

    def _rounded(self, scaled: Reals) -> Reals:
        """Return ``R(scaled + zero) - zero`` without the sum, which float64 may not hold."""
        if self.zero and self.rounding not in (*_EVEN, "FLOOR", "CEIL") and (scaled != np.rint(scaled)).any():
            raise UnsupportedOpError(
                self.name,
                expected="rounding_mode ROUND, FLOOR or CEIL beside a zero point",
                got=self.rounding,
                hint="Use a zero point of 0.",
            )
        if self.rounding not in _EVEN:
            return _ROUNDINGS[self.rounding](scaled)
        if self.zero % 2:
            floor = np.floor(scaled)
            tie = scaled - floor == 0.5
            return np.asarray(np.where(tie, floor + (floor % 2 == 0), np.rint(scaled)))
        return np.asarray(np.rint(scaled))


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
    scales = _parameter(node, name, 1, "scale", constants)
    frac = np.empty(scales.shape, dtype=np.int64)
    for index, scale in np.ndenumerate(scales):
        frac[index] = power_of_two_frac(name, float(scale))
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
    if rounding not in (*_EVEN, *_ROUNDINGS):
        raise UnsupportedOpError(
            name, expected=f"a rounding_mode out of {', '.join((*_EVEN, *_ROUNDINGS))}", got=rounding
        )
    signed, narrow = attributes.flag("signed"), attributes.flag("narrow")
    return Quantizer(name, int(bits), signed, narrow, frac, int(zero), rounding)


def bipolar_constant(node: NodeProto, name: str, values: Reals, constants: Constants) -> Reals:
    """Return the exact result of a ``BipolarQuant`` node on a constant: the scale with the sign of each value.

    Raises:
        ScaleError: A scale that is no power of two.
        ShapeError: The scales do not fit the shape of the values.
    """
    scales = _parameter(node, name, 1, "scale", constants)
    for scale in scales.flat:
        power_of_two_frac(name, float(scale))
    try:
        return np.where(values >= 0, 1.0, -1.0) * np.broadcast_to(scales, values.shape)
    except ValueError as error:
        raise ShapeError(name, expected=f"a scale, or scales that fit {values.shape}", got=str(scales.shape)) from error


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


def power_of_two_frac(where: str, scale: float) -> int:
    """Return ``frac`` such that ``scale == 2**-frac``.

    Raises:
        ScaleError: The scale is not a power of two, or one that is no scale of a network.

    >>> power_of_two_frac("x", 0.25)
    2
    """
    mantissa, exponent = math.frexp(scale)
    if mantissa != 0.5 or abs(1 - exponent) > MAX_FRAC // 2:
        raise ScaleError(where, expected="a scale that is a power of two", got=repr(scale), hint=_PO2_HINT)
    return 1 - exponent
