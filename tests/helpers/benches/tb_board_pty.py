"""Bridge between a pseudo-terminal and the top of a board in simulation: a host's program talks to it as to a port."""

from __future__ import annotations

import contextlib
import json
import os
import time
import tty
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Timer
from cocotb.utils import get_sim_time
from helpers.benches.serial_line import SerialLine

PORT_FILE = "port.txt"
"""Where the name of the terminal is written, once the board runs."""

STOP_FILE = "stop"
"""The bridge ends when there is a file of this name, or after :data:`LONGEST` seconds."""

LONGEST = 600

_STEP_PS = 20_000_000  # 6 bytes on the line
_CHUNK = 256


@cocotb.test()
async def bridge(dut: Any) -> None:
    """Carry bytes both ways; the bytes whose numbers stand in the plan arrive with a flipped bit."""
    plan = json.loads(Path("plan.json").read_text(encoding="utf-8"))
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    Clock(dut.clk, plan["clk_ps"], "ps").start()
    line = SerialLine(dut, plan["bit_ps"])
    dut.rst_n.value = 1
    await Timer(200 * plan["clk_ps"], "ps")
    Path(PORT_FILE).write_text(os.ttyname(slave), encoding="utf-8")
    cocotb.start_soon(_to_board(line, master, set(plan["flipped"])))
    end = time.monotonic() + LONGEST
    quiet, unread = 0, bytearray()
    while not Path(STOP_FILE).is_file() and time.monotonic() < end:
        await Timer(_STEP_PS, "ps")
        unread += line.received
        quiet = 0 if line.received else quiet + 1
        line.received.clear()
        with contextlib.suppress(BlockingIOError):
            del unread[: os.write(master, unread[:_CHUNK])]
        if quiet > 200 and not line.busy:
            time.sleep(0.002)  # nobody waits for the board
    Path("simulated.json").write_text(json.dumps({"ps": get_sim_time("ps")}), encoding="utf-8")


async def _to_board(line: SerialLine, master: int, flipped: set[int]) -> None:
    count = 0
    while True:
        try:
            data = os.read(master, _CHUNK)
        except BlockingIOError:
            line.busy = False
            await Timer(_STEP_PS, "ps")
            continue
        line.busy = True
        await line.send([byte ^ (16 if count + place in flipped else 0) for place, byte in enumerate(data)])
        count += len(data)
