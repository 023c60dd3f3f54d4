"""Checkpoints are whole or absent, and hold no code."""

import pickle

import numpy as np
import pytest
import torch

from quantunet import cli
from quantunet.errors import FileFormatError, StorageError
from quantunet.model import checkpoint
from quantunet.model.config import UNetConfig
from quantunet.model.unet import float_unet, quant_unet

CONFIG = UNetConfig(base=2, depth=1, size=8)


def test_round_trip(tmp_path):
    path = tmp_path / "a" / "c.pt"
    checkpoint.save(path, {"x": torch.arange(3), "name": "n"})
    content = checkpoint.load(path, {"x", "name"})
    assert content["x"].tolist() == [0, 1, 2]
    assert content["name"] == "n"


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "c.pt"
    checkpoint.save(path, {"x": 1})

    def full(_content, file):
        file.write_bytes(b"half")
        message = "PytorchStreamWriter failed writing file"
        raise RuntimeError(message)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(StorageError, match=r"c\.pt"):
        checkpoint.save(path, {"x": 2})
    assert [p.name for p in tmp_path.iterdir()] == ["c.pt"]
    assert checkpoint.load(path, {"x"})["x"] == 1


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("code was run",))

    path = tmp_path / "c.pt"
    path.write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(FileFormatError):
        checkpoint.load(path, {"x"})
    torch.save({"x": Evil()}, path)
    with pytest.raises(FileFormatError):
        checkpoint.load(path, {"x"})


def test_what_torch_advises_is_not_passed_on(tmp_path, capsys):
    """Of a file that is no checkpoint torch says that its code could be run, and how."""
    plain, archive, empty = (tmp_path / name for name in ("net.onnx", "data.npz", "empty.pt"))
    plain.write_bytes(b"\x08\x07\x12\x06an ONNX file")
    np.savez(archive, x=np.arange(3))
    empty.write_bytes(b"")
    for path, got in ((plain, "which begins with b'\\x08"), (archive, "a damaged archive"), (empty, "an empty file")):
        for words in (["export", str(path), "--out", str(tmp_path / "e.onnx")],
                      ["train", "tiny", "--data", "phantoms", "--phantoms", "40", "--out", str(tmp_path / "run"),
                       "--warm-start", str(path)]):  # fmt: skip
            assert cli.main(words) == 2
            message = capsys.readouterr().err
            assert str(path) in message and got in message
            assert not {"weights_only", "arbitrary", "trusted"} & set(message.replace("`", " ").split()), message


def test_missing_keys_and_missing_files(tmp_path):
    checkpoint.save(tmp_path / "c.pt", {"x": 1})
    with pytest.raises(FileFormatError, match="model"):
        checkpoint.load(tmp_path / "c.pt", {"model"})
    with pytest.raises(StorageError):
        checkpoint.load(tmp_path / "none.pt", {"x"})


def test_parameters_of_another_network_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match=r"c\.pt"):
        checkpoint.fill(quant_unet(CONFIG), float_unet(CONFIG).state_dict(), tmp_path / "c.pt")
