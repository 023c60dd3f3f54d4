"""Brevitas' integer quantizer in one pass over the tensor forward, and one backward.

Brevitas spells ``scale * clamp(round(x / scale), low, high)`` as a chain of about ten tensor operations, each of which
reads and writes the whole tensor, and about twice as many in the backward pass. Here the same values and the same
gradients are computed by two kernels, which TorchInductor compiles where there is a compiler.
"""

from __future__ import annotations

import functools
import logging
import shutil
from collections.abc import Callable
from typing import Any

import torch
from brevitas.core.quant.int_base import IntQuant
from torch import Tensor

logger = logging.getLogger(__name__)

_WORTH_A_CALL = 1 << 14
"""Elements from which on a call of a compiled kernel is faster than the formula's ten operations."""


def quantise(x: Tensor, scale: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """``scale * clamp(round_half_even(x / scale), low, high)``, in the type of ``x``.

    >>> quantise(torch.tensor([-0.5, 0.3, 0.75, 9.0]), torch.tensor(0.5), torch.tensor(0.0), torch.tensor(3.0))
    tensor([0.0000, 0.5000, 1.0000, 1.5000])
    """
    return (torch.clamp(torch.round(x.to(scale.dtype) / scale), low, high) * scale).to(x.dtype)


def quantise_gradients(
    x: Tensor, grad: Tensor, scale: Tensor, low: Tensor, high: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of ``quantise`` with rounding straight through, as Brevitas has them.

    With ``u = x / scale`` and ``q = clamp(round(u), low, high)``: inside the range ``dy/dx = 1`` and
    ``dy/dscale = q - u``; outside ``dy/dx = 0``, ``dy/dscale = q``, and ``dy/dlow`` or ``dy/dhigh`` is ``scale``.

    Args:
        x: The input.
        grad: Gradient of the output, of the same shape.
        scale: 0-dimensional.
        low: 0-dimensional, the smallest integer.
        high: 0-dimensional, the largest integer.

    Returns:
        The gradients of ``x`` (in its type), ``scale``, ``low`` and ``high``.
    """
    u = x.to(scale.dtype) / scale
    rounded = torch.round(u)
    wide = grad.to(scale.dtype)
    below, above = rounded < low, rounded > high
    inside = ~(below | above)
    of_scale = wide * (torch.clamp(rounded, low, high) - torch.where(inside, u, 0.0))
    return (
        torch.where(inside, wide, 0.0).to(x.dtype),
        of_scale.sum(),
        torch.where(below, wide, 0.0).sum() * scale,
        torch.where(above, wide, 0.0).sum() * scale,
    )


Kernels = tuple[Callable[..., Tensor], Callable[..., tuple[Tensor, Tensor, Tensor, Tensor]]]


@functools.cache
def kernels() -> Kernels:
    """``quantise`` and ``quantise_gradients``, compiled where a C++ compiler is on PATH (seconds, once a machine)."""
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        logger.warning("no C++ compiler on PATH: the quantizers are not compiled, QAT takes about twice the time")
        return quantise, quantise_gradients
    return torch.compile(quantise, dynamic=True), torch.compile(quantise_gradients, dynamic=True)


def _kernels_for(x: Tensor) -> Kernels:
    """The compiled kernels, unless a call of them would take longer than the work."""
    return kernels() if x.numel() >= _WORTH_A_CALL else (quantise, quantise_gradients)


def _flat(x: Tensor) -> Tensor:
    """All elements in the order of memory, so that one kernel serves every shape and memory format.

    It shares the storage but is no view: TorchDynamo compiles anew for every shape that a view was taken of.
    """
    return x.new_empty(0).set_(x.untyped_storage(), x.storage_offset(), (x.numel(),), (1,))


def _dense(x: Tensor) -> Tensor:
    """``x`` without gaps and overlaps in memory."""
    return x if torch.ops.aten.is_non_overlapping_and_dense(x) else x.contiguous()


class FusedQuantise(torch.autograd.Function):
    """``quantise`` with its gradients, for tensors of any memory format."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """See ``quantise``."""
        x, scale, low, high = (tensor.detach() for tensor in (_dense(x), scale, low, high))
        ctx.save_for_backward(x, scale, low, high)
        y = _kernels_for(x)[0](_flat(x), scale, low, high)
        return y.as_strided(x.shape, x.stride())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """See ``quantise_gradients``."""
        x, scale, low, high = ctx.saved_tensors
        (grad,) = grads
        if grad.stride() != x.stride():
            grad = torch.empty_like(x, dtype=grad.dtype).copy_(grad)
        of_x, of_scale, of_low, of_high = _kernels_for(x)[1](_flat(x), _flat(grad), scale, low, high)
        return of_x.as_strided(x.shape, x.stride()), of_scale, of_low, of_high


class FusedIntQuant(IntQuant):  # type: ignore[misc]
    """Brevitas' ``IntQuant`` for one scale a tensor and zero point 0, fused; scales of channels are Brevitas' own."""

    def forward(self, scale: Tensor, zero_point: Tensor, bit_width: Tensor, x: Tensor) -> Tensor:
        """Quantise ``x``; double precision, which only the export check uses, goes through Brevitas' own code."""
        if x.dtype == torch.float64 or scale.numel() > 1:
            return super().forward(scale, zero_point, bit_width, x)  # type: ignore[no-any-return]
        y: Tensor = FusedQuantise.apply(  # type: ignore[no-untyped-call]
            x, scale.reshape(()), self.min_int(bit_width), self.max_int(bit_width)
        )
        return y
