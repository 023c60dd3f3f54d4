"""The results of a sweep as two CSV files that are kept: a row for each training, and its widths after each epoch."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from quantunet import storage
from quantunet.errors import FileFormatError, StorageError
from quantunet.model.settings import settings, values_of
from quantunet.model.sweep import RANGES, Job

RUNS = "runs.csv"
WIDTHS = "widths.csv"

_SCORES = (
    "dice",
    "iou",
    "accuracy",
    "background_accuracy",
    "clean_normals",
    "false_positive_area",
    "marked_normals",
    "lesions_missed",
    "hd95",
)

Row = dict[str, Any]


def run_row(job: Job, card: Mapping[str, Any]) -> Row:
    """The row of a training in :data:`RUNS`.

    Args:
        job: The training.
        card: Its card; ``start_*`` are the scores of its warm start, ``final_*`` those of its last network.
    """
    config = job.config
    row: Row = {
        "name": job.name,
        "data": card["data"]["source"],
        "preset": config.preset,
        "split_by": config.split_by,
        "seed": config.seed,
        "bits": config.bits,
        "descent_epochs": config.descent_epochs,
    }
    values, fields = values_of(config), settings(type(config))
    for name in (*settings(type(config.loss)), *RANGES):
        value, setting = values[name], fields[name]
        row[setting.spelled] = value if value is not None and setting.has_meaning(config.bits) else ""
    row["changes"] = " ".join(f"{name}={value}" for name, value in job.changes.items())
    final = card["scores"].get("quantised") or card["scores"]["control"]
    for prefix, scores in (("start", card["scores"]["float"]), ("final", final)):
        for part in ("val", "test"):
            row |= {f"{prefix}_{part}_{key}": _text(scores[part][key]) for key in _SCORES}
    for part in ("test_grouped", "test_single"):
        row |= {f"final_{part}_{key}": _text(final.get(part, {}).get(key)) for key in ("dice", "lesion_images")}
    quantised = "bits" in card
    for key in ("layers", "parameters", "macs"):
        row[f"mean_bits_{key}"] = card["bits"]["mean"][key] if quantised else 32
    row["mean_weight"] = card["bits"]["mean_weight"] if quantised else 32
    row["mean_activation"] = card["bits"]["mean_activation"] if quantised else 32
    row["mac_bits"] = card["bits"]["mac_bits"] if quantised else ""
    row["packed_bytes"] = card["size"]["packed_bytes"] if quantised else ""
    row["ratio"] = card["size"]["ratio"] if quantised else 1
    training = card["training"]
    return row | {
        "hours": training["hours"],
        "precision": training["precision"],
        "signatures": "; ".join(training["signatures"]),
        "commit": card.get("provenance", {}).get("commit") or "",
    }


def width_rows(job: Job, history: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows of a training in :data:`WIDTHS`: one for each epoch with learned widths, ``weight/activation``."""
    if job.config.bits != "learned":
        return []
    rows = []
    for entry in history:
        if entry["phase"] == "qat":
            layers = [key.removesuffix(".weight") for key in entry if key.endswith(".weight")]
            row: Row = {"name": job.name, "epoch": entry["epoch"], "val_dice": round(entry["val_dice"], 4)}
            row |= {layer: f"{entry[f'{layer}.weight']}/{entry[f'{layer}.activation']}" for layer in layers}
            rows.append(row)
    return rows


def split_widths(row: Row) -> dict[str, tuple[int, int]]:
    """Weight and activation width of each layer in a row of :data:`WIDTHS`."""
    cells = {key: text.split("/") for key, text in row.items() if text and "/" in text and key != "name"}
    return {layer: (int(weight), int(activation)) for layer, (weight, activation) in cells.items()}


def read_rows(path: Path) -> list[Row]:
    """The rows of a results file, as text; none where there is no file.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(str(path), expected="a readable CSV file", got=str(error)) from error
    rows: list[Row] = list(csv.DictReader(io.StringIO(text, newline="")))
    if not rows or any(not row.get("name") for row in rows):
        raise FileFormatError(str(path), expected="rows with a name", got="others", hint="Delete or restore the file.")
    return rows


def add(folder: Path, job: Job, result: Path) -> Row:
    """Put a finished training into the results, in the place of an earlier one of that name.

    Returns:
        Its row in :data:`RUNS`.

    Raises:
        StorageError: A file cannot be read or written.
    """
    document = json.loads(result.read_text(encoding="utf-8"))
    row = run_row(job, document["card"])
    for name, rows in ((RUNS, [row]), (WIDTHS, width_rows(job, document["history"]))):
        kept = [row for row in read_rows(folder / name) if row["name"] != job.name]
        if kept or rows:
            _write(folder / name, sorted(kept + rows, key=lambda row: (row["name"], int(row.get("epoch", 0)))))
    return row


def _write(path: Path, rows: list[Row]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    storage.write_text(path, text.getvalue())


def _text(value: float | None) -> float | str:
    return "" if value is None else value
