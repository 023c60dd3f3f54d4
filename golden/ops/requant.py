"""Golden model of ``requant``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.golden.codes import Codes, code_dtype
from quantunet.golden.cores import Cores
from quantunet.golden.matrix import strips
from quantunet.ir import Array, Graph, QType, Requant
from quantunet.rounding import requantise, requantise_floats


def requant(x: Array, input_type: QType, output_type: QType) -> Array:
    """Return ``clamp(round_half_even(x * 2**(frac_out - frac_in)), qmin, qmax)``.

    Args:
        x: int64 of any shape in ``input_type``.
        input_type: The input's type.
        output_type: The output's type.

    >>> requant(np.array([1, 2, 3, 6, 15]), QType(4, False, 2), QType(3, True, 1))
    array([0, 1, 2, 3, 3])
    """
    return requantise(x, input_type.frac, output_type)


def evaluate(graph: Graph, node: Requant, inputs: Sequence[Array]) -> Array:
    """Return the output of a node, int64 ``(height', width', channels')``, by the formula."""
    return requant(inputs[0], graph.input_of(node).qtype, graph.output_of(node).qtype)


def evaluate_batch(cores: Cores, graph: Graph, node: Requant, inputs: Sequence[Codes]) -> Codes:
    """Return the output of a node for a batch, ``(images, height', width', channels')``, fast and as exact."""
    x, source, output = inputs[0], graph.input_of(node).qtype, graph.output_of(node)
    y = np.empty(x.shape, code_dtype(output.qtype))
    exact: type[np.floating] = np.float32 if source.bits <= 24 else np.float64

    def compute(strip: tuple[slice, slice]) -> None:
        values = x[strip].astype(exact)
        requantise_floats(values, source.frac, output.qtype)
        y[strip] = values

    cores.each(compute, strips(x.shape, x.shape[3], cores.count))
    return y
