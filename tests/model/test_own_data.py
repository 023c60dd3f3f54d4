"""Pictures and masks of one's own: every layout that is read, what is refused, and what becomes of sizes and groups."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.scans import dicom, nifti
from PIL import Image

from quantunet.errors import DataSplitError, FileFormatError, ImageError, OptionError, QuantUNetError, StorageError
from quantunet.golden.pictures import Fit, frame, luma, to_image
from quantunet.model import data, own_folder, own_set, set_file
from quantunet.model.data_digest import data_digest
from quantunet.model.pictures import at_centres

RNG = np.random.default_rng(0)


def picture(path: Path, seed: int, height: int = 24, width: int = 40, *, colour: bool = False) -> np.ndarray:
    shape = (height, width, 3) if colour else (height, width)
    values = np.random.default_rng(seed).integers(0, 256, size=shape).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return values


def mask(path: Path, seed: int, height: int = 24, width: int = 40, white: int = 255) -> np.ndarray:
    values = np.zeros((height, width), np.uint8)
    row, column = seed % (height // 2), seed % (width // 2)
    values[row : row + 9, column : column + 12] = 1
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(white * values).save(path)
    return values


def own(root: Path, count: int = 3, pattern: str = "{}", masks: str = "masks") -> Path:
    for index in range(count):
        picture(root / "images" / f"case{index}.png", index, colour=index % 2 == 1)
        mask(root / masks / f"{pattern.format(f'case{index}')}.png", index)
    return root


def table(path: Path, *rows: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def nnunet(root: Path, ending: str = ".png", count: int = 4, labels: object = None) -> Path:
    document = {
        "channel_names": {"0": "US"},
        "labels": {"background": 0, "tumour": 1} if labels is None else labels,
        "numTraining": count,
        "file_ending": ending,
    }
    root.mkdir(parents=True, exist_ok=True)
    (root / "dataset.json").write_text(json.dumps(document))
    for index in range(count):
        image, label = root / "imagesTr" / f"c{index}_0000{ending}", root / "labelsTr" / f"c{index}{ending}"
        if ending == ".png":
            picture(image, index)
            mask(label, index, white=1)
        else:
            values = np.random.default_rng(index).integers(0, 256, size=(40, 24, 3)).astype(np.uint8)
            nifti(image, values)
            nifti(label, (values > 200).astype(np.uint8))
    return root


@pytest.mark.parametrize("pattern", ["{}", "{}_mask", "{}_seg", "{}_segmentation", "{}_label", "mask_{}"])
@pytest.mark.parametrize("masks", ["masks", "labels"])
def test_images_and_masks_are_paired_by_name(tmp_path: Path, pattern: str, masks: str) -> None:
    folder = own(tmp_path, 11, pattern, masks)
    assert own_folder.is_own(folder)
    layout = own_folder.find(folder)
    assert [pair.name for pair in layout.pairs] == [f"case{index}" for index in range(11)]
    assert [pair.mask.stem for pair in layout.pairs] == [pattern.format(f"case{index}") for index in range(11)]


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_images_are_those_of_the_rule_that_predict_uses(tmp_path: Path, fit: Fit) -> None:
    samples = data.load(str(own(tmp_path / "set")), 16, fit=fit)
    assert samples.fit == fit and samples.source == "set" and samples.fold is None
    assert samples.name is not None and samples.name.tolist() == ["case0", "case1", "case2"]
    place = frame((24, 40), (16, 16), fit)
    for index in range(3):
        values = np.asarray(Image.open(tmp_path / "set" / "images" / f"case{index}.png"))
        gray = luma(values) if values.ndim == 3 else values[..., None]
        assert (samples.images[index] == to_image(gray, place)[:, :, 0]).all()
        whole = np.asarray(Image.open(tmp_path / "set" / "masks" / f"case{index}.png")) > 0
        expected = np.zeros((16, 16), np.uint8)
        expected[place.top : place.top + place.height, place.left : place.left + place.width] = at_centres(
            whole, place.height, place.width
        )
        assert (samples.masks[index] == expected).all() and expected.any()


def test_without_a_word_they_are_stretched(tmp_path: Path) -> None:
    assert data.load(str(own(tmp_path)), 16).fit == "stretch"


def test_a_table_says_groups_folds_labels_and_names(tmp_path: Path) -> None:
    rows = []
    for index in range(6):
        picture(tmp_path / "p" / f"{index}.png", index)
        mask(tmp_path / "q" / f"m{index}.png", index)
        rows.append(
            {"image": f"p/{index}.png", "mask": f"q/m{index}.png", "group": f"patient {index // 2}", "label": "benign",
             "fold": str(index // 2), "name": f"view {index}"}
        )  # fmt: skip
    path = table(tmp_path / "cases.csv", *rows)
    for source in (path, tmp_path):
        assert own_folder.is_own(source)
        samples = data.load(str(source), 16)
        assert samples.group.tolist() == [0, 0, 1, 1, 2, 2]
        assert samples.fold is not None and samples.fold.tolist() == [0, 0, 1, 1, 2, 2]
        assert samples.name is not None and samples.name.tolist() == [f"view {index}" for index in range(6)]
        assert set(samples.label.tolist()) == {"benign"}
    split = data.split_samples(samples, split_by="group", val_fraction=0.5, test_fraction=0.1, seed=0, fold=1, folds=3)
    assert split.test.tolist() == [2, 3]
    with pytest.raises(DataSplitError, match="expected 3 folds, those that the data say, got 5"):
        data.split_samples(samples, split_by="group", val_fraction=0.5, test_fraction=0.1, seed=0, fold=1, folds=5)


@pytest.mark.parametrize("ending", [".png", ".nii.gz"])
def test_nnunet_folders_with_their_splits(tmp_path: Path, ending: str) -> None:
    folder = nnunet(tmp_path / "Dataset001_US", ending)
    splits = [{"train": ["c2", "c3"], "val": ["c0", "c1"]}, {"train": ["c0", "c1"], "val": ["c2", "c3"]}]
    (folder / "splits_final.json").write_text(json.dumps(splits))
    samples = data.load(str(folder), 16)
    planes = 3 if ending == ".nii.gz" else 1
    assert len(samples) == 4 * planes
    assert samples.fold is not None and samples.fold.tolist() == [0] * 2 * planes + [1] * 2 * planes
    assert samples.name is not None and samples.name[-1] == ("c3:2" if planes == 3 else "c3")
    assert samples.group.tolist() == [index // planes for index in range(4 * planes)]
    assert samples.masks.any()


def test_the_first_version_of_nnunet_is_read_too(tmp_path: Path) -> None:
    folder = nnunet(tmp_path, labels={"0": "background", "1": "tumour"})
    assert len(own_folder.find(folder).pairs) == 4


def test_groups_are_near_duplicates_or_by_name(tmp_path: Path) -> None:
    folder = own(tmp_path, 4)
    double = folder / "images" / "case9.png"
    double.write_bytes((folder / "images" / "case2.png").read_bytes())
    mask(folder / "masks" / "case9.png", 2)
    assert data.load(str(folder), 16).group.tolist() == [0, 1, 2, 3, 2]
    assert data.load(str(folder), 16, groups="none").group.tolist() == [0, 1, 2, 3, 4]
    assert data.load(str(folder), 16, groups="case([0-2]?)").group.tolist() == [0, 1, 2, 3, 3]
    with pytest.raises(OptionError, match="a pattern that every name has"):
        data.load(str(folder), 16, groups="patient(.)")
    with pytest.raises(OptionError, match="--groups"):
        data.load(str(folder), 16, groups="(")


def test_dicom_and_its_masks(tmp_path: Path) -> None:
    for index in range(3):
        values = RNG.integers(0, 256, size=(24, 40)).astype(np.uint8)
        dicom(tmp_path / "images" / f"s{index}.dcm", values)
        dicom(tmp_path / "masks" / f"s{index}.dcm", (values > 100).astype(np.uint8))
    assert data.load(str(tmp_path), 16).masks.any(axis=(1, 2)).all()


def test_an_npz_of_a_folder_holds_the_same(tmp_path: Path) -> None:
    folder = own(tmp_path / "set", 5)
    found = own_set.read_own(folder, (16, 16), "letterbox")
    set_file.write(tmp_path / "set.npz", own_set.arrays_of(found, "letterbox"))
    one, other = data.load(str(folder), 16, fit="letterbox"), data.load(str(tmp_path / "set.npz"), 16)
    assert other.fit == "letterbox" and one.name is not None and other.name is not None
    assert one.name.tolist() == other.name.tolist()
    assert data_digest(one) == data_digest(other)


def _no_mask(root: Path) -> Path:
    (own(root) / "masks" / "case1.png").unlink()
    return root


def _two_masks(root: Path) -> Path:
    mask(own(root) / "masks" / "case1_mask.png", 1)
    return root


def _other_size(root: Path) -> Path:
    mask(own(root) / "masks" / "case1.png", 1, height=25)
    return root


def _soft_mask(root: Path) -> Path:
    picture(own(root) / "masks" / "case1.png", 1)
    return root


def _deep(root: Path) -> Path:
    Image.fromarray(np.arange(960, dtype=np.uint16).reshape(24, 40)).save(own(root) / "images" / "case1.png")
    return root


def _no_folder(root: Path) -> Path:
    return root / "none"


def _only_images(root: Path) -> Path:
    picture(root / "images" / "a.png", 1)
    return root


def _other_labels(root: Path) -> Path:
    mask(nnunet(root) / "labelsTr" / "c1.png", 1, white=2)
    return root


def _gap_in_the_classes(root: Path) -> Path:
    return nnunet(root, labels={"background": 0, "a": 1, "b": 3})


def _ignored_label(root: Path) -> Path:
    return nnunet(root, labels={"background": 0, "a": 1, "ignore": 2})


def _comma_in_a_class(root: Path) -> Path:
    return nnunet(root, labels={"background": 0, "a": 1, "b, left": 2})


def _two_channels(root: Path) -> Path:
    picture(nnunet(root) / "imagesTr" / "c1_0001.png", 1)
    return root


def _case_without_split(root: Path) -> Path:
    (nnunet(root) / "splits_final.json").write_text(json.dumps([{"val": ["c0"]}, {"val": ["c1"]}]))
    return root


def _case_in_two_splits(root: Path) -> Path:
    (nnunet(root) / "splits_final.json").write_text(json.dumps([{"val": ["c0"]}, {"val": ["c0"]}]))
    return root


def _row(**changes: str) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        own(root / "set")
        row = {"image": "set/images/case0.png", "mask": "set/masks/case0.png", "group": "a", "fold": "0"} | changes
        other = {"image": "set/images/case1.png", "mask": "set/masks/case1.png", "group": "a", "fold": "0"}
        return table(root / "t.csv", other | dict.fromkeys(changes.keys() - other.keys(), ""), row)

    return make


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (_no_mask, FileFormatError, "no mask"),
        (_two_masks, FileFormatError, "expected one mask, got case1.png and case1_mask.png"),
        (_other_size, ImageError, "never stretched"),
        (_soft_mask, ImageError, "two values"),
        (_deep, ImageError, "uint16 values from 0 to 959"),
        (_no_folder, StorageError, "no such file"),
        (_only_images, FileFormatError, "one of masks and labels"),
        (_other_labels, ImageError, "the labels 0 and 1, got 2"),
        (_gap_in_the_classes, FileFormatError, "classes from 1 on without a gap, got background 0, a 1, b 3"),
        (_ignored_label, FileFormatError, "the label 'ignore' are not trained on"),
        (_comma_in_a_class, FileFormatError, "names without ',', got 'b, left'"),
        (_two_channels, FileFormatError, "one channel"),
        (_case_without_split, FileFormatError, "c2 in the val of one split"),
        (_case_in_two_splits, FileFormatError, "c0 in 0 and 1"),
        (_row(image="none.png"), FileFormatError, "line 3: expected the file of the image"),
        (_row(mask=""), FileFormatError, "line 3: expected the file of the mask"),
        (_row(group=""), FileFormatError, "a group in every line"),
        (_row(fold="x"), FileFormatError, "a fold from 0 to 999, got 'x'"),
        (_row(fold="1"), DataSplitError, "every group in one fold"),
        (_row(patient="4"), FileFormatError, "the columns image, mask"),
        (_row(image="set/images/case1.png"), FileFormatError, "every name once"),
    ],
)
def test_what_is_refused(tmp_path: Path, make: Callable[[Path], Path], error: type[QuantUNetError], text: str) -> None:
    source = make(tmp_path)
    with pytest.raises(error, match=text):
        data.load(str(source), 16)


def test_what_is_said_of_images_that_are_made_already_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 16, 16), np.uint8), masks=np.zeros((2, 16, 16)), group=[0, 1])
    for options in ({"fit": "stretch"}, {"groups": "none"}):
        with pytest.raises(OptionError, match="a folder or table of your own"):
            data.load(str(tmp_path / "a.npz"), 16, **options)  # type: ignore[arg-type]


def test_an_npz_of_two_fits_is_refused(tmp_path: Path) -> None:
    arrays = {"images": np.zeros((2, 16, 16), np.uint8), "masks": np.zeros((2, 16, 16)), "group": [0, 1]}
    np.savez(tmp_path / "a.npz", **arrays, fit=["stretch", "letterbox"])  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="one of stretch, letterbox for all images"):
        data.load(str(tmp_path / "a.npz"), 16)


def test_rgb_stays_colour_and_gray_becomes_three_channels(tmp_path: Path) -> None:
    folder = own(tmp_path / "set")
    samples = data.load(str(folder), 16, rgb=True)
    assert samples.images.shape == (3, 16, 16, 3) and samples.channels == 3
    assert samples.picture(1).shape == (16, 16, 3)
    place = frame((24, 40), (16, 16), "stretch")
    for index in range(3):
        values = np.asarray(Image.open(folder / "images" / f"case{index}.png"))
        colour = values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)
        assert (samples.images[index] == to_image(colour, place)).all()
    assert (samples.masks == data.load(str(folder), 16).masks).all()
    found = own_set.read_own(folder, (32, 32), "stretch", rgb=True)
    set_file.write(tmp_path / "set.npz", own_set.arrays_of(found, "stretch"))
    assert data.load(str(tmp_path / "set.npz"), 16, rgb=True).images.shape == (3, 16, 16, 3)
    with pytest.raises(ImageError, match="expected gray images, got RGB.*--rgb"):
        data.load(str(tmp_path / "set.npz"), 16)
    with pytest.raises(ImageError, match="expected RGB images, got gray"):
        data.load("phantoms", 16, phantom_count=4, rgb=True)
