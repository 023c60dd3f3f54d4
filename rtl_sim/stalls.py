"""Patterns in which the sources and sinks of a bench stall; ``hdl/qun_tb_stall.sv`` makes them."""

from __future__ import annotations

from typing import Literal, get_args

Stalls = Literal["none", "random", "bursts", "frozen"]
"""Not at all; at random; long rests and then bursts; an output that takes nothing for a frame at a time."""

PATTERNS: tuple[Stalls, ...] = get_args(Stalls)
"""In the order in which the bench numbers them."""
