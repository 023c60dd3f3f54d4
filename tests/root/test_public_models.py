"""Public files of other projects: each is taken and exact, or refused with a typed error; none ends in a traceback.

The files are not part of the project: the environment variable ``QUANTUNET_MODELS`` names their folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers.qonnx_exact import Exact, Executor, NoExactMeaningError
from helpers.random_qonnx import graph_values

from quantunet.errors import QuantUNetError
from quantunet.golden.inference import run
from quantunet.ir import Graph
from quantunet.qonnx_import import load

ROOT = Path(__file__).parents[2]


def folder() -> Path:
    """The folder of the files: the variable's, or the one that lies beside the checkout."""
    named = os.environ.get("QUANTUNET_MODELS")
    return Path(named) if named else ROOT.parent / "shared" / "models"


MODELS = sorted(folder().glob("*.onnx"))


def random_codes(graph: Graph) -> np.ndarray:
    tensor = graph.tensor(graph.input)
    return np.random.default_rng(0).integers(tensor.qtype.qmin, tensor.qtype.qmax + 1, size=tensor.shape)


def check_values(path: Path, graph: Graph) -> int:
    """Compare a graph with its file on random codes; returns the number of values."""
    model = onnx.load(path)
    constants = {tensor.name for tensor in model.graph.initializer}
    (source,) = (value.name for value in model.graph.input if value.name not in constants)
    codes = random_codes(graph)
    # the values of the codes themselves: a quantizer leaves them alone
    fed = graph_values(codes, graph.tensor(graph.input).qtype.frac)
    if graph.pixels.gain or graph.pixels.offset:
        pytest.fail(f"{path.name}: taken, with normalisation, which this test does not undo")
    executor = Executor(model, {source: fed})
    (expected,) = (executor[name] for name in executor.outputs)
    got = graph_values(run(graph, codes)[graph.output], graph.tensor(graph.output).qtype.frac)
    if got.shape != expected.shape:
        expected = Exact(np.moveaxis(expected.num, -1, 1), expected.unit)
    assert got.same(expected)
    return expected.num.size


ABSENT = pytest.param(
    None, marks=pytest.mark.skip("no public files: set QUANTUNET_MODELS to their folder"), id="absent"
)


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in MODELS] or [ABSENT])
def test_a_public_file_is_exact_or_refused(path: Path) -> None:
    try:
        graph = load(path)
    except QuantUNetError as error:
        assert error.where
        assert error.expected
        assert "Export or copy it again" not in str(error)  # nothing is wrong with these files
        return
    try:
        assert check_values(path, graph)
    except NoExactMeaningError as error:
        pytest.fail(f"{path.name}: taken, but: {error}")


def test_what_lies_there_is_what_is_tested() -> None:
    """A folder that is named must hold files, so that nothing is left out without a word."""
    if "QUANTUNET_MODELS" not in os.environ:
        pytest.skip("no folder is named: set QUANTUNET_MODELS")
    assert MODELS, f"{folder()} holds no ONNX file"
