"""Reading a QONNX ``Quant`` node: its type, and the integers of a quantised constant.

Source: QONNX operator ``Quant`` (domain ``qonnx.custom_op.general``): inputs X, scale, zero point, bit-width;
attributes ``signed``, ``narrow``, ``rounding_mode``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, helper

from quantunet.errors import ScaleError, UnsupportedOpError, WidthError
from quantunet.ir import MAX_BITS, MIN_BITS, IntArray, QType

BIAS_MAX_BITS = 32

Constants = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class QuantNode:
    """The parameters of one ``Quant`` node.

    Attributes:
        name: The node's name.
        qtype: Width, sign and scale.
        narrow: Whether the type's most negative (signed) or greatest (unsigned) integer is left out.
    """

    name: str
    qtype: QType
    narrow: bool

    def integers(self, values: npt.NDArray[np.generic]) -> IntArray:
        """Return ``clamp(round_half_even(values / scale), qmin, qmax)`` of a constant."""
        low, high = self.qtype.qmin, self.qtype.qmax
        if self.narrow and self.qtype.signed:
            low += 1
        elif self.narrow:
            high -= 1
        codes = np.rint(np.ldexp(values.astype(np.float64), self.qtype.frac))
        return IntArray.of(np.clip(codes, low, high).astype(np.int64))


def attributes(node: NodeProto) -> dict[str, object]:
    """Return a node's attributes by name; byte strings are decoded."""
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


def _scalar(node: NodeProto, index: int, what: str, constants: Constants) -> float:
    name = node.input[index] if index < len(node.input) else ""
    if name not in constants:
        raise UnsupportedOpError(
            node.name, expected=f"a constant {what}", got=f"'{name}'", hint="Export the network in evaluation mode."
        )
    values = constants[name]
    if values.size != 1:
        raise ScaleError(
            node.name, expected=f"one {what} for the whole tensor", got=f"{values.size} values", hint="Use per-tensor."
        )
    return float(values.reshape(-1)[0])


def power_of_two_frac(where: str, scale: float) -> int:
    """Return ``frac`` such that ``scale == 2**-frac``.

    Raises:
        ScaleError: The scale is not a power of two.

    >>> power_of_two_frac("x", 0.25)
    2
    """
    mantissa, exponent = math.frexp(scale)
    if mantissa != 0.5:
        raise ScaleError(
            where,
            expected="a scale that is a power of two",
            got=repr(scale),
            hint="Train with fixed-point quantizers (for example Int8WeightPerTensorFixedPoint).",
        )
    return 1 - exponent


def read_quant(node: NodeProto, constants: Constants, max_bits: int = MAX_BITS) -> QuantNode:
    """Read a ``Quant`` node.

    Args:
        node: The ONNX node.
        constants: The graph's constants by name.
        max_bits: The greatest width that is allowed here; biases may be wider than tensors.

    Raises:
        ScaleError: The scale is not one power of two, or the zero point is not 0.
        WidthError: The width is not an integer from 1 to ``max_bits``.
        UnsupportedOpError: Another rounding mode than ``ROUND``, or parameters that are not constant.
    """
    values = attributes(node)
    frac = power_of_two_frac(node.name, _scalar(node, 1, "scale", constants))
    zero_point = _scalar(node, 2, "zero point", constants)
    if zero_point != 0:
        raise ScaleError(
            node.name, expected="a zero point of 0", got=repr(zero_point), hint="Use a symmetric quantizer."
        )
    bits = _scalar(node, 3, "bit-width", constants)
    if not bits.is_integer() or not MIN_BITS <= bits <= max_bits:
        raise WidthError(
            node.name,
            expected=f"an integer bit-width of {MIN_BITS} to {max_bits}",
            got=f"{bits:g}",
            hint="Train with widths inside this range.",
        )
    rounding = str(values.get("rounding_mode", "ROUND")).upper()
    if rounding not in ("ROUND", "HALF_EVEN"):
        raise UnsupportedOpError(node.name, expected="rounding_mode ROUND (half to even)", got=rounding)
    qtype = QType(int(bits), bool(values.get("signed", 1)), frac)
    return QuantNode(node.name, qtype, bool(values.get("narrow", 0)))
