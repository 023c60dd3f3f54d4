"""Scales, widths and ranges in one node have the values and the gradients of Brevitas' own chain."""

import pytest
import torch
from brevitas.core.quant.int import RescalingIntQuant
from torch.nn import functional

from quantunet.model import quantizers as q
from quantunet.model.config import UNetConfig
from quantunet.model.learned_range import LearnedIntQuant, LearnedWidth
from quantunet.model.unet import quant_unet, widths

OFFSETS = [0.0, 0.5, 1.4, 2.5, 6.0, -0.3]


def _values(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _calibrated(layer, image):
    layer.train()
    with torch.no_grad():
        for _ in range(q.COLLECT_STATS_STEPS + 1):
            layer(image)
    return layer.act_quant.fused_activation_quant_proxy.tensor_quant


def _quantizer(kind):
    if kind == "weight":
        conv = q.QuantConv(3, 4, 3, None).train().conv
        return conv.weight_quant.tensor_quant
    layer = {"unsigned": q.unsigned_activation, "signed": q.QuantJoin, "logit": q.logit_activation}[kind]()
    return _calibrated(layer.quant if kind == "signed" else layer, _values((2, 3, 8, 8)).abs())


def _outcome(forward, quantizer, x):
    """Values, scale, zero point and width, and the gradients of x and of the two learned numbers."""
    x = x.clone().requires_grad_()
    quantizer.zero_grad()
    y, scale, zero, bits = forward(quantizer, x)
    (functional.mse_loss(y, _values(y.shape, 1)) + 0.3 * scale + 0.7 * bits).backward()
    learned = [p.grad.clone() for p in quantizer.parameters() if p.grad is not None]
    return [y.detach(), scale.detach(), zero, bits.detach()], [x.grad, *learned]


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("kind", ["weight", "unsigned", "signed", "logit"])
def test_values_and_gradients_are_those_of_brevitas(kind, offset):
    quantizer = _quantizer(kind)
    with torch.no_grad():
        quantizer.msb_clamp_bit_width_impl.bit_width_offset.fill_(offset)
    values, gradients = _outcome(LearnedIntQuant.forward, quantizer, _values((2, 3, 8, 8), 2))
    expected_values, expected_gradients = _outcome(RescalingIntQuant.forward, quantizer, _values((2, 3, 8, 8), 2))
    assert all(torch.equal(a, b) for a, b in zip(values, expected_values, strict=True))
    assert len(gradients) == (2 if kind == "weight" else 3)
    assert kind == "weight" or torch.equal(gradients[0], expected_gradients[0])
    for got, expected in zip(gradients, expected_gradients, strict=True):
        assert expected.abs().max() > 0
        # Gradients are real numbers, and the chain rule in one formula rounds elsewhere than step by step.
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-7)


def test_the_least_scale_holds():
    quantizer = _quantizer("logit")
    with torch.no_grad():
        quantizer.scaling_impl.value.fill_(-9.0)
    scale = LearnedIntQuant.forward(quantizer, _values((2, 3)))[1]
    assert scale == q.LogitActivation.scaling_min_val / 2**7
    assert torch.equal(scale, RescalingIntQuant.forward(quantizer, _values((2, 3)))[1])


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_width_is_that_of_brevitas(offset):
    module = q.QuantConv(1, 1, 1, None).conv.weight_quant.tensor_quant.msb_clamp_bit_width_impl
    with torch.no_grad():
        module.bit_width_offset.fill_(offset)
    expected = module()
    (expected_gradient,) = torch.autograd.grad(expected, module.bit_width_offset)
    got = LearnedWidth.apply(module.bit_width_offset)
    (gradient,) = torch.autograd.grad(got, module.bit_width_offset)
    assert torch.equal(got, expected)
    assert torch.equal(gradient, expected_gradient)


def test_widths_are_those_of_their_layers():
    model = quant_unet(UNetConfig(base=2, depth=1, size=8))
    with torch.no_grad():
        model.convs["enc0_conv1"].conv.weight_quant.tensor_quant.msb_clamp_bit_width_impl.bit_width_offset.fill_(1.0)
        proxy = model.joins["skip0"].quant.act_quant.fused_activation_quant_proxy
        proxy.tensor_quant.msb_clamp_bit_width_impl.bit_width_offset.fill_(3.0)
    found = {name: tuple(width.item() for width in pair) for name, pair in widths(model).items()}
    assert found.pop("enc0_conv1") == (3.0, 8.0)
    assert found.pop("up0") == (8.0, 5.0)
    assert set(found.values()) == {(8.0, 8.0)}


@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_a_convolution_in_training_is_that_of_brevitas(kernel):
    layer = q.QuantConv(3, 4, kernel, None).train()
    source = q.unsigned_activation()
    _calibrated(source, _values((2, 3, 8, 8)).abs())
    outcomes = []
    for convolve in (layer, layer.conv):
        layer.zero_grad()
        source.zero_grad()
        image = _values((2, 3, 8, 8), 3).requires_grad_()
        y = convolve(source(image))
        y = getattr(y, "value", y)
        functional.mse_loss(y, _values(y.shape, 4)).backward()
        parameters = [*layer.parameters(), *source.parameters()]
        outcomes.append([y.detach(), image.grad, *(p.grad.clone() for p in parameters)])
    assert len(outcomes[0]) == 2 + 3 + 2  # weight, bias, width; width and scale of the input
    assert all(torch.equal(a, b) for a, b in zip(*outcomes, strict=True))
