"""The charts of docs/science.md: cost against Dice, widths over the epochs, widths of each layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from benchmarks.science_runs import BUSI, Run, by_place, places_with_uniform
from quantunet.model.results import Row, split_widths
from quantunet.storage import atomic_path

_COLOURS = ("tab:gray", "tab:green", "tab:blue", "tab:orange")

_WORST_SHOWN = -0.12
"""The least Dice minus that of the control that the chart has room for; below, it is written."""


def draw(runs: Sequence[Run], widths: Sequence[Row], folder: Path) -> list[str]:
    """Draw ``trajectories.png``, ``layers.png`` and, where there are uniform networks, ``front.png``.

    Returns:
        The names of the files.

    Raises:
        StorageError: A file cannot be written.
    """
    busi = [run for run in runs if run.place == BUSI]
    compared = places_with_uniform(runs)
    figures = {"front.png": _front(compared)} if compared else {}
    figures |= {
        "trajectories.png": _trajectories(busi, widths),
        "layers.png": _layers(runs, widths),
    }
    for name, figure in figures.items():
        with atomic_path(folder / name) as temporary:
            figure.savefig(temporary, format="png", dpi=130, metadata={"Software": None})
    return list(figures)


def _front(places: Mapping[tuple[str, str, str], Sequence[Run]]) -> Figure:
    """Dice minus that of the float control, against cost and against mean bits; a row of panels for each place.

    Seeds have other images in their test parts, so that only differences within a seed can be compared. A point is a
    training, a line joins the means over seeds.
    """
    figure = Figure(figsize=(10, 0.6 + 3.6 * len(places)), layout="constrained")
    panels: NDArray[np.object_] = figure.subplots(len(places), 2, sharex="col", squeeze=False)
    for row, ((data, _, _), runs) in zip(panels, places.items(), strict=True):
        _plot_front(row, runs)
        row[0].set(xscale="log", ylabel="Dice minus float control, test part")
        row[0].set_title(data, loc="left", fontsize="medium")
    panels[-1][0].set(xlabel="Σ MAC · weight bits · input bits of an image")
    panels[-1][1].set(xlabel="mean bits over layers")
    # One legend for all panels: not every kind of network occurs in each.
    kinds = {line.get_label(): line for axes in panels[:, 0] for line in axes.get_legend_handles_labels()[0]}
    figure.legend(handles=list(kinds.values()), fontsize="small", loc="outside lower center", ncols=3)
    figure.suptitle("A point is one training, a line joins the means over its seeds")
    return figure


def _plot_front(panels: Iterable[Axes], runs: Sequence[Run]) -> None:
    control = {run.seed: run.dice() for run in runs if run.bits == "float"}
    compared = [run for run in runs if run.seed in control and run.bits != "float"]
    series = {
        "uniform widths": [run for run in compared if run.uniform],
        "uniform widths, from 8 bits": [run for run in compared if run.method.startswith(f"uniform{run.bits}_descent")],
        "learned, λ weighted by layers": [run for run in compared if run.method == f"lambda{run.factor:g}_layers"],
        "learned, λ weighted by MACs": [run for run in compared if run.method == f"lambda{run.factor:g}_macs"],
    }
    for axes, cost in zip(panels, ("mac_bits", "mean_bits_layers"), strict=True):
        failed: list[tuple[str, str, float]] = []
        for (label, these), colour in zip(series.items(), _COLOURS, strict=True):
            points = [(run.method, run.values[cost], run.dice() - control[run.seed]) for run in these]
            if points:
                axes.plot([x for _, x, _ in points], [y for _, _, y in points], ".", color=colour, alpha=0.5)
                axes.plot(*zip(*sorted(_means(points).values()), strict=True), color=colour, label=label)
            means = _means([point for point in points if point[2] < _WORST_SHOWN])
            failed += [(f"{method}: {y:+.2f}", colour, x) for method, (x, y) in means.items()]
        # Networks that have failed would flatten all the others: they are written, one above another.
        for row, (note, colour, x) in enumerate(failed):
            offset = (0, 2 + 10 * row)
            axes.annotate(
                note, (x, _WORST_SHOWN), xytext=offset, textcoords="offset points", color=colour, fontsize="small"
            )
        axes.axhline(0, color="black", linestyle="--", label="float control")
        axes.grid(visible=True, alpha=0.3)
        axes.set_ylim(bottom=max(_WORST_SHOWN, axes.get_ylim()[0]))


def _means(points: Sequence[tuple[str, float, float]]) -> dict[str, tuple[float, float]]:
    """Mean cost and mean difference of each method."""
    groups = {method: [(x, y) for name, x, y in points if name == method] for method, _, _ in points}
    means = {method: np.mean(group, axis=0) for method, group in groups.items()}
    return {method: (float(x), float(y)) for method, (x, y) in means.items()}


def _trajectories(runs: Sequence[Run], widths: Sequence[Row]) -> Figure:
    """Mean width and Dice after each epoch in which widths are learned, a line for each training."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    panels: Sequence[Axes] = figure.subplots(1, 2)
    learned = [run for run in runs if run.method == f"lambda{run.factor:g}_layers"]
    for number, factor in enumerate(sorted({run.factor for run in learned})):
        label: str | None = f"λ {factor:g}"
        for run in (run for run in learned if run.factor == factor):
            rows = [row for row in widths if row["name"] == run.name]
            epochs = [int(row["epoch"]) for row in rows]
            means = [np.mean([bits for pair in split_widths(row).values() for bits in pair]) for row in rows]
            panels[0].plot(epochs, means, color=f"C{number}", label=label, linewidth=1)
            panels[1].plot(epochs, [float(row["val_dice"]) for row in rows], color=f"C{number}", linewidth=1)
            label = None  # once in the legend
    panels[0].set(xlabel="epoch", ylabel="mean bits over layers", title="widths start at 8 bits")
    panels[1].set(xlabel="epoch", ylabel="Dice, validation part", title="the same trainings")
    for axes in panels:
        axes.grid(visible=True, alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if learned:
        panels[0].legend(fontsize="small")
    figure.suptitle("BUSI, split by group, λ weighted by layers: one line a seed")
    return figure


def _layers(runs: Sequence[Run], widths: Sequence[Row]) -> Figure:
    """Final widths of each layer on each data set, λ 0.5 by layers: mean and range over seeds."""
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    panels: Sequence[Axes] = figure.subplots(2, 1, sharex=True)
    last = {row["name"]: row for row in widths}
    shown = [run for run in runs if run.place[1:] == BUSI[1:] and run.method == "lambda0.5_layers" and run.name in last]
    for number, (place, here) in enumerate(by_place(shown).items()):
        found = [split_widths(last[run.name]) for run in here]
        _plot_layers(panels, found, f"{place[0]}, {len(found)} seed{'s' * (len(found) > 1)}", number)
    panels[0].set(ylabel="weight bits", ylim=(1.5, 8.5))
    panels[1].set(ylabel="activation bits", ylim=(1.5, 8.5))
    panels[1].tick_params(axis="x", rotation=75)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    figure.suptitle("Final widths, λ 0.5 weighted by layers: mean over seeds, the bar is their range")
    return figure


def _plot_layers(panels: Sequence[Axes], found: Sequence[Mapping[str, tuple[int, int]]], label: str, at: int) -> None:
    names = list(found[0])
    for kind, axes in enumerate(panels):
        bits = np.array([[each[name][kind] for name in names] for each in found])
        mean = bits.mean(axis=0)
        axes.errorbar(
            np.arange(len(names)) + 0.15 * (at - 1),
            mean,
            yerr=[mean - bits.min(axis=0), bits.max(axis=0) - mean],
            fmt="o",
            markersize=4,
            capsize=2,
            label=label,
        )
        axes.set_xticks(range(len(names)), names)
        axes.grid(visible=True, alpha=0.3)
