"""conv2d: the golden op against the formula written out, and the fast path against the golden op."""

import numpy as np
import pytest

from quantunet import golden
from quantunet.golden.ops.conv2d import accumulate
from quantunet.ir import Conv2d, Graph, QType
from quantunet.random_network import GraphBuilder, random_image


def one_conv(kernel: int, bits: int, signed_in: bool, signed_out: bool, seed: int) -> Graph:
    builder = GraphBuilder("one", 5, 6, 3, QType(bits, signed_in, 3), seed)
    builder.matrix(Conv2d, "conv", "image", 4, kernel, bits, QType(bits, signed_out, 2))
    return builder.build()


@pytest.mark.parametrize("kernel", [1, 3])
def test_accumulate_is_the_sum_over_the_window(kernel: int) -> None:
    rng = np.random.default_rng(kernel)
    x = rng.integers(-8, 8, size=(4, 5, 3))
    weight = rng.integers(-8, 8, size=(kernel, kernel, 3, 2))
    bias = rng.integers(-50, 50, size=2)
    acc = accumulate(x, weight, bias)
    compared = 0
    for h, w, co in np.ndindex(acc.shape):
        total = int(bias[co])
        for dy, dx, ci in np.ndindex(kernel, kernel, 3):
            row, column = h + dy - kernel // 2, w + dx - kernel // 2
            if 0 <= row < 4 and 0 <= column < 5:
                total += int(x[row, column, ci]) * int(weight[dy, dx, ci, co])
        assert acc[h, w, co] == total
        compared += 1
    assert compared == 4 * 5 * 2


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "groups"),
    [
        ((2, 3), (2, 1), (1, 2), 1),
        ((1, 1), (3, 8), (1, 1), 2),
        ((7, 9), (1, 1), (1, 1), 1),
        ((3, 2), (1, 2), (2, 1), 4),
    ],
)
def test_windows_inside_the_image(
    kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int], groups: int
) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 8, size=(7, 9, 4))
    weight = rng.integers(-8, 8, size=(*kernel, 4 // groups, 8))
    bias = rng.integers(-50, 50, size=8)
    acc = accumulate(x, weight, bias, stride=stride, dilation=dilation, groups=groups, padded=False)
    spans = [(taps - 1) * step + 1 for taps, step in zip(kernel, dilation, strict=True)]
    assert acc.shape == (len(range(0, 8 - spans[0], stride[0])), len(range(0, 10 - spans[1], stride[1])), 8)
    for h, w, co in np.ndindex(acc.shape):
        total, first = int(bias[co]), co // (8 // groups) * (4 // groups)
        for dy, dx, ci in np.ndindex(*kernel, 4 // groups):
            pixel = x[h * stride[0] + dy * dilation[0], w * stride[1] + dx * dilation[1], first + ci]
            total += int(pixel) * int(weight[dy, dx, ci, co])
        assert acc[h, w, co] == total


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("bits", [2, 5, 8])
@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("signed_out", [False, True])
def test_fast_path_equals_plain(kernel: int, bits: int, signed_in: bool, signed_out: bool) -> None:
    graph = one_conv(kernel, bits, signed_in, signed_out, seed=bits)
    image = random_image(graph)
    plain, fast = golden.run(graph, image, plain=True), golden.run(graph, image)
    assert plain["conv_out"].size > 0
    assert len(np.unique(plain["conv_out"])) > 1
    assert (plain["conv_out"] == fast["conv_out"]).all()


def test_wide_accumulators_take_the_exact_float_type() -> None:
    """Sums above 2**24 are not exact in float32: the fast path must notice."""
    builder = GraphBuilder("wide", 4, 4, 64, QType(16, False, 0), 0)
    builder.matrix(Conv2d, "conv", "image", 8, 3, 16, QType(16, True, 0))
    graph = builder.build()
    image = random_image(graph)
    assert (golden.run(graph, image, plain=True)["conv_out"] == golden.run(graph, image)["conv_out"]).all()
