"""Random changes of a batch; the result is bytes / 256 again.

Always flips, small shifts, scales and rotations, and gamma; on request what another scanner would show of the same
tissue: other gain, and that over the depth, other speckle and resolution, and the marks of callipers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

SHIFT = 0.08
SCALE = 0.12
ROTATION_DEGREES = 10.0
GAMMA = 0.35

GAIN = 0.35
DEPTH_GAIN = 0.5
SPECKLE = 0.25
GRAIN = 2
MARKS = 4
ARM = 3


def to_float(images: Tensor) -> Tensor:
    """uint8 ``(n, height, width)``, or RGB with an axis behind, to ``(n, channels, height, width)``: ``byte / 256``."""
    if images.ndim == 4:
        return images.permute(0, 3, 1, 2).float() / 256.0
    return images.unsqueeze(1).float() / 256.0


def augment(
    image: Tensor, mask: Tensor, generator: torch.Generator, *, scanners: bool = False
) -> tuple[Tensor, Tensor]:
    """Change each image of a batch in its own way.

    Args:
        image: ``(n, channels, height, width)`` float, ``byte / 256``.
        mask: ``(n, 1, height, width)`` float, 0 or 1, or the index of each pixel's class.
        generator: Source of randomness, on the CPU.
        scanners: Whether to show half of them, in gray, as another scanner would; see :func:`other_scanner`.

    Returns:
        Image and mask of the same shapes and value ranges.
    """
    n = len(image)

    def uniform(spread: float) -> Tensor:
        return (torch.rand(n, generator=generator) * 2 - 1) * spread

    flip = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    angle = uniform(ROTATION_DEGREES * math.pi / 180)
    scale_x, scale_y = 1 + uniform(SCALE), 1 + uniform(SCALE)
    # The grid's coordinates are -1 to 1 along both axes: of an image that is no square, a turn is one in pixels alone.
    aspect = image.shape[2] / image.shape[3]
    across, down = -scale_y * torch.sin(angle) * aspect, flip * scale_x * torch.sin(angle) / aspect
    rows = [
        torch.stack([flip * scale_x * torch.cos(angle), across, uniform(2 * SHIFT)], dim=1),
        torch.stack([down, scale_y * torch.cos(angle), uniform(2 * SHIFT)], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1).to(image.device), list(image.shape), align_corners=False)
    moved = functional.grid_sample(image, grid, padding_mode="reflection", align_corners=False)
    moved_mask = functional.grid_sample(mask, grid, mode="nearest", padding_mode="reflection", align_corners=False)
    gamma = torch.exp(uniform(GAMMA)).to(image.device)[:, None, None, None]
    bright = (moved * (256.0 / 255.0)).clamp(0.0, 1.0) ** gamma
    if scanners:
        bright = other_scanner(bright, generator)
    return torch.round(bright * 255.0) / 256.0, moved_mask


def other_scanner(bright: Tensor, generator: torch.Generator) -> Tensor:
    """Show half of the images of a batch, chosen at random, as another scanner would.

    A brightness ``b`` becomes ``b * gain * (1 + speckle)``: the gain grows or falls exponentially from top to bottom,
    speckle is a field of random numbers with grains of one or two pixels. Half of these are softened over three by
    three pixels first, and half get up to four pairs of crossed strokes, as callipers leave them.

    Args:
        bright: ``(n, 1, height, width)`` float, 0 is black and 1 is white.
        generator: Source of randomness, on the CPU.

    Returns:
        The same shape and range.
    """
    n, _, height, width = bright.shape
    device = bright.device

    def chosen() -> Tensor:
        return (torch.rand(n, generator=generator) < 0.5)[:, None, None, None].to(device)

    def uniform(spread: float) -> Tensor:
        return ((torch.rand(n, generator=generator) * 2 - 1) * spread)[:, None, None, None].to(device)

    seen = torch.where(chosen(), functional.avg_pool2d(bright, 3, 1, 1, count_include_pad=False), bright)
    depth = torch.linspace(-1, 1, height, device=device)[None, None, :, None]
    gain = torch.exp(uniform(GAIN) + depth * uniform(DEPTH_GAIN))
    fine = torch.randn((n, 1, height, width), generator=generator).to(device)
    coarse = torch.randn((n, 1, -(-height // GRAIN), -(-width // GRAIN)), generator=generator).to(device)
    coarse = functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    speckle = torch.where(chosen(), fine, coarse) * uniform(SPECKLE)
    seen = (seen * gain * (1 + speckle)).clamp(0.0, 1.0)
    seen = torch.where(chosen() & _marks(n, height, width, generator).to(device), 1.0, seen)
    return torch.where(chosen(), seen, bright)


def _marks(n: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Where callipers mark an image: crosses with arms of three pixels; ``(n, 1, height, width)`` bool."""
    marks = torch.zeros((n, 1, height, width), dtype=torch.bool)
    count = torch.randint(1, MARKS + 1, (n,), generator=generator).tolist()
    places = torch.rand((n, MARKS, 2), generator=generator)
    for image in range(n):
        for down, across in places[image, : count[image]].tolist():
            y, x = int(down * height), int(across * width)
            marks[image, 0, max(0, y - ARM) : y + ARM + 1, x] = True
            marks[image, 0, y, max(0, x - ARM) : x + ARM + 1] = True
    return marks
