"""Evaluate an integer graph and keep every tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from quantunet.errors import ImageError, ShapeError
from quantunet.golden import fast
from quantunet.golden.codes import code_dtype
from quantunet.golden.table import SHEETS
from quantunet.ir import Array, Graph, Node, Tensor

Taps = dict[str, Array]
"""Every tensor of one image by name, int64 ``(height, width, channels)``."""


def evaluate(graph: Graph, node: Node, inputs: Sequence[Array], *, plain: bool = False) -> Array:
    """Return the output of one node.

    Args:
        graph: The graph that holds the node.
        node: The node.
        inputs: One int64 ``(height, width, channels)`` for each of the node's inputs, in the inputs' types.
        plain: Use the plain int64 formula instead of the fast exact path.

    Returns:
        int64 ``(height', width', channels')``.
    """
    if plain:
        return SHEETS[node.op].evaluate(graph, node, inputs)
    batch = {name: values[None] for name, values in zip(node.inputs, inputs, strict=True)}
    output = fast.evaluate(graph, [node], batch)[node.output]
    return np.asarray(output[0], dtype=np.int64)


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
        raise ImageError(tensor.name, expected="integers", got=str(array.dtype), hint="Pass the input's codes.")
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
    """Evaluate a network on one image and keep every tensor.

    Args:
        graph: The integer graph; one input.
        image: Integers ``(height, width)`` or ``(height, width, channels)`` in the input's type.
        plain: Use the plain int64 formulas everywhere (slow; the definition).

    Returns:
        Every tensor by name, the input included.

    Raises:
        ImageError: The image does not fit the network's input.
    """
    if not plain:
        names = [tensor.name for tensor in graph.tensors]
        return {name: values[0] for name, values in run_batch(graph, [image], names).items()}
    taps: Taps = {graph.input: check_image(image, graph.tensor(graph.input))}
    for node in graph.nodes:
        taps[node.output] = evaluate(graph, node, [taps[name] for name in node.inputs], plain=True)
    return taps


def run_batch(
    graph: Graph, images: Sequence[npt.NDArray[np.integer]], names: Sequence[str] | None = None
) -> dict[str, Array]:
    """Evaluate a network on several images and keep some tensors.

    Args:
        graph: The integer graph; one input.
        images: At least one image, as for :func:`run`.
        names: Tensors to keep; the logits and the output unless given.

    Returns:
        The kept tensors by name, int64 ``(images, height, width, channels)``.

    Raises:
        ImageError: An image does not fit the network's input, or there is none.
    """
    if not len(images):
        raise ImageError(graph.name, expected="at least one image", got="none")
    names = (graph.logits.name, graph.output) if names is None else names
    source = graph.tensor(graph.input)
    checked = [check_image(image, source).astype(code_dtype(source.qtype)) for image in images]
    kept = fast.evaluate_images(graph, np.stack(checked), names)
    return {name: values.astype(np.int64) for name, values in kept.items()}


def mask(graph: Graph, taps: Taps) -> npt.NDArray[np.bool_]:
    """Return the segmentation mask of an evaluated network of one class: ``logit >= 0``, or its output if that is it.

    Returns:
        bool ``(height, width)``, with the images as leading axis if the tensors have one.

    Raises:
        ShapeError: The network has several classes.
    """
    if graph.logits.shape[2] != 1:
        raise ShapeError(
            graph.logits.name,
            expected="logits of one channel for a mask",
            got=f"{graph.logits.shape[2]} channels",
            hint="quantunet.golden.classes gives the class map.",
        )
    values = _comparable(graph, taps)[..., 0]
    return np.asarray(values > 0 if graph.gives_mask else values >= 0)


def _comparable(graph: Graph, taps: Taps) -> Array:
    """Return integers with the order and the signs of the logits' real values."""
    logits = taps[graph.logits.name]
    if graph.reading is None or graph.logits.name != graph.output:
        return logits
    gain, offset = graph.reading.whole()
    wide = max(map(abs, gain)) << 48 >= 1 << 62 or max(map(abs, offset)) >= 1 << 62
    values = logits.astype(object) if wide else logits
    return np.asarray(values * np.array(gain, dtype=values.dtype) + np.array(offset, dtype=values.dtype))


def classes(graph: Graph, taps: Taps) -> Array:
    """Return the class of each pixel of an evaluated network.

    Of several channels the one with the greatest logit, of equals the first. A network of one channel has the classes
    0 and 1: background and the mask of :func:`mask`.

    Returns:
        int64 ``(height, width)``, with the images as leading axis if the tensors have one.
    """
    if graph.logits.shape[2] == 1:
        return mask(graph, taps).astype(np.int64)
    return np.asarray(_comparable(graph, taps).argmax(axis=-1), dtype=np.int64)


def class_count(graph: Graph) -> int:
    """Return how many classes :func:`classes` tells apart."""
    return max(2, graph.logits.shape[2])
