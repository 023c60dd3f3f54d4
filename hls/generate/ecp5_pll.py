"""The clock generator of an ECP5, EHXPLLL: its dividers, in exact arithmetic.

The oscillator's clock, divided by ``CLKI_DIV``, is compared with the output CLKOP divided by ``CLKFB_DIV``; the
design's clock is the output CLKOS, which divides the inner oscillator by a number of its own::

    compared = oscillator / CLKI_DIV
    inner    = compared * CLKFB_DIV * CLKOP_DIV
    clock    = inner / CLKOS_DIV

The feedback through another output than the design's keeps the compared frequency high (of 25 MHz it is 25 MHz for 60),
and every clock that is a fraction of the inner one can be had.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from quantunet.errors import BoardError

MOST_ERROR = Fraction(1, 1000)
"""The most by which the clock may differ from the one that was asked for, as a share of it."""

INPUT_MHZ = (8, 400)
COMPARED_MHZ = (10, 400)
INNER_MHZ = (400, 800)
OUTPUT_MHZ = (10, 400)
"""What the primitive can do; where published figures differ, the narrower."""

_MOST_DIVIDER = 128
_MOST_FEEDBACK = 80
_BEST_INNER_MHZ = 600


@dataclass(frozen=True)
class Pll:
    """Settings of the primitive.

    Attributes:
        clki_div: Divider of the oscillator.
        clkfb_div: Divider of the feedback.
        clkop_div: Divider of the inner oscillator for the feedback.
        clkos_div: Divider of the inner oscillator for the design.
        mhz: The design's clock.
    """

    clki_div: int
    clkfb_div: int
    clkop_div: int
    clkos_div: int
    mhz: Fraction


def pll(oscillator_mhz: Fraction, clock_mhz: Fraction, where: str) -> Pll:
    """Return the settings whose clock is nearest to the one asked for.

    Of equal ones it takes the one with the highest compared frequency, and then with the inner oscillator nearest to
    the middle of its range.

    Args:
        oscillator_mhz: The board's oscillator.
        clock_mhz: The design's clock.
        where: The board, for the message.

    Raises:
        BoardError: The oscillator or the clock is beyond what the primitive can do, or no setting comes as near as
            :data:`MOST_ERROR`.

    >>> found = pll(Fraction(25), Fraction(60), "board")
    >>> (found.clki_div, found.clkfb_div, found.clkop_div, found.clkos_div, found.mhz)
    (1, 1, 24, 10, Fraction(60, 1))
    """
    for name, value, (low, high) in (
        ("an oscillator", oscillator_mhz, INPUT_MHZ),
        ("a clock", clock_mhz, OUTPUT_MHZ),
    ):
        if not low <= value <= high:
            raise BoardError(where, expected=f"{name} of {low} to {high} MHz", got=f"{float(value):g} MHz")
    best: tuple[Fraction, Fraction, Fraction, Pll] | None = None
    for clki_div in range(1, _MOST_DIVIDER + 1):
        compared = oscillator_mhz / clki_div
        if not COMPARED_MHZ[0] <= compared <= COMPARED_MHZ[1]:
            continue
        for factor in range(int(INNER_MHZ[0] / compared), int(INNER_MHZ[1] / compared) + 1):
            inner = compared * factor
            feedback = _feedback(compared, factor) if INNER_MHZ[0] <= inner <= INNER_MHZ[1] else None
            if feedback is None:
                continue
            for clkos_div in {max(1, int(inner / clock_mhz)), int(inner / clock_mhz) + 1}:
                clock = inner / clkos_div
                if clkos_div > _MOST_DIVIDER or not OUTPUT_MHZ[0] <= clock <= OUTPUT_MHZ[1]:
                    continue
                found = Pll(clki_div, *feedback, clkos_div, clock)
                entry = (abs(clock - clock_mhz), -compared, abs(inner - _BEST_INNER_MHZ), found)
                if best is None or entry[:3] < best[:3]:
                    best = entry
    if best is None or best[0] > MOST_ERROR * clock_mhz:
        nearest = "none" if best is None else f"{float(best[3].mhz):.6g} MHz at the nearest"
        raise BoardError(
            where,
            expected=f"a clock of {float(clock_mhz):g} MHz to {float(100 * MOST_ERROR):g} %, made of "
            f"{float(oscillator_mhz):g} MHz",
            got=nearest,
        )
    return best[3]


def _feedback(compared: Fraction, factor: int) -> tuple[int, int] | None:
    """Return CLKFB_DIV and CLKOP_DIV whose product is a factor, the first as small as it can be."""
    for clkfb_div in range(1, min(factor, _MOST_FEEDBACK) + 1):
        output = compared * clkfb_div
        if factor % clkfb_div == 0 and factor // clkfb_div <= _MOST_DIVIDER and output >= OUTPUT_MHZ[0]:
            return (clkfb_div, factor // clkfb_div) if output <= OUTPUT_MHZ[1] else None
    return None
