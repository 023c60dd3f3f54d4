"""Own pictures of several classes that are no squares, as a new user walks: from a folder to simulated hardware."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quantunet import qonnx_import
from quantunet.class_colours import LINE, legend
from quantunet.cli import main
from quantunet.model import data
from quantunet.model.card_file import read_card
from quantunet.provenance import file_digest, graph_digest

NAMES = "background,disc,ball"
QUICK = ["--float-epochs", "1", "--qat-epochs", "1", "--tune-epochs", "1", "--base", "2", "--depth", "1",
         "--batch-size", "4", "--threads", "1", "--publish-anyway"]  # fmt: skip
SIZE = ["--size", "8", "16"]


def pictures(root: Path, *, classes: int = 2) -> Path:
    """Write 24 pictures, 48 pixels high and 80 wide, with a disc and, where there are two classes, a ball."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:48, :80]
    for index in range(24):
        mask = np.zeros((48, 80), np.uint8)
        for value in range(1, classes + 1):
            mask[(y - rng.integers(12, 36)) ** 2 + (x - rng.integers(12, 68)) ** 2 < 80] = value
        picture = np.clip(40 + 70 * mask + rng.normal(0, 12, mask.shape), 0, 255).astype(np.uint8)
        for name, pixels in (("images", picture), ("masks", mask)):
            path = root / name / f"view{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return root


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with pictures in ``set`` and a finished training of them in ``run``."""
    root = tmp_path_factory.mktemp("walk")
    command = ["train", "tiny", "--data", str(pictures(root / "set")), "--groups", "none", "--fit", "letterbox"]
    assert main([*command, *SIZE, "--classes", NAMES, "--out", str(root / "run"), *QUICK]) == 0
    return root


def assert_legend(page: str, times: int) -> None:
    """Check that a page says so many times which colour is that of which class."""
    for (red, green, blue), text in legend(NAMES.split(",")):
        entry = f'background:rgb({red},{green},{blue})"></i><bdi>{text}</bdi>'
        assert page.count(entry) == times > 0, text


def test_a_dry_run_counts_and_shows_the_classes(walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "tiny", "--data", str(walk / "set"), "--groups", "none", "--dry-run", "--out", str(tmp_path)]
    assert main([*command, "--size", "48", "80", "--classes", NAMES]) == 0
    told = capsys.readouterr().out
    assert "80x48 (width x height) pixels" in told and "disc" in told and "16 (" in told
    with Image.open(tmp_path / "contact_sheet.png") as sheet:
        colour = np.asarray(sheet.convert("RGB")).astype(int)
    for channel, other in ((0, 2), (2, 0)):
        assert (colour[..., channel] - colour[..., other] > 100).any(), "each class has a colour of its own"
    assert main(command) == 2
    assert "--classes background,NAME,NAME" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([*command, "--size", "48", "80", "3"])
    assert "expected a height and a width, got 3 numbers" in capsys.readouterr().err
    assert main([*command, "--size", "48", "50", "--classes", NAMES]) == 2
    assert "a multiple of 4), got 50" in capsys.readouterr().err


def test_the_card_names_the_classes_and_the_size(walk: Path) -> None:
    path = walk / "run" / "tiny.json"
    card, text = read_card(path), json.loads(path.read_text())
    assert card.classes == ("background", "disc", "ball")
    assert (card.image_size, card.image_width, card.fit) == (8, 16, "letterbox")
    assert "--size 8 16" in text["training"]["command"] and f"--classes {NAMES}" in text["training"]["command"]
    assert text["export_check"]["values_differing"] == 0 < text["export_check"]["values_compared"]
    for kind in ("float", "quantised"):
        scores = text["scores"][kind]["test"]
        assert scores["dice"] == pytest.approx((scores["dice_1"] + scores["dice_2"]) / 2, abs=1e-4)
    assert json.loads((walk / "run" / "tiny_float.json").read_text())["classes"] == NAMES.split(",")
    page = (walk / "run" / "report.html").read_text()
    assert "mean Dice" in page and "IoU, ball" in page
    assert_legend(page, 1)


@pytest.mark.parametrize("kind", ["quantised", "float"])
def test_evaluate_scores_the_parts_of_the_training_by_class(
    walk: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, other = ("tiny.onnx", "tiny_float.onnx") if kind == "quantised" else ("tiny_float.onnx", "tiny.onnx")
    command = ["evaluate", str(walk / "run" / name), "--data", str(walk / "set"), "--out", str(tmp_path)]
    assert main([*command, "--part", "test", "val", "--against", str(walk / "run" / other)]) == 0
    found = json.loads((tmp_path / "metrics.json").read_text())
    card = json.loads((walk / "run" / "tiny.json").read_text())["scores"][kind]
    assert (found["training_images"], found["parts"].keys()) == (0, {"test", "val"})
    for part, report in found["parts"].items():
        scores = report["network"]
        assert [row["name"] for row in scores["classes"]] == NAMES.split(",")
        assert scores["mean_dice"] == pytest.approx(card[part]["dice"], abs=0.01)
        assert report["card"]["scores"] == card[part] and report["against"]["differences"]
    shown = capsys.readouterr().out
    assert "1 disc" in shown and "dice 2 ball" in shown
    page = (tmp_path / "report.html").read_text()
    assert "dice 2 ball" in page
    assert_legend(page, 3)
    with (tmp_path / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found["images"] and all(row["name"] == f"view{row['index']}" for row in rows)
    assert main([*command, "--smallest-area", "4"]) == 2
    assert main([*command, "--fit", "stretch"]) == 2


def test_predict_and_infer_give_class_maps(walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = str(walk / "run" / "tiny.onnx")
    command = ["predict", network, str(walk / "set" / "images"), "--out", str(tmp_path / "masks"), "--overlays"]
    assert main(command) == 0
    with Image.open(tmp_path / "masks" / "masks" / "view0.png") as mask:
        assert mask.size == (80, 48) and mask.mode == "P" and np.asarray(mask).max() <= 2
    with (tmp_path / "masks" / "areas.csv").open(newline="") as file:
        areas = list(csv.DictReader(file))
    assert [(row["class"], row["name"]) for row in areas] == [("1", "disc"), ("2", "ball")] * 24
    with Image.open(tmp_path / "masks" / "overlays" / "view0.png") as shown:
        zoom = 384 // 80
        assert shown.size == (zoom * (80 * 2 + 1), zoom * 48 + LINE)
    assert json.loads((tmp_path / "masks" / "report.json").read_text())["classes"] == NAMES.split(",")
    image = tmp_path / "small.png"
    Image.open(walk / "set" / "images" / "view0.png").resize((16, 8)).save(image)
    maps = []
    for ending, form in ((".png", "PNG"), (".tif", "TIFF"), (".bmp", "BMP")):
        out = tmp_path / f"mask{ending}"
        assert main(["infer", network, str(image), "--out", str(out), "--overlay", str(tmp_path / "shown.jpg")]) == 0
        with Image.open(out) as found, Image.open(tmp_path / "shown.jpg") as shown:
            assert (found.format, shown.format) == (form, "JPEG")
            maps.append(np.asarray(found))
        assert ", class 1 disc: " in capsys.readouterr().out
    assert maps[0].shape == (8, 16) and (maps[0] == maps[1]).all() and (maps[0] == maps[2]).all()
    capsys.readouterr()
    for name, text in (("mask.jpg", "JPEG does not keep a mask"), ("mask", "a name without an ending")):
        assert main(["infer", network, str(image), "--out", str(tmp_path / name)]) == 2
        assert text in capsys.readouterr().err and not (tmp_path / name).exists()
    assert main(["infer", network, str(image), "--out", str(tmp_path / "m.png"), "--overlay", "shown.webp"]) == 2
    assert not (tmp_path / "m.png").exists()


def test_a_card_with_other_classes_is_left_alone_or_refused(
    walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    network = tmp_path / "tiny.onnx"
    network.write_bytes((walk / "run" / "tiny.onnx").read_bytes())
    card = json.loads((walk / "run" / "tiny.json").read_text())
    evaluate = ["evaluate", str(network), "--data", str(walk / "set"), "--part", "test", "--out", str(tmp_path / "e")]
    image = tmp_path / "small.png"
    Image.open(walk / "set" / "images" / "view0.png").resize((16, 8)).save(image)
    for classes, got in (
        (
            ["background", "disc"],
            "expected names of 3 classes, those of the network beside it, got 2: background, disc",
        ),
        ([*NAMES.split(",")[:2], "a\x1b"], "expected a list of texts on one line each, got 'a\\x1b'"),
    ):
        network.with_suffix(".json").write_text(json.dumps(card | {"classes": classes}))
        assert main(evaluate) == 2
        message = capsys.readouterr().err
        assert f"tiny.json, key 'classes': {got}" in message
        assert main(["bundle", str(network), "--out", str(tmp_path / "bundle")]) == 2
        assert got in capsys.readouterr().err and not (tmp_path / "bundle").exists()
        caplog.clear()
        assert main(["infer", str(network), str(image), "--out", str(tmp_path / "m.png")]) == 0
        assert got in caplog.text and ", class 1: " in capsys.readouterr().out


def test_an_npz_of_the_folder_trains_the_same_network(walk: Path, tmp_path: Path) -> None:
    file = tmp_path / "set.npz"
    command = ["data", "folder", str(walk / "set"), "--out", str(file), *SIZE, "--fit", "letterbox", "--groups", "none"]
    assert main([*command, "--classes", NAMES]) == 0
    samples = data.load_npz(file)
    assert samples.images.shape == (24, 8, 16) and samples.classes == tuple(NAMES.split(","))
    out = tmp_path / "run"
    assert main(["train", "tiny", "--data", str(file), *SIZE, "--out", str(out), *QUICK]) == 0
    first, again = (json.loads((folder / "tiny.json").read_text()) for folder in (walk / "run", out))
    assert again["provenance"]["sha256"]["graph"] == first["provenance"]["sha256"]["graph"]
    command = ["evaluate", str(out / "tiny.onnx"), "--data", str(file), "--part", "test", "--out", str(tmp_path / "e")]
    assert main(command) == 0
    found = json.loads((tmp_path / "e" / "metrics.json").read_text())["parts"]["test"]["network"]
    assert found["mean_dice"] == pytest.approx(again["scores"]["quantised"]["test"]["dice"], abs=1e-4)


def test_export_keeps_the_shape_of_the_checkpoint_and_the_card(
    walk: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint, graph = walk / "run" / "quant.pt", qonnx_import.load(walk / "run" / "tiny.onnx")
    out = tmp_path / "copy" / "tiny.onnx"
    assert main(["export", str(checkpoint), "--out", str(out), "--images", "2"]) == 0
    assert graph_digest(qonnx_import.load(out)) == graph_digest(graph)
    card = read_card(out.with_suffix(".json"))
    assert card.classes == tuple(NAMES.split(",")) and card.model_sha256 == file_digest(out)
    card.check_network(out.with_suffix(".json"), file_digest(out), graph_digest(graph))
    assert main(["predict", str(out), str(walk / "set" / "images"), "--out", str(tmp_path / "masks")]) == 0

    alone = tmp_path / "alone" / "quant.pt"
    alone.parent.mkdir()
    alone.write_bytes(checkpoint.read_bytes())
    out.with_suffix(".json").write_text("of another network")
    assert main(["export", str(alone), "--out", str(out), "--images", "1"]) == 0
    assert "has no card" in caplog.text and not out.with_suffix(".json").exists()

    options = ["--data", str(walk / "set"), "--groups", "none", "--fit", "letterbox"]
    assert main(["export", str(alone), "--out", str(out), *options]) == 2
    assert main(["export", str(checkpoint), "--out", str(out), *options]) == 0
    made, first = (json.loads(path.read_text()) for path in (out.with_suffix(".json"), walk / "run" / "tiny.json"))
    for key in ("unet", "classes", "scores", "bits", "size", "data", "picture", "training"):
        assert made[key] == first[key], key
    assert out.with_name("tiny_float.onnx").is_file()
    assert main(["export", str(checkpoint), "--out", str(out), "--fit", "stretch"]) == 2


def test_the_network_is_exact_in_hardware(walk: Path, tmp_path: Path) -> None:
    network = str(walk / "run" / "tiny.onnx")
    assert main(["hls_synth", network, "--layers", "head,argmax", "--out", str(tmp_path / "synth")]) == 0
    assert main(["cosim", network, "--legs", "network", "--jobs", "1", "--out", str(tmp_path / "cosim")]) == 0
    (report,) = (tmp_path / "cosim").rglob("report.json")
    assert_legend(report.with_suffix(".html").read_text(), 1)
    found = json.loads(report.read_text())
    network_rtl = found["network_rtl"]
    values = network_rtl["frames"] * 8 * 16
    assert found["passed"] and network_rtl["values_compared"] == network_rtl["mask_pixels"] == values > 0
    (last,) = (layer for layer in network_rtl["layers"] if layer["name"] == "argmax")
    assert (last["values_compared"], last["mismatches"]) == (values, 0)


def test_one_class_of_no_square_is_scored_as_masks(tmp_path: Path) -> None:
    source = pictures(tmp_path / "set", classes=1)
    command = ["train", "tiny", "--data", str(source), "--groups", "none", *SIZE, "--out", str(tmp_path / "run")]
    assert main([*command, *QUICK]) == 0
    card = json.loads((tmp_path / "run" / "tiny.json").read_text())
    assert "classes" not in card and card["unet"] == {"base": 2, "depth": 1, "size": 8, "in_channels": 1, "width": 16}
    for name, kind in (("tiny.onnx", "quantised"), ("tiny_float.onnx", "float")):
        command = ["evaluate", str(tmp_path / "run" / name), "--data", str(source), "--out", str(tmp_path / name)]
        assert main([*command, "--part", "test", "--smallest-area", "0", "2"]) == 0
        found = json.loads((tmp_path / name / "metrics.json").read_text())["parts"]["test"]["network"]
        for key in ("dice", "accuracy"):
            assert found[key] == pytest.approx(card["scores"][kind]["test"][key], abs=0.01)
    assert main(["evaluate", str(tmp_path / "run" / "tiny.onnx"), "--data", "phantoms"]) == 2
