"""The page docs/support.md: what is supported and what is not, asked of the product.

``PYTHONPATH=tests python -m helpers.support_page`` writes it anew. Nothing of it is written by hand: the ops are asked
layer by layer (:mod:`helpers.support_ops`), and the doors file by file (:mod:`helpers.support_onnx`) and model by model
(:mod:`helpers.support_hls4ml`).
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from helpers import support_hls4ml, support_onnx, support_ops
from helpers.support_hls4ml import HLS4ML
from helpers.support_onnx import ONNX, PROBE, STEPS
from helpers.support_ops import INPUT, OUTPUT, QUESTIONS, SIGNS, WEIGHT, answer, widths

from quantunet.errors import QuantUNetError
from quantunet.hls.plugin.reader import from_model_graph
from quantunet.ir import NODE_TYPES, MatrixNode
from quantunet.onnx_file import QUANTIZERS
from quantunet.ops import OPS, Op, stems
from quantunet.qonnx_import import ADVICE, HANDLERS, OTHERWISE, Examination, examine, load
from quantunet.storage import write_text

PATH = Path(__file__).resolve().parents[2] / "docs" / "support.md"
COMMAND = "PYTHONPATH=tests python -m helpers.support_page"

UNKNOWN = (
    "ArgMin", "Attention", "Ceil", "Celu", "CumSum", "DeformConv", "Einsum", "Equal", "Expand", "GRU", "Gather",
    "GridSample", "LRN", "LSTM", "Log", "LpPool", "Pow", "ReduceMin", "ReduceProd", "RoiAlign", "Round", "Sin", "Sqrt",
    "Tile", "TopK", "Where",
)  # fmt: skip
"""Some of the operators for which there is no other way."""

_LIBRARY = "../hls/rtl/README.md"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return lines + [f"| {' | '.join(cells)} |" for cells in rows]


def words(text: str) -> str:
    """Return a text of the product as a cell: what Markdown would read otherwise is escaped."""
    return re.sub(r"([|*<>\[\]])", r"\\\1", text)


def names(found: Iterable[str], none: str = "–") -> str:
    """Return names in code, each once."""
    return ", ".join(f"`{name}`" for name in dict.fromkeys(found)) or none


def said(error: QuantUNetError) -> str:
    """Return what an error says, without the layer's name."""
    return words(f"expected {error.expected}, got {error.got}. {error.hint}".strip())


def together(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return rows in which those that differ in the first cell alone are one."""
    found: dict[tuple[str, ...], list[str]] = {}
    for first, *others in rows:
        found.setdefault(tuple(others), []).append(first)
    return [(", ".join(firsts), *others) for others, firsts in found.items()]


# Ops


def bits(op: Op, what: str) -> str:
    """Return the widths that an op takes of either sign."""
    unsigned, signed = (answer(widths(op.stem, what, sign)).taken for sign in SIGNS)
    if unsigned == signed:
        return unsigned
    parts = [f"{text} {sign}" for text, sign in ((unsigned, "unsigned"), (signed, "signed")) if text]
    return ", ".join(parts)


def op_rows() -> list[tuple[str, ...]]:
    """Return the table of ops."""
    rows = []
    for op in OPS:
        if not op.computes:
            continue
        weights = bits(op, WEIGHT) if issubclass(NODE_TYPES[op.stem], MatrixNode) else "–"
        modules = ", ".join(f"[`qun_{stem}`]({_LIBRARY}#qun_{stem})" for stem in op.modules)
        row = (f"`{op.stem}`", words(op.title), bits(op, INPUT), weights, bits(op, OUTPUT), modules)
        rows.append((*row, names(support_ops.styles(op.stem))))
    return rows


def option_rows() -> list[tuple[str, ...]]:
    """Return the table of the options of ops."""
    rows = []
    for stem, questions in QUESTIONS.items():
        for question in questions:
            found = answer(question)
            beyond = "–" if found.refusal is None else words(f"expected {found.refusal.expected}. {found.refusal.hint}")
            rows.append((f"`{stem}`", question.option, found.taken or "none", beyond.strip()))
    return together(rows)


# ONNX


def written(model: onnx.ModelProto, folder: Path) -> Path:
    """Write a file, whose name becomes the network's."""
    path = folder / "network.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def made_of(found: Examination, name: str) -> list[str]:
    """Return the ops that stand for an operator of a file."""
    return [layer.op for finding in found.findings if finding.name == name for layer in finding.layers]


def becomes(case: support_onnx.Case, step: float, folder: Path) -> set[str]:
    """Return the ops that stand for the operator of a file.

    They are those of its own name; where it has none, those that the file has more than the same file without it.
    """
    model, _ = case.file(step)
    found = examine(written(model, folder))
    assert found.graph is not None, f"{case} is refused: {[str(each.obstacle) for each in found.findings]}"
    own = made_of(found, PROBE)
    if own:
        return set(own)
    node = next(each for each in model.graph.node if each.name == PROBE)
    constants = {tensor.name for tensor in model.graph.initializer}
    before = next((name for name in node.input if name not in constants), None)
    if before is None:  # of weights, which the layer holds that reads them
        return set()
    node.CopyFrom(onnx.helper.make_node("Identity", [before], list(node.output), name=PROBE))
    without = examine(written(model, folder)).graph
    if without is None:
        return set()
    return set(Counter(each.op for each in found.graph.nodes) - Counter(each.op for each in without.nodes))


def refusal(case: support_onnx.Case, folder: Path) -> QuantUNetError:
    """Return what is said of a file with scales of powers of two; with others it is the same but for numbers.

    Raises:
        AssertionError: It is taken, or the errors differ.
    """
    errors = []
    for step in STEPS.values():
        try:
            load(written(case.file(step)[0], folder))
        except QuantUNetError as error:
            errors.append(error)
    assert len(errors) == len(STEPS), "a file that the page calls refused is taken"
    assert len({(type(each), each.hint) for each in errors}) == 1, errors
    return errors[0]


def onnx_becomes(folder: Path) -> dict[str, set[str]]:
    """Return the ops that stand for each operator."""
    return {
        kind: {op for case in cases.taken.values() for step in STEPS.values() for op in becomes(case, step, folder)}
        for kind, cases in ONNX.items()
    }


def dialect(kind: str) -> str:
    """Return whose operator it is."""
    return "QONNX" if kind in QUANTIZERS else "QDQ" if kind in ("QuantizeLinear", "DequantizeLinear") else "ONNX"


def onnx_rows(made: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Return the table of operators that are taken."""
    return [
        (f"`{kind}`", dialect(kind), "; ".join(map(words, ONNX[kind].taken)), names(in_order(made[kind])))
        for kind in HANDLERS
    ]


def onnx_option_rows(folder: Path) -> list[tuple[str, ...]]:
    """Return the table of what is refused of operators that are taken."""
    return together(
        (f"`{kind}`", words(what), said(refusal(case, folder)))
        for kind in HANDLERS
        for what, case in ONNX[kind].refused.items()
    )


def alone(kind: str) -> support_onnx.Case:
    """Return a file with an operator that is not taken."""
    return support_onnx.Case(lambda net, x: net.probe(kind, x))


def onnx_refused_rows(folder: Path) -> list[tuple[str, ...]]:
    """Return the table of operators that are refused, by what is advised."""
    hints: dict[str, list[str]] = {}
    for kind in (*ADVICE, *UNKNOWN):
        hints.setdefault(refusal(alone(kind), folder).hint, []).append(kind)
    assert list(hints)[-1] == OTHERWISE
    rows = [(names(kinds), words(hint)) for hint, kinds in hints.items() if hint != OTHERWISE]
    return [*rows, (f"{names(hints[OTHERWISE])} and every other operator", OTHERWISE)]


# hls4ml


def hls4ml_becomes() -> dict[str, set[str]]:
    """Return the ops that stand for each layer of hls4ml."""
    return {kind: {op for case in cases.taken.values() for op in read(case)} for kind, cases in HLS4ML.items()}


def read(case: support_hls4ml.Case) -> set[str]:
    """Return the ops that stand for the layer of a model.

    Raises:
        QuantUNetError: The model is refused.
    """
    nodes = from_model_graph(case.model()).nodes
    return {node.op for node in nodes if node.name.startswith(PROBE)}


def hls4ml_refusal(case: support_hls4ml.Case) -> QuantUNetError:
    """Return what is said of a model.

    Raises:
        AssertionError: It is taken.
    """
    model = case.model()
    try:
        from_model_graph(model)
    except QuantUNetError as error:
        return error
    message = "a model that the page calls refused is taken"
    raise AssertionError(message)


def hls4ml_rows(made: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Return the table of layers that are taken."""
    return [
        (f"`{kind}`", "; ".join(map(words, cases.taken)), names(in_order(made[kind]))) for kind, cases in HLS4ML.items()
    ]


def hls4ml_refused_rows() -> list[tuple[str, ...]]:
    """Return the table of what is refused of layers, and of layers that are refused."""
    rows = together(
        (f"`{kind}`", words(what), said(hls4ml_refusal(case)))
        for kind, cases in HLS4ML.items()
        for what, case in cases.refused.items()
    )
    hints: dict[str, list[str]] = {}
    for kind, case in support_hls4ml.REFUSED.items():
        error = hls4ml_refusal(case)
        assert error.got == kind
        hints.setdefault(error.hint, []).append(kind)
    return rows + [(names(kinds), "any", words(hint)) for hint, kinds in hints.items()]


# The page


def rows_of(text: str, head: str) -> dict[str, list[str]]:
    """Return the rows of the table of a page whose first line begins with a text: the other cells by each first one."""
    lines = text.split(f"\n| {head}", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [line.strip("| ").split(" | ") for line in lines]
    return {name: others for first, *others in cells for name in in_code(first)}


def in_code(cell: str) -> list[str]:
    """Return the names of a cell."""
    return re.findall(r"`(\w+)`", cell)


def in_order(found: Iterable[str]) -> list[str]:
    """Return stems in the order of the ops."""
    known = set(found)
    return [stem for stem in stems(computes=True) if stem in known]


def arrivals(onnx_made: Mapping[str, set[str]], hls4ml_made: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Return the table of what becomes which op."""
    return [
        (
            f"`{stem}`",
            *(names(kind for kind, made in each.items() if stem in made) for each in (onnx_made, hls4ml_made)),
        )
        for stem in stems(computes=True)
    ]


def page() -> str:
    """Return the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        onnx_made, hls4ml_made = onnx_becomes(folder), hls4ml_becomes()
        refused = onnx_option_rows(folder), onnx_refused_rows(folder)
    parts: list[Any] = [
        _HEAD,
        table(("op", "does", "input bits", "weight bits", "output bits, of bytes", "hardware", "styles"), op_rows()),
        _OPTIONS,
        table(("op", "number", "taken", "beyond it"), option_rows()),
        _ARRIVALS,
        table(("op", "ONNX operators", "hls4ml layers"), arrivals(onnx_made, hls4ml_made)),
        _ONNX,
        table(("operator", "of", "tried, and exact", "becomes"), onnx_rows(onnx_made)),
        _ONNX_OPTIONS,
        table(("operator", "with", "is refused"), refused[0]),
        _ONNX_REFUSED,
        table(("operators", "way round"), refused[1]),
        _HLS4ML,
        table(("layer", "tried", "becomes"), hls4ml_rows(hls4ml_made)),
        _HLS4ML_REFUSED,
        table(("layer", "with", "is refused"), hls4ml_refused_rows()),
    ]
    return "\n\n".join(part.strip() if isinstance(part, str) else "\n".join(part) for part in parts) + "\n"


_HEAD = f"""
# What is supported

This page is made: `{COMMAND}` asks the product for every cell, layer by layer and file by
file. Tests compare it with what the product says now, and the values of every ONNX file with exact arithmetic.

`quantunet check MODEL` says the same of your network, with the names of its layers.

## Ops

The hardware has these layers; [numerics](numerics.md) defines them. Numbers of bits include the sign, and are the same
for unsigned and signed values where nothing is said. Styles are ways to multiply ([folding](folding.md)).
"""

_OPTIONS = """
### Numbers of a layer

One number of a layer is changed, and the others stay as they are. The last column is what the product says of the first
number beyond those that are taken.
"""

_ARRIVALS = """
## What becomes which op

An operator or a layer that stands in no row becomes a part of the layers around it, or nothing.
"""

_ONNX = """
## ONNX, QONNX and QDQ

Each file has the operator behind a quantised convolution, once with scales of powers of two and once with others. The
last column names the ops that stand for the operator in one of its files; – means that it is a part of the layers
around it. What stands in front of a quantizer is often a part of its `affine`. An operator that reads constants alone
is computed when the file is read, whichever it is.
"""

_ONNX_OPTIONS = """
### What is refused of them
"""

_ONNX_REFUSED = """
### Operators that are refused

The message names the node and lists the operators that are taken; the way round is what it advises.
"""

_HLS4ML = """
## hls4ml

Layers by the names that hls4ml has for them, behind the passes of the backend `QuantUNet`; [hls4ml](hls4ml.md) says
which front ends make them. `QunConvTranspose2D` is Keras' `Conv2DTranspose`.
"""

_HLS4ML_REFUSED = """
### What is refused of them, and layers that are refused

A layer that stands in neither table is taken where hls4ml's passes make some of these of it, and refused by its name
otherwise.
"""


if __name__ == "__main__":
    write_text(PATH, page())
    sys.exit(0)
