"""What the byte of a picture means to a network.

A picture's byte is not a code. A network sees ``x[c] = gain[c] * (byte * scale) + offset[c]``; its input quantizer
makes ``code = clamp(R(x / step), low, high)`` of that. All of it is exact arithmetic over fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from quantunet.fraction_rounding import HALF_EVEN, ROUNDINGS

OWN_SCALE = Fraction(1, 256)
"""What the project's own networks are trained on: a byte is a value in [0, 1)."""


@dataclass(frozen=True)
class Pixels:
    """How the bytes of a picture become the values that the input quantizer sees.

    Attributes:
        scale: The value of one step of a byte; ``None`` where the network does not say.
        gain: Factor of each channel that the network applies in front of its input quantizer; one entry a channel, or
            empty for 1.
        offset: Summand of each channel, behind the factor; one entry a channel, or empty for 0.
        narrow: Whether the input quantizer leaves out its most negative (signed) or greatest (unsigned) code.
        bounds: The least and the greatest code, where those are no type's (a zero point); ``None`` otherwise.
        rounding: How the input quantizer rounds, a name of :data:`quantunet.requantisation.ROUNDINGS`.
    """

    scale: Fraction | None = None
    gain: tuple[Fraction, ...] = ()
    offset: tuple[Fraction, ...] = ()
    narrow: bool = False
    bounds: tuple[int, int] | None = None
    rounding: str = HALF_EVEN

    def encoded(self) -> dict[str, object]:
        """The value in a graph's JSON: fractions as text."""
        return {
            "scale": None if self.scale is None else str(self.scale),
            "gain": [str(value) for value in self.gain],
            "offset": [str(value) for value in self.offset],
            "narrow": self.narrow,
            "bounds": None if self.bounds is None else list(self.bounds),
            "rounding": self.rounding,
        }

    @classmethod
    def decoded(cls, value: dict[str, object]) -> Pixels:
        """Undo :meth:`encoded`.

        Raises:
            ValueError: Or ``KeyError`` or ``TypeError``: this is no such value.

        >>> Pixels.decoded(Pixels(Fraction(1, 255), narrow=True).encoded())
        Pixels(scale=Fraction(1, 255), gain=(), offset=(), narrow=True, bounds=None, rounding='half_even')
        """
        scale, gain, offset, narrow = value["scale"], value["gain"], value["offset"], value["narrow"]
        if not isinstance(gain, list) or not isinstance(offset, list) or not isinstance(narrow, bool):
            message = f"pixels {value!r}"
            raise TypeError(message)
        bounds = value.get("bounds")
        if bounds is not None and not (
            isinstance(bounds, list)
            and len(bounds) == 2
            and all(type(b) is int for b in bounds)
            and bounds[0] < bounds[1]
        ):
            message = f"the bounds {bounds!r}"
            raise TypeError(message)
        rounding = value.get("rounding", HALF_EVEN)
        if not isinstance(rounding, str) or rounding not in ROUNDINGS:
            message = f"the rounding {rounding!r}"
            raise TypeError(message)
        return cls(
            None if scale is None else read_fraction(scale),
            tuple(read_fraction(entry) for entry in gain),
            tuple(read_fraction(entry) for entry in offset),
            narrow,
            None if bounds is None else (bounds[0], bounds[1]),
            rounding,
        )


_MAX_TEXT = 700
"""Characters of a fraction: a float64 has at most 1,074 binary places; a longer text is no constant of a network."""


def read_fraction(value: object) -> Fraction:
    """Return the fraction that a document gives as text.

    Raises:
        TypeError: It is no such text.
        ValueError: It divides by 0.
    """
    if not isinstance(value, str) or len(value) > _MAX_TEXT or "e" in value.lower():
        message = f"the fraction {str(value)[:40]!r}"
        raise TypeError(message)
    try:
        return Fraction(value)
    except ZeroDivisionError as error:
        raise ValueError(f"the fraction {value!r}") from error
