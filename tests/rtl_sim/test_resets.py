"""Resets in every cycle of a frame: small cases of every op and a network pass, and a forgotten register is found."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from helpers import reset_faults, resets
from helpers.benches.cases import Case
from helpers.every_op import OPS
from helpers.mutants.benches import BENCHES, is_small
from helpers.mutants.library import read_library
from helpers.op_cases import concat_cases
from helpers.reset_cases import of_case
from helpers.resets import NETWORK, resets_of, sweep

from quantunet.errors import ToolFailedError
from quantunet.hls.generate.rtl_project import RTL_FOLDER

_PLACES = 24
_PART = {"folded": "conv2d", "pair_products": "conv2d", "widest_pairs": "conv2d"}


def _small() -> dict[str, Case]:
    found = {name: bench.cases() for name, bench in BENCHES.items() if is_small(name)}
    return {name: cases[0] for name, cases in found.items() if cases and name not in _PART}


def test_every_op_has_a_part() -> None:
    assert set(OPS) == set(_small())
    modules = {case.instance.module for cases in map(resets.OPS.get, OPS) if cases for case in cases()}
    assert len(modules) >= len(OPS)


def test_a_case_of_every_op_and_a_network_side_by_side(tmp_path: Path) -> None:
    cases = _small()
    network = resets_of(NETWORK, tmp_path, most=2)
    every = [of_case(case, f"small_{name}", tmp_path, most=_PLACES) for name, case in cases.items()]
    swept = sweep([*network, *every], tmp_path)
    assert len(swept) == len(cases) + 1
    assert sum(each.resets for each in swept) == sum(each.runs for each in [*network, *every])
    for each in swept:
        assert each.values >= 2 * each.resets, each


@pytest.mark.parametrize("module", ["qun_concat", "qun_register_slice"])
def test_a_register_that_a_reset_forgets_is_found(module: str, tmp_path: Path) -> None:
    found = reset_faults.judge(read_library(RTL_FOLDER), module, tmp_path)
    assert found.found and not found.alive, found


def test_the_assignments_of_a_reset_are_those_under_its_condition() -> None:
    library = read_library(RTL_FOLDER)
    assert [each.original for each in reset_faults.dropped(library, "qun_concat")] == ["group_q <= '0;"]
    texts = {module: library.modules[module].text for module in reset_faults.modules(library)}
    assert len(texts) > 25
    for module, text in texts.items():
        assert text.count("if (!rst_n) begin") <= len(reset_faults.reset_lines(text)), module


@pytest.mark.parametrize("wrong", ["value", "missing beat", "beat too many"])
def test_a_wrong_frame_is_told(wrong: str, tmp_path: Path) -> None:
    reset = of_case(concat_cases()[1], "c0", tmp_path, most=_PLACES)
    ports = [dict(port) for port in reset.about["ports"]]
    name, count = ports[-1]["name"], ports[-1]["beats"]
    frames = [list(reset.beats[name][begin : begin + count]) for begin in range(0, len(reset.beats[name]), count)]
    for frame in frames:
        if wrong == "value":
            frame[-1] ^= 1
        elif wrong == "missing beat":
            frame.append(0)
        else:
            frame.pop()
    ports[-1]["beats"] = len(frames[0])
    beats = {**reset.beats, name: [beat for frame in frames for beat in frame]}
    with pytest.raises(ToolFailedError, match="stream c0_concat_out, reset 0, frame"):
        sweep([dataclasses.replace(reset, about={**reset.about, "ports": ports}, beats=beats)], tmp_path)


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert resets.main(["no_such_op"]) == 2
    assert "no_such_op" in capsys.readouterr().err
