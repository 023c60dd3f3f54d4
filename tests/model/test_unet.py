"""The network's shape, its float and quantised forms, and the folding of BatchNorm."""

import pytest
import torch

from quantunet.errors import ShapeError
from quantunet.model.config import PRESETS, UNetConfig
from quantunet.model.unet import copy_folded, float_unet, quant_unet, widths_as_int

SMALL = UNetConfig(base=2, depth=2, size=16)


def test_paper_has_23_convolutions_and_31_million_parameters():
    layers = PRESETS["paper"].conv_layers()
    assert len(layers) == 23
    assert sum(layer.parameters for layer in layers) == 31_030_593
    assert [layer.name for layer in layers[:3]] == ["enc0_conv0", "enc0_conv1", "enc1_conv0"]
    assert layers[-1].name == "head"


def test_config_counts_what_the_modules_hold():
    model = quant_unet(SMALL)
    for layer in SMALL.conv_layers():
        conv = model.convs[layer.name].conv
        assert conv.weight.numel() + conv.bias.numel() == layer.parameters


def test_odd_sizes_are_refused():
    with pytest.raises(ShapeError, match="multiple of 4"):
        UNetConfig(base=2, depth=2, size=18)


def test_folding_keeps_the_function():
    torch.manual_seed(0)
    model = float_unet(SMALL).double()
    for _ in range(20):  # running statistics away from their start
        model(torch.rand(4, 1, 16, 16, dtype=torch.float64))
    model.eval()
    image = torch.rand(2, 1, 16, 16, dtype=torch.float64)
    expected = model(image)
    for layer in model.convs.values():
        weight, bias = layer.folded()
        layer.norm = None
        kind = torch.nn.Conv2d if weight.shape[-1] != 2 else torch.nn.ConvTranspose2d
        stride = 2 if kind is torch.nn.ConvTranspose2d else 1
        inputs, outputs = weight.shape[:2] if stride == 2 else weight.shape[1::-1]
        conv = kind(inputs, outputs, weight.shape[-1], stride=stride, padding=int(weight.shape[-1] == 3)).double()
        conv.weight.data, conv.bias.data = weight, bias
        had_relu = weight.shape[-1] == 3
        layer.conv = torch.nn.Sequential(conv, torch.nn.ReLU()) if had_relu else conv
    assert torch.allclose(model(image), expected, rtol=0, atol=1e-12)


def test_quantised_network_follows_the_float_one():
    torch.manual_seed(0)
    source, target = float_unet(SMALL), quant_unet(SMALL)
    image = torch.rand(4, 1, 16, 16)
    for _ in range(20):
        source(image)
    copy_folded(source.eval(), target)
    with torch.no_grad():
        for _ in range(25):
            target(image)
        expected, got = source(image), target.eval()(image)
    assert float((got - expected).abs().mean()) < 0.1 * float(expected.abs().mean())


def test_every_width_starts_at_8():
    model = quant_unet(SMALL)
    assert set(widths_as_int(model)) == {layer.name for layer in SMALL.conv_layers()}
    assert set(widths_as_int(model).values()) == {(8, 8)}
