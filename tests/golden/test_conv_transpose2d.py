"""conv_transpose2d: the golden op against the formula written out, and the fast path against the golden op."""

import numpy as np
import pytest

from quantunet import golden
from quantunet.golden.ops.conv_transpose2d import accumulate
from quantunet.ir import ConvTranspose2d, QType
from quantunet.random_network import GraphBuilder, random_image


def test_accumulate_writes_each_output_once() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 8, size=(3, 4, 5))
    weight = rng.integers(-8, 8, size=(2, 2, 5, 2))
    bias = rng.integers(-50, 50, size=2)
    acc = accumulate(x, weight, bias)
    assert acc.shape == (6, 8, 2)
    for h, w, co in np.ndindex(acc.shape):
        terms = [int(x[h // 2, w // 2, ci]) * int(weight[h % 2, w % 2, ci, co]) for ci in range(5)]
        assert acc[h, w, co] == sum(terms) + int(bias[co])


@pytest.mark.parametrize(
    ("kernel", "stride", "crop"),
    [
        ((3, 3), (2, 2), (1, 1, 1, 1)),
        ((4, 4), (2, 2), (2, 3, 3, 2)),
        ((1, 2), (1, 2), (0, 0, 0, 0)),
        ((5, 3), (1, 3), (4, 2, 5, 0)),
    ],
)
def test_each_input_pixel_is_added_to_its_kernel(
    kernel: tuple[int, int], stride: tuple[int, int], crop: tuple[int, int, int, int]
) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 8, size=(6, 5, 3))
    weight = rng.integers(-8, 8, size=(*kernel, 3, 2))
    bias = rng.integers(-50, 50, size=2)
    acc = accumulate(x, weight, bias, stride, crop)
    full = np.zeros((5 * stride[0] + kernel[0], 4 * stride[1] + kernel[1], 2), dtype=np.int64)
    for h, w, dy, dx, ci, co in np.ndindex(6, 5, *kernel, 3, 2):
        full[h * stride[0] + dy, w * stride[1] + dx, co] += x[h, w, ci] * weight[dy, dx, ci, co]
    rows, columns = full.shape[:2]
    assert acc.size > 0
    assert np.array_equal(acc, full[crop[0] : rows - crop[2], crop[1] : columns - crop[3]] + bias)


@pytest.mark.parametrize("bits", [2, 5, 8])
@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("signed_out", [False, True])
def test_fast_path_equals_plain(bits: int, signed_in: bool, signed_out: bool) -> None:
    builder = GraphBuilder("one", 5, 6, 3, QType(bits, signed_in, 3), bits)
    builder.matrix(ConvTranspose2d, "up", "image", 4, 2, bits, QType(bits, signed_out, 2))
    graph = builder.build()
    image = random_image(graph)
    plain, fast = golden.run(graph, image, plain=True), golden.run(graph, image)
    assert len(np.unique(plain["up_out"])) > 1
    assert (plain["up_out"] == fast["up_out"]).all()


@pytest.mark.parametrize(("shape", "crop"), [((2, 2), (1, 1, 1, 2)), ((1, 3), (1, 1, 2, 1)), ((4, 1), (0, 3, 0, 1))])
def test_outputs_smaller_than_a_stride(shape: tuple[int, int], crop: tuple[int, int, int, int]) -> None:
    """Phases that no output pixel has."""
    builder = GraphBuilder("one", 1, 1, 3, QType(4, True, 1), 0)
    builder.convolution("up", "image", 2, (4, 5), 4, QType(6, True, 2), stride=(4, 4), crop=crop)
    graph = builder.build()
    assert graph.tensor("up_out").shape == (*shape, 2)
    image = random_image(graph)
    plain, fast = golden.run(graph, image, plain=True), golden.run(graph, image)
    assert len(np.unique(plain["up_out"])) > 1
    assert (plain["up_out"] == fast["up_out"]).all()


def test_more_is_cropped_than_lacks_a_tap() -> None:
    """The first window of a phase begins below the first row, and right of the first column."""
    builder = GraphBuilder("one", 5, 6, 3, QType(4, True, 1), 0)
    builder.convolution("up", "image", 2, (3, 3), 4, QType(6, True, 2), stride=(2, 2), crop=(4, 3, 1, 2))
    graph = builder.build()
    image = random_image(graph)
    plain, fast = golden.run(graph, image, plain=True), golden.run(graph, image)
    assert len(np.unique(plain["up_out"])) > 1
    assert (plain["up_out"] == fast["up_out"]).all()
