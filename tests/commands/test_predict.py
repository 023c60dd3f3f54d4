"""predict through the command line: many files of any size, masks at their size, resumed, and refused one by one."""

from __future__ import annotations

import csv
import json
import os
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from helpers.classes import small_network
from helpers.qonnx_files import SmallUnet
from helpers.scans import dicom, nifti
from PIL import Image

import quantunet
from quantunet import golden, packed
from quantunet.cli import main
from quantunet.commands import _predict_network
from quantunet.golden.masked import with_smallest_area
from quantunet.golden.pictures import Fit, frame, luma, to_image, to_picture
from quantunet.ir import Graph
from quantunet.pixel_codes import picture_codes
from quantunet.pixels import OWN_SCALE, Pixels
from quantunet.qonnx_import import load

RNG = np.random.default_rng(0)
GRAY = RNG.integers(0, 256, size=(9, 14)).astype(np.uint8)
COLOUR = RNG.integers(0, 256, size=(7, 5, 3)).astype(np.uint8)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return SmallUnet().write(tmp_path / "small.onnx")


def picture(path: Path, values: np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)
    return path


def expected(graph: Graph, values: np.ndarray, fit: Fit = "stretch") -> np.ndarray:
    """Return the class of each pixel by the steps that the documents name."""
    shape = graph.tensor(graph.input).shape
    values = values[..., None] if values.ndim == 2 else values
    if values.shape[2] != shape[2]:
        values = luma(values) if shape[2] == 1 else np.repeat(values, 3, axis=2)
    place = frame(values.shape[:2], shape[:2], fit)
    taps = golden.run(graph, picture_codes(graph, to_image(values, place)), plain=True)
    return to_picture(golden.classes(graph, taps), place)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def areas(out: Path) -> list[dict[str, str]]:
    with (out / "areas.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_masks_are_golden_at_the_size_of_each_picture(tmp_path: Path, model: Path, fit: Fit) -> None:
    folder, out, graph = tmp_path / "in", tmp_path / "out", load(model)
    picture(folder / "gray.png", GRAY)
    picture(folder / "a" / "colour.tif", COLOUR)
    picture(folder / "a" / "small.bmp", GRAY[:1, :2])
    picture(folder / "photo.jpg", np.kron(GRAY, np.ones((30, 30), np.uint8)))
    (folder / "notes.txt").write_text("no picture")
    assert main(["predict", str(model), str(folder), "--out", str(out), "--fit", fit]) == 0
    sources = {
        "gray.png": GRAY, "a/colour.tif": COLOUR, "a/small.bmp": GRAY[:1, :2],
        "photo.png": np.asarray(Image.open(folder / "photo.jpg")),
    }  # fmt: skip
    assert {path.relative_to(out / "masks").as_posix() for path in (out / "masks").rglob("*.*")} == set(sources)
    for name, values in sources.items():
        assert (np.asarray(Image.open(out / "masks" / name)) == 255 * expected(graph, values, fit)).all()
    rows = areas(out)
    assert [row["file"] for row in rows] == ["a/colour.tif", "a/small.bmp", "gray.png", "photo.jpg"]
    for row in rows:
        found = expected(graph, sources[row["file"].replace("jpg", "png")], fit)
        assert int(row["pixels"]) == found.sum() and row["area_mm2"] == ""
        assert float(row["share"]) == pytest.approx(found.mean(), abs=1e-6)
    assert any(0 < float(row["share"]) < 1 for row in rows)
    report = json.loads((out / "report.json").read_text())
    assert (report["files"], report["kept"], report["refused"], report["fit"]) == (4, 0, [], fit)
    assert not list(out.rglob(".*"))


def test_scans_keep_their_place_and_areas_are_in_millimetres(tmp_path: Path, model: Path) -> None:
    graph, out = load(model), tmp_path / "out"
    planes = RNG.integers(0, 256, size=(14, 9, 3)).astype(np.uint8)
    volume, slice_ = nifti(tmp_path / "v.nii.gz", planes), dicom(tmp_path / "s.dcm", GRAY)
    command = ["predict", str(model), str(volume), str(slice_), "--out", str(out), "--fit", "stretch"]
    assert main([*command, "--probabilities", "--overlays"]) == 0
    made = nibabel.load(out / "masks" / "v.nii.gz")
    assert (made.affine == nibabel.load(volume).affine).all()
    masks = [expected(graph, planes[:, :, index].T) for index in range(3)]
    assert (np.asarray(made.dataobj) == np.stack([mask.T for mask in masks], axis=2)).all()
    assert (pydicom.dcmread(out / "masks" / "s.dcm").pixel_array == expected(graph, GRAY)).all()
    rows = areas(out)
    assert [(row["file"], row["plane"]) for row in rows] == [*(("v.nii.gz", str(n)) for n in range(3)), ("s.dcm", "0")]
    for row, mask, pixel in zip(rows, [*masks, expected(graph, GRAY)], [6, 6, 6, 0.125], strict=True):
        assert float(row["area_mm2"]) == pytest.approx(pixel * mask.sum())
    shares = np.asarray(nibabel.load(out / "probabilities" / "v.nii.gz").dataobj)
    assert ((shares > 0.5) == (np.asarray(made.dataobj) == 1)).all()
    assert {path.name for path in (out / "overlays").iterdir()} == {
        "s.png", *(f"v_plane000{index}.png" for index in range(3))
    }  # fmt: skip


def test_spacing_can_be_said(tmp_path: Path, model: Path) -> None:
    path, out = picture(tmp_path / "a.png", GRAY), tmp_path / "out"
    command = ["predict", str(model), str(path), "--out", str(out), "--fit", "stretch", "--spacing", "0.5", "0.2"]
    assert main(command) == 0
    (row,) = areas(out)
    assert float(row["area_mm2"]) == pytest.approx(int(row["pixels"]) * 0.1)


def test_networks_of_several_classes_and_of_rgb(tmp_path: Path) -> None:
    graph, out = small_network(channels=3, classes=4, pixels=Pixels(OWN_SCALE)), tmp_path / "out"
    packed.write(graph, tmp_path / "net.qun")
    gray, colour = picture(tmp_path / "g.png", GRAY), picture(tmp_path / "c.png", COLOUR)
    command = ["predict", str(tmp_path / "net.qun"), str(gray), str(colour), "--out", str(out), "--fit", "letterbox"]
    assert main([*command, "--probabilities", "--overlays"]) == 0
    for name, values in (("g", GRAY), ("c", COLOUR)):
        with Image.open(out / "masks" / f"{name}.png") as made:
            assert made.mode == "P"
            found = np.asarray(made)
        assert (found == expected(graph, values, "letterbox")).all()
        shares = np.stack(
            [np.asarray(Image.open(out / "probabilities" / f"{name}_class{index}.png")) for index in range(4)]
        )
        assert (shares.argmax(axis=0) == found).all()
    rows = areas(out)
    assert [row["class"] for row in rows] == ["1", "2", "3"] * 2
    assert [int(row["pixels"]) for row in rows[3:]] == [int((found == each).sum()) for each in (1, 2, 3)]


def test_what_is_done_is_kept_and_what_has_changed_is_done_again(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out, done = tmp_path / "in", tmp_path / "out", []
    for name in "abc":
        picture(folder / f"{name}.png", RNG.integers(0, 256, size=(9, 14)).astype(np.uint8))
    predict = _predict_network.predict

    def counted(graph: Graph, pictures: np.ndarray, fit: Fit, where: str, **how: bool) -> Any:
        done.append(Path(where).name)
        return predict(graph, pictures, fit, where, **how)

    monkeypatch.setattr(_predict_network, "predict", counted)
    command = ["predict", str(model), str(folder), "--out", str(out), "--fit", "stretch"]

    def again(*options: str) -> list[str]:
        done.clear()
        assert main([*command, *options]) == 0
        return list(done)

    assert again() == ["a.png", "b.png", "c.png"]
    first = files(out)
    for name in ("a.png", "b.png", "c.png"):
        os.utime(folder / name)
    assert again() == []
    now = files(out)
    assert {name: now[name] for name in now if name != "report.json"} == {
        name: first[name] for name in first if name != "report.json"
    }
    assert json.loads(now["report.json"])["kept"] == 3
    shutil.copyfile(folder / "a.png", folder / "b.png")
    assert again() == ["b.png"]
    (out / "masks" / "c.png").write_bytes(b"edited")
    assert again() == ["c.png"]
    (out / "records" / "a.json").write_text("{")
    assert again() == ["a.png"]
    (out / "masks" / "b.png").unlink()
    assert again() == ["b.png"]
    assert again("--overlays") == ["a.png", "b.png", "c.png"]
    assert (out / "overlays" / "a.png").is_file()
    assert again() == ["a.png", "b.png", "c.png"]
    assert not list((out / "overlays").iterdir()), "a picture that nobody asked for would be an old one"


def test_a_run_that_is_stopped_goes_on_where_it_was(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in "abc":
        picture(folder / f"{name}.png", GRAY)
    predict, done = _predict_network.predict, []

    def stopped(graph: Graph, pictures: np.ndarray, fit: Fit, where: str, **how: bool) -> Any:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(where)
        return predict(graph, pictures, fit, where, **how)

    monkeypatch.setattr(_predict_network, "predict", stopped)
    command = ["predict", str(model), str(folder), "--out", str(out), "--fit", "stretch"]
    assert main(command) == 130
    assert set(files(out)) == {f"{kind}.{end}" for kind, end in (
        ("masks/a", "png"), ("masks/b", "png"), ("records/a", "json"), ("records/b", "json")
    )}  # fmt: skip
    monkeypatch.setattr(_predict_network, "predict", predict)
    assert main(command) == 0
    assert json.loads((out / "report.json").read_text())["kept"] == 2
    assert [row["file"] for row in areas(out)] == ["a.png", "b.png", "c.png"]


def test_bad_files_are_named_and_the_others_go_on(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    picture(folder / "good.png", GRAY)
    picture(folder / "deep.png", GRAY.astype(np.uint16) * 257)
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:50])
    (folder / "empty.nii").write_bytes(b"")
    (folder / "none.dcm").write_text("no DICOM")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "pictures").mkdir()
    command = ["predict", str(model), "--out", str(out), "--fit", "stretch"]
    assert main([*command, str(folder), str(tmp_path / "missing.png"), str(tmp_path / "nothing")]) == 2
    message = capsys.readouterr().err
    lines = message.splitlines()
    assert any("6 refused:" in line for line in lines)
    for name, text in (
        ("in/deep.png", "--window LOW HIGH"), ("in/cut.png", "whole picture file"), ("in/empty.nii", "whole NIfTI"),
        ("in/none.dcm", "whole DICOM"), ("missing.png", "no such file"), ("nothing", "no file"),
    ):  # fmt: skip
        (line,) = [line for line in lines if f"{tmp_path}/{name}: expected" in line]
        assert text in line
    assert set(files(out)) == {"masks/in/good.png", "records/in/good.json", "areas.csv", "report.json"}
    report = json.loads((out / "report.json").read_text())
    assert len(report["refused"]) == 6
    # What was good and is bad now leaves nothing of the earlier run.
    (folder / "good.png").write_text("no picture")
    assert main([*command, str(folder), str(tmp_path / "missing.png"), str(tmp_path / "nothing")]) == 2
    assert files(out) == {}


def test_when_all_are_bad_no_folder_is_made(tmp_path: Path, model: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    assert main(["predict", str(model), str(tmp_path / "a.png"), "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


def test_results_in_the_folder_of_the_pictures_are_no_pictures(tmp_path: Path, model: Path) -> None:
    folder = tmp_path / "in"
    picture(folder / "a.png", GRAY)
    command = ["predict", str(model), str(folder), "--out", str(folder / "out"), "--fit", "stretch", "--overlays"]
    for _ in range(2):
        assert main(command) == 0
        assert json.loads((folder / "out" / "report.json").read_text())["files"] == 1


def test_a_file_that_is_named_twice_is_done_once(tmp_path: Path, model: Path) -> None:
    path, out = picture(tmp_path / "in" / "a.png", GRAY), tmp_path / "out"
    assert main(["predict", str(model), str(path), str(path), "--out", str(out), "--fit", "stretch"]) == 0
    assert len(areas(out)) == 1


@pytest.mark.parametrize("names", [("a.png", "a.bmp"), ("a.png", "a_plane0001.png"), ("a.png", "a_class1.png")])
def test_two_results_of_one_name_are_refused(
    tmp_path: Path, model: Path, names: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in names:
        picture(tmp_path / "in" / name, GRAY)
    assert main(["predict", str(model), str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    assert "different names" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--window", "5", "5"], "LOW below HIGH"),
        (["--window", "a", "5"], "a decimal number, got 'a'"),
        (["--window", "1e9", "5"], "a decimal number"),
        (["--spacing", "0", "1"], "above 0 mm"),
        (["--out", "file"], "a folder, got a file"),
        ([], "--fit stretch or letterbox, got 14x9"),
    ],
)
def test_bad_options(
    tmp_path: Path, model: Path, options: list[str], text: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    path = picture(tmp_path / "a.png", GRAY)
    (tmp_path / "file").write_text("")
    assert main(["predict", str(model), str(path), "--out", "out", *options]) == 2
    assert text in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_a_word_on_fit_a_picture_of_the_networks_size_is_taken(tmp_path: Path, model: Path) -> None:
    path, out = picture(tmp_path / "a.png", GRAY[:4, :6]), tmp_path / "out"
    assert main(["predict", str(model), str(path), "--out", str(out), "--index"]) == 0
    assert (np.asarray(Image.open(out / "masks" / "a.png")) == expected(load(model), GRAY[:4, :6])).all()


def test_the_card_says_the_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = picture(tmp_path / "a.png", np.kron(GRAY, np.ones((20, 20), np.uint8))), tmp_path / "out"
    assert main(["predict", "wearable", str(path), "--out", str(out)]) == 0
    assert json.loads((out / "report.json").read_text())["fit"] == "stretch"
    assert main(["predict", "wearable", str(path), "--out", str(out), "--fit", "letterbox"]) == 2
    assert "expected stretch, which the network was trained with" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["channels", "scale", "mask"])
def test_networks_that_are_refused(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    graph, options, text = {
        "channels": (small_network(channels=2, pixels=Pixels(OWN_SCALE)), [], "1 channel (gray) or 3 (RGB)"),
        "scale": (small_network(), [], "--pixel-scale"),
        "mask": (
            with_smallest_area(small_network(classes=1, pixels=Pixels(OWN_SCALE)), 3),
            ["--probabilities"],
            "gives its mask alone",
        ),
    }[kind]
    packed.write(graph, tmp_path / "net.qun")
    path = picture(tmp_path / "a.png", GRAY)
    command = ["predict", str(tmp_path / "net.qun"), str(path), "--out", str(tmp_path / "out"), *options]
    assert main(command) == 2
    assert text in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_window_makes_bytes_of_deep_values(tmp_path: Path, model: Path) -> None:
    deep, out = GRAY.astype(np.uint16) * 16, tmp_path / "out"
    path = picture(tmp_path / "a.png", deep)
    command = ["predict", str(model), str(path), "--out", str(out), "--fit", "stretch"]
    assert main([*command, "--window", "0", "4080"]) == 0
    assert (np.asarray(Image.open(out / "masks" / "a.png")) == 255 * expected(load(model), GRAY)).all()
    assert main([*command, "--own-extent"]) == 0
    low, high = int(deep.min()), int(deep.max())
    own = np.array([[round(Fraction(255 * (int(v) - low), high - low)) for v in row] for row in deep], np.uint8)
    assert (np.asarray(Image.open(out / "masks" / "a.png")) == 255 * expected(load(model), own)).all()


def test_the_function_is_the_command(tmp_path: Path, model: Path) -> None:
    """The same files, byte for byte but for the date and the options' own spelling; a graph has no card."""
    scans = tmp_path / "scans"
    scans.mkdir()
    for index in range(2):
        values = np.random.default_rng(index).integers(0, 256, (30, 40)).astype(np.uint8)
        Image.fromarray(values).save(scans / f"{index}.png")
    (scans / "bad.png").write_text("no picture")
    wanted = ["--fit", "stretch", "--probabilities", "--overlays", "--spacing", "0.5", "0.25"]
    assert main(["predict", str(model), str(scans), "--out", str(tmp_path / "command"), *wanted]) == 2
    told: list[tuple[int, int, str]] = []
    options: dict[str, Any] = {
        "fit": "stretch", "probabilities": True, "overlays": True, "spacing": (0.5, Fraction(1, 4)),
    }  # fmt: skip
    found = quantunet.predict(
        model, [scans], tmp_path / "function", progress=lambda *state: told.append(state), **options
    )
    assert told == [(0, 3, "0.png"), (1, 3, "1.png"), (2, 3, "bad.png"), (3, 3, "")]
    assert [file.name for file in found.masks] == ["0.png", "1.png"] and found.kept == 0
    assert [error.where for error in found.refused] == [str(scans / "bad.png")]
    files = {path.relative_to(tmp_path / "command") for path in (tmp_path / "command").rglob("*") if path.is_file()}
    assert files == {path.relative_to(tmp_path / "function") for path in found.folder.rglob("*") if path.is_file()}
    compared = 0
    for file in files:
        one, other = (tmp_path / each / file for each in ("command", "function"))
        if file.name != "report.json":
            assert one.read_bytes() == other.read_bytes(), file
            compared += 1
    assert compared == 9  # two each of masks, probabilities, overlays and records, and the areas
    reports = [json.loads((tmp_path / each / "report.json").read_text()) for each in ("command", "function")]
    for report in reports:
        assert report["provenance"].pop("options") and report["provenance"].pop("date")
    assert reports[0] == reports[1]
    again = quantunet.predict(quantunet.load_network(model), scans, tmp_path / "function", **options)
    assert again.kept == 2 and again.masks == found.masks, "a graph is the same network as its file"
