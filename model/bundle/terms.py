"""Under which terms a network and its data stand: what the card says, and what the user adds."""

from __future__ import annotations

from dataclasses import dataclass, fields

from quantunet.errors import OptionError
from quantunet.model.card_file import Card

NOT_STATED = "not stated: ask whoever made the network"
"""What a bundle says where neither the card nor the user says anything."""


@dataclass(frozen=True)
class Terms:
    """Authors and licences; ``None`` where nobody has said them.

    Attributes:
        authors: Who made the network.
        license: Of the network: an SPDX expression, or a sentence.
        data_license: Of the data that it was trained on, likewise.
        data_source: Where these data come from: a citation, or a name.
    """

    authors: str | None = None
    license: str | None = None
    data_license: str | None = None
    data_source: str | None = None

    def said(self, name: str) -> str:
        """Return one of them, or that nobody has said it."""
        value: str | None = getattr(self, name)
        return NOT_STATED if value is None else value


def terms_of(card: Card | None, given: Terms) -> Terms:
    """Join what a card and the user say.

    Args:
        card: The network's card; ``None`` where it has none.
        given: What the user says.

    Raises:
        OptionError: They contradict each other.
    """
    said = Terms() if card is None else Terms(card.authors, card.license, card.data_license, card.citation)
    joined = {}
    for name in (field.name for field in fields(Terms)):
        stated, own = getattr(said, name), getattr(given, name)
        if stated is not None and own not in (None, stated):
            raise OptionError(
                f"--{name.replace('_', '-')}",
                expected=f"what the network's card says, {stated!r}",
                got=repr(own),
                hint="Leave the option out, or correct the card.",
            )
        joined[name] = own if stated is None else stated
    return Terms(**joined)
