"""What a board and its host send each other about a network: pictures as bytes, results as bytes, what each means.

The host sends the codes of the input, in raster order, channels innermost, each in the fewest whole bytes, the least
significant first. A network of one channel answers with its mask, eight pixels a byte, the first lowest; one of several
channels, or of classes, answers with the values of its output, each in the fewest whole bytes. The board knows no more
of a network than its numbers of bytes and a digest.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from quantunet.errors import ModelError
from quantunet.ir import Array, Graph, QType
from quantunet.pixels import Pixels
from quantunet.provenance import graph_digest

DIGEST_BYTES = 8


@dataclass(frozen=True)
class MaskRule:
    """Which values of the output are foreground.

    Attributes:
        least: The least of them; or
        below: the greatest, where this is set.
    """

    least: int
    below: bool = False


def network_digest(graph: Graph) -> bytes:
    """Return the first bytes of the digest of what a network computes of its codes; what a byte means is the host's."""
    digest = graph_digest(dataclasses.replace(graph, pixels=Pixels()))
    return bytes.fromhex(digest)[:DIGEST_BYTES]


def mask_rule(graph: Graph) -> MaskRule | None:
    """Return how a board makes a mask of a network's output; ``None`` where it sends values.

    Raises:
        ModelError: The mask does not depend on the output's value.
    """
    qtype, channels = graph.tensor(graph.output).qtype, graph.tensor(graph.output).shape[2]
    if channels != 1 or graph.gives_classes:
        return None
    if graph.gives_mask:
        return MaskRule(1)
    if graph.gives_probabilities:
        return MaskRule(qtype.half)
    if graph.reading is None:
        return MaskRule(0)
    (gain,), (offset,) = graph.reading.whole()
    if gain == 0:
        raise ModelError(graph.name, expected="an output whose value decides the mask", got="a gain of 0")
    # gain * q + offset >= 0
    return MaskRule(-(offset // gain)) if gain > 0 else MaskRule(offset // -gain, below=True)


def value_bytes(bits: int) -> int:
    """Return the bytes in which a value of some bits is sent.

    >>> [value_bytes(bits) for bits in (1, 8, 9)]
    [1, 1, 2]
    """
    return -(-bits // 8)


def picture_bytes(graph: Graph) -> int:
    """Return the bytes of a picture."""
    tensor = graph.tensor(graph.input)
    return math.prod(tensor.shape) * value_bytes(tensor.qtype.bits)


def result_bytes(graph: Graph) -> int:
    """Return the bytes of a result."""
    tensor = graph.tensor(graph.output)
    return (
        -(-math.prod(tensor.shape) // 8)
        if mask_rule(graph)
        else math.prod(tensor.shape) * value_bytes(tensor.qtype.bits)
    )


def encode_values(values: Array, qtype: QType) -> bytes:
    """Return values as they are sent; the bits beyond a value's repeat its sign.

    >>> encode_values(np.array([1, -2]), QType(12, signed=True, frac=0)).hex()
    '0100feff'
    """
    size = value_bytes(qtype.bits)
    raw = np.ascontiguousarray(values, dtype="<i8").reshape(-1, 1).view(np.uint8)
    return raw[:, :size].tobytes()


def decode_values(data: bytes, qtype: QType) -> Array:
    """Return the values that were sent, int64 of one dimension; the inverse of :func:`encode_values`."""
    size = value_bytes(qtype.bits)
    raw = np.frombuffer(data, dtype=np.uint8).reshape(-1, size).astype(np.int64)
    values = raw @ (np.int64(1) << (8 * np.arange(size, dtype=np.int64)))
    if qtype.signed:
        values = values - ((values >> (8 * size - 1)) << (8 * size))
    return np.asarray(values)


def decode_result(graph: Graph, data: bytes) -> Array:
    """Return a result as integers of the output's shape: 1 and 0 of a mask, or the output's values.

    Raises:
        ModelError: There are more or fewer bytes than a result has.
    """
    shape, qtype = graph.tensor(graph.output).shape, graph.tensor(graph.output).qtype
    if len(data) != result_bytes(graph):
        raise ModelError(graph.name, expected=f"a result of {result_bytes(graph)} bytes", got=f"{len(data)}")
    if mask_rule(graph) is None:
        return decode_values(data, qtype).reshape(shape)
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), bitorder="little", count=math.prod(shape))
    return bits.reshape(shape).astype(np.int64)


def encode_mask(mask: Array) -> bytes:
    """Return a mask of 0 and 1 as a board sends it."""
    return np.packbits(mask.reshape(-1).astype(bool), bitorder="little").tobytes()
