"""Random flips, small shifts, scales and rotations, and gamma, for a batch at once; the result is bytes / 256 again."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

SHIFT = 0.08
SCALE = 0.12
ROTATION_DEGREES = 10.0
GAMMA = 0.35


def to_float(images: Tensor) -> Tensor:
    """uint8 ``(n, height, width)`` to float ``(n, 1, height, width)``, value ``byte / 256``."""
    return images.unsqueeze(1).float() / 256.0


def augment(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Change each image of a batch in its own way.

    Args:
        image: ``(n, 1, height, width)`` float, ``byte / 256``.
        mask: ``(n, 1, height, width)`` float, 0 or 1.
        generator: Source of randomness, on the CPU.

    Returns:
        Image and mask of the same shapes and value ranges.
    """
    n = len(image)

    def uniform(spread: float) -> Tensor:
        return (torch.rand(n, generator=generator) * 2 - 1) * spread

    flip = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    angle = uniform(ROTATION_DEGREES * math.pi / 180)
    scale_x, scale_y = 1 + uniform(SCALE), 1 + uniform(SCALE)
    rows = [
        torch.stack([flip * scale_x * torch.cos(angle), -scale_y * torch.sin(angle), uniform(2 * SHIFT)], dim=1),
        torch.stack([flip * scale_x * torch.sin(angle), scale_y * torch.cos(angle), uniform(2 * SHIFT)], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1).to(image.device), list(image.shape), align_corners=False)
    moved = functional.grid_sample(image, grid, padding_mode="reflection", align_corners=False)
    moved_mask = functional.grid_sample(mask, grid, mode="nearest", padding_mode="reflection", align_corners=False)
    gamma = torch.exp(uniform(GAMMA)).to(image.device)[:, None, None, None]
    bytes_ = torch.round((moved * (256.0 / 255.0)).clamp(0.0, 1.0) ** gamma * 255.0)
    return bytes_ / 256.0, moved_mask
