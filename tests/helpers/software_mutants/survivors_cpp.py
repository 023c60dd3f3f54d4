"""Mutants of the C++ headers that compute the same, and why."""

from __future__ import annotations

from helpers.software_mutants.survivor import Survivor

_CPP = "hls/csim/cpp"

HEADERS: tuple[Survivor, ...] = (
    Survivor(
        f"{_CPP}/qun_maxpool2d.h",
        "maxpool2d",
        "of two equal values either is the greatest",
        ("at(dy, dx)[c] > best → at(dy, dx)[c] >= best",),
    ),
    Survivor(
        f"{_CPP}/qun_argmax.h",
        "argmax",
        "channel 0 is compared with itself, and is not less",
        ("1 → 0",),
    ),
    Survivor(
        f"{_CPP}/qun_affine.h",
        "affine",
        "a beat holds all channels, so that c is less",
        ("c % CONFIG_T::n_chan → c",),
    ),
    Survivor(
        f"{_CPP}/qun_affine.h",
        "affine",
        "at the bound it is the bound",
        ("quotient > high → quotient >= high", "quotient < low → quotient <= low"),
    ),
)
"""Single mutants that nobody can see."""
