"""The trainings that docs/science.md is about, as tables and charts need them: the rows of ``runs.csv``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quantunet.errors import FileFormatError
from quantunet.model import results

Part = Literal["val", "test"]

BUSI = ("busi_128.npz", "group", "wearable")
"""The place of the studies of λ and of leaks: see ``Run.place``."""


@dataclass(frozen=True)
class Run:
    """A row of ``runs.csv``, as far as tables and charts need it.

    Attributes:
        name: Name of the training.
        data: Data set.
        preset: Shape of the network.
        split_by: ``group`` or ``image``.
        seed: Seed.
        method: Name of what followed the float phase.
        bits: ``learned``, ``float`` or a width.
        factor: λ; nan where no width was learned.
        weighting: Of the mean bit-width; empty where no width was learned.
        changes: Other settings than usual, or an empty text.
        values: Every column that is a number.
        signatures: Failure signatures, or an empty text.
        precision: What the convolutions were computed in while training.
    """

    name: str
    data: str
    preset: str
    split_by: str
    seed: int
    method: str
    bits: str
    factor: float
    weighting: str
    changes: str
    values: dict[str, float]
    signatures: str
    precision: str

    def dice(self, part: Part = "test") -> float:
        """Dice on the test or the validation part."""
        return self.values[f"final_{part}_dice"]

    @property
    def uniform(self) -> bool:
        """Whether every width is the same, from the beginning and with the usual loss."""
        return self.method == f"uniform{self.bits}"

    @property
    def place(self) -> tuple[str, str, str]:
        """Data set and settings, split and shape of the network: what runs that are compared have in common."""
        return f"{self.data}, {self.changes}" if self.changes else self.data, self.split_by, self.preset


def read_runs(path: Path) -> list[Run]:
    """Read ``runs.csv``.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It has no rows, or lacks a column.
    """
    rows = results.read_rows(path)
    if not rows:
        raise FileFormatError(str(path), expected="results of `quantunet sweep`", got="none")
    try:
        return [
            Run(
                name=row["name"],
                data=row["data"],
                preset=row["preset"],
                split_by=row["split_by"],
                seed=int(row["seed"]),
                method=row["name"].partition("/")[2],
                bits=row["bits"],
                factor=float(row["lambda"] or "nan"),
                weighting=row["weighting"],
                changes=row["changes"],
                values={key: float(text) for key, text in row.items() if _is_number(text)},
                signatures=row["signatures"],
                precision=row["precision"],
            )
            for row in rows
        ]
    except (KeyError, ValueError) as error:
        raise FileFormatError(str(path), expected="the columns of `quantunet sweep`", got=f"no {error}") from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def by_place(runs: Iterable[Run]) -> dict[tuple[str, str, str], list[Run]]:
    """The runs of every data set, split and shape: see ``Run.place``."""
    places: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        places.setdefault(run.place, []).append(run)
    return places


def places_with_uniform(runs: Iterable[Run]) -> dict[tuple[str, str, str], list[Run]]:
    """Those where learned widths can be compared with uniform ones."""
    return {place: here for place, here in by_place(runs).items() if any(run.bits.isdigit() for run in here)}
