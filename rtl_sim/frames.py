"""The frames of a co-simulation, and golden's tensors of them, small enough to keep those of a large network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from quantunet.golden.codes import code_dtype
from quantunet.golden.inference import Taps
from quantunet.ir import Array, Graph

CompactTaps = Mapping[str, npt.NDArray[np.integer]]
"""Every tensor of one frame by name, ``(height, width, channels)``, in the smallest integers that hold its type."""


def compact(graph: Graph, taps: Taps) -> CompactTaps:
    """Return golden's tensors in the smallest integers that hold their types."""
    return {name: values.astype(code_dtype(graph.tensor(name).qtype)) for name, values in taps.items()}


def widened(taps: CompactTaps, names: tuple[str, ...]) -> dict[str, Array]:
    """Return some tensors as int64."""
    return {name: taps[name].astype(np.int64) for name in names}


def adjacent_frames(graph: Graph, image: Array, count: int) -> list[Array]:
    """Return different frames made of one image: itself, inverted, turned by half, both, and so on.

    Args:
        graph: The network.
        image: Integers ``(height, width)`` or ``(height, width, channels)`` in the input's type.
        count: How many.
    """
    qtype = graph.tensor(graph.input).qtype
    first = np.asarray(image, dtype=np.int64)
    inverted = qtype.qmin + qtype.qmax - first
    variants = [first, inverted, first[::-1, ::-1], inverted[::-1, ::-1]]
    return [variants[index % len(variants)] for index in range(count)]
