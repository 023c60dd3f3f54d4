"""infer and compare on networks of several classes, channels, and input types: exact, or refused with nothing left."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers.classes import small_network
from helpers.comparing import assert_equal
from helpers.qonnx_files import SmallUnet
from helpers.qonnx_graph import write_qonnx
from PIL import Image

from quantunet import exit_codes, golden
from quantunet.class_colours import palette
from quantunet.cli import main
from quantunet.golden.taps import load_taps, save_taps
from quantunet.ir import Graph, QType
from quantunet.mask_pictures import save_class_map, save_mask, save_overlay
from quantunet.packed import write
from quantunet.pixels import OWN_SCALE, Pixels

RNG = np.random.default_rng(5)


def picture(path: Path, graph: Graph) -> np.ndarray:
    height, width, channels = graph.tensor(graph.input).shape
    values = RNG.integers(0, 256, (height, width, channels)).astype(np.uint8)
    Image.fromarray(values.squeeze(axis=2) if channels == 1 else values).save(path)
    return values


def expected_codes(values: np.ndarray, qtype: QType, scale: Fraction) -> np.ndarray:
    def code(byte: int) -> int:
        return max(qtype.qmin, min(qtype.qmax, round(byte * scale * Fraction(2) ** qtype.frac)))

    return np.array([code(byte) for byte in range(256)])[values]


@pytest.mark.parametrize("classes", [1, 2, 3, 4, 5, 16, 256])
def test_infer_writes_class_indices_with_a_palette(
    tmp_path: Path, classes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = small_network(size=(4, 6), classes=classes, pixels=Pixels(OWN_SCALE))
    values = picture(tmp_path / "p.png", graph)
    out = tmp_path / "mask.png"
    assert main(["infer", str(write_qonnx(graph, tmp_path)), str(tmp_path / "p.png"), "--out", str(out)]) == 0
    wanted = golden.classes(graph, golden.run(graph, values))
    with Image.open(out) as found:
        if classes == 1:
            assert found.mode == "L"
            assert (np.array(found) == 255 * wanted).all()
        else:
            assert found.mode == "P"
            assert (np.array(found) == wanted).all()
            colours = np.array(found.convert("RGB"))
            assert (colours == palette(classes)[wanted]).all()
    with Image.open(tmp_path / "mask_overlay.png") as overlay:
        assert overlay.size == (6 * 4 * 2 + 4, 16)
        assert (np.array(overlay)[::4, :24:4] == values).all()
    printed = capsys.readouterr().out
    if classes > 1:
        for index in range(classes):
            assert f"class {index}: {(wanted == index).sum()} (" in printed
    else:
        assert f"{wanted.sum()} of 24 pixels are foreground" in printed


TYPES = [QType(8, True, 7), QType(8, True, 8), QType(4, True, 3), QType(3, False, 2), QType(16, False, 16)]
TYPES += [QType(1, False, 1), QType(2, True, 1), QType(13, True, 9)]


@pytest.mark.parametrize("qtype", TYPES, ids=str)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_input_type_and_number_of_channels(tmp_path: Path, qtype: QType, channels: int) -> None:
    graph = small_network(size=(4, 6), channels=channels, qtype=qtype)
    values = picture(tmp_path / "p.png", graph)
    np.savez(tmp_path / "set.npz", images=np.stack([values[::-1], values]))
    model, taps = str(write_qonnx(graph, tmp_path)), tmp_path / "t.npz"
    wanted = golden.run(graph, expected_codes(values, qtype, Fraction(1, 255)))
    assert len(np.unique(wanted[graph.input])) > 1
    scale = ["--pixel-scale", "1/255"]
    for source in (str(tmp_path / "p.png"), f"{tmp_path / 'set.npz'}:1"):
        command = ["infer", model, source, "--out", str(tmp_path / "m.png"), "--taps", str(taps), *scale]
        assert main(command) == 0
        assert_equal(wanted, load_taps(taps))
        save_taps(tmp_path / "wanted.npz", wanted)
        assert main(["compare", model, source, str(tmp_path / "wanted.npz"), *scale]) == 0
    save_taps(tmp_path / "other.npz", golden.run(graph, qtype.qmin + qtype.qmax - wanted[graph.input]))
    assert main(["compare", model, str(tmp_path / "p.png"), str(tmp_path / "other.npz"), *scale]) == 1


def test_a_network_that_does_not_say_is_refused_and_one_that_does_is_not_contradicted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = small_network("silent", size=(4, 6))
    own = small_network("own", size=(4, 6), pixels=Pixels(OWN_SCALE))
    picture(tmp_path / "p.png", own)
    write(own, tmp_path / "own.qun")
    save_taps(tmp_path / "t.npz", {"image": np.zeros((4, 6, 3), np.int64)})
    out = tmp_path / "out" / "m.png"

    def run(model: Path, *more: str) -> int:
        return main(["infer", str(model), str(tmp_path / "p.png"), "--out", str(out), *more])

    path = write_qonnx(silent, tmp_path)
    assert run(path) == 2
    message = capsys.readouterr().err
    assert "1/255" in message
    assert "ToTensor" in message
    assert "1/256" in message
    assert main(["compare", str(path), str(tmp_path / "p.png"), str(tmp_path / "t.npz")]) == 2
    for text in ("0", "-1", "nan", "inf", "1/0", "half"):
        assert run(path, f"--pixel-scale={text}") == 2
        assert "--pixel-scale" in capsys.readouterr().err
    assert not out.parent.exists()
    for model in (write_qonnx(own, tmp_path), tmp_path / "own.qun"):
        assert run(model, "--pixel-scale", "1/255") == 2
        assert "Leave --pixel-scale out" in capsys.readouterr().err
        assert not out.parent.exists()
    for model in (tmp_path / "own.onnx", tmp_path / "own.qun"):
        assert run(model) == run(model, "--pixel-scale", "0.00390625") == 0
    assert run(path, "--pixel-scale", "1/255") == 0


def test_more_than_256_classes_have_no_class_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = small_network(size=(4, 6), classes=257, pixels=Pixels(OWN_SCALE))
    picture(tmp_path / "p.png", graph)
    out = tmp_path / "out" / "m.png"
    assert main(["infer", str(write_qonnx(graph, tmp_path)), str(tmp_path / "p.png"), "--out", str(out)]) == 2
    assert "at most 256 classes" in capsys.readouterr().err
    assert not out.parent.exists()


def bad_outputs(folder: Path) -> dict[str, list[str]]:
    (folder / "file").write_text("")
    (folder / "folder").mkdir()
    out = str(folder / "m.png")
    return {
        "overlay below a file": ["--out", out, "--overlay", str(folder / "file" / "o.png")],
        "taps below a file": ["--out", out, "--taps", str(folder / "file" / "t.npz")],
        "overlay is a folder": ["--out", out, "--overlay", str(folder / "folder")],
        "taps are a folder": ["--out", out, "--taps", str(folder / "folder")],
        "mask is a folder": ["--out", str(folder / "folder")],
        "overlay is the mask": ["--out", out, "--overlay", out],
        "taps are the mask": ["--out", out, "--taps", str(folder / "folder" / ".." / "m.png")],
    }


@pytest.mark.parametrize("kind", range(7))
def test_all_results_or_none(tmp_path: Path, kind: int, capsys: pytest.CaptureFixture[str]) -> None:
    graph = small_network(size=(4, 6), pixels=Pixels(OWN_SCALE))
    model = str(write_qonnx(graph, tmp_path))
    picture(tmp_path / "p.png", graph)
    place = tmp_path / "results"
    place.mkdir()
    options = list(bad_outputs(place).values())[kind]
    before = sorted(place.rglob("*"))
    assert main(["infer", model, str(tmp_path / "p.png"), *options]) == 2
    assert capsys.readouterr().err
    assert sorted(place.rglob("*")) == before


def test_an_overlay_that_fails_leaves_no_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = small_network(size=(4, 6), pixels=Pixels(OWN_SCALE))
    model = str(write_qonnx(graph, tmp_path))
    picture(tmp_path / "p.png", graph)

    def fail(*_: object) -> None:
        raise RuntimeError("no overlay")  # noqa: EM101

    monkeypatch.setattr("quantunet.commands.infer.save_overlay", fail)
    before = sorted(tmp_path.iterdir())
    assert main(["infer", model, str(tmp_path / "p.png"), "--out", str(tmp_path / "m.png")]) == exit_codes.FAULT
    assert sorted(tmp_path.iterdir()) == before


def test_gray_networks_refuse_colour_and_the_other_way_round(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gray = SmallUnet().write(tmp_path / "small.onnx")
    colour = write_qonnx(small_network(size=(4, 6), pixels=Pixels(OWN_SCALE)), tmp_path)
    Image.fromarray(RNG.integers(0, 256, (4, 6)).astype(np.uint8)).save(tmp_path / "gray.png")
    Image.fromarray(RNG.integers(0, 256, (4, 6, 3)).astype(np.uint8)).save(tmp_path / "colour.png")
    for (model, mode), name in itertools.product(((gray, "L"), (colour, "RGB")), ("gray", "colour")):
        code = main(["infer", str(model), str(tmp_path / f"{name}.png"), "--out", str(tmp_path / "m.png")])
        fits = (name == "gray") == (mode == "L")
        assert code == (0 if fits else 2)
        assert fits or f"convert('{mode}')" in capsys.readouterr().err


def test_class_map_and_overlay_pictures(tmp_path: Path) -> None:
    classes = np.arange(256).reshape(16, 16)
    save_class_map(tmp_path / "c.png", classes, 256)
    with Image.open(tmp_path / "c.png") as found:
        assert (np.array(found) == classes).all()
    assert len({tuple(colour) for colour in palette(256).tolist()}) == 256
    image = np.full((8, 8, 1), 100, np.uint8)
    inside = np.zeros((8, 8), np.int64)
    inside[2:6, 2:6] = 1
    inside[2:6, 4:6] = 2
    save_overlay(tmp_path / "o.png", image, inside, zoom=1)
    with Image.open(tmp_path / "o.png") as found:
        right = np.array(found)[:, 9:]
    colours = palette(3)
    for y, x in ((2, 2), (3, 3), (5, 5), (3, 4)):  # corners, and the border between the classes
        assert (right[y, x] == colours[inside[y, x]]).all()
    assert (right[0, 0] == 100).all()
    save_overlay(tmp_path / "o2.png", image, np.ones((8, 8), bool), zoom=2)
    with Image.open(tmp_path / "o2.png") as found:
        assert (np.array(found)[5, 20] == (100 * 0.7 + np.array(colours[1]) * 0.3).astype(np.uint8)).all()
    save_mask(tmp_path / "m.png", inside > 0)
    with Image.open(tmp_path / "m.png") as found:
        assert (np.array(found) == 255 * (inside > 0)).all()
