"""An IP as a module of LiteX."""

from __future__ import annotations

from quantunet.hls.ip.core import AXI_LITE, Ip, render


def class_of(ip: Ip) -> str:
    """Return the name of the module's class.

    >>> from types import SimpleNamespace
    >>> class_of(SimpleNamespace(name="qun_ip_tiny"))
    'QunIpTiny'
    """
    return "".join(word[:1].upper() + word[1:] for word in ip.name.split("_"))


def files(ip: Ip) -> dict[str, bytes]:
    """Return the module, by its path in the IP's folder."""
    text = render("ip/litex.py.j2", ip, class_name=class_of(ip), axi_lite=AXI_LITE)
    return {f"litex/{ip.name}.py": text.encode()}
