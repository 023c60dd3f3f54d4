"""Learned widths: range, gradient, clamp, freezing, and the shared quantizer of a skip."""

import pytest
import torch
from brevitas.quant_tensor import IntQuantTensor

from quantunet.model import quantizers as q
from quantunet.model.config import UNetConfig
from quantunet.model.unet import quant_unet, widths, widths_as_int

SMALL = UNetConfig(base=2, depth=1, size=8)


def _calibrated():
    torch.manual_seed(0)
    model = quant_unet(SMALL)
    with torch.no_grad():
        for _ in range(q.COLLECT_STATS_STEPS + 1):
            model(torch.rand(2, 1, 8, 8))
    return model


def _is_power_of_two(scale):
    return torch.frexp(scale.detach()).mantissa.item() == 0.5


@pytest.mark.parametrize("nudge", [-1, 0, 1])
@pytest.mark.parametrize("tie", [0.5, 1.5, 2.5, 5.5])
def test_freezing_a_width_beside_a_tie_keeps_it(tie, nudge):
    """The forward pass rounds ``offset + 2``, in which the last bit of the offset is lost."""
    model = quant_unet(SMALL)
    offset = torch.tensor(tie)
    if nudge:
        offset = torch.nextafter(offset, offset + nudge)
    with torch.no_grad():
        for parameter in q.width_parameters(model):
            parameter.copy_(offset)
    before = widths_as_int(model)
    q.freeze_widths(model)
    assert widths_as_int(model) == before


@pytest.mark.parametrize(("offset", "bits"), [(0.0, 2), (0.49, 2), (0.5, 2), (0.51, 3), (1.5, 4), (5.9, 8), (9.0, 8)])
def test_width_is_rounded_and_clamped(offset, bits):
    model = quant_unet(SMALL)
    with torch.no_grad():
        for parameter in q.width_parameters(model):
            parameter.fill_(offset)
    assert set(widths_as_int(model).values()) == {(bits, bits)}


def test_each_width_has_one_parameter():
    model = quant_unet(SMALL)
    assert len(list(q.width_parameters(model))) == 2 * len(SMALL.conv_layers())


def test_a_penalty_moves_every_width_down():
    model = _calibrated()
    optimizer = torch.optim.Adam(q.width_parameters(model), lr=0.3)
    for _ in range(10):
        optimizer.zero_grad()
        loss = sum(w + a for w, a in widths(model).values())
        loss.backward()
        optimizer.step()
        q.clamp_widths(model)
    assert all(w < 8 and a < 8 for w, a in widths_as_int(model).values())


def test_the_task_moves_widths_too():
    model = _calibrated()
    for _name, (weight, activation) in widths(model).items():
        assert weight.requires_grad
        assert activation.requires_grad
    with torch.no_grad():
        for parameter in q.width_parameters(model):
            parameter.fill_(1.0)
    model(torch.rand(2, 1, 8, 8)).square().sum().backward()
    gradients = [float(p.grad) for p in q.width_parameters(model) if p.grad is not None]
    assert len(gradients) == 2 * len(SMALL.conv_layers())
    assert sum(g != 0 for g in gradients) > len(gradients) // 2


def test_clamp_holds_offsets_between_0_and_6():
    model = quant_unet(SMALL)
    offsets = list(q.width_parameters(model))
    with torch.no_grad():
        offsets[0].fill_(11.0)
        offsets[1].fill_(-3.0)
    q.clamp_widths(model)
    assert offsets[0].item() == 6.0
    assert offsets[1].item() == 0.0


def test_freezing_keeps_the_width_and_ends_its_training():
    model = quant_unet(SMALL)
    with torch.no_grad():
        for index, parameter in enumerate(q.width_parameters(model)):
            parameter.fill_(0.5 * index)
    before = widths_as_int(model)
    q.freeze_widths(model)
    assert widths_as_int(model) == before
    frozen = list(q.width_parameters(model))
    assert len(frozen) == 2 * len(SMALL.conv_layers())
    assert not any(p.requires_grad for p in frozen)
    assert all(p.item() == round(p.item()) for p in frozen)


def test_scales_are_powers_of_two_after_calibration():
    model = _calibrated().eval()
    y = model.logits(torch.rand(1, 1, 8, 8))
    assert _is_power_of_two(y.scale)
    for layer in model.convs.values():
        assert _is_power_of_two(layer.conv.quant_weight().scale)


def test_the_scale_follows_the_width_and_the_threshold_stays():
    conv = quant_unet(SMALL).convs["enc0_conv1"].conv
    wide = conv.quant_weight().scale.item()
    with torch.no_grad():
        conv.weight_quant.tensor_quant.msb_clamp_bit_width_impl.bit_width_offset.fill_(1.0)
    assert conv.quant_weight().scale.item() == wide * 2**5


def test_weights_are_narrow():
    conv = quant_unet(SMALL).convs["enc0_conv1"].conv
    with torch.no_grad():
        conv.weight_quant.tensor_quant.msb_clamp_bit_width_impl.bit_width_offset.fill_(0.0)
    quantised = conv.quant_weight()
    codes = torch.round(quantised.value / quantised.scale)
    assert codes.min() >= -1
    assert codes.max() <= 1


def test_both_legs_of_a_skip_share_one_type():
    join = _calibrated().eval().joins["skip0"]
    skip = IntQuantTensor(torch.rand(1, 2, 8, 8), 0.25, 0.0, 8.0, signed=False, training=False)
    up = torch.randn(1, 2, 8, 8) * 100
    y = join(skip, up)
    assert y.value.shape == (1, 4, 8, 8)
    codes = y.value / y.scale
    assert (codes == codes.round()).all()
    assert codes.min() >= -128
    assert codes.max() <= 127
    assert (y.value[:, :2] == join.quant(skip).value).all()  # skip first
    assert y.signed


def test_image_is_taken_byte_by_byte():
    image = torch.arange(256).reshape(1, 1, 16, 16) / 256
    quantised = q.byte()(image)
    assert (quantised.value == image).all()
    assert quantised.scale.item() == 2**-8


def test_logits_are_never_finer_than_a_64th():
    model = _calibrated().eval()
    assert model.logits(torch.rand(1, 1, 8, 8) * 1e-3).scale.item() >= 2**-6
