"""A QONNX model that enters through hls4ml's own converter leaves the backend as the same network."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hls4ml.converters import convert_from_onnx_model
from hls4ml.model.graph import ModelGraph
from hls4ml.utils import config_from_onnx_model
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.util.cleanup import cleanup_model

from quantunet import golden, graph_file
from quantunet.errors import UnsupportedOpError
from quantunet.hls.plugin.reader import from_model_graph
from quantunet.ir import QType
from quantunet.qonnx_import import load

DOMAIN = "qonnx.custom_op.general"


def small_model(classes: int = 1) -> onnx.ModelProto:
    """Return Conv-ReLU-MaxPool-Conv as Brevitas exports it."""
    rng = np.random.default_rng(0)
    constants: dict[str, np.ndarray] = {}
    nodes = []

    def quant(name: str, source: str, scale: float, bits: int, signed: int, narrow: int = 0) -> str:
        values = {f"{name}_scale": scale, f"{name}_zero": 0.0, f"{name}_bits": float(bits)}
        constants.update({key: np.array(value, dtype=np.float32) for key, value in values.items()})
        options = {"signed": signed, "narrow": narrow, "rounding_mode": "ROUND"}
        nodes.append(helper.make_node("Quant", [source, *values], [f"{name}_y"], name=name, domain=DOMAIN, **options))
        return f"{name}_y"

    def conv(name: str, source: str, shape: tuple[int, int, int, int], bias: list[str]) -> str:
        constants[f"{name}_raw"] = rng.uniform(-1, 1, size=shape).astype(np.float32)
        inputs = [source, quant(f"{name}_weight", f"{name}_raw", 0.25, 3, 1, 1), *bias]
        options = {"kernel_shape": shape[2:], "pads": [shape[2] // 2] * 4, "strides": [1, 1]}
        nodes.append(helper.make_node("Conv", inputs, [f"{name}_acc"], name=name, group=1, dilations=[1, 1], **options))
        return f"{name}_acc"

    x = quant("image", "x", 2.0**-8, 8, 0)
    constants["bias_raw"] = np.array([0.1, -0.2], dtype=np.float32)
    bias = quant("bias", "bias_raw", 2.0**-10, 32, 1)
    nodes.append(helper.make_node("Relu", [conv("conv", x, (2, 1, 3, 3), [bias])], ["relu_y"], name="relu"))
    act = quant("act", "relu_y", 0.25, 4, 0)
    pool = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0] * 4, "ceil_mode": 0}
    nodes.append(helper.make_node("MaxPool", [act], ["pool_y"], name="pool", **pool))
    output = quant("logits", conv("head", "pool_y", (classes, 2, 1, 1), []), 0.25, 5, 1)
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 6])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, classes, 2, 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


class File:
    """An ONNX file with QONNX quantizers, made op by op."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}

    def op(self, kind: str, name: str, inputs: list[str], **options: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [f"{name}_y"], name=name, **options))
        return f"{name}_y"

    def quant(self, name: str, source: str, scale: float | np.ndarray, bits: int, signed: int) -> str:
        values = {f"{name}_scale": scale, f"{name}_zero": 0.0, f"{name}_bits": float(bits)}
        self.constants |= {key: np.array(value, dtype=np.float32) for key, value in values.items()}
        options = {"signed": signed, "narrow": signed, "rounding_mode": "ROUND", "domain": DOMAIN}
        return self.op("Quant", name, [source, *values], **options)

    def weights(self, name: str, shape: tuple[int, ...], scale: float | np.ndarray = 0.25) -> str:
        self.constants[f"{name}_raw"] = self.rng.uniform(-1, 1, size=shape).astype(np.float32)
        return self.quant(f"{name}_q", f"{name}_raw", scale, 4, 1)

    def conv(self, name: str, source: str, shape: tuple[int, ...], **options: Any) -> str:
        axes = len(shape) - 2
        plain = {"kernel_shape": shape[2:], "pads": [shape[2] // 2] * 2 * axes, "group": 1}
        plain |= {"strides": [1] * axes, "dilations": [1] * axes}
        return self.op("Conv", name, [source, self.weights(f"{name}_weight", shape)], **plain | options)

    def model(self, output: str, shape: list[int], image: Sequence[int] = (1, 1, 4, 6)) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes, "up",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(image))],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )  # fmt: skip
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def resized(file: File, source: str, *, region: bool = False, sizes: bool = False, **options: Any) -> str:
    """Return a map at twice its size; the region is left out, or empty, which hls4ml refuses alike."""
    given = [source, "", ""]
    if region:
        file.constants["region"] = np.array([], dtype=np.float32)
        given[1] = "region"
    if sizes:
        file.constants["sizes"] = np.array([1, 3, 4, 6], dtype=np.int64)
        given.append("sizes")
    else:
        file.constants["scales"] = np.array([1, 1, 2, 2], dtype=np.float32)
        given[2] = "scales"
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return file.op("Resize", "up", given, **nearest | options)


def transposed(
    file: File, source: str, *, taps: int = 2, bias: bool = False, scale: float | np.ndarray = 0.25, **options: Any
) -> str:
    given = [source, file.weights("up_weight", (3, 3, taps, taps), scale)]
    if bias:
        file.constants["up_bias_raw"] = np.array([0.6, -1.3, 2.0], dtype=np.float32)
        given.append(file.quant("up_bias", "up_bias_raw", 0.125, 8, 1))
    plain = {"kernel_shape": [taps, taps], "strides": [2, 2], "pads": [0] * 4, "dilations": [1, 1], "group": 1}
    return file.quant("up_out", file.op("ConvTranspose", "up", given, **plain | options), 0.25, 5, 1)


LINEAR = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
HALF_PIXELS = {"coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_floor"}
CORNERS = {"mode": "linear", "coordinate_transformation_mode": "align_corners"}
ENLARGED = {
    "nearest": (resized, {}),
    "nearest, an empty region": (resized, {"region": True}),
    "nearest, sizes": (resized, {"sizes": True}),
    "nearest, half pixels": (resized, HALF_PIXELS),
    "linear": (resized, LINEAR),
    "transposed": (transposed, {}),
    "transposed, a bias": (transposed, {"bias": True}),
    "transposed, overlapping": (transposed, {"taps": 3, "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
    "transposed, uneven": (transposed, {"taps": 3, "pads": [0, 1, 1, 0]}),
}


def u_net(enlarge: Callable[..., str], options: dict[str, Any], *, ends: bool = False) -> onnx.ModelProto:
    """Return two levels; ``ends`` ends at the larger map, whose channels are first there."""
    file = File()
    image = file.quant("image", "x", 2.0**-8, 8, 0)
    skip = file.quant("skip", file.op("Relu", "skip_relu", [file.conv("first", image, (2, 1, 3, 3))]), 0.25, 4, 0)
    small = file.op("MaxPool", "pool", [skip], kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4)
    deep = file.quant("deep", file.op("Relu", "deep_relu", [file.conv("second", small, (3, 2, 3, 3))]), 0.25, 4, 0)
    up = enlarge(file, deep, **options)
    if ends:
        return file.model(file.quant("out", up, 0.5, 5, 1), [1, 3, 4, 6])
    joined = file.op("Concat", "join", [skip, up], axis=1)
    return file.model(file.quant("out", file.conv("head", joined, (2, 5, 1, 1)), 0.25, 7, 1), [1, 2, 4, 6])


def by_hls4ml(model: onnx.ModelProto, folder: Path, *, last: bool = True) -> ModelGraph:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of qonnx and hls4ml
        clean = cleanup_model(ModelWrapper(model))
        clean = cleanup_model(clean.transform(ConvertToChannelsLastAndClean(make_input_channels_last=last)))
        config = config_from_onnx_model(clean, granularity="name", backend="QuantUNet", default_precision="fixed<16,6>")
        config["LayerName"][clean.graph.input[0].name]["Precision"] = "ufixed<8,0>"
        return convert_from_onnx_model(clean, hls_config=config, backend="QuantUNet", output_dir=str(folder))


def test_a_file_that_is_not_kept_is_said(tmp_path: Path) -> None:
    """hls4ml keeps what it was given: of a path it keeps the path."""
    hls_model = by_hls4ml(u_net(*ENLARGED["nearest"]), tmp_path)
    hls_model.config.config["OnnxModel"] = str(tmp_path / "file.onnx")
    with pytest.raises(UnsupportedOpError, match="expected the model that it was converted from"):
        from_model_graph(hls_model)


def by_qonnx(model: onnx.ModelProto, images: np.ndarray) -> np.ndarray:
    """Return what qonnx computes of images with the channels last: channels first."""
    clean = cleanup_model(ModelWrapper(model))
    source, target = clean.graph.input[0].name, clean.graph.output[0].name
    inputs = np.moveaxis(images, -1, 1).astype(np.float32)
    return np.concatenate([execute_onnx(clean, {source: each[np.newaxis]})[target] for each in inputs])


@pytest.mark.parametrize("ends", [False, True], ids=["inside", "at the end"])
@pytest.mark.parametrize("name", ENLARGED)
def test_enlarging_ops_enter_by_hls4ml(name: str, ends: bool, tmp_path: Path) -> None:
    """What lies between two transpositions has its channels first; all of it is as qonnx computes it."""
    model = u_net(*ENLARGED[name], ends=ends)
    images = np.random.default_rng(1).integers(0, 256, size=(3, 4, 6, 1)) / 256
    hls_model = by_hls4ml(model, tmp_path)
    hls_model.compile()
    expected = by_qonnx(model, images)
    assert expected.size == 3 * 24 * (3 if ends else 2)
    assert len(np.unique(expected)) > 4
    np.testing.assert_array_equal(hls_model.predict(images).reshape(expected.shape), expected)


def bare(channels: int) -> onnx.ModelProto:
    """Return a transpose convolution alone, whose input has as many columns as channels."""
    file = File()
    image = file.quant("image", "x", 2.0**-8, 8, 0)
    weight = file.weights("up_weight", (channels, 2, 2, 2))
    up = file.op("ConvTranspose", "up", [image, weight], kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4)
    return file.model(file.quant("out", up, 0.25, 6, 1), [1, 2, 4, 2 * channels], [1, channels, 2, channels])


def test_the_order_of_an_input_is_not_guessed(tmp_path: Path) -> None:
    """Without a convolution qonnx has nothing to convert, and the input keeps its channels first."""
    hls_model = by_hls4ml(bare(2), tmp_path / "first", last=False)
    with pytest.raises(UnsupportedOpError, match="ConvTranspose_0: expected a tensor with the channels first"):
        from_model_graph(hls_model)
    images = np.random.default_rng(1).integers(0, 256, size=(3, 2, 2, 2)) / 256
    hls_model = by_hls4ml(bare(2), tmp_path / "last")
    hls_model.compile()
    expected = by_qonnx(bare(2), images)
    np.testing.assert_array_equal(hls_model.predict(images).reshape(expected.shape), expected)


def signal() -> onnx.ModelProto:
    """Return two levels of a signal."""
    file = File()
    image = file.quant("image", "x", 2.0**-8, 8, 0)
    skip = file.quant("skip", file.op("Relu", "skip_relu", [file.conv("first", image, (2, 1, 3))]), 0.25, 4, 0)
    small = file.quant("small", file.conv("second", skip, (2, 2, 3), strides=[2]), 0.25, 4, 0)
    weight = file.weights("up_weight", (2, 3, 4))
    up = file.op("ConvTranspose", "up", [small, weight], kernel_shape=[4], strides=[2], pads=[1, 1])
    joined = file.op("Concat", "join", [skip, file.quant("up_out", up, 0.25, 5, 1)], axis=1)
    return file.model(file.quant("out", joined, 0.5, 4, 1), [1, 5, 8], [1, 1, 8])


def test_signals_enter_too(tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, size=(3, 8, 1)) / 256
    hls_model = by_hls4ml(signal(), tmp_path)
    hls_model.compile()
    expected = by_qonnx(signal(), images)
    assert len(np.unique(expected)) > 4
    np.testing.assert_array_equal(hls_model.predict(images).reshape(expected.shape), expected)


def test_a_concatenation_is_no_wider_than_its_legs(tmp_path: Path) -> None:
    """hls4ml says 16 bits of a map that nobody gave a type."""
    graph = from_model_graph(by_hls4ml(u_net(*ENLARGED["nearest"]), tmp_path))
    assert {graph.output_of(node).qtype for node in graph.nodes if node.op in ("concat", "resize_nearest")} == {
        QType(4, False, 2)
    }


@pytest.mark.parametrize(
    ("enlarge", "options", "said"),
    [
        (resized, CORNERS, "expected coordinate_transformation_mode half_pixel"),
        (resized, {"nearest_mode": "ceil"}, "expected each pixel repeated"),
        (transposed, {"scale": 0.3}, "a quantizer of one power-of-two scale, got the result of"),
    ],
)
def test_other_enlarging_ops_are_refused_by_name(
    enlarge: Callable[..., str], options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedOpError, match=f"^(Resize|ConvTranspose)_0: .*{said}"):
        from_model_graph(by_hls4ml(u_net(enlarge, options), tmp_path))


@pytest.mark.parametrize(("channels_last", "classes"), [(False, 1), (True, 1), (True, 3)])
def test_hls4ml_converter_and_our_importer_agree(channels_last: bool, classes: int, tmp_path: Path) -> None:
    """A transposition stays at the output with qonnx; of several classes it moves values, and says only their order."""
    (tmp_path / "small.onnx").write_bytes(small_model(classes).SerializeToString())
    imported = load(tmp_path / "small.onnx")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of qonnx and hls4ml
        model = cleanup_model(ModelWrapper(small_model(classes)))
        model = cleanup_model(model.transform(ConvertToChannelsLastAndClean(make_input_channels_last=channels_last)))
        config = config_from_onnx_model(model, granularity="name", backend="QuantUNet", default_precision="fixed<16,6>")
        config["LayerName"][model.graph.input[0].name]["Precision"] = "ufixed<8,0>"
        hls_model = convert_from_onnx_model(
            model, hls_config=config, backend="QuantUNet", io_type="io_stream", output_dir=str(tmp_path / "rtl")
        )
        hls_model.write()

    graph = from_model_graph(hls_model)
    assert graph_file.from_json((tmp_path / "rtl" / "graph.json").read_text()) == graph
    assert (
        [node.op for node in graph.nodes] == [node.op for node in imported.nodes] == ["conv2d", "maxpool2d", "conv2d"]
    )
    assert [graph.output_of(node).qtype for node in graph.nodes] == [
        imported.output_of(node).qtype for node in imported.nodes
    ]
    image = np.random.default_rng(1).integers(0, 256, size=(4, 6, 1))
    got, expected = golden.run(graph, image)[graph.output], golden.run(imported, image)[imported.output]
    assert expected.size == 6 * classes
    assert len(np.unique(expected)) > 2
    assert np.array_equal(got, expected)
