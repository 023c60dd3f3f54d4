"""Packed networks: one file with every weight and bias at its bit-width, as a device would keep them.

Layout: ``QUNPACK1``, the length of the header (uint32, little-endian), the header (the graph's JSON, compressed), the
arrays one after the other, each from a whole byte on, and the CRC-32 of all that (uint32, little-endian). An array of
``bits`` holds its integers in C order, two's complement, least significant bit first.

The checksum finds accidents, not intent: the reader compares every size that the header gives with the bytes that are
there before it makes anything of that size.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from quantunet import graph_file, storage
from quantunet.accumulator import bits_for
from quantunet.documents import Fields, parse_json
from quantunet.errors import FileFormatError, ModelError, StorageError
from quantunet.ir import Graph, IntArray, MatrixNode

MAGIC = b"QUNPACK1"
SUFFIX = ".qun"
MAX_HEADER = 1 << 23
"""The most bytes of a header before compression. A layer with its tensor takes about 350: this is for 20,000 layers."""

_U32 = struct.Struct("<I")
_MAX_BITS = 64


def pack_integers(values: NDArray[np.int64], bits: int) -> bytes:
    """Pack integers to ``bits`` each, two's complement, least significant bit first.

    >>> pack_integers(np.array([1, -1, 0, -2]), 2).hex()
    '8d'
    """
    flat = values.reshape(-1)
    planes = np.empty((flat.size, bits), np.uint8)
    for bit in range(bits):
        planes[:, bit] = (flat >> bit) & 1
    return np.packbits(planes.reshape(-1), bitorder="little").tobytes()


def unpack_integers(data: bytes | memoryview, bits: int, count: int) -> NDArray[np.int64]:
    """Undo :func:`pack_integers`.

    >>> unpack_integers(bytes.fromhex("8d"), 2, 4).tolist()
    [1, -1, 0, -2]
    """
    planes = np.unpackbits(np.frombuffer(data, np.uint8), count=bits * count, bitorder="little").reshape(count, bits)
    flat = np.zeros(count, np.int64)
    for bit in range(bits):
        weight = 1 << bit if bit < bits - 1 else -(1 << bit)
        flat += weight * planes[:, bit].astype(np.int64)
    return flat


def pack(graph: Graph) -> bytes:
    """Return the packed file of a graph; :func:`unpack` gives back an equal graph.

    Raises:
        ModelError: The graph is larger than such a file may be.
    """
    document = graph_file.to_document(graph)
    arrays = []
    for entry, node in zip(document["nodes"], graph.nodes, strict=True):
        for key, values in entry.items():
            if isinstance(values, IntArray):
                bits = bits_for(int(values.array.min()), int(values.array.max()))
                if key == "weight" and isinstance(node, MatrixNode):
                    bits = node.weight_type.bits
                entry[key] = {"shape": list(values.shape), "bits": bits}
                arrays.append(pack_integers(values.array, bits))
    text = json.dumps(document, separators=(",", ":")).encode()
    if len(text) > MAX_HEADER:
        raise ModelError(graph.name, expected=f"a header of at most {MAX_HEADER} bytes", got=f"{len(text)} bytes")
    header = zlib.compress(text, 9)
    body = MAGIC + _U32.pack(len(header)) + header + b"".join(arrays)
    return body + _U32.pack(zlib.crc32(body))


def unpack(data: bytes, source: str = "packed network") -> Graph:
    """Read a packed file and check its graph.

    Args:
        data: The whole file.
        source: Its name, for the error message.

    Raises:
        FileFormatError: It is no packed network, is cut short, has a flipped bit, or a header that is not true.
        ModelError: The graph is not legal.
    """
    body, end = memoryview(data)[:-4], data[-4:]
    start = len(MAGIC) + _U32.size
    if not data.startswith(MAGIC) or len(body) < start or _U32.unpack(end)[0] != zlib.crc32(body):
        _refuse(source, f"a packed network ({MAGIC.decode()}) with its checksum", f"{len(data)} bytes without them")
    length = _U32.unpack_from(body, len(MAGIC))[0]
    at = start + length
    if at > len(body):
        _refuse(source, f"a header of {length} bytes", f"{len(body) - start} bytes")
    document = parse_json(_header(body[start:at], source), source, "the header of a packed network")

    def array(table: Fields, shape: tuple[int, ...]) -> IntArray:
        nonlocal at
        bits, count = table.whole("bits", 1, _MAX_BITS), math.prod(shape)
        size = -(-count * bits // 8)
        if at + size > len(body):
            _refuse(source, f"{count} integers of {bits} bits in {size} bytes", f"{len(body) - at} bytes")
        values = unpack_integers(body[at : at + size], bits, count)
        if body[at + size - 1] >> (8 - (-count * bits) % 8):
            _refuse(source, "zeros behind the last integer of an array", "other bits")
        at += size
        return IntArray.of(values.reshape(shape))

    graph = graph_file.from_document(document, source, array)
    if at != len(body):
        _refuse(source, "the checksum behind the last array", f"{len(body) - at} more bytes")
    return graph


def _header(data: memoryview, source: str) -> str:
    """Decompress a header; one byte more than the limit is all that is ever unpacked."""
    stream = zlib.decompressobj()
    try:
        header = stream.decompress(data, MAX_HEADER + 1)
    except zlib.error as error:
        _refuse(source, "a compressed header", str(error))
    if len(header) > MAX_HEADER:
        _refuse(source, f"a header of at most {MAX_HEADER} bytes", "more")
    if not stream.eof or stream.unused_data:
        _refuse(source, "a compressed header", "another number of bytes")
    try:
        return header.decode()
    except UnicodeDecodeError as error:
        _refuse(source, "a header in UTF-8", str(error))


def _refuse(source: str, expected: str, got: str) -> NoReturn:
    raise FileFormatError(source, expected=expected, got=got, hint="Pack it again with `quantunet pack`.")


def read(path: Path) -> Graph:
    """Read a packed file.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
    return unpack(data, str(path))


def write(graph: Graph, path: Path) -> int:
    """Write a packed file and return its length in bytes.

    Raises:
        StorageError: It cannot be written.
    """
    data = pack(graph)
    storage.write_bytes(path, data)
    return len(data)
