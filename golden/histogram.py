"""What values a tensor takes: whether a layer says anything, or is stuck at one value or at the ends of its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantunet.ir import Array, Graph, QType

_BARS = " .:-=+*#@"  # plain ASCII: every terminal and log shows it


@dataclass(frozen=True)
class Histogram:
    """How often each integer of a type occurs in one tensor.

    Attributes:
        name: The tensor's name.
        qtype: Its type.
        codes: int64 ``(distinct,)``: the integers that occur, the least first.
        counts: int64 ``(distinct,)``: how often each occurs.
        constant_channels: Channels with one value in every pixel.
        channels: All channels.
    """

    name: str
    qtype: QType
    codes: Array
    counts: Array
    constant_channels: int
    channels: int

    @property
    def values(self) -> int:
        """Values counted."""
        return int(self.counts.sum())

    @property
    def distinct(self) -> int:
        """Different integers that occur."""
        return len(self.codes)

    @property
    def zero_share(self) -> float:
        """The share of values that are 0."""
        return float(self.counts[self.codes == 0].sum()) / self.values

    @property
    def saturated_share(self) -> float:
        """The share of values at the ends of the type; the 0 of an unsigned type is its rectifier, not an end."""
        least = (self.codes == self.qtype.qmin) & self.qtype.signed
        return float(self.counts[least | (self.codes == self.qtype.qmax)].sum()) / self.values

    @property
    def dead(self) -> bool:
        """Whether the tensor holds one value only, so that a comparison of it proves nothing."""
        return self.distinct < 2

    @property
    def dead_codes(self) -> int:
        """Integers of the type that do not occur."""
        return (1 << self.qtype.bits) - self.distinct

    def columns(self, most: int) -> Array:
        """Return how many values fall into each of equal ranges of integers, from ``qmin`` to ``qmax``.

        Args:
            most: Ranges at most; each holds several neighbouring integers where the type has more.
        """
        count = min(most, 1 << self.qtype.bits)
        column = ((self.codes - self.qtype.qmin) * count) >> self.qtype.bits
        return np.bincount(column, weights=self.counts, minlength=count).astype(np.int64)

    def shades(self, columns: int = 16) -> str:
        """Return a line of characters from ``qmin`` to ``qmax``; darker is more, by the root of the share.

        Args:
            columns: Characters at most; a column holds several neighbouring integers where the type has more.
        """
        root = np.sqrt(self.columns(columns))
        levels = np.ceil(root / max(root.max(), 1) * (len(_BARS) - 1)).astype(int)
        return "".join(_BARS[level] for level in levels)


def histogram(name: str, values: npt.NDArray[np.integer], qtype: QType) -> Histogram:
    """Count the integers of a tensor.

    Args:
        name: The tensor's name.
        values: Integers ``(height, width, channels)`` in ``qtype``; the narrower their own type, the faster.
        qtype: Its type.

    >>> h = histogram("y", np.array([[[0, 1]], [[0, 3]]]), QType(2, False, 0))
    >>> h.distinct, h.dead_codes, h.zero_share, h.saturated_share, h.constant_channels, h.shades()
    (3, 1, 0.5, 0.25, 1, '@* *')
    """
    codes, counts = np.unique(values, return_counts=True)
    constant = (values == values[:1, :1]).all(axis=(0, 1))
    return Histogram(name, qtype, codes.astype(np.int64), counts, int(constant.sum()), values.shape[2])


def histograms(graph: Graph, taps: Mapping[str, npt.NDArray[np.integer]]) -> list[Histogram]:
    """Return the histogram of every tensor of an evaluated network, in the order of computation."""
    return [histogram(tensor.name, taps[tensor.name], tensor.qtype) for tensor in graph.tensors]
