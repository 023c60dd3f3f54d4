"""Scale, width and range of a learned-width quantizer as one node of the gradient's graph.

Brevitas computes them with a chain of about forty operations on single numbers, each with a node of its own, which in a
small network takes a good part of a training step. Values and gradients here are the same.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from brevitas.core.quant.int import RescalingIntQuant
from brevitas.core.scaling import ParameterFromRuntimeStatsScaling, ParameterFromStatsFromParameterScaling
from torch import Tensor

from quantunet.model.config import MAX_BITS, MIN_BITS
from quantunet.model.fused_quant import FusedQuantise


def width_of(offset: Tensor) -> Tensor:
    """``clamp(round_half_even(|offset| + 2), 2, 8)``, element by element and without a gradient.

    >>> width_of(torch.tensor([0.0, 0.5, 1.5, 9.0]))
    tensor([2., 2., 4., 8.])
    """
    return torch.clamp(torch.round(torch.abs(offset) + MIN_BITS), MIN_BITS, MAX_BITS)


def _of_offset(offset: Tensor, of_width: Tensor) -> Tensor:
    """Gradient of the offset: rounding and clamping are straight through, and that of ``|offset|`` is 1 at 0."""
    return torch.where(offset < 0, -of_width, of_width)


class LearnedWidth(torch.autograd.Function):
    """``width_of`` with the gradient that Brevitas gives it."""

    @staticmethod
    def forward(ctx: Any, offset: Tensor) -> Tensor:
        """See ``width_of``."""
        ctx.save_for_backward(offset)
        return width_of(offset)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Gradient of ``offset``."""
        return _of_offset(*ctx.saved_tensors, *grads)


class LearnedRange(torch.autograd.Function):
    """Scale, width, smallest and largest integer of a quantizer from its two learned numbers.

    With ``bits = width_of(offset)`` and ``levels = 2 ** (bits - signed)``:

    ``scale = max(2 ** ceil(log_top), least) / levels``, ``high = levels - 1``, and ``low`` is ``-levels`` for signed
    integers, ``-high`` for those of a narrow range, 0 for unsigned ones. In the gradients, rounding, ceiling and
    clamping are straight through, as in Brevitas.

    >>> offset, log_top = torch.tensor(1.0), torch.tensor(0.3)
    >>> [value.item() for value in LearnedRange.apply(offset, log_top, 2.0**-16, True, False)]
    [0.5, 3.0, -4.0, 3.0]
    """

    @staticmethod
    def forward(
        ctx: Any, offset: Tensor, log_top: Tensor, least: float, signed: bool, narrow: bool
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """See the class.

        Args:
            ctx: What the backward pass needs.
            offset: 0-dimensional, the width above 2 bits.
            log_top: 0-dimensional, binary logarithm of what the integer ``levels`` stands for, before it is rounded up.
            least: The smallest such value, a power of two.
            signed: Whether the integers are signed.
            narrow: Whether the smallest integer is left out, so that the range is symmetric.

        Returns:
            ``scale``, ``bits``, ``low`` and ``high``, all 0-dimensional.
        """
        bits = width_of(offset)
        levels = torch.pow(2.0, bits - int(signed))
        power = torch.pow(2.0, torch.ceil(log_top))
        scale = torch.clamp_min(power, least) / levels
        high = levels - 1
        low = torch.zeros_like(high) if not signed else -high if narrow else -levels
        ctx.save_for_backward(offset, levels, power, scale)
        ctx.signed = signed
        return scale, bits, low, high

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        """Gradients of ``offset`` and ``log_top``."""
        offset, levels, power, scale = ctx.saved_tensors
        of_scale, of_bits, of_low, of_high = grads
        of_range = of_high - of_low if ctx.signed else of_high
        of_width = of_bits + math.log(2) * (of_range * levels - of_scale * scale)
        of_log_top = of_scale * power / levels * math.log(2)
        return _of_offset(offset, of_width), of_log_top, None, None, None


class LearnedIntQuant(RescalingIntQuant):  # type: ignore[misc]
    """Brevitas' quantizer with a learned width and a power-of-two scale, with the scale's chain in one node.

    That is the training of a calibrated quantizer with one range; everything else goes through Brevitas' own code.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Quantise ``x``.

        Returns:
            The quantised values, and scale, zero point and width.
        """
        scaling = self.scaling_impl
        if not self.training or x.dtype == torch.float64:
            return super().forward(x)  # type: ignore[no-any-return]
        if isinstance(scaling, ParameterFromRuntimeStatsScaling):
            if scaling.counter <= scaling.collect_stats_steps:  # not calibrated yet
                return super().forward(x)  # type: ignore[no-any-return]
            log_top, least = scaling.value, scaling.clamp_scaling.min_val
        elif isinstance(scaling, ParameterFromStatsFromParameterScaling):
            if not scaling.init_done or scaling.value.ndim:  # the first pass takes the largest weight
                return super().forward(x)  # type: ignore[no-any-return]
            log_top, least = scaling.value, scaling.clamp_scaling.min_val
        else:
            least = scaling.stats_scaling_impl.clamp_scaling.min_val
            log_top = torch.log2(torch.clamp_min(scaling.parameter_list_stats(x), least))
        signed, narrow = self.int_quant.signed, self.int_quant.narrow_range
        offset = self.msb_clamp_bit_width_impl.bit_width_offset
        scale, bits, low, high = LearnedRange.apply(offset, log_top, least, signed, narrow)  # type: ignore[no-untyped-call]
        y: Tensor = FusedQuantise.apply(x, scale, low, high)  # type: ignore[no-untyped-call]
        return y, scale, self.zero_point_impl(x, scale, bits), bits
