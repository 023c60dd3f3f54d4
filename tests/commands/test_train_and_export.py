"""``quantunet train`` and ``quantunet export``, from the command line to the card."""

import json

import onnx
import pytest
import torch
from helpers.page_reports import check_train

from quantunet import cli, qonnx_import
from quantunet.errors import ModelError
from quantunet.model import card as card_module
from quantunet.model import data, phantoms
from quantunet.model.data_digest import data_digest
from quantunet.provenance import file_digest, graph_digest

QUICK = [
    *("--data", "phantoms", "--phantoms", "16", "--float-epochs", "2", "--qat-epochs", "2", "--tune-epochs", "1"),
    *(
        "--batch-size",
        "4",
        "--val-fraction",
        "0.25",
        "--width-lr",
        "1.0",
        "--threads",
        "1",
        "--device",
        "cpu",
        "--publish-anyway",
    ),
]


@pytest.fixture
def trained(small, tmp_path, capsys):
    """A folder with a finished training; ``printed.txt`` in it holds what the terminal showed."""
    assert cli.main(["train", small, *QUICK, "--out", str(tmp_path / "run")]) == 0
    (tmp_path / "run" / "printed.txt").write_text(capsys.readouterr().out)
    return tmp_path / "run"


def test_train_writes_network_and_card(trained):
    card = json.loads((trained / "small.json").read_text())
    graph = qonnx_import.load(trained / "small.onnx")
    assert card["export_check"]["values_differing"] == 0
    assert card["export_check"]["values_compared"] > 0
    assert card["bits"]["layers"].keys() == {n.name for n in graph.nodes if n.op in {"conv2d", "conv_transpose2d"}}
    parts = card["data"]["parts"]
    assert sum(part["images"] for part in parts.values()) == 16
    assert card["size"]["float32_bytes"] == 4 * sum(shape.parameters for shape in _unet(card).conv_layers())
    assert card["size"]["packed_bytes"] * 3 < card["size"]["float32_bytes"]
    assert 0 <= card["scores"]["quantised"]["test"]["accuracy"] <= 1
    assert "--float-epochs 2" in card["training"]["command"]
    assert "--phantoms 16" in card["training"]["command"]
    assert len(check_train(trained, "small").pictures) == 4
    printed = (trained / "printed.txt").read_text()
    assert "widths" in printed
    assert "head" in printed


def test_the_card_says_whose_it_is_and_the_file_what_it_was_made_of(trained):
    path = trained / "small.onnx"
    card = json.loads((trained / "small.json").read_text())
    made = card["provenance"]
    assert made["versions"].keys() == {"python", "numpy", "onnx", "qonnx", "torch", "brevitas", "monai"}
    assert made["options"]["command"] == card["training"]["command"]
    assert made["sha256"]["model"] == file_digest(path)
    assert made["sha256"]["graph"] == graph_digest(qonnx_import.load(path))
    samples = data.load("phantoms", _unet(card).size, phantom_count=16, seed=0)
    assert made["sha256"]["data"] == data_digest(samples)
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert properties["quantunet.version"] == made["quantunet"]
    assert properties["quantunet.data_sha256"] == made["sha256"]["data"]
    assert properties["quantunet.config_sha256"] == made["sha256"]["config"]
    assert (properties.get("quantunet.commit") or "-").split("-")[0] == (made["commit"] or "")
    assert not list(trained.glob(".*")), "nothing of the making is left"


def test_the_float_network_is_kept_beside_it(trained, tmp_path, capsys):
    """With a card of its own, whose scores ``evaluate`` finds again but for pixels at a logit of zero."""
    path = trained / "small_float.onnx"
    card = json.loads((trained / "small_float.json").read_text())
    assert (card["network"], card["role"], card["size"]["ratio"]) == ("float", "warm start", 1.0)
    assert card["provenance"]["sha256"]["model"] == file_digest(path)
    assert "graph" not in card["provenance"]["sha256"]
    assert card["float_export"]["compared"] == card["float_export"]["images"] * 16 * 16 > 0
    assert card["scores"]["float"] == json.loads((trained / "small.json").read_text())["scores"]["float"]
    data_options = ["--data", "phantoms", "--phantoms", "16", "--part", "test"]
    out = tmp_path / "out"
    assert cli.main(["evaluate", str(path), *data_options, "--out", str(out)]) == 0
    found = json.loads((out / "metrics.json").read_text())
    part = found["parts"]["test"]
    assert (found["kind"], found["training_images"]) == ("float", 0)
    assert part["card"]["scores"] == card["scores"]["float"]["test"]
    pixels = part["network"]["images"] * 16 * 16
    assert part["network"]["accuracy"] == pytest.approx(
        card["scores"]["float"]["test"]["accuracy"], abs=2 / pixels + 1e-4
    )
    assert "(float)" in capsys.readouterr().out
    card["provenance"]["sha256"]["model"] = "0" * 64
    (trained / "small_float.json").write_text(json.dumps(card))
    assert cli.main(["evaluate", str(path), *data_options, "--out", str(out)]) == 2
    assert "the card of the network beside it" in capsys.readouterr().err


def test_a_float_control_is_kept_as_a_file_too(small, tmp_path, capsys):
    (tmp_path / "small.onnx").write_bytes(b"of an earlier training")
    assert cli.main(["train", small, *QUICK, "--bits", "float", "--out", str(tmp_path)]) == 0
    assert not (tmp_path / "small.onnx").exists()
    control, kept = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("small", "small_float"))
    assert kept["role"] == "control"
    assert kept["scores"]["float"] == control["scores"]["control"]
    assert "float control" in check_train(tmp_path, "small").words
    command = ["evaluate", str(tmp_path / "small_float.onnx"), "--data", "phantoms", "--phantoms", "16"]
    assert cli.main([*command, "--part", "val", "--out", str(tmp_path / "out")]) == 0
    assert not list(tmp_path.glob(".*"))


def test_what_is_not_published_leaves_the_earlier_network_and_card(trained, small, monkeypatch, capsys):
    """A training that ends in an error replaces nothing; one that ends well replaces both."""
    paths = [trained / f"small{kind}" for kind in (".onnx", ".json", "_float.onnx", "_float.json")]
    before = [path.read_bytes() for path in paths]

    def broken(*_):
        raise ModelError("card", expected="scores", got="none")

    with monkeypatch.context() as patch:
        patch.setattr(card_module, "make_card", broken)
        assert cli.main(["train", small, *QUICK, "--out", str(trained), "--resume"]) == 2
    assert "expected scores" in capsys.readouterr().err
    assert [path.read_bytes() for path in paths] == before
    paths[1].write_text("{}")
    assert cli.main(["train", small, *QUICK, "--out", str(trained), "--resume"]) == 0
    assert paths[0].read_bytes() == before[0]
    assert json.loads(paths[1].read_text())["provenance"]["sha256"]["model"] == file_digest(paths[0])


def _unet(card):
    from quantunet.model.config import UNetConfig

    return UNetConfig(**card["unet"])


def test_train_twice_needs_resume(trained, small, capsys):
    assert cli.main(["train", small, *QUICK, "--out", str(trained)]) == 2
    assert "--resume" in capsys.readouterr().err
    before = (trained / "small.onnx").read_bytes()
    assert cli.main(["train", small, *QUICK, "--out", str(trained), "--resume"]) == 0
    assert (trained / "small.onnx").read_bytes() == before


def test_export_writes_the_same_network(trained, tmp_path, capsys):
    out = tmp_path / "again" / "small.onnx"
    assert cli.main(["export", str(trained / "quant.pt"), "--out", str(out), "--images", "2"]) == 0
    assert qonnx_import.load(out) == qonnx_import.load(trained / "small.onnx")
    assert "0 differ" in capsys.readouterr().out


def test_export_of_another_file_is_refused(tmp_path, capsys):
    path = tmp_path / "not.pt"
    path.write_bytes(phantoms.generate(1, 16, seed=0)[0].tobytes())
    assert cli.main(["export", str(path), "--out", str(tmp_path / "x.onnx")]) == 2
    assert "not.pt" in capsys.readouterr().err
    assert not (tmp_path / "x.onnx").exists()


def test_a_training_that_learned_nothing_is_not_published(small, tmp_path, capsys):
    """And the advice of the message publishes it, with the signs of failure in its card."""
    still = [word for name in ("float", "qat", "tune", "width") for word in (f"--{name}-lr", "1e-12")]
    quick = [*QUICK, *still, "--out", str(tmp_path)]
    quick.remove("--publish-anyway")
    assert cli.main(["train", small, *quick]) == 2
    told = capsys.readouterr().err
    assert told.startswith("quantunet train: small on phantoms(count=16, seed=0): expected a network that has learned")
    assert "all widths as they began" in told
    assert "--resume --publish-anyway" in told
    assert (tmp_path / "quant.pt").exists()
    assert not [path for path in tmp_path.iterdir() if path.suffix in {".onnx", ".json"}]
    assert cli.main(["train", small, *quick, "--resume", "--publish-anyway"]) == 0
    card = json.loads((tmp_path / "small.json").read_text())
    assert any(sign.startswith("all widths as they began") for sign in card["training"]["signatures"])
    assert (tmp_path / "small.onnx").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--phantoms", "0"], "phantoms, --phantoms: expected 1 to "),
        (["--phantoms", "-4"], "phantoms, --phantoms"),
        (["--phantoms", str(10**30)], "phantoms, --phantoms"),
        (["--seed", "-1"], "seed (--seed)"),
        (["--float-lr", "nan"], "float_lr (--float-lr)"),
        (["--lambda", "-1"], "bit_lambda (--lambda)"),
        (["--val-fraction", "nan"], "val_fraction (--val-fraction)"),
        (["--threads", "0"], "threads"),
        (["--threads", str(10**30)], "threads"),
        (["--out", "/proc/run"], "/proc/run: expected a folder that can be written"),
    ],
)
def test_options_of_train_that_cannot_be_are_refused(small, tmp_path, capsys, words, text):
    assert cli.main(["train", small, *QUICK, "--out", str(tmp_path / "run"), *words]) == 2
    told = capsys.readouterr().err
    assert text in told
    assert told.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--size", "15"], "phantoms, --size: expected 16 to 1024, got 15"),
        (["--size", "1000000"], "phantoms, --size"),
        (["--seed", "-1"], "phantoms, --seed"),
        (["--seed", str(10**30)], "phantoms, --seed"),
    ],
)
def test_phantoms_that_cannot_be_are_refused(tmp_path, capsys, words, text):
    assert cli.main(["phantom", str(tmp_path / "p.png"), *words]) == 2
    assert text in capsys.readouterr().err
    assert not (tmp_path / "p.png").exists()


@pytest.mark.parametrize("words", [["--phantoms", "0"], ["--seed", "-1"]])
def test_phantoms_of_evaluate_that_cannot_be_are_refused(tmp_path, capsys, words):
    assert cli.main(["evaluate", "tiny", "--data", "phantoms", *words, "--out", str(tmp_path / "e")]) == 2
    assert f"phantoms, {words[0]}: expected" in capsys.readouterr().err
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize(
    "content",
    [
        {"config": "text", "model": {}},
        {"config": {}, "model": {}},
        {"config": {"preset": {}}, "model": {}},
        {"config": {"preset": "small"}, "model": "text"},
        {"config": {"preset": "small"}, "model": {"a": 1}},
        [],
    ],
)
def test_export_of_a_checkpoint_with_other_content_is_refused(small, tmp_path, capsys, content):
    torch.save(content, tmp_path / "quant.pt")
    assert cli.main(["export", str(tmp_path / "quant.pt"), "--out", str(tmp_path / "x.onnx")]) == 2
    assert "quant.pt: expected" in capsys.readouterr().err
    assert not (tmp_path / "x.onnx").exists()
