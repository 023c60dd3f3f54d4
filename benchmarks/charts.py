"""Scaling as charts: time against multiplications, area against multipliers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.rows import Row
from quantunet.storage import atomic_path


@dataclass(frozen=True)
class Chart:
    """A chart: which rows, and what its axes say.

    Attributes:
        plot: What :attr:`Row.plot` says.
        title: Headline.
        across: The horizontal axis.
        up: The vertical axis.
    """

    plot: str
    title: str
    across: str
    up: str


CHARTS = (
    Chart("time", "Time of one layer and one frame", "multiplications of the layer", "seconds"),
    Chart("area", "Area of one layer, L16 (3x3, 16 to 16 channels, 4/4 bits), ECP5", "PE x SIMD", "LUTeq"),
)


def draw(rows: Sequence[Row], folder: Path) -> list[str]:
    """Draw every chart that has rows, as ``<plot>.svg``.

    Returns:
        The names of the files.

    Raises:
        StorageError: A file cannot be written.
    """
    mpl.rcParams["svg.hashsalt"] = "quantunet"
    names = []
    for chart in CHARTS:
        found = [row for row in rows if row.plot == chart.plot]
        if not found:
            continue
        drawing = Figure(figsize=(7, 4.5), layout="constrained")
        axes = drawing.subplots()
        for series in dict.fromkeys(row.series for row in found):
            points = sorted((row.size, row.value) for row in found if row.series == series)
            axes.loglog(*zip(*points, strict=True), marker="o", markersize=4, linestyle="none", label=series)
        axes.set(title=chart.title, xlabel=chart.across, ylabel=chart.up)
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend()
        name = f"{chart.plot}.svg"
        with atomic_path(folder / name) as temporary:
            drawing.savefig(temporary, format="svg", metadata={"Date": None})
        names.append(name)
    return names
