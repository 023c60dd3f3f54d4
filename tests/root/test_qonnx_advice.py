"""What the QONNX door advises is done once, and the network is taken then, or stopped by something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from helpers.qonnx_files import QONNX_DOMAIN, SmallUnet
from helpers.random_files import judge
from helpers.support_onnx import CHANNELS, NEAREST, STEPS, Build, Case, Small
from onnx import TensorProto, helper, inliner

from quantunet.errors import QuantUNetError
from quantunet.qonnx_import import ADVICE as BY_OPERATOR
from quantunet.qonnx_import import OTHERWISE, load


def node(model: onnx.ModelProto, name: str) -> onnx.NodeProto:
    return next(each for each in model.graph.node if each.name == name)


def two_outputs(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("pool_y", TensorProto.FLOAT, None))


def keep_the_first(model: onnx.ModelProto) -> onnx.ModelProto:
    del model.graph.output[1:]
    return model


def local_function(model: onnx.ModelProto) -> None:
    """Replace the ReLU by a function of the file that holds one."""
    body = [helper.make_node("Relu", ["a"], ["b"], name="relu")]
    opsets = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("local", "Act", ["a"], ["b"], body, opsets))
    model.opset_import.append(helper.make_opsetid("local", 1))
    relu = node(model, "relu")
    relu.op_type, relu.domain = "Act", "local"


def foreign_quantizer(model: onnx.ModelProto) -> None:
    node(model, "conv_quant").domain = ""


def name_the_domain(model: onnx.ModelProto) -> onnx.ModelProto:
    node(model, "conv_quant").domain = QONNX_DOMAIN
    return model


def missing_attribute(model: onnx.ModelProto) -> None:
    attributes = node(model, "conv_quant").attribute
    del attributes[[each.name for each in attributes].index("narrow")]


def write_it(model: onnx.ModelProto) -> onnx.ModelProto:
    node(model, "conv_quant").attribute.append(helper.make_attribute("narrow", 0))
    return model


ADVICE: dict[
    str, tuple[Callable[[onnx.ModelProto], None], str, Callable[[onnx.ModelProto], onnx.ModelProto]]
] = {
    "one output": (two_outputs, r"`del model\.graph\.output\[1:\]` keeps 'prob_quant_y'", keep_the_first),
    "no functions": (local_function, r"onnx\.inliner\.inline_local_functions", inliner.inline_local_functions),
    "quantizers in their domain": (foreign_quantizer, f"conv_quant: .* in the domain {QONNX_DOMAIN}", name_the_domain),
    "required attributes": (missing_attribute, "Write narrow = 0 or 1", write_it),
}  # fmt: skip


@pytest.mark.parametrize("case", ADVICE)
def test_advice_works(case: str, tmp_path: Path) -> None:
    spoil, message, follow = ADVICE[case]
    model = SmallUnet().model()
    spoil(model)
    path = tmp_path / "network.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(QuantUNetError, match=message):
        load(path)
    path.write_bytes(follow(model).SerializeToString())
    assert len(load(path).nodes) == 7


# Operators that are refused, and what stands for them


def refused(op: str, count: int = 1, **attributes: Any) -> Build:
    return lambda net, x: net.act(net.probe(op, *[x] * count, **attributes))


def point(net: Small, x: str, outputs: int = CHANNELS) -> str:
    return net("Conv", x, net.weights(outputs, CHANNELS, 1, 1), kernel_shape=[1, 1])


def other(net: Small, x: str) -> str:
    return net.act(point(net, x))


def mean_of_two(net: Small, x: str) -> str:
    return net.act(net("Mul", net("Add", x, other(net, x)), net.constant(0.5)))


def blocks(net: Small, x: str) -> str:
    """Each 2x2 pixels become the channels of one, in the order block row, block column, channel."""
    weights = np.zeros((4 * CHANNELS, CHANNELS, 2, 2))
    for place in range(4 * CHANNELS):
        block, channel = divmod(place, CHANNELS)
        weights[place, channel, block // 2, block % 2] = 1
    return net.act(net("Conv", x, net.constant(weights), kernel_shape=[2, 2], strides=[2, 2]))


def normalised(net: Small, x: str) -> str:
    parts = [net.constant(values) for values in ([1.5, 0.7, 0.9, 1.1], [0.1] * 4, [0.5] * 4, [0.7, 1.3, 2.0, 0.2])]
    return net.act(net("BatchNormalization", point(net, x), *parts))


def linear(net: Small, x: str) -> str:
    given = [net.constant(net.step), net.constant(3, np.uint8)]
    return net("DequantizeLinear", net("QuantizeLinear", point(net, x), *given), *given)


def silu(net: Small, x: str) -> str:
    return net.act(net("Mul", x, net("Sigmoid", x)))


def unpooled(net: Small, x: str) -> str:
    return net.act(net("Resize", net.pool(x), "", net.constant([1, 1, 2, 2]), **NEAREST))


def pooled_and_back(net: Small, x: str) -> str:
    return net.act(net.probe("MaxUnpool", net.pool(x), net.ints(0), kernel_shape=[2, 2]))


def block_of_groups(net: Small, x: str) -> str:
    weights = np.zeros((CHANNELS, 4, 2, 2))
    weights[:2, :2], weights[2:, 2:] = 1, -1
    return net.act(net("ConvTranspose", x, net.constant(weights), strides=[2, 2]))


FOLLOWED: Mapping[str, tuple[Build | None, Build]] = {
    **dict.fromkeys(
        ("Softmax", "LogSoftmax", "Hardmax"),
        (None, lambda net, x: net("ArgMax", net.act(point(net, x)), axis=1)),
    ),
    **dict.fromkeys(
        ("InstanceNormalization", "LayerNormalization", "GroupNormalization", "MeanVarianceNormalization"),
        (None, normalised),
    ),
    **dict.fromkeys(
        ("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear"),
        (None, linear),
    ),
    "MaxUnpool": (pooled_and_back, unpooled),
    "Split": (None, lambda net, x: net("Concat", other(net, x), other(net, x), axis=1)),
    "SpaceToDepth": (refused("SpaceToDepth", blocksize=2), blocks),
    "ReduceSum": (
        None,
        lambda net, x: net.quant(net("Mul", net("ReduceMean", x, axes=[2, 3]), net.constant(48)), 1.0, 8),
    ),
    "Sum": (refused("Sum", 3), lambda net, x: net.act(net("Add", x, other(net, x)))),
    "Mean": (refused("Mean", 2), mean_of_two),
    "Neg": (None, lambda net, x: net.act(net("Mul", x, net.constant(-1)))),
    "Swish": (None, silu),
}
"""What is refused, where the operator alone with its input does not do, and what stands for it."""


def write(build: Build, step: float, path: Path) -> Path:
    model, _ = Case(build).file(step)
    path.write_bytes(model.SerializeToString())
    return path


def test_every_operator_with_advice_is_followed() -> None:
    assert set(FOLLOWED) == set(BY_OPERATOR)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("op", FOLLOWED)
def test_what_stands_for_an_operator_is_exact(op: str, step: str, tmp_path: Path) -> None:
    spoiled, follow = FOLLOWED[op]
    with pytest.raises(QuantUNetError) as caught:
        load(write(spoiled or refused(op), STEPS[step], tmp_path / "refused.onnx"))
    assert (caught.value.where, caught.value.got, caught.value.hint) == ("probe", op, BY_OPERATOR[op])
    verdict = judge(Case(follow).random_file(STEPS[step]), tmp_path)
    assert (verdict.kind, verdict.reason) == ("exact", "")
    assert verdict.compared


def test_an_operator_without_advice_says_what_is_left(tmp_path: Path) -> None:
    for op in ("TopK", "LSTM", "GridSample"):
        with pytest.raises(QuantUNetError) as caught:
            load(write(refused(op), 0.25, tmp_path / "refused.onnx"))
        assert caught.value.hint == OTHERWISE


def test_groups_of_a_transpose_convolution_in_one(tmp_path: Path) -> None:
    def grouped(net: Small, x: str) -> str:
        return net.act(net.probe("ConvTranspose", x, net.weights(CHANNELS, 2, 2, 2), group=2, strides=[2, 2]))

    with pytest.raises(QuantUNetError, match=r"probe: expected .* in one group, got 2 groups\. Write the weights"):
        load(write(grouped, 0.25, tmp_path / "refused.onnx"))
    verdict = judge(Case(block_of_groups).random_file(0.25), tmp_path)
    assert verdict.kind == "exact"
    assert verdict.compared > 4 * 12 * 16, "the output, and every tensor on the way to it"
