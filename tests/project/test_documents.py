"""What the documents say exists: sessions, sub-commands, options, files."""

from __future__ import annotations

import ast
import re
import shlex

import pytest
from helpers.project import ROOT, parse, tracked_files

from quantunet.cli import build_parser

DOCUMENTS = [path for path in tracked_files() if path.endswith(".md")]


def text_of(path: str) -> str:
    """Return a document."""
    return (ROOT / path).read_text(encoding="utf-8")


def sessions() -> set[str]:
    """Return the names of the nox sessions."""
    return {
        node.name
        for node in parse("noxfile.py").body
        if isinstance(node, ast.FunctionDef) and any("session" in ast.unparse(mark) for mark in node.decorator_list)
    }


def subcommands() -> set[str]:
    """Return the names of the sub-commands of ``quantunet``."""
    action = next(action for action in build_parser()._actions if action.dest == "command")
    assert action.choices
    return set(action.choices)


def commands(path: str) -> list[str]:
    """Return the command lines in a document's code blocks."""
    blocks = re.findall(r"^```(?:console|bash|sh)\n(.*?)^```", text_of(path), flags=re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").strip() for line in lines if line.strip() and not line.startswith("#")]


def test_the_readme_has_the_two_commands() -> None:
    found = commands("README.md")
    assert "pip install nox && nox -s cosim" in found
    assert "nox -s tests" in found


def named_sessions(path: str) -> set[str]:
    """Return the sessions that a document names."""
    named = re.findall(r"\bnox -s ((?:\w+)(?: \w+)*)", text_of(path))
    return {name for names in named for name in names.split()}


def named_subcommands(path: str) -> set[str]:
    """Return the sub-commands that a document names, in code blocks and in sentences."""
    named = {line.split()[1] for line in commands(path) if line.startswith("quantunet ")}
    return named | set(re.findall(r"`quantunet ([a-z][a-z_-]*)", text_of(path)))


def command_lines(path: str) -> list[str]:
    """Return the command lines of ``quantunet``, without its name, and those that go to it by a session."""
    lines = [line.removeprefix("quantunet ") for line in commands(path) if line.startswith("quantunet ")]
    lines += [f"{name} {options}" for name, options in re.findall(r"\bnox -s (\w+) -- ([^`\n]+)", text_of(path))]
    return [line for line in lines if line.split()[0] in subcommands()]


def links(path: str) -> list[str]:
    """Return the files that a document links to."""
    return re.findall(r"\]\((?!https?://)([^)#]+)", text_of(path))


def test_what_the_documents_name_is_found() -> None:
    """The other tests of this file would pass over documents in which nothing is recognised."""
    assert set().union(*map(named_sessions, DOCUMENTS)) == sessions()
    assert set().union(*map(named_subcommands, DOCUMENTS)) == subcommands()
    assert sum(len(command_lines(path)) for path in DOCUMENTS) >= 15
    assert sum(len(links(path)) for path in DOCUMENTS) >= 20


@pytest.mark.parametrize("path", DOCUMENTS)
def test_named_sessions_exist(path: str) -> None:
    assert named_sessions(path) - sessions() == set()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_named_subcommands_exist(path: str) -> None:
    assert named_subcommands(path) - subcommands() == set()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_command_lines_parse(path: str) -> None:
    """Options and arguments in the documents are ones that the command line has."""
    for line in command_lines(path):
        build_parser().parse_args(shlex.split(line.removesuffix(" ...")))


@pytest.mark.parametrize("path", DOCUMENTS)
def test_linked_files_exist(path: str) -> None:
    folder = (ROOT / path).parent
    assert [link for link in links(path) if not (folder / link).exists()] == []


def test_every_session_is_in_the_readme() -> None:
    assert {name for name in sessions() if f"nox -s {name}" not in text_of("README.md")} == set()
