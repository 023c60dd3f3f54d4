"""Run one training of a sweep, in a process of its own."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

from quantunet import storage
from quantunet.model import compute, data
from quantunet.model.card import publish, publish_control, train_command
from quantunet.model.config import Device, Precision
from quantunet.model.data import Samples
from quantunet.model.sweep import Job
from quantunet.model.train import Trainer
from quantunet.model.training_folder import FLOAT

RESULT = "result.json"
"""The file in a training's folder that says it is finished: its card and its history."""


@dataclass(frozen=True)
class Place:
    """Where and how the trainings of a sweep run.

    Attributes:
        folder: Holds a folder for each training.
        threads: CPU threads of each training.
        device: Where to compute.
        precision: See ``compute.pick_precision``.
    """

    folder: Path
    threads: int
    device: Device
    precision: Precision


def run_start(job: Job, place: Place) -> None:
    """Run the float phase of a job, or what is left of it.

    Raises:
        QuantUNetError: The data cannot be read, or the training fails.
    """
    trainer, _ = _trainer(job.float_phase, start_folder(job, place.folder), place)
    trainer.float_phase()


def run_job(job: Job, place: Place) -> None:
    """Run a job whose float phase has been run, or what is left of it, and publish its network.

    Leaves :data:`RESULT` in the job's folder: the card and the history.

    Raises:
        QuantUNetError: The data cannot be read, or the training or the export fails.
    """
    folder = place.folder / job.name
    trainer, samples = _trainer(job, folder, place)
    outcome = trainer.run(resume=True, warm_start=start_folder(job, place.folder) / FLOAT)
    command = train_command(job.config, job.data)
    write = publish_control if job.config.bits == "float" else publish
    card = write(outcome, job.config, samples, folder / f"{job.config.preset}.onnx", command)
    document = {"name": job.name, "card": card, "history": outcome.history}
    storage.write_text(folder / RESULT, json.dumps(document, indent=1) + "\n")


def start_folder(job: Job, folder: Path) -> Path:
    """Folder of the float phase that a job shares with others."""
    return folder / job.start / "start"


def _trainer(job: Job, folder: Path, place: Place) -> tuple[Trainer, Samples]:
    warnings.filterwarnings("ignore", message="fast_hadamard_transform package not found")
    compute.prepare(place.threads)
    config = job.config
    samples = data.load(job.data, config.unet.shape, seed=config.seed, rgb=config.rgb, classes=config.class_names)
    device = compute.pick_device(place.device)
    return Trainer(config, samples, folder, device=device, precision=place.precision), samples
