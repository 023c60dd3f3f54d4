"""The description of an IP for FuseSoC: a core file in its format CAPI2."""

from __future__ import annotations

from quantunet.hls.ip.bench import PICTURE, RESULT
from quantunet.hls.ip.core import Ip, render
from quantunet.hls.ip.verilog import file_of


def files(ip: Ip, *, verilog: bool, part: str) -> dict[str, bytes]:
    """Return the core file, by its path in the IP's folder.

    Args:
        ip: The IP.
        verilog: Whether it holds the form in plain Verilog, which gets targets of its own.
        part: The part for which its Vivado target synthesises by default.
    """
    text = render(
        "ip/fusesoc.core.j2", ip, vectors=(PICTURE, RESULT), verilog=file_of(ip) if verilog else None, part=part
    )
    return {f"{ip.name}.core": text.encode()}
