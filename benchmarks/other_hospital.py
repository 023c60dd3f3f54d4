"""Networks on the images of another hospital, untouched: ``python -m benchmarks.other_hospital TRAININGS``.

Scores the trainings of a sweep on every image of a data set that none of them has seen. Networks that differ in seed or
fold alone count as one, each image with the mean of their scores. The scores go into ``HOME_on_AWAY.csv`` beside the
sweep's results; intervals draw whole patients, or groups of near duplicates, of the other hospital.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import pooled_folds
from benchmarks.pooled_folds import Pooled, Values
from benchmarks.science_runs import Run, read_runs
from benchmarks.science_text import NOTHING, table, widths_of
from benchmarks.trained import add_arguments, masks_of, network_file
from quantunet import storage
from quantunet.errors import DataSplitError, FileFormatError, QuantUNetError
from quantunet.model import data, results
from quantunet.model.data import Samples
from quantunet.model.group_bootstrap import bootstrap_interval
from quantunet.model.metrics import score_images

logger = logging.getLogger(__name__)

_ON = "_on_"


def score_away(folder: Path, runs: Sequence[Run], home: str, away: Samples, known: Pooled | None) -> Pooled:
    """Score the trainings of one data set on another one.

    Args:
        folder: Of a sweep's trainings.
        runs: The rows of its results.
        home: The data that they were trained on.
        away: The other data.
        known: What has been scored before; it is kept where its trainings are not in the folder.

    Raises:
        FileFormatError: No training of the results is in the folder.
        DataSplitError: The earlier scores are of other images, or a network was trained on these.
    """
    if away.source in home.split(data.JOINED):
        raise DataSplitError(away.source, expected="data that no network has seen", got=f"trainings of {home}")
    if known is not None and not np.array_equal(known.group, away.group):
        raise DataSplitError(away.source, expected="the images of the earlier scores", got="others")
    found: dict[str, list[dict[str, Values]]] = {}
    for run in runs:
        if run.data == home and (folder / run.name).is_dir():
            each = score_images(masks_of(network_file(folder, run), away.images), away.masks)
            found.setdefault(pooled_folds.network_of(run), []).append(pooled_folds.scores_of(each))
            logger.info("%s: Dice %.4f on %s", run.name, float(np.nanmean(each.dice)), away.source)
    if not found:
        raise FileFormatError(str(folder), expected=f"trainings of {home}", got="none")
    scores = {} if known is None else dict(known.scores)
    for network, of_trainings in found.items():
        scores[network] = {name: np.mean([each[name] for each in of_trainings], axis=0) for name in pooled_folds.SCORES}
    return Pooled(away.group, np.array(away.label, np.str_), np.zeros(len(away), np.int64), scores)


def file_name(home: str, away: str) -> str:
    """Where the scores of a pair of data sets are kept."""
    return f"{Path(home).stem}{_ON}{Path(away).stem}.csv"


def read_all(folder: Path) -> dict[str, Pooled]:
    """The scores of every pair, by the name of their file without its ending.

    Raises:
        FileFormatError: A file is damaged.
    """
    read = ((path.stem, pooled_folds.read(path)) for path in sorted(folder.glob(f"*{_ON}*.csv")))
    return {name: pooled for name, pooled in read if pooled is not None}


def report(every: Mapping[str, Pooled], runs: Sequence[Run]) -> str:
    """A row for each network and pair of data sets, in Markdown."""
    rows: list[list[object]] = []
    for name, pooled in every.items():
        home, _, away = name.partition(_ON)
        trained: dict[str, list[Run]] = {}
        for run in runs:
            if Path(run.data).stem == home:
                trained.setdefault(pooled_folds.network_of(run), []).append(run)
        lesion = ~np.isnan(next(iter(pooled.scores.values()))["dice"])
        for network, scores in pooled.scores.items():
            if network not in trained:
                raise FileFormatError(name, expected="networks of runs.csv", got=network)
            run, control = trained[network][0], pooled_folds.control_of(trained[network][0])
            dice = scores["dice"][lesion]
            low, high = bootstrap_interval(dice, pooled.group[lesion])
            lost = (
                pooled_folds.compare(pooled, network, control)
                if control in pooled.scores and run.method != "float"
                else None
            )
            rows.append(
                [
                    home,
                    away,
                    run.preset,
                    run.settings or NOTHING,
                    widths_of(run),
                    int(lesion.sum()),
                    f"{dice.mean():.3f} ({low:.3f} to {high:.3f})",
                    NOTHING if lost is None else f"{lost.difference:+.4f} ({lost.low:+.4f} to {lost.high:+.4f})",
                    NOTHING if lesion.all() else f"{100 * scores['marked'][~lesion].mean():.0f} %",
                ]
            )
    head = ("trained on", "tested on", "network", "settings", "widths", "lesion images", "Dice")
    return table((*head, "Dice minus control", "normal images marked"), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.other_hospital", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--home", required=True, help="the data set that they were trained on, as runs.csv calls it")
    parser.add_argument("--away", required=True, help="the data set that they are scored on")
    parser.add_argument("--out", type=Path, default=Path("docs/science"), help="folder of the scores")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        runs, away = read_runs(args.results / results.RUNS), data.load(args.away, args.size)
        path = args.out / file_name(args.home, away.source)
        pooled = score_away(args.trainings, runs, args.home, away, pooled_folds.read(path))
        storage.write_text(path, pooled_folds.write(pooled))
    except (QuantUNetError, OSError) as error:
        logger.error("other_hospital: %s", error)  # noqa: TRY400  # one sentence is enough
        return 2
    logger.info("%s", report({path.stem: pooled}, runs))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
