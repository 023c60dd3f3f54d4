"""docs/bring_your_own_network.md: its blocks and commands run as they stand, and compute what Brevitas means.

What is compared with ``==``: the file's weights with Brevitas' integers; the integers of every score with Brevitas' own
forward pass in float64, at the scales that the file holds; the class map of the command with both; and every value of
the simulated hardware, by ``cosim`` itself. Brevitas in float32 is not compared: it may round to another side.
"""

from __future__ import annotations

import copy
import json
import os
import re
import runpy
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from brevitas import nn as qnn
from brevitas.core.quant import RescalingIntQuant
from helpers.project import ROOT
from PIL import Image

import quantunet as q
from quantunet.ir import MatrixNode

PAGE = (ROOT / "docs" / "bring_your_own_network.md").read_text(encoding="utf-8")
SCRIPT = "python own.py"


def blocks(language: str) -> list[str]:
    """The blocks of the page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("console") for line in block.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[dict[str, Any]]:
    """The variables of the page's program, and what it prints."""
    (folder / "own.py").write_text("\n".join(blocks("python")), encoding="utf-8")
    before, threads = Path.cwd(), torch.get_num_threads()
    os.chdir(folder)
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's and Brevitas' own, while they export
            yield runpy.run_path("own.py")
    finally:
        os.chdir(before)
        torch.set_num_threads(threads)


def ran(command: str, folder: Path) -> str:
    """Run a command of the page; returns what it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, shell=True, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


class Fixed(torch.nn.Module):
    """A scale that is not computed again."""

    def __init__(self, scale: torch.Tensor) -> None:
        super().__init__()
        self.scale = scale.double()

    def forward(self, x: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
        return self.scale


def in_float64(model: torch.nn.Module, image: torch.Tensor) -> torch.nn.Module:
    """Brevitas' network in float64, with the scales of float32, which are those of the file."""
    scales: dict[str, torch.Tensor] = {}
    hooks = [
        module.register_forward_hook(lambda _, __, out, name=name: scales.update({name: out[1].detach()}))
        for name, module in model.named_modules()
        if isinstance(module, RescalingIntQuant)
    ]
    with torch.no_grad():
        model(image)
    for hook in hooks:
        hook.remove()
    exact = copy.deepcopy(model).double()
    for name, module in exact.named_modules():
        if name in scales:
            module.scaling_impl = Fixed(scales[name])
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = float(np.float32(module.eps))  # an attribute of the file is a float32
    assert len(scales) > 10
    return exact


def scale_of(model: torch.nn.Module) -> float:
    """The scale of the scores."""
    return float(model.scores.act_quant.scale().detach())


def test_the_program_is_one_file_and_every_command_is_run() -> None:
    assert len(blocks("python")) == 4
    assert [command.split()[1] for command in COMMANDS] == ["own.py", "check", "infer", "evaluate", "cosim", "fold"]
    network = blocks("python")[0].splitlines()
    assert len([line for line in network if line.strip()]) <= 40


def test_the_file_has_brevitas_weights(own: dict[str, Any], folder: Path) -> None:
    graph = q.load_network(folder / "unet.onnx")
    convolutions = [module for module in own["model"].modules() if isinstance(module, qnn.QuantConv2d)]
    layers = [node for node in graph.nodes if isinstance(node, MatrixNode)]
    assert len(convolutions) == len(layers) == 6
    for module, node in zip(convolutions, layers, strict=True):
        expected = module.quant_weight().int().numpy().transpose(2, 3, 1, 0)
        assert expected.size == node.weight.array.size > 0
        assert np.array_equal(node.weight.array, expected)
        assert len(np.unique(expected)) > 3
    scales = [step for module in convolutions for step in module.quant_weight().scale.detach().flatten().tolist()]
    assert all(np.log2(scale) % 1 for scale in scales)  # no power of two among them


def test_every_score_is_brevitas_own(own: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, images = own["model"], own["images"]
    exact = in_float64(model, own["as_input"](images[:1]))
    with torch.no_grad():
        values = exact(torch.from_numpy(images.transpose(0, 3, 1, 2)).double() / 255).numpy()
    expected = values / np.float64(np.float32(scale_of(model)))
    assert np.abs(expected - np.rint(expected)).max() < 1e-9  # multiples of the scale
    codes = np.rint(expected).astype(np.int64).transpose(0, 2, 3, 1)
    graph = q.load_network(folder / "unet.onnx", pixel_scale="1/255")
    found = [q.infer(graph, image) for image in images]
    scores = np.stack([each.taps[graph.logits.name] for each in found])
    assert scores.shape == codes.shape == (20, 32, 32, 3)
    assert np.array_equal(scores, codes)
    classes = np.stack([each.classes for each in found])
    assert np.array_equal(classes, codes.argmax(axis=3))
    assert np.array_equal(own["found"], classes)
    assert set(np.unique(classes)) == {0, 1, 2}
    with Image.open(folder / "picture.png") as picture:
        assert np.array_equal(np.array(picture), images[0])


def test_the_network_has_learned_something(own: dict[str, Any]) -> None:
    for kind in range(3):
        both = ((own["found"] == kind) & (own["classes"] == kind)).sum()
        assert both / ((own["found"] == kind) | (own["classes"] == kind)).sum() > 0.5


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != SCRIPT])
def test_the_commands_of_the_page(command: str, own: dict[str, Any], folder: Path) -> None:
    printed = " ".join(ran(command, folder).split())
    name = command.split()[1]
    if name == "check":
        said = re.search(r"`(unet\.onnx: taken, [^`]+)`", PAGE)
        assert said
        assert f"{said[1]} as " in printed
        assert "obstacle" not in printed
    elif name == "infer":
        with Image.open(folder / "classes.png") as picture:
            assert np.array_equal(np.array(picture), own["found"][0])
        assert (folder / "classes_overlay.png").is_file()
    elif name == "evaluate":
        (metrics,) = folder.glob("runs/evaluate/*/metrics.json")
        rows = json.loads(metrics.read_text())["parts"]["all"]["network"]["classes"]
        assert [row["predicted_pixels"] for row in rows] == [int((own["found"] == kind).sum()) for kind in range(3)]
    elif name == "cosim":
        assert "PASSED unet" in printed
        (path,) = folder.glob("build/*/cosim/report.json")
        report = json.loads(path.read_text())
        rtl = report["network_rtl"]
        assert (rtl["values_compared"], rtl["mismatches"]) == (32 * 32 * 3, 0)
        assert (rtl["mask_pixels"], rtl["mask_mismatches"]) == (32 * 32, 0)
        assert report["class_pixels"] == [int((own["found"][0] == kind).sum()) for kind in range(3)]
        values = re.search(r"([0-9]+) values compared", printed)
        assert values
        assert int(values[1]) > 100_000
    else:
        graph = q.load_network(folder / "unet.onnx")
        assert set(json.loads((folder / "folding.json").read_text())) == {node.name for node in graph.nodes}
