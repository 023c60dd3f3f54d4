"""The type of the tensor that a value becomes, and what is said where there is none."""

from __future__ import annotations

from fractions import Fraction

from quantunet.accumulator import bits_for
from quantunet.errors import ModelError, UnsupportedOpError, WidthError
from quantunet.ir import MAX_BITS, QType
from quantunet.ranges import clamped, fitting_type, types
from quantunet.reach import codes_of, grid_of, is_plain, rounded_reach, shown
from quantunet.values import Place, TensorSource, Value, frac_of, steps_of, whole

NO_QUANTIZER = "Put an activation quantizer behind it."
"""The advice for what no type holds."""


def declared_type(value: Value, step: Fraction) -> QType | None:
    """Return the declared type where it has the scale of the tensor."""
    return value.declared.qtype if value.declared is not None and value.declared.step == step else None


def settled_type(value: Value) -> tuple[QType, Fraction | None] | None:
    """Return the type and the unit of a value that is a whole tensor of the graph."""
    if not isinstance(value.source, TensorSource) or not value.untouched:
        return None
    return value.source.tensor.qtype, value.source.tensor.unit


def fits(value: Value) -> bool:
    """Return whether a value can become a tensor by a plain requantisation."""
    if not is_plain(value):
        return False
    step = grid_of(value)
    if any(bound is not None and whole(bound / step) is None for bound in (value.low, value.high)):
        return False
    low, high = codes_of(value, step)
    reach = rounded_reach(value.source, step)
    return fitting_type(reach, low, high, declared_type(value, step), frac_of(step) or 0) is not None


def holding(place: Place, ends: tuple[int, int], step: Fraction) -> QType:
    """Return the smallest type that holds some integers.

    Raises:
        WidthError: There is none; the message names the place.
    """
    for qtype in types(frac_of(step) or 0):
        if qtype.qmin <= ends[0] and ends[1] <= qtype.qmax:
            return qtype
    raise WidthError(
        place.name, expected=f"a quantizer whose integers {MAX_BITS} bits hold", got=f"{ends[0]}..{ends[1]}",
        hint="Use fewer bits, or a zero point nearer to 0.",
    )  # fmt: skip


def no_type(value: Value, reader: Place) -> ModelError:
    """Return the error of a value that no type of the hardware holds."""
    steps = steps_of(value.source)
    if value.bends or steps is None or len(steps) > 1:
        return UnsupportedOpError(
            value.place.name,
            expected=f"a quantizer in front of '{reader.name}'",
            got="sums with a scale or a summand of each channel" if len(value.channel_bends) > 1
            else "sums behind a factor or a summand that is no multiple of their scale",
            hint=NO_QUANTIZER,
        )  # fmt: skip
    step = grid_of(value)
    low, high = codes_of(value, step)
    span = clamped(rounded_reach(value.source, step), low, high)
    if (value.step, value.declared, value.low, value.high) == (None, None, None, None):
        bits = "any number of" if span is None else str(bits_for(*span))
        return WidthError(
            value.place.name,
            expected=f"a result of at most {MAX_BITS} bits where '{reader.name}' reads it without a quantizer",
            got=f"a sum of {bits} bits",
            hint=NO_QUANTIZER,
        )
    return UnsupportedOpError(
        value.place.name,
        expected="bounds that an integer type saturates to (0..2**b-1 or -2**(b-1)..2**(b-1)-1)",
        got=f"{low if low is not None else '-inf'}..{high if high is not None else 'inf'} at scale {shown(step)}",
        hint="Put a quantizer behind it.",
    )


def narrow_limits(qtype: QType) -> tuple[int, int]:
    """Return the limits of a narrow quantizer: without the least integer of a signed type, or the greatest."""
    return (qtype.qmin + 1, qtype.qmax) if qtype.signed else (qtype.qmin, qtype.qmax - 1)
