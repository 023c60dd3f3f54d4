"""A convolution of the style ``constant``: every weight wired in, all taps and channels of a pixel at once."""

from __future__ import annotations

import numpy as np

from quantunet.accumulator import accumulator, requant_shift
from quantunet.hls.design import Cycles, Fold, Instance
from quantunet.hls.matrix import folded
from quantunet.hls.matrix.area import add_rounding
from quantunet.hls.matrix.constant_multiply import adder_graph, adder_levels, signed_digits
from quantunet.hls.matrix.constant_text import latency, sums_module
from quantunet.hls.resources.parts import CREDITS
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.hls.templates.environment import template_environment
from quantunet.ir import Array, Conv2d, Graph, IntArray

_TEMPLATES = template_environment()

_TYPES = {"Shift": "int", "OutSigned": "bit"}  # of the parameters that are not ``int unsigned``


def emit(graph: Graph, node: Conv2d, fold: Fold) -> Instance:
    """Return the instance of a convolution by constants: ``qun_conv2d_constant`` and a generated product beside it.

    Raises:
        WidthError: The accumulator is too wide to be rounded.
        ToolMissingError: da4ml is not installed.
        ToolFailedError: da4ml found no right adder graph.
    """
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
    """Return the cycles of a convolution by constants for one frame: a pixel a cycle."""
    height, width = _raster(graph, node)
    depth = latency(adder_levels(_matrix(node, transposed=False)))
    # 3x3: until the first column of pixels is in the middle of the window, and the one after it has come.
    window = (width + 2 if height > 1 else 2) + depth + 4
    first_output = window if node.weight.shape[0] == 3 else 1 + depth + 3
    return Cycles(predicted=first_output + height * width - 1, first_output=first_output, ideal=height * width)


def area(graph: Graph, node: Conv2d, fold: Fold) -> Terms:
    """Return what a convolution by constants takes; its adders are estimated from the digits of the weights.

    Raises:
        WidthError: The accumulator is too wide to be rounded.
    """
    p = {name: value for name, value in folded.parameters(graph, node, fold).items() if isinstance(value, int)}
    terms = Terms()
    kernel, pixel, outputs = node.weight.shape[0], p["InChannels"] * p["InBits"], p["OutChannels"]
    weight = node.weight.array.reshape(-1, outputs)
    adders = int(np.maximum(signed_digits(weight).sum(axis=0) - 1, 0).sum())
    levels = adder_levels(weight)
    adder_bits = adders * (p["InBits"] + 2)
    # The more weights there are, the more sums they share.
    terms.add(
        "lut", constants=1, constant_adder_bits=adder_bits, constant_shared_bits=adder_bits / max(adders, 1) ** 0.2
    )
    terms.add("ff", constants=1, constant_adder_bits=adder_bits, registers=outputs * p["AccBits"])
    if kernel > 1:
        terms.add("lut", constant_window=1)
        terms.add("ff", registers=(kernel * kernel + 4) * pixel)
        if p["Height"] > 1:
            terms.add_memory(pixel, p["Width"])
            terms.add_memory(pixel, p["Width"])
    else:
        terms.add("ff", registers=pixel)
    add_rounding(terms, outputs, p["AccBits"], p)
    depth = levels + 1
    places = 1 << counter_bits(depth + 4) if depth > CREDITS - 4 else CREDITS
    terms.add_memory(outputs * p["OutBits"] + 1, places, asynchronous=True)
    terms.add("ff", registers=2 * depth)
    return terms


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
