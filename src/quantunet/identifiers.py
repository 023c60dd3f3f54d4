"""Names of networks, layers and tensors: identifiers of SystemVerilog and C++, made from any text."""

from __future__ import annotations

import re
from collections.abc import Collection

MAX_LENGTH = 100
"""Characters of a name in a graph: names become names of files, and of ports with a prefix and a suffix."""

PATTERN = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{MAX_LENGTH - 1}}}\Z")

_ROOM = 20  # characters for what is put behind a name: "_requant0", "_out", a number


def identifier(text: str) -> str:
    """Return an identifier made from any text.

    >>> identifier("/enc0/conv.1"), identifier("2nd"), identifier("ü"), len(identifier(300 * "a"))
    ('enc0_conv_1', 'n2nd', 'n', 80)
    """
    cleaned = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[: MAX_LENGTH - _ROOM]
    return cleaned if cleaned[:1].isalpha() else f"n{cleaned}"


def unused(name: str, taken: Collection[str]) -> str:
    """Return the name, with a number behind it where it is taken.

    >>> unused("conv", {"conv", "conv_2"})
    'conv_3'
    """
    number, free = 2, name
    while free in taken:
        free = f"{name}_{number}"
        number += 1
    return free
