"""Fits the model of the clock to routed designs: ``python -m benchmarks.calibrate_clock``.

The designs are those of ``benchmarks/routed_designs.json`` (``python -m benchmarks.route_designs``). The clock of a
design is the median of its seeds. Its period is fitted by least squares, without negative coefficients of the features,
and the error that is reported is that of each design by a fit to all others. Designs whose sums are narrow are no part
of the fit, because other paths than adders decide how fast they are: the slowest of them bounds all of that kind.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.calibrate_cost import nonnegative_least_squares
from benchmarks.route_designs import ROUTED, Routed, read
from quantunet.errors import FileFormatError
from quantunet.hls.choose.clock import FEATURES, FORMAT, MODEL, ClockModel
from quantunet.storage import write_text

logger = logging.getLogger(__name__)

LEAST_LEVELS = 3.5
"""Levels of adders from which on they decide the clock."""

LEAST_DESIGNS = len(FEATURES) + 2
"""With fewer designs, a fit to all but one of them would meet each of the others."""


def features(row: Routed) -> dict[str, float]:
    """Return the features of a routed design."""
    return {"levels": row.levels, "side": math.sqrt(row.places)}


def fit(rows: Sequence[Routed]) -> tuple[float, dict[str, float]]:
    """Return the constant and what one unit of each feature takes, in ns.

    Features are counted from the least of each, so that the constant, the period of the simplest design, is positive
    too.
    """
    least = {name: min(features(row)[name] for row in rows) for name in FEATURES}
    matrix = np.array([[1.0, *(features(row)[name] - least[name] for name in FEATURES)] for row in rows])
    found = nonnegative_least_squares(matrix, np.array([period(row) for row in rows]), 200_000)
    ns = dict(zip(FEATURES, found[1:].tolist(), strict=True))
    return float(found[0]) - sum(ns[name] * least[name] for name in FEATURES), ns


def period(row: Routed) -> float:
    """Return the period that a design reaches in the median of its seeds, in ns."""
    return 1000 / median(row.mhz.values())


def calibrate(every: Sequence[Routed]) -> tuple[ClockModel, list[Routed], list[float]]:
    """Fit the model, and predict every design of the fit by one that has not seen it.

    Returns:
        The model, the designs of its fit, and the predictions of these in MHz.

    Raises:
        FileFormatError: There are too few designs.
    """
    rows = [row for row in every if row.levels >= LEAST_LEVELS]
    fewer = [period(row) for row in every if row.levels < LEAST_LEVELS]
    if len(rows) < LEAST_DESIGNS or not fewer:
        raise FileFormatError(
            str(ROUTED),
            expected=f"at least {LEAST_DESIGNS} designs of {LEAST_LEVELS} levels of adders or more, and one of fewer",
            got=f"{len(rows)} and {len(fewer)}",
        )
    predictions = []
    for index, row in enumerate(rows):
        base, ns = fit([*rows[:index], *rows[index + 1 :]])
        predictions.append(1000 / (base + sum(ns[name] * features(row)[name] for name in FEATURES)))
    errors = [abs(mhz * period(row) / 1000 - 1) for mhz, row in zip(predictions, rows, strict=True)]
    base, ns = fit(rows)
    ranges = {name: _range([features(row)[name] for row in rows]) for name in FEATURES}
    return ClockModel(base, ns, max(fewer), ranges, len(rows), median(errors), max(errors)), rows, predictions


def _range(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def document(model: ClockModel) -> Mapping[str, Any]:
    """Return the model as the file that ``quantunet fold`` reads."""
    return {
        "format": FORMAT,
        "device": "LFE5U-85F, speed grade 6",
        "designs": model.designs,
        "base_ns": round(model.base_ns, 4),
        "ns": {name: round(value, 4) for name, value in model.ns.items()},
        "fewer_ns": round(model.fewer_ns, 4),
        "ranges": {
            name: {"least": math.floor(100 * low) / 100, "most": math.ceil(100 * high) / 100}
            for name, (low, high) in model.ranges.items()
        },
        "errors": {"median": round(model.median, 4), "worst": round(model.worst, 4)},
    }


def table(rows: Sequence[Routed], predictions: Sequence[float]) -> str:
    """Return the table for the documents."""
    lines = ["| design | LUT places | levels of adders | seeds | MHz, median | by a fit to the others | error |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row, mhz in zip(rows, predictions, strict=True):
        reached = 1000 / period(row)
        figures = f"{row.places:,} | {row.levels:.1f} | {len(row.mhz)} | {reached:.1f} | {mhz:.1f}"
        lines.append(f"| {row.name} | {figures} | {100 * (mhz / reached - 1):+.1f} % |")
    return "\n".join(lines)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=Path, default=ROUTED, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=MODEL, help="the model (default: %(default)s)")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model, rows, predictions = calibrate(read(args.designs))
    write_text(args.out, json.dumps(document(model), indent=1) + "\n")
    logger.info("%s", table(rows, predictions))
    logger.info("%d designs: median error %.1f %%, worst %.1f %%", len(rows), 100 * model.median, 100 * model.worst)
    logger.info("with fewer levels at most %.1f MHz", 1000 / model.fewer_ns)


if __name__ == "__main__":
    main()
