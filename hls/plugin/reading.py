"""The state of reading an hls4ml ModelGraph: what each variable holds, and what every layer's reader needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from quantunet.curve_tables import MAX_TABLE_BITS
from quantunet.errors import ModelError, ShapeError, UnsupportedOpError, WidthError
from quantunet.hls.csim.lower.names import unique_names
from quantunet.hls.plugin.original import Original
from quantunet.hls.plugin.precision import rule_of
from quantunet.identifiers import identifier
from quantunet.ir import MAX_BITS, Graph, Shape, Tensor
from quantunet.normalise import Builder
from quantunet.values import AnyValue, Curve, Place, Rule


def result(layer: Any) -> Any:
    """Return the precision of a layer's result."""
    return layer.get_output_variable().type.precision


def shape_of(name: str, axes: Any, *, first: bool = False) -> Shape:
    """Return a shape in the hardware's order: a vector is one pixel, a signal one row.

    Args:
        name: The layer, for the error.
        axes: The sizes of its result.
        first: Whether the channels are the first of them.

    Raises:
        ShapeError: There are more than three axes.
    """
    sizes = tuple(int(size) for size in axes)
    if not 1 <= len(sizes) <= 3:
        raise ShapeError(name, expected="a tensor of one to three axes, the channels last", got=str(sizes))
    if first:
        sizes = (*sizes[1:], sizes[0])
    height, width, channels = (1,) * (3 - len(sizes)) + sizes
    return height, width, channels


def _defaults(model: Any) -> frozenset[str]:
    """Return the precisions that hls4ml gives to what nobody has chosen."""
    found = model.config.model_precision.get("default")
    return (
        frozenset()
        if found is None
        else frozenset({str(found), str(model.config.backend.convert_precision_string(str(found)))})
    )


@dataclass(frozen=True)
class Layout:
    """A transposition at the model's edge, which the hardware leaves out: what is given or returned is transposed.

    Attributes:
        shape: Of what is transposed.
        perm: The order of its axes in the result; empty where nothing is.
    """

    shape: tuple[int, ...] = ()
    perm: tuple[int, ...] = ()


AS_IT_IS = Layout()
"""The order of the hardware: rows, columns, channels."""

_ANY_ORDER = (
    "Activation",
    "Concatenate",
    "FixedPointQuantizer",
    "Merge",
    "ParametrizedActivation",
    "QunOnnxConvTranspose",
    "QunOnnxResize",
)
"""Layers that mean the same with the channels first."""


class Reader:
    """Reads the layers in order; what each variable holds is a value of the builder.

    Attributes:
        rounded: The layers whose real weights were rounded, by what and to which type.
        defaults: The precisions of what nobody has chosen.
        layout: How the values of the model's input and of its output lie, where the hardware has another order.
        channels_first: Variables whose values the model has in that order: between two transpositions of an ONNX file.
            The hardware has the channels last all the same.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.builder = Builder()
        self.values: dict[str, AnyValue] = {}
        self.unread: dict[str, Tensor] = {}
        self.original = Original(model.config.config)
        self.rounded: dict[str, list[str]] = {}
        self.defaults = _defaults(model)
        self.layout = AS_IT_IS, AS_IT_IS
        self.channels_first: set[str] = set()
        self.names = self._names()

    def _names(self) -> dict[str, str]:
        """Return the tensor name of every hls4ml variable."""
        variables = [variable for layer in self.model.get_layers() for variable in layer.outputs]
        return dict(zip(variables, unique_names(identifier(name) for name in variables), strict=True))

    def tensors(self, graph: Graph) -> dict[str, str]:
        """Return the tensor of each layer whose result is one of the graph, which has been built."""
        names = {tensor.name for tensor in graph.tensors}
        found = {}
        for order, layer in enumerate(self.model.get_layers()):
            value = self.values.get(layer.outputs[0])
            moved = layer.class_name == "Transpose" or (layer.class_name == "Input" and self.layout[0].perm)
            moved = moved or layer.outputs[0] in self.channels_first
            wide = self.bits(layer.outputs[0]) > MAX_BITS  # sums that a later layer has requantised
            if layer.outputs[0] in self.model.outputs and not moved:
                found[layer.name] = graph.output
            if value is None or isinstance(value, Curve) or moved or wide:
                continue
            try:  # what holds the value is there already, or would be a new tensor
                tensor = self.builder.tensor(value, self.place(layer, order))
            except ModelError:
                continue
            if tensor.name in names:
                found[layer.name] = tensor.name
        return found

    def place(self, layer: Any, order: int) -> Place:
        """Return the name, the place and the output of a layer's node."""
        return Place(identifier(layer.name), order, self.names[layer.outputs[0]])

    def shape_of(self, layer: Any) -> Shape:
        """Return the shape of a layer's result in the hardware's order: a vector is one pixel, a signal one row.

        Raises:
            ShapeError: It has more than three axes.
        """
        return self._shape(layer.name, layer.outputs[0])

    def _shape(self, name: str, variable: str) -> Shape:
        return shape_of(name, self.model.output_vars[variable].shape, first=variable in self.channels_first)

    def follow(self, layer: Any) -> None:
        """Take over the order of the axes from what a layer reads.

        Raises:
            UnsupportedOpError: It reads two orders, or has one of its own.
        """
        first = {variable in self.channels_first for variable in layer.inputs}
        if True not in first or layer.class_name == "Transpose":
            return
        if first != {True} or layer.class_name not in _ANY_ORDER:
            raise UnsupportedOpError(
                layer.name, expected="tensors with the channels last", got="one with the channels first",
                hint="Convert the file with qonnx' ConvertToChannelsLastAndClean, or give it to quantunet itself.",
            )  # fmt: skip
        self.channels_first |= set(layer.outputs)

    def precision(self, variable: str) -> Any:
        """Return a variable's declared type."""
        return self.model.output_vars[variable].type.precision

    def bits(self, variable: str) -> int:
        """Return the width of a variable's declared type."""
        return int(self.precision(variable).width)

    def is_read_once(self, variable: str) -> bool:
        """Return whether one layer alone reads a variable."""
        readers = [name for layer in self.model.get_layers() for name in layer.inputs if name == variable]
        return len(readers) == 1

    def source(self, layer: Any, index: int = 0, *, flat: bool = False) -> AnyValue:
        """Return what a layer reads.

        Args:
            layer: The layer.
            index: Which of its inputs.
            flat: Whether a map may come for its values in a row: where only their order counts.

        Raises:
            ShapeError: A map that was flattened, where another shape is read.
        """
        value = self.source_of(layer.inputs[index])
        declared = self._shape(layer.name, layer.inputs[index])
        if not flat and value.shape != declared:
            raise ShapeError(
                layer.name, expected=f"an input of shape {declared}", got=f"a map of {value.shape}, flattened",
                hint="Behind a Flatten put a Dense layer first.",
            )  # fmt: skip
        return value

    def source_of(self, variable: str) -> AnyValue:
        """Return the value of a variable; an input becomes a tensor of the graph when it is first read."""
        if variable in self.unread:
            self.values[variable] = self.builder.input_tensor(self.unread.pop(variable))
        return self.values[variable]

    def keep(self, layer: Any, place: Place, value: AnyValue, rule: Rule | None = None, *, exact: bool = False) -> None:
        """Remember what a layer returns, behind the conversion to its result type; one that several read is settled.

        Args:
            layer: The layer.
            place: Its place.
            value: What it computes.
            rule: The conversion, where it is not that of the result's type alone.
            exact: Whether there is no conversion.
        """
        if not exact:
            value = self.builder.quantise(place, value, rule or rule_of(layer.name, result(layer)))
        shape = self.shape_of(layer)
        if shape != value.shape and math.prod(shape) != math.prod(value.shape):  # a flattened map keeps its shape here
            raise ShapeError(layer.name, expected=f"a result of shape {value.shape}", got=str(shape))
        variable = layer.outputs[0]
        if len(layer.get_output_nodes()) + (variable in self.model.outputs) > 1:
            value = self.builder.settle(value)
        self.values[variable] = value

    def check_inputs(self, layer: Any) -> None:
        """Check that the types of what a layer reads are narrow enough, and name the layer that writes it otherwise.

        Raises:
            WidthError: They are not.
        """
        for variable in layer.inputs:
            if variable in self.model.output_vars and self.bits(variable) > MAX_BITS:
                source = next(each.name for each in self.model.get_layers() if variable in each.outputs)
                raise WidthError(
                    layer.name, expected=f"an input of at most {MAX_BITS} bits",
                    got=f"{self.bits(variable)} bits from '{source}'",
                    hint=f"Give that layer a narrower result: config['LayerName']['{source}']['Precision']['result'] "
                    "= 'fixed<16,6>', before the model is converted.",
                )  # fmt: skip

    def check_widths(self, where: str) -> None:
        """Check that what every layer of the graph reads is narrow enough, as :meth:`check_inputs`.

        Args:
            where: A layer that did not become one of the graph, which is asked as well.

        Raises:
            WidthError: It is not.
        """
        layers = list(self.model.get_layers())
        for order, node in self.builder.layers:
            bits = max(self.builder.named(name).qtype.bits for name in node.inputs)
            if bits > MAX_BITS and not node.reads_sums:
                self.check_inputs(layers[order])
        for layer in layers:
            if layer.name == where:
                self.check_inputs(layer)


def narrow_source(reader: Reader, layer: Any, source: AnyValue) -> AnyValue:
    """Return a value that a table can take.

    Raises:
        WidthError: It has too many bits.
    """
    bits = reader.bits(layer.inputs[0])
    if not isinstance(source, Curve) and bits > MAX_TABLE_BITS:
        raise WidthError(
            layer.name, expected=f"an input of at most {MAX_TABLE_BITS} bits, of which a function is a table",
            got=f"{bits} bits", hint="Give the layer in front a narrower result: Precision result 'fixed<12,4>' in the "
            "configuration.",
        )  # fmt: skip
    return source
