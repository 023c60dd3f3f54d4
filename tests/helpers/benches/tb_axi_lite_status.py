"""cocotb bench of ``qun_axi_lite_status``: every address read and written while every channel of AXI4-Lite stalls."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp
from helpers.benches import axis
from helpers.benches.report import add_to_report

LIMIT = 400 * axis.CLOCK_NS
"""A transaction that takes longer than its stalls can make it is stuck."""


def master_of(dut: Any, rng: random.Random | None) -> AxiLiteMaster:
    """Return a master whose channels stall at random, each by itself, or not at all."""
    master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst_n, reset_active_level=False)
    write, read = master.write_if, master.read_if
    for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel):
        if rng is not None:
            channel.set_pause_generator(axis.stalls(random.Random(rng.random())))
    return master


async def count(dut: Any, counters: dict[str, int], rng: random.Random, beats: int) -> None:
    """Let beats come in frames of any length and frames leave, at random, and count them."""
    length = 0
    while True:
        moves, leaves = rng.random() < 0.7, rng.random() < 0.3
        last = rng.random() < (0.8 if length == beats - 1 else 0.1)
        for name, value in (("beat_in", moves), ("last_in", last), ("frame_out", leaves)):
            getattr(dut, name).value = int(value)
        await RisingEdge(dut.clk)
        counters["out"] += leaves
        length += moves
        if moves and last:
            counters["in"] += 1
            counters["errors"] += length != beats
            length = 0


async def watch_replies(dut: Any) -> None:
    """See that no write is answered before its address and its data have been taken."""
    taken = {"aw": 0, "w": 0, "b": 0}
    while True:
        await RisingEdge(dut.clk)
        assert not int(dut.s_axi_bvalid.value) or min(taken["aw"], taken["w"]) > taken["b"], f"answered early: {taken}"
        for channel in taken:
            valid, ready = (getattr(dut, f"s_axi_{channel}{name}").value for name in ("valid", "ready"))
            taken[channel] += int(valid) and int(ready)


async def prepared(dut: Any) -> dict[str, int]:
    """Start the clock, reset the module, and return what it was built for."""
    dut.beat_in.value = dut.last_in.value = dut.frame_out.value = 0
    await axis.start(dut)
    await RisingEdge(dut.clk)
    plan: dict[str, int] = json.loads(Path("plan.json").read_text(encoding="utf-8"))
    return plan


def constants(plan: dict[str, int]) -> dict[int, int]:
    """Return the registers that do not change, by their addresses."""
    digest = plan["digest"]
    return {0x00: 0x51554E54, 0x04: 1, 0x08: digest & 0xFFFFFFFF, 0x0C: digest >> 32}


async def check_constants(dut: Any, rng: random.Random | None, rounds: int) -> int:
    """Read every address in random order; return how many reads were compared."""
    plan, master, compared = await prepared(dut), master_of(dut, rng), 0
    order = random.Random(1)
    expected = {**constants(plan), 0x10: 0, 0x14: 0, 0x18: 0}
    for _ in range(rounds):
        addresses = order.sample(range(0, 64, 4), 16)
        reads = [cocotb.start_soon(master.read(address, 4)) for address in addresses]  # the master waits for none
        for address, read in zip(addresses, reads, strict=True):
            found = await with_timeout(read, LIMIT, "ns")
            value = int.from_bytes(found.data, "little")
            assert value == expected.get(address, 0), f"{address:#x}: {value:#x}"
            assert found.resp == (AxiResp.OKAY if address in expected else AxiResp.SLVERR), f"{address:#x}"
            compared += 1
    return compared


@cocotb.test()
async def a_master_breaks_the_protocol(dut: Any) -> None:
    """An address and data are taken back or changed while they wait: assertions say so."""
    await prepared(dut)
    for name in ("awaddr", "wdata", "wstrb", "araddr", "rready", "bready"):
        getattr(dut, f"s_axi_{name}").value = 0
    for name in ("awvalid", "wvalid", "arvalid"):
        getattr(dut, f"s_axi_{name}").value = 1
    await ClockCycles(dut.clk, 6)  # the first read and the first write wait for their masters, and a second one behind
    assert not (int(dut.s_axi_awready.value) or int(dut.s_axi_wready.value) or int(dut.s_axi_arready.value))
    dut.s_axi_araddr.value = 4
    dut.s_axi_wdata.value = 1
    dut.s_axi_awvalid.value = 0
    await ClockCycles(dut.clk, 3)


@cocotb.test()
async def every_address_is_read_at_full_speed(dut: Any) -> None:
    """Registers hold what they should, and other addresses are refused."""
    add_to_report("full_speed", await check_constants(dut, None, 2))


@cocotb.test()
async def every_address_is_read_under_stalls(dut: Any) -> None:
    """Likewise while every channel stalls at random."""
    add_to_report("stalls", await check_constants(dut, random.Random(2), 6))


@cocotb.test()
async def writes_are_refused_and_change_nothing(dut: Any) -> None:
    """A write to every address, address and data in any order, is answered with SLVERR; reads go on meanwhile."""
    rng = random.Random(3)
    plan, master, compared = await prepared(dut), master_of(dut, rng), 0
    cocotb.start_soon(watch_replies(dut))
    for address in rng.sample(range(0, 64, 4), 16) * 3:
        write = cocotb.start_soon(master.write(address, rng.randbytes(4)))
        found = await with_timeout(master.read(0x08, 4), LIMIT, "ns")
        assert int.from_bytes(found.data, "little") == constants(plan)[0x08]
        answer = await with_timeout(write, LIMIT, "ns")
        assert answer.resp == AxiResp.SLVERR, f"{address:#x}: {answer.resp}"
        compared += 2
    for address, value in {**constants(plan), 0x10: 0, 0x14: 0, 0x18: 0}.items():
        assert await with_timeout(master.read_dword(address), LIMIT, "ns") == value
        compared += 1
    add_to_report("writes", compared)


@cocotb.test()
async def frames_and_errors_are_counted(dut: Any) -> None:
    """Counters hold a number between those before and after the read, and the last one exactly; reset clears them."""
    rng = random.Random(4)
    plan = await prepared(dut)
    master, compared = master_of(dut, rng), 0
    counters = {"in": 0, "out": 0, "errors": 0}
    addresses = {"in": 0x10, "out": 0x14, "errors": 0x18}
    task = cocotb.start_soon(count(dut, counters, rng, plan["beats"]))
    for _ in range(20):
        for name, address in addresses.items():
            before = counters[name]
            value = await with_timeout(master.read_dword(address), LIMIT, "ns")
            assert before - 1 <= value <= counters[name], f"{name}: {before}, {value}, {counters[name]}"
            compared += 1
    task.cancel()
    dut.beat_in.value = dut.frame_out.value = 0
    await ClockCycles(dut.clk, 3)
    assert counters["in"] > counters["errors"] + 5 and min(counters.values()) > 20 and len(set(counters.values())) == 3
    for name, address in addresses.items():
        assert await with_timeout(master.read_dword(address), LIMIT, "ns") == counters[name], name
        compared += 1
    await axis.reset(dut)
    for name, address in addresses.items():
        assert await with_timeout(master.read_dword(address), LIMIT, "ns") == 0, name
        compared += 1
    add_to_report("frames", compared)


@cocotb.test()
async def every_channel_is_reset(dut: Any) -> None:
    """A reset while a read and half a write wait, within a frame, leaves none of them behind."""
    plan = await prepared(dut)
    names = ("araddr", "awaddr", "wdata", "wstrb", "rready", "bready", "arvalid", "awvalid", "wvalid")
    drive = {name: getattr(dut, f"s_axi_{name}") for name in names}
    for signal in drive.values():
        signal.value = 0
    compared = 0
    for first, second in (("awvalid", "wvalid"), ("wvalid", "awvalid")):
        drive["arvalid"].value = drive[first].value = dut.beat_in.value = 1
        await RisingEdge(dut.clk)
        drive["arvalid"].value = drive[first].value = dut.beat_in.value = 0
        await ClockCycles(dut.clk, 2)
        assert int(dut.s_axi_rvalid.value), "the read was not taken"
        await axis.reset(dut)
        await RisingEdge(dut.clk)
        assert not int(dut.s_axi_rvalid.value), "a read from before the reset is answered"
        drive[second].value = 1
        await RisingEdge(dut.clk)
        drive[second].value = 0
        await ClockCycles(dut.clk, 3)
        assert not int(dut.s_axi_bvalid.value), "half a write is answered, with what came before the reset"
        await axis.reset(dut)
        for beat in range(plan["beats"]):
            dut.beat_in.value, dut.last_in.value = 1, int(beat == plan["beats"] - 1)
            await RisingEdge(dut.clk)
        dut.beat_in.value = dut.last_in.value = 0
        drive["araddr"].value, drive["arvalid"].value, drive["rready"].value = 0x18, 1, 1
        await RisingEdge(dut.clk)
        drive["arvalid"].value = 0
        await RisingEdge(dut.clk)
        found = int(dut.s_axi_rdata.value)
        assert found == 0, f"{found} errors in a frame that a reset began"
        drive["rready"].value = 0
        await ClockCycles(dut.clk, 2)
        compared += 3
    add_to_report("reset", compared)


@cocotb.test()
async def writes_may_overlap(dut: Any) -> None:
    """What comes while a reply waits is taken behind it, and answered with its own half; a reset takes a reply back."""
    await prepared(dut)
    for name in ("araddr", "awaddr", "wdata", "wstrb", "rready", "bready", "arvalid"):
        getattr(dut, f"s_axi_{name}").value = 0
    address, data, ready = dut.s_axi_awvalid, dut.s_axi_wvalid, dut.s_axi_bready
    address.value = data.value = 1
    await RisingEdge(dut.clk)
    address.value = data.value = 0
    await ClockCycles(dut.clk, 2)
    assert int(dut.s_axi_bvalid.value), "a write is not answered"
    data.value = 1
    await ClockCycles(dut.clk, 2)
    assert not int(dut.s_axi_wready.value), "data are taken while a reply waits"
    assert not int(dut.s_axi_awready.value), "an address is taken while a reply waits"
    ready.value = 1
    await ClockCycles(dut.clk, 2)
    assert int(dut.s_axi_wready.value), "data are not taken behind the reply"
    data.value = 0
    await ClockCycles(dut.clk, 3)
    assert not int(dut.s_axi_bvalid.value), "data without an address are answered"
    ready.value, address.value = 0, 1
    await RisingEdge(dut.clk)
    address.value = 0
    await ClockCycles(dut.clk, 3)
    assert int(dut.s_axi_bvalid.value), "an address behind its data is not answered"
    await axis.reset(dut)
    await RisingEdge(dut.clk)
    assert not int(dut.s_axi_bvalid.value), "a write from before the reset is answered"
    add_to_report("overlap", 7)
