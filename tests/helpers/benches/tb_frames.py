"""cocotb bench of a design with one input and one output: any beats and ``tlast`` in, whole frames out."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from helpers.benches import axis
from helpers.benches.scenarios import rng_for


@cocotb.test()
async def frames_come_as_planned(dut: Any) -> None:
    """After a reset each plan's runs of beats, each ended by ``tlast``, make exactly the frames that are expected."""
    plans = json.loads(Path("plans.json").read_text(encoding="utf-8"))
    source, sink = axis.source(dut, "s_axis"), axis.sink(dut, "m_axis")
    await axis.start(dut)
    report = []
    for plan in plans:
        await axis.reset(dut)
        assert not dut.frame_error.value, f"{plan['name']}: reset does not clear the error"
        for driver in (source, sink):
            driver.clear()
            driver.set_pause_generator(
                axis.stalls(rng_for(plan["name"], driver)) if plan["stalls"] == "random" else None
            )
            driver.pause = False
        if plan["stalls"] == "wait":
            sink.set_pause_generator(axis.until_valid(dut.m_axis_tvalid, dut.m_axis_tready))
        for run in plan["sent"]:
            source.send_nowait(list(run))
        compared = 0
        for number, expected in enumerate(plan["expected"]):
            frame = await with_timeout(sink.recv(compact=False), plan["cycles"] * axis.CLOCK_NS, "ns")
            got = list(frame.tdata)
            assert got == expected, f"{plan['name']}: frame {number} is {got}, not {expected}"
            compared += len(expected)
        await ClockCycles(dut.clk, plan["quiet"])
        assert (sink.count(), source.count()) == (0, 0), f"{plan['name']}: more came, or something was not taken"
        error = bool(dut.frame_error.value)
        assert error == plan["error"], f"{plan['name']}: an error where none is, or none where one is"
        report.append({"name": plan["name"], "compared": compared, "error": error})
    Path("frames.json").write_text(json.dumps(report), encoding="utf-8")


@cocotb.test()
async def reset_in_mid_frame(dut: Any) -> None:
    """A reset in every cycle of a frame that is too short, too long or right leaves nothing behind."""
    plans = json.loads(Path("plans.json").read_text(encoding="utf-8"))
    source, sink = axis.source(dut, "s_axis"), axis.sink(dut, "m_axis")
    plan = plans[0]
    (frame, more, *_), expected = plan["sent"], plan["expected"][0]
    await axis.start(dut)
    for run, cycles in itertools.product((frame, frame[: len(frame) // 2], frame + more), range(1, 2 * len(frame))):
        source.send_nowait(list(run))
        await ClockCycles(dut.clk, cycles)
        source.clear()
        await axis.reset(dut)
        sink.clear()
        source.send_nowait(list(frame))
        where = f"a reset {cycles} cycles behind the begin of {len(run)} beats"
        got = await with_timeout(sink.recv(compact=False), plan["cycles"] * axis.CLOCK_NS, "ns")
        assert list(got.tdata) == expected, f"{where}: {list(got.tdata)}, not {expected}"
        await ClockCycles(dut.clk, 2)
        assert sink.empty() and not dut.frame_error.value, f"{where}: more came, or an error"


@cocotb.test()
async def tlast_without_tvalid(dut: Any) -> None:
    """What tlast is without a beat means nothing, behind the end of a frame that is too long above all."""
    plan = json.loads(Path("plans.json").read_text(encoding="utf-8"))[0]
    frame, expected = plan["sent"][0], plan["expected"][0]
    sink = axis.sink(dut, "m_axis")
    await axis.start(dut)
    right = [(value, index == len(frame) - 1) for index, value in enumerate(frame)]
    too_long = [*((value, False) for value in frame), *[(frame[0], False)] * 2, (frame[0], True)]
    for value, last in (*right, *too_long, *right):
        dut.s_axis_tdata.value, dut.s_axis_tvalid.value, dut.s_axis_tlast.value = value, 1, int(last)
        await RisingEdge(dut.clk)
        while not dut.s_axis_tready.value:
            await RisingEdge(dut.clk)
        dut.s_axis_tvalid.value, dut.s_axis_tlast.value = 0, 1
        await ClockCycles(dut.clk, 2)
    for number in range(3):
        got = await with_timeout(sink.recv(compact=False), plan["cycles"] * axis.CLOCK_NS, "ns")
        assert list(got.tdata) == expected, f"frame {number} is {list(got.tdata)}, not {expected}"
    await ClockCycles(dut.clk, plan["quiet"])
    assert sink.empty() and dut.frame_error.value, "more came, or what was too long is not told"
