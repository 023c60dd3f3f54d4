"""Augmentation keeps bytes bytes and masks masks, and moves both alike."""

import torch

from quantunet.model.augment import augment


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
