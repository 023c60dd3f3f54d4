"""From an integer graph and a folding to a streaming design: instances, forks, skip FIFOs, width adapters."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping

from quantunet.errors import UnsupportedOpError
from quantunet.hls.design import Cycles, Design, Fold, Instance, Stream
from quantunet.hls.folding import Folding, check_folding
from quantunet.ir import Graph, Node

FifoDepths = Mapping[tuple[str, int], int]
"""Beats of the FIFO in front of an input, by (layer, index of the input). Inputs without an entry have none."""


def emit(graph: Graph, node: Node, fold: Fold) -> Instance:
    """Return the module instance of a layer, with streams named like the tensors it reads and writes.

    Raises:
        FoldingError: The fold does not divide.
        UnsupportedOpError: The layer is outside what the module can do.
    """
    instance: Instance = _emitter(node).emit(graph, node, fold)
    return instance


def cycles(graph: Graph, node: Node, fold: Fold) -> Cycles:
    """Return the predicted cycles of a layer for one frame."""
    counts: Cycles = _emitter(node).cycles(graph, node, fold)
    return counts


def _emitter(node: Node):  # type: ignore[no-untyped-def]  # noqa: ANN202
    name = f"quantunet.hls.modules.{node.op}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UnsupportedOpError(
            node.name, expected="an op with a SystemVerilog module", got=node.op, hint="See docs/add_an_op.md."
        ) from error


def build(graph: Graph, folding: Folding, fifo_depths: FifoDepths | None = None) -> Design:
    """Wire a network, or a single layer, into one streaming design.

    Each tensor becomes a stream with the lanes of the layer that writes it. A tensor with several readers gets a fork;
    an input with an entry in ``fifo_depths`` gets a FIFO; a reader with another lane count gets a width adapter.

    Args:
        graph: The network, or ``network.layer(name)`` for a layer alone.
        folding: The fold of every layer of the graph.
        fifo_depths: Depths in beats of the producer's stream; ``None`` means no FIFOs.

    Raises:
        FoldingError: The folding does not fit the graph.
    """
    check_folding(graph, folding)
    return _Builder(graph, folding, fifo_depths or {}).build()


class _Builder:
    def __init__(self, graph: Graph, folding: Folding, fifo_depths: FifoDepths) -> None:
        self.graph = graph
        self.folding = folding
        self.fifo_depths = fifo_depths
        self.streams: list[Stream] = []
        self.plumbing: list[Instance] = []
        self.reads: dict[tuple[str, int], Stream] = {}

    def build(self) -> Design:
        graph = self.graph
        outputs: list[str] = []
        for tensor in graph.tensors:
            producer = graph.producer(tensor.name)
            lanes = self._reader_lanes(tensor.name) if producer is None else self.folding[producer.name].pe
            source = self._stream(Stream(tensor.name, lanes, tensor.qtype, tensor.shape))
            readers = [
                (node.name, i) for node in graph.nodes for i, name in enumerate(node.inputs) if name == tensor.name
            ]
            branches = self._fork(source, len(readers) + (tensor.name == graph.output))
            for (reader, index), branch in zip(readers, branches, strict=False):
                self.reads[reader, index] = self._adapt(self._buffer(branch, reader, index), reader)
            if tensor.name == graph.output:
                outputs.append(branches[-1].name)
        layers = tuple(self._layer(node) for node in graph.nodes)
        instances = (*layers, *self.plumbing)
        return Design(f"qun_net_{graph.name}", tuple(self.streams), instances, graph.inputs, tuple(outputs))

    def _stream(self, stream: Stream) -> Stream:
        self.streams.append(stream)
        return stream

    def _reader_lanes(self, tensor: str) -> int:
        return self.folding[self.graph.consumers(tensor)[0].name].simd

    def _fork(self, source: Stream, count: int) -> list[Stream]:
        if count == 1:
            return [source]
        branches = [self._stream(dataclasses.replace(source, name=f"{source.name}_fork{i}")) for i in range(count)]
        self.plumbing.append(
            Instance(
                f"{source.name}_fork",
                "qun_fork",
                (("Bits", source.data_bits), ("Outputs", count)),
                (("s_axis", source.name),),
                tuple(("m_axis", branch.name) for branch in branches),
            )
        )
        return branches

    def _buffer(self, source: Stream, reader: str, index: int) -> Stream:
        depth = self.fifo_depths.get((reader, index), 0)
        if not depth:
            return source
        target = self._stream(dataclasses.replace(source, name=f"{source.name}_fifo"))
        params = (("Bits", source.data_bits), ("Depth", depth), ("FrameBeats", source.beats))
        self.plumbing.append(_plumb("qun_fifo", params, source, target, target.name))
        return target

    def _adapt(self, source: Stream, reader: str) -> Stream:
        lanes = self.folding[reader].simd
        if lanes == source.lanes:
            return source
        target = self._stream(dataclasses.replace(source, name=f"{source.name}_for_{reader}", lanes=lanes))
        params = (("InLanes", source.lanes), ("OutLanes", lanes), ("Bits", source.qtype.bits))
        self.plumbing.append(_plumb("qun_width_adapter", params, source, target, target.name))
        return target

    def _layer(self, node: Node) -> Instance:
        instance = emit(self.graph, node, self.folding[node.name])
        inputs = tuple((prefix, self.reads[node.name, i].name) for i, (prefix, _) in enumerate(instance.inputs))
        return dataclasses.replace(instance, inputs=inputs)


def _plumb(module: str, params: tuple[tuple[str, int], ...], source: Stream, target: Stream, name: str) -> Instance:
    return Instance(name, module, params, (("s_axis", source.name),), (("m_axis", target.name),))
