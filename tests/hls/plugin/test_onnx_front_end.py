"""A QONNX model that enters through hls4ml's own converter leaves the backend as the same network."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
from hls4ml.converters import convert_from_onnx_model
from hls4ml.utils import config_from_onnx_model
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.util.cleanup import cleanup_model

from quantunet import golden, graph_file
from quantunet.hls.plugin.reader import from_model_graph
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
