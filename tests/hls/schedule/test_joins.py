"""Legs of one tensor that meet again: no FIFO depth locks or costs speed, whatever the beats of a pixel."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from helpers.fifo_bounds import crosses, unmet
from helpers.foldings import lopsided_folding

from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding
from quantunet.hls.modules import affine, maxpool2d
from quantunet.hls.network import build
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import fifo_depths
from quantunet.hls.schedule.exact import schedule
from quantunet.ir import MASK_TYPE, Array, Conv2d, ConvTranspose2d, Graph, QType, Tensor
from quantunet.random_network import GraphBuilder, random_unet

TYPE = QType(5, True, 2)
LEGS: dict[str, Callable[[GraphBuilder, str], str]] = {
    "nothing": lambda builder, name: "image",
    "requant": lambda builder, name: builder.requant(name, "image", TYPE),
    "affine": lambda builder, name: builder.affine(name, "image", TYPE, splits=True, bounds=(-7, 6)),
    "conv1": lambda builder, name: _conv(builder, name, "image", 1),
    "conv3": lambda builder, name: _conv(builder, name, "image", 3),
    "maximum": lambda builder, name: builder.maximum(name, builder.requant(f"{name}_first", "image", TYPE), "image"),
    "pool": lambda builder, name: builder.maxpool2d(name, "image"),
    "conv3, pool, conv3": lambda builder, name: _conv(
        builder, name, builder.maxpool2d(f"{name}_pool", _conv(builder, f"{name}_first", "image", 3)), 3
    ),
}
PAIRS = [
    ("conv1", "nothing"), ("conv1", "requant"), ("conv3", "requant"), ("conv3", "affine"), ("maximum", "conv1"),
    ("affine", "nothing"), ("conv3, pool, conv3", "pool"), ("conv3", "maximum"),
]  # fmt: skip
OPS = ("add", "concat", "multiply", "gate")


def _conv(builder: GraphBuilder, name: str, source: str, kernel: int, channels: int = 0) -> str:
    channels = channels or builder._tensor(source).shape[2]
    return builder.matrix(Conv2d, name, source, channels, kernel, 4, TYPE)


def join(long: str, short: str, op: str, channels: int, *, turned: bool = False) -> Graph:
    """Return a network of two legs that read the image and meet in one op; the first one's name is ``long``."""
    builder = GraphBuilder("net", 8, 6, channels, TYPE, 0)
    legs = [LEGS[long](builder, "long"), LEGS[short](builder, "short")]
    if turned:
        legs.reverse()
    if op == "gate":
        builder.multiply("join", legs[0], _conv(builder, "one", legs[1], 1, 1))
    elif op == "add":
        builder.add("join", *legs, TYPE)
    elif op == "multiply":
        builder.multiply("join", *legs)
    else:
        builder.concat("join", *legs)
    return builder.build()


def check(graph: Graph, folding: Folding, *, tight: bool = True) -> int:
    """Check the bounds of a network; return how many there are."""
    count, problems = unmet(graph, folding, tight=tight)
    assert not problems, (graph.tensor(graph.input).shape, dict(folding), problems)
    return count


def folded(graph: Graph, lanes: int) -> Folding:
    """Return a folding in which every layer has as many lanes as it can of some."""
    folds = {}
    for node in graph.nodes:
        limits = node.lane_limits([graph.tensor(each).shape for each in node.inputs], graph.output_of(node).shape)
        pe, simd = (max(each for each in range(1, lanes + 1) if limit % each == 0) for limit in limits)
        folds[node.name] = Fold(min(pe, simd), min(pe, simd)) if node.tied_lanes else Fold(pe, simd)
    return Folding(graph, folds)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_legs_that_meet_again_never_lock_and_keep_the_pace(pair: tuple[str, str], op: str) -> None:
    """A pixel of many beats is where a leg that holds a beat or two less than was thought locks."""
    for channels, lanes in ((4, 1), (5, 1), (4, 2), (5, 5)):
        for turned in (False, True):
            graph = join(*pair, op, channels, turned=turned)
            assert check(graph, folded(graph, lanes)) > 1


def crossing() -> Graph:
    """Legs that neither nest nor follow one another: each of two forks feeds both of two joins, which meet again."""
    builder = GraphBuilder("net", 8, 6, 4, TYPE, 0)
    left, right = _conv(builder, "left", "image", 1), _conv(builder, "right", "image", 3)
    first = builder.concat("first", left, _conv(builder, "over", right, 3))
    second = builder.concat("second", _conv(builder, "back", left, 3), right)
    builder.add("last", first, second, TYPE)
    return builder.build()


def dense() -> Graph:
    """Every layer reads all those before it."""
    builder = GraphBuilder("net", 8, 6, 3, TYPE, 0)
    x = "image"
    for index in range(3):
        x = builder.concat(f"joined{index}", x, _conv(builder, f"layer{index}", x, 3, 2))
    return builder.build()


def long_skips() -> Graph:
    """Skips of which one begins inside another one and ends behind it."""
    builder = GraphBuilder("net", 8, 6, 4, TYPE, 0)
    first = _conv(builder, "first", "image", 3)
    second = _conv(builder, "second", builder.requant("one", first, TYPE), 3)
    third = builder.add("third", _conv(builder, "two", second, 3), first, TYPE)
    builder.multiply("last", _conv(builder, "three", third, 3), second)
    return builder.build()


def many_legs() -> Graph:
    """A concatenation of four legs, joined two at a time."""
    builder = GraphBuilder("net", 8, 6, 4, TYPE, 0)
    legs = [_conv(builder, "a", "image", 3, 2), builder.requant("b", "image", TYPE), _conv(builder, "c", "image", 1, 3)]
    x = _conv(builder, "d", "image", 3)
    for index, leg in enumerate(legs):
        x = builder.concat(f"join{index}", x, leg)
    return builder.build()


def two_sums_of_two() -> Graph:
    """A tensor and what is made of it, both read by two joins, of which one leads on through a pooling."""
    builder = GraphBuilder("net", 6, 12, 1, TYPE, 0)
    first = _conv(builder, "first", "image", 3, 4)
    copy = builder.requant("copy", first, TYPE)
    pool = builder.maxpool2d("pool", builder.add("one", first, copy, TYPE))
    deep = builder.matrix(ConvTranspose2d, "up", _conv(builder, "deep", pool, 3), 2, 2, 4, TYPE)
    _conv(builder, "last", builder.concat("join", builder.add("two", first, copy, TYPE), deep), 3, 1)
    return builder.build()


@pytest.mark.parametrize(
    ("make", "whether"),
    [(crossing, True), (two_sums_of_two, True), (many_legs, False), (lambda: random_unet(depth=3), False)],
    ids=["crossing", "two sums of two", "many legs", "U-Net"],
)
def test_legs_that_cross_are_known(make: Callable[[], Graph], whether: bool) -> None:
    assert crosses(make()) == whether


@pytest.mark.parametrize("make", [crossing, dense, long_skips, many_legs])
def test_legs_in_any_order_never_lock_and_keep_the_pace(make: Callable[[], Graph]) -> None:
    graph, tight = make(), make is not crossing
    bounds = sum(check(graph, folded(graph, lanes), tight=tight) for lanes in (1, 2, 4))
    bounds += sum(check(graph, Folding(graph, lopsided_folding(graph, seed)), tight=tight) for seed in range(8))
    assert bounds > 30


@pytest.mark.parametrize(("height", "width"), [(3, 4), (6, 7)])
def test_a_frame_waits_beside_its_verdict(height: int, width: int) -> None:
    """What meets a mask again waits for all of it; frames of a shallow FIFO and of a deep one."""
    builder = GraphBuilder("net", height, width, 1, MASK_TYPE, 0)
    builder.multiply("join", "image", builder.smallest_area("mask", "image", 5))
    graph = builder.build()
    folding = folded(graph, 1)
    assert check(graph, folding) > 2
    assert max(least_depths(build(graph, folding, {("join", 0): 1})).values()) > height * width - 8


@pytest.mark.parametrize(
    ("sheet", "stages", "pair", "lanes"),
    [(maxpool2d, 5, ("conv3, pool, conv3", "pool"), 4), (affine, 5, ("conv3", "affine"), 1)],
    ids=["maxpool2d", "affine"],
)
def test_a_pipeline_that_counts_as_full_locks(
    sheet: object, stages: int, pair: tuple[str, str], lanes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline that stands still as a whole may do so while it is empty: its registers hold nothing for certain."""
    graph = join(*pair, "concat", 4, turned=True)
    design = build(graph, folded(graph, lanes), {("join", 0): 600})
    (name,) = design.fifos
    taken = sheet.taken  # type: ignore[attr-defined]

    def locks() -> bool:
        return any(schedule(design, 3, limits=least_depths(design), pace=pace).stuck for pace in (0, 1000, 10000))

    assert not locks()

    def full(params: dict[str, int], left: Array, index: int) -> Array:
        counted: Array = taken(params, left, index) + stages
        return counted

    monkeypatch.setattr(sheet, "taken", full)
    assert least_depths(design)[name] > 2
    assert locks()


def test_a_leg_in_which_one_beat_waits_has_the_shallowest_fifo_there_is() -> None:
    """A slow layer behind the join leaves the legs time, so that a beat is enough; hardware has two at least."""
    builder = GraphBuilder("net", 4, 4, 2, TYPE, 0)
    gate = builder.affine("gate", _conv(builder, "one", "image", 1, 1), TYPE, splits=False, bounds=(-7, 6))
    builder.multiply("join", "image", gate)
    _conv(builder, "last", _conv(builder, "slow", "join_out", 3, 8), 3, 8)
    graph = builder.build()
    folding = folded(graph, 1)
    depths = fifo_depths(graph, folding)
    assert least_depths(build(graph, folding, depths))["image_fork1_fifo"] == 1
    assert depths["join", 0] == 2
    assert min(fifo_depths(graph, folding, frames=1).values()) >= 2


def test_legs_from_several_inputs_wait_for_nothing() -> None:
    """No fork leads to both legs, so that none can lock the other: no FIFO is needed, and the walk back ends."""
    builder = GraphBuilder("net", 8, 6, 2, TYPE, 0)
    builder.tensors.append(Tensor("up", (8, 6, 3), TYPE))
    builder.concat("join", _conv(builder, "way", "image", 3), "up")
    graph = builder.build(["image", "up"])
    design = build(graph, Folding(graph, {"way": Fold(1, 1), "join": Fold(1, 1)}), {})
    assert sum(len(instance.inputs) > 1 for instance in design.instances) == 1
    assert not any(least_depths(design).values())
