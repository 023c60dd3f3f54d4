"""affine: hls4ml has no such layer; ours stands in :mod:`quantunet.hls.csim.extension`."""

from __future__ import annotations

import numpy as np

from quantunet.accumulator import affine_reach, bits_for
from quantunet.hls.csim.lower.layer import HlsLayer, rounded
from quantunet.ir import Affine, Array, Graph, IntArray

HALF_BITS = 32
"""Low bits of a constant; the higher ones are its other half."""


def lower(graph: Graph, node: Affine) -> HlsLayer:
    """Return the hls4ml layer of a general requantisation.

    Each constant goes along as two halves, the higher one signed: hls4ml keeps weights as float64.
    """
    source, target = graph.input_of(node), graph.output_of(node)
    split = IntArray.of(np.clip(node.split.array, source.qtype.qmin, source.qtype.qmax + 1))
    constants = (split, node.multiplier, node.offset, node.lower_multiplier, node.lower_offset)
    table = np.stack([half for one in constants for half in _halves(one)], axis=1)
    sums = [*affine_reach(node, source.qtype), target.qtype.qmin, target.qtype.qmax, 1 << node.shift]
    sums += [limit for one in (node.offset, node.lower_offset) for limit in _limits(one)]
    multipliers = [limit for one in (node.multiplier, node.lower_multiplier) for limit in _limits(one)]
    attributes = {
        "n_chan": source.shape[2],
        "shift": node.shift,
        "low": node.low,
        "high": node.high,
        "even": int(node.even),
        "wraps": int(node.wraps),
        "sum_width": bits_for(min(sums), max(sums)),
        "multiplier_width": bits_for(min(multipliers), max(multipliers)),
        "splits": node.split.array.tolist(),  # of the table, no more than the input's type tells apart
        "constant_data": table.astype(np.float64),
    }
    precision = {"constant": f"fixed<{HALF_BITS + 1},{HALF_BITS + 1}>", "result": rounded(target.qtype)}
    return HlsLayer("QunAffine", attributes, precision)


def _halves(constants: IntArray) -> tuple[Array, Array]:
    return constants.array >> HALF_BITS, constants.array & ((1 << HALF_BITS) - 1)


def _limits(constants: IntArray) -> tuple[int, int]:
    return int(constants.array.min()), int(constants.array.max())
