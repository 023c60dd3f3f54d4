"""What a data set's groups are called, and groups by the names of images. No torch here."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import OptionError
from quantunet.model.near_duplicates import numbered

NEAR, PATIENT, NONE = "near", "patient", "none"
"""What groups are: near duplicates, patients, or every image one of its own; any other text is a pattern."""


def pattern(text: str) -> re.Pattern[str]:
    """Return the regular expression by whose one group names are joined.

    Raises:
        OptionError: It is none, or has another number of groups.
    """
    try:
        found = re.compile(text)
    except re.error as error:
        raise OptionError("--groups", expected="a regular expression", got=f"{text!r}: {error}") from error
    if found.groups != 1:
        raise OptionError(
            "--groups",
            expected="near, patient, none, or a regular expression with one group in parentheses",
            got=repr(text),
            hint="'case([0-9]+)_' takes the number after 'case'; further parentheses are written (?:...).",
        )
    return found


def named_groups(text: str, names: Sequence[str]) -> NDArray[np.int64]:
    """Join the images in whose names the group of a regular expression finds the same.

    Args:
        text: The expression.
        names: Of the images.

    Returns:
        int64 ``(n,)``: groups, numbered from 0 in the order of their first images.

    Raises:
        OptionError: It is no such expression, or is not found in a name.

    >>> named_groups("case([0-9]+)", ["case7_left", "case3", "case7_right"]).tolist()
    [0, 1, 0]
    """
    compiled, keys = pattern(text), []
    for name in names:
        match = compiled.search(name)
        if match is None or match[1] is None:
            raise OptionError(
                "--groups",
                expected=f"a pattern that every name has: {text!r}",
                got=f"the name {name!r}",
                hint="Names are those of the files without their ending.",
            )
        keys.append(match[1])
    return numbered(np.array(keys))
