"""Small QONNX files, written with onnx alone, with one thing at a time made wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX_DOMAIN = "qonnx.custom_op.general"


@dataclass(frozen=True)
class SmallUnet:
    """A U-Net of one level with two channels; every field can be set to something that must be refused."""

    size: tuple[int, int] = (4, 6)
    weight_scale: float = 0.25
    act_bits: float = 4
    weight_bits: float = 3
    skip_scale: float = 0.5
    up_scale: float = 0.5
    zero_point: float = 0
    rounding_mode: str = "ROUND"
    extra_op: str = ""
    pads: int = 1
    bias_scale: float = 2.0**-10
    quantised_output: bool = True
    pixel_scale: str | None = "1/256"

    def model(self, seed: int = 0) -> onnx.ModelProto:
        """Return the ONNX model."""
        rng = np.random.default_rng(seed)
        constants: dict[str, np.ndarray] = {}
        nodes = []

        def quant(name: str, source: str, scale: float, bits: float, signed: int, narrow: int = 0) -> str:
            values = (("scale", scale), ("zero", self.zero_point), ("bits", bits))
            names = [f"{name}_{key}" for key, _ in values]
            for key, (_, value) in zip(names, values, strict=True):
                constants[key] = np.array(value, dtype=np.float32)
            nodes.append(
                helper.make_node(
                    "Quant", [source, *names], [f"{name}_y"], name=name, domain=QONNX_DOMAIN,
                    signed=signed, narrow=narrow, rounding_mode=self.rounding_mode,
                )
            )  # fmt: skip
            return f"{name}_y"

        def weights(name: str, shape: tuple[int, ...]) -> str:
            constants[f"{name}_raw"] = rng.uniform(-1, 1, size=shape).astype(np.float32)
            return quant(f"{name}_weight", f"{name}_raw", self.weight_scale, self.weight_bits, 1, 1)

        def bias(name: str, channels: int, scale: float) -> str:
            constants[f"{name}_bias_raw"] = rng.uniform(-0.3, 0.3, size=channels).astype(np.float32)
            return quant(f"{name}_bias", f"{name}_bias_raw", scale, 32, 1)

        x = quant("input", "x", 2.0**-8, 8, 0)
        margins = [self.pads] * 4
        nodes.append(
            helper.make_node(
                "Conv", [x, weights("conv", (2, 1, 3, 3)), bias("conv", 2, self.bias_scale)], ["conv_acc"],
                name="conv", kernel_shape=[3, 3], pads=margins,
            )
        )  # fmt: skip
        nodes.append(helper.make_node("Relu", ["conv_acc"], ["relu_y"], name="relu"))
        act = quant("conv_quant", "relu_y", 0.25, self.act_bits, 0)
        if self.extra_op:
            nodes.append(helper.make_node(self.extra_op, [act], ["extra_y"], name="extra"))
            act = "extra_y"
        nodes.append(helper.make_node("MaxPool", [act], ["pool_y"], name="pool", kernel_shape=[2, 2], strides=[2, 2]))
        up_inputs = ["pool_y", weights("up", (2, 2, 2, 2))]
        nodes.append(
            helper.make_node("ConvTranspose", up_inputs, ["up_acc"], name="up", kernel_shape=[2, 2], strides=[2, 2])
        )
        skip = quant("skip_requant", act, self.skip_scale, 4, 1)
        up = quant("up_quant", "up_acc", self.up_scale, 4, 1)
        nodes.append(helper.make_node("Concat", [skip, up], ["concat_y"], name="concat", axis=1))
        nodes.append(
            helper.make_node("Conv", ["concat_y", weights("head", (1, 4, 1, 1))], ["head_acc"], name="head",
                             kernel_shape=[1, 1])
        )  # fmt: skip
        logits = quant("head_quant", "head_acc", 0.25, 5, 1)
        nodes.append(helper.make_node("Sigmoid", [logits], ["prob"], name="sigmoid"))
        output = quant("prob_quant", "prob", 2.0**-8, 8, 0) if self.quantised_output else "prob"
        graph = helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, *self.size])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(QONNX_DOMAIN, 1)]
        )
        if self.pixel_scale is not None:
            helper.set_model_props(model, {"quantunet.pixel_scale": self.pixel_scale})
        return model

    def write(self, path: Path) -> Path:
        """Write the model to a file."""
        path.write_bytes(self.model().SerializeToString())
        return path
