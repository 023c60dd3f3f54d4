"""infer and compare through the command line: results, exit codes, messages, nothing half-written."""

from pathlib import Path

import numpy as np
import pytest
from helpers.comparing import assert_equal
from helpers.qonnx_files import SmallUnet
from PIL import Image

from quantunet import golden
from quantunet.cli import main
from quantunet.golden.taps import load_taps, save_taps
from quantunet.qonnx_import import load
from quantunet.zoo import zoo_names


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return SmallUnet().write(tmp_path / "small.onnx")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 256, size=(4, 6)).astype(np.uint8)).save(path)
    return path


def test_infer_writes_the_golden_mask(tmp_path: Path, model: Path, image: Path) -> None:
    out = tmp_path / "out" / "mask.png"
    assert main(["infer", str(model), str(image), "--out", str(out), "--taps", str(tmp_path / "taps.npz")]) == 0
    graph = load(model)
    taps = golden.run(graph, np.array(Image.open(image)))
    assert (np.array(Image.open(out)) == golden.mask(graph, taps) * 255).all()
    with Image.open(out.with_name("mask_overlay.png")) as overlay:
        assert overlay.size == (6 * 4 * 2 + 4, 16)
    assert_equal(taps, load_taps(tmp_path / "taps.npz"))


def test_infer_prints_a_histogram_of_every_tensor(
    tmp_path: Path, model: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["infer", str(model), str(image), "--out", str(tmp_path / "mask.png"), "--histogram"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for tensor in load(model).tensors:
        line = next(line for line in lines if line.startswith(f"{tensor.name} "))
        assert f" {tensor.qtype} " in line
        assert " of " in line


def test_compare_names_the_first_difference(
    tmp_path: Path, model: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = load(model)
    taps = golden.run(graph, np.array(Image.open(image)))
    path = tmp_path / "other.npz"
    save_taps(path, taps)
    assert main(["compare", str(model), str(image), str(path)]) == 0
    assert f"equal: {sum(values.size for values in taps.values())} values" in capsys.readouterr().out
    taps["up_out"][1, 2, 1] += 1
    taps["head_out"][3, 5, 0] -= 1
    save_taps(path, taps)
    assert main(["compare", str(model), str(image), str(path)]) == 1
    expected, got = taps["up_out"][1, 2, 1] - 1, taps["up_out"][1, 2, 1]
    out = capsys.readouterr().out
    assert f"first difference: up_out y=1 x=2 channel=1: expected {expected}, got {got}" in " ".join(out.split())


def bad_images(folder: Path) -> dict[str, tuple[str, str]]:
    """Return image arguments that must be refused, each with a part of the message."""
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, size=(5, 6)).astype(np.uint8)).save(folder / "size.png")
    Image.fromarray(rng.integers(0, 256, size=(4, 6, 3)).astype(np.uint8)).save(folder / "mode.png")
    (folder / "cut.png").write_bytes((folder / "size.png").read_bytes()[:40])
    (folder / "text.png").write_text("no picture")
    np.savez(folder / "data.npz", images=np.zeros((2, 4, 6), dtype=np.uint8))
    np.savez(folder / "float.npz", images=np.zeros((2, 4, 6)))
    np.savez(folder / "other.npz", pictures=np.zeros(3))
    return {
        "size": (str(folder / "size.png"), "6x4 pixels"),
        "mode": (str(folder / "mode.png"), "mode L, 8 bits"),
        "cut": (str(folder / "cut.png"), "whole picture"),
        "text": (str(folder / "text.png"), "whole picture"),
        "missing": (str(folder / "none.png"), "no such file"),
        "index": (f"{folder / 'data.npz'}:2", "index below 2"),
        "float": (f"{folder / 'float.npz'}:0", "uint8"),
        "other": (f"{folder / 'other.npz'}:0", "images"),
    }


@pytest.mark.parametrize("kind", ["size", "mode", "cut", "text", "missing", "index", "float", "other"])
def test_bad_image(tmp_path: Path, model: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    argument, text = bad_images(tmp_path)[kind]
    out = tmp_path / "out" / "mask.png"
    assert main(["infer", str(model), argument, "--out", str(out)]) == 2
    assert text in capsys.readouterr().err
    assert not out.parent.exists()


def test_bad_model(tmp_path: Path, image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = SmallUnet(zero_point=0.5).write(tmp_path / "bad.onnx")
    out = tmp_path / "mask.png"
    assert main(["infer", str(model), str(image), "--out", str(out)]) == 2
    assert "input: expected an integer as zero point, got 0.5" in capsys.readouterr().err
    assert not out.exists()
    assert main(["infer", "no_such_network", str(image), "--out", str(out)]) == 2
    message = capsys.readouterr().err
    assert f"The zoo holds: {', '.join(zoo_names())}." in message


def test_compare_refuses_unknown_tensors(tmp_path: Path, model: Path, image: Path) -> None:
    save_taps(tmp_path / "t.npz", {"nothing": np.zeros((1, 1, 1), dtype=np.int64)})
    assert main(["compare", str(model), str(image), str(tmp_path / "t.npz")]) == 2
    save_taps(tmp_path / "t.npz", {})
    assert main(["compare", str(model), str(image), str(tmp_path / "t.npz")]) == 2
