"""What another front end has put into a ModelGraph is read exactly, or refused: what and where is said."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import layers
from hls4ml.model.graph import ModelGraph

from quantunet import golden
from quantunet.errors import QuantUNetError, ShapeError, UnsupportedOpError, WidthError
from quantunet.golden.inference import evaluate
from quantunet.hls.plugin.reader import from_model_graph
from quantunet.ir import Conv2d, Graph, MaxPool2d, QType, Requant

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


def test_a_pooling_may_be_wrapped_behind_its_quantizer(tmp_path: Path) -> None:
    wrapped = {"result": "ufixed<5,0,TRN,WRAP>", "accum": "ufixed<3,1>"}
    graph = from_model_graph(foreign(tmp_path, precision={"result": "ufixed<6,1,TRN,WRAP>"}, tail=((POOL, wrapped),)))
    image = np.random.default_rng(7).integers(0, 256, size=(4, 4, 1))
    inner = [converted(each, 6, 1, False, "TRN", "WRAP") for each in sums(image, *weights())]
    greatest = np.array(inner).reshape(2, 2, 2, 2, 2).max(axis=(1, 3)).ravel()
    expected = [converted(Fraction(each), 5, 0, False, "TRN", "WRAP") for each in greatest]
    assert any(each != got for each, got in zip(greatest, expected, strict=True))
    assert same(graph, image, expected) == 8


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


ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "TRN": math.floor,
    "TRN_ZERO": math.trunc,
    "RND": lambda v: math.floor(v + Fraction(1, 2)),
    "RND_ZERO": lambda v: (1 if v > 0 else -1) * math.ceil(abs(v) - Fraction(1, 2)),
    "RND_INF": lambda v: (1 if v > 0 else -1) * math.floor(abs(v) + Fraction(1, 2)),
    "RND_MIN_INF": lambda v: math.ceil(v - Fraction(1, 2)),
    "RND_CONV": round,
}
"""hls4ml's roundings, by the definitions of ``ap_fixed``."""


def converted(value: Fraction, bits: int, integer: int, signed: bool, rounding: str, overflow: str) -> Fraction:
    """A real number as an ``ap_fixed`` holds it."""
    step = Fraction(2) ** (integer - bits)
    code = ROUNDINGS[rounding](value / step)
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if overflow == "WRAP":
        return ((code - low) % (1 << bits) + low) * step
    low += overflow == "SAT_SYM" and signed
    return min(max(code, low), high) * step


def sums(image: np.ndarray, weight: np.ndarray, bias: np.ndarray, *, step: int = 1, reach: int = 1) -> list[Fraction]:
    """The exact sums of a 3x3 convolution with a padding of ``reach``, pixel by pixel and channel by channel."""
    padded = np.pad(image[:, :, 0], reach)
    rows = range(0, padded.shape[0] - 2 * reach, step)
    found = []
    for y in rows:
        for x in range(padded.shape[1] - 2 * reach):
            window = padded[y : y + 2 * reach + 1 : reach, x : x + 2 * reach + 1 : reach]
            for channel in range(weight.shape[3]):
                taps = zip(window.ravel().tolist(), weight[:, :, 0, channel].ravel().tolist(), strict=True)
                products = [Fraction(pixel, 256) * Fraction(tap) for pixel, tap in taps]
                found.append(sum(products, Fraction(float(bias[channel]))))
    return found


def same(graph: Graph, image: np.ndarray, expected: list[Fraction]) -> int:
    """Compare what a graph computes with real numbers; returns how many."""
    output = graph.tensor(graph.output)
    values = [Fraction(code) / Fraction(2) ** output.qtype.frac for code in golden.run(graph, image)[output.name].flat]
    assert values == expected
    assert len(set(values)) > 3
    return len(values)


def weights() -> tuple[np.ndarray, np.ndarray]:
    """What :func:`foreign` gives its convolution."""
    return np.random.default_rng(0).integers(-3, 4, size=(3, 3, 1, 2)) / 4.0, np.array([0.25, -0.5])


@pytest.mark.parametrize("overflow", ["SAT", "SAT_SYM", "WRAP"])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_rounding_and_overflow_is_exact(rounding: str, overflow: str, tmp_path: Path) -> None:
    graph = from_model_graph(foreign(tmp_path, precision={"result": f"fixed<4,1,{rounding},{overflow}>"}))
    image = np.random.default_rng(4).integers(0, 256, size=(4, 4, 1))
    expected = [converted(total, 4, 1, True, rounding, overflow) for total in sums(image, *weights())]
    assert same(graph, image, expected) == 32


@pytest.mark.parametrize(("rounding", "overflow"), [("TRN", "WRAP"), ("RND_CONV", "SAT"), ("RND_ZERO", "SAT_SYM")])
def test_real_weights_are_rounded_as_their_type_says(rounding: str, overflow: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    weight, bias = rng.normal(0, 0.8, size=(3, 3, 1, 2)), rng.normal(0, 0.5, size=2)
    types = {
        "weight": f"fixed<4,1,{rounding},{overflow}>", "bias": f"fixed<6,1,{rounding},{overflow}>",
        "result": "fixed<8,4,RND_CONV,SAT>", "accum": "fixed<20,8>",
    }  # fmt: skip
    graph = from_model_graph(foreign(tmp_path, conv={"weight_data": weight, "bias_data": bias}, precision=types))
    image = rng.integers(0, 256, size=(4, 4, 1))
    held = [
        np.array([float(converted(Fraction(v), bits, 1, True, rounding, overflow)) for v in values.ravel().tolist()])
        for values, bits in ((weight, 4), (bias, 6))
    ]
    assert not np.array_equal(held[0], weight.ravel())
    totals = sums(image, held[0].reshape(weight.shape), held[1])
    assert same(graph, image, [converted(each, 8, 4, True, "RND_CONV", "SAT") for each in totals]) == 32


def test_dilation_and_stride_are_read(tmp_path: Path) -> None:
    image = np.random.default_rng(6).integers(0, 256, size=(4, 4, 1))
    wide = {"result": "fixed<14,4,TRN,WRAP>"}
    pads = dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), 2)
    dilated = from_model_graph(foreign(tmp_path, conv={"dilation": 2, **pads}, precision=wide))
    assert same(dilated, image, sums(image, *weights(), reach=2)) == 32
    strided = from_model_graph(foreign(tmp_path, conv={"stride_height": 2, "out_height": 2}, precision=wide))
    assert same(strided, image, sums(image, *weights(), step=2)) == 16


WIDE = "fixed<14,4,TRN,WRAP>"
"""A type that holds every sum of the convolution of :func:`foreign`."""


def wide_sums(image: np.ndarray) -> list[Fraction]:
    return sums(image, *weights())


def tanh(x: Fraction) -> Fraction:
    return Fraction(math.tanh(x))


def test_a_function_of_a_narrow_value_is_exact(tmp_path: Path) -> None:
    image = np.random.default_rng(7).integers(0, 256, size=(4, 4, 1))
    tail = ((activation("tanh"), {"result": "fixed<8,1,RND_CONV,SAT>"}),)
    graph = from_model_graph(foreign(tmp_path, precision={"result": "fixed<8,2,RND_CONV,SAT>"}, tail=tail))
    assert graph.nodes[-1].op == "lookup"
    seen = [converted(total, 8, 2, True, "RND_CONV", "SAT") for total in wide_sums(image)]
    assert same(graph, image, [converted(tanh(each), 8, 1, True, "RND_CONV", "SAT") for each in seen]) == 32


def test_a_table_wraps_as_its_type_says(tmp_path: Path) -> None:
    image = np.random.default_rng(7).integers(0, 256, size=(4, 4, 1))
    tail = ((activation("exponential"), {"result": "fixed<5,1,TRN,WRAP>"}),)
    graph = from_model_graph(foreign(tmp_path, precision={"result": "fixed<8,2,RND_CONV,SAT>"}, tail=tail))
    seen = [converted(total, 8, 2, True, "RND_CONV", "SAT") for total in wide_sums(image)]
    expected = [converted(Fraction(math.exp(each)), 5, 1, True, "TRN", "WRAP") for each in seen]
    assert min(expected) < 0  # nothing that exp returns is
    assert same(graph, image, expected) == 32


def entry(function: Callable[[float], float], x: float) -> Fraction:
    """An entry of hls4ml's table of a function, which has the type ``fixed<18,8>``."""
    return converted(Fraction(function(x)), 18, 8, True, "TRN", "WRAP")


def around_zero(span: int, function: Callable[[float], float]) -> Callable[[Fraction], Fraction]:
    """hls4ml's table of 1024 entries around 0; the input is cut off towards 0."""
    return lambda x: entry(function, min(max(math.trunc(x * 1024 / span), -512), 511) * span / 1024)


def below_zero(gain: Fraction, factor: Fraction, function: Callable[[float], float]) -> Callable[[Fraction], Fraction]:
    """hls4ml's ELU and SELU: a line from 0 on, and below a factor times a table of 1024 entries down to -8."""
    return lambda x: gain * x if x >= 0 else factor * entry(function, -8 * min(math.trunc(-x * 128), 1023) / 1024)


def threshold(x: Fraction) -> Fraction:
    return x if x > Fraction(3, 4) else Fraction(0)


def selu_below(x: float) -> float:
    return 1.0507009873554805 * 1.6732632423543772 * math.expm1(x)


PARAMETRIC = {
    "elu": {"class_name": "ELU", "activation": "elu", "activ_param": 0.3},
    "leaky": {"class_name": "LeakyReLU", "activation": "leakyrelu", "activ_param": 0.3},
    "threshold": {"class_name": "ThresholdedReLU", "activation": "thresholdedrelu", "activ_param": 0.75},
    "hard_sigmoid": {"class_name": "HardActivation", "activation": "hard_sigmoid"},
    "hard_tanh": {"class_name": "HardActivation", "activation": "hard_tanh"},
}
ALPHA = converted(Fraction(0.3), 16, 6, True, "TRN", "WRAP")
"""The parameter 0.3 in the default type of :func:`foreign`."""
SLOPE = converted(Fraction(0.2), 16, 0, False, "TRN", "WRAP")
"""The slope of Keras 2's hard sigmoid as hls4ml holds it."""

WIDE_FUNCTIONS: dict[str, Callable[[Fraction], Fraction]] = {
    "sigmoid": around_zero(16, lambda x: 1 / (1 + math.exp(-x))),
    "tanh": around_zero(8, math.tanh),
    "softplus": around_zero(16, lambda x: math.log(1 + math.exp(x))),
    "softsign": around_zero(16, lambda x: x / (1 + abs(x))),
    "elu": below_zero(Fraction(1), ALPHA, math.expm1),
    "selu": below_zero(converted(Fraction(1.0507009873554805), 14, 4, True, "TRN", "WRAP"), Fraction(1), selu_below),
    "leaky": lambda x: x if x > 0 else ALPHA * x,
    "threshold": threshold,
    "hard_sigmoid": lambda x: min(max(SLOPE * x + Fraction(1, 2), Fraction(0)), Fraction(1)),
    "hard_tanh": lambda x: min(max(2 * SLOPE * x, Fraction(-1)), Fraction(1)),
}


@pytest.mark.parametrize("kind", WIDE_FUNCTIONS)
def test_a_function_of_a_wide_value_is_hls4mls(kind: str, tmp_path: Path) -> None:
    """By its C++; tests/keras compares with the C++ itself."""
    rng = np.random.default_rng(9)
    image = rng.integers(0, 256, size=(4, 4, 1))
    tail = ((PARAMETRIC.get(kind, activation(kind)), {"result": "fixed<12,3,TRN,WRAP>"}),)
    graph = from_model_graph(foreign(tmp_path, precision={"result": WIDE}, tail=tail))
    function = WIDE_FUNCTIONS[kind]
    expected = [converted(function(each), 12, 3, True, "TRN", "WRAP") for each in sums(image, *weights())]
    assert same(graph, image, expected) == 32


def test_a_relu_whose_result_wraps_is_one_layer(tmp_path: Path) -> None:
    image = np.random.default_rng(7).integers(0, 256, size=(4, 4, 1))
    tail = ((activation("relu"), {"result": "fixed<4,1,TRN,WRAP>"}),)
    graph = from_model_graph(foreign(tmp_path, precision={"result": WIDE}, tail=tail))
    assert [node.op for node in graph.nodes] == ["conv2d", "affine"]
    positive = [max(each, Fraction(0)) for each in sums(image, *weights())]
    expected = [converted(each, 4, 1, True, "TRN", "WRAP") for each in positive]
    assert min(expected) < 0
    assert same(graph, image, expected) == 32


ONE_CLASS = {"n_filt": 1, "weight_data": np.arange(-4, 5).reshape(3, 3, 1, 1) / 4.0, "bias_data": np.array([-0.25])}


@pytest.mark.parametrize("source", [WIDE, "fixed<6,3,RND_CONV,SAT>"])
def test_a_sigmoid_of_any_type_is_a_probability(source: str, tmp_path: Path) -> None:
    """The mask is where the logit is not negative, and not where the sigmoid's own integer is."""
    tail = ((activation("sigmoid"), {"result": "fixed<16,6>"}),)
    graph = from_model_graph(foreign(tmp_path, conv=ONE_CLASS, precision={"result": source}, tail=tail))
    assert graph.gives_probabilities
    image = np.random.default_rng(7).integers(0, 256, size=(4, 4, 1))
    taps = golden.run(graph, image)
    mask = golden.mask(graph, {graph.logits.name: taps[graph.logits.name][np.newaxis]})
    assert np.array_equal(mask[0], taps[graph.output][..., 0] >= graph.tensor(graph.output).qtype.half)
    assert 0 < mask.sum() < mask.size


def test_an_average_and_a_flattening_are_read(tmp_path: Path) -> None:
    image = np.random.default_rng(8).integers(0, 256, size=(4, 4, 1))
    wide = {"result": "fixed<14,4,TRN,WRAP>"}
    pool = (POOL | {"class_name": "AveragePooling2D"}, {"result": "fixed<16,4>", "accum": "fixed<18,6>"})
    graph = from_model_graph(foreign(tmp_path, precision=wide, tail=(pool,)))
    totals = np.array(sums(image, *weights()), dtype=object).reshape(2, 2, 2, 2, 2)
    means = totals.sum(axis=(1, 3)) / 4
    assert same(graph, image, means.ravel().tolist()) == 8
    flat = ({"class_name": "Reshape", "target_shape": [32]}, {"result": "fixed<14,4>"})
    assert from_model_graph(foreign(tmp_path, precision=wide, tail=(flat,))).output == "c"


def test_a_cropping_is_read(tmp_path: Path) -> None:
    image = np.random.default_rng(9).integers(0, 256, size=(4, 4, 1))
    wide = {"result": "fixed<14,4,TRN,WRAP>"}
    crop = {
        "class_name": "Cropping2D", "data_format": "channels_last", "in_height": 4, "in_width": 4, "out_height": 2,
        "out_width": 3, "n_chan": 2, "crop_top": 2, "crop_bottom": 0, "crop_left": 0, "crop_right": 1,
    }  # fmt: skip
    graph = from_model_graph(foreign(tmp_path, precision=wide, tail=((crop, {"result": "fixed<14,4>"}),)))
    assert [node.op for node in graph.nodes] == ["conv2d", "crop"]
    totals = np.array(sums(image, *weights()), dtype=object).reshape(4, 4, 2)[2:, :3]
    assert same(graph, image, totals.ravel().tolist()) == 12


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
    "result of another size": (
        {"conv": {"stride_height": 2}},
        ShapeError,
        r"c: expected a result of shape \(2, 4, 2\), got \(4, 4, 2\)",
    ),
    "other activation": (
        {"tail": ((activation("binary_tanh"), {"result": "fixed<8,1>"}),)},
        UnsupportedOpError,
        "t2: expected an activation abs, elu, .*, got binary_tanh",
    ),
    "padded average": (
        {"tail": ((POOL | {"class_name": "AveragePooling2D", "pad_top": 1, "out_height": 2}, POOL_TYPES),)},
        UnsupportedOpError,
        "t2: expected a maximum, or an average that counts what is padded, got average with pads",
    ),
    "transposition": (
        {"tail": (({"class_name": "Transpose", "perm": [1, 0, 2]}, {"result": "ufixed<3,1,RND_CONV,SAT>"}),)},
        UnsupportedOpError,
        r"t2: expected tensors with the channels last, or with the channels first, got a transposition of \(4, 4, 2\)",
    ),
    "unknown layer": (
        {"tail": (({"class_name": "Embedding", "n_in": 4, "n_out": 2, "vocab_size": 4,
                    "embeddings_data": np.zeros((4, 2))}, {"result": "ufixed<3,1>"}),)},
        UnsupportedOpError,
        "t2: expected one of the layers Activation, .*, got Embedding",
    ),
    "softmax": (
        {"tail": (({"class_name": "Softmax", "axis": -1, "activation": "softmax", "n_in": 32},
                   {"result": "ufixed<3,1>"}),)},
        UnsupportedOpError,
        r"t2: expected one of .*, got Softmax\. End the model at the logits",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_exact_is_refused(case: str, tmp_path: Path) -> None:
    changes, error, message = REFUSED[case]
    model = foreign(tmp_path, **changes)
    with pytest.raises(error, match=message):
        from_model_graph(model)
    with pytest.raises(error, match=message):
        model.write()
    assert not list(tmp_path.iterdir())
