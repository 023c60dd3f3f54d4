"""Read model cards: what ``quantunet train`` wrote beside a QONNX file. No torch here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from quantunet.errors import FileFormatError, StorageError
from quantunet.model.config import SplitBy

Scores = Mapping[str, float | None]


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
        image_size: Height and width of an image.
        parameters: Weights and biases.
        mean_bits: Mean width over the layers.
        packed_bytes: All weights and biases at their widths.
        ratio: How many times smaller that is than float32.
        float_scores: Scores of the float network, for each part.
        quantised_scores: Scores of the integer network, for each part.
        model_sha256: Digest of the network's file; None where the card does not say it.
        graph_sha256: Digest of its integer graph; likewise.
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

    def check_network(self, path: Path, model_sha256: str | None, graph_sha256: str) -> None:
        """Check that the card is about a network: about its file, or about the same graph in another file.

        Args:
            path: The card's file.
            model_sha256: Digest of the network's file.
            graph_sha256: Digest of its integer graph.

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


def read_card(path: Path) -> Card:
    """Read a card.

    Args:
        path: The JSON file.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is damaged, or no card.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content["data"]["split_by"] not in get_args(SplitBy):
            raise ValueError(f"split_by {content['data']['split_by']!r}")  # noqa: TRY003, TRY301
        data, config, size = content["data"], content["training"]["config"], content["size"]
        digests = content.get("provenance", {}).get("sha256", {})
        return Card(
            source=data["source"],
            split_by=data["split_by"],
            counts=data["parts"],
            seed=config["seed"],
            val_fraction=config["val_fraction"],
            test_fraction=config["test_fraction"],
            image_size=content["unet"]["size"],
            parameters=size["parameters"],
            mean_bits=content["bits"]["mean"]["layers"],
            packed_bytes=size["packed_bytes"],
            ratio=size["ratio"],
            float_scores=content["scores"]["float"],
            quantised_scores=content["scores"]["quantised"],
            model_sha256=digests.get("model"),
            graph_sha256=digests.get("graph"),
        )
    except OSError as error:
        raise StorageError(str(path), expected="a readable model card", got=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        got = f"no entry {error}" if isinstance(error, KeyError) else str(error)
        raise FileFormatError(str(path), expected="a model card of `quantunet train`", got=got) from error
