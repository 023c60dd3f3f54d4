"""A mean bit-width that is given: it comes down from 8 on a line and then stays, whatever the number of steps.

After every optimiser step all learned widths are moved by one amount, so that their mean is what the line says. Which
tensors keep more bits than others is learned as before; how many there are together is not.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from quantunet.model.config import MAX_BITS, MIN_BITS
from quantunet.model.learned_range import width_of
from quantunet.model.unet import UNet, width_offsets

DESCENT = 0.7
"""Share of the steps in which the mean comes down."""

_RANGE = float(MAX_BITS - MIN_BITS)
_MEAN_OF_COSINE = 0.525  # of the schedule of QAT, from 1 to 0.05
_HALVINGS = 30  # of an amount within +-6, down to the spacing of float32


def mean_at(step: int, steps: int, target: float) -> float:
    """The mean after a step, counted from 1.

    >>> [round(mean_at(step, 10, 4.5), 2) for step in (1, 2, 6, 7, 10)]
    [7.5, 7.0, 5.0, 4.5, 4.5]
    """
    return MAX_BITS + (target - MAX_BITS) * min(1.0, step / (DESCENT * steps))


def learning_rate(steps: int) -> float:
    """First learning rate of the widths: one that always goes the same way crosses the range once, as Adam steps.

    Else the number of steps would decide how far tensors can part: in a few they would all end at the same width.

    >>> round(learning_rate(580), 4)
    0.0197
    """
    return _RANGE / (_MEAN_OF_COSINE * steps)


@torch.no_grad()
def hold_mean(model: UNet, shares: Mapping[str, float], bits: float) -> None:
    """Move all learned widths by one amount, so that the mean of the rounded ones is ``bits``.

    It is off by at most half of what one bit of one tensor adds to the mean.

    Args:
        model: A network with learned widths; they stay in their range.
        shares: How much each layer counts in the mean; see ``loss.layer_weights``.
        bits: The mean.
    """
    offsets = width_offsets(model)
    before = torch.stack(offsets).double().cpu()
    share = before.new_tensor([shares[name] / 2 for name in model.convs for _ in ("weight", "activation")])

    def moved(amount: float) -> torch.Tensor:
        return (before + amount).clamp(0.0, _RANGE).float()

    def miss(values: torch.Tensor) -> float:
        return float((width_of(values) * share).sum()) - bits

    low, high = -_RANGE, _RANGE  # all at 2 bits, all at 8
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if miss(moved(middle)) <= 0 else (low, middle)
    values, above = moved(low), moved(high)
    for index in torch.nonzero(width_of(values) != width_of(above)):  # several, where offsets are equal
        nearer = values.index_copy(0, index, above[index])
        if abs(miss(nearer)) < abs(miss(values)):
            values = nearer
    for offset, value in zip(offsets, values, strict=True):
        offset.copy_(value)
