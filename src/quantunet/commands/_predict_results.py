"""What ``quantunet predict`` writes of a file: masks, maps, areas, and a record of what they were made of."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import numpy.typing as npt

from quantunet import result_folder, storage
from quantunet.documents import Fields, read_json
from quantunet.errors import FileFormatError, QuantUNetError
from quantunet.provenance import file_digest

MASKS, PROBABILITIES, OVERLAYS, RECORDS = "masks", "probabilities", "overlays", "records"
AREAS, REPORT = "areas.csv", "report.json"

_COLUMNS = ("file", "plane", "class", "name", "pixels", "share", "height", "width", "row_mm", "column_mm", "area_mm2")
_WHAT = "a record of `quantunet predict`"

Row = tuple[str, ...]
"""One line of the table of areas, in the order of its columns."""


@dataclass(frozen=True)
class Record:
    """What was made of one file.

    Attributes:
        source: SHA-256 of the file.
        task: Digest of the network and of all options that its results depend on.
        outputs: SHA-256 of each result, by its path below the folder of all results.
        rows: Its lines of the table of areas.
    """

    source: str
    task: str
    outputs: Mapping[str, str]
    rows: tuple[Row, ...]


def record_path(out: Path, name: PurePosixPath) -> Path:
    """Return the file of a record."""
    return _join(out, RECORDS, name, ".json")


def result_path(out: Path, kind: str, name: PurePosixPath, suffix: str) -> Path:
    """Return the file of a result.

    Args:
        out: Folder of all results.
        kind: One of :data:`MASKS`, :data:`PROBABILITIES` and :data:`OVERLAYS`.
        name: Of the job.
        suffix: What is behind the name.
    """
    return _join(out, kind, name, suffix)


def _join(out: Path, kind: str, name: PurePosixPath, suffix: str) -> Path:
    return out / kind / name.parent / f"{name.name}{suffix}"


def read_record(out: Path, name: PurePosixPath) -> Record | None:
    """Read the record of an earlier run; None where there is none, or it is damaged."""
    path = record_path(out, name)
    if not path.is_file():
        return None
    try:
        fields = Fields(read_json(path, _WHAT), str(path), what=_WHAT)
        outputs = fields.table("outputs")
        found = Record(
            fields.text("source"),
            fields.text("task"),
            {key: outputs.text(key) for key in outputs},
            tuple(_row(row, str(path)) for row in fields.items("rows")),
        )
        fields.finish()
    except QuantUNetError:
        return None
    kinds = (MASKS, PROBABILITIES, OVERLAYS)
    paths = [PureWindowsPath(key).parts for key in found.outputs]  # whose rules see every way out of the folder
    return found if all(parts and parts[0] in kinds and ".." not in parts for parts in paths) else None


def _row(row: object, where: str) -> Row:
    if not isinstance(row, list) or len(row) != len(_COLUMNS) or not all(isinstance(cell, str) for cell in row):
        raise FileFormatError(where, expected="a line of areas", got=str(row))
    return tuple(row)


def is_done(out: Path, record: Record | None, source: str, task: str) -> bool:
    """Whether a file was segmented in the same way, and all its results are there as they were written.

    Args:
        out: Folder of all results.
        record: Of the earlier run.
        source: SHA-256 of the file as it is now.
        task: What is to be done with it.
    """
    if record is None or (record.source, record.task) != (source, task):
        return False
    try:
        return all(file_digest(out / path) == digest for path, digest in record.outputs.items())
    except QuantUNetError:
        return False


def forget(out: Path, name: PurePosixPath, record: Record | None) -> None:
    """Remove what an earlier run has made of a file.

    Raises:
        StorageError: A file cannot be removed.
    """
    result_folder.remove(record_path(out, name), *(out / path for path in (record.outputs if record else ())))


def write_record(out: Path, name: PurePosixPath, record: Record) -> None:
    """Write the record of a file whose results are there.

    Raises:
        StorageError: It cannot be written.
    """
    document = {
        "source": record.source,
        "task": record.task,
        "outputs": dict(record.outputs),
        "rows": [list(row) for row in record.rows],
    }
    storage.write_text(record_path(out, name), json.dumps(document, indent=1) + "\n")


def area_rows(
    file: str,
    classes: npt.NDArray[np.uint8],
    count: int,
    names: Sequence[str],
    spacing: tuple[Fraction, Fraction] | None,
) -> list[Row]:
    """Return the area of every class but the background, in each plane.

    Args:
        file: Name of the file.
        classes: ``(planes, height, width)``.
        count: How many classes.
        names: What they are called; empty where nobody says it.
        spacing: Height and width of a pixel in mm; None where they are unknown.
    """
    height, width = classes.shape[1:]
    rows: list[Row] = []
    for index, plane in enumerate(classes):
        pixels = np.bincount(plane.reshape(-1), minlength=count)
        for each in range(1, count):
            covered = int(pixels[each])
            sides = ("", "", "")
            if spacing is not None:
                sides = tuple(_decimal(value) for value in (*spacing, covered * spacing[0] * spacing[1]))  # type: ignore[assignment]
            share = _decimal(Fraction(covered, plane.size))
            name = names[each] if names else ""
            rows.append((file, str(index), str(each), name, str(covered), share, str(height), str(width), *sides))
    return rows


def _decimal(value: Fraction) -> str:
    return f"{float(value):.6f}"


def write_areas(out: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write the table of areas.

    Raises:
        StorageError: It cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows(rows)
    storage.write_text(out / AREAS, text.getvalue())
