"""The workflows are YAML of the right shape, and the nightly one gives the session options that it takes."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest
import yaml
from helpers.project import ROOT
from helpers.random_files import SOURCES
from helpers.random_session import _parser
from helpers.random_session import legs_of as legs_of_seed

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DAY = 86400


def _document(name: str) -> dict[Any, Any]:
    found = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def _command() -> str:
    (job,) = _document("nightly.yml")["jobs"].values()
    (command,) = [step["run"] for step in job["steps"] if "random_files" in step.get("run", "")]
    assert job["strategy"]["matrix"] == {"kind": list(SOURCES)}
    return str(command).replace("${{ matrix.kind }}", "graphs")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_ends(path: Any) -> None:
    document = _document(path.name)
    assert document["permissions"] == {"contents": "read"}
    assert document[True], "what starts it; YAML reads `on` as true"
    for job in document["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 360
        assert all(("uses" in step) != ("run" in step) for step in job["steps"])


def _options(seed: str) -> list[str]:
    """Return the options of the nightly command, as a shell makes them of it."""
    text = f'set -- {_command()}; printf "%s\\n" "$@"'
    environment = {"PATH": "/usr/bin:/bin", "SEED": seed, "SECONDS_LEFT": "60"}
    ran = subprocess.run(["bash", "-euc", text], env=environment, capture_output=True, text=True, check=True)
    words = ran.stdout.splitlines()
    assert words[:4] == ["nox", "-s", "random_files", "--"]
    return words[4:]


def test_the_nightly_command_is_taken_and_begins_where_the_day_says() -> None:
    options = _parser().parse_args(_options(""))
    now = subprocess.run(["date", "-u", "+%s"], capture_output=True, text=True, check=True).stdout
    assert abs(options.seed - int(now) // DAY * 1_000_000) <= 1_000_000
    assert options.seconds == 60
    assert _parser().parse_args(_options("7")).seed == 7
    assert options.record is not None and shlex.quote(str(options.record)) in _command()


def test_a_night_has_every_leg_in_the_shares_that_are_aimed_at() -> None:
    legs = _parser().parse_args(_options("1")).legs
    assert legs == {"golden": 1, "schedule": 1, "csim": 50, "rtl": 10, "netlist": 200}
    counts = {leg: sum(leg in legs_of_seed(seed, legs) for seed in range(10_000)) for leg in legs}
    assert counts["golden"] == 10_000
    assert 900 < counts["rtl"] < 1100
    assert 150 < counts["csim"] < 250
    assert 30 < counts["netlist"] < 70


def test_the_record_and_the_tests_of_what_failed_are_kept() -> None:
    (job,) = _document("nightly.yml")["jobs"].values()
    kept = job["steps"][-1]
    assert kept["uses"].startswith("actions/upload-artifact@") and kept["if"] == "always()"
    options = _parser().parse_args(_options("1"))
    assert {str(options.record.parent), str(options.tests)} == {kept["with"]["path"]}
