"""One normalisation for every door: what a network's author wrote becomes layers that the hardware computes exactly.

A door walks its file and calls :class:`Builder` for each op. A value on the way is a :class:`~quantunet.values.Value`:
an exact source (a tensor of integers, or sums that wait for their quantizer), with factors, slopes, roundings and
clamps, all of them monotone, so that ReLU, Clip, quantizers and max pooling may come in any order. A value becomes a
tensor when an op reads it. With power-of-two scales that is the quantizer's own type where it computes the same
integers, or the smallest type that does. With other scales, or for what no type says, the sums stay exact and an
:class:`~quantunet.ir.Affine` layer requantises them, with constants that give the same integer for every sum. Where
there are none the value is refused.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from quantunet import functions
from quantunet.accumulator import bits_for, reachable
from quantunet.errors import ModelError, ScaleError, ShapeError, TypeMismatchError, UnsupportedOpError, WidthError
from quantunet.fraction_rounding import ROUNDINGS, bipolar, half_even, half_odd
from quantunet.graph_check import MAX_GAIN, check, keeps_threshold
from quantunet.identifiers import unused
from quantunet.ir import (
    MAX_ACCUMULATOR_BITS,
    MAX_BITS,
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
    Reading,
    Requant,
    ResizeBilinear,
    ResizeNearest,
    Shape,
    Sides,
    SumPool2d,
    Tensor,
)
from quantunet.pixels import Pixels
from quantunet.ranges import Bound, Range, clamped, fitting_type, limited, saturates_like, types
from quantunet.requantisation import Bend, Constants, Steps, find, tie_places
from quantunet.sigmoid_table import sigmoid_table
from quantunet.values import (
    AnyValue,
    Curve,
    Form,
    InputSource,
    Joined,
    MovedSource,
    Place,
    Rule,
    Source,
    SumSource,
    TensorSource,
    Value,
    common,
    frac_of,
    least_common,
    root,
    step_of,
    steps_of,
    whole,
    windows,
)

logger = logging.getLogger(__name__)

INPUT_NAME = "image"
"""The name of a network's input tensor where the door has no better one."""

_GAIN_BITS = (8, 12, 16, 20, 24, 28)
"""Bits of the factors of a sum of two scales, from the fewest on; then those of the scales themselves."""

_MAX_CUT = 1 << 17
"""Codes of a layer that cuts off first what the next one rounds; more of them take long to find."""

MAX_TABLE_BITS = 12
"""Width of a tensor of which any function can be looked up."""

_NO_QUANTIZER = "Put an activation quantizer behind it."


@dataclass(frozen=True)
class Window:
    """The geometry of an op that reads windows.

    Attributes:
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns from one tap to the next.
        pads: Pixels around the image.
        groups: Groups of channels that do not meet.
    """

    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    pads: Sides = (0, 0, 0, 0)
    groups: int = 1


@dataclass
class Builder:
    """Collects the layers and tensors of one graph.

    Attributes:
        tensors: Tensors by name.
        layers: Layers with their place in the file, in the order in which they were made.
        pixels: What the byte of a picture means.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    layers: list[tuple[int, Node]] = field(default_factory=list)
    pixels: Pixels = field(default_factory=Pixels)
    _reach: dict[str, tuple[int, int]] = field(default_factory=dict)
    _made: dict[tuple[object, ...], Tensor] = field(default_factory=dict)
    _joined: dict[Joined, Tensor] = field(default_factory=dict)
    _order: dict[str, int] = field(default_factory=dict)
    _sources: dict[str, TensorSource] = field(default_factory=dict)
    _inputs: list[str] = field(default_factory=list)
    _blurred: dict[str, Node] = field(default_factory=dict)
    _narrower: dict[tuple[SumSource, int], SumSource | None] = field(default_factory=dict)
    _input_codes: tuple[Fraction, int | None, int | None] | None = None

    # What a door calls.

    def input(self, place: Place, shape: Shape) -> Value:
        """Return the network's input before its quantizer."""
        return Value(InputSource(shape), place)

    def input_tensor(self, tensor: Tensor) -> Value:
        """Add an input whose type is known and return it."""
        self._inputs.append(tensor.name)
        self.tensors[tensor.name] = tensor
        self._reach[tensor.name] = (tensor.qtype.qmin, tensor.qtype.qmax)
        return self.ready(tensor, Place(tensor.name, -1, tensor.name))

    def scale(
        self, place: Place, what: str, value: AnyValue, gain: Sequence[Fraction], offset: Sequence[Fraction]
    ) -> AnyValue:
        """Return ``gain * value + offset``, one of each a channel: a normalisation, BatchNorm, or a bias.

        ``what`` is the file's name of the operation, for messages.

        Raises:
            UnsupportedOpError: The value cannot be held before the operation.
        """
        if isinstance(value, Joined):
            return self._scaled_legs(place, what, value, gain, offset)
        if isinstance(value, Curve):
            if len(set(gain)) > 1 or len(set(offset)) > 1:
                return self.scale(place, what, self.ready(self.tensor(value, place), place), gain, offset)
            return self.curve(place, value, lambda each: _times(each, gain[0], offset[0]))
        if isinstance(value.source, InputSource) and value.untouched and value.declared is None:
            return self._scaled_input(place, value.source, gain, offset)
        summed = self._with_bias(value, offset) if set(gain) == {1} else None
        if summed is not None:
            return replace(summed, place=place)
        factor = gain[0] if len(set(gain)) == 1 and not any(offset) and gain[0] > 0 else None
        if factor is not None and not value.wraps:
            if isinstance(root(value.source), InputSource):
                value = self.ready(self.tensor(value, value.place), value.place)
            return self._relabelled(place, value, factor)
        value = self._with_slope(value)
        if (value.low, value.high, value.step) != (None, None, None):
            value = self.ready(self.tensor(value, value.place), value.place)
        if any(each < 0 for each in gain) and _compared(value.source):
            value = self.ready(self.tensor(value, value.place), value.place)  # the greatest value becomes the least
        lines = zip(self._bends(value), _spread(value, gain), _spread(value, offset), strict=True)
        bends = tuple(bend.then(factor, summand) for bend, factor, summand in lines)
        return replace(value, place=place, bends=bends, declared=None)

    def leaky(self, place: Place, value: AnyValue, slopes: Sequence[Fraction]) -> AnyValue:
        """Return a value with a slope below zero, one of each channel: LeakyReLU, PReLU.

        Raises:
            UnsupportedOpError: The value cannot be held before the operation.
        """
        if isinstance(value, Joined):
            legs, at = [], 0
            for number, leg in enumerate(value.legs):
                channels = leg.shape[2]
                legs.append(_as_value(self.leaky(place.numbered(number), leg, slopes[at : at + channels])))
                at += channels
            return replace(value, legs=tuple(legs))
        if isinstance(value, Curve):
            if len(set(slopes)) > 1:
                return self.leaky(place, self.ready(self.tensor(value, place), place), slopes)
            return self.curve(place, value, lambda each: each if each >= 0 else _times(each, slopes[0], Fraction(0)))
        if not any(slopes):
            return value.clipped(place, Fraction(0), None)
        held = (value.low, value.high, value.step) != (None, None, None)
        if held or not all(bend.straight for bend in value.bends):
            value = self.ready(self.tensor(value, value.place), value.place)
        bends = tuple(b.leaking(slope) for b, slope in zip(self._bends(value), _spread(value, slopes), strict=True))
        return replace(value, place=place, bends=bends, declared=None)

    def matrix(
        self,
        place: Place,
        kind: type[Conv2d] | type[ConvTranspose2d],
        source: AnyValue,
        weight: IntArray,
        weight_form: Form | tuple[Form, ...],
        bias: Sequence[Fraction] | None,
        window: Window | None = None,
    ) -> Value:
        """Return the exact sums of a convolution.

        Args:
            place: The layer.
            kind: Which of the two.
            source: What it reads.
            weight: Integers, ``(k, k, channels_in / groups, channels_out)``.
            weight_form: Their signed type; with a scale of each output channel one for each.
            bias: Real values, one of each output channel; ``None`` for 0.
            window: Stride, dilation, padding and groups; same padding at stride 1 (2 of a transpose convolution) where
                there is none. The pads of a transpose convolution are what it leaves out of its full result.

        Raises:
            ShapeError: The weights or the bias do not fit the channels.
            ScaleError: A bias that is no multiple of the scale of the sums, where nothing can make up for it.
            WidthError: Sums that need more bits than an accumulator may have.
        """
        tensor, step = self.read(source, place)
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
        node, shape = self._window_node(place, kind, tensor, weight, weight_type, IntArray.of(codes), window)
        input_type = self.tensors[node.inputs[0]].qtype
        value = Value(SumSource(place, node, shape, steps, reachable(node, input_type)), place)
        if rest is None:
            return value
        bends = tuple(b.then(Fraction(1), o) for b, o in zip(self._bends(value), rest, strict=True))
        return replace(value, bends=bends)

    def add(self, place: Place, first: AnyValue, second: AnyValue, sign: int = 1) -> Value:
        """Return the exact sum of two values, or their difference with a ``sign`` of -1.

        Raises:
            ShapeError: Their shapes differ.
        """
        tensors, steps = self._two(place, first, second)
        # The layer brings both to the finer of the scales that their types say; the gains do the rest.
        finest = max(tensor.qtype.frac for tensor in tensors)
        shifts = [finest - tensor.qtype.frac for tensor in tensors]
        bases = [each / (1 << shift) for each, shift in zip(steps, shifts, strict=True)]
        step = least_common(*bases)
        gains = (int(bases[0] / step), sign * int(bases[1] / step))
        terms = [
            (int(one / step) * factor, *self._reach[tensor.name])
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

    def multiply(self, place: Place, first: AnyValue, second: AnyValue) -> Value:
        """Return the exact product of two values of one size; one of them may have one channel for all.

        Raises:
            ShapeError: Their shapes do not fit.
        """
        if first.shape[2] == 1 and second.shape[2] > 1:
            first, second = second, first
        tensors, steps = self._two(place, first, second, gate=True)
        reach = _products(self._reach[tensors[0].name], self._reach[tensors[1].name])
        span = _products(*((tensor.qtype.qmin, tensor.qtype.qmax) for tensor in tensors))
        node = Multiply(place.name, (tensors[0].name, tensors[1].name), place.output)
        frac = sum(tensor.qtype.frac for tensor in tensors)
        return Value(SumSource(place, node, tensors[0].shape, (steps[0] * steps[1],), reach, span, frac=frac), place)

    def maximum(self, place: Place, first: AnyValue, second: AnyValue) -> Value:
        """Return the greater of two values of one shape and one scale.

        Raises:
            ShapeError: Their shapes differ.
            TypeMismatchError: Their scales differ.
        """
        tensors, steps = self._two(place, first, second)
        legs = [self._relabel(tensor, step, place) for tensor, step in zip(tensors, steps, strict=True)]
        joined = self._common(Joined(place, tuple(legs)))
        node = Maximum(self._layer_name(place.name), (joined[0].name, joined[1].name), self._tensor_name(place.output))
        tensor = self._add(place.order, node, joined[0].shape, joined[0].qtype, joined[0].unit)
        reaches = [self._reach[each.name] for each in joined]
        self._reach[tensor.name] = (max(low for low, _ in reaches), max(high for _, high in reaches))
        return self.ready(tensor, place)

    def clip(self, place: Place, value: AnyValue, low: Bound, high: Bound) -> AnyValue:
        """Return ``clamp(value, low, high)``; a ReLU is a clip at 0."""
        if isinstance(value, Joined):
            return replace(value, legs=tuple(_as_value(self.clip(place, leg, low, high)) for leg in value.legs))
        if isinstance(value, Curve):
            return self.curve(place, value, lambda each: limited(each, low, high))
        if value.wraps:
            value = self.ready(self.tensor(value, value.place), value.place)
        return value.clipped(place, low, high)

    def maxpool(
        self, place: Place, value: AnyValue, kernel: Pair = (2, 2), stride: Pair = (2, 2), pads: Sides = (0, 0, 0, 0)
    ) -> AnyValue:
        """Return the maximum over windows; what is padded is never the greatest.

        Raises:
            ShapeError: No window fits.
        """

        def shape_of_windows(shape: Shape) -> Shape:
            size = (shape[0] + pads[0] + pads[2], shape[1] + pads[1] + pads[3])
            rows, columns = self._window_shape(place, size, kernel, stride)
            return rows, columns, shape[2]

        if isinstance(value, Value) and value.wraps:
            value = self.ready(self.tensor(value, value.place), value.place)
        node = MaxPool2d(place.name, ("",), place.output, kernel, stride)
        return self._moved(
            place, value, MovedSource(place, _NOTHING, node, (0, 0, 0), pads, compares=True), shape_of_windows
        )

    def nearest(self, place: Place, value: AnyValue, factor: Pair) -> AnyValue:
        """Return each pixel repeated."""
        node = ResizeNearest(place.name, ("",), place.output, factor)
        moved = MovedSource(place, _NOTHING, node, (0, 0, 0), enlarges=True)
        return self._moved(place, value, moved, lambda s: (s[0] * factor[0], s[1] * factor[1], s[2]))

    def crop(self, place: Place, value: AnyValue, sides: Sides) -> AnyValue:
        """Return a value without some rows and columns at its sides.

        Raises:
            ShapeError: Nothing would be left.
        """

        def left(shape: Shape) -> Shape:
            size = (shape[0] - sides[0] - sides[2], shape[1] - sides[1] - sides[3], shape[2])
            if min(size) < 1 or min(sides) < 0:
                raise ShapeError(place.name, expected="fewer pixels to crop than there are", got=str(sides))
            return size

        if not any(sides):
            return value
        node = Crop(place.name, ("",), place.output, sides)
        return self._moved(place, value, MovedSource(place, _NOTHING, node, (0, 0, 0)), left)

    def pad(self, place: Place, value: AnyValue, sides: Sides, constant: Fraction = Fraction(0)) -> AnyValue:
        """Return a value with pixels of one constant around it.

        Raises:
            ScaleError: The constant is no multiple of the value's scale, or outside its type.
        """
        if not any(sides):
            return value
        tensor, step = self.read(value, place)
        code = whole(constant / step)
        if code is None or not tensor.qtype.qmin <= code <= tensor.qtype.qmax:
            raise ScaleError(
                place.name, expected=f"a constant that {tensor.qtype} holds at a scale of {float(step):g}",
                got=f"{float(constant):g}", hint="Pad with 0, or with a value of the quantizer in front.",
            )  # fmt: skip
        return self._relabel(self._padded(place, tensor, sides, code), step, place)

    def average(self, place: Place, value: AnyValue, kernel: Pair, stride: Pair, pads: Sides = (0, 0, 0, 0)) -> Value:
        """Return the mean over windows, in which what is padded counts as 0.

        Raises:
            ShapeError: No window fits.
            WidthError: The sums are too wide.
        """
        tensor, step = self.read(value, place)
        if any(pads):
            tensor = self._padded(place.part("pad"), tensor, pads, 0)
        rows, columns = self._window_shape(place, tensor.shape[:2], kernel, stride)
        count = kernel[0] * kernel[1]
        low, high = self._reach[tensor.name]
        node = SumPool2d(place.name, (tensor.name,), place.output, kernel, stride)
        span = (tensor.qtype.qmin * count, tensor.qtype.qmax * count)
        shape = (rows, columns, tensor.shape[2])
        return Value(SumSource(place, node, shape, (step / count,), (low * count, high * count), span), place)

    def bilinear(self, place: Place, value: AnyValue, factor: Pair) -> Value:
        """Return a value of twice the size, linear between the centres of pixels."""
        tensor, step = self.read(value, place)
        more = 4 ** sum(each == 2 for each in factor)
        low, high = self._reach[tensor.name]
        node = ResizeBilinear(place.name, (tensor.name,), place.output, factor)
        span = (tensor.qtype.qmin * more, tensor.qtype.qmax * more)
        shape = (tensor.shape[0] * factor[0], tensor.shape[1] * factor[1], tensor.shape[2])
        frac = tensor.qtype.frac + more.bit_length() - 1
        reach, unsigned = (low * more, high * more), not tensor.qtype.signed
        sums = SumSource(place, node, shape, (step / more,), reach, span, frac=frac, unsigned=unsigned)
        return Value(sums, place)

    def depth_to_space(self, place: Place, value: AnyValue, block: Pair) -> Value:
        """Return channels as pixels, in the order block row, block column, channel.

        Raises:
            ShapeError: The channels do not make up blocks.
        """
        count = block[0] * block[1]
        height, width, channels = value.shape
        if channels % count:
            raise ShapeError(
                place.name, expected=f"channels for blocks of {block[0]}x{block[1]}", got=f"{channels} channels"
            )
        shape = (height * block[0], width * block[1], channels // count)
        if isinstance(value, Value) and isinstance(root(value.source), SumSource):
            node = DepthToSpace(place.name, ("",), place.output, block)
            return replace(value, source=MovedSource(place, value.source, node, shape))
        tensor, step = self.read(value, place)
        node = DepthToSpace(self._layer_name(place.name), (tensor.name,), self._tensor_name(place.output), block)
        made = self._add(place.order, node, shape, tensor.qtype, tensor.unit)
        self._reach[made.name] = self._reach[tensor.name]
        return self._relabel(made, step, place)

    def permuted(self, place: Place, value: AnyValue, order: Sequence[int]) -> Value:
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
        node = replace(
            node, weight=IntArray.of(node.weight.array[..., picked]), bias=IntArray.of(node.bias.array[picked])
        )
        steps = source.steps if len(source.steps) == 1 else tuple(source.steps[each] for each in picked)
        bends = tuple(value.bends[each] for each in picked) if value.bends else ()
        return replace(value, source=replace(source, node=node, steps=steps), bends=bends)

    def argmax(self, place: Place, value: AnyValue) -> Value:
        """Return the channel of the greatest value."""
        tensor = self.read(value, place)[0]
        height, width, channels = tensor.shape
        qtype = QType(max((channels - 1).bit_length(), 1), False, 0)
        node = Argmax(self._layer_name(place.name), (tensor.name,), self._tensor_name(place.output))
        made = self._add(place.order, node, (height, width, 1), qtype)
        self._reach[made.name] = (0, channels - 1)
        return self.ready(made, place)

    def concat(self, place: Place, values: Sequence[AnyValue]) -> Joined:
        """Return values side by side along the channels.

        Raises:
            ShapeError: Heights or widths differ, or there is nothing to join.
        """
        legs: list[Value] = []
        for value in values:
            if isinstance(value, Curve):
                value = self.ready(self.tensor(value, place), place)
            legs += value.legs if isinstance(value, Joined) else (value,)
        shapes = [leg.shape for leg in legs]
        if not legs or len({shape[:2] for shape in shapes}) > 1:
            raise ShapeError(
                place.name,
                expected="legs of one height and width",
                got=" and ".join("x".join(map(str, shape)) for shape in shapes) or "none",
            )
        return Joined(place, tuple(legs))

    def sigmoid(self, place: Place, value: AnyValue) -> Curve:
        """Return the sigmoid of a value."""
        curve = self.curve(place, value, functions.sigmoid)
        return replace(curve, sigmoid=True)

    def curve(self, place: Place, value: AnyValue, function: Callable[[Fraction | float], Fraction | float]) -> Curve:
        """Return any function of a value; it waits for its quantizer and becomes a table.

        Args:
            place: The op.
            value: The value.
            function: From the real value to a fraction where it is exact, or else to a float64.

        Raises:
            WidthError: The value is too wide for a table.
        """
        if isinstance(value, Curve):
            return Curve(place, value.source, tuple(function(each) for each in value.values))
        tensor, step = self.read(value, place)
        if tensor.qtype.bits > MAX_TABLE_BITS:
            raise WidthError(
                place.name, expected=f"a value of at most {MAX_TABLE_BITS} bits, for a table",
                got=f"{tensor.qtype.bits} bits", hint="Put a narrower quantizer in front of it.",
            )  # fmt: skip
        codes = range(tensor.qtype.qmin, tensor.qtype.qmax + 1)
        try:
            return Curve(place, tensor, tuple(function(code * step) for code in codes))
        except OverflowError:
            raise UnsupportedOpError(
                place.name, expected="a function whose values float64 holds", got="greater ones",
                hint="Put a quantizer of a smaller scale in front of it.",
            ) from None  # fmt: skip

    def curves(
        self,
        place: Place,
        first: AnyValue,
        second: AnyValue,
        function: Callable[[Fraction | float, Fraction | float], Fraction | float],
    ) -> Curve | None:
        """Return a function of two values that are functions of one tensor (``x * sigmoid(x)``), or else ``None``."""
        curves = [self._as_curve(place, value) for value in (first, second)]
        one, other = curves
        if one is None or other is None or one.source.name != other.source.name:
            return None
        return Curve(place, one.source, tuple(map(function, one.values, other.values)))

    def table(self, place: Place, value: AnyValue, table: IntArray, qtype: QType, *, probability: bool) -> Value:
        """Return a tensor that is looked up in a table, which the door has read."""
        return self._looked_up(place, self.tensor(value, place), table, Form.of(qtype), probability=probability)

    def quantise(self, place: Place, value: AnyValue, rule: Rule) -> AnyValue:
        """Return a value behind a quantizer."""
        if isinstance(value, Joined):
            if len({_settled_type(leg) for leg in value.legs}) > 1 or _settled_type(value.legs[0]) is None:
                legs = tuple(
                    _as_value(self.quantise(place.numbered(index), leg, rule)) for index, leg in enumerate(value.legs)
                )
                return replace(value, legs=legs)
            value = self.ready(self.tensor(value, place), value.place)
        if isinstance(value, Curve):
            return self._tabulated(place, value, rule)
        return self._quantised(place, value, rule)

    def requant(self, place: Place, value: AnyValue, qtype: QType) -> Value:
        """Return a tensor in another type by a layer of its own, also where the type stays the same."""
        source = self.tensor(value, place)
        node = Requant(self._layer_name(place.name), (source.name,), self._tensor_name(place.output))
        tensor = self._add(place.order, node, source.shape, qtype, source.unit)
        self._reach[tensor.name] = (qtype.qmin, qtype.qmax)
        return self.ready(tensor, place)

    def settle(self, value: AnyValue) -> AnyValue:
        """Return a value that several ops read, so that they share one tensor.

        Sums that no quantizer has seen yet are left as they are: their readers quantise them, each in its own way.
        """
        if isinstance(value, Value) and isinstance(value.source, TensorSource) and value.uniform is not None:
            return value  # a tensor of the graph, perhaps with another meaning of its integers
        legs = value.legs if isinstance(value, Joined) else (value,)
        for leg in legs:
            if isinstance(leg, Curve) or (leg.declared is None and leg.step is None and self._open(leg)):
                return value
        return self.ready(self.tensor(value, value.place), value.place)

    def read(self, value: AnyValue, reader: Place) -> tuple[Tensor, Fraction]:
        """Return the tensor that holds a value, and the real value of its integer 1.

        Raises:
            ModelError: As :meth:`tensor`.
        """
        if isinstance(value, Value) and isinstance(value.source, TensorSource) and value.uniform is not None:
            return value.source.tensor, step_of(value.source.tensor) * value.uniform
        tensor = self.tensor(value, reader)
        return tensor, step_of(tensor)

    def tensor(self, value: AnyValue, reader: Place) -> Tensor:
        """Return the tensor that holds a value exactly, and add the layers that make it.

        Args:
            value: What is read.
            reader: The op that reads it, for messages and for the place of layers that are put in between.

        Raises:
            UnsupportedOpError: It cannot be held exactly: the message says why.
            WidthError: It needs more than 16 bits.
            TypeMismatchError: Legs of a concatenation that have no common type.
        """
        if isinstance(value, Joined):
            if value not in self._joined:
                self._joined[value] = self._concatenated(value)
            return self._joined[value]
        if isinstance(value, Curve):
            raise UnsupportedOpError(
                value.place.name,
                expected=f"a quantizer behind {'the sigmoid' if value.sigmoid else 'the function'}",
                got="none",
                hint="Put one there (unsigned, 8 bits, scale 2**-8), or end the network at the logits."
                if value.sigmoid else _NO_QUANTIZER,
            )  # fmt: skip
        if isinstance(root(value.source), InputSource):
            return self._input(value, reader)
        if isinstance(value.source, TensorSource) and value.untouched:
            return value.source.tensor
        if isinstance(value.source, SumSource) and value.untouched and value.source.beside:
            if bits_for(*(value.source.span or value.source.reach)) <= MAX_BITS:
                return self._sums(value.source)
        if self._plain(value):
            step = self._grid(value)
            low, high = _codes(value, step)
            reach = self._rounded_reach(value.source, step)
            qtype = fitting_type(reach, low, high, _declared(value, step), frac_of(step) or 0)
            if qtype is not None:
                return self._emit(value.source, qtype, step, value.place, clamped(reach, low, high))
        return self._affine(value, reader)

    def graph(self, name: str, output: AnyValue, reader: Place) -> Graph:
        """Return the checked graph.

        Args:
            name: The network's name.
            output: What it returns.
            reader: For messages about the output.
        """
        last, reading = self._output(output, reader)
        nodes = tuple(node for _, node in sorted(self.layers, key=lambda entry: entry[0]))
        # A gate in the middle need not tell the least logits from 0; at the end the check refuses it.
        nodes = tuple(node if node.output == last.name else self._blurred.get(node.output, node) for node in nodes)
        names = (*self._inputs, *(node.output for node in nodes))
        tensors = tuple(self.tensors[each] for each in names)
        return check(Graph(name, tuple(self._inputs), last.name, tensors, nodes, self.pixels, reading))

    def _output(self, output: AnyValue, reader: Place) -> tuple[Tensor, Reading | None]:
        """Return the tensor that the network ends with, and what its integers stand for.

        Factors and summands behind the last sums are left to who reads the result: nothing is computed with it.
        """
        open_end = isinstance(output, Value) and (output.low, output.high, output.step) == (None, None, None)
        if not open_end or not isinstance(output, Value) or not all(bend.straight for bend in output.bends):
            return self.read(output, reader)[0], None
        source = output.source
        if isinstance(source, SumSource) and output.declared is None:
            tensor = self._sums(source)
        elif isinstance(source, TensorSource) and output.bends:
            tensor = source.tensor
        else:
            return self.read(output, reader)[0], None
        steps = self._channel_steps(output)
        gain = tuple(bend.upper.gain * step for bend, step in zip(self._bends(output), steps, strict=True))
        offset = tuple(bend.upper.offset for bend in self._bends(output))
        plain = set(gain) == {step_of(tensor)} and not any(offset)
        return tensor, None if plain else Reading(gain, offset)

    # How values become tensors.

    def ready(self, tensor: Tensor, place: Place) -> Value:
        """Return the value of a tensor of the graph."""
        return self._relabel(tensor, step_of(tensor), place)

    def _relabel(self, tensor: Tensor, step: Fraction, place: Place) -> Value:
        """Return the value of a tensor whose integer 1 stands for ``step``."""
        form = Form(tensor.qtype.bits, tensor.qtype.signed, step)
        factor = step / step_of(tensor)
        bends = () if factor == 1 else (Bend().then(factor, Fraction(0)),) * tensor.shape[2]
        return Value(self._source(tensor), place, bends, declared=form)

    def _relabelled(self, place: Place, value: Value, factor: Fraction) -> Value:
        """Return a value times one positive factor: nothing but the meaning of its integers changes."""
        if factor == 1:
            return value
        form = value.declared
        return replace(
            value,
            place=place,
            bends=tuple(bend.then(factor, Fraction(0)) for bend in self._bends(value)),
            low=None if value.low is None else value.low * factor,
            high=None if value.high is None else value.high * factor,
            step=None if value.step is None else value.step * factor,
            declared=None if form is None else replace(form, step=form.step * factor),
        )

    def _source(self, tensor: Tensor) -> TensorSource:
        """Return the one source of a tensor, so that equal requantisations of it are one layer."""
        return self._sources.setdefault(tensor.name, TensorSource(tensor))

    def _bends(self, value: Value) -> tuple[Bend, ...]:
        return value.bends or (Bend(),) * value.channels

    def _open(self, value: Value) -> bool:
        """Return whether a value waits for a quantizer: sums, or a tensor behind a factor."""
        return bool(value.bends) or not isinstance(root(value.source), TensorSource)

    def _two(
        self, place: Place, first: AnyValue, second: AnyValue, *, gate: bool = False
    ) -> tuple[list[Tensor], list[Fraction]]:
        """Return the tensors of two values of one shape, and their steps; the second may be a gate of one channel."""
        found = [self.read(value, place) for value in (first, second)]
        tensors, steps = [tensor for tensor, _ in found], [step for _, step in found]
        shapes = [tensor.shape for tensor in tensors]
        if shapes[0] != shapes[1] and not (gate and shapes[1] == (*shapes[0][:2], 1)):
            raise ShapeError(
                place.name,
                expected="two tensors of one shape" + (", or a gate of one channel" if gate else ""),
                got=" and ".join("x".join(map(str, shape)) for shape in shapes),
                hint="Give both one size and the same channels.",
            )
        if tensors[0].name == tensors[1].name:  # the layer reads two streams: the copy gets a layer of its own
            copy = self.requant(place.numbered(2, "copy"), self.ready(tensors[1], place), tensors[1].qtype)
            tensors[1] = self.tensor(copy, place)
        return tensors, steps

    def _scaled_legs(
        self, place: Place, what: str, value: Joined, gain: Sequence[Fraction], offset: Sequence[Fraction]
    ) -> Joined:
        legs, at = [], 0
        for number, leg in enumerate(value.legs):
            part = slice(at, at + leg.shape[2])
            legs.append(_as_value(self.scale(place.numbered(number), what, leg, gain[part], offset[part])))
            at = part.stop
        return replace(value, legs=tuple(legs))

    def _with_slope(self, value: Value) -> Value:
        """Return a value with a ReLU at its end as one with a slope of 0, which a factor or a wrapping may follow."""
        if (
            value.low != 0
            or value.high is not None
            or value.step is not None
            or not all(bend.straight for bend in value.bends)
        ):
            return value
        bends = tuple(bend.leaking(Fraction(0)) for bend in self._bends(value))
        return replace(value, bends=bends, low=None)

    def _with_bias(self, value: Value, offset: Sequence[Fraction]) -> Value | None:
        """Return sums that begin at a summand, where the layer's bias can hold it; ``None`` otherwise."""
        source = value.source
        if not value.untouched or not isinstance(source, SumSource) or not isinstance(source.node, MatrixNode):
            return None
        steps = self._channel_steps(value)
        codes = [each / step for each, step in zip(offset, steps, strict=True)]
        limit = 1 << (MAX_ACCUMULATOR_BITS - 1)
        bias = [int(old) + code for old, code in zip(source.node.bias.array.tolist(), codes, strict=True)]
        if any(code.denominator != 1 or abs(each) >= limit for code, each in zip(codes, bias, strict=True)):
            return None
        node = replace(source.node, bias=IntArray.of([int(each) for each in bias]))
        reach = reachable(node, self.tensors[node.inputs[0]].qtype)
        return replace(value, source=replace(source, node=node, reach=reach))

    def _scaled_input(
        self, place: Place, source: InputSource, gain: Sequence[Fraction], offset: Sequence[Fraction]
    ) -> Value:
        before = source.gain or (Fraction(1),) * len(gain), source.offset or (Fraction(0),) * len(gain)
        gains = tuple(new * old for new, old in zip(gain, before[0], strict=True))
        offsets = tuple(g * old + new for g, old, new in zip(gain, before[1], offset, strict=True))
        return Value(InputSource(source.shape, gains, offsets), place)

    def _quantised(self, place: Place, value: Value, rule: Rule) -> Value:
        sign = rule.rounding is bipolar
        if value.wraps or (value.step is not None and (value.step != rule.step or sign)):
            value = self._rounded_first(value)  # a second rounding is a layer of its own
        rounds = sign or not self._on_grid(value, rule.step)

        def rounded(bound: Bound) -> Bound:
            return None if bound is None else rule.rounding(bound / rule.step) * rule.step

        low, high = rounded(value.low), rounded(value.high)
        least, most = rule.low * rule.step, rule.high * rule.step
        behind = replace(value, place=place, low=low, high=high, declared=rule.declared)
        if rounds or rule.declared is None:  # the limits are multiples of the rule's step, not of the sums'
            behind = replace(behind, step=rule.step, rounding=rule.rounding)
        if rule.wraps and not self._inside(behind, least, most):
            sloped = self._with_slope(value)
            if sloped is not value:
                return self._quantised(place, sloped, rule)
            if (value.low, value.high) != (None, None):
                return self._quantised(place, self.ready(self.tensor(value, value.place), value.place), rule)
            return replace(behind, step=rule.step, rounding=rule.rounding, wraps=True)
        result = replace(
            behind,
            low=least if low is None else limited(low, least, most),
            high=most if high is None else limited(high, least, most),
        )
        settled = self._without_idle_bounds(result)
        if (
            not self._fits(settled)
            and _settled_type(value) is None
            and value.declared is not None
            and self._fits(value)
        ):
            # Together they saturate at no type's limits; one behind the other they do.
            return self._quantised(place, self.ready(self.tensor(value, value.place), value.place), rule)
        same = (settled.low, settled.high, settled.step, settled.declared)
        return value if same == (value.low, value.high, value.step, value.declared) else settled

    def _rounded_first(self, value: Value) -> Value:
        """Return the value of the tensor behind a first quantizer, with limits between two of its integers left to do.

        ``clamp(x, low, high)`` is the same behind a clamp to the integers around the limits.
        """
        step = value.step
        if step is None:
            return self.ready(self.tensor(value, value.place), value.place)
        low = None if value.low is None else math.floor(value.low / step) * step
        high = None if value.high is None else math.ceil(value.high / step) * step
        tensor = self.tensor(replace(value, low=low, high=high), value.place)
        done = self.ready(tensor, value.place)
        return done if (low, high) == (value.low, value.high) else done.clipped(value.place, value.low, value.high)

    def _on_grid(self, value: Value, step: Fraction) -> bool:
        """Return whether a value is already a multiple of a step, and an integer shifted left at most."""
        grid = value.step
        if grid is None:
            steps = None if value.bends else steps_of(value.source)
            if steps is None or len(steps) > 1:
                return False
            grid = steps[0]
        ratio = grid / step
        return ratio == 1 or (ratio.denominator == 1 and frac_of(grid) is not None and frac_of(step) is not None)

    def _plain(self, value: Value) -> bool:
        """Return whether a value needs no other requantisation than one by a power of two, half to even."""
        steps, base = steps_of(value.source), root(value.source)
        if value.bends or value.wraps or steps is None or len(steps) > 1:
            return False
        if isinstance(base, SumSource) and base.beside:
            return False
        if isinstance(base, TensorSource) and base.tensor.unit is not None and base.tensor.qtype.frac:
            return False
        if value.step is None:
            return True
        powers = frac_of(steps[0]) is not None and frac_of(value.step) is not None
        return (value.rounding is half_even and powers) or (value.step == steps[0] and value.rounding is not bipolar)

    def _fits(self, value: Value) -> bool:
        """Return whether a value can become a tensor by a plain requantisation."""
        if not self._plain(value):
            return False
        step = self._grid(value)
        if any(bound is not None and whole(bound / step) is None for bound in (value.low, value.high)):
            return False
        low, high = _codes(value, step)
        reach = self._rounded_reach(value.source, step)
        return fitting_type(reach, low, high, _declared(value, step), frac_of(step) or 0) is not None

    def _without_idle_bounds(self, value: Value) -> Value:
        """Forget bounds that no value reaches, so that a convolution with its whole accumulator is one again."""
        if not self._plain(value):
            return value
        steps = steps_of(value.source)
        assert steps is not None
        step = steps[0] if value.step is None else value.step
        reach = self._rounded_reach(value.source, step)
        if reach is None:
            return value
        least, most = (code * step for code in reach)
        low = None if value.low is not None and least >= value.low else value.low
        high = None if value.high is not None and most <= value.high else value.high
        return replace(value, low=low, high=high)

    def _inside(self, value: Value, least: Fraction, most: Fraction) -> bool:
        """Return whether every value lies between two limits."""
        if isinstance(root(value.source), InputSource):
            return value.low is not None and value.high is not None and value.low >= least and value.high <= most
        low, high = self._real_reach(value)
        ends = [limited(end, value.low, value.high) for end in (low, high)]
        return min(ends) >= least and max(ends) <= most

    def _real_reach(self, value: Value) -> tuple[Fraction, Fraction]:
        """Return the least and the greatest real value, rounded and not clamped."""
        steps, (low, high) = self._channel_steps(value), self._integers(value.source)
        ends = []
        for step, bend in zip(steps, self._bends(value), strict=True):
            inner = bend if bend.straight else None
            places = {low, high}
            if inner is None:
                corner = bend.corner / step
                places |= {min(max(each, low), high) for each in (math.floor(corner), math.ceil(corner))}
            for place in places:
                line = bend.upper if bend.straight or place * step >= bend.corner else bend.lower
                real = line.gain * place * step + line.offset
                ends.append(real if value.step is None else value.rounding(real / value.step) * value.step)
        return min(ends), max(ends)

    def _channel_steps(self, value: Value) -> tuple[Fraction, ...]:
        steps, channels = steps_of(value.source), value.channels
        assert steps is not None
        return steps if len(steps) == channels else steps * channels

    def _grid(self, value: Value) -> Fraction:
        """Return the step of the tensor that a plain value becomes."""
        if value.step is not None:
            return value.step
        steps = steps_of(value.source)
        assert steps is not None
        declared = None if value.declared is None else value.declared.step
        finer = declared is not None and frac_of(declared) is not None and frac_of(steps[0]) is not None
        return declared if finer and declared is not None and declared <= steps[0] else steps[0]

    def _integers(self, source: Source) -> tuple[int, int]:
        """Return the least and the greatest integer of a source."""
        found = root(source)
        assert not isinstance(found, InputSource)
        return found.reach if isinstance(found, SumSource) else self._reach[found.tensor.name]

    def _rounded_reach(self, source: Source, step: Fraction) -> Range:
        if isinstance(root(source), InputSource):
            return None
        steps, (low, high) = steps_of(source), self._integers(source)
        assert steps is not None
        scale = steps[0] / step
        return round(low * scale), round(high * scale)

    # Layers.

    def _emit(self, source: Source, qtype: QType, step: Fraction, place: Place, reach: Range) -> Tensor:
        """Return the tensor of a source in a type; equal requests share one."""
        unit = step if frac_of(step) is None else None
        if isinstance(source, TensorSource) and (source.tensor.qtype, source.tensor.unit) == (qtype, unit):
            return source.tensor
        if (source, qtype) in self._made:
            return self._made[source, qtype]
        if isinstance(source, TensorSource):
            tensor = self._requantised(source.tensor, qtype, unit, place)
        elif isinstance(source, SumSource) and source.node.requantises:
            name = self._layer_name(source.place.name)
            if name != source.place.name:
                logger.warning("%s is computed twice: two quantizers of different types read it", source.place.name)
            node = replace(source.node, name=name, output=self._tensor_name(source.place.output))
            tensor = self._add(place.order, node, source.shape, qtype, unit)
        elif isinstance(source, SumSource):
            sums = self._sums(source)
            tensor = sums if (sums.qtype, sums.unit) == (qtype, unit) else self._requantised(sums, qtype, unit, place)
        else:
            assert isinstance(source, MovedSource)
            tensor = self._pooled(source, qtype, step, place, reach)
        known = (qtype.qmin, qtype.qmax) if reach is None else reach
        self._reach.setdefault(tensor.name, (max(known[0], qtype.qmin), min(known[1], qtype.qmax)))
        self._made[source, qtype] = tensor
        return tensor

    def _requantised(self, source: Tensor, qtype: QType, unit: Fraction | None, place: Place) -> Tensor:
        node = Requant(self._layer_name(place.name), (source.name,), self._tensor_name(place.output))
        return self._add(place.order, node, source.shape, qtype, unit)

    def _sums(self, source: SumSource) -> Tensor:
        """Return the exact sums as a tensor, as wide as they are."""
        if (source,) in self._made:
            return self._made[source,]
        low, high = source.span or source.reach
        step = source.steps[0] if len(source.steps) == 1 else None
        power = frac_of(step) if step is not None else None
        frac = (power or 0) if source.frac is None else source.frac
        signed = not source.unsigned
        qtype = QType(bits_for(low, high) - (not signed), signed, frac)
        gains = source.gains
        if gains is not None and (qtype.bits > MAX_ACCUMULATOR_BITS or max(map(abs, gains)) > MAX_GAIN):
            raise WidthError(
                source.place.name, expected=f"a sum of at most {MAX_ACCUMULATOR_BITS} bits at the scale of both",
                got=f"{qtype.bits} bits, by factors of {gains[0]} and {gains[1]}",
                hint="Share one quantizer between the two, or use power-of-two scales.",
            )  # fmt: skip
        if qtype.bits > MAX_ACCUMULATOR_BITS:
            raise WidthError(
                source.place.name, expected=f"sums of at most {MAX_ACCUMULATOR_BITS} bits", got=f"{qtype.bits} bits",
                hint="Use narrower types in front of it.",
            )  # fmt: skip
        node = replace(
            source.node, name=self._layer_name(source.place.name), output=self._tensor_name(source.place.output)
        )
        tensor = self._add(source.place.order, node, source.shape, qtype, None if power == frac else step)
        self._reach[tensor.name] = source.reach
        self._made[source,] = tensor
        return tensor

    def _pooled(self, source: MovedSource, qtype: QType, step: Fraction, place: Place, reach: Range) -> Tensor:
        base = root(source)
        # A tensor is pooled first and requantised then, which is fewer beats; enlarged it is the other way round.
        first = isinstance(base, TensorSource) and not source.enlarges
        own = base.tensor if isinstance(base, TensorSource) and first else None
        inner_type = qtype if own is None else own.qtype
        inner_step = step if own is None else step_of(own)
        inner = self._emit(source.source, inner_type, inner_step, place, reach if own is None else None)
        tensor = self._apply(source, inner)
        if own is None or inner_type == qtype:
            return tensor
        return self._emit(self._source(tensor), qtype, step, place, reach)

    def _apply(self, source: MovedSource, inner: Tensor) -> Tensor:
        """Return what an op that chooses or moves values makes of a tensor."""
        if (source, inner.name) in self._made:
            return self._made[source, inner.name]
        key = (source, inner.name)
        if any(source.pads):
            inner = self._padded(source.place.part("pad"), inner, source.pads, inner.qtype.qmin)
        node = replace(
            source.node,
            name=self._layer_name(source.place.name),
            inputs=(inner.name,),
            output=self._tensor_name(source.place.output),
        )
        tensor = self._add(source.place.order, node, source.shape, inner.qtype, inner.unit)
        self._reach[tensor.name] = self._reach[inner.name]
        self._made[key] = tensor
        return tensor

    def _affine(self, value: Value, reader: Place, *, wide: bool = False) -> Tensor:
        """Return the tensor of a value by a general requantisation of what it comes from; ``wide`` for another one."""
        steps = steps_of(value.source)
        if (
            value.step is None
            and (value.low, value.high) != (None, None)
            and not value.bends
            and steps
            and len(steps) == 1
        ):
            value = replace(value, step=self._grid(value))  # nothing is rounded, but clamped as no type saturates
        step = value.step
        if step is None:
            raise self._no_type(value, reader)
        if isinstance(value.source, MovedSource):
            return self._affine_moved(value, value.source, reader)
        low, high = _codes(value, step)
        declared = value.declared.qtype if value.declared is not None and value.declared.step == step else None
        key = (value.source, value.bends, low, high, step, value.rounding, value.wraps, declared)
        if key in self._made:
            return self._made[key]
        least, most = (end / step for end in self._real_reach(value))
        ends = clamped((int(least), int(most)), low, high)
        assert ends is not None
        bounds = (ends[0] if low is None else low, ends[1] if high is None else high)
        channels = self._steps(value, step, (int(least), int(most)) if value.wraps else bounds)
        found, base = self._found(channels, value.source)
        places = tie_places(channels) if found is None and value.rounding is half_even else None
        if places is not None and max(abs(end) for end in ends) << places < _MAX_CUT:
            return self._affine_of_ties(value, reader, places)
        if found is None:
            raise UnsupportedOpError(
                value.place.name,
                expected="a quantizer that one multiplication, one addition and one shift compute exactly",
                got=_inexact(channels),
                hint="Change its scale a little, or use a power of two.",
            )
        held = declared is not None and declared.qmin <= ends[0] and ends[1] <= declared.qmax
        qtype = declared if declared is not None and (held or value.wraps) else self._holding(value, ends, step, wide)
        reach = (qtype.qmin, qtype.qmax) if value.wraps else (max(ends[0], qtype.qmin), min(ends[1], qtype.qmax))
        limits = reach if value.wraps else (max(bounds[0], qtype.qmin), min(bounds[1], qtype.qmax))
        source = base.tensor if isinstance(base, TensorSource) else self._sums(_as_sums(base))
        tensor = self._affine_layer(value, source, found, qtype, limits)
        self._reach[tensor.name] = reach
        self._made[key] = tensor
        return tensor

    def _steps(self, value: Value, step: Fraction, bounds: tuple[int, int]) -> list[Steps]:
        """Return what becomes of the integers of each channel, in steps of the result."""
        return [
            Steps(_behind(bend.then(1 / step, Fraction(0)), one), value.rounding, *bounds)
            for bend, one in zip(self._bends(value), self._channel_steps(value), strict=True)
        ]

    def _found(self, channels: Sequence[Steps], source: Source) -> tuple[Constants | None, Source]:
        """Return constants, and the source that they are for: a sum of two scales with factors of the fewest bits."""
        if not isinstance(source, SumSource) or not source.terms:
            return find(channels, self._integers(source)), source
        for bits in _GAIN_BITS:
            if (source, bits) not in self._narrower:
                self._narrower[source, bits] = source.reduced(bits)
            other = self._narrower[source, bits]
            sums = None if other is None else other.sums()
            found = None if other is None or sums is None else find(channels, other.reach, sums)
            if found is not None and other is not None:
                return found, other
        return find(channels, source.reach, source.sums()), source

    def _affine_layer(
        self, value: Value, source: Tensor, found: Constants, qtype: QType, limits: tuple[int, int]
    ) -> Tensor:
        assert value.step is not None
        place = value.place
        node = Affine(
            self._layer_name(place.name if place.name != source.name else f"{place.name}_affine"),
            (source.name,),
            self._tensor_name(place.output),
            IntArray.of(found.multiplier),
            IntArray.of(found.offset),
            IntArray.of(found.split),
            IntArray.of(found.lower_multiplier),
            IntArray.of(found.lower_offset),
            found.shift,
            *limits,
            found.even,
            value.wraps,
        )
        unit = value.step if frac_of(value.step) is None else None
        return self._add(place.order, node, source.shape, qtype, unit)

    def _affine_of_ties(self, value: Value, reader: Place, places: int) -> Tensor:
        """Return a value whose ties no factor of a power of two meets: cut off behind more places first, then rounded.

        At that many places a tie is kept exactly, and nothing else becomes one.
        """
        assert value.step is not None
        step = value.step / (1 << places)
        cut = replace(value, place=value.place.part("cut"), step=step, rounding=math.floor, declared=None)
        tensor = self._affine(cut, reader, wide=True)
        return self.tensor(replace(value, source=self._source(tensor), bends=()), reader)

    def _affine_moved(self, value: Value, source: MovedSource, reader: Place) -> Tensor:
        """Requantise before values are chosen or moved."""
        if value.wraps and _compared(source):
            raise UnsupportedOpError(
                value.place.name, expected="a quantizer in front of the pooling", got="one that wraps around behind it",
                hint="Put a quantizer between the convolution and the pooling.",
            )  # fmt: skip
        return self._apply(source, self.tensor(replace(value, source=source.source), reader))

    def _holding(self, value: Value, ends: tuple[int, int], step: Fraction, wide: bool = False) -> QType:
        """Return the smallest type that holds some integers."""
        if wide:
            return QType(bits_for(*ends), True, frac_of(step) or 0)
        for qtype in types(frac_of(step) or 0):
            if qtype.qmin <= ends[0] and ends[1] <= qtype.qmax:
                return qtype
        raise WidthError(
            value.place.name, expected=f"a quantizer whose integers {MAX_BITS} bits hold", got=f"{ends[0]}..{ends[1]}",
            hint="Use fewer bits, or a zero point nearer to 0.",
        )  # fmt: skip

    def _padded(self, place: Place, tensor: Tensor, sides: Sides, code: int) -> Tensor:
        """Return a tensor with pixels of one code around it."""
        key = (tensor.name, sides, code)
        if key in self._made:
            return self._made[key]
        node = Pad(self._layer_name(place.name), (tensor.name,), self._tensor_name(place.output), sides, code)
        height, width, channels = tensor.shape
        shape = (height + sides[0] + sides[2], width + sides[1] + sides[3], channels)
        if min(sides) < 0:
            raise ShapeError(place.name, expected="pads of 0 or more", got=str(sides))
        padded = self._add(place.order, node, shape, tensor.qtype, tensor.unit)
        low, high = self._reach[tensor.name]
        self._reach[padded.name] = (min(low, code), max(high, code))
        self._made[key] = padded
        return padded

    def _window_shape(self, place: Place, size: Pair, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> Pair:
        rows, columns = windows(size, kernel, stride, dilation)
        if min(rows, columns) < 1:
            raise ShapeError(
                place.name, expected="an image with room for one window",
                got=f"{size[0]}x{size[1]}, padded, for a kernel of {kernel[0]}x{kernel[1]}",
            )  # fmt: skip
        return rows, columns

    def _window_node(
        self,
        place: Place,
        kind: type[Conv2d] | type[ConvTranspose2d],
        tensor: Tensor,
        weight: IntArray,
        weight_type: QType,
        bias: IntArray,
        window: Window | None,
    ) -> tuple[MatrixNode, Shape]:
        """Return the layer of a convolution, behind a padding where it needs one, and the shape of its result."""
        kernel, channels = (weight.shape[0], weight.shape[1]), weight.shape[3]
        height, width, channels_in = tensor.shape
        head = (place.name, (tensor.name,), place.output, weight, weight_type, bias)
        if kind is ConvTranspose2d:
            return self._transpose_node(place, tensor, head, window or Window((2, 2)))
        found = window or Window(pads=(kernel[0] // 2, kernel[1] // 2) * 2)
        dilation = tuple(reach if taps > 1 else 1 for reach, taps in zip(found.dilation, kernel, strict=True))
        plain = found.stride == (1, 1) and dilation == (1, 1) and found.groups == 1
        if plain and ((kernel == (3, 3) and found.pads == (1, 1, 1, 1)) or (kernel == (1, 1) and not any(found.pads))):
            return Conv2d(*head), (height, width, channels)
        if any(found.pads):
            tensor = self._padded(place.part("pad"), tensor, found.pads, 0)
            head = (place.name, (tensor.name,), place.output, weight, weight_type, bias)
        rows, columns = self._window_shape(place, tensor.shape[:2], kernel, found.stride, (dilation[0], dilation[1]))
        shape = (rows, columns, channels)
        if found.groups > 1 and found.groups == channels_in == channels:
            return DepthwiseConv2d(*head, found.stride, (dilation[0], dilation[1])), shape
        if plain and kernel == (1, 1):
            return Conv2d(*head), shape
        return Conv2d(*head, found.stride, (dilation[0], dilation[1]), found.groups, padded=False), shape

    def _transpose_node(
        self,
        place: Place,
        tensor: Tensor,
        head: tuple[str, tuple[str, ...], str, IntArray, QType, IntArray],
        window: Window,
    ) -> tuple[MatrixNode, Shape]:
        weight, channels = head[3], head[3].shape[3]
        kernel, stride = weight.shape[:2], window.stride
        if window.groups != 1 or any(taps < step for taps, step in zip(kernel, stride, strict=True)):
            raise UnsupportedOpError(
                place.name,
                expected="a transpose convolution in one group, with a kernel at least as large as its stride",
                got=f"{window.groups} groups, kernel {kernel[0]}x{kernel[1]}, stride {stride[0]}x{stride[1]}",
            )
        crops = window.pads  # of the full result
        sides = [
            max(-(-(kernel[axis % 2] - stride[axis % 2] - crop) // stride[axis % 2]), 0)
            for axis, crop in enumerate(crops)
        ]
        height, width, _ = tensor.shape
        shape = (
            (height - 1) * stride[0] + kernel[0] - crops[0] - crops[2],
            (width - 1) * stride[1] + kernel[1] - crops[1] - crops[3],
            channels,
        )
        if min(shape) < 1:
            raise ShapeError(place.name, expected="a result of one pixel or more", got=str(shape))
        if any(sides):
            tensor = self._padded(place.part("pad"), tensor, (sides[0], sides[1], sides[2], sides[3]), 0)
        crop = tuple(crop + stride[axis % 2] * sides[axis] for axis, crop in enumerate(crops))
        name, _, output, weight, weight_type, bias = head
        node = ConvTranspose2d(
            name, (tensor.name,), output, weight, weight_type, bias, stride, (crop[0], crop[1], crop[2], crop[3])
        )
        return node, shape

    def _moved(self, place: Place, value: AnyValue, moved: MovedSource, shape: Callable[[Shape], Shape]) -> AnyValue:
        """Return a value behind an op that chooses or moves values: it may as well do so behind a quantizer."""
        if isinstance(value, Joined):
            value = self.settle(value)
        if isinstance(value, Curve):
            value = self.ready(self.tensor(value, place), place)
        if isinstance(value, Joined):
            legs = []
            for index, leg in enumerate(value.legs):
                each = replace(moved, place=place.numbered(index))
                legs.append(_as_value(self._moved(each.place, leg, each, shape)))
            return replace(value, legs=tuple(legs))
        return replace(value, source=replace(moved, source=value.source, shape=shape(value.shape)))

    # The network's input.

    def _input(self, value: Value, reader: Place) -> Tensor:
        """Return the network's input tensor behind its quantizer, and what was moved behind that."""
        step = value.step
        rounding = next((name for name, each in ROUNDINGS.items() if each is value.rounding), None)
        if step is None or value.bends or value.wraps or rounding is None:
            raise UnsupportedOpError(
                reader.name if step is None else value.place.name,
                expected="a quantizer behind the network's input" + ("" if step is None else ", which saturates"),
                got="a layer that reads the input unquantised" if step is None else "another",
                hint="Put an activation quantizer at the input (for example brevitas.nn.QuantIdentity).",
            )
        low, high = _codes(value, step)
        self._check_one_input(value, (step, low, high))
        declared = _declared(value, step)
        qtype = fitting_type(None, low, high, declared, frac_of(step) or 0)
        bounds = None
        if qtype is None and declared is not None and (low, high) == _narrow(declared):
            qtype = declared
            self.pixels = replace(self.pixels, narrow=True)
        elif qtype is None and low is not None and high is not None:
            qtype = self._holding(value, (low, high), step)
            bounds = (low, high)
        if qtype is None:
            raise self._no_type(value, reader)
        self.pixels = replace(self.pixels, rounding=rounding)
        return self._input_emit(value.source, qtype, step, value.place, bounds)

    def _input_emit(
        self, source: Source, qtype: QType, step: Fraction, place: Place, bounds: tuple[int, int] | None
    ) -> Tensor:
        if isinstance(source, MovedSource):
            return self._apply(source, self._input_emit(source.source, qtype, step, place, bounds))
        assert isinstance(source, InputSource)
        if INPUT_NAME in self.tensors and self._inputs:
            tensor = self.tensors[INPUT_NAME]
            if (tensor.qtype, step_of(tensor)) != (qtype, step):
                raise _second_quantizer(place)
            return tensor
        self._inputs.append(INPUT_NAME)
        self.pixels = replace(self.pixels, gain=source.gain, offset=source.offset, bounds=bounds)
        tensor = Tensor(INPUT_NAME, source.shape, qtype, step if frac_of(step) is None else None)
        self.tensors[INPUT_NAME] = tensor
        self._reach[INPUT_NAME] = bounds or (qtype.qmin, qtype.qmax)
        return tensor

    def _check_one_input(self, value: Value, codes: tuple[Fraction, int | None, int | None]) -> None:
        """Refuse a second quantizer behind the network's input that does not do what the first one does."""
        self._input_codes = codes if self._input_codes is None else self._input_codes
        if self._input_codes != codes:
            raise _second_quantizer(value.place)

    # Names and order.

    def _add(self, order: int, node: Node, shape: Shape, qtype: QType, unit: Fraction | None = None) -> Tensor:
        tensor = Tensor(node.output, shape, qtype, unit)
        self.tensors[node.output] = tensor
        # A layer that the normalisation has moved still stands behind what it reads.
        after = max([order, *(self._order.get(name, order) for name in node.inputs)])
        self._order[node.output] = after
        self.layers.append((after, node))
        return tensor

    def _layer_name(self, name: str) -> str:
        return unused(name, {node.name for _, node in self.layers})

    def _tensor_name(self, name: str) -> str:
        return unused(name, self.tensors)

    # Functions of one value.

    def _as_curve(self, place: Place, value: AnyValue) -> Curve | None:
        if isinstance(value, Curve):
            return value
        narrow = isinstance(value, Value) and isinstance(value.source, TensorSource)
        if not narrow or not isinstance(value, Value) or _settled_type(value) is None:
            return None
        return self.curve(place, value, lambda each: each)

    def _tabulated(self, place: Place, value: Curve, rule: Rule) -> Value:
        form = rule.declared
        whole_type = form is not None and rule == Rule.of(form.qtype)
        if value.sigmoid and form is not None and whole_type and value.source.unit is None and not form.signed:
            table = sigmoid_table(value.source.qtype, form.qtype)
            made = self._looked_up(value.place, value.source, table, form, probability=True)
            if not keeps_threshold(table, value.source.qtype, form.qtype):
                _, node = self.layers[-1]
                self._blurred[node.output] = Lookup(node.name, node.inputs, node.output, table, probability=False)
            return made
        codes = [_table_code(place, each, rule) for each in value.values]
        if form is None or not rule.low >= form.qtype.qmin or not rule.high <= form.qtype.qmax:
            qtype = self._holding(Value(self._source(value.source), place), (min(codes), max(codes)), rule.step)
            form = Form(qtype.bits, qtype.signed, rule.step)
        # Of any other type it is a probability where nobody who asks for 1/2 or more is misled.
        plain = value.sigmoid and value.source.unit is None and frac_of(form.step) is not None
        found = IntArray.of(codes)
        probability = plain and keeps_threshold(found, value.source.qtype, form.qtype)
        return self._looked_up(value.place, value.source, found, form, probability=probability)

    def _looked_up(self, place: Place, source: Tensor, table: IntArray, form: Form, *, probability: bool) -> Value:
        names = self._layer_name(place.name), (source.name,), self._tensor_name(place.output)
        node = Lookup(*names, table, probability)
        unit = form.step if frac_of(form.step) is None else None
        tensor = self._add(place.order, node, source.shape, form.qtype, unit)
        self._reach[tensor.name] = (int(table.array.min()), int(table.array.max()))
        return self.ready(tensor, place)

    # Concatenations.

    def _concatenated(self, value: Joined) -> Tensor:
        """Return the tensor of a concatenation: its legs in one type, joined two at a time."""
        place = value.place
        legs = self._common(value)
        if len(legs) == 1:
            return legs[0]
        joined = legs[0]
        for number, leg in enumerate(legs[1:], start=2):
            last = number == len(legs)
            if leg.name == joined.name:  # a concatenation reads two streams: the copy gets a layer of its own
                copy = self.requant(place.numbered(number, "copy"), self.ready(leg, place), leg.qtype)
                leg = self.tensor(copy, place)
            name = self._layer_name(place.name if last else f"{place.name}_{number - 1}")
            output = self._tensor_name(place.output if last else f"{place.output}_{number - 1}")
            shape = (*leg.shape[:2], joined.shape[2] + leg.shape[2])
            reach = [self._reach[joined.name], self._reach[leg.name]]
            node = Concat(name, (joined.name, leg.name), output)
            joined = self._add(place.order, node, shape, leg.qtype, leg.unit)
            self._reach[output] = (min(low for low, _ in reach), max(high for _, high in reach))
        return joined

    def _common(self, value: Joined) -> list[Tensor]:
        """Return the legs of a concatenation as tensors of one type."""
        shared = self._shared_type(value)
        if shared is not None:
            qtype, step = shared
            found = []
            for leg in value.legs:
                if isinstance(root(leg.source), InputSource):
                    found.append(self._input_emit(leg.source, qtype, step, leg.place, None))
                    self._check_one_input(leg, (step, *_codes(leg, step)))
                    continue
                reach = clamped(self._rounded_reach(leg.source, step), *_codes(leg, step))
                found.append(self._emit(leg.source, qtype, step, leg.place, reach))
            return found
        legs = [self.read(leg, value.place) for leg in value.legs]
        tensors = [tensor for tensor, _ in legs]
        step = min(each for _, each in legs)
        powers = all(frac_of(each / step) is not None for _, each in legs)
        own = all(each == step_of(tensor) for tensor, each in legs)
        if not own or (any(tensor.unit is not None for tensor in tensors) and len({each for _, each in legs}) > 1):
            powers = False
        if any(tensor.unit is not None and tensor.qtype.frac for tensor in tensors) and len(set(tensors)) > 1:
            powers = powers and len({tensor.qtype for tensor in tensors}) == 1
        reaches = [[code * each / step for code in self._reach[tensor.name]] for tensor, each in legs]
        low, high = int(min(reach[0] for reach in reaches)), int(max(reach[1] for reach in reaches))
        same = [tensor.qtype for tensor, each in legs if each == step]
        fits = [qtype for qtype in same if qtype.qmin <= low <= high <= qtype.qmax]
        frac = frac_of(step) or 0
        one = min(fits, key=lambda qtype: qtype.bits) if fits else fitting_type((low, high), None, None, None, frac)
        if one is None or not powers:
            raise TypeMismatchError(
                value.place.name,
                expected=f"legs that one type of at most {MAX_BITS} bits holds exactly",
                got=" and ".join(f"{tensor.qtype} ('{tensor.name}')" for tensor in tensors)
                + ("" if powers else " at scales " + " and ".join(f"{float(each):g}" for _, each in legs)),
                hint="Share one quantizer between the legs, or put one behind the concatenation.",
            )
        return [
            self._emit(
                self._source(tensor), one, step, value.place.numbered(number, "requant"), (int(reach[0]), int(reach[1]))
            )
            for number, (tensor, reach) in enumerate(zip(tensors, reaches, strict=True))
        ]

    def _shared_type(self, value: Joined) -> tuple[QType, Fraction] | None:
        """Return a type in which every leg can be written at once, without a layer in between."""
        declared = [leg.declared.qtype for leg in value.legs if leg.declared is not None]
        if not declared or any(leg.step is None and leg.declared is None for leg in value.legs):
            return None
        grids = set()
        for leg in value.legs:
            if isinstance(root(leg.source), InputSource):
                plain = leg.step is not None and not leg.bends and not leg.wraps and leg.rounding is half_even
                grids.add(leg.step or Fraction(0))
            else:
                plain = self._plain(leg)
                grids.add(self._grid(leg) if plain else Fraction(0))
            if not plain:
                return None
        if len(grids) > 1:
            return None
        step = grids.pop()
        frac = frac_of(step) or 0
        for candidate in (*dict.fromkeys(declared), *types(frac)):
            if candidate.frac == frac and all(
                saturates_like(candidate, self._rounded_reach(leg.source, step), *_codes(leg, step))
                for leg in value.legs
            ):
                return candidate, step
        return None

    def _no_type(self, value: Value, reader: Place) -> ModelError:
        """Return the error of a value that no type of the hardware holds."""
        steps = steps_of(value.source)
        if value.bends or steps is None or len(steps) > 1:
            return UnsupportedOpError(
                value.place.name,
                expected=f"a quantizer in front of '{reader.name}'",
                got="sums with a scale or a summand of each channel" if len(self._bends(value)) > 1
                else "sums behind a factor or a summand that is no multiple of their scale",
                hint=_NO_QUANTIZER,
            )  # fmt: skip
        step = self._grid(value)
        low, high = _codes(value, step)
        span = clamped(self._rounded_reach(value.source, step), low, high)
        if (value.step, value.declared, value.low, value.high) == (None, None, None, None):
            bits = "any number of" if span is None else str(bits_for(*span))
            return WidthError(
                value.place.name,
                expected=f"a result of at most {MAX_BITS} bits where '{reader.name}' reads it without a quantizer",
                got=f"a sum of {bits} bits",
                hint=_NO_QUANTIZER,
            )
        return UnsupportedOpError(
            value.place.name,
            expected="bounds that an integer type saturates to (0..2**b-1 or -2**(b-1)..2**(b-1)-1)",
            got=f"{low if low is not None else '-inf'}..{high if high is not None else 'inf'} at scale {_shown(step)}",
            hint="Put a quantizer behind it.",
        )


_NOTHING = InputSource((0, 0, 0))
"""Stands in a moved source that has no source yet."""


def _compared(source: Source) -> bool:
    """Return whether the greatest of several values was taken on the way."""
    return isinstance(source, MovedSource) and (source.compares or _compared(source.source))


def _spread(value: Value, each: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Return what each channel has for every channel of the root: pixels were made of several of those."""
    return tuple(each) * (value.channels // len(each))


def _products(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    """Return the least and the greatest product of two integers of two ranges."""
    corners = [one * other for one in first for other in second]
    return min(corners), max(corners)


def _shown(step: Fraction) -> str:
    frac = frac_of(step)
    return f"{float(step):g}" if frac is None else f"2**{-frac}"


def _second_quantizer(place: Place) -> UnsupportedOpError:
    return UnsupportedOpError(
        place.name,
        expected="one quantizer behind the network's input",
        got="a second one of another type",
        hint="Share one quantizer, and requantise behind it.",
    )


def _inexact(channels: Sequence[Steps]) -> str:
    """Return in words why there are no integers for a quantizer."""
    if channels[0].rounding is half_odd:
        return "an odd zero point: what lies in the middle between two integers is rounded now up, now down"
    if tie_places(channels) is not None and channels[0].rounding is half_even:
        return "a factor of no power of two by which sums fall in the middle between two integers, rounded to even"
    return "scales for which there are no such integers"


def _narrow(qtype: QType) -> tuple[int, int]:
    return (qtype.qmin + 1, qtype.qmax) if qtype.signed else (qtype.qmin, qtype.qmax - 1)


def _declared(value: Value, step: Fraction) -> QType | None:
    """Return the declared type where it has the scale of the tensor."""
    return value.declared.qtype if value.declared is not None and value.declared.step == step else None


def _behind(bend: Bend, step: Fraction) -> Bend:
    """Return a function of integers from one of real values: each integer stands for ``step``."""
    return Bend(replace(bend.upper, gain=bend.upper.gain * step), replace(bend.lower, gain=bend.lower.gain * step))


def _as_sums(source: Source) -> SumSource:
    assert isinstance(source, SumSource)
    return source


def _settled_type(value: Value) -> tuple[QType, Fraction | None] | None:
    """Return the type and the unit of a value that is a whole tensor of the graph."""
    if not isinstance(value.source, TensorSource) or not value.untouched:
        return None
    return value.source.tensor.qtype, value.source.tensor.unit


def _as_value(value: AnyValue) -> Value:
    assert isinstance(value, Value)
    return value


def _times(value: Fraction | float, gain: Fraction, offset: Fraction) -> Fraction | float:
    return value * gain + offset if isinstance(value, Fraction) else value * float(gain) + float(offset)


_UNSURE = 1e-9
"""How near to the edge of a step a float64 of a function must not be: its last bits are not known."""


def _table_code(place: Place, value: Fraction | float, rule: Rule) -> int:
    """Return the code of a function's value.

    Raises:
        UnsupportedOpError: The value is so near to the edge of a step that float64 cannot tell.
    """
    exact = Fraction(value) / rule.step
    code = rule.rounding(exact)
    if isinstance(value, float):
        near = Fraction(_UNSURE) * max(Fraction(1), abs(exact))
        tie = (2 * exact).denominator == 1
        if not tie and rule.rounding(exact - near) != rule.rounding(exact + near):
            raise UnsupportedOpError(
                place.name, expected="a value that float64 places on one side of a step",
                got=f"{float(exact)!r} steps", hint="Use another scale behind the function.",
            )  # fmt: skip
    if rule.wraps and rule.declared is not None:
        qtype = rule.declared.qtype
        return (code - qtype.qmin) % (1 << qtype.bits) + qtype.qmin
    return min(max(code, rule.low), rule.high)


def _codes(value: Value, step: Fraction) -> tuple[int | None, int | None]:
    """Return a value's bounds as integers of a step.

    Raises:
        ScaleError: A bound lies between two integers.
    """
    found: list[int | None] = []
    for bound in (value.low, value.high):
        scaled = None if bound is None else bound / step
        if scaled is not None and scaled.denominator != 1:
            raise ScaleError(
                value.place.name,
                expected=f"a limit that is a multiple of {_shown(step)}",
                got=str(float(bound or 0)),
                hint="Put a quantizer behind it, or clip at a multiple of the scale.",
            )
        found.append(None if scaled is None else int(scaled))
    return found[0], found[1]


def _finer(bias: Sequence[Fraction] | None, frac: int, room: int) -> int:
    """Return how many more fractional bits a bias needs than the sums have; 0 where that is more than there is room."""
    if bias is None:
        return 0
    scaled = [each * Fraction(2) ** frac for each in bias]
    if any(each.denominator & (each.denominator - 1) for each in scaled):
        return 0
    missing = max([0, *(each.denominator.bit_length() - 1 for each in scaled)])
    return missing if missing <= room else 0
