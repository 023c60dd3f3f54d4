"""What docs/science.md claims: each claim is a sentence, a difference of the results, and a rule that judges it.

One comparison is the primary one. All others are exploratory: they were chosen after their results were seen, and no
interval is corrected for how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks import pooled_folds
from benchmarks.intervals import Difference
from benchmarks.pooled_folds import Pooled
from benchmarks.science_compare import by_seed, difference, from_start, over_uniform, paired, unpaired, working
from benchmarks.science_runs import BUSI, Part, Run
from benchmarks.science_text import NOTHING, cell, table

BUSI_IMAGE = (BUSI[0], "image", BUSI[2])
WIDER = (BUSI[0], "group", "wearable16")
NUCLEI = ("dsb2018_nuclei_128.npz", "group", "wearable")
RETINA = ("chase_db1_128.npz", "group", "wearable")
PATIENTS = ("busbra_128.npz, float_epochs=25 qat_epochs=12 tune_epochs=5", "group", "wearable")
SCANNERS = ("busbra_128.npz, float_epochs=25 qat_epochs=12 scanners=True tune_epochs=5", "group", "wearable")
WIDER_PATIENTS = (*PATIENTS[:2], "wearable16")
WIDEST_PATIENTS = (*PATIENTS[:2], "wearable32")
BUSI_SCANNERS = (f"{BUSI[0]}, scanners=True", *BUSI[1:])
RETINA_LONGER = (f"{RETINA[0]}, float_epochs=75 qat_epochs=38 tune_epochs=15", *RETINA[1:])

MARGIN = 0.01
"""Of Dice: what a network may lose against float at most, by the aim that the project was given."""

Rule = Literal["above", "below", "differs"]
Find = Callable[["Results"], "Difference | None"]


@dataclass(frozen=True)
class Results:
    """All rows.

    Attributes:
        runs: Of ``runs.csv``.
        pooled: Of ``patients.csv``, where there is one.
        away: Scores on the images of another hospital, by pair of data sets (:func:`other_hospital.read_all`).
    """

    runs: Sequence[Run]
    pooled: Pooled | None = None
    away: Mapping[str, Pooled] = field(default_factory=dict)

    def at(self, place: tuple[str, str, str], *methods: str) -> list[Run]:
        """The runs of a place and of some methods; without a method, all with learned widths and the usual loss."""
        here = [run for run in self.runs if run.place == place]
        if methods:
            return [run for run in here if run.method in methods]
        return [run for run in here if run.bits == "learned" and run.values["distil"]]


@dataclass(frozen=True)
class Claim:
    """A sentence and what decides it.

    Attributes:
        text: The sentence.
        data: What it is about: data set and part.
        find: Makes the difference.
        rule: Whether it must lie above the bound, below it, or off it.
        bound: The bound.
        primary: Whether this is the one comparison that is not exploratory.
    """

    text: str
    data: str
    find: Find
    rule: Rule
    bound: float = 0.0
    primary: bool = False

    def verdict(self, found: Difference | None) -> str:
        """``shown`` or ``contradicted`` where the whole interval says so, else why not.

        >>> claim = Claim("", "", lambda results: None, "above", -0.01)
        >>> claim.verdict(Difference(0.0, -0.005, 0.005, 3)), claim.verdict(Difference(0.0, -0.02, 0.02, 3))
        ('shown', 'not shown')
        >>> claim.verdict(Difference(-0.03, -0.04, -0.02, 3)), claim.verdict(Difference(0.0, 0.0, 0.0, 2))
        ('contradicted', 'not shown: n = 2')
        """
        if found is None:
            return "no runs"
        if not found.is_interval:
            return f"not shown: n = {found.count}"
        above, below = found.low > self.bound, found.high < self.bound
        if self.rule == "differs":
            return "shown" if above or below else "not shown"
        holds, fails = (above, below) if self.rule == "above" else (below, above)
        return "shown" if holds else "contradicted" if fails else "not shown"


def _against(place: tuple[str, str, str], method: str, other: str, part: Part = "test") -> Find:
    return lambda found: _paired(found.at(place, method), found.at(place, other), part)


def _paired(left: Sequence[Run], right: Sequence[Run], part: Part = "test") -> Difference | None:
    return difference(left, paired(left, right, part))


def _start(place: tuple[str, str, str], method: str) -> Find:
    def find(found: Results) -> Difference | None:
        runs = found.at(place, method)
        return difference(runs, from_start(runs))

    return find


def _uniform(place: tuple[str, str, str], cost: str, part: Part, *methods: str) -> Find:
    """Learned widths minus uniform ones at equal cost."""

    def find(found: Results) -> Difference | None:
        learned = found.at(place, *methods)
        fixed = [run for run in found.runs if run.place == place and run.uniform]
        return difference(learned, over_uniform(learned, working(fixed, found.at(place, "float")), cost, part))

    return find


def _patients(
    place: tuple[str, str, str],
    method: str,
    other: str | None = None,
    beside: tuple[str, str, str] | None = None,
    away: str | None = None,
) -> Find:
    """A network of a cross-validation minus another one, or minus uniform ones of its size, image by image.

    The other one may stand ``beside`` it, in trainings of other settings; and the images may be those of a pair of data
    sets, on which both are ``away`` from home.
    """

    def find(found: Results) -> Difference | None:
        runs = found.at(place, method)
        pooled = found.pooled if away is None else found.away.get(away)
        others = [] if other is None else found.at(beside or place, other)
        if pooled is None or not runs or pooled_folds.network_of(runs[0]) not in pooled.scores:
            return None
        one = pooled_folds.network_of(runs[0])
        if other is None:
            of_images = pooled_folds.at_equal_size(pooled, found.runs, one)
        else:
            name = pooled_folds.network_of(others[0]) if others else None
            of_images = pooled_folds.compare(pooled, one, name) if name in pooled.scores else None
        if of_images is None:
            return None
        return Difference(of_images.difference, of_images.low, of_images.high, of_images.groups)

    return find


def _further(home: Find, away: Find) -> Find:
    """A difference away from home minus that at home; other patients, so that the intervals add as variances do."""

    def find(found: Results) -> Difference | None:
        here, there = home(found), away(found)
        return None if here is None or there is None else there.minus_independent(here)

    return find


def _leaked(method: str, key: str) -> Find:
    return lambda found: unpaired(found.at(BUSI_IMAGE, method), found.at(BUSI, method), key)


def _bits(method: str) -> Find:
    """Mean bits in the longer schedule of the retina minus those in the usual one."""

    def find(found: Results) -> Difference | None:
        usual = {run.sample: run.values["mean_bits_layers"] for run in found.at(RETINA, method)}
        longer = [run for run in found.at(RETINA_LONGER, method) if run.sample in usual]
        return difference(longer, by_seed((r.sample, r.values["mean_bits_layers"] - usual[r.sample]) for r in longer))

    return find


_HALF, _ONE, _QUARTER, _TENTH = (f"lambda{factor}_layers" for factor in ("0.5", "1", "0.25", "0.1"))
_THREE = f"{_QUARTER}_target3"
_RANGES = "_range_learned_rangelr0.01"
_CHANNELS = "uniform3_range_channels_rangelr0.01"
_THREE_RANGES = f"{_THREE}{_RANGES}"
_SIZE = "packed_bytes"
_TO_BUSI, _TO_BUSBRA = "busbra_128_on_busi_128", "busi_128_on_busbra_128"

CLAIMS = (
    Claim(
        "Learned widths (λ 0.5) have a higher Dice than uniform widths of the same packed size.",
        "BUSI, test", _uniform(BUSI, _SIZE, "test", _HALF), "above", primary=True,
    ),
    Claim(
        "The same for patients, each image tested once (n is their number).",
        "BUS-BRA, 4 folds", _patients(PATIENTS, _HALF), "above", primary=True,
    ),
    Claim(
        "Learned widths (λ 0.5) lose less than 0.01 Dice against the float control.",
        "BUS-BRA, 4 folds", _patients(PATIENTS, _HALF, "float"), "above", -MARGIN,
    ),
    Claim(
        "Uniform 4 bits lose less than 0.01 Dice against the float control.",
        "BUS-BRA, 4 folds", _patients(PATIENTS, "uniform4", "float"), "above", -MARGIN,
    ),
    Claim(
        "Uniform 3 bits do so as well.",
        "BUS-BRA, 4 folds", _patients(PATIENTS, "uniform3", "float"), "above", -MARGIN,
    ),
    Claim(
        "Widths that are learned down to a mean of 3 bits, ranges of the weights too, lose less than 0.01 against it.",
        "BUS-BRA, 4 folds", _patients(PATIENTS, _THREE_RANGES, "float"), "above", -MARGIN,
    ),
    Claim(
        "Without learned ranges they do so as well.",
        "BUS-BRA, 4 folds", _patients(PATIENTS, _THREE, "float"), "above", -MARGIN,
    ),
    Claim(
        "At a mean of 3 bits, learned ranges give a higher Dice than those of the largest weight.",
        "BUS-BRA, 4 folds", _patients(PATIENTS, _THREE_RANGES, _THREE), "above",
    ),
    Claim(
        "Learned ranges give λ 0.5, at fewer bits, a higher Dice as well.",
        "BUS-BRA, 4 folds", _patients(PATIENTS, f"{_HALF}{_RANGES}", _HALF), "above",
    ),
    Claim(
        "λ 0.5 with learned ranges loses less than 0.01 against the float control.",
        "BUS-BRA, 4 folds", _patients(PATIENTS, f"{_HALF}{_RANGES}", "float"), "above", -MARGIN,
    ),
    Claim(
        "Uniform 3 bits gain by learned ranges as well.",
        "BUS-BRA, 4 folds", _patients(PATIENTS, f"uniform3{_RANGES}", "uniform3"), "above",
    ),
    Claim(
        "With a learned range for each channel instead of each tensor they gain more, and take 323 instead of 183 kB.",
        "BUS-BRA, 3 folds", _patients(PATIENTS, _CHANNELS, f"uniform3{_RANGES}"), "above",
    ),
    Claim(
        "With learned ranges, a mean of 3 bits has a higher Dice than 3 bits everywhere.",
        "BUS-BRA, 4 folds", _patients(PATIENTS, _THREE_RANGES, f"uniform3{_RANGES}"), "above",
    ),
    Claim(
        "Training on images as other scanners show them costs Dice at home, in float.",
        "BUS-BRA, 4 folds", _patients(SCANNERS, "float", "float", beside=PATIENTS), "below",
    ),
    Claim(
        "It costs learned widths (λ 0.5) Dice as well.",
        "BUS-BRA, 4 folds", _patients(SCANNERS, _HALF, _HALF, beside=PATIENTS), "below",
    ),
    Claim(
        "Twice the channels (base 16) give a higher Dice than base 8, in float.",
        "BUS-BRA, 2 folds", _patients(WIDER_PATIENTS, "float", "float", beside=PATIENTS), "above",
    ),
    Claim(
        "They give learned widths (λ 0.5) a higher Dice as well.",
        "BUS-BRA, 2 folds", _patients(WIDER_PATIENTS, _HALF, _HALF, beside=PATIENTS), "above",
    ),
    Claim(
        "Four times the channels (base 32) give a higher Dice than base 8, in float.",
        "BUS-BRA, 1 fold", _patients(WIDEST_PATIENTS, "float", "float", beside=PATIENTS), "above",
    ),
    Claim(
        "They give learned widths (λ 0.5) a higher Dice as well.",
        "BUS-BRA, 1 fold", _patients(WIDEST_PATIENTS, _HALF, _HALF, beside=PATIENTS), "above",
    ),
    Claim(
        "Learned widths (λ 0.5) of base 32 lose less than 0.01 Dice against their float control.",
        "BUS-BRA, 1 fold", _patients(WIDEST_PATIENTS, _HALF, "float"), "above", -MARGIN,
    ),
    Claim(
        "On the images of another hospital learned widths (λ 0.5) lose Dice against the float control.",
        "BUS-BRA to BUSI", _patients(PATIENTS, _HALF, "float", away=_TO_BUSI), "below",
    ),
    Claim(
        "They lose more there than at home.",
        "BUS-BRA to BUSI",
        _further(_patients(PATIENTS, _HALF, "float"), _patients(PATIENTS, _HALF, "float", away=_TO_BUSI)), "below",
    ),
    Claim(
        "Uniform 4 bits lose less than 0.01 there.",
        "BUS-BRA to BUSI", _patients(PATIENTS, "uniform4", "float", away=_TO_BUSI), "above", -MARGIN,
    ),
    Claim(
        "Training on images as other scanners show them gives a higher Dice on another hospital's, in float.",
        "BUS-BRA to BUSI", _patients(SCANNERS, "float", "float", beside=PATIENTS, away=_TO_BUSI), "above",
    ),
    Claim(
        "It gives networks of learned widths one (λ 0.5; without it, with learned ranges).",
        "BUSI to BUS-BRA", _patients(BUSI_SCANNERS, _HALF, f"{_HALF}{_RANGES}", beside=BUSI, away=_TO_BUSBRA), "above",
    ),
    Claim(
        "Learned widths (λ 0.5) that were trained so lose Dice there against their float control.",
        "BUSI to BUS-BRA", _patients(BUSI_SCANNERS, _HALF, "float", away=_TO_BUSBRA), "below",
    ),
    Claim(
        "Learned widths (λ 0.5) have a higher Dice than uniform ones of their size on the part that chose the epoch.",
        "BUSI, validation", _uniform(BUSI, _SIZE, "val", _HALF), "above",
    ),
    Claim(
        "Learned widths, over all λ, have a higher Dice than uniform widths of the same packed size.",
        "BUSI, test", _uniform(BUSI, _SIZE, "test"), "above",
    ),
    Claim(
        "The same on the part that chose the epoch.",
        "BUSI, validation", _uniform(BUSI, _SIZE, "val"), "above",
    ),
    Claim(
        "The same at equal Σ MAC·bits·bits.",
        "BUSI, test", _uniform(BUSI, "mac_bits", "test"), "above",
    ),
    Claim(
        "The same at equal mean bits.",
        "BUSI, test", _uniform(BUSI, "mean_bits_layers", "test"), "above",
    ),
    Claim(
        "Learned widths (λ 0.5) lose less than 0.01 Dice against the float control.",
        "BUSI, test", _against(BUSI, _HALF, "float"), "above", -MARGIN,
    ),
    Claim(
        "The same on the part that chose the epoch.",
        "BUSI, validation", _against(BUSI, _HALF, "float", "val"), "above", -MARGIN,
    ),
    Claim(
        "Learned widths (λ 0.5) lose less than 0.01 Dice against the float warm start.",
        "BUSI, test", _start(BUSI, _HALF), "above", -MARGIN,
    ),
    Claim(
        "Learned widths (λ 1) lose less than 0.01 Dice against the float control.",
        "BUSI, test", _against(BUSI, _ONE, "float"), "above", -MARGIN,
    ),
    Claim(
        "The same on the part that chose the epoch.",
        "BUSI, validation", _against(BUSI, _ONE, "float", "val"), "above", -MARGIN,
    ),
    Claim(
        "Uniform 4 bits lose Dice against the float control.",
        "BUSI, test", _against(BUSI, "uniform4", "float"), "below",
    ),
    Claim(
        "Uniform 3 bits lose Dice against the float control.",
        "BUSI, test", _against(BUSI, "uniform3", "float"), "below",
    ),
    Claim(
        "Uniform 3 bits lose Dice against the float warm start.",
        "BUSI, test", _start(BUSI, "uniform3"), "below",
    ),
    Claim(
        "Uniform 2 bits lose Dice against the float control.",
        "BUSI, test", _against(BUSI, "uniform2", "float"), "below",
    ),
    Claim(
        "Uniform 3 bits that come down from 8 bits in half of the epochs are worse than those that are there at once.",
        "BUSI, test", _against(BUSI, "uniform3_descent10", "uniform3"), "below",
    ),
    Claim(
        "Uniform 4 bits that come down so are worse as well.",
        "retina, longer schedule, test", _against(RETINA_LONGER, "uniform4_descent19", "uniform4"), "below",
    ),
    Claim(
        "It makes a difference whether λ 0.5 is weighted by layers or λ 1 by MACs.",
        "BUSI, test", _against(BUSI, "lambda1_macs", _HALF), "differs",
    ),
    Claim(
        "More bits (λ 0.1 instead of 0.5) give a higher Dice.",
        "BUSI, test", _against(BUSI, _TENTH, _HALF), "above",
    ),
    Claim(
        "Learning from the float network as well (distillation, λ 0.25) makes a difference.",
        "BUSI, test", _against(BUSI, _QUARTER, f"{_QUARTER}_distil0"), "differs",
    ),
    Claim(
        "Twice the channels (base 16, λ 0.5) give a higher Dice than base 8.",
        "BUSI, test", lambda found: _paired(found.at(WIDER, _HALF), found.at(BUSI, _HALF)), "above",
    ),
    Claim(
        "A split by image raises the Dice of images with a near duplicate (λ 0.5).",
        "BUSI, test", _leaked(_HALF, "final_test_grouped_dice"), "above",
    ),
    Claim(
        "It does so for the float control.",
        "BUSI, test", _leaked("float", "final_test_grouped_dice"), "above",
    ),
    Claim(
        "A split by image raises the Dice of images without a near duplicate (λ 0.5).",
        "BUSI, test", _leaked(_HALF, "final_test_single_dice"), "above",
    ),
    Claim(
        "Learned widths (λ 0.5) lose less than 0.01 Dice against the float control.",
        "nuclei, test", _against(NUCLEI, _HALF, "float"), "above", -MARGIN,
    ),
    Claim(
        "Learned widths (λ 0.5) lose Dice against the float control.",
        "retina, test", _against(RETINA, _HALF, "float"), "below",
    ),
    Claim(
        "They have a higher Dice than uniform widths of the same packed size.",
        "retina, test", _uniform(RETINA, _SIZE, "test", _HALF), "above",
    ),
    Claim(
        "With the longer schedule, λ 0.5 ends at fewer bits (the differences are mean bits).",
        "retina", _bits(_HALF), "below",
    ),
    Claim(
        "Learned widths (λ 0.1) lose less than 0.01 Dice against the float control.",
        "retina, longer schedule, test", _against(RETINA_LONGER, _TENTH, "float"), "above", -MARGIN,
    ),
    Claim(
        "Learned widths (λ 0.5) do so as well.",
        "retina, longer schedule, test", _against(RETINA_LONGER, _HALF, "float"), "above", -MARGIN,
    ),
    Claim(
        "Learned widths (λ 0.1) have a higher Dice than uniform widths of the same mean bits.",
        "retina, longer schedule, test", _uniform(RETINA_LONGER, "mean_bits_layers", "test", _TENTH), "above",
    ),
)  # fmt: skip
"""Every claim, the primary one first."""


def claims(results: Results, every: Iterable[Claim] = CLAIMS) -> str:
    """One row for each claim: data, number of seeds or of patients, difference with its interval, and verdict."""
    rows = []
    for claim in every:
        found = claim.find(results)
        kind = "primary" if claim.primary else "exploratory"
        count = NOTHING if found is None else found.count
        rows.append([claim.text, kind, claim.data, count, cell(found), claim.verdict(found)])
    return table(("claim", "kind", "data", "n", "difference", "verdict"), rows)
