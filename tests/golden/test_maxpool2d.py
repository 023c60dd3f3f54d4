"""maxpool2d: the golden op against the formula written out."""

import numpy as np

from quantunet.golden.ops.maxpool2d import maxpool2d


def test_maximum_of_each_window() -> None:
    x = np.random.default_rng(0).integers(-128, 128, size=(6, 4, 3))
    y = maxpool2d(x)
    assert y.shape == (3, 2, 3)
    for h, w, c in np.ndindex(y.shape):
        assert y[h, w, c] == max(x[2 * h + dy, 2 * w + dx, c] for dy in range(2) for dx in range(2))
