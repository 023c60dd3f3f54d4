"""The layers and tensors that a graph has so far: their names, their order, and the integers that each tensor takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from quantunet.errors import ShapeError
from quantunet.graph_check import check
from quantunet.identifiers import unused
from quantunet.ir import Graph, Node, Pad, QType, Reading, Requant, Shape, Sides, Tensor
from quantunet.pixels import Pixels
from quantunet.ranges import Range
from quantunet.requantisation import Bend
from quantunet.values import Form, Place, TensorSource, Value, step_of


class LayerList:
    """Collects the layers of one graph and the tensors that they write.

    Layers may be added in any order; they stand in the order of their ops in the file, behind what they read.
    """

    def __init__(self) -> None:
        self._layers: list[tuple[int, Node]] = []
        self._order: dict[str, int] = {}
        self._inputs: list[str] = []
        self._sources: dict[str, TensorSource] = {}
        self._padded: dict[tuple[str, Sides, int], Tensor] = {}

    @property
    def layers(self) -> Sequence[tuple[int, Node]]:
        """The layers so far, each with the place of its op in the file."""
        return self._layers

    def input(self, tensor: Tensor, reach: tuple[int, int]) -> None:
        """Add an input of the network, and the least and the greatest integer that it takes."""
        self._inputs.append(tensor.name)
        self._sources[tensor.name] = TensorSource(tensor, reach)

    def has_input(self, name: str) -> bool:
        """Return whether the network has an input of this name."""
        return name in self._inputs

    def add(
        self, order: int, node: Node, shape: Shape, qtype: QType, unit: Fraction | None, reach: tuple[int, int]
    ) -> Tensor:
        """Add a layer and return the tensor that it writes.

        Args:
            order: The place of its op in the file.
            node: The layer; its names are unused ones.
            shape: Of its result.
            qtype: Type of its result.
            unit: The real value of the integer 1 where that is no power of two.
            reach: The least and the greatest integer that the result takes.
        """
        tensor = Tensor(node.output, shape, qtype, unit)
        self._sources[node.output] = TensorSource(tensor, reach)
        # A layer that the normalisation has moved still stands behind what it reads.
        after = max([order, *(self._order.get(name, order) for name in node.inputs)])
        self._order[node.output] = after
        self._layers.append((after, node))
        return tensor

    def requantised(self, place: Place, source: Tensor, qtype: QType, unit: Fraction | None, reach: Range) -> Tensor:
        """Add a layer that brings a tensor to another type; a ``reach`` of ``None`` is the whole type."""
        node = Requant(self.layer_name(place.name), (source.name,), self.tensor_name(place.output))
        return self.add(place.order, node, source.shape, qtype, unit, reach or (qtype.qmin, qtype.qmax))

    def copied(self, place: Place, source: Tensor) -> Tensor:
        """Return a copy of a tensor, for an op that reads it twice: it reads two streams."""
        return self.requantised(place, source, source.qtype, source.unit, None)

    def padded(self, place: Place, tensor: Tensor, sides: Sides, code: int) -> Tensor:
        """Return a tensor with pixels of one code around it; equal requests share one.

        Raises:
            ShapeError: A side is less than 0.
        """
        key = (tensor.name, sides, code)
        if key in self._padded:
            return self._padded[key]
        node = Pad(self.layer_name(place.name), (tensor.name,), self.tensor_name(place.output), sides, code)
        height, width, channels = tensor.shape
        shape = (height + sides[0] + sides[2], width + sides[1] + sides[3], channels)
        if min(sides) < 0:
            raise ShapeError(place.name, expected="pads of 0 or more", got=str(sides))
        low, high = self.reach(tensor)
        reach = min(low, code), max(high, code)
        self._padded[key] = self.add(place.order, node, shape, tensor.qtype, tensor.unit, reach)
        return self._padded[key]

    def layer_name(self, name: str) -> str:
        """Return a name that no layer has yet."""
        return unused(name, {node.name for _, node in self._layers})

    def tensor_name(self, name: str) -> str:
        """Return a name that no tensor has yet."""
        return unused(name, self._sources)

    def tensor(self, name: str) -> Tensor:
        """Return the tensor of a name."""
        return self._sources[name].tensor

    def reach(self, tensor: Tensor) -> tuple[int, int]:
        """Return the least and the greatest integer that a tensor takes."""
        return self._sources[tensor.name].reach

    def source(self, tensor: Tensor) -> TensorSource:
        """Return the one source of a tensor, so that equal requantisations of it are one layer."""
        return self._sources[tensor.name]

    def value(self, tensor: Tensor, place: Place, step: Fraction | None = None) -> Value:
        """Return the value of a tensor, whose integer 1 stands for ``step``; ``None`` for what the tensor says."""
        step = step_of(tensor) if step is None else step
        form = Form(tensor.qtype.bits, tensor.qtype.signed, step)
        factor = step / step_of(tensor)
        bends = () if factor == 1 else (Bend().then(factor, Fraction(0)),) * tensor.shape[2]
        return Value(self.source(tensor), place, bends, declared=form)

    def graph(
        self, name: str, output: Tensor, pixels: Pixels, reading: Reading | None, instead: Mapping[str, Node]
    ) -> Graph:
        """Return the checked graph.

        Args:
            name: The network's name.
            output: What it returns.
            pixels: What the byte of a picture means.
            reading: What the integers of the output stand for, where its type does not say it.
            instead: By the name of its output, a layer that takes the place of the one that was added.

        Raises:
            ModelError: The graph is illegal.
        """
        nodes = tuple(instead.get(node.output, node) for _, node in sorted(self._layers, key=lambda entry: entry[0]))
        tensors = tuple(self.tensor(each) for each in (*self._inputs, *(node.output for node in nodes)))
        return check(Graph(name, tuple(self._inputs), output.name, tensors, nodes, pixels, reading))
