"""``quantunet evaluate`` and ``quantunet zoo``, from the command line to files, messages and exit codes."""

import csv
import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.page_reports import check_evaluate
from helpers.project import ROOT
from helpers.qonnx_files import SmallUnet
from PIL import Image

from quantunet import cli
from quantunet.commands import _evaluate_card
from quantunet.model import phantoms
from quantunet.model.card_file import read_card
from quantunet.model.config import PRESETS
from quantunet.model.float_export import export_float
from quantunet.model.group_bootstrap import mean_difference
from quantunet.model.unet import float_unet
from quantunet.provenance import file_digest, graph_digest
from quantunet.result_folder import network_folder
from quantunet.zoo import load_network, network_path, zoo_names


@pytest.fixture
def eyes(tmp_path):
    """A data set with labels, normal images and a second observer, twice the size of the network."""
    images, masks = phantoms.generate(12, 64, seed=5)
    masks[:2] = 0
    second = masks.copy()
    second[:, :32] = 0
    label = np.where(masks.any(axis=(1, 2)), "lesion", "normal")
    path = tmp_path / "eyes.npz"
    np.savez(path, images=images, masks=masks, group=np.arange(12) // 2, label=label, masks_observer2=second)
    return path


def test_parts_and_scores_are_those_of_the_card(tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["evaluate", "tiny", "--data", "phantoms", "--part", "test", "val", "all", "--out", str(out)]) == 0
    found = json.loads((out / "metrics.json").read_text())
    card = json.loads(network_path("tiny").with_suffix(".json").read_text())
    compared = 0
    for part in ("test", "val"):
        for key, value in card["scores"]["quantised"][part].items():
            assert found["parts"][part]["network"][key] == pytest.approx(value, abs=6e-5), (part, key)
            compared += 1
        assert found["parts"][part]["card"]["scores"] == card["scores"]["quantised"][part]
    assert compared >= 14
    assert found["parts"]["all"]["network"]["images"] == found["images"] == 512
    assert found["training_images"] == 358
    page = check_evaluate(out)
    assert len(page.pictures) == 3 * 4
    assert "trained on 358 of these 512 images" in page.words
    with (out / "images.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == list(range(512))
    dice = [float(row["dice"]) for row in rows if row["part"] == "test" and row["dice"]]
    assert np.mean(dice) == pytest.approx(card["scores"]["quantised"]["test"]["dice"], abs=6e-5)
    for name in ("best", "median", "worst"):
        with Image.open(out / f"{name}.png") as picture:
            assert picture.size == (4 * 384 + 3 * 4, 2 * 384 + 4 + 32)
    printed = " ".join(capsys.readouterr().out.split())
    assert "trained on 358 of these 512 images" in printed
    assert "images/s" in printed
    assert "card: test" in printed
    images = str(card["scores"]["quantised"]["test"]["images"])
    assert f"│ images │ {images} │ {images} │" in printed, "counts of a card are whole numbers"


def test_labels_and_a_second_observer_stand_beside(eyes, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["evaluate", "tiny", "--data", str(eyes)]) == 0
    (path,) = (tmp_path / "runs" / "evaluate").glob("tiny-????????/metrics.json")
    found = json.loads(path.read_text())
    report = found["parts"]["all"]
    with np.load(eyes) as arrays:
        masks, second = (arrays[key][:, 1::2, 1::2].astype(bool) for key in ("masks", "masks_observer2"))
    lesion = masks.any(axis=(1, 2))
    both, either = (masks & second).sum(axis=(1, 2)), masks.sum(axis=(1, 2)) + second.sum(axis=(1, 2))
    assert report["second_observer"]["dice"] == pytest.approx(
        (2 * both / np.maximum(either, 1))[lesion].mean(), abs=1e-6
    )
    assert report["labels"].keys() == {"lesion", "normal"}
    assert report["labels"]["normal"]["dice"] is None
    assert report["labels"]["lesion"]["dice"] == report["network"]["dice"]
    assert report["labels"]["normal"]["false_positive_area"] == report["network"]["false_positive_area"]
    assert found["training_images"] == 0
    printed = capsys.readouterr().out
    assert "second observer" in printed
    assert "which is not this data set" in printed


@pytest.mark.parametrize(
    ("trained_on", "images_of", "known", "said"),
    [
        ("a.npz+b.npz", "b.npz", None, "trained on a.npz+b.npz, which has b.npz in common"),
        ("a.npz", "b.npz+a.npz", None, "trained on a.npz, which has a.npz in common"),
        ("a.npz+b.npz", "b.npz+a.npz", None, "which has a.npz, b.npz in common"),
        ("a.npz+b.npz", "c.npz", 0, "which is not this data set"),
        ("a.npz", "a.npz", None, "is called a.npz too and is not this one"),
    ],
)
def test_images_that_a_network_may_have_been_trained_on_are_not_called_unseen(trained_on, images_of, known, said):
    card, samples = SimpleNamespace(source=trained_on), SimpleNamespace(source=images_of)
    count, note = _evaluate_card.training_images(card, None, samples, np.arange(3))
    assert count == known
    assert said in note


@pytest.fixture
def twin(tmp_path):
    """A float network of the shape of ``tiny`` that marks about half of the pixels."""
    torch.manual_seed(1)
    model = float_unet(PRESETS["tiny"]).eval()
    images = phantoms.generate(4, 32, seed=0)[0]
    with torch.no_grad():
        model.convs["head"].conv.bias -= model(torch.from_numpy(images)[:, None] / 256).median()
    export_float(model, tmp_path / "net_float.onnx", images)
    return tmp_path / "net_float.onnx"


def dice_of(folder):
    with (folder / "images.csv").open() as file:
        return np.array([float(row["dice"] or "nan") for row in csv.DictReader(file)])


def test_two_networks_are_compared_image_by_image(eyes, twin, tmp_path, capsys):
    """What --against says is what two runs and their rows say: an integer network against a float one."""
    for name, model in (("a", "tiny"), ("b", str(twin))):
        assert cli.main(["evaluate", model, "--data", str(eyes), "--out", str(tmp_path / name)]) == 0
    alone = [json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("a", "b")]
    assert [one["kind"] for one in alone] == ["integer", "float"]
    assert alone[1]["provenance"]["sha256"]["graph"] is None
    assert alone[1]["provenance"]["versions"].keys() >= {"onnxruntime"}
    assert alone[1]["training_images"] is None, "no card"
    capsys.readouterr()
    out = tmp_path / "both"
    assert cli.main(["evaluate", "tiny", "--against", str(twin), "--data", str(eyes), "--out", str(out)]) == 0
    found = json.loads((out / "metrics.json").read_text())
    part = found["parts"]["all"]
    assert part["network"] == alone[0]["parts"]["all"]["network"]
    assert part["against"]["network"] == alone[1]["parts"]["all"]["network"]
    expected = mean_difference(dice_of(tmp_path / "a"), dice_of(tmp_path / "b"), np.arange(12) // 2)
    assert part["against"]["differences"]["dice"] == {
        key: pytest.approx(value, abs=2e-6) for key, value in expected.document().items()
    }
    assert expected.difference != 0
    assert (expected.images, expected.groups) == (9, 5)
    assert part["against"]["differences"]["accuracy"]["images"] == 12
    assert part["against"]["differences"]["false_positive_area"]["images"] == 3
    assert (found["against"]["kind"], found["against"]["training_images"]) == ("float", None)
    assert found["provenance"]["sha256"]["against_model"] == file_digest(twin)
    printed = " ".join(capsys.readouterr().out.split())
    assert "net_float.onnx (float)" in printed
    assert "95 % interval by group" in printed


def test_a_network_against_itself_differs_nowhere(tmp_path):
    out = tmp_path / "out"
    command = ["evaluate", "tiny", "--against", "tiny", "--data", "phantoms", "--part", "test", "val"]
    assert cli.main([*command, "--out", str(out)]) == 0
    parts = json.loads((out / "metrics.json").read_text())["parts"]
    assert parts.keys() == {"test", "val"}
    for part in parts.values():
        found = part["against"]["differences"]["dice"]
        assert (found["difference"], found["interval"]) == (0, [0, 0])
        assert found["first"] == part["network"]["dice"]
        assert found["groups"] > 10


def test_class_maps_are_compared_likewise(tmp_path):
    model = SmallUnet().write(tmp_path / "small.onnx")
    rng = np.random.default_rng(0)
    arrays = {"images": rng.integers(0, 256, (6, 4, 6), np.uint8), "masks": rng.integers(0, 2, (6, 4, 6))}
    command = ["evaluate", str(model), "--against", str(model), "--out", str(tmp_path / "out")]
    for group, groups in (({}, 6), ({"group": np.arange(6) // 2}, 3)):
        np.savez(tmp_path / "data.npz", **arrays, **group)
        assert cli.main([*command, "--data", str(tmp_path / "data.npz")]) == 0
        document = json.loads((tmp_path / "out" / "metrics.json").read_text())
        assert document["against"] == {"model": str(model), "kind": "integer"}
        found = document["parts"]["all"]["against"]
        assert found["differences"]["accuracy"]["difference"] == 0
        assert found["differences"]["accuracy"]["groups"] == groups
        assert ("no group" in found["note"]) == (not group)


@pytest.mark.parametrize("kind", ["size", "missing", "scale"])
def test_networks_that_cannot_be_compared_are_refused(kind, eyes, twin, tmp_path, capsys):
    other = {"size": str(SmallUnet().write(tmp_path / "small.onnx")), "missing": "nothing.onnx", "scale": "tiny"}[kind]
    text = {"size": "the images of", "missing": "nothing.onnx", "scale": "--pixel-scale 1/256"}[kind]
    words = ["--pixel-scale", "1/255"] if kind == "scale" else []
    out = tmp_path / "out"
    command = ["evaluate", str(twin), "--against", other, "--data", str(eyes), "--out", str(out)]
    assert cli.main([*command, *words]) == 2
    assert text in capsys.readouterr().err
    assert not out.exists()


def test_only_evaluate_takes_a_float_network(twin, tmp_path, capsys):
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(tmp_path / "a.png")
    assert cli.main(["infer", str(twin), str(tmp_path / "a.png"), "--out", str(tmp_path / "m.png")]) == 2
    assert cli.main(["pack", str(twin), "--out", str(tmp_path / "m.qun")]) == 2
    assert not (tmp_path / "m.png").exists()
    twin.write_bytes(twin.read_bytes()[:-300])
    assert cli.main(["evaluate", str(twin), "--data", "phantoms", "--out", str(tmp_path / "out")]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_network_without_a_card_or_with_another_json(eyes, tmp_path, capsys, caplog):
    model = tmp_path / "net.onnx"
    shutil.copyfile(network_path("tiny"), model)
    command = ["evaluate", str(model), "--data", str(eyes), "--out", str(tmp_path / "out")]
    assert cli.main([*command, "--part", "test"]) == 2
    assert "model card" in capsys.readouterr().err
    model.with_suffix(".json").write_text("{}")
    assert cli.main([*command, "--part", "test"]) == 2
    assert "net.json" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert cli.main(command) == 0
    assert "net.json" in caplog.text
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["training_images"] is None


def test_metrics_say_what_they_are_of(eyes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(network_path("tiny"), "net.onnx")
    arguments = ["evaluate", "net.onnx", "--data", str(eyes)]
    assert cli.main(arguments) == 0
    (path,) = (tmp_path / "runs" / "evaluate").glob("net-????????/metrics.json")
    made = json.loads(path.read_text())["provenance"]
    assert made["options"]["data"] == str(eyes)
    assert made["versions"].keys() == {"python", "numpy", "onnx", "pillow"}
    found = made["sha256"]
    assert found["model"] == file_digest(network_path("tiny"))
    assert found["data_file"] == file_digest(eyes)
    assert found["card"] is None
    with np.load(eyes) as arrays:
        content = dict(arrays)
    content["images"][3, 4:8, 4:8] ^= 128
    np.savez(tmp_path / "changed.npz", **content)
    assert cli.main(["evaluate", "net.onnx", "--data", "changed.npz"]) == 0
    other = json.loads(path.read_text())["provenance"]["sha256"]
    assert {name for name in found if found[name] != other[name]} == {"data", "data_file"}


@pytest.mark.parametrize("options", [["--data", "none.npz"], ["--data", "phantoms", "--part", "test"]])
def test_a_run_that_fails_leaves_no_metrics_of_an_earlier_one(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(network_path("tiny"), "net.onnx")
    default = network_folder(tmp_path / "runs" / "evaluate", load_network("net.onnx"))
    for folder in (default, tmp_path / "out"):
        folder.mkdir(parents=True)
        for name in ("metrics.json", "images.csv", "best.png", "median.png", "worst.png", "kept"):
            (folder / name).write_text("{}")
    assert cli.main(["evaluate", "net.onnx", *options]) == 2
    assert [path.name for path in default.iterdir()] == ["kept"]
    assert cli.main(["evaluate", "net.onnx", *options, "--out", "out"]) == 2
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["kept"]


def card_of(model, digests, card="tiny"):
    """Put a card beside a network that says whose it is."""
    content = json.loads(network_path(card).with_suffix(".json").read_text())
    content["provenance"] = {"sha256": digests}
    model.with_suffix(".json").write_text(json.dumps(content))


@pytest.mark.parametrize("said", ["both", "model", "graph", "neither"])
def test_the_card_of_another_network_is_refused_where_it_is_needed(said, tmp_path, caplog, capsys):
    model = tmp_path / "net.onnx"
    shutil.copyfile(network_path("tiny"), model)
    own = {"model": file_digest(model), "graph": graph_digest(load_network("tiny"))}
    command = ["evaluate", str(model), "--data", "phantoms", "--out", str(tmp_path / "out")]
    kept = {"both": ["model", "graph"], "neither": []}.get(said, [said])
    card_of(model, {name: own[name] for name in kept})
    assert cli.main([*command, "--part", "test"]) == 0
    card_of(model, {name: "0" * 64 for name in kept})
    code = cli.main([*command, "--part", "test"])
    if said == "neither":
        assert code == 0, "a card from before digests is taken"
        return
    assert code == 2
    assert "expected the card of the network beside it" in capsys.readouterr().err
    assert cli.main(command) == 0
    assert "expected the card of the network beside it" in caplog.text
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["training_images"] is None


def test_the_card_of_a_network_is_that_of_its_packed_file_too(tmp_path):
    assert cli.main(["pack", "tiny", "--out", str(tmp_path / "net.qun")]) == 0
    card_of(tmp_path / "net.qun", {"model": "0" * 64, "graph": graph_digest(load_network("tiny"))})
    command = ["evaluate", str(tmp_path / "net.qun"), "--data", "phantoms", "--part", "test"]
    assert cli.main([*command, "--out", str(tmp_path / "out")]) == 0


def test_every_card_of_the_zoo_is_that_of_its_network():
    checked = 0
    for name in zoo_names():
        path = network_path(name)
        read_card(path.with_suffix(".json")).check_network(path, file_digest(path), graph_digest(load_network(name)))
        checked += 1
    assert checked >= 2


def bad_data(kind, eyes, folder):
    """Return arguments that must be refused, and a part of the message."""
    cut, other = folder / "cut.npz", folder / "other.npz"
    if kind == "missing":
        return ["tiny", "--data", str(folder / "none.npz")], "none.npz"
    if kind == "cut":
        cut.write_bytes(eyes.read_bytes()[:-100])
        return ["tiny", "--data", str(cut)], "complete .npz"
    if kind == "size":
        np.savez(
            other, images=np.zeros((2, 48, 48), np.uint8), masks=np.zeros((2, 48, 48), np.uint8), group=np.arange(2)
        )
        return ["tiny", "--data", str(other)], "32 x 32"
    if kind == "keys":
        np.savez(other, images=np.zeros((2, 32, 32), np.uint8))
        return ["tiny", "--data", str(other)], "no masks, group"
    if kind == "part of other data":
        return ["tiny", "--data", str(eyes), "--part", "test"], "phantoms(count=512, seed=0)"
    if kind == "part of fewer":
        return ["tiny", "--data", "phantoms", "--phantoms", "20", "--part", "val"], "phantoms(count=512, seed=0)"
    if kind == "model":
        return ["nothing", "--data", str(eyes)], "The zoo holds"
    return [str(SmallUnet().write(folder / "small.onnx")), "--data", str(eyes)], "images of 6x4 pixels"


@pytest.mark.parametrize(
    "kind", ["missing", "cut", "size", "keys", "part of other data", "part of fewer", "model", "shape"]
)
def test_bad_input_is_refused_and_nothing_is_written(kind, eyes, tmp_path, capsys):
    arguments, text = bad_data(kind, eyes, tmp_path)
    out = tmp_path / "out"
    assert cli.main(["evaluate", *arguments, "--out", str(out)]) == 2
    assert text in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_that_is_a_file(eyes, tmp_path, capsys):
    (tmp_path / "out").write_text("")
    assert cli.main(["evaluate", "tiny", "--data", str(eyes), "--out", str(tmp_path / "out")]) == 2
    assert "can be written" in capsys.readouterr().err


def test_the_zoo_is_listed(capsys):
    assert cli.main(["zoo", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(zoo_names())
    assert len(rows) >= 2
    for row in rows:
        card = json.loads(network_path(row["name"]).with_suffix(".json").read_text())
        assert row["dice_quantised"] == card["scores"]["quantised"]["test"]["dice"]
    assert cli.main(["zoo"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in zoo_names())


def test_neither_command_needs_torch(eyes, tmp_path):
    program = (
        "import sys\n"
        "for name in ('torch', 'brevitas', 'monai', 'qonnx', 'matplotlib'): sys.modules[name] = None\n"
        "from quantunet.cli import main\n"
        f"evaluate = ['evaluate', 'tiny', '--data', {str(eyes)!r}, '--out', {str(tmp_path / 'o')!r}]\n"
        "sys.exit(main(['zoo']) or main(evaluate))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "o" / "metrics.json").is_file()
