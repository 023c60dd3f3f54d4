"""Folds as a file: whole groups, of these data and no others."""

import json

import numpy as np
import pytest

from quantunet.errors import DataSplitError, FileFormatError, OptionError
from quantunet.model.data import Samples
from quantunet.model.data_digest import data_digest
from quantunet.model.split_file import make_folds, read_folds, write_folds


def _samples(group, source="set.npz"):
    n = len(group)
    images = np.arange(n * 4, dtype=np.uint8).reshape(n, 2, 2)
    return Samples(source, images, images % 2, np.array(group, np.int64), np.full(n, ""))


GROUPS = [9, 9, 9, 9, 4, 4, 7, 7, 1, 2, 3, 5, 8]


def test_folds_keep_groups_and_are_of_one_size():
    samples = _samples(GROUPS)
    folds = make_folds(samples, 3, by="group", seed=0)
    assert sorted(np.concatenate(folds.folds).tolist()) == list(range(13))
    for fold in folds.folds:
        assert fold.tolist() == sorted(fold.tolist())
    of_group = [
        {index for index, fold in enumerate(folds.folds) if GROUPS[i] in samples.group[fold]} for i in range(13)
    ]
    assert all(len(each) == 1 for each in of_group)
    assert sorted(map(len, folds.folds)) == [4, 4, 5]
    same = make_folds(samples, 3, by="group", seed=0)
    assert [fold.tolist() for fold in folds.folds] == [fold.tolist() for fold in same.folds]
    others = {str([fold.tolist() for fold in make_folds(samples, 3, by="group", seed=s).folds]) for s in range(5)}
    assert len(others) > 1


def test_folds_by_image_part_a_group():
    samples = _samples([1] * 8)
    assert sorted(map(len, make_folds(samples, 4, by="image", seed=0).folds)) == [2, 2, 2, 2]
    with pytest.raises(DataSplitError, match="at least 4 groups"):
        make_folds(samples, 4, by="group", seed=0)


@pytest.mark.parametrize(("count", "seed", "name"), [(1, 0, "--folds"), (1001, 0, "--folds"), (2, -1, "--seed")])
def test_options_have_a_range(count, seed, name):
    with pytest.raises(OptionError, match=name):
        make_folds(_samples(GROUPS), count, by="group", seed=seed)


@pytest.mark.parametrize("by", ["group", "image"])
def test_a_file_is_read_as_it_was_written(tmp_path, by):
    samples = _samples(GROUPS)
    folds = make_folds(samples, 3, by=by, seed=2)
    write_folds(tmp_path / "splits.json", folds)
    found = read_folds(tmp_path / "splits.json", samples)
    assert [fold.tolist() for fold in found.folds] == [fold.tolist() for fold in folds.folds]
    assert (found.digest, found.by, found.seed, found.source) == (data_digest(samples), by, 2, "set.npz")
    assert read_folds(tmp_path / "splits.json", _samples(GROUPS, "renamed.npz")).digest == found.digest


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda d: d["folds"][0].pop(), DataSplitError, "each of 13 images in one fold"),
        (lambda d: d["folds"][0].append(d["folds"][1][0]), DataSplitError, "or an image twice"),
        (lambda d: d["folds"].append([]), DataSplitError, "none of them empty"),
        (lambda d: d["folds"][0].append(13), FileFormatError, "whole numbers from 0 to 12"),
        (lambda d: d["folds"][0].append(True), FileFormatError, "whole numbers"),
        (lambda d: d["data"].update(sha256="0" * 64), DataSplitError, "Split this file again"),
        (lambda d: d.update(by="case"), FileFormatError, "one of group, image"),
        (lambda d: d.update(more=1), FileFormatError, "unknown"),
        (lambda d: d.pop("seed"), FileFormatError, "seed"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, change, error, text):
    samples = _samples(GROUPS)
    path = tmp_path / "splits.json"
    write_folds(path, make_folds(samples, 3, by="group", seed=0))
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(error, match=text):
        read_folds(path, samples)


def test_a_parted_group_is_refused(tmp_path):
    path = tmp_path / "splits.json"
    samples = _samples(GROUPS)
    write_folds(path, make_folds(samples, 3, by="image", seed=0))
    path.write_text(path.read_text().replace('"image"', '"group"', 1))
    with pytest.raises(DataSplitError, match="every group in one fold, got group [0-9]+ in two"):
        read_folds(path, samples)


def test_other_data_are_refused(tmp_path):
    path = tmp_path / "splits.json"
    write_folds(path, make_folds(_samples(GROUPS), 3, by="group", seed=0))
    with pytest.raises(DataSplitError, match="13 images, SHA-256"):
        read_folds(path, _samples([*GROUPS[:-1], 77]))
