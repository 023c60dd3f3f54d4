"""Step and range of a quantizer are learned, and its width follows: the other way to learn a width.

With the range ``r`` and the width ``b`` (``r`` in octaves) the step is ``2 ** (r - b)``, up to the sign's bit.
Learned are usually ``b`` and ``r``. Differentiable quantisation (Uhlich et al., arXiv 1905.11452) found that it
learns better with the step ``s = r - b`` and ``r``: where a range becomes wider, the step then stays and the width
grows. Both are one network, and only what the optimiser moves is another: with ``b = r - s`` the gradient of ``s`` is
minus that of ``b``, and the gradient of ``r``, ``s`` held, is that of ``r``, ``b`` held, plus that of ``b``. So the
quantizers keep ``b`` and ``r``; around each step of the optimiser the gradients are brought to ``s`` and ``r``, and
what ``r`` has moved is added to ``b``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor

from quantunet.model import quantizers as q
from quantunet.model.unet import UNet, output_quantizer


@torch.no_grad()
def bring_gradients(model: UNet) -> list[Tensor]:
    """Give each range the gradient that it has while the step stays; the optimiser comes next.

    Args:
        model: A network with learned widths and ranges, gradients computed.

    Returns:
        The ranges as they are, for :func:`follow_ranges`.
    """
    before = []
    for width, reach in _pairs(model):
        before.append(reach.detach().clone())
        if width.grad is not None and reach.grad is not None:
            reach.grad.add_(width.grad.reshape(reach.grad.shape))
    return before


@torch.no_grad()
def follow_ranges(model: UNet, before: list[Tensor]) -> None:
    """Add to each width what its range has moved in a step of the optimiser; widths may then leave [2, 8].

    Args:
        model: The network.
        before: What :func:`bring_gradients` returned.
    """
    for (width, reach), old in zip(_pairs(model), before, strict=True):
        width.add_((reach - old).reshape(width.shape))


def _pairs(model: UNet) -> Iterator[tuple[Tensor, Tensor]]:
    """The offset of the width, and the binary logarithm of the range, of each quantizer."""
    for name, layer in model.convs.items():
        conv = cast(q.QuantConv, layer).conv
        yield q.weight_offset(conv), conv.weight_quant.tensor_quant.scaling_impl.value
        activation: Any = output_quantizer(model, name)
        scaling = activation.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl
        yield q.activation_offset(activation), scaling.value
