"""The phases, the logs, and that a killed and resumed training ends where an uninterrupted one ends."""

import csv
import dataclasses
import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import HISTOGRAMS, IMAGES, EventAccumulator
from torch.optim.swa_utils import AveragedModel

from quantunet.errors import FileFormatError, StorageError, TrainingError
from quantunet.model import train, training_folder, training_state, weight_ranges
from quantunet.model.config import TrainConfig, UNetConfig
from quantunet.model.export import export
from quantunet.model.settings import settings
from quantunet.model.train import Trainer
from quantunet.model.unet import float_unet, random_start, widths_as_int

NAN, INF = float("nan"), float("inf")


class _Killed(Exception):
    pass


def _parameters(outcome):
    return {**outcome.float_model.state_dict(prefix="float."), **outcome.final_model.state_dict(prefix="quant.")}


def test_all_phases_run_and_widths_move(quick, samples, tmp_path):
    reports = []
    outcome = Trainer(quick, samples, tmp_path, on_epoch=reports.append).run()
    assert [r.phase for r in reports] == ["float"] * 3 + ["qat"] * 3 + ["tune"] * 2
    assert outcome.epochs == {"float": 3, "qat": 3, "tune": 2}
    learned = [r.widths for r in reports if r.phase == "qat"]
    assert learned[0] != learned[-1]
    assert reports[-1].mean_bits < 7.5
    assert reports[-1].widths == reports[-2].widths == learned[-1]  # frozen
    assert widths_as_int(outcome.final_model) == learned[-1]
    weights = torch.load(tmp_path / training_folder.QUANT, weights_only=True)["model"]
    assert all((weights[k] == v).all() for k, v in outcome.final_model.state_dict().items())


def test_a_given_width_comes_down_from_8(quick, samples, tmp_path):
    reports = []
    descending = dataclasses.replace(quick, bits=3, descent_epochs=2)
    outcome = Trainer(descending, samples, tmp_path, on_epoch=reports.append).run()
    assert [r.mean_bits for r in reports if r.phase != "float"] == [8, 5, 3, 3, 3]
    assert set(widths_as_int(outcome.final_model).values()) == {(3, 3)}


def test_every_width_is_logged(quick, samples, tmp_path):
    Trainer(quick, samples, tmp_path).run()
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["phase"] for row in rows] == ["float"] * 3 + ["qat"] * 3 + ["tune"] * 2
    for layer in quick.unet.conv_layers():
        assert 2 <= int(rows[-1][f"{layer.name}.weight"]) <= 8
        assert 2 <= int(rows[-1][f"{layer.name}.activation"]) <= 8
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_tensorboard_shows_images_masks_and_widths(quick, samples, tmp_path):
    outcome = Trainer(quick, samples, tmp_path).run()
    events = EventAccumulator(str(tmp_path / "tensorboard"), {IMAGES: 0, HISTOGRAMS: 0})
    events.Reload()
    shown = [f"validation/image_{index}" for index in outcome.split.val[:4]]
    assert sorted(events.Tags()[IMAGES]) == sorted(shown)
    best = [row["best"] for row in outcome.history]
    assert len(events.Images(shown[0])) >= len({name.split()[0] for name in best}) - 1
    first = events.Images(shown[0])[0]
    with Image.open(io.BytesIO(first.encoded_image_string)) as picture:
        assert picture.size == (4 * 16 + 3 * 2, 16)
        assert (np.array(picture)[:, :16, 0] == samples.images[outcome.split.val[0]]).all()
        assert (np.array(picture)[:, 18:34, 0] == 255 * samples.masks[outcome.split.val[0]]).all()
    assert sorted(events.Tags()[HISTOGRAMS]) == ["widths/activation", "widths/weight"]
    (*_, last) = events.Histograms("widths/weight")
    widths = [pair[0] for pair in widths_as_int(outcome.final_model).values()]
    assert (last.histogram_value.num, last.histogram_value.sum) == (len(widths), sum(widths)) and len(widths) > 3


@pytest.mark.parametrize("place", [("float", 1), ("qat", 0), ("qat", 2), ("tune", 0), ("tune", 1)])
def test_killed_and_resumed_equals_uninterrupted(quick, samples, tmp_path, place):
    averages = []

    def keep(folder):
        def on_epoch(report):
            if (report.phase, report.epoch) == ("tune", 2):
                averages.append(torch.load(folder / training_folder.LAST, weights_only=True)["average"])

        return on_epoch

    whole = tmp_path / "whole"
    expected = _parameters(Trainer(quick, samples, whole, on_epoch=keep(whole)).run())

    def kill(phase, epoch, batch, _batches):
        if (phase, epoch) == place and batch == 2:
            raise _Killed

    with pytest.raises(_Killed):
        Trainer(quick, samples, tmp_path / "killed", on_batch=kill).run()
    seen = []
    also_keep = keep(tmp_path / "killed")
    outcome = Trainer(
        quick, samples, tmp_path / "killed", on_epoch=lambda report: (seen.append(report), also_keep(report))
    ).run(resume=True)
    assert (seen[0].phase, seen[0].epoch) == (place[0], place[1] + 1)
    got = _parameters(outcome)
    assert got.keys() == expected.keys()
    assert len(got) > 50
    assert all(torch.equal(got[name], value) for name, value in expected.items())
    assert len(averages) == 2
    assert len(averages[0]) > 20
    assert all(torch.equal(averages[1][name], value) for name, value in averages[0].items())
    histories = [
        [row | {"seconds": ""} for row in csv.DictReader((tmp_path / name / "history.csv").read_text().splitlines())]
        for name in ("whole", "killed")
    ]
    assert histories[0] == histories[1]
    assert len(histories[0]) == 8


@pytest.mark.parametrize("weight_range", ["least_error", "learned", "channels"])
@pytest.mark.parametrize("bits", ["learned", 3])
def test_ranges_of_weights_are_found_and_then_stay(quick, samples, tmp_path, weight_range, bits):
    config = quick.changed(weight_range=weight_range, bits=bits, equalise=True, range_lr=0.1, lesion=0.5)
    scales = {}

    def keep(phase, epoch, batch, batches):
        if batch == batches:
            last = tmp_path / training_folder.LAST
            state = torch.load(last, weights_only=True) if last.exists() else {}
            key = "conv.weight_quant.tensor_quant.scaling_impl.value"
            kept = [value for name, value in state.get("model", {}).items() if name.endswith(key)]
            scales[phase, epoch] = [one for value in kept for one in value.flatten().tolist()]

    outcome = Trainer(config, samples, tmp_path, on_batch=keep).run()
    layers = config.unet.conv_layers()
    ranges = sum(shape.out_channels for shape in layers) if weight_range == "channels" else len(layers)
    assert len(scales["qat", 2]) == ranges
    assert len(set(scales["qat", 2])) > 1
    assert all(value == int(value) for value in scales["qat", 2]) == (weight_range == "least_error")
    assert all(value == int(value) for value in scales["tune", 1])
    found = [one for value in weight_ranges.parameters(outcome.final_model) for one in value.flatten().tolist()]
    assert len(found) == ranges
    assert all(value == int(value) for value in found)
    report = export(outcome.final_model, tmp_path / "small.onnx", samples.images[:2])
    assert report.compared > 0
    assert not any(check.differing for check in report.tensors)


@pytest.mark.parametrize(("weight_range", "place"), [("learned", ("qat", 1)), ("channels", ("tune", 1))])
def test_ranges_come_back_when_a_training_goes_on(quick, samples, tmp_path, weight_range, place):
    config = quick.changed(weight_range=weight_range, range_lr=0.1, bits=3)
    expected = _parameters(Trainer(config, samples, tmp_path / "whole").run())

    def kill(phase, epoch, batch, _batches):
        if (phase, epoch) == place and batch == 2:
            raise _Killed

    with pytest.raises(_Killed):
        Trainer(config, samples, tmp_path / "killed", on_batch=kill).run()
    got = _parameters(Trainer(config, samples, tmp_path / "killed").run(resume=True))
    assert got.keys() == expected.keys()
    assert sum(name.endswith("weight_quant.tensor_quant.scaling_impl.value") for name in got) == 8
    assert all(torch.equal(got[name], value) for name, value in expected.items())


def test_without_a_float_phase_qat_begins_at_random_weights(quick, samples, tmp_path):
    config = quick.changed(float_epochs=0, tune_epochs=0, distil=0.0, still_epochs=1)
    reports = []
    outcome = Trainer(config, samples, tmp_path, on_epoch=reports.append).run()
    assert [r.phase for r in reports] == ["qat"] * 3
    assert outcome.epochs == {"float": 0, "qat": 3, "tune": 0}
    assert reports[0].mean_bits == 8
    assert reports[-1].mean_bits < 8
    assert widths_as_int(outcome.final_model) == reports[-1].widths
    again = Trainer(config, samples, tmp_path / "again").run()
    assert all(torch.equal(value, _parameters(again)[name]) for name, value in _parameters(outcome).items())


def test_a_random_start_keeps_the_size_of_what_goes_through(quick):
    torch.manual_seed(0)
    model = float_unet(UNetConfig(base=16, depth=3, size=32)).eval()
    image = torch.rand(4, 1, 32, 32)
    with torch.no_grad():
        before = float(model(image).std())
        random_start(model)
        after = float(model(image).std())
    assert before < 0.1
    assert 0.2 < after < 5


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"float_epochs": 0}, "distil.*0 without a float phase"),
        ({"float_epochs": 0, "distil": 0.0, "bits": "float"}, "float_epochs.*at least 1"),
        ({"still_epochs": 3}, "still_epochs.*0 to 2"),
        ({"augment": False, "scanners": True}, "scanners.*without augmentation"),
        ({"parametrisation": "step"}, "parametrisation.*weight-range"),
        ({"parametrisation": "step", "weight_range": "learned", "bits": 4}, "parametrisation.*weight-range"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(quick, bad, text):
    with pytest.raises(TrainingError, match=f"(?s){text}"):
        quick.changed(**bad)


def test_tune_that_makes_it_worse_leaves_the_network_of_qat(quick, samples, tmp_path):
    at_the_end_of_qat = []

    def keep(phase, epoch, batch, _batches):
        if (phase, epoch, batch) == ("tune", 0, 1):
            at_the_end_of_qat.append(torch.load(tmp_path / training_folder.LAST, weights_only=True)["model"])

    trained = dataclasses.replace(quick, float_epochs=30, augment=False, width_lr=0.02, tune_lr=1.0)
    reports = []
    outcome = Trainer(trained, samples, tmp_path, on_epoch=reports.append, on_batch=keep).run()
    qat, *tune = [r for r in reports if r.phase != "float"][-3:]
    assert max(dice for r in tune for dice in r.candidates.values()) < qat.val_dice  # else it proves nothing
    final = outcome.final_model.state_dict()
    assert len(final) > 20
    assert all(torch.equal(final[name], value) for name, value in at_the_end_of_qat[0].items())
    assert [r.leader for r in tune] == ["qat 3", "qat 3"]
    assert not any(r.best for r in tune)
    assert outcome.history[-1]["best"] == "qat 3"


@pytest.mark.parametrize(
    ("dice", "winner"),
    [  # at the end of QAT; after each epoch of tune, the average and the weights themselves
        ([0.5, 0.5, 0.5, 0.5, 0.5], "qat 3"),
        ([0.5, 0.4, 0.6, 0.6, 0.5], "tune 1 raw"),
        ([0.5, 0.6, 0.7, 0.8, 0.7], "tune 2 average"),
    ],
)
def test_the_best_of_three_networks_is_kept(quick, samples, tmp_path, monkeypatch, dice, winner):
    # The float phase and QAT score one network an epoch.
    left = iter([0.1] * 6 + dice)
    monkeypatch.setattr(train, "mean_dice", lambda *_: next(left))
    networks = {}

    def keep(phase, epoch, batch, _batches):
        if (phase, epoch, batch) == ("tune", 0, 1):
            networks["qat 3"] = torch.load(tmp_path / training_folder.LAST, weights_only=True)["model"]

    def keep_tuned(report):
        if report.phase == "tune":
            content = torch.load(tmp_path / training_folder.LAST, weights_only=True)
            networks[f"tune {report.epoch} raw"] = content["model"]
            averaged = {k.removeprefix("module."): v for k, v in content["average"].items() if k != "n_averaged"}
            networks[f"tune {report.epoch} average"] = averaged

    outcome = Trainer(quick, samples, tmp_path, on_epoch=keep_tuned, on_batch=keep).run()
    assert next(left, None) is None
    assert outcome.history[-1]["best"] == winner
    assert [row["val_dice"] for row in outcome.history[-2:]] == [max(dice[1:3]), max(dice[3:])]
    assert [row["val_dice.raw"] for row in outcome.history[-2:]] == [dice[2], dice[4]]
    final = outcome.final_model.state_dict()
    assert [
        name for name, network in networks.items() if all(torch.equal(final[k], v) for k, v in network.items())
    ] == [winner]
    assert len(networks) == 5


def test_the_average_begins_at_the_weights_of_qat_and_warms_up(quick, samples, tmp_path, monkeypatch):
    given = []

    class Recording(AveragedModel):
        def update_parameters(self, model):
            given.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
            super().update_parameters(model)

    monkeypatch.setattr(training_state, "AveragedModel", Recording)
    at_the_end_of_qat, averages = [], []

    def keep(phase, epoch, batch, _batches):
        if (phase, epoch, batch) == ("tune", 0, 1):
            at_the_end_of_qat.append(torch.load(tmp_path / training_folder.LAST, weights_only=True)["model"])

    def keep_average(report):
        if report.phase == "tune":
            averages.append(torch.load(tmp_path / training_folder.LAST, weights_only=True)["average"])

    config = dataclasses.replace(quick, tune_average=0.28, tune_lr=0.05)
    trainer = Trainer(config, samples, tmp_path, on_epoch=keep_average, on_batch=keep)
    names = [name for name, _ in trainer.run().final_model.named_parameters()]
    expected, *steps = given
    assert torch.equal(expected, torch.cat([at_the_end_of_qat[0][name].flatten() for name in names]))
    assert len(averages) == 2
    assert len(steps) == 2 * trainer.batches.number
    for n, weights in enumerate(steps, 1):
        decay = [2 / 11, 3 / 12, 0.28][min(n, 3) - 1]
        expected = decay * expected + (1 - decay) * weights
        if n % trainer.batches.number == 0:
            average = averages[n // trainer.batches.number - 1]
            got = torch.cat([average[f"module.{name}"].flatten() for name in names])
            torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)


def test_resuming_a_finished_training_gives_its_result(quick, samples, tmp_path):
    first = _parameters(Trainer(quick, samples, tmp_path).run())
    seen = []
    again = _parameters(Trainer(quick, samples, tmp_path, on_epoch=seen.append).run(resume=True))
    assert not seen
    assert all(torch.equal(again[name], value) for name, value in first.items())


def test_the_seed_decides(quick, samples, tmp_path):
    first = _parameters(Trainer(quick, samples, tmp_path / "a").run())
    other = _parameters(Trainer(dataclasses.replace(quick, seed=1), samples, tmp_path / "b").run())
    assert any(not torch.equal(other[name], value) for name, value in first.items())


def test_a_folder_in_use_is_refused(quick, samples, tmp_path):
    Trainer(quick, samples, tmp_path).run()
    with pytest.raises(TrainingError, match="--resume"):
        Trainer(quick, samples, tmp_path).run()


def test_resuming_with_other_options_is_refused(quick, samples, tmp_path):
    Trainer(quick, samples, tmp_path).run()
    with pytest.raises(TrainingError, match="bit_lambda"):
        Trainer(quick.changed(bit_lambda=1.0), samples, tmp_path).run(resume=True)


@pytest.mark.parametrize("told", [None, 1, 3])
def test_a_checkpoint_of_another_format_is_refused(quick, samples, tmp_path, told):
    Trainer(quick, samples, tmp_path).run()
    content = torch.load(tmp_path / training_folder.LAST, weights_only=True)
    del content["format"]
    torch.save(content if told is None else content | {"format": told}, tmp_path / training_folder.LAST)
    with pytest.raises(TrainingError, match=f"format 2.*format {told or 1}"):
        Trainer(quick, samples, tmp_path).run(resume=True)


def test_a_truncated_checkpoint_is_refused(quick, samples, tmp_path):
    Trainer(quick, samples, tmp_path).run()
    path = tmp_path / training_folder.LAST
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(FileFormatError, match=r"last\.pt"):
        Trainer(quick, samples, tmp_path).run(resume=True)


def test_early_stopping(quick, samples, tmp_path):
    patient = dataclasses.replace(quick, float_epochs=40, patience=1, float_lr=1e-9, augment=False)
    reports = []
    Trainer(patient, samples, tmp_path, on_epoch=reports.append).run()
    epochs = [r for r in reports if r.phase == "float"]
    assert len(epochs) < 40
    assert not epochs[-1].best


def test_wrong_image_size_is_refused(quick, samples, tmp_path, monkeypatch):
    config = dataclasses.replace(quick, preset="tiny")
    with pytest.raises(TrainingError, match="32 x 32"):
        Trainer(config, samples, tmp_path)


def _stopped(trainer, place):
    """Run a training until it is killed in the second batch of an epoch."""

    def kill(phase, epoch, batch, _batches):
        if (phase, epoch) == place and batch == 2:
            raise _Killed

    trainer.on_batch = kill
    with pytest.raises(_Killed):
        trainer.run()


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        (("float", 1), {"qat_lr": 1e-4, "tune_lr": 1e-4, "bit_lambda": 1.0, "bits": 4}),
        (("qat", 0), {"qat_lr": 1e-4, "calibration_batches": 7, "bits": 5, "tune_average": 0.5}),
        (("qat", 1), {"tune_lr": 1e-4, "tune_epochs": 2}),
        (("tune", 0), {"tune_lr": 1e-4, "tune_average": 0.5}),
    ],
)
def test_options_of_a_phase_to_come_may_be_others(quick, samples, tmp_path, place, changes):
    """The network is that of a training which had them from the beginning."""
    quick = dataclasses.replace(quick, float_epochs=2, qat_epochs=2, tune_epochs=1)
    changed = quick.changed(**changes)
    expected = _parameters(Trainer(changed, samples, tmp_path / "whole").run())
    _stopped(Trainer(quick, samples, tmp_path / "killed"), place)
    got = _parameters(Trainer(changed, samples, tmp_path / "killed").run(resume=True))
    assert got.keys() == expected.keys()
    assert all(torch.equal(got[name], value) for name, value in expected.items())


def test_options_of_a_phase_that_has_begun_may_not(quick, samples, tmp_path):
    """And the advice was followed: the float phase is taken over into another folder."""
    quick = dataclasses.replace(quick, float_epochs=2, qat_epochs=2, tune_epochs=1)
    _stopped(Trainer(quick, samples, tmp_path / "killed"), ("qat", 1))
    changed = dataclasses.replace(quick, qat_lr=1e-4)
    with pytest.raises(TrainingError, match=r"got another qat_lr\. .*--warm-start .*float\.pt") as error:
        Trainer(changed, samples, tmp_path / "killed").run(resume=True)
    kept = Path(re.search(r"--warm-start (\S+)", str(error.value)).group(1))
    seen = []
    again = Trainer(changed, samples, tmp_path / "again", on_epoch=seen.append).run(warm_start=kept)
    assert {report.phase for report in seen} == {"qat", "tune"}
    expected = _parameters(Trainer(changed, samples, tmp_path / "whole").run())
    assert all(torch.equal(_parameters(again)[name], value) for name, value in expected.items())
    with pytest.raises(TrainingError, match=r"got another float_lr\. .*another folder \(--out\)\.$"):
        Trainer(dataclasses.replace(quick, float_lr=1e-4), samples, tmp_path / "killed").run(resume=True)


@pytest.mark.parametrize("phase", ["float", "qat", "tune"])
def test_a_loss_that_is_not_finite_ends_the_training(quick, samples, tmp_path, phase):
    trainer = Trainer(quick, samples, tmp_path)
    loss = trainer.loss
    now = []
    trainer.on_batch = lambda phase, *_: now.append(phase)
    trainer.loss = lambda *args: loss(*args) * (NAN if phase in {"float", now[-1] if now else ""} else 1)
    option = {"float": "--float-lr", "qat": "--qat-lr", "tune": "--tune-lr"}[phase]
    with pytest.raises(TrainingError, match=rf"{phase} epoch \d: expected a finite loss .*Lower {option}") as error:
        trainer.run()
    assert not (tmp_path / training_folder.QUANT).exists()
    assert ("--warm-start" in str(error.value)) == (phase != "float")


def test_weights_that_are_not_finite_end_the_training(quick, samples, tmp_path):
    trainer = Trainer(quick, samples, tmp_path)
    state = []
    begin = trainer._begin
    trainer._begin = lambda *args: state.append(begin(*args)) or state[-1]

    def spoil(phase, epoch, batch, batches):
        if batch == batches:
            next(state[-1].model.parameters()).data.fill_(INF)

    trainer.on_batch = spoil
    with pytest.raises(TrainingError, match="float epoch 1: .*got weights that are not finite"):
        trainer.run()
    assert not (tmp_path / training_folder.LAST).exists()


def test_parts_without_a_lesion_are_refused(quick, samples, tmp_path):
    split = Trainer(quick, samples, tmp_path).batches.split
    for part, name in ((split.val, "validation"), (split.train, "training")):
        masks = samples.masks.copy()
        masks[part] = 0
        with pytest.raises(TrainingError, match=f"a lesion in the {name} part, got {len(part)} images.*Choose another"):
            Trainer(quick, dataclasses.replace(samples, masks=masks), tmp_path)
    with pytest.raises(TrainingError, match="Every mask of this data set is empty"):
        Trainer(quick, dataclasses.replace(samples, masks=samples.masks * 0), tmp_path)
    masks = samples.masks.copy()
    masks[split.val] = 0
    masks[split.val[0], 3, 3] = 1
    Trainer(quick, dataclasses.replace(samples, masks=masks), tmp_path)


def test_a_folder_that_cannot_be_written_is_said_at_once(quick, samples, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "run", tmp_path / "file", Path("/proc/run")):
        seen = []
        with pytest.raises(StorageError, match=r"a folder that can be written.*--out"):
            Trainer(quick, samples, folder, on_batch=lambda *args, seen=seen: seen.append(args)).run()
        assert not seen


@pytest.mark.parametrize("place", [("float", 1), ("qat", 1)])
def test_a_checkpoint_with_other_content_is_refused(quick, samples, tmp_path, place):
    """Each value in it is replaced by a text, a list, a dictionary and nothing."""
    _stopped(Trainer(quick, samples, tmp_path), place)
    whole = torch.load(tmp_path / training_folder.LAST, weights_only=True)
    tried = 0
    for key in whole.keys() - {"average"}:  # that of tune alone is read
        for value in ("text", [3], {"a": 1}, None):
            torch.save(whole | {key: value}, tmp_path / training_folder.LAST)
            with pytest.raises((FileFormatError, TrainingError), match=r"last\.pt"):
                Trainer(quick, samples, tmp_path).run(resume=True)
            tried += 1
    assert tried == 44
    for bad in (-1.5, 1.0):
        torch.save(whole | {"epoch": bad}, tmp_path / training_folder.LAST)
        with pytest.raises(FileFormatError, match=r"last\.pt"):
            Trainer(quick, samples, tmp_path).run(resume=True)


def test_a_damaged_warm_start_is_refused(quick, samples, tmp_path):
    _stopped(Trainer(quick, samples, tmp_path / "a"), ("qat", 0))
    path = tmp_path / "a" / training_folder.FLOAT
    whole = torch.load(path, weights_only=True)
    for key in whole:
        torch.save(whole | {key: "text"}, path)
        with pytest.raises(FileFormatError, match=r"float\.pt"):
            Trainer(quick, samples, tmp_path / "b").run(warm_start=path)


def test_a_damaged_result_is_noticed_and_written_again(quick, samples, tmp_path):
    first = _parameters(Trainer(quick, samples, tmp_path).run())
    path = tmp_path / training_folder.QUANT
    whole = path.read_bytes()
    other = {name: value * 0 for name, value in torch.load(path, weights_only=True)["model"].items()}
    for damage in (whole[: len(whole) // 2], b"", {"config": {}, "model": "text"}, {"config": {}, "model": other}):
        if isinstance(damage, bytes):
            path.write_bytes(damage)
        else:
            torch.save(damage, path)
        with pytest.raises(FileFormatError, match=r"quant\.pt: .*Delete it: --resume writes it again"):
            Trainer(quick, samples, tmp_path).run(resume=True)
        path.unlink()
        again = _parameters(Trainer(quick, samples, tmp_path).run(resume=True))
        assert all(torch.equal(again[name], value) for name, value in first.items())
        kept = torch.load(path, weights_only=True)["model"]
        assert all(torch.equal(first[f"quant.{name}"], value) for name, value in kept.items())


RATES = dict.fromkeys(
    ("float_lr", "qat_lr", "tune_lr", "width_lr", "range_lr"), (NAN, INF, -INF, -1.0, 0, 0.0, 1e30, "0.1", True)
)
COUNTS = dict.fromkeys(("qat_epochs", "calibration_batches", "batch_size"), (0, -1, 10**30, 2.0, NAN, "3"))
COUNTS_OR_NONE = dict.fromkeys(("float_epochs", "tune_epochs", "still_epochs", "fold"), (-1, 10**30, 2.0, NAN, "3"))
FRACTIONS = dict.fromkeys(("val_fraction", "test_fraction"), (NAN, INF, 0, 0.0, 1, 1.0, -0.1, 1.5, 0.9, None))
FACTORS = dict.fromkeys(("bit_lambda", "distil", "lesion"), (NAN, INF, -1, -1e-9, 1e30, "1"))
SHAPE = dict.fromkeys(("folds", "base", "depth", "size"), (0, -1, 10**30, 2.5, NAN, "3"))
OTHER = {
    "preset": ("huge", 3, None, {}),
    "bit_weighting": ("area", None, 1),
    "split_by": ("patient", 0),
    "bits": (1, 9, 4.0, True, "4", "double", None, []),
    "augment": (1, 0, "yes", None),
    "weight_range": ("mean", None, 1),
    "equalise": (1, "yes", None),
    "parametrisation": ("range", None),
    "scanners": (1, "yes", None),
    "seed": (-1, 10**30, 2**32, 0.5, NAN, True),
    "patience": (-1, 10**30, 1.5, INF),
    "tune_average": (NAN, 1, 1.0, 1.5, -0.1),
    "weight_decay": (NAN, INF, -1e-4, 2),
    "descent_epochs": (1, -1, 10**30, 0.5),
}
BAD = [
    (name, value)
    for kind in (RATES, COUNTS, COUNTS_OR_NONE, FRACTIONS, FACTORS, SHAPE, OTHER)
    for name, values in kind.items()
    for value in values
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_value_out_of_range_is_refused_with_its_option(quick, name, value):
    spelled = {"bit_lambda": "lambda", "bit_weighting": "weighting", "augment": "no-augment"}.get(name, name)
    spelled = spelled.replace("_", "-")
    text = rf"{name} \(--{spelled}\)|test_fraction \(--test-fraction\)" if value == 0.9 else rf"{name} \(--{spelled}\)"
    with pytest.raises(TrainingError, match=text):
        quick.changed(**{name: value})


def test_every_number_has_a_range():
    numbers = {name for name, setting in settings(TrainConfig).items() if {int, float} & set(setting.types)}
    assert numbers == {name for name, setting in settings(TrainConfig).items() if setting.allowed}
    assert numbers - {"target_bits"} < {name for name, _ in BAD}


@pytest.mark.parametrize(
    "bad", [{"descent_epochs": 3, "bits": 3}, {"descent_epochs": 1, "bits": "float"}, {"descent_epochs": -1, "bits": 3}]
)
def test_a_descent_that_has_no_place_is_refused(quick, bad):
    with pytest.raises(TrainingError, match="descent_epochs"):
        dataclasses.replace(quick, **bad)


@pytest.mark.parametrize(
    "good", [{"bit_lambda": 0}, {"distil": 0.0}, {"patience": 0}, {"tune_average": 0}, {"qat_lr": 1}]
)
def test_values_at_the_ends_are_taken(quick, good):
    quick.changed(**good)


@pytest.mark.parametrize(("preset", "rates"), [("wearable", (1e-3, 5e-4)), ("wearable32", (2.5e-4, 1.25e-4))])
def test_wide_networks_leave_the_float_phase_at_a_lower_rate(preset, rates):
    config = TrainConfig(preset)
    model = torch.nn.Linear(2, 2)
    for phase, rate in zip(("qat", "tune"), rates, strict=True):
        optimizer, _ = training_state.make_optimizer(config, phase, model, 10)
        assert [group["lr"] for group in optimizer.param_groups][:2] == pytest.approx([rate, rate])
    given = TrainConfig(preset, qat_lr=0.5, tune_lr=0.25)
    assert [given.learning_rate(phase) for phase in ("qat", "tune")] == [0.5, 0.25]
