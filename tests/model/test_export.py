"""Export: names, constants, and the same integers from Brevitas, QONNX and golden in every tensor."""

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from quantunet import golden, qonnx_import
from quantunet.errors import ModelError
from quantunet.ir import MatrixNode
from quantunet.model import export as export_module
from quantunet.model import phantoms, quantizers
from quantunet.model.config import UNetConfig
from quantunet.model.export import ProbabilityUNet, brevitas_codes, export
from quantunet.model.unet import quant_unet, widths_as_int
from quantunet.pixels import OWN_SCALE, Pixels

CONFIG = UNetConfig(base=2, depth=2, size=16)


@pytest.fixture(scope="module")
def model():
    """A calibrated network whose widths all differ from 8 and from each other's neighbours."""
    torch.manual_seed(0)
    network = quant_unet(CONFIG)
    with torch.no_grad():
        for index, offset in enumerate(quantizers.width_parameters(network)):
            offset.fill_(float(index % 5) + 1)
        for conv in network.convs.values():
            conv.conv.bias.normal_(0.0, 0.1)
        for _ in range(quantizers.COLLECT_STATS_STEPS + 1):
            network(torch.rand(4, 1, 16, 16))
    return network


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "net.onnx"
    report = export(model, path, phantoms.generate(3, 16, seed=0)[0])
    return path, report


def test_every_tensor_is_compared_and_equal(exported):
    path, report = exported
    graph = qonnx_import.load(path)
    assert graph.pixels == Pixels(OWN_SCALE)
    assert {check.name for check in report.tensors} == {t.name for t in graph.tensors}
    sizes = {t.name: int(np.prod(t.shape)) for t in graph.tensors}
    for check in report.tensors:
        assert check.compared == 3 * 2 * sizes[check.name]
        assert check.differing == 0
    assert report.compared > 0
    assert report.float32_exact


def test_no_tensor_is_trivial(exported, model):
    codes = brevitas_codes(ProbabilityUNet(model).eval(), phantoms.generate(1, 16, seed=0)[0][0])
    assert sum(len(np.unique(c)) > 1 for c in codes.values()) > len(codes) * 0.8


def test_learned_widths_are_the_graphs_widths(exported, model):
    graph = qonnx_import.load(exported[0])
    got = {
        node.name: (node.weight_type.bits, graph.output_of(node).qtype.bits)
        for node in graph.nodes
        if isinstance(node, MatrixNode)
    }
    assert got == widths_as_int(model)
    assert len(set(got.values())) > 3


def test_layers_keep_their_names(exported):
    graph = qonnx_import.load(exported[0])
    names = [layer.name for layer in CONFIG.conv_layers()]
    others = ["pool0", "pool1", "skip0_requant", "skip1_requant", "concat0", "concat1", "sigmoid"]
    assert sorted(node.name for node in graph.nodes) == sorted(names + others)
    file = onnx.load(exported[0])
    assert len({node.name for node in file.graph.node}) == len(file.graph.node)


def test_widths_are_constants_and_weights_narrow(exported):
    file = onnx.load(exported[0])
    constants = {item.name: numpy_helper.to_array(item) for item in file.graph.initializer}
    quants = [node for node in file.graph.node if node.op_type == "Quant"]
    assert len(quants) > 20
    for node in quants:
        assert all(name in constants for name in node.input[1:])
        narrow = next(a.i for a in node.attribute if a.name == "narrow")
        assert narrow == int(node.name.endswith("weight_quant"))


def test_stored_weights_are_already_codes(exported):
    file = onnx.load(exported[0])
    constants = {item.name: numpy_helper.to_array(item).astype(np.float64) for item in file.graph.initializer}
    stored = [node for node in file.graph.node if node.op_type == "Quant" and node.input[0] in constants]
    assert len(stored) == 2 * len(CONFIG.conv_layers())
    for node in stored:
        codes = constants[node.input[0]] / constants[node.input[1]]
        assert (codes == np.rint(codes)).all()


def test_the_mask_is_brevitas_mask(exported, model):
    graph = qonnx_import.load(exported[0])
    image = phantoms.generate(1, 16, seed=4)[0][0]
    with torch.no_grad():
        logits = model.double().eval()(torch.from_numpy(image)[None, None].double() / 256)
    model.float()
    assert (golden.mask(graph, golden.run(graph, image)) == (logits[0, 0].numpy() >= 0)).all()


def test_a_difference_is_found_and_nothing_is_written(model, tmp_path, monkeypatch):
    right = export_module.brevitas_codes

    def wrong(network, image):
        codes = right(network, image)
        codes["up1_out"] = codes["up1_out"] + (np.arange(codes["up1_out"].size) == 5).reshape(codes["up1_out"].shape)
        return codes

    monkeypatch.setattr(export_module, "brevitas_codes", wrong)
    with pytest.raises(ModelError, match=r"up1_out.*got 1 of"):
        export(model, tmp_path / "net.onnx", phantoms.generate(1, 16, seed=0)[0])
    assert not list(tmp_path.iterdir())


def test_nothing_compared_is_no_pass(model, tmp_path):
    with pytest.raises(ModelError, match="nothing compared"):
        export(model, tmp_path / "net.onnx", np.zeros((0, 16, 16), np.uint8))
    assert not list(tmp_path.iterdir())
