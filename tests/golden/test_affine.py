"""affine: against exact rational arithmetic, at the edges of its types, and what a legal node is."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest

from quantunet.accumulator import affine_reach
from quantunet.errors import ModelError, ShapeError, WidthError
from quantunet.golden.inference import evaluate
from quantunet.golden.ops.affine import affine
from quantunet.graph_check import check
from quantunet.graph_file import from_json, to_json
from quantunet.hls.modules.affine import reduced
from quantunet.ir import Affine, Graph, IntArray, QType
from quantunet.random_network import GraphBuilder


def node_of(
    multiplier: list[int], offset: list[int], split: list[int], lower: list[list[int]], shift: int, target: QType,
    *, even: bool = False, wraps: bool = False, bounds: tuple[int, int] | None = None,
) -> Affine:  # fmt: skip
    low, high = bounds or (target.qmin, target.qmax)
    constants = (IntArray.of(values) for values in (multiplier, offset, split, *lower))
    return Affine("a", ("x",), "y", *constants, shift, low, high, even, wraps)


def exact(x: int, node: Affine, channel: int, target: QType) -> int:
    """The docstring of the node in rational arithmetic, another way than the code takes."""
    factors = (node.multiplier, node.offset)
    if x < node.split.array[channel]:
        factors = (node.lower_multiplier, node.lower_offset)
    value = Fraction(x * int(factors[0].array[channel]) + int(factors[1].array[channel]), 2**node.shift)
    result = round(value) if node.even else math.floor(value)
    if node.wraps:
        while result > target.qmax:
            result -= 1 << target.bits
        while result < target.qmin:
            result += 1 << target.bits
        return result
    return sorted((node.low, result, node.high))[1]


@pytest.mark.parametrize("wraps", [False, True])
@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("target", [QType(4, True, 0), QType(3, False, 0), QType(1, False, 0), QType(2, True, 0)])
@pytest.mark.parametrize("source", [QType(6, True, 0), QType(5, False, 0), QType(1, True, 0)])
def test_every_code_equals_rational_arithmetic(source: QType, target: QType, even: bool, wraps: bool) -> None:
    bounds = None if wraps else (target.qmin, max(target.qmax - 1, target.qmin))
    node = node_of(
        [3, -5, 1, 0], [4, -4, 2, 9], [0, -3, 7, -99], [[1, 2, -7, 1], [4, 0, -1, 0]], 3, target,
        even=even, wraps=wraps, bounds=bounds,
    )  # fmt: skip
    x = np.arange(source.qmin, source.qmax + 1)
    expected = [[exact(int(value), node, channel, target) for channel in range(4)] for value in x]
    got = affine(np.repeat(x[:, None], 4, axis=1), node, target)
    assert got.tolist() == expected
    small = reduced(node, source)
    assert affine(np.repeat(x[:, None], 4, axis=1), small, target).tolist() == expected
    assert len(x) * 4 == 4 << source.bits


@pytest.mark.parametrize("even", [False, True])
def test_common_binary_places_are_dropped_and_nothing_changes(even: bool) -> None:
    target, source = QType(8, True, 0), QType(8, True, 0)
    node = node_of([12, -20], [7, 64], [0, 0], [[8, 4], [0, -4]], 6, target, even=even)
    small = reduced(node, source)
    assert (small.shift, small.multiplier.array.tolist()) == ((6, [12, -20]) if even else (4, [3, -5]))
    x = np.repeat(np.arange(-128, 128)[:, None], 2, axis=1)
    assert np.array_equal(affine(x, small, target), affine(x, node, target))


def test_a_rounding_alone_needs_no_multiplier_and_a_rectifier_no_second_branch() -> None:
    target = QType(4, True, 0)
    small = reduced(node_of([8, 8], [3, 12], [0, 5], [[8, 8], [3, 12]], 5, target), QType(8, True, 0))
    assert (small.multiplier.array.tolist(), small.offset.array.tolist(), small.shift) == ([1, 1], [0, 1], 2)
    unsigned = reduced(node_of([3], [1], [0], [[9], [9]], 2, target), QType(8, False, 0))
    assert (unsigned.lower_multiplier, unsigned.lower_offset) == (unsigned.multiplier, unsigned.offset)
    below = reduced(node_of([3], [1], [500], [[9], [8]], 2, target), QType(8, False, 0))
    assert (below.multiplier.array[0], below.offset.array[0], below.split.array[0]) == (9, 8, 0)


def largest(bits: int) -> Graph:
    """Return a layer whose largest sum is just below 2**62, or just there with ``bits`` of 62."""
    target = QType(16, True, 0)
    builder = GraphBuilder("net", 2, 2, 1, QType(16, False, 0), 0)
    builder.affine("layer", "image", target, branches=False)
    (node,) = builder.nodes
    ones = IntArray.of([(1 << bits) // 65535])
    offset = IntArray.of([(1 << bits) - (1 << bits) // 65535 * 65535 - (bits < 62)])
    builder.nodes[0] = dataclasses.replace(
        node, multiplier=ones, offset=offset, lower_multiplier=ones, lower_offset=offset, shift=46
    )
    return builder.build()


def test_sums_up_to_the_limit_are_exact_and_beyond_refused() -> None:
    graph = largest(61)
    (node,) = graph.nodes
    assert isinstance(node, Affine)
    assert affine_reach(node, QType(16, False, 0))[1] == (1 << 61) - 1
    x = np.array([[[0], [65535]], [[1], [32768]]])
    expected = [[exact(int(value), node, 0, QType(16, True, 0)) for value in row] for row in x[..., 0]]
    for plain in (False, True):
        assert evaluate(graph, node, [x], plain=plain)[..., 0].tolist() == expected
    assert expected[0][1] == 32767
    with pytest.raises(WidthError, match=r"layer: .* below 2\*\*62 .* fewer bits, and the shift as many less"):
        largest(62)


OPTIONS: tuple[dict[str, object], ...] = (
    {},
    {"shared": True, "even": True},
    {"branches": False, "bits": 1},
    {"splits": True, "wraps": True},
    {"splits": True, "bounds": (-13, 19)},
)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("source", [QType(5, True, 3), QType(16, False, 8)], ids=str)
def test_fast_equals_plain_and_files_give_the_layer_back(source: QType, options: dict[str, object]) -> None:
    builder = GraphBuilder("net", 40, 30, 3, source, 1)
    builder.affine("affine", "image", QType(6, True, 2), signs=source.signed, **options)  # type: ignore[arg-type]
    graph = builder.build()
    x = np.random.default_rng(3).integers(source.qmin, source.qmax + 1, size=(40, 30, 3))
    plain = evaluate(graph, graph.nodes[0], [x], plain=True)
    assert np.array_equal(evaluate(graph, graph.nodes[0], [x]), plain)
    assert len(np.unique(plain)) > 8
    assert from_json(to_json(graph)) == graph


ILLEGAL: tuple[tuple[dict[str, object], type[ModelError], str], ...] = (
    ({"offset": IntArray.of([1, 2])}, ShapeError, "constants of 3 channels"),
    ({"shift": 63}, WidthError, "a shift of 0 to 62"),
    ({"shift": -1}, WidthError, "a shift of 0 to 62"),
    ({"low": -9}, WidthError, r"bounds low <= high inside -8..7"),
    ({"low": 3, "high": 2}, WidthError, r"bounds low <= high inside -8..7"),
    ({"wraps": True, "high": 6}, ModelError, "where results wrap around"),
    ({"lower_multiplier": IntArray.of([-(1 << 63)] * 3)}, WidthError, r"below 2\*\*62"),
)


@pytest.mark.parametrize(("change", "error", "said"), ILLEGAL, ids=[str(list(one[0].items())) for one in ILLEGAL])
def test_nodes_that_are_not_legal_are_refused(change: dict[str, object], error: type[ModelError], said: str) -> None:
    builder = GraphBuilder("net", 2, 2, 3, QType(5, True, 3), 1)
    builder.affine("layer", "image", QType(4, True, 2))
    graph = builder.build()
    (node,) = graph.nodes
    assert isinstance(node, Affine)
    with pytest.raises(error, match=rf"^layer: .*{said}"):
        check(dataclasses.replace(graph, nodes=(dataclasses.replace(node, **change),)))
