"""Read model cards: what ``quantunet train`` wrote beside a QONNX file. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from quantunet.documents import Fields, read_json
from quantunet.errors import FileFormatError
from quantunet.golden.pictures import FITS, RULE, Fit
from quantunet.model.config import SplitBy

Scores = Mapping[str, float | None]

NEEDED_PARTS = ("val", "test")
"""Parts whose scores every card has."""

NEEDED_SCORES = ("dice", "iou", "accuracy")
"""Scores that every part has."""

COUNTS = frozenset({"images", "lesion_images", "clean_normals", "lesions_missed"})
"""Scores that are whole numbers, of images."""

INTEGER, FLOAT = "integer", "float"
"""What a card's ``network`` is; a card that does not say it is that of an integer one."""

_MOST = 1 << 53


@dataclass(frozen=True)
class Card:
    """What a card says, as far as a reader needs it.

    Attributes:
        source: Name of the data set.
        split_by: What stayed on one side of the split: a ``group``, or an ``image``.
        counts: For each part (``train``, ``val``, ``test``) its images, groups and images with a lesion.
        seed: Seed of the split, and of all else.
        val_fraction: Share of the groups in the validation part.
        test_fraction: Share of the groups in the test part.
        image_size: Height and width of an image; the height alone where ``image_width`` is there.
        parameters: Weights and biases.
        mean_bits: Mean width over the layers.
        packed_bytes: All weights and biases at their widths.
        ratio: How many times smaller that is than float32.
        float_scores: Scores of the float network, for each part.
        quantised_scores: Scores of the integer network, for each part; empty in the card of a float network.
        model_sha256: Digest of the network's file; None where the card does not say it.
        graph_sha256: Digest of its integer graph; likewise.
        fold: The fold that was the test part; None where it was drawn.
        folds: How many folds were dealt; None where none were.
        fit: How pictures get to the network's size, by the rule of :mod:`quantunet.golden.pictures`; None where the
            card does not say it.
        smallest_area: Of the network's masks, those with fewer foreground pixels are empty, and the scores are those
            before; None where it keeps all of them.
        image_width: Width of an image that is no square.
        classes: Names of the classes in the order of their indices, the background first; empty with one foreground.
        authors: Who made the network; None where the card does not say it, as with all that follows.
        license: Of the network: an SPDX expression, or a sentence.
        data_license: Of the data, likewise.
        citation: Of the data.
    """

    source: str
    split_by: SplitBy
    counts: Mapping[str, Mapping[str, int]]
    seed: int
    val_fraction: float
    test_fraction: float
    image_size: int
    parameters: int
    mean_bits: float
    packed_bytes: int
    ratio: float
    float_scores: Mapping[str, Scores]
    quantised_scores: Mapping[str, Scores]
    model_sha256: str | None = None
    graph_sha256: str | None = None
    fold: int | None = None
    folds: int | None = None
    fit: Fit | None = None
    smallest_area: int | None = None
    image_width: int | None = None
    classes: tuple[str, ...] = ()
    authors: str | None = None
    license: str | None = None
    data_license: str | None = None
    citation: str | None = None

    @property
    def own_scores(self) -> Mapping[str, Scores]:
        """Scores of the network that the card is about, for each part."""
        return self.quantised_scores or self.float_scores

    def check_network(self, path: Path, model_sha256: str | None, graph_sha256: str | None) -> None:
        """Check that the card is about a network: about its file, or about the same graph in another file.

        Args:
            path: The card's file.
            model_sha256: Digest of the network's file.
            graph_sha256: Digest of its integer graph; None where it is a float network.

        Raises:
            FileFormatError: It is about another one. A card that does not say which is taken for this network's.
        """
        said = {self.model_sha256, self.graph_sha256} - {None}
        if said and not said & {model_sha256, graph_sha256}:
            raise FileFormatError(
                str(path),
                expected=f"the card of the network beside it (SHA-256 {model_sha256 or graph_sha256})",
                got=f"the card of another one ({self.model_sha256 or self.graph_sha256})",
                hint="One of the two files was replaced: copy both again, or remove the card.",
            )

    def check_classes(self, path: Path, classes: int) -> None:
        """Check that the card names as many classes as the network has, if it names any.

        Args:
            path: The card's file.
            classes: Of the network; 2 with one foreground, whose card names none.

        Raises:
            FileFormatError: It names more or fewer.
        """
        if self.classes and len(self.classes) != classes:
            raise FileFormatError(
                f"{path}, key 'classes'",
                expected=f"names of {classes} classes, those of the network beside it",
                got=f"{len(self.classes)}: {', '.join(self.classes)}",
                hint="Correct the card, or take the key out of it.",
            )


def read_card(path: Path) -> Card:
    """Read a card.

    Args:
        path: The JSON file.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is damaged, or no card.
    """
    # A card says more than is read here, so that keys nobody takes are no error.
    what = "a model card of `quantunet train`"
    content = Fields(read_json(path, what), str(path), what=what)
    data, training, size, scores = (content.table(key) for key in ("data", "training", "size", "scores"))
    config, parts, unet = training.table("config"), data.table("parts"), content.table("unet")
    digests = _digests(content)
    is_float = "network" in content and content.choice("network", (INTEGER, FLOAT)) == FLOAT
    return Card(
        source=data.text("source"),
        split_by=data.choice("split_by", get_args(SplitBy)),
        counts={part: _counts(parts.table(part)) for part in parts},
        seed=config.whole("seed", 0, _MOST),
        val_fraction=config.number("val_fraction", 0, 1),
        test_fraction=config.number("test_fraction", 0, 1),
        image_size=unet.whole("size", 1, _MOST),
        parameters=size.whole("parameters", 1, _MOST),
        mean_bits=content.table("bits").table("mean").number("layers", 0, 64),
        packed_bytes=size.whole("packed_bytes", 1, _MOST),
        ratio=size.number("ratio", 0, _MOST),
        float_scores=_scores(scores.table("float")),
        quantised_scores={} if is_float else _scores(scores.table("quantised")),
        model_sha256=digests.get("model"),
        graph_sha256=digests.get("graph"),
        # A card of an earlier version has no such key, and drew its test part.
        fold=config.whole_or_none("fold", 0, _MOST) if "fold" in config else None,
        folds=config.whole_or_none("folds", 2, _MOST) if "folds" in config else None,
        fit=_fit(content.table("picture")) if "picture" in content else None,
        smallest_area=content.whole("smallest_area", 1, _MOST) if "smallest_area" in content else None,
        image_width=unet.whole("width", 1, _MOST) if "width" in unet else None,
        classes=tuple(content.texts("classes")) if "classes" in content else (),
        authors=_said(content, "authors"),
        license=_said(content, "license"),
        data_license=_said(data, "license"),
        citation=_said(data, "citation"),
    )


def picture_entry(fit: Fit) -> dict[str, str]:
    """What a card says, under ``picture``, of how pictures get to the network's size."""
    return {"fit": fit, "rule": RULE}


def _fit(picture: Fields) -> Fit:
    picture.choice("rule", (RULE,))
    return picture.choice("fit", FITS)


def _said(table: Fields, key: str) -> str | None:
    return table.text(key) if key in table else None


def _digests(content: Fields) -> dict[str, str | None]:
    """What the card says that it is about; a card of an earlier version says nothing."""
    if "provenance" not in content:
        return {}
    digests = content.table("provenance").table("sha256")
    return {key: digests.text_or_none(key) for key in ("model", "graph") if key in digests}


def _counts(part: Fields) -> dict[str, int]:
    return {key: part.whole(key, 0, _MOST) for key in part}


def _scores(parts: Fields) -> dict[str, Scores]:
    found: dict[str, Scores] = {}
    for part in dict.fromkeys((*NEEDED_PARTS, *parts)):
        table = parts.table(part)
        found[part] = {
            key: table.whole_or_none(key, 0, _MOST) if key in COUNTS else table.number_or_none(key, 0, _MOST)
            for key in dict.fromkeys((*NEEDED_SCORES, *table))
        }
    return found
