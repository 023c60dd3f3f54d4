"""smallest_area: both sides of the area, frame by frame, and the mask of a network that ends in it."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from quantunet import golden
from quantunet.errors import ModelError, ShapeError, TypeMismatchError, WidthError
from quantunet.golden.inference import evaluate, mask
from quantunet.golden.masked import with_smallest_area
from quantunet.golden.ops.smallest_area import smallest_area
from quantunet.graph_check import check
from quantunet.ir import MASK_TYPE, MAX_BITS, Conv2d, Graph, IntArray, Lookup, QType, Reading, SmallestArea, Tensor
from quantunet.random_network import GraphBuilder, random_image


def test_every_mask_of_six_pixels_with_every_area() -> None:
    masks = np.array([[[code >> bit & 1 for bit in range(3)], [code >> bit & 1 for bit in range(3, 6)]]
                      for code in range(64)])  # fmt: skip
    for area in range(1, 7):
        expected = [m.tolist() if sum(map(sum, m.tolist())) >= area else [[0] * 3] * 2 for m in masks]
        assert smallest_area(masks, area).tolist() == expected
        assert smallest_area(masks.astype(np.bool_), area).tolist() == (np.array(expected) > 0).tolist()
    assert smallest_area(masks, 4).any(axis=(1, 2)).sum() == 15 + 6 + 1


def test_fast_equals_plain_and_takes_each_image_by_itself() -> None:
    builder = GraphBuilder("net", 20, 30, 1, MASK_TYPE, 1)
    builder.smallest_area("mask", "image", 300)
    graph = builder.build()
    images = np.random.default_rng(3).integers(0, 2, size=(9, 20, 30, 1))
    found = golden.run_batch(graph, list(images), ["mask_out"])["mask_out"]
    plain = np.stack([evaluate(graph, graph.nodes[0], [image], plain=True) for image in images])
    assert (found == plain).all() and 0 < plain.any(axis=(1, 2, 3)).sum() < 9


def ending_in_a_mask(area: int) -> Graph:
    builder = GraphBuilder("net", 12, 10, 1, QType(8, False, 8), 2)
    logits = builder.matrix(Conv2d, "head", "image", 1, 3, 4, QType(5, True, 3))
    builder.smallest_area("mask", builder.lookup("cut", logits, IntArray.of([0] * 16 + [1] * 16), MASK_TYPE), area)
    return builder.build()


def test_the_mask_of_a_network_that_ends_in_it_is_its_output() -> None:
    graph = ending_in_a_mask(1)
    taps = golden.run(graph, random_image(graph))
    expected = taps["head_out"][:, :, 0] >= 0
    assert graph.gives_mask and not graph.gives_probabilities and not graph.gives_classes
    assert (golden.mask(graph, taps) == expected).all() and 0 < expected.sum() < expected.size
    assert (golden.classes(graph, taps) == expected).all() and golden.class_count(graph) == 2
    larger = ending_in_a_mask(int(expected.sum()) + 1)
    assert not golden.mask(larger, golden.run(larger, random_image(larger))).any()


@pytest.mark.parametrize(
    ("shape", "source", "target", "area", "error"),
    [
        ((4, 4, 2), MASK_TYPE, MASK_TYPE, 1, ShapeError),
        ((1, 1, 1), MASK_TYPE, MASK_TYPE, 1, ShapeError),
        ((4, 4, 1), QType(2, False, 0), QType(2, False, 0), 1, TypeMismatchError),
        ((4, 4, 1), QType(1, True, 0), QType(1, True, 0), 1, TypeMismatchError),
        ((4, 4, 1), QType(1, False, 1), QType(1, False, 1), 1, TypeMismatchError),
        ((4, 4, 1), MASK_TYPE, QType(2, False, 0), 1, TypeMismatchError),
        ((4, 4, 1), MASK_TYPE, MASK_TYPE, 0, ModelError),
        ((4, 4, 1), MASK_TYPE, MASK_TYPE, 17, ModelError),
    ],
)
def test_what_does_not_fit_is_refused(
    shape: tuple[int, int, int], source: QType, target: QType, area: int, error: type[ModelError]
) -> None:
    tensors = (Tensor("image", shape, source), Tensor("y", shape, target))
    with pytest.raises(error, match=r"^mask: expected "):
        check(Graph("net", ("image",), "y", tensors, (SmallestArea("mask", ("image",), "y", area),)))


def of_logits(bits: int, channels: int = 1) -> Graph:
    builder = GraphBuilder("net", 12, 10, 1, QType(8, False, 8), 2)
    builder.matrix(Conv2d, "head", "image", channels, 3, 4, QType(bits, True, 3))
    return builder.build()


@pytest.mark.parametrize("bits", [5, MAX_BITS])
def test_a_network_that_ends_in_logits_gets_its_mask(bits: int) -> None:
    graph = of_logits(bits)
    masked, kept = with_smallest_area(graph, 50), 0
    for seed in range(9):
        image = random_image(graph, seed)
        usual = mask(graph, golden.run(graph, image))
        expected = usual if usual.sum() >= 50 else np.zeros_like(usual)
        assert (golden.run(masked, image)[masked.output][..., 0] == expected).all()
        kept += expected.any()
    assert kept


def test_names_that_are_taken_stay_and_the_table_is_none_of_probabilities() -> None:
    builder = GraphBuilder("net", 12, 10, 1, QType(8, False, 8), 2)
    cut = builder.matrix(Conv2d, "cut", "image", 1, 3, 4, QType(5, True, 3))
    builder.matrix(Conv2d, "smallest_area", cut, 1, 3, 4, QType(5, True, 3))
    graph = builder.build()
    masked = with_smallest_area(graph, 50)
    assert masked.nodes[:2] == graph.nodes
    assert len({node.name for node in masked.nodes}) == len({node.output for node in masked.nodes}) == 4
    table = masked.nodes[2]
    assert isinstance(table, Lookup) and not table.probability


def test_what_has_no_mask_of_logits_is_refused() -> None:
    with pytest.raises(ModelError, match="gives its mask already"):
        with_smallest_area(with_smallest_area(of_logits(5), 50), 50)
    with pytest.raises(ShapeError, match="logits of one channel for a mask, got 2 channels") as refused:
        with_smallest_area(of_logits(5, 2), 50)
    assert refused.value.hint == "A smallest area is known for networks of one class."
    with pytest.raises(ModelError, match=r"smallest_area: .*121"):
        with_smallest_area(of_logits(5), 121)
    with pytest.raises(WidthError, match=f"{MAX_BITS + 1} bits"):
        with_smallest_area(of_logits(MAX_BITS + 1), 50)


def test_a_mask_is_read_as_it_is_whatever_the_logits_stood_for() -> None:
    graph = dataclasses.replace(of_logits(5), reading=Reading((Fraction(-1, 3),), (Fraction(1, 7),)))
    masked, image = with_smallest_area(graph, 1), random_image(graph)
    expected = mask(graph, golden.run(graph, image))
    assert masked.reading is None and (mask(masked, golden.run(masked, image)) == expected).all() and expected.any()
