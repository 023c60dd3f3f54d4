"""Where the public data sets have their pictures, masks, patients and classes, as downloaded. No torch here."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quantunet.errors import FileFormatError, StorageError
from quantunet.model import picture_folder
from quantunet.model.busi_folder import find_busi
from quantunet.model.near_duplicates import MICROSCOPY, ULTRASOUND, Rule
from quantunet.model.picture_folder import Case

_CHASE = re.compile(r"Image_(?P<child>[0-9]{1,4})[LR](?P<observer>_1stHO|_2ndHO)?")
_OBSERVERS = ("_1stHO", "_2ndHO")
_SEGMENTATION = "_segmentation"
_NO_PICTURE_OF_ITS_OWN = "_superpixels"  # ISIC adds them beside the images
_BUSBRA_IMAGE = re.compile(r"bus_(?P<rest>.+)", re.IGNORECASE)
_BUSBRA_ROWS, _BUSBRA_FOLDS = "bus_data.csv", "5-fold-cv.csv"
_BUSBRA_COLUMNS = ("ID", "Case", "Histology", "Pathology", "BIRADS", "Device")
_BUSBRA_LABELS = ("benign", "malignant")
_MAX_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class PublicSet:
    """How a data set is read.

    Attributes:
        find: Finds the images of a folder, in the order of the data set.
        summary: What its folder holds, for the help.
        rule: What near duplicates are.
        patients: Whether the patient of each image is known.
        patches: The square picture is made this many times larger, and cut into as many rows and columns of patches.
        shape: Height and width that every picture must have; None where they may differ.
        columns: The first column of a picture that is kept, and the first after it that is not.
    """

    find: Callable[[Path], list[Case]]
    summary: str
    rule: Rule
    patients: bool = False
    patches: int = 1
    shape: tuple[int, int] | None = None
    columns: tuple[int | None, int | None] = (None, None)


def find_busbra(folder: Path) -> list[Case]:
    """Find the images that ``bus_data.csv`` lists: ``Images/bus_0001-l.png`` with ``Masks/mask_0001-l.png``.

    Their folds are those of ``5-fold-cv.csv``.

    Raises:
        StorageError: The folder or one of the tables does not exist.
        FileFormatError: A table lacks a column or a row, or holds a value that it should not; or an image, its mask or
            its row is missing.
    """
    root = folder / "BUSBRA" if (folder / "BUSBRA" / _BUSBRA_ROWS).is_file() else folder
    files = picture_folder.files_of(root, f"Images, Masks, {_BUSBRA_ROWS} and {_BUSBRA_FOLDS}")
    rows, folds = _table(root / _BUSBRA_ROWS, _BUSBRA_COLUMNS), _table(root / _BUSBRA_FOLDS, ("ID", "kFold"))
    pictures = [path for path in files if path.parent == root / "Images" and picture_folder.is_picture(path)]
    unknown = [path for path in pictures if path.stem not in rows]
    if unknown:
        raise FileFormatError(
            str(unknown[0]),
            expected=f"the row of every image in {_BUSBRA_ROWS}",
            got=f"no ID {unknown[0].stem!r}",
            hint=f"Download the set again, or move the image away; {len(unknown)} of {len(pictures)} have no row.",
        )
    found = []
    for name, row in rows.items():
        match = _BUSBRA_IMAGE.fullmatch(name)
        where = f"{root / _BUSBRA_ROWS}, ID {name!r}"
        if not match:
            raise FileFormatError(where, expected="an ID such as 'bus_0001-l'", got=repr(name))
        if name not in folds:
            raise FileFormatError(str(root / _BUSBRA_FOLDS), expected=f"a row of the ID {name!r}", got="none")
        if row["Pathology"] not in _BUSBRA_LABELS:
            raise FileFormatError(where, expected="the Pathology benign or malignant", got=repr(row["Pathology"]))
        image, mask = root / "Images" / f"{name}.png", root / "Masks" / f"mask_{match['rest']}.png"
        if not image.is_file():
            raise FileFormatError(where, expected=f"the file {image.relative_to(root)}", got="no such file")
        if not mask.is_file():
            raise picture_folder.no_mask(image, f"its mask {mask.relative_to(root)}")
        columns: dict[str, int | str] = {
            "fold": _whole(f"{root / _BUSBRA_FOLDS}, ID {name!r}", folds[name], "kFold"),
            "device": row["Device"],
            "birads": _whole(where, row, "BIRADS"),
            "histology": row["Histology"],
        }
        patient = _whole(where, row, "Case")
        found.append(Case(name, image, (mask,), label=row["Pathology"], patient=patient, columns=columns))
    return _sorted(found)


def _table(path: Path, columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """The rows of a CSV file by their ID, without blanks around the values.

    Raises:
        StorageError: There is no such file, or it cannot be read.
        FileFormatError: It is no CSV in UTF-8, lacks a column, has no row, two of one ID, or one that is too short.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise FileFormatError(
                    str(path),
                    expected=f"the columns {', '.join(columns)}",
                    got=f"no {', '.join(missing)} among {', '.join(reader.fieldnames or ()) or 'none'}",
                    hint="Take the file as it is downloaded.",
                )
            rows = list(reader)
    except OSError as error:
        raise StorageError(
            str(path), expected="a table of the set", got=error.strerror or str(error), hint="Name the unpacked folder."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(str(path), expected="a CSV file in UTF-8", got=str(error)) from error
    if not rows:
        raise FileFormatError(str(path), expected="a row for each image", got="none")
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        values = {name: (row[name] or "").strip() for name in columns}
        empty = next((name for name, value in values.items() if not value), None)
        if empty:
            raise FileFormatError(f"{path}, ID {values['ID']!r}", expected=f"a value of {empty}", got="none")
        if values["ID"] in found:
            raise FileFormatError(str(path), expected="each ID once", got=f"{values['ID']!r} twice")
        found[values["ID"]] = values
    return found


def _whole(where: str, row: Mapping[str, str], column: str) -> int:
    text = row[column]
    if not (text.isascii() and text.isdigit() and int(text) <= _MAX_NUMBER):
        raise FileFormatError(where, expected=f"a whole number as {column}", got=repr(text))
    return int(text)


def find_chase(folder: Path) -> list[Case]:
    """Find ``Image_01L.jpg`` with ``Image_01L_1stHO.png`` and ``Image_01L_2ndHO.png``.

    Raises:
        StorageError: The folder does not exist.
        FileFormatError: It holds no image, one without the masks of both observers, or two of one name.
    """
    files = picture_folder.files_of(folder, "the CHASE_DB1 images")
    pictures = (path for path in files if picture_folder.is_picture(path))
    named = _by_stem(path for path in pictures if _CHASE.fullmatch(path.stem))
    found: list[Case] = []
    taken: set[Path] = set()
    for stem, path in named.items():
        match = _CHASE.fullmatch(stem)
        if not match or match["observer"]:
            continue
        masks = [named.get(stem + suffix) for suffix in _OBSERVERS]
        for mask, suffix in zip(masks, _OBSERVERS, strict=True):
            if mask is None:
                raise picture_folder.no_mask(path, f"the mask {stem}{suffix}.png")
            taken.add(mask)
        first, second = masks
        assert first and second
        taken.add(path)
        found.append(Case(stem, path, (first,), (second,), "vessel", patient=int(match["child"]) - 1))
    names = "'Image_01L.jpg', 'Image_01L_1stHO.png' and 'Image_01L_2ndHO.png'"
    if not found:
        picture_folder.nothing_found(folder, files, f"pictures such as {names}", "Name the unpacked folder.")
    picture_folder.warn_of_others(folder, set(files) - taken, len(files), names)
    return _sorted(found)


def find_nuclei(folder: Path) -> list[Case]:
    """Find the images of the 2018 Data Science Bowl: ``NAME/images/NAME.png`` with ``NAME/masks/*.png``.

    The names are hexadecimal numbers, which are sorted as text.

    Raises:
        StorageError: The folder does not exist.
        FileFormatError: It holds no image; or a folder without a mask, or with other than one image.
    """
    root = folder / "stage1_train" if (folder / "stage1_train").is_dir() else folder
    files = picture_folder.files_of(root, "a folder for each image")
    parts: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in files:
        if picture_folder.is_picture(path) and path.parent.parent.parent == root:
            parts[path.parent.parent, path.parent.name].append(path)
    found: list[Case] = []
    taken: set[Path] = set()
    for each in sorted({home for home, part in parts if part in ("images", "masks")}):
        images, masks = parts.get((each, "images"), []), parts.get((each, "masks"), [])
        if len(images) != 1:
            raise FileFormatError(
                str(each / "images"), expected="one picture", got=", ".join(path.name for path in images) or "none"
            )
        if not masks:
            raise picture_folder.no_mask(images[0], "a picture for each nucleus in the folder 'masks' beside 'images'")
        taken |= {*images, *masks}
        found.append(Case(each.name, images[0], tuple(masks)))
    names = "'NAME/images/NAME.png' and 'NAME/masks/*.png'"
    if not found:
        picture_folder.nothing_found(folder, files, f"pictures such as {names}", "Name the unpacked stage1_train.")
    picture_folder.warn_of_others(root, set(files) - taken, len(files), names)
    return sorted(found, key=lambda case: case.name)


def find_isic(folder: Path) -> list[Case]:
    """Find pictures with masks: ``NAME.jpg`` with ``NAME_segmentation.png``, in any sub-folders.

    Raises:
        StorageError: The folder does not exist.
        FileFormatError: It holds no image, an image without a mask, or two pictures of one name.
    """
    files = picture_folder.files_of(folder, "pictures and their masks")
    pictures = (path for path in files if picture_folder.is_picture(path))
    named = _by_stem(path for path in pictures if not path.stem.endswith(_NO_PICTURE_OF_ITS_OWN))
    found: list[Case] = []
    taken: set[Path] = set()
    for stem, path in named.items():
        if stem.endswith(_SEGMENTATION):
            continue
        mask = named.get(stem + _SEGMENTATION)
        if mask is None:
            raise picture_folder.no_mask(path, f"the mask {stem}{_SEGMENTATION}.png")
        taken |= {path, mask}
        found.append(Case(stem, path, (mask,), label="lesion"))
    names = "'NAME.jpg' and 'NAME_segmentation.png'"
    if not found:
        picture_folder.nothing_found(
            folder, files, f"pictures such as {names}", "Name a folder that holds both unpacked archives."
        )
    picture_folder.warn_of_others(folder, set(files) - taken, len(files), names)
    return _sorted(found)


def _by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """Pictures by their names without endings; two of one name are refused."""
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found:
            raise FileFormatError(
                str(found[path.stem]), expected="one picture of this name", got=str(path), hint="Move one of them away."
            )
        found[path.stem] = path
    return found


def _sorted(cases: list[Case]) -> list[Case]:
    return sorted(cases, key=lambda case: picture_folder.natural(case.name))


SETS: Mapping[str, PublicSet] = {
    "busi": PublicSet(
        find_busi, "breast ultrasound (BUSI): 'benign (1).png' with 'benign (1)_mask.png', ...", ULTRASOUND
    ),
    "busbra": PublicSet(
        find_busbra,
        "breast ultrasound (BUS-BRA): Images, Masks, bus_data.csv, 5-fold-cv.csv",
        ULTRASOUND,
        patients=True,
    ),
    "chase": PublicSet(
        find_chase,
        "retinal vessels (CHASE_DB1): 'Image_01L.jpg' with masks of two observers; 16 patches of each image",
        MICROSCOPY,
        patients=True,
        patches=4,
        shape=(960, 999),
        columns=(19, 979),
    ),
    "nuclei": PublicSet(
        find_nuclei, "cell nuclei (2018 Data Science Bowl): a folder for each image with images/ and masks/", MICROSCOPY
    ),
    "isic": PublicSet(
        find_isic, "skin lesions (ISIC), or any pictures 'NAME.jpg' with masks 'NAME_segmentation.png'", MICROSCOPY
    ),
}
"""The sets that ``quantunet data`` reads, by the names of its sub-commands."""
