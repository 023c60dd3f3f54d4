"""The round trip through hls4ml gives an equal graph; what is not exact is refused, and says what and where."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import layers
from hls4ml.model.graph import ModelGraph

from quantunet import golden
from quantunet.errors import QuantUNetError, ShapeError, UnsupportedOpError, WidthError
from quantunet.golden.inference import evaluate
from quantunet.hls.csim.lower.network import model_graph
from quantunet.hls.plugin.reader import from_model_graph
from quantunet.ir import INPUT_TYPE, Conv2d, ConvTranspose2d, Graph, MaxPool2d, QType, Requant
from quantunet.random_network import GraphBuilder, random_unet


@pytest.mark.parametrize("seed", range(3))
def test_round_trip_of_a_network(seed: int, tmp_path: Path) -> None:
    graph = random_unet(base=4, depth=2, size=16, seed=seed)
    assert from_model_graph(model_graph(graph, tmp_path, backend="QuantUNet")) == graph


@pytest.mark.parametrize("name", ["enc0_conv0", "pool0", "up0", "skip0_requant", "concat0", "head", "sigmoid"])
def test_round_trip_of_a_layer(name: str, tmp_path: Path) -> None:
    graph = random_unet().layer(name)
    assert from_model_graph(model_graph(graph, tmp_path, backend="QuantUNet")) == graph


def test_names_that_hls4ml_or_cpp_cannot_have_come_back(tmp_path: Path) -> None:
    builder = GraphBuilder("double", 4, 4, 1, INPUT_TYPE, 0)
    x = builder.matrix(Conv2d, "Conv", "image", 2, 3, 4, QType(4, False, 3))
    y = builder.matrix(Conv2d, "conv", x, 2, 3, 4, QType(4, False, 3))
    y = builder.requant("class", y, QType(4, False, 3))
    z = builder.requant("input", y, QType(4, False, 3))
    builder.concat("Conv_out_2", z, x)
    graph = builder.build()
    assert from_model_graph(model_graph(graph, tmp_path, backend="QuantUNet")) == graph


FIXED = {"result": "ufixed<3,1,RND_CONV,SAT>", "weight": "fixed<3,1>", "bias": "fixed<12,2>", "accum": "fixed<14,4>"}


def foreign(
    tmp_path: Path, *, conv: dict[str, Any] | None = None, precision: dict[str, str] | None = None,
    tail: tuple[tuple[dict[str, Any], dict[str, str]], ...] = (),
) -> ModelGraph:  # fmt: skip
    """Return a small model as another front end might make it: an input, a convolution, and ``tail``."""
    rng = np.random.default_rng(0)
    first = {
        "class_name": "Conv2D", "name": "c", "data_format": "channels_last", "in_height": 4, "in_width": 4,
        "out_height": 4, "out_width": 4, "n_chan": 1, "n_filt": 2, "filt_height": 3, "filt_width": 3,
        "stride_height": 1, "stride_width": 1, "dilation": 1,
        "pad_top": 1, "pad_bottom": 1, "pad_left": 1, "pad_right": 1,
        "weight_data": rng.integers(-3, 4, size=(3, 3, 1, 2)) / 4.0, "bias_data": np.array([0.25, -0.5]),
    } | (conv or {})  # fmt: skip
    stack = [{"class_name": "InputLayer", "name": "x", "input_shape": [4, 4, 1]}, first]
    precisions = {"x": {"result": "ufixed<8,0>"}, "c": FIXED | (precision or {})}
    for layer, types in tail:
        stack.append({"name": f"t{len(stack)}", **layer})
        precisions[f"t{len(stack) - 1}"] = types
    config = {
        "OutputDir": str(tmp_path), "ProjectName": "foreign", "Backend": "QuantUNet", "IOType": "io_stream",
        "HLSConfig": {
            "Model": {"Precision": {"default": "fixed<16,6>"}, "ReuseFactor": 1},
            "LayerName": {name: {"Precision": types} for name, types in precisions.items()},
        },
    }  # fmt: skip
    return ModelGraph.from_layer_list(config, copy.deepcopy(stack))


def activation(kind: str) -> dict[str, Any]:
    return {"class_name": "Activation", "activation": kind}


def test_foreign_convolution_is_read(tmp_path: Path) -> None:
    graph = from_model_graph(foreign(tmp_path))
    assert [type(node) for node in graph.nodes] == [Conv2d]
    assert graph.tensor("c").qtype == QType(3, False, 2)
    node = graph.node("c")
    assert isinstance(node, Conv2d)
    assert node.weight_type == QType(3, True, 2)
    assert node.bias.array.tolist() == [256, -512]


@pytest.mark.parametrize(
    ("result", "expected"),
    [("ufixed<3,1,RND_CONV,SAT>", QType(3, False, 2)), ("fixed<4,2,RND_CONV,SAT>", QType(3, False, 2))],
)
def test_convolution_and_relu_are_joined_when_nothing_is_lost_between(
    result: str, expected: QType, tmp_path: Path
) -> None:
    relu = (activation("relu"), {"result": result})
    graph = from_model_graph(foreign(tmp_path, precision={"result": "fixed<14,4>"}, tail=(relu,)))
    assert [type(node) for node in graph.nodes] == [Conv2d]
    assert graph.tensor(graph.output).qtype == expected
    plain = from_model_graph(foreign(tmp_path))
    image = layers.random_frames(graph, 1)[0][0]
    joined, alone = golden.run(graph, image)[graph.output], golden.run(plain, image)[plain.output]
    assert joined.size == 32
    assert np.array_equal(joined, alone)


def test_relu_behind_a_rounded_convolution_stays_a_layer(tmp_path: Path) -> None:
    relu = (activation("relu"), {"result": "ufixed<2,1,RND_CONV,SAT>"})
    graph = from_model_graph(foreign(tmp_path, precision={"result": "fixed<5,2,RND_CONV,SAT>"}, tail=(relu,)))
    assert [type(node) for node in graph.nodes] == [Conv2d, Requant]
    requant = graph.nodes[1]
    codes = np.arange(-16, 16).reshape(4, 4, 2)
    values = evaluate(graph, requant, [codes])
    assert values.tolist() == np.clip(np.rint(np.maximum(codes, 0) / 4), 0, 3).astype(int).tolist()


def test_modes_that_have_nothing_to_do_are_accepted(tmp_path: Path) -> None:
    graph = from_model_graph(foreign(tmp_path, precision={"result": "fixed<14,4,TRN,WRAP>"}))
    assert graph.tensor("c").qtype == QType(14, True, 10)


POOL = {
    "class_name": "MaxPooling2D", "data_format": "channels_last", "in_height": 4, "in_width": 4, "out_height": 2,
    "out_width": 2, "n_filt": 2, "pool_height": 2, "pool_width": 2, "stride_height": 2, "stride_width": 2,
    "pad_top": 0, "pad_bottom": 0, "pad_left": 0, "pad_right": 0,
}  # fmt: skip
POOL_TYPES = {"result": "ufixed<3,1>", "accum": "ufixed<3,1>"}


def test_pooling_is_read(tmp_path: Path) -> None:
    graph = from_model_graph(foreign(tmp_path, tail=((POOL, POOL_TYPES),)))
    assert [type(node) for node in graph.nodes] == [Conv2d, MaxPool2d]


def test_pooling_into_a_narrower_type_is_a_pooling_and_a_requantisation(tmp_path: Path) -> None:
    """HGQ2 puts the next quantizer's type on the pooling."""
    narrow = POOL_TYPES | {"result": "ufixed<2,1,RND_CONV,SAT>"}
    graph = from_model_graph(
        foreign(tmp_path, precision={"result": "ufixed<5,1,RND_CONV,SAT>"}, tail=((POOL, narrow),))
    )
    assert [type(node) for node in graph.nodes] == [Conv2d, MaxPool2d, Requant]
    plain = from_model_graph(foreign(tmp_path, precision={"result": "ufixed<5,1,RND_CONV,SAT>"}))
    image = layers.random_frames(graph, 1)[0][0]
    fine = golden.run(plain, image)[plain.output].reshape(2, 2, 2, 2, 2).max(axis=(1, 3))
    expected = np.clip(np.rint(fine / 8), 0, 3).astype(int)
    assert expected.size == 8
    assert np.array_equal(golden.run(graph, image)[graph.output], expected)


def wrapped(codes: np.ndarray) -> np.ndarray:
    return codes % 8


ROUNDED: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "truncation": ("ufixed<3,1,TRN,SAT>", lambda x: np.clip(np.floor(x), 0, 7)),
    "truncation to 0": ("fixed<3,1,TRN_ZERO,SAT>", lambda x: np.clip(np.trunc(x), -4, 3)),
    "rounding up": ("fixed<3,1,RND,SAT>", lambda x: np.clip(np.floor(x + 0.5), -4, 3)),
    "half to even": ("fixed<3,1,RND_CONV,SAT>", lambda x: np.clip(np.rint(x), -4, 3)),
    "wrapping": ("ufixed<3,1,RND_CONV>", lambda x: wrapped(np.rint(x))),
    "truncation that wraps": ("fixed<3,1>", lambda x: wrapped(np.floor(x) + 4) - 4),
    "symmetric": ("fixed<3,1,RND_CONV,SAT_SYM>", lambda x: np.clip(np.rint(x), -3, 3)),
}
"""Of each type: what becomes of a sum in steps of the type."""


@pytest.mark.parametrize("case", ROUNDED)
def test_every_rounding_and_overflow_is_exact(case: str, tmp_path: Path) -> None:
    result, rounded = ROUNDED[case]
    plain = from_model_graph(foreign(tmp_path, precision={"result": "fixed<14,4>"}))
    graph = from_model_graph(foreign(tmp_path, precision={"result": result}))
    image = layers.random_frames(plain, 1)[0][0]
    sums = golden.run(plain, image)[plain.output] / 2 ** (plain.tensor(plain.output).qtype.frac - 2)
    assert graph.tensor(graph.output).qtype.frac == 2
    assert np.array_equal(golden.run(graph, image)[graph.output], rounded(sums))
    assert sums.size == 32


def test_float_weights_are_quantised_by_their_type(tmp_path: Path) -> None:
    """``fixed<3,1>`` truncates 0.3 to 0.25."""
    floats = foreign(tmp_path, conv={"weight_data": np.full((3, 3, 1, 2), 0.3)})
    codes = foreign(tmp_path, conv={"weight_data": np.full((3, 3, 1, 2), 0.25)})
    assert from_model_graph(floats) == from_model_graph(codes)


REFUSED: dict[str, tuple[dict[str, Any], type[QuantUNetError], str]] = {
    "unknown dilation": (
        {"conv": {"dilation": None}},
        UnsupportedOpError,
        "c: expected dilation = 1, got unknown: hls4ml does not pass it on",
    ),
    "narrow accumulator": (
        {"precision": {"accum": "fixed<12,2>"}},
        WidthError,
        "c: expected an accumulator that holds",
    ),
    "coarse accumulator": (
        {"precision": {"accum": "fixed<14,5>"}},
        WidthError,
        "c: expected an accumulator that holds",
    ),
    "floating point": (
        {"precision": {"result": "float"}},
        UnsupportedOpError,
        "c: expected a precision fixed<>, ufixed<>",
    ),
    "large weights": (
        {"conv": {"weight_data": np.full((3, 3, 1, 2), 1.0)}},
        WidthError,
        r"c: expected an accumulator that holds s15\.10",
    ),
    "fine bias": (
        {"conv": {"bias_data": np.array([2.0**-11, 0.0])}, "precision": {"bias": "fixed<13,2>"}},
        WidthError,
        r"c: expected an accumulator that holds s14\.11",
    ),
    "stride": (
        {"conv": {"stride_height": 2}},
        ShapeError,
        r"c: expected a result of shape \(2, 4, 2\), got \(4, 4, 2\)",
    ),
    "valid padding": ({"conv": {"pad_top": 0}}, ShapeError, r"c: expected a result of shape \(3, 4, 2\)"),
    "transposition": (
        {"tail": (({"class_name": "Transpose", "perm": [1, 0, 2]}, {"result": "ufixed<3,1,RND_CONV,SAT>"}),)},
        UnsupportedOpError,
        r"t2: expected tensors with the channels last, got a transposition of \(4, 4, 2\)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_exact_is_refused(case: str, tmp_path: Path) -> None:
    changes, error, message = REFUSED[case]
    model = foreign(tmp_path, **changes)
    with pytest.raises(error, match=message):
        from_model_graph(model)
    with pytest.raises(error, match=message):
        model.write()
    assert not list(tmp_path.iterdir())


def test_transpose_convolution_checks_its_accumulator(tmp_path: Path) -> None:
    types = (QType(4, False, 3), QType(4, True, 3), QType(4, True, 2))
    graph: Graph = layers.matrix(ConvTranspose2d, "up", (2, 2, 3), 2, 2, types)
    model = model_graph(graph, tmp_path, backend="QuantUNet")
    node = next(layer for layer in model.get_layers() if layer.name == "up")
    node.get_attr("accum_t").precision.width -= 1
    node.get_attr("accum_t").precision.integer -= 1
    with pytest.raises(WidthError, match="up: expected an accumulator that holds"):
        from_model_graph(model)
