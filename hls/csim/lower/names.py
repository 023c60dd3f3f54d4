"""Names that hls4ml and C++ accept."""

from __future__ import annotations

import re
from collections.abc import Iterable

_RESERVED = frozenset(
    """
    alignas alignof and asm auto bool break case catch char class const constexpr continue decltype default delete do
    double else enum explicit export extern false final float for friend goto if inline int long main mutable namespace
    new noexcept not nullptr operator or override private protected public register return short signed sizeof static
    struct switch template this throw true try typedef typeid typename union unsigned using virtual void volatile while
    xor input input_t result_t ap hls nnet std qun assert errno eof max min null stderr stdin stdout defines parameters
    """.split()
)

_GENERATED = re.compile(
    r"(?:b|w|table|constant|(?:linear_)?config|n_elem)\d+(?:_\d+)?|config\d+_mult|layer\d+_(?:out|t|cpy\d+)",
    re.IGNORECASE,
)
"""Names that hls4ml gives to a layer's arrays, streams, types and settings, by the layer's number."""


def unique_names(names: Iterable[str]) -> list[str]:
    """Return an identifier for each name, different from the others also in lower case.

    hls4ml looks up precisions by the layer's name in lower case and reserves ``input``. A project's files and functions
    have the network's name, or that of a layer, beside those that hls4ml makes by number.

    Args:
        names: Identifiers, not necessarily different.

    >>> unique_names(["conv", "conv", "Conv", "input"])
    ['conv', 'conv_2', 'Conv_3', 'input_2']
    >>> unique_names(["w2", "layer3_out", "layer3", "defines"])
    ['own_w2', 'own_layer3_out', 'layer3', 'defines_2']
    """
    taken = set(_RESERVED)
    result: list[str] = []
    for name in names:
        first = f"own_{name}" if _GENERATED.fullmatch(name) else name
        identifier, number = first, 2
        while identifier.lower() in taken:
            identifier = f"{first}_{number}"
            number += 1
        taken.add(identifier.lower())
        result.append(identifier)
    return result
