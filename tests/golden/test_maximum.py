"""maximum: the greater of each pair, over all pairs of a type."""

import numpy as np
import pytest

from quantunet.errors import ModelError, ShapeError, TypeMismatchError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.maximum import maximum
from quantunet.ir import QType, Tensor
from quantunet.random_network import GraphBuilder


def test_every_pair_of_a_signed_type() -> None:
    firsts, seconds = np.meshgrid(np.arange(-8, 8), np.arange(-8, 8))
    expected = [[a if a > b else b for a, b in zip(*row, strict=True)] for row in zip(firsts, seconds, strict=True)]
    assert maximum(firsts, seconds).tolist() == expected and len(np.unique(expected)) == 16


def test_fast_equals_plain() -> None:
    builder = GraphBuilder("net", 20, 30, 3, QType(5, True, 3), 1)
    builder.tensors.append(Tensor("other", (20, 30, 3), QType(5, True, 3)))
    builder.maximum("maximum", "image", "other")
    graph = builder.build(("image", "other"))
    inputs = [np.random.default_rng(seed).integers(-16, 16, size=(20, 30, 3)) for seed in (3, 4)]
    plain = evaluate(graph, graph.nodes[0], inputs, plain=True)
    assert (evaluate(graph, graph.nodes[0], inputs) == plain).all() and len(np.unique(plain)) > 20


@pytest.mark.parametrize(
    ("shape", "qtype", "second", "error"),
    [
        ((4, 4, 2), QType(4, True, 1), "other", TypeMismatchError),
        ((4, 4, 1), QType(4, True, 2), "other", ShapeError),
        ((4, 4, 2), QType(4, True, 2), "image", ModelError),
    ],
)
def test_other_types_other_shapes_and_one_tensor_twice_are_refused(
    shape: tuple[int, int, int], qtype: QType, second: str, error: type[ModelError]
) -> None:
    builder = GraphBuilder("net", 4, 4, 2, QType(4, True, 2), 0)
    builder.tensors.append(Tensor("other", shape, qtype))
    builder.maximum("maximum", "image", second)
    with pytest.raises(error, match=r"^maximum: expected "):
        builder.build(("image", "other"))
