"""Own pictures through the command line: looked at before anything is trained, trained by folds, scored, segmented."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.project import ROOT
from PIL import Image

from quantunet.cli import main
from quantunet.model import data, phantoms
from quantunet.model.card_file import read_card


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return 24 pictures, 56 pixels high and 48 wide, with masks."""
    images, masks = phantoms.generate(24, 56, 3)
    for index, (image, mask) in enumerate(zip(images[:, :, :48], masks[:, :, :48], strict=True)):
        for name, values in (("images", image), ("masks", 255 * mask)):
            path = tmp_path / "set" / name / f"view{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values.astype(np.uint8)).save(path)
    return tmp_path / "set"


QUICK = ["--float-epochs", "1", "--qat-epochs", "1", "--tune-epochs", "0", "--base", "2", "--depth", "1",
         "--size", "16", "--publish-anyway"]  # fmt: skip


def test_a_dry_run_shows_what_would_be_trained_on(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["train", "tiny", "--data", str(folder), "--fit", "letterbox", "--groups", "none", "--out", str(out)]
    assert main([*command, "--dry-run", "--size", "48", "--folds", "3"]) == 0
    text = capsys.readouterr().out
    assert "48x48 pixels, letterbox" in text
    rows = [[cell.strip() for cell in line.split("│")[2:-1]] for line in text.splitlines() if line.startswith("│")]
    assert [(row[0], row[1]) for row in rows] == [("train", "14"), ("val", "2"), ("test", "8")] * 3
    assert [path.name for path in out.iterdir()] == ["contact_sheet.png"]
    with Image.open(out / "contact_sheet.png") as sheet:
        assert sheet.width == 8 * (96 + 4) + 4 and sheet.height == 9 * (96 + 36)
        colour = np.asarray(sheet.convert("RGB")).astype(int)
    assert (colour[..., 0] - colour[..., 1] > 100).any(), "masks are outlined"


def test_bad_data_and_dry_runs_need_no_torch(tmp_path: Path, folder: Path) -> None:
    (folder / "masks" / "view3.png").unlink()
    program = (
        "import sys\nfor name in ('torch', 'brevitas', 'monai'): sys.modules[name] = None\n"
        "from quantunet.cli import main\nsys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", program, "train", "tiny", "--data", str(folder), "--out", str(tmp_path / "out")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 2 and "view3.png" in ran.stderr and "no mask" in ran.stderr
    (folder / "images" / "view3.png").unlink()
    ran = subprocess.run([*command, "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_folds_are_trained_in_turn_and_the_network_is_used(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["train", "tiny", "--data", str(folder), "--fit", "letterbox", "--folds", "2", "--out", "out", *QUICK]
    assert main(command) == 0
    assert "test part of each fold" in capsys.readouterr().out
    tested = []
    for fold in (0, 1):
        network = tmp_path / "out" / f"fold{fold}" / "tiny.onnx"
        card = read_card(network.with_suffix(".json"))
        assert (card.fit, card.fold, card.folds, card.image_size) == ("letterbox", fold, 2, 16)
        command = json.loads(network.with_suffix(".json").read_text())["training"]["command"]
        assert all(text in command for text in ("--fit letterbox", "--folds 2", f"--fold {fold}", "--size 16"))
        out = tmp_path / f"scores{fold}"
        assert main(["evaluate", str(network), "--data", str(folder), "--part", "test", "--out", str(out)]) == 0
        with (out / "images.csv").open(newline="") as file:
            tested += [row["name"] for row in csv.DictReader(file)]
        assert main(["predict", str(network), str(folder / "images"), "--out", str(tmp_path / f"masks{fold}")]) == 0
        report = json.loads((tmp_path / f"masks{fold}" / "report.json").read_text())
        assert (report["fit"], report["files"], report["refused"]) == ("letterbox", 24, [])
        with Image.open(tmp_path / f"masks{fold}" / "masks" / "view0.png") as mask:
            assert mask.size == (48, 56)
        assert main(["evaluate", str(network), "--data", str(folder), "--fit", "stretch"]) == 2
    assert sorted(tested) == sorted(f"view{index}" for index in range(24))


def test_a_fold_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "tiny", "--data", str(folder), "--dry-run", "--folds", "3"]
    assert main([*command, "--fold", "3"]) == 2
    assert "--fold: expected one of 0, 1, 2, got 3" in capsys.readouterr().err


def test_an_npz_is_made_of_a_folder(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set.npz"
    command = ["data", "folder", str(folder), "--out", str(out), "--size", "32", "--fit", "letterbox"]
    assert main(command) == 0
    assert "images/ and masks/, 24 files, letterbox" in capsys.readouterr().out
    first = out.read_bytes()
    samples = data.load_npz(out)
    assert samples.fit == "letterbox" and samples.images.shape == (24, 32, 32)
    assert samples.name is not None and samples.name[9] == "view9"
    assert main(command) == 0
    assert out.read_bytes() == first
    assert main([*command[:-3], "4"]) == 2
    assert "8 to 4096 pixels" in capsys.readouterr().err


def test_deep_pictures_take_a_window(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, deep = tmp_path / "plain.npz", tmp_path / "deep.npz"
    assert main(["data", "folder", str(folder), "--out", str(plain), "--size", "32"]) == 0
    for path in (folder / "images").iterdir():
        values = np.asarray(Image.open(path)).astype(np.uint16)
        Image.fromarray(16 * values).save(path)
    command = ["data", "folder", str(folder), "--out", str(deep), "--size", "32"]
    assert main(command) == 2
    assert "or --window LOW HIGH: what is black" in capsys.readouterr().err and not deep.exists()
    for words in (["train", "tiny", "--dry-run"], ["evaluate", "tiny"]):  # which have no such option
        assert main([*words, "--data", str(folder), "--out", str(tmp_path / "out")]) == 2
        message = capsys.readouterr().err
        assert "expected 8 bits a value, or a file that says what is black and what is white, got uint16" in message
        assert "quantunet data folder FOLDER --out data.npz --window LOW HIGH" in message
    assert main([*command, "--window", "0", "4080"]) == 0
    assert (data.load_npz(plain).images == data.load_npz(deep).images).all()


def test_a_network_of_rgb_is_trained_scored_and_used(tmp_path: Path, folder: Path) -> None:
    for path in (folder / "images").iterdir():
        values = np.asarray(Image.open(path))
        Image.fromarray(np.stack([values, 255 - values, values // 2], axis=2)).save(path)
    out = tmp_path / "out"
    assert main(["train", "tiny", "--data", str(folder), "--rgb", "--out", str(out), *QUICK]) == 0
    card = json.loads((out / "tiny.json").read_text())
    assert card["unet"]["in_channels"] == 3 and "--rgb" in card["training"]["command"]
    assert card["export_check"]["values_compared"] > 0 and card["export_check"]["values_differing"] == 0
    scores = []
    for name in ("tiny.onnx", "tiny_float.onnx"):
        command = ["evaluate", str(out / name), "--data", str(folder), "--part", "test", "--out", str(tmp_path / name)]
        assert main(command) == 0
        scores.append(json.loads((tmp_path / name / "metrics.json").read_text())["parts"]["test"]["network"]["dice"])
    for kind, score in zip(("quantised", "float"), scores, strict=True):
        assert score == pytest.approx(card["scores"][kind]["test"]["dice"], abs=1e-4)
    assert main(["predict", str(out / "tiny.onnx"), str(folder / "images"), "--out", str(tmp_path / "masks")]) == 0
    assert len(list((tmp_path / "masks" / "masks").iterdir())) == 24
