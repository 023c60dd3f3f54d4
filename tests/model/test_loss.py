"""The loss is the formula."""

import pytest
import torch

from quantunet.model.config import LossConfig, UNetConfig
from quantunet.model.loss import PEAK, SegmentationLoss, layer_weights, mean_bits, whole_image_loss

SMALL = UNetConfig(base=2, depth=1, size=8)


def _widths(value):
    return {
        layer.name: (torch.tensor(float(value(i)), requires_grad=True), torch.tensor(float(value(i) + 1)))
        for i, layer in enumerate(SMALL.conv_layers())
    }


def test_task_is_bce_plus_dice():
    torch.manual_seed(0)
    logits = torch.randn(3, 1, 8, 8)
    mask = (torch.rand(3, 1, 8, 8) > 0.7).float()
    p = torch.sigmoid(logits)
    bce = -(mask * p.log() + (1 - mask) * (1 - p).log()).mean()
    overlap, total = (p * mask).sum(dim=(1, 2, 3)), (p + mask).sum(dim=(1, 2, 3))
    dice = (1 - (2 * overlap + 1) / (total + 1)).mean()
    assert SegmentationLoss(SMALL)(logits, mask).item() == pytest.approx((bce + dice).item(), abs=1e-6)


@pytest.mark.parametrize("factor", [0.0, 0.25, 2.5])
def test_bits_add_lambda_times_the_mean_over_8(factor):
    logits, mask = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    loss = SegmentationLoss(SMALL, LossConfig(bit_lambda=factor))
    widths = _widths(lambda i: 2 + i % 3)
    mean = sum((w.item() + a.item()) / 2 for w, a in widths.values()) / len(widths)
    difference = loss(logits, mask, widths).item() - loss(logits, mask).item()
    assert difference == pytest.approx(factor * mean / 8, abs=1e-6)


def test_lambda_is_a_quarter_by_default():
    assert SegmentationLoss(SMALL).config.bit_lambda == 0.25


@pytest.mark.parametrize("weighting", ["layers", "parameters", "macs"])
def test_weightings(weighting):
    weights = layer_weights(SMALL, weighting)
    assert sum(weights.values()) == pytest.approx(1.0)
    layers = {layer.name: layer for layer in SMALL.conv_layers()}
    a, b = "enc0_conv0", "bottleneck_conv1"
    expected = {
        "layers": 1.0,
        "parameters": (9 * 1 * 2 + 2) / (9 * 4 * 4 + 4),
        "macs": (64 * 9 * 1 * 2) / (16 * 9 * 4 * 4),
    }[weighting]
    assert weights[a] / weights[b] == pytest.approx(expected)
    assert layers[a].parameters == 20
    widths = _widths(lambda i: 2 + i % 3)
    mean = mean_bits(widths, weights)
    assert mean.item() == pytest.approx(sum(weights[n] * (w.item() + 0.5) for n, (w, _) in widths.items()), abs=1e-5)
    mean.backward()
    assert widths[a][0].grad.item() == pytest.approx(weights[a] / 2)


def test_the_whole_image_is_judged_by_its_greatest_logits():
    logits = torch.full((2, 1, 16, 16), -8.0)
    logits[0, 0, :8, :8] = 2.0  # PEAK pixels
    assert PEAK == 64
    lesion, normal = torch.ones(2, 1, 16, 16), torch.zeros(2, 1, 16, 16)
    right = torch.cat([lesion[:1], normal[:1]])
    expected = (torch.tensor([1.0, -1.0]) * torch.tensor([2.0, -8.0])).neg().exp().log1p().mean()
    assert whole_image_loss(logits, right).item() == pytest.approx(expected.item(), abs=1e-6)
    assert whole_image_loss(logits, right) < whole_image_loss(logits, 1 - right)
    factor = SegmentationLoss(SMALL, LossConfig(lesion=0.5))(logits, right) - SegmentationLoss(SMALL)(logits, right)
    assert factor.item() == pytest.approx(0.5 * expected.item(), abs=1e-6)
