"""What ``quantunet evaluate`` takes from the card of a network: its split, its scores, what it was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet.commands import _card
from quantunet.commands._evaluate_network import Network
from quantunet.commands._predict_network import choose_fit
from quantunet.errors import DataSplitError
from quantunet.golden.pictures import Fit
from quantunet.model import evaluation, own_folder, own_set
from quantunet.model.card_file import Card
from quantunet.model.data import JOINED, Samples, Split


def card_of(network: Network, *, needed: bool) -> Card | None:
    """Return the network's card; where it is not needed, one that is damaged or of another network is left alone."""
    return _card.beside(network.model, network.digest, network.classes, needed=needed)


def fit_of(card: Card | None, source: str, asked: Fit | None, where: str) -> Fit | None:
    """Return how pictures of one's own get to the network's size; what was made before has its way behind it."""
    if not own_folder.is_own(Path(source)):
        return asked
    return choose_fit(card, asked, where) or own_set.FIT


def split_of(card: Card | None, samples: Samples, *, needed: bool) -> Split | None:
    """Return the split of the training; None where these are not its data and no part of them is asked for."""
    if card is None:
        return None
    try:
        return evaluation.card_split(card, samples)
    except DataSplitError:
        if needed:
            raise
        return None


def parts_of(split: Split | None) -> dict[str, NDArray[np.int64]]:
    """Return the parts of a split by name; none where there is none."""
    return {} if split is None else split.parts()


def card_scores(card: Card | None, split: Split | None, part: str) -> dict[str, Any] | None:
    """Return what the card says of a part; for data that it was not made with, of its test part."""
    if card is None or (split is not None and part not in card.own_scores):
        return None
    shown = part if split is not None else "test"
    same = split is not None
    return {
        "data": card.source,
        "same_data": same,
        "part": shown,
        "every_area": card.smallest_area is not None,
        "scores": card.own_scores[shown],
    }


def training_images(
    card: Card | None, split: Split | None, samples: Samples, indices: NDArray[np.int64]
) -> tuple[int | None, str]:
    """Return how many of the images the network was trained on, None if that is unknown, and a sentence about it."""
    if card is None:
        return None, "no model card: whether the network was trained on some of these images is unknown"
    if split is not None:
        count = len(np.intersect1d(split.train, indices))
        if not count:
            return 0, "the network was trained on none of these images"
        return count, (
            f"the network was trained on {count} of these {len(indices)} images: the scores flatter it. "
            "--part test takes those that training never saw"
        )
    if card.source == samples.source:
        return None, (
            f"the network was trained on a data set that is called {card.source} too and is not this one: "
            "whether some images are in both is unknown"
        )
    shared = sorted(set(card.source.split(JOINED)) & set(samples.source.split(JOINED)))
    if shared:
        return None, (
            f"the network was trained on {card.source}, which has {', '.join(shared)} in common with these data: "
            "on how many of these images is unknown, and the scores may flatter it"
        )
    return 0, f"the network was trained on {card.source}, which is not this data set"
