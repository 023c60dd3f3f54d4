"""Tables and charts of docs/science.md and docs/science_tables.md: ``python -m benchmarks.science``.

Reads the results of a sweep, ``runs.csv`` and ``widths.csv``, and, where they are, ``repeats.csv`` and the scores of
images that other benchmarks have left beside them (``patients.csv``, ``HOME_on_AWAY.csv``, ``frames.csv``). Writes the
charts there too, and puts every table between its two marks in one of the documents. Means are over seeds, with the
sample's standard deviation; how intervals are made, :mod:`benchmarks.intervals` says, and what is compared with what,
:mod:`benchmarks.science_compare`.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks import frame_deciders, other_hospital, pooled_folds, science_charts
from benchmarks.frame_deciders import FRAMES
from benchmarks.intervals import Difference
from benchmarks.pooled_folds import PATIENTS
from benchmarks.science_claims import Results, claims
from benchmarks.science_compare import difference, from_start, over_uniform, paired, unpaired, working
from benchmarks.science_methods import methods
from benchmarks.science_paper import paper
from benchmarks.science_runs import (
    BUSI,
    Part,
    Run,
    by_method,
    by_place,
    of,
    places_with_uniform,
    read_runs,
    warm_starts,
)
from benchmarks.science_steps import steps
from benchmarks.science_text import NOTHING, cell, how_many, spread, table, widths_of
from quantunet import storage
from quantunet.errors import FileFormatError, QuantUNetError
from quantunet.model import results

logger = logging.getLogger(__name__)

DOCUMENTS = (Path("docs/science.md"), Path("docs/science_tables.md"))

REPEATS = "repeats.csv"
"""Trainings of ``runs.csv`` that were run once more with the same seed and another arithmetic."""

_MARKS = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


# -- tables -----------------------------------------------------------------------------------------------------------

_PARTS: dict[Part, str] = {"val": "validation", "test": "test"}
_DROP = 0.1
_SETTLING = 3  # epochs, in which Dice moves in any case
_COSTS = ("mac_bits", "packed_bytes", "mean_bits_layers")


def scores(runs: Sequence[Run]) -> str:
    """One row for each data set, split, preset and method: the scores on the test part.

    There are two float networks: the warm start, which every other network of its seed began with, and the control.
    """
    rows = []
    for place, at_place in by_place(runs).items():
        here = by_method(at_place)
        control, start = here.get("float", []), warm_starts(at_place)
        for method, group in (({"start": start} if start else {}) | here).items():
            to_control = [] if method == "float" else paired(group, control)
            to_start = [] if method == "start" else from_start(group)
            rows.append(
                [
                    *place,
                    widths_of(group[0]),
                    len(group),
                    spread(of(group, "final_test_dice")),
                    spread(of(group, "final_test_iou")),
                    spread(of(group, "final_test_accuracy")),
                    spread(of(group, "final_test_background_accuracy")),
                    spread(of(group, "final_test_false_positive_area"), 4),
                    spread(of(group, "mean_bits_layers"), 2),
                    spread(of(group, "ratio"), 2),
                    *(cell(difference(group, found)) for found in (to_control, to_start)),
                ]
            )
    head = ("data", "split by", "network", "widths", "seeds", "Dice", "IoU", "accuracy", "all background")
    last = ("mean bits", "times smaller", "Dice minus control", "Dice minus warm start")
    return table((*head, "false-positive area", *last), rows)


def front(runs: Sequence[Run]) -> str:
    """Every λ and weighting, and every uniform width: cost and Dice."""
    rows = [
        [
            place[0],
            widths_of(group[0]),
            len(group),
            spread(of(group, "mean_bits_layers"), 2),
            spread(of(group, "mean_weight"), 2),
            spread(of(group, "mean_activation"), 2),
            spread((value / 1e9 for value in of(group, "mac_bits")), 2),
            spread(of(group, "ratio"), 2),
            spread(of(group, "final_val_dice")),
            spread(of(group, "final_test_dice")),
            sum(bool(run.signatures) for run in group),
        ]
        for place, here in places_with_uniform(runs).items()
        for group in by_method(here).values()
    ]
    head = ("data", "widths", "seeds", "mean bits", "weights", "activations", "Σ MAC·bits·bits, 10⁹", "times smaller")
    return table((*head, "Dice, validation", "Dice, test", "with a failure signature"), rows)


def differences(runs: Sequence[Run]) -> str:
    """Dice minus that of the float control, and that of learned widths minus uniform ones at the same cost.

    Below it stands how many intervals it prints.
    """
    rows: list[list[object]] = []
    every: list[Difference] = []
    for place, here in places_with_uniform(runs).items():
        fixed = [run for run in here if run.bits.isdigit()]
        control = [run for run in here if run.bits == "float"]
        uniform = working([run for run in fixed if run.uniform], control)
        learned = [run for run in here if run.bits == "learned" and run.values["distil"]]
        groups = {widths_of(group[0]): group for group in by_method([*fixed, *learned]).values()}
        for part, of_part in _PARTS.items():
            for name, group in (groups | ({"learned, all of them": learned} if learned else {})).items():
                others = [] if group[0].bits.isdigit() else uniform  # uniform widths are not compared with themselves
                found = [paired(group, control, part), *(over_uniform(group, others, cost, part) for cost in _COSTS)]
                cells = [difference(group, each) for each in found]
                every += [each for each in cells if each is not None]
                rows.append(
                    [place[0], of_part, name, *(NOTHING if e is None else f"{e}, n = {e.count}" for e in cells)]
                )
    head = ("data", "part", "widths", "minus float control", "minus uniform at equal Σ MAC·bits·bits")
    return table((*head, "at equal packed size", "at equal mean bits"), rows) + "\n" + how_many(every)


def leak(runs: Sequence[Run]) -> str:
    """BUSI: what a split by image adds to the Dice of images that have a near duplicate, and to that of the others."""
    data, _, preset = BUSI
    by = {split: by_method(run for run in runs if run.place == (data, split, preset)) for split in ("group", "image")}
    rows: list[list[object]] = []
    for method, image in by["image"].items():
        group = by["group"].get(method)
        if group:
            row: list[object] = [widths_of(image[0])]
            for key in ("final_test_dice", "final_test_grouped_dice", "final_test_single_dice"):
                text = f"{spread(of(group, key))} → {spread(of(image, key))}"
                found = unpaired(image, group, key)
                row.append(text if found is None else f"{text}: {found}")
            rows.append(row)
    return table(("widths", "all images", "those with a near duplicate", "the others"), rows)


def layers(runs: Sequence[Run], widths: Sequence[results.Row]) -> str:
    """Do the same layers get many bits in every seed? Rank correlation of the final widths of each pair of seeds."""
    last = {entry["name"]: entry for entry in widths}  # epochs are in order
    rows: list[list[object]] = []
    for place, here in by_place(runs).items():
        for group in by_method(here).values():
            found = [results.split_widths(last[run.name]) for run in group if run.name in last]
            if len(found) < 2:
                continue
            row: list[object] = [*place, widths_of(group[0]), len(found)]
            for kind in (0, 1):
                kinds = np.array([[pair[kind] for pair in each.values()] for each in found])
                pairs = [
                    float(stats.spearmanr(kinds[i], kinds[j]).statistic)
                    for i in range(len(kinds))
                    for j in range(i)
                    if np.ptp(kinds[i]) and np.ptp(kinds[j])
                ]
                row += [f"{kinds.min()} to {kinds.max()}", f"{np.mean(pairs):.2f}" if pairs else "–"]
            rows.append(row)
    head = ("data", "split by", "network", "widths", "seeds", "weight bits", "their rank correlation")
    return table((*head, "activation bits", "their rank correlation"), rows)


def drops(runs: Sequence[Run], widths: Sequence[results.Row]) -> str:
    """Epochs in which the Dice was lower by more than :data:`_DROP` than in the one before, and what widths did.

    Of the trainings whose widths are learned, without their first epochs.
    """
    place = {run.name: run.place[0] for run in runs}
    counts: dict[str, list[int]] = {}
    for before, after in itertools.pairwise(widths):
        if before["name"] == after["name"] and int(after["epoch"]) > _SETTLING and after["name"] in place:
            found = counts.setdefault(place[after["name"]], [0, 0, 0, 0])
            changed = results.split_widths(before) != results.split_widths(after)
            dropped = float(after["val_dice"]) < float(before["val_dice"]) - _DROP
            for at, true in enumerate((True, changed, dropped, dropped and changed)):
                found[at] += true
    head = ("data", "epochs", "a width changed in", f"Dice fell by more than {_DROP} in", "both in")
    return table(head, ([name, *found] for name, found in counts.items()))


def repeats(runs: Sequence[Run], others: Sequence[Run]) -> str:
    """The same trainings with another arithmetic: what of a result is chance although the seed is the same."""
    by_name = {run.name: run for run in runs}
    pairs = [(by_name[other.name], other) for other in others if other.name in by_name]
    rows: list[list[object]] = [
        [
            run.name,
            f"{other.precision}, {run.precision}",
            *(
                f"{other.values[key]:.{digits}f}, {run.values[key]:.{digits}f}"
                for key, digits in (("mean_bits_layers", 2), ("final_val_dice", 3), ("final_test_dice", 3))
            ),
        ]
        for run, other in pairs
    ]
    if pairs:  # the difference of two trainings has √2 times the standard deviation of one
        one = [
            np.sqrt(np.mean([(run.values[key] - other.values[key]) ** 2 for run, other in pairs]) / 2)
            for key in ("final_val_dice", "final_test_dice")
        ]
        rows.append(["standard deviation of one training", "", "", *(f"{value:.3f}" for value in one)])
    return table(("training", "arithmetic", "mean bits", "Dice, validation", "Dice, test"), rows)


def compute(runs: Sequence[Run]) -> str:
    """Hours of CPU of every data set."""
    rows = [
        [data, sum(run.data == data for run in runs), f"{sum(r.values['hours'] for r in runs if r.data == data):.1f}"]
        for data in dict.fromkeys(run.data for run in runs)
    ]
    return table(("data", "trainings", "hours, the shared float phases counted in each"), rows)


def fill_all(documents: Sequence[Path], tables: Mapping[str, str]) -> dict[Path, str]:
    """Put every table between its marks, in the document that has them.

    Args:
        documents: Markdown with ``<!-- table: NAME -->`` and ``<!-- end -->``.
        tables: The tables by name.

    Returns:
        The text of each document.

    Raises:
        FileFormatError: A table stands in no document or in two, or one is named that is not there.
    """
    texts = {document: document.read_text(encoding="utf-8") for document in documents}
    named = [match[2] for text in texts.values() for match in _MARKS.finditer(text)]
    if sorted(named) != sorted(tables):
        raise FileFormatError(
            ", ".join(map(str, documents)),
            expected=f"marks for the tables {', '.join(sorted(tables))}",
            got=", ".join(sorted(named)) or "none",
        )
    return {
        document: _MARKS.sub(lambda match: f"{match[1]}\n{tables[match[2]]}\n{match[3]}", text)
        for document, text in texts.items()
    }


def make_tables(folder: Path) -> dict[str, str]:
    """Every table by name, from the files of a folder of results.

    Raises:
        StorageError: A file cannot be read.
        FileFormatError: A file is damaged.
    """
    runs, widths = read_runs(folder / results.RUNS), results.read_rows(folder / results.WIDTHS)
    others = read_runs(folder / REPEATS) if (folder / REPEATS).exists() else []
    pooled, away = pooled_folds.read(folder / PATIENTS), other_hospital.read_all(folder)
    return {
        "claims": claims(Results(runs, pooled, away)),
        "patients": NOTHING + "\n" if pooled is None else pooled_folds.report(pooled, runs),
        "hospitals": other_hospital.report(away, runs),
        "frames": frame_deciders.report(frame_deciders.read(folder / FRAMES)),
        "methods": methods(runs),
        "steps": steps(runs),
        "paper": paper(runs),
        "scores": scores(runs),
        "front": front(runs),
        "differences": differences(runs),
        "leak": leak(runs),
        "layers": layers(runs, widths),
        "drops": drops(runs, widths),
        "repeats": repeats(runs, others),
        "compute": compute([*runs, *others]),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write the tables and the charts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.science", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("docs/science"), help="folder of runs.csv and widths.csv")
    parser.add_argument(
        "--documents", type=Path, nargs="+", default=list(DOCUMENTS), help="where the tables go: each in one of them"
    )
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        filled = fill_all(args.documents, make_tables(args.results))
        for document, text in filled.items():
            storage.write_text(document, text)
        runs, widths = read_runs(args.results / results.RUNS), results.read_rows(args.results / results.WIDTHS)
        names = science_charts.draw(runs, widths, args.results)
    except (QuantUNetError, OSError) as error:
        logger.error("science: %s", error)  # noqa: TRY400  # one sentence is enough
        return 2
    logger.info("wrote %s", ", ".join([*map(str, filled), *names]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
