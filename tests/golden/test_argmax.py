"""argmax: the first of equals, the type that holds the channels, and the classes of a network that ends in it."""

import numpy as np
import pytest

from quantunet import golden
from quantunet.errors import ModelError, ShapeError, TypeMismatchError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.argmax import argmax
from quantunet.graph_check import check
from quantunet.ir import Argmax, Conv2d, Graph, QType, Tensor
from quantunet.random_network import GraphBuilder, random_image


def test_every_pixel_of_three_channels_of_two_bits() -> None:
    pixels = np.stack(np.meshgrid(*[np.arange(-2, 2)] * 3), axis=-1)
    expected = [[[[list(p).index(max(p))] for p in row] for row in plane] for plane in pixels.tolist()]
    assert argmax(pixels).tolist() == expected and len(np.unique(expected)) == 3


def test_fast_equals_plain() -> None:
    builder = GraphBuilder("net", 20, 30, 7, QType(3, True, 1), 1)
    builder.argmax("argmax", "image")
    graph = builder.build()
    inputs = [np.random.default_rng(3).integers(-4, 4, size=(20, 30, 7))]
    plain = evaluate(graph, graph.nodes[0], inputs, plain=True)
    assert (evaluate(graph, graph.nodes[0], inputs) == plain).all() and len(np.unique(plain)) == 7


def test_the_classes_of_a_network_that_ends_in_it_are_its_output() -> None:
    builder = GraphBuilder("net", 12, 10, 1, QType(8, False, 8), 2)
    builder.argmax("argmax", builder.matrix(Conv2d, "head", "image", 4, 3, 4, QType(5, True, 3)))
    graph = builder.build()
    taps = golden.run(graph, random_image(graph))
    classes = golden.classes(graph, taps)
    assert golden.class_count(graph) == 4 and not graph.gives_probabilities
    assert (classes == taps["argmax_out"][:, :, 0]).all() and len(np.unique(classes)) > 1


@pytest.mark.parametrize(
    ("channels", "shape", "target", "error"),
    [
        (5, (4, 4, 1), QType(2, False, 0), TypeMismatchError),
        (5, (4, 4, 1), QType(4, True, 0), TypeMismatchError),
        (5, (4, 4, 1), QType(3, False, 1), TypeMismatchError),
        (5, (4, 4, 5), QType(3, False, 0), ShapeError),
        (1, (4, 4, 1), QType(3, False, 0), ShapeError),
    ],
)
def test_what_does_not_fit_is_refused(
    channels: int, shape: tuple[int, int, int], target: QType, error: type[ModelError]
) -> None:
    tensors = (Tensor("image", (4, 4, channels), QType(4, True, 2)), Tensor("y", shape, target))
    with pytest.raises(error, match=r"^argmax: expected "):
        check(Graph("net", ("image",), "y", tensors, (Argmax("argmax", ("image",), "y"),)))
