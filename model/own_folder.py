"""Which pictures of one's own folder belong to which masks: by folders and names, by a table, or as nnU-Net has them.

No torch here, and no picture is read.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quantunet import scan_files
from quantunet.documents import Fields, read_json
from quantunet.errors import FileFormatError, StorageError
from quantunet.model import picture_folder
from quantunet.model.classes import SEPARATOR, parse_classes

TABLE = "cases.csv"
NNUNET = "dataset.json"
_SPLITS = "splits_final.json"
_IMAGES, _MASKS = "images", ("masks", "labels")
_PATTERNS = ("{}", "{}_mask", "{}_seg", "{}_segmentation", "{}_label", "mask_{}")
_NEEDED, _OPTIONAL = ("image", "mask"), ("name", "label", "group", "fold")
_CHANNEL = "_0000"
_MAX_FOLD = 1000


@dataclass(frozen=True)
class Pair:
    """A picture, or a scan of several planes, with its mask.

    Attributes:
        name: How the data set calls it.
        image: Its file.
        mask: That of its mask.
        label: Class or kind; empty where nobody says.
        group: What stays on one side of a split; None where nobody says.
        fold: Of a cross-validation, from 0; None where nobody says.
    """

    name: str
    image: Path
    mask: Path
    label: str = ""
    group: str | None = None
    fold: int | None = None


@dataclass(frozen=True)
class Layout:
    """What was found.

    Attributes:
        kind: What the folder was taken for, in words.
        pairs: In the natural order of their names.
        foreground: The value of masks that is foreground; None where it is the greater of two.
        classes: Names of the classes that masks hold, in the order of their values; empty where nobody says them.
    """

    kind: str
    pairs: tuple[Pair, ...]
    foreground: int | None = None
    classes: tuple[str, ...] = ()


def find(source: Path) -> Layout:
    """Find the pairs of a folder, or of a table.

    Args:
        source: A ``.csv`` file, or a folder with ``cases.csv``, with ``dataset.json``, or with ``images`` and
            ``masks``.

    Raises:
        StorageError: A file or folder cannot be read.
        FileFormatError: It is laid out otherwise, or a picture has no mask or two.
    """
    if source.is_file():
        return _table(source)
    picture_folder.files_of(source, "pictures and masks")
    if (source / TABLE).is_file():
        return _table(source / TABLE)
    if (source / NNUNET).is_file():
        return _nnunet(source)
    return _folders(source)


def is_own(source: Path) -> bool:
    """Whether a path is such a table or folder, and no ``.npz`` or unpacked BUSI set."""
    return (source.is_file() and source.suffix.lower() == ".csv") or (
        source.is_dir() and any((source / name).exists() for name in (TABLE, NNUNET, _IMAGES))
    )


def _ordered(pairs: Sequence[Pair], where: Path) -> tuple[Pair, ...]:
    """Sort pairs by their names, of which none may be there twice."""
    found = sorted(pairs, key=lambda pair: picture_folder.natural(pair.name))
    for one, other in zip(found, found[1:], strict=False):
        if one.name == other.name:
            raise FileFormatError(
                str(where), expected="every name once", got=f"{one.image} and {other.image}", hint="Rename one of them."
            )
    return tuple(found)


def _folders(folder: Path) -> Layout:
    images = folder / _IMAGES
    found = [folder / name for name in _MASKS if (folder / name).is_dir()]
    if not images.is_dir() or len(found) != 1:
        raise FileFormatError(
            str(folder),
            expected=f"{TABLE}; or {NNUNET} (nnU-Net); or the folder {_IMAGES} and one of {' and '.join(_MASKS)}",
            got=", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "an empty folder",
        )
    masks = {_below(path, found[0]): path for path in _taken(found[0])}
    pairs: list[Pair] = []
    for image in _taken(images):
        name = _below(image, images)
        place, _, stem = name.rpartition("/")
        wanted = [f"{place}/{each.format(stem)}".lstrip("/") for each in _PATTERNS]
        there = [masks[each] for each in wanted if each in masks]
        if len(there) != 1:
            if not there:
                raise picture_folder.no_mask(image, f"{found[0].name}/{wanted[0]} or {found[0].name}/{wanted[1]}, …")
            raise FileFormatError(
                str(image), expected="one mask", got=" and ".join(each.name for each in there), hint="Move one away."
            )
        pairs.append(Pair(name, image, there[0]))
    if not pairs:
        raise FileFormatError(str(images), expected="pictures", got="none")
    left = set(masks.values()) - {pair.mask for pair in pairs}
    picture_folder.warn_of_others(folder, left, len(masks), "those in images/")
    return Layout(f"{_IMAGES}/ and {found[0].name}/", _ordered(pairs, folder))


def _taken(folder: Path) -> list[Path]:
    return [path for path in picture_folder.files_of(folder, "pictures") if scan_files.is_taken(path)]


def _below(path: Path, folder: Path) -> str:
    return (path.relative_to(folder).parent / scan_files.stem(path)).as_posix()


def _table(path: Path) -> Layout:
    pairs = []
    for number, row in _rows(path):
        where = f"{path}, line {number}"
        image, mask = (_file(path, row[key], key, where) for key in _NEEDED)
        fold = row.get("fold") or None
        if fold is not None and not (fold.isascii() and fold.isdigit() and int(fold) < _MAX_FOLD):
            raise FileFormatError(where, expected=f"a fold from 0 to {_MAX_FOLD - 1}", got=repr(fold))
        name = row.get("name") or Path(row["image"]).with_name(scan_files.stem(image)).as_posix()
        pairs.append(
            Pair(
                name, image, mask, row.get("label") or "", row.get("group") or None, None if fold is None else int(fold)
            )
        )
    _all_or_none(path, "group", [pair.group is not None for pair in pairs])
    _all_or_none(path, "fold", [pair.fold is not None for pair in pairs])
    return Layout(f"the table {path.name}", _ordered(pairs, path))


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of the table, with the numbers of their lines and without blanks around the values."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = list(reader.fieldnames or ())
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise FileFormatError(str(path), expected="a CSV file in UTF-8", got=str(error)) from error
    known = (*_NEEDED, *_OPTIONAL)
    if not set(_NEEDED) <= set(names) or len(set(names)) < len(names) or not set(names) <= set(known):
        raise FileFormatError(
            str(path),
            expected=f"the columns {', '.join(_NEEDED)}, and of {', '.join(_OPTIONAL)} those that are known",
            got=", ".join(names) or "no line",
            hint="Files are named from the folder of the table.",
        )
    for number, row in rows:
        if None in row or None in row.values():
            raise FileFormatError(f"{path}, line {number}", expected=f"{len(names)} values", got="more or fewer")
    if not rows:
        raise FileFormatError(str(path), expected="a line for each picture", got="none")
    return [(number, {key: value.strip() for key, value in row.items()}) for number, row in rows]


def _file(table: Path, text: str, key: str, where: str) -> Path:
    path = table.parent / text
    if not text or not path.is_file():
        raise FileFormatError(where, expected=f"the file of the {key}, from the folder of the table", got=repr(text))
    return path


def _all_or_none(path: Path, column: str, said: Sequence[bool]) -> None:
    if any(said) and not all(said):
        line = said.index(False)
        raise FileFormatError(
            str(path), expected=f"a {column} in every line, or in none", got=f"none for picture {line + 1}"
        )


def _nnunet(folder: Path) -> Layout:
    path = folder / NNUNET
    fields = Fields(read_json(path, "the dataset.json of nnU-Net"), str(path))
    labels = fields.table("labels")
    names = {labels.whole(key, 0, 255): key for key in labels} if "background" in labels else _by_number(labels)
    classes = _classes(names, f"{path}, key 'labels'")
    ending = fields.text("file_ending") if "file_ending" in fields else ".nii.gz"
    images = sorted((folder / "imagesTr").glob(f"*{ending}"))
    pairs = []
    folds = _folds(folder / _SPLITS)
    for image in images:
        name = image.name.removesuffix(ending)
        if not name.endswith(_CHANNEL):
            raise FileFormatError(
                str(image),
                expected=f"pictures of one file each, NAME{_CHANNEL}{ending}",
                got=image.name,
                hint="Networks are trained on one channel.",
            )
        name = name.removesuffix(_CHANNEL)
        mask = folder / "labelsTr" / f"{name}{ending}"
        if not mask.is_file():
            raise picture_folder.no_mask(image, f"labelsTr/{mask.name}")
        if folds is not None and name not in folds:
            raise FileFormatError(str(folder / _SPLITS), expected=f"{name} in the val of one split", got="none")
        pairs.append(Pair(name, image, mask, fold=None if folds is None else folds[name]))
    if not pairs:
        raise FileFormatError(str(folder / "imagesTr"), expected=f"files *{_CHANNEL}{ending}", got="none")
    return Layout("an nnU-Net folder", _ordered(pairs, folder), None if classes else 1, classes)


def _classes(names: Mapping[int, str], where: str) -> tuple[str, ...]:
    """Names of several classes; empty for the background and one class."""
    numbers = sorted(names)
    told = tuple(names[number] for number in numbers)
    if numbers != list(range(len(numbers))) or len(numbers) < 2 or "ignore" in map(str.lower, told):
        raise FileFormatError(
            where,
            expected="the background 0, and classes from 1 on without a gap",
            got=", ".join(f"{names[number]} {number}" for number in numbers) or "none",
            hint="Regions and the label 'ignore' are not trained on.",
        )
    for name in told:
        if SEPARATOR in name:
            raise FileFormatError(where, expected=f"names without '{SEPARATOR}'", got=repr(name))
    return () if len(told) == 2 else parse_classes(SEPARATOR.join(told), where)


def _by_number(labels: Fields) -> Mapping[int, str]:
    """Labels as nnU-Net's first version has them: names by numbers."""
    found = {}
    for key in labels:
        name = labels.text(key)
        if not (key.isascii() and key.isdigit() and len(key) < 4):
            labels.fail(key, "a label's number", key)
        found[int(key)] = name
    return found


def _folds(path: Path) -> dict[str, int] | None:
    """The fold in whose validation part each case is."""
    if not path.is_file():
        return None
    content = read_json(path, "the splits of nnU-Net")
    if not isinstance(content, list) or len(content) < 2:
        raise FileFormatError(str(path), expected="a list of two or more splits", got=type(content).__name__)
    found: dict[str, int] = {}
    for index, each in enumerate(content):
        for name in Fields(each, str(path), f"[{index}]").texts("val"):
            if name in found:
                raise FileFormatError(
                    str(path), expected="every case in the val of one split", got=f"{name} in {found[name]} and {index}"
                )
            found[name] = index
    return found
