"""What a legal graph is: one check for the graph and one for each op, run after every pass."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from quantunet.accumulator import accumulator, affine_reach, bits_for, product_type, reachable, sum_reach, sum_type
from quantunet.errors import ModelError, ScaleError, ShapeError, TypeMismatchError, UnsupportedOpError, WidthError
from quantunet.identifiers import MAX_LENGTH, PATTERN
from quantunet.ir import (
    MASK_TYPE,
    MAX_ACCUMULATOR_BITS,
    MAX_BITS,
    MAX_FRAC,
    MAX_PRODUCT_BITS,
    MAX_TENSOR_VALUES,
    MIN_BITS,
    Add,
    Affine,
    Argmax,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Crop,
    DepthToSpace,
    DepthwiseConv2d,
    Graph,
    IntArray,
    Lookup,
    MatrixNode,
    Maximum,
    MaxPool2d,
    Multiply,
    Node,
    Pad,
    Pair,
    QType,
    Requant,
    ResizeBilinear,
    ResizeNearest,
    Shape,
    SmallestArea,
    SumPool2d,
    Tensor,
    window_places,
)
from quantunet.ops import table

MAX_GAIN = (1 << 31) - 1
"""Of the tensors of a sum: parameters of hardware are integers of 32 bits."""


def check(graph: Graph) -> Graph:
    """Check that a graph is legal and return it.

    Raises:
        ModelError: Or a subclass that names the layer or tensor, what was expected and what came.
    """
    _check_names(graph)
    written = set(graph.inputs)
    for node in graph.nodes:
        if len(node.inputs) != node.arity:
            raise ModelError(node.name, expected=f"{node.arity} inputs of a {node.op}", got=str(len(node.inputs)))
        for name in (*node.inputs, node.output):
            graph.tensor(name)
        for name in node.inputs:
            if name not in written:
                raise ModelError(node.name, expected="inputs that an earlier layer writes", got=f"'{name}'")
        if node.output in written:
            raise ModelError(node.name, expected="an output of its own", got=f"'{node.output}', written twice")
        written.add(node.output)
        _CHECKS[node.op](graph, node)
    _check_streams(graph, written)
    return graph


def _check_names(graph: Graph) -> None:
    for kind, names in (
        ("network", [graph.name]),
        ("tensor", [t.name for t in graph.tensors]),
        ("layer", [n.name for n in graph.nodes]),
    ):
        for name in names:
            if not PATTERN.match(name):
                raise ModelError(
                    "graph",
                    expected=f"{kind} names of letters, digits and _, a letter first, at most {MAX_LENGTH} of them",
                    got=repr(name[: 2 * MAX_LENGTH]),
                    hint="Rename it.",
                )
        if len(set(names)) != len(names):
            double = sorted(name for name, count in Counter(names).items() if count > 1)
            raise ModelError(graph.name, expected=f"each {kind} once", got=f"twice: {', '.join(double)}")
    for tensor in graph.tensors:
        sums = all(node.reads_sums for node in graph.consumers(tensor.name))
        check_width(tensor.name, tensor.qtype, MAX_ACCUMULATOR_BITS if sums else MAX_BITS)
        if tensor.unit is not None and tensor.unit <= 0:
            raise ScaleError(tensor.name, expected="a unit greater than 0", got=str(tensor.unit))
        if len(tensor.shape) != 3 or min(tensor.shape) < 1 or math.prod(tensor.shape) > MAX_TENSOR_VALUES:
            raise ShapeError(
                tensor.name,
                expected=f"a shape (height, width, channels) of at most {MAX_TENSOR_VALUES} values",
                got=str(tensor.shape),
            )


def _check_streams(graph: Graph, written: set[str]) -> None:
    channels = graph.tensor(graph.output).shape[2]
    if graph.reading is not None and {len(graph.reading.gain), len(graph.reading.offset)} != {channels}:
        raise ShapeError(graph.name, expected=f"a reading of {channels} channels", got=str(len(graph.reading.gain)))
    if not graph.nodes:
        raise ModelError(graph.name, expected="at least one layer", got="none")
    if graph.output not in written or graph.output in graph.inputs:
        raise ModelError(graph.name, expected="an output that a layer writes", got=f"'{graph.output}'")
    for tensor in graph.tensors:
        if tensor.name not in written:
            raise ModelError(tensor.name, expected="a layer that writes this tensor", got="none")
        if tensor.name != graph.output and not graph.consumers(tensor.name):
            raise ModelError(tensor.name, expected="a layer that reads this tensor", got="none")


def check_width(where: str, qtype: QType, most: int = MAX_BITS) -> None:
    """Check that a type's width and scale lie in the supported range.

    Args:
        where: The layer or tensor, for the message.
        qtype: The type.
        most: The greatest width.

    Raises:
        WidthError: The width does not.
        ScaleError: The scale does not.
    """
    if not MIN_BITS <= qtype.bits <= most:
        raise WidthError(
            where,
            expected=f"a bit-width of {MIN_BITS} to {most}",
            got=str(qtype.bits),
            hint="Train with widths inside this range.",
        )
    if abs(qtype.frac) > MAX_FRAC:
        raise ScaleError(
            where, expected=f"a scale of 2**-{MAX_FRAC} to 2**{MAX_FRAC}", got=f"2**{-qtype.frac}",
            hint="Export the network again.",
        )  # fmt: skip


def check_sums(node: Node, reach: tuple[int, int], frac: int, target: QType) -> None:
    """Check that a layer whose output is wide writes its exact sums: nothing is rounded, nothing saturates.

    Args:
        node: The layer.
        reach: The least and the greatest sum.
        frac: Fractional bits of the sums.
        target: The output's type; one of at most :data:`~quantunet.ir.MAX_BITS` may be anything.

    Raises:
        ScaleError: A wide output has another scale than the sums.
        WidthError: It does not hold all of them.
    """
    if target.bits <= MAX_BITS:
        return
    low, high = reach
    advice = f"Say s{bits_for(low, high)}.{frac}, or at most {MAX_BITS} bits, to which the layer requantises."
    if target.frac != frac:
        raise ScaleError(
            node.name, expected=f"a wide output with frac {frac}, that of its sums", got=str(target), hint=advice
        )
    if low < target.qmin or high > target.qmax:
        raise WidthError(
            node.name, expected=f"a wide output that holds every sum, {low}..{high}", got=str(target), hint=advice
        )


def _expect_shape(node: Node, tensor: Tensor, shape: Shape) -> None:
    if tensor.shape != shape:
        raise ShapeError(node.name, expected=f"an output of shape {shape}", got=str(tensor.shape))


def _expect_same_type(node: Node, first: Tensor, second: Tensor, what: str) -> None:
    if first.qtype != second.qtype:
        raise TypeMismatchError(
            node.name,
            expected=f"one type for {what}",
            got=f"{first.qtype} ('{first.name}') and {second.qtype} ('{second.name}')",
            hint="Share one quantizer, or put a requantisation in front.",
        )


def _check_weights(graph: Graph, node: MatrixNode, groups: int = 1) -> None:
    check_width(node.name, node.weight_type)
    if not node.weight_type.signed:
        raise TypeMismatchError(
            node.name,
            expected="weights of a signed type: the hardware reads them in two's complement",
            got=str(node.weight_type),
            hint=f"Say s{node.weight_type.bits + 1}.{node.weight_type.frac}, one bit wider.",
        )
    channels_in, channels_out = graph.input_of(node).shape[2] // groups, graph.output_of(node).shape[2]
    if (
        len(node.weight.shape) != 4
        or node.weight.shape[2:] != (channels_in, channels_out)
        or node.bias.shape != (channels_out,)
    ):
        raise ShapeError(
            node.name,
            expected=f"weights (k, k, {channels_in}, {channels_out}) and bias ({channels_out},)",
            got=f"{node.weight.shape} and {node.bias.shape}",
        )
    low, high = int(node.weight.array.min()), int(node.weight.array.max())
    if low < node.weight_type.qmin or high > node.weight_type.qmax:
        raise WidthError(
            node.name,
            expected=f"weights in {node.weight_type.qmin}..{node.weight_type.qmax} ({node.weight_type})",
            got=f"{low}..{high}",
        )
    least, most = int(node.bias.array.min()), int(node.bias.array.max())
    if bits_for(least, most) > MAX_ACCUMULATOR_BITS:
        raise WidthError(node.name, expected=f"biases of at most {MAX_ACCUMULATOR_BITS} bits", got=f"{least}..{most}")
    sums = accumulator(graph, node)
    if sums.bits > MAX_ACCUMULATOR_BITS:
        raise WidthError(
            node.name, expected=f"an accumulator of at most {MAX_ACCUMULATOR_BITS} bits", got=f"{sums.bits} bits"
        )
    check_sums(node, reachable(node, graph.input_of(node).qtype), sums.frac, graph.output_of(node).qtype)


def _check_kernel(node: MatrixNode) -> Pair:
    """Return the rows and columns of a kernel, of weights with four axes."""
    if len(node.weight.shape) != 4 or min(node.weight.shape) < 1:
        raise ShapeError(node.name, expected="weights (k, k, channels_in, channels_out)", got=str(node.weight.shape))
    return node.weight.shape[0], node.weight.shape[1]


def _check_steps(node: Node, **steps: Pair) -> None:
    """Check that strides and dilations are at least 1."""
    for name, values in steps.items():
        if min(values) < 1:
            raise UnsupportedOpError(node.name, expected=f"a {name} of at least 1", got=f"{values[0]}x{values[1]}")


def windows_of(node: Node, source: Shape, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> Pair:
    """Return the rows and columns of windows that lie inside an image.

    Args:
        node: The layer, for the message.
        source: Shape of the image.
        kernel: Rows and columns of taps.
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns from one tap to the next.

    Raises:
        ShapeError: There are none.
    """
    spans = [(taps - 1) * step + 1 for taps, step in zip(kernel, dilation, strict=True)]
    if spans[0] > source[0] or spans[1] > source[1]:
        raise ShapeError(
            node.name,
            expected=f"an image of at least {spans[0]}x{spans[1]} pixels, which a window covers",
            got=f"{source[0]}x{source[1]}",
            hint="Pad the image, or use a larger one.",
        )
    rows, columns = (window_places(*sizes) for sizes in zip(source[:2], kernel, stride, dilation, strict=True))
    return rows, columns


def _check_conv2d(graph: Graph, node: Conv2d) -> None:
    kernel, source, target = _check_kernel(node), graph.input_of(node).shape, graph.output_of(node)
    _check_steps(node, stride=node.stride, dilation=node.dilation)
    if node.groups < 1 or source[2] % node.groups or target.shape[2] % node.groups:
        raise ShapeError(
            node.name,
            expected=f"groups that divide {source[2]} input and {target.shape[2]} output channels",
            got=str(node.groups),
        )
    if node.padded:
        if kernel not in ((1, 1), (3, 3)):
            raise UnsupportedOpError(
                node.name, expected="a padded kernel of 3x3 or 1x1", got=f"{kernel[0]}x{kernel[1]}",
                hint="Pad the image in a layer of its own.",
            )  # fmt: skip
        if (node.stride, node.dilation, node.groups) != ((1, 1), (1, 1), 1):
            raise UnsupportedOpError(
                node.name,
                expected="stride 1, dilation 1 and one group of a padded convolution",
                got=f"stride {node.stride}, dilation {node.dilation} and {node.groups} groups",
                hint="Pad the image in a layer of its own.",
            )
        pixels = source[:2]
    else:
        pixels = windows_of(node, source, kernel, node.stride, node.dilation)
    _expect_shape(node, target, (*pixels, target.shape[2]))
    _check_weights(graph, node, node.groups)


def _check_conv_transpose2d(graph: Graph, node: ConvTranspose2d) -> None:
    kernel, source, target = _check_kernel(node), graph.input_of(node).shape, graph.output_of(node)
    _check_steps(node, stride=node.stride)
    if kernel[0] < node.stride[0] or kernel[1] < node.stride[1]:
        raise UnsupportedOpError(
            node.name,
            expected=f"a kernel of at least the stride, {node.stride[0]}x{node.stride[1]}",
            got=f"{kernel[0]}x{kernel[1]}",
            hint="Fill the kernel up with zeros.",
        )
    least = [max(kernel[axis] - node.stride[axis], 0) for axis in (0, 1, 0, 1)]
    if any(crop < wanted for crop, wanted in zip(node.crop, least, strict=True)):
        raise ShapeError(
            node.name,
            expected=f"at least {tuple(least)} rows and columns cropped: a pixel there lacks a tap",
            got=str(node.crop),
            hint="Pad the image first, and crop more.",
        )
    pixels = [
        (source[axis] - 1) * node.stride[axis] + kernel[axis] - node.crop[axis] - node.crop[axis + 2] for axis in (0, 1)
    ]
    _expect_shape(node, target, (pixels[0], pixels[1], target.shape[2]))
    _check_weights(graph, node)


def _expect_windows(graph: Graph, node: Node, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> None:
    """Check that windows of all channels apart are possible, and that the output has a pixel for each."""
    _check_steps(node, kernel=kernel, stride=stride, dilation=dilation)
    source = graph.input_of(node).shape
    _expect_shape(node, graph.output_of(node), (*windows_of(node, source, kernel, stride, dilation), source[2]))


def _check_depthwise_conv2d(graph: Graph, node: DepthwiseConv2d) -> None:
    _expect_windows(graph, node, _check_kernel(node), node.stride, node.dilation)
    _check_weights(graph, node, graph.input_of(node).shape[2])


def _check_maxpool2d(graph: Graph, node: MaxPool2d) -> None:
    _expect_windows(graph, node, node.kernel, node.stride)
    _expect_same_type(node, graph.input_of(node), graph.output_of(node), "input and output")


def _check_sumpool2d(graph: Graph, node: SumPool2d) -> None:
    _expect_windows(graph, node, node.kernel, node.stride)
    source, target = graph.input_of(node).qtype, graph.output_of(node).qtype
    low, high = (math.prod(node.kernel) * limit for limit in (source.qmin, source.qmax))
    if low < target.qmin or high > target.qmax:
        raise WidthError(
            node.name,
            expected=f"an output type that holds every sum, {low}..{high}",
            got=f"{target}, {target.qmin}..{target.qmax}",
            hint="Sums are exact: write them wide, and put a requantisation behind.",
        )


def _check_requant(graph: Graph, node: Requant) -> None:
    source, target = graph.input_of(node).qtype, graph.output_of(node).qtype
    check_width(node.name, target)
    bits = source.bits + min(max(target.frac - source.frac, 0), MAX_BITS)
    if bits > MAX_PRODUCT_BITS:
        raise WidthError(
            node.name, expected=f"at most {MAX_PRODUCT_BITS} bits before saturation", got=f"{bits} bits",
            hint="Bring the scales closer together.",
        )  # fmt: skip
    _expect_shape(node, graph.output_of(node), graph.input_of(node).shape)


def _check_affine(graph: Graph, node: Affine) -> None:
    source, target = graph.input_of(node), graph.output_of(node)
    _expect_shape(node, target, source.shape)
    for values in (node.multiplier, node.offset, node.split, node.lower_multiplier, node.lower_offset):
        if values.shape != (source.shape[2],):
            raise ShapeError(
                node.name,
                expected=f"constants of {source.shape[2]} channels, shape ({source.shape[2]},)",
                got=str(values.shape),
            )
    if not 0 <= node.shift <= MAX_PRODUCT_BITS:
        raise WidthError(
            node.name,
            expected=f"a shift of 0 to {MAX_PRODUCT_BITS}",
            got=str(node.shift),
            hint="Put a larger one, or a left shift, into the multipliers and offsets.",
        )
    limits = (target.qtype.qmin, target.qtype.qmax)
    if not limits[0] <= node.low <= node.high <= limits[1]:
        raise WidthError(
            node.name,
            expected=f"bounds low <= high inside {limits[0]}..{limits[1]} ({target.qtype})",
            got=f"{node.low}..{node.high}",
        )
    if node.wraps and (node.low, node.high) != limits:
        raise ModelError(
            node.name,
            expected=f"the bounds {limits[0]}..{limits[1]} of {target.qtype} where results wrap around",
            got=f"{node.low}..{node.high}",
            hint="Say the limits of the output's type, or wraps = false.",
        )
    low, high = affine_reach(node, source.qtype)
    if max(-low, high) >= 1 << MAX_PRODUCT_BITS:
        raise WidthError(
            node.name,
            expected=f"|x * multiplier + offset| below 2**{MAX_PRODUCT_BITS} for every {source.qtype}",
            got=f"{low}..{high}",
            hint="Give the multipliers and offsets fewer bits, and the shift as many less.",
        )


def _expect_two(node: Node) -> None:
    if node.inputs[0] == node.inputs[1]:
        raise ModelError(
            node.name,
            expected="two different tensors to join",
            got=f"'{node.inputs[0]}' twice",
            hint="Put a requantisation to the same type in front of one leg.",
        )


def _expect_one_shape(node: Node, first: Tensor, second: Tensor) -> None:
    if first.shape != second.shape:
        raise ShapeError(node.name, expected="two tensors of one shape", got=f"{first.shape} and {second.shape}")


def _check_concat(graph: Graph, node: Concat) -> None:
    _expect_two(node)
    skip, up, target = graph.input_of(node, 0), graph.input_of(node, 1), graph.output_of(node)
    if skip.shape[:2] != up.shape[:2]:
        raise ShapeError(node.name, expected="two legs of one height and width", got=f"{skip.shape} and {up.shape}")
    _expect_same_type(node, skip, up, "both legs")
    _expect_same_type(node, up, target, "legs and output")
    _expect_shape(node, target, (*skip.shape[:2], skip.shape[2] + up.shape[2]))


def _check_add(graph: Graph, node: Add) -> None:
    _expect_two(node)
    first, second, target = graph.input_of(node, 0), graph.input_of(node, 1), graph.output_of(node)
    _expect_one_shape(node, first, second)
    _expect_shape(node, target, first.shape)
    if 0 in node.gains or max(abs(gain) for gain in node.gains) > MAX_GAIN:
        raise ModelError(
            node.name,
            expected=f"gains other than 0, of at most {MAX_GAIN}",
            got=str(node.gains),
            hint="Leave a tensor out whose gain is 0; say a large common factor in the output's scale.",
        )
    sums = sum_type(first.qtype, second.qtype, node.gains)
    if sums.bits > MAX_ACCUMULATOR_BITS:
        raise WidthError(
            node.name,
            expected=f"a sum of at most {MAX_ACCUMULATOR_BITS} bits",
            got=f"{sums.bits} bits: {first.qtype} and {second.qtype}, gains {node.gains}",
            hint="Bring the two scales closer together.",
        )
    check_sums(node, sum_reach(first.qtype, second.qtype, node.gains), sums.frac, target.qtype)


def _check_maximum(graph: Graph, node: Maximum) -> None:
    _expect_two(node)
    first, second, target = graph.input_of(node, 0), graph.input_of(node, 1), graph.output_of(node)
    _expect_one_shape(node, first, second)
    _expect_same_type(node, first, second, "both inputs")
    _expect_same_type(node, first, target, "inputs and output")
    _expect_shape(node, target, first.shape)


def _check_multiply(graph: Graph, node: Multiply) -> None:
    _expect_two(node)
    first, second, target = graph.input_of(node, 0), graph.input_of(node, 1), graph.output_of(node)
    if second.shape not in (first.shape, (*first.shape[:2], 1)):
        raise ShapeError(
            node.name,
            expected=f"a second tensor of shape {first.shape}, or of one channel",
            got=str(second.shape),
            hint="Where the first one is the gate, write it as the second.",
        )
    _expect_shape(node, target, first.shape)
    product = product_type(first.qtype, second.qtype)
    holds = target.qtype.qmin <= product.qmin and product.qmax <= target.qtype.qmax
    if target.qtype.frac != product.frac or not holds:
        raise TypeMismatchError(
            node.name,
            expected=f"an output of type {product} or wider, which holds every product",
            got=str(target.qtype),
            hint="Round behind it, by a requantisation.",
        )


def _check_argmax(graph: Graph, node: Argmax) -> None:
    source, target = graph.input_of(node), graph.output_of(node)
    channels = source.shape[2]
    if channels < 2:
        raise ShapeError(node.name, expected="several channels, one a class", got="1", hint="Leave the argmax out.")
    _expect_shape(node, target, (*source.shape[:2], 1))
    if target.qtype.signed or target.qtype.frac or target.qtype.qmax < channels - 1:
        raise TypeMismatchError(
            node.name,
            expected=f"an output of type u{(channels - 1).bit_length()}.0 or wider, which holds every channel's number",
            got=str(target.qtype),
        )


def _check_smallest_area(graph: Graph, node: SmallestArea) -> None:
    source, target = graph.input_of(node), graph.output_of(node)
    pixels = math.prod(source.shape[:2])
    if source.shape[2] != 1 or pixels < 2:
        raise ShapeError(
            node.name,
            expected="a mask of one channel and of two pixels or more",
            got=str(source.shape),
            hint="Make a mask of the classes; leave a single pixel as it is.",
        )
    if source.qtype != MASK_TYPE:
        raise TypeMismatchError(
            node.name,
            expected=f"a mask of type {MASK_TYPE}, 1 for the foreground",
            got=str(source.qtype),
            hint="Put a lookup to that type in front.",
        )
    _expect_shape(node, target, source.shape)
    _expect_same_type(node, source, target, "input and output")
    if not 1 <= node.area <= pixels:
        raise ModelError(
            node.name,
            expected=f"an area of 1 to {pixels} pixels, those of the frame",
            got=str(node.area),
            hint="Leave it out to keep every mask.",
        )


def _check_lookup(graph: Graph, node: Lookup) -> None:
    source, target = graph.input_of(node), graph.output_of(node)
    _expect_shape(node, target, source.shape)
    check_width(node.name, target.qtype)
    ends = node.output == graph.output  # nobody cuts a mask from what a gate reads
    check_table(node.name, node.table, source.qtype, target.qtype, probability=ends and node.probability)


def keeps_threshold(table: IntArray, source: QType, target: QType) -> bool:
    """Return whether a table of probabilities is at least 1/2 exactly where its input is not negative."""
    half, zero = target.half, -source.qmin
    return bool((table.array[zero:] >= half).all() and (table.array[:zero] < half).all())


def check_table(where: str, table: IntArray, source: QType, target: QType, *, probability: bool) -> None:
    """Check that a table covers its input, stays in its output type and, for probabilities, keeps the mask's threshold.

    Raises:
        ModelError: Or a subclass.
    """
    if table.shape != (1 << source.bits,):
        raise ShapeError(where, expected=f"a table of {1 << source.bits} entries", got=str(table.shape))
    values = table.array
    if values.min() < target.qmin or values.max() > target.qmax:
        raise WidthError(where, expected=f"table entries in {target}", got=f"{values.min()}..{values.max()}")
    if not probability:
        return
    if not keeps_threshold(table, source, target):
        raise ModelError(
            where,
            expected="probability >= 1/2 exactly where the logit is >= 0",
            got=f"a table of {source} that rounds a negative logit up to 1/2",
            hint="Use fewer fractional bits for the logits.",
        )


_OPPOSITE = {Pad.op: Crop.op, Crop.op: Pad.op}


def _check_sides(node: Pad | Crop) -> None:
    if min(node.sides) < 0 or not any(node.sides):
        raise ShapeError(
            node.name,
            expected="sides of 0 or more rows and columns, not all 0",
            got=str(node.sides),
            hint="Leave the layer out." if not any(node.sides) else f"Use a {_OPPOSITE[node.op]} for sides below 0.",
        )


def _check_pad(graph: Graph, node: Pad) -> None:
    _check_sides(node)
    source, target = graph.input_of(node), graph.output_of(node)
    (height, width, channels), (top, left, bottom, right) = source.shape, node.sides
    _expect_shape(node, target, (top + height + bottom, left + width + right, channels))
    _expect_same_type(node, source, target, "input and output")
    if not source.qtype.qmin <= node.value <= source.qtype.qmax:
        raise WidthError(
            node.name,
            expected=f"a value in {source.qtype.qmin}..{source.qtype.qmax} ({source.qtype})",
            got=str(node.value),
            hint="Put a requantisation to a type that holds it in front.",
        )


def _check_crop(graph: Graph, node: Crop) -> None:
    _check_sides(node)
    source, target = graph.input_of(node), graph.output_of(node)
    (height, width, channels), (top, left, bottom, right) = source.shape, node.sides
    if top + bottom >= height or left + right >= width:
        raise ShapeError(
            node.name, expected=f"sides that leave a pixel of {height}x{width}", got=str(node.sides),
            hint="Crop less, or enlarge the input.",
        )  # fmt: skip
    _expect_shape(node, target, (height - top - bottom, width - left - right, channels))
    _expect_same_type(node, source, target, "input and output")


def _check_factor(node: Node, what: str, factor: Pair, most: int | None = None) -> None:
    if min(factor) < 1 or max(factor) < 2 or (most is not None and max(factor) > most):
        raise UnsupportedOpError(
            node.name,
            expected=f"{what} of 1 {'or more' if most is None else f'to {most}'} rows and columns, not both 1",
            got=str(factor),
            hint="Leave the layer out." if factor == (1, 1) else "",
        )


def _check_resize_nearest(graph: Graph, node: ResizeNearest) -> None:
    _check_factor(node, "a factor", node.factor)
    source, target = graph.input_of(node), graph.output_of(node)
    height, width, channels = source.shape
    _expect_shape(node, target, (height * node.factor[0], width * node.factor[1], channels))
    _expect_same_type(node, source, target, "input and output")


def _check_resize_bilinear(graph: Graph, node: ResizeBilinear) -> None:
    _check_factor(node, "a factor", node.factor, 2)
    source, target = graph.input_of(node), graph.output_of(node)
    height, width, channels = source.shape
    _expect_shape(node, target, (height * node.factor[0], width * node.factor[1], channels))
    more = 2 * (sum(node.factor) - 2)
    exact = QType(source.qtype.bits + more, source.qtype.signed, source.qtype.frac + more)
    if target.qtype != exact:
        raise TypeMismatchError(
            node.name,
            expected=f"an output of {exact}, the exact sum of {source.qtype}",
            got=str(target.qtype),
            hint="Put a requantisation behind it.",
        )


def _check_depth_to_space(graph: Graph, node: DepthToSpace) -> None:
    _check_factor(node, "a block", node.block)
    source, target = graph.input_of(node), graph.output_of(node)
    (height, width, channels), (rows, columns) = source.shape, node.block
    if channels % (rows * columns):
        raise ShapeError(
            node.name, expected=f"channels that {rows}x{columns} pixels share", got=str(channels),
            hint=f"Give the layer before it a multiple of {rows * columns} channels.",
        )  # fmt: skip
    _expect_shape(node, target, (height * rows, width * columns, channels // (rows * columns)))
    _expect_same_type(node, source, target, "input and output")


_CHECKS: Mapping[str, Callable[[Graph, Any], None]] = table(
    "quantunet.graph_check",
    {
        Conv2d.op: _check_conv2d,
        ConvTranspose2d.op: _check_conv_transpose2d,
        DepthwiseConv2d.op: _check_depthwise_conv2d,
        MaxPool2d.op: _check_maxpool2d,
        SumPool2d.op: _check_sumpool2d,
        Requant.op: _check_requant,
        Concat.op: _check_concat,
        Add.op: _check_add,
        Lookup.op: _check_lookup,
        Maximum.op: _check_maximum,
        Multiply.op: _check_multiply,
        Argmax.op: _check_argmax,
        SmallestArea.op: _check_smallest_area,
        Affine.op: _check_affine,
        Pad.op: _check_pad,
        Crop.op: _check_crop,
        ResizeNearest.op: _check_resize_nearest,
        ResizeBilinear.op: _check_resize_bilinear,
        DepthToSpace.op: _check_depth_to_space,
    },
)
