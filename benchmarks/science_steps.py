"""Where learned widths end with more steps: the same λ, seed and float network, QAT of different lengths."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.science_runs import BUSI, Run
from benchmarks.science_text import NOTHING, table
from quantunet.model.config import TrainConfig

_LENGTH = re.compile(r"qat_epochs=(\d+)")


def epochs_of(run: Run) -> int | None:
    """Return the epochs of a run's QAT; ``None`` where it has other settings than usual beside them."""
    if not run.settings:
        return TrainConfig.qat_epochs
    found = _LENGTH.fullmatch(run.settings)
    return int(found[1]) if found else None


def steps(runs: Sequence[Run]) -> str:
    """A row for each λ and seed of which longer trainings are there: bits, size and Dice by the epochs of QAT."""
    data, split_by, preset = BUSI
    found: dict[tuple[float, int], dict[int, Run]] = {}
    for run in runs:
        epochs = epochs_of(run)
        here = (run.data, run.split_by, run.preset) == (data, split_by, preset)
        if here and epochs is not None and run.method == f"lambda{run.factor:g}_layers":
            found.setdefault((run.factor, run.seed), {})[epochs] = run
    found = {key: lengths for key, lengths in found.items() if len(lengths) > 1}
    every = sorted({epochs for lengths in found.values() for epochs in lengths})
    rows: list[list[object]] = []
    for (factor, seed), lengths in sorted(found.items()):
        rows.append([f"{factor:g}", seed, *(_cell(lengths.get(epochs)) for epochs in every)])
    return table(("λ", "seed", *(f"{epochs} epochs of QAT" for epochs in every)), rows)


def _cell(run: Run | None) -> str:
    if run is None:
        return NOTHING
    kilobytes = run.values["packed_bytes"] / 1e3
    return (
        f"{run.values['mean_bits_layers']:.2f} bits, {kilobytes:.0f} kB; {run.dice('val'):.3f}, {run.dice('test'):.3f}"
    )
