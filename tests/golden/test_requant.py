"""requant and all rounding: against exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from quantunet import golden
from quantunet.golden.ops.requant import requant
from quantunet.graph_check import check
from quantunet.ir import Graph, QType, Requant, Tensor
from quantunet.rounding import requantise, round_half_even_shift


@pytest.mark.parametrize("shift", range(-3, 12))
def test_rounding_equals_rational_arithmetic(shift: int) -> None:
    values = np.arange(-5000, 5001)
    expected = [round(Fraction(int(value)) / Fraction(2) ** shift) for value in values]
    assert round_half_even_shift(values, shift).tolist() == expected


@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("signed_out", [False, True])
def test_every_code_of_every_width(signed_in: bool, signed_out: bool) -> None:
    compared = 0
    for bits_in in range(2, 9):
        for bits_out in range(2, 9):
            for frac_out in (-2, 0, 3, 6):
                source, target = QType(bits_in, signed_in, 3), QType(bits_out, signed_out, frac_out)
                x = np.arange(source.qmin, source.qmax + 1)
                exact = [round(Fraction(int(q), 8) * Fraction(2) ** frac_out) for q in x]
                expected = [min(max(value, target.qmin), target.qmax) for value in exact]
                assert requant(x, source, target).tolist() == expected
                compared += x.size
    assert compared == 7 * 4 * sum(1 << bits for bits in range(2, 9))


@pytest.mark.parametrize("shift", [-70, -48, -17, -16, -15, 46, 47, 48, 62, 63, 90])
def test_shifts_beyond_any_accumulator(shift: int) -> None:
    """Left shifts that would leave int64, and right shifts that leave nothing."""
    top = 1 << 47
    values = np.array([-top, 1 - top, -(1 << 46) - 1, -(1 << 46), -1, 0, 1, 1 << 46, (1 << 46) + 1, top - 1])
    for target in (QType(16, False, 0), QType(16, True, 0), QType(1, False, 0), QType(2, True, 0)):
        exact = [round(Fraction(int(value)) / Fraction(2) ** shift) for value in values]
        expected = [min(max(value, target.qmin), target.qmax) for value in exact]
        assert requantise(values, shift, target).tolist() == expected


@pytest.mark.parametrize(
    ("bits", "signed"), [(25, False), (26, False), (26, True), (31, False), (31, True), (40, True)]
)
def test_values_just_above_a_tie_that_float32_does_not_hold(bits: int, signed: bool) -> None:
    """float32 makes ties of them, which go to the even neighbour below: the fast path must not take it."""
    drop = bits - 16
    source, target = QType(bits, signed, 0), QType(16, signed, -drop)
    whole = np.arange(target.qmax - 41, target.qmax - 1, 2) & ~1
    image = ((whole << drop) + (1 << (drop - 1)) + 1)[None, :, None]
    assert (image[0, :, 0].astype(np.float32) == (whole << drop) + (1 << (drop - 1))).sum() >= 10
    graph = check(Graph("r", ("x",), "y", (Tensor("x", image.shape, source), Tensor("y", image.shape, target)),
                        (Requant("requant", ("x",), "y"),)))  # fmt: skip
    for plain in (True, False):
        assert (golden.run(graph, image, plain=plain)["y"][0, :, 0] == whole + 1).all()
