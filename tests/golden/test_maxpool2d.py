"""maxpool2d: the golden op against the formula written out."""

import numpy as np
import pytest

from quantunet import golden
from quantunet.golden.ops.maxpool2d import maxpool2d
from quantunet.ir import QType
from quantunet.random_network import GraphBuilder, random_image


def test_maximum_of_each_window() -> None:
    x = np.random.default_rng(0).integers(-128, 128, size=(6, 4, 3))
    y = maxpool2d(x)
    assert y.shape == (3, 2, 3)
    for h, w, c in np.ndindex(y.shape):
        assert y[h, w, c] == max(x[2 * h + dy, 2 * w + dx, c] for dy in range(2) for dx in range(2))


@pytest.mark.parametrize(
    ("kernel", "stride", "shape"),
    [((3, 3), (2, 2), (3, 4)), ((3, 3), (1, 1), (5, 7)), ((2, 2), (2, 2), (3, 4)), ((1, 2), (1, 2), (7, 4))]
    + [((7, 9), (1, 1), (1, 1)), ((1, 1), (3, 2), (3, 5))],
)
def test_windows_of_any_geometry_and_the_fast_path(
    kernel: tuple[int, int], stride: tuple[int, int], shape: tuple[int, int]
) -> None:
    builder = GraphBuilder("one", 7, 9, 3, QType(6, True, 2), 0)
    builder.maxpool2d("pool", "image", kernel, stride)
    graph = builder.build()
    image = random_image(graph)
    plain, fast = (golden.run(graph, image, plain=plain)["pool_out"] for plain in (True, False))
    assert plain.shape == (*shape, 3)
    assert (plain == fast).all()
    for h, w, c in np.ndindex(plain.shape):
        taps = [image[h * stride[0] + dy, w * stride[1] + dx, c] for dy, dx in np.ndindex(kernel)]
        assert plain[h, w, c] == max(taps)
