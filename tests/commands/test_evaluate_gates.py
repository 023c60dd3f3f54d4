"""Gates of ``quantunet evaluate``: least and greatest scores, and what may be lost against another run or network."""

import json
import shutil
from xml.etree import ElementTree

import numpy as np
import pytest

from quantunet import cli
from quantunet.model import phantoms
from quantunet.zoo import network_path


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    images, masks = phantoms.generate(12, 32, seed=5)
    masks[:2] = 0
    path = tmp_path_factory.mktemp("data") / "eyes.npz"
    np.savez(path, images=images, masks=masks, group=np.arange(12))
    return path


@pytest.fixture(scope="module")
def first(eyes, tmp_path_factory):
    """Metrics of a run without gates."""
    out = tmp_path_factory.mktemp("first")
    assert evaluate(eyes, out) == 0
    assert not (out / "junit.xml").exists()
    return out / "metrics.json"


def evaluate(data, out, *options, model="tiny"):
    return cli.main(["evaluate", model, "--data", str(data), "--out", str(out), *map(str, options)])


def test_gates_pass_and_miss(eyes, first, tmp_path):
    scores = json.loads(first.read_text())["parts"]["all"]["network"]
    assert json.loads(first.read_text())["gates"] == []
    dice, marked = scores["dice"], scores["marked_normals"]
    bounds = ("--min", f"dice={dice:.6f}", "iou=0", "--max", f"marked_normals={marked}")
    assert evaluate(eyes, tmp_path, *(bounds[0], f"dice={dice - 1e-6:.9f}", *bounds[2:])) == 0
    cases = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert (cases.get("tests"), cases.get("failures")) == ("3", "0")
    assert evaluate(eyes, tmp_path, "--min", f"dice={dice + 1e-6:.9f}", "iou=0.0") == 1
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    (failed,) = root.iter("failure")
    assert failed.get("message") == f"expected dice ≥ {round(dice + 1e-6, 9)}, got {dice:.6g}"
    verdicts = json.loads((tmp_path / "metrics.json").read_text())["gates"]
    assert [(each["score"], each["passed"]) for each in verdicts] == [("dice", False), ("iou", True)]
    assert verdicts[0]["value"] == dice
    assert evaluate(eyes, tmp_path, "--max", f"lesions_missed={scores['lesions_missed'] - 1}") == 1


def test_a_score_that_no_image_has_misses(eyes, tmp_path):
    with np.load(eyes) as arrays:
        np.savez(tmp_path / "lesions.npz", **{name: arrays[name][2:] for name in arrays})
    assert evaluate(tmp_path / "lesions.npz", tmp_path / "out", "--max", "marked_normals=1") == 1
    (verdict,) = json.loads((tmp_path / "out" / "metrics.json").read_text())["gates"]
    assert (verdict["value"], verdict["passed"]) == (None, False)


def test_what_is_lost_against_an_earlier_run_and_against_a_network(eyes, first, tmp_path, capsys):
    assert evaluate(eyes, tmp_path, "--against", first, "--lose", "dice=0", "hd95=0") == 0
    document = json.loads((tmp_path / "metrics.json").read_text())
    assert document["against"] == {"metrics": str(first)}
    assert document["parts"]["all"]["against"]["network"] == document["parts"]["all"]["network"]
    worse = json.loads(first.read_text())
    worse["parts"]["all"]["network"]["dice"] += 0.01
    worse["parts"]["all"]["network"]["hd95"] -= 1
    (tmp_path / "better.json").write_text(json.dumps(worse))
    command = ("--against", tmp_path / "better.json", "--lose")
    assert evaluate(eyes, tmp_path, *command, "dice=0.011", "hd95=1.1") == 0
    assert evaluate(eyes, tmp_path, *command, "dice=0.009", "hd95=1.1") == 1
    assert evaluate(eyes, tmp_path, *command, "dice=0.011", "hd95=0.9") == 1
    capsys.readouterr()
    assert evaluate(eyes, tmp_path, "--against", "tiny", "--lose", "dice=0") == 0
    assert "dice loses ≤ 0.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--min", "dic=0.7"], "min: expected a score out of images, lesion_images, dice"),
        (["--lose", "dice=0.1"], "lose: expected --against"),
    ],
)
def test_a_gate_that_cannot_be_judged_is_refused(eyes, tmp_path, capsys, options, text):
    assert evaluate(eyes, tmp_path, *options) == 2
    assert text in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["dice", "dice=", "=0.7", "dice=nan", "dice=0.7x"])
def test_a_gate_without_a_number_is_refused(eyes, tmp_path, capsys, text):
    with pytest.raises(SystemExit, match="2"):
        evaluate(eyes, tmp_path, "--min", text)
    assert "expected SCORE=NUMBER as in dice=0.74" in capsys.readouterr().err


def test_metrics_of_other_data_are_refused(eyes, first, tmp_path, capsys):
    found = json.loads(first.read_text())
    (tmp_path / "none.json").write_text(json.dumps(found | {"provenance": {}}))
    part = found["parts"]["all"]
    (tmp_path / "part.json").write_text(json.dumps(found | {"parts": {"test": part}}))
    fewer = {"all": {"network": part["network"] | {"images": 11}}}
    (tmp_path / "fewer.json").write_text(json.dumps(found | {"parts": fewer}))
    for name, text in {"none": "metrics.json that", "part": "the parts all, got test", "fewer": "12 images"}.items():
        assert evaluate(eyes, tmp_path / "out", "--against", tmp_path / f"{name}.json") == 2
        assert text in capsys.readouterr().err
    assert evaluate("phantoms", tmp_path / "out", "--phantoms", "8", "--against", first) == 2
    assert "metrics of the same data" in capsys.readouterr().err
    card = tmp_path / "card.json"
    shutil.copyfile(network_path("tiny").with_suffix(".json"), card)
    assert evaluate(eyes, tmp_path / "out", "--against", card) == 2  # a network's file is expected then
    assert not (tmp_path / "out" / "metrics.json").exists()
