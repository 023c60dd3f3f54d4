"""Golden model of ``add``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores
from quantunet.golden.matrix import strips
from quantunet.ir import Add, Array, Graph, Pair, QType
from quantunet.rounding import requantise


def add(
    first: Array, second: Array, first_type: QType, second_type: QType, output_type: QType, gains: Pair = (1, 1)
) -> Array:
    """Return ``clamp(round_half_even((g0 * a + g1 * b) * 2**frac_out), qmin, qmax)`` of the real values ``a``, ``b``.

    Args:
        first: int64 of any shape in ``first_type``.
        second: int64 of the same shape in ``second_type``.
        first_type: The first input's type.
        second_type: The second input's type.
        output_type: The output's type.
        gains: ``g0`` and ``g1``.

    >>> types = QType(4, True, 1), QType(4, True, 2), QType(4, True, 1)
    >>> add(np.array([1, 2, 7, -8]), np.array([1, -1, 7, -8]), *types)  # halves, quarters; the ties 1.5 and 10.5
    array([ 2,  2,  7, -8])
    >>> add(np.array([1, 2, 7, -8]), np.array([1, -1, 7, -8]), *types, gains=(1, -1))
    array([ 0,  2,  4, -4])
    """
    frac = max(first_type.frac, second_type.frac)
    total = gains[0] * (first << (frac - first_type.frac)) + gains[1] * (second << (frac - second_type.frac))
    return requantise(total, frac, output_type)


def evaluate(graph: Graph, node: Add, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    types = (graph.input_of(node, 0).qtype, graph.input_of(node, 1).qtype)
    return add(inputs[0], inputs[1], *types, graph.output_of(node).qtype, node.gains)


def evaluate_batch(cores: Cores, graph: Graph, node: Add, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    y = np.empty(inputs[0].shape, code_dtype(graph.output_of(node).qtype))

    def compute(strip: tuple[slice, slice]) -> None:
        y[strip] = evaluate(graph, node, [x[strip].astype(np.int64) for x in inputs])

    cores.each(compute, strips(y.shape, y.shape[3], cores.count))
    return y
