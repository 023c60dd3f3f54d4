"""The integer graph: frozen values that say exactly what the hardware computes.

Every room starts from this graph and from nothing else. A tensor holds integers ``q`` in ``(height, width, channels)``
order; its :class:`QType` gives the real value ``q * 2**-frac``. Graphs are compared with ``==``, survive a JSON round
trip unchanged (:mod:`quantunet.graph_file`), and are checked by :func:`quantunet.graph_check.check`.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from quantunet.errors import ModelError
from quantunet.pixels import Pixels

Array = npt.NDArray[np.int64]
Shape = tuple[int, int, int]

MIN_BITS = 1
MAX_BITS = 16
"""Bit-widths of tensors and weights that a graph may hold."""

MAX_ACCUMULATOR_BITS = 48
"""Accumulators wider than this are refused: float64 and the RTL's helper integers would no longer be exact."""

MAX_TENSOR_VALUES = 1 << 26
"""Values of one tensor, or weights of one layer: 8192 x 8192 pixels. A larger one is a damaged file."""

MAX_FRAC = 256
"""Most fractional bits, and most negative ones, of a type: scales beyond do not come from a training."""

FORMAT = "quantunet-graph-1"


@dataclass(frozen=True)
class QType:
    """An integer type with a power-of-two scale.

    Attributes:
        bits: Width, including the sign bit.
        signed: Two's complement if true.
        frac: Fractional bits; the value of the integer ``q`` is ``q * 2**-frac``. May be negative.
    """

    bits: int
    signed: bool
    frac: int

    @property
    def qmin(self) -> int:
        """The smallest integer of the type."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def qmax(self) -> int:
        """The largest integer of the type."""
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @property
    def scale(self) -> float:
        """The real value of the integer 1."""
        return math.ldexp(1.0, -self.frac)

    def __str__(self) -> str:
        return f"{'s' if self.signed else 'u'}{self.bits}.{self.frac}"


INPUT_TYPE = QType(bits=8, signed=False, frac=8)
"""The sensor's byte, read as a value in [0, 1)."""

PROBABILITY_TYPE = QType(bits=8, signed=False, frac=8)
"""The output of the sigmoid table."""


@dataclass(frozen=True)
class IntArray:
    """An immutable int64 array that can be compared and hashed.

    Attributes:
        shape: The array's shape.
        data: The values, little-endian int64 in C order.
    """

    shape: tuple[int, ...]
    data: bytes = dataclasses.field(repr=False)

    @classmethod
    def of(cls, values: npt.ArrayLike) -> IntArray:
        """Copy integers into an immutable array.

        Args:
            values: Integers of any shape.

        Raises:
            TypeError: The values are not integers.
        """
        array = np.asarray(values)
        if array.dtype.kind not in "iub":
            message = f"an IntArray holds integers, not {array.dtype}"
            raise TypeError(message)
        return cls(tuple(array.shape), array.astype("<i8").tobytes())

    @cached_property
    def array(self) -> Array:
        """The values as a read-only int64 array."""
        return np.frombuffer(self.data, dtype="<i8").reshape(self.shape)

    def encoded(self) -> dict[str, object]:
        """The array in a graph's JSON."""
        compressed = zlib.compress(self.data, 1)  # level 6: a third less, six times slower
        return {"shape": list(self.shape), "zlib_int64": base64.b64encode(compressed).decode()}


@dataclass(frozen=True)
class Tensor:
    """A named tensor of one image, ``(height, width, channels)``."""

    name: str
    shape: Shape
    qtype: QType


@dataclass(frozen=True)
class Conv2d:
    """Same-padded convolution with stride 1, kernel 3x3 or 1x1, bias and requantisation.

    ``y[h, w, co] = requantise(sum x[h + dy - k//2, w + dx - k//2, ci] * weight[dy, dx, ci, co] + bias[co])``. Padding
    is the integer 0. The rectifier is an unsigned output type.

    Attributes:
        weight: ``(k, k, channels_in, channels_out)`` in ``weight_type``.
        bias: ``(channels_out,)`` at ``frac = weight_type.frac + input.frac``.
    """

    op: ClassVar[str] = "conv2d"
    name: str
    inputs: tuple[str]
    output: str
    weight: IntArray
    weight_type: QType
    bias: IntArray


@dataclass(frozen=True)
class ConvTranspose2d:
    """Transpose convolution, kernel 2x2, stride 2, with bias and requantisation.

    ``y[2h + dy, 2w + dx, co] = requantise(sum x[h, w, ci] * weight[dy, dx, ci, co] + bias[co])``.

    Attributes:
        weight: ``(2, 2, channels_in, channels_out)`` in ``weight_type``.
        bias: ``(channels_out,)`` at ``frac = weight_type.frac + input.frac``.
    """

    op: ClassVar[str] = "conv_transpose2d"
    name: str
    inputs: tuple[str]
    output: str
    weight: IntArray
    weight_type: QType
    bias: IntArray


@dataclass(frozen=True)
class MaxPool2d:
    """Maximum over non-overlapping 2x2 windows; the type does not change."""

    op: ClassVar[str] = "maxpool2d"
    name: str
    inputs: tuple[str]
    output: str


@dataclass(frozen=True)
class Requant:
    """Requantisation from the input's type to the output's type."""

    op: ClassVar[str] = "requant"
    name: str
    inputs: tuple[str]
    output: str


@dataclass(frozen=True)
class Concat:
    """Concatenation along the channels: first the skip leg, then the up leg, both of one type."""

    op: ClassVar[str] = "concat"
    name: str
    inputs: tuple[str, str]
    output: str


@dataclass(frozen=True)
class Sigmoid:
    """A table over the whole range of the input.

    Attributes:
        table: ``(2**bits,)``; the entry of the integer ``q`` is ``table[q - qmin]``.
    """

    op: ClassVar[str] = "sigmoid"
    name: str
    inputs: tuple[str]
    output: str
    table: IntArray


Node = Conv2d | ConvTranspose2d | MaxPool2d | Requant | Concat | Sigmoid
MatrixNode = Conv2d | ConvTranspose2d
NODE_TYPES: dict[str, type[Any]] = {
    kind.op: kind for kind in (Conv2d, ConvTranspose2d, MaxPool2d, Requant, Concat, Sigmoid)
}


@dataclass(frozen=True)
class Graph:
    """A network: tensors and the nodes that make them, in topological order.

    Attributes:
        name: The network's name, a valid identifier.
        inputs: Names of the input tensors; a network has one, a single concatenation two.
        output: Name of the output tensor.
        tensors: Every tensor, each once.
        nodes: Every node, each after the nodes that it reads.
        pixels: What the byte of a picture means to the network.
    """

    name: str
    inputs: tuple[str, ...]
    output: str
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    pixels: Pixels = Pixels()

    @cached_property
    def _tensors(self) -> Mapping[str, Tensor]:
        return {tensor.name: tensor for tensor in self.tensors}

    @cached_property
    def _nodes(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def _producers(self) -> Mapping[str, Node]:
        return {node.output: node for node in self.nodes}

    @cached_property
    def _readers(self) -> Mapping[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    def tensor(self, name: str) -> Tensor:
        """Return the tensor of that name.

        Raises:
            ModelError: There is none.
        """
        try:
            return self._tensors[name]
        except KeyError:
            raise ModelError(
                self.name, expected="a tensor of the graph", got=f"'{name}'", hint="The graph is damaged."
            ) from None

    def node(self, name: str) -> Node:
        """Return the node of that name.

        Raises:
            ModelError: There is none; the message lists the names.
        """
        try:
            return self._nodes[name]
        except KeyError:
            names = ", ".join(self._nodes)
            raise ModelError(
                self.name, expected="the name of a layer", got=f"'{name}'", hint=f"The layers are: {names}."
            ) from None

    def producer(self, tensor: str) -> Node | None:
        """Return the node that writes a tensor; ``None`` for the network's input."""
        return self._producers.get(tensor)

    def consumers(self, tensor: str) -> tuple[Node, ...]:
        """Return the nodes that read a tensor, in order."""
        return self._readers.get(tensor, ())

    def input_of(self, node: Node, index: int = 0) -> Tensor:
        """Return a node's input tensor."""
        return self.tensor(node.inputs[index])

    def output_of(self, node: Node) -> Tensor:
        """Return a node's output tensor."""
        return self.tensor(node.output)

    @property
    def input(self) -> str:
        """Name of the input tensor of a network with one input.

        Raises:
            ModelError: The graph has another number of inputs.
        """
        if len(self.inputs) != 1:
            raise ModelError(self.name, expected="one input", got=", ".join(self.inputs))
        return self.inputs[0]

    @property
    def logits(self) -> Tensor:
        """The tensor whose sign is the mask: the sigmoid's input, or the output where there is no sigmoid."""
        last = self.producer(self.output)
        return self.input_of(last) if isinstance(last, Sigmoid) else self.tensor(self.output)

    def layer(self, name: str) -> Graph:
        """Return the graph of one layer alone; its inputs are the layer's inputs."""
        node = self.node(name)
        tensors = tuple(self.tensor(tensor) for tensor in dict.fromkeys((*node.inputs, node.output)))
        return Graph(name, node.inputs, node.output, tensors, (node,))
