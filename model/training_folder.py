"""The folder of a training: its checkpoints, what resumes it, and what other trainings may begin with."""

from __future__ import annotations

import dataclasses
import logging
import operator
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from quantunet.errors import FileFormatError, StorageError, TrainingError
from quantunet.model import checkpoint, distributed, quantizers, weight_ranges
from quantunet.model.config import TrainConfig
from quantunet.model.data import Samples
from quantunet.model.settings import settings
from quantunet.model.training_state import ORDER, Phase, State
from quantunet.model.unet import UNet, float_unet, quant_unet

logger = logging.getLogger(__name__)

LAST = "last.pt"
FLOAT = "float.pt"
QUANT = "quant.pt"
_FLOAT_KEYS = {"float_phase", "model", "history", "seconds"}
# Of ``last.pt``. One of another format is refused: to go on from it would mix two ways of training.
_FORMAT = 2
_STATE_KEYS = {
    "config",
    "phase",
    "epoch",
    "model",
    "average",
    "optimizer",
    "scheduler",
    "best",
    "best_model",
    "history",
    "seconds",
}

Begin = Callable[[Phase, UNet, list[dict[str, Any]], float], State]
"""Makes the state at the beginning of a phase, of phase, network, history and seconds."""


class TrainingFolder:
    """The files of one training.

    Args:
        path: The folder.
        config: What is trained.
        samples: The data.
        dtype: What convolutions compute in while training.
    """

    def __init__(self, path: Path, config: TrainConfig, samples: Samples, dtype: torch.dtype) -> None:
        self.path = path
        self.config = config
        self.samples = samples
        self.dtype = dtype

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return (self.path / LAST).exists()

    def check_writable(self) -> None:
        """Find out before the first epoch whether the folder can be written: TensorBoard says so in its own way.

        Raises:
            StorageError: It cannot.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise StorageError(
                str(self.path),
                expected="a folder that can be written",
                got=error.strerror or str(error),
                hint="Choose another with --out.",
            ) from error

    # -- the float phase ------------------------------------------------------------------------------------------

    def keep_float(self, state: State) -> None:
        """Write the end of the float phase."""
        _keep(
            self.path / FLOAT,
            {
                "float_phase": self._float_phase(),
                "model": state.best_model,
                "history": state.history,
                "seconds": state.seconds,
            },
        )

    def float_model(self) -> UNet:
        """The network of the float phase, on the CPU and in evaluation mode.

        Raises:
            StorageError: The file cannot be read.
            FileFormatError: It is damaged.
        """
        model = float_unet(self.config.unet)
        path = self.path / FLOAT
        checkpoint.fill(model, checkpoint.load(path, _FLOAT_KEYS)["model"], path)
        return model.eval()

    def float_precision(self) -> str:
        """What convolutions computed in when the float phase ran.

        Raises:
            StorageError: The file cannot be read.
            FileFormatError: It is damaged.
        """
        path = self.path / FLOAT
        with checkpoint.content_of(path):
            return str(checkpoint.load(path, _FLOAT_KEYS)["float_phase"]["precision"]).removeprefix("torch.")

    def warm(self, state: State, path: Path | None = None) -> State:
        """The end of a float phase that another training has run, or of this folder's.

        Args:
            state: At the beginning of the float phase.
            path: The ``float.pt`` of the other training; None stands for this folder's.

        Raises:
            StorageError: The file cannot be read.
            FileFormatError: It is damaged.
            TrainingError: The float phase is another.
        """
        path = path or self.path / FLOAT
        content = checkpoint.load(path, _FLOAT_KEYS)
        mine = self._float_phase()
        with checkpoint.content_of(path):
            changed = [k for k, v in mine.items() if content["float_phase"].get(k) != v]
            history = _checked_history(content["history"])
            seconds = float(content["seconds"])
        if changed:
            raise TrainingError(
                str(path),
                expected="the float phase of this training",
                got=f"another {', '.join(changed)}",
                hint="Leave the warm start out: the float phase is then run.",
            )
        checkpoint.fill(state.model, content["model"], path)
        return dataclasses.replace(
            state, epoch=len(history), best_model=content["model"], history=history, seconds=seconds
        )

    def _float_phase(self) -> dict[str, Any]:
        """All that decides the outcome of the float phase."""
        config = self.config.to_dict()
        return {name: value for name, value in config.items() if self._first_phase(name) == "float"} | {
            "source": self.samples.source,
            "images": len(self.samples),
            "precision": str(self.dtype),
        }

    def _first_phase(self, name: str) -> Phase:
        """The first phase whose outcome a value of the configuration decides; of what is unknown here, all."""
        setting = settings(type(self.config)).get(name)
        return setting.phase if setting else "float"

    # -- the result -----------------------------------------------------------------------------------------------

    def keep_result(self, state: State) -> None:
        """Write the best network of the last phase."""
        _keep(self.path / QUANT, {"config": self.config.to_dict(), "model": state.best_model})

    def _check_result(self, state: State) -> None:
        """See to it that a finished training's ``quant.pt`` is there and whole."""
        path = self.path / QUANT
        if not path.exists():
            self.keep_result(state)
        try:
            found = checkpoint.load(path, {"config", "model"})["model"]
            with checkpoint.content_of(path):
                same = found.keys() == state.best_model.keys()
                same = same and all(torch.equal(found[name], value) for name, value in state.best_model.items())
        except FileFormatError as error:
            raise FileFormatError(
                str(path), expected=error.expected, got=error.got, hint="Delete it: --resume writes it again."
            ) from error
        if not same:
            raise FileFormatError(
                str(path),
                expected=f"the network of {LAST}",
                got="another",
                hint="Delete it: --resume writes it again.",
            )

    # -- the state ------------------------------------------------------------------------------------------------

    def save(self, state: State) -> None:
        """Write the state after an epoch, or at the beginning of a phase; rank 0 does."""
        if distributed.rank():
            return
        checkpoint.save(
            self.path / LAST,
            {
                "format": _FORMAT,
                "config": self.config.to_dict(),
                "phase": state.phase,
                "epoch": state.epoch,
                "model": state.model.state_dict(),
                "average": {} if state.average is None else state.average.state_dict(),
                "optimizer": state.optimizer.state_dict(),
                "scheduler": state.scheduler.state_dict(),
                "best": [state.best, state.best_epoch, state.leader],
                "best_model": state.best_model,
                "history": state.history,
                "seconds": state.seconds,
            },
        )

    def restore(self, begin: Begin) -> State | None:
        """The state that was saved last; None where QAT was to begin, with other options than today's.

        Args:
            begin: Makes the beginning of a phase.

        Raises:
            StorageError: The checkpoint cannot be read.
            FileFormatError: It is damaged.
            TrainingError: It is of another training, or of another version of this program.
        """
        path = self.path / LAST
        content = checkpoint.load(path, _STATE_KEYS)
        if content.get("format") != _FORMAT:
            raise TrainingError(
                str(path),
                expected=f"a checkpoint of this version of quantunet (format {_FORMAT})",
                got=f"format {content.get('format', 1)}",
                hint="Train in another folder, or go on with the version that began.",
            )
        with checkpoint.content_of(path):
            phase, epoch = ORDER[ORDER.index(content["phase"])], operator.index(content["epoch"])
            history, seconds = _checked_history(content["history"]), float(content["seconds"])
            again = self._changed(content["config"], phase, epoch)
            best, best_epoch, leader = content["best"]
            best_model = dict(content["best_model"])
        if again:
            return None
        model = self._network(phase)
        for parameters in (best_model or content["model"], content["model"]):
            checkpoint.fill(model, parameters, path)
        if self._is_quantised(phase) and (phase in {"tune", "done"} or self.config.bits != "learned"):
            quantizers.freeze_widths(model)
        if self._is_quantised(phase) and phase in {"tune", "done"}:
            weight_ranges.freeze(model)
        state = begin("tune" if phase == "done" else phase, model, history, seconds)
        state.phase, state.epoch = phase, epoch
        with checkpoint.content_of(path):
            if phase != "done" and epoch:  # at its beginning a phase takes what the options say now
                state.optimizer.load_state_dict(content["optimizer"])
                if content["scheduler"].keys() != state.scheduler.state_dict().keys():  # it would take anything
                    raise ValueError("a scheduler of another kind")
                state.scheduler.load_state_dict(content["scheduler"])
                if state.average is not None:
                    state.average.load_state_dict(content["average"])
            state.best, state.best_epoch, state.leader = float(best), int(best_epoch), str(leader)
        state.best_model = best_model
        if phase == "done":
            self._check_result(state)
        logger.info("resumed %s after epoch %d", phase, state.epoch)
        return state

    def _is_quantised(self, phase: Phase) -> bool:
        return phase != "float" and self.config.bits != "float"

    def _network(self, phase: Phase) -> UNet:
        unet = self.config.unet
        return quant_unet(unet, self.config.weight_range) if self._is_quantised(phase) else float_unet(unet)

    def _changed(self, config: dict[str, Any], phase: Phase, epoch: int) -> bool:
        """Compare the options with those that a training began with; those of a phase to come may be others.

        Returns:
            Whether QAT stands at its beginning and has to be prepared again.

        Raises:
            TrainingError: An option of a phase that has begun is another.
        """
        mine = self.config.to_dict()
        changed = [
            name for name in dict.fromkeys([*mine, *config]) if name not in config or mine.get(name) != config[name]
        ]
        first = {name: self._first_phase(name) for name in changed}
        stands = ORDER.index(phase) + (epoch > 0)  # the first phase that has not begun
        begun = [name for name in changed if ORDER.index(first[name]) < max(1, stands)]
        if begun:
            kept = self.path / FLOAT
            take = "float" not in first.values() and kept.exists()
            raise TrainingError(
                str(self.path / LAST),
                expected="the configuration that the training began with",
                got=f"another {', '.join(begun)}",
                hint="Resume with the same options, or choose another folder (--out)"
                + (f", where --warm-start {kept} spares the float phase." if take else "."),
            )
        return phase == "qat" and "qat" in first.values()


def _keep(path: Path, content: dict[str, Any]) -> None:
    """Write a phase's result, on rank 0, before any rank goes on."""
    if not distributed.rank():
        checkpoint.save(path, content)
    distributed.wait()


def _checked_history(rows: Any) -> list[dict[str, Any]]:
    """The history of a checkpoint; what is none stumbles here."""
    for row in rows:
        ORDER.index(row["phase"])
        float(row["val_dice"])
    return list(rows)
