"""One normalisation for every door: what a network's author wrote becomes layers that the hardware computes exactly.

A door walks its file and calls :class:`Builder` for each op. A value on the way is a :class:`Value`: an exact source
(a tensor of integers, or a sum that waits for its quantizer), clamped and perhaps rounded. All of that is monotone, so
that ReLU, Clip, quantizers and max pooling may come in any order. A value becomes a tensor when an op reads it: with
the quantizer's own type where that computes the same integers, else with the smallest type that does, else it is
refused.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from quantunet.accumulator import bits_for, reachable
from quantunet.errors import ModelError, ScaleError, ShapeError, TypeMismatchError, UnsupportedOpError, WidthError
from quantunet.graph_check import check
from quantunet.identifiers import unused
from quantunet.ir import (
    MAX_ACCUMULATOR_BITS,
    MAX_BITS,
    Add,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Graph,
    IntArray,
    Lookup,
    MatrixNode,
    MaxPool2d,
    Node,
    QType,
    Requant,
    Shape,
    Tensor,
)
from quantunet.pixels import Pixels
from quantunet.ranges import Bound, Range, clamped, fitting_type, limited, on_grid, saturates_like, types
from quantunet.sigmoid_table import sigmoid_table

logger = logging.getLogger(__name__)

INPUT_NAME = "image"
"""The name of a network's input tensor where the door has no better one."""


@dataclass(frozen=True)
class Place:
    """Where a value was made: for the names of layers and for messages.

    Attributes:
        name: The layer's name, an identifier; also what messages call it.
        order: Its place in the file; layers stand in this order in the graph.
        output: The name of the tensor that the layer writes.
    """

    name: str
    order: int
    output: str


@dataclass(frozen=True)
class Rule:
    """What a quantizer does: ``y = clamp(R(x * 2**frac), low, high)``, and ``y`` stands for ``y * 2**-frac``.

    Attributes:
        frac: Fractional bits of the result.
        low: The least integer.
        high: The greatest integer.
        declared: The type that the author wrote; ``None`` where no type of the graph says the same.
        rounding: How the file calls its rounding, where that is not half to even.
        even: How the file would call rounding half to even.
        wraps: Values outside are not clamped but wrap around: accepted only where there are none.
        hint: What to do about a rounding or an overflow that the hardware does not have.
    """

    frac: int
    low: int
    high: int
    declared: QType | None
    rounding: str | None = None
    even: str = "ROUND"
    wraps: bool = False
    hint: str = ""

    @classmethod
    def of(cls, qtype: QType) -> Rule:
        """The rule of a type: round half to even, and saturate."""
        return cls(qtype.frac, qtype.qmin, qtype.qmax, qtype)


@dataclass(frozen=True, eq=False)
class TensorSource:
    """A tensor of the graph."""

    tensor: Tensor


@dataclass(frozen=True, eq=False)
class SumSource:
    """The exact sums of a convolution, or of two tensors, before requantisation."""

    place: Place
    node: MatrixNode | Add
    shape: Shape
    frac: int
    reach: tuple[int, int]


@dataclass(frozen=True, eq=False)
class InputSource:
    """The network's input before its quantizer: real numbers ``gain * x + offset``, one of each a channel.

    Attributes:
        shape: The picture's.
        gain: Factors; empty for 1.
        offset: Summands; empty for 0.
    """

    shape: Shape
    gain: tuple[Fraction, ...] = ()
    offset: tuple[Fraction, ...] = ()


@dataclass(frozen=True, eq=False)
class PoolSource:
    """The 2x2 maximum of another source."""

    place: Place
    source: Source


Source: TypeAlias = TensorSource | SumSource | InputSource | PoolSource


@dataclass(frozen=True, eq=False)
class Value:
    """``clamp(R(source), low, high)``, in real numbers; ``R`` rounds half to even to multiples of ``2**-frac``.

    Attributes:
        source: What is clamped and rounded.
        place: The op that did so last.
        low: Least value; ``None`` where nothing is clamped below.
        high: Greatest value; ``None`` where nothing is clamped above.
        frac: The grid that the value was rounded to, coarser than its source's; ``None`` where it was not rounded.
        declared: The type that the last quantizer declared.
    """

    source: Source
    place: Place
    low: Bound = None
    high: Bound = None
    frac: int | None = None
    declared: QType | None = None

    @property
    def shape(self) -> Shape:
        """Height, width and channels."""
        return _shape(self.source)


@dataclass(frozen=True, eq=False)
class Joined:
    """A concatenation that is not in the graph yet; each leg can still be quantised on its own."""

    place: Place
    legs: tuple[Value, ...]

    @property
    def shape(self) -> Shape:
        """Height, width and channels."""
        return (*self.legs[0].shape[:2], sum(leg.shape[2] for leg in self.legs))


@dataclass(frozen=True, eq=False)
class Curve:
    """A sigmoid that waits for its quantizer."""

    place: Place
    source: Tensor

    @property
    def shape(self) -> Shape:
        """Height, width and channels."""
        return self.source.shape


AnyValue: TypeAlias = Value | Joined | Curve


@dataclass
class Builder:
    """Collects the layers and tensors of one graph.

    Attributes:
        tensors: Tensors by name.
        layers: Layers with their place in the file, in the order in which they were made.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    layers: list[tuple[int, Node]] = field(default_factory=list)
    pixels: Pixels = field(default_factory=Pixels)
    _reach: dict[str, tuple[int, int]] = field(default_factory=dict)
    _made: dict[tuple[Source, QType], Tensor] = field(default_factory=dict)
    _joined: dict[Joined, Tensor] = field(default_factory=dict)
    _order: dict[str, int] = field(default_factory=dict)
    _sources: dict[str, TensorSource] = field(default_factory=dict)
    _inputs: list[str] = field(default_factory=list)
    _input_codes: tuple[int, int | None, int | None] | None = None

    # What a door calls.

    def input(self, place: Place, shape: Shape) -> Value:
        """Return the network's input before its quantizer."""
        return Value(InputSource(shape), place)

    def scale_input(
        self, place: Place, what: str, value: AnyValue, gain: Sequence[Fraction], offset: Sequence[Fraction]
    ) -> Value:
        """Return ``gain * value + offset`` of the network's input, one of each a channel: the picture's normalisation.

        ``what`` is the file's name of the operation, for messages.

        Raises:
            UnsupportedOpError: The value is not the bare input.
        """
        source = value.source if isinstance(value, Value) else None
        touched = isinstance(value, Value) and (value.declared, value.low, value.high) != (None, None, None)
        if not isinstance(source, InputSource) or touched:
            raise UnsupportedOpError(
                place.name,
                expected=f"{what} with a constant only between the network's input and its quantizer",
                got="one inside the network",
                hint="Merge it into the weights of a convolution before the quantizers are trained.",
            )
        before = source.gain or (Fraction(1),) * len(gain), source.offset or (Fraction(0),) * len(gain)
        gains = tuple(new * old for new, old in zip(gain, before[0], strict=True))
        offsets = tuple(g * old + new for g, old, new in zip(gain, before[1], offset, strict=True))
        return Value(InputSource(source.shape, gains, offsets), place)

    def input_tensor(self, tensor: Tensor) -> Value:
        """Add an input whose type is known and return it."""
        self._inputs.append(tensor.name)
        self.tensors[tensor.name] = tensor
        self._reach[tensor.name] = (tensor.qtype.qmin, tensor.qtype.qmax)
        return self.ready(tensor, Place(tensor.name, -1, tensor.name))

    def matrix(
        self,
        place: Place,
        kind: type[Conv2d] | type[ConvTranspose2d],
        source: AnyValue,
        weight: IntArray,
        weight_type: QType,
        bias: npt.NDArray[np.float64] | None,
    ) -> Value:
        """Return the exact sums of a convolution.

        Args:
            place: The layer.
            kind: Which of the two.
            source: What it reads.
            weight: ``(k, k, channels_in, channels_out)``.
            weight_type: Signed.
            bias: Real values ``(channels_out,)``; ``None`` for 0.

        Raises:
            ShapeError: The weights or the bias do not fit the channels.
            ScaleError: A bias that is no multiple of ``2**-frac`` of the sums.
            WidthError: Sums that need more bits than an accumulator may have.
        """
        tensor = self.tensor(source, place)
        channels_in, channels_out = weight.shape[2:]
        if channels_in != tensor.shape[2]:
            raise ShapeError(place.name, expected=f"weights for {tensor.shape[2]} input channels", got=str(channels_in))
        finer = _finer(bias, weight_type.frac + tensor.qtype.frac, MAX_BITS - weight_type.bits)
        if finer:
            logger.warning(
                "%s: the bias is finer than weight scale x input scale, and the weights are kept %d bits wider for it",
                place.name, finer,
            )  # fmt: skip
            weight = IntArray.of(weight.array << finer)
            weight_type = QType(weight_type.bits + finer, True, weight_type.frac + finer)
        frac = weight_type.frac + tensor.qtype.frac
        codes = _bias_codes(place.name, bias, channels_out, frac)
        node = kind(place.name, (tensor.name,), place.output, weight, weight_type, codes)
        stride = 2 if kind is ConvTranspose2d else 1
        shape = (stride * tensor.shape[0], stride * tensor.shape[1], channels_out)
        return Value(SumSource(place, node, shape, frac, reachable(node, tensor.qtype)), place)

    def add(self, place: Place, first: AnyValue, second: AnyValue) -> Value:
        """Return the exact sum of two values.

        Raises:
            ShapeError: Their shapes differ.
        """
        tensors = [self.tensor(value, place) for value in (first, second)]
        if tensors[0].shape != tensors[1].shape:
            raise ShapeError(
                place.name,
                expected="two tensors of one shape",
                got=" and ".join("x".join(map(str, tensor.shape)) for tensor in tensors),
                hint="Give both one size and the same channels.",
            )
        if tensors[0].name == tensors[1].name:  # an addition reads two streams: the copy gets a layer of its own
            copy = self.requant(_numbered(place, 2, "copy"), self.ready(tensors[1], place), tensors[1].qtype)
            tensors[1] = self.tensor(copy, place)
        frac = max(tensor.qtype.frac for tensor in tensors)
        reaches = [[code << (frac - t.qtype.frac) for code in self._reach[t.name]] for t in tensors]
        low, high = (sum(ends) for ends in zip(*reaches, strict=True))
        node = Add(place.name, (tensors[0].name, tensors[1].name), place.output)
        return Value(SumSource(place, node, tensors[0].shape, frac, (low, high)), place)

    def clip(self, place: Place, value: AnyValue, low: Bound, high: Bound) -> AnyValue:
        """Return ``clamp(value, low, high)``; a ReLU is a clip at 0.

        Raises:
            UnsupportedOpError: Of a sigmoid.
        """
        if isinstance(value, Joined):
            legs = tuple(_as_value(self.clip(place, leg, low, high)) for leg in value.legs)
            return replace(value, legs=legs)
        if isinstance(value, Curve):
            raise UnsupportedOpError(
                place.name,
                expected="a quantizer behind the sigmoid",
                got="an activation",
                hint="Remove the activation: the sigmoid's result lies in 0..1.",
            )
        return _clipped(value, place, low, high)

    def maxpool(self, place: Place, value: AnyValue) -> AnyValue:
        """Return the maximum over 2x2 windows.

        Raises:
            ShapeError: An odd height or width.
            UnsupportedOpError: Of a sigmoid.
        """
        if isinstance(value, Joined):
            value = self.settle(value)
        if isinstance(value, Curve):
            value = self.ready(self.tensor(value, place), place)
        if isinstance(value, Joined):
            legs = tuple(_as_value(self.maxpool(_numbered(place, index), leg)) for index, leg in enumerate(value.legs))
            return replace(value, legs=legs)
        assert isinstance(value, Value)
        height, width, _ = value.shape
        if height % 2 or width % 2:
            raise ShapeError(
                place.name,
                expected="an even height and width to halve",
                got=f"{height}x{width}",
                hint="Choose an input size that is divisible by 2**depth.",
            )
        return replace(value, source=PoolSource(place, value.source))

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
        return Curve(place, self.tensor(value, place))

    def table(self, place: Place, value: AnyValue, table: IntArray, qtype: QType, *, probability: bool) -> Value:
        """Return a tensor that is looked up in a table, which the door has read."""
        return self._looked_up(place, self.tensor(value, place), table, qtype, probability=probability)

    def quantise(self, place: Place, value: AnyValue, rule: Rule) -> AnyValue:
        """Return a value behind a quantizer.

        Raises:
            UnsupportedOpError: A rounding that would differ from half to even, or a wrap-around that would happen.
        """
        if isinstance(value, Joined):
            if len({_settled_type(leg) for leg in value.legs}) > 1 or _settled_type(value.legs[0]) is None:
                legs = tuple(
                    _as_value(self.quantise(_numbered(place, index), leg, rule)) for index, leg in enumerate(value.legs)
                )
                return replace(value, legs=legs)
            value = self.ready(self.tensor(value, place), value.place)
        if isinstance(value, Curve):
            return self._sigmoid(place, value, rule)
        return self._quantised(place, value, rule)

    def requant(self, place: Place, value: AnyValue, qtype: QType) -> Value:
        """Return a tensor in another type by a layer of its own, also where the type stays the same."""
        source = self.tensor(value, place)
        node = Requant(self._layer_name(place.name), (source.name,), self._tensor_name(place.output))
        tensor = self._add(place.order, node, source.shape, qtype)
        self._reach[tensor.name] = (qtype.qmin, qtype.qmax)
        return self.ready(tensor, place)

    def settle(self, value: AnyValue) -> AnyValue:
        """Return a value that several ops read, so that they share one tensor.

        Sums that no quantizer has seen yet are left as they are: their readers quantise them, each in its own way.
        """
        legs = value.legs if isinstance(value, Joined) else (value,)
        for leg in legs:
            if isinstance(leg, Curve) or (leg.declared is None and not isinstance(_root(leg.source), TensorSource)):
                return value
        return self.ready(self.tensor(value, value.place), value.place)

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
                expected="a quantizer behind the sigmoid",
                got="none",
                hint="Put one there (unsigned, 8 bits, scale 2**-8), or end the network at the logits.",
            )
        frac = self._grid(value, reader)
        low, high = _codes(value, frac)
        reach = self._rounded_reach(value.source, frac)
        qtype = fitting_type(reach, low, high, value.declared, frac)
        if isinstance(_root(value.source), InputSource):
            self._check_one_input(value, (frac, low, high))
            if qtype is None and value.declared is not None:
                qtype = self._narrow_input(value.declared, low, high)
        if qtype is None:
            raise _no_type(value, reader, reach, low, high, frac)
        return self._emit(value.source, qtype, value.place, clamped(reach, low, high))

    def graph(self, name: str, output: AnyValue, reader: Place) -> Graph:
        """Return the checked graph.

        Args:
            name: The network's name.
            output: What it returns.
            reader: For messages about the output.
        """
        last = self.tensor(output, reader)
        nodes = tuple(node for _, node in sorted(self.layers, key=lambda entry: entry[0]))
        names = (*self._inputs, *(node.output for node in nodes))
        tensors = tuple(self.tensors[each] for each in names)
        return check(Graph(name, tuple(self._inputs), last.name, tensors, nodes, self.pixels))

    # How values become tensors.

    def ready(self, tensor: Tensor, place: Place) -> Value:
        """Return the value of a tensor of the graph."""
        return Value(self._source(tensor), place, declared=tensor.qtype)

    def _source(self, tensor: Tensor) -> TensorSource:
        """Return the one source of a tensor, so that equal requantisations of it are one layer."""
        return self._sources.setdefault(tensor.name, TensorSource(tensor))

    def _quantised(self, place: Place, value: Value, rule: Rule) -> Value:
        if value.frac is not None and value.frac != rule.frac:
            value = self.ready(self.tensor(value, value.place), place)  # a second rounding is a layer of its own
        grid = _frac(value.source) if value.frac is None else value.frac
        rounds = grid is None or rule.frac < grid
        low, high = on_grid(value.low, rule.frac), on_grid(value.high, rule.frac)
        if rule.rounding is not None and (rounds or (low, high) != (value.low, value.high)):
            raise UnsupportedOpError(
                place.name, expected=f"rounding half to even ({rule.even})", got=rule.rounding, hint=rule.hint
            )
        step = Fraction(2) ** -rule.frac
        least, most = rule.low * step, rule.high * step
        if rule.wraps and not self._inside(replace(value, low=low, high=high), least, most, rule.frac):
            raise UnsupportedOpError(place.name, expected="saturation", got="a type that wraps around", hint=rule.hint)
        result = replace(
            value,
            place=place,
            low=least if low is None else limited(low, least, most),
            high=most if high is None else limited(high, least, most),
            frac=rule.frac if rounds else value.frac,
            declared=rule.declared,
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
        same = (settled.low, settled.high, settled.frac, settled.declared)
        return value if same == (value.low, value.high, value.frac, value.declared) else settled

    def _fits(self, value: Value) -> bool:
        """Return whether a value can become a tensor."""
        if value.frac is None and _frac(value.source) is None:
            return False
        frac = self._grid(value, value.place)
        if any(bound is not None and on_grid(bound, frac) != bound for bound in (value.low, value.high)):
            return False
        low, high = _codes(value, frac)
        return fitting_type(self._rounded_reach(value.source, frac), low, high, value.declared, frac) is not None

    def _without_idle_bounds(self, value: Value) -> Value:
        """Forget bounds that no value reaches, so that a convolution with its whole accumulator is one again."""
        frac = _frac(value.source) if value.frac is None else value.frac
        reach = None if frac is None else self._rounded_reach(value.source, frac)
        if reach is None or frac is None:
            return value
        least, most = (code * Fraction(2) ** -frac for code in reach)
        low = None if value.low is not None and least >= value.low else value.low
        high = None if value.high is not None and most <= value.high else value.high
        return replace(value, low=low, high=high)

    def _inside(self, value: Value, least: Fraction, most: Fraction, frac: int) -> bool:
        """Return whether every value, rounded to ``frac``, lies between two limits."""
        reach = self._rounded_reach(value.source, frac)
        if reach is None:
            return value.low is not None and value.high is not None and value.low >= least and value.high <= most
        low, high = (code * Fraction(2) ** -frac for code in reach)
        ends = [limited(end, value.low, value.high) for end in (low, high)]
        return min(ends) >= least and max(ends) <= most

    def _grid(self, value: Value, reader: Place) -> int:
        """Return the fractional bits of the tensor that a value becomes."""
        if value.frac is not None:
            return value.frac
        source = _frac(value.source)
        if source is None:
            raise UnsupportedOpError(
                reader.name,
                expected="a quantizer behind the network's input",
                got="a layer that reads the input unquantised",
                hint="Put an activation quantizer at the input (for example brevitas.nn.QuantIdentity).",
            )
        return value.declared.frac if value.declared is not None and value.declared.frac >= source else source

    def _rounded_reach(self, source: Source, frac: int) -> Range:
        root = _root(source)
        if isinstance(root, InputSource):
            return None
        reach = root.reach if isinstance(root, SumSource) else self._reach[root.tensor.name]
        shift = _frac(root)
        assert shift is not None
        scale = Fraction(2) ** (frac - shift)
        return round(reach[0] * scale), round(reach[1] * scale)

    def _narrow_input(self, declared: QType, low: int | None, high: int | None) -> QType | None:
        """Return the input's type where its quantizer leaves out one code: the pixel table does the same."""
        narrow = (declared.qmin + 1, declared.qmax) if declared.signed else (declared.qmin, declared.qmax - 1)
        if (low, high) != narrow:
            return None
        self.pixels = replace(self.pixels, narrow=True)
        return declared

    def _emit(self, source: Source, qtype: QType, place: Place, reach: Range) -> Tensor:
        """Return the tensor of a source in a type; equal requests share one."""
        if isinstance(source, TensorSource) and source.tensor.qtype == qtype:
            return source.tensor
        if (source, qtype) in self._made:
            return self._made[source, qtype]
        if isinstance(source, TensorSource):
            name = self._layer_name(place.name)
            node: Node = Requant(name, (source.tensor.name,), self._tensor_name(place.output))
            tensor = self._add(place.order, node, source.tensor.shape, qtype)
        elif isinstance(source, SumSource):
            name = self._layer_name(source.place.name)
            if name != source.place.name:
                logger.warning("%s is computed twice: two quantizers of different types read it", source.place.name)
            node = replace(source.node, name=name, output=self._tensor_name(source.place.output))
            tensor = self._add(place.order, node, source.shape, qtype)
        elif isinstance(source, InputSource):
            tensor = self._input(source, qtype, place)
        else:
            tensor = self._pooled(source, qtype, place, reach)
        known = (qtype.qmin, qtype.qmax) if reach is None else reach
        self._reach.setdefault(tensor.name, (max(known[0], qtype.qmin), min(known[1], qtype.qmax)))
        self._made[source, qtype] = tensor
        return tensor

    def _pooled(self, source: PoolSource, qtype: QType, place: Place, reach: Range) -> Tensor:
        root = _root(source)
        # A tensor is pooled first and requantised then: that is a quarter of the beats.
        inner_type = root.tensor.qtype if isinstance(root, TensorSource) else qtype
        inner = self._emit(source.source, inner_type, place, None if isinstance(root, TensorSource) else reach)
        height, width, channels = inner.shape
        name, output = self._layer_name(source.place.name), self._tensor_name(source.place.output)
        node = MaxPool2d(name, (inner.name,), output)
        tensor = self._add(source.place.order, node, (height // 2, width // 2, channels), inner_type)
        self._reach[tensor.name] = self._reach[inner.name]
        return tensor if inner_type == qtype else self._emit(self._source(tensor), qtype, place, reach)

    def _check_one_input(self, value: Value, codes: tuple[int, int | None, int | None]) -> None:
        """Refuse a second quantizer behind the network's input that does not do what the first one does."""
        self._input_codes = codes if self._input_codes is None else self._input_codes
        if self._input_codes != codes:
            raise UnsupportedOpError(
                value.place.name,
                expected="one quantizer behind the network's input",
                got="a second one of another type",
                hint="Share one quantizer, and requantise behind it.",
            )

    def _input(self, source: InputSource, qtype: QType, place: Place) -> Tensor:
        if self._inputs:
            raise UnsupportedOpError(
                place.name,
                expected="one quantizer behind the network's input",
                got="a second one of another type",
                hint="Share one quantizer, and requantise behind it.",
            )
        self._inputs.append(INPUT_NAME)
        self.pixels = replace(self.pixels, gain=source.gain, offset=source.offset)
        tensor = Tensor(INPUT_NAME, source.shape, qtype)
        self.tensors[INPUT_NAME] = tensor
        return tensor

    def _add(self, order: int, node: Node, shape: Shape, qtype: QType) -> Tensor:
        tensor = Tensor(node.output, shape, qtype)
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

    def _sigmoid(self, place: Place, value: Curve, rule: Rule) -> Value:
        declared = rule.declared
        if declared is None or rule != replace(Rule.of(declared), hint=rule.hint):
            raise UnsupportedOpError(
                place.name,
                expected="round half to even and the whole range of the type behind a sigmoid",
                got=rule.rounding or f"{rule.low}..{rule.high}",
                hint="Use an unsigned quantizer of 8 bits and scale 2**-8.",
            )
        table = sigmoid_table(value.source.qtype, declared)
        return self._looked_up(value.place, value.source, table, declared, probability=True)

    def _looked_up(self, place: Place, source: Tensor, table: IntArray, qtype: QType, *, probability: bool) -> Value:
        names = self._layer_name(place.name), (source.name,), self._tensor_name(place.output)
        node = Lookup(*names, table, probability)
        tensor = self._add(place.order, node, source.shape, qtype)
        self._reach[tensor.name] = (int(table.array.min()), int(table.array.max()))
        return self.ready(tensor, place)

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
                leg = self.tensor(
                    self.requant(_numbered(place, number, "copy"), self.ready(leg, place), leg.qtype), place
                )
            name = self._layer_name(place.name if last else f"{place.name}_{number - 1}")
            output = self._tensor_name(place.output if last else f"{place.output}_{number - 1}")
            shape = (*leg.shape[:2], joined.shape[2] + leg.shape[2])
            reach = [self._reach[joined.name], self._reach[leg.name]]
            joined = self._add(place.order, Concat(name, (joined.name, leg.name), output), shape, leg.qtype)
            self._reach[output] = (min(low for low, _ in reach), max(high for _, high in reach))
        return joined

    def _common(self, value: Joined) -> list[Tensor]:
        """Return the legs of a concatenation as tensors of one type."""
        shared = self._shared_type(value)
        if shared is not None:
            found = []
            for leg in value.legs:
                codes = _codes(leg, shared.frac)
                if isinstance(_root(leg.source), InputSource):
                    self._check_one_input(leg, (shared.frac, *codes))
                reach = clamped(self._rounded_reach(leg.source, shared.frac), *codes)
                found.append(self._emit(leg.source, shared, leg.place, reach))
            return found
        legs = [self.tensor(leg, value.place) for leg in value.legs]
        frac = max(leg.qtype.frac for leg in legs)
        reaches = [tuple(code << (frac - leg.qtype.frac) for code in self._reach[leg.name]) for leg in legs]
        low, high = min(reach[0] for reach in reaches), max(reach[1] for reach in reaches)
        fits = [leg.qtype for leg in legs if leg.qtype.frac == frac and leg.qtype.qmin <= low <= high <= leg.qtype.qmax]
        common = min(fits, key=lambda qtype: qtype.bits) if fits else fitting_type((low, high), None, None, None, frac)
        if common is None:
            raise TypeMismatchError(
                value.place.name,
                expected=f"legs that one type of at most {MAX_BITS} bits holds exactly",
                got=" and ".join(f"{leg.qtype} ('{leg.name}')" for leg in legs),
                hint="Share one quantizer between the legs, or put one behind the concatenation.",
            )
        return [
            self._emit(self._source(leg), common, _numbered(value.place, number, "requant"), (reach[0], reach[1]))
            for number, (leg, reach) in enumerate(zip(legs, reaches, strict=True))
        ]

    def _shared_type(self, value: Joined) -> QType | None:
        """Return a type in which every leg can be written at once, without a layer in between."""
        declared = [leg.declared for leg in value.legs if leg.declared is not None]
        if not declared or any(leg.frac is None and leg.declared is None for leg in value.legs):
            return None
        grids = {self._grid(leg, value.place) for leg in value.legs}
        if len(grids) > 1:
            return None
        frac = grids.pop()
        for candidate in (*dict.fromkeys(declared), *types(frac)):
            if candidate.frac == frac and all(
                saturates_like(candidate, self._rounded_reach(leg.source, frac), *_codes(leg, frac))
                for leg in value.legs
            ):
                return candidate
        return None


def _no_type(value: Value, reader: Place, reach: Range, low: int | None, high: int | None, frac: int) -> ModelError:
    """Return the error of a value that no type of the hardware holds."""
    span = clamped(reach, low, high)
    if value.frac is None and value.declared is None and value.low is None and value.high is None:
        bits = "any number of" if span is None else str(bits_for(*span))
        return WidthError(
            value.place.name,
            expected=f"a result of at most {MAX_BITS} bits where '{reader.name}' reads it without a quantizer",
            got=f"a sum of {bits} bits",
            hint="Put an activation quantizer behind it.",
        )
    return UnsupportedOpError(
        value.place.name,
        expected="bounds that an integer type saturates to (0..2**b-1 or -2**(b-1)..2**(b-1)-1)",
        got=f"{low if low is not None else '-inf'}..{high if high is not None else 'inf'} at scale 2**{-frac}",
        hint="Use a quantizer with narrow = 0 and clip at its own limits.",
    )


def _frac(source: Source) -> int | None:
    root = _root(source)
    if isinstance(root, TensorSource):
        return root.tensor.qtype.frac
    return root.frac if isinstance(root, SumSource) else None


def _root(source: Source) -> TensorSource | SumSource | InputSource:
    while isinstance(source, PoolSource):
        source = source.source
    return source


def _shape(source: Source) -> Shape:
    if isinstance(source, PoolSource):
        height, width, channels = _shape(source.source)
        return height // 2, width // 2, channels
    return source.tensor.shape if isinstance(source, TensorSource) else source.shape


def _settled_type(value: Value) -> QType | None:
    """Return the type of a value that is a whole tensor of the graph."""
    whole = isinstance(value.source, TensorSource) and value.low is None and value.high is None
    return value.source.tensor.qtype if whole and isinstance(value.source, TensorSource) else None


def _clipped(value: Value, place: Place, low: Bound, high: Bound) -> Value:
    """Return a value behind one more clamp."""
    new_low = low if value.low is None else limited(value.low, low, high)
    new_high = high if value.high is None else limited(value.high, low, high)
    return replace(value, place=place, low=new_low, high=new_high)


def _as_value(value: AnyValue) -> Value:
    assert isinstance(value, Value)
    return value


def _numbered(place: Place, index: int, what: str = "") -> Place:
    return replace(place, name=f"{place.name}_{what}{index}", output=f"{place.output}_{what}{index}")


def _codes(value: Value, frac: int) -> tuple[int | None, int | None]:
    """Return a value's bounds as integers at ``frac``.

    Raises:
        ScaleError: A bound lies between two integers.
    """
    found: list[int | None] = []
    for bound in (value.low, value.high):
        scaled = None if bound is None else bound * Fraction(2) ** frac
        if scaled is not None and scaled.denominator != 1:
            raise ScaleError(
                value.place.name,
                expected=f"a limit that is a multiple of 2**{-frac}",
                got=str(float(bound or 0)),
                hint="Put a quantizer behind it, or clip at a multiple of the scale.",
            )
        found.append(None if scaled is None else int(scaled))
    return found[0], found[1]


def _finer(bias: npt.NDArray[np.float64] | None, frac: int, room: int) -> int:
    """Return how many more fractional bits a bias needs than the sums have; 0 where that is more than there is room."""
    if bias is None or bias.ndim != 1:  # another shape is refused below
        return 0
    scaled = [Fraction(value) * Fraction(2) ** frac for value in bias.tolist()]
    missing = max([0, *(value.denominator.bit_length() - 1 for value in scaled)])
    return missing if missing <= room else 0


def _bias_codes(where: str, bias: npt.NDArray[np.float64] | None, channels: int, frac: int) -> IntArray:
    """Return a bias as integers at the accumulator's scale.

    Raises:
        ShapeError: Another number of values than there are channels.
        ScaleError: A value that is no multiple of ``2**-frac``, or not finite.
        WidthError: A value beyond the accumulator.
    """
    if bias is None:
        return IntArray.of(np.zeros(channels, dtype=np.int64))
    if bias.shape != (channels,):
        raise ShapeError(where, expected=f"a bias of {channels} values", got=str(bias.shape))
    codes = []
    for value in bias.tolist():
        code = Fraction(value) * Fraction(2) ** frac
        if code.denominator != 1:
            raise ScaleError(
                where,
                expected=f"a bias scale of at least 2**{-frac} (weight scale x input scale)",
                got=f"the bias {value!r}, which is no multiple of it",
                hint="Quantise the bias at the accumulator's scale (for example Int32Bias).",
            )
        if abs(code) >= 1 << (MAX_ACCUMULATOR_BITS - 1):
            raise WidthError(
                where,
                expected=f"a bias inside an accumulator of {MAX_ACCUMULATOR_BITS} bits at scale 2**{-frac}",
                got=repr(value),
                hint="Use coarser scales for the weights or for the layer's input.",
            )
        codes.append(int(code))
    return IntArray.of(np.array(codes, dtype=np.int64))
