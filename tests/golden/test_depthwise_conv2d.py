"""depthwise_conv2d: the golden op against the formula written out, and the fast path against the golden op."""

import dataclasses

import numpy as np
import pytest

from quantunet import golden
from quantunet.errors import ShapeError
from quantunet.golden.ops.depthwise_conv2d import accumulate
from quantunet.graph_check import check
from quantunet.ir import QType
from quantunet.random_network import GraphBuilder, random_image


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "shape"),
    [
        ((3, 3), (1, 1), (1, 1), (3, 4)),
        ((3, 2), (2, 3), (1, 2), (3, 2)),
        ((1, 3), (1, 1), (1, 1), (5, 4)),
        ((5, 6), (1, 1), (1, 1), (1, 1)),
    ],
)
def test_accumulate_is_the_sum_over_the_window(
    kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int], shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(kernel[0])
    x, bias = rng.integers(-8, 8, size=(5, 6, 3)), rng.integers(-50, 50, size=3)
    weight = rng.integers(-8, 8, size=(*kernel, 1, 3))
    if dilation != (1, 1):
        x = rng.integers(-8, 8, size=(7, 6, 3))
    acc = accumulate(x, weight, bias, stride, dilation)
    assert acc.shape == (*shape, 3)
    compared = 0
    for h, w, c in np.ndindex(acc.shape):
        total = int(bias[c])
        for dy, dx in np.ndindex(kernel):
            place = (h * stride[0] + dy * dilation[0], w * stride[1] + dx * dilation[1], c)
            total += int(x[place]) * int(weight[dy, dx, 0, c])
        assert acc[h, w, c] == total
        compared += 1
    assert compared == 3 * shape[0] * shape[1]


@pytest.mark.parametrize("bits", [1, 4, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_fast_path_equals_plain(bits: int, signed: bool) -> None:
    """Sums of 16 bits by 16 are beyond float32."""
    builder = GraphBuilder("one", 60, 41, 5, QType(bits, signed, 3), bits)
    builder.depthwise_conv2d("layer", "image", (3, 2), max(bits, 2), QType(6, True, 2), (1, 2), (2, 1))
    graph = builder.build()
    image = random_image(graph)
    plain, fast = golden.run(graph, image, plain=True), golden.run(graph, image)
    assert plain["layer_out"].shape == (56, 20, 5)
    assert len(np.unique(plain["layer_out"])) > 4
    assert (plain["layer_out"] == fast["layer_out"]).all()


def test_a_window_larger_than_the_image_is_refused() -> None:
    builder = GraphBuilder("one", 5, 6, 2, QType(4, False, 3), 0)
    builder.depthwise_conv2d("layer", "image", (3, 3), 4, QType(6, True, 2))
    graph = builder.build()
    wide = dataclasses.replace(graph.nodes[0], dilation=(1, 3))
    with pytest.raises(
        ShapeError, match="layer: expected an image of at least 3x7 pixels, which a window covers, got 5x6"
    ):
        check(dataclasses.replace(graph, nodes=(wide,)))
    with pytest.raises(ShapeError, match=r"layer: expected an output of shape \(2, 4, 2\), got \(3, 4, 2\)"):
        check(dataclasses.replace(graph, nodes=(dataclasses.replace(graph.nodes[0], stride=(2, 1)),)))


def test_taps_and_windows_stand_side_by_side_where_nothing_else_is_said() -> None:
    rng = np.random.default_rng(0)
    x, weight, bias = rng.integers(-8, 8, (5, 6, 3)), rng.integers(-8, 8, (2, 3, 1, 3)), rng.integers(-50, 50, 3)
    acc = accumulate(x, weight, bias)
    assert acc.shape == (4, 4, 3)
    assert (acc == accumulate(x, weight, bias, (1, 1), (1, 1))).all()
