"""evaluate on class maps: Dice and IoU of each class counted by hand, and data that do not fit."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from helpers.classes import small_network
from helpers.qonnx_graph import write_qonnx
from PIL import Image

from quantunet import golden
from quantunet.cli import main
from quantunet.ir import Graph
from quantunet.model.class_scores import score_classes
from quantunet.pixel_codes import picture_codes
from quantunet.pixels import OWN_SCALE, Pixels

RNG = np.random.default_rng(8)


def network(**options: object) -> Graph:
    return small_network(pixels=Pixels(OWN_SCALE), **options)  # type: ignore[arg-type]


def samples(graph: Graph, count: int = 5) -> dict[str, np.ndarray]:
    height, width, channels = graph.tensor(graph.input).shape
    images = RNG.integers(0, 256, (count, height, width, channels)).astype(np.uint8)
    masks = RNG.integers(0, golden.class_count(graph), (count, height, width)).astype(np.uint8)
    return {"images": images, "masks": masks, "label": np.array([f"case {index}" for index in range(count)])}


def by_hand(predicted: np.ndarray, reference: np.ndarray, index: int) -> tuple[float, float]:
    """Dice and IoU of a class in one image, pixel by pixel; nan where the reference lacks it."""
    a = {at for at in np.ndindex(predicted.shape) if predicted[at] == index}
    b = {at for at in np.ndindex(reference.shape) if reference[at] == index}
    return (2 * len(a & b) / (len(a) + len(b)), len(a & b) / len(a | b)) if b else (math.nan, math.nan)


@pytest.mark.parametrize(
    ("size", "channels", "classes"), [((8, 8), 3, 4), ((4, 6), 1, 1), ((6, 4), 2, 2), ((8, 8), 1, 5), ((8, 8), 4, 1)]
)
def test_scores_of_every_class(
    tmp_path: Path, size: tuple[int, int], channels: int, classes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = network(size=size, channels=channels, classes=classes)
    data = samples(graph)
    count = golden.class_count(graph)
    data["masks"][0] = 0  # the other classes do not occur
    data["masks"][data["masks"] == count - 1] = 0 if count > 2 else count - 1  # nor the last, anywhere
    np.savez(tmp_path / "set.npz", **data)
    out = tmp_path / "scores"
    command = ["evaluate", str(write_qonnx(graph, tmp_path)), "--data", str(tmp_path / "set.npz"), "--out", str(out)]
    assert main(command) == 0
    maps = [golden.classes(graph, golden.run(graph, picture_codes(graph, image))) for image in data["images"]]
    found = json.loads((out / "metrics.json").read_text())["parts"]["all"]["network"]
    assert found["images"] == 5
    assert found["accuracy"] == pytest.approx(np.mean(np.stack(maps) == data["masks"]), abs=1e-6)
    with (out / "images.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == data["label"].tolist()
    means = []
    for index in range(count):
        pairs = [by_hand(got, mask, index) for got, mask in zip(maps, data["masks"], strict=True)]
        for which, key in enumerate(("dice", "iou")):
            known = [pair[which] for pair in pairs if not math.isnan(pair[which])]
            wanted = pytest.approx(np.mean(known), abs=1e-6) if known else None
            assert found["classes"][index][key] == wanted
            for row, pair in zip(rows, pairs, strict=True):
                cell = row[f"{key}_{index}"]
                assert cell == ("" if math.isnan(pair[which]) else f"{pair[which]:.6f}")
            if index and known and key == "dice":
                means.append(np.mean(known))
        assert found["classes"][index]["images"] == sum(not math.isnan(pair[0]) for pair in pairs)
        assert found["classes"][index]["predicted_pixels"] == sum(int((got == index).sum()) for got in maps)
    assert found["mean_dice"] == pytest.approx(np.mean(means), abs=1e-6)
    if count > 2:
        assert found["classes"][count - 1]["dice"] is None
        assert "–" in capsys.readouterr().out
    for name in ("best", "median", "worst"):
        with Image.open(out / f"{name}.png") as picture:
            assert picture.mode == "RGB"


def test_a_class_that_never_occurs_has_no_mean() -> None:
    each = score_classes(np.zeros((2, 1, 3), np.int64), np.zeros((2, 1, 3), np.int64), 3)
    assert each.dice[:, 0].tolist() == [1, 1]
    assert np.isnan(each.dice[:, 1:]).all()
    assert np.isnan(each.iou[:, 1:]).all()


def test_a_swapped_channel_changes_the_scores(tmp_path: Path) -> None:
    graph = network()
    data = samples(graph)
    data["masks"] = np.stack([golden.classes(graph, golden.run(graph, image)) for image in data["images"]])
    model, results = str(write_qonnx(graph, tmp_path)), []
    for images in (data["images"], data["images"][..., ::-1]):
        np.savez(tmp_path / "set.npz", images=images, masks=data["masks"])
        assert main(["evaluate", model, "--data", str(tmp_path / "set.npz"), "--out", str(tmp_path / "o")]) == 0
        results.append(json.loads((tmp_path / "o" / "metrics.json").read_text())["parts"]["all"]["network"])
    assert results[0]["accuracy"] == results[0]["mean_dice"] == 1
    assert results[1]["accuracy"] < 1


def bad_data(kind: str, data: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], str]:
    images, masks = data["images"], data["masks"]
    if kind == "size":
        return data | {"images": images[:, :-1]}, "8x8 pixels"
    if kind == "channels":
        return data | {"images": images[..., :1]}, "3 channels"
    if kind == "no images":
        return data | {"images": images[:0], "masks": masks[:0]}, "n >= 1"
    if kind == "float images":
        return data | {"images": images / 255}, "uint8 images"
    if kind == "class too many":
        return data | {"masks": masks * 2}, "classes 0 to 3"
    if kind == "negative":
        return data | {"masks": masks.astype(np.int16) - 1}, "classes 0 to 3"
    if kind == "float masks":
        return data | {"masks": masks.astype(float)}, "masks of integers"
    if kind == "masks of another size":
        return data | {"masks": masks[:, :-1]}, "masks of integers"
    if kind == "one-hot":
        return data | {"masks": np.eye(4, dtype=np.uint8)[masks]}, "argmax"
    if kind == "no masks":
        return {"images": images}, "an array 'masks'"
    return data | {"label": np.arange(len(images))}, "labels of text"


KINDS = ["size", "channels", "no images", "float images", "class too many", "negative", "float masks"]
KINDS += ["masks of another size", "one-hot", "no masks", "labels"]


@pytest.mark.parametrize("kind", KINDS)
def test_data_that_do_not_fit(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    graph = network()
    arrays, text = bad_data(kind, samples(graph))
    np.savez(tmp_path / "set.npz", **arrays)
    out = tmp_path / "out"
    model = str(write_qonnx(graph, tmp_path))
    assert main(["evaluate", model, "--data", str(tmp_path / "set.npz"), "--out", str(out)]) == 2
    assert text in capsys.readouterr().err
    assert not out.exists()


def test_other_sources_parts_and_a_network_that_does_not_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = network()
    np.savez(tmp_path / "set.npz", **samples(graph))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "set.npz").read_bytes()[:-80])
    model, out = str(write_qonnx(graph, tmp_path)), ["--out", str(tmp_path / "out")]
    for source, text in (
        ("phantoms", "(n, 8, 8, 3)"),
        (str(tmp_path), "(n, 8, 8, 3)"),
        (str(tmp_path / "none.npz"), "no such file"),
        (str(tmp_path / "cut.npz"), "cut.npz: expected"),
    ):
        assert main(["evaluate", model, "--data", source, *out]) == 2
        assert text in capsys.readouterr().err
    assert main(["evaluate", model, "--data", str(tmp_path / "set.npz"), "--part", "test", *out]) == 2
    assert "Evaluate every image with --part all" in capsys.readouterr().err
    silent = write_qonnx(small_network("silent"), tmp_path)
    assert main(["evaluate", str(silent), "--data", str(tmp_path / "set.npz"), *out]) == 2
    assert "1/255" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    command = ["evaluate", str(silent), "--data", str(tmp_path / "set.npz"), "--pixel-scale", "1/255", *out]
    assert main(command) == 0
