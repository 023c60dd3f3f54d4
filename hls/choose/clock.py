"""The clock that a folding reaches when it is placed and routed, by a model that was fitted to routed designs.

The period of a network is taken for a sum of three. One is a constant. One is for the adders of the widest sum of
products: a product is a sum of as many rows as its narrower factor has bits, and the doublings of all rows of a sum are
the levels of adders in the two stages that multiply and add. One is for wires, which become as long as the side of the
square that the design's LUT places fill. What each takes was fitted by ``benchmarks/calibrate_clock.py`` to whole
networks in an LFE5U-85F of speed grade 6, and stands in ``clock_model.json`` with the errors on designs that the fit
had not seen. It says nothing of larger designs than were routed. Where sums are narrower than those of the fit, other
paths decide: such a design is taken for no faster than the slowest of its kind that was routed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from quantunet.documents import Fields, read_json
from quantunet.errors import FoldingError
from quantunet.hls.choose.estimate import estimate
from quantunet.hls.folding import Folding
from quantunet.hls.matrix import folded
from quantunet.hls.resources.terms import Cost
from quantunet.ir import MatrixNode

if TYPE_CHECKING:
    from quantunet.hls.choose.solver import Solution

MODEL = Path(__file__).with_name("clock_model.json")
"""What the calibration wrote."""

FORMAT = "quantunet-clock-2"

FEATURES = ("levels", "side")
"""Of a design: levels of adders of its widest sum of products, and the square root of its LUT places."""

ROUNDS = 8
"""A folding follows from a clock and the clock from the folding: so many times at most."""

BEYOND = 1.2
"""Factor of LUT places by which a design may be larger than those that were routed."""

_MOST_NS = 1000.0

_HINT = "State the clock: --clock-mhz (or --freq) with what place and route has reached, or what you will ask it for."


@dataclass(frozen=True)
class ClockModel:
    """The fitted model.

    Attributes:
        base_ns: Nanoseconds of every period.
        ns: Nanoseconds of one unit of each feature.
        fewer_ns: Period of the slowest routed design with fewer levels than those of the fit.
        ranges: Least and most of each feature in the fit.
        designs: Number of designs.
        median: Median relative error of a clock by a fit that had not seen its design.
        worst: The worst.
    """

    base_ns: float
    ns: Mapping[str, float]
    fewer_ns: float
    ranges: Mapping[str, tuple[float, float]]
    designs: int
    median: float
    worst: float

    def mhz(self, features: Mapping[str, float]) -> float:
        """Return the clock in MHz of a design with such features.

        What is smaller than the least of the fit is taken for it, and is no faster.

        Raises:
            FoldingError: A feature is more than was routed.
        """
        period = self.base_ns
        for name, (least, high) in self.ranges.items():
            most = high * (math.sqrt(BEYOND) if name == "side" else 1.0)
            if features[name] > most:
                raise FoldingError(
                    "clock",
                    expected=f"a design like those that were routed, with at most {_words(name, most)}",
                    got=_words(name, features[name]),
                    hint=_HINT,
                )
            period += self.ns[name] * max(features[name], least)
        return 1000 / (max(period, self.fewer_ns) if features["levels"] < self.ranges["levels"][0] else period)

    def least_mhz(self, features: Mapping[str, float]) -> float:
        """Return the clock less the worst error: no design that a fit had not seen fell short of it."""
        return self.mhz(features) * (1 - self.worst)


def _words(name: str, value: float) -> str:
    return f"{value**2:,.0f} LUT places" if name == "side" else f"{value:.1f} levels of adders"


@lru_cache(maxsize=1)
def clock_model(path: Path = MODEL) -> ClockModel:
    """Read the model.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is damaged.
    """
    what = f"a model of the clock in the format {FORMAT}"
    document = Fields(read_json(path, what), str(path))
    document.choice("format", (FORMAT,))
    ns, errors, ranges = (document.table(name) for name in ("ns", "errors", "ranges"))
    ends = {name: ranges.table(name) for name in FEATURES}
    return ClockModel(
        base_ns=document.number("base_ns", -_MOST_NS, _MOST_NS),
        ns={name: ns.number(name, 0, _MOST_NS) for name in FEATURES},
        fewer_ns=document.number("fewer_ns", 0, _MOST_NS),
        ranges={name: (found.number("least", 0, 1e4), found.number("most", 0, 1e4)) for name, found in ends.items()},
        designs=document.whole("designs", 1, 10_000),
        median=errors.number("median", 0, 1),
        worst=errors.number("worst", 0, 1),
    )


def features_of(folding: Folding, places: int | None = None) -> dict[str, float]:
    """Return what the model asks of a design.

    Args:
        folding: The fold of every layer.
        places: LUT places of the whole design; ``None`` takes the estimate.

    Raises:
        FoldingError: A layer has the style ``constant``, of which nothing was routed, or no layer multiplies.
    """
    rows = []
    for node in folding.graph.nodes:
        fold = folding[node.name]
        if not isinstance(node, MatrixNode):
            continue
        if fold.style == "constant":
            raise FoldingError(node.name, expected="a style of which designs were routed", got=fold.style, hint=_HINT)
        p = folded.parameters(folding.graph, node, fold)
        of_product = 1 if fold.style == "folded-dsp" else min(int(p["WeightBits"]), int(p["InBits"]))
        rows.append(int(p["Simd"]) * of_product)
    if not rows:
        raise FoldingError("clock", expected="a layer that multiplies", got="none", hint=_HINT)
    if places is None:
        places = sum((item.cost for item in estimate(folding.graph, folding)), Cost()).lut
    return {"levels": math.log2(max(rows)), "side": math.sqrt(places)}


def fold_for_rate(fps: float, solve: Callable[[int], Solution], start: Folding) -> Solution:
    """Return the folding of a frame rate, whose interval follows from the clock that it should reach.

    Args:
        fps: Frames a second.
        solve: Returns the folding of a frame interval.
        start: Its clock is the first guess.

    Raises:
        FoldingError: The model does not know such designs, or no clock and folding agree.
    """
    model = clock_model()
    mhz = model.least_mhz(features_of(start))
    for _ in range(ROUNDS):
        found = solve(int(mhz * 1e6 / fps))
        if found.excess:
            return found
        reached = model.least_mhz(features_of(found.folding, found.total.lut))
        if reached * 1e6 / found.interval >= fps:
            return found
        mhz = min(reached, mhz * 0.99)
    raise FoldingError(
        "clock",
        expected=f"a folding that makes {fps:g} frames a second at the clock that it reaches",
        got=f"none in {ROUNDS} searches: each one needs a faster clock than it has",
        hint=_HINT,
    )
