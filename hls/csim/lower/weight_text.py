"""Weights of hls4ml layers as text, written in bulk: hls4ml itself formats number by number, half a minute a layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from hls4ml.model.graph import ModelGraph
from hls4ml.model.types import FixedPrecisionType, WeightVariable

_CHUNK = 1 << 16
_MOST_CODES = 1 << 16


class BulkText:
    """Put before a weight variable's class: its iterator gives many numbers at a time, joined as hls4ml joins them."""

    type: Any
    data: npt.NDArray[np.float64]
    precision_fmt: str

    def __iter__(self) -> Iterator[str]:
        """Yield pieces of text; joined with ``", "`` they are what hls4ml's own iterator gives."""
        frac = self.type.precision.fractional
        codes = np.rint(np.ldexp(self.data, frac)).astype(np.int64).reshape(-1)
        least = int(codes.min())
        numbers = np.ldexp(np.arange(least, int(codes.max()) + 1).astype(np.float64), -frac)
        table = _padded([self.precision_fmt.format(number) + ", " for number in numbers])
        for start in range(0, len(codes), _CHUNK):
            text: npt.NDArray[np.uint8] = table[codes[start : start + _CHUNK] - least]
            yield text[text != 0].tobytes().decode()[: -len(", ")]


def _padded(texts: list[str]) -> npt.NDArray[np.uint8]:
    """Return texts as rows of characters, filled up with zeros."""
    rows = np.array([text.encode() for text in texts])
    return rows.view(np.uint8).reshape(len(texts), rows.dtype.itemsize)


def write_in_bulk(model: ModelGraph) -> ModelGraph:
    """Let the weights of a model be written in bulk; the files stay the same, byte by byte.

    Args:
        model: A model whose weights are exact in their fixed-point precisions; it is changed.
    """
    for layer in model.get_layers():
        for weights in layer.get_weights():
            if _fits(weights):
                weights.__class__ = type("BulkWeightVariable", (BulkText, type(weights)), {})
    return model


def _fits(weights: Any) -> bool:
    """Return whether the range of the codes is small enough for a table."""
    precision = weights.type.precision
    if type(weights).__iter__ is not WeightVariable.__iter__ or not isinstance(precision, FixedPrecisionType):
        return False
    span = float(np.ldexp(weights.data.max() - weights.data.min(), precision.fractional))
    return span < _MOST_CODES
