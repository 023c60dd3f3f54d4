"""The card beside a network's file, where it is about that network."""

from __future__ import annotations

import logging

from quantunet.errors import FileFormatError, StorageError
from quantunet.model.card_file import Card, read_card
from quantunet.zoo import card_path, model_digest

logger = logging.getLogger(__name__)


def beside(model: str, graph_sha256: str | None, classes: int, *, needed: bool = False) -> Card | None:
    """Return the card of a network.

    Args:
        model: The network, as the user names it.
        graph_sha256: Digest of its integer graph; None where it is a float network.
        classes: How many classes its masks have, 2 with one foreground.
        needed: Whether nothing can be done without it.

    Returns:
        None where there is none. One that is damaged, or of another network, is left alone with a warning, unless it is
        needed.

    Raises:
        StorageError: It is needed, and there is none.
        FileFormatError: It is needed, and damaged or of another network.
    """
    path = card_path(model)
    if path is None:
        if needed:
            raise StorageError(
                model,
                expected="a model card (.json) beside the QONNX file, which says how the data were split",
                got="none",
                hint="Evaluate every image with --part all.",
            )
        return None
    try:
        card = read_card(path)
        card.check_network(path, model_digest(model), graph_sha256)
        card.check_classes(path, classes)
    except FileFormatError as error:
        if needed:
            raise
        logger.warning("%s", error)
        return None
    return card
