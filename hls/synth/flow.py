"""The synthesis step: projects of every layer, one synthesis a layer and one for each FIFO, fork and width adapter."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quantunet.errors import ToolFailedError
from quantunet.hls.design import Fold, Instance, Memory
from quantunet.hls.folding import Folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.generate.rtl_project import RtlProject
from quantunet.hls.modules.table import cycles
from quantunet.hls.synth import yosys
from quantunet.hls.synth.yosys import Job, MappedMemory, Synthesis
from quantunet.ir import Graph, Node

LARGE_MEMORY_BITS = 4096
"""A memory of this size should be block RAM; smaller ones are cheaper in LUTs."""


@dataclass(frozen=True)
class Part:
    """A piece of the network that is synthesised by itself: a layer, or a FIFO, fork or width adapter between layers.

    Attributes:
        name: The layer's name, or the instance's.
        op: The op's stem.
        macs: Multiplications of one frame; 0 for what does not multiply.
        pe: Output lanes of a layer; 0 for plumbing.
        simd: Input lanes of a layer; 0 for plumbing.
        style: How a layer multiplies; empty for what does not.
        bits_in: Width of an input channel; 0 for plumbing.
        bits_w: Width of a weight; 0 without weights.
        bits_out: Width of an output channel; 0 for plumbing.
        cycles: Predicted cycles of one frame; 0 for plumbing.
        memories: The memory files that the part reads.
        job: What Yosys is given.
    """

    name: str
    op: str
    macs: int
    pe: int
    simd: int
    style: str
    bits_in: int
    bits_w: int
    bits_out: int
    cycles: int
    memories: tuple[Memory, ...]
    job: Job

    @property
    def is_layer(self) -> bool:
        """Whether this is a layer, not plumbing."""
        return self.pe > 0


def macs(graph: Graph, node: Node) -> int:
    """Return the multiplications of a layer for one frame."""
    return node.macs(graph.input_of(node).shape, graph.output_of(node).shape)


def write_rtl(graph: Graph, folding: Mapping[str, Fold], folder: Path, layers: Sequence[str]) -> tuple[Part, ...]:
    """Write the RTL projects of layers and of the network, and list what there is to synthesise.

    Args:
        graph: The network.
        folding: The fold of every layer.
        folder: Projects go to ``folder/layers/<layer>`` and ``folder/network``.
        layers: Names of the layers. When these are all layers of the network, its FIFOs, forks and width adapters are
            listed too.

    Raises:
        FoldingError: The folding does not fit.
        ModelError: There is no such layer.
        StorageError: A file cannot be written.
    """
    folding = Folding.of(graph, folding)
    nodes = [graph.node(name) for name in layers]
    parts = [_layer_part(graph, folding, folder, node) for node in nodes]
    network = rtl_project.write(graph, folding, folder / "network")
    if set(layers) == {node.name for node in graph.nodes}:
        parts += [
            _plumbing_part(network, instance)
            for instance in network.design.instances
            if instance.name not in set(layers)
        ]
    return tuple(parts)


def _layer_part(graph: Graph, folding: Folding, folder: Path, node: Node) -> Part:
    fold = folding[node.name]
    project = rtl_project.write(graph, folding, folder / "layers" / node.name, layer=node.name)
    job = Job(node.name, project.top, project.sources, project.folder, project.memories, dsp=fold.style == "folded-dsp")
    return Part(
        name=node.name,
        op=node.op,
        macs=macs(graph, node),
        pe=fold.pe,
        simd=fold.simd,
        style=fold.style if node.multiplies else "",
        bits_in=graph.input_of(node).qtype.bits,
        bits_w=node.weight_bits,
        bits_out=graph.output_of(node).qtype.bits,
        cycles=cycles(graph, node, fold).predicted,
        memories=tuple(memory for instance in project.design.instances for memory in instance.memories),
        job=job,
    )


def _plumbing_part(network: RtlProject, instance: Instance) -> Part:
    parameters = tuple((name, value) for name, value in instance.params if isinstance(value, int))
    needed = {path.name for path in rtl_project.library_sources({instance.module})}
    sources = tuple(path for path in network.sources if path.name in needed)
    job = Job(instance.name, instance.module, sources, network.folder, parameters=parameters)
    op = instance.module.removeprefix("qun_")
    return Part(instance.name, op, 0, 0, 0, "", 0, 0, 0, 0, instance.memories, job)


def synthesise(
    parts: Sequence[Part],
    cache: Path,
    *,
    family: str = "ecp5",
    processes: int = 1,
    time_limit: float = yosys.TIME_LIMIT,
    started: Callable[[str], None] = lambda name: None,
    finished: Callable[[str, Synthesis], None] = lambda name, result: None,
) -> list[Synthesis]:
    """Synthesise the parts of a network with Yosys; the ones with most multipliers first.

    Layers of the style ``folded-dsp`` may use hard multipliers, the others none.

    Args:
        parts: What :func:`write_rtl` returned.
        cache: Folder of results by content.
        family: Device family.
        processes: How many run at a time.
        time_limit: Seconds that one may take.
        started: Called with the name of a part whose turn has come.
        finished: Called with the name and the result.

    Returns:
        The results, in the order of ``parts``.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: Yosys failed, took too long, or lost something that must be there.
    """
    order = sorted(range(len(parts)), key=lambda i: -parts[i].pe * parts[i].simd)
    jobs = [dataclasses.replace(parts[i].job, family=family) for i in order]
    results = yosys.synthesise(
        jobs,
        cache,
        processes=processes,
        time_limit=time_limit,
        started=lambda job: started(job.name),
        finished=lambda job, result: finished(job.name, result),
    )
    by_part = dict(zip(order, results, strict=True))
    for index, part in enumerate(parts):
        check(part, by_part[index])
    return [by_part[index] for index in range(len(parts))]


def check(part: Part, result: Synthesis) -> None:
    """Check that a synthesis kept what the part cannot work without.

    Raises:
        ToolFailedError: A multiplying layer has no logic, or a table of constants is gone.
    """
    if part.macs and result.usage.lut + result.usage.dsp == 0:
        raise ToolFailedError(part.name, expected="LUTs or multipliers", got="none", hint="Are the weights all zero?")
    tables = {memory.depth for memory in result.memories if not memory.writes}
    for memory in part.memories:
        words = memory.words.array
        if len(words) > 1 and (words != words[0]).any() and len(words) not in tables:
            raise ToolFailedError(
                part.name,
                expected=f"a table of {len(words)} words from {memory.file}",
                got=f"tables of {sorted(tables)} words" if tables else "no table",
                hint="The memory was optimised away; is the file right and its output used?",
            )


def concerns(result: Synthesis) -> tuple[str, ...]:
    """Return what a designer should look at: large memories that did not become block RAM, and Yosys' warnings."""
    found = [
        f"{memory.name}: {_describe(memory)}"
        for memory in result.memories
        if memory.kind != "block" and memory.bits >= LARGE_MEMORY_BITS
    ]
    return (*found, *result.warnings)


def _describe(memory: MappedMemory) -> str:
    became = "distributed RAM" if memory.kind == "distributed" else "LUTs" if not memory.writes else "flip-flops"
    return f"{memory.depth} x {memory.width} bits became {became}"
