"""The cocotb tests that every module goes through; ``tb_<op>`` adds those that only one op has.

Each test drives all cases of ``cases.json`` side by side and writes a line for each case to ``report.jsonl``.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge, SimTimeoutError, with_timeout
from helpers.benches import axis
from helpers.benches.cases import CASES_FILE, REPORT_FILE

CaseData = dict[str, Any]

_IDLE_CYCLES = 64
"""Cycles after the last beat in which nothing more may come."""

_RESETS = 8
"""Places in a frame at which the reset comes."""


def load_cases() -> list[CaseData]:
    """Return the cases of this simulation."""
    cases: list[CaseData] = json.loads(Path(CASES_FILE).read_text(encoding="utf-8"))
    assert cases, "no cases to run"
    return cases


def report(scenario: str, case: int, values_compared: int, **details: int) -> None:
    """Add the outcome of one case to the report."""
    assert values_compared > 0, "nothing was compared"
    line = {"scenario": scenario, "case": case, "values_compared": values_compared, "details": details}
    with Path(REPORT_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def rng_for(*where: object) -> random.Random:
    """Return a generator that depends on the run's seed and on where it is used."""
    return random.Random(f"{cocotb.RANDOM_SEED}:{where}")  # noqa: S311


class CaseBench:
    """The drivers, readers and watches of one case."""

    def __init__(self, dut: Any, case: CaseData) -> None:
        self.dut = dut
        self.case = case
        self.title = f"{case['name']} {case['module']} {case['params']}"
        self.sources = {port["stream"]: axis.source(dut, port["stream"]) for port in case["inputs"]}
        self.sinks = {port["stream"]: axis.sink(dut, port["stream"]) for port in case["outputs"]}
        self.watches: dict[str, axis.Watch] = {}

    def watch(self) -> None:
        """Count handshakes and check the protocol from now on."""
        self.stop_watching()
        self.watches = {name: axis.Watch(self.dut, name, driven_by_design=False) for name in self.sources}
        self.watches |= {name: axis.Watch(self.dut, name, driven_by_design=True) for name in self.sinks}

    def stop_watching(self) -> None:
        """End the watches; one that found a violation has already failed the test."""
        for watch in self.watches.values():
            watch.stop()

    def stall(self, scenario: str, *, sources: bool = True, sinks: bool = True) -> None:
        """Pause sources and sinks at random, each in its own way."""
        for drivers, on in ((self.sources, sources), (self.sinks, sinks)):
            for name, driver in drivers.items():
                driver.set_pause_generator(axis.stalls(rng_for(scenario, name)) if on else None)
                driver.pause = False

    def wait_for_valid(self) -> None:
        """Let each sink offer tready only once it has seen a beat, and again for the next one."""
        for name, reader in self.sinks.items():
            valid, ready = (getattr(self.dut, f"{name}_{signal}") for signal in ("tvalid", "tready"))
            reader.set_pause_generator(axis.until_valid(valid, ready))

    def flow(self) -> None:
        """Let sources and sinks run without a pause."""
        self.stall("", sources=False, sinks=False)

    def send(self) -> None:
        """Queue every frame, one right after the other."""
        for port in self.case["inputs"]:
            for frame in port["frames"]:
                self.sources[port["stream"]].send_nowait(list(frame))

    def clear(self) -> None:
        """Forget what has not been sent and what has been received."""
        for driver in (*self.sources.values(), *self.sinks.values()):
            driver.clear()

    @property
    def beats(self) -> int:
        """Beats of all frames on all ports: with stalls, a bound for the time that they take."""
        ports = (*self.case["inputs"], *self.case["outputs"])
        cycles = self.case["cycles"]["predicted"] * len(ports[0]["frames"]) if self.case["cycles"] else 0
        return max(cycles, sum(len(frame) for port in ports for frame in port["frames"]))

    async def receive(self) -> int:
        """Compare every frame with what is expected; return the integers compared."""
        compared = 0
        limit = (40 * self.beats + 2000) * axis.CLOCK_NS
        for port in self.case["outputs"]:
            for number, expected in enumerate(port["frames"]):
                where = f"{self.title}: {port['stream']} frame {number}"
                try:
                    frame = await with_timeout(self.sinks[port["stream"]].recv(compact=False), limit, "ns")
                except SimTimeoutError:
                    raise AssertionError(f"{where}: did not come") from None  # noqa: EM102
                compared += self._compare(where, port["lanes"], expected, list(frame.tdata))
        return compared

    def _compare(self, where: str, lanes: int, expected: list[int], got: list[int]) -> int:
        for beat, (want, have) in enumerate(zip(expected, got, strict=False)):
            assert want == have, f"{where} beat {beat}: expected {want:#x}, got {have:#x}"
        assert len(expected) == len(got), f"{where}: tlast expected after {len(expected)} beats, got after {len(got)}"
        return len(got) * lanes

    def nothing_extra(self) -> None:
        """Check that every beat was taken once and that no more came out."""
        for port in (*self.case["inputs"], *self.case["outputs"]):
            name = port["stream"]
            expected = sum(len(frame) for frame in port["frames"])
            beats = len(self.watches[name].handshakes)
            assert beats == expected, f"{self.title}: {name}: expected {expected} handshakes in all, got {beats}"
        for name, reader in self.sinks.items():
            assert reader.empty(), f"{self.title}: {name}: an extra frame came"


async def benches(dut: Any) -> list[CaseBench]:
    """Return the bench of every case, after a reset."""
    found = [CaseBench(dut, case) for case in load_cases()]
    await axis.start(dut)
    return found


async def exchange(dut: Any, found: list[CaseBench]) -> list[int]:
    """Send and compare all frames of all cases side by side, then see that nothing more comes."""
    for bench in found:
        bench.watch()
        bench.send()
    tasks = [cocotb.start_soon(bench.receive()) for bench in found]
    compared = [await task for task in tasks]
    for bench in found:
        bench.flow()
    await ClockCycles(dut.clk, _IDLE_CYCLES)
    for bench in found:
        bench.nothing_extra()
        bench.stop_watching()
    return compared


@cocotb.test()
async def full_speed(dut: Any) -> None:
    """Adjacent frames without stalls take exactly the predicted cycles."""
    found = await benches(dut)
    await ClockCycles(dut.clk, 2)
    compared = await exchange(dut, found)
    for index, (bench, count) in enumerate(zip(found, compared, strict=True)):
        report("full_speed", index, count, **_measure(bench))


def _measure(bench: CaseBench) -> dict[str, int]:
    """Return the measured cycles, after asserting that they are the predicted ones."""
    case = bench.case
    begin = min(bench.watches[port["stream"]].handshakes[0] for port in case["inputs"])
    ends: list[list[int]] = []
    for port in case["outputs"]:
        handshakes = bench.watches[port["stream"]].handshakes
        beats = len(port["frames"][0])
        ends.append(handshakes[beats - 1 :: beats])
    frame_ends = [max(each) for each in zip(*ends, strict=True)]
    first = min(bench.watches[port["stream"]].handshakes[0] for port in case["outputs"])
    measured = {"predicted": frame_ends[0] - begin + 1, "first_output": first - begin + 1}
    if len(frame_ends) > 1:
        measured["ideal"] = frame_ends[-1] - frame_ends[-2]
    if case["cycles"] is not None:
        expected = {key: case["cycles"][key] for key in measured}
        assert measured == expected, f"{bench.title}: cycles expected {expected}, got {measured}"
    return {"cycles": measured["predicted"], "first_output": measured["first_output"]}


@cocotb.test()
async def random_stalls(dut: Any) -> None:
    """Random pauses on both sides, after a start in which no sink is ready until every output is offered."""
    found = await benches(dut)
    for bench in found:
        for reader in bench.sinks.values():
            reader.pause = True
        bench.watch()
        bench.send()
    longest = max(bench.beats for bench in found)
    for _ in range(longest // 8 + 8):
        await ClockCycles(dut.clk, 16)
        if all(bench.watches[name].offered for bench in found for name in bench.sinks):
            break
    tasks = []
    for bench in found:
        for name in bench.sinks:
            assert bench.watches[name].offered, f"{bench.title}: {name}: tvalid waits for tready"
            assert not bench.watches[name].handshakes, f"{bench.title}: {name}: a handshake without tready"
        bench.stall("random_stalls")
        tasks.append(cocotb.start_soon(bench.receive()))
    compared = [await task for task in tasks]
    for bench in found:
        bench.flow()
    await ClockCycles(dut.clk, _IDLE_CYCLES)
    for index, (bench, count) in enumerate(zip(found, compared, strict=True)):
        bench.nothing_extra()
        bench.stop_watching()
        report("random_stalls", index, count)


@cocotb.test()
async def sinks_that_wait(dut: Any) -> None:
    """No sink is ready before it has seen a beat, nor still ready when the next one comes; AXI4-Stream allows that."""
    found = await benches(dut)
    for bench in found:
        bench.wait_for_valid()
    for index, count in enumerate(await exchange(dut, found)):
        report("sinks_that_wait", index, count)


@cocotb.test()
async def reset_in_mid_frame(dut: Any) -> None:
    """Resets at random places in a frame leave nothing behind: all frames that follow are right.

    Every second reset hits a unit that a reset has just left, the others one that has worked through whole frames.
    """
    found = await benches(dut)
    rng = rng_for("reset_in_mid_frame")
    shortest = min(len(bench.case["inputs"][0]["frames"][0]) for bench in found)
    longest = max(len(bench.case["inputs"][0]["frames"][0]) for bench in found)
    compared: list[int] = []
    for attempt in range(_RESETS):
        cycles = rng.randint(1, shortest) if attempt < 2 else rng.randint(1, longest + 8)
        for bench in found:
            bench.stall(f"reset {attempt}", sinks=attempt % 4 > 0)
            bench.watch()
            bench.send()
        await ClockCycles(dut.clk, cycles + 4)
        for bench in found:
            bench.stop_watching()
            bench.clear()
        await axis.reset(dut, rng.randint(1, 3))
        for bench in found:
            bench.clear()
            bench.flow()
        await RisingEdge(dut.clk)
        for bench in found:
            for name in bench.sinks:
                valid = int(getattr(dut, f"{name}_tvalid").value)
                assert not valid, f"{bench.title}: {name}: tvalid is high after the reset"
        if attempt % 2:
            compared = await exchange(dut, found)
    for index, count in enumerate(compared):
        report("reset_in_mid_frame", index, count)
