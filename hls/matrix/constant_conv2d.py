"""A convolution of the style ``constant``: every weight wired in, all taps and channels of a pixel at once."""

from __future__ import annotations

import numpy as np

from quantunet.accumulator import accumulator, requant_shift
from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.folding import check_fold
from quantunet.hls.matrix import folded
from quantunet.hls.matrix.constant_multiply import adder_graph, adder_levels
from quantunet.hls.matrix.constant_text import latency, sums_module
from quantunet.hls.templates.environment import template_environment
from quantunet.ir import Array, Conv2d, Graph, IntArray

_TEMPLATES = template_environment()

_TYPES = {"Shift": "int", "OutSigned": "bit"}  # of the parameters that are not ``int unsigned``


def emit(graph: Graph, node: Conv2d, fold: Fold) -> Instance:
    """Return the instance of a convolution by constants: ``qun_conv2d_constant`` and a generated product beside it.

    Raises:
        FoldingError: The fold does not have the style ``constant``, or the layer is too large for it.
        WidthError: The accumulator is too wide to be rounded.
        ToolMissingError: da4ml is not installed.
        ToolFailedError: da4ml found no right adder graph.
    """
    check_fold(graph, node, fold)
    folded.check_widths(graph, node, fold)
    source, target, sums = graph.input_of(node), graph.output_of(node), accumulator(graph, node)
    (height, width), matrix = _raster(graph, node), _matrix(node, transposed=_is_column(graph, node))
    levels = adder_levels(matrix)
    params = {
        "Height": height,
        "Width": width,
        "InChannels": source.shape[2],
        "OutChannels": target.shape[2],
        "Kernel": node.weight.shape[0],
        "InBits": source.qtype.bits,
        "SumBits": sums.bits,
        "SumLatency": latency(levels),
        "Shift": requant_shift(sums, target.qtype),
        "OutBits": target.qtype.bits,
        "OutSigned": int(target.qtype.signed),
    }
    module = f"qun_constant_{node.name}"
    sums_name = f"{module}_sums"
    wiring = _TEMPLATES.get_template("constant_layer.sv.j2").render(
        name=module,
        sums_name=sums_name,
        parameters=[(_TYPES.get(name, "int unsigned"), name, value) for name, value in params.items()],
    )
    product = adder_graph(IntArray.of(matrix), source.qtype, node.name)
    text = sums_module(sums_name, product, node.bias.array, source.qtype, sums.bits, levels)
    return Instance(
        name=node.name,
        module=module,
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
        sources=((sums_name, text), (module, wiring)),
        core="qun_conv2d_constant",
    )


def cycles(graph: Graph, node: Conv2d, fold: Fold) -> Cycles:
    """Return the cycles of a convolution by constants for one frame: a pixel a cycle.

    Raises:
        FoldingError: The fold does not have the style ``constant``, or the layer is too large for it.
    """
    check_fold(graph, node, fold)
    height, width = _raster(graph, node)
    depth = latency(adder_levels(_matrix(node, transposed=False)))
    # 3x3: until the first column of pixels is in the middle of the window, and the one after it has come.
    window = (width + 2 if height > 1 else 2) + depth + 4
    first_output = window if node.weight.shape[0] == 3 else 1 + depth + 3
    return Cycles(predicted=first_output + height * width - 1, first_output=first_output, ideal=height * width)


def _is_column(graph: Graph, node: Conv2d) -> bool:
    return graph.input_of(node).shape[1] == 1


def _raster(graph: Graph, node: Conv2d) -> tuple[int, int]:
    """Return height and width as the module sees them: an image of one column is a row, its kernel transposed."""
    height, width, _ = graph.input_of(node).shape
    return (width, height) if _is_column(graph, node) else (height, width)


def _matrix(node: Conv2d, *, transposed: bool) -> Array:
    """Return the weights by element of the window, int64 ``(k * k * channels_in, channels_out)``."""
    weight = node.weight.array
    if transposed:
        weight = weight.transpose(1, 0, 2, 3)
    return np.ascontiguousarray(weight.reshape(-1, weight.shape[3]))
