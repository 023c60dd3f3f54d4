"""Tables and charts of docs/science.md, from the results of a sweep: ``python -m benchmarks.science``.

Reads ``runs.csv``, ``widths.csv`` and, where there is one, ``repeats.csv``, writes the charts beside them, and puts
every table between its two marks in the document. Means are over seeds, with the sample's standard deviation.
Differences are taken seed by seed, because the trainings of a seed share split, warm start and order of images; their
95 % interval is Student's.
"""

from __future__ import annotations

import argparse
import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks import science_charts
from benchmarks.science_runs import BUSI, Part, Run, by_place, places_with_uniform, read_runs
from quantunet import storage
from quantunet.errors import FileFormatError, QuantUNetError
from quantunet.model import results

logger = logging.getLogger(__name__)

REPEATS = "repeats.csv"
"""Trainings of ``runs.csv`` that were run once more with the same seed and another arithmetic."""

_MARKS = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


# -- statistics -------------------------------------------------------------------------------------------------------


def spread(values: Iterable[float], digits: int = 3) -> str:
    """Mean and standard deviation as text.

    >>> spread([0.7, 0.72, 0.74])
    '0.720 ± 0.020'
    >>> spread([0.7])
    '0.700'
    """
    found = list(values)
    if not found:
        return "–"
    mean = f"{np.mean(found):.{digits}f}"
    return f"{mean} ± {np.std(found, ddof=1):.{digits}f}" if len(found) > 1 else mean


def interval(differences: Sequence[float]) -> str:
    """Mean difference and its 95 % interval (Student) as text.

    >>> interval([0.01, 0.02, 0.03])
    '+0.020 (-0.005 to +0.045)'
    """
    mean = float(np.mean(differences))
    if len(differences) < 2:
        return f"{mean:+.3f}"
    half = float(stats.t.ppf(0.975, len(differences) - 1)) * np.std(differences, ddof=1) / len(differences) ** 0.5
    return f"{mean:+.3f} ({mean - half:+.3f} to {mean + half:+.3f})"


def paired(left: Iterable[Run], right: Iterable[Run], part: Part = "test") -> list[float]:
    """Differences in Dice, ``left - right``, of the runs that have a seed in common, one for each seed."""
    other = {run.seed: run.dice(part) for run in right}
    return by_seed((run.seed, run.dice(part) - other[run.seed]) for run in left if run.seed in other)


def by_seed(found: Iterable[tuple[int, float]]) -> list[float]:
    """The mean of each seed, so that several trainings of one seed count once."""
    values: dict[int, list[float]] = {}
    for seed, value in found:
        values.setdefault(seed, []).append(value)
    return [float(np.mean(of_seed)) for of_seed in values.values()]


def over_uniform(learned: Iterable[Run], uniform: Sequence[Run], cost: str, part: Part = "test") -> list[float]:
    """Dice of learned widths minus that of uniform widths at the same cost, one difference for each seed.

    Between two uniform networks the Dice is interpolated over the logarithm of the cost. A learned network that is
    cheaper or dearer than every uniform one of its seed is left out. Of several learned networks of one seed the mean
    difference counts.

    Args:
        learned: Networks with learned widths.
        uniform: Uniform networks.
        cost: Column that says what a network costs.
        part: The part of the data whose Dice is compared.
    """
    differences: list[tuple[int, float]] = []
    for run in learned:
        curve = sorted((other.values[cost], other.dice(part)) for other in uniform if other.seed == run.seed)
        if len(curve) > 1 and curve[0][0] <= run.values[cost] <= curve[-1][0]:
            costs, dice = zip(*curve, strict=True)
            at_cost = np.interp(np.log(run.values[cost]), np.log(costs), dice)
            differences.append((run.seed, run.dice(part) - float(at_cost)))
    return by_seed(differences)


def unpaired_interval(left: Sequence[float], right: Sequence[float]) -> str:
    """Difference of two means and its 95 % interval (Welch) as text, for runs that do not share their test parts.

    >>> unpaired_interval([0.75, 0.77, 0.79], [0.7, 0.72, 0.74])
    '+0.050 (+0.005 to +0.095)'
    """
    mean = float(np.mean(left) - np.mean(right))
    if min(len(left), len(right)) < 2:
        return f"{mean:+.3f}"
    low, high = stats.ttest_ind(left, right, equal_var=False).confidence_interval(0.95)
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


# -- tables -----------------------------------------------------------------------------------------------------------

_PARTS: dict[Part, str] = {"val": "validation", "test": "test"}
_COSTS = ("mac_bits", "packed_bytes", "mean_bits_layers")


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)]) + "\n"


def _by_method(runs: Iterable[Run]) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.bits, run.factor, run.weighting, run.method, run.seed)):
        groups.setdefault(run.method, []).append(run)
    return groups


def _of(runs: Iterable[Run], key: str) -> list[float]:
    """A column, without the runs that have nothing in it."""
    return [run.values[key] for run in runs if key in run.values]


def scores(runs: Sequence[Run]) -> str:
    """One row for each data set, split, preset and method: the scores on the test part."""
    rows = []
    for place, at_place in by_place(runs).items():
        here = _by_method(at_place)
        control = here.get("float", [])
        for method, group in here.items():
            rows.append(
                [
                    *place,
                    _widths(group[0]),
                    len(group),
                    spread(_of(group, "final_test_dice")),
                    spread(_of(group, "final_test_iou")),
                    spread(_of(group, "final_test_accuracy")),
                    spread(_of(group, "final_test_background_accuracy")),
                    spread(_of(group, "final_test_false_positive_area"), 4),
                    spread(_of(group, "mean_bits_layers"), 2),
                    spread(_of(group, "ratio"), 2),
                    "–" if method == "float" else _difference(group, control),
                ]
            )
    head = ("data", "split by", "network", "widths", "seeds", "Dice", "IoU", "accuracy", "all background")
    return _table((*head, "false-positive area", "mean bits", "times smaller", "Dice minus control"), rows)


def _difference(group: Sequence[Run], control: Sequence[Run]) -> str:
    differences = paired(group, control)
    return interval(differences) if differences else "–"


def _widths(run: Run) -> str:
    """What a row calls the widths of a run, and what else its name tells: options of the loss that are not usual."""
    if run.bits == "float":
        head, text = "float", "float control"
    elif run.bits == "learned":
        head, text = f"lambda{run.factor:g}_{run.weighting}", f"learned, λ {run.factor:g}, by {run.weighting}"
    else:
        descent = run.values.get("descent_epochs", 0)
        head = f"uniform{run.bits}" + (f"_descent{descent:g}" if descent else "")
        text = f"uniform {run.bits}" + (f", from 8 in {descent:g} epochs" if descent else "")
    options = run.method.removeprefix(head).split("_")[1:]
    return ", ".join([text, *("not distilled" if option == "distil0" else option for option in options)])


def front(runs: Sequence[Run]) -> str:
    """Every λ and weighting, and every uniform width: cost and Dice."""
    rows = [
        [
            place[0],
            _widths(group[0]),
            len(group),
            spread(_of(group, "mean_bits_layers"), 2),
            spread(_of(group, "mean_weight"), 2),
            spread(_of(group, "mean_activation"), 2),
            spread((value / 1e9 for value in _of(group, "mac_bits")), 2),
            spread(_of(group, "ratio"), 2),
            spread(_of(group, "final_val_dice")),
            spread(_of(group, "final_test_dice")),
            sum(bool(run.signatures) for run in group),
        ]
        for place, here in places_with_uniform(runs).items()
        for group in _by_method(here).values()
    ]
    head = ("data", "widths", "seeds", "mean bits", "weights", "activations", "Σ MAC·bits·bits, 10⁹", "times smaller")
    return _table((*head, "Dice, validation", "Dice, test", "with a failure signature"), rows)


def differences(runs: Sequence[Run]) -> str:
    """Dice minus that of the float control, and that of learned widths minus uniform ones at the same cost."""
    rows: list[list[object]] = []
    for place, here in places_with_uniform(runs).items():
        fixed = [run for run in here if run.bits.isdigit()]
        uniform = [run for run in fixed if run.uniform]
        control = [run for run in here if run.bits == "float"]
        learned = [run for run in here if run.bits == "learned" and run.values["distil"]]
        groups = {_widths(group[0]): group for group in _by_method([*fixed, *learned]).values()}
        for part, of_part in _PARTS.items():
            for name, group in (groups | {"learned, all of them": learned}).items():
                others = [] if group[0].bits.isdigit() else uniform  # uniform widths are not compared with themselves
                found = [paired(group, control, part), *(over_uniform(group, others, cost, part) for cost in _COSTS)]
                texts = (f"{interval(each)}, n = {len(each)}" if each else "–" for each in found)
                rows.append([place[0], of_part, name, *texts])
    head = ("data", "part", "widths", "minus float control", "minus uniform at equal Σ MAC·bits·bits")
    return _table((*head, "at equal packed size", "at equal mean bits"), rows)


def leak(runs: Sequence[Run]) -> str:
    """BUSI: what a split by image adds to the Dice of images that have a near duplicate, and to that of the others."""
    data, _, preset = BUSI
    by = {split: _by_method(run for run in runs if run.place == (data, split, preset)) for split in ("group", "image")}
    rows: list[list[object]] = []
    for method, image in by["image"].items():
        group = by["group"].get(method)
        if group:
            row: list[object] = [_widths(image[0])]
            for key in ("final_test_dice", "final_test_grouped_dice", "final_test_single_dice"):
                left, right = _of(image, key), _of(group, key)
                text = f"{spread(right)} → {spread(left)}"
                row.append(f"{text}: {unpaired_interval(left, right)}" if left and right else text)
            rows.append(row)
    return _table(("widths", "all images", "those with a near duplicate", "the others"), rows)


def layers(runs: Sequence[Run], widths: Sequence[results.Row]) -> str:
    """Do the same layers get many bits in every seed? Rank correlation of the final widths of each pair of seeds."""
    last = {entry["name"]: entry for entry in widths}  # epochs are in order
    rows: list[list[object]] = []
    for place, here in by_place(runs).items():
        for group in _by_method(here).values():
            found = [results.split_widths(last[run.name]) for run in group if run.name in last]
            if len(found) < 2:
                continue
            row: list[object] = [*place, _widths(group[0]), len(found)]
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
    return _table((*head, "activation bits", "their rank correlation"), rows)


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
    return _table(("training", "arithmetic", "mean bits", "Dice, validation", "Dice, test"), rows)


def compute(runs: Sequence[Run]) -> str:
    """Hours of CPU of every data set."""
    rows = [
        [data, sum(run.data == data for run in runs), f"{sum(r.values['hours'] for r in runs if r.data == data):.1f}"]
        for data in dict.fromkeys(run.data for run in runs)
    ]
    return _table(("data", "trainings", "hours, the shared float phases counted in each"), rows)


def fill(document: str, tables: dict[str, str], place: str) -> str:
    """Put every table between its marks.

    Args:
        document: Markdown with ``<!-- table: NAME -->`` and ``<!-- end -->``.
        tables: The tables by name.
        place: Name of the document, for errors.

    Raises:
        FileFormatError: The document misses a table, or names one that is not there.
    """
    named = [match[2] for match in _MARKS.finditer(document)]
    if sorted(named) != sorted(tables):
        raise FileFormatError(
            place, expected=f"marks for the tables {', '.join(sorted(tables))}", got=", ".join(sorted(named)) or "none"
        )
    return _MARKS.sub(lambda match: f"{match[1]}\n{tables[match[2]]}\n{match[3]}", document)


def make_tables(runs: Sequence[Run], others: Sequence[Run], widths: Sequence[results.Row]) -> dict[str, str]:
    """Every table by name, from the rows of ``runs.csv``, ``repeats.csv`` and ``widths.csv``."""
    return {
        "scores": scores(runs),
        "front": front(runs),
        "differences": differences(runs),
        "leak": leak(runs),
        "layers": layers(runs, widths),
        "repeats": repeats(runs, others),
        "compute": compute([*runs, *others]),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write the tables and the charts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.science", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("docs/science"), help="folder of runs.csv and widths.csv")
    parser.add_argument("--document", type=Path, default=Path("docs/science.md"), help="where the tables go")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        runs, repeated = read_runs(args.results / results.RUNS), args.results / REPEATS
        others = read_runs(repeated) if repeated.exists() else []
        widths = results.read_rows(args.results / results.WIDTHS)
        text = fill(args.document.read_text(encoding="utf-8"), make_tables(runs, others, widths), str(args.document))
        storage.write_text(args.document, text)
        names = science_charts.draw(runs, widths, args.results)
    except (QuantUNetError, OSError) as error:
        logger.error("science: %s", error)  # noqa: TRY400  # one sentence is enough
        return 2
    logger.info("wrote %s and %s", args.document, ", ".join(names))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
