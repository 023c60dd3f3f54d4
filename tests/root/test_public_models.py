"""Public files of other projects: quantised networks are taken and exact, everything else is refused with reasons.

The files are not part of the project: the environment variable ``QUANTUNET_MODELS`` names their folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.onnx_compare import compared
from helpers.public_models import MODELS, TAKEN

from quantunet.errors import QuantUNetError
from quantunet.qonnx_import import Examination, examine

FLOAT = (
    "ex_conv1d_small_keras", "ex_conv2d_small_keras", "ex_dense_big_keras", "ex_three_layer_keras",
    "ex_two_layer_keras", "qonnx_bsd300x3-espcn_nn_resize_float_model",
    "qonnx_bsd300x3-espcn_subpixel_float_model", "qonnx_mnist-conv_model",
)  # fmt: skip
"""Networks that nobody has quantised: each is told the two ways out."""

OTHERS = {
    "ex_three_layer_bn_pytorch": "one of fixed shape",
    "ex_three_layer_pytorch": "one of fixed shape",
    "ex_two_layer_pytorch": "one of fixed shape",
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
    graph = case.graph(model, tmp_path / f"{name}.onnx")
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
