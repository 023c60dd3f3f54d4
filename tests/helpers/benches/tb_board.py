"""cocotb bench of the top of a board: serial bytes in, results out, with every kind of fault on the line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Timer
from cocotb.utils import get_sim_time
from helpers.benches.report import add_to_report
from helpers.benches.serial_line import BROKEN, Line, SerialLine, ask, blocks_of, exchange

from quantunet.serial_frames import deframe, frame

Damage = Callable[[list[Line]], list[Line]]


class Board:
    """The design, its line, and the pictures with what must come out."""

    def __init__(self, dut: Any) -> None:
        self.plan = json.loads(Path("plan.json").read_text(encoding="utf-8"))
        self.pictures = [bytes.fromhex(text) for text in self.plan["pictures"]]
        self.results = [bytes.fromhex(text) for text in self.plan["results"]]
        self.dut = dut
        self.line = SerialLine(dut, self.plan["bit_ps"])
        self.number = 0
        self.compared = 0

    async def start(self) -> None:
        """Start the oscillator, release the reset button, and wait until the design runs."""
        Clock(self.dut.clk, self.plan["clk_ps"], "ps").start()
        self.dut.rst_n.value = 0
        await Timer(40 * self.plan["clk_ps"], "ps")
        self.dut.rst_n.value = 1
        for _ in range(200):
            await Timer(10 * self.plan["clk_ps"], "ps")
            if int(self.dut.led.value) & 1:
                return
        raise AssertionError("the clock never became stable")

    def blocks(self, index: int) -> list[Line]:
        """Return the frames of a picture, with a number of its own."""
        self.number = (self.number + 1) % 256
        return blocks_of(self.pictures[index], self.number, self.plan["block_bytes"])

    async def right(self, index: int, speed: float = 1.0) -> None:
        """Send a picture and see that exactly its result comes."""
        wanted = self.results[index]
        got, errors = await exchange(
            self.line, self.number + 1, self.blocks(index), len(wanted), self.plan["patience"], speed
        )
        assert errors == [], f"picture {index}: errors {errors}"
        assert got == wanted, f"picture {index}: {sum(a != b for a, b in zip(got, wanted, strict=False))} bytes differ"
        self.compared += len(wanted)

    async def refused(self, index: int, damage: Damage, codes: set[int]) -> None:
        """Send a damaged picture and see that the board says why it refuses it, and nothing else for long."""
        blocks = damage(self.blocks(index))
        wanted = self.results[index]
        _, errors = await exchange(self.line, self.number, blocks, len(wanted), self.plan["patience"])
        assert errors and errors[0] in codes, f"errors {errors}, not {codes}"
        # What is left of it: replies to blocks that were on their way, no result.
        await self.line.quiet(self.plan["settle"])

    def report(self, name: str) -> None:
        """Add what was compared to the report of the run."""
        add_to_report(name, self.compared)


async def started(dut: Any) -> Board:
    """Return a board that runs."""
    board = Board(dut)
    await board.start()
    return board


def led(dut: Any, index: int) -> int:
    """Return whether a lamp is lit."""
    return int(dut.led.value) >> index & 1


@cocotb.test()
async def says_what_it_is(dut: Any) -> None:
    """The board answers with version, digest and sizes."""
    board = await started(dut)
    found = await ask(board.line, board.plan["patience"])
    assert found.hex() == board.plan["info"], found.hex()
    board.compared += len(found)
    board.report("info")


@cocotb.test()
async def pictures_follow_each_other(dut: Any) -> None:
    """Every picture's result is golden's; lamps are as they should be."""
    board = await started(dut)
    begin = get_sim_time("ps")
    for index in range(len(board.pictures)):
        await board.right(index)
    seconds = (get_sim_time("ps") - begin) * 1e-12
    dut._log.info("%.1f frames/s, simulated", len(board.pictures) / seconds)
    assert (led(dut, 1), led(dut, 2), led(dut, 3)) == (0, 0, 0)
    board.report("pictures")


@cocotb.test()
async def baud_rates_may_differ(dut: Any) -> None:
    """A host 3 % faster or slower is understood."""
    board = await started(dut)
    for speed in (1.03, 0.97):
        await board.right(0, speed)
        await board.right(1, speed)
    assert led(dut, 2) == 0
    board.report("baud")


def first(change: Callable[[Line], Line]) -> Damage:
    """Damage the first block."""
    return lambda blocks: [change(blocks[0]), *blocks[1:]]


def last(change: Callable[[Line], Line]) -> Damage:
    """Damage the last block."""
    return lambda blocks: [*blocks[:-1], change(blocks[-1])]


def unframed(line: Line, more: bytes) -> Line:
    """Return a frame with more bytes at its end, and a right check."""
    (found,) = deframe(bytes(line))
    return list(frame(found.payload + more))


DAMAGED, KIND, LENGTH, ORDER, SILENCE = 1, 2, 3, 4, 6

FAULTS: dict[str, tuple[Damage, set[int]]] = {
    "a flipped bit in the first block": (first(lambda x: [*x[:9], x[9] ^ 16, *x[10:]]), {DAMAGED}),
    "a flipped bit in the last block": (last(lambda x: [*x[:9], x[9] ^ 4, *x[10:]]), {DAMAGED}),
    "a flipped bit in the check": (last(lambda x: [*x[:-2], x[-2] ^ 1, x[-1]]), {DAMAGED}),
    "a lost byte": (last(lambda x: [*x[:7], *x[8:]]), {DAMAGED}),
    "an extra byte": (last(lambda x: [*x[:7], 0x55, *x[7:]]), {DAMAGED}),
    "a byte that became a flag": (last(lambda x: [*x[:7], 0x7E, *x[8:]]), {DAMAGED}),
    "a byte that became an escape": (last(lambda x: [*x[:-2], 0x7D, x[-1]]), {DAMAGED}),
    "a byte without a stop bit": (last(lambda x: [*x[:7], x[7] + BROKEN, *x[8:]]), {DAMAGED}),
    "a lost flag at the end, then silence": (last(lambda x: x[:-1]), {SILENCE}),
    "half a frame, then silence": (last(lambda x: x[: len(x) // 2]), {SILENCE}),
    "half a picture, then silence": (lambda blocks: [*blocks[:-1], []], {SILENCE}),
    "no first block": (lambda blocks: [[], *blocks[1:]], {ORDER}),
    "a block too long": (last(lambda x: unframed(x, b"\x00")), {LENGTH}),
    "a frame of another kind": (last(lambda x: list(frame(b"X123"))), {KIND}),
}


@cocotb.test()
async def faults_cost_one_picture(dut: Any) -> None:
    """After every fault the board says so, and the next picture is exact, without a reset."""
    board = await started(dut)
    for count, (name, (damage, codes)) in enumerate(FAULTS.items()):
        dut._log.info("%s", name)
        await board.refused(count % len(board.pictures), damage, codes)
        await board.right((count + 1) % len(board.pictures))
    assert led(dut, 2) == 1
    assert led(dut, 3) == 0
    board.report("faults")


@cocotb.test()
async def garbage_between_frames(dut: Any) -> None:
    """Bytes between frames, before the first and behind a picture, are refused and harm nothing."""
    board = await started(dut)
    await board.line.send([0x00, 0xFF, 0x7E, 0x7E, 0x7E])
    assert await board.line.quiet(200) == []
    await board.right(0)
    for garbage in ([0x55], [0x7D, 0x7E], [0x01, 0x02, 0x03, 0x04, 0x05, 0x06], [0x00 + BROKEN]):
        await board.line.send(garbage)
        await board.line.quiet(20)  # behind a missing stop bit the line has to be 1 for a while
        await board.line.send([0x7E])
        (reply,) = await board.line.quiet(400)
        assert reply[:1] == b"E" and reply[2] == DAMAGED, reply
        await board.right(1)
    board.report("garbage")


@cocotb.test()
async def a_new_picture_takes_the_place_of_one_that_stopped(dut: Any) -> None:
    """A host that starts anew in the middle of a picture gets the new picture's result, and no other."""
    board = await started(dut)
    await board.line.send(board.blocks(0)[0])
    await board.right(1)
    await board.right(0)
    board.report("anew")


@cocotb.test()
async def reset_in_mid_picture(dut: Any) -> None:
    """The button in the middle of a picture: the next one is exact."""
    board = await started(dut)
    await board.line.send(board.blocks(0)[0])
    dut.rst_n.value = 0
    await Timer(40 * board.plan["clk_ps"], "ps")
    dut.rst_n.value = 1
    await board.line.quiet(50)
    await board.right(1)
    assert led(dut, 2) == 0
    board.report("reset")
