"""Augmentation keeps bytes bytes and masks masks, and moves both alike."""

import torch

from quantunet.model.augment import augment, other_scanner


def test_values_stay_on_the_grid():
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (8, 1, 32, 32), generator=generator) / 256
    mask = (torch.rand(8, 1, 32, 32, generator=generator) > 0.5).float()
    moved, moved_mask = augment(image, mask, generator)
    assert ((moved * 256) == (moved * 256).round()).all()
    assert moved.min() >= 0
    assert moved.max() <= 255 / 256
    assert set(moved_mask.unique().tolist()) == {0.0, 1.0}
    assert (moved != image).any()


def test_image_and_mask_move_together():
    mask = torch.zeros(16, 1, 64, 64)
    mask[:, :, 20:40, 10:30] = 1
    moved, moved_mask = augment(mask * 255 / 256, mask, torch.Generator().manual_seed(1))
    assert ((moved > 0.5) == (moved_mask > 0.5)).float().mean() > 0.98
    assert (moved_mask[0] != moved_mask[1]).any()


def test_deterministic_by_generator():
    image, mask = torch.rand(4, 1, 16, 16), torch.zeros(4, 1, 16, 16)
    first, again = (augment(image, mask, torch.Generator().manual_seed(7))[0] for _ in range(2))
    assert (first == again).all()


def test_another_scanner_keeps_the_mask_and_bytes_bytes():
    image, mask = torch.rand(8, 1, 32, 32, generator=torch.Generator().manual_seed(0)), torch.zeros(8, 1, 32, 32)
    mask[:, :, 8:20, 4:28] = 1
    (usual, usual_mask), (other, other_mask) = (
        augment(image, mask, torch.Generator().manual_seed(1), scanners=scanners) for scanners in (False, True)
    )
    assert torch.equal(usual_mask, other_mask)
    assert torch.equal(other * 256, (other * 256).round())
    assert other.min() >= 0
    assert other.max() <= 255 / 256
    changed = (usual != other).flatten(1).any(1)
    assert 0 < int(changed.sum()) < 8


def test_another_scanner_changes_half_of_the_images_over_the_depth():
    bright = torch.full((64, 1, 32, 32), 0.5)
    seen = other_scanner(bright, torch.Generator().manual_seed(0))
    changed = (seen != bright).flatten(1).any(1)
    assert 16 < int(changed.sum()) < 48
    rows = seen[changed].mean(dim=(1, 3))
    tilt = rows[:, :8].mean(1) - rows[:, -8:].mean(1)
    assert tilt.max() > 0.1
    assert tilt.min() < -0.1
    assert (seen == 1.0).flatten(1).sum(1).max() >= 7  # a cross of callipers
