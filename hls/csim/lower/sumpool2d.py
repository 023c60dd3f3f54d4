"""sumpool2d: hls4ml knows the mean alone, and rounds it; ours stands in :mod:`quantunet.hls.csim.windows`."""

from __future__ import annotations

import dataclasses

from quantunet.hls.csim.lower.layer import HlsLayer, exact, rounded
from quantunet.hls.csim.lower.window import geometry
from quantunet.ir import Graph, SumPool2d


def lower(graph: Graph, node: SumPool2d) -> HlsLayer:
    """Return the hls4ml layer of a sum; it adds at the input's scale, and the output has the same bits."""
    source, target = graph.input_of(node), graph.output_of(node)
    accumulator_type = dataclasses.replace(target.qtype, frac=source.qtype.frac)
    precision = {"accum": exact(accumulator_type), "result": rounded(target.qtype)}
    return HlsLayer("QunSumPool2D", geometry(source.shape, target.shape, node.kernel, node.stride), precision)
