"""Scripts of an IP for Vivado: synthesis out of context, with its clock."""

from __future__ import annotations

from quantunet.hls.ip.core import Ip, render


def files(ip: Ip, *, mhz: float, part: str) -> dict[str, bytes]:
    """Return the scripts, by their paths in the IP's folder.

    Args:
        ip: The IP.
        mhz: Its clock, in MHz.
        part: The part for which is synthesised unless the call names another one.
    """
    period = f"{1000 / mhz:.3f}"
    return {
        "vivado/synth.tcl": render("ip/vivado.tcl.j2", ip, part=part).encode(),
        "vivado/clock.xdc": render("ip/vivado.xdc.j2", ip, mhz=f"{mhz:g}", period=period).encode(),
    }
