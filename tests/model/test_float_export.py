"""Float networks as files: the same masks as PyTorch's, and what is damaged or another file is refused."""

import numpy as np
import onnx
import pytest
import torch

from quantunet.errors import FileFormatError, ModelError, QuantUNetError, ShapeError, UnsupportedOpError
from quantunet.model import float_export, float_network, phantoms
from quantunet.model.config import UNetConfig
from quantunet.model.float_export import export_float
from quantunet.model.predict import predict
from quantunet.model.unet import float_unet
from quantunet.onnx_metadata import PIXEL_SCALE
from quantunet.zoo import network_path

CONFIG = UNetConfig(base=2, depth=2, size=16)


@pytest.fixture(scope="module")
def model():
    """A float network whose BatchNorms do something; its head is shifted so that both sides of the mask occur."""
    torch.manual_seed(0)
    network = float_unet(CONFIG)
    images = torch.from_numpy(phantoms.generate(16, 16, seed=3)[0])[:, None] / 256
    with torch.no_grad():
        for layer in network.convs.values():
            if layer.norm is not None:
                layer.norm.weight.uniform_(0.5, 1.5)
                layer.norm.bias.uniform_(0.0, 0.5)  # below 0, two channels may die, and all logits are one
        for _ in range(20):
            network(images)
        network.convs["head"].conv.bias -= between(network.eval()(images))
    return network.eval()


def between(logits):
    """A threshold with many logits on both sides and none near it: dark images give the same logit again and again."""
    inner = logits.flatten().sort().values[len(logits.flatten()) // 4 : -len(logits.flatten()) // 4]
    at = int(inner.diff().argmax())
    return (inner[at] + inner[at + 1]) / 2


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("float") / "net_float.onnx"
    return path, export_float(model, path, phantoms.generate(4, 16, seed=0)[0], {"quantunet.version": "1"})


def test_the_masks_are_pytorchs_but_for_logits_at_zero(model, exported):
    path, report = exported
    images = phantoms.generate(40, 16, seed=1)[0]
    network = float_network.load(path)
    seen = []
    masks, expected = network.masks(images, seen.append), predict(model, images)
    assert masks.size == 40 * 16 * 16
    assert 0.2 < expected.mean() < 0.8
    assert len(np.unique(network.logits(images))) > 100
    assert seen == [16, 32, 40]
    with torch.no_grad():
        logits = model(torch.from_numpy(images)[:, None] / 256)[:, 0].numpy()
    undecided = np.abs(logits) <= 1e-4 * np.abs(logits).max()
    assert undecided.mean() < 0.01
    assert (masks == expected)[~undecided].all()
    assert (report.images, report.compared) == (4, 4 * 16 * 16)
    assert report.differing <= 2
    assert 0 <= report.largest < 1e-4


def test_the_file_is_plain_onnx_that_says_what_it_is(exported):
    model = onnx.load(exported[0])
    assert {node.op_type for node in model.graph.node} <= float_network.OPS
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said[PIXEL_SCALE] == "1/256"
    assert said[float_network.KIND] == float_network.FLOAT_LOGITS
    assert said["quantunet.version"] == "1"
    assert float_network.is_float(exported[0])
    assert not float_network.is_float(network_path("tiny"))


def test_an_export_that_disagrees_is_refused_and_nothing_is_written(model, tmp_path, monkeypatch):
    fold = float_export._fold

    def wrong(layer):
        fold(layer)
        layer.conv.bias.data += 0.01

    monkeypatch.setattr(float_export, "_fold", wrong)
    images = phantoms.generate(2, 16, seed=0)[0]
    with pytest.raises(ModelError, match="PyTorch's logits"):
        export_float(model, tmp_path / "net.onnx", images)
    monkeypatch.undo()
    with pytest.raises(ModelError, match="at least one image"):
        export_float(model, tmp_path / "net.onnx", images[:0])
    assert list(tmp_path.iterdir()) == []


def edited(path, kind):
    """Return the content of a file that is wrong in one way."""
    if kind == "cut":
        return path.read_bytes()[:-200]
    if kind == "empty":
        return b""
    model = onnx.load(path)
    if kind == "unmarked":
        del model.metadata_props[:]
    if kind == "scale":
        next(entry for entry in model.metadata_props if entry.key == PIXEL_SCALE).value = "1/255"
    if kind == "op":
        next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Elu"
    if kind == "nan":
        tensor = model.graph.initializer[0]
        values = onnx.numpy_helper.to_array(tensor).copy()
        values.flat[0] = np.nan
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    if kind == "weights":
        tensor = next(tensor for tensor in model.graph.initializer if list(tensor.dims[2:]) == [3, 3])
        values = onnx.numpy_helper.to_array(tensor)[:, :, :1]
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.copy(), tensor.name))
    if kind == "loop":
        model.graph.node[0].input[0] = model.graph.node[-1].output[0]
    if kind == "shape":
        model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 32
    if kind == "channels":
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 2
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("cut", FileFormatError), ("empty", FileFormatError), ("unmarked", FileFormatError), ("scale", FileFormatError),
        ("op", UnsupportedOpError), ("nan", UnsupportedOpError), ("weights", QuantUNetError), ("loop", FileFormatError),
        ("shape", FileFormatError), ("channels", ShapeError),
    ],
)  # fmt: skip
def test_damaged_and_other_files_are_refused(kind, error, exported, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(edited(exported[0], kind))
    with pytest.raises(error):
        float_network.load(path).logits(np.zeros((1, 16, 16), np.uint8))


def test_images_of_another_size_are_refused(exported):
    with pytest.raises(ShapeError, match="16 x 16"):
        float_network.load(exported[0]).logits(np.zeros((1, 8, 8), np.uint8))
