"""Graphs as JSON: what a graph's file says, and a reader that believes nothing of it before it has looked.

Integers stand in the file as base64 of zlib-compressed little-endian int64. How many there are is known from the shape,
and no more than these are ever unpacked.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import math
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from quantunet.documents import Fields, parse_json, read_json, shown
from quantunet.errors import ModelError
from quantunet.graph_check import check
from quantunet.ir import (
    FORMAT,
    FORMATS,
    MAX_ACCUMULATOR_BITS,
    MAX_FRAC,
    MIN_BITS,
    NODE_TYPES,
    RENAMED,
    Graph,
    IntArray,
    Node,
    QType,
    Reading,
    Tensor,
)
from quantunet.pixels import Pixels, read_fraction

WHAT = f"a graph in the format {FORMAT}"

MAX_WEIGHTS = 1 << 26
"""The most integers in all arrays of one file: twice those of the paper's network, 512 MiB in memory."""

MAX_BYTES = 1 << 28
"""The largest JSON file: :data:`MAX_WEIGHTS` random integers of 16 bits make no larger one."""

_MAX_SIDE = (1 << 31) - 1

ArrayReader = Callable[[Fields, tuple[int, ...]], IntArray]
"""Reads the array of a shape out of the rest of its table."""


def to_document(graph: Graph) -> dict[str, Any]:
    """Return a graph as plain values; arrays are left as they are.

    Raises:
        ModelError: The graph has more weights than a file may hold.
    """
    nodes = [
        {"op": node.op} | {f.name: _plain(getattr(node, f.name)) for f in dataclasses.fields(node)}
        for node in graph.nodes
    ]
    weights = sum(math.prod(value.shape) for entry in nodes for value in entry.values() if isinstance(value, IntArray))
    if weights > MAX_WEIGHTS:
        raise ModelError(graph.name, expected=f"at most {MAX_WEIGHTS} weights in a file", got=str(weights))
    return {
        "format": FORMAT,
        "name": graph.name,
        "inputs": list(graph.inputs),
        "output": graph.output,
        "tensors": [_encoded(tensor) for tensor in graph.tensors],
        "nodes": nodes,
        "pixels": graph.pixels.encoded(),
        **({} if graph.reading is None else {"reading": _reading_encoded(graph.reading)}),
    }


def _reading_encoded(reading: Reading) -> dict[str, list[str]]:
    return {"gain": [str(value) for value in reading.gain], "offset": [str(value) for value in reading.offset]}


def _reading(fields: Fields) -> Reading:
    table = fields.table("reading")
    gain, offset = (tuple(_fraction(table, key, text) for text in table.texts(key)) for key in ("gain", "offset"))
    table.finish()
    return Reading(gain, offset)


def _fraction(entry: Fields, key: str, value: object) -> Fraction:
    try:
        return read_fraction(value)
    except (ValueError, TypeError):
        entry.fail(key, "fractions as text", shown(value))


def _encoded(tensor: Tensor) -> dict[str, object]:
    entry = {"name": tensor.name, "shape": list(tensor.shape), "qtype": _plain(tensor.qtype)}
    return entry if tensor.unit is None else entry | {"unit": str(tensor.unit)}


def _plain(value: object) -> object:
    if isinstance(value, QType):
        return dataclasses.asdict(value)
    return list(value) if isinstance(value, tuple) else value


def to_json(graph: Graph) -> str:
    """Return a graph as JSON; :func:`from_json` gives back an equal graph.

    Raises:
        ModelError: The graph has more weights than a file may hold.
    """
    return json.dumps(to_document(graph), indent=1, default=IntArray.encoded)


def from_json(text: str, source: str = "graph") -> Graph:
    """Read a graph from JSON and check it.

    Args:
        text: What :func:`to_json` returned.
        source: The file's name, for the error message.

    Raises:
        FileFormatError: The text is not such a document.
        ModelError: The graph is not legal.
    """
    return from_document(parse_json(text, source, WHAT), source, _compressed)


def read(path: Path) -> Graph:
    """Read a graph's JSON file and check the graph.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is no such document.
        ModelError: The graph is not legal.
    """
    return from_document(read_json(path, WHAT, MAX_BYTES), str(path), _compressed)


def from_document(document: object, source: str, array: ArrayReader) -> Graph:
    """Make a graph of a parsed document and check it.

    Args:
        document: What JSON gave.
        source: The file's name, for the error message.
        array: Called for every array, in the order of the nodes and, within one, of its fields.

    Raises:
        FileFormatError: The document is no graph.
        ModelError: The graph is not legal.
    """
    fields = Fields(document, source)
    found = fields.take("format") if "format" in fields else None
    if found not in FORMATS:
        hint = "A card (*.json) only describes a network: give the network's own file."
        fields.fail("format", WHAT, "none" if found is None else shown(found), hint)
    left = MAX_WEIGHTS

    def bounded(entry: Fields, key: str) -> IntArray:
        nonlocal left
        table = entry.table(key)
        shape = table.wholes("shape", 1, MAX_WEIGHTS)
        if not 1 <= len(shape) <= 4 or math.prod(shape) > left:
            table.fail("shape", f"one to four sizes, and at most {MAX_WEIGHTS} values in the file", shown(list(shape)))
        left -= math.prod(shape)
        values = array(table, shape)
        table.finish()
        return values

    name, inputs, output = fields.text("name"), fields.texts("inputs"), fields.text("output")
    tensors = tuple(_tensor(entry) for entry in fields.tables("tensors"))
    nodes = tuple(_node(entry, bounded) for entry in fields.tables("nodes"))
    pixels = _pixels(fields) if "pixels" in fields else Pixels()
    reading = _reading(fields) if "reading" in fields else None
    fields.finish()
    return check(Graph(name, inputs, output, tensors, nodes, pixels, reading))


def _tensor(entry: Fields) -> Tensor:
    name, shape = entry.text("name"), entry.wholes("shape", 1, _MAX_SIDE)
    if len(shape) != 3:
        entry.fail("shape", "[height, width, channels]", shown(list(shape)))
    qtype = _qtype(entry, "qtype")
    unit = _unit(entry) if "unit" in entry else None
    entry.finish()
    return Tensor(name, (shape[0], shape[1], shape[2]), qtype, unit)


def _unit(entry: Fields) -> Fraction:
    value = entry.take("unit")
    unit = _fraction(entry, "unit", value)
    if unit <= 0:
        entry.fail("unit", "a fraction greater than 0", shown(value))
    return unit


def _qtype(entry: Fields, key: str) -> QType:
    table = entry.table(key)
    qtype = QType(
        table.whole("bits", MIN_BITS, MAX_ACCUMULATOR_BITS),
        table.flag("signed"),
        table.whole("frac", -MAX_FRAC, MAX_FRAC),
    )
    table.finish()
    return qtype


FIELD_READERS: dict[str, Callable[[Fields, str], object]] = {
    "str": Fields.text,
    "bool": Fields.flag,
    "tuple[str, ...]": Fields.texts,
    "int": lambda entry, key: entry.whole(key, -(1 << 62), 1 << 62),
    "Pair": lambda entry, key: _numbers(entry, key, 2),
    "Sides": lambda entry, key: _numbers(entry, key, 4),
    "QType": _qtype,
}
"""How a field of a node is read, by its annotation; an ``IntArray`` by the reader of the file's arrays."""


def _numbers(entry: Fields, key: str, count: int) -> tuple[int, ...]:
    values = entry.wholes(key, -_MAX_SIDE, _MAX_SIDE)
    if len(values) != count:
        entry.fail(key, f"a list of {count} whole numbers", shown(list(values)))
    return values


def _node(entry: Fields, array: Callable[[Fields, str], IntArray]) -> Node:
    op = entry.choice("op", (*NODE_TYPES, *RENAMED))
    kind = NODE_TYPES[RENAMED.get(op, op)]
    values: dict[str, object] = {}
    for field in dataclasses.fields(kind):
        if field.name not in entry and field.default is not dataclasses.MISSING:
            continue  # a file of the first format
        reader = array if field.type == "IntArray" else FIELD_READERS[str(field.type)]
        values[field.name] = reader(entry, field.name)
    entry.finish()
    node: Node = kind(**values)
    if len(node.inputs) != node.arity:
        entry.fail("inputs", f"{node.arity} of them", shown(list(node.inputs)))
    return node


def _pixels(fields: Fields) -> Pixels:
    value = fields.take("pixels")
    try:
        if not isinstance(value, dict) or {*value, "bounds", "rounding"} != set(Pixels().encoded()):
            raise TypeError("other keys")  # noqa: TRY301
        return Pixels.decoded(value)
    except (ValueError, KeyError, TypeError):
        fields.fail("pixels", "scale, gain and offset as fractions, narrow, bounds and rounding", shown(value))


def _compressed(table: Fields, shape: tuple[int, ...]) -> IntArray:
    text, size = table.take("zlib_int64"), 8 * math.prod(shape)
    if not isinstance(text, str):
        table.fail("zlib_int64", "base64 text", shown(text))
    try:
        data = inflate(base64.b64decode(text, validate=True), size)
    except (binascii.Error, zlib.error, ValueError) as error:
        table.fail("zlib_int64", f"{size} compressed bytes", str(error))
    return IntArray(shape, data)


def inflate(data: bytes, size: int) -> bytes:
    """Decompress exactly ``size`` bytes, and never more than one byte beyond them.

    Raises:
        ValueError: There are more or fewer, or others behind them.
        zlib.error: This is no zlib stream.
    """
    stream = zlib.decompressobj()
    found = stream.decompress(data, size + 1)
    if len(found) != size or not stream.eof or stream.unused_data:
        message = "another number of bytes" if len(found) != size else "bytes behind the end of the stream"
        raise ValueError(message)
    return found
