"""add: hls4ml's Merge, where the result type does the rounding; with gains, ours of ``hls/csim/extension.py``."""

from __future__ import annotations

from quantunet.accumulator import sum_type
from quantunet.errors import ScaleError
from quantunet.hls.csim.lower.layer import HlsLayer, accumulator_for_cpp, exact, rounded
from quantunet.ir import Add, Graph


def lower(graph: Graph, node: Add) -> HlsLayer:
    """Return the hls4ml layer of a sum.

    Raises:
        ScaleError: More bits are dropped than the sum has; C simulation cannot say that.
    """
    first, second = graph.input_of(node, 0).qtype, graph.input_of(node, 1).qtype
    total, target = sum_type(first, second, node.gains), graph.output_of(node).qtype
    if total.frac - target.frac > total.bits:
        raise ScaleError(
            node.name,
            expected=f"at most {total.bits} dropped bits, those of the sum",
            got=f"{total} to {target}, which makes every value 0",
            hint="Give the output a finer scale.",
        )
    if node.gains != (1, 1):
        gains = {"first_gain": node.gains[0], "second_gain": node.gains[1]}
        accum = exact(accumulator_for_cpp(total, target))
        return HlsLayer("QunAdd", gains, {"accum": accum, "result": rounded(target)})
    return HlsLayer("Merge", {"op": "add"}, {"result": rounded(target)})
