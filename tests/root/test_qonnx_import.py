"""The importer: the integers that it reads, and everything that it refuses, by name."""

from pathlib import Path

import numpy as np
import pytest
from helpers.onnx_compare import compared
from helpers.qonnx_files import SmallUnet
from onnx import helper

from quantunet import golden
from quantunet.errors import (
    FileFormatError,
    ModelError,
    QuantUNetError,
    ScaleError,
    ShapeError,
    StorageError,
    TypeMismatchError,
    UnsupportedOpError,
    WidthError,
)
from quantunet.ir import Conv2d, QType
from quantunet.qonnx_import import load


def test_layers_types_and_weights(tmp_path: Path) -> None:
    unet = SmallUnet()
    graph = load(unet.write(tmp_path / "small.onnx"))
    assert [n.name for n in graph.nodes] == ["conv", "pool", "skip_requant", "up", "concat", "head", "sigmoid"]
    assert graph.tensor("image").qtype == QType(8, False, 8)
    assert graph.tensor("conv_out").qtype == QType(4, False, 2)
    conv = graph.node("conv")
    assert isinstance(conv, Conv2d)
    raw = next(item for item in unet.model().graph.initializer if item.name == "conv_raw")
    values = np.frombuffer(raw.raw_data, dtype=np.float32).reshape(2, 1, 3, 3)
    codes = np.clip(np.rint(values.astype(np.float64) / 0.25), -3, 3).astype(int)
    assert (conv.weight.array == codes.transpose(2, 3, 1, 0)).all()
    assert conv.bias.array.any()


def test_golden_equals_float_execution(tmp_path: Path) -> None:
    """One forward pass written in float64 NumPy, from the raw ONNX constants."""
    unet = SmallUnet()
    graph = load(unet.write(tmp_path / "small.onnx"))
    image = np.random.default_rng(1).integers(0, 256, size=(4, 6))
    taps = golden.run(graph, image)
    raw = {i.name: np.frombuffer(i.raw_data, np.float32).reshape(i.dims) for i in unet.model().graph.initializer}
    weight = np.clip(np.rint(raw["conv_raw"].astype(float) / 0.25), -3, 3) * 0.25
    bias = np.rint(raw["conv_bias_raw"].astype(float) * 1024) / 1024
    padded = np.pad(image / 256, 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    conv = np.einsum("hwyx,oyx->hwo", windows, weight[:, 0]) + bias
    assert (np.clip(np.rint(np.maximum(conv, 0) / 0.25), 0, 15) == taps["conv_out"]).all()
    assert taps["conv_out"].any()


REFUSED: list[tuple[SmallUnet, type[QuantUNetError], str]] = [
    (SmallUnet(zero_point=1), UnsupportedOpError, "zero point"),
    (SmallUnet(zero_point=0.5), ScaleError, "zero point"),
    (SmallUnet(extra_op="Cos"), UnsupportedOpError, "extra"),
    (SmallUnet(skip_scale=2.0**-14), TypeMismatchError, "concat"),
    (SmallUnet(act_bits=17), WidthError, "conv_quant"),
    (SmallUnet(act_bits=0), WidthError, "conv_quant"),
    (SmallUnet(act_bits=3.5), WidthError, "conv_quant"),
    (SmallUnet(weight_bits=33), WidthError, "conv_weight"),
    (SmallUnet(extra_op="Elu"), UnsupportedOpError, "extra: expected a quantizer behind the function"),
    (SmallUnet(size=(1, 6)), ShapeError, "pool"),
    (SmallUnet(rounding_mode="NEAREST"), UnsupportedOpError, "rounding_mode"),
    (SmallUnet(quantised_output=False), UnsupportedOpError, "sigmoid: expected a quantizer behind"),
]


TAKEN = [
    SmallUnet(weight_scale=0.3),
    SmallUnet(rounding_mode="FLOOR"),
    SmallUnet(rounding_mode="HALF_UP"),
    SmallUnet(bias_scale=2.0**-30),
    SmallUnet(zero_point=2),
    SmallUnet(pads=0),
]


@pytest.mark.parametrize("unet", TAKEN)
def test_what_no_power_of_two_says_is_exact(tmp_path: Path, unet: SmallUnet) -> None:
    path = unet.write(tmp_path / "taken.onnx")
    assert compared(unet.model(), load(path))


@pytest.mark.parametrize(("unet", "error", "text"), REFUSED)
def test_refused_by_name(tmp_path: Path, unet: SmallUnet, error: type[QuantUNetError], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        load(unet.write(tmp_path / "bad.onnx"))
    assert caught.value.expected
    assert caught.value.got


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99])
def test_truncated_file(tmp_path: Path, keep: float) -> None:
    data = SmallUnet().model().SerializeToString()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: int(keep if keep >= 1 or keep == 0 else keep * len(data))])
    with pytest.raises((FileFormatError, ModelError)):
        load(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        load(tmp_path / "none.onnx")


def test_identity_quantizer_after_concat_is_dropped(tmp_path: Path) -> None:
    """A second quantizer of the same type changes nothing and makes no layer."""
    model = SmallUnet().model()
    names = [node.name for node in model.graph.node]
    copy = type(model.graph.node[0])()
    copy.CopyFrom(model.graph.node[names.index("up_quant")])
    copy.name, copy.input[0], copy.output[0] = "again", "concat_y", "again_y"
    position = names.index("concat") + 1
    model.graph.node.insert(position, copy)
    model.graph.node[names.index("head") + 1].input[0] = "again_y"
    path = tmp_path / "again.onnx"
    path.write_bytes(model.SerializeToString())
    again, plain = load(path), load(SmallUnet().write(tmp_path / "plain.onnx"))
    assert again.nodes == plain.nodes


def test_constant_that_is_no_tensor(tmp_path: Path) -> None:
    model = SmallUnet().model()
    model.graph.node.insert(0, helper.make_node("Constant", [], ["number"], name="number", value_string="1"))
    path = tmp_path / "constant.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UnsupportedOpError, match="number"):
        load(path)
