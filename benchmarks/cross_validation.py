"""A cross-validation: every image is scored once, by the networks that have not seen its fold; intervals over patients.

``python -m benchmarks.cross_validation TRAININGS --data busbra_128.npz`` scores the trainings of a sweep that are folds
of these data (``quantunet sweep docs/science/sweep.toml --only patients --out TRAININGS``) on the test part of their
own training, which is their fold: integer networks by integer inference, float controls by their ONNX file. The scores
go into ``patients.csv`` beside the sweep's results; what that file holds already of trainings that are no longer there
is kept. Then it prints the table that :mod:`benchmarks.pooled_folds` makes of it.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import pooled_folds
from benchmarks.pooled_folds import PATIENTS, Pooled
from benchmarks.science_runs import Run, read_runs
from benchmarks.trained import add_arguments, masks_of, network_file
from quantunet import storage
from quantunet.errors import DataSplitError, FileFormatError, QuantUNetError
from quantunet.model import data, evaluation, results
from quantunet.model.card_file import read_card
from quantunet.model.data import Samples
from quantunet.model.metrics import ImageScores, score_images

logger = logging.getLogger(__name__)


def score_folds(folder: Path, runs: Sequence[Run], samples: Samples, known: Pooled | None) -> Pooled:
    """Score every training of a folder that is a fold of the data, on its own test part.

    Args:
        folder: Of a sweep's trainings.
        runs: The rows of its results.
        samples: The data.
        known: What has been scored before; it is kept where its training is not in the folder.

    Raises:
        FileFormatError: No training of the results is in the folder, or a file is damaged.
        DataSplitError: A training is of other data, or the earlier scores are of other images.
    """
    if samples.fold is None:
        raise DataSplitError(samples.source, expected="an array fold", got="none")
    label = np.array(samples.label, np.str_)
    pooled = Pooled(samples.group, label, samples.fold, {} if known is None else dict(known.scores))
    if known is not None and not np.array_equal(known.group, samples.group):
        raise DataSplitError(samples.source, expected=f"the images of {PATIENTS}", got="others")
    scored = 0
    for run in runs:
        if run.fold is None or run.data != samples.source or not (folder / run.name).is_dir():
            continue
        at = np.flatnonzero(samples.fold == run.fold)
        each = _score(network_file(folder, run), run, samples)
        pooled_folds.with_scores(pooled, pooled_folds.network_of(run), at, pooled_folds.scores_of(each))
        logger.info("%s: Dice %.4f", run.name, float(np.nanmean(each.dice)))
        scored += 1
    if not scored:
        raise FileFormatError(str(folder), expected=f"trainings of {samples.source} that are folds", got="none")
    return pooled


def _score(path: Path, run: Run, samples: Samples) -> ImageScores:
    test = evaluation.card_split(read_card(path.with_suffix(".json")), samples).test
    if not np.array_equal(test, np.flatnonzero(samples.fold == run.fold)):
        raise DataSplitError(str(path), expected=f"fold {run.fold} as its test part", got="other images")
    return score_images(masks_of(path, samples.images[test]), samples.masks[test], distances=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cross_validation", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--data", required=True, help="the data set that they were trained on")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        runs, scores = read_runs(args.results / results.RUNS), args.results / PATIENTS
        samples = data.load(args.data, args.size)
        pooled = score_folds(args.trainings, runs, samples, pooled_folds.read(scores))
        storage.write_text(scores, pooled_folds.write(pooled))
    except (QuantUNetError, OSError) as error:
        logger.error("cross_validation: %s", error)  # noqa: TRY400  # one sentence is enough
        return 2
    logger.info("%s", pooled_folds.report(pooled, [run for run in runs if run.data == samples.source]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
