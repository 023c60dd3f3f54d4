"""Hardware of ``conv_transpose2d``: parameters and memories of ``qun_conv_transpose2d``, and its cycles."""

from __future__ import annotations

from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.matrix import folded
from quantunet.ir import ConvTranspose2d, Graph


def emit(graph: Graph, node: ConvTranspose2d, fold: Fold) -> Instance:
    """Return the instance of a transpose convolution.

    Word ``((dy*2 + dx)*OF + of)*IF + if`` of the weight memory holds, as element ``p*simd + s``, the weight of output
    channel ``of*pe + p`` and input channel ``if*simd + s``.

    Raises:
        FoldingError: The fold does not divide.
        WidthError: The layer's values are too wide.
    """
    params = folded.parameters(graph, node, fold)
    words = folded.split_channels(node.weight.array, fold).reshape(-1, fold.pe * fold.simd)
    return Instance(
        name=node.name,
        module="qun_conv_transpose2d",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
        memories=(folded.weight_memory(node, words), folded.bias_memory(graph, node, fold)),
    )


def cycles(graph: Graph, node: ConvTranspose2d, fold: Fold) -> Cycles:
    """Return the cycles of a transpose convolution for one frame.

    The multipliers work without a gap from the cycle after the first pixel has come until the frame ends; the next
    frame loads meanwhile, so that the ideal is also the frame interval.

    Raises:
        FoldingError: The fold does not divide.
    """
    height, width, _ = graph.input_of(node).shape
    in_folds, out_folds = folded.folds(graph, node, fold)
    start = in_folds + folded.LATENCY
    ideal = 4 * height * width * out_folds * in_folds
    return Cycles(predicted=start + ideal, first_output=start + in_folds, ideal=ideal)
