"""ONNX ops that read windows or move pixels: convolutions, pools, resizing, padding, and layers over the whole map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from quantunet.accumulator import bits_for
from quantunet.errors import FileFormatError, LayoutError, ShapeError, UnsupportedOpError, WidthError
from quantunet.ir import MAX_BITS, MAX_TENSOR_VALUES, Array, Conv2d, ConvTranspose2d, IntArray, Pair
from quantunet.onnx_file import Op, Reals
from quantunet.onnx_walk import Carried, Constant, Walk, expect, pads_of, pair_of, place_of, sides_of
from quantunet.values import AnyValue, Form, frac_of
from quantunet.window_layers import Window

_INT_LIMIT = 62


def weights_of(op: Op, constant: Constant, channel_axis: int) -> tuple[Array, tuple[Form, ...]]:
    """Return weights as integers, and their signed type: one, or one of each output channel.

    The declared type is kept. Power-of-two scales that differ become one type that holds every weight exactly, where it
    is narrow enough.

    Raises:
        UnsupportedOpError: Weights that nobody has quantised, or with other scales than those of output channels.
        WidthError: Weights wider than 16 bits.
    """
    values = constant.values
    if values.size > MAX_TENSOR_VALUES:
        raise ShapeError(op.name, expected=f"at most {MAX_TENSOR_VALUES} weights", got=str(values.size))
    if constant.codes is None or constant.scales is None:
        codes, form = _exact(values)
        if form.bits > MAX_BITS:
            raise UnsupportedOpError(
                op.name,
                expected=f"quantised weights (multiples of one power of two, at most {MAX_BITS} bits)",
                got=f"weights that need {form.bits} bits",
                hint="Train the network with quantizers (Brevitas, QKeras) and export those with it, or bring it by "
                "hls4ml, whose layers declare the types in which float weights are quantised (docs/hls4ml.md).",
            )
        return codes, (form,)
    scales = np.broadcast_to(constant.scales, values.shape)
    others = tuple(axis for axis in range(values.ndim) if axis != channel_axis)
    least, most = scales.min(axis=others), scales.max(axis=others)
    steps = [Fraction(scale) for scale in least.tolist()]
    one = len(set(steps)) == 1 and bool((least == most).all())
    if not one and all(frac_of(Fraction(scale)) is not None for scale in np.unique(scales).tolist()):
        codes, form = _exact(values)
        if form.bits <= MAX_BITS:
            return codes, (form,)
    if (least != most).any():
        raise UnsupportedOpError(
            op.name, expected="weights with one scale, or one of each output channel", got="other scales",
            hint="Quantise the weights per tensor or per output channel.",
        )  # fmt: skip
    bits = constant.bits
    if bits > MAX_BITS and constant.codes.size:
        bits = bits_for(int(constant.codes.min()), int(constant.codes.max()))
    if bits > MAX_BITS:
        raise WidthError(
            op.name, expected=f"weights of at most {MAX_BITS} bits, the sign included", got=f"{bits} bits",
            hint="Train with fewer bits.",
        )  # fmt: skip
    return constant.codes, tuple(Form(bits, True, step) for step in (steps[:1] if one else steps))


def _exact(values: Reals) -> tuple[Array, Form]:
    """Return real numbers as integers of the smallest signed type that holds them all; without those if it is wide."""
    frac = exact_frac(values)
    codes = np.ldexp(values, frac)
    low, high = (int(codes.min()), int(codes.max())) if codes.size else (0, 0)
    form = Form(bits_for(low, high), True, Fraction(2) ** -frac)
    return codes.astype(np.int64) if form.bits < _INT_LIMIT else np.zeros(0, np.int64), form


def exact_frac(values: Reals) -> int:
    """Return the fewest fractional bits with which every value is an integer.

    >>> exact_frac(np.array([0.5, 0.75, -4.0])), exact_frac(np.array([0.0])), exact_frac(np.array([8.0]))
    (2, 0, -3)
    """
    nonzero = values[values != 0]
    if not nonzero.size:
        return 0
    mantissa, exponent = np.frexp(nonzero)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    zeros = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)
    return int((53 - zeros - exponent).max())


def _operands(walk: Walk, op: Op, channel_axis: int) -> tuple[Carried, AnyValue, Array, tuple[Form, ...]]:
    """Return what both kinds of convolution have: the input, and the weights with their type; rows always there."""
    tensor = walk.tensor(op)
    constant = walk.constant(op, 1, "weights")
    rank = constant.values.ndim
    if rank not in (3, 4) or rank != len(tensor.axes):
        raise ShapeError(op.name, expected="weights of four axes, or three for a signal", got=f"{rank} axes")
    if op.channels_last:
        constant = constant.turned([0, rank - 1, *range(1, rank - 1)])
    source = walk.ordered(op, tensor, walk.order(op, tensor))
    codes, forms = weights_of(op, constant, channel_axis)
    if op.attributes.integers("kernel_shape") not in (None, list(codes.shape[2:])):
        raise FileFormatError(
            op.name, expected=f"kernel_shape = {list(codes.shape[2:])}, as the weights have it",
            got=str(op.attributes.integers("kernel_shape")), hint="Export or copy it again.",
        )  # fmt: skip
    return tensor, source, codes if rank == 4 else codes[:, :, None], forms


def conv(walk: Walk, op: Op) -> Carried:
    """Read ``Conv``."""
    tensor, source, codes, forms = _operands(walk, op, 0)
    rank = len(tensor.axes) - 2
    stride, dilation = pair_of(op, "strides", rank), pair_of(op, "dilations", rank)
    groups = op.attributes.integer("group", 1)
    reach = [step * (taps - 1) + 1 for step, taps in zip(dilation, codes.shape[2:], strict=True)]
    pads = pads_of(op, op.attributes, reach[-rank:], stride[-rank:], source.shape[2 - rank : 2])
    if groups < 1 or source.shape[2] % groups or codes.shape[0] % groups:
        raise ShapeError(op.name, expected="groups that divide the channels", got=str(groups))
    window = Window(stride, dilation, sides_of(pads), groups)
    return _matrix(walk, op, Conv2d, tensor, source, codes.transpose(2, 3, 1, 0), forms, window)


def conv_transpose(walk: Walk, op: Op) -> Carried:
    """Read ``ConvTranspose``."""
    tensor, source, codes, forms = _operands(walk, op, 1)
    rank = len(tensor.axes) - 2
    window = transpose_window(op, rank, source.shape[2 - rank : 2], codes.shape[2:])
    return _matrix(walk, op, ConvTranspose2d, tensor, source, codes.transpose(2, 3, 0, 1), forms, window)


def transpose_window(op: Op, rank: int, size: Sequence[int], kernel: Sequence[int]) -> Window:
    """Return the stride of a ``ConvTranspose`` and what it leaves out of its full result.

    Args:
        op: The op.
        rank: Axes of a picture: 2, or 1 of a signal.
        size: The sizes of these axes in the input.
        kernel: Height and width of the kernel.

    Raises:
        UnsupportedOpError: Groups, a dilation, or a padding that is not known.
        FileFormatError: Attributes for other axes.
    """
    groups = op.attributes.integer("group", 1)
    if groups != 1:
        raise UnsupportedOpError(
            op.name, expected="a transpose convolution in one group", got=f"{groups} groups",
            hint="Write the weights of all groups into one, with zeros between channels that do not meet.",
        )  # fmt: skip
    attributes = op.attributes
    stride, dilation = pair_of(op, "strides", rank), pair_of(op, "dilations", rank)
    if any(step > 1 and taps > 1 for step, taps in zip(dilation, kernel, strict=True)):
        expect(op, "dilations", list(dilation), [1, 1])
    more = attributes.integers("output_padding") or [0] * rank
    pads = list(attributes.integers("pads") or [0] * 2 * rank)
    auto, wanted = attributes.text("auto_pad", "NOTSET"), attributes.integers("output_shape")
    if len(more) != rank or len(pads) != 2 * rank or (wanted is not None and len(wanted) < rank):
        raise FileFormatError(op.name, expected=f"attributes for {rank} axes", got=f"pads {pads}, {more}, {wanted}")
    if wanted is None and auto in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [length * step for length, step in zip(size, stride[-rank:], strict=True)]
    if wanted is not None:
        for axis in range(rank):
            full = (size[axis] - 1) * stride[2 - rank + axis] + kernel[2 - rank + axis] + more[axis]
            total = full - wanted[-rank:][axis]
            small, large = total // 2, total - total // 2
            # The definition: the greater part at the end for SAME_UPPER, at the beginning otherwise.
            pads[axis], pads[axis + rank] = (small, large) if auto == "SAME_UPPER" else (large, small)
    elif auto == "VALID":
        pads = [0] * 2 * rank
    elif auto != "NOTSET":
        raise UnsupportedOpError(op.name, expected="auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER", got=auto)
    crops = [pad - (more[axis - rank] if axis >= rank else 0) for axis, pad in enumerate(pads)]
    return Window(stride, (1, 1), sides_of(crops))


def _matrix(
    walk: Walk,
    op: Op,
    kind: type[Conv2d] | type[ConvTranspose2d],
    tensor: Carried,
    source: AnyValue,
    codes: Array,
    forms: tuple[Form, ...],
    window: Window,
) -> Carried:
    bias = walk.constant(op, 2, "bias").fractions() if op.has_input(2) else None
    value = walk.builder.matrix(place_of(op), kind, source, IntArray.of(codes), forms, bias, window)
    return Carried(value, walk.order(op, tensor))


def maxpool(walk: Walk, op: Op) -> Carried:
    """Read ``MaxPool``."""
    tensor, source, kernel, stride, pads = _pool(walk, op)
    expect(op, "dilations", set(op.attributes.integers("dilations") or [1]), {1})
    return replace(tensor, value=walk.builder.maxpool(place_of(op), source, kernel, stride, sides_of(pads)))


def average_pool(walk: Walk, op: Op) -> Carried:
    """Read ``AveragePool``; padding counts as values, or there is none."""
    tensor, source, kernel, stride, pads = _pool(walk, op)
    expect(op, "dilations", set(op.attributes.integers("dilations") or [1]), {1})
    if any(pads) and not op.attributes.integer("count_include_pad", 0):
        raise UnsupportedOpError(
            op.name, expected="count_include_pad = 1 where an average is padded",
            got="0: each border has its own divisor",
            hint="Pool without padding, or count it (torch: count_include_pad=True).",
        )  # fmt: skip
    return replace(tensor, value=walk.builder.average(place_of(op), source, kernel, stride, sides_of(pads)))


def _pool(walk: Walk, op: Op) -> tuple[Carried, AnyValue, Pair, Pair, list[int]]:
    tensor = walk.tensor(op)
    order = walk.order(op, tensor)
    source = walk.ordered(op, tensor, order)
    rank = len(order) - 2
    if rank < 1:
        raise ShapeError(op.name, expected="an image or a signal", got="a vector")
    if op.attributes.integers("kernel_shape") is None:
        raise FileFormatError(op.name, expected="the attribute kernel_shape", got="none", hint="Export it again.")
    kernel, stride = pair_of(op, "kernel_shape", rank), pair_of(op, "strides", rank)
    size = source.shape[2 - rank : 2]
    pads = pads_of(op, op.attributes, kernel[-rank:], stride[-rank:], size)
    if op.attributes.integer("ceil_mode", 0):
        for axis in range(rank):
            taps, step = kernel[2 - rank + axis], stride[2 - rank + axis]
            left = (size[axis] + pads[axis] + pads[axis + rank] - taps) % step
            if left:
                expect(op, "ceil_mode", 1, 0)
    return Carried(tensor.value, order, tensor.turned), source, kernel, stride, pads


def global_pool(walk: Walk, op: Op) -> Carried:
    """Read ``GlobalAveragePool`` and ``GlobalMaxPool``."""
    tensor = walk.tensor(op)
    order = walk.order(op, tensor)
    source = walk.ordered(op, tensor, order)
    return Carried(_whole_map(walk, op, source, largest=op.kind == "GlobalMaxPool"), order)


def _whole_map(walk: Walk, op: Op, source: AnyValue, *, largest: bool) -> AnyValue:
    kernel = source.shape[:2]
    if largest:
        return walk.builder.maxpool(place_of(op), source, kernel, (1, 1))
    return walk.builder.average(place_of(op), source, kernel, (1, 1))


def reduce(walk: Walk, op: Op) -> Carried:
    """Read ``ReduceMean`` and ``ReduceMax`` over the whole map."""
    tensor = walk.tensor(op)
    rank = len(tensor.axes)
    axes = op.attributes.integers("axes")
    if axes is None and op.has_input(1):
        axes = walk.integers(op, 1, "axes")
    chosen = sorted(axis % rank for axis in (range(rank) if axes is None else axes))
    letters = "".join(tensor.letters(axis) for axis in chosen)
    height, width, _ = tensor.value.shape
    wanted = "".join(letter for letter, size in (("h", height), ("w", width)) if size > 1)
    if sorted(letters) != sorted(wanted):
        raise UnsupportedOpError(op.name, expected=f"{op.kind} over height and width", got=f"axes {axes}")
    value = _whole_map(walk, op, tensor.value, largest=op.kind == "ReduceMax")
    keep = op.attributes.integer("keepdims", 1)
    left = tuple(letter for axis, letter in enumerate(tensor.axes) if keep or axis not in chosen)
    return Carried(value, left)


def resize(walk: Walk, op: Op) -> Carried:
    """Read ``Resize`` and ``Upsample``: nearest by whole factors, or linear to twice the size."""
    tensor = walk.tensor(op)
    factors = _factors(walk, op, tensor)
    spots = [tensor.axes.index(letter) if letter in tensor.axes else None for letter in ("h", "w")]
    if any(factor != 1 for axis, factor in enumerate(factors) if axis not in spots):
        raise UnsupportedOpError(op.name, expected="height and width to be resized", got=f"factors {factors}")
    factor = [factors[spot] if spot is not None else Fraction(1) for spot in spots]
    place, size = place_of(op), tensor.value.shape[:2]
    whole, nearest = resizing(op, factor, size)
    if whole == (1, 1):
        return tensor
    resized = walk.builder.nearest if nearest else walk.builder.bilinear
    return replace(tensor, value=resized(place, tensor.value, whole))


def resizing(op: Op, factor: Sequence[Fraction], size: Pair) -> tuple[Pair, bool]:
    """Return the whole factors of a ``Resize``, and whether it repeats pixels; else it is linear.

    Args:
        op: The op.
        factor: Of height and width.
        size: Height and width of the input.

    Raises:
        UnsupportedOpError: It is anything else.
    """
    mode = op.attributes.text("mode", "nearest")
    if any(each < 1 or each.denominator != 1 for each in factor):
        raise UnsupportedOpError(
            op.name, expected="whole factors of 1 or more", got=" and ".join(str(float(each)) for each in factor),
            hint="Resize by 2, 3, 4, ...; to make an image smaller, use a pooling.",
        )  # fmt: skip
    whole = (int(factor[0]), int(factor[1]))
    if whole == (1, 1):
        return whole, True
    coordinates = _coordinates(op)
    if mode == "nearest":
        rounding = op.attributes.text("nearest_mode", "round_prefer_floor") if op.kind == "Resize" else "floor"
        for each, length in zip(whole, size, strict=True):
            if any(_nearest(op, i, each, length, coordinates, rounding) != i // each for i in range(each * length)):
                raise UnsupportedOpError(
                    op.name, expected="each pixel repeated", got=f"nearest_mode {rounding} with {coordinates}",
                    hint="Use coordinate_transformation_mode asymmetric with nearest_mode floor, as torch exports it.",
                )  # fmt: skip
        return whole, True
    expect(op, "mode", mode, "linear")
    if max(whole) > 2:
        raise UnsupportedOpError(op.name, expected="linear interpolation to twice the size", got=f"factors {whole}")
    for each, length in zip(whole, size, strict=True):
        if each == 2 and not (coordinates == "half_pixel" or (coordinates == "pytorch_half_pixel" and 2 * length > 1)):
            raise UnsupportedOpError(
                op.name, expected="coordinate_transformation_mode half_pixel (torch: align_corners=False)",
                got=coordinates,
            )  # fmt: skip
    return whole, False


def _coordinates(op: Op) -> str:
    return op.attributes.text("coordinate_transformation_mode", "half_pixel") if op.kind == "Resize" else "asymmetric"


def _nearest(op: Op, index: int, factor: int, length: int, coordinates: str, rounding: str) -> int:
    """Return the pixel that ONNX' definition takes for one of the result."""
    at = Fraction(index)
    if coordinates in ("half_pixel", "half_pixel_symmetric") or (
        coordinates == "pytorch_half_pixel" and factor * length > 1
    ):
        at = (at + Fraction(1, 2)) / factor - Fraction(1, 2)
    elif coordinates == "pytorch_half_pixel":
        at = Fraction(0)
    elif coordinates == "align_corners":
        at = at * (length - 1) / (factor * length - 1) if factor * length > 1 else Fraction(0)
    elif coordinates == "asymmetric":
        at = at / factor
    else:
        raise UnsupportedOpError(
            op.name, expected="a coordinate_transformation_mode of ONNX without a region", got=coordinates
        )
    half = Fraction(1, 2)
    rounded = {
        "floor": math.floor(at),
        "ceil": math.ceil(at),
        "round_prefer_floor": math.ceil(at - half),
        "round_prefer_ceil": math.floor(at + half),
    }
    if rounding not in rounded:
        raise UnsupportedOpError(op.name, expected=f"a nearest_mode out of {', '.join(rounded)}", got=rounding)
    return min(max(rounded[rounding], 0), length - 1)


def _factors(walk: Walk, op: Op, tensor: Carried) -> list[Fraction]:
    """Return the factor of each axis of the file."""
    attributes = op.attributes
    if attributes.integers("axes") is not None:
        raise UnsupportedOpError(op.name, expected="a Resize of all axes", got="the attribute axes")
    old = attributes.by_name.get("scales")
    if old is not None:
        factors = [Fraction(value) for value in old.floats]
    elif op.kind == "Upsample" or (len(op.node.input) == 2):
        factors = walk.constant(op, 1, "scales").fractions()
    elif op.has_input(3):
        sizes = walk.integers(op, 3, "sizes")
        factors = [Fraction(size, dim) for size, dim in zip(sizes, tensor.dims, strict=False)]
    else:
        factors = walk.constant(op, 2, "scales").fractions()
    if len(factors) != len(tensor.axes):
        raise FileFormatError(op.name, expected=f"{len(tensor.axes)} factors", got=str(len(factors)))
    return factors


def depth_to_space(walk: Walk, op: Op) -> Carried:
    """Read ``DepthToSpace``."""
    tensor = walk.tensor(op)
    order = walk.order(op, tensor)
    source = walk.ordered(op, tensor, order)
    size = op.attributes.integer("blocksize", 0)
    if size < 1 or source.shape[2] % (size * size):
        raise ShapeError(op.name, expected="channels for whole blocks", got=f"{source.shape[2]}, blocks of {size}")
    mode = op.attributes.text("mode", "DCR")
    if mode == "CRD":
        left = source.shape[2] // (size * size)
        picked = np.arange(source.shape[2]).reshape(left, size * size).T.reshape(-1)
        source = walk.builder.permuted(place_of(op), source, picked.tolist())
    else:
        expect(op, "mode", mode, "DCR")
    return Carried(walk.builder.depth_to_space(place_of(op), source, (size, size)), order)


def pad(walk: Walk, op: Op) -> Carried:
    """Read ``Pad`` with a constant; negative pads crop."""
    tensor = walk.tensor(op)
    rank = len(tensor.axes)
    expect(op, "mode", op.attributes.text("mode", "constant"), "constant")
    given = op.attributes.integers("pads")
    pads = walk.integers(op, 1, "pads") if given is None else given
    number = op.attributes.number("value")
    constant = Fraction(walk.scalar(op, 2, "the constant") if op.has_input(2) else number or 0.0)
    if op.has_input(3):
        raise UnsupportedOpError(op.name, expected="a Pad of all axes", got="the input axes")
    if len(pads) != 2 * rank:
        raise FileFormatError(op.name, expected=f"{2 * rank} pads", got=str(pads))
    sides = [0, 0, 0, 0]
    for axis, letters in enumerate(tensor.axes):
        begin, end = pads[axis], pads[axis + rank]
        if letters in ("h", "w"):
            spot = 0 if letters == "h" else 1
            sides[spot], sides[spot + 2] = begin, end
        elif begin or end:
            raise UnsupportedOpError(op.name, expected="padding of height and width", got=f"pads {pads}")
    top, left, bottom, right = sides
    value = walk.builder.crop(
        place_of(op), tensor.value, (max(-top, 0), max(-left, 0), max(-bottom, 0), max(-right, 0))
    )
    added = (max(top, 0), max(left, 0), max(bottom, 0), max(right, 0))
    return replace(tensor, value=walk.builder.pad(place_of(op), value, added, constant))


def crop(walk: Walk, op: Op) -> Carried:
    """Read ``Slice`` of rows and columns, one after the other."""
    tensor = walk.tensor(op)
    rank = len(tensor.axes)
    old = op.attributes.integers("starts")
    starts = walk.integers(op, 1, "starts") if old is None else old
    ends = walk.integers(op, 2, "ends") if old is None else op.attributes.integers("ends") or []
    axes = walk.integers(op, 3, "axes") if op.has_input(3) else op.attributes.integers("axes")
    steps = walk.integers(op, 4, "steps") if op.has_input(4) else [1] * len(starts)
    sides = [0, 0, 0, 0]
    for start, end, axis, step in zip(starts, ends, axes or range(len(starts)), steps, strict=True):
        size, letters = tensor.size(axis % rank), tensor.axes[axis % rank]
        first, last = (min(max(each + size if each < 0 else each, 0), size) for each in (start, end))
        if (first, last, step) == (0, size, 1):
            continue
        if step != 1 or letters not in ("h", "w"):
            raise UnsupportedOpError(
                op.name, expected="a slice of rows and columns with step 1", got=f"axis {axis}, step {step}"
            )
        spot = 0 if letters == "h" else 1
        sides[spot], sides[spot + 2] = first, size - last
    value = walk.builder.crop(place_of(op), tensor.value, (sides[0], sides[1], sides[2], sides[3]))
    return replace(tensor, value=value)


def dense(walk: Walk, op: Op) -> Carried:
    """Read ``MatMul`` and ``Gemm`` with constant weights: a convolution of the pixel, or of the whole map."""
    tensor, constant = walk.tensor(op), walk.get(op, 1)
    if not isinstance(constant, Constant):
        raise UnsupportedOpError(
            op.name, expected=f"{op.kind} with constant weights", got="a product of two tensors",
            hint="Compute it outside the network.",
        )  # fmt: skip
    attributes = op.attributes
    if op.kind == "Gemm":
        expect(op, "transA", attributes.integer("transA", 0), 0)
        for key in ("alpha", "beta"):
            number = attributes.number(key)
            expect(op, key, 1.0 if number is None else number, 1.0)
        if attributes.integer("transB", 0):
            constant = constant.turned([1, 0])
    if constant.values.ndim != 2:
        raise ShapeError(op.name, expected="weights of two axes", got=str(constant.values.ndim))
    codes, forms = weights_of(op, constant, 1)
    last = len(tensor.axes) - 1
    height, width, channels = tensor.value.shape
    sizes = {"h": height, "w": width, "c": channels}
    letters = tensor.letters(last)
    present = sorted(letter for letter, size in sizes.items() if size > 1)
    if tensor.size(last) != codes.shape[0]:
        raise ShapeError(op.name, expected=f"weights for {tensor.size(last)} values", got=str(codes.shape[0]))
    if sorted(letters) == present:  # all that there is: a kernel as large as the map
        shape = [sizes[letter] for letter in letters] + [codes.shape[1]]
        order = [letters.index(letter) for letter in "hwc" if letter in letters]
        kernel = codes.reshape(shape).transpose([*order, len(letters)]).reshape(height, width, channels, -1)
    elif letters in ("c", "") and channels == codes.shape[0]:
        kernel = codes.reshape(1, 1, channels, -1)
    else:
        raise LayoutError(
            op.name, expected="weights that meet the channels, or the whole map", got=f"axes {tensor.axes}"
        )
    bias = walk.constant(op, 2, "bias").fractions() if op.has_input(2) else None
    bias = bias * codes.shape[1] if bias is not None and len(bias) == 1 else bias
    value = walk.builder.matrix(place_of(op), Conv2d, tensor.value, IntArray.of(kernel), forms, bias, Window())
    whole = kernel.shape[:2] != (1, 1) or sorted(letters) == present
    axes = tuple("" if whole and axis != last else letter for axis, letter in enumerate(tensor.axes))
    return Carried(value, (*axes[:last], "c"))


def concat(walk: Walk, op: Op) -> Carried:
    """Read ``Concat`` along the channels."""
    tensors = [walk.tensor(op, index) for index in range(len(op.node.input))]
    axis = op.attributes.integer("axis", 0)
    axes = {tensor.axes for tensor in tensors}
    if len(axes) != 1:
        raise LayoutError(op.name, expected="legs with one order of axes", got=" and ".join(sorted(map(str, axes))))
    order = axes.pop()
    rank = len(order)
    if not -rank <= axis < rank or order[axis] != "c":
        wanted = order.index("c") if "c" in order else "none"
        raise LayoutError(op.name, expected=f"a concatenation along the channels (axis {wanted})", got=f"axis {axis}")
    return Carried(walk.builder.concat(place_of(op), [tensor.value for tensor in tensors]), order)


def transpose(walk: Walk, op: Op) -> Carried | Constant:
    """Read ``Transpose``: the order in which the file counts, and nothing that is computed."""
    found = walk.get(op, 0)
    rank = found.values.ndim if isinstance(found, Constant) else len(found.axes)
    order = op.attributes.integers("perm") or list(range(rank))[::-1]
    if sorted(order) != list(range(rank)):
        raise FileFormatError(op.name, expected=f"a permutation of {rank} axes", got=str(order))
    if isinstance(found, Constant):
        return found.turned(order)
    return replace(found, axes=tuple(found.axes[axis] for axis in order), turned=op.name)


def reshape(walk: Walk, op: Op) -> Carried | Constant:
    """Read ``Reshape``, ``Flatten``, ``Squeeze`` and ``Unsqueeze``: axes of the file that are merged, or of size 1."""
    found = walk.get(op, 0)
    dims = list(found.values.shape) if isinstance(found, Constant) else found.dims
    target = _target(walk, op, dims)
    if math.prod(target) != math.prod(dims):
        raise FileFormatError(op.name, expected=f"{math.prod(dims)} values", got=f"the shape {target}")
    if isinstance(found, Constant):
        return found.reshaped(target)
    atoms = [letter for axis in range(len(found.axes)) for letter in found.letters(axis)]
    height, width, channels = found.value.shape
    sizes = {"c": channels, "h": height, "w": width}
    axes: list[str] = []
    for size in target:
        letters, have = "", 1
        while have < size and atoms:
            letters += atoms[0]
            have *= sizes[atoms.pop(0)]
        if have != size:
            raise UnsupportedOpError(
                op.name, expected="axes that are merged, not divided", got=f"{dims} to {target}",
                hint="Compute it outside the network.",
            )  # fmt: skip
        axes.append(letters)
    kept = dict(zip(range(len(axes)), axes, strict=True))
    if [len(axes), target] == [len(found.axes), dims]:
        return found
    # Axes of size 1 keep their meaning where the file keeps them.
    usual = {2: ("n", "c"), 3: ("n", "c", "w"), 4: ("n", "c", "h", "w")}.get(len(axes), ())
    used = set("".join(axes))
    named = tuple(
        letters or (usual[axis] if axis < len(usual) and usual[axis] not in used else "")
        for axis, letters in kept.items()
    )
    return replace(found, axes=named, turned=op.name)


def _target(walk: Walk, op: Op, dims: Sequence[int]) -> list[int]:
    """Return the shape that a node asks for."""
    rank = len(dims)
    if op.kind == "Flatten":
        axis = op.attributes.integer("axis", 1)
        axis += rank if axis < 0 else 0
        return [math.prod(dims[:axis]), math.prod(dims[axis:])]
    if op.kind == "Reshape":
        wanted = walk.integers(op, 1, "a shape")
        shape = [dims[i] if each == 0 and i < rank else each for i, each in enumerate(wanted)]
        if shape.count(-1) == 1:
            rest = math.prod(each for each in shape if each != -1)
            shape[shape.index(-1)] = math.prod(dims) // rest if rest else 0
        return shape
    axes = op.attributes.integers("axes")
    if axes is None and op.has_input(1):
        axes = walk.integers(op, 1, "axes")
    if op.kind == "Squeeze":
        gone = {axis % rank for axis in axes} if axes is not None else {i for i, dim in enumerate(dims) if dim == 1}
        if any(dims[axis] != 1 for axis in gone):
            raise FileFormatError(op.name, expected="axes of size 1 to leave out", got=f"{axes} of {list(dims)}")
        return [dim for axis, dim in enumerate(dims) if axis not in gone]
    places = {axis % (rank + len(axes or ())) for axis in axes or ()}
    left = iter(dims)
    return [1 if axis in places else next(left) for axis in range(rank + len(places))]
