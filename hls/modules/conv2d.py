"""Hardware of ``conv2d``: parameters and memories of ``qun_conv2d``, and its cycles."""

from __future__ import annotations

from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.matrix import constant_conv2d, folded
from quantunet.ir import Conv2d, Graph


def emit(graph: Graph, node: Conv2d, fold: Fold) -> Instance:
    """Return the instance of a convolution.

    Word ``(of*k*k + ky*k + kx)*IF + if`` of the weight memory holds, as element ``p*simd + s``, the weight of output
    channel ``of*pe + p`` and input channel ``if*simd + s``.

    Raises:
        FoldingError: The fold does not divide.
        WidthError: The layer's values are too wide.
    """
    if fold.style == "constant":
        return constant_conv2d.emit(graph, node, fold)
    params = folded.parameters(graph, node, fold)
    head = {name: params[name] for name in ("Height", "Width", "InChannels", "OutChannels")}
    kernel = node.weight.shape[0]
    split = folded.split_channels(node.weight.array, fold)
    words = split.transpose(2, 0, 1, 3, 4, 5).reshape(-1, fold.pe * fold.simd)
    return Instance(
        name=node.name,
        module="qun_conv2d",
        params=tuple({**head, "Kernel": kernel, **params}.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
        memories=(folded.weight_memory(node, words), folded.bias_memory(graph, node, fold)),
    )


def cycles(graph: Graph, node: Conv2d, fold: Fold) -> Cycles:
    """Return the cycles of a convolution for one frame.

    The multipliers work without a gap from the cycle after the first window's last pixel has come, a row and two
    pixels (1x1: one pixel), until the frame ends. The next frame loads meanwhile: the ideal is also the frame interval.

    Raises:
        FoldingError: The fold does not divide.
    """
    if fold.style == "constant":
        return constant_conv2d.cycles(graph, node, fold)
    height, width, _ = graph.input_of(node).shape
    in_folds, out_folds = folded.folds(graph, node, fold)
    kernel = node.weight.shape[0]
    margin = kernel // 2
    first_pixels = min(margin, height - 1) * width + min(margin, width - 1) + 1
    start = first_pixels * in_folds + folded.LATENCY
    window = kernel * kernel * in_folds
    ideal = height * width * out_folds * window
    return Cycles(predicted=start + ideal, first_output=start + window, ideal=ideal)
