"""Public data sets as they are downloaded: found, refused by name, and the arrays that are made of them."""

import shutil
import zipfile

import numpy as np
import pytest
from helpers import set_folders
from helpers.set_folders import FOLDERS, mask, picture, save

from quantunet.errors import FileFormatError, ImageError, OptionError, StorageError
from quantunet.model import data, set_file
from quantunet.model.pictures import at_centres, reduced
from quantunet.model.public_sets import SETS

SHIPPED = {
    "busi": "busi_128.npz",
    "busbra": "busbra_128.npz",
    "chase": "chase_db1_128.npz",
    "nuclei": "dsb2018_nuclei_128.npz",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    return {kind: make(root / kind) for kind, make in FOLDERS.items()}


@pytest.fixture(scope="module")
def sets(folders):
    return {kind: set_file.make(kind, folder, 16) for kind, folder in folders.items()}


def test_every_set_has_a_folder_here():
    assert set(FOLDERS) == set(SETS)


def test_busi(sets):
    found = sets["busi"]
    assert found["name"].tolist() == list(set_folders.BUSI)  # 10 after 2
    assert found["label"].tolist() == ["benign"] * 3 + ["malignant", "normal"]
    assert found["n_masks"].tolist() == [1, 3, 1, 1, 1]
    assert (found["images"][0] == reduced(picture(0), 16, 16)).all()
    merged = mask(1) | mask(21) | mask(22)
    assert (found["masks"][1] == at_centres(merged > 0, 16, 16)).all()
    assert not found["masks"][4].any() and found["masks"].max() == 1
    assert found["group"].tolist() == [0, 1, 2, 0, 3]
    assert found["orig_shape"].tolist() == [[40, 56]] * 5


def test_the_folder_that_train_reads_is_the_same_set(folders, sets):
    samples = data.load_busi_folder(folders["busi"], 16)
    for name in ("images", "masks", "group", "label"):
        assert (getattr(samples, name) == sets["busi"][name]).all(), name


def test_busbra(sets):
    found = sets["busbra"]
    assert found["name"].tolist() == list(set_folders.BUSBRA)
    assert found["group"].tolist() == [1, 1, 2, 10]  # Case
    assert found["fold"].tolist() == [1, 2, 3, 4]
    assert found["birads"].tolist() == [2, 3, 4, 5]
    assert found["label"].tolist() == ["malignant", "malignant", "benign", "benign"]
    assert set(found["histology"].tolist()) == {"cyst, simple"}
    assert found["orig_shape"].tolist() == [[30 + index, 50] for index in range(4)]
    assert (found["masks"][2] == at_centres(mask(2, 32, 50) > 0, 16, 16)).all()


def test_chase(sets):
    found = sets["chase"]
    assert found["name"][:5].tolist() == [f"Image_01L_r{i // 4}_c{i % 4}" for i in range(5)]
    assert found["group"].tolist() == [0] * 32 + [11] * 16
    assert set(found["label"].tolist()) == {"vessel"}
    for name, observer in (("masks", 0), ("masks_observer2", 1)):
        whole = found[name][16:32].reshape(4, 4, 16, 16).swapaxes(1, 2).reshape(64, 64)
        assert (whole == at_centres(mask(10 + observer, 960, 999)[:, 19:979] > 0, 64, 64)).all()
        assert whole.any()


def test_nuclei(sets):
    found = sets["nuclei"]
    assert found["name"].tolist() == list(set_folders.NUCLEI)  # as text
    assert found["label"].tolist() == ["fluorescence", "brightfield", "stained", "fluorescence"]
    assert found["n_masks"].tolist() == [1, 2, 3, 4]
    assert found["orig_shape"].tolist() == [[32, 32]] * 3 + [[48, 64]]
    merged = np.any([mask(index, 48, 64) for index in range(4)], axis=0)
    assert (found["masks"][3] == at_centres(merged, 16, 16)).all()


def test_isic(sets):
    found = sets["isic"]
    assert found["name"].tolist() == list(set_folders.ISIC)
    assert found["label"].tolist() == ["lesion"] * 3
    assert (found["masks"][1] == at_centres(mask(1) > 0, 16, 16)).all()
    assert found["masks"].any(axis=(1, 2)).all()


@pytest.mark.parametrize("kind", SHIPPED)
def test_arrays_are_those_of_the_shipped_file(sets, kind):
    path = data.find_data(SHIPPED[kind])
    if path is None:
        pytest.skip(f"needs {SHIPPED[kind]} in $QUANTUNET_DATA or ../shared/data")
    with np.load(path) as shipped:
        assert set(sets[kind]) == set(shipped.files)
        compared = 0
        for name in shipped.files:
            ours, theirs = sets[kind][name], shipped[name]
            assert ours.dtype.kind == theirs.dtype.kind, name
            assert ours.dtype.kind == "U" or ours.dtype == theirs.dtype, name
            assert ours.ndim == theirs.ndim, name
            compared += 1
        assert compared >= 6


@pytest.mark.parametrize("kind", SETS)
def test_bytes_do_not_depend_on_the_order_of_the_folder(folders, sets, kind, tmp_path):
    """The same files, made anew in another order."""
    files = [path for path in folders[kind].rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name[::-1], reverse=True):
        copy = tmp_path / "copy" / path.relative_to(folders[kind])
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    set_file.write(tmp_path / "one.npz", sets[kind])
    set_file.write(tmp_path / "two.npz", set_file.make(kind, tmp_path / "copy", 16))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_bytes_of_a_file_are_those_of_its_arrays_alone(tmp_path):
    """No date, no compression, and neither byte order nor memory order of the machine that writes."""
    arrays = {"images": np.arange(24, dtype=np.uint8).reshape(2, 3, 4), "group": np.array([3, 4], np.int32)}
    set_file.write(tmp_path / "one.npz", arrays)
    other = {"images": np.asfortranarray(arrays["images"]), "group": arrays["group"].astype(">i4")}
    set_file.write(tmp_path / "two.npz", other)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.npz") as archive:
        entries = [(each.filename, each.compress_type, each.date_time) for each in archive.infolist()]
    assert entries == [(f"{name}.npy", zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0)) for name in arrays]
    found = set_file.read(tmp_path / "two.npz")
    assert all((found[name] == arrays[name]).all() and found[name].dtype == arrays[name].dtype for name in arrays)


def _groups(folder, groups, kind="busi"):
    return set_file.make(kind, folder, 16, groups=groups)["group"].tolist()


def test_groups_are_asked_for(folders):
    assert _groups(folders["busi"], "none") == [0, 1, 2, 3, 4]
    assert _groups(folders["busi"], r"\((\d)") == [0, 1, 0, 0, 2]
    assert _groups(folders["isic"], r"ISIC_00(\d)", "isic") == [0, 0, 1]
    assert _groups(folders["busbra"], "near", "busbra") == [0, 1, 2, 3]
    assert _groups(folders["chase"], "Image_(01L|..)", "chase") == [0] * 16 + [1] * 16 + [2] * 16


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"groups": "patient"}, "Patients are known of busbra, chase"),
        ({"groups": ""}, "one group in parentheses"),
        ({"groups": "nearby"}, "one group in parentheses"),
        ({"groups": "(a)(b)"}, "one group in parentheses"),
        ({"groups": "(a"}, "a regular expression, got"),
        ({"groups": "benign (x)"}, r"every name has: .*got the name 'benign \(1\)'"),
        ({"groups": "(x)?"}, "every name has"),
        ({"size": 7}, "--size: expected 8 to 4096"),
        ({"threshold": 255}, "--threshold: expected 0 to 254"),
    ],
)
def test_wrong_options_are_refused(folders, options, text):
    with pytest.raises(OptionError, match=text):
        set_file.make("busi", folders["busi"], **{"size": 16, **options})


def _edit(path, old, new):
    text = path.read_text(encoding="utf-8-sig")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


TABLE, FOLDS = "BUSBRA/bus_data.csv", "BUSBRA/5-fold-cv.csv"
DAMAGE = {
    "missing mask": ("busi", lambda f: (f / "benign/benign (1)_mask.png").unlink(), FileFormatError, "no mask"),
    "mask of another size": (
        "busi",
        lambda f: save(f / "benign/benign (2)_mask_1.png", mask(0, 40, 55)),
        ImageError,
        "56x40 pixels .*got 55x40",
    ),
    "mask of colours": (
        "busi",
        lambda f: save(f / "benign/benign (1)_mask.png", picture(0, colour=True)),
        ImageError,
        r"benign \(1\)_mask\.png",
    ),
    "one name twice": ("busi", lambda f: shutil.copytree(f / "normal", f / "more"), FileFormatError, "every name once"),
    "cut picture": (
        "busi",
        lambda f: (f / "benign/benign (1).png").write_bytes((f / "benign/benign (1).png").read_bytes()[:300]),
        FileFormatError,
        r"benign \(1\)\.png",
    ),
    "no case": ("busbra", lambda f: _edit(f / TABLE, ",10,", ",,"), FileFormatError, "bus_0010-s.*a value of Case"),
    "odd case": ("busbra", lambda f: _edit(f / TABLE, ",10,", ",10?,"), FileFormatError, "as Case, got '10"),
    "odd class": ("busbra", lambda f: _edit(f / TABLE, ",benign", ",probably"), FileFormatError, "benign or malignant"),
    "no column": (
        "busbra",
        lambda f: _edit(f / TABLE, "Case", "Patient"),
        FileFormatError,
        "no Case among ID, Patient",
    ),
    "no fold": ("busbra", lambda f: _edit(f / FOLDS, "bus_0010", "bus_0011"), FileFormatError, "ID 'bus_0010-s'"),
    "a row twice": ("busbra", lambda f: _edit(f / TABLE, "01-r", "01-l"), FileFormatError, "'bus_0001-l' twice"),
    "short row": ("busbra", lambda f: _edit(f / TABLE, "4,GE Logiq 7 @10-14MHz,50", "4"), FileFormatError, "Device"),
    "empty table": ("busbra", lambda f: (f / TABLE).write_text(""), FileFormatError, "the columns ID"),
    "no text": ("busbra", lambda f: (f / TABLE).write_bytes(b"ID,\xff\n"), FileFormatError, "UTF-8"),
    "open quote": ("busbra", lambda f: _edit(f / TABLE, 'simple"', "simple"), FileFormatError, "CSV"),
    "no table": ("busbra", lambda f: (f / FOLDS).unlink(), StorageError, "5-fold-cv.csv"),
    "no row": (
        "busbra",
        lambda f: save(f / "BUSBRA/Images/bus_0077-l.png", picture(0)),
        FileFormatError,
        "no ID 'bus_0077-l'",
    ),
    "no picture": ("busbra", lambda f: (f / "BUSBRA/Images/bus_0001-l.png").unlink(), FileFormatError, "bus_0001-l"),
    "no busbra mask": ("busbra", lambda f: (f / "BUSBRA/Masks/mask_0001-l.png").unlink(), FileFormatError, "no mask"),
    "one observer": ("chase", lambda f: (f / "Image_01L_2ndHO.png").unlink(), FileFormatError, "Image_01L_2ndHO"),
    "no nuclei": ("nuclei", lambda f: shutil.rmtree(f / "stage1_train/b7/masks"), FileFormatError, "no mask"),
    "two images": (
        "nuclei",
        lambda f: save(f / "stage1_train/b7/images/c.png", picture(0)),
        FileFormatError,
        "one picture, got b7.png, c.png",
    ),
    "no image": ("nuclei", lambda f: (f / "stage1_train/b7/images/b7.png").unlink(), FileFormatError, "got none"),
    "no segmentation": (
        "isic",
        lambda f: next(f.rglob("*0003_segmentation.png")).unlink(),
        FileFormatError,
        "ISIC_0000003_segmentation.png, got no mask",
    ),
    "two of a name": ("isic", lambda f: save(f / "ISIC_0000003.png", picture(0)), FileFormatError, "one picture of"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_odd_is_refused_by_name(tmp_path, what):
    kind, damage, error, text = DAMAGE[what]
    folder = FOLDERS[kind](tmp_path / "set")
    damage(folder)
    with pytest.raises(error, match=text):
        set_file.make(kind, folder, 16)


def test_a_photograph_of_another_size_is_no_chase(tmp_path):
    folder = set_folders.chase(tmp_path)
    for path in folder.iterdir():
        save(path, mask(0, 960, 960) if "HO" in path.name else picture(0, 960, 960))
    with pytest.raises(ImageError, match=r"Image_01L\.jpg: expected a picture of 999x960 pixels .*got 960x960"):
        set_file.make("chase", folder, 16)


@pytest.mark.parametrize("kind", [kind for kind in SETS if kind != "busbra"])
def test_empty_and_foreign_folders_are_refused(tmp_path, kind):
    with pytest.raises(FileFormatError, match="no file"):
        set_file.make(kind, tmp_path, 16)
    (tmp_path / "notes.txt").write_text("about")
    with pytest.raises(FileFormatError, match=r"1 other files: notes\.txt"):
        set_file.make(kind, tmp_path, 16)
    with pytest.raises(StorageError, match="no such folder"):
        set_file.make(kind, tmp_path / "nowhere", 16)


@pytest.mark.parametrize(("kind", "left"), [("busi", 2), ("chase", 2), ("nuclei", 2), ("isic", 5)])
def test_what_is_left_out_is_counted(tmp_path, caplog, kind, left):
    folder = FOLDERS[kind](tmp_path)
    place = folder / "stage1_train" if kind == "nuclei" else folder
    (place / "LICENSE.txt").write_text("about")
    save(place / "deep" / "er" / "case_segmentation.png", mask(0))
    set_file.make(kind, folder, 16)
    (record,) = caplog.records
    assert f": {left} of " in record.getMessage() and "LICENSE.txt" in record.getMessage()


def test_gray_masks_need_a_threshold(tmp_path):
    folder = set_folders.busi(tmp_path)
    blurred = mask(0).astype(int)
    blurred[0] = 100
    save(folder / "benign" / "benign (1)_mask.png", blurred)
    with pytest.raises(ImageError, match="two values"):
        set_file.make("busi", folder, 16)
    sharp = set_file.make("busi", folder, 16, threshold=127)["masks"]
    assert (sharp[0] == at_centres(mask(0) > 0, 16, 16)).all()


@pytest.mark.parametrize("name", ["set", "set.npy", "set.npz.gz"])
def test_a_data_set_is_called_npz(tmp_path, name):
    with pytest.raises(OptionError, match=r"ends in \.npz"):
        set_file.write(tmp_path / name, {"images": np.zeros(3)})
    assert not list(tmp_path.iterdir())


def test_rows_are_those_of_the_images(tmp_path):
    np.savez(tmp_path / "set.npz", images=np.zeros((3, 2, 2), np.uint8), group=np.zeros(4))
    with pytest.raises(ImageError, match=r"set\.npz:group: expected a row for each of 3 images, got \(4,\)"):
        set_file.read(tmp_path / "set.npz")
