"""Which frames does a cheap network hand on to a dearer one, what does that save, and what does it lose?

Every frame costs the cheap network; those that a decider chooses cost the dear one as well. A decider sees what the
cheap network says of the frame and nothing else. Its threshold is set on the validation part: as few frames as possible
with a Dice of at most :data:`ALLOWED` below that of the dear network alone. Then it is applied to the test part.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.science_text import NOTHING, table
from quantunet.errors import FileFormatError, StorageError
from quantunet.model.group_bootstrap import mean_difference

FRAMES = "frames.csv"

ALLOWED = 0.005
"""Of Dice: what the frames together may lose."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """An image, and what two networks say of it.

    Attributes:
        data: Data set.
        cheap: Name of the cheap network.
        full: Name of the dear one.
        sample: Seed and fold of the trainings.
        part: ``val`` or ``test``.
        image: Number of the image.
        group: Its patient, or near duplicates.
        lesion: Whether there is one, 1 or 0.
        cheap_dice: Of the cheap network; 0 without a lesion.
        full_dice: Of the dear one.
        area: Pixels of the cheap network's mask.
        full_area: Pixels of the dear one's.
        uncertain: Pixels whose cheap logit lies between -1 and 1.
        cheap_cost: Σ MAC·bits·bits of the cheap network.
        full_cost: Of the dear one.
    """

    data: str
    cheap: str
    full: str
    sample: str
    part: str
    image: int
    group: int
    lesion: int
    cheap_dice: float
    full_dice: float
    area: int
    full_area: int
    uncertain: int
    cheap_cost: float
    full_cost: float


_FIELDS = {field.name: {"str": str, "int": int, "float": float}[str(field.type)] for field in dataclasses.fields(Frame)}


def write(frames: Iterable[Frame]) -> str:
    """The text of the file that keeps them."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_FIELDS)
    for frame in frames:
        values = (getattr(frame, name) for name in _FIELDS)
        rows.writerow([f"{value:.10g}" if isinstance(value, float) else value for value in values])
    return text.getvalue()


def read(path: Path) -> list[Frame]:
    """Read them; none where there is no file.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is no such file.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(str(path), expected="a readable CSV file", got=str(error)) from error
    try:
        found: list[dict[str, Any]] = [{name: kind(row[name]) for name, kind in _FIELDS.items()} for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(str(path), expected="frames, as precision_frames writes them", got=str(error)) from error
    return [Frame(**each) for each in found]


DECIDERS: dict[str, Callable[[Frame], float]] = {
    "an empty mask": lambda frame: float(frame.area == 0),
    "a small mask": lambda frame: -float(frame.area),
    "an uncertain edge": lambda frame: frame.uncertain / max(frame.area, 1),
}
"""How much a frame calls for the dear network, by what the cheap one says of it."""


@dataclass(frozen=True)
class Decision:
    """A decider with its threshold, on the test part.

    Attributes:
        share: Of the frames that the dear network sees too.
        loss: Dice of the dear network alone minus that of the frames together.
        saving: Cost of the dear network alone over that of the frames together.
        chosen: ``(n,)`` bool.
    """

    share: float
    loss: float
    saving: float
    chosen: NDArray[np.bool_]


def threshold(score: Values, cheap: Values, full: Values, lesion: NDArray[np.bool_], allowed: float = ALLOWED) -> float:
    """The greatest threshold at which frames that reach it are enough; infinite where none is needed.

    Example:
        >>> cheap, full, lesion = np.array([0.1, 0.7, 0.8]), np.array([0.9, 0.8, 0.8]), np.ones(3, bool)
        >>> threshold(np.array([3.0, 2.0, 1.0]), cheap, full, lesion, allowed=0.05)
        3.0
        >>> threshold(np.array([3.0, 2.0, 1.0]), cheap, full, lesion, allowed=0.5)
        inf
    """
    for bound in (np.inf, *np.unique(score)[::-1].tolist()):
        if mixed_loss(score >= bound, cheap, full, lesion) <= allowed:
            return float(bound)
    return -np.inf


def mixed_loss(chosen: NDArray[np.bool_], cheap: Values, full: Values, lesion: NDArray[np.bool_]) -> float:
    """Mean Dice over the lesion images of the dear network minus that of the frames together."""
    return float((full - np.where(chosen, full, cheap))[lesion].mean())


def saving(share: float, cheap_cost: float, full_cost: float) -> float:
    """How many times cheaper the frames together are than the dear network alone.

    >>> saving(0.25, 1.0, 2.0)
    1.3333333333333333
    """
    return full_cost / (cheap_cost + share * full_cost)


def decide(frames: Sequence[Frame], score: Callable[[Frame], float]) -> Decision:
    """Set a threshold on the validation part and apply it to the test part."""
    val, test = (_columns([f for f in frames if f.part == part], score) for part in ("val", "test"))
    chosen = test.score >= threshold(val.score, val.cheap, val.full, val.lesion)
    return _decision(chosen, test, frames)


@dataclass(frozen=True)
class _Columns:
    score: Values
    cheap: Values
    full: Values
    lesion: NDArray[np.bool_]


def _columns(frames: Sequence[Frame], score: Callable[[Frame], float]) -> _Columns:
    return _Columns(
        np.array([score(f) for f in frames]),
        np.array([f.cheap_dice for f in frames]),
        np.array([f.full_dice for f in frames]),
        np.array([bool(f.lesion) for f in frames]),
    )


def _decision(chosen: NDArray[np.bool_], test: _Columns, frames: Sequence[Frame]) -> Decision:
    costs = [float(np.mean([getattr(f, name) for f in frames])) for name in ("cheap_cost", "full_cost")]
    share = float(chosen.mean())
    return Decision(share, mixed_loss(chosen, test.cheap, test.full, test.lesion), saving(share, *costs), chosen)


def report(frames: Sequence[Frame]) -> str:
    """A row for each pair of networks and decider, and for the two ends: the cheap network alone, the best choice."""
    rows: list[list[object]] = []
    key: Callable[[Frame], tuple[str, str, str]] = lambda f: (f.data, f.cheap, f.full)  # noqa: E731
    for (data, cheap, full), group in itertools.groupby(sorted(frames, key=key), key=key):
        these = list(group)
        test = [frame for frame in these if frame.part == "test"]
        columns = _columns(test, lambda frame: 0.0)
        gain = np.where(columns.lesion, columns.full - columns.cheap, -np.inf)
        everything = {
            "none: the cheap network alone": _decision(np.zeros(len(test), np.bool_), columns, these),
            **{name: decide(these, score) for name, score in DECIDERS.items()},
            "the best choice, by the answer": _decision(
                gain >= threshold(gain, columns.cheap, columns.full, columns.lesion), columns, these
            ),
        }
        for name, found in everything.items():
            mixed = np.where(found.chosen, columns.full, columns.cheap)
            lost = mean_difference(
                columns.full[columns.lesion], mixed[columns.lesion],
                np.array([frame.group for frame in test])[columns.lesion],
            )  # fmt: skip
            rows.append(
                [data, cheap, full, name, len(test), f"{100 * found.share:.0f} %", f"{lost.first:.4f}",
                 f"{lost.second:.4f}", f"{lost.difference:+.4f} ({lost.low:+.4f} to {lost.high:+.4f})",
                 _marked(test, found.chosen), f"{found.saving:.2f}"]
            )  # fmt: skip
    head = ("data", "cheap", "dear", "decider", "images", "seen twice", "Dice, dear", "Dice, together", "lost")
    return table((*head, "normal images marked, dear and together", "times cheaper"), rows)


def _marked(test: Sequence[Frame], chosen: NDArray[np.bool_]) -> str:
    pairs = [
        (f.full_area > 0, (f.full_area if c else f.area) > 0) for f, c in zip(test, chosen, strict=True) if not f.lesion
    ]
    if not pairs:
        return NOTHING
    full, mixed = (100 * float(np.mean(values)) for values in zip(*pairs, strict=True))
    return f"{full:.0f} % → {mixed:.0f} %"
