"""Training: float warm start, calibration, QAT with learned bit-widths, then frozen widths and fine-tuning.

The state after every epoch is one checkpoint, and each epoch draws from generators seeded by (seed, phase, epoch), so
that a run that was killed and resumed ends in the same weights as one that was not.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from quantunet.errors import TrainingError
from quantunet.model import distributed, quantizers, step_and_range, target_bits, weight_ranges
from quantunet.model.batches import Batches
from quantunet.model.board import IMAGES
from quantunet.model.class_scores import mean_dice
from quantunet.model.compute import pick_precision
from quantunet.model.config import Precision, TrainConfig
from quantunet.model.data import Samples, Split
from quantunet.model.loss import SegmentationLoss, layer_weights, mean_bits
from quantunet.model.predict import Masks, predict
from quantunet.model.training_folder import FLOAT, LAST, TrainingFolder
from quantunet.model.training_log import EpochReport, TrainingLog
from quantunet.model.training_state import Beginning, Phase, State, epochs_in, is_over, weights_of
from quantunet.model.unet import UNet, copy_folded, float_unet, quant_unet, random_start, widths, widths_as_int


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


def _generator(
    config: TrainConfig, phase: Literal["float", "qat", "tune", "done", "calibration"], epoch: int
) -> torch.Generator:
    order = {"float": 0, "qat": 1, "tune": 2, "calibration": 3}[phase]
    return torch.Generator().manual_seed((config.seed * 8 + order) * 100_003 + epoch)


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
        QuantUNetError: As :class:`~quantunet.model.batches.Batches`.
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
        self.config = config
        self.device = device or torch.device("cpu")
        self.dtype = pick_precision(precision, self.device)
        self.on_epoch = on_epoch
        self.on_batch = on_batch
        self.batches = Batches(config, samples, self.device)
        self.teacher: UNet | None = None
        self.loss = SegmentationLoss(config.unet, config.loss)
        self.paper_weights = layer_weights(config.unet, "layers")
        self._begin = Beginning(config, self.batches.number, self.device).of
        self._folder = TrainingFolder(folder, config, samples, self.dtype)

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
        self._folder.check_writable()
        state = self._restore() if resume and self._folder.begun else None
        if state is None:
            if self._folder.begun:
                raise TrainingError(
                    str(self._folder.path),
                    expected="a folder without a training",
                    got=f"one with {LAST}",
                    hint="Use --resume, or another folder.",
                )
            torch.manual_seed(self.config.seed)
            state = self._begin("float", float_unet(self.config.unet), [], 0.0)
            if warm_start is not None:
                state = self._advance(self._folder.warm(state, warm_start))
        with self._log(state) as log:
            while state.phase != "done":
                while not is_over(self.config, state):
                    self._epoch(state, log)
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
        path = self._folder.path / FLOAT
        if path.exists():
            return path
        self._folder.check_writable()
        torch.manual_seed(self.config.seed)
        state = self._restore() if self._folder.begun else self._begin("float", float_unet(self.config.unet), [], 0.0)
        with self._log(state) as log:
            while not is_over(self.config, state):
                self._epoch(state, log)
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
                str(self._folder.path),
                expected="a finished training",
                got=f"one in {state.phase}",
                hint="Use --resume.",
            )
        return dataclasses.replace(self._outcome(state), precision=self._folder.float_precision())

    def _log(self, state: State) -> TrainingLog:
        return TrainingLog(self._folder.path, self.batches, len(state.history))

    def _restore(self) -> State:
        state = self._folder.restore(self._begin)
        if state is not None:
            return state
        torch.manual_seed(self.config.seed)  # QAT was to begin, with other options
        return self._advance(self._folder.warm(self._begin("float", float_unet(self.config.unet), [], 0.0)))

    def _advance(self, state: State) -> State:
        """Take a phase's result into the next phase."""
        if state.phase == "float":
            if state.best_model:
                state.model.load_state_dict(state.best_model)
            else:  # no float phase: what follows begins at random weights
                random_start(state.model)
                state.best_model = weights_of(state.model)
            self._folder.keep_float(state)
            following = self._begin("qat", self._quantised(state.model), state.history, state.seconds)
        elif state.phase == "qat":
            if self.config.bits != "float":
                quantizers.freeze_widths(state.model)  # the last epoch's widths: that is where the loss drew them
                weight_ranges.freeze(state.model)
            following = self._begin("tune", state.model, state.history, state.seconds)
            self._compete(following, {f"qat {state.epoch}": following.model})  # tune may make nothing better
        else:
            state.model.load_state_dict(state.best_model)
            self._folder.keep_result(state)
            following = dataclasses.replace(state, phase="done", average=None)
        self._folder.save(following)
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
            self.teacher = self._folder.float_model()
            self.teacher.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        with torch.no_grad():
            return cast(Tensor, self.teacher(image))

    @torch.no_grad()
    def _calibrate(self, model: UNet) -> None:
        """Set the activation scales: until these batches are through they are no powers of two."""
        model.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        model.train()
        done, needed = 0, max(self.config.calibration_batches, quantizers.COLLECT_STATS_STEPS + 1)
        generator = _generator(self.config, "calibration", 0)
        while done < needed:
            for indices in self.batches.order(generator)[: needed - done]:
                model(self.batches.of(indices, None)[0])
                done += 1

    # -- one epoch ------------------------------------------------------------------------------------------------

    def _epoch(self, state: State, log: TrainingLog) -> None:
        started = time.perf_counter()
        generator = _generator(self.config, state.phase, state.epoch)
        quantised = state.phase != "float" and self.config.bits != "float"
        learning = state.phase == "qat" and self.config.bits == "learned" and state.epoch >= self.config.still_epochs
        if state.phase == "qat" and quantised:
            self._set_widths(state, learning)
        state.model.train()
        total = 0.0
        for number, indices in enumerate(self.batches.order(generator)):
            image, mask = (distributed.share(part) for part in self.batches.of(indices, generator))
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
                self.on_batch(state.phase, state.epoch, number + 1, self.batches.number)
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
            epochs_in(self.config, state.phase),
            total / self.batches.number,
            max(candidates.values()),
            bits,
            state.best_epoch == state.epoch,
            time.perf_counter() - started,
            widths_as_int(state.model) if quantised else {},
            candidates,
            state.leader,
        )
        state.seconds += report.seconds
        state.history.append(report.row())
        log.write(report, state.history, masks)
        self._folder.save(state)
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
            again += f", where --warm-start {self._folder.path / FLOAT} spares the float phase"
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
            step = (state.epoch - still) * self.batches.number + batch
            steps = (self.config.qat_epochs - still) * self.batches.number
            target_bits.hold_mean(state.model, self.loss.weights, target_bits.mean_at(step, steps, target))

    def _compete(self, state: State, candidates: dict[str, UNet]) -> tuple[dict[str, float], Masks | None]:
        """Score networks on the validation part; the phase keeps the best that it has had, of equals the earlier.

        Returns:
            Dice of each, and masks of the first images, of the network that became the phase's best, if one did.
        """
        scores: dict[str, float] = {}
        shown = None
        samples, val = self.batches.samples, self.batches.split.val
        for name, model in candidates.items():
            dice, masks = math.nan, None
            if not distributed.rank():
                masks = predict(model, samples.images[val], self.config.batch_size)
                dice = mean_dice(masks, samples.masks[val], self.config.unet.classes)
            scores[name] = dice = distributed.from_rank_0(dice, self.device)
            if state.offer(name, model, dice):
                shown = None if masks is None else masks[:IMAGES]
        return scores, shown

    def _outcome(self, state: State) -> Outcome:
        epochs = {phase: sum(row["phase"] == phase for row in state.history) for phase in ("float", "qat", "tune")}
        return Outcome(
            self._folder.float_model(),
            state.model.cpu().eval(),
            self.batches.split,
            state.seconds,
            epochs,
            state.history,
            str(self.dtype).removeprefix("torch."),
        )
