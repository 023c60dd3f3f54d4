"""sumpool2d: the golden op against the formula written out, and the fast path against the golden op."""

import dataclasses

import numpy as np
import pytest

from quantunet import golden
from quantunet.errors import UnsupportedOpError, WidthError
from quantunet.golden.ops.sumpool2d import sumpool2d
from quantunet.graph_check import check
from quantunet.ir import Graph, QType
from quantunet.random_network import GraphBuilder, random_image

GEOMETRIES = [((2, 2), (2, 2), (2, 3)), ((3, 3), (1, 2), (3, 3)), ((1, 2), (1, 3), (5, 2)), ((5, 7), (1, 1), (1, 1))]


@pytest.mark.parametrize(("kernel", "stride", "shape"), GEOMETRIES)
def test_sum_of_each_window(kernel: tuple[int, int], stride: tuple[int, int], shape: tuple[int, int]) -> None:
    x = np.random.default_rng(0).integers(-128, 128, size=(5, 7, 3))
    y = sumpool2d(x, kernel, stride)
    assert y.shape == (*shape, 3)
    for h, w, c in np.ndindex(y.shape):
        taps = [x[h * stride[0] + dy, w * stride[1] + dx, c] for dy, dx in np.ndindex(kernel)]
        assert y[h, w, c] == sum(int(tap) for tap in taps)


def pooled(kernel: tuple[int, int], stride: tuple[int, int], qtype: QType) -> Graph:
    builder = GraphBuilder("one", 5, 7, 3, qtype, 0)
    builder.sumpool2d("pool", "image", kernel, stride)
    return builder.build()


@pytest.mark.parametrize(("kernel", "stride", "shape"), GEOMETRIES)
@pytest.mark.parametrize("qtype", [QType(8, False, 8), QType(16, True, 3), QType(1, False, 0), QType(1, True, 0)])
def test_fast_path_equals_plain(
    kernel: tuple[int, int], stride: tuple[int, int], shape: tuple[int, int], qtype: QType
) -> None:
    graph = pooled(kernel, stride, qtype)
    image = random_image(graph)
    image[0, 0, 0] = qtype.qmax
    plain, fast = golden.run(graph, image, plain=True), golden.run(graph, image)
    assert plain["pool_out"].size == 3 * shape[0] * shape[1]
    assert (plain["pool_out"] == fast["pool_out"]).all()


def test_the_type_holds_every_sum_and_says_the_mean_of_a_power_of_two() -> None:
    assert str(pooled((2, 2), (2, 2), QType(8, False, 8)).tensor("pool_out").qtype) == "u10.10"
    assert str(pooled((3, 3), (1, 1), QType(8, False, 8)).tensor("pool_out").qtype) == "u12.8"
    assert str(pooled((3, 3), (1, 1), QType(4, True, 1)).tensor("pool_out").qtype) == "s8.1"


def test_what_cannot_be_is_refused() -> None:
    graph = pooled((3, 3), (1, 1), QType(8, False, 8))
    narrow = dataclasses.replace(graph.tensors[1], qtype=QType(11, False, 8))
    with pytest.raises(WidthError, match=r"pool: expected an output type that holds every sum, 0\.\.2295, got u11\.8"):
        check(dataclasses.replace(graph, tensors=(graph.tensors[0], narrow)))
    still = dataclasses.replace(graph.nodes[0], stride=(0, 1))
    with pytest.raises(UnsupportedOpError, match="pool: expected a stride of at least 1, got 0x1"):
        check(dataclasses.replace(graph, nodes=(still,)))
