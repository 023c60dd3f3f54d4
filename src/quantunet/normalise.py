"""One normalisation for every door: what a network's author wrote becomes layers that the hardware computes exactly.

A door walks its file and calls :class:`Builder` for each op. A value on the way is a :class:`~quantunet.values.Value`:
an exact source (a tensor of integers, or sums that wait for their quantizer), with factors, slopes, roundings and
clamps, all of them monotone, so that ReLU, Clip, quantizers and max pooling may come in any order. A value becomes a
tensor when an op reads it. With power-of-two scales that is the quantizer's own type where it computes the same
integers, or the smallest type that does. With other scales, or for what no type says, the sums stay exact and an
:class:`~quantunet.ir.Affine` layer requantises them, with constants that give the same integer for every sum. Where
there are none the value is refused.

The parts, each of which knows only those before it:

- :mod:`~quantunet.values`: values and their sources; :mod:`~quantunet.reach`: which integers can come, and on which
  grid; :mod:`~quantunet.value_types`: the type that holds them; :mod:`~quantunet.common_type`: one for several values.
- :mod:`~quantunet.layer_list`: the layers and tensors so far; :mod:`~quantunet.network_input`: the input among them.
- :mod:`~quantunet.window_layers`: the geometry of convolutions; :mod:`~quantunet.exact_sums`: what they and the other
  sums compute.
- :mod:`~quantunet.affine_search`: the affine layer of a value; :mod:`~quantunet.settle`: how values become tensors.
- :mod:`~quantunet.moves`: ops that move values; :mod:`~quantunet.curve_tables`: functions and their tables;
  :mod:`~quantunet.pointwise`: factors, slopes, clamps and quantizers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from quantunet.curve_tables import CurveTables
from quantunet.errors import ScaleError, ShapeError
from quantunet.exact_sums import added, averaged, convolved, enlarged, multiplied, permuted
from quantunet.ir import (
    Argmax,
    Conv2d,
    ConvTranspose2d,
    Graph,
    IntArray,
    Maximum,
    Node,
    Pair,
    QType,
    Reading,
    Shape,
    Sides,
    Tensor,
)
from quantunet.layer_list import LayerList
from quantunet.moves import crop, depth_to_space, maxpool, nearest
from quantunet.network_input import NetworkInput
from quantunet.pixels import Pixels
from quantunet.pointwise import Pointwise
from quantunet.ranges import Bound
from quantunet.reach import channel_steps
from quantunet.settle import Settler
from quantunet.values import (
    AnyValue,
    Curve,
    Form,
    InputSource,
    Joined,
    Place,
    Rule,
    SumSource,
    TensorSource,
    Value,
    step_of,
    whole,
)
from quantunet.window_layers import Window


class Builder:
    """What a door calls for each op of its file; the layers and tensors of one graph come together behind it.

    Args:
        pixels: What the door knows of a picture's byte; the quantizer of the input adds to it.
    """

    def __init__(self, pixels: Pixels | None = None) -> None:
        self._layers = LayerList()
        self._input = NetworkInput(self._layers, pixels or Pixels())
        self._settler = Settler(self._layers, self._input)
        self._tables = CurveTables(self._layers, self._settler)
        self._pointwise = Pointwise(self._layers, self._settler, self._tables)

    @property
    def layers(self) -> Sequence[tuple[int, Node]]:
        """The layers so far, each with the place of its op in the file."""
        return self._layers.layers

    def named(self, name: str) -> Tensor:
        """Return the tensor of a name."""
        return self._layers.tensor(name)

    def input(self, place: Place, shape: Shape) -> Value:
        """Return the network's input before its quantizer."""
        return Value(InputSource(shape), place)

    def input_tensor(self, tensor: Tensor) -> Value:
        """Add an input whose type is known and return it."""
        self._layers.input(tensor, (tensor.qtype.qmin, tensor.qtype.qmax))
        return self.ready(tensor, Place(tensor.name, -1, tensor.name))

    def scale(self, place: Place, value: AnyValue, gain: Sequence[Fraction], offset: Sequence[Fraction]) -> AnyValue:
        """Return ``gain * value + offset``, one of each a channel: a normalisation, BatchNorm, or a bias.

        Raises:
            UnsupportedOpError: The value cannot be held before the operation.
        """
        return self._pointwise.scale(place, value, gain, offset)

    def leaky(self, place: Place, value: AnyValue, slopes: Sequence[Fraction]) -> AnyValue:
        """Return a value with a slope below zero, one of each channel: LeakyReLU, PReLU.

        Raises:
            UnsupportedOpError: The value cannot be held before the operation.
        """
        return self._pointwise.leaky(place, value, slopes)

    def clip(self, place: Place, value: AnyValue, low: Bound, high: Bound) -> AnyValue:
        """Return ``clamp(value, low, high)``; a ReLU is a clip at 0."""
        return self._pointwise.clip(place, value, low, high)

    def quantise(self, place: Place, value: AnyValue, rule: Rule) -> AnyValue:
        """Return a value behind a quantizer."""
        return self._pointwise.quantise(place, value, rule)

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
            WidthError: Sums that need more bits than an accumulator may have.
        """
        tensor, step = self.read(source, place)
        return convolved(self._layers, place, kind, tensor, step, weight, weight_form, bias, window)

    def add(self, place: Place, first: AnyValue, second: AnyValue, sign: int = 1) -> Value:
        """Return the exact sum of two values, or their difference with a ``sign`` of -1.

        Raises:
            ShapeError: Their shapes differ.
        """
        tensors, steps = self._settler.pair(place, first, second)
        return added(self._layers, place, tensors, steps, sign)

    def multiply(self, place: Place, first: AnyValue, second: AnyValue) -> Value:
        """Return the exact product of two values of one size; one of them may have one channel for all.

        Raises:
            ShapeError: Their shapes do not fit.
        """
        if first.shape[2] == 1 and second.shape[2] > 1:
            first, second = second, first
        tensors, steps = self._settler.pair(place, first, second, gate=True)
        return multiplied(self._layers, place, tensors, steps)

    def maximum(self, place: Place, first: AnyValue, second: AnyValue) -> Value:
        """Return the greater of two values of one shape and one scale.

        Raises:
            ShapeError: Their shapes differ.
            TypeMismatchError: Their scales differ.
        """
        layers = self._layers
        tensors, steps = self._settler.pair(place, first, second)
        legs = [layers.value(tensor, place, step) for tensor, step in zip(tensors, steps, strict=True)]
        one, other = self._settler.in_one_type(Joined(place, tuple(legs)))
        node = Maximum(layers.layer_name(place.name), (one.name, other.name), layers.tensor_name(place.output))
        reaches = [layers.reach(each) for each in (one, other)]
        reach = max(low for low, _ in reaches), max(high for _, high in reaches)
        return self.ready(layers.add(place.order, node, one.shape, one.qtype, one.unit, reach), place)

    def average(self, place: Place, value: AnyValue, kernel: Pair, stride: Pair, pads: Sides = (0, 0, 0, 0)) -> Value:
        """Return the mean over windows, in which what is padded counts as 0.

        Raises:
            ShapeError: No window fits.
            WidthError: The sums are too wide.
        """
        tensor, step = self.read(value, place)
        return averaged(self._layers, place, tensor, step, kernel, stride, pads)

    def bilinear(self, place: Place, value: AnyValue, factor: Pair) -> Value:
        """Return a value of twice the size, linear between the centres of pixels."""
        tensor, step = self.read(value, place)
        return enlarged(self._layers, place, tensor, step, factor)

    def maxpool(
        self, place: Place, value: AnyValue, kernel: Pair = (2, 2), stride: Pair = (2, 2), pads: Sides = (0, 0, 0, 0)
    ) -> AnyValue:
        """Return the maximum over windows; what is padded is never the greatest.

        Raises:
            ShapeError: No window fits.
        """
        return maxpool(self._settler, place, value, kernel, stride, pads)

    def nearest(self, place: Place, value: AnyValue, factor: Pair) -> AnyValue:
        """Return each pixel repeated."""
        return nearest(self._settler, place, value, factor)

    def crop(self, place: Place, value: AnyValue, sides: Sides) -> AnyValue:
        """Return a value without some rows and columns at its sides.

        Raises:
            ShapeError: Nothing would be left.
        """
        return crop(self._settler, place, value, sides)

    def depth_to_space(self, place: Place, value: AnyValue, block: Pair) -> Value:
        """Return channels as pixels, in the order block row, block column, channel.

        Raises:
            ShapeError: The channels do not make up blocks.
        """
        return depth_to_space(self._layers, self._settler, place, value, block)

    def permuted(self, place: Place, value: AnyValue, order: Sequence[int]) -> Value:
        """Return the channels of a convolution in another order.

        Raises:
            UnsupportedOpError: The value is not the result of a convolution.
        """
        return permuted(place, value, order)

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
        return self._layers.value(self._layers.padded(place, tensor, sides, code), place, step)

    def argmax(self, place: Place, value: AnyValue) -> Value:
        """Return the channel of the greatest value."""
        tensor = self.read(value, place)[0]
        height, width, channels = tensor.shape
        qtype = QType(max((channels - 1).bit_length(), 1), False, 0)
        node = Argmax(self._layers.layer_name(place.name), (tensor.name,), self._layers.tensor_name(place.output))
        made = self._layers.add(place.order, node, (height, width, 1), qtype, None, (0, channels - 1))
        return self.ready(made, place)

    def concat(self, place: Place, values: Sequence[AnyValue]) -> Joined:
        """Return values side by side along the channels.

        Raises:
            ShapeError: Heights or widths differ, or there is nothing to join.
        """
        legs: list[Value] = []
        for value in values:
            if isinstance(value, Curve):
                value = self._settler.held(value, place)
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
        return self._tables.sigmoid(place, value)

    def curve(self, place: Place, value: AnyValue, function: Callable[[Fraction | float], Fraction | float]) -> Curve:
        """Return any function of a value; it waits for its quantizer and becomes a table.

        Args:
            place: The op.
            value: The value.
            function: From the real value to a fraction where it is exact, or else to a float64.

        Raises:
            WidthError: The value is too wide for a table.
        """
        return self._tables.curve(place, value, function)

    def curves(
        self,
        place: Place,
        first: AnyValue,
        second: AnyValue,
        function: Callable[[Fraction | float, Fraction | float], Fraction | float],
    ) -> Curve | None:
        """Return a function of two values that are functions of one tensor (``x * sigmoid(x)``), or else ``None``."""
        return self._tables.curves(place, first, second, function)

    def table(self, place: Place, value: AnyValue, table: IntArray, qtype: QType, *, probability: bool) -> Value:
        """Return a tensor that is looked up in a table, which the door has read."""
        return self._tables.looked_up(place, self.tensor(value, place), table, Form.of(qtype), probability=probability)

    def requant(self, place: Place, value: AnyValue, qtype: QType) -> Value:
        """Return a tensor in another type by a layer of its own, also where the type stays the same."""
        source = self.tensor(value, place)
        return self.ready(self._layers.requantised(place, source, qtype, source.unit, None), place)

    def settle(self, value: AnyValue) -> AnyValue:
        """Return a value that several ops read, so that they share one tensor.

        Sums that no quantizer has seen yet are left as they are: their readers quantise them, each in its own way.
        """
        return self._settler.shared(value)

    def ready(self, tensor: Tensor, place: Place) -> Value:
        """Return the value of a tensor of the graph."""
        return self._layers.value(tensor, place)

    def read(self, value: AnyValue, reader: Place) -> tuple[Tensor, Fraction]:
        """Return the tensor that holds a value, and the real value of its integer 1.

        Raises:
            ModelError: As :meth:`tensor`.
        """
        return self._settler.read(value, reader)

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
        return self._settler.tensor(value, reader)

    def graph(self, name: str, output: AnyValue, reader: Place) -> Graph:
        """Return the checked graph.

        Args:
            name: The network's name.
            output: What it returns.
            reader: For messages about the output.
        """
        last, reading = self._output(output, reader)
        gates = {name: node for name, node in self._tables.gates.items() if name != last.name}
        return self._layers.graph(name, last, self._input.pixels, reading, gates)

    def _output(self, output: AnyValue, reader: Place) -> tuple[Tensor, Reading | None]:
        """Return the tensor that the network ends with, and what its integers stand for.

        Factors and summands behind the last sums are left to who reads the result: nothing is computed with it.
        """
        open_end = isinstance(output, Value) and (output.low, output.high, output.step) == (None, None, None)
        if not open_end or not isinstance(output, Value) or not all(bend.straight for bend in output.bends):
            return self.read(output, reader)[0], None
        source = output.source
        if isinstance(source, SumSource) and output.declared is None:
            tensor = self._settler.sums(source)
        elif isinstance(source, TensorSource) and output.bends:
            tensor = source.tensor
        else:
            return self.read(output, reader)[0], None
        steps = channel_steps(output)
        gain = tuple(bend.upper.gain * step for bend, step in zip(output.channel_bends, steps, strict=True))
        offset = tuple(bend.upper.offset for bend in output.channel_bends)
        plain = set(gain) == {step_of(tensor)} and not any(offset)
        return tensor, None if plain else Reading(gain, offset)
