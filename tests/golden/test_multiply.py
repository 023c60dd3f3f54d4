"""multiply: exact products over all pairs of types, gates, and the type that holds them."""

import numpy as np
import pytest

from quantunet.accumulator import product_type
from quantunet.errors import ModelError, ShapeError, TypeMismatchError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.multiply import multiply
from quantunet.graph_check import check
from quantunet.ir import Graph, Multiply, QType, Tensor
from quantunet.random_network import GraphBuilder

TYPES = [QType(1, True, 0), QType(1, False, 0), QType(4, True, 2), QType(3, False, -1)]


def test_a_gate_goes_to_all_channels() -> None:
    first = np.arange(-6, 6).reshape(2, 2, 3)
    gate = np.array([[[2], [0]], [[-1], [5]]])
    expected = [[[-12, -10, -8], [0, 0, 0]], [[0, -1, -2], [15, 20, 25]]]
    assert multiply(first, gate).tolist() == expected


@pytest.mark.parametrize("first", TYPES, ids=str)
@pytest.mark.parametrize("second", TYPES, ids=str)
def test_the_least_type_holds_every_product_and_is_the_least(first: QType, second: QType) -> None:
    values = np.outer(np.arange(first.qmin, first.qmax + 1), np.arange(second.qmin, second.qmax + 1))
    found = product_type(first, second)
    assert found.qmin <= values.min() and values.max() <= found.qmax
    less = QType(max(found.bits - 1, 1), found.signed, found.frac)
    assert found.bits == 1 or values.min() < less.qmin or less.qmax < values.max()
    assert found.frac == first.frac + second.frac


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (QType(8, True, 4), QType(8, False, 8)),
        (QType(16, False, 0), QType(16, False, 0)),
        (TYPES[0], QType(16, True, 0)),
    ],
)
def test_fast_equals_plain_equals_python(first: QType, second: QType, channels: int) -> None:
    builder = GraphBuilder("net", 20, 30, 3, first, 1)
    builder.tensors.append(Tensor("other", (20, 30, channels), second))
    builder.multiply("multiply", "image", "other")
    graph = builder.build(("image", "other"))
    rng = np.random.default_rng(3)
    inputs = [rng.integers(t.qtype.qmin, t.qtype.qmax + 1, size=t.shape) for t in graph.tensors[:2]]
    for values, tensor in zip(inputs, graph.tensors, strict=False):
        values.flat[:2] = tensor.qtype.qmin, tensor.qtype.qmax
    plain = evaluate(graph, graph.nodes[0], inputs, plain=True)
    exact = inputs[0].astype(object) * inputs[1].astype(object)
    assert (plain == exact).all() and (evaluate(graph, graph.nodes[0], inputs) == plain).all()
    assert len(np.unique(plain)) > 50


def product(shape: tuple[int, int, int], target: QType, second: str = "other") -> Graph:
    tensors = (
        Tensor("image", (4, 4, 2), QType(4, True, 2)),
        Tensor("other", shape, QType(3, False, 1)),
        Tensor("y", (4, 4, 2), target),
    )
    return Graph("net", ("image", "other"), "y", tensors, (Multiply("multiply", ("image", second), "y"),))


@pytest.mark.parametrize(
    ("graph", "error"),
    [
        (product((4, 4, 2), QType(6, True, 3)), TypeMismatchError),
        (product((4, 4, 2), QType(7, True, 2)), TypeMismatchError),
        (product((4, 4, 2), QType(7, False, 3)), TypeMismatchError),
        (product((4, 4, 3), QType(7, True, 3)), ShapeError),
        (product((2, 4, 1), QType(7, True, 3)), ShapeError),
        (product((4, 4, 2), QType(8, True, 4), "image"), ModelError),
    ],
)
def test_what_does_not_fit_is_refused(graph: Graph, error: type[ModelError]) -> None:
    with pytest.raises(error, match=r"^multiply: expected "):
        check(graph)


def test_the_advised_type_is_taken() -> None:
    assert check(product((4, 4, 1), QType(7, True, 3)))
    assert check(product((4, 4, 1), QType(9, True, 3)))
