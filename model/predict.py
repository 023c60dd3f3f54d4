"""Masks of networks in torch."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from quantunet.model.augment import to_float
from quantunet.model.unet import UNet

Masks: TypeAlias = NDArray[np.bool_] | NDArray[np.uint8]
"""Masks of one foreground, or the class of each pixel."""


@torch.no_grad()
def predict(model: UNet, images: NDArray[np.uint8], batch_size: int = 16) -> Masks:
    """Masks or classes of a float or quantised network, in evaluation mode.

    Args:
        model: The network.
        images: ``(n, height, width)`` uint8, or with three channels behind.
        batch_size: Images at once.

    Returns:
        ``(n, height, width)``: of one logit bool, logit >= 0; of several uint8, the first of the greatest.
    """
    model.eval()
    device = next(model.parameters()).device
    masks = []
    for i in range(0, len(images), batch_size):
        logits = model(to_float(torch.from_numpy(images[i : i + batch_size]).to(device)))
        if logits.shape[1] == 1:
            masks.append((logits >= 0).squeeze(1).cpu().numpy())
        else:
            masks.append(logits.argmax(dim=1).to(torch.uint8).cpu().numpy())
    return np.concatenate(masks)
