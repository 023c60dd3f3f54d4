"""add: the sum is exact, and rounded once."""

from fractions import Fraction

import numpy as np
import pytest

from quantunet.golden.inference import evaluate
from quantunet.golden.ops.add import add
from quantunet.ir import QType, Tensor
from quantunet.random_network import GraphBuilder


def test_the_sum_is_rounded_once_half_to_even() -> None:
    """Each of 1/4 and 1/4 alone would round to 0."""
    quarters, whole = QType(4, True, 2), QType(4, True, 0)
    first, second = np.array([1, 1, 3, 5, -1, -3]), np.array([1, 2, 3, 1, -1, -3])
    assert add(first, second, quarters, quarters, whole).tolist() == [0, 1, 2, 2, 0, -2]


@pytest.mark.parametrize(
    ("first_type", "second_type", "target"),
    [
        (QType(4, True, 2), QType(4, True, 2), QType(4, True, 2)),
        (QType(5, False, 3), QType(4, True, 0), QType(3, True, 1)),
        (QType(3, True, -2), QType(5, False, 4), QType(6, False, 5)),
        (QType(2, False, 9), QType(2, True, 9), QType(2, True, 3)),
    ],
)
def test_every_pair_equals_rational_arithmetic(first_type: QType, second_type: QType, target: QType) -> None:
    firsts, seconds = np.meshgrid(
        np.arange(first_type.qmin, first_type.qmax + 1), np.arange(second_type.qmin, second_type.qmax + 1)
    )

    def exact(a: int, b: int) -> int:
        total = Fraction(a) / Fraction(2) ** first_type.frac + Fraction(b) / Fraction(2) ** second_type.frac
        return min(max(round(total * Fraction(2) ** target.frac), target.qmin), target.qmax)

    expected = [[exact(int(a), int(b)) for a, b in zip(*row, strict=True)] for row in zip(firsts, seconds, strict=True)]
    assert add(firsts, seconds, first_type, second_type, target).tolist() == expected
    assert len(expected) * len(expected[0]) >= 16


def test_fast_equals_plain() -> None:
    builder = GraphBuilder("net", 40, 30, 3, QType(5, True, 3), 1)
    builder.tensors.append(Tensor("other", (40, 30, 3), QType(7, False, 1)))
    builder.add("add", "image", "other", QType(6, True, 2))
    graph = builder.build(("image", "other"))
    rng = np.random.default_rng(3)
    inputs = [rng.integers(-16, 16, size=(40, 30, 3)), rng.integers(0, 128, size=(40, 30, 3))]
    plain = evaluate(graph, graph.nodes[0], inputs, plain=True)
    assert (evaluate(graph, graph.nodes[0], inputs) == plain).all() and len(np.unique(plain)) > 30
