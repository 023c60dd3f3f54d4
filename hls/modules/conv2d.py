"""Hardware of ``conv2d``: parameters and memories of ``qun_conv2d``, and its cycles.

A geometry that is not native has ``qun_window_conv2d``: :mod:`quantunet.hls.modules.window_conv2d`.
"""

from __future__ import annotations

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.matrix import constant_conv2d, folded
from quantunet.hls.matrix.area import folded_area
from quantunet.hls.matrix.windows import Axis, Windows
from quantunet.hls.modules import window_conv2d
from quantunet.hls.modules.sheet import Join, Params, Timing
from quantunet.hls.resources.parts import CREDITS
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Array, Conv2d, Graph

RULE = "window"
JOIN = Join.NONE
WHOLE_PIXELS = True
BURSTS = True


def emit(graph: Graph, node: Conv2d, fold: Fold) -> Instance:
    """Return the instance of a convolution.

    Word ``(of*k*k + ky*k + kx)*IF + if`` of the weight memory holds, as element ``p*simd + s``, the weight of output
    channel ``of*pe + p`` and input channel ``if*simd + s``.

    Raises:
        WidthError: The layer's values are too wide.
    """
    if fold.style == "constant":
        return constant_conv2d.emit(graph, node, fold)
    if not node.native:
        return window_conv2d.emit(graph, node, fold, _windows(graph, node, fold), transposed=False)
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
    """
    if fold.style == "constant":
        return constant_conv2d.cycles(graph, node, fold)
    if not node.native:
        return window_conv2d.cycles(_windows(graph, node, fold))
    height, width, _ = graph.input_of(node).shape
    in_folds, out_folds = folded.folds(graph, node, fold)
    kernel = node.weight.shape[0]
    margin = kernel // 2
    first_pixels = min(margin, height - 1) * width + min(margin, width - 1) + 1
    window = kernel * kernel * in_folds
    start = first_pixels * in_folds + folded.latency(out_folds * window)
    ideal = height * width * out_folds * window
    return Cycles(predicted=start + ideal, first_output=start + window, ideal=ideal)


def area(graph: Graph, node: Conv2d, fold: Fold) -> Terms:
    """Return what a convolution takes.

    Raises:
        WidthError: The layer's values are too wide for this fold.
    """
    if fold.style == "constant":
        return constant_conv2d.area(graph, node, fold)
    if not node.native:
        return window_conv2d.area(graph, node, fold, _windows(graph, node, fold))
    kernel, width = node.weight.shape[0], graph.input_of(node).shape[1]
    return folded_area(graph, node, fold, "window" if kernel > 1 else "point", (kernel - 1) * width + kernel + 1)


def timing(graph: Graph, node: Conv2d, fold: Fold) -> Timing:
    """Return how a layer works through a frame."""
    if not node.native:
        return window_conv2d.timing(_windows(graph, node, fold))
    height, width, channels = graph.input_of(node).shape
    pixels = np.arange(height * width, dtype=np.int64)
    counts = cycles(graph, node, fold)
    cost = counts.ideal // len(pixels)
    ahead = width + 1 if node.weight.shape[0] == 3 else 0
    capacity = 2 * width + 4 if ahead else 2
    if fold.style == "constant":  # the pixels from the first that a window holds to the last that may have come
        capacity = ahead + 2 + (width if min(height, width) > 1 else 0) if ahead else 0
    needed = np.minimum(pixels + ahead, len(pixels) - 1)
    latency = counts.predicted - counts.ideal - (int(needed[0]) + 1) * channels // fold.simd
    # The firing after which a pixel is free lies in the next frame for a frame's last rows. A pixel of the buffer
    # counts in the cycle after it came.
    return Timing(len(pixels), cost, cost, needed, 1, pixels + ahead, (capacity,), latency, (1,), CREDITS)


def _windows(graph: Graph, node: Conv2d, fold: Fold) -> Windows:
    """Return the windows of a layer that is not native."""
    source, target, kernel = graph.input_of(node).shape, graph.output_of(node).shape, node.weight.shape
    rows, columns = (
        Axis(source[axis], target[axis], kernel[axis], node.stride[axis], node.dilation[axis], 1, kernel[axis] - 1)
        for axis in (0, 1)
    )
    return Windows(rows, columns, *folded.folds(graph, node, fold), node.groups)


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    folds = params["InChannels"] // params["Simd"] * (params["OutChannels"] // params["Pe"])
    latency = folded.latency(params["Kernel"] ** 2 * folds)
    return {**params, "Room": _room(params), "Credits": CREDITS, "MatrixLatency": latency}


def _room(params: Params) -> int:
    """Return the pixels that ``qun_sliding_window`` holds from the current one on."""
    return params["Width"] + 3 if params["Kernel"] == 3 else 2


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs: the last one of its window that lies in the frame."""
    height, width, margin = params["Height"], params["Width"], params["Kernel"] // 2
    row, column = np.divmod(np.arange(height * width, dtype=np.int64), width)
    last: Array = np.minimum(row + margin, height - 1) * width + np.minimum(column + margin, width - 1)
    return last


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: the folds that had credits, and the ring from the pixel on that waits for one."""
    in_folds, out_folds = params["InChannels"] // params["Simd"], params["OutChannels"] // params["Pe"]
    done = (left + CREDITS) // out_folds
    beats: Array = (done + _room(params)) * in_folds
    return beats
