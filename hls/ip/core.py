"""What every format describes: the network with its status registers as one module, its ports, files and registers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.generate.rtl_project import RTL_FOLDER, Port, RtlProject
from quantunet.hls.schedule.depths import frame_interval
from quantunet.hls.templates.environment import template_environment
from quantunet.ir import Graph
from quantunet.serial_payload import network_digest
from quantunet.streams import binary_file

VENDOR, LIBRARY = "quantunet", "ip"
"""What tools that name a core by vendor and library call those of this project."""

VERSION = "1.0.0"
"""Of the ports and registers of an IP, for those tools; the registers' own version stands in ``VERSION``."""

INCLUDES = "rtl"
"""The folder of the files that sources include."""

_STATUS = "qun_axi_lite_status"
_TEMPLATES = template_environment()


@dataclass(frozen=True)
class Signal:
    """A port of the module.

    Attributes:
        name: Its name.
        output: Whether the module drives it.
        bits: Its width.
    """

    name: str
    output: bool
    bits: int = 1


@dataclass(frozen=True)
class Register:
    """A status register of 32 bits that is read on AXI4-Lite.

    Attributes:
        name: Its name.
        offset: Its address, in bytes.
        reset: What it holds after reset.
        meaning: In words.
    """

    name: str
    offset: int
    reset: int
    meaning: str


ADDRESS_BITS = 6
AXI_LITE = (
    Signal("s_axi_awaddr", output=False, bits=ADDRESS_BITS),
    Signal("s_axi_awvalid", output=False),
    Signal("s_axi_awready", output=True),
    Signal("s_axi_wdata", output=False, bits=32),
    Signal("s_axi_wstrb", output=False, bits=4),
    Signal("s_axi_wvalid", output=False),
    Signal("s_axi_wready", output=True),
    Signal("s_axi_bresp", output=True, bits=2),
    Signal("s_axi_bvalid", output=True),
    Signal("s_axi_bready", output=False),
    Signal("s_axi_araddr", output=False, bits=ADDRESS_BITS),
    Signal("s_axi_arvalid", output=False),
    Signal("s_axi_arready", output=True),
    Signal("s_axi_rdata", output=True, bits=32),
    Signal("s_axi_rresp", output=True, bits=2),
    Signal("s_axi_rvalid", output=True),
    Signal("s_axi_rready", output=False),
)
"""The AXI4-Lite port of ``qun_axi_lite_status``; a test holds it against the module."""


@dataclass(frozen=True)
class Ip:
    """A network with its status registers as a module of SystemVerilog in a folder.

    Attributes:
        name: The module.
        title: The network's name.
        network: The network's project, in the same folder.
        source: The stream of pictures.
        target: The stream of results.
        digest: The first bytes of the network's digest, the first one least significant.
        interval: Cycles from a frame to the next one.
        sources: SystemVerilog files, each after the files it needs, by their paths in the folder; the last is the IP's.
        includes: Files that they include.
        memories: Memory files, likewise: what synthesis reads, and what simulators read.
    """

    name: str
    title: str
    network: RtlProject
    source: Port
    target: Port
    digest: int
    interval: int
    sources: tuple[str, ...]
    includes: tuple[str, ...]
    memories: tuple[str, ...]

    @property
    def synthesis_memories(self) -> tuple[str, ...]:
        """The memory files that synthesis reads."""
        return tuple(path.name for path in self.network.memories)

    @property
    def streams(self) -> tuple[Signal, ...]:
        """The ports of the two streams."""
        return (*_stream(self.source, output=False), *_stream(self.target, output=True))

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Every port, in the order of the module."""
        first = (Signal("clk", output=False), Signal("rst_n", output=False), Signal("frame_error", output=True))
        return (*first, *self.streams, *AXI_LITE)

    @property
    def registers(self) -> tuple[Register, ...]:
        """The status registers; a test holds them against ``qun_axi_lite_status``."""
        low, high = self.digest & 0xFFFFFFFF, self.digest >> 32
        return (
            Register("ID", 0x00, int.from_bytes(b"QUNT", "big"), "The letters QUNT, the first one most significant"),
            Register("VERSION", 0x04, 1, "Version of this list of registers"),
            Register("DIGEST_LOW", 0x08, low, "First four bytes of the network's digest, the first least significant"),
            Register("DIGEST_HIGH", 0x0C, high, "The next four bytes of the digest"),
            Register("FRAMES_IN", 0x10, 0, "Frames whose last beat was taken since reset, modulo 2**32"),
            Register("FRAMES_OUT", 0x14, 0, "Frames whose last beat has left since reset, modulo 2**32"),
            Register("ERRORS", 0x18, 0, "Frames of a wrong length that have ended since reset, modulo 2**32"),
        )


def _stream(port: Port, *, output: bool) -> tuple[Signal, ...]:
    name = port.prefix
    return (
        Signal(f"{name}_tdata", output, port.bits),
        Signal(f"{name}_tvalid", output),
        Signal(f"{name}_tready", not output),
        Signal(f"{name}_tlast", output),
    )


def write(graph: Graph, folding: Mapping[str, Fold], folder: Path, *, rtl_folder: Path = RTL_FOLDER) -> Ip:
    """Write the SystemVerilog of a network with its status registers, its memory files and ``files.f``.

    Args:
        graph: The network, with one input.
        folding: The fold of every layer.
        folder: Where to; made if missing.
        rtl_folder: The SystemVerilog library.

    Raises:
        FoldingError: The folding does not fit it.
        StorageError: A file cannot be written.
    """
    name = f"qun_ip_{graph.name}"
    folding = Folding.of(graph, folding)
    network = rtl_project.write(graph, folding, folder, rtl_folder=rtl_folder)
    (source,), (target,) = rtl_project.input_ports(network.design), rtl_project.output_ports(network.design)
    added = []
    for path in rtl_project.library_sources({_STATUS}, rtl_folder):
        added.append(folder / "rtl" / path.name)
        rtl_project.update(added[-1], path.read_bytes())
    top = folder / "rtl" / f"{name}.sv"
    ordered = dict.fromkeys([*network.sources[:-1], *added, network.sources[-1], top])
    paths = [path.relative_to(folder).as_posix() for path in ordered]
    binaries = tuple(binary_file(path).name for path in network.memories)
    ip = Ip(
        name=name,
        title=graph.name,
        network=network,
        source=source,
        target=target,
        digest=int.from_bytes(network_digest(graph), "little"),
        interval=frame_interval(graph, folding),
        sources=tuple(path for path in paths if path.endswith(".sv")),
        includes=tuple(path for path in paths if path.endswith(".svh")),
        memories=(*(path.name for path in network.memories), *binaries),
    )
    rtl_project.update(top, render("ip.sv.j2", ip).encode())
    rtl_project.update(folder / "files.f", ("\n".join([f"+incdir+{INCLUDES}", *ip.sources]) + "\n").encode())
    return ip


def render(template: str, ip: Ip, **more: object) -> str:
    """Return what a template of ``hls/templates`` makes of an IP."""
    names = {"vendor": VENDOR, "library": LIBRARY, "version": VERSION, "include_folder": INCLUDES}
    return _TEMPLATES.get_template(template).render(ip=ip, **names, **more)
