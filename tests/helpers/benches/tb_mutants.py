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
from pathlib import Path
from typing import Any

import cocotb

PLAN_FILE = "mutants.json"
FOUND_FILE = "mutants.jsonl"

_PASSED = 77
_FAILED = 78
_REASON = re.compile(r"(?:AssertionError|SimTimeoutError|Assertion failed in|%Error|%Fatal)[^\n]*")
_ORDER = ("random_stalls", "full_speed")


def scenario_names(bench: Any) -> list[str]:
    """Return the names of a bench's scenarios, those first that find most; the order is otherwise that of the file."""
    names = [name for name, each in vars(bench).items() if isinstance(each, type(mutants))]
    return sorted(names, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))


@cocotb.test()
async def mutants(dut: Any) -> None:
    """Select each mutant in turn and run scenarios until one fails."""
    plan = json.loads(Path(PLAN_FILE).read_text(encoding="utf-8"))
    bench = importlib.import_module(plan["bench"])
    with Path(FOUND_FILE).open("a", encoding="utf-8") as file:
        for number in plan["numbers"]:
            line: dict[str, object] = {"number": number, "scenario": "", "reason": "", "seconds": 0.0}
            for name in scenario_names(bench):
                sys.stdout.flush()
                file.flush()
                child = os.fork()
                if child == 0:
                    _begin(number, plan["seconds"])
                    dut.mutant.value = number
                    await _scenario(getattr(bench, name), dut)
                _, status, usage = os.wait4(child, 0)
                line["seconds"] = round(float(str(line["seconds"])) + usage.ru_utime + usage.ru_stime, 3)
                reason = _reason(number, status)
                if reason:
                    line |= {"scenario": name, "reason": reason}
                    break
            file.write(json.dumps(line) + "\n")


async def _scenario(scenario: Any, dut: Any) -> None:
    """Run a scenario and end the process: a fork has none of the threads that the simulator's own end waits for."""
    # A task beside the scenario that fails ends the test, and with it the simulation, without coming back here.
    atexit.register(os._exit, _FAILED)
    try:
        await scenario.func(dut)
    except Exception as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
        sys.stdout.flush()
        os._exit(_FAILED)
    sys.stdout.flush()
    os._exit(_PASSED)


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
