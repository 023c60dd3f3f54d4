"""Networks and files that fail are made small, go on failing in the same way, and are written as tests that run."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from helpers import random_files, random_session
from helpers.minimise import descend, minimise, size, write_test
from helpers.random_case import Case, kinds
from helpers.random_files import generate, judge
from helpers.random_hardware import Found, folding_of
from helpers.random_qonnx import RandomFile
from helpers.shrink_file import minimise_file, write_file_test

from quantunet.golden.ops import affine, concat, conv2d, maxpool2d
from quantunet.graph_check import check
from quantunet.ir import Array, Conv2d, Graph, IntArray, Node
from quantunet.qonnx_import import load


def _break(monkeypatch: pytest.MonkeyPatch, sheet: ModuleType) -> None:
    """Let the plain formula of an op give 4 for 5."""
    right: Callable[[Graph, Node, Sequence[Array]], Array] = sheet.evaluate

    def wrong(graph: Graph, node: Node, inputs: Sequence[Array]) -> Array:
        values = right(graph, node, inputs)
        return np.where(values == 5, 4, values)

    monkeypatch.setattr(sheet, "evaluate", wrong)


def _case(seed: int, folder: Path) -> Case:
    verdict = judge(generate(seed), folder)
    assert verdict.graph is not None and verdict.codes is not None, verdict
    return Case("golden", verdict.graph, verdict.codes, folding_of(verdict.graph, seed), seed)


def _tests_of(path: Path) -> list[Callable[[Path], None]]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [value for name, value in vars(module).items() if name.startswith("test_")]


@pytest.mark.parametrize(
    ("sheet", "seed", "layers"), [(maxpool2d, 4, 1), (affine, 5, 1), (concat, 8, 2), (conv2d, 4, 1)]
)
def test_a_broken_kernel_ends_at_one_layer(
    sheet: ModuleType, seed: int, layers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = _case(seed, tmp_path)
    assert len(case.graph.nodes) >= 6
    assert minimise(case, lambda other: other.run(tmp_path)) is None, "nothing is wrong with it"
    with monkeypatch.context() as broken:
        _break(broken, sheet)
        found = minimise(case, lambda other: other.run(tmp_path))
        assert found is not None
        small = found.case
        assert len(small.graph.nodes) == layers
        assert small.graph.nodes[-1].op == sheet.__name__.rpartition(".")[2]
        assert max(np.prod(tensor.shape) for tensor in small.graph.tensors) <= 4
        assert size(small) < size(case)
        assert kinds(small.run(tmp_path)) == {"differ"}
        path = write_test(tmp_path / "tests", found, seed)
        (test,) = _tests_of(path)
        with pytest.raises(AssertionError, match="golden, plain"):
            test(tmp_path)
    test(tmp_path)
    assert len(path.read_text(encoding="utf-8").splitlines()) < 70
    check(small.graph)


def test_a_case_that_fails_in_another_way_is_not_taken(tmp_path: Path) -> None:
    case = _case(4, tmp_path)

    def run(other: Case) -> Found:
        few = len(other.graph.nodes) < len(case.graph.nodes)
        return Found(1, ["Traceback: …\nValueError: 7" if few else "3 of 4 values differ"])

    found = minimise(case, run)
    assert found is not None
    assert len(found.case.graph.nodes) == len(case.graph.nodes)
    assert found.problem == "3 of 4 values differ"


def test_the_time_is_kept_and_nothing_is_tried_twice() -> None:
    tried: list[int] = []

    def problem_of(number: int) -> str:
        tried.append(number)
        return "large" if number > 10 else ""

    found = descend(100, lambda number: iter((number // 2, number - 1)), int, problem_of)
    assert (found.case, found.problem) == (11, "large")
    assert len(tried) == len(set(tried)) == found.tried
    assert descend(100, lambda number: iter((number - 1,)), int, problem_of, seconds=0).case == 100


def _negated(path: Path) -> Graph:
    graph = load(path)
    nodes = tuple(
        dataclasses.replace(node, weight=IntArray.of(-node.weight.array)) if isinstance(node, Conv2d) else node
        for node in graph.nodes
    )
    return dataclasses.replace(graph, nodes=nodes)


def test_a_file_that_is_read_wrongly_ends_at_few_nodes(tmp_path: Path) -> None:
    file = generate(4)

    def wrong(other: RandomFile) -> random_files.Verdict:
        return judge(other, tmp_path, _negated)

    assert wrong(file).kind == "silent"
    found = minimise_file(file, wrong, 120)
    assert found is not None
    computing = [node.op_type for node in found.case.model.graph.node if node.op_type != "Constant"]
    assert "Conv" in computing
    assert len(computing) <= 5 < len(file.model.graph.node), computing
    assert wrong(found.case).kind == "silent"
    (test,) = _tests_of(write_file_test(tmp_path / "tests", found, 4))
    test(tmp_path)
    assert minimise_file(file, lambda other: judge(other, tmp_path), 120) is None


def test_the_session_writes_what_fails_as_a_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _break(monkeypatch, maxpool2d)
    arguments = ["--seed", "4", "--count", "1", "--jobs", "1", "--tests", str(tmp_path)]
    assert random_session.main(arguments) == 1
    path = tmp_path / "test_seed_4_golden.py"
    assert f"{path}: 1 layers, " in capsys.readouterr().out
    (test,) = _tests_of(path)
    with pytest.raises(AssertionError):
        test(tmp_path)
    path.unlink()
    assert random_session.main([*arguments, "--minimise", "0"]) == 1
    assert not path.exists()
