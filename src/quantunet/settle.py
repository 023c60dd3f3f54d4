"""How values become tensors of the graph, and by which layers.

What a value comes from (a tensor, sums, what was moved, the network's input) is written in the value's own type where
that computes the same integers, by an affine layer where not, or refused. Equal requests share one tensor.
"""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from fractions import Fraction

from quantunet.accumulator import bits_for
from quantunet.affine_search import AffineSearch, Requantisation, Ties
from quantunet.common_type import exact_type, shared_type
from quantunet.errors import ShapeError, UnsupportedOpError, WidthError
from quantunet.graph_check import MAX_GAIN
from quantunet.ir import MAX_ACCUMULATOR_BITS, MAX_BITS, Affine, Concat, IntArray, QType, Tensor
from quantunet.layer_list import LayerList
from quantunet.network_input import NetworkInput
from quantunet.ranges import Range, clamped, fitting_type
from quantunet.reach import codes_of, grid_of, is_plain, rounded_reach
from quantunet.value_types import NO_QUANTIZER, declared_type, no_type
from quantunet.values import (
    AnyValue,
    Curve,
    InputSource,
    Joined,
    MovedSource,
    Place,
    Source,
    SumSource,
    TensorSource,
    Value,
    compared,
    frac_of,
    root,
    step_of,
    steps_of,
)

logger = logging.getLogger(__name__)


class Settler:
    """Makes tensors of values.

    Args:
        layers: Where the layers go.
        network_input: What the network's input becomes.
    """

    def __init__(self, layers: LayerList, network_input: NetworkInput) -> None:
        self._layers = layers
        self._input = network_input
        self._affines = AffineSearch()
        self._written: dict[tuple[Source, QType], Tensor] = {}
        self._summed: dict[SumSource, Tensor] = {}
        self._moved: dict[tuple[MovedSource, str], Tensor] = {}
        self._requantised: dict[tuple[object, ...], Tensor] = {}
        self._joined: dict[Joined, Tensor] = {}

    # What an op reads.

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
                if value.sigmoid else NO_QUANTIZER,
            )  # fmt: skip
        if isinstance(root(value.source), InputSource):
            return self._input_tensor(value.source, *self._input.quantizer(value, reader), value.place)
        if isinstance(value.source, TensorSource) and value.untouched:
            return value.source.tensor
        base = root(value.source)
        if isinstance(base, SumSource) and base.beside and value.untouched:
            if isinstance(value.source, MovedSource):
                return self._move(value.source, self.tensor(replace(value, source=value.source.source), reader))
            if bits_for(*(base.span or base.reach)) <= MAX_BITS:
                return self.sums(base)
        if is_plain(value):
            step = grid_of(value)
            low, high = codes_of(value, step)
            reach = rounded_reach(value.source, step)
            qtype = fitting_type(reach, low, high, declared_type(value, step), frac_of(step) or 0)
            if qtype is not None:
                return self._write(value.source, qtype, step, value.place, clamped(reach, low, high))
        return self._affine(value, reader)

    def held(self, value: AnyValue, reader: Place) -> Value:
        """Return the value of the tensor that holds a value, as made at ``reader``.

        Raises:
            ModelError: As :meth:`tensor`.
        """
        return self._layers.value(self.tensor(value, reader), reader)

    def read(self, value: AnyValue, reader: Place) -> tuple[Tensor, Fraction]:
        """Return the tensor that holds a value, and the real value of its integer 1.

        Raises:
            ModelError: As :meth:`tensor`.
        """
        if isinstance(value, Value) and isinstance(value.source, TensorSource) and value.uniform is not None:
            return value.source.tensor, step_of(value.source.tensor) * value.uniform
        tensor = self.tensor(value, reader)
        return tensor, step_of(tensor)

    def pair(
        self, place: Place, first: AnyValue, second: AnyValue, *, gate: bool = False
    ) -> tuple[list[Tensor], list[Fraction]]:
        """Return the tensors of two values of one shape, and their steps; the second may be a gate of one channel.

        Raises:
            ShapeError: Their shapes differ.
            ModelError: As :meth:`tensor`.
        """
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
            tensors[1] = self._layers.copied(place.numbered(2, "copy"), tensors[1])
        return tensors, steps

    def shared(self, value: AnyValue) -> AnyValue:
        """Return a value that several ops read, so that they share one tensor.

        Sums that no quantizer has seen yet are left as they are: their readers quantise them, each in its own way.

        Raises:
            ModelError: As :meth:`tensor`.
        """
        if isinstance(value, Value) and isinstance(value.source, TensorSource) and value.uniform is not None:
            return value  # a tensor of the graph, perhaps with another meaning of its integers
        legs = value.legs if isinstance(value, Joined) else (value,)
        for leg in legs:
            if isinstance(leg, Curve) or (leg.declared is None and leg.step is None and _is_open(leg)):
                return value
        return self.held(value, value.place)

    def in_one_type(self, value: Joined) -> list[Tensor]:
        """Return the legs of a concatenation as tensors of one type.

        Raises:
            TypeMismatchError: There is no such type.
            ModelError: As :meth:`tensor`.
        """
        shared = shared_type(value)
        if shared is not None:
            qtype, step = shared
            found = []
            for leg in value.legs:
                if isinstance(root(leg.source), InputSource):
                    found.append(self._input_tensor(leg.source, qtype, step, None, leg.place))
                    self._input.check_one(leg, step)
                    continue
                reach = clamped(rounded_reach(leg.source, step), *codes_of(leg, step))
                found.append(self._write(leg.source, qtype, step, leg.place, reach))
            return found
        legs = [self.read(leg, value.place) for leg in value.legs]
        tensors, steps = [tensor for tensor, _ in legs], [each for _, each in legs]
        integers = [self._layers.reach(tensor) for tensor in tensors]
        qtype, step, reaches = exact_type(value.place, tensors, steps, integers)
        return [
            self._write(self._layers.source(tensor), qtype, step, value.place.numbered(number, "requant"), reach)
            for number, (tensor, reach) in enumerate(zip(tensors, reaches, strict=True))
        ]

    def sums(self, source: SumSource) -> Tensor:
        """Return exact sums as a tensor, as wide as they are.

        Raises:
            WidthError: They need more bits than an accumulator may have.
        """
        if source in self._summed:
            return self._summed[source]
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
        layers, place = self._layers, source.place
        node = replace(source.node, name=layers.layer_name(place.name), output=layers.tensor_name(place.output))
        unit = None if power == frac else step
        self._summed[source] = layers.add(place.order, node, source.shape, qtype, unit, source.reach)
        return self._summed[source]

    # A source in a type.

    def _write(self, source: Source, qtype: QType, step: Fraction, place: Place, reach: Range) -> Tensor:
        """Return the tensor of a source in a type; equal requests share one."""
        unit = step if frac_of(step) is None else None
        if isinstance(source, TensorSource) and (source.tensor.qtype, source.tensor.unit) == (qtype, unit):
            return source.tensor
        if (source, qtype) in self._written:
            return self._written[source, qtype]
        layers = self._layers
        known = (qtype.qmin, qtype.qmax) if reach is None else reach
        kept = max(known[0], qtype.qmin), min(known[1], qtype.qmax)
        if isinstance(source, TensorSource):
            tensor = layers.requantised(place, source.tensor, qtype, unit, kept)
        elif isinstance(source, SumSource) and source.node.requantises:
            name = layers.layer_name(source.place.name)
            if name != source.place.name:
                logger.warning("%s is computed twice: two quantizers of different types read it", source.place.name)
            node = replace(source.node, name=name, output=layers.tensor_name(source.place.output))
            tensor = layers.add(place.order, node, source.shape, qtype, unit, kept)
        elif isinstance(source, SumSource):
            tensor = self.sums(source)
            if (tensor.qtype, tensor.unit) != (qtype, unit):
                tensor = layers.requantised(place, tensor, qtype, unit, kept)
        else:
            assert isinstance(source, MovedSource)
            tensor = self._write_moved(source, qtype, step, place, reach)
        self._written[source, qtype] = tensor
        return tensor

    def _write_moved(self, source: MovedSource, qtype: QType, step: Fraction, place: Place, reach: Range) -> Tensor:
        base = root(source)
        # A tensor is pooled first and requantised then, which is fewer beats; enlarged it is the other way round.
        first = isinstance(base, TensorSource) and not source.enlarges
        own = base.tensor if isinstance(base, TensorSource) and first else None
        inner_type = qtype if own is None else own.qtype
        inner_step = step if own is None else step_of(own)
        inner = self._write(source.source, inner_type, inner_step, place, reach if own is None else None)
        tensor = self._move(source, inner)
        if own is None or inner_type == qtype:
            return tensor
        return self._write(self._layers.source(tensor), qtype, step, place, reach)

    def _move(self, source: MovedSource, inner: Tensor) -> Tensor:
        """Return what an op that chooses or moves values makes of a tensor."""
        key = (source, inner.name)
        if key in self._moved:
            return self._moved[key]
        layers, place = self._layers, source.place
        if any(source.pads):
            inner = layers.padded(place.part("pad"), inner, source.pads, inner.qtype.qmin)
        name, output = layers.layer_name(place.name), layers.tensor_name(place.output)
        node = replace(source.node, name=name, inputs=(inner.name,), output=output)
        tensor = layers.add(place.order, node, source.shape, inner.qtype, inner.unit, layers.reach(inner))
        self._moved[key] = tensor
        return tensor

    def _input_tensor(
        self, source: Source, qtype: QType, step: Fraction, bounds: tuple[int, int] | None, place: Place
    ) -> Tensor:
        """Return the network's input tensor, and what was moved behind it."""
        if isinstance(source, MovedSource):
            return self._move(source, self._input_tensor(source.source, qtype, step, bounds, place))
        assert isinstance(source, InputSource)
        return self._input.tensor(source, qtype, step, bounds, place)

    # Affine layers.

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
            value = replace(value, step=grid_of(value))  # nothing is rounded, but clamped as no type saturates
        step = value.step
        if step is None:
            raise no_type(value, reader)
        if isinstance(value.source, MovedSource):
            return self._affine_moved(value, value.source, reader)
        declared = declared_type(value, step)
        key = (value.source, value.bends, value.low, value.high, step, value.rounding, value.wraps, declared)
        if key in self._requantised:
            return self._requantised[key]
        found = self._affines.search(value, step, wide=wide)
        if isinstance(found, Ties):
            return self._affine_of_ties(value, step, reader, found.places)
        self._requantised[key] = self._affine_layer(value, step, found)
        return self._requantised[key]

    def _affine_layer(self, value: Value, step: Fraction, found: Requantisation) -> Tensor:
        layers, place, constants = self._layers, value.place, found.constants
        source = found.source.tensor if isinstance(found.source, TensorSource) else self.sums(found.source)
        node = Affine(
            layers.layer_name(place.name if place.name != source.name else f"{place.name}_affine"),
            (source.name,),
            layers.tensor_name(place.output),
            IntArray.of(constants.multiplier),
            IntArray.of(constants.offset),
            IntArray.of(constants.split),
            IntArray.of(constants.lower_multiplier),
            IntArray.of(constants.lower_offset),
            constants.shift,
            *found.limits,
            constants.even,
            value.wraps,
        )
        unit = step if frac_of(step) is None else None
        return layers.add(place.order, node, source.shape, found.qtype, unit, found.reach)

    def _affine_of_ties(self, value: Value, step: Fraction, reader: Place, places: int) -> Tensor:
        """Return a value whose ties no factor of a power of two meets: cut off behind more places first, then rounded.

        At that many places a tie is kept exactly, and nothing else becomes one.
        """
        finer = step / (1 << places)
        cut = replace(value, place=value.place.part("cut"), step=finer, rounding=math.floor, declared=None)
        tensor = self._affine(cut, reader, wide=True)
        return self.tensor(replace(value, source=self._layers.source(tensor), bends=()), reader)

    def _affine_moved(self, value: Value, source: MovedSource, reader: Place) -> Tensor:
        """Requantise before values are chosen or moved."""
        if value.wraps and compared(source):
            raise UnsupportedOpError(
                value.place.name, expected="a quantizer in front of the pooling", got="one that wraps around behind it",
                hint="Put a quantizer between the convolution and the pooling.",
            )  # fmt: skip
        return self._move(source, self.tensor(replace(value, source=source.source), reader))

    # Concatenations.

    def _concatenated(self, value: Joined) -> Tensor:
        """Return the tensor of a concatenation: its legs in one type, joined two at a time."""
        layers, place = self._layers, value.place
        legs = self.in_one_type(value)
        joined = legs[0]
        for number, leg in enumerate(legs[1:], start=2):
            last = number == len(legs)
            if leg.name == joined.name:  # a concatenation reads two streams: the copy gets a layer of its own
                leg = layers.copied(place.numbered(number, "copy"), leg)
            name = layers.layer_name(place.name if last else f"{place.name}_{number - 1}")
            output = layers.tensor_name(place.output if last else f"{place.output}_{number - 1}")
            shape = (*leg.shape[:2], joined.shape[2] + leg.shape[2])
            ends = [layers.reach(joined), layers.reach(leg)]
            reach = min(low for low, _ in ends), max(high for _, high in ends)
            node = Concat(name, (joined.name, leg.name), output)
            joined = layers.add(place.order, node, shape, leg.qtype, leg.unit, reach)
        return joined


def _is_open(value: Value) -> bool:
    """Return whether a value waits for a quantizer: sums, or a tensor behind a factor."""
    return bool(value.bends) or not isinstance(root(value.source), TensorSource)
