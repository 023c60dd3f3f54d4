"""What ``quantunet evaluate`` scores: an integer network, or a float network that ``quantunet train`` has kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantunet import golden
from quantunet.commands import _pixel_scale
from quantunet.errors import ModelError, PixelScaleError
from quantunet.ir import Graph
from quantunet.model import class_scores, evaluation, float_network
from quantunet.model.float_network import FloatNetwork
from quantunet.pixel_codes import parse_pixel_scale
from quantunet.pixels import OWN_SCALE
from quantunet.provenance import graph_digest
from quantunet.result_folder import named_folder, network_folder
from quantunet.zoo import load_network, model_digest, network_path, zoo_names


@dataclass(frozen=True)
class Network:
    """A network that is scored.

    Attributes:
        model: As the user named it.
        graph: The integer network; None where it is a float one.
        twin: The float network; None where it is an integer one.
    """

    model: str
    graph: Graph | None
    twin: FloatNetwork | None

    @property
    def kind(self) -> str:
        """What its scores are scores of."""
        return "float" if self.graph is None else "integer"

    @property
    def name(self) -> str:
        """Its own name."""
        if self.graph is not None:
            return self.graph.name
        assert self.twin is not None
        return self.twin.name

    @property
    def title(self) -> str:
        """How the terminal names it."""
        return f"{self.model} (float)" if self.graph is None else self.model

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        if self.graph is not None:
            return self.graph.tensor(self.graph.input).shape
        assert self.twin is not None
        height, width = self.twin.size
        return height, width, self.twin.channels

    @property
    def classes(self) -> int:
        """Classes of its masks; 2 where a mask has a foreground and nothing else."""
        if self.graph is not None:
            return golden.class_count(self.graph)
        assert self.twin is not None
        return self.twin.classes

    @property
    def has_masks(self) -> bool:
        """Whether it makes masks with one foreground, of grey or RGB images."""
        one = self.classes == 2 if self.graph is None else self.graph.logits.shape[2] == 1
        return one and self.image_shape[2] in (1, 3)

    @property
    def has_square_masks(self) -> bool:
        """Whether it makes masks of square images, grey ones, or of a float network any; others are scored by class."""
        height, width, channels = self.image_shape
        return self.has_masks and height == width and (channels == 1 or self.graph is None)

    @property
    def digest(self) -> str | None:
        """The digest of its integer graph; None where it is a float network."""
        return None if self.graph is None else graph_digest(self.graph)

    def folder(self, root: Path) -> Path:
        """Return the folder of its results."""
        if self.graph is not None:
            return network_folder(root, self.graph)
        assert self.twin is not None
        return named_folder(root, self.twin.name, model_digest(self.model))

    def masks(self, images: NDArray[np.uint8], on_images: Callable[[int], None]) -> NDArray[np.bool_]:
        """Segment images; see :func:`quantunet.model.evaluation.predict_masks`."""
        if self.graph is not None:
            return evaluation.predict_masks(self.graph, images, on_images)
        assert self.twin is not None
        return self.twin.masks(images, on_images)

    def class_maps(self, images: NDArray[np.uint8], on_images: Callable[[int], None]) -> NDArray[np.int64]:
        """Return the class of each pixel.

        Args:
            images: ``(n, height, width, channels)``.
            on_images: Called with the number of images that are done.
        """
        if self.graph is not None:
            return class_scores.predict_classes(self.graph, images, on_images)
        assert self.twin is not None
        return self.twin.class_maps(images if self.twin.channels == 3 else images[..., 0], on_images)


def load(model: str) -> Network:
    """Read a network, by its name in the zoo or its file.

    Raises:
        QuantUNetError: As :func:`quantunet.zoo.load_network` and :func:`quantunet.model.float_network.load`.
    """
    path = network_path(model) if Path(model).suffix == "" else Path(model)
    if model not in zoo_names() and float_network.is_float(path):
        return Network(model, None, float_network.load(path))
    return Network(model, load_network(model), None)


def with_pixel_scale(network: Network, text: str | None) -> Network:
    """Return the network with the user's word on what a byte means.

    Raises:
        PixelScaleError: The text is no number greater than 0, or contradicts the network.
    """
    if network.graph is not None:
        return Network(network.model, _pixel_scale.apply(network.graph, text), None)
    if text is not None and parse_pixel_scale(text) != OWN_SCALE:
        raise PixelScaleError(
            network.model,
            expected=f"--pixel-scale {OWN_SCALE}, which the network's file says itself",
            got=text,
            hint="Leave --pixel-scale out.",
        )
    return network


def check_comparable(first: Network, second: Network) -> None:
    """Refuse two networks that cannot be scored on the same images and masks.

    Raises:
        ModelError: They take other images, or have another number of classes.
    """
    for what, left, right in (
        ("images", first.image_shape, second.image_shape),
        ("classes", first.classes, second.classes),
        ("masks of one class", first.has_masks, second.has_masks),
    ):
        if left != right:
            raise ModelError(
                second.model,
                expected=f"the {what} of {first.model}: {left}",
                got=str(right),
                hint="--against compares two networks on the same images and the same masks.",
            )
