"""add: the sum is exact, and rounded once."""

from fractions import Fraction

import numpy as np
import pytest

from quantunet.accumulator import sum_reach
from quantunet.errors import ModelError, ScaleError, WidthError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.add import add
from quantunet.ir import QType, Tensor
from quantunet.random_network import GraphBuilder


def test_the_sum_is_rounded_once_half_to_even() -> None:
    """Each of 1/4 and 1/4 alone would round to 0."""
    quarters, whole = QType(4, True, 2), QType(4, True, 0)
    first, second = np.array([1, 1, 3, 5, -1, -3]), np.array([1, 2, 3, 1, -1, -3])
    assert add(first, second, quarters, quarters, whole).tolist() == [0, 1, 2, 2, 0, -2]


@pytest.mark.parametrize("gains", [(1, 1), (1, -1), (-3, 5)])
@pytest.mark.parametrize(
    ("first_type", "second_type", "target"),
    [
        (QType(4, True, 2), QType(4, True, 2), QType(4, True, 2)),
        (QType(5, False, 3), QType(4, True, 0), QType(3, True, 1)),
        (QType(3, True, -2), QType(5, False, 4), QType(6, False, 5)),
        (QType(2, False, 9), QType(2, True, 9), QType(2, True, 3)),
    ],
)
def test_every_pair_equals_rational_arithmetic(
    first_type: QType, second_type: QType, target: QType, gains: tuple[int, int]
) -> None:
    firsts, seconds = np.meshgrid(
        np.arange(first_type.qmin, first_type.qmax + 1), np.arange(second_type.qmin, second_type.qmax + 1)
    )

    def exact(a: int, b: int) -> int:
        total = gains[0] * a / Fraction(2) ** first_type.frac + gains[1] * b / Fraction(2) ** second_type.frac
        return min(max(round(total * Fraction(2) ** target.frac), target.qmin), target.qmax)

    expected = [[exact(int(a), int(b)) for a, b in zip(*row, strict=True)] for row in zip(firsts, seconds, strict=True)]
    assert add(firsts, seconds, first_type, second_type, target, gains).tolist() == expected
    low, high = sum_reach(first_type, second_type, gains)
    sums = gains[0] * (firsts << max(0, second_type.frac - first_type.frac))
    sums += gains[1] * (seconds << max(0, first_type.frac - second_type.frac))
    assert (sums.min(), sums.max()) == (low, high)
    assert len(expected) * len(expected[0]) >= 16


@pytest.mark.parametrize("gains", [(1, 1), (1, -1)])
def test_fast_equals_plain(gains: tuple[int, int]) -> None:
    builder = GraphBuilder("net", 40, 30, 3, QType(5, True, 3), 1)
    builder.tensors.append(Tensor("other", (40, 30, 3), QType(7, False, 1)))
    builder.add("add", "image", "other", QType(6, True, 2), gains)
    graph = builder.build(("image", "other"))
    rng = np.random.default_rng(3)
    inputs = [rng.integers(-16, 16, size=(40, 30, 3)), rng.integers(0, 128, size=(40, 30, 3))]
    plain = evaluate(graph, graph.nodes[0], inputs, plain=True)
    assert (evaluate(graph, graph.nodes[0], inputs) == plain).all() and len(np.unique(plain)) > 30


@pytest.mark.parametrize(
    ("gains", "target", "error", "said"),
    [
        ((1, 0), QType(8, True, 2), ModelError, "gains other than 0"),
        ((1 << 31, 1), QType(8, True, 2), ModelError, "of at most 2147483647"),
        ((1, -(1 << 30)), QType(16, True, 2), WidthError, "a sum of at most 48 bits"),
        ((3, -5), QType(20, True, 2), WidthError, r"holds every sum, .* Say s21\.2, or at most 16 bits"),
        ((3, -5), QType(22, True, 3), ScaleError, r"with frac 2, .* Say s21\.2"),
    ],
)
def test_gains_and_wide_outputs_that_cannot_be_are_refused(
    gains: tuple[int, int], target: QType, error: type[ModelError], said: str
) -> None:
    builder = GraphBuilder("net", 2, 2, 1, QType(16, True, 2), 1)
    builder.tensors.append(Tensor("other", (2, 2, 1), QType(16, True, 0)))
    builder.add("sum", "image", "other", target, gains)
    with pytest.raises(error, match=f"^sum: .*{said}"):
        builder.build(("image", "other"))
