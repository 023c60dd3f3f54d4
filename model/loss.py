"""L = cross-entropy + Dice + lambda * mean(bit-width) / 8, and terms that can be added to it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from monai.losses import DiceCELoss
from torch import Tensor, nn
from torch.nn import functional

from quantunet.model.config import MAX_BITS, LossConfig, PenaltyWeighting, UNetConfig


def layer_weights(config: UNetConfig, weighting: PenaltyWeighting) -> dict[str, float]:
    """How much each convolution counts in the mean bit-width; the values sum to 1."""
    raw = {
        shape.name: {"layers": 1, "parameters": shape.parameters, "macs": shape.macs}[weighting]
        for shape in config.conv_layers()
    }
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items()}


def mean_bits(widths: Mapping[str, tuple[Tensor, Tensor]], weights: Mapping[str, float]) -> Tensor:
    """Weighted mean over the layers of the mean of weight and activation width.

    Args:
        widths: For each layer its weight width and its activation width (0-dimensional tensors).
        weights: For each layer its share; see ``layer_weights``.

    Returns:
        A 0-dimensional tensor, with the gradient of the widths.
    """
    bits = torch.stack([width for pair in widths.values() for width in pair]).view(-1, 2).mean(1)
    return (bits * bits.new_tensor([weights[name] for name in widths])).sum()


PEAK = 64
"""Pixels that decide whether an image has a lesion: about as many as the smallest lesions have."""


def whole_image_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy of "this image has a lesion", whose logit is the mean of the image's greatest logits.

    The terms of the pixels hardly see whether an image without a lesion stays empty: a wrong spot is one of thousands
    of pixels. Here each image counts alike.

    Args:
        logits: ``(batch, 1, height, width)``.
        mask: The same shape, 0.0 or 1.0.

    Returns:
        A 0-dimensional tensor.

    Example:
        >>> logits = torch.zeros(2, 1, 8, 8)
        >>> mask = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
        >>> round(float(whole_image_loss(logits, mask)), 4)
        0.6931
    """
    flat = logits.flatten(1)
    peak = flat.topk(min(PEAK, flat.shape[1]), dim=1).values.mean(1)
    return functional.binary_cross_entropy_with_logits(peak, mask.flatten(1).amax(1))


class SegmentationLoss(nn.Module):
    """Cross-entropy and Dice on logits (MONAI), plus the bit-width term where widths are given.

    With one foreground: binary cross-entropy, and the soft Dice of the sigmoid. With several classes: cross-entropy of
    the softmax over all of them, and the mean of the soft Dice over the classes but 0, the background, and over the
    images; that is the loss of nnU-Net (F. Isensee et al., Nature Methods 18 (2021) 203-211,
    doi:10.1038/s41592-020-01008-z; MONAI's ``DiceCELoss``), Dice smoothed by one pixel.

    Args:
        unet: Shape of the network, for the weighting of its layers.
        config: Factors of the terms; by default the usual ones.
    """

    def __init__(self, unet: UNetConfig, config: LossConfig | None = None) -> None:
        super().__init__()
        self.config = config or LossConfig()
        self.weights = layer_weights(unet, self.config.bit_weighting)
        # Smoothing by one pixel gives images without a lesion, or without a class, a useful gradient.
        if unet.out_channels == 1:
            self.task = DiceCELoss(sigmoid=True, smooth_nr=1.0, smooth_dr=1.0)
        else:
            self.task = DiceCELoss(
                softmax=True, to_onehot_y=True, include_background=False, smooth_nr=1.0, smooth_dr=1.0
            )

    def forward(
        self,
        logits: Tensor,
        mask: Tensor,
        widths: Mapping[str, tuple[Tensor, Tensor]] | None = None,
        teacher: Tensor | None = None,
    ) -> Tensor:
        """The loss.

        Args:
            logits: ``(batch, channels, height, width)``, of one channel or of one for each class.
            mask: ``(batch, 1, height, width)``, 0.0 or 1.0, or the index of each pixel's class.
            widths: Widths that are being learned; None where there are none.
            teacher: Logits of the float network on the same images; None without distillation.

        Returns:
            A 0-dimensional tensor.
        """
        loss: Tensor = self.task(logits, mask)
        if teacher is not None:
            if logits.shape[1] == 1:
                cross_entropy = functional.binary_cross_entropy_with_logits(logits, torch.sigmoid(teacher))
            else:
                cross_entropy = functional.cross_entropy(logits, torch.softmax(teacher.to(logits.dtype), dim=1))
            loss = loss + self.config.distil * cross_entropy
        if self.config.lesion:
            loss = loss + self.config.lesion * whole_image_loss(logits, mask)
        if widths is not None:
            loss = loss + self.config.bit_lambda * mean_bits(widths, self.weights) / MAX_BITS
        return loss
