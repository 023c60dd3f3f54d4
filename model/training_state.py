"""Where a training stands, and how each of its phases begins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from quantunet.model import distributed, quantizers, target_bits
from quantunet.model.config import TrainConfig
from quantunet.model.unet import UNet

Phase = Literal["float", "qat", "tune", "done"]
ORDER: tuple[Phase, ...] = ("float", "qat", "tune", "done")


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

    def offer(self, name: str, model: UNet, dice: float) -> bool:
        """Make a network the phase's best, if it is better than all before; say whether it is."""
        if not (dice > self.best or not self.best_model):
            return False
        self.best, self.best_epoch, self.leader = dice, self.epoch, name
        self.best_model = weights_of(model)
        return True


@dataclass(frozen=True)
class Beginning:
    """How the phases of a training begin.

    Attributes:
        config: What is trained.
        batches: Steps of an epoch.
        device: Where to compute.
    """

    config: TrainConfig
    batches: int
    device: torch.device

    def of(self, phase: Phase, model: UNet, history: list[dict[str, Any]], seconds: float) -> State:
        """The state at the beginning of a phase, with ``model`` on the device."""
        model = model.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        distributed.copy_from_rank_0(model)
        steps = self.batches * epochs_in(self.config, phase)
        optimizer, scheduler = make_optimizer(self.config, phase, model, max(1, steps))
        average = None
        if phase == "tune":  # quantised weights flip between two codes; their average settles
            average = AveragedModel(model, multi_avg_fn=_warming_average(self.config.tune_average))
            average.update_parameters(model)  # else it would begin after the first step, which may lead astray
        return State(phase, 0, model, optimizer, scheduler, average, history=history, seconds=seconds)


def epochs_in(config: TrainConfig, phase: Phase) -> int:
    """Epochs that a phase may have."""
    return {"float": config.float_epochs, "qat": config.qat_epochs, "tune": config.tune_epochs, "done": 0}[phase]


def is_over(config: TrainConfig, state: State) -> bool:
    """Whether the phase has had its epochs, or the last of them brought nothing."""
    stale = state.epoch - state.best_epoch
    patience = config.patience if state.phase != "qat" else 0  # widths need their whole schedule
    return state.epoch >= epochs_in(config, state.phase) or bool(patience and stale >= patience)


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """A copy of a network's state, on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}


def make_optimizer(
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
