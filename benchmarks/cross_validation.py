"""A cross-validation: every image is scored once, by the networks that have not seen its fold; intervals over patients.

``python -m benchmarks.cross_validation TRAININGS --data busbra_128.npz`` reads the folder of a sweep's trainings, one
of each method and fold (``quantunet sweep docs/science/sweep.toml --only patients --out TRAININGS``). The networks are
scored on the test part of their own training, which is their fold: integer networks by integer inference, float
controls by their ONNX file. Then the folds are put together, and each method is compared with the float control and,
where they were trained, with uniform widths, image by image.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.science_text import table
from quantunet import storage
from quantunet.documents import Fields, read_json
from quantunet.errors import DataSplitError, FileFormatError, QuantUNetError
from quantunet.model import data, evaluation, float_network
from quantunet.model.card_file import read_card
from quantunet.model.data import Samples
from quantunet.model.group_bootstrap import MeanDifference, bootstrap_interval, mean_difference
from quantunet.model.metrics import ImageScores, score_images
from quantunet.qonnx_import import load

logger = logging.getLogger(__name__)

CONTROL = "float"
"""The method of the float control, in the names of a sweep's trainings."""

_RESULT = "result.json"


@dataclass(frozen=True, eq=False)
class Fold:
    """One training, scored on its test part.

    Attributes:
        method: What followed its float phase.
        fold: The fold that was its test part.
        indices: ``(n,)`` the images of that part.
        each: Their scores.
        mean_bits: Mean width over the layers; 32 of a float network.
        packed_bytes: Weights and biases at their widths; None of a float network.
    """

    method: str
    fold: int
    indices: NDArray[np.int64]
    each: ImageScores
    mean_bits: float
    packed_bytes: int | None


@dataclass(frozen=True, eq=False)
class Method:
    """All folds of a method together.

    Attributes:
        name: The method.
        folds: How many.
        indices: ``(n,)`` sorted images, each once.
        dice: ``(n,)``, nan where there is no lesion.
        iou: ``(n,)``, likewise.
        hd95: ``(n,)`` pixels; nan where a mask is empty.
        mean_bits: Mean over the folds.
        packed_bytes: Mean over the folds; None of float networks.
    """

    name: str
    folds: int
    indices: NDArray[np.int64]
    dice: NDArray[np.float64]
    iou: NDArray[np.float64]
    hd95: NDArray[np.float64]
    mean_bits: float
    packed_bytes: float | None


def score_folds(folder: Path, samples: Samples) -> list[Fold]:
    """Score every finished training of a sweep on its own test part.

    Raises:
        FileFormatError: There is none, or a file is damaged.
        DataSplitError: A training is of other data, or its test part is no fold.
    """
    found = []
    for result in sorted(folder.glob(f"*/*/{_RESULT}")):
        what = "the result of a sweep's training"
        name = Fields(read_json(result, what), str(result), what=what).text("name").partition("/")[2]
        (path,) = _networks(result.parent, name)
        card = read_card(path.with_suffix(".json"))
        split = evaluation.card_split(card, samples)
        if card.fold is None:
            raise DataSplitError(str(path), expected="a training whose test part is a fold", got="one that was drawn")
        images = samples.images[split.test]
        if name == CONTROL:
            masks = float_network.load(path).masks(images)
        else:
            masks = evaluation.predict_masks(load(path), images)
        each = score_images(masks, samples.masks[split.test], distances=True)
        size = None if name == CONTROL else card.packed_bytes
        found.append(Fold(name, card.fold, split.test, each, 32.0 if name == CONTROL else card.mean_bits, size))
        logger.info("%s, fold %d: Dice %.4f", name, card.fold, _mean(each.dice))
    if not found:
        raise FileFormatError(str(folder), expected=f"trainings of a sweep ({_RESULT})", got="none")
    return found


def _networks(folder: Path, name: str) -> list[Path]:
    """The network of a training: of a float control its float file, else the integer one."""
    paths = sorted(folder.glob("*.onnx"))
    chosen = [path for path in paths if path.stem.endswith(float_network.FLOAT_SUFFIX) == (name == CONTROL)]
    if len(chosen) != 1:
        raise FileFormatError(str(folder), expected="one network", got=", ".join(path.name for path in paths) or "none")
    return chosen


def together(folds: Sequence[Fold]) -> Method:
    """Put the folds of one method together.

    Raises:
        DataSplitError: An image stands in two of them.
    """
    indices = np.concatenate([fold.indices for fold in folds])
    if len(np.unique(indices)) < len(indices):
        raise DataSplitError(
            folds[0].method, expected="every image in one fold", got="an image in two", hint="One training for a fold."
        )
    order = np.argsort(indices)

    def joined(values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(np.concatenate(values)[order])

    sizes = [fold.packed_bytes for fold in folds if fold.packed_bytes is not None]
    return Method(
        folds[0].method,
        len(folds),
        indices[order],
        joined([fold.each.dice for fold in folds]),
        joined([fold.each.iou for fold in folds]),
        joined([fold.each.hd95 for fold in folds]),
        float(np.mean([fold.mean_bits for fold in folds])),
        float(np.mean(sizes)) if sizes else None,
    )


def compare(one: Method, other: Method, group: NDArray[np.int64]) -> MeanDifference:
    """The difference of Dice of two methods, on the images that both have.

    Args:
        one: A method.
        other: The one that it is compared with.
        group: The patient of each image of the data set.

    Raises:
        DataSplitError: They share no image.
    """
    both, first, second = np.intersect1d(one.indices, other.indices, return_indices=True)
    if not len(both):
        raise DataSplitError(
            f"{one.name} and {other.name}", expected="folds of both", got="none that both have been trained on"
        )
    return mean_difference(one.dice[first], other.dice[second], group[both])


def report(methods: Mapping[str, Method], group: NDArray[np.int64]) -> str:
    """The table of a cross-validation, in Markdown: a row for each method."""
    head = ("widths", "folds", "images", "patients", "Dice", "IoU", "HD95", "mean bits", "packed kB", "Dice - float")
    rows = []
    for method in methods.values():
        patients = group[method.indices]
        known = ~np.isnan(method.dice)
        low, high = bootstrap_interval(method.dice[known], patients[known])
        against = compare(method, methods[CONTROL], group) if CONTROL in methods and method.name != CONTROL else None
        rows.append(
            (
                method.name,
                method.folds,
                int(known.sum()),
                len(np.unique(patients)),
                f"{_mean(method.dice):.4f} ({low:.4f} to {high:.4f})",
                f"{_mean(method.iou):.4f}",
                f"{_mean(method.hd95):.2f}",
                f"{method.mean_bits:.2f}",
                "–" if method.packed_bytes is None else f"{method.packed_bytes / 1000:.0f}",
                "–" if against is None else f"{against.difference:+.4f} ({against.low:+.4f} to {against.high:+.4f})",
            )
        )
    return table(head, rows)


def _mean(values: NDArray[np.float64]) -> float:
    """The mean of those that there are; nan where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def at_equal_size(methods: Mapping[str, Method], learned: str, group: NDArray[np.int64]) -> MeanDifference | None:
    """Dice of learned widths minus that of uniform ones of the same packed size, image by image.

    The uniform Dice of each image is on the line between the two uniform networks whose sizes lie around the learned
    one's. None where there are no two such.
    """
    mine = methods[learned]
    uniform = sorted(
        (m for m in methods.values() if m.name.removeprefix("uniform").isdigit() and m.packed_bytes is not None),
        key=lambda m: m.packed_bytes or 0,
    )
    for low, high in zip(uniform, uniform[1:], strict=False):
        assert mine.packed_bytes is not None and low.packed_bytes is not None and high.packed_bytes is not None
        if low.packed_bytes <= mine.packed_bytes <= high.packed_bytes:
            if not (np.array_equal(low.indices, mine.indices) and np.array_equal(high.indices, mine.indices)):
                return None
            share = (mine.packed_bytes - low.packed_bytes) / (high.packed_bytes - low.packed_bytes)
            between = low.dice + share * (high.dice - low.dice)
            return mean_difference(mine.dice, between, group[mine.indices])
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cross_validation", description=__doc__)
    parser.add_argument("trainings", type=Path, help="the folder of a sweep's trainings (its --out)")
    parser.add_argument("--data", required=True, help="the data set that they were trained on")
    parser.add_argument("--size", type=int, default=128, help="height and width of an image (default: 128)")
    parser.add_argument("--out", type=Path, help="where the table goes; it is printed in any case")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        samples = data.load(args.data, args.size)
        text = text_of(score_folds(args.trainings, samples), samples)
        if args.out:
            storage.write_text(args.out, text)
    except (QuantUNetError, OSError) as error:
        logger.error("cross_validation: %s", error)  # noqa: TRY400  # one sentence is enough
        return 2
    logger.info("%s", text)
    return 0


def text_of(folds: Sequence[Fold], samples: Samples) -> str:
    """The table, and for learned widths a sentence about uniform ones of their size."""
    names = dict.fromkeys(fold.method for fold in folds)
    methods = {name: together([fold for fold in folds if fold.method == name]) for name in names}
    lines = [report(methods, samples.group)]
    for name in methods:
        found = at_equal_size(methods, name, samples.group) if name.startswith("lambda") else None
        if found is not None:
            lines.append(
                f"\n{name} minus uniform widths of the same packed size: {found.difference:+.4f} "
                f"({found.low:+.4f} to {found.high:+.4f}), {found.images} images of {found.groups} patients\n"
            )
    return "".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
