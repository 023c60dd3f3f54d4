"""A folder with everything that a simulator or a synthesiser needs: generated top, library modules, memory files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from quantunet.errors import StorageError
from quantunet.hls.design import Design, Fold, Instance, Memory, Stream
from quantunet.hls.folding import Folding, write_folding
from quantunet.hls.network import build
from quantunet.hls.schedule.depths import fifo_depths
from quantunet.hls.templates.environment import template_environment
from quantunet.ir import Graph
from quantunet.storage import write_bytes
from quantunet.streams import memory_files

RTL_FOLDER = Path(__file__).resolve().parents[1] / "rtl"
"""The SystemVerilog library."""

_MODULE = re.compile(r"\bqun_\w+")


@dataclass(frozen=True)
class Port:
    """An outer AXI4-Stream port of a design, its data padded to whole bytes.

    Attributes:
        prefix: For example ``s_axis``.
        stream: The stream behind it.
    """

    prefix: str
    stream: Stream

    @property
    def bits(self) -> int:
        """Width of ``tdata`` with its padding."""
        return -(-self.stream.data_bits // 8) * 8


@dataclass(frozen=True)
class RtlProject:
    """A generated design on disk.

    Attributes:
        folder: Where it stands.
        top: Name of the top module.
        sources: SystemVerilog files, each after the files it needs; the last is the top.
        memories: Memory files, in the folder; tools run where these can be found by name. Beside each stands its packed
            binary, which simulators read (:func:`quantunet.streams.binary_file`).
        design: What the top wires together.
        checks_frames: Whether the top, as every network, has a ``qun_frame_check`` at its input and ``frame_error``.
    """

    folder: Path
    top: str
    sources: tuple[Path, ...]
    memories: tuple[Path, ...]
    design: Design
    checks_frames: bool = False


def input_ports(design: Design) -> tuple[Port, ...]:
    """Return the outer input ports of a design: ``s_axis``, or the reader's port names where there are several."""
    streams = {stream.name: stream for stream in design.streams}
    if len(design.inputs) == 1:
        return (Port("s_axis", streams[design.inputs[0]]),)
    readers = {name: prefix for instance in design.instances for prefix, name in instance.inputs}
    return tuple(Port(readers[name], streams[name]) for name in design.inputs)


def output_ports(design: Design) -> tuple[Port, ...]:
    """Return the outer output ports of a design."""
    streams = {stream.name: stream for stream in design.streams}
    return tuple(Port("m_axis", streams[name]) for name in design.outputs)


def frame_checks(design: Design) -> tuple[Instance, ...]:
    """Return the frame check of each outer input of a network; they stand before the design and cost no cycle."""
    return tuple(
        Instance(
            name=f"{port.prefix}_frame_check",
            module="qun_frame_check",
            params=(("Bits", port.stream.data_bits), ("Beats", port.stream.beats)),
            inputs=(("s_axis", port.prefix),),
            outputs=(("m_axis", port.stream.name),),
        )
        for port in input_ports(design)
    )


def library_sources(modules: set[str], rtl_folder: Path = RTL_FOLDER) -> tuple[Path, ...]:
    """Return the files of the SystemVerilog library that some modules need, each after those it uses.

    Args:
        modules: Module names.
        rtl_folder: The library.

    Raises:
        StorageError: A module's file is missing.
    """
    available = {path.stem: path for path in rtl_folder.glob("*.sv*")}
    ordered: list[Path] = []

    def visit(name: str) -> None:
        path = available[name]
        if path in ordered:
            return
        for used in sorted(set(_MODULE.findall(path.read_text(encoding="utf-8"))) & set(available) - {name}):
            visit(used)
        ordered.append(path)

    for module in sorted(modules):
        if module not in available:
            raise StorageError(str(rtl_folder), expected=f"a file {module}.sv", got="none", hint="Install it again.")
        visit(module)
    return tuple(ordered)


def library_modules(instances: Iterable[Instance]) -> set[str]:
    """Return the modules of the library that instances use: their own, or those that their generated modules name."""
    modules: set[str] = set()
    for instance in instances:
        used = {name for _, text in instance.sources for name in _MODULE.findall(text)}
        modules |= used - {name for name, _ in instance.sources} if instance.sources else {instance.module}
    return modules


def _parameter(value: int | str) -> str:
    return f'{{MemoryFolder, "{value}"}}' if isinstance(value, str) else str(value)


_SIGNALS = ("tdata", "tvalid", "tready", "tlast")


def outer_connections(design: Design) -> list[tuple[str, str, str]]:
    """Return the outer ports as ``(direction, range, name)``."""
    ports = []
    for role, found in (("input", input_ports(design)), ("output", output_ports(design))):
        back = "output" if role == "input" else "input"
        for port in found:
            for signal in _SIGNALS:
                vector = f"[{port.bits - 1}:0] " if signal == "tdata" else ""
                ports.append((back if signal == "tready" else role, vector, f"{port.prefix}_{signal}"))
    return ports


def connections(instance: Instance) -> list[tuple[str, str]]:
    """Return what each port of an instance connects to; the ports of a fork's branches are one vector."""
    wires = [("clk", "clk"), ("rst_n", "rst_n")]
    for side in (instance.inputs, instance.outputs):
        for prefix in dict.fromkeys(prefix for prefix, _ in side):
            names = [name for found, name in reversed(side) if found == prefix]
            for signal in _SIGNALS:
                signals = [f"{name}_{signal}" for name in names]
                wires.append(
                    (f"{prefix}_{signal}", signals[0] if len(signals) == 1 else "{" + ", ".join(signals) + "}")
                )
    if instance.module == "qun_fifo":
        wires.append(("level", f"{instance.name}_level"))
    return wires


_TEMPLATES = template_environment()


def top_module(design: Design, checks: tuple[Instance, ...] = ()) -> str:
    """Return the SystemVerilog of a design's top module, wiring only, with or without a frame check at each input."""
    return _TEMPLATES.get_template("top.sv.j2").render(
        design=design,
        inputs=input_ports(design),
        outputs=output_ports(design),
        ports=outer_connections(design),
        connections=connections,
        parameter=_parameter,
        fifo_depths=design.fifos,
        checks=checks,
        memories=bool(_memories(design)),
    )


def _memories(design: Design) -> dict[str, Memory]:
    return {memory.file: memory for instance in design.instances for memory in instance.memories}


def write(
    graph: Graph,
    folding: Mapping[str, Fold],
    folder: Path,
    *,
    layer: str | None = None,
    rtl_folder: Path = RTL_FOLDER,
) -> RtlProject:
    """Write the RTL project of a network, or of one of its layers.

    Files are written whole, and only where their content changes, so that a build that looks at times is not disturbed.

    Args:
        graph: The network.
        folding: The fold of every layer of the network.
        folder: Where to write; made if missing.
        layer: Name of a layer to write alone, without FIFOs.
        rtl_folder: The SystemVerilog library.

    Raises:
        FoldingError: The folding does not fit the graph.
        ModelError: There is no such layer.
        StorageError: A file cannot be written.
    """
    folding = Folding.of(graph, folding)
    if layer is None:
        design = build(graph, folding, fifo_depths(graph, folding))
        folds = folding
    else:
        folds = folding.layer(graph.node(layer).name)
        design = build(folds.graph, folds)
    checks = frame_checks(design) if layer is None else ()
    library = library_sources(library_modules((*checks, *design.instances)), rtl_folder)
    sources = [folder / "rtl" / path.name for path in library]
    for source, path in zip(sources, library, strict=True):
        update(source, path.read_bytes())
    for name, text in (source for instance in design.instances for source in instance.sources):
        sources.append(folder / "rtl" / f"{name}.sv")
        update(sources[-1], text.encode())
    top = folder / "rtl" / f"{design.name}.sv"
    update(top, top_module(design, checks).encode())
    memories = _memories(design)
    for name, memory in memories.items():
        for file, data in memory_files(folder / name, memory.words.array, memory.bits).items():
            update(file, data)
    sources.append(top)
    names = [str(path.relative_to(folder)) for path in sources]
    update(folder / "files.f", ("\n".join(["+incdir+rtl", *names]) + "\n").encode())
    update(folder / "design.json", _design_json(design, names).encode())
    write_folding(folder / "folding.json", folds)
    paths = tuple(folder / name for name in memories)
    return RtlProject(folder, design.name, tuple(sources), paths, design, bool(checks))


def update(path: Path, data: bytes) -> bool:
    """Write a file unless it already holds ``data``; return whether it was written.

    Raises:
        StorageError: The file cannot be written.
    """
    if path.is_file() and path.read_bytes() == data:
        return False
    write_bytes(path, data)
    return True


def _design_json(design: Design, sources: list[str]) -> str:
    document = {
        "top": design.name,
        "sources": sources,
        "inputs": [_port_json(port) for port in input_ports(design)],
        "outputs": [_port_json(port) for port in output_ports(design)],
        "streams": [_stream_json(stream) for stream in design.streams],
        "instances": [
            {
                "name": instance.name,
                "module": instance.module,
                "parameters": dict(instance.params),
                "inputs": [list(connection) for connection in instance.inputs],
                "outputs": [list(connection) for connection in instance.outputs],
                "memories": [
                    {"file": m.file, "depth": m.words.shape[0], "elements": m.words.shape[1], "bits": m.bits}
                    for m in instance.memories
                ],
            }
            for instance in design.instances
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _stream_json(stream: Stream) -> dict[str, object]:
    kind = stream.qtype
    return {
        "name": stream.name,
        "lanes": stream.lanes,
        "bits": kind.bits,
        "signed": kind.signed,
        "frac": kind.frac,
        "shape": list(stream.shape),
    }


def _port_json(port: Port) -> dict[str, object]:
    return {"prefix": port.prefix, "stream": port.stream.name, "bits": port.bits}
