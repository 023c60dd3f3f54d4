"""A network of RGB pictures and four classes, and a signed gray one: inferred, scored, proven and synthesised."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers.classes import small_network
from helpers.page_reports import check_cosim, check_evaluate
from helpers.qonnx_graph import write_qonnx
from helpers.rtl import BUILD_ROOT
from PIL import Image

from quantunet import api, golden
from quantunet.cli import main
from quantunet.ir import Graph, QType
from quantunet.pixel_codes import picture_codes
from quantunet.pixels import OWN_SCALE, Pixels
from quantunet.result_folder import network_folder
from quantunet.rtl_sim import network_bench
from quantunet.zoo import load_network

NAME = "pictures"  # one name, so that both networks use one runtime of the simulator
COLOUR = small_network(NAME, size=(8, 8), pixels=Pixels(OWN_SCALE))
BUILD = BUILD_ROOT.parent / "pictures"
FAST = ["--legs", "network", "--frames", "1"]


def photograph(path: Path, height: int, width: int) -> np.ndarray:
    """Write a smooth colour picture and return its bytes."""
    y, x = np.mgrid[0:height, 0:width]
    values = np.dstack([x * 255 // (width - 1), y * 255 // (height - 1), (x + y) * 12 % 256]).astype(np.uint8)
    Image.fromarray(values).save(path)
    return values


def own_codes(values: np.ndarray) -> np.ndarray:
    """What the README says of this project's own networks: u8.8, a byte is a value of byte / 256."""
    return values.astype(np.int64)


def test_a_picture_through_every_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, path, build = str(write_qonnx(COLOUR, tmp_path)), tmp_path / "photo.png", str(BUILD)
    values = photograph(path, 8, 8)
    wanted = golden.classes(COLOUR, golden.run(COLOUR, own_codes(values)))
    pixels = [int((wanted == index).sum()) for index in range(4)]
    assert sum(count > 0 for count in pixels) > 1

    assert main(["infer", model, str(path), "--out", str(tmp_path / "classes.png")]) == 0
    with Image.open(tmp_path / "classes.png") as found:
        assert (np.array(found) == wanted).all()

    reference = wanted.copy()
    reference[:4] = (reference[:4] + 1) % 4
    np.savez(tmp_path / "set.npz", images=np.stack([values, values]), masks=np.stack([wanted, reference]))
    assert main(["evaluate", model, "--data", str(tmp_path / "set.npz"), "--out", str(tmp_path / "scores")]) == 0
    scores = json.loads((tmp_path / "scores" / "metrics.json").read_text())["parts"]["all"]["network"]
    assert scores["accuracy"] == pytest.approx((1 + (reference == wanted).mean()) / 2)
    check_evaluate(tmp_path / "scores")
    for index, row in enumerate(scores["classes"]):
        assert row["predicted_pixels"] == 2 * pixels[index]
        assert row["reference_pixels"] == pixels[index] + (reference == index).sum()

    assert main(["cosim", "--model", model, "--image", str(path), "--build", build, *FAST]) == 0
    report = json.loads((network_folder(BUILD, load_network(model)) / "cosim" / "report.json").read_text())
    assert report["image"] == str(path)
    assert report["class_pixels"] == pixels
    page = check_cosim(network_folder(BUILD, load_network(model)) / "cosim")
    assert f"map of {len(pixels)} classes" in page.words
    rtl = report["network_rtl"]
    assert (rtl["values_compared"], rtl["mismatches"]) == (8 * 8 * 4, 0)
    assert (rtl["mask_pixels"], rtl["mask_mismatches"]) == (8 * 8, 0)
    printed = " ".join(capsys.readouterr().out.split())
    assert ", ".join(f"{index}: {count}" for index, count in enumerate(pixels) if count) in printed

    assert main(["hls_synth", "--model", model, "--out", str(tmp_path / "synth")]) == 0


def test_codes_of_a_network_that_does_not_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = small_network(NAME, size=(4, 6), channels=2, classes=2, qtype=QType(5, True, 2))
    model, build = str(write_qonnx(graph, tmp_path)), str(BUILD)
    photograph(tmp_path / "photo.png", 4, 6)
    assert main(["cosim", "--model", model, "--image", str(tmp_path / "photo.png"), "--build", build]) == 2
    assert "2 channels" in capsys.readouterr().err
    assert main(["cosim", "--model", model, "--build", build, *FAST]) == 0
    report = json.loads((network_folder(BUILD, load_network(model)) / "cosim" / "report.json").read_text())
    assert "spread over the codes -16 to 15 (nobody says what a byte means)" in report["image"]
    assert "nobody says what a byte means" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "qtype", [QType(8, True, 7), QType(8, True, 8), QType(4, True, 3), QType(16, False, 16)], ids=str
)
@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_image_of_a_cosimulation(qtype: QType, narrow: bool, channels: int) -> None:
    silent = small_network(size=(4, 6), channels=channels, qtype=qtype, pixels=Pixels(narrow=narrow))
    said = small_network(size=(4, 6), channels=channels, qtype=qtype, pixels=Pixels(Fraction(1, 255), narrow=narrow))
    phantom = api.phantom(said)
    codes, name = api.cosim_image(said, api.PHANTOM)
    assert name == "phantom"
    assert (codes == picture_codes(said, phantom)).all()
    low, high = qtype.qmin + (narrow and qtype.signed), qtype.qmax - (narrow and not qtype.signed)
    spread, name = api.cosim_image(silent, api.PHANTOM)
    assert f"codes {low} to {high}" in name
    for byte, code in zip(phantom.ravel().tolist(), spread.ravel().tolist(), strict=True):
        assert abs(Fraction(code - low) - Fraction(byte * (high - low), 255)) <= Fraction(1, 2)
    for values in (phantom, codes, spread):
        assert values.shape == (4, 6, channels)
    for first in range(channels):  # so that a swapped channel shows
        for second in range(first):
            assert (spread[..., first] != spread[..., second]).any()


def test_what_hardware_gives_for_several_classes() -> None:
    """Class maps of logits; with probabilities, which may be equal where logits differ, the mask of each class."""
    logits = np.array([[[[1, 3, 3], [-2, -1, -8]]]])
    plain = small_network(size=(1, 2), classes=3)
    got, wanted = network_bench._maps(plain, logits, [{"head_out": logits[0]}])
    assert got.tolist() == wanted.tolist() == [[[1, 1]]]
    swapped, _ = network_bench._maps(plain, logits[..., ::-1], [{"head_out": logits[0]}])
    assert (swapped != wanted).any()
    sigmoid: Graph = small_network(size=(1, 2), classes=3, sigmoid=True)
    got, wanted = network_bench._maps(sigmoid, np.array([[[[130, 255, 255], [20, 60, 1]]]]), [{"head_out": logits[0]}])
    assert (got == wanted).all()
    got, wanted = network_bench._maps(sigmoid, np.array([[[[127, 255, 255], [20, 60, 1]]]]), [{"head_out": logits[0]}])
    assert int((got != wanted).sum()) == 1
