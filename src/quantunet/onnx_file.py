"""What an ONNX file holds, checked before it is believed: nodes, attributes, constants, the input."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, NodeProto, TensorProto, numpy_helper

from quantunet.errors import FileFormatError, ModelError, ShapeError, StorageError, UnsupportedOpError
from quantunet.identifiers import identifier, unused
from quantunet.ir import MAX_TENSOR_VALUES, QType

logger = logging.getLogger(__name__)

_AGAIN = "Export or copy it again."
_STANDARD = ("", "ai.onnx")
_LAST_VERSION = 10_000  # far beyond what there is: a greater one is a damaged file's
_QUANT_ATTRIBUTES = frozenset({"signed", "narrow", "rounding_mode"})
_QUANTIZER_DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
_CHANNELS_LAST = "qonnx.custom_op.channels_last"
_WRAPPED = frozenset({"Conv", "MaxPool", "BatchNormalization"})
"""What qonnx wraps for channels last: the definition of ai.onnx, but for the order of axes."""
QUANTIZERS = {
    "Quant": _QUANT_ATTRIBUTES,
    "IntQuant": _QUANT_ATTRIBUTES,
    "BipolarQuant": frozenset(),
    "Trunc": _QUANT_ATTRIBUTES,
}
"""The attributes of QONNX' quantizers."""

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Attributes:
    """The attributes of one node; each is asked for with the kind that it must have."""

    name: str
    by_name: dict[str, AttributeProto]

    @classmethod
    def of(cls, node: NodeProto, name: str) -> Attributes:
        """Read a node's attributes."""
        return cls(name, {attribute.name: attribute for attribute in node.attribute})

    def _value(self, key: str, kind: int, what: str) -> AttributeProto | None:
        found = self.by_name.get(key)
        if found is not None and found.type != kind:
            raise FileFormatError(self.name, expected=f"the attribute {key} as {what}", got="another kind", hint=_AGAIN)
        return found

    def integer(self, key: str, default: int) -> int:
        """Return an integer attribute."""
        found = self._value(key, AttributeProto.INT, "an integer")
        return default if found is None else int(found.i)

    def flag(self, key: str) -> bool:
        """Return an integer attribute that must be there and 0 or 1."""
        if key not in self.by_name:
            raise FileFormatError(
                self.name,
                expected=f"the attribute {key}, which QONNX requires",
                got="none",
                hint=f"Write {key} = 0 or 1.",
            )
        value = self.integer(key, 0)
        if value not in (0, 1):
            raise FileFormatError(self.name, expected=f"{key} = 0 or 1", got=str(value), hint=_AGAIN)
        return bool(value)

    def number(self, key: str) -> float | None:
        """Return a floating-point attribute."""
        found = self._value(key, AttributeProto.FLOAT, "a number")
        return None if found is None else float(found.f)

    def integers(self, key: str) -> list[int] | None:
        """Return an attribute that is a list of integers."""
        found = self._value(key, AttributeProto.INTS, "integers")
        return None if found is None else [int(value) for value in found.ints]

    def text(self, key: str, default: str) -> str:
        """Return a text attribute."""
        found = self._value(key, AttributeProto.STRING, "text")
        if found is None:
            return default
        try:
            return found.s.decode()
        except UnicodeDecodeError as error:
            raise FileFormatError(
                self.name, expected=f"the attribute {key} as text", got="bytes", hint=_AGAIN
            ) from error


@dataclass
class Constants:
    """The constants of a graph by name; each becomes numbers when it is first asked for."""

    tensors: dict[str, TensorProto] = field(default_factory=dict)
    computed: dict[str, Reals] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return name in self.tensors or name in self.computed

    def reals(self, name: str, where: str, what: str = "constant") -> Reals:
        """Return a constant as finite float64 values; ``what`` it is goes into messages.

        Raises:
            FileFormatError: It is damaged.
            UnsupportedOpError: It holds no real numbers, NaN or infinity, or integers that float64 does not hold.
        """
        if name not in self.computed:
            self.computed[name] = _finite(_array(self.tensors[name], where), name, where, what)
        return self.computed[name]

    def kind(self, name: str) -> str:
        """Return ONNX' name of the type of a constant's values."""
        return TensorProto.DataType.Name(self.tensors[name].data_type) if name in self.tensors else "FLOAT"

    def whole(self, name: str) -> bool:
        """Return whether the file says that a constant holds integers."""
        return name in self.tensors and self.tensors[name].data_type in _INTEGERS


_INTEGERS = frozenset(
    (
        TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64,
        TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64,
        TensorProto.INT4, TensorProto.UINT4,
    )
)  # fmt: skip


def _array(tensor: TensorProto, where: str) -> npt.NDArray[np.generic]:
    what = f"the constant '{tensor.name}' whole"
    dims = list(tensor.dims)
    size = int(np.prod([int(dim) for dim in dims], dtype=object)) if dims else 1
    if size > MAX_TENSOR_VALUES or any(dim < 0 for dim in dims):
        raise FileFormatError(where, expected=what, got=f"the shape {dims}", hint=_AGAIN)
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, OSError, AttributeError, onnx.checker.ValidationError) as error:
        raise FileFormatError(where, expected=what, got=str(error), hint=_AGAIN) from error


def _finite(values: npt.NDArray[np.generic], name: str, where: str, what: str) -> Reals:
    kind = f"'{name}' of {values.dtype}"
    if values.dtype.kind in "OSUcV" and not str(values.dtype).startswith(("bfloat", "float")):
        raise UnsupportedOpError(where, expected=f"real numbers as {what}", got=kind)
    with np.errstate(invalid="ignore", over="ignore"):
        reals = np.asarray(values).astype(np.float64)
    if not np.isfinite(reals).all():
        raise UnsupportedOpError(
            where,
            expected=f"a finite {what}",
            got=f"{reals[~np.isfinite(reals)].flat[0]} in '{name}'",
            hint="The training has diverged, or the file is damaged: export a network that works.",
        )
    if values.dtype.kind in "iu" and reals.size and np.abs(reals).max() > 2.0**53:
        raise UnsupportedOpError(where, expected=f"integers up to 2**53 as {what}", got=kind)
    return reals


@dataclass(frozen=True)
class Op:
    """One node of the file.

    Attributes:
        node: The ONNX node.
        name: A name that no other node has: the file's, or the op with its place.
        order: Its place in the file.
        kind: Its op, where it is one of ai.onnx or a quantizer of QONNX; else with its domain in front.
    """

    node: NodeProto
    name: str
    order: int
    kind: str

    @property
    def attributes(self) -> Attributes:
        """Its attributes."""
        return Attributes.of(self.node, self.name)

    @property
    def channels_last(self) -> bool:
        """Whether it is one of qonnx' channels-last wrappers."""
        return self.node.domain.startswith(_CHANNELS_LAST)

    def has_input(self, index: int) -> bool:
        """Return whether an optional input is given."""
        return index < len(self.node.input) and bool(self.node.input[index])

    def input(self, index: int) -> str:
        """Return the name of an input.

        Raises:
            FileFormatError: The node has no such input.
        """
        if not self.has_input(index):
            raise FileFormatError(self.name, expected=f"input {index} of {self.kind}", got="none", hint=_AGAIN)
        return str(self.node.input[index])


@dataclass(frozen=True)
class OnnxFile:
    """A file whose frame was checked.

    Attributes:
        model: The file's content.
        ops: The nodes that the output depends on, in the file's order, without constants.
        constants: Initializers and Constant nodes.
        input_name: The input.
        input_dims: Its two to four sizes; 0 where the first is open.
        output: The name of the output.
        readers: How many ops read a tensor; the output counts as one.
        first_reader: The first op that reads a tensor, and as which input.
        input_type: The type of the input's integers, where the file annotates it (FINN's ``finn_datatype``).
    """

    model: onnx.ModelProto
    ops: tuple[Op, ...]
    constants: Constants
    input_name: str
    input_dims: tuple[int, ...]
    output: str
    readers: dict[str, int]
    first_reader: dict[str, tuple[Op, int]]
    input_type: QType | None = None

    def role(self, name: str) -> str:
        """Return what a constant is for, in words for messages: the weights or the bias of a layer, or a constant."""
        for _ in range(len(self.ops)):
            if name not in self.first_reader:
                break
            op, index = self.first_reader[name]
            if op.kind in ("Conv", "ConvTranspose") and index in (1, 2):
                return f"{('weight', 'bias')[index - 1]} of '{op.name}'"
            name = op.node.output[0]
        return "constant"


def read(path: Path) -> OnnxFile:
    """Read an ONNX file and check its frame.

    Raises:
        StorageError: There is no such file, or it cannot be read.
        FileFormatError: It is no ONNX file, is cut short, or contradicts itself.
        ModelError: It has another number of inputs or outputs than one.
        ShapeError: Its input has no fixed shape of two to four sizes.
    """
    model = _load(path)
    graph = model.graph
    constants = Constants({item.name: item for item in graph.initializer})
    names = [item.name for item in graph.initializer]
    if len(constants.tensors) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FileFormatError(str(path), expected="each constant once", got=f"'{twice}' twice", hint=_AGAIN)
    if graph.sparse_initializer:
        raise UnsupportedOpError(str(path), expected="dense constants", got="sparse ones", hint=_AGAIN)
    outputs = [item.name for item in graph.output]
    if not graph.node or not outputs or not outputs[0]:
        raise FileFormatError(
            str(path),
            expected="a network with nodes and an output",
            got=f"{len(graph.node)} nodes and {len(outputs)} outputs",
            hint=_AGAIN,
        )
    if len(outputs) > 1:
        raise ModelError(
            str(path),
            expected="one output",
            got=", ".join(outputs),
            hint="Export the network with the one output that the hardware shall compute, or remove the others "
            f"from the file's graph.output (`del model.graph.output[1:]` keeps '{outputs[0]}').",
        )
    ops = tuple(_ops(graph, constants, outputs[0]))
    _check_definitions(path, model, ops)
    name, dims = _input(path, graph, constants)
    for op in ops:
        if name in op.node.output:
            raise FileFormatError(op.name, expected="outputs other than the network's input", got=name, hint=_AGAIN)
    readers: dict[str, int] = {outputs[0]: 1}
    first_reader: dict[str, tuple[Op, int]] = {}
    for op in ops:
        for index, source in enumerate(op.node.input):
            readers[source] = readers.get(source, 0) + 1
            first_reader.setdefault(source, (op, index))
    return OnnxFile(model, ops, constants, name, dims, outputs[0], readers, first_reader, _annotated(graph, name))


def _load(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise StorageError(str(path), expected="a QONNX file", got="no such file", hint="Check the path.")
    try:
        model = onnx.load(str(path))
    except (DecodeError, ValueError, TypeError, OSError, KeyError, onnx.checker.ValidationError) as error:
        raise FileFormatError(
            str(path), expected="a whole QONNX file", got=str(error) or type(error).__name__, hint=_AGAIN
        ) from error
    _check_text(path, model)
    # The list of operator sets stands behind the graph: a file that was cut off has none. qonnx' cleanup renames the
    # quantizers' domain and adds no line for it, so that a missing one of these says nothing.
    if not any(opset.domain in _STANDARD for opset in model.opset_import):
        raise FileFormatError(
            str(path), expected="a version of the operator set ai.onnx", got="none: the file was cut off", hint=_AGAIN
        )
    if model.functions:
        raise UnsupportedOpError(
            str(path),
            expected="a file without functions of its own",
            got=", ".join(function.name for function in model.functions),
            hint="Replace them by the operators that they stand for (onnx.inliner.inline_local_functions).",
        )
    return model


def _ops(graph: onnx.GraphProto, constants: Constants, output: str) -> Iterator[Op]:
    """Yield the nodes that an output depends on, and move Constant nodes into the constants."""
    named: dict[str, Op] = {}
    writers: dict[str, Op] = {}
    for order, node in enumerate(graph.node):
        name = unused(identifier(node.name) if node.name else f"{identifier(node.op_type or 'node')}{order}", named)
        op = Op(node, name, order, _kind(node))
        named[name] = op
        if op.kind == "Constant":
            _constant(op, constants)
            continue
        if not node.output or not node.output[0]:
            raise FileFormatError(name, expected="a node with an output", got=f"{node.op_type} without", hint=_AGAIN)
        for written in filter(None, node.output):
            if written in writers or written in constants:
                raise FileFormatError(name, expected="each tensor written once", got=f"'{written}' twice", hint=_AGAIN)
            writers[written] = op
    needed: set[int] = set()
    waiting = [output]
    while waiting:
        writer = writers.get(waiting.pop())
        if writer is not None and writer.order not in needed:
            needed.add(writer.order)
            waiting += writer.node.input
    left = [op.name for op in named.values() if op.kind != "Constant" and op.order not in needed]
    if left:
        logger.info("not read, since the output does not depend on them: %s", ", ".join(left))
    return (op for op in named.values() if op.order in needed)


def _kind(node: NodeProto) -> str:
    quantizer = node.op_type in QUANTIZERS
    if node.domain.startswith(_CHANNELS_LAST) and node.op_type in _WRAPPED:
        return str(node.op_type)
    if (node.domain in _QUANTIZER_DOMAINS and quantizer) or (node.domain in _STANDARD and not quantizer):
        return str(node.op_type)
    return f"{node.domain or 'ai.onnx'}.{node.op_type}"


def _check_text(path: Path, model: onnx.ModelProto) -> None:
    """Refuse names that are no text: protobuf hands out the bytes of a damaged one."""
    graph = model.graph
    names: list[object] = [item.name for item in (*graph.input, *graph.output, *graph.initializer, *model.functions)]
    names += [dim.dim_param for item in graph.input for dim in item.type.tensor_type.shape.dim]
    names += [opset.domain for opset in model.opset_import]
    names += [text for entry in model.metadata_props for text in (entry.key, entry.value)]
    for node in graph.node:
        names += [node.name, node.op_type, node.domain, *node.input, *node.output]
        names += [attribute.name for attribute in node.attribute]
    broken = [name for name in names if not isinstance(name, str)]
    if broken:
        raise FileFormatError(str(path), expected="names that are UTF-8 text", got=repr(broken[0]), hint=_AGAIN)


def _check_definitions(path: Path, model: onnx.ModelProto, ops: tuple[Op, ...]) -> None:
    """Check that every op is named and spelled as the operator set of the file defines it."""
    for op in ops:
        if op.node.domain in _STANDARD and op.node.op_type in QUANTIZERS:
            raise FileFormatError(
                op.name,
                expected=f"{op.node.op_type} in the domain {_QUANTIZER_DOMAINS[0]}",
                got="one in ai.onnx, which has none",
                hint=_AGAIN,
            )
    versions = sorted({opset.version for opset in model.opset_import if opset.domain in _STANDARD})
    if len(versions) > 1:
        raise FileFormatError(
            str(path),
            expected="one version of the operator set ai.onnx",
            got=", ".join(map(str, versions)),
            hint=_AGAIN,
        )
    if not 1 <= versions[0] <= _LAST_VERSION:
        raise FileFormatError(
            str(path), expected="a version of the operator set ai.onnx", got=str(versions[0]), hint=_AGAIN
        )
    for op in ops:
        _check_attributes(op, versions[0])


def _check_attributes(op: Op, version: int) -> None:
    """Refuse attributes that the op's definition does not have, and doubled ones.

    Raises:
        FileFormatError: There is one.
    """
    names = [attribute.name for attribute in op.node.attribute]
    known: frozenset[str] | None = QUANTIZERS.get(op.kind)
    if known is None:
        try:
            known = frozenset(onnx.defs.get_schema(op.kind, version, "").attributes)
        except onnx.defs.SchemaError:
            return  # no op of this version of ai.onnx: the door refuses it by name
    odd = sorted({name for name in names if name not in known or names.count(name) > 1})
    if odd:
        raise FileFormatError(
            op.name,
            expected=f"attributes of {op.kind} ({', '.join(sorted(known))}), each once",
            got=", ".join(odd),
            hint=_AGAIN,
        )


def _constant(op: Op, constants: Constants) -> None:
    if not op.node.output or not op.node.output[0]:
        raise FileFormatError(op.name, expected="a Constant with an output", got="none", hint=_AGAIN)
    name = op.node.output[0]
    if name in constants:
        raise FileFormatError(op.name, expected="each constant once", got=f"'{name}' twice", hint=_AGAIN)
    value = op.attributes.by_name.get("value")
    number = op.attributes.number("value_float") if "value_float" in op.attributes.by_name else None
    if value is not None and value.type == AttributeProto.TENSOR:
        tensor = TensorProto()
        tensor.CopyFrom(value.t)
        tensor.name = name
        constants.tensors[name] = tensor
    elif number is not None:
        constants.tensors[name] = numpy_helper.from_array(np.array(number, dtype=np.float32), name)
    elif "value_int" in op.attributes.by_name:
        whole = np.array(op.attributes.integer("value_int", 0), dtype=np.int64)
        constants.tensors[name] = numpy_helper.from_array(whole, name)
    elif op.attributes.integers("value_ints") is not None:
        wholes = np.array(op.attributes.integers("value_ints"), dtype=np.int64)
        constants.tensors[name] = numpy_helper.from_array(wholes, name)
    else:
        raise UnsupportedOpError(op.name, expected="a Constant that holds a tensor", got="another kind of value")


def _input(path: Path, graph: onnx.GraphProto, constants: Constants) -> tuple[str, tuple[int, ...]]:
    inputs = [item for item in graph.input if item.name not in constants]
    if len(inputs) != 1:
        raise ModelError(
            str(path),
            expected="one input",
            got=", ".join(item.name for item in inputs) or "none",
            hint="The hardware takes one image; make the others constants of the file.",
        )
    dims = inputs[0].type.tensor_type.shape.dim
    sizes = tuple(int(dim.dim_value) for dim in dims)
    if (
        not 2 <= len(sizes) <= 4
        or min(sizes[1:]) < 1
        or not 0 <= sizes[0] <= 1
        or _product(sizes[1:]) > MAX_TENSOR_VALUES
    ):
        raise ShapeError(
            f"{path}, input '{inputs[0].name}'",
            expected="one of fixed shape (1, channels, height, width), (1, channels, length) or (1, values), with "
            f"at most {MAX_TENSOR_VALUES} values",
            got=str(tuple(dim.dim_param or int(dim.dim_value) for dim in dims)),
            hint="Export with one image of the final size.",
        )
    return inputs[0].name, sizes


_ANNOTATION = re.compile(r"(U?)INT([1-9]|1[0-6])")


def _annotated(graph: onnx.GraphProto, name: str) -> QType | None:
    """Return the integer type that the file's annotation gives its input; ``None`` for real numbers."""
    for item in graph.quantization_annotation:
        for entry in item.quant_parameter_tensor_names:
            found = _ANNOTATION.fullmatch(entry.value) if entry.key == "finn_datatype" else None
            if item.tensor_name == name and found:
                return QType(int(found[2]), not found[1], 0)
    return None


def _product(sizes: tuple[int, ...]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total
