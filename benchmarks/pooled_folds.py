"""The folds of a cross-validation put together: every image scored once, intervals over patients.

The scores are kept in ``patients.csv``. One row of the file is one image; each network has three columns in it, with
the scores that the image has from the training that has not seen its fold. What is compared is compared image by image,
and intervals draw whole patients: :mod:`quantunet.model.group_bootstrap`.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.science_compare import FAILED_SHARE, at_cost
from benchmarks.science_runs import Run, of
from benchmarks.science_text import NOTHING, table, widths_of
from quantunet.errors import FileFormatError, StorageError
from quantunet.model.group_bootstrap import MeanDifference, bootstrap_interval, mean_difference
from quantunet.model.metrics import ImageScores

PATIENTS = "patients.csv"

SCORES = ("dice", "iou", "hd95", "marked")
"""Of each image and network; empty in the file and nan here where an image has none. ``marked`` is 1 where the mask is
not empty."""

_OF_IMAGE = ("image", "group", "label", "fold")

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pooled:
    """The images of a data set with folds, and what networks scored on them.

    Attributes:
        group: ``(n,)`` the patient of each image.
        label: ``(n,)`` what each shows; empty where nothing is said.
        fold: ``(n,)`` the fold of each; 0 where there are none.
        scores: For each network, by :func:`network_of`, ``(n,)`` of each of :data:`SCORES`; nan where the fold of an
            image has not been trained.
    """

    group: NDArray[np.int64]
    label: NDArray[np.str_]
    fold: NDArray[np.int64]
    scores: dict[str, dict[str, Values]]

    def folds_of(self, network: str) -> list[int]:
        """The folds that have been trained."""
        return [int(each) for each in np.unique(self.fold[~np.isnan(self.scores[network]["marked"])])]


def network_of(run: Run) -> str:
    """What the trainings of one network have in common, whichever fold they are of: shape, settings, widths."""
    return " ".join(filter(None, [run.preset, run.settings, run.method]))


def write(pooled: Pooled) -> str:
    """The file's text."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*_OF_IMAGE, *(f"{network} {name}" for network in pooled.scores for name in SCORES)])
    for at, of_image in enumerate(zip(pooled.group.tolist(), pooled.label.tolist(), pooled.fold.tolist(), strict=True)):
        cells = (scores[name][at] for scores in pooled.scores.values() for name in SCORES)
        rows.writerow([at, *of_image, *("" if math.isnan(cell) else f"{cell:.5g}" for cell in cells)])
    return text.getvalue()


def read(path: Path) -> Pooled | None:
    """Read the file; None where there is none.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(str(path), expected="a readable CSV file", got=str(error)) from error
    try:
        head, *rows = csv.reader(io.StringIO(text, newline=""))
        columns = dict(zip(head, zip(*rows, strict=True), strict=True))
        names = [column.removesuffix(f" {SCORES[0]}") for column in head if column.endswith(f" {SCORES[0]}")]
        return Pooled(
            np.array(columns["group"], np.int64),
            np.array(columns["label"], np.str_),
            np.array(columns["fold"], np.int64),
            {name: {score: _numbers(columns[f"{name} {score}"]) for score in SCORES} for name in names},
        )
    except (KeyError, ValueError) as error:
        raise FileFormatError(
            str(path), expected="scores of images, as cross_validation writes", got=str(error)
        ) from error


def _numbers(cells: Sequence[str]) -> Values:
    return np.array([float(cell or "nan") for cell in cells])


def compare(pooled: Pooled, one: str, other: str) -> MeanDifference:
    """The difference of Dice of two networks, on the images of the folds that both have been trained on."""
    return _difference(pooled, pooled.scores[one]["dice"], pooled.scores[other]["dice"])


def at_equal_size(pooled: Pooled, runs: Iterable[Run], one: str) -> MeanDifference | None:
    """Dice of a network minus that of uniform ones of the same packed size, image by image.

    The uniform Dice of each image is on the line between the two uniform networks whose sizes lie around this one's:
    :func:`~benchmarks.science_compare.at_cost`. None where there are no two such that have not failed.

    Args:
        pooled: The scores.
        runs: The trainings, which say how large a network is.
        one: The network.
    """
    trained = trainings(runs)
    place = trained[one][0].place
    curve = [
        (_size(group), pooled.scores[network]["dice"])
        for network, group in trained.items()
        if network in pooled.scores and group[0].uniform and group[0].place == place and _works(pooled, group[0])
    ]
    between = at_cost(curve, _size(trained[one]))
    return None if between is None else _difference(pooled, pooled.scores[one]["dice"], between)


def _difference(pooled: Pooled, first: Values, second: Values) -> MeanDifference:
    both = ~(np.isnan(first) | np.isnan(second))
    return mean_difference(first[both], second[both], pooled.group[both])


def trainings(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The trainings of each network that are folds, in the order of the tables."""
    found: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.preset, run.place, run.bits, run.factor, run.method, run.fold or 0)):
        if run.fold is not None:
            found.setdefault(network_of(run), []).append(run)
    return found


def control_of(run: Run) -> str:
    """The float control of a training."""
    return network_of(run).removesuffix(run.method) + "float"


def _size(group: Sequence[Run]) -> float:
    return float(np.mean(of(group, "packed_bytes")))


def _works(pooled: Pooled, run: Run) -> bool:
    """Whether a network has not failed: see :data:`~benchmarks.science_compare.FAILED_SHARE`."""
    scores = [pooled.scores.get(network) for network in (network_of(run), control_of(run))]
    if scores[0] is None or scores[1] is None:
        return False
    return _mean(scores[0]["dice"]) >= FAILED_SHARE * _mean(scores[1]["dice"])


def report(pooled: Pooled, runs: Sequence[Run]) -> str:
    """The table of a cross-validation, in Markdown: a row for each network."""
    labels = [str(label) for label in np.unique(pooled.label) if label]
    rows: list[list[object]] = []
    for network, group in trainings(runs).items():
        if network not in pooled.scores:
            continue
        scores = pooled.scores[network]
        known = ~np.isnan(scores["dice"])
        low, high = bootstrap_interval(scores["dice"][known], pooled.group[known])
        control = control_of(group[0])
        against = compare(pooled, network, control) if control in pooled.scores and control != network else None
        equal = at_equal_size(pooled, runs, network) if group[0].bits == "learned" else None
        size = of(group, "packed_bytes")
        rows.append(
            [
                group[0].preset,
                group[0].settings or NOTHING,
                widths_of(group[0]),
                len(pooled.folds_of(network)),
                int(known.sum()),
                len(np.unique(pooled.group[known])),
                f"{_mean(scores['dice']):.4f} ({low:.4f} to {high:.4f})",
                *(f"{_mean(scores['dice'][pooled.label == label]):.4f}" for label in labels),
                f"{_mean(scores['iou']):.4f}",
                f"{_mean(scores['hd95']):.2f}",
                f"{np.mean(of(group, 'mean_bits_layers')):.2f}",
                f"{_size(group) / 1000:.0f}" if size else NOTHING,
                _text(against),
                _text(equal),
            ]
        )
    head = ("network", "settings", "widths", "folds", "images", "patients", "Dice", *(f"Dice, {one}" for one in labels))
    last = ("IoU", "HD95", "mean bits", "packed kB", "Dice minus control", "Dice minus uniform at equal packed size")
    return table((*head, *last), rows)


def _text(found: MeanDifference | None) -> str:
    return NOTHING if found is None else f"{found.difference:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def scores_of(each: ImageScores) -> dict[str, Values]:
    """The scores that are kept, of images that have been scored."""
    marked = (each.lesion & ~each.missed) | (each.false_positive > 0)
    return {"dice": each.dice, "iou": each.iou, "hd95": each.hd95, "marked": marked.astype(np.float64)}


def _mean(values: Values) -> float:
    """The mean of those that there are; nan where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def with_scores(pooled: Pooled, network: str, at: NDArray[np.int64], found: Mapping[str, Values]) -> None:
    """Put what a training scored on its fold into the scores of its network.

    Args:
        pooled: The scores; they are changed.
        network: The network.
        at: ``(m,)`` images of the fold.
        found: ``(m,)`` of each of :data:`SCORES`.
    """
    scores = pooled.scores.setdefault(network, {name: np.full(len(pooled.fold), np.nan) for name in SCORES})
    for name in SCORES:
        scores[name][at] = found[name]
