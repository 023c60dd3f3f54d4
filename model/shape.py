"""Shape of a U-Net, layer by layer, and the presets. No torch here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from quantunet.errors import ShapeError

Size: TypeAlias = int | tuple[int, int]
"""Height and width of images; one number for a square."""

_ADDED: Mapping[str, object] = {"width": None, "classes": 2}
"""Fields that files of before do not have, and their defaults: with these, new files do not have them either."""


def sides(size: Size) -> tuple[int, int]:
    """Return height and width.

    >>> sides(32), sides((48, 80))
    ((32, 32), (48, 80))
    """
    return size if isinstance(size, tuple) else (size, size)


@dataclass(frozen=True)
class UNetConfig:
    """Shape of a U-Net.

    Attributes:
        base: Channels of the first level; level ``l`` has ``base * 2**l``.
        depth: Number of poolings.
        size: Height of the input image, and its width where ``width`` is None; ``2**depth`` must divide it.
        in_channels: Channels of the image.
        width: Width of an image that is no square; ``2**depth`` must divide it too.
        classes: Classes that the network tells apart, the background included: one logit for two, else one for each.
    """

    base: int
    depth: int
    size: int
    in_channels: int = 1
    width: int | None = None
    classes: int = 2

    def __post_init__(self) -> None:
        if min(self.base, self.depth, *self.shape, self.in_channels) < 1 or self.classes < 2:
            raise ShapeError(
                "U-Net configuration",
                expected="base, depth, size and in_channels of at least 1, and two classes or more",
                got=f"{self.base}, {self.depth}, {'x'.join(map(str, self.shape))}, {self.in_channels}, {self.classes}",
                hint="Use one of the presets or positive numbers.",
            )
        for side in self.shape:
            if side % (1 << self.depth):
                raise ShapeError(
                    "U-Net configuration",
                    expected=f"an input size that {self.depth} poolings can halve (a multiple of {1 << self.depth})",
                    got=str(side),
                    hint="Choose a smaller depth or a size that is such a multiple.",
                )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self.size, self.size if self.width is None else self.width

    @property
    def out_channels(self) -> int:
        """Channels of the logits."""
        return 1 if self.classes == 2 else self.classes

    def to_dict(self) -> dict[str, Any]:
        """Return plain values by name, for checkpoints and cards; ``UNetConfig(**values)`` is the inverse."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if name not in _ADDED or value != _ADDED[name]}

    def channels(self, level: int) -> int:
        """Channels of level ``level`` (``depth`` is the bottleneck)."""
        return self.base << level

    def conv_layers(self) -> list[LayerShape]:
        """Every convolution of the network in the order of computation."""
        layers: list[LayerShape] = []

        def add(name: str, kernel: int, inputs: int, outputs: int, level: int) -> None:
            height, width = (side >> level for side in self.shape)
            layers.append(LayerShape(name, kernel, inputs, outputs, height, width, transpose=kernel == 2))

        previous = self.in_channels
        for level in range(self.depth + 1):
            stem, channels = "bottleneck" if level == self.depth else f"enc{level}", self.channels(level)
            add(f"{stem}_conv0", 3, previous, channels, level)
            add(f"{stem}_conv1", 3, channels, channels, level)
            previous = channels
        for level in reversed(range(self.depth)):
            channels = self.channels(level)
            add(f"up{level}", 2, 2 * channels, channels, level + 1)
            add(f"dec{level}_conv0", 3, 2 * channels, channels, level)
            add(f"dec{level}_conv1", 3, channels, channels, level)
        add("head", 1, self.base, self.out_channels, 0)
        return layers


@dataclass(frozen=True)
class LayerShape:
    """Shape of one convolution.

    Attributes:
        name: The layer's name in every room of the project.
        kernel: Kernel height and width.
        in_channels: Input channels.
        out_channels: Output channels.
        height: Height of the input.
        width: Width of the input.
        transpose: True for the 2x2 transpose convolution with stride 2.
    """

    name: str
    kernel: int
    in_channels: int
    out_channels: int
    height: int
    width: int
    transpose: bool = False

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.kernel**2 * self.in_channels * self.out_channels + self.out_channels

    @property
    def macs(self) -> int:
        """Multiplications for one image."""
        return self.height * self.width * self.kernel**2 * self.in_channels * self.out_channels


PRESETS: dict[str, UNetConfig] = {
    "paper": UNetConfig(base=64, depth=4, size=128),
    "wearable": UNetConfig(base=8, depth=4, size=128),
    "wearable16": UNetConfig(base=16, depth=4, size=128),
    "wearable32": UNetConfig(base=32, depth=4, size=128),
    "tiny": UNetConfig(base=4, depth=2, size=32),
}
