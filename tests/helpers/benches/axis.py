"""AXI4-Stream drivers and checks inside the simulator: sources, sinks, random stalls, a watch on the protocol."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamSink, AxiStreamSource

CLOCK_NS = 10


def source(dut: Any, prefix: str) -> AxiStreamSource:
    """Return a driver for an input stream; a frame is a list of integers, one a beat, and ends with ``tlast``."""
    return _quiet(AxiStreamSource, dut, prefix)


def sink(dut: Any, prefix: str) -> AxiStreamSink:
    """Return a reader for an output stream."""
    return _quiet(AxiStreamSink, dut, prefix)


def _quiet(kind: type[Any], dut: Any, prefix: str) -> Any:
    bus = AxiStreamBus.from_prefix(dut, prefix)
    logging.getLogger(f"cocotb.{dut._name}.{prefix}").setLevel(logging.ERROR)
    return kind(bus, dut.clk, dut.rst_n, reset_active_level=False, byte_lanes=1)


def stalls(rng: random.Random) -> Iterator[bool]:
    """Yield for ever whether to pause: single cycles, bursts, and long stretches of either kind."""
    while True:
        style = rng.choice(("sparse", "dense", "alternate", "pause", "flow"))
        length = rng.randint(1, 24)
        for index in range(length):
            if style == "alternate":
                yield index % 2 == 0
            elif style in ("sparse", "dense"):
                yield rng.random() < (0.2 if style == "sparse" else 0.8)
            else:
                yield style == "pause"


def until_valid(valid: Any, ready: Any) -> Iterator[bool]:
    """Yield at every edge whether to pause: ready follows a beat that waits, and falls with its handshake."""
    while True:
        waits = bool(int(valid.value)) and not int(ready.value)
        yield not waits


async def start(dut: Any) -> None:
    """Start the clock and hold the reset for a few cycles."""
    Clock(dut.clk, CLOCK_NS, "ns").start()
    await reset(dut)


async def reset(dut: Any, cycles: int = 3) -> None:
    """Pull ``rst_n`` low for some cycles."""
    dut.rst_n.value = 0
    await ClockCycles(dut.clk, cycles)
    dut.rst_n.value = 1


class Watch:
    """Counts the handshakes of one stream and checks the protocol where the design drives it.

    Attributes:
        handshakes: The cycle of every handshake, in cycles since the watch began.
        offered: The first cycle in which ``tvalid`` was high while ``tready`` was low.
    """

    def __init__(self, dut: Any, prefix: str, *, driven_by_design: bool) -> None:
        self.name = prefix
        self.handshakes: list[int] = []
        self.offered: int | None = None
        self._dut = dut
        self._driven_by_design = driven_by_design
        self._signals = [getattr(dut, f"{prefix}_{signal}") for signal in ("tvalid", "tready", "tlast", "tdata")]
        self._task = cocotb.start_soon(self._run())

    def stop(self) -> None:
        """End the watch."""
        self._task.cancel()

    async def _run(self) -> None:
        edge = RisingEdge(self._dut.clk)
        valid_signal, ready_signal, last_signal, data_signal = self._signals
        waiting: tuple[int, int] | None = None
        cycle = 0
        while True:
            await edge
            cycle += 1
            if not int(self._dut.rst_n.value):
                waiting = None
                continue
            valid = int(valid_signal.value)
            if not valid:
                assert waiting is None, f"{self.name}: tvalid fell before its handshake, cycle {cycle}"
                continue
            beat = (int(data_signal.value), int(last_signal.value))
            if self._driven_by_design:
                assert waiting in (None, beat), f"{self.name}: the beat changed while it waited, cycle {cycle}"
            if int(ready_signal.value):
                self.handshakes.append(cycle)
                waiting = None
            else:
                waiting = beat
                self.offered = self.offered or cycle
