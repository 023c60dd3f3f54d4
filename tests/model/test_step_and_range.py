"""Learning step and range is learning width and range in other coordinates, whatever the optimiser does with them."""

import torch

from quantunet.model import quantizers as q
from quantunet.model import step_and_range, weight_ranges
from quantunet.model.config import UNetConfig
from quantunet.model.train import Trainer
from quantunet.model.unet import quant_unet, widths

SMALL = UNetConfig(base=2, depth=1, size=16)


def _calibrated():
    torch.manual_seed(0)
    model = quant_unet(SMALL, "learned").train()
    with torch.no_grad():
        for step in range(q.COLLECT_STATS_STEPS + 1):
            model(torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(step)))
    weight_ranges.fit(model)
    q.set_widths(model, 5)
    return model


def _gradients(model):
    image = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(99))
    bits = torch.stack([width for pair in widths(model).values() for width in pair]).mean()
    (model(image).square().mean() + 0.1 * bits).backward()
    return list(step_and_range._pairs(model))


def test_a_step_of_the_optimiser_is_one_in_step_and_range():
    model = _calibrated()
    pairs = _gradients(model)
    assert len(pairs) == 2 * len(model.convs)
    rate = 0.01
    expected = []
    for width, reach in pairs:  # by hand: s = r - b; b and r follow
        of_width, of_range = (float(one.grad) for one in (width, reach))
        b, r = float(width.detach()), float(reach.detach())
        s, r_new = (r - b) - rate * -of_width, r - rate * (of_range + of_width)
        expected.append((r_new - s, r_new))
    assert any(abs(float(width.grad)) > 1e-6 for width, _ in pairs)
    parameters = [one for pair in pairs for one in pair]
    before = step_and_range.bring_gradients(model)
    torch.optim.SGD(parameters, lr=rate).step()
    step_and_range.follow_ranges(model, before)
    for (width, reach), (b, r) in zip(pairs, expected, strict=True):
        torch.testing.assert_close(float(width.detach()), b, rtol=0, atol=1e-5)
        torch.testing.assert_close(float(reach.detach()), r, rtol=0, atol=1e-5)


def test_a_wider_range_keeps_its_step_and_has_more_bits():
    model = _calibrated()
    pairs = list(step_and_range._pairs(model))
    before = [reach.detach().clone() for _, reach in pairs]
    scales = [layer.conv.weight_quant(layer.conv.weight).scale.detach().clone() for layer in model.convs.values()]
    with torch.no_grad():
        for _, reach in pairs:
            reach.add_(1.0)
    step_and_range.follow_ranges(model, before)
    assert {(int(w), int(a)) for w, a in widths(model).values()} == {(6, 6)}
    after = [layer.conv.weight_quant(layer.conv.weight).scale.detach() for layer in model.convs.values()]
    assert all(torch.equal(a, b) for a, b in zip(scales, after, strict=True))


def test_a_training_by_step_ends_elsewhere_and_in_range(quick, samples, tmp_path):
    config = quick.changed(weight_range="learned", range_lr=0.1)
    ends = {}
    for kind in ("width", "step"):
        outcome = Trainer(config.changed(parametrisation=kind), samples, tmp_path / kind).run()
        ends[kind] = outcome.final_model.state_dict()
        assert all(2 <= int(bits) <= 8 for pair in widths(outcome.final_model).values() for bits in pair)
    assert any(not torch.equal(value, ends["step"][name]) for name, value in ends["width"].items())
