"""An option is one field: command line, sweeps, checkpoints, cards and results take it from there."""

import argparse
import dataclasses
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from benchmarks import science_runs, science_text

from quantunet.commands import train as command
from quantunet.errors import TrainingError
from quantunet.model import card, results, sweep
from quantunet.model.config import RECIPES, LossConfig, TrainConfig
from quantunet.model.settings import Range, about, build, settings, values_of
from quantunet.model.sweep import Job
from quantunet.model.train import Trainer

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class ProbeLoss(LossConfig):
    """The loss with one option more."""

    probe: float = field(default=0.5, metadata=about("factor of 100 % probe", Range(0, 2), phase="qat"))


@dataclass(frozen=True)
class ProbeConfig(TrainConfig):
    """A training with that loss."""

    loss: ProbeLoss = ProbeLoss()


def _arguments(words, kind=ProbeConfig):
    parser = argparse.ArgumentParser()
    parser.add_argument("preset")
    command.add_options(parser, kind)
    return command.make_config(parser.parse_args(words), kind), parser.format_help()


def _card():
    scores = {part: dict.fromkeys(results._SCORES, 0.5) for part in ("val", "test")}
    return {
        "data": {"source": "phantoms"},
        "scores": {"float": scores, "control": scores},
        "training": {"hours": 0.1, "precision": "float32", "signatures": []},
    }


def test_an_option_of_the_loss_is_one_field(quick, samples, tmp_path, monkeypatch):
    assert set(settings(ProbeConfig)) - set(settings(TrainConfig)) == {"probe"}
    # the command line
    config, told = _arguments(["tiny", "--probe", "1.5"])
    assert config.loss == ProbeLoss(probe=1.5)
    assert "--probe PROBE" in told
    assert "factor of 100 % probe (default: 0.5)" in told
    assert _arguments(["tiny"])[0] == ProbeConfig("tiny")
    with pytest.raises(TrainingError, match=r"probe \(--probe\): expected a number from 0 to 2, got 3\.0"):
        _arguments(["tiny", "--probe", "3"])
    # checkpoints and cards: what they hold makes the same configuration, and the command of a card too
    held = config.to_dict()
    assert held.pop("unet")["base"] == 4
    assert held["probe"] == 1.5
    assert build(ProbeConfig, held) == config
    words = shlex.split(card.train_command(config, "phantoms"))
    assert words == ["quantunet", "train", "tiny", "--data", "phantoms", "--probe", "1.5"]
    assert _arguments([words[2], *words[5:]])[0] == config
    # results and names of trainings, which share the float phase
    jobs = [Job("phantoms", ProbeConfig("tiny")), Job("phantoms", config)]
    assert [results.run_row(job, _card())["probe"] for job in jobs] == [0.5, 1.5]
    assert [job.method for job in jobs] == ["lambda0.25_layers", "lambda0.25_layers_probe1.5"]
    assert len({job.start for job in jobs}) == len({job.float_phase for job in jobs}) == 1
    assert jobs[1].changes == {}
    # sweeps
    monkeypatch.setattr(sweep, "TrainConfig", ProbeConfig)
    monkeypatch.setattr(sweep, "_FIELDS", settings(ProbeConfig))
    (tmp_path / "sweep.toml").write_text("[study.a]\ndata = 'phantoms'\npreset = 'tiny'\nprobe = [0.5, 1.5]\n")
    assert sweep.read_jobs(tmp_path / "sweep.toml") == jobs
    # a training that is resumed with another value, before and after QAT has begun
    probing = build(ProbeConfig, values_of(quick))
    Trainer(probing, samples, tmp_path / "training").run()
    with pytest.raises(TrainingError, match="another probe"):
        Trainer(probing.changed(probe=1.0), samples, tmp_path / "training").run(resume=True)
    warm = tmp_path / "training" / "float.pt"
    Trainer(probing.changed(probe=1.0), samples, tmp_path / "other").run(warm_start=warm)


def test_a_row_of_the_science_tells_an_option_of_the_loss():
    labels = {
        science_text.widths_of(
            science_runs.Run("", "", "", "", 0, method, bits, factor, weighting, "", {}, "", "float32"),
        )
        for method, bits, factor, weighting in (
            ("lambda0.25_layers", "learned", 0.25, "layers"),
            ("lambda0.25_layers_distil0", "learned", 0.25, "layers"),
            ("lambda0.25_layers_target4_probe1.5", "learned", 0.25, "layers"),
            ("uniform4_distil0", "4", float("nan"), ""),
            ("float_probe1.5", "float", float("nan"), ""),
        )
    }
    assert labels == {
        "learned, λ 0.25, by layers",
        "learned, λ 0.25, by layers, not distilled",
        "learned, λ 0.25, by layers, to 4 bits, probe1.5",
        "uniform 4, not distilled",
        "float control, probe1.5",
    }


def test_what_decides_the_float_phase_keeps_it_apart():
    @dataclass(frozen=True)
    class EarlyLoss(LossConfig):
        early: float = field(default=1.0, metadata=about("factor from the beginning", Range(0, 2)))

    @dataclass(frozen=True)
    class EarlyConfig(TrainConfig):
        loss: EarlyLoss = EarlyLoss()

    job = Job("phantoms", EarlyConfig("tiny").changed(early=0.5, distil=0.0))
    assert job.changes == {"early": 0.5}
    assert job.method == "lambda0.25_layers_distil0"
    assert job.float_phase.config == EarlyConfig("tiny").changed(early=0.5)
    assert job.start != Job("phantoms", EarlyConfig("tiny")).start


def test_a_recipe_gives_defaults_that_options_override():
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    config = command.make_config(parser.parse_args(["train", "tiny", "--recipe", "paper"]))
    assert config == TrainConfig("tiny").changed(**RECIPES["paper"])
    assert (config.float_epochs, config.loss.distil, config.loss.bit_lambda, config.split_by) == (0, 0.0, 0.25, "image")
    words = ["train", "tiny", "--recipe", "paper", "--qat-epochs", "7", "--lambda", "0.5"]
    other = command.make_config(parser.parse_args(words))
    assert other == config.changed(qat_epochs=7, bit_lambda=0.5)
    assert command.make_config(parser.parse_args(["train", "tiny"])) == TrainConfig("tiny")
    # What the help says of a recipe is that recipe.
    spelled = ["train", "tiny", *command.spelled_recipe("paper").split()]
    assert command.make_config(parser.parse_args(spelled)) == config


def test_columns_of_the_loss_have_their_names_and_order():
    row = results.run_row(Job("phantoms", TrainConfig("tiny", loss=LossConfig(0.5, "macs", 4.0, 0.0))), _card())
    assert list(row)[:17] == [
        *("name", "data", "preset", "split_by", "seed", "bits", "descent_epochs"),
        *("lambda", "weighting", "target_bits", "distil", "lesion"),
        *("weight_range", "range_lr", "parametrisation", "equalise", "changes"),
    ]
    told = list(row.values())[5:17]
    assert told == ["learned", 0, 0.5, "macs", 4.0, 0.0, 0.0, "largest", "", "width", False, ""]
    uniform = results.run_row(Job("phantoms", TrainConfig("tiny", bits=4)), _card())
    assert list(uniform.values())[5:17] == [4, 0, "", "", "", 1.0, 0.0, "largest", "", "", False, ""]
    plain = results.run_row(Job("phantoms", TrainConfig("tiny", bits="float")), _card())
    assert list(plain.values())[12:16] == ["", "", "", ""]


@pytest.mark.parametrize("name", ["runs.csv", "repeats.csv"])
def test_results_of_earlier_versions_are_read(name):
    runs = science_runs.read_runs(ROOT / "docs" / "science" / name)
    assert runs
    assert all(run.method and run.values["distil"] in (0, 1) for run in runs)


def test_names_that_are_no_fields_are_refused():
    with pytest.raises(TypeError, match="TrainConfig has no lamda, loss"):
        build(TrainConfig, {"preset": "tiny", "lamda": 1.0, "loss": LossConfig()})
    with pytest.raises(TypeError, match="no probe"):
        TrainConfig("tiny").changed(probe=1.0)
    assert build(TrainConfig, {"preset": "tiny", "distil": 0.0}) == TrainConfig("tiny", loss=LossConfig(distil=0.0))


def test_every_value_of_a_training_is_named_once():
    values = values_of(TrainConfig("tiny"))
    assert list(values) == list(settings(TrainConfig))
    assert set(settings(LossConfig)) < set(values)
    assert len({setting.option for setting in settings(TrainConfig).values()}) == len(values) > 20
    inner = {name for name in values if name in {field.name for field in dataclasses.fields(LossConfig)}}
    assert inner == set(settings(LossConfig))


def _config(**written):
    """A configuration with one field."""
    ((name, (kind, metadata)),) = written.items()
    return dataclasses.make_dataclass("Written", [(name, kind, field(default=1, metadata=metadata))], frozen=True)


@pytest.mark.parametrize(
    ("written", "match"),
    [
        ({"a": (int, {})}, "metadata"),
        ({"a": (int, about("a number"))}, "range"),
        ({"a": (str, about("a text", Range(0, 1)))}, "range"),
        ({"a": (Literal["x"], about("a choice", Range(0, 1)))}, "range"),
    ],
)
def test_a_field_that_does_not_say_what_it_is_is_refused(written, match):
    with pytest.raises(TypeError, match=match):
        settings(_config(**written))


@pytest.mark.parametrize(("name", "spelled", "match"), [("seed", "", "two fields"), ("fresh", "seed", "another field")])
def test_a_name_that_is_taken_is_refused(name, spelled, match):
    metadata = about("a number", Range(0, 2), spelled=spelled)
    loss = dataclasses.make_dataclass(
        "Loss", [(name, float, field(default=1, metadata=metadata))], bases=(LossConfig,), frozen=True
    )
    kind = dataclasses.make_dataclass("Kind", [("loss", loss, loss())], bases=(TrainConfig,), frozen=True)
    with pytest.raises(TypeError, match=match):
        settings(kind)
