"""The exact accumulator of a layer: its width is the smallest that holds every reachable value."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from quantunet.ir import Affine, Graph, MatrixNode, Pair, QType


def bits_for(low: int, high: int) -> int:
    """Return the width of the smallest two's complement type that holds ``low`` and ``high``.

    >>> bits_for(-8, 7), bits_for(-8, 8), bits_for(0, 0)
    (4, 5, 1)
    """
    return 1 + max(high.bit_length() if high >= 0 else 0, (-low - 1).bit_length() if low < 0 else 0)


def reachable(node: MatrixNode, input_type: QType) -> tuple[int, int]:
    """Return the least and the greatest value that any partial sum of the layer can take.

    The sum starts at the bias, and every term may be 0 (padding), so that partial sums in any order stay inside.

    Args:
        node: The layer.
        input_type: The type of its input.
    """
    # Types hold 0: a term is least where a positive weight meets qmin or a negative one meets qmax.
    positive = np.stack([np.maximum(weight, 0).sum(axis=(0, 1, 2)) for weight in node.phases])
    negative = np.stack([np.minimum(weight, 0).sum(axis=(0, 1, 2)) for weight in node.phases])
    # The sums of products keep far below 2**63; a bias of a file may be any int64, and is added as a Python integer.
    bias = node.bias.array.astype(object)
    low = positive * input_type.qmin + negative * input_type.qmax + bias
    high = positive * input_type.qmax + negative * input_type.qmin + bias
    return int(low.min()), int(high.max())


@lru_cache(maxsize=1024)
def _accumulator(node: MatrixNode, input_type: QType) -> QType:
    low, high = reachable(node, input_type)
    return QType(bits_for(low, high), signed=True, frac=node.weight_type.frac + input_type.frac)


def accumulator(graph: Graph, node: MatrixNode) -> QType:
    """Return the type of a layer's accumulator, at ``frac = frac_weight + frac_input``."""
    return _accumulator(node, graph.input_of(node).qtype)


def sum_reach(first: QType, second: QType, gains: Pair = (1, 1)) -> tuple[int, int]:
    """Return the least and the greatest weighted sum of two integers, at the finer of their scales.

    >>> sum_reach(QType(4, True, 2), QType(3, False, 2), (1, -1))
    (-15, 7)
    """
    frac = max(first.frac, second.frac)
    ends = [
        sorted((gain * qtype.qmin << (frac - qtype.frac), gain * qtype.qmax << (frac - qtype.frac)))
        for qtype, gain in zip((first, second), gains, strict=True)
    ]
    return ends[0][0] + ends[1][0], ends[0][1] + ends[1][1]


def sum_type(first: QType, second: QType, gains: Pair = (1, 1)) -> QType:
    """Return the type of the exact weighted sum of two integers, at the finer of their scales.

    >>> str(sum_type(QType(4, True, 2), QType(3, False, 4)))
    's7.4'
    """
    return QType(bits_for(*sum_reach(first, second, gains)), signed=True, frac=max(first.frac, second.frac))


def affine_reach(node: Affine, input_type: QType) -> tuple[int, int]:
    """Return the least and the greatest ``x * m + b`` of any channel, before the shift.

    Args:
        node: The layer.
        input_type: The type of its input, every integer of which may come.
    """
    # Constants of a file may be any int64: Python integers hold every product.
    columns = (node.split, node.multiplier, node.offset, node.lower_multiplier, node.lower_offset)
    reached = []
    for split, multiplier, offset, lower_multiplier, lower_offset in zip(
        *(column.array.tolist() for column in columns), strict=True
    ):
        if split <= input_type.qmax:
            reached += [x * multiplier + offset for x in (max(split, input_type.qmin), input_type.qmax)]
        if split > input_type.qmin:
            reached += [x * lower_multiplier + lower_offset for x in (input_type.qmin, min(split - 1, input_type.qmax))]
    return min(reached), max(reached)


def product_type(first: QType, second: QType) -> QType:
    """Return the smallest type that holds every product of two integers; unsigned where both are.

    >>> str(product_type(QType(4, True, 2), QType(3, False, 4)))
    's7.6'
    """
    limits = [a * b for a in (first.qmin, first.qmax) for b in (second.qmin, second.qmax)]
    signed = first.signed or second.signed
    return QType(bits_for(min(limits), max(limits)) - (not signed), signed, first.frac + second.frac)


def requant_shift(accumulator_type: QType, output_type: QType) -> int:
    """Return the right shift of the requantisation; negative for a left shift."""
    return accumulator_type.frac - output_type.frac
