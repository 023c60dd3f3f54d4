"""concat: the skip leg's channels come first."""

import numpy as np

from quantunet.golden.ops.concat import concat


def test_skip_channels_come_first() -> None:
    skip = np.arange(2 * 3 * 2).reshape(2, 3, 2)
    up = 100 + np.arange(2 * 3 * 4).reshape(2, 3, 4)
    y = concat(skip, up)
    assert (y[:, :, :2] == skip).all()
    assert (y[:, :, 2:] == up).all()
