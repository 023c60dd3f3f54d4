"""add: hls4ml's Merge; the result type does the rounding."""

from __future__ import annotations

from quantunet.accumulator import sum_type
from quantunet.errors import ScaleError
from quantunet.hls.csim.lower.layer import HlsLayer, rounded
from quantunet.ir import Add, Graph


def lower(graph: Graph, node: Add) -> HlsLayer:
    """Return the hls4ml layer of a sum.

    Raises:
        ScaleError: More bits are dropped than the sum has; C simulation cannot say that.
    """
    total, target = sum_type(graph.input_of(node, 0).qtype, graph.input_of(node, 1).qtype), graph.output_of(node).qtype
    if total.frac - target.frac > total.bits:
        raise ScaleError(
            node.name,
            expected=f"at most {total.bits} dropped bits, those of the sum",
            got=f"{total} to {target}, which makes every value 0",
            hint="Give the output a finer scale.",
        )
    return HlsLayer("Merge", {"op": "add"}, {"result": rounded(target)})
