"""Random integer networks with the structure of the trained ones, for tests and benchmarks that need no training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantunet.accumulator import product_type
from quantunet.graph_check import check
from quantunet.ir import (
    INPUT_TYPE,
    PROBABILITY_TYPE,
    Add,
    Argmax,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Graph,
    IntArray,
    Lookup,
    Maximum,
    MaxPool2d,
    Multiply,
    Node,
    QType,
    Requant,
    Tensor,
)
from quantunet.sigmoid_table import sigmoid_table


class GraphBuilder:
    """Adds layers with random weights one by one; the output's scale is set so that its values are not trivial."""

    def __init__(self, name: str, height: int, width: int, channels: int, input_type: QType, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.name = name
        self.tensors = [Tensor("image", (height, width, channels), input_type)]
        self.nodes: list[Node] = []

    def _tensor(self, name: str) -> Tensor:
        return next(tensor for tensor in self.tensors if tensor.name == name)

    def _add(self, node: Node, shape: tuple[int, int, int], qtype: QType) -> str:
        self.tensors.append(Tensor(node.output, shape, qtype))
        self.nodes.append(node)
        return node.output

    def _weights(self, shape: tuple[int, ...], bits: int) -> IntArray:
        limit = (1 << (bits - 1)) - 1
        return IntArray.of(self.rng.integers(-limit, limit + 1, size=shape))

    def matrix(
        self, kind: type[Conv2d] | type[ConvTranspose2d], name: str, source: str, channels: int, kernel: int,
        bits_w: int, output: QType,
    ) -> str:  # fmt: skip
        """Add a convolution. The weights' scale is set so that the output uses its range without clipping much."""
        x = self._tensor(source)
        weight = self._weights((kernel, kernel, x.shape[2], channels), bits_w)
        terms = x.shape[2] * (kernel * kernel if kind is Conv2d else 1)
        deviation = float(np.std(weight.array)) * x.qtype.qmax / 2 * terms**0.5 + 1
        # Unsigned inputs have a positive mean; the bias takes its share away, so that outputs of both signs appear.
        mean = 0 if x.qtype.signed else x.qtype.qmax / 5
        axes = (0, 1, 2) if kind is Conv2d else (2,)
        centre = np.rint(-mean * weight.array.sum(axis=axes).reshape(-1, channels).mean(axis=0)).astype(np.int64)
        bias = IntArray.of(centre + self.rng.integers(-int(deviation) - 1, int(deviation) + 2, size=channels))
        shift = int(np.round(np.log2(deviation * 2 / max(output.qmax, 1))))
        weight_type = QType(bits_w, True, output.frac + shift - x.qtype.frac)
        scale = 1 if kind is Conv2d else 2
        shape = (x.shape[0] * scale, x.shape[1] * scale, channels)
        return self._add(kind(name, (source,), f"{name}_out", weight, weight_type, bias), shape, output)

    def maxpool2d(self, name: str, source: str) -> str:
        """Add a 2x2 pooling."""
        height, width, channels = self._tensor(source).shape
        shape = (height // 2, width // 2, channels)
        return self._add(MaxPool2d(name, (source,), f"{name}_out"), shape, self._tensor(source).qtype)

    def requant(self, name: str, source: str, qtype: QType) -> str:
        """Add a requantisation to exactly ``qtype``."""
        return self._add(Requant(name, (source,), f"{name}_out"), self._tensor(source).shape, qtype)

    def concat(self, name: str, skip: str, up: str) -> str:
        """Add a concatenation."""
        first, second = self._tensor(skip), self._tensor(up)
        shape = (*first.shape[:2], first.shape[2] + second.shape[2])
        return self._add(Concat(name, (skip, up), f"{name}_out"), shape, first.qtype)

    def add(self, name: str, first: str, second: str, qtype: QType) -> str:
        """Add a sum of two tensors, requantised to ``qtype``."""
        return self._add(Add(name, (first, second), f"{name}_out"), self._tensor(first).shape, qtype)

    def maximum(self, name: str, first: str, second: str) -> str:
        """Add the greater of two tensors."""
        x = self._tensor(first)
        return self._add(Maximum(name, (first, second), f"{name}_out"), x.shape, x.qtype)

    def multiply(self, name: str, first: str, second: str) -> str:
        """Add the exact product of two tensors; the second may be a gate."""
        x, y = self._tensor(first), self._tensor(second)
        return self._add(Multiply(name, (first, second), f"{name}_out"), x.shape, product_type(x.qtype, y.qtype))

    def argmax(self, name: str, source: str) -> str:
        """Add the channel of the greatest value."""
        height, width, channels = self._tensor(source).shape
        qtype = QType((channels - 1).bit_length(), False, 0)
        return self._add(Argmax(name, (source,), f"{name}_out"), (height, width, 1), qtype)

    def lookup(self, name: str, source: str, table: IntArray, qtype: QType) -> str:
        """Add a table whose entries are of ``qtype``."""
        return self._add(
            Lookup(name, (source,), f"{name}_out", table, probability=False), self._tensor(source).shape, qtype
        )

    def sigmoid(self, name: str, source: str) -> str:
        """Add a sigmoid table."""
        x = self._tensor(source)
        table = sigmoid_table(x.qtype, PROBABILITY_TYPE)
        node = Lookup(name, (source,), f"{name}_out", table)
        return self._add(node, x.shape, PROBABILITY_TYPE)

    def build(self, inputs: Sequence[str] = ("image",)) -> Graph:
        """Return the checked graph; the last node writes the output."""
        return check(Graph(self.name, tuple(inputs), self.nodes[-1].output, tuple(self.tensors), tuple(self.nodes)))


def random_unet(base: int = 4, depth: int = 2, size: int = 32, seed: int = 0, name: str = "random_unet") -> Graph:
    """Return a U-Net with random weights and widths of 2 to 8 bits, differing between layers."""
    builder = GraphBuilder(name, size, size, 1, INPUT_TYPE, seed)
    rng = np.random.default_rng(seed + 1)

    def bits() -> int:
        return int(rng.integers(2, 9))

    def unsigned() -> QType:
        width = bits()
        return QType(width, False, width - 1)

    def signed() -> QType:
        width = bits()
        return QType(width, True, width - 2)

    def conv(name: str, source: str, channels: int) -> str:
        return builder.matrix(Conv2d, name, source, channels, 3, bits(), unsigned())

    x = "image"
    skips: list[str] = []
    for level in range(depth):
        x = conv(f"enc{level}_conv0", x, base << level)
        x = conv(f"enc{level}_conv1", x, base << level)
        skips.append(x)
        x = builder.maxpool2d(f"pool{level}", x)
    x = conv("bottleneck_conv0", x, base << depth)
    x = conv("bottleneck_conv1", x, base << depth)
    for level in reversed(range(depth)):
        up = builder.matrix(ConvTranspose2d, f"up{level}", x, base << level, 2, bits(), signed())
        skip = builder.requant(f"skip{level}_requant", skips[level], builder._tensor(up).qtype)
        x = builder.concat(f"concat{level}", skip, up)
        x = conv(f"dec{level}_conv0", x, base << level)
        x = conv(f"dec{level}_conv1", x, base << level)
    logits = builder.matrix(Conv2d, "head", x, 1, 1, bits(), QType(6, True, 3))
    builder.sigmoid("sigmoid", logits)
    return builder.build()


def random_image(graph: Graph, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return a smooth random image with noise in the input's whole range."""
    tensor = graph.tensor(graph.input)
    rng = np.random.default_rng(seed)
    height, width, channels = tensor.shape
    rows = np.linspace(0, 3, height)[:, None, None] + np.linspace(0, 4, width)[None, :, None]
    wave = (np.sin(rows + rng.uniform(0, 6, size=channels)) + 1) / 2
    values = wave * 0.7 + rng.uniform(0, 0.3, size=tensor.shape)
    span = tensor.qtype.qmax - tensor.qtype.qmin
    codes: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = np.rint(values * span).astype(np.int64) + tensor.qtype.qmin
    return codes.clip(tensor.qtype.qmin, tensor.qtype.qmax)
