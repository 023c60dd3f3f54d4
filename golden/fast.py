"""The fast exact path: floating point as a calculator of integers, where the bounds prove it exact.

Between layers a tensor stands in the smallest integer type that holds its codes, with the images of a batch as leading
axis. A convolution goes over the pixels in strips that stay in the cache: padded and as floats, windows side by side,
one matrix product by BLAS, requantisation in place, back to codes.

Where there are enough images for all cores, each core takes some of them through all layers; else the cores share the
strips of one layer.

Why nothing is rounded but what the definition rounds stands in :mod:`quantunet.golden.matrix`. Tests hold this path
equal to the plain one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores, all_cores
from quantunet.golden.table import SHEETS
from quantunet.ir import Graph, Node

_PIECE_IMAGES = 8
"""Images at most that one core takes through the layers together: the small layers then fill a strip as well."""


def _chain(cores: Cores, graph: Graph, nodes: Sequence[Node], inputs: Mapping[str, Codes]) -> dict[str, Codes]:
    """Evaluate nodes in their order; return the inputs and all that the nodes write."""
    taps = dict(inputs)
    for node in nodes:
        inputs_of_node = [taps[name] for name in node.inputs]
        taps[node.output] = SHEETS[node.op].evaluate_batch(cores, graph, node, inputs_of_node)
    return taps


def evaluate(graph: Graph, nodes: Sequence[Node], inputs: Mapping[str, Codes]) -> dict[str, Codes]:
    """Evaluate nodes in their order on a batch, layer by layer on all cores.

    Args:
        graph: The graph that holds the nodes.
        nodes: The nodes.
        inputs: Tensors that they read and none of them writes, ``(images, height, width, channels)`` in their types.

    Returns:
        The inputs, and what the nodes write in the smallest integer types that hold it.
    """
    with all_cores() as cores:
        return _chain(cores, graph, nodes, inputs)


def evaluate_images(graph: Graph, images: Codes, names: Sequence[str]) -> dict[str, Codes]:
    """Evaluate a network on any number of images and keep some tensors.

    Args:
        graph: The graph.
        images: ``(images, height, width, channels)`` in the input's type.
        names: Tensors to keep.

    Returns:
        The kept tensors, ``(images, height', width', channels')`` in the smallest integer types that hold them.
    """
    tensors = [graph.tensor(name) for name in names]
    kept = {one.name: np.empty((len(images), *one.shape), code_dtype(one.qtype)) for one in tensors}
    with all_cores() as cores:

        def compute(piece: slice) -> None:
            own = cores.alone() if len(images) >= cores.count else cores
            taps = _chain(own, graph, graph.nodes, {graph.input: images[piece]})
            for name, values in kept.items():
                values[piece] = taps[name]

        cores.each(compute, _pieces(len(images), cores.count))
    return kept


def _pieces(images: int, cores: int) -> list[slice]:
    """Cut a batch into pieces that end at about the same time on all cores; into one where it has too few images."""
    if images < cores:
        return [slice(0, images)]
    step = math.ceil(images / (cores * math.ceil(images / (cores * _PIECE_IMAGES))))
    return [slice(first, min(first + step, images)) for first in range(0, images, step)]
