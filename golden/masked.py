"""A network of logits becomes one of masks, from which foregrounds that are too small are missing."""

from __future__ import annotations

import dataclasses

import numpy as np

from quantunet.errors import ModelError, ShapeError, WidthError
from quantunet.golden.inference import mask
from quantunet.graph_check import check
from quantunet.identifiers import unused
from quantunet.ir import MASK_TYPE, MAX_BITS, Graph, IntArray, Lookup, SmallestArea, Tensor


def with_smallest_area(graph: Graph, area: int) -> Graph:
    """Return a network that gives its mask instead of its logits, empty where the foreground is too small.

    Two layers come behind the logits: a table of :func:`~quantunet.golden.inference.mask`, and ``smallest_area``. A
    table of probabilities in their place is left out.

    Args:
        graph: A network of one class.
        area: Pixels of the smallest foreground that is kept.

    Raises:
        ShapeError: It has several classes.
        WidthError: Its logits have more bits than the input of a table may have.
        ModelError: It gives its mask already, or has not so many pixels.
    """
    logits = graph.logits
    if graph.gives_mask:
        raise ModelError(
            graph.name,
            expected="a network that gives logits or probabilities",
            got="one that gives its mask already",
            hint="Take the network that it was made of.",
        )
    if logits.shape[2] != 1:
        raise ShapeError(
            logits.name,
            expected="logits of one channel for a mask",
            got=f"{logits.shape[2]} channels",
            hint="A smallest area is known for networks of one class.",
        )
    if logits.qtype.bits > MAX_BITS:
        raise WidthError(
            logits.name,
            expected=f"logits of at most {MAX_BITS} bits",
            got=f"{logits.qtype.bits} bits",
            hint="Put a quantizer behind the last layer.",
        )
    probabilities = {graph.output} - {logits.name}
    kept = [node for node in graph.nodes if node.output not in probabilities]
    tensors = [tensor for tensor in graph.tensors if tensor.name not in probabilities]
    layers, names = {node.name for node in kept}, {tensor.name for tensor in tensors}
    cut, smallest = (Tensor(unused(name, names), logits.shape, MASK_TYPE) for name in ("cut_out", "smallest_area_out"))
    masks = mask(graph, {logits.name: np.arange(logits.qtype.qmin, logits.qtype.qmax + 1)[:, None, None, None]})
    table = IntArray.of(masks[:, 0, 0])
    nodes = (
        *kept,
        Lookup(unused("cut", layers), (logits.name,), cut.name, table, probability=False),
        SmallestArea(unused("smallest_area", layers), (cut.name,), smallest.name, area),
    )
    return check(
        dataclasses.replace(graph, output=smallest.name, tensors=(*tensors, cut, smallest), nodes=nodes, reading=None)
    )
