"""One training step of the U-Net: in float, with Brevitas' own quantizers, and with the fused ones; one thread."""

from __future__ import annotations

import types
from collections.abc import Callable

import torch
from brevitas.core.quant.int import RescalingIntQuant
from brevitas.core.quant.int_base import IntQuant

from benchmarks.rows import Context, Part, Row
from benchmarks.timing import in_turns
from quantunet.model import compute, quantizers
from quantunet.model.config import PRESETS, TrainConfig
from quantunet.model.fused_quant import FusedIntQuant
from quantunet.model.learned_range import LearnedIntQuant
from quantunet.model.loss import SegmentationLoss
from quantunet.model.unet import UNet, float_unet, quant_unet, widths

_MACS_OF_A_BATCH = 4e9
"""The batch is as large as keeps a step near a second, at most that of a training."""


def measure(context: Context) -> list[Row]:
    """Time steps in turns: forward pass, loss, backward pass and optimiser."""
    config = PRESETS[context.network]
    macs = sum(shape.macs for shape in config.conv_layers())
    batch = max(2, min(TrainConfig(context.network).batch_size, round(_MACS_OF_A_BATCH / macs)))
    compute.prepare(threads=1)
    torch.manual_seed(0)
    image = torch.randint(0, 256, (batch, 1, config.size, config.size)).float() / 256
    context.say(f"steps of {batch} images, in turns")
    models = {"float": float_unet(config), "learned widths": quant_unet(config)}
    plain = quant_unet(config)
    for module in plain.modules():
        for ours, own in ((LearnedIntQuant, RescalingIntQuant), (FusedIntQuant, IntQuant)):
            if isinstance(module, ours):
                module.forward = types.MethodType(own.forward, module)  # type: ignore[method-assign]
    models["learned widths, Brevitas' own quantizers"] = plain
    works: dict[str, Callable[[], object]] = {}
    for name, model in models.items():
        _calibrate(model, image)
        works[f"{name}, float32"] = _step(model, image, torch.float32)
        if plain is not model and compute.pick_precision("auto", torch.device("cpu")) == torch.bfloat16:
            works[f"{name}, bfloat16"] = _step(model, image, torch.bfloat16)
    times = in_turns(works, rounds=3)
    note = f"{batch} images, 1 thread"
    base = Row.timed(context.network, "float, float32", times.pop("float, float32"), note=note)
    return [base] + [
        Row.timed(context.network, name, time, note=note).over(base, "float") for name, time in times.items()
    ]


@torch.no_grad()
def _calibrate(model: UNet, image: torch.Tensor) -> None:
    model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    for _ in range(quantizers.COLLECT_STATS_STEPS + 1):
        model(image[:2])


def _step(model: UNet, image: torch.Tensor, dtype: torch.dtype) -> Callable[[], object]:
    learned = bool(list(quantizers.width_parameters(model)))
    loss = SegmentationLoss(model.config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)  # hardly moves: every step does the same work
    mask = (image > 0.5).float()

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            logits = model(image)
        optimizer.zero_grad(set_to_none=True)
        loss(logits.float(), mask, widths(model) if learned else None).backward()
        optimizer.step()

    return step


PART = Part("training", "One training step", measure, each_network=True)
