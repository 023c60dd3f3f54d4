"""Ten random networks of every hardware module in HLS C simulation and in RTL; `nox -s random_files` takes more."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from helpers import random_hardware
from helpers.random_files import generate, judge
from helpers.random_hardware import Network
from helpers.rtl import BUILD_ROOT

from quantunet.graph_check import check
from quantunet.hls.design import Design
from quantunet.hls.network import build
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths
from quantunet.hls.schedule.exact import Schedule, schedule
from quantunet.ir import Graph, SmallestArea
from quantunet.ops import OPS

SEEDS = (69, 215, 305, 435, 523, 539, 555, 565, 719, 779)
"""Small ones that have every module between them."""

SMALLEST = 565

TWO_CLASSES = 565
"""The one whose output is a map of two classes, and so a mask: behind it stands what no file holds, a smallest area."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random_networks")


def with_smallest_area(graph: Graph) -> Graph:
    mask = graph.tensor(graph.output)
    kept = dataclasses.replace(mask, name="kept")
    node = SmallestArea("smallest_area", (mask.name,), kept.name, area=2)
    return check(
        dataclasses.replace(graph, tensors=(*graph.tensors, kept), nodes=(*graph.nodes, node), output=kept.name)
    )


@lru_cache
def network(seed: int, folder: Path) -> Network:
    verdict = judge(generate(seed), folder)
    assert verdict.graph is not None and verdict.codes is not None, verdict
    graph = with_smallest_area(verdict.graph) if seed == TWO_CLASSES else verdict.graph
    return Network(graph, verdict.codes, seed, folder, builds=BUILD_ROOT, layers_alone=False)


def test_every_module_stands_in_one_of_them(folder: Path) -> None:
    """Choose other seeds when the generator draws other networks."""
    modules, bounded = set(), 0
    for seed in SEEDS:
        graph, folding = network(seed, folder).graph, network(seed, folder).folding
        design = build(graph, folding, fifo_depths(graph, folding))
        modules |= {instance.kind.removeprefix("qun_") for instance in design.instances}
        bounded += max(least_depths(design).values(), default=0) > 2
    assert {module for op in OPS for module in op.modules} <= modules
    assert bounded >= 3


@pytest.mark.parametrize("leg", ["csim", "rtl"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_network_equals_golden(seed: int, leg: str, folder: Path) -> None:
    found = network(seed, folder).run(leg)
    assert not found.problems, "\n".join(found.problems)
    assert found.compared >= np.prod(network(seed, folder).graph.tensor(network(seed, folder).graph.output).shape)


def _with_a_wrong_value(good: Network, tensor: str) -> Network:
    """The network of which golden is said to have another value in one tensor of the second frame."""
    other = Network(good.graph, good.image, good.seed, good.folder, builds=BUILD_ROOT, layers_alone=False)
    values = other.frames[1][tensor].copy()
    values[-1, -1, -1] += 1 if values[-1, -1, -1] < good.graph.tensor(tensor).qtype.qmax else -1
    other.frames[1] = {**other.frames[1], tensor: values}
    return other


def test_a_wrong_value_is_found(folder: Path) -> None:
    good = network(SMALLEST, folder)
    first, last = good.graph.nodes[0], good.graph.nodes[-1]
    found = _with_a_wrong_value(good, last.output).run("csim")
    assert [problem for problem in found.problems if problem.startswith("1 of ")] == found.problems != []
    found = _with_a_wrong_value(good, first.output).run("rtl")
    assert any(problem.startswith(f"no stalls: {first.name} inside the design: 1 of ") for problem in found.problems)
    assert any(problem.startswith(f"random stalls: {first.name} inside") for problem in found.problems)


def test_a_wrong_cycle_or_fill_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = network(SMALLEST, folder)

    def later(design: Design, frames: int, **options: int) -> Schedule:
        found = schedule(design, frames, **options)  # type: ignore[arg-type]
        return dataclasses.replace(found, frame_ends=tuple(end + 1 for end in found.frame_ends))

    def fuller(design: Design, frames: int, **options: int) -> Schedule:
        found = schedule(design, frames, **options)  # type: ignore[arg-type]
        return dataclasses.replace(found, highest={name: fill + 1 for name, fill in found.highest.items()})

    for changed, word in ((later, "no stalls: first output "), (fuller, "no stalls: fills ")):
        monkeypatch.setattr(random_hardware, "schedule", changed)
        assert any(problem.startswith(word) for problem in good.run("rtl").problems)
