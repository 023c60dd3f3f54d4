"""One convolution with finn-plus: its RTL, and what its own model says.

Runs in an environment of its own that holds finn-plus and nothing of this project; :mod:`benchmarks.rerun_neighbours`
makes it, joins the modules, and reads the line of JSON that this prints last. finn-plus joins modules with Vivado only.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import finn.util.settings
import numpy as np
from onnx import TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

_PART = "xc7z020clg400-1"
"""A device of the 7 series: its compute core packs least, and is plain enough for another family."""

_CLOCK_NS = 10.0
_RTL = "finn.custom_op.fpgadataflow.rtl"


def main(data: str, pe: int, simd: int, folder: Path) -> None:
    """Generate the modules of padding, sliding window and matrix-vector unit, and run the tool's own model of them.

    Args:
        data: An ``.npz`` file with ``image`` (1, h, w, ci) and ``weight`` (k, k, ci, co).
        pe: Output channels at a time.
        simd: Input channels at a time.
        folder: Where the modules and ``expected.npy``, the accumulators (h, w, co), go.
    """
    arrays = np.load(data)
    image, weight = arrays["image"], arrays["weight"]
    _, height, width, channels = image.shape
    kernel, _, _, outputs = weight.shape
    padded, taps = [height + kernel - 1, width + kernel - 1], kernel * kernel * channels
    finn.util.settings.initialize_dummy_settings()
    begin = time.perf_counter()
    common = {"domain": _RTL, "backend": "fpgadataflow", "inputDataType": "UINT4"}
    pad = helper.make_node(
        "FMPadding_rtl", ["image"], ["padded"], name="pad", outputDataType="UINT4", ImgDim=[height, width],
        Padding=[kernel // 2] * 4, NumChannels=channels, SIMD=simd, **common,
    )  # fmt: skip
    window = helper.make_node(
        "ConvolutionInputGenerator_rtl", ["padded"], ["windows"], name="window", outputDataType="UINT4",
        ConvKernelDim=[kernel, kernel], IFMChannels=channels, IFMDim=padded, OFMDim=[height, width], SIMD=simd,
        Stride=[1, 1], Dilation=[1, 1], **common,
    )  # fmt: skip
    matrix = helper.make_node(
        "MVAU_rtl", ["windows", "weight"], ["y"], name="matrix", weightDataType="INT4", outputDataType="INT32",
        accDataType="INT32", MW=taps, MH=outputs, PE=pe, SIMD=simd, noActivation=1, resType="dsp",
        numInputVectors=[1, height, width], mem_mode="internal_decoupled", **common,
    )  # fmt: skip
    tensors = {"padded": [1, *padded, channels], "windows": [1, height, width, taps], "weight": [taps, outputs]}
    graph = helper.make_graph(
        [pad, window, matrix],
        "layer",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, image.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, height, width, outputs])],
        value_info=[helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in tensors.items()],
    )
    model = ModelWrapper(helper.make_model(graph))
    model.set_initializer("weight", weight.reshape(taps, outputs).astype(np.float32))
    model.set_tensor_datatype("weight", DataType["INT4"])
    for name in ("image", "padded", "windows"):
        model.set_tensor_datatype(name, DataType["UINT4"])
    ops = [getCustomOp(node) for node in model.graph.node]
    accumulator = ops[2].minimize_accumulator_width(model)
    context = model.make_empty_exec_context()
    context["image"] = image.astype(np.float32)
    for op in ops:
        place = folder / op.onnx_node.name
        place.mkdir(parents=True, exist_ok=True)
        op.set_nodeattr("code_gen_dir_ipgen", str(place))
        op.generate_hdl(model, _PART, _CLOCK_NS)
        op.set_nodeattr("exec_mode", "cppsim")
        op.execute_node(context, model.graph)
    np.save(folder / "expected.npy", context["y"][0].astype(np.int64))
    files = [Path(name) for op in ops for name in op.get_rtl_file_list(abspath=True)]
    result = {
        "files": [str(path) for path in dict.fromkeys(files)],
        "library": str(finn.util.settings.get_settings().finn_rtllib),
        "accumulator": accumulator.name,
        "seconds": round(time.perf_counter() - begin, 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
