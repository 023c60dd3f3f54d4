"""Evaluate an integer graph and keep every tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from quantunet.errors import ImageError
from quantunet.golden.fast import matrix_layer
from quantunet.golden.ops.concat import concat
from quantunet.golden.ops.conv2d import conv2d
from quantunet.golden.ops.conv_transpose2d import conv_transpose2d
from quantunet.golden.ops.maxpool2d import maxpool2d
from quantunet.golden.ops.requant import requant
from quantunet.golden.ops.sigmoid import sigmoid
from quantunet.ir import (
    Array,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Graph,
    MatrixNode,
    MaxPool2d,
    Node,
    QType,
    Requant,
    Sigmoid,
    Tensor,
)

Taps = dict[str, Array]
"""Every tensor of one image by name, int64 ``(height, width, channels)``."""


def _plain_matrix(x: Array, node: MatrixNode, input_type: QType, output_type: QType) -> Array:
    if isinstance(node, Conv2d):
        return conv2d(x, node, input_type, output_type)
    return conv_transpose2d(x, node, input_type, output_type)


Evaluate = Callable[[Graph, Node, Sequence[Array], bool], Array]


def _matrix(graph: Graph, node: Node, inputs: Sequence[Array], plain: bool) -> Array:
    assert isinstance(node, Conv2d | ConvTranspose2d)
    layer = _plain_matrix if plain else matrix_layer
    return layer(inputs[0], node, graph.input_of(node).qtype, graph.output_of(node).qtype)


def _maxpool2d(graph: Graph, node: Node, inputs: Sequence[Array], plain: bool) -> Array:
    return maxpool2d(inputs[0])


def _requant(graph: Graph, node: Node, inputs: Sequence[Array], plain: bool) -> Array:
    return requant(inputs[0], graph.input_of(node).qtype, graph.output_of(node).qtype)


def _concat(graph: Graph, node: Node, inputs: Sequence[Array], plain: bool) -> Array:
    return concat(inputs[0], inputs[1])


def _sigmoid(graph: Graph, node: Node, inputs: Sequence[Array], plain: bool) -> Array:
    assert isinstance(node, Sigmoid)
    return sigmoid(inputs[0], node.table, graph.input_of(node).qtype)


_EVALUATE: dict[str, Evaluate] = {
    Conv2d.op: _matrix,
    ConvTranspose2d.op: _matrix,
    MaxPool2d.op: _maxpool2d,
    Requant.op: _requant,
    Concat.op: _concat,
    Sigmoid.op: _sigmoid,
}


def evaluate(graph: Graph, node: Node, inputs: Sequence[Array], *, plain: bool = False) -> Array:
    """Return the output of one node.

    Args:
        graph: The graph that holds the node.
        node: The node.
        inputs: One int64 ``(height, width, channels)`` for each of the node's inputs.
        plain: Use the plain int64 formula also where a fast exact path exists.

    Returns:
        int64 ``(height', width', channels')``.
    """
    return _EVALUATE[node.op](graph, node, inputs, plain)


def check_image(image: npt.NDArray[np.integer], tensor: Tensor) -> Array:
    """Return an image as the int64 ``(height, width, channels)`` that a tensor expects.

    Args:
        image: Integers ``(height, width)`` or ``(height, width, channels)``.
        tensor: The graph's input.

    Raises:
        ImageError: Wrong size, not integers, or values outside the type.
    """
    array = np.asarray(image)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.dtype.kind not in "iu":
        raise ImageError(tensor.name, expected="integers", got=str(array.dtype), hint="Pass the sensor's bytes.")
    if array.shape != tensor.shape:
        raise ImageError(
            tensor.name,
            expected=f"an image of {'x'.join(map(str, tensor.shape))} (height, width, channels)",
            got="x".join(map(str, array.shape)),
            hint="Resize the image, or use a network of that size.",
        )
    if array.size and (array.min() < tensor.qtype.qmin or array.max() > tensor.qtype.qmax):
        raise ImageError(
            tensor.name,
            expected=f"values in {tensor.qtype.qmin}..{tensor.qtype.qmax}",
            got=f"{array.min()}..{array.max()}",
        )
    return array.astype(np.int64)


def run(graph: Graph, image: npt.NDArray[np.integer], *, plain: bool = False) -> Taps:
    """Evaluate a network on one image.

    Args:
        graph: The integer graph; one input.
        image: Integers ``(height, width)`` or ``(height, width, channels)`` in the input's type.
        plain: Use the plain int64 formulas everywhere (slow; the definition).

    Returns:
        Every tensor by name, the input included.

    Raises:
        ImageError: The image does not fit the network's input.
    """
    taps: Taps = {graph.input: check_image(image, graph.tensor(graph.input))}
    for node in graph.nodes:
        taps[node.output] = evaluate(graph, node, [taps[name] for name in node.inputs], plain=plain)
    return taps


def mask(graph: Graph, taps: Taps) -> npt.NDArray[np.bool_]:
    """Return the segmentation mask ``logit >= 0`` of an evaluated network.

    Returns:
        bool ``(height, width)``, or ``(height, width, channels)`` where there are several classes.
    """
    foreground = taps[graph.logits.name] >= 0
    return foreground[:, :, 0] if foreground.shape[2] == 1 else foreground
