"""requant: hls4ml's linear activation; the result type does the work."""

from __future__ import annotations

from quantunet.errors import ScaleError
from quantunet.hls.csim.lower.layer import HlsLayer, exact, rounded
from quantunet.ir import Graph, Requant


def lower(graph: Graph, node: Requant) -> HlsLayer:
    """Return the hls4ml layer of a requantisation.

    hls4ml removes a linear activation whose result precision equals its input's. Where the types are the same there is
    nothing to round, and the plain precision (truncate, wrap) says the same and keeps the layer.

    Raises:
        ScaleError: More bits are dropped than the input has; C simulation cannot say that.
    """
    source, target = graph.input_of(node), graph.output_of(node)
    if source.qtype.frac - target.qtype.frac > source.qtype.bits:
        raise ScaleError(
            node.name,
            expected=f"at most {source.qtype.bits} dropped bits, those of the input",
            got=f"{source.qtype} to {target.qtype}, which makes every value 0",
            hint="Give the output a finer scale.",
        )
    same = source.qtype == target.qtype
    precision = {"result": exact(target.qtype) if same and _is_rounded(graph, node) else rounded(target.qtype)}
    return HlsLayer("Activation", {"activation": "linear"}, precision)


def _is_rounded(graph: Graph, node: Requant) -> bool:
    """Return whether the input's precision carries rounding modes."""
    producer = graph.producer(node.inputs[0])
    if producer is None:
        return False
    if isinstance(producer, Requant):
        return lower(graph, producer).precision["result"].endswith("SAT>")
    return True
