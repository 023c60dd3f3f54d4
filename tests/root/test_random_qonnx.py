"""Random QONNX files: taken and exact, or refused with a typed error; those of known spellings are taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers import random_ops
from helpers.random_files import check, judge
from helpers.random_qonnx import generate

from quantunet.ir import Conv2d, Graph, IntArray, Node, QType
from quantunet.qonnx_import import load

FILES, CHUNK = 100, 10


@pytest.mark.parametrize("first", range(0, FILES, CHUNK))
def test_random_files(first: int, tmp_path: Path) -> None:
    report = check(range(first, first + CHUNK), tmp_path)
    assert not report.failures, "\n".join(report.failures)
    assert sum(report.kinds.values()) == CHUNK
    assert report.kinds["exact"]
    assert report.compared


@pytest.mark.parametrize("first", range(0, FILES, CHUNK))
def test_random_files_of_every_op_and_scale(first: int, tmp_path: Path) -> None:
    report = check(range(first, first + CHUNK), tmp_path, random_ops.generate)
    assert not report.failures, "\n".join(report.failures)
    assert report.kinds["exact"] > CHUNK / 2
    assert report.compared


def test_a_file_is_a_function_of_its_seed() -> None:
    assert random_ops.generate(5).model.SerializeToString() == random_ops.generate(5).model.SerializeToString()
    assert generate(5).model.SerializeToString() == generate(5).model.SerializeToString()
    assert generate(5).model.SerializeToString() != generate(6).model.SerializeToString()


def _change(graph: Graph, change: Callable[[Conv2d], Node]) -> Graph:
    """The graph with its last convolution changed."""
    last = [node for node in graph.nodes if isinstance(node, Conv2d)][-1]
    nodes = tuple(change(node) if node is last and isinstance(node, Conv2d) else node for node in graph.nodes)
    return dataclasses.replace(graph, nodes=nodes)


def _output_type(graph: Graph) -> Graph:
    def other(qtype: QType) -> QType:
        return dataclasses.replace(qtype, frac=qtype.frac + 1)

    return dataclasses.replace(
        graph,
        tensors=tuple(
            dataclasses.replace(tensor, qtype=other(tensor.qtype)) if tensor.name == graph.output else tensor
            for tensor in graph.tensors
        ),
    )


FAULTS: dict[str, Callable[[Graph], Graph]] = {
    "weights": lambda graph: _change(
        graph, lambda node: dataclasses.replace(node, weight=IntArray.of(-node.weight.array))
    ),
    "bias": lambda graph: _change(
        graph, lambda node: dataclasses.replace(node, bias=IntArray.of(node.bias.array + (1 << 12)))
    ),
    "output type": _output_type,
    "pixels": lambda graph: dataclasses.replace(
        graph, pixels=dataclasses.replace(graph.pixels, offset=(Fraction(1, 3),) * graph.tensor(graph.input).shape[2])
    ),
    "channels": lambda graph: _change(
        graph,
        lambda node: dataclasses.replace(node, weight=IntArray.of(np.ascontiguousarray(node.weight.array[:, :, ::-1]))),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_product_is_found(fault: str, tmp_path: Path) -> None:
    taken = found = 0
    for seed in range(40):
        file = generate(seed)
        if judge(file, tmp_path).kind != "exact":
            continue
        taken += 1
        verdict = judge(file, tmp_path, lambda path: FAULTS[fault](load(path)))
        found += verdict.kind == "silent"
        if taken == 6:
            break
    assert taken == 6
    assert found >= 4  # a fault behind a clamp, or of channels that are alike, does not show in every file
