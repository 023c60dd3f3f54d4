"""Golden model of ``affine``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores
from quantunet.golden.matrix import strips
from quantunet.ir import Affine, Array, Graph, QType
from quantunet.rounding import clamp, shift_down, wrap


def affine(x: Array, node: Affine, output_type: QType) -> Array:
    """Return ``limit(R((x * m + b) / 2**shift))`` with each channel's constants, others below its split.

    Args:
        x: int64 ``(..., channels)``.
        node: The layer.
        output_type: The output's type.

    >>> from quantunet.ir import IntArray
    >>> constants = (IntArray.of([value]) for value in (3, 4, 0, 1, 4))  # 3/8, below 0 1/8; rounded half up
    >>> node = Affine("a", ("x",), "y", *constants, shift=3, low=-2, high=3)
    >>> affine(np.array([[20], [3], [1], [-4], [-13], [-30]]), node, QType(3, True, 0))[:, 0]
    array([ 3,  1,  0,  0, -2, -2])
    """
    upper = x >= node.split.array
    multiplier = np.where(upper, node.multiplier.array, node.lower_multiplier.array)
    offset = np.where(upper, node.offset.array, node.lower_offset.array)
    return _limited(x * multiplier + offset, node, output_type)


def _limited(sums: Array, node: Affine, output_type: QType) -> Array:
    quotients = shift_down(sums, node.shift, even=node.even)
    return wrap(quotients, output_type) if node.wraps else clamp(quotients, node.low, node.high)


def evaluate(graph: Graph, node: Affine, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return affine(inputs[0], node, graph.output_of(node).qtype)


def evaluate_batch(cores: Cores, graph: Graph, node: Affine, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact.

    Where both branches are one, no value is asked for its branch. The graph's check has shown that int64 holds every
    sum; a product alone may wrap, and comes right with its offset.
    """
    x, output = inputs[0], graph.output_of(node).qtype
    y = np.empty(x.shape, code_dtype(output))
    one_branch = (node.multiplier, node.offset) == (node.lower_multiplier, node.lower_offset)

    def compute(strip: tuple[slice, slice]) -> None:
        values = x[strip].astype(np.int64)
        if one_branch:
            values *= node.multiplier.array
            values += node.offset.array
            y[strip] = _limited(values, node, output)
        else:
            y[strip] = affine(values, node, output)

    cores.each(compute, strips(x.shape, x.shape[3], cores.count))
    return y
