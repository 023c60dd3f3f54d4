"""Golden model of ``lookup``: a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores
from quantunet.ir import Array, Graph, IntArray, Lookup, QType


def lookup(x: Array, table: IntArray, input_type: QType) -> Array:
    """Return ``y = table[x - qmin]``.

    Args:
        x: int64 of any shape in ``input_type``.
        table: ``(2**bits,)`` integers of the output type.
        input_type: The input's type.

    >>> lookup(np.array([-2, 0, 1]), IntArray.of([10, 20, 30, 40]), QType(2, True, 0))
    array([10, 30, 40])
    """
    return np.asarray(table.array[x - input_type.qmin])


def evaluate(graph: Graph, node: Lookup, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return lookup(inputs[0], node.table, graph.input_of(node).qtype)


def evaluate_batch(cores: Cores, graph: Graph, node: Lookup, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    table = node.table.array.astype(code_dtype(graph.output_of(node).qtype))
    return np.asarray(table[inputs[0].astype(np.intp) - graph.input_of(node).qtype.qmin])
