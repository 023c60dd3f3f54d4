"""What the QONNX door advises is done once, and the network is taken then, or stopped by something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from helpers.qonnx_files import QONNX_DOMAIN, SmallUnet
from onnx import TensorProto, helper, inliner

from quantunet.errors import QuantUNetError
from quantunet.qonnx_import import load


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
