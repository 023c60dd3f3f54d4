"""What a training tells of itself: a report for each epoch, ``history.csv``, and TensorBoard."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from quantunet import storage
from quantunet.model import distributed
from quantunet.model.batches import Batches
from quantunet.model.board import add_pictures, add_widths
from quantunet.model.predict import Masks
from quantunet.model.training_state import Phase


@dataclass(frozen=True)
class EpochReport:
    """What one epoch ended with.

    Attributes:
        phase: Phase of the training.
        epoch: Number in the phase, from 1.
        epochs: Epochs that the phase may have.
        loss: Mean training loss.
        val_dice: Mean Dice over the lesion images of the validation part, of the better one of two networks; of several
            classes, the mean over the classes but the background.
        mean_bits: Mean width over the layers; 32 in the float phase.
        best: Whether this is the phase's best epoch so far.
        seconds: Duration.
        widths: Weight and activation width of each layer; empty in the float phase.
        candidates: Validation Dice of each network that the epoch ended with, by name: ``qat 3``, or in tune
            ``tune 3 average`` and ``tune 3 raw``.
        leader: Name of the phase's best network so far; in tune, it may be the one with which QAT ended.
    """

    phase: Phase
    epoch: int
    epochs: int
    loss: float
    val_dice: float
    mean_bits: float
    best: bool
    seconds: float
    widths: dict[str, tuple[int, int]]
    candidates: dict[str, float]
    leader: str

    def row(self) -> dict[str, Any]:
        """The epoch as it stands in ``history.csv``."""
        row: dict[str, Any] = {
            name: getattr(self, name) for name in ("phase", "epoch", "loss", "val_dice", "mean_bits", "seconds")
        }
        row["best"] = self.leader
        if len(self.candidates) > 1:
            row |= {f"val_dice.{name.split()[-1]}": dice for name, dice in self.candidates.items()}
        for name, (weight, activation) in self.widths.items():
            row[f"{name}.weight"], row[f"{name}.activation"] = weight, activation
        return row


class TrainingLog:
    """Writes the epochs of a training, on rank 0; a context that holds TensorBoard open.

    Args:
        folder: Where to.
        batches: The data, whose first validation images are shown.
        begun: Epochs that are written already.
    """

    def __init__(self, folder: Path, batches: Batches, begun: int) -> None:
        self._folder = folder
        self._batches = batches
        board = str(folder / "tensorboard")
        self._board = None if distributed.rank() else SummaryWriter(board, purge_step=begun)

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()

    def write(self, report: EpochReport, history: list[dict[str, Any]], masks: Masks | None) -> None:
        """Write an epoch.

        Args:
            report: What it ended with.
            history: The rows of all epochs, this one last.
            masks: Of the first validation images, where the epoch's network is the phase's best.

        Raises:
            StorageError: ``history.csv`` cannot be written.
        """
        if self._board is None:
            return
        step = len(history)
        for key, value in history[-1].items():
            if isinstance(value, int | float):
                self._board.add_scalar(key.replace(".", "/"), value, step)
        add_widths(self._board, report.widths, step)
        if masks is not None:
            add_pictures(self._board, self._batches.samples, self._batches.split.val, masks, step)
        columns = list(dict.fromkeys(key for entry in history for key in entry))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns)
        writer.writeheader()
        writer.writerows(history)
        storage.write_text(self._folder / "history.csv", text.getvalue())
