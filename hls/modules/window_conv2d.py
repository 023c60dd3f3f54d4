"""Hardware of convolutions and transpose convolutions of any geometry: ``qun_window_conv2d``.

The sheets of ``conv2d`` and ``conv_transpose2d`` come here where the geometry is not that of their native module.
"""

from __future__ import annotations

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.matrix import folded
from quantunet.hls.matrix.area import folded_area
from quantunet.hls.matrix.windows import Windows
from quantunet.hls.modules.sheet import Join, Params, Timing, windowed
from quantunet.hls.resources.parts import CREDITS
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, Graph, MatrixNode

RULE = "valid_window"
JOIN = Join.NONE
WHOLE_PIXELS = True


def emit(graph: Graph, node: MatrixNode, fold: Fold, windows: Windows, *, transposed: bool) -> Instance:
    """Return the instance of a convolution or of a transpose convolution.

    The words of the weight memory come in the order of the taps of ``qun_window``: phase of rows, phase of columns,
    output fold, kernel row, kernel column, input fold of the group. A word holds, as element ``p*simd + s``, the weight
    of output channel ``of*pe + p`` and of the group's input channel ``if*simd + s``.

    Args:
        graph: The network.
        node: The layer.
        fold: Its fold.
        windows: Its windows.
        transposed: Whether it is a transpose convolution, whose taps lie upside down on the input.

    Raises:
        WidthError: The layer's values are too wide.
    """
    params = folded.parameters(graph, node, fold)
    split = folded.split_channels(node.weight.array, fold)
    words = [
        split[np.ix_(rows, columns)].transpose(2, 0, 1, 3, 4, 5).reshape(-1, fold.pe * fold.simd)
        for rows in windows.rows.kernel_taps(transposed=transposed)
        for columns in windows.columns.kernel_taps(transposed=transposed)
    ]
    head = {name: params[name] for name in ("Height", "Width", "InChannels", "OutChannels")}
    return Instance(
        name=node.name,
        module="qun_window_conv2d",
        params=tuple({**head, **windows.parameters(), **params}.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
        memories=(folded.weight_memory(node, np.concatenate(words)), folded.bias_memory(graph, node, fold)),
    )


def cycles(windows: Windows) -> Cycles:
    """Return the cycles of a layer for one frame."""
    return windows.cycles(folded.latency(windows.weight_words))


def area(graph: Graph, node: MatrixNode, fold: Fold, windows: Windows) -> Terms:
    """Return what a layer takes: what a native one does, with more addresses of the ring, and two counts of pixels.

    Raises:
        WidthError: The layer's values are too wide for this fold.
    """
    pixels = windows.ring_pixels
    terms = folded_area(graph, node, fold, "window", pixels)
    counts = 2 * counter_bits(pixels + windows.pixels) - counter_bits(pixels)
    terms.add("lut", window=2)
    terms.add("ff", registers=2 * counter_bits(pixels * windows.in_folds) + counts)
    return terms


def timing(windows: Windows) -> Timing:
    """Return how a layer works through a frame."""
    return windowed(windows, folded.latency(windows.weight_words), CREDITS)


def _windows(params: Params) -> Windows:
    return Windows.of(params, params["InChannels"] // params["Simd"], params["OutChannels"] // params["Pe"])


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    windows = _windows(params)
    return windows.rule_params(params, folded.latency(windows.weight_words), CREDITS)


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return _windows(params).needs


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats taken: the windows that had credits for all their folds, and the ring from the next one on."""
    return _windows(params).taken(params["RingPixels"], left, CREDITS)
