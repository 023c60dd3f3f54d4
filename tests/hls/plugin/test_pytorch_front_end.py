"""PyTorch models by hls4ml's front end: what they compute in the declared types, in float64 by PyTorch itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hls4ml.converters import convert_from_pytorch_model
from hls4ml.utils import config_from_pytorch_model
from torch import nn

from quantunet.hls.plugin.reader import from_model_graph
from quantunet.ir import ConvTranspose2d

pytestmark = pytest.mark.filterwarnings("ignore")

STEPS = 64  # of weights, biases and inputs, which are multiples of 1/64: every sum is exact in float64


def on_grid(model: nn.Module) -> nn.Module:
    """Round the weights to what ``fixed<16,10>`` holds."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randint(-40, 40, parameter.shape) / STEPS)
    return model.eval()


def predicted(model: nn.Module, shape: tuple[int, ...], folder: Path) -> tuple[np.ndarray, np.ndarray, Any]:
    """Return what the backend and PyTorch make of some inputs, and the compiled model."""
    config = config_from_pytorch_model(
        model, shape, granularity="name", backend="QuantUNet", default_precision="fixed<16,10>",
        channels_last_conversion="full", transpose_outputs=True,
    )  # fmt: skip
    hls_model = convert_from_pytorch_model(model, hls_config=config, backend="QuantUNet", output_dir=str(folder))
    hls_model.compile()
    values = np.random.default_rng(3).integers(-200, 200, size=(4, *shape)) / STEPS
    with torch.no_grad():
        expected = model.double()(torch.from_numpy(values)).numpy()
    return np.asarray(hls_model.predict(values)).reshape(expected.shape), expected, hls_model


CASES: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "2x2": (nn.ConvTranspose2d, {"kernel_size": 2, "stride": 2}),
    "3x3": (nn.ConvTranspose2d, {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}),
    "4x4": (nn.ConvTranspose2d, {"kernel_size": 4, "stride": 2, "padding": 1, "bias": False}),
    "rectangular": (nn.ConvTranspose2d, {"kernel_size": (2, 3), "stride": (2, 1), "padding": (0, 1)}),
    "dilation": (nn.ConvTranspose2d, {"kernel_size": 2, "stride": 2, "dilation": (2, 3), "padding": 1}),
    "output padding alone": (nn.ConvTranspose2d, {"kernel_size": 2, "stride": 3, "output_padding": 2}),
    "1x1": (nn.ConvTranspose2d, {"kernel_size": 1, "stride": 2}),
    "signal": (nn.ConvTranspose1d, {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_transpose_convolution_is_pytorchs(name: str, tmp_path: Path) -> None:
    kind, options = CASES[name]
    signal = kind is nn.ConvTranspose1d
    model = on_grid(nn.Sequential(kind(3, 4, **options), nn.ReLU()))
    got, expected, _ = predicted(model, (3, 6) if signal else (3, 4, 6), tmp_path)
    assert np.array_equal(got, np.floor(expected * STEPS) / STEPS)  # the ReLU's type, which cuts off
    assert len(np.unique(got)) > 20


class UNet(nn.Module):
    """A U-Net with one level."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.deep = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.last, self.logits = nn.Conv2d(8, 4, 3, padding=1), nn.Conv2d(4, 1, 1)
        self.relu1, self.relu2, self.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = self.relu1(self.down(x))
        deep = self.relu2(self.deep(self.pool(skip)))
        joined = torch.cat((self.up(deep), skip), dim=1)
        logits: torch.Tensor = self.logits(self.relu3(self.last(joined)))
        return logits


def test_a_float_unet_enters_with_the_default_configuration(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = UNet().eval()
    got, expected, hls_model = predicted(model, (1, 8, 8), tmp_path)
    assert any(isinstance(node, ConvTranspose2d) for node in from_model_graph(hls_model).nodes)
    assert got.shape == (4, 1, 8, 8)
    assert np.abs(got - expected).max() < 0.1


def test_groups_are_refused(tmp_path: Path) -> None:
    model = nn.Sequential(nn.ConvTranspose2d(4, 4, 2, stride=2, groups=2))
    with pytest.raises(Exception, match="groups"):  # by hls4ml itself, before it asks who reads the layer
        predicted(model, (4, 4, 4), tmp_path)
