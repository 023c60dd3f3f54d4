"""What the generator of mutants has to know of the whole library: ports, shapes of signals, constant functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from helpers.mutants.tree import Node, parse

CONSTANT = frozenset(
    {
        "kParamDeclaration",
        "kPackedDimensions",
        "kUnpackedDimensions",
        "kDimensionRange",
        "kGenerateIfHeader",
        "kLoopGenerateConstruct",
        "kActualParameterList",
        "kEnumNameList",
        "kTypeDeclaration",
    }
)
"""Kinds of nodes in which a simulator wants constants."""

_CONDITION = re.compile(r"^`(ifdef|ifndef|endif)\b(?: +(\w+))?", re.MULTILINE)


@dataclass(frozen=True)
class Module:
    """One file of the library.

    Attributes:
        name: The module or package.
        text: The file.
        tree: Its tree.
        dimensions: How many dimensions each signal has; ``None`` where its type has a name.
        inputs: The input ports.
        skipped: Stretches of the text that only assertions need.
    """

    name: str
    text: str
    tree: Node
    dimensions: dict[str, int | None] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()
    skipped: tuple[tuple[int, int], ...] = ()

    def of(self, node: Node) -> str:
        """Return the text of a node."""
        return self.text[node.start : node.end]


@dataclass(frozen=True)
class Library:
    """All modules by name, and the functions that something constant calls."""

    modules: dict[str, Module]
    constant_functions: frozenset[str]


def read_library(folder: Path) -> Library:
    """Parse every module of a folder.

    Raises:
        ParseError: A file cannot be parsed.
    """
    trees = parse(sorted(folder.glob("*.sv")))
    modules = {file.stem: _module(file, tree) for file, tree in trees.items()}
    return Library(modules, _constant_functions(modules))


def _module(file: Path, tree: Node) -> Module:
    text = file.read_text(encoding="ascii")
    dimensions: dict[str, int | None] = {}
    inputs = set()
    for node in tree.walk():
        if node.tag == "kPortDeclaration":
            name = next(text[each.start : each.end] for each in node.children if each.tag == "kUnqualifiedId")
            dimensions[name] = _dimensions(node)
            if node.children[0].tag == "input":
                inputs.add(name)
        elif node.tag == "kDataDeclaration":
            for each in node.walk():
                if each.tag == "kRegisterVariable":
                    packed = _dimensions(node)
                    unpacked = sum(found.tag in _DIMENSION for found in each.walk())
                    dimensions[_identifier(text, each)] = None if packed is None else packed + unpacked
    return Module(file.stem, text, tree, dimensions, frozenset(inputs), _skipped(text))


def _skipped(text: str) -> tuple[tuple[int, int], ...]:
    """Return from where to where stands what depends on assertions, both ways: benches have them."""
    found, depth, begin = [], 0, 0
    for each in _CONDITION.finditer(text):
        if depth:
            depth += -1 if each[1] == "endif" else 1
            if not depth:
                found.append((begin, each.end()))
        elif each[2] == "QUN_ASSERT_ACTIVE":
            depth, begin = 1, each.start()
    return tuple(found)


_DIMENSION = ("kDimensionRange", "kDimensionScalar")


def _dimensions(node: Node) -> int | None:
    """Return how many packed dimensions a declaration gives, or ``None`` where its type has a name or many bits."""
    types = [each for each in node.walk() if each.tag == "kDataTypePrimitive"]
    if not types or types[0].children[0].tag not in ("logic", "bit"):
        return None
    packed = next((each for each in node.walk() if each.tag == "kPackedDimensions"), None)
    return 0 if packed is None else sum(each.tag in _DIMENSION for each in packed.walk())


def _identifier(text: str, node: Node) -> str:
    first = next(each for each in node.walk() if each.tag == "SymbolIdentifier")
    return text[first.start : first.end]


def _constant_functions(modules: dict[str, Module]) -> frozenset[str]:
    bodies: dict[str, set[str]] = {}
    wanted: set[str] = set()
    for module in modules.values():
        for node in module.tree.walk():
            if node.tag == "kFunctionDeclaration":
                name = function_name(module, node)
                bodies.setdefault(name, set()).update(_names(module, node))
            elif node.tag in CONSTANT:
                wanted |= _names(module, node)
    found = wanted & set(bodies)
    while True:
        more = {name for each in found for name in bodies[each] if name in bodies} - found
        if not more:
            return frozenset(found)
        found |= more


def function_name(module: Module, node: Node) -> str:
    """Return the name of a declared function."""
    header = node.child("kFunctionHeader")
    assert header is not None
    name = header.child("kUnqualifiedId")
    assert name is not None
    return _identifier(module.text, name)


def _names(module: Module, node: Node) -> set[str]:
    return set(_symbols(module, node))


def _symbols(module: Module, node: Node) -> Iterator[str]:
    for each in node.walk():
        if each.tag == "SymbolIdentifier":
            yield module.of(each)
