"""Ranges of weights: that of least error is found, learned ones are Brevitas', balanced channels compute the same."""

import math

import pytest
import torch

from quantunet.model import quantizers as q
from quantunet.model import weight_ranges
from quantunet.model.config import UNetConfig
from quantunet.model.fused_quant import quantise
from quantunet.model.unet import UNet, copy_folded, float_unet, quant_unet

SMALL = UNetConfig(base=2, depth=2, size=16)


def _values(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _calibrated(weight_range="learned", config=SMALL):
    torch.manual_seed(0)
    model = quant_unet(config, weight_range).train()
    with torch.no_grad():
        for step in range(q.COLLECT_STATS_STEPS + 1):
            model(torch.rand(2, 1, config.size, config.size, generator=torch.Generator().manual_seed(step)))
    return model


def _error(weight, reach, bits):
    levels = 2 ** (bits - 1)
    high = torch.tensor(float(levels - 1))
    return float(((quantise(weight, torch.tensor(reach / levels), -high, high) - weight) ** 2).sum())


@pytest.mark.parametrize("bits", range(2, 9))
def test_no_other_range_has_less_error(bits):
    compared = 0
    for seed in range(20):
        weight = _values(6, 5, 3, 3, seed=seed) ** 3
        found = weight_ranges.least_error_range(weight, bits)
        for power in range(-8, 8):
            assert _error(weight, found, bits) <= _error(weight, 2.0**power, bits)
            compared += 1
    assert compared == 320


def test_a_tensor_of_zeros_has_a_range_too():
    assert weight_ranges.least_error_range(torch.zeros(3, 3), 4) == 2 * q.MIN_SCALE


def test_narrower_ranges_leave_fewer_zeros():
    weight = _values(8, 8, 3, 3)
    weight[0, 0, 0, 0] = 9.0
    widest, found = 16.0, weight_ranges.least_error_range(weight, 3)
    high = torch.tensor(3.0)

    def zeros(reach):
        return int((quantise(weight, torch.tensor(reach / 4), -high, high) == 0).sum())

    assert found < widest
    assert zeros(found) < zeros(widest) / 2


@pytest.mark.parametrize("weight_range", ["least_error", "learned"])
def test_evaluation_and_training_use_the_same_range(weight_range):
    model = _calibrated(weight_range)
    q.set_widths(model, 3)
    weight_ranges.fit(model)
    compared = 0
    for layer in model.convs.values():
        conv = layer.conv
        trained = conv.weight_quant(conv.weight)
        model.eval()
        evaluated = conv.weight_quant(conv.weight)
        model.train()
        assert torch.equal(trained.value, evaluated.value)
        assert torch.equal(trained.scale, evaluated.scale)
        scale = float(trained.scale.detach())
        assert math.log2(scale) % 1 == 0
        reach = scale * 4
        assert reach == weight_ranges.least_error_range(conv.weight, 3)
        compared += trained.value.numel()
    assert compared > 1000


@pytest.mark.parametrize("config", [SMALL, UNetConfig(base=1, depth=1, size=8)])
def test_each_channel_has_a_range_of_its_own(config):
    model = _calibrated("channels", config)
    q.set_widths(model, 3)
    weight_ranges.fit(model)
    compared = 0
    for name, layer in model.convs.items():
        conv = layer.conv
        axis = 1 if name.startswith("up") else 0
        trained = conv.weight_quant(conv.weight)
        model.eval()
        evaluated = conv.weight_quant(conv.weight)
        model.train()
        assert torch.equal(trained.value, evaluated.value)
        assert trained.scale.numel() == conv.weight.shape[axis]
        for channel, scale in enumerate(trained.scale.flatten().tolist()):
            part = conv.weight.detach().select(axis, channel)
            reach, high = scale * 4, torch.tensor(3.0)
            assert reach == weight_ranges.least_error_range(part, 3)
            assert torch.equal(trained.value.select(axis, channel), quantise(part, torch.tensor(scale), -high, high))
            compared += 1
    assert compared == sum(shape.out_channels for shape in config.conv_layers())
    for layer in model.convs.values():
        layer.conv.weight_quant(layer.conv.weight).value.square().sum().backward()
    assert all(one.grad is not None and (one.grad != 0).any() for one in weight_ranges.parameters(model))


def test_a_learned_range_has_a_gradient_and_a_frozen_one_stays():
    model = _calibrated()
    weight_ranges.fit(model)
    q.set_widths(model, 2)
    for layer in model.convs.values():
        layer.conv.weight_quant(layer.conv.weight).value.square().sum().backward()
    ranges = weight_ranges.parameters(model)
    assert len(ranges) == len(model.convs)
    assert all(one.grad is not None and float(one.grad.abs()) > 0 for one in ranges)
    with torch.no_grad():
        for one in ranges:
            one.add_(0.3)
    before = [layer.conv.weight_quant(layer.conv.weight).scale for layer in model.convs.values()]
    weight_ranges.freeze(model)
    assert not any(one.requires_grad for one in ranges)
    assert all(float(one) == int(one) for one in ranges)
    after = [layer.conv.weight_quant(layer.conv.weight).scale for layer in model.convs.values()]
    assert before == after


def test_ranges_that_follow_the_largest_weight_are_left_alone():
    model = _calibrated("largest")
    assert weight_ranges.parameters(model) == []
    before = {name: value.clone() for name, value in model.state_dict().items()}
    weight_ranges.fit(model)
    weight_ranges.freeze(model)
    assert before.keys() == model.state_dict().keys()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


class _Plain:
    """A quantised network's weights in a float network without BatchNorm: what it computes before quantisation."""

    def __init__(self, quantised: UNet) -> None:
        self.model = float_unet(quantised.config).double().eval()
        for name, layer in self.model.convs.items():
            source = quantised.convs[name].conv
            layer.norm = torch.nn.Identity() if layer.norm is not None else None
            layer.conv.weight = torch.nn.Parameter(source.weight.detach().double().clone())
            layer.conv.bias = torch.nn.Parameter(source.bias.detach().double().clone())

    def __call__(self, image):
        with torch.no_grad():
            return self.model(image)


def test_balanced_channels_compute_the_same_and_use_more_of_the_range():
    torch.manual_seed(1)
    source = float_unet(SMALL).eval()
    with torch.no_grad():
        for layer in source.convs.values():
            if layer.norm is not None:  # channels of very different gains
                layer.norm.weight.copy_(2.0 ** _values(len(layer.norm.weight), seed=3).mul(3))
                layer.norm.bias.copy_(_values(len(layer.norm.bias), seed=4))
    model = quant_unet(SMALL)
    copy_folded(source, model)
    image = torch.rand(3, 1, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    before, spread = _Plain(model)(image), _spread(model)
    weight_ranges.equalise(model)
    after = _Plain(model)(image)
    assert before.numel() == 768
    assert before.std() > 0
    # Real numbers: the factors are exact, but sums of other sizes round elsewhere.
    torch.testing.assert_close(after, before, rtol=1e-9, atol=1e-9)
    assert _spread(model) < spread


def _spread(model):
    """Octaves between the largest weights of a tensor's output channels, over all of them."""
    total = 0.0
    for name, layer in model.convs.items():
        axis = 1 if name.startswith("up") else 0
        reach = layer.conv.weight.detach().abs().amax([other for other in range(4) if other != axis])
        total += float(torch.log2(reach).std()) if len(reach) > 1 else 0.0
    return total
