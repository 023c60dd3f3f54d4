"""Runs the scenarios of another bench on mutants, one after another, in one simulation that is built and started once.

Before anything has happened the simulator's process forks: each child selects a mutant, runs a scenario from the
beginning and ends. What is not a pass, a failed assertion of the hardware's own and too long a run among it, has found
the mutant. ``mutants.json`` says what is to be done, and ``mutants.jsonl`` what came out.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import re
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import with_timeout
from cocotb.utils import get_sim_time
from helpers.benches.cases import CASES_FILE
from helpers.benches.scenarios import load_cases

PLAN_FILE = "mutants.json"
FOUND_FILE = "mutants.jsonl"

_LONGEST = 300
_START = 2
_TIMES = 5
"""Bounds in seconds of processor time: of the hardware itself, and of a mutant, so many times as long."""

_SLOWER = 2
"""Bound in simulated time: how many times as long as the hardware itself a mutant may take for a scenario."""

_PASSED = 77
_FAILED = 78
_REASON = re.compile(r"(?:AssertionError|SimTimeoutError|Assertion failed in|%Error|%Fatal)[^\n]*")
_ORDER = ("full_speed", "random_stalls")


def scenario_names(bench: Any, tests: str) -> list[str]:
    """Return the names of a bench's scenarios, in the order of the file."""
    return [name for name, each in vars(bench).items() if isinstance(each, type(mutants)) and re.fullmatch(tests, name)]


def in_order(names: list[str], cost: dict[str, float]) -> list[str]:
    """Return scenarios, those first that find most, then those that take least time."""
    return sorted(names, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), cost[name]))


@dataclass
class Run:
    """A mutant on its way through the scenarios.

    Attributes:
        number: The mutant.
        scenarios: Those that it has not passed, the one that runs among them.
        seconds: Processor time of those that have ended.
    """

    number: int
    scenarios: list[str]
    seconds: float = 0.0


@cocotb.test()
async def mutants(dut: Any) -> None:
    """Select each mutant in turn, several side by side, and run scenarios until one fails."""
    plan = json.loads(Path(PLAN_FILE).read_text(encoding="utf-8"))
    bench = importlib.import_module(plan["bench"])
    # The hardware without a mutant comes first and alone: it has to pass, and says how long a mutant may take.
    names = scenario_names(bench, plan["tests"])
    assert names, f"no scenario {plan['tests']}"
    waiting = [Run(number, [*names]) for number in (*reversed(plan["numbers"]), 0)]
    running: dict[int, Run] = {}
    cost: dict[str, float] = {}
    jobs, bound = 1, _LONGEST
    while waiting or running:
        if waiting and len(running) < jobs:
            run = waiting.pop()
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                _begin(run.number, bound)
                dut.mutant.value = run.number
                await _scenario(getattr(bench, run.scenarios[0]), dut, run.number)
            running[child] = run
            continue
        child, status, usage = os.wait4(-1, 0)
        run = running.pop(child)
        seconds = usage.ru_utime + usage.ru_stime
        run.seconds += seconds
        reason = _reason(run.number, status)
        scenario = run.scenarios.pop(0)
        cost.setdefault(scenario, seconds)
        if run.scenarios and not reason:
            waiting.append(run)
            continue
        line = {
            "number": run.number,
            "scenario": reason and scenario,
            "reason": reason,
            "seconds": round(run.seconds, 3),
        }
        with Path(FOUND_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        if run.number == 0:
            assert not reason, f"{scenario} fails without a mutant: {reason}"
            jobs, bound = plan["jobs"], _START + round(_TIMES * run.seconds)
            for each in waiting:
                each.scenarios = in_order(names, cost)


async def _scenario(scenario: Any, dut: Any, number: int) -> None:
    """Run a scenario and end the process: a fork has none of the threads that the simulator's own end waits for."""
    # A task beside the scenario that fails ends the test, and with it the simulation, without coming back here.
    atexit.register(os._exit, _FAILED)
    times = Path(f"{scenario.name}.time")
    try:
        if number:
            await with_timeout(scenario.func(dut), _most(scenario.name, int(times.read_text(encoding="ascii"))), "step")
        else:
            await scenario.func(dut)
    except Exception as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
        sys.stdout.flush()
        os._exit(_FAILED)
    if number == 0:
        times.write_text(str(get_sim_time("step")), encoding="ascii")
    sys.stdout.flush()
    os._exit(_PASSED)


def _most(scenario: str, taken: int) -> int:
    """Return how long a mutant may take, in simulated steps, for what takes the hardware itself so long.

    Where cycles are predicted, what takes longer at full speed is wrong; the bench would wait for what never comes.
    """
    exact = scenario == "full_speed" and Path(CASES_FILE).is_file() and all(case["cycles"] for case in load_cases())
    return taken + 1 if exact else _SLOWER * taken


def _log(number: int) -> Path:
    return Path(f"mutant{number}.log")


def _begin(number: int, seconds: int) -> None:
    """Turn a child's output to a file of its own and bound its processor time."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    file = os.open(_log(number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)


def _reason(number: int, status: int) -> str:
    """Return why a child did not pass, or nothing."""
    log = _log(number)
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    log.unlink(missing_ok=True)
    said = _REASON.search(text)
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}" + (f": {said[0]}" if said else "")
    if os.WEXITSTATUS(status) != _PASSED or said:
        return said[0][:160] if said else f"code {os.WEXITSTATUS(status)}: {text[-120:]!r}"
    return ""
