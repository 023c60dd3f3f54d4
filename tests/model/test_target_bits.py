"""A mean bit-width that is given is met, whatever the widths, their weights and the number of steps."""

import dataclasses

import pytest
import torch

from quantunet.errors import TrainingError
from quantunet.model import target_bits, training_folder
from quantunet.model.config import UNetConfig
from quantunet.model.loss import layer_weights
from quantunet.model.train import Trainer
from quantunet.model.unet import quant_unet, width_offsets, widths_as_int

SHAPE = UNetConfig(base=2, depth=1, size=16)


def _mean(model, shares):
    return sum(shares[name] * (weight + output) / 2 for name, (weight, output) in widths_as_int(model).items())


@pytest.mark.parametrize("weighting", ["layers", "parameters", "macs"])
@pytest.mark.parametrize("spread", [6.0, 0.01, 0.0])  # 0: all are equal, and no amount parts them
@pytest.mark.parametrize("bits", [2.0, 2.3, 3.0, 4.5, 7.9, 8.0])
def test_the_mean_is_met_and_the_order_kept(weighting, spread, bits):
    model = quant_unet(SHAPE)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for offset in width_offsets(model):
            offset.fill_(6.0 - spread * float(torch.rand((), generator=generator)))
    before = torch.stack(width_offsets(model)).detach().clone()
    shares = layer_weights(SHAPE, weighting)
    target_bits.hold_mean(model, shares, bits)
    assert abs(_mean(model, shares) - bits) <= max(shares.values()) / 4 + 1e-6
    after = torch.stack(width_offsets(model)).detach()
    assert after.min() >= 0
    assert after.max() <= 6
    assert (after[before.argsort()].diff() >= -1e-6).all()


def test_tied_widths_share_no_amount_but_the_mean_is_met_exactly():
    model = quant_unet(SHAPE)
    shares = layer_weights(SHAPE, "layers")
    with torch.no_grad():
        for offset in width_offsets(model):
            offset.fill_(3.0)
    target_bits.hold_mean(model, shares, 4.5)
    found = [width for pair in widths_as_int(model).values() for width in pair]
    assert sorted(found) == [4] * (len(found) // 2) + [5] * (len(found) // 2)


@pytest.mark.parametrize("target", [3, 4, 5])
def test_training_ends_at_the_mean_whatever_the_steps(quick, samples, tmp_path, target):
    base = quick.changed(width_lr=0.02, float_epochs=1, tune_epochs=1, target_bits=target)
    start = Trainer(base, samples, tmp_path / "start").float_phase()
    for epochs in (3, 6):
        reports = []
        trainer = Trainer(
            dataclasses.replace(base, qat_epochs=epochs), samples, tmp_path / str(epochs), on_epoch=reports.append
        )
        outcome = trainer.run(warm_start=start)
        found = widths_as_int(outcome.final_model)
        mean = sum(sum(pair) for pair in found.values()) / (2 * len(found))
        assert abs(mean - target) <= 1 / (4 * len(found))
        assert len(set(found.values())) > 1  # widths that are learned, not one for all
        bits = [report.mean_bits for report in reports if report.phase == "qat"]
        assert bits[-1] == pytest.approx(mean)
        assert 8 > bits[0] > target + 1  # it came down on a line


def test_without_a_target_the_mean_follows_the_steps(quick, samples, tmp_path):
    """What the target is there for; else the test above shows nothing."""
    base = quick.changed(width_lr=0.5, float_epochs=1, tune_epochs=1, bit_lambda=4.0)
    start = Trainer(base, samples, tmp_path / "start").float_phase()
    means = []
    for epochs in (3, 6):
        trainer = Trainer(dataclasses.replace(base, qat_epochs=epochs), samples, tmp_path / str(epochs))
        means.append(trainer.run(warm_start=start).history[-1]["mean_bits"])
    assert means[0] > means[1] + 0.5


class _Killed(Exception):
    pass


def test_a_resumed_training_meets_the_same_means(quick, samples, tmp_path):
    config = quick.changed(width_lr=0.02, float_epochs=1, tune_epochs=1, target_bits=4.0)
    expected = Trainer(config, samples, tmp_path / "whole").run()

    def kill(phase, epoch, batch, _batches):
        if (phase, epoch, batch) == ("qat", 1, 2):
            raise _Killed

    with pytest.raises(_Killed):
        Trainer(config, samples, tmp_path / "killed", on_batch=kill).run()
    resumed = Trainer(config, samples, tmp_path / "killed").run(resume=True)
    wanted = expected.final_model.state_dict()
    got = resumed.final_model.state_dict()
    assert len(wanted) > 20
    assert all(torch.equal(got[name], value) for name, value in wanted.items())
    assert (tmp_path / "killed" / training_folder.QUANT).exists()


@pytest.mark.parametrize(
    "bad",
    [
        {"target_bits": 1.9},
        {"target_bits": 8.1},
        {"target_bits": float("nan")},
        {"target_bits": 4.0, "bits": 4},
        {"target_bits": 4.0, "bits": "float"},
        {"target_bits": 4.0, "width_lr": 0.1},
    ],
)
def test_targets_without_a_meaning_are_refused(quick, bad):
    with pytest.raises(TrainingError, match="target_bits|width_lr"):
        quick.changed(**({"width_lr": 0.02} | bad))
