"""The digest of a data set in memory. No torch here."""

from __future__ import annotations

import dataclasses

from quantunet.model.class_scores import ClassSamples
from quantunet.model.data import Samples
from quantunet.provenance import array_digest, value_digest

_NOT_SEEN = ("source", "name", "fit", "classes")
"""What a network gets nothing of."""


def data_digest(samples: Samples | ClassSamples) -> str:
    """Return the SHA-256 of all arrays of a data set, as the network gets them, and of no names."""
    arrays = {f.name: getattr(samples, f.name) for f in dataclasses.fields(samples) if f.name not in _NOT_SEEN}
    return value_digest({name: array_digest(values) for name, values in arrays.items() if values is not None})
