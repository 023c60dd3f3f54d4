"""A network with all that a leg of the random files does with it, as a value that can be written as a test."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from helpers.random_hardware import FRAMES, Found, Network

from quantunet.hls.design import Fold
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.ir import Array, Graph, IntArray, QType

RUNS = ("no stalls", "stalls", "least FIFOs", "least FIFOs, bursts of stalls", "a beat less")
"""What a simulation is run with; see :mod:`helpers.random_hardware`."""

_WIDTH = 110


@dataclasses.dataclass(frozen=True)
class Case:
    """What is taken through one leg.

    Attributes:
        leg: The leg.
        graph: The network.
        image: Its first frame.
        folding: The fold of every layer; not of use in golden.
        seed: Of the stalls.
        count: Adjacent frames.
        only: The runs of a simulation that are made.
    """

    leg: str
    graph: Graph
    image: Array = dataclasses.field(compare=False)
    folding: Mapping[str, Fold]
    seed: int = 0
    count: int = FRAMES
    only: tuple[str, ...] = RUNS

    def run(self, folder: Path, rtl_folder: Path = RTL_FOLDER) -> Found:
        """Take it through its leg.

        Args:
            folder: Working folder.
            rtl_folder: The SystemVerilog library.
        """
        network = Network(
            self.graph, self.image, self.seed, folder, folding=self.folding, count=self.count, only=self.only,
            rtl_folder=rtl_folder,
        )  # fmt: skip
        return network.run(self.leg)


def kinds(found: Found) -> frozenset[str]:
    """Return what is wrong, without names and numbers: two cases with one of these in common fail in the same way."""
    return frozenset(_kind(problem) for problem in found.problems)


def _kind(problem: str) -> str:
    last = problem.strip().splitlines()[-1]
    if problem.startswith("Traceback"):
        return last.partition(":")[0]
    words = re.search(r"differ|first output|fills|locks|runs with|assert|no end|timed out|stuck|last", problem)
    return words[0] if words else re.sub(r"[^a-z ]+", "", last)


def test_of(case: Case, problem: str, name: str) -> str:
    """Return the text of a test of a case.

    Args:
        case: The case.
        problem: What was wrong with it.
        name: Of the test, behind ``test_``.
    """
    said = problem.strip().splitlines()[-1][:200].replace("\\", "/").replace('"', "'")
    names = sorted({type(node).__name__ for node in case.graph.nodes} | {"Graph", "IntArray", "QType", "Tensor"})
    wide = ["Fraction"] if any(tensor.unit for tensor in case.graph.tensors) else []
    lines = [
        f'"""A random network, made small, that failed in the leg {case.leg}.',
        "",
        *textwrap.wrap(said, _WIDTH),
        '"""',
        "",
        "from __future__ import annotations",
        "",
        *(["from fractions import Fraction"] if wide else []),
        "from pathlib import Path",
        "",
        "import numpy as np",
        "from helpers.random_case import Case",
        "",
        "from quantunet.hls.design import Fold",
        f"from quantunet.ir import {', '.join(names)}",
        "",
        f"CASE = {_source(case)}",
        "",
        "",
        f"def test_{name}(tmp_path: Path) -> None:",
        "    found = CASE.run(tmp_path)",
        "    assert not found.problems, found.problems",
        "    assert found.compared",
    ]
    return "\n".join(lines) + "\n"


test_of.__test__ = False  # type: ignore[attr-defined]


def _source(value: object, indent: int = 0) -> str:
    """Return an expression that makes a value, in lines that are not too long."""
    begin, parts, end = _parts(value)
    inner = [f"{name}{_source(part, indent + 4)}" for name, part in parts]
    if not parts:
        return begin + end
    short = f"{begin}{', '.join(inner)}{',' if begin == '(' and len(inner) == 1 else ''}{end}"
    if "\n" not in short and len(short) + indent < _WIDTH:
        return short
    pad = " " * (indent + 4)
    if not isinstance(value, list) or any(isinstance(part, list) for _, part in parts):
        return f"{begin}\n{pad}" + f",\n{pad}".join(inner) + f",\n{' ' * indent}{end}"
    return f"{begin}\n" + "\n".join(_filled(inner, pad)) + f"\n{' ' * indent}{end}"


def _filled(words: Sequence[str], pad: str) -> Iterator[str]:
    line = pad
    for word in words:
        if len(line) + len(word) > _WIDTH:
            yield line.rstrip()
            line = pad
        line += f"{word}, "
    yield line.rstrip()


def _parts(value: object) -> tuple[str, list[tuple[str, object]], str]:
    """Return how an expression begins, its parts with what stands before each, and how it ends."""
    if isinstance(value, IntArray | np.ndarray):
        array = value.array if isinstance(value, IntArray) else value
        begin, end = ("IntArray.of(", ")") if isinstance(value, IntArray) else ("np.array(", ")")
        constant = len(set(array.flat)) == 1 and array.size > 1
        if constant:
            full = f"np.full({array.shape}, {int(array.flat[0])})"
            return (begin + full, [], end) if isinstance(value, IntArray) else (full, [], "")
        return begin, [("", array.tolist())], end
    if isinstance(value, list | tuple):
        opening = "[]" if isinstance(value, list) else "()"
        return opening[0], [("", part) for part in value], opening[1]
    if isinstance(value, Mapping):
        return "{", [(f'"{key}": ', part) for key, part in value.items()], "}"
    if isinstance(value, QType | Fraction):
        return repr(value), [], ""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field for field in dataclasses.fields(value) if field.init]
        parts = [(f"{field.name}=", getattr(value, field.name)) for field in fields]
        kept = [
            part for field, part in zip(fields, parts, strict=True)
            if isinstance(part[1], np.ndarray | IntArray) or part[1] != field.default
        ]  # fmt: skip
        return f"{type(value).__name__}(", kept, ")"
    return repr(value).replace("'", '"'), [], ""
