"""cocotb bench of ``qun_serial_device`` alone: a host on its line, and a model in the place of a network."""

from __future__ import annotations

import itertools
import json
import random
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge
from cocotb.utils import get_sim_time
from helpers.benches import axis
from helpers.benches.report import add_to_report
from helpers.benches.serial_line import BROKEN, SerialLine, ask, blocks_of, exchange

from quantunet.serial_frames import ESCAPE, FLAG, frame
from quantunet.serial_link import BLOCK, ERROR, INFO, RESULT, TAKEN

CLOCK_PS = 1000 * axis.CLOCK_NS

_RESETS = 16
"""Moments at which the reset comes."""

_BYTE = 10
"""Bits of a byte on the line."""

_REPLY = 18 * _BYTE
"""Bits in which a short reply has come, behind the end of another one; half of the silence that a device endures."""

DAMAGED, KIND, LENGTH, ORDER, FULL, SILENCE = 1, 2, 3, 4, 5, 6


class Network:
    """Takes a picture's beats and gives as many of a result, each when ``lag`` beats have come from its own on.

    Attributes:
        taken: The beats of every whole picture.
        stopped: Whether it takes nothing, and gives nothing.
        silent: Whether it gives nothing.
        limit: Beats of a picture behind which it takes no further one; ``None`` for all.
    """

    def __init__(self, dut: Any, plan: dict[str, Any]) -> None:
        self.taken: list[list[int]] = []
        self.stopped = self.silent = False
        self.limit: int | None = None
        self.stalls: Iterator[bool] | None = None
        self._dut = dut
        self._plan = plan
        self._driven: dict[str, int] = {}

    def start(self) -> None:
        """Begin, with nothing on its way."""
        cocotb.start_soon(self._run())

    def _drive(self, name: str, value: int) -> None:
        """Set a signal if it has another value: what is written costs a step of the simulator, in every cycle."""
        if self._driven.get(name) != value:
            self._driven[name] = value
            getattr(self._dut, name).value = value

    async def _run(self) -> None:
        dut, plan = self._dut, self._plan
        beats: list[int] = []
        results: deque[tuple[int, bool]] = deque()
        self._drive("m_axis_tready", 0)
        self._drive("s_axis_tvalid", 0)
        edge, reset, offered, taken = RisingEdge(dut.clk), dut.rst_n, dut.m_axis_tvalid, dut.s_axis_tready
        ready = valid = False
        given = 0
        while True:
            await edge
            if not int(reset.value):
                beats, ready, valid, given = [], False, False, 0
                results.clear()
            elif ready and int(offered.value):
                beats.append(int(dut.m_axis_tdata.value))
                assert bool(dut.m_axis_tlast.value) == (len(beats) == plan["beats"]), "tlast at another beat"
            if valid and int(taken.value):
                results.popleft()
            whole = len(beats) == plan["beats"]
            while given < plan["beats"] and (whole or given + plan["lag"] <= len(beats)):
                results.append((beats[given], given == plan["beats"] - 1))
                given += 1
            if whole:
                self.taken.append(beats)
                beats, given = [], 0
            pause = self.stopped or (self.stalls is not None and next(self.stalls))
            ready = not pause and (self.limit is None or len(beats) < self.limit)
            self._drive("m_axis_tready", int(ready))
            if not (valid and results):  # what waits stays
                valid = bool(results) and not (pause or self.silent)
            self._drive("s_axis_tvalid", int(valid))
            if results:
                self._drive("s_axis_tdata", results[0][0] & ((1 << plan["out_width"]) - 1))
                self._drive("s_axis_tlast", int(results[0][1]))


class Device:
    """The module, its line and its network."""

    def __init__(self, dut: Any) -> None:
        self.plan = json.loads(Path("plan.json").read_text(encoding="utf-8"))
        self.dut = dut
        self.line = SerialLine(dut, CLOCK_PS * self.plan["period"], rx="rx", tx="tx")
        self.network = Network(dut, self.plan)
        self.number = 250  # so that 255 is passed
        self.compared = 0

    async def start(self) -> None:
        """Start the clock, and end the reset."""
        self.dut.frame_error.value = 0
        self.network.start()
        await axis.start(self.dut)

    def picture(self, index: int) -> tuple[bytes, bytes, list[int]]:
        """Return a picture, its result, and the beats that the network must see."""
        entry = self.plan["pictures"][index % len(self.plan["pictures"])]
        return bytes.fromhex(entry["bytes"]), bytes.fromhex(entry["result"]), entry["beats"]

    def blocks(self, index: int) -> list[list[int]]:
        """Return a picture's frames, with the next number."""
        self.number = (self.number + 1) % 256
        return blocks_of(self.picture(index)[0], self.number, self.plan["block_bytes"])

    async def right(self, index: int, speed: float = 1.0) -> None:
        """Send a picture: the network sees exactly it, and the host its result."""
        _, wanted, beats = self.picture(index)
        blocks = self.blocks(index)
        got, errors = await exchange(self.line, self.number, blocks, len(wanted), 4 * self.plan["settle"], speed)
        assert errors == [], f"picture {index}: errors {errors}"
        assert got == wanted, f"picture {index}: {got.hex()}, not {wanted.hex()}"
        assert self.network.taken[-1] == beats, f"picture {index}: the network saw another one"
        self.compared += len(wanted) + len(beats)

    def report(self, name: str) -> None:
        """Add what was compared to the report of the run."""
        add_to_report(name, self.compared)


async def started(dut: Any) -> Device:
    """Return a device that runs."""
    device = Device(dut)
    await device.start()
    return device


@cocotb.test()
async def says_what_it_is(dut: Any) -> None:
    """Version, digest, sizes, and the network's error."""
    device = await started(dut)
    for error in (0, 1):
        dut.frame_error.value = error
        found = await ask(device.line, 2000)
        assert found.hex() == device.plan["info"] + f"{error:02x}", found.hex()
        device.compared += len(found)
    device.report("info")


@cocotb.test()
async def pictures(dut: Any) -> None:
    """One after the other, at full speed and while the network stalls, by hosts that are slower and faster."""
    device = await started(dut)
    for index, speed in enumerate((1.0, 1.03, 0.97, 1.0)):
        await device.right(index, speed)
    device.network.stalls = axis.stalls(random.Random(3))
    for index, speed in enumerate((1.0, 1.03, 0.97, 1.0)):
        await device.right(index, speed)
    assert len(device.network.taken) == 8
    assert (int(dut.busy.value), int(dut.line_error.value)) == (0, 0)
    device.report("pictures")


@cocotb.test()
async def a_host_that_sends_too_much(dut: Any) -> None:
    """What finds no place is refused, and what found one stays whole; then all is well again."""
    device = await started(dut)
    _, wanted, beats = device.picture(0)
    device.network.stopped = True
    await device.line.send([byte for _ in range(2) for block in device.blocks(0) for byte in block])
    await device.line.quiet(200)
    first = (device.number - 1) % 256
    replies = list(await device.line.quiet(200))
    await device.line.send([byte for _ in range(2) for block in device.blocks(0) for byte in block])
    replies += await device.line.quiet(600)
    assert FULL in {reply[2] for reply in replies if reply[:1] == b"E"}, replies
    device.network.stopped = False
    replies = await device.line.quiet(2 * device.plan["settle"])
    result = b"".join(reply[3:] for reply in replies if reply[:1] == b"R" and reply[1] == first)
    assert result == wanted, result.hex()
    assert device.network.taken[0] == beats
    await device.right(1)
    device.compared += len(wanted)
    device.report("full")


@cocotb.test()
async def faults_on_the_line(dut: Any) -> None:
    """Every kind of error is told, with the picture, and costs no other one."""
    device = await started(dut)
    for count, (place, change, code) in enumerate(
        (
            (0, lambda x: [*x[:5], x[5] ^ 2, *x[6:]], DAMAGED),
            (1, lambda x: [*x[:5], *x[6:]], DAMAGED),
            (1, lambda x: [x[0], x[1] ^ 8, *x[2:]], DAMAGED),
            (-1, lambda x: x[:6], SILENCE),
            (0, lambda x: [], ORDER),
            (0, lambda x: list(frame(b"\x51?")), KIND),
            (1, lambda x: list(frame(INFO + b"\x00")), LENGTH),
            (0, lambda x: list(frame(BLOCK + bytes([device.number, 0]) + b"\x01")), LENGTH),
            (-1, lambda x: [*x[:-1], ESCAPE, x[-1]], DAMAGED),  # right and short, but for an escape that is left open
            (0, lambda x: [*x[:-1], 1, 2, x[-1]], DAMAGED),  # right up to two bytes more than a frame may have
        )
    ):
        blocks = device.blocks(count)
        blocks[place] = change(blocks[place])
        got, errors = await exchange(device.line, device.number, blocks, 1 << 20, 4 * device.plan["settle"])
        assert errors and errors[0] == code, (count, errors)
        await device.line.quiet(device.plan["settle"])
        await device.right(count + 1)
    assert int(dut.line_error.value) == 1
    device.report("faults")


@cocotb.test()
async def random_faults(dut: Any) -> None:
    """Whatever a line does to what a host sends, once it is silent the next picture is exact."""
    device = await started(dut)
    rng = random.Random(7)
    for count in range(6):
        line = [byte for block in device.blocks(count) for byte in block]
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(line))
            kind = rng.choice(("flip", "lose", "add", "flag", "cut", "stop"))
            if kind in ("flip", "flag"):
                line[place] = line[place] ^ 1 << rng.randrange(8) if kind == "flip" else FLAG
            elif kind == "add":
                line[place:place] = [rng.randrange(256) for _ in range(rng.randint(1, 5))]
            elif kind == "stop":
                line[place] |= BROKEN
            else:
                del line[place : place + (1 if kind == "lose" else len(line))]
            line = line or [FLAG]
        await device.line.send(line)
        await device.line.quiet(device.plan["settle"])
        await device.right(count)
    device.report("random")


@cocotb.test()
async def silence_between_blocks(dut: Any) -> None:
    """A host that sends no further block is told so, and what the network then gives is nobody's result."""
    device = await started(dut)
    await device.line.send(device.blocks(0)[0])
    replies = await device.line.quiet(2 * device.plan["settle"])
    assert [reply[2] for reply in replies if reply[:1] == b"E"] == [SILENCE], replies
    _, wanted, _ = device.picture(0)
    assert len(b"".join(reply[3:] for reply in replies if reply[:1] == b"R")) < len(wanted)
    assert len(device.network.taken) == 1, "the network was left in the middle of a picture"
    await device.right(1)
    device.report("silence")


@cocotb.test()
async def pauses_that_are_no_silence(dut: Any) -> None:
    """A host may pause up to a silence, in a frame and between blocks; for longer while the network takes nothing."""
    device = await started(dut)
    pause = 0.95 * device.plan["silence"]
    for index in range(2):
        blocks, wanted, replies = device.blocks(index), device.picture(index)[1], []
        device.network.stopped = bool(index)
        pieces = [blocks[0]] if index else [blocks[0][:3], blocks[0][3:6], blocks[0][6:]]
        for piece in pieces:
            await device.line.send(piece)
            replies += await device.line.quiet(3 * pause if index else pause)
        device.network.stopped = False
        for block in blocks[1:]:
            await device.line.send(block)
            replies += await device.line.quiet(pause)
        replies += await device.line.quiet(device.plan["settle"])
        result = b"".join(reply[3:] for reply in replies if reply[:1] == RESULT)
        told = [reply[2] for reply in replies if reply[:1] == TAKEN]
        assert (told, result) == (list(range(len(blocks))), wanted), (index, replies)
        device.compared += len(wanted) + len(told)
    assert not int(dut.line_error.value)
    device.report("pauses")


@cocotb.test()
async def a_silence_in_cycles(dut: Any) -> None:
    """It is told so many cycles behind the last byte, in a frame and again in the next one."""
    device = await started(dut)
    await device.line.send([FLAG])
    for byte in (0x42, 0x43):
        await RisingEdge(dut.clk)
        begin = get_sim_time("ps")
        await device.line.send([byte])
        await FallingEdge(dut.tx)
        cycles = (get_sim_time("ps") - begin) / CLOCK_PS
        assert cycles == device.plan["silence_told"], f"told after {cycles} cycles, not {device.plan['silence_told']}"
        replies = await device.line.quiet(_REPLY)
        assert [reply[2] for reply in replies] == [SILENCE], replies
        await device.line.send([FLAG])
        device.compared += 1
    device.report("cycles")


@cocotb.test()
async def a_bad_stop_bit(dut: Any) -> None:
    """A byte without a stop bit spoils its frame, also where all its data are right."""
    device = await started(dut)
    block = device.blocks(0)[0]
    await device.line.send([*block[:5], block[5] | BROKEN])
    await device.line.quiet(2)
    await device.line.send(block[6:])
    replies = await device.line.quiet(2 * _REPLY)
    assert [reply[2] for reply in replies if reply[:1] == ERROR] == [DAMAGED], replies
    await device.right(1)
    device.report("stop")


@cocotb.test()
async def a_new_picture_ends_the_one_before(dut: Any) -> None:
    """Block 0 in the middle of a picture; and reset there."""
    device = await started(dut)
    await device.line.send(device.blocks(0)[0])
    await device.right(1)
    await device.line.send(device.blocks(2)[0])
    await axis.reset(dut)
    await ClockCycles(dut.clk, 10)
    device.line.frames.clear()
    await device.right(3)
    device.report("anew")


@cocotb.test()
async def blocks_out_of_turn(dut: Any) -> None:
    """What is not the next block of the open picture is refused by the number that it has, and ends the picture."""
    device = await started(dut)
    line, size = device.line, device.plan["block_bytes"]

    async def refused(sent: list[int], picture: int, code: int) -> None:
        await line.send(sent)
        replies = [reply for reply in await line.quiet(2 * _REPLY) if reply[:1] == ERROR]
        assert replies == [ERROR + bytes([picture, code])], (replies, picture, code)
        device.compared += 1

    await device.right(0)
    count = len(device.blocks(0))
    whole = (device.number - 1) % 256
    await refused(list(frame(BLOCK + bytes([whole, count]) + bytes(size))), whole, ORDER)  # behind the last one
    for change in ("another picture", "another block", "another kind"):
        blocks = device.blocks(1)
        await line.send(blocks[0])
        await line.quiet(10)
        other = device.number ^ 0x80
        if change == "another picture":
            await refused(blocks_of(device.picture(1)[0], other, size)[1], other, ORDER)
            await refused(blocks[1], device.number, ORDER)  # its picture has been given up
        elif change == "another block":
            await refused(list(frame(BLOCK + bytes([device.number, count]) + bytes(size))), device.number, ORDER)
        else:
            await refused(list(frame(b"A" + bytes([device.number, 0]) + bytes(size))), device.number, KIND)
        await line.quiet(device.plan["settle"])
        await device.right(2)
    device.report("turns")


@cocotb.test()
async def a_block_is_told_when_it_is_taken(dut: Any) -> None:
    """There is place for another block when the network has taken one, and no byte before."""
    device = await started(dut)
    await device.right(0)
    picture, wanted, beats = device.picture(1)
    blocks, told, result, sent = device.blocks(1), [], b"", 0
    of_block = device.plan["block_bytes"] * len(beats) // len(picture)
    for turn in range(len(blocks) - 1):
        # A beat waits in front of the network: with two less it has not been given the last byte of the block.
        for limit, most, bits in (
            (of_block * (turn + 1) - 2, turn, _REPLY - 30),
            (of_block * (turn + 1), turn + 1, _REPLY + 50),
        ):
            device.network.limit = limit
            while sent < min(len(blocks), turn + 2):
                await device.line.send(blocks[sent])
                sent += 1
            replies = await device.line.quiet(bits)
            told += [reply[2] for reply in replies if reply[:1] == TAKEN]
            result += b"".join(reply[3:] for reply in replies if reply[:1] == RESULT)
            assert told == list(range(most)), f"{told} are told, after {limit} beats"
            device.compared += 1
    device.network.limit = None
    replies = await device.line.quiet(device.plan["settle"])
    told += [reply[2] for reply in replies if reply[:1] == TAKEN]
    result += b"".join(reply[3:] for reply in replies if reply[:1] == RESULT)
    assert (told, result) == (list(range(len(blocks))), wanted), (told, result.hex())
    device.report("told")


async def reset_and_silence(device: Device, cycles: int) -> None:
    """Reset the device: it sends nothing, and gives the network nothing, whatever it has been doing."""
    device.line.stop()
    await axis.reset(device.dut, cycles)
    device.network.taken.clear()
    device.network.silent = False
    await RisingEdge(device.dut.clk)
    device.line.listen()
    assert (int(device.dut.tx.value), int(device.dut.m_axis_tvalid.value)) == (1, 0), "something is sent in reset"
    await device.line.quiet(3 * _BYTE)
    assert not device.line.received, f"{device.line.received.hex()} behind a reset"
    assert not device.network.taken, "the network got a picture behind a reset"
    assert (int(device.dut.busy.value), int(device.dut.line_error.value)) == (0, 0), "busy, or an error, behind a reset"


@cocotb.test()
async def resets_anywhere(dut: Any) -> None:
    """A reset at any moment of a picture: silence, the rest of a frame means nothing, and the next picture is exact."""
    device = await started(dut)
    rng = random.Random(11)
    for count in range(_RESETS):
        device.network.stalls = axis.stalls(rng) if count % 2 else None
        wanted, blocks = device.picture(count)[1], device.blocks(count)
        size = sum(map(len, blocks)) + len(wanted)
        host = cocotb.start_soon(exchange(device.line, device.number, blocks, len(wanted), device.plan["settle"]))
        await ClockCycles(dut.clk, round(rng.uniform(1, 1.5 * _BYTE * size) * device.plan["period"]))
        host.cancel()
        await reset_and_silence(device, rng.randint(1, 3))
        await device.line.send(blocks[0][4:-1])  # the host has not seen the reset
        await device.right(count + 1)
        assert len(device.network.taken) == 1
    assert (int(dut.busy.value), int(dut.line_error.value)) == (0, 0)
    device.report("resets")


@cocotb.test()
async def resets_while_something_waits(dut: Any) -> None:
    """Replies that wait for their turn, a picture that waits for the network, and a byte of one cycle are forgotten."""
    device = await started(dut)
    info, damaged = list(frame(INFO)), list(frame(INFO))
    damaged[-2] ^= 1
    for index, sent in enumerate((info + damaged, info + info, damaged + info + damaged)):
        await device.line.send(sent)
        await device.line.quiet(_BYTE)
        await reset_and_silence(device, index + 1)
        await device.right(index)
    # The number of a second picture waits while the result of the first one does.
    device.network.silent = True
    wanted, blocks = device.picture(0)[1], device.blocks(0)
    host = cocotb.start_soon(exchange(device.line, device.number, blocks, len(wanted), device.plan["settle"]))
    while not device.network.taken:
        await RisingEdge(dut.clk)
    host.cancel()
    await device.line.send(device.blocks(1)[0])
    await ClockCycles(dut.clk, 20)
    await reset_and_silence(device, 1)
    await device.right(1)
    # A block comes for which there is no place.
    device.network.limit = 0
    for block in device.blocks(0):
        await device.line.send(block)
    await device.line.send(device.blocks(1)[0][:-1])
    await reset_and_silence(device, 1)
    device.network.limit = None
    await device.right(1)
    # A picture is open: nobody misses the rest of it, and nobody knows its number.
    await device.line.send(device.blocks(2)[0])
    await device.line.quiet(_BYTE)
    await reset_and_silence(device, 1)
    assert await device.line.quiet(2.5 * _REPLY) == [], "the end of a silence behind a reset is told"
    await device.line.send(damaged)
    assert await device.line.quiet(_REPLY) == [ERROR + bytes([0, DAMAGED])]
    await device.right(3)
    # That a block has been taken is told for one cycle.
    of_block = device.plan["block_bytes"] * len(device.picture(0)[2]) // len(device.picture(0)[0])
    for cycles in range(1, 8):
        device.network.limit = of_block - 2
        await device.line.send(device.blocks(0)[0])
        await device.line.quiet(_BYTE)
        device.network.limit = None
        await ClockCycles(dut.clk, cycles)
        await reset_and_silence(device, 1)
    # The end of a result is told for one cycle too.
    cycles = 0
    for early in range(6):
        for block in device.blocks(0):
            await device.line.send(block)
        if early == 0:
            while int(dut.busy.value):
                await RisingEdge(dut.clk)
                cycles += 1
            await device.line.quiet(device.plan["settle"])
            continue
        await ClockCycles(dut.clk, cycles - early)
        await reset_and_silence(device, 1)
    await device.right(1)
    # A byte is looked at in the middle of its stop bit; what it becomes is in a register for one cycle each.
    period = device.plan["period"]
    ends = ((info, len(info) - 1), (info, len(info)), (damaged, len(info)))
    for (sent, byte), offset in itertools.product(ends, range(2, 12)):
        host = cocotb.start_soon(device.line.send(sent))
        await ClockCycles(dut.clk, round((_BYTE * byte - 0.5) * period) + offset)
        host.cancel()
        await reset_and_silence(device, 1)
        await device.right(offset)
    device.report("waiting")
