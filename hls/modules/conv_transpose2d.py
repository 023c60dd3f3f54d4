"""Hardware of ``conv_transpose2d``: parameters and memories of ``qun_conv_transpose2d``, and its cycles.

A geometry that is not native has ``qun_window_conv2d``: :mod:`quantunet.hls.modules.window_conv2d`.
"""

from __future__ import annotations

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.matrix import folded
from quantunet.hls.matrix.area import folded_area
from quantunet.hls.matrix.windows import Axis, Windows
from quantunet.hls.modules import window_conv2d
from quantunet.hls.modules.sheet import Join, Params, Timing
from quantunet.hls.resources.parts import CREDITS
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Array, ConvTranspose2d, Graph

RULE = "repeat"
JOIN = Join.NONE
WHOLE_PIXELS = True
BURSTS = True

_PHASES = 4
"""Taps of the kernel: output pixels that grow from an input pixel."""


def emit(graph: Graph, node: ConvTranspose2d, fold: Fold) -> Instance:
    """Return the instance of a transpose convolution.

    Word ``((dy*2 + dx)*OF + of)*IF + if`` of the weight memory holds, as element ``p*simd + s``, the weight of output
    channel ``of*pe + p`` and input channel ``if*simd + s``.

    Raises:
        WidthError: The layer's values are too wide.
    """
    if not node.native:
        return window_conv2d.emit(graph, node, fold, _windows(graph, node, fold), transposed=True)
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
    """
    if not node.native:
        return window_conv2d.cycles(_windows(graph, node, fold))
    height, width, _ = graph.input_of(node).shape
    in_folds, out_folds = folded.folds(graph, node, fold)
    start = in_folds + folded.latency(_PHASES * out_folds * in_folds)
    ideal = _PHASES * height * width * out_folds * in_folds
    return Cycles(predicted=start + ideal, first_output=start + in_folds, ideal=ideal)


def area(graph: Graph, node: ConvTranspose2d, fold: Fold) -> Terms:
    """Return what a transpose convolution takes.

    Raises:
        WidthError: The layer's values are too wide for this fold.
    """
    if not node.native:
        return window_conv2d.area(graph, node, fold, _windows(graph, node, fold))
    return folded_area(graph, node, fold, "rows", graph.input_of(node).shape[1] + 2)


def timing(graph: Graph, node: ConvTranspose2d, fold: Fold) -> Timing:
    """Return how a layer works through a frame: a firing is a column of an output row, and makes two pixels."""
    if not node.native:
        return window_conv2d.timing(_windows(graph, node, fold))
    height, width, channels = graph.input_of(node).shape
    firings = np.arange(2 * height * width, dtype=np.int64)
    row, column = np.divmod(firings, width)
    pixel_row, pixel_column = np.divmod(np.arange(height * width, dtype=np.int64), width)
    counts = cycles(graph, node, fold)
    cost, needed = counts.ideal // len(firings), row // 2 * width + column
    releases = (2 * pixel_row + 1) * width + pixel_column
    latency = counts.predicted - counts.ideal - (int(needed[0]) + 1) * channels // fold.simd
    return Timing(len(firings), cost, cost, needed, 2, releases, (width + 2,), latency, (1,), CREDITS)


def _windows(graph: Graph, node: ConvTranspose2d, fold: Fold) -> Windows:
    """Return the windows of a layer that is not native: input pixels that meet in an output pixel."""
    source, target, kernel = graph.input_of(node).shape, graph.output_of(node).shape, node.weight.shape
    rows, columns = (
        Axis(source[axis], target[axis], kernel[axis], 1, 1, node.stride[axis], node.crop[axis]) for axis in (0, 1)
    )
    return Windows(rows, columns, *folded.folds(graph, node, fold))


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    folds = params["InChannels"] // params["Simd"] * (params["OutChannels"] // params["Pe"])
    latency = folded.latency(_PHASES * folds)
    return {**params, "Room": params["Width"] + 2, "Credits": CREDITS, "MatrixLatency": latency}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs: the one that it grows from."""
    row, column = np.divmod(np.arange(target.shape[0] * target.shape[1], dtype=np.int64), target.shape[1])
    needed: Array = row // 2 * params["Width"] + column // 2
    return needed


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: pixels whose second firing had its credits, and the rows from the next pixel on."""
    width, in_folds = params["Width"], params["InChannels"] // params["Simd"]
    firings = (left + CREDITS) // (2 * params["OutChannels"] // params["Pe"])
    rows, columns = np.divmod(firings, 2 * width)
    beats: Array = (rows * width + np.maximum(columns - width, 0) + width + 2) * in_folds
    return beats
