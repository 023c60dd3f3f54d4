"""The configuration dataclasses of the model room, and the presets (no torch here)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from quantunet.model import settings
from quantunet.model.classes import parse_classes
from quantunet.model.settings import Range, about
from quantunet.model.shape import PRESETS as PRESETS
from quantunet.model.shape import LayerShape as LayerShape
from quantunet.model.shape import UNetConfig as UNetConfig

PenaltyWeighting = Literal["layers", "parameters", "macs"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16"]
SplitBy = Literal["group", "image"]
WeightRange = Literal["largest", "least_error", "learned", "channels"]
Parametrisation = Literal["width", "step"]
Bits = Literal["learned", "float"] | int

MIN_BITS = 2
MAX_BITS = 8
"""The least and the greatest width that is learned."""

MAX_SEED = 2**32 - 1

_COUNT = Range(1, 1_000_000, whole=True)
_COUNT_OR_NONE = Range(0, 1_000_000, whole=True)
_RATE = Range(1e-12, 10)
_FACTOR = Range(0, 1000)
_SHARE = Range(0, 1, ends=False)

# Weights of a layer are the smaller the more inputs it has, and a step of Adam is as long whatever their size. From
# base 16 on the QAT, which has no BatchNorm, can forget the float network in its first epoch with the rate of base 8.
_QAT_LR = 1e-3
_QAT_LR_BASE = 8


SHAPE = ("base", "depth", "size")
"""What of a preset's shape a training may have otherwise."""

_LATER = ("folds", *SHAPE, "rgb", "classes")
"""Settings that checkpoints of before do not have; those that are not given are left out of new ones too."""


@dataclass(frozen=True)
class LossConfig:
    """The terms of the loss beside those of the task: see :class:`quantunet.model.loss.SegmentationLoss`.

    A further option of the loss is one further field: command line, sweeps, cards, checkpoints and results take it from
    here. The fields say themselves what they are.

    Raises:
        TrainingError: A value is out of range.
    """

    bit_lambda: float = field(
        default=0.25,
        metadata=about(
            "factor of the bit-width term of the loss", _FACTOR, spelled="lambda", phase="qat", widths="learned"
        ),
    )
    bit_weighting: PenaltyWeighting = field(
        default="layers",
        metadata=about(
            "weighting of the layers in the mean bit-width", spelled="weighting", phase="qat", widths="learned"
        ),
    )
    target_bits: float | None = field(
        default=None,
        metadata=about(
            "mean bit-width, so weighted, at which learned widths end, whatever lambda and the number of steps",
            Range(MIN_BITS, MAX_BITS),
            phase="qat",
            widths="learned",
        ),
    )
    distil: float = field(
        default=1.0,
        metadata=about(
            "factor of the cross-entropy with the float network's probabilities, after the float phase; 0 for none",
            _FACTOR,
            phase="qat",
        ),
    )
    lesion: float = field(
        default=0.0,
        metadata=about(
            "factor of the cross-entropy of each image as a whole, whose logit is the mean of its 64 greatest: is "
            "there a lesion?",
            _FACTOR,
        ),
    )

    def __post_init__(self) -> None:
        settings.check(self)


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides the outcome of one training run. The fields say themselves what they are.

    Attributes:
        unet: The shape that ``preset`` names, but for what ``base``, ``depth``, ``size`` and ``rgb`` say.

    Raises:
        TrainingError: A value is out of range, or has no meaning together with another.
        ShapeError: The poolings cannot halve the size.
        OptionError: The names of classes are none.
    """

    preset: str = field(metadata=about("shape of the network"))
    seed: int = field(
        default=0,
        metadata=about(
            "seed of the split, the initial weights, the order of images and the augmentation",
            Range(0, MAX_SEED, whole=True),
        ),
    )
    float_epochs: int = field(
        default=40,
        metadata=about(
            "epochs of the float warm start; with 0 the quantised network begins at random weights, without BatchNorm",
            _COUNT_OR_NONE,
        ),
    )
    qat_epochs: int = field(default=20, metadata=about("epochs with learned bit-widths", _COUNT, phase="qat"))
    tune_epochs: int = field(
        default=8, metadata=about("epochs with frozen bit-widths; 0 for none", _COUNT_OR_NONE, phase="tune")
    )
    still_epochs: int = field(
        default=0,
        metadata=about(
            "epochs at the beginning of QAT in which learned widths stay at 8 bits",
            _COUNT_OR_NONE,
            phase="qat",
            widths="learned",
        ),
    )
    calibration_batches: int = field(
        default=20, metadata=about("batches that set the activation scales before the QAT", _COUNT, phase="qat")
    )
    batch_size: int = field(default=16, metadata=about("images in a batch", _COUNT))
    float_lr: float = field(
        default=4e-3, metadata=about("peak learning rate of the warm start, which is one cycle", _RATE)
    )
    qat_lr: float | None = field(
        default=None,
        metadata=about(
            f"learning rate of the QAT, at first; cosine to a twentieth; by default {_QAT_LR:g}, and where the first "
            f"level has more than {_QAT_LR_BASE} channels {_QAT_LR_BASE * _QAT_LR:g} over their number",
            _RATE,
            phase="qat",
        ),
    )
    tune_lr: float | None = field(
        default=None,
        metadata=about(
            "learning rate of the fine-tuning, at first; cosine to a twentieth; by default half of the QAT's default",
            _RATE,
            phase="tune",
        ),
    )
    width_lr: float = field(
        default=2e-2,
        metadata=about(
            "learning rate of the bit-widths, a group of their own; with target bits the steps set it",
            _RATE,
            phase="qat",
        ),
    )
    weight_range: WeightRange = field(
        default="largest",
        metadata=about(
            "power of two up to which a tensor of weights reaches: that of its largest weight, that of the least "
            "squared error, found anew in every step, a learned one, or a learned one for each output channel",
            phase="qat",
            widths="quantised",
        ),
    )
    range_lr: float | None = field(
        default=None,
        metadata=about(
            "learning rate of learned ranges, of activations and where learned of weights; by default that of the "
            "weights",
            _RATE,
            phase="qat",
            widths="quantised",
        ),
    )
    parametrisation: Parametrisation = field(
        default="width",
        metadata=about(
            "what of a quantizer is learned beside its range: its width, or its step, from which the width follows",
            phase="qat",
            widths="learned",
        ),
    )
    equalise: bool = field(
        default=False,
        metadata=about(
            "before the QAT, balance the channels' ranges by powers of two: the float network computes the same",
            phase="qat",
            widths="quantised",
        ),
    )
    tune_average: float = field(
        default=0.99,
        metadata=about(
            "decay of the running average of the weights in the fine-tuning, once it has warmed up",
            Range(0, 0.999999),
            phase="tune",
        ),
    )
    weight_decay: float = field(
        default=1e-4, metadata=about("weight decay of the weights, not of biases, scales or widths", Range(0, 1))
    )
    loss: LossConfig = LossConfig()
    patience: int = field(
        default=15,
        metadata=about(
            "epochs without a better validation Dice before a phase ends; 0 for none, and QAT has none", _COUNT_OR_NONE
        ),
    )
    bits: Bits = field(
        default="learned",
        metadata=about(
            f"learned; a number from {MIN_BITS} to {MAX_BITS}, the width of every tensor; or float, a control that "
            "goes through all phases",
            Range(MIN_BITS, MAX_BITS, whole=True),
            phase="qat",
        ),
    )
    descent_epochs: int = field(
        default=0,
        metadata=about(
            "with --bits of a number: epochs of QAT in which the width comes down from 8, as learned ones do",
            _COUNT_OR_NONE,
            phase="qat",
            widths="given",
        ),
    )
    split_by: SplitBy = field(
        default="group", metadata=about("split by group, or by image to show what near duplicates leak")
    )
    val_fraction: float = field(
        default=0.15, metadata=about("share of the groups for validation, which selects the best epoch", _SHARE)
    )
    test_fraction: float = field(
        default=0.15, metadata=about("share of the groups for the test, which is only reported on", _SHARE)
    )
    augment: bool = field(
        default=True, metadata=about("no augmentation: no flips, shifts, scaling, rotation and change of gamma")
    )
    scanners: bool = field(
        default=False,
        metadata=about(
            "show half of the images as another scanner would: gain over the depth, speckle, resolution, callipers"
        ),
    )
    fold: int | None = field(
        default=None,
        metadata=about(
            "fold that is the test part, of a data set that says the fold of each image; validation is drawn from the "
            "other folds",
            Range(0, 1_000_000, whole=True),
        ),
    )
    folds: int | None = field(
        default=None,
        metadata=about(
            "deal the groups into so many folds and train on each in turn, or on --fold alone; folds that the data say "
            "themselves are taken",
            Range(2, 1000, whole=True),
        ),
    )
    base: int | None = field(
        default=None, metadata=about("channels of the first level, instead of the preset's", Range(1, 1024, whole=True))
    )
    depth: int | None = field(
        default=None, metadata=about("number of poolings, instead of the preset's", Range(1, 10, whole=True))
    )
    size: int | tuple[int, int] | None = field(
        default=None,
        metadata=about(
            "height and width of the images, instead of the preset's; one number for a square",
            Range(8, 4096, whole=True),
        ),
    )
    rgb: bool = field(default=False, metadata=about("train on colour: three channels, and no gray"))
    classes: str | None = field(
        default=None,
        metadata=about(
            "names of the classes where masks hold several, in the order of their values from 0, the background, with "
            "commas between: background,liver,tumour; without them a mask has one foreground"
        ),
    )
    unet: UNetConfig = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.preset, str) or self.preset not in PRESETS:
            raise settings.error(self, "preset", f"one of {', '.join(PRESETS)}")
        settings.check(self)
        if self.val_fraction + self.test_fraction >= 1:
            left = f"less than what --val-fraction {self.val_fraction} leaves to train on"
            raise settings.error(self, "test_fraction", left)
        if self.scanners and not self.augment:
            raise settings.error(self, "scanners", "none without augmentation, of which it is a part")
        longest = self.qat_epochs - 1 if isinstance(self.bits, int) else 0
        if self.descent_epochs > longest:
            raise settings.error(
                self,
                "descent_epochs",
                f"0 to {longest}, with bits {self.bits}",
                "A width that is given comes down before the last epoch of QAT; learned ones need no descent.",
            )
        if self.still_epochs >= self.qat_epochs:
            raise settings.error(self, "still_epochs", f"0 to {self.qat_epochs - 1}, or no width is learned")
        if not self.float_epochs and self.loss.distil:
            raise settings.error(self, "distil", "0 without a float phase, for no network has learned what it teaches")
        if not self.float_epochs and self.bits == "float":
            raise settings.error(self, "float_epochs", "at least 1 with bits float, whose first phase this is")
        if self.parametrisation == "step" and (self.bits != "learned" or self.weight_range != "learned"):
            raise settings.error(
                self, "parametrisation", "width, unless widths and the ranges of weights are learned (--weight-range)"
            )
        self._check_target()
        if self.rgb and self.scanners:
            raise settings.error(self, "scanners", "none with rgb: other scanners are known of gray pictures alone")
        if isinstance(self.size, tuple) and self.size[0] == self.size[1]:
            object.__setattr__(self, "size", self.size[0])  # one spelling of a square: one training, one name
        shape = {name: value for name in ("base", "depth") if (value := getattr(self, name)) is not None}
        if self.size is not None:
            height, width = self.size if isinstance(self.size, tuple) else (self.size, None)
            shape |= {"size": height, "width": width}
        shape |= {"in_channels": 3} if self.rgb else {}
        shape |= {"classes": len(self.class_names)} if self.classes is not None else {}
        if self.classes is not None and self.loss.lesion:
            raise settings.error(
                self, "lesion", "0 with several classes: its question is whether an image has a lesion, of one kind"
            )
        object.__setattr__(self, "unet", dataclasses.replace(PRESETS[self.preset], **shape))

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in the order of their values, the background first; empty with one foreground.

        Raises:
            OptionError: They are no such names.
        """
        return () if self.classes is None else parse_classes(self.classes)

    def _check_target(self) -> None:
        """Check that target bits have a meaning, where they are given."""
        if self.loss.target_bits is None:
            return
        if self.bits != "learned":
            raise settings.error(
                self,
                "target_bits",
                f"none with bits {self.bits}, for it is where learned widths end",
                "A width that is the same everywhere is given as bits alone.",
            )
        if self.width_lr != TrainConfig.width_lr:
            raise settings.error(
                self,
                "width_lr",
                f"the learning rate of the widths left at {TrainConfig.width_lr:g}, with target bits",
                "It then follows from the number of steps, so that widths can part in few of them.",
            )

    def width_in(self, epoch: int) -> int:
        """The width of every tensor in an epoch of QAT, counted from 0, where widths are not learned.

        >>> [TrainConfig("tiny", bits=4, descent_epochs=4).width_in(epoch) for epoch in range(6)]
        [8, 7, 6, 5, 4, 4]
        """
        assert isinstance(self.bits, int)
        left = max(0.0, 1 - epoch / self.descent_epochs) if self.descent_epochs else 0.0
        return self.bits + round((MAX_BITS - self.bits) * left)

    def learning_rate(self, phase: Literal["float", "qat", "tune"]) -> float:
        """The learning rate of a phase, at first.

        >>> wide, narrow = TrainConfig("paper", tune_lr=1e-5), TrainConfig("wearable16")
        >>> [(config.learning_rate("qat"), config.learning_rate("tune")) for config in (wide, narrow)]
        [(0.000125, 1e-05), (0.0005, 0.00025)]
        """
        if phase == "float":
            return self.float_lr
        given = self.qat_lr if phase == "qat" else self.tune_lr
        usual = _QAT_LR * min(1, _QAT_LR_BASE / self.unet.base)
        return given if given is not None else usual if phase == "qat" else usual / 2

    def changed(self, **values: Any) -> TrainConfig:
        """The configuration with other values, those of the loss among them.

        >>> TrainConfig("tiny").changed(seed=3, distil=0.0).loss.distil
        0.0

        Raises:
            TypeError: A name is that of no field.
            TrainingError: A value is out of range.
        """
        return settings.build(type(self), settings.values_of(self) | values)

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain values by name, for checkpoints and the model card; ``unet`` is a mapping.

        What of the shape is the preset's is left out, for ``unet`` says it.
        """
        values = settings.values_of(self)
        given = {name: value for name, value in values.items() if name not in _LATER or value not in (None, False)}
        return given | {"unet": self.unet.to_dict()}


RECIPES: Mapping[str, Mapping[str, Any]] = {
    "paper": {"float_epochs": 0, "qat_epochs": 60, "tune_epochs": 0, "distil": 0.0, "split_by": "image"},
}
"""Values by the name of a recipe: ``paper`` is the training of arXiv 2503.08719.

That is one session of QAT from random weights, without BatchNorm and without a float network, widths of 2 to 8 bits
that begin at 8, a loss of BCE, Dice and 0.25 of the mean width over 8, images split at random. Epochs and learning
rates are the project's.
"""
