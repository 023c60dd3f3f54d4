"""The integer graph: JSON round trip, equality, and the checks of :mod:`quantunet.graph_check`."""

import base64
import dataclasses
import json
import tracemalloc
import zlib

import numpy as np
import pytest

from quantunet import graph_file
from quantunet.accumulator import accumulator, bits_for, reachable
from quantunet.errors import (
    FileFormatError,
    ModelError,
    ShapeError,
    TypeMismatchError,
    UnsupportedOpError,
    WidthError,
)
from quantunet.golden.ops import conv2d
from quantunet.graph_check import check
from quantunet.graph_file import FIELD_READERS
from quantunet.identifiers import MAX_LENGTH
from quantunet.ir import NODE_TYPES, Conv2d, ConvTranspose2d, Graph, IntArray, QType, Tensor
from quantunet.random_network import random_unet, random_windows


@pytest.fixture(scope="module")
def graph() -> Graph:
    return random_unet(base=2, depth=2, size=8)


def with_tensor(graph: Graph, which: str, **changes: object) -> Graph:
    tensors = tuple(dataclasses.replace(t, **changes) if t.name == which else t for t in graph.tensors)  # type: ignore[arg-type]
    return dataclasses.replace(graph, tensors=tensors)


def test_json_round_trip(graph: Graph) -> None:
    again = graph_file.from_json(graph_file.to_json(graph))
    assert again == graph
    assert graph_file.to_json(again) == graph_file.to_json(graph)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "quantunet-graph-1"}', "null"])
def test_damaged_json(text: str) -> None:
    with pytest.raises(FileFormatError):
        graph_file.from_json(text, "file.json")


def test_truncated_weights_in_json(graph: Graph) -> None:
    damaged = graph_file.to_json(graph).replace('"shape": [\n     3', '"shape": [\n     5', 1)
    assert damaged != graph_file.to_json(graph)
    with pytest.raises(FileFormatError):
        graph_file.from_json(damaged)


def test_arrays_in_json_are_unpacked_to_the_size_of_their_shape(graph: Graph) -> None:
    document = json.loads(graph_file.to_json(graph))
    entry = document["nodes"][0]["weight"]
    data, text = graph.nodes[0].weight.data, entry["zlib_int64"]  # type: ignore[union-attr]

    def compressed(values: bytes) -> str:
        return base64.b64encode(zlib.compress(values)).decode()

    entry["zlib_int64"] = compressed(data)
    assert graph_file.from_json(json.dumps(document)) == graph
    bomb = compressed(bytes(1 << 27))
    for damaged in (compressed(data[:-8]), compressed(data + bytes(8)), bomb, text[:-8], "é", text + "====", 7, ""):
        entry["zlib_int64"] = damaged
        damaged_text = json.dumps(document)
        tracemalloc.start()
        with pytest.raises(FileFormatError, match=r"nodes\[0\]\.weight\.zlib_int64"):
            graph_file.from_json(damaged_text)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
        tracemalloc.stop()
    entry["zlib_int64"] = text
    entry["bits"] = 3
    with pytest.raises(FileFormatError, match=r"weight\.bits"):
        graph_file.from_json(json.dumps(document))


def test_a_key_twice_is_refused(graph: Graph) -> None:
    text = graph_file.to_json(graph)
    with pytest.raises(FileFormatError, match="'signed' twice"):
        graph_file.from_json(text.replace('"signed": ', '"signed": false, "signed": ', 1))


def test_every_field_of_every_node_has_a_reader() -> None:
    kinds = {str(field.type) for kind in NODE_TYPES.values() for field in dataclasses.fields(kind)}
    assert kinds - {"IntArray"} <= set(FIELD_READERS)


def test_a_bias_at_the_end_of_int64_is_too_wide_and_does_not_wrap(graph: Graph) -> None:
    node = graph.nodes[0]
    assert isinstance(node, Conv2d)
    for value in (2**63 - 1, -(2**63), 2**62, 2**47, 2**47 - 1):
        bias = np.full(node.bias.shape, value, np.int64)
        wide = dataclasses.replace(node, bias=IntArray.of(bias))
        with pytest.raises(WidthError, match="at most 48 bits"):
            check(dataclasses.replace(graph, nodes=(wide, *graph.nodes[1:])))


def test_names_and_tensors_have_a_greatest_size(graph: Graph) -> None:
    with pytest.raises(ModelError, match=f"at most {MAX_LENGTH} of them"):
        check(with_tensor(graph, "enc0_conv0_out", name="a" * (MAX_LENGTH + 1)))
    with pytest.raises(ShapeError, match="at most 67108864 values"):
        check(with_tensor(graph, "enc0_conv0_out", shape=(1 << 20, 1 << 20, 2)))


def test_equality_sees_one_weight(graph: Graph) -> None:
    node = graph.nodes[0]
    assert isinstance(node, Conv2d)
    values = node.weight.array.copy()
    values.flat[3] += 1
    changed = dataclasses.replace(node, weight=IntArray.of(values))
    assert dataclasses.replace(graph, nodes=(changed, *graph.nodes[1:])) != graph


def test_checks_name_what_is_wrong(graph: Graph) -> None:
    with pytest.raises(TypeMismatchError, match="pool0"):
        check(with_tensor(graph, "pool0_out", qtype=QType(3, True, 1)))
    with pytest.raises(TypeMismatchError, match="concat1"):
        check(with_tensor(graph, "up1_out", qtype=QType(3, True, 9)))
    with pytest.raises(ShapeError, match="enc0_conv0"):
        check(with_tensor(graph, "enc0_conv0_out", shape=(8, 7, 2)))
    with pytest.raises(ModelError, match="enc0_conv0"):  # sums are as wide as they are, or requantised
        check(with_tensor(graph, "enc0_conv0_out", qtype=QType(17, False, 1)))
    with pytest.raises(ModelError, match="unused"):
        extra = Tensor("unused", (1, 1, 1), QType(8, False, 8))
        check(dataclasses.replace(graph, tensors=(*graph.tensors, extra)))
    with pytest.raises(ModelError, match="earlier layer"):
        check(dataclasses.replace(graph, nodes=tuple(reversed(graph.nodes))))
    with pytest.raises(ModelError, match="letters"):
        check(with_tensor(graph, "enc0_conv0_out", name="a b"))


def test_windows_that_do_not_fit_are_refused() -> None:
    graph = random_windows()

    def changed(name: str, **fields: object) -> Graph:
        node = dataclasses.replace(graph.node(name), **fields)
        return dataclasses.replace(graph, nodes=tuple(node if one.name == name else one for one in graph.nodes))

    stem = graph.node("stem")
    assert isinstance(stem, Conv2d)
    large = IntArray.of(np.ones((26, 1, 2, 4), np.int64))
    refused: tuple[tuple[Graph, type[ModelError], str], ...] = (
        (changed("stem", stride=(0, 1)), UnsupportedOpError, "stem: expected a stride of at least 1, got 0x1"),
        (
            changed("dilated", dilation=(2, 0)),
            UnsupportedOpError,
            "dilated: expected a dilation of at least 1, got 2x0",
        ),
        (changed("stem", stride=(2, 3)), ShapeError, r"stem: expected an output of shape \(10, 7, 4\)"),
        (changed("stem", weight=large), ShapeError, "stem: expected an image of at least 26x1 pixels"),
        (changed("stem", padded=True), UnsupportedOpError, "stem: expected a padded kernel of 3x3 or 1x1, got 7x5"),
        (changed("grouped", padded=True), UnsupportedOpError, "grouped: .* and 2 groups. Pad the image"),
        (
            changed("grouped", groups=3),
            ShapeError,
            "grouped: expected groups that divide 4 input and 4 output channels",
        ),
        (changed("grouped", groups=4), ShapeError, r"grouped: expected weights \(k, k, 1, 4\)"),
        (
            changed("up", crop=(2, 1, 2, 2)),
            ShapeError,
            r"up: expected at least \(2, 2, 2, 2\) rows and columns cropped",
        ),
        (
            changed("up", stride=(2, 5)),
            UnsupportedOpError,
            "up: expected a kernel of at least the stride, 2x5, got 4x4",
        ),
        (changed("up", crop=(3, 2, 2, 2)), ShapeError, r"up: expected an output of shape \(9, 10, 4\)"),
    )
    for wrong, error, message in refused:
        with pytest.raises(error, match=message):
            check(wrong)


def test_a_transpose_convolution_of_overlapping_windows_has_the_accumulator_of_its_largest_phase() -> None:
    weight = IntArray.of(np.array([1, 2, 4]).reshape(1, 3, 1, 1))
    node = ConvTranspose2d(
        "up", ("x",), "y", weight, QType(4, True, 0), IntArray.of([-3]), stride=(1, 2), crop=(0, 1, 0, 1)
    )
    assert reachable(node, QType(2, False, 0)) == (-3, 3 * (1 + 4) - 3)
    assert node.terms == 2


def test_weights_outside_their_type(graph: Graph) -> None:
    node = graph.nodes[0]
    assert isinstance(node, Conv2d)
    narrow = dataclasses.replace(node, weight_type=QType(1, True, 0))
    with pytest.raises(WidthError, match="enc0_conv0"):
        check(dataclasses.replace(graph, nodes=(narrow, *graph.nodes[1:])))


def test_every_layer_alone_is_a_legal_graph(graph: Graph) -> None:
    for node in graph.nodes:
        layer = graph.layer(node.name)
        assert check(layer).nodes == (node,)
    with pytest.raises(ModelError, match="enc0_conv0"):
        graph.layer("nothing")


def test_accumulator_is_the_smallest_that_holds_the_extremes(graph: Graph) -> None:
    """The extremes are reached: by the input that is largest where the weight is positive, and the reverse."""
    compared = 0
    for node in graph.nodes:
        if not isinstance(node, Conv2d):
            continue
        source = graph.input_of(node).qtype
        low, high = reachable(node, source)
        highest = lowest = 0
        kernel = node.weight.shape[0]
        for channel in range(node.weight.shape[3]):
            weight = node.weight.array[:, :, :, channel : channel + 1]
            bias = node.bias.array[channel : channel + 1]
            for sign in (1, -1):
                x = np.where(weight[:, :, :, 0] * sign > 0, source.qmax, source.qmin)
                value = int(conv2d.accumulate(x, weight, bias)[kernel // 2, kernel // 2, 0])
                highest, lowest = max(highest, value), min(lowest, value)
        assert (lowest, highest) == (min(low, 0), max(high, 0))
        bits = accumulator(graph, node).bits
        assert bits == bits_for(low, high)
        assert -(1 << (bits - 1)) <= low
        assert high < 1 << (bits - 1)
        assert low < -(1 << (bits - 2)) or high >= 1 << (bits - 2)
        compared += 1
    assert compared == 11


def test_int_array_refuses_floats() -> None:
    with pytest.raises(TypeError, match="integers"):
        IntArray.of([0.5])
