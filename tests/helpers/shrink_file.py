"""Smaller files that fail like a file in the leg golden: fewer nodes, an earlier output, simpler constants, one value.

Where golden does not compute what the graph says, it is the graph that :mod:`helpers.minimise` makes smaller; here the
file is read wrongly, or refused without reason.
"""

from __future__ import annotations

import base64
import dataclasses
import textwrap
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
from helpers.minimise import Minimised, descend
from helpers.random_files import Verdict
from helpers.random_qonnx import RandomFile
from onnx import numpy_helper

from quantunet.storage import write_text

Judge = Callable[[RandomFile], Verdict]

_LINE = 100


def minimise_file(file: RandomFile, judge: Judge, seconds: float) -> Minimised[RandomFile] | None:
    """Return the smallest file that fails like a file; ``None`` where that one does not fail.

    Args:
        file: A file that fails.
        judge: What the product makes of a file.
        seconds: Begin no other try after so many.
    """
    first = judge(file)
    if not first.failed:
        return None

    def problem_of(other: RandomFile) -> str:
        try:
            found = judge(other)
        except Exception:  # noqa: BLE001 - of the reference: such a file says nothing
            return ""
        return found.reason if _kind(found) == _kind(first) else ""

    return descend(file, _smaller, lambda other: (other.model.SerializeToString(), other.image.tobytes()), problem_of,
                   seconds)  # fmt: skip


def _kind(verdict: Verdict) -> tuple[str, str]:
    """Return what went wrong, and where it is an error which one."""
    if verdict.kind == "traceback":
        return verdict.kind, verdict.reason.strip().splitlines()[-1].partition(":")[0]
    return verdict.kind, verdict.reason.partition(":")[0] if verdict.kind == "wrongly refused" else ""


def _smaller(file: RandomFile) -> Iterator[RandomFile]:
    nodes = list(file.model.graph.node)
    outputs = [node.output[0] for node in nodes if node.op_type != "Constant"]
    for name in outputs:
        if name != file.model.graph.output[0].name:
            yield _with(file, nodes, name)
    for node in nodes:
        if node.op_type == "Constant" or not node.input:
            continue
        rest = []
        for other in nodes:
            if other is not node:
                copy = onnx.NodeProto()
                copy.CopyFrom(other)
                copy.input[:] = [node.input[0] if name == node.output[0] else name for name in other.input]
                rest.append(copy)
        last = file.model.graph.output[0].name
        yield _with(file, rest, node.input[0] if last == node.output[0] else last)
    yield from _with_simpler_constants(file)
    for image in (np.zeros_like(file.image), np.full_like(file.image, 255), file.image & 1):
        if not np.array_equal(image, file.image):
            yield dataclasses.replace(file, image=image)


def _with(file: RandomFile, nodes: list[onnx.NodeProto], output: str) -> RandomFile:
    """Return the file of what an output needs of some nodes."""
    needed, kept = {output}, []
    for node in reversed(nodes):
        if needed & set(node.output):
            needed |= set(node.input)
            kept.append(node)
    model = onnx.ModelProto()
    model.CopyFrom(file.model)
    graph = model.graph
    del graph.node[:]
    graph.node.extend(reversed(kept))
    for entries in (graph.initializer, graph.input):
        used = [entry for entry in entries if entry.name in needed or entry.name == file.source]
        del entries[:]
        entries.extend(used)
    del graph.value_info[:]
    del graph.output[:]
    graph.output.append(onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None))
    return dataclasses.replace(file, model=model)


def _with_simpler_constants(file: RandomFile) -> Iterator[RandomFile]:
    for index, tensor in enumerate(file.model.graph.initializer):
        array = numpy_helper.to_array(tensor)
        if array.dtype.kind != "f" or array.size < 2:
            continue
        for other in (np.zeros_like(array), np.ones_like(array), np.sign(array), np.trunc(array)):
            if not np.array_equal(other, array):
                model = onnx.ModelProto()
                model.CopyFrom(file.model)
                model.graph.initializer[index].CopyFrom(numpy_helper.from_array(other, tensor.name))
                yield dataclasses.replace(file, model=model)


def write_file_test(folder: Path, found: Minimised[RandomFile], seed: int) -> Path:
    """Write a file as a test, ``folder/test_seed_<seed>_golden.py``, and return the test's file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"test_seed_{seed}_golden.py"
    write_text(path, test_of_file(found.case, found.problem))
    return path


def test_of_file(file: RandomFile, problem: str) -> str:
    """Return the text of a test of a file, with the file's nodes as a comment and its bytes packed."""
    packed = base64.b85encode(zlib.compress(file.model.SerializeToString(), 9)).decode()
    lines = [f"    {packed[at : at + _LINE]!r}" for at in range(0, len(packed), _LINE)]
    fields = ("input_last", "output_last", "excuse")
    more = "".join(f", {name}={getattr(file, name)!r}" for name in fields if getattr(file, name))
    nodes = [f"# {node.op_type}({', '.join(node.input)}) -> {', '.join(node.output)}" for node in file.model.graph.node]
    said = problem.strip().splitlines()[-1][:200].replace("\\", "/").replace('"', "'")
    quantised = tuple(name for name in file.quantised if any(name in node.output for node in file.model.graph.node))
    return "\n".join(
        [
            '"""A random file, made small, that failed in the leg golden.',
            "",
            *textwrap.wrap(said, _LINE),
            '"""',
            "",
            "from __future__ import annotations",
            "",
            "import base64",
            "import zlib",
            "from fractions import Fraction",
            "from pathlib import Path",
            "",
            "import numpy as np",
            "import onnx",
            "from helpers.random_files import judge",
            "from helpers.random_qonnx import RandomFile",
            "",
            *nodes,
            "MODEL = (",
            *lines,
            ")",
            f"IMAGE = np.array({file.image.tolist()}, dtype=np.uint8)",
            "",
            "",
            f"def test_seed_{file.seed}(tmp_path: Path) -> None:",
            "    model = onnx.ModelProto.FromString(zlib.decompress(base64.b85decode(MODEL)))",
            f"    pixel, choices = {Fraction(file.pixel)!r}, {file.choices!r}",
            f"    quantised, source = {quantised!r}, {file.source!r}",
            f"    file = RandomFile({file.seed}, model, IMAGE, pixel, quantised, source, choices, 0{more})",
            "    verdict = judge(file, tmp_path)",
            "    assert not verdict.failed, verdict",
            "",
        ]
    )


test_of_file.__test__ = False  # type: ignore[attr-defined]
