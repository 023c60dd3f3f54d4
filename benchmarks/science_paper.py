"""The paper's numbers beside those of ``runs.csv``: pixel accuracy, Dice, bits, size, and a mask of background only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.science_runs import BUSI, Run, by_method, by_place, of, warm_starts
from benchmarks.science_text import NOTHING, spread, table, widths_of
from quantunet.model.config import PRESETS

_FLOAT, _QUANTISED = 96.14, 94.25
_PAPER = (
    ("arXiv 2503.08719", "64", "float", "1", _FLOAT, NOTHING, "32", NOTHING),
    ("arXiv 2503.08719", "64", "learned, λ 0.25", "1", _QUANTISED, f"{_QUANTISED - _FLOAT:+.2f}", "4.24", "about 8"),
)
"""What the paper says of its validation part, one run each."""

_TEST = "final_test_accuracy"
_METHODS = frozenset({"start", "float", "lambda0.25_layers", "lambda0.25_layers_distil0", "lambda0.5_layers"})
"""The float networks, the paper's λ with and without distillation, and the λ that is compared most."""

_PLACES = {
    "": "here",
    ", float_epochs=0 qat_epochs=60 tune_epochs=0": "here, the paper's way",
    ", float_epochs=0 qat_epochs=60 still_epochs=20 tune_epochs=0": "here, its way, 8 bits for 20 of 60 epochs",
}
"""What trainings of these settings are called, in the order of the rows; others have none."""


def paper(runs: Iterable[Run]) -> str:
    """The paper's two rows, and those of every size of network that was trained on BUSI.

    A mask of background only is scored on the same parts. Accuracies are percent of all pixels.
    """
    rows: list[Sequence[object]] = [
        [source, base, widths, seeds, f"{accuracy:.2f}", NOTHING, change, *[NOTHING] * 3, bits, NOTHING, smaller]
        for source, base, widths, seeds, accuracy, change, bits, smaller in _PAPER
    ]
    known = {f"{BUSI[0]}{settings}": place for settings, place in _PLACES.items()}
    places = by_place(run for run in runs if run.place[0] in known)
    for (data, split, preset), here in sorted(places.items(), key=lambda item: list(known).index(item[0][0])):
        place = known[data]
        control = {run.sample: run for run in here if run.method == "float"}
        for method, group in ({"start": warm_starts(here)} | by_method(here)).items():
            untrained = method == "start" and place != "here"
            if method not in _METHODS or not group or untrained:
                continue
            changes = [
                100 * (run.values[_TEST] - control[run.sample].values[_TEST]) for run in group if run.sample in control
            ]
            rows.append(
                [
                    f"{place}, split by {split}",
                    PRESETS[preset].base if preset in PRESETS else preset,
                    widths_of(group[0]),
                    len(group),
                    *(_percent(of(group, f"final_{part}_accuracy")) for part in ("val", "test")),
                    NOTHING if method == "float" or not changes else _signed(changes),
                    _percent(of(group, "final_test_background_accuracy")),
                    *(spread(of(group, f"final_{part}_dice")) for part in ("val", "test")),
                    spread(of(group, "mean_bits_layers"), 2),
                    spread((value / 1e3 for value in of(group, "packed_bytes")), 0),
                    spread(of(group, "ratio"), 1),
                ]
            )
    head = ("source", "base", "widths", "seeds", "accuracy, validation", "accuracy, test", "minus float")
    last = ("all background, test", "Dice, validation", "Dice, test", "mean bits", "size in kB", "times smaller")
    return table((*head, *last), rows)


def _percent(values: Sequence[float]) -> str:
    return spread((100 * value for value in values), 1)


def _signed(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):+.2f}"
