"""``quantunet evaluate --against``: two networks on the same images, the difference with its interval over groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from quantunet.class_colours import score_label
from quantunet.model.group_bootstrap import compare


def differences(
    first: Mapping[str, NDArray[np.float64]], second: Mapping[str, NDArray[np.float64]], group: NDArray[np.int64]
) -> dict[str, Any]:
    """Compare two networks by each score of the same images, as JSON values.

    Args:
        first: For each score ``(n,)``, nan where an image has none.
        second: Likewise, of the network that the first one is compared with.
        group: ``(n,)`` group of each image.
    """
    return {name: found.document() for name, found in compare(first, second, group).items()}


def table(
    title: str, first: str, second: str, found: Mapping[str, Mapping[str, Any]], names: Sequence[str] = ()
) -> Table:
    """Return the differences as a table for the terminal; the scores of a class have its name too, if it has one."""
    head = ("score", first, second, "difference", "95 % interval by group", "images", "groups")
    columns = Table(*head, title=title)
    for name, entry in found.items():
        low, high = entry["interval"]
        ends = "–" if low is None else f"{low:+.4f} to {high:+.4f}"
        means = [_cell(entry[key], sign) for key, sign in (("first", ""), ("second", ""), ("difference", "+"))]
        columns.add_row(score_label(name, names), *means, ends, str(entry["images"]), str(entry["groups"]))
    return columns


def _cell(value: float | None, sign: str) -> str:
    return "–" if value is None else f"{value:{sign}.4f}"
