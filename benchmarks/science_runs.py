"""The trainings that docs/science.md is about, as tables and charts need them: the rows of ``runs.csv``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quantunet.errors import FileFormatError
from quantunet.model import results
from quantunet.model.config import TrainConfig

Part = Literal["val", "test"]

BUSI = ("busi_128.npz", "group", "wearable")
"""The place of the studies of λ and of leaks: see ``Run.place``."""

_FRACTIONS = {"val": TrainConfig.val_fraction, "test": TrainConfig.test_fraction}

FOLDS = {"busbra_128.npz": 4}
"""How many folds a data set has, where its makers have drawn some."""


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
    def test_per_train(self) -> float:
        """Images of the test part, or of the validation part, which is as large, over those of the training part.

        They are those of the split's fractions, which are shares of the groups; of a fold, its share of all groups.
        """
        val, test = (float(self._changed.get(f"{part}_fraction", default)) for part, default in _FRACTIONS.items())
        if self.fold is not None:
            test = 1 / FOLDS[self.data]
            val *= 1 - test  # drawn from the other folds
        return max(val, test) / (1 - val - test)

    @property
    def _changed(self) -> dict[str, str]:
        return dict(change.split("=", 1) for change in self.changes.split() if "=" in change)

    @property
    def fold(self) -> int | None:
        """The fold that was the test part; None where the test part was drawn."""
        text = self._changed.get("fold")
        return None if text is None else int(text)

    @property
    def sample(self) -> tuple[int, int | None]:
        """Seed and fold: what two runs have in common whose difference is taken."""
        return self.seed, self.fold

    @property
    def uniform(self) -> bool:
        """Whether every width is the same, from the beginning and with the usual loss."""
        return self.method == f"uniform{self.bits}"

    @property
    def place(self) -> tuple[str, str, str]:
        """Data set and settings, split and shape of the network: what runs that are compared have in common.

        The folds of one data set are one place, as its seeds are.
        """
        return f"{self.data}, {self.settings}" if self.settings else self.data, self.split_by, self.preset

    @property
    def settings(self) -> str:
        """Other settings than usual, but for the fold."""
        return " ".join(change for change in self.changes.split() if not change.startswith("fold="))


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


def of(runs: Iterable[Run], key: str) -> list[float]:
    """A column, without the runs that have nothing in it."""
    return [run.values[key] for run in runs if key in run.values]


def warm_starts(runs: Iterable[Run]) -> list[Run]:
    """The float networks that runs began with, as runs of their own: method ``start``.

    One a seed or fold: where it was trained again later, in another arithmetic, the first one counts.
    """
    found: dict[tuple[int, int | None], Run] = {}
    for run in runs:
        scores = {key: value for key, value in run.values.items() if key.startswith("start_")}
        if scores:
            values = {key.replace("start_", "final_", 1): value for key, value in scores.items()}
            values |= {"mean_bits_layers": 32.0, "ratio": 1.0}
            start = dataclasses.replace(run, method="start", bits="float", values=values, signatures="")
            found.setdefault(run.sample, start)
    return sorted(found.values(), key=_order)


def _order(run: Run) -> tuple[int, int]:
    return run.seed, run.fold or 0


def by_method(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs of every method, one a seed or fold, in the order of the tables."""
    groups: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.bits, run.factor, run.weighting, run.method, *_order(run))):
        groups.setdefault(run.method, []).append(run)
    return groups


def by_place(runs: Iterable[Run]) -> dict[tuple[str, str, str], list[Run]]:
    """The runs of every data set, split and shape: see ``Run.place``."""
    places: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        places.setdefault(run.place, []).append(run)
    return places


def places_with_uniform(runs: Iterable[Run]) -> dict[tuple[str, str, str], list[Run]]:
    """Those where learned widths can be compared with uniform ones."""
    return {place: here for place, here in by_place(runs).items() if any(run.bits.isdigit() for run in here)}
