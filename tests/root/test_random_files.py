"""Random files: taken and exact, or refused with a typed error; networks of every op are among those taken."""

from __future__ import annotations

import collections
import dataclasses
import json
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import random_files, random_ops, random_qonnx, random_records, random_session
from helpers.project import ROOT
from helpers.random_files import add, check, generate, judge
from helpers.random_report import Report, read_record
from helpers.random_session import legs_of

from quantunet.hls.choose.default import default_folding
from quantunet.hls.network import build
from quantunet.ir import Conv2d, Graph, IntArray, Node, QType
from quantunet.ops import OPS, stems
from quantunet.qonnx_import import load

FILES, CHUNK = 100, 10
ONE_BEAT = "tests/hls/schedule/test_joins.py::test_a_leg_in_which_one_beat_waits_has_the_shallowest_fifo_there_is"
MENDED = {
    "seed 1008, csim": "tests/hls/csim/test_names.py::test_such_a_network_compiles_and_is_golden",
    "seed 5000236, schedule": "tests/hls/schedule/test_joins.py::test_legs_that_cross_are_known",
    "seed 5000267, rtl": ONE_BEAT,
    "seed 5000439, rtl": ONE_BEAT,
}
"""The failures in the record of random networks that is kept, and the tests of what was mended."""


@pytest.mark.parametrize("first", range(0, FILES, CHUNK))
def test_random_spellings(first: int, tmp_path: Path) -> None:
    report = check(range(first, first + CHUNK), tmp_path, random_qonnx.generate)
    assert not report.failures, "\n".join(report.failures)
    assert sum(report.kinds.values()) == CHUNK
    assert report.kinds["exact"]
    assert report.compared["golden"]


def test_random_networks_of_every_op_and_scale(tmp_path: Path) -> None:
    """An op, or a module of the hardware, that the generator forgot would not be tested: each must be drawn."""
    modules: collections.Counter[str] = collections.Counter()

    def loader(path: Path) -> Graph:
        graph = load(path)
        folding = default_folding(graph)
        modules.update({instance.kind.removeprefix("qun_") for instance in build(graph, folding).instances})
        return graph

    report = Report()
    for seed in range(FILES):
        file = random_ops.generate(seed)
        add(report, file, judge(file, tmp_path, loader))
    assert not report.failures, "\n".join(report.failures)
    assert report.kinds["exact"] > 0.75 * FILES
    assert report.compared["golden"] > 50 * FILES
    by_command = ("smallest_area",)  # no file has it: `quantunet mask` makes it
    counts = {op: report.ops[op] for op in stems(computes=True) if op not in by_command}
    assert min(counts.values()) >= 5, counts
    by_folding = ("fifo", "conv2d_constant")  # of a FIFO's depth and of a fold's style, not of the file
    drawn = {name: modules[name] for op in OPS for name in op.modules if name not in (*by_folding, *by_command)}
    assert min(drawn.values()) >= 2, drawn


def test_a_file_is_a_function_of_its_seed() -> None:
    for seed in (10, 11):
        assert generate(seed).model.SerializeToString() == generate(seed).model.SerializeToString()
        assert generate(seed).model.SerializeToString() != generate(seed + 2).model.SerializeToString()
    assert generate(10).model == random_qonnx.generate(5).model
    assert generate(11).model == random_ops.generate(5).model


def test_the_session_counts_what_it_compares_and_ends_with_1_on_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main = partial(_session, "--jobs", "1")
    assert main("--seed", "2", "--count", "2") == 0
    said = capsys.readouterr().out
    assert "2 files in " in said and said.endswith("next seed: 4\n")
    monkeypatch.setattr(random_files, "judge", lambda file, folder: random_files.Verdict("silent", "broken", 5))
    assert main("--seed", "3", "--count", "1") == 1
    assert "seed 3, golden: silent: broken\n  seed 3: " in capsys.readouterr().out
    monkeypatch.setattr(random_files, "judge", lambda file, folder: random_files.Verdict("refused"))
    assert main("--count", "1") == 1, "nothing was compared"
    assert main("--seconds", "0") == 1, "no file was taken"


def _session(*arguments: str) -> int:
    return random_session.main(arguments)


def test_a_stopped_session_goes_on_and_several_processes_count_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, whole = tmp_path / "a.json", tmp_path / "b.json"
    first = ("--seed", "100", "--legs", "golden,schedule:3", "--record", str(record))
    assert _session(*first, "--count", "5", "--jobs", "1") == 0
    assert _session(*first, "--count", "5") == 2
    assert "no record yet, got one" in capsys.readouterr().out
    assert _session(*first, "--count", "9", "--jobs", "2", "--resume") == 0
    assert _session(*first[:-1], str(whole), "--count", "9", "--jobs", "1") == 0
    reports = [read_record(path) for path in (record, whole)]
    assert reports[0][0] == reports[1][0]
    assert reports[0][0].files == 9
    assert [about["next_seed"] for _, about in reports] == [109, 109]
    assert 0 < reports[0][0].passed["schedule"] < reports[0][0].passed["golden"]
    assert _session("--seed", "7", *first[2:], "--resume") == 2
    record.write_text("{}")
    assert _session(*first, "--resume") == 2


def test_records_of_several_runs_are_put_together_and_count_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / f"{number}.json" for number in range(3)]
    for path, seed in zip(paths, (0, 2, 3), strict=True):
        assert (
            _session("--kind", "graphs", "--seed", str(seed), "--count", "2", "--jobs", "1", "--record", str(path)) == 0
        )
    out = tmp_path / "all.json"
    assert random_records.main([str(paths[0]), str(paths[1]), "--out", str(out)]) == 0
    document = json.loads(out.read_text(encoding="utf-8"))
    values = sum(read_record(path)[0].compared["golden"] for path in paths[:2])
    assert document["totals"] == {"golden": {"networks": 4, "values": values}}
    assert [run["next_seed"] for run in document["runs"]] == [2, 4]
    again = tmp_path / "again.json"
    assert random_records.main([str(out), "--out", str(again)]) == 0
    assert again.read_bytes() == out.read_bytes()
    assert random_records.main([str(out), str(paths[0]), "--out", str(again)]) == 2
    capsys.readouterr()
    assert random_records.main([*map(str, paths), "--out", str(out)]) == 2
    assert "seeds that no other run has" in capsys.readouterr().err


def test_the_record_that_is_kept_adds_up() -> None:
    document = json.loads((ROOT / "docs" / "random_networks.json").read_text(encoding="utf-8"))
    random_records.check_seeds(document["runs"])
    assert document["totals"] == random_records.totals(document["runs"])
    assert all(document["totals"][leg]["networks"] > 0 for leg in random_files.LEGS)
    failures = {failure for run in document["runs"] for failure in run["failures"]}
    assert failures == set(MENDED), "each failure of a kept run has been mended, and a test shows it"
    for test in MENDED.values():
        file, name = test.split("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), test


@pytest.mark.parametrize("legs", ["golden:2", "rtl:0", "rtl:x", "fast", ""])
def test_legs_that_there_are_not(legs: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        _session("--legs", legs)
    assert stopped.value.code == 2
    assert "--legs" in capsys.readouterr().err


def test_a_share_of_a_leg_is_of_both_kinds_of_files() -> None:
    taken = [seed for seed in range(2000) if "rtl" in legs_of(seed, {"golden": 1, "rtl": 10})]
    assert 150 < len(taken) < 250
    assert 60 < sum(seed % 2 for seed in taken) < 140


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
        file = random_qonnx.generate(seed)
        if judge(file, tmp_path).kind != "exact":
            continue
        taken += 1
        verdict = judge(file, tmp_path, lambda path: FAULTS[fault](load(path)))
        found += verdict.kind == "silent"
        if taken == 6:
            break
    assert taken == 6
    assert found >= 4  # a fault behind a clamp, or of channels that are alike, does not show in every file
