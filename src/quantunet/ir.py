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
from quantunet.ops import table
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
class Node:
    """One op of the network: reads tensors and writes one. Every op is a class of its own.

    Attributes:
        name: The layer's name.
        inputs: Names of the tensors that it reads.
        output: Name of the tensor that it writes.
    """

    op: ClassVar[str]
    """The stem of the op: its name in every table and its file's name in every room."""

    arity: ClassVar[int] = 1
    """How many tensors it reads."""

    is_probability: ClassVar[bool] = False
    """Whether the output is a probability that is at least 1/2 exactly where the input is not negative."""

    name: str
    inputs: tuple[str, ...]
    output: str

    @property
    def weight_bits(self) -> int:
        """Width of a weight; 0 where there is none."""
        return 0

    def macs(self, source: Shape, target: Shape) -> int:
        """Return the multiplications for one frame, from the shapes of the first input and of the output."""
        return 0


@dataclass(frozen=True)
class MatrixNode(Node):
    """An op that multiplies by weights, adds a bias and requantises: ``requantise(sum x * weight + bias)``.

    Attributes:
        weight: ``(kernel height, kernel width, channels_in, channels_out)`` in ``weight_type``.
        weight_type: The weights' type.
        bias: ``(channels_out,)`` at ``frac = weight_type.frac + input.frac``.
    """

    sum_axes: ClassVar[tuple[int, ...]]
    """Axes of the weights that meet in one accumulator."""

    weight: IntArray
    weight_type: QType
    bias: IntArray

    @property
    def weight_bits(self) -> int:
        """Width of a weight."""
        return self.weight_type.bits

    @property
    def terms(self) -> int:
        """Products in one accumulator."""
        return math.prod(self.weight.shape[axis] for axis in self.sum_axes)

    def macs(self, source: Shape, target: Shape) -> int:
        """Return the multiplications for one frame: one for each product of each output value."""
        return math.prod(target) * self.terms


@dataclass(frozen=True)
class Conv2d(MatrixNode):
    """Same-padded convolution with stride 1, kernel 3x3 or 1x1, bias and requantisation.

    ``y[h, w, co] = requantise(sum x[h + dy - k//2, w + dx - k//2, ci] * weight[dy, dx, ci, co] + bias[co])``. Padding
    is the integer 0. The rectifier is an unsigned output type.
    """

    op: ClassVar[str] = "conv2d"
    sum_axes: ClassVar[tuple[int, ...]] = (0, 1, 2)


@dataclass(frozen=True)
class ConvTranspose2d(MatrixNode):
    """Transpose convolution, kernel 2x2, stride 2, with bias and requantisation.

    ``y[2h + dy, 2w + dx, co] = requantise(sum x[h, w, ci] * weight[dy, dx, ci, co] + bias[co])``.
    """

    op: ClassVar[str] = "conv_transpose2d"
    sum_axes: ClassVar[tuple[int, ...]] = (2,)


@dataclass(frozen=True)
class MaxPool2d(Node):
    """Maximum over non-overlapping 2x2 windows; the type does not change."""

    op: ClassVar[str] = "maxpool2d"


@dataclass(frozen=True)
class Requant(Node):
    """Requantisation from the input's type to the output's type."""

    op: ClassVar[str] = "requant"


@dataclass(frozen=True)
class Concat(Node):
    """Concatenation along the channels: first the skip leg, then the up leg, both of one type."""

    op: ClassVar[str] = "concat"
    arity: ClassVar[int] = 2


@dataclass(frozen=True)
class Add(Node):
    """Sum of two tensors of one shape, requantised: ``y = requantise(a + b)``, where ``a + b`` is exact.

    The scales of both and of the output may differ. Where the output's scale is at least as fine as both inputs', each
    is brought to it exactly and the sum saturates.
    """

    op: ClassVar[str] = "add"
    arity: ClassVar[int] = 2


@dataclass(frozen=True)
class Sigmoid(Node):
    """A table over the whole range of the input.

    Attributes:
        table: ``(2**bits,)``; the entry of the integer ``q`` is ``table[q - qmin]``.
    """

    op: ClassVar[str] = "sigmoid"
    is_probability: ClassVar[bool] = True

    table: IntArray


NODE_TYPES: Mapping[str, type[Any]] = table(
    "quantunet.ir.NODE_TYPES",
    {kind.op: kind for kind in (Conv2d, ConvTranspose2d, MaxPool2d, Requant, Concat, Add, Sigmoid)},
)


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
        """The tensor whose sign is the mask: the input of the op that makes probabilities of it, or else the output."""
        last = self._producers[self.output]
        return self.input_of(last) if last.is_probability else self.tensor(self.output)

    @property
    def gives_probabilities(self) -> bool:
        """Whether the output is probabilities, and not the logits themselves."""
        return self._producers[self.output].is_probability

    def layer(self, name: str) -> Graph:
        """Return the graph of one layer alone; its inputs are the layer's inputs."""
        node = self.node(name)
        tensors = tuple(self.tensor(tensor) for tensor in dict.fromkeys((*node.inputs, node.output)))
        return Graph(name, node.inputs, node.output, tensors, (node,))
