"""From an integer graph and a folding to a streaming design: instances, forks, skip FIFOs, width adapters."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quantunet.hls.design import Design, Fold, Instance, Stream
from quantunet.hls.folding import Folding
from quantunet.hls.modules.table import LAYERS, emit
from quantunet.ir import Graph, Node, Tensor

FifoDepths = Mapping[tuple[str, int], int]
"""Beats of the FIFO in front of an input, by (layer, index of the input). Inputs without an entry have none.

They are beats of the stream in which the FIFO stands, see :meth:`Connection.fifo_lanes`.
"""


def build(graph: Graph, folding: Mapping[str, Fold], fifo_depths: FifoDepths | None = None) -> Design:
    """Wire a network, or a single layer, into one streaming design.

    Each tensor becomes a stream with the lanes of the layer that writes it. A tensor with several readers gets a fork;
    an input with an entry in ``fifo_depths`` gets a FIFO; a reader with another lane count gets a width adapter, behind
    the FIFO or, where the reader takes bursts of more lanes, before it.

    Args:
        graph: The network, or ``network.layer(name)`` for a layer alone.
        folding: The fold of every layer of the graph.
        fifo_depths: Depths of the FIFOs; ``None`` means no FIFOs.

    Raises:
        FoldingError: The folding does not fit the graph.
    """
    folding = Folding.of(graph, folding)
    wiring = wire(graph, folding, fifo_depths)
    layers = tuple(_layer(graph, node, folding, wiring) for node in graph.nodes)
    return Design(f"qun_net_{graph.name}", wiring.streams, (*layers, *wiring.plumbing), graph.inputs, wiring.outputs)


@dataclass(frozen=True)
class Connection:
    """The stream of a tensor from where it comes to who reads it. What stands in between is decided here.

    Attributes:
        tensor: The tensor.
        producer: The layer that writes it; ``None`` for an input of the network.
        readers: Its readers, as ``(layer, index of the input)``.
        branches: Ends of the stream: its readers, and the network's output. With more than one a fork makes them.
    """

    tensor: Tensor
    producer: Node | None
    readers: tuple[tuple[str, int], ...]
    branches: int

    @property
    def lanes_of(self) -> tuple[str, bool]:
        """The layer whose fold gives the stream its lanes, and whether its input does: where nobody writes it."""
        return (self.readers[0][0], True) if self.producer is None else (self.producer.name, False)

    def lanes(self, folding: Folding) -> int:
        """Return the lanes of the stream."""
        layer, by_input = self.lanes_of
        return self.lanes_at(folding, layer) if by_input else folding[layer].pe

    def lanes_at(self, folding: Folding, reader: str) -> int:
        """Return the lanes in which a reader takes the tensor."""
        return folding[reader].lanes_in(self.tensor.shape[2])

    def widens_first(self, graph: Graph, folding: Folding, reader: str) -> bool:
        """Return whether a reader's width adapter stands before its FIFO: it takes bursts of more lanes."""
        node = graph.node(reader)
        bursts = LAYERS[node.op].BURSTS and not node.native
        return bursts and self.lanes(folding) < self.lanes_at(folding, reader)

    def fifo_lanes(self, graph: Graph, folding: Folding, reader: str) -> int:
        """Return the lanes of the stream in which the FIFO in front of a reader stands."""
        return self.lanes_at(folding, reader) if self.widens_first(graph, folding, reader) else self.lanes(folding)


def connections(graph: Graph) -> tuple[Connection, ...]:
    """Return the connection of every tensor, in the graph's order."""
    readers: dict[str, list[tuple[str, int]]] = {tensor.name: [] for tensor in graph.tensors}
    for node in graph.nodes:
        for index, name in enumerate(node.inputs):
            readers[name].append((node.name, index))
    return tuple(
        Connection(
            tensor,
            graph.producer(tensor.name),
            tuple(readers[tensor.name]),
            len(readers[tensor.name]) + (tensor.name == graph.output),
        )
        for tensor in graph.tensors
    )


@dataclass(frozen=True)
class Wiring:
    """A network without its layers.

    Attributes:
        streams: Every stream.
        plumbing: The forks, FIFOs and width adapters.
        reads: The stream of each input of a layer, by ``(layer, index of the input)``.
        outputs: Names of the streams that go outside.
    """

    streams: tuple[Stream, ...]
    plumbing: tuple[Instance, ...]
    reads: Mapping[tuple[str, int], Stream]
    outputs: tuple[str, ...]


def wire(graph: Graph, folding: Folding, fifo_depths: FifoDepths | None = None) -> Wiring:
    """Decide what stands between the layers of a network; see :func:`build`."""
    streams: list[Stream] = []
    plumbing: list[Instance] = []
    reads: dict[tuple[str, int], Stream] = {}
    outputs: list[str] = []

    def add(stream: Stream) -> Stream:
        streams.append(stream)
        return stream

    def plumb(stem: str, source: Stream, targets: Sequence[Stream], name: str, **params: int) -> None:
        ports = tuple(("m_axis", target.name) for target in targets)
        plumbing.append(Instance(name, f"qun_{stem}", tuple(params.items()), (("s_axis", source.name),), ports))

    def buffered(stream: Stream, depth: int) -> Stream:
        if not depth:
            return stream
        target = add(dataclasses.replace(stream, name=f"{stream.name}_fifo"))
        plumb("fifo", stream, [target], target.name, Bits=stream.data_bits, Depth=depth, FrameBeats=stream.beats)
        return target

    def adapted(stream: Stream, name: str, lanes: int) -> Stream:
        if lanes == stream.lanes:
            return stream
        target = add(dataclasses.replace(stream, name=name, lanes=lanes))
        widths = {"InLanes": stream.lanes, "OutLanes": lanes, "Bits": stream.qtype.bits}
        plumb("width_adapter", stream, [target], target.name, **widths)
        return target

    for connection in connections(graph):
        tensor = connection.tensor
        source = add(Stream(tensor.name, connection.lanes(folding), tensor.qtype, tensor.shape))
        branches = [source]
        if connection.branches > 1:
            names = (f"{tensor.name}_fork{index}" for index in range(connection.branches))
            branches = [add(dataclasses.replace(source, name=name)) for name in names]
            plumb("fork", source, branches, f"{tensor.name}_fork", Bits=source.data_bits, Outputs=len(branches))
        for (reader, index), branch in zip(connection.readers, branches, strict=False):
            depth, lanes = (fifo_depths or {}).get((reader, index), 0), connection.lanes_at(folding, reader)
            if connection.widens_first(graph, folding, reader):
                stream = buffered(adapted(branch, f"{branch.name}_for_{reader}", lanes), depth)
            else:
                stream = buffered(branch, depth)
                stream = adapted(stream, f"{stream.name}_for_{reader}", lanes)
            reads[reader, index] = stream
        if tensor.name == graph.output:
            outputs.append(branches[-1].name)
    return Wiring(tuple(streams), tuple(plumbing), reads, tuple(outputs))


def fifo_before(design: Design, reader: str, index: int) -> str:
    """Return the FIFO in front of a layer's input, with or without a width adapter between them."""
    writers = {name: instance for instance in design.instances for _, name in instance.outputs}
    (layer,) = (instance for instance in design.instances if instance.name == reader)
    instance = writers[layer.inputs[index][1]]
    while instance.module != "qun_fifo":
        instance = writers[instance.inputs[0][1]]
    return instance.name


def _layer(graph: Graph, node: Node, folding: Folding, wiring: Wiring) -> Instance:
    instance = emit(graph, node, folding[node.name])
    inputs = tuple((prefix, wiring.reads[node.name, i].name) for i, (prefix, _) in enumerate(instance.inputs))
    return dataclasses.replace(instance, inputs=inputs)
