"""Brevitas quantizers whose bit-width is learned, and the layers that are built from them.

Scales are powers of two, one for a whole tensor or one for each output channel of weights, rounding is half to even,
biases sit at the scale of the accumulator. A learned width is ``clamp(round_half_even(|offset| + 2), 2, 8)`` with a
straight-through gradient. That gradient does not vanish outside the range, so ``clamp_widths`` has to run after every
optimiser step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from brevitas import nn as qnn
from brevitas.inject import ExtendedInjector
from brevitas.inject.enum import BitWidthImplType, ScalingImplType
from brevitas.quant.fixed_point import (
    Int8ActPerTensorFixedPoint,
    Int8WeightPerTensorFixedPoint,
    Uint8ActPerTensorFixedPoint,
)
from brevitas.quant.scaled_int import Int32Bias
from brevitas.quant_tensor import IntQuantTensor
from torch import Tensor, nn

from quantunet.model.config import MAX_BITS, MIN_BITS, WeightRange
from quantunet.model.fused_quant import FusedIntQuant
from quantunet.model.learned_range import LearnedIntQuant, width_of

COLLECT_STATS_STEPS = 20
MIN_SCALE = 2.0**-16  # a power of two, so that the scale of a tensor that is all zeros is one too


class _LearnedQuantizer(ExtendedInjector):
    """What every quantizer with a learned width has in common."""

    int_quant = FusedIntQuant
    tensor_quant = LearnedIntQuant
    bit_width_impl_type = BitWidthImplType.PARAMETER
    bit_width = MAX_BITS
    min_bit_width = MIN_BITS
    bit_width_offset_min_val = MIN_BITS  # Brevitas clamps the whole width with these two, not the offset
    bit_width_offset_max_val = MAX_BITS
    scaling_min_val = MIN_SCALE


class LearnedWeight(_LearnedQuantizer, Int8WeightPerTensorFixedPoint):
    """Signed narrow-range weights; the scale follows the largest weight."""


class RangedWeight(LearnedWeight):
    """Signed narrow-range weights with a range of their own, beyond which weights are clipped."""

    scaling_impl_type = ScalingImplType.PARAMETER_FROM_STATS


class ChannelRangedWeight(RangedWeight):
    """Such weights with a range for each output channel."""

    scaling_per_output_channel = True


class LearnedUnsignedActivation(_LearnedQuantizer, Uint8ActPerTensorFixedPoint):
    """Activations after a ReLU."""

    collect_stats_steps = COLLECT_STATS_STEPS


class LearnedSignedActivation(_LearnedQuantizer, Int8ActPerTensorFixedPoint):
    """Both legs of a skip connection."""

    collect_stats_steps = COLLECT_STATS_STEPS


class LogitActivation(LearnedSignedActivation):
    """The logits; never finer than 2**-6, so that the 8-bit sigmoid stays below 1/2 wherever the logit is negative."""

    scaling_min_val = 2.0**-6


class AccumulatorBias(Int32Bias):
    """Biases at the scale of the accumulator."""

    int_quant = FusedIntQuant


class Byte(Uint8ActPerTensorFixedPoint):
    """Eight unsigned bits with the constant scale 2**-8: the image and the probability."""

    scaling_impl_type = ScalingImplType.CONST
    scaling_init = 1.0


class QuantConv(nn.Module):
    """A convolution with learned weight width, bias at accumulator scale, and an optional output quantizer.

    Args:
        in_channels: Input channels.
        out_channels: Output channels.
        kernel: 1 or 3 ("same" padding, stride 1), or 2 for a transpose convolution with stride 2.
        activation: The output quantizer; None leaves the accumulator to a quantizer that follows.
        weight_range: What the range of the weights follows; see ``TrainConfig``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        activation: nn.Module | None,
        weight_range: WeightRange = "largest",
    ) -> None:
        super().__init__()
        weight_quant = {"largest": LearnedWeight, "channels": ChannelRangedWeight}.get(weight_range, RangedWeight)
        if kernel == 2:
            self.conv: Any = qnn.QuantConvTranspose2d(
                in_channels, out_channels, 2, stride=2, weight_quant=weight_quant, bias_quant=AccumulatorBias
            )
        else:
            self.conv = qnn.QuantConv2d(
                in_channels,
                out_channels,
                kernel,
                padding=kernel // 2,
                weight_quant=weight_quant,
                bias_quant=AccumulatorBias,
            )
        self.activation = activation

    def forward(self, x: IntQuantTensor) -> IntQuantTensor | Tensor:
        """Convolve, and quantise where there is an output quantizer."""
        conv = self.conv
        if self.training:  # as conv(x), without scale and width of the accumulator: nothing asks for them
            weight = conv.weight_quant(conv.weight)
            y = conv.inner_forward_impl(x.value, weight.value, conv.bias_quant(conv.bias, x, weight).value)
        else:
            y = conv(x)
        return y if self.activation is None else self.activation(y)


class QuantJoin(nn.Module):
    """Concatenation of a skip connection whose two legs go through one shared signed quantizer."""

    def __init__(self) -> None:
        super().__init__()
        self.quant: nn.Module = qnn.QuantIdentity(act_quant=LearnedSignedActivation, return_quant_tensor=True)

    def forward(self, skip: IntQuantTensor, up: IntQuantTensor | Tensor) -> IntQuantTensor:
        """Channels of ``skip`` first, then those of ``up``."""
        left, right = self.quant(skip), self.quant(up)
        # The scales of the two calls differ while statistics are collected, which torch.cat would refuse.
        return IntQuantTensor(
            torch.cat([left.value, right.value], dim=1),
            right.scale,
            right.zero_point,
            right.bit_width,
            right.signed,
            right.training,
        )


def unsigned_activation() -> nn.Module:
    """ReLU and unsigned learned-width quantizer."""
    layer: nn.Module = qnn.QuantReLU(act_quant=LearnedUnsignedActivation, return_quant_tensor=True)
    return layer


def logit_activation() -> nn.Module:
    """Signed learned-width quantizer of the logits."""
    layer: nn.Module = qnn.QuantIdentity(act_quant=LogitActivation, return_quant_tensor=True)
    return layer


def byte() -> nn.Module:
    """Quantizer of the image and of the probability."""
    layer: nn.Module = qnn.QuantIdentity(act_quant=Byte, return_quant_tensor=True)
    return layer


def weight_offset(layer: Any) -> Tensor:
    """The offset behind the learned weight width of a Brevitas convolution."""
    offset: Tensor = layer.weight_quant.tensor_quant.msb_clamp_bit_width_impl.bit_width_offset
    return offset


def activation_offset(layer: Any) -> Tensor:
    """The offset behind the learned width of a Brevitas activation."""
    offset: Tensor = layer.act_quant.fused_activation_quant_proxy.tensor_quant.msb_clamp_bit_width_impl.bit_width_offset
    return offset


def width_parameters(model: nn.Module) -> Iterator[nn.Parameter]:
    """The trainable offsets behind every learned width."""
    for name, parameter in model.named_parameters():
        if name.endswith("bit_width_offset"):
            yield parameter


def range_parameters(model: nn.Module) -> Iterator[nn.Parameter]:
    """The binary logarithms of every range that is a parameter: of activations, and of weights that have their own."""
    for name, parameter in model.named_parameters():
        if name.endswith("scaling_impl.value"):
            yield parameter


@torch.no_grad()
def clamp_widths(model: nn.Module) -> None:
    """Keep every offset in [0, 6], where the straight-through gradient is that of the width."""
    for parameter in width_parameters(model):
        parameter.clamp_(0.0, float(MAX_BITS - MIN_BITS))


@torch.no_grad()
def set_widths(model: nn.Module, bits: int) -> None:
    """Give every weight and activation the same width."""
    for parameter in width_parameters(model):
        parameter.fill_(float(bits - MIN_BITS))


@torch.no_grad()
def freeze_widths(model: nn.Module) -> None:
    """Round every offset to its width and stop its training."""
    for parameter in width_parameters(model):
        parameter.copy_(width_of(parameter) - MIN_BITS)  # as in the forward pass, to the last bit of a tie
        parameter.requires_grad_(False)
