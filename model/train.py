"""Training: float warm start, calibration, QAT with learned bit-widths, then frozen widths and fine-tuning.

The state after every epoch is one checkpoint, and each epoch draws from generators seeded by (seed, phase, epoch), so
that a run that was killed and resumed ends in the same weights as one that was not.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import logging
import math
import operator
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter

from quantunet import storage
from quantunet.errors import FileFormatError, StorageError, TrainingError
from quantunet.model import checkpoint, distributed, quantizers, step_and_range, target_bits, weight_ranges
from quantunet.model.augment import augment, to_float
from quantunet.model.board import IMAGES, add_pictures, add_widths
from quantunet.model.class_scores import mean_dice
from quantunet.model.classes import spelled_classes
from quantunet.model.compute import pick_precision
from quantunet.model.config import Precision, TrainConfig
from quantunet.model.data import Samples, Split, split_samples
from quantunet.model.loss import SegmentationLoss, layer_weights, mean_bits
from quantunet.model.samples import check_channels
from quantunet.model.settings import settings
from quantunet.model.unet import UNet, copy_folded, float_unet, quant_unet, random_start, widths, widths_as_int

logger = logging.getLogger(__name__)

Masks: TypeAlias = NDArray[np.bool_] | NDArray[np.uint8]
"""Masks of one foreground, or the class of each pixel."""

Phase = Literal["float", "qat", "tune", "done"]
NEXT: dict[Phase, Phase] = {"float": "qat", "qat": "tune", "tune": "done"}
LAST = "last.pt"
FLOAT = "float.pt"
QUANT = "quant.pt"
_FLOAT_KEYS = {"float_phase", "model", "history", "seconds"}
_ORDER: tuple[Phase, ...] = ("float", "qat", "tune", "done")
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


@dataclass
class State:
    """Where a training stands; everything that a resumed run needs."""

    phase: Phase
    epoch: int
    model: UNet
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    average: AveragedModel | None = None
    best: float = -math.inf
    best_epoch: int = 0
    leader: str = ""
    best_model: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """A finished training.

    Attributes:
        float_model: Best float network of the warm start.
        final_model: Best network of the last phase: quantised, widths frozen; or the float control.
        split: The split that was used.
        seconds: Training time, over all resumed runs.
        epochs: Epochs run in each phase.
        history: One row for each epoch, as in ``history.csv``.
        precision: What convolutions computed in while training.
    """

    float_model: UNet
    final_model: UNet
    split: Split
    seconds: float
    epochs: dict[str, int]
    history: list[dict[str, Any]]
    precision: str


def _generator(config: TrainConfig, phase: Phase, epoch: int) -> torch.Generator:
    order = {"float": 0, "qat": 1, "tune": 2, "calibration": 3}[phase]
    return torch.Generator().manual_seed((config.seed * 8 + order) * 100_003 + epoch)


def _epochs(config: TrainConfig, phase: Phase) -> int:
    return {"float": config.float_epochs, "qat": config.qat_epochs, "tune": config.tune_epochs, "done": 0}[phase]


def _optimizer(
    config: TrainConfig, phase: Phase, model: nn.Module, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW with weight decay on the weights alone; widths and ranges are groups of their own."""
    offsets, ranges = list(quantizers.width_parameters(model)), list(quantizers.range_parameters(model))
    known = {id(p) for p in [*offsets, *ranges]}
    decayed = [p for p in model.parameters() if p.ndim > 1 and id(p) not in known]
    plain = [p for p in model.parameters() if p.ndim <= 1 and id(p) not in known]
    assert phase != "done"
    lr = config.learning_rate(phase)
    groups: list[dict[str, Any]] = [
        {"params": decayed, "lr": lr, "weight_decay": config.weight_decay},
        {"params": plain, "lr": lr, "weight_decay": 0.0},
    ]
    if ranges:
        range_lr = lr if phase == "tune" or config.range_lr is None else config.range_lr
        groups.append({"params": ranges, "lr": range_lr, "weight_decay": 0.0})
    if phase == "qat" and config.bits == "learned":
        width_lr = config.width_lr if config.loss.target_bits is None else target_bits.learning_rate(steps)
        groups.append({"params": offsets, "lr": width_lr, "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups)
    if phase == "float":
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=steps + 1)

    def cosine(step: int) -> float:
        return 0.05 + 0.95 * (1 + math.cos(math.pi * min(1.0, step / steps))) / 2

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, [cosine] * len(groups))


def _warming_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """A running average for ``AveragedModel`` that forgets its start however few steps there are.

    Its decay in step n is min(decay, (1 + n) / (10 + n)).
    """

    def update(averaged: Any, current: Any, count: Any) -> None:
        n = int(count)
        get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))(averaged, current, count)  # type: ignore[no-untyped-call]

    return update


class Trainer:
    """Runs the phases of one training.

    Args:
        config: What to train.
        samples: The data.
        folder: Where checkpoints and logs go.
        device: Where to compute.
        precision: What convolutions compute in while training; see ``compute.pick_precision``.
        on_epoch: Called after every epoch.
        on_batch: Called after every batch with (phase, epoch, batch, batches).

    Raises:
        TrainingError: The images do not have the size that the preset takes, or masks have other classes, or no image
            of the training part has one of them.
        TrainingError: The training or the validation part has no lesion: there is nothing to learn, or to choose by.
        DataSplitError: The data have too few groups for the three parts.
        TrainingError: The ranks of a distributed training cannot share a batch equally.
    """

    def __init__(
        self,
        config: TrainConfig,
        samples: Samples,
        folder: Path,
        *,
        device: torch.device | None = None,
        precision: Precision = "float32",
        on_epoch: Callable[[EpochReport], None] | None = None,
        on_batch: Callable[[Phase, int, int, int], None] | None = None,
    ) -> None:
        height, width = config.unet.shape
        if samples.images.shape[1:3] != (height, width):
            raise TrainingError(
                samples.source, expected=f"images of {height} x {width}", got=str(samples.images.shape[1:])
            )
        check_channels(samples, rgb=config.unet.in_channels == 3)
        if samples.classes != config.class_names:
            raise TrainingError(
                samples.source,
                expected=f"the classes {spelled_classes(config.class_names) or 'of one foreground'}",
                got=spelled_classes(samples.classes) or "masks with one foreground",
                hint="Name the classes of the data, all of them, in the order of their values (--classes).",
            )
        if config.batch_size % distributed.ranks():
            raise TrainingError(
                "distributed training",
                expected=f"a batch size that {distributed.ranks()} processes can share",
                got=str(config.batch_size),
            )
        self.config = config
        self.samples = samples
        self.folder = folder
        self.device = device or torch.device("cpu")
        self.dtype = pick_precision(precision, self.device)
        self.on_epoch = on_epoch
        self.on_batch = on_batch
        self.split = split_samples(
            samples,
            split_by=config.split_by,
            val_fraction=config.val_fraction,
            test_fraction=config.test_fraction,
            seed=config.seed,
            fold=config.fold,
            folds=config.folds,
        )
        for name, indices in (("training", self.split.train), ("validation", self.split.val)):
            if not samples.masks[indices].any():
                raise TrainingError(
                    samples.source,
                    expected=f"a lesion in the {name} part",
                    got=f"{len(indices)} images whose masks are all empty",
                    hint="Choose another --seed or a larger --val-fraction."
                    if samples.masks.any()
                    else "Every mask of this data set is empty: look at the masks.",
                )
        self._check_classes()
        self.teacher: UNet | None = None
        self.loss = SegmentationLoss(config.unet, config.loss)
        self.paper_weights = layer_weights(config.unet, "layers")
        self.batches = max(1, len(self.split.train) // config.batch_size)

    def _check_classes(self) -> None:
        """Refuse classes of which there is nothing to learn; tell of those that choose no epoch."""
        train, val = ({*np.unique(self.samples.masks[part]).tolist()} for part in (self.split.train, self.split.val))
        for index, name in enumerate(self.samples.classes):
            if index and index not in train:
                raise TrainingError(
                    self.samples.source,
                    expected=f"the class {index}, {name}, in the training part",
                    got=f"{len(self.split.train)} images without it",
                    hint="Choose another --seed, or leave the class out of the masks and of --classes.",
                )
            if index and index not in val:
                logger.warning(
                    "%s: no image of the validation part has the class %d, %s: it chooses no epoch",
                    self.samples.source,
                    index,
                    name,
                )

    # -- the phases -----------------------------------------------------------------------------------------------

    def run(self, *, resume: bool = False, warm_start: Path | None = None) -> Outcome:
        """Train to the end.

        Args:
            resume: Go on from the folder's checkpoint, where there is one.
            warm_start: The ``float.pt`` of another training whose float phase is the same; it is not run again.

        Raises:
            TrainingError: The folder holds another training, or one and ``resume`` is False; or the warm start is of a
                training whose float phase is another.
            StorageError: A checkpoint or log cannot be written.
            FileFormatError: The checkpoint is damaged.
        """
        self._check_folder()
        state = self._restore() if resume and (self.folder / LAST).exists() else None
        if state is None:
            if (self.folder / LAST).exists():
                raise TrainingError(
                    str(self.folder),
                    expected="a folder without a training",
                    got=f"one with {LAST}",
                    hint="Use --resume, or another folder.",
                )
            torch.manual_seed(self.config.seed)
            state = self._begin("float", float_unet(self.config.unet), [], 0.0)
            if warm_start is not None:
                state = self._advance(self._warm(state, warm_start))
        with self._board(state) as board:
            while state.phase != "done":
                while not self._phase_over(state):
                    self._epoch(state, board)
                state = self._advance(state)
        return self._outcome(state)

    def float_phase(self) -> Path:
        """Run the float phase alone, or what is left of it.

        Returns:
            The file that :meth:`run` of other trainings takes as ``warm_start``.

        Raises:
            FileFormatError: The checkpoint is damaged.
            StorageError: A checkpoint or log cannot be written.
        """
        path = self.folder / FLOAT
        if path.exists():
            return path
        self._check_folder()
        torch.manual_seed(self.config.seed)
        found = (self.folder / LAST).exists()
        state = self._restore() if found else self._begin("float", float_unet(self.config.unet), [], 0.0)
        with self._board(state) as board:
            while not self._phase_over(state):
                self._epoch(state, board)
        self._advance(state)
        return path

    def finished(self) -> Outcome:
        """Return the outcome of the training in the folder, which has ended.

        Raises:
            StorageError: The folder holds no training.
            FileFormatError: A checkpoint is damaged.
            TrainingError: It is another training, or one that has not ended.
        """
        state = self._restore()
        if state.phase != "done":
            raise TrainingError(
                str(self.folder), expected="a finished training", got=f"one in {state.phase}", hint="Use --resume."
            )
        path = self.folder / FLOAT
        with checkpoint.content_of(path):  # what convolutions computed in, whatever this process would take
            precision = str(checkpoint.load(path, _FLOAT_KEYS)["float_phase"]["precision"]).removeprefix("torch.")
        return dataclasses.replace(self._outcome(state), precision=precision)

    def _phase_over(self, state: State) -> bool:
        stale = state.epoch - state.best_epoch
        patience = self.config.patience if state.phase != "qat" else 0  # widths need their whole schedule
        return state.epoch >= _epochs(self.config, state.phase) or bool(patience and stale >= patience)

    def _begin(self, phase: Phase, model: UNet, history: list[dict[str, Any]], seconds: float) -> State:
        model = model.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        distributed.copy_from_rank_0(model)
        steps = self.batches * _epochs(self.config, phase)
        optimizer, scheduler = _optimizer(self.config, phase, model, max(1, steps))
        average = None
        if phase == "tune":  # quantised weights flip between two codes; their average settles
            average = AveragedModel(model, multi_avg_fn=_warming_average(self.config.tune_average))
            average.update_parameters(model)  # else it would begin after the first step, which may lead astray
        return State(phase, 0, model, optimizer, scheduler, average, history=history, seconds=seconds)

    def _warm(self, state: State, path: Path) -> State:
        """A float phase that another training has run."""
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

    def _advance(self, state: State) -> State:
        """Take a phase's result into the next phase."""
        if state.phase == "float":
            if state.best_model:
                state.model.load_state_dict(state.best_model)
            else:  # no float phase: what follows begins at random weights
                random_start(state.model)
                state.best_model = _weights_of(state.model)
            self._keep(
                FLOAT,
                {
                    "float_phase": self._float_phase(),
                    "model": state.best_model,
                    "history": state.history,
                    "seconds": state.seconds,
                },
            )
            following = self._begin("qat", self._quantised(state.model), state.history, state.seconds)
        elif state.phase == "qat":
            if self.config.bits != "float":
                quantizers.freeze_widths(state.model)  # the last epoch's widths: that is where the loss drew them
                weight_ranges.freeze(state.model)
            following = self._begin("tune", state.model, state.history, state.seconds)
            self._compete(following, {f"qat {state.epoch}": following.model})  # tune may make nothing better
        else:
            state.model.load_state_dict(state.best_model)
            self._keep(QUANT, {"config": self.config.to_dict(), "model": state.best_model})
            following = dataclasses.replace(state, phase="done", average=None)
        self._save(following)
        return following

    def _quantised(self, model: UNet) -> UNet:
        """The network that goes on after the float phase."""
        if self.config.bits == "float":
            return model
        quantised = quant_unet(self.config.unet, self.config.weight_range)
        copy_folded(model.cpu(), quantised)
        if self.config.equalise:
            weight_ranges.equalise(quantised)
        self._calibrate(quantised)  # at 8 bits; a change of width keeps the clipping threshold
        if isinstance(self.config.bits, int):
            quantizers.freeze_widths(quantised)
        return quantised

    def _teacher_logits(self, image: Tensor) -> Tensor | None:
        """Logits of the float network on a batch, where the quantised one is to learn from them."""
        if not self.config.loss.distil:
            return None
        if self.teacher is None:
            self.teacher = float_unet(self.config.unet).eval()
            path = self.folder / FLOAT
            checkpoint.fill(self.teacher, checkpoint.load(path, _FLOAT_KEYS)["model"], path)
            self.teacher.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        with torch.no_grad():
            return cast(Tensor, self.teacher(image))

    @torch.no_grad()
    def _calibrate(self, model: UNet) -> None:
        """Set the activation scales: until these batches are through they are no powers of two."""
        model.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        model.train()
        done, needed = 0, max(self.config.calibration_batches, quantizers.COLLECT_STATS_STEPS + 1)
        generator = _generator(self.config, "calibration", 0)  # type: ignore[arg-type]
        while done < needed:
            for indices in self._order(generator)[: needed - done]:
                model(self._batch(indices, None)[0])
                done += 1

    # -- one epoch ------------------------------------------------------------------------------------------------

    def _order(self, generator: torch.Generator) -> list[NDArray[np.int64]]:
        order = self.split.train[torch.randperm(len(self.split.train), generator=generator).numpy()]
        size = self.config.batch_size
        return [order[b * size : (b + 1) * size] for b in range(self.batches)]

    def _batch(self, indices: NDArray[np.int64], generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        image = to_float(torch.from_numpy(self.samples.images[indices]).to(self.device))
        mask = torch.from_numpy(self.samples.masks[indices]).to(self.device).unsqueeze(1).float()
        if generator is not None and self.config.augment:
            image, mask = augment(image, mask, generator, scanners=self.config.scanners)
        return image.contiguous(memory_format=torch.channels_last), mask

    def _epoch(self, state: State, board: SummaryWriter | None) -> None:
        started = time.perf_counter()
        generator = _generator(self.config, state.phase, state.epoch)
        quantised = state.phase != "float" and self.config.bits != "float"
        learning = state.phase == "qat" and self.config.bits == "learned" and state.epoch >= self.config.still_epochs
        if state.phase == "qat" and quantised:
            self._set_widths(state, learning)
        state.model.train()
        total = 0.0
        for number, indices in enumerate(self._order(generator)):
            image, mask = (distributed.share(part) for part in self._batch(indices, generator))
            learned = widths(state.model) if learning else None
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
                teacher = None if state.phase == "float" else self._teacher_logits(image)
                logits = state.model(image)
            loss = self.loss(logits.float(), mask, learned, teacher)
            state.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            distributed.average_gradients(state.model.parameters())
            nn.utils.clip_grad_norm_([p for p in state.model.parameters() if p.ndim > 1], 5.0)
            self._step(state, number + 1, learning)
            if state.average is not None:
                state.average.update_parameters(state.model)
            total += float(loss.detach())
            if self.on_batch:
                self.on_batch(state.phase, state.epoch, number + 1, self.batches)
        total = distributed.average(total, self.device)
        if not math.isfinite(total) or not all(bool(p.isfinite().all()) for p in state.model.parameters()):
            raise self._diverged(state, total)
        state.epoch += 1
        distributed.average_statistics(state.model)
        name = f"{state.phase} {state.epoch}"
        if state.average is None:
            candidates, masks = self._compete(state, {name: state.model})
        else:
            averaged = cast(UNet, state.average.module)
            candidates, masks = self._compete(state, {f"{name} average": averaged, f"{name} raw": state.model})
        bits = float(mean_bits(widths(state.model), self.paper_weights).detach()) if quantised else 32.0
        report = EpochReport(
            state.phase,
            state.epoch,
            _epochs(self.config, state.phase),
            total / self.batches,
            max(candidates.values()),
            bits,
            state.best_epoch == state.epoch,
            time.perf_counter() - started,
            widths_as_int(state.model) if quantised else {},
            candidates,
            state.leader,
        )
        state.seconds += report.seconds
        self._log(state, report, board, masks)
        self._save(state)
        if self.on_epoch:
            self.on_epoch(report)

    def _set_widths(self, state: State, learning: bool) -> None:
        """Give the quantizers what an epoch of QAT begins with."""
        if isinstance(self.config.bits, int):
            quantizers.set_widths(state.model, self.config.width_in(state.epoch))
        else:
            for parameter in quantizers.width_parameters(state.model):
                parameter.requires_grad_(learning)
        if not state.epoch:
            weight_ranges.fit(state.model)  # a learned one begins there

    def _step(self, state: State, batch: int, learning: bool) -> None:
        """Take a step of the optimiser, and bring widths and ranges to where they may be."""
        by_step = learning and self.config.parametrisation == "step"
        ranges = step_and_range.bring_gradients(state.model) if by_step else []
        state.optimizer.step()
        if by_step:
            step_and_range.follow_ranges(state.model, ranges)
        state.scheduler.step()
        if learning:
            quantizers.clamp_widths(state.model)
            self._hold_target(state, batch)
        if state.phase == "qat" and self.config.bits != "float" and self.config.weight_range == "least_error":
            weight_ranges.fit(state.model)

    def _diverged(self, state: State, loss: float) -> TrainingError:
        """What to say of a phase that cannot be saved: nothing of it is published; an earlier one may be kept."""
        rate = {"float": "--float-lr", "qat": "--qat-lr, or --width-lr", "tune": "--tune-lr"}[state.phase]
        again = "and train in another folder (--out)"
        if state.phase != "float":
            again += f", where --warm-start {self.folder / FLOAT} spares the float phase"
        return TrainingError(
            f"{state.phase} epoch {state.epoch + 1}",
            expected="a finite loss and finite weights",
            got=f"loss {loss}" if not math.isfinite(loss) else "weights that are not finite",
            hint=f"Lower {rate}, {again}.",
        )

    def _hold_target(self, state: State, batch: int) -> None:
        """Give the learned widths the mean that a step of QAT is to end with, where one is given."""
        target = self.config.loss.target_bits
        if target is not None:
            still = self.config.still_epochs
            step = (state.epoch - still) * self.batches + batch
            steps = (self.config.qat_epochs - still) * self.batches
            target_bits.hold_mean(state.model, self.loss.weights, target_bits.mean_at(step, steps, target))

    def _compete(self, state: State, candidates: dict[str, UNet]) -> tuple[dict[str, float], Masks | None]:
        """Score networks on the validation part; the phase keeps the best that it has had, of equals the earlier.

        Returns:
            Dice of each, and masks of the first images, of the network that became the phase's best, if one did.
        """
        scores: dict[str, float] = {}
        shown = None
        for name, model in candidates.items():
            dice, masks = math.nan, None
            if not distributed.rank():
                masks = predict(model, self.samples.images[self.split.val], self.config.batch_size)
                dice = mean_dice(masks, self.samples.masks[self.split.val], self.config.unet.classes)
            scores[name] = dice = distributed.from_rank_0(dice, self.device)
            if dice > state.best or not state.best_model:
                state.best, state.best_epoch, state.leader = dice, state.epoch, name
                state.best_model = _weights_of(model)
                shown = None if masks is None else masks[:IMAGES]
        return scores, shown

    # -- logs and checkpoints -------------------------------------------------------------------------------------

    def _check_folder(self) -> None:
        """Find out before the first epoch whether the folder can be written: TensorBoard says so in its own way."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise StorageError(
                str(self.folder),
                expected="a folder that can be written",
                got=error.strerror or str(error),
                hint="Choose another with --out.",
            ) from error

    def _board(self, state: State) -> AbstractContextManager[SummaryWriter | None]:
        if distributed.rank():
            return nullcontext()
        return SummaryWriter(str(self.folder / "tensorboard"), purge_step=len(state.history))

    def _log(self, state: State, report: EpochReport, board: SummaryWriter | None, masks: Masks | None) -> None:
        row: dict[str, Any] = {
            k: getattr(report, k) for k in ("phase", "epoch", "loss", "val_dice", "mean_bits", "seconds")
        }
        row["best"] = report.leader
        if len(report.candidates) > 1:
            row |= {f"val_dice.{name.split()[-1]}": dice for name, dice in report.candidates.items()}
        for name, (weight, activation) in report.widths.items():
            row[f"{name}.weight"], row[f"{name}.activation"] = weight, activation
        state.history.append(row)
        if board is None:
            return
        step = len(state.history)
        for key, value in row.items():
            if isinstance(value, int | float):
                board.add_scalar(key.replace(".", "/"), value, step)
        add_widths(board, report.widths, step)
        if masks is not None:
            add_pictures(board, self.samples, self.split.val, masks, step)
        columns = list(dict.fromkeys(key for entry in state.history for key in entry))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns)
        writer.writeheader()
        writer.writerows(state.history)
        storage.write_text(self.folder / "history.csv", text.getvalue())

    def _keep(self, name: str, content: dict[str, Any]) -> None:
        """Write a phase's result, on rank 0, before any rank goes on."""
        if not distributed.rank():
            checkpoint.save(self.folder / name, content)
        distributed.wait()

    def _save(self, state: State) -> None:
        if distributed.rank():
            return
        checkpoint.save(
            self.folder / LAST,
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

    def _restore(self) -> State:
        content = checkpoint.load(self.folder / LAST, _STATE_KEYS)
        if content.get("format") != _FORMAT:
            raise TrainingError(
                str(self.folder / LAST),
                expected=f"a checkpoint of this version of quantunet (format {_FORMAT})",
                got=f"format {content.get('format', 1)}",
                hint="Train in another folder, or go on with the version that began.",
            )
        with checkpoint.content_of(self.folder / LAST):
            phase, epoch = _ORDER[_ORDER.index(content["phase"])], operator.index(content["epoch"])
            history, seconds = _checked_history(content["history"]), float(content["seconds"])
            again = self._changed(content["config"], phase, epoch)
            best, best_epoch, leader = content["best"]
            best_model = dict(content["best_model"])
        if again:  # QAT was to begin, with other options
            torch.manual_seed(self.config.seed)
            begun = self._begin("float", float_unet(self.config.unet), [], 0.0)
            return self._advance(self._warm(begun, self.folder / FLOAT))
        is_float = phase == "float" or self.config.bits == "float"
        model = float_unet(self.config.unet) if is_float else quant_unet(self.config.unet, self.config.weight_range)
        for parameters in (best_model or content["model"], content["model"]):
            checkpoint.fill(model, parameters, self.folder / LAST)
        if not is_float and (phase in {"tune", "done"} or self.config.bits != "learned"):
            quantizers.freeze_widths(model)
        if not is_float and phase in {"tune", "done"}:
            weight_ranges.freeze(model)
        state = self._begin("tune" if phase == "done" else phase, model, history, seconds)
        state.phase, state.epoch = phase, epoch
        with checkpoint.content_of(self.folder / LAST):
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
        stands = _ORDER.index(phase) + (epoch > 0)  # the first phase that has not begun
        begun = [name for name in changed if _ORDER.index(first[name]) < max(1, stands)]
        if begun:
            kept = self.folder / FLOAT
            take = "float" not in first.values() and kept.exists()
            raise TrainingError(
                str(self.folder / LAST),
                expected="the configuration that the training began with",
                got=f"another {', '.join(begun)}",
                hint="Resume with the same options, or choose another folder (--out)"
                + (f", where --warm-start {kept} spares the float phase." if take else "."),
            )
        return phase == "qat" and "qat" in first.values()

    def _check_result(self, state: State) -> None:
        """See to it that a finished training's ``quant.pt`` is there and whole."""
        path = self.folder / QUANT
        if not path.exists():
            self._keep(QUANT, {"config": self.config.to_dict(), "model": state.best_model})
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

    def _outcome(self, state: State) -> Outcome:
        float_model = float_unet(self.config.unet)
        path = self.folder / FLOAT
        checkpoint.fill(float_model, checkpoint.load(path, _FLOAT_KEYS)["model"], path)
        epochs = {phase: sum(row["phase"] == phase for row in state.history) for phase in ("float", "qat", "tune")}
        return Outcome(
            float_model.eval(),
            state.model.cpu().eval(),
            self.split,
            state.seconds,
            epochs,
            state.history,
            str(self.dtype).removeprefix("torch."),
        )


def _weights_of(model: UNet) -> dict[str, Tensor]:
    """A copy of a network's state, on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}


def _checked_history(rows: Any) -> list[dict[str, Any]]:
    """The history of a checkpoint; what is none stumbles here."""
    for row in rows:
        _ORDER.index(row["phase"])
        float(row["val_dice"])
    return list(rows)


@torch.no_grad()
def predict(model: UNet, images: NDArray[np.uint8], batch_size: int = 16) -> Masks:
    """Masks or classes of a float or quantised network, in evaluation mode.

    Args:
        model: The network.
        images: ``(n, height, width)`` uint8, or with three channels behind.
        batch_size: Images at once.

    Returns:
        ``(n, height, width)``: of one logit bool, logit >= 0; of several uint8, the first of the greatest.
    """
    model.eval()
    device = next(model.parameters()).device
    masks = []
    for i in range(0, len(images), batch_size):
        logits = model(to_float(torch.from_numpy(images[i : i + batch_size]).to(device)))
        if logits.shape[1] == 1:
            masks.append((logits >= 0).squeeze(1).cpu().numpy())
        else:
            masks.append(logits.argmax(dim=1).to(torch.uint8).cpu().numpy())
    return np.concatenate(masks)
