"""Tensors of 17 to 48 bits: exact sums from a layer to a requantisation, in the graph, its files and golden."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from quantunet import golden, graph_file, packed
from quantunet.accumulator import accumulator
from quantunet.errors import ModelError, ScaleError, WidthError
from quantunet.golden.histogram import histograms
from quantunet.golden.taps import load_taps, save_taps
from quantunet.graph_check import check
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, MatrixNode, QType
from quantunet.random_network import GraphBuilder, random_image

SUMS, UP = QType(22, True, 3), QType(41, True, 4)


def network(sums: QType = SUMS, up: QType = UP) -> Graph:
    """Return a network with a wide tensor of two readers, and a wide output."""
    builder = GraphBuilder("sums", 8, 6, 2, QType(8, False, 0), 5)
    x = builder.matrix(Conv2d, "conv", "image", 4, 3, 8, sums)
    y = builder.requant("skip", x, QType(7, True, -2))
    x = builder.affine("scale", x, QType(7, True, -2), bits=10)
    x = builder.add("difference", x, y, QType(16, True, -2), (1, -1))
    builder.matrix(ConvTranspose2d, "up", x, 3, 2, 16, up)
    return builder.build()


def test_sums_leave_as_they_are_and_files_keep_them(tmp_path: Path) -> None:
    graph = network()
    image = random_image(graph)
    plain, fast = golden.run(graph, image, plain=True), golden.run(graph, image)
    assert all(np.array_equal(fast[name], values) for name, values in plain.items())
    for name in ("conv", "up"):
        node = graph.node(name)
        assert isinstance(node, MatrixNode)
        sums = accumulator(graph, node)
        exact = dataclasses.replace(graph.output_of(node), qtype=sums)
        alone = dataclasses.replace(graph.layer(name), tensors=(graph.input_of(node), exact))
        inputs = [plain[node.inputs[0]]]
        assert np.array_equal(golden.inference.evaluate(alone, node, inputs), plain[node.output])
        assert np.abs(plain[node.output]).max() > 1 << 14
    assert graph_file.from_json(graph_file.to_json(graph)) == graph
    packed.write(graph, tmp_path / "sums.qun")
    assert packed.read(tmp_path / "sums.qun") == graph
    save_taps(tmp_path / "taps.npz", plain)
    assert all(np.array_equal(values, plain[name]) for name, values in load_taps(tmp_path / "taps.npz").items())


def test_a_histogram_of_a_wide_tensor_costs_no_more_than_its_values() -> None:
    graph = network()
    found = {each.name: each for each in histograms(graph, golden.run(graph, random_image(graph)))}
    wide = found[graph.output]
    assert wide.values == 16 * 12 * 3
    assert 100 < wide.distinct <= wide.values
    assert len(wide.shades()) == 16
    assert wide.saturated_share == 0


@pytest.mark.parametrize(
    ("sums", "up", "error", "said"),
    [
        (QType(17, True, 3), UP, WidthError, r"conv: .*holds every sum, .* Say s19\.3, or at most 16 bits"),
        (QType(22, False, 3), UP, WidthError, "conv: .*holds every sum"),
        (QType(22, True, 3), QType(49, True, 4), WidthError, "up_out: .*a bit-width of 1 to 48"),
    ],
)
def test_a_wide_output_that_does_not_hold_the_sums_is_refused(
    sums: QType, up: QType, error: type[ModelError], said: str
) -> None:
    with pytest.raises(error, match=f"^{said}"):
        network(sums, up)


def test_a_wide_output_of_another_scale_is_refused_and_the_advice_holds() -> None:
    graph = network()
    tensors = [dataclasses.replace(t, qtype=QType(30, True, 2)) if t.name == "conv_out" else t for t in graph.tensors]
    with pytest.raises(ScaleError, match=r"conv: .* frac 3, .* Say (s\d\d)\.3, ") as refused:
        check(dataclasses.replace(graph, tensors=tuple(tensors)))
    bits = int(str(refused.value).split("Say s")[1].split(".")[0])
    advised = QType(bits, True, 3)
    tensors = [dataclasses.replace(t, qtype=advised) if t.name == "conv_out" else t for t in graph.tensors]
    check(dataclasses.replace(graph, tensors=tuple(tensors)))
    node = graph.node("conv")
    assert isinstance(node, MatrixNode)
    assert accumulator(graph, node) == advised


def test_other_layers_read_no_wide_tensor() -> None:
    builder = GraphBuilder("net", 4, 4, 2, QType(4, False, 0), 1)
    builder.matrix(Conv2d, "conv", "image", 2, 3, 8, QType(20, True, 0))
    builder.maxpool2d("pool", "conv_out")
    with pytest.raises(WidthError, match="conv_out: expected a bit-width of 1 to 16, got 20"):
        builder.build()
