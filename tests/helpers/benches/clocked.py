"""Drives a module cycle by cycle: inputs in, outputs out, as plain integers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly
from helpers.benches.axis import CLOCK_NS

PARAMETERS_FILE = "parameters.json"
"""The module's parameters, in the working folder."""


def parameters() -> dict[str, int]:
    """Return the parameters of the module of this simulation."""
    found: dict[str, int] = json.loads(Path(PARAMETERS_FILE).read_text(encoding="utf-8"))
    return found


class Clocked:
    """A module with a clock and a reset.

    Args:
        dut: The module.
        outputs: Its outputs.
        idle: Each of its inputs, with the value that it has unless another one is said.

    Attributes:
        cycle: How many cycles have ended.
        compared: How many outputs :meth:`matches` has compared.
    """

    def __init__(self, dut: Any, outputs: Sequence[str], **idle: int) -> None:
        self.cycle = self.compared = 0
        self._dut = dut
        self._outputs = {name: getattr(dut, name) for name in outputs}
        self._idle = idle
        self._driven: dict[str, int] = {}

    async def start(self) -> None:
        """Start the clock, with a reset."""
        Clock(self._dut.clk, CLOCK_NS, "ns").start()
        await FallingEdge(self._dut.clk)
        await self.reset()

    async def reset(self, cycles: int = 1) -> None:
        """Pull ``rst_n`` low for some edges."""
        for _ in range(cycles):
            await self.tick(rst_n=0)

    async def tick(self, **inputs: int) -> SimpleNamespace:
        """Go through one cycle with these inputs, and return the outputs that belong to them, before the edge."""
        for name, value in {**self._idle, "rst_n": 1, **inputs}.items():
            if self._driven.get(name) != value:
                getattr(self._dut, name).value = value
                self._driven[name] = value
        await ReadOnly()
        outputs = SimpleNamespace(**{name: int(each.value) for name, each in self._outputs.items()})
        await FallingEdge(self._dut.clk)
        self.cycle += 1
        return outputs

    async def matches(self, expected: Mapping[str, int], **inputs: int) -> SimpleNamespace:
        """Go through one cycle as :meth:`tick` does, and compare some outputs with what they have to be."""
        got = await self.tick(**inputs)
        found = {name: getattr(got, name) for name in expected}
        assert found == dict(expected), f"cycle {self.cycle - 1}: expected {expected}, got {found}; inputs {inputs}"
        self.compared += len(expected)
        return got
