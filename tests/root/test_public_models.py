"""Public files of other projects: quantised networks are taken and exact, everything else is refused with reasons.

The files are not part of the project: the environment variable ``QUANTUNET_MODELS`` names their folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest
from helpers.onnx_compare import compared, input_of

from quantunet.errors import QuantUNetError
from quantunet.ir import QType
from quantunet.qonnx_import import Examination, examine, load

ROOT = Path(__file__).parents[2]


def folder() -> Path:
    """The folder of the files: the variable's, or the one that lies beside the checkout."""
    named = os.environ.get("QUANTUNET_MODELS")
    return Path(named) if named else ROOT.parent / "shared" / "models"


MODELS = {path.stem: path for path in sorted(folder().glob("*.onnx"))}


@dataclass(frozen=True)
class Taken:
    """A quantised network.

    Attributes:
        values: How many values its output has.
        size: Its input is cut to this, in the file's order of axes: small, and no two sizes alike.
        input_type: Of an input that has no quantizer.
        before: The network ends in front of this op.
    """

    values: int
    size: tuple[int, ...] = ()
    input_type: str = ""
    before: str = ""

    def model(self, path: Path) -> onnx.ModelProto:
        model = onnx.load(path)
        for dimension, size in zip(input_of(model).type.tensor_type.shape.dim, self.size, strict=False):
            dimension.dim_value = size
        if self.before:
            (place,) = (index for index, node in enumerate(model.graph.node) if node.op_type == self.before)
            model.graph.output[0].name = model.graph.node[place].input[0]
            del model.graph.node[place]
        return model


TAKEN = {
    "ex_tiny_unet_ch_last": Taken(16 * 32 * 2, (1, 16, 32, 3)),
    "ex_separable_conv_model_ch_last": Taken(10 * 12 * 16, (1, 10, 12, 3)),
    "ex_bnn_model_fc_1layer": Taken(4),
    "qonnx_bsd300x3-espcn_nn_resize_quant_model": Taken(3 * 8 * 12, (1, 3, 4, 6)),
    "zoo_TFC_1W2A": Taken(10),
    "zoo_TFC_2W2A": Taken(10),
    "zoo_kwsmlp_w3a3": Taken(12),
    "zoo_qkeras_jettagging": Taken(5, input_type="s16.10", before="Softmax"),
    "qonnx_eltwise_chanlast_testcase": Taken(8 * 6 * 8, (1, 3, 7, 9), input_type="s8.4"),
}
FLOAT = (
    "ex_conv1d_small_keras", "ex_conv2d_small_keras", "ex_dense_big_keras", "ex_three_layer_keras",
    "ex_two_layer_keras", "qonnx_bsd300x3-espcn_nn_resize_float_model",
    "qonnx_bsd300x3-espcn_subpixel_float_model", "qonnx_mnist-conv_model",
)  # fmt: skip
"""Networks that nobody has quantised: each is told the two ways out."""

OTHERS = {
    "ex_three_layer_bn_pytorch": "input of fixed shape",
    "ex_three_layer_pytorch": "input of fixed shape",
    "ex_two_layer_pytorch": "input of fixed shape",
    "finn_cybsec_PE_SIMD": "MVAU_hls",
    "finn_model": "MultiThreshold",
    "finn_residual_testcase": "DuplicateStreams_Batch",
    "qonnx_floatquant_exec_qonnx_act_weight_fp8": "FloatQuant",
    "qonnx_matmul_update_sdp": "one input",
}
"""What stands in the way of the others; the first three are float networks for 789,444 vectors at a time."""


def need(name: str) -> Path:
    if name not in MODELS:
        pytest.skip("no such public file: set QUANTUNET_MODELS to their folder")
    return MODELS[name]


@pytest.mark.parametrize("name", TAKEN)
def test_a_quantised_network_is_exact(name: str, tmp_path: Path) -> None:
    case = TAKEN[name]
    model = case.model(need(name))
    path = tmp_path / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    graph = load(path, QType.parse(case.input_type) if case.input_type else None)
    assert compared(model, graph) == case.values


def examined(name: str) -> Examination | QuantUNetError:
    try:
        return examine(need(name))
    except QuantUNetError as error:
        return error


@pytest.mark.parametrize("name", FLOAT)
def test_a_float_network_is_told_the_two_ways_out(name: str) -> None:
    found = examined(name)
    assert isinstance(found, Examination)
    said = [str(finding.obstacle) for finding in found.findings if finding.obstacle is not None]
    told = [text for text in said if "quantised weights" in text]
    assert len(told) == 1, said
    assert "Train the network with quantizers" in told[0]
    assert "hls4ml" in told[0]


@pytest.mark.parametrize("name", OTHERS)
def test_another_file_is_refused_with_all_obstacles(name: str) -> None:
    found = examined(name)
    if isinstance(found, QuantUNetError):
        assert OTHERS[name] in str(found)
        return
    obstacles = [finding.obstacle for finding in found.findings if finding.obstacle is not None]
    assert obstacles
    assert found.graph is None
    assert all(each.expected for each in obstacles)
    assert any(OTHERS[name] in f"{finding.kind} {finding.obstacle}" for finding in found.findings)


def test_every_file_is_known() -> None:
    if not MODELS and "QUANTUNET_MODELS" not in os.environ:
        pytest.skip("no public files: set QUANTUNET_MODELS to their folder")
    assert set(MODELS) == {*TAKEN, *FLOAT, *OTHERS}
