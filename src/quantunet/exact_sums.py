"""Exact sums and products of tensors, which wait for their quantizer: convolutions, additions, means."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from quantunet.accumulator import reachable
from quantunet.errors import ShapeError, UnsupportedOpError
from quantunet.ir import (
    MAX_ACCUMULATOR_BITS,
    MAX_BITS,
    Add,
    Conv2d,
    ConvTranspose2d,
    IntArray,
    MatrixNode,
    Multiply,
    Pair,
    QType,
    ResizeBilinear,
    Sides,
    SumPool2d,
    Tensor,
)
from quantunet.layer_list import LayerList
from quantunet.reach import channel_steps
from quantunet.values import AnyValue, Form, Place, SumSource, Value, common, frac_of, least_common
from quantunet.window_layers import Window, convolution, window_shape

logger = logging.getLogger(__name__)


def convolved(
    layers: LayerList,
    place: Place,
    kind: type[Conv2d] | type[ConvTranspose2d],
    tensor: Tensor,
    step: Fraction,
    weight: IntArray,
    weight_form: Form | tuple[Form, ...],
    bias: Sequence[Fraction] | None,
    window: Window | None = None,
) -> Value:
    """Return the exact sums of a convolution.

    Args:
        layers: Where a padding goes.
        place: The layer.
        kind: Which of the two.
        tensor: What it reads.
        step: What the integer 1 of that stands for.
        weight: Integers, ``(k, k, channels_in / groups, channels_out)``.
        weight_form: Their signed type; with a scale of each output channel one for each.
        bias: Real values, one of each output channel; ``None`` for 0.
        window: Stride, dilation, padding and groups; same padding at stride 1 (2 of a transpose convolution) where
            there is none. The pads of a transpose convolution are what it leaves out of its full result.

    Raises:
        ShapeError: The weights or the bias do not fit the channels.
        WidthError: Sums that need more bits than an accumulator may have.
    """
    groups = 1 if window is None else window.groups
    channels_in, channels_out = weight.shape[2] * groups, weight.shape[3]
    if channels_in != tensor.shape[2] or channels_out % groups:
        raise ShapeError(place.name, expected=f"weights for {tensor.shape[2]} input channels", got=str(channels_in))
    forms = weight_form if isinstance(weight_form, tuple) else (weight_form,)
    steps = common([step * form.step for form in forms])
    bits, codes, rest = forms[0].bits, np.zeros(channels_out, dtype=np.int64), bias
    frac = frac_of(steps[0]) if len(steps) == 1 else None
    if bias is not None and len(bias) != channels_out:
        raise ShapeError(place.name, expected=f"a bias of {channels_out} values", got=str(len(bias)))
    if frac is not None:
        finer = _finer(bias, frac, MAX_BITS - bits)
        if finer:
            logger.warning(
                "%s: the bias is finer than weight scale x input scale, and the weights are kept %d bits wider"
                " for it", place.name, finer,
            )  # fmt: skip
            weight, bits, frac = IntArray.of(weight.array << finer), bits + finer, frac + finer
            steps = (Fraction(2) ** -frac,)
    if bias is not None:
        scaled = [each / steps[index % len(steps)] for index, each in enumerate(bias)]
        limit = 1 << (MAX_ACCUMULATOR_BITS - 1)
        if all(each.denominator == 1 and abs(each) < limit for each in scaled):
            codes, rest = np.array([int(each) for each in scaled], dtype=np.int64), None
    weight_type = QType(bits, True, (frac or 0) - tensor.qtype.frac)
    node, shape = convolution(layers, place, kind, tensor, weight, weight_type, IntArray.of(codes), window)
    input_type = layers.tensor(node.inputs[0]).qtype
    value = Value(SumSource(place, node, shape, steps, reachable(node, input_type)), place)
    if rest is None:
        return value
    bends = tuple(b.then(Fraction(1), o) for b, o in zip(value.channel_bends, rest, strict=True))
    return replace(value, bends=bends)


def with_bias(layers: LayerList, value: Value, offset: Sequence[Fraction]) -> Value | None:
    """Return sums that begin at a summand, where the layer's bias can hold it; ``None`` otherwise."""
    source = value.source
    if not value.untouched or not isinstance(source, SumSource) or not isinstance(source.node, MatrixNode):
        return None
    steps = channel_steps(value)
    codes = [each / step for each, step in zip(offset, steps, strict=True)]
    limit = 1 << (MAX_ACCUMULATOR_BITS - 1)
    bias = [int(old) + code for old, code in zip(source.node.bias.array.tolist(), codes, strict=True)]
    if any(code.denominator != 1 or abs(each) >= limit for code, each in zip(codes, bias, strict=True)):
        return None
    node = replace(source.node, bias=IntArray.of([int(each) for each in bias]))
    reach = reachable(node, layers.tensor(node.inputs[0]).qtype)
    return replace(value, source=replace(source, node=node, reach=reach))


def permuted(place: Place, value: AnyValue, order: Sequence[int]) -> Value:
    """Return the channels of a convolution in another order.

    Raises:
        UnsupportedOpError: The value is not the result of a convolution.
    """
    source = value.source if isinstance(value, Value) else None
    node = source.node if isinstance(source, SumSource) else None
    if not isinstance(node, MatrixNode) or node.tied_lanes or not isinstance(source, SumSource):
        raise UnsupportedOpError(
            place.name, expected="channels that a convolution right in front can write in another order",
            got="a tensor that is there already",
            hint="Put the quantizer behind it, or use the mode DCR.",
        )  # fmt: skip
    assert isinstance(value, Value)
    picked = list(order)
    node = replace(node, weight=IntArray.of(node.weight.array[..., picked]), bias=IntArray.of(node.bias.array[picked]))
    steps = source.steps if len(source.steps) == 1 else tuple(source.steps[each] for each in picked)
    bends = tuple(value.bends[each] for each in picked) if value.bends else ()
    return replace(value, source=replace(source, node=node, steps=steps), bends=bends)


def added(layers: LayerList, place: Place, tensors: Sequence[Tensor], steps: Sequence[Fraction], sign: int) -> Value:
    """Return the exact sum of two tensors of one shape, or their difference with a ``sign`` of -1."""
    # The layer brings both to the finer of the scales that their types say; the gains do the rest.
    finest = max(tensor.qtype.frac for tensor in tensors)
    shifts = [finest - tensor.qtype.frac for tensor in tensors]
    bases = [each / (1 << shift) for each, shift in zip(steps, shifts, strict=True)]
    step = least_common(*bases)
    gains = (int(bases[0] / step), sign * int(bases[1] / step))
    terms = [
        (int(one / step) * factor, *layers.reach(tensor))
        for one, factor, tensor in zip(steps, (1, sign), tensors, strict=True)
    ]
    ends = [sorted((gain * low, gain * high)) for gain, low, high in terms]
    reach = (ends[0][0] + ends[1][0], ends[0][1] + ends[1][1])
    node = Add(place.name, (tensors[0].name, tensors[1].name), place.output, gains)
    limits = tuple((tensor.qtype.qmin, tensor.qtype.qmax) for tensor in tensors)
    spans = [sorted((gain * low, gain * high)) for (gain, _, _), (low, high) in zip(terms, limits, strict=True)]
    span = (spans[0][0] + spans[1][0], spans[0][1] + spans[1][1])
    shape = tensors[0].shape
    source = SumSource(place, node, shape, (step,), reach, span, tuple(terms), finest, limits, gains)
    return Value(source, place)


def multiplied(layers: LayerList, place: Place, tensors: Sequence[Tensor], steps: Sequence[Fraction]) -> Value:
    """Return the exact product of two tensors of one size; the second may have one channel for all."""
    reach = _products(layers.reach(tensors[0]), layers.reach(tensors[1]))
    span = _products(*((tensor.qtype.qmin, tensor.qtype.qmax) for tensor in tensors))
    node = Multiply(place.name, (tensors[0].name, tensors[1].name), place.output)
    frac = sum(tensor.qtype.frac for tensor in tensors)
    return Value(SumSource(place, node, tensors[0].shape, (steps[0] * steps[1],), reach, span, frac=frac), place)


def averaged(
    layers: LayerList, place: Place, tensor: Tensor, step: Fraction, kernel: Pair, stride: Pair, pads: Sides
) -> Value:
    """Return the mean over windows, in which what is padded counts as 0.

    Raises:
        ShapeError: No window fits.
    """
    if any(pads):
        tensor = layers.padded(place.part("pad"), tensor, pads, 0)
    rows, columns = window_shape(place, tensor.shape[:2], kernel, stride)
    count = kernel[0] * kernel[1]
    low, high = layers.reach(tensor)
    node = SumPool2d(place.name, (tensor.name,), place.output, kernel, stride)
    span = (tensor.qtype.qmin * count, tensor.qtype.qmax * count)
    shape = (rows, columns, tensor.shape[2])
    return Value(SumSource(place, node, shape, (step / count,), (low * count, high * count), span), place)


def enlarged(layers: LayerList, place: Place, tensor: Tensor, step: Fraction, factor: Pair) -> Value:
    """Return a value of twice the size, linear between the centres of pixels."""
    more = 4 ** sum(each == 2 for each in factor)
    low, high = layers.reach(tensor)
    node = ResizeBilinear(place.name, (tensor.name,), place.output, factor)
    span = (tensor.qtype.qmin * more, tensor.qtype.qmax * more)
    shape = (tensor.shape[0] * factor[0], tensor.shape[1] * factor[1], tensor.shape[2])
    frac = tensor.qtype.frac + more.bit_length() - 1
    reach, unsigned = (low * more, high * more), not tensor.qtype.signed
    sums = SumSource(place, node, shape, (step / more,), reach, span, frac=frac, unsigned=unsigned)
    return Value(sums, place)


def _finer(bias: Sequence[Fraction] | None, frac: int, room: int) -> int:
    """Return how many more fractional bits a bias needs than the sums have; 0 where that is more than there is room."""
    if bias is None:
        return 0
    scaled = [each * Fraction(2) ** frac for each in bias]
    if any(each.denominator & (each.denominator - 1) for each in scaled):
        return 0
    missing = max([0, *(each.denominator.bit_length() - 1 for each in scaled)])
    return missing if missing <= room else 0


def _products(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    """Return the least and the greatest product of two integers of two ranges."""
    corners = [one * other for one in first for other in second]
    return min(corners), max(corners)
