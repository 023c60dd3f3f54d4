"""What a misspelt name was meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 80
_MOST = 5_000
_ALIKE = 0.7
"""Names of a file may be long and many, and comparing them takes time; less alike ones would be guessed."""


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like another one; None where none is like it.

    Upper and lower case are the same here, and so are ``-`` and ``_``, and the same letters in another order.

    Args:
        name: What somebody has written.
        known: The names that there are.
    """
    if len(name) > _LONGEST:
        return None
    plain: dict[str, str] = {}
    for each in list(known)[:_MOST]:
        if len(each) <= _LONGEST:
            plain.setdefault(_plain(each), each)
    wanted = _plain(name)
    letters = sorted(wanted)
    matcher = difflib.SequenceMatcher(b=wanted)
    best, found = _ALIKE, None
    for each in plain:
        matcher.set_seq1(each)
        alike = 1.0 if sorted(each) == letters else matcher.ratio()
        if alike > best:
            best, found = alike, plain[each]
    return found


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'NAME'?``, or nothing where no known name is like it; for the hint of an error.

    Args:
        name: What somebody has written.
        known: The names that there are.
    """
    found = closest(name, known)
    return "" if found is None else f"Did you mean '{found}'?"


def hinted(name: str, known: Iterable[str], *others: str) -> str:
    """Return a hint that begins with :func:`did_you_mean` and goes on with other sentences; empty ones are left out."""
    return " ".join(filter(None, (did_you_mean(name, known), *others)))


def _plain(name: str) -> str:
    return name.casefold().replace("_", "-").strip()
