"""docs/ci.md: its pipelines are YAML of the right shape, and the command line takes every command in them."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml
from helpers.project import ROOT

from quantunet import cli

_PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
_GITHUB, _GITLAB = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", _PAGE, re.DOTALL))


def github_commands(document: dict[str, Any]) -> list[str]:
    (job,) = document["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


def page_commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", _PAGE, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_both_pipelines_run_the_same_commands() -> None:
    assert github_commands(_GITHUB) == _GITLAB["network"]["script"]
    assert len(github_commands(_GITHUB)) == 4
    (job,) = _GITHUB["jobs"].values()
    assert "QUANTUNET_CACHE" in job["env"]
    assert "QUANTUNET_CACHE" in _GITLAB["network"]["variables"]
    assert _GITHUB[True] == {"pull_request": {"paths": ["models/**", "data/**"]}}  # YAML reads `on` as true


@pytest.mark.parametrize("command", [*github_commands(_GITHUB), *page_commands()])
def test_every_command_is_taken(command: str) -> None:
    words = shlex.split(command)
    if words[:2] == ["pip", "install"]:
        assert words[2:] == ["quantunet[hls,sim]"]
        return
    assert words[0] == "quantunet"
    assert cli.build_parser().parse_args(words[1:]).command == words[1]


def test_the_gates_of_the_page_hold(tmp_path, monkeypatch) -> None:
    """The second command compares with the run of the first."""
    monkeypatch.chdir(tmp_path)
    first, second = (shlex.split(command)[1:] for command in page_commands())
    assert cli.main([*first[:-1], "runs/old"]) == 0
    assert cli.main(second) == 0
