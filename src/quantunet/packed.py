"""Packed networks: one file with every weight and bias at its bit-width, as a device would keep them.

Layout: ``QUNPACK1``, the length of the header (uint32, little-endian), the header (the graph's JSON, compressed), the
arrays one after the other, each from a whole byte on, and the CRC-32 of all that (uint32, little-endian). An array of
``bits`` holds its integers in C order, two's complement, least significant bit first.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet import storage
from quantunet.accumulator import bits_for
from quantunet.errors import FileFormatError, StorageError
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, IntArray

MAGIC = b"QUNPACK1"
SUFFIX = ".qun"
_U32 = struct.Struct("<I")


def pack_integers(values: NDArray[np.int64], bits: int) -> bytes:
    """Pack integers to ``bits`` each, two's complement, least significant bit first.

    >>> pack_integers(np.array([1, -1, 0, -2]), 2).hex()
    '8d'
    """
    flat = values.reshape(-1).astype(np.int32)
    planes = np.empty((flat.size, bits), np.uint8)
    for bit in range(bits):
        planes[:, bit] = (flat >> bit) & 1
    return np.packbits(planes.reshape(-1), bitorder="little").tobytes()


def unpack_integers(data: bytes, bits: int, count: int) -> NDArray[np.int64]:
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
    """Return the packed file of a graph; :func:`unpack` gives back an equal graph."""
    document = json.loads(graph.to_json())
    arrays = []
    for entry, node in zip(document["nodes"], graph.nodes, strict=True):
        for key in _arrays(entry):
            values: IntArray = getattr(node, key)
            low, high = int(values.array.min()), int(values.array.max())
            bits = bits_for(low, high)
            if key == "weight" and isinstance(node, Conv2d | ConvTranspose2d):
                bits = node.weight_type.bits
            entry[key] = {"shape": list(values.shape), "bits": bits}
            arrays.append(pack_integers(values.array, bits))
    header = zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 9)
    body = MAGIC + _U32.pack(len(header)) + header + b"".join(arrays)
    return body + _U32.pack(zlib.crc32(body))


def unpack(data: bytes, source: str = "packed network") -> Graph:
    """Read a packed file and check its graph.

    Args:
        data: The whole file.
        source: Its name, for the error message.

    Raises:
        FileFormatError: It is no packed network, is cut short, or has a flipped bit.
        ModelError: The graph is not legal.
    """
    body, end = data[:-4], data[-4:]
    if not data.startswith(MAGIC) or len(end) < 4 or _U32.unpack(end)[0] != zlib.crc32(body):
        raise FileFormatError(
            source,
            expected=f"a packed network ({MAGIC.decode()}) with its checksum",
            got=f"{len(data)} bytes without them",
            hint="Pack it again with `quantunet pack`.",
        )
    start = len(MAGIC) + _U32.size
    at = start + _U32.unpack_from(body, len(MAGIC))[0]
    document: dict[str, Any] = json.loads(zlib.decompress(body[start:at]))
    for entry in document["nodes"]:
        for key in _arrays(entry):
            shape, bits = entry[key]["shape"], entry[key]["bits"]
            size = -(-math.prod(shape) * bits // 8)
            values = unpack_integers(body[at : at + size], bits, math.prod(shape))
            entry[key] = IntArray.of(values.reshape(shape)).encoded()
            at += size
    return Graph.from_json(json.dumps(document), source)


def _arrays(entry: dict[str, Any]) -> Iterator[str]:
    """The fields of a node's JSON that are arrays, in their order."""
    return (key for key, value in list(entry.items()) if isinstance(value, dict) and "shape" in value)


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
