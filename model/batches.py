"""The batches of a training: its parts, the order of an epoch, and images as the network takes them."""

from __future__ import annotations

import logging

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantunet.errors import TrainingError
from quantunet.model import distributed
from quantunet.model.augment import augment, to_float
from quantunet.model.classes import spelled_classes
from quantunet.model.config import TrainConfig
from quantunet.model.data import Samples, split_as
from quantunet.model.samples import check_channels

logger = logging.getLogger(__name__)


class Batches:
    """The data of one training.

    Attributes:
        config: What is trained.
        samples: The data.
        device: Where to.
        split: Indices of the three parts.
        number: Batches of an epoch.

    Raises:
        TrainingError: The images do not have the size that the preset takes, or masks have other classes, or no image
            of the training part has one of them.
        TrainingError: The training or the validation part has no lesion: there is nothing to learn, or to choose by.
        DataSplitError: The data have too few groups for the three parts.
        TrainingError: The ranks of a distributed training cannot share a batch equally.
    """

    def __init__(self, config: TrainConfig, samples: Samples, device: torch.device) -> None:
        _check_samples(config, samples)
        self.config = config
        self.samples = samples
        self.device = device
        self.split = split_as(config, samples)
        for name, indices in (("training", self.split.train), ("validation", self.split.val)):
            if not samples.masks[indices].any():
                raise TrainingError(
                    samples.source,
                    expected=f"a lesion in the {name} part",
                    got=f"{len(indices)} images whose masks are all empty",
                    hint="Choose another --seed or a larger --val-fraction."
                    if samples.masks.any()
                    else "Every mask of this data set is empty: look at the masks.",
                )
        self._check_classes()
        self.number = max(1, len(self.split.train) // config.batch_size)

    def _check_classes(self) -> None:
        """Refuse classes of which there is nothing to learn; tell of those that choose no epoch."""
        train, val = ({*np.unique(self.samples.masks[part]).tolist()} for part in (self.split.train, self.split.val))
        for index, name in enumerate(self.samples.classes):
            if index and index not in train:
                raise TrainingError(
                    self.samples.source,
                    expected=f"the class {index}, {name}, in the training part",
                    got=f"{len(self.split.train)} images without it",
                    hint="Choose another --seed, or leave the class out of the masks and of --classes.",
                )
            if index and index not in val:
                logger.warning(
                    "%s: no image of the validation part has the class %d, %s: it chooses no epoch",
                    self.samples.source,
                    index,
                    name,
                )

    def order(self, generator: torch.Generator) -> list[NDArray[np.int64]]:
        """The images of each batch of an epoch."""
        order = self.split.train[torch.randperm(len(self.split.train), generator=generator).numpy()]
        size = self.config.batch_size
        return [order[b * size : (b + 1) * size] for b in range(self.number)]

    def of(self, indices: NDArray[np.int64], generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Images and masks on the device, each ``(n, channels, height, width)`` float32.

        Args:
            indices: The images.
            generator: Draws how they are changed; None leaves them as they are.
        """
        image = to_float(torch.from_numpy(self.samples.images[indices]).to(self.device))
        mask = torch.from_numpy(self.samples.masks[indices]).to(self.device).unsqueeze(1).float()
        if generator is not None and self.config.augment:
            image, mask = augment(image, mask, generator, scanners=self.config.scanners)
        return image.contiguous(memory_format=torch.channels_last), mask


def _check_samples(config: TrainConfig, samples: Samples) -> None:
    height, width = config.unet.shape
    if samples.images.shape[1:3] != (height, width):
        raise TrainingError(samples.source, expected=f"images of {height} x {width}", got=str(samples.images.shape[1:]))
    check_channels(samples, rgb=config.unet.in_channels == 3)
    if samples.classes != config.class_names:
        raise TrainingError(
            samples.source,
            expected=f"the classes {spelled_classes(config.class_names) or 'of one foreground'}",
            got=spelled_classes(samples.classes) or "masks with one foreground",
            hint="Name the classes of the data, all of them, in the order of their values (--classes).",
        )
    if config.batch_size % distributed.ranks():
        raise TrainingError(
            "distributed training",
            expected=f"a batch size that {distributed.ranks()} processes can share",
            got=str(config.batch_size),
        )
