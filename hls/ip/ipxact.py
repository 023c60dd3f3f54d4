"""The description of an IP in IP-XACT, IEEE 1685-2014: ports, bus interfaces, registers, parameters and files."""

from __future__ import annotations

from dataclasses import dataclass

from quantunet.hls.ip.core import ADDRESS_BITS, AXI_LITE, Ip, Signal, render
from quantunet.hls.ip.verilog import file_of


@dataclass(frozen=True)
class _Bus:
    """A bus interface.

    Attributes:
        name: Its name, and how its ports begin.
        library: Vendor and library of its definition.
        type: Name of its definition.
        abstraction: Name of its definition at the level of signals.
        version: Of both.
        role: ``master`` or ``slave``.
        ports: By the names in the definition.
        parameters: Names and values.
    """

    name: str
    library: tuple[str, str]
    type: str
    abstraction: str
    version: str
    role: str
    ports: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...] = ()


_AMBA, _XILINX = ("amba.com", "AMBA4"), ("xilinx.com", "signal")


def _buses(ip: Ip) -> tuple[_Bus, ...]:
    source, target = ip.source.prefix, ip.target.prefix
    stream = ("AXI4Stream", "AXI4Stream_rtl", "r0p0_1")
    lite = ("AXI4-Lite", "AXI4-Lite_rtl", "r0p0_0")
    busses = f"{source}:{target}:s_axi"
    return (
        _Bus(source, _AMBA, *stream, "slave", _ports(source, ip.streams)),
        _Bus(target, _AMBA, *stream, "master", _ports(target, ip.streams)),
        _Bus("s_axi", _AMBA, *lite, "slave", _ports("s_axi", AXI_LITE)),
        _Bus("clk", _XILINX, "clock", "clock_rtl", "1.0", "slave", (("CLK", "clk"),),
             (("ASSOCIATED_BUSIF", busses), ("ASSOCIATED_RESET", "rst_n"))),
        _Bus("rst_n", _XILINX, "reset", "reset_rtl", "1.0", "slave", (("RST", "rst_n"),),
             (("POLARITY", "ACTIVE_LOW"),)),
    )  # fmt: skip


def _ports(prefix: str, signals: tuple[Signal, ...]) -> tuple[tuple[str, str], ...]:
    own = (signal.name for signal in signals if signal.name.startswith(f"{prefix}_"))
    return tuple((name.removeprefix(f"{prefix}_").upper(), name) for name in own)


def files(ip: Ip, *, verilog: bool) -> dict[str, bytes]:
    """Return the description, by its path in the IP's folder.

    Args:
        ip: The IP.
        verilog: Whether it holds the form in plain Verilog, which gets a view of its own.
    """
    text = render(
        "ip/component.xml.j2",
        ip,
        buses=_buses(ip),
        range=1 << ADDRESS_BITS,
        verilog=file_of(ip) if verilog else None,
    )
    return {"component.xml": text.encode()}
