"""U-Nets of any width with random weights, in the structure and the types of a trained one.

For measuring what no trained file is at hand for: the weights are random integers in the ranges of the widths that the
trained network has learned, layer by layer, and the scales are set by integer inference so that every layer's output
is as lively as a trained one's. The result segments nothing; its name says so.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Mapping

import numpy as np

from quantunet.accumulator import accumulator
from quantunet.errors import ModelError
from quantunet.golden.inference import check_image, evaluate
from quantunet.graph_check import check
from quantunet.ir import (
    MAX_BITS,
    Array,
    Conv2d,
    ConvTranspose2d,
    Graph,
    IntArray,
    MatrixNode,
    Node,
    QType,
    Shape,
    Tensor,
)
from quantunet.model.config import LayerShape, UNetConfig

logger = logging.getLogger(__name__)

NAME_SUFFIX = "_random_weights"
"""What the name of such a network ends in, wherever it is reported."""

_UNCLIPPED = 0.99
"""The share of a layer's values that its output type shall hold without saturation."""

_SAMPLE = 1024
"""Pixels of a layer that its scale is set on."""


def untrained_unet(name: str, config: UNetConfig, pattern: Graph, image: Array, seed: int = 0) -> Graph:
    """Return a U-Net of another width with random weights.

    Nodes, their order, and the types of all tensors are those of the pattern; so are the weights' widths. The shapes
    follow the configuration.

    Args:
        name: The network's name; :data:`NAME_SUFFIX` is added.
        config: Its shape; its layers must have the names of the pattern's.
        pattern: A trained network.
        image: Integers ``(size, size)``: what the scales are set on.
        seed: Of the weights.

    Returns:
        The checked graph.

    Raises:
        ModelError: The pattern has other layers than the configuration.
        ImageError: The image does not fit the network.
    """
    shapes = {shape.name: shape for shape in config.conv_layers()}
    found = [node.name for node in pattern.nodes if isinstance(node, Conv2d | ConvTranspose2d)]
    if found != list(shapes):
        raise ModelError(
            pattern.name,
            expected=f"the layers {', '.join(shapes)}",
            got=", ".join(found),
            hint="Take a trained network of the same depth.",
        )
    first = Tensor(pattern.input, (config.size, config.size, config.in_channels), pattern.tensor(pattern.input).qtype)
    grown = _Grown(pattern, shapes, first, check_image(image, first), seed)
    for node in pattern.nodes:
        grown.add(node)
    tensors, nodes = tuple(grown.tensors.values()), tuple(grown.nodes)
    graph = Graph(name + NAME_SUFFIX, pattern.inputs, pattern.output, tensors, nodes, pattern.pixels)
    logger.warning("%s: the weights are random integers, not trained: the masks mean nothing", graph.name)
    return check(graph)


class _Grown:
    """The tensors and nodes so far, with the values that the image gives them."""

    def __init__(
        self, pattern: Graph, shapes: Mapping[str, LayerShape], first: Tensor, image: Array, seed: int
    ) -> None:
        self.pattern = pattern
        self.shapes = shapes
        self.rng = np.random.default_rng(seed)
        self.tensors = {first.name: first}
        self.values = {first.name: image}
        self.nodes: list[Node] = []

    def add(self, node: Node) -> None:
        """Add the counterpart of a node of the pattern, and its output."""
        target = self.pattern.output_of(node)
        if isinstance(node, Conv2d | ConvTranspose2d):
            node = self._calibrated(self._drawn(node), target.qtype)
        self.tensors[node.output] = dataclasses.replace(target, shape=self._shape(node))
        self.nodes.append(node)
        self.values[node.output] = self._evaluate(node, self.tensors[node.output])
        for name in node.inputs:
            if all(name not in later.inputs for later in self.pattern.nodes[len(self.nodes) :]):
                self.values.pop(name, None)

    def _shape(self, node: Node) -> Shape:
        """Return the shape of a node's output: scaled as in the pattern, with the channels of weights or inputs."""
        height, width, _ = self.tensors[node.inputs[0]].shape
        before, after = self.pattern.input_of(node).shape, self.pattern.output_of(node).shape
        channels = sum(self.tensors[name].shape[2] for name in node.inputs)
        if isinstance(node, Conv2d | ConvTranspose2d):
            channels = node.weight.shape[3]
        return height * after[0] // before[0], width * after[1] // before[1], channels

    def _alone(self, node: Node, output: Tensor) -> Graph:
        tensors = (*(self.tensors[name] for name in node.inputs), output)
        return Graph(node.name, node.inputs, node.output, tensors, (node,))

    def _evaluate(self, node: Node, output: Tensor) -> Array:
        return evaluate(self._alone(node, output), node, [self.values[name] for name in node.inputs])

    def _drawn(self, node: MatrixNode) -> MatrixNode:
        """Return the node with random weights in its width's symmetric range, and no bias yet."""
        shape = self.shapes[node.name]
        limit = max(node.weight_type.qmax, 1)
        size = (shape.kernel, shape.kernel, shape.in_channels, shape.out_channels)
        weight = IntArray.of(self.rng.integers(-limit, limit, size=size, dtype=np.int16, endpoint=True))
        bias = IntArray.of(np.zeros(shape.out_channels, dtype=np.int64))
        return dataclasses.replace(node, weight=weight, bias=bias)

    def _calibrated(self, node: MatrixNode, target: QType) -> MatrixNode:
        """Return the node with a bias that centres each channel and with a scale to fill the target type."""
        # Its sums, as finely as the widest legal type can say them.
        output = Tensor(node.output, self._shape(node), target)
        exact = accumulator(self._alone(node, output), node)
        step = max(exact.bits - MAX_BITS, 0)
        sums = self._evaluate(node, dataclasses.replace(output, qtype=QType(MAX_BITS, True, exact.frac - step)))
        channels = np.ldexp(sums.reshape(-1, sums.shape[2])[:: -(-sums.size // sums.shape[2] // _SAMPLE)], step)
        # As in a trained network, channels fire at different rates: at about half of their pixels, give or take.
        deviation = channels.std(axis=0)
        bias = -np.rint(channels.mean(axis=0) + self.rng.uniform(-0.5, 0.5, deviation.shape) * deviation)
        level = np.quantile(np.abs(channels + bias) if target.signed else np.maximum(channels + bias, 0), _UNCLIPPED)
        shift = max(round(math.log2(max(level, 1) / target.qmax)), 0)
        weight_type = dataclasses.replace(
            node.weight_type, frac=node.weight_type.frac + target.frac + shift - exact.frac
        )
        return dataclasses.replace(node, weight_type=weight_type, bias=IntArray.of(bias.astype(np.int64)))
