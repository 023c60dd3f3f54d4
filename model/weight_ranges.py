"""Ranges of quantised weights: a power of two for each tensor or channel, beyond which weights are clipped.

Without a range of its own, a tensor's range is its largest weight, rounded up to a power of two. At two and three bits
most weights then become zero, because a few large ones decide. A narrower range clips these and resolves the others.
It costs no hardware: the scale stays one power of two for a tensor. With one for each channel it is no longer that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from brevitas.core.scaling import ParameterFromStatsFromParameterScaling
from torch import Tensor

from quantunet.model import quantizers as q
from quantunet.model.fused_quant import quantise
from quantunet.model.learned_range import width_of
from quantunet.model.unet import UNet

_OCTAVES = 6
"""How far below the largest weight a range is looked for; at 2 bits that is a code for a 128th of it."""


def least_error_range(weight: Tensor, bits: int, least: float = q.MIN_SCALE) -> float:
    """The range with the least squared error of quantised weights; of equal ones, the wider.

    The range ``r = 2 ** k`` gives ``w' = s * clamp(round_half_even(w / s), -top, top)`` with ``s = r / (top + 1)`` and
    ``top = 2 ** (bits - 1) - 1``; what is least is the sum of ``(w' - w) ** 2``. Looked at are the largest weight,
    rounded up to a power of two, twice that, and six octaves below.

    Args:
        weight: The weights, of any shape.
        bits: Their width.
        least: The smallest range, a power of two.

    Returns:
        The range, a power of two.

    Example:
        >>> weight = torch.tensor([0.75, 0.2, 0.2, -0.2, 0.25, -0.25, 0.25, 0.2])
        >>> [least_error_range(weight, bits) for bits in (2, 3)]
        [0.5, 1.0]
    """
    levels = 2.0 ** (bits - 1)
    high = torch.tensor(levels - 1, device=weight.device)
    largest = torch.clamp_min(weight.detach().abs().max(), least)
    top = 2.0 ** (torch.ceil(torch.log2(largest)) + 1)
    found, smallest = least, float("inf")
    for octave in range(_OCTAVES + 2):
        chosen = torch.clamp_min(top / 2.0**octave, least)
        error = float(((quantise(weight.detach(), chosen / levels, -high, high) - weight.detach()) ** 2).sum())
        if error < smallest:
            found, smallest = float(chosen), error
    return found


@torch.no_grad()
def fit(model: UNet) -> None:
    """Give each tensor of weights, or each of its output channels, the range of least error at its width of the moment.

    Args:
        model: A quantised network whose weights have ranges of their own.
    """
    for weight, quantizer in _weights(model):
        scaling = quantizer.scaling_impl
        bits = int(width_of(quantizer.msb_clamp_bit_width_impl.bit_width_offset))
        parts = [weight] if scaling.value.numel() == 1 else weight.unbind(_channel_axis(scaling.value))
        chosen = torch.tensor([least_error_range(part, bits) for part in parts])
        scaling.value.copy_(torch.log2(chosen).reshape(scaling.value.shape))
        scaling.init_done = True


@torch.no_grad()
def freeze(model: UNet) -> None:
    """Round each range of weights up to its power of two, as the forward pass does, and stop its training."""
    for _, quantizer in _weights(model):
        value = quantizer.scaling_impl.value
        value.copy_(torch.ceil(value))
        value.requires_grad_(False)


def parameters(model: UNet) -> list[Tensor]:
    """The binary logarithms of the ranges of weights that have one of their own."""
    return [quantizer.scaling_impl.value for _, quantizer in _weights(model)]


@torch.no_grad()
def equalise(model: UNet) -> None:
    """Scale channels by powers of two, so that the channels of a tensor of weights have more of its range.

    Multiplying output channel ``c`` of a convolution by ``2 ** k`` and the weights that read it by ``2 ** -k`` changes
    nothing in float: ReLU, pooling and concatenation let a positive factor through, and powers of two are exact. ``k``
    is ``round(log2(read / made) / 2)``, with the largest weight that makes the channel and the largest that reads it
    (data-free quantisation, arXiv 1906.04721, with its factors rounded to powers of two).

    Args:
        model: A quantised network, folded, before its scales are calibrated.
    """
    for made, readers in _channels(model):
        conv, axis = made
        own = _largest(conv.weight, axis)
        read = torch.stack([_largest(other.weight, across)[part] for other, across, part in readers]).amax(0)
        some = (own > 0) & (read > 0)
        power = torch.where(some, torch.round(torch.log2(torch.where(some, read / own, 1.0)) / 2), 0.0)
        gain = 2.0**power
        conv.weight.mul_(_along(gain, axis, conv.weight))
        conv.bias.mul_(gain)
        for other, across, part in readers:
            weight = other.weight.narrow(across, part.start, part.stop - part.start)
            weight.div_(_along(gain, across, weight))


_Reader = tuple[Any, int, slice]
"""A convolution, the axis of its input channels, and those among them that it reads."""


def _channels(model: UNet) -> Iterator[tuple[tuple[Any, int], list[_Reader]]]:
    """Each convolution whose output others read, with the axis of its output channels, in the order of computation."""
    depth = model.config.depth

    def reader(name: str, part: slice | None = None) -> _Reader:
        conv = cast(q.QuantConv, model.convs[name]).conv
        axis = 0 if name.startswith("up") else 1
        return conv, axis, part or slice(0, conv.weight.shape[axis])

    def maker(name: str) -> tuple[Any, int]:
        return cast(q.QuantConv, model.convs[name]).conv, 1 if name.startswith("up") else 0

    for level in range(depth + 1):
        stem = "bottleneck" if level == depth else f"enc{level}"
        yield maker(f"{stem}_conv0"), [reader(f"{stem}_conv1")]
        if level == depth:
            yield maker(f"{stem}_conv1"), [reader(f"up{level - 1}")]
        else:
            below = f"enc{level + 1}" if level + 1 < depth else "bottleneck"
            channels = model.config.channels(level)
            skip = reader(f"dec{level}_conv0", slice(0, channels))
            yield maker(f"{stem}_conv1"), [reader(f"{below}_conv0"), skip]
    for level in reversed(range(depth)):
        channels = model.config.channels(level)
        yield maker(f"up{level}"), [reader(f"dec{level}_conv0", slice(channels, 2 * channels))]
        yield maker(f"dec{level}_conv0"), [reader(f"dec{level}_conv1")]
        yield maker(f"dec{level}_conv1"), [reader(f"up{level - 1}" if level else "head")]


def _channel_axis(ranges: Tensor) -> int:
    """The axis along which ranges of channels lie: 0 of a convolution, 1 of a transpose convolution."""
    return max(range(ranges.ndim), key=lambda axis: ranges.shape[axis])


def _largest(weight: Tensor, axis: int) -> Tensor:
    return weight.detach().abs().amax([other for other in range(weight.ndim) if other != axis])


def _along(values: Tensor, axis: int, weight: Tensor) -> Tensor:
    return values.reshape([-1 if other == axis else 1 for other in range(weight.ndim)])


def _weights(model: UNet) -> Iterator[tuple[Tensor, Any]]:
    """Weights and quantizer of each convolution whose weights have a range of their own."""
    for layer in model.convs.values():
        conv = cast(q.QuantConv, layer).conv
        quantizer = conv.weight_quant.tensor_quant
        if isinstance(quantizer.scaling_impl, ParameterFromStatsFromParameterScaling):
            yield conv.weight, quantizer
