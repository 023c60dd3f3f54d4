"""The two configuration dataclasses of the model room, and the presets (no torch here)."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from quantunet.errors import ShapeError, TrainingError

PenaltyWeighting = Literal["layers", "parameters", "macs"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16"]
SplitBy = Literal["group", "image"]
Bits = Literal["learned", "float"] | int

MIN_BITS = 2
MAX_BITS = 8
"""The least and the greatest width that is learned."""

MAX_SEED = 2**32 - 1

_SPELLED = {"bit_lambda": "lambda", "bit_weighting": "weighting"}


def option(name: str) -> str:
    """The option of ``quantunet train`` that sets a field of :class:`TrainConfig`.

    >>> option("bit_lambda"), option("float_lr")
    ('--lambda', '--float-lr')
    """
    return f"--{_SPELLED.get(name, name).replace('_', '-')}"


@dataclass(frozen=True)
class _Range:
    """What a number of the configuration may be."""

    least: float
    most: float
    whole: bool = False
    ends: bool = True  # whether the two ends belong to it

    def holds(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        return self.least <= value <= self.most if self.ends else self.least < value < self.most

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return (
            f"{kind} {'from' if self.ends else 'between'} {self.least:g} {'to' if self.ends else 'and'} {self.most:g}"
        )


_COUNT = _Range(1, 1_000_000, whole=True)
_RATE = _Range(1e-12, 10)
_FACTOR = _Range(0, 1000)
_RANGES = {
    "seed": _Range(0, MAX_SEED, whole=True),
    "float_epochs": _COUNT,
    "qat_epochs": _COUNT,
    "tune_epochs": _COUNT,
    "calibration_batches": _COUNT,
    "batch_size": _COUNT,
    "float_lr": _RATE,
    "qat_lr": _RATE,
    "tune_lr": _RATE,
    "width_lr": _RATE,
    "tune_average": _Range(0, 0.999999),
    "weight_decay": _Range(0, 1),
    "bit_lambda": _FACTOR,
    "distil": _FACTOR,
    "patience": _Range(0, 1_000_000, whole=True),
    "descent_epochs": _Range(0, 1_000_000, whole=True),
    "val_fraction": _Range(0, 1, ends=False),
    "test_fraction": _Range(0, 1, ends=False),
}
"""Every numeric field of :class:`TrainConfig`."""


@dataclass(frozen=True)
class UNetConfig:
    """Shape of a U-Net.

    Args:
        base: Channels of the first level; level ``l`` has ``base * 2**l``.
        depth: Number of poolings.
        size: Height and width of the input image; ``2**depth`` must divide it.
        in_channels: Channels of the image.
    """

    base: int
    depth: int
    size: int
    in_channels: int = 1

    def __post_init__(self) -> None:
        if min(self.base, self.depth, self.size, self.in_channels) < 1:
            raise ShapeError(
                "U-Net configuration",
                expected="base, depth, size and in_channels of at least 1",
                got=f"{self.base}, {self.depth}, {self.size}, {self.in_channels}",
                hint="Use one of the presets or positive numbers.",
            )
        if self.size % (1 << self.depth):
            raise ShapeError(
                "U-Net configuration",
                expected=f"an input size that {self.depth} poolings can halve (a multiple of {1 << self.depth})",
                got=str(self.size),
                hint="Choose a smaller depth or a size that is such a multiple.",
            )

    def channels(self, level: int) -> int:
        """Channels of level ``level`` (``depth`` is the bottleneck)."""
        return self.base << level

    def conv_layers(self) -> list[LayerShape]:
        """Every convolution of the network in the order of computation."""
        layers: list[LayerShape] = []
        previous = self.in_channels
        for level in range(self.depth + 1):
            stem = "bottleneck" if level == self.depth else f"enc{level}"
            side, channels = self.size >> level, self.channels(level)
            layers.append(LayerShape(f"{stem}_conv0", 3, previous, channels, side))
            layers.append(LayerShape(f"{stem}_conv1", 3, channels, channels, side))
            previous = channels
        for level in reversed(range(self.depth)):
            side, channels = self.size >> level, self.channels(level)
            layers.append(LayerShape(f"up{level}", 2, 2 * channels, channels, side // 2, transpose=True))
            layers.append(LayerShape(f"dec{level}_conv0", 3, 2 * channels, channels, side))
            layers.append(LayerShape(f"dec{level}_conv1", 3, channels, channels, side))
        layers.append(LayerShape("head", 1, self.base, 1, self.size))
        return layers


@dataclass(frozen=True)
class LayerShape:
    """Shape of one convolution.

    Args:
        name: The layer's name in every room of the project.
        kernel: Kernel height and width.
        in_channels: Input channels.
        out_channels: Output channels.
        side: Height and width of the input.
        transpose: True for the 2x2 transpose convolution with stride 2.
    """

    name: str
    kernel: int
    in_channels: int
    out_channels: int
    side: int
    transpose: bool = False

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.kernel**2 * self.in_channels * self.out_channels + self.out_channels

    @property
    def macs(self) -> int:
        """Multiplications for one image."""
        return self.side**2 * self.kernel**2 * self.in_channels * self.out_channels


PRESETS: dict[str, UNetConfig] = {
    "paper": UNetConfig(base=64, depth=4, size=128),
    "wearable": UNetConfig(base=8, depth=4, size=128),
    "wearable16": UNetConfig(base=16, depth=4, size=128),
    "tiny": UNetConfig(base=4, depth=2, size=32),
}


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides the outcome of one training run.

    Args:
        preset: Key of ``PRESETS``.
        seed: Seed of the split, the initial weights, the order of images and the augmentation.
        float_epochs: Epochs of the float warm start.
        qat_epochs: Epochs with learned bit-widths.
        tune_epochs: Epochs with frozen bit-widths.
        calibration_batches: Batches that set the activation scales before the first QAT step.
        batch_size: Images in a batch.
        float_lr: Peak learning rate of the warm start (one cycle).
        qat_lr: First learning rate of QAT (cosine to a twentieth).
        tune_lr: First learning rate of the fine-tuning (cosine to a twentieth).
        width_lr: Learning rate of the bit-widths' own Adam group; ``target_bits`` sets it by the steps.
        tune_average: Decay of the running average of the weights in the fine-tuning, once it has warmed up.
        weight_decay: Weight decay of the weights (not of biases, scales or widths).
        bit_lambda: Factor of the bit-width term of the loss.
        bit_weighting: How the mean over the layers' widths is weighted.
        target_bits: The mean, so weighted, at which learned widths end, whatever the number of steps; None leaves it to
            ``bit_lambda`` and the steps.
        patience: Epochs without a better validation Dice before a phase ends; 0 turns early stopping off.
        bits: ``learned``; or a number from 2 to 8, the width of every weight and activation, which is then not learned;
            or ``float``, where the float network goes on through all phases, as a control.
        descent_epochs: Epochs of QAT in which a width that is not learned comes down from 8, as learned ones do; with
            0 it is there from the beginning.
        distil: Factor of a further term of the loss after the float phase, the cross-entropy with the probabilities of
            the float network; 0 for none.
        split_by: ``group`` keeps near duplicates in one part; ``image`` does not, and is there to show what leaks.
        val_fraction: Share of the groups that selects the best epoch.
        test_fraction: Share of the groups that is only reported on.
        augment: Whether to flip, shift, scale, rotate and change gamma while training.
    """

    preset: str
    seed: int = 0
    float_epochs: int = 40
    qat_epochs: int = 20
    tune_epochs: int = 8
    calibration_batches: int = 20
    batch_size: int = 16
    float_lr: float = 4e-3
    qat_lr: float = 1e-3
    tune_lr: float = 5e-4
    width_lr: float = 2e-2
    tune_average: float = 0.99
    weight_decay: float = 1e-4
    bit_lambda: float = 0.25
    bit_weighting: PenaltyWeighting = "layers"
    target_bits: float | None = None
    patience: int = 15
    bits: Bits = "learned"
    descent_epochs: int = 0
    distil: float = 1.0
    split_by: SplitBy = "group"
    val_fraction: float = 0.15
    test_fraction: float = 0.15
    augment: bool = True
    unet: UNetConfig = field(init=False)

    def __post_init__(self) -> None:
        self._check_choice("preset", PRESETS)
        self._check_choice("bit_weighting", get_args(PenaltyWeighting))
        self._check_choice("split_by", get_args(SplitBy))
        self._check_choice("augment", (True, False))
        if type(self.bits) not in (int, str) or self.bits not in {"learned", "float", *range(MIN_BITS, MAX_BITS + 1)}:
            raise self._error("bits", f"learned, float, or a width from {MIN_BITS} to {MAX_BITS}")
        for name, allowed in _RANGES.items():
            if not allowed.holds(getattr(self, name)):
                raise self._error(name, str(allowed))
        if self.val_fraction + self.test_fraction >= 1:
            raise self._error("test_fraction", f"less than what --val-fraction {self.val_fraction} leaves to train on")
        longest = self.qat_epochs - 1 if isinstance(self.bits, int) else 0
        if self.descent_epochs > longest:
            raise self._error(
                "descent_epochs",
                f"0 to {longest}, with bits {self.bits}",
                "A width that is given comes down before the last epoch of QAT; learned ones need no descent.",
            )
        self._check_target()
        object.__setattr__(self, "unet", PRESETS[self.preset])

    def _check_target(self) -> None:
        """Check what widths shall end with, where that is given."""
        if self.target_bits is None:
            return
        if self.bits != "learned" or not _Range(MIN_BITS, MAX_BITS).holds(self.target_bits):
            raise self._error(
                "target_bits",
                f"target bits from {MIN_BITS} to {MAX_BITS}, with bits that are learned, not {self.bits}",
                "A width that is the same everywhere is given as bits alone.",
            )
        if self.width_lr != TrainConfig.width_lr:
            raise self._error(
                "width_lr",
                f"the learning rate of the widths left at {TrainConfig.width_lr:g}, with target bits",
                "It then follows from the number of steps, so that widths can part in few of them.",
            )

    def _check_choice(self, name: str, choices: Collection[object]) -> None:
        value = getattr(self, name)
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise self._error(name, f"one of {', '.join(map(str, choices))}")

    def _error(self, name: str, expected: str, hint: str = "") -> TrainingError:
        where = f"training configuration, {name} ({option(name)})"
        return TrainingError(where, expected=expected, got=str(getattr(self, name)), hint=hint)

    def width_in(self, epoch: int) -> int:
        """The width of every tensor in an epoch of QAT, counted from 0, where widths are not learned.

        >>> [TrainConfig("tiny", bits=4, descent_epochs=4).width_in(epoch) for epoch in range(6)]
        [8, 7, 6, 5, 4, 4]
        """
        assert isinstance(self.bits, int)
        left = max(0.0, 1 - epoch / self.descent_epochs) if self.descent_epochs else 0.0
        return self.bits + round((MAX_BITS - self.bits) * left)

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain values, for checkpoints and the model card."""
        return dataclasses.asdict(self)
