"""Mutants of the C++ headers that compute the same, and why."""

from __future__ import annotations

from helpers.software_mutants.survivor import Survivor

HEADERS: tuple[Survivor, ...] = (
    Survivor(
        "hls/csim/cpp/qun_argmax.h",
        "argmax",
        "channel 0 is compared with itself, and is not less",
        ("unsigned c = 1 → unsigned c = 0", "1 → 0"),
    ),
)
"""Single mutants that nobody can see."""
