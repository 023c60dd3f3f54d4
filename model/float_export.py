"""Float networks as ONNX, BatchNorm folded: what a training kept beside its integer network, for others to read.

The file is float32: another library, or another order of sums, gives logits that differ in their last digits, and a
pixel whose logit is that near to zero may change sides. So the export is not proven equal, as that of an integer
network is: it is run by onnxruntime on a few images, every logit is compared, and the pixels that change sides are
counted.
"""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from quantunet import storage
from quantunet.errors import ModelError
from quantunet.model import float_network
from quantunet.model.augment import to_float
from quantunet.model.unet import FloatConv, UNet
from quantunet.onnx_metadata import write_pixel_scale
from quantunet.pixels import OWN_SCALE
from quantunet.provenance import write_onnx_properties

TOLERANCE = 1e-4
"""By how much of the largest logit a logit may differ from PyTorch's; float32 has about 1e-7, and layers add up."""

_OPSET = 13


@dataclass(frozen=True)
class FloatReport:
    """What the check of a float export has found.

    Attributes:
        images: Images that were run.
        compared: Logits, and so pixels, that were compared.
        differing: Pixels on different sides of the mask: their logit is nearer to zero than ``largest``; of several
            classes pixels of another class, whose two greatest logits are as near to each other.
        largest: The largest difference of two logits.
    """

    images: int
    compared: int
    differing: int
    largest: float


def export_float(
    model: UNet, path: Path, images: NDArray[np.uint8], properties: Mapping[str, str] | None = None
) -> FloatReport:
    """Write a float network as ONNX: ``image`` (n, 1 or 3, height, width), bytes / 256, to ``logits`` of that size.

    Args:
        model: A float network.
        path: The file to write.
        images: ``(n, height, width)`` uint8, at least one: the images to check with.
        properties: What the file says of its making; see :func:`quantunet.provenance.onnx_properties`.

    Returns:
        What the check has found.

    Raises:
        ModelError: The file's logits differ from PyTorch's, or nothing was compared; nothing is written.
        StorageError: The file cannot be written.
    """
    plain = copy.deepcopy(model).cpu().float().eval()
    file = to_onnx(plain)
    write_onnx_properties(file, {**(properties or {}), float_network.KIND: float_network.FLOAT_LOGITS})
    write_pixel_scale(file, OWN_SCALE)
    with storage.atomic_path(path) as temporary:
        onnx.save(file, str(temporary))
        report = check(plain, float_network.load(temporary), images)
    return report


def to_onnx(model: UNet) -> onnx.ModelProto:
    """Trace a float network, every BatchNorm folded into the convolution in front of it.

    Args:
        model: On the CPU, in evaluation mode.
    """
    folded = copy.deepcopy(model)
    for layer in folded.convs.values():
        _fold(cast(FloatConv, layer))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The exporter that torch prefers needs onnxscript and renames every node; Brevitas exports with this one too.
        warnings.filterwarnings("ignore", message="You are using the legacy TorchScript-based ONNX export")
        torch.onnx.export(
            folded.eval(),
            (torch.zeros(1, model.config.in_channels, *model.config.shape),),
            str(Path(folder) / "network.onnx"),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes={"image": {0: "images"}, "logits": {0: "images"}},
        )
        return onnx.load(str(Path(folder) / "network.onnx"))


@torch.no_grad()
def _fold(layer: FloatConv) -> None:
    """Replace a layer's convolution and BatchNorm by a convolution with a bias that computes the same."""
    if layer.norm is None:
        return
    weight, bias = layer.folded()
    layer.conv.weight.copy_(weight)
    layer.conv.bias = nn.Parameter(bias.clone())
    layer.norm = nn.Identity()  # type: ignore[assignment]  # the ReLU behind it stays


@torch.no_grad()
def check(model: UNet, network: float_network.FloatNetwork, images: NDArray[np.uint8]) -> FloatReport:
    """Compare the logits of a float network's file with PyTorch's.

    Args:
        model: On the CPU, in evaluation mode; as it was trained, BatchNorm not folded.
        network: Its file.
        images: ``(n, height, width)`` uint8.

    Raises:
        ModelError: A logit differs by more than :data:`TOLERANCE`, or nothing was compared.
    """
    if not len(images):
        raise ModelError(network.name, expected="at least one image to check the float export with", got="none")
    expected = model(to_float(torch.from_numpy(images))).permute(0, 2, 3, 1).numpy()
    several = expected.shape[-1] > 1
    expected = expected if several else expected[..., 0]
    found = network.logits(images)
    largest, scale = float(np.abs(found - expected).max()), float(np.abs(expected).max())
    if not largest <= TOLERANCE * scale:  # nan as well
        raise ModelError(
            network.name,
            expected=f"PyTorch's logits, to {TOLERANCE * scale:.3g}, from the float network's file",
            got=f"a difference of {largest:.3g}",
            hint="The exporter and onnxruntime disagree about this network.",
        )
    sides = (each.argmax(axis=-1) if several else each >= 0 for each in (found, expected))
    differing = int(np.not_equal(*sides).sum())
    return FloatReport(len(images), expected.size, differing, largest)
