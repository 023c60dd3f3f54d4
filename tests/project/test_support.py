"""docs/support.md is what the product says, file by file, and every file that it calls taken is exact."""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest
from helpers import random_ops, random_qonnx, support_hls4ml, support_page
from helpers.architectures import ARCHITECTURES, FORMS, architecture
from helpers.random_files import judge
from helpers.support_hls4ml import HLS4ML
from helpers.support_onnx import ONNX, PROBE, STEPS
from helpers.support_ops import INPUT, QUESTIONS, answer, widths

from quantunet import graph_check, onnx_pointwise, onnx_windows, qonnx_import
from quantunet.errors import QuantUNetError
from quantunet.hls.plugin import layers, reader
from quantunet.ir import NODE_TYPES, IntArray, MatrixNode, Node, QType
from quantunet.onnx_file import QUANTIZERS
from quantunet.ops import op_of, stems
from quantunet.qonnx_import import HANDLERS, examine

PAGE = support_page.PATH.read_text(encoding="utf-8")
TAKEN = support_page.rows_of(PAGE, "operator | of | tried")
REFUSED = support_page.rows_of(PAGE, "operators | way round")
LAYERS = support_page.rows_of(PAGE, "layer | tried")


def test_the_committed_page_is_what_the_command_writes() -> None:
    assert support_page.page() == PAGE, f"run `{support_page.COMMAND}`"


# Every row is there


def test_every_operator_of_the_door_has_a_row_and_files() -> None:
    assert set(TAKEN) == set(ONNX) == set(HANDLERS)
    assert all(cases.taken for cases in ONNX.values())
    assert {kind for kind, cells in TAKEN.items() if cells[0] == "QONNX"} == set(QUANTIZERS)
    assert set(REFUSED) == {*qonnx_import.ADVICE, *support_page.UNKNOWN}


def test_every_layer_that_the_backend_reads_has_a_row_and_models() -> None:
    assert set(LAYERS) == set(HLS4ML)
    models = [case.model() for cases in HLS4ML.values() for case in cases.taken.values()]
    made = {layer.class_name for model in models for layer in model.get_layers()}
    assert made | support_hls4ml.NOT_MADE == set(layers.READERS)
    assert not made & support_hls4ml.NOT_MADE


@pytest.mark.parametrize("stem", stems(computes=True))
def test_every_option_and_every_module_of_an_op_is_asked_for(stem: str) -> None:
    kind, common = NODE_TYPES[stem], {field.name for field in dataclasses.fields(Node)}
    questions = QUESTIONS[stem]
    options = {
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in common and field.type not in ("IntArray", "QType", IntArray, QType)
    }
    named = {question.option.replace(":", " ").replace(",", " ").split()[0] for question in questions}
    assert options - named <= {"probability"}  # what a table says of itself
    modules = {f"qun_{name}" for name in op_of(stem).modules}
    found = [answer(question).modules for question in (*questions, widths(stem, INPUT, False))]
    assert frozenset().union(*found) == modules
    assert issubclass(kind, MatrixNode) == (support_page.rows_of(PAGE, "op | does")[stem][2] != "–")


# Every row is true


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", TAKEN)
def test_what_is_taken_is_exact(kind: str, step: str, tmp_path: Path) -> None:
    cases = ONNX[kind].taken
    assert TAKEN[kind][1] == "; ".join(map(support_page.words, cases))
    for what, case in cases.items():
        verdict = judge(case.random_file(STEPS[step]), tmp_path)
        assert (verdict.kind, verdict.reason) == ("exact", ""), what
        assert verdict.compared


@pytest.mark.parametrize("kind", [kind for kind in TAKEN if ONNX[kind].refused])
def test_what_is_refused_is_refused_at_its_place(kind: str, tmp_path: Path) -> None:
    for what, case in ONNX[kind].refused.items():
        error = support_page.refusal(case, tmp_path)
        row = f"| {support_page.words(what)} | {support_page.said(error)} |"
        assert [line for line in PAGE.splitlines() if line.endswith(row) and f"`{kind}`" in line], row
        assert error.where in {node.name for node in case.file(STEPS["power"])[0].graph.node}


def test_every_other_operator_of_onnx_is_refused(tmp_path: Path) -> None:
    others = {schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain} - {*HANDLERS, "Constant"}
    assert set(REFUSED) - others <= {"Attention", "Swish"}  # of newer versions of ONNX
    assert len(others) > 100
    for kind in sorted(others | set(REFUSED)):
        error = support_page.refusal(support_page.alone(kind), tmp_path)
        assert (error.where, error.got) == (PROBE, kind)
        row = REFUSED.get(kind, REFUSED["Where"])
        assert row == [support_page.words(error.hint)]


def files() -> Iterator[onnx.ModelProto]:
    """Files that the page does not know: whole networks, and random ones."""
    yield from (architecture(name, form) for name, form in itertools.product(ARCHITECTURES, FORMS))
    yield from (make(seed).model for seed in range(30) for make in (random_ops.generate, random_qonnx.generate))


def test_other_files_become_what_the_page_says(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    compared: set[tuple[str, str]] = set()
    for model in files():
        try:
            found = examine(support_page.written(model, tmp_path))
        except QuantUNetError:
            continue
        compared |= {(each.kind, layer.op) for each in found.findings if found.graph for layer in each.layers}
    assert len(compared) > 30
    unknown = {(kind, op) for kind, op in compared if op not in support_page.in_code(TAKEN[kind][2])}
    assert unknown == set()


@pytest.mark.parametrize("kind", LAYERS)
def test_what_the_backend_takes_and_refuses(kind: str) -> None:
    cases = HLS4ML[kind]
    made = [support_page.read(case) for case in cases.taken.values()]
    assert set().union(*made) == set(support_page.in_code(LAYERS[kind][1]))
    for case in cases.refused.values():
        with pytest.raises(QuantUNetError, match=f"^{PROBE}"):
            reader.from_model_graph(case.model())


# A wrong row is seen


def _op(kind: str) -> Callable[[Path], str]:
    what, case = next(iter(ONNX[kind].taken.items()))
    return lambda folder: f"{what}: {support_page.becomes(case, STEPS['power'], folder)}"


FAULTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Callable[[Path], str]]] = {
    "an operator is not taken any more": (
        lambda patch: patch.delitem(HANDLERS, "DepthToSpace"),
        _op("DepthToSpace"),
    ),
    "an operator becomes another op": (
        lambda patch: patch.setitem(HANDLERS, "GlobalMaxPool", onnx_windows.resize),
        _op("GlobalMaxPool"),
    ),
    "an operator is taken": (
        lambda patch: patch.setitem(HANDLERS, "Neg", onnx_pointwise.identity),
        lambda folder: support_page.said(support_page.refusal(support_page.alone("Neg"), folder)),
    ),
    "another advice": (
        lambda patch: patch.delitem(qonnx_import.ADVICE, "Neg"),
        lambda folder: support_page.said(support_page.refusal(support_page.alone("Neg"), folder)),
    ),
    "another limit": (
        lambda patch: patch.setattr(graph_check, "MAX_PRODUCT_BITS", 40),
        lambda folder: answer(QUESTIONS["affine"][0]).taken,
    ),
    "a layer is not taken any more": (
        lambda patch: patch.delitem(layers.READERS, "Cropping2D"),
        lambda folder: str(support_page.read(HLS4ML["Cropping2D"].taken["each side"])),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_another_product_makes_another_page(fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    change, cell = FAULTS[fault]
    before = cell(tmp_path)
    change(monkeypatch)
    try:
        after = cell(tmp_path)
    except (AssertionError, QuantUNetError):
        return
    assert before != after
