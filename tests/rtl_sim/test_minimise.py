"""A fault in a copy of the SystemVerilog library: the random network that shows it is made one layer."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.faults import fault, library_with
from helpers.minimise import minimise, write_test
from helpers.random_case import Case, kinds
from helpers.random_files import generate, judge
from helpers.random_hardware import folding_of

SEED = 9
"""A network of eight layers, one of which saturates."""


@pytest.mark.slow
def test_a_fault_in_the_hardware_ends_at_one_layer(tmp_path: Path) -> None:
    verdict = judge(generate(SEED), tmp_path)
    assert verdict.graph is not None and verdict.codes is not None, verdict
    case = Case("rtl", verdict.graph, verdict.codes, dict(folding_of(verdict.graph, SEED)), SEED)
    assert len(case.graph.nodes) == 8
    broken = library_with(tmp_path / "rtl", fault("conv2d", "saturation wraps"))
    assert not case.run(tmp_path).problems
    found = minimise(case, lambda other: other.run(tmp_path, broken))
    assert found is not None
    assert len(found.case.graph.nodes) == 1
    assert (found.case.count, len(found.case.only)) == (1, 1)
    assert kinds(found.case.run(tmp_path, broken)) == {"differ"}
    assert not found.case.run(tmp_path).problems
    text = write_test(tmp_path / "tests", found, SEED).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 70
