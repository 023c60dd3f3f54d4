"""Loaders and splits."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from quantunet.errors import DataSplitError, FileFormatError, ImageError, StorageError
from quantunet.model import data
from quantunet.model.data import Split


def _npz(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def _arrays(n=6, size=16):
    rng = np.random.default_rng(0)
    return {
        "images": rng.integers(0, 256, (n, size, size), dtype=np.uint8),
        "masks": rng.integers(0, 2, (n, size, size), dtype=np.uint8),
        "group": np.arange(n, dtype=np.int32) // 2,
    }


def test_npz_is_read_as_it_is(tmp_path):
    arrays = _arrays()
    samples = data.load(str(_npz(tmp_path / "set.npz", **arrays)), 16)
    assert (samples.images == arrays["images"]).all()
    assert (samples.masks == arrays["masks"]).all()
    assert samples.group.tolist() == [0, 0, 1, 1, 2, 2]
    assert samples.source == "set.npz"


def test_truncated_npz_is_refused(tmp_path):
    path = _npz(tmp_path / "set.npz", **_arrays())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(FileFormatError, match=r"set\.npz"):
        data.load_npz(path)


def test_damaged_array_is_refused(tmp_path):
    path = _npz(tmp_path / "set.npz", **_arrays())
    raw = bytearray(path.read_bytes())
    raw[300:340] = bytes(40)
    path.write_bytes(bytes(raw))
    with pytest.raises(FileFormatError, match=r"set\.npz"):
        data.load_npz(path)


def test_pickles_are_refused(tmp_path):
    arrays = _arrays() | {"group": np.array([{}] * 6, dtype=object)}
    with pytest.raises(FileFormatError):
        data.load_npz(_npz(tmp_path / "set.npz", **arrays))


def test_missing_key_is_named(tmp_path):
    arrays = _arrays()
    del arrays["group"]
    with pytest.raises(FileFormatError, match="no group"):
        data.load_npz(_npz(tmp_path / "set.npz", **arrays))


def test_missing_file_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError):
        data.load(str(tmp_path / "nothing.npz"), 16)


def test_masks_of_0_and_255_are_refused(tmp_path):
    arrays = _arrays()
    arrays["masks"] *= 255
    with pytest.raises(ImageError, match="0 and 1"):
        data.load_npz(_npz(tmp_path / "set.npz", **arrays))


def test_images_of_another_size_are_refused(tmp_path):
    with pytest.raises(ImageError, match="32 x 32"):
        data.load(str(_npz(tmp_path / "set.npz", **_arrays())), 32)


def test_larger_images_are_reduced_by_a_whole_factor(tmp_path):
    arrays = _arrays()
    samples = data.load(str(_npz(tmp_path / "set.npz", **arrays)), 4)
    assert samples.images.shape == samples.masks.shape == (6, 4, 4)
    assert samples.images[2, 1, 3] == np.rint(arrays["images"][2, 4:8, 12:16].mean())
    assert samples.masks[2, 1, 3] == arrays["masks"][2, 6, 14]
    with pytest.raises(ImageError, match="multiple"):
        data.load(str(tmp_path / "set.npz"), 5)


def test_default_is_the_named_folder_or_phantoms(tmp_path, monkeypatch):
    monkeypatch.setenv(data.ENVIRONMENT, str(tmp_path))
    assert data.load(None, 16, phantom_count=3).source.startswith("phantoms")
    _npz(tmp_path / data.BUSI_FILE, **_arrays())
    assert data.load(None, 16).source == data.BUSI_FILE


# -- the unpacked BUSI folder ------------------------------------------------------------------------------------------


def _png(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def _busi(folder):
    rng = np.random.default_rng(1)
    left, right = np.zeros((40, 60), np.uint8), np.zeros((40, 60), np.uint8)
    left[10:20, 10:20] = 255
    right[25:35, 40:55] = 255
    picture = rng.integers(0, 256, (40, 60), dtype=np.uint8)
    _png(folder / "benign" / "benign (1).png", np.repeat(picture[:, :, None], 3, axis=2))
    _png(folder / "benign" / "benign (1)_mask.png", left)
    _png(folder / "benign" / "benign (1)_mask_1.png", right)
    _png(folder / "malignant" / "malignant (1).png", picture)  # the same picture: one group with benign (1)
    _png(folder / "malignant" / "malignant (1)_mask.png", np.repeat(right[:, :, None], 3, axis=2))
    _png(folder / "normal" / "normal (1).png", rng.integers(0, 256, (40, 60), dtype=np.uint8))
    _png(folder / "normal" / "normal (1)_mask.png", np.zeros((40, 60), np.uint8))
    return folder


def test_busi_masks_are_merged(tmp_path):
    samples = data.load(str(_busi(tmp_path)), 20)
    assert samples.label.tolist() == ["benign", "malignant", "normal"]
    assert samples.images.shape == (3, 20, 20)
    assert (samples.masks[1] == (samples.masks[1] & samples.masks[0])).all()
    assert samples.masks[0].sum() > samples.masks[1].sum() > 0
    assert samples.masks[0][7, 4] == 1
    assert samples.masks[0][15, 15] == samples.masks[1][15, 15] == 1
    assert samples.masks[1][7, 4] == 0
    assert not samples.masks[2].any()


def test_busi_duplicates_share_a_group(tmp_path):
    group = data.load(str(_busi(tmp_path)), 20).group
    assert group[0] == group[1] != group[2]


def test_busi_image_without_mask_is_refused(tmp_path):
    _busi(tmp_path)
    (tmp_path / "normal" / "normal (1)_mask.png").unlink()
    with pytest.raises(FileFormatError, match=r"normal \(1\)\.png"):
        data.load_busi_folder(tmp_path, 20)


def test_truncated_png_is_refused(tmp_path):
    _busi(tmp_path)
    path = tmp_path / "normal" / "normal (1).png"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(FileFormatError, match=r"normal \(1\)\.png"):
        data.load_busi_folder(tmp_path, 20)


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="none"):
        data.load_busi_folder(tmp_path, 20)


# -- splits ------------------------------------------------------------------------------------------------------------


def test_groups_stay_together_and_nothing_is_lost():
    group = np.random.default_rng(0).integers(0, 40, 200)
    split = data.split_by_group(group, val_fraction=0.2, test_fraction=0.2, seed=3)
    sides = [set(group[part]) for part in split.parts().values()]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert sorted(np.concatenate(list(split.parts().values()))) == list(range(200))


def test_split_depends_on_the_seed_alone():
    group = np.arange(50)
    first, again, other = (
        data.split_by_group(group, val_fraction=0.2, test_fraction=0.2, seed=seed).test.tolist() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_leaking_split_is_refused():
    group = np.array([0, 0, 1, 2])
    with pytest.raises(DataSplitError, match=r"train and val parts.*first 0"):
        data.check_split(Split(np.array([0]), np.array([1, 2]), np.array([3])), group)


def test_a_repeated_image_is_refused():
    with pytest.raises(DataSplitError, match="repeated"):
        data.check_split(Split(np.array([0, 0]), np.array([1]), np.array([2])), np.arange(3))


def test_an_empty_part_is_refused():
    with pytest.raises(DataSplitError, match="val part"):
        data.split_by_group(np.arange(3), val_fraction=0.0, test_fraction=0.4, seed=0)


def test_a_split_by_image_knows_no_groups():
    samples = dataclasses.replace(data.load_phantoms(40, 16, seed=0), group=np.arange(40) // 8)
    parts = {
        by: data.split_samples(samples, split_by=by, val_fraction=0.2, test_fraction=0.2, seed=0).parts()
        for by in ("group", "image")
    }
    assert all(len(indices) % 8 == 0 for indices in parts["group"].values())
    assert [len(indices) for indices in parts["image"].values()] == [24, 8, 8]
    leaked = np.intersect1d(samples.group[parts["image"]["train"]], samples.group[parts["image"]["test"]])
    assert len(leaked)


def test_a_bare_name_is_looked_for_where_data_are(tmp_path, monkeypatch):
    monkeypatch.setenv(data.ENVIRONMENT, str(tmp_path))
    samples = data.load_phantoms(4, 16, seed=0)
    np.savez(tmp_path / "some.npz", images=samples.images, masks=samples.masks, group=samples.group)
    assert (data.load("some.npz", 16).images == samples.images).all()
    with pytest.raises(StorageError):
        data.load("other.npz", 16)
