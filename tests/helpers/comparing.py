"""Tensors of a network against golden's: every one is there, every value is looked at, and something was."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from quantunet.compare import compare


def assert_equal(expected: Mapping[str, npt.NDArray[np.integer]], got: Mapping[str, npt.NDArray[np.integer]]) -> int:
    """Compare all tensors by name; return the values compared, which is never 0."""
    assert got.keys() == expected.keys()
    results = [compare(name, values, got[name]) for name, values in expected.items()]
    for result in results:
        assert result.passed, f"{result.name}: {result.mismatches} of {result.compared} differ, first {result.first}"
    compared = sum(result.compared for result in results)
    assert compared > 0, "nothing was compared"
    return compared
