"""``quantunet data``: a set from its folder, folds, and a fold of it, with messages and exit codes."""

import json
import os
import re

import numpy as np
import pytest
from helpers import set_folders

from quantunet import cli
from quantunet.model import data
from quantunet.model.data_digest import data_digest
from quantunet.model.split_file import read_folds
from quantunet.provenance import file_digest


@pytest.fixture
def busi(tmp_path):
    return str(set_folders.busi(tmp_path / "busi"))


def test_a_set_its_folds_and_one_of_them(busi, tmp_path, capsys):
    out, splits = tmp_path / "new" / "set.npz", tmp_path / "splits.json"
    assert cli.main(["data", "busi", busi, "--out", str(out), "--size", "32"]) == 0
    printed = capsys.readouterr().out
    samples = data.load_npz(out)
    assert samples.images.shape == (5, 32, 32)
    assert f"wrote {out}: 5 images of 32x32, 4 groups (2 images share theirs), foreground " in printed
    assert f"sha256 of the file    {file_digest(out)}\n" in printed
    assert f"digest of the arrays  {data_digest(samples)}\n" in printed

    assert cli.main(["data", "split", str(out), "--folds", "3", "--out", str(splits)]) == 0
    printed = capsys.readouterr().out
    assert len(re.findall(r"^fold \d: \d images, \d groups, \d with a lesion$", printed, re.MULTILINE)) == 3
    folds = read_folds(splits, samples).folds
    assert json.loads(splits.read_text())["data"]["sha256"] in printed

    held, rest = tmp_path / "held.npz", tmp_path / "rest.npz"
    take = ["data", "take", str(out), str(splits), "--fold", "1", "--out", str(held), "--rest", str(rest)]
    assert cli.main(take) == 0
    with np.load(out) as whole, np.load(held) as one, np.load(rest) as others:
        assert one.files == others.files == whole.files
        left = sorted({*range(5)} - {*folds[1].tolist()})
        for name in whole.files:
            assert (one[name] == whole[name][folds[1]]).all(), name
            assert (others[name] == whole[name][left]).all(), name
        assert not set(one["group"].tolist()) & set(others["group"].tolist())


def test_two_runs_write_the_same_bytes(busi, tmp_path, capsys):
    printed = []
    for name in ("one.npz", "two.npz"):
        assert cli.main(["data", "busi", busi, "--out", str(tmp_path / name), "--size", "16"]) == 0
        printed.append(capsys.readouterr().out.splitlines()[1:])
        for path in (tmp_path / "busi").rglob("*.png"):
            os.utime(path, (1, 1))
    assert printed[0] == printed[1]
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert b"\x00\x00\x21\x00" in (tmp_path / "one.npz").read_bytes()[:20]  # 1980-01-01 00:00


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["busi", "{busi}", "--out", "set.png"], r"ends in \.npz, got \.png"),
        (["busi", "nowhere", "--out", "set.npz"], "no such folder"),
        (["busi", "{busi}", "--out", "set.npz", "--groups", "patient"], "Patients are known of"),
        (["split", "{npz}", "--folds", "5", "--out", "s.json"], "at least 5 groups"),
        (["split", "nowhere.npz", "--out", "s.json"], "no such file"),
        (["take", "{npz}", "{splits}", "--fold", "4", "--out", "set.npz"], "--fold: expected 0 to 3, got 4"),
        (["take", "{npz}", "{splits}", "--fold", "0", "--out", "{npz}"], "two files beside the data set"),
        (["take", "{npz}", "{splits}", "--fold", "0", "--out", "a.npz", "--rest", "a.npz"], "one of them twice"),
        (["take", "{npz}", "{npz}", "--fold", "0", "--out", "set.npz"], "folds of a data set"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_written(busi, tmp_path, monkeypatch, capsys, words, text):
    npz, splits = tmp_path / "made" / "made.npz", tmp_path / "made" / "splits.json"
    assert cli.main(["data", "busi", busi, "--out", str(npz), "--size", "16"]) == 0
    assert cli.main(["data", "split", str(npz), "--folds", "4", "--out", str(splits)]) == 0
    before = npz.read_bytes()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    capsys.readouterr()
    assert cli.main(["data", *(word.format(busi=busi, npz=npz, splits=splits) for word in words)]) == 2
    assert re.search(text, capsys.readouterr().err)
    assert not list(work.iterdir())
    assert npz.read_bytes() == before


def test_a_lesion_that_is_missing_is_warned_of(busi, tmp_path, caplog):
    path = tmp_path / "busi" / "benign" / "benign (1)_mask.png"
    set_folders.save(path, np.zeros((40, 56)))
    assert cli.main(["data", "busi", busi, "--out", str(tmp_path / "set.npz"), "--size", "16"]) == 0
    (record,) = caplog.records
    assert record.getMessage() == "set.npz: 1 of 4 images with the label benign have an empty mask: benign (1)"
