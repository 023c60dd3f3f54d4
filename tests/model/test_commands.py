"""``quantunet train`` and ``quantunet export``, from the command line to the card."""

import json

import pytest

from quantunet import cli, qonnx_import
from quantunet.model import phantoms

QUICK = [
    *("--data", "phantoms", "--phantoms", "16", "--float-epochs", "2", "--qat-epochs", "2", "--tune-epochs", "1"),
    *("--batch-size", "4", "--val-fraction", "0.25", "--width-lr", "1.0", "--threads", "1", "--device", "cpu"),
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
    printed = (trained / "printed.txt").read_text()
    assert "widths" in printed
    assert "head" in printed


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
