"""JSON and TOML that come from outside: read whole, bounded and unambiguous, and taken apart key by key.

A document is refused where it is no UTF-8, larger than its kind ever is, nested without end, names a key twice, or
holds a number that is none (NaN, infinity). :class:`Fields` then takes typed values out of a table: a wrong one is
named with its key, and a key that nobody has asked for is refused, so that a misspelt one does not pass unseen.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from quantunet.errors import FileFormatError, QuantUNetError, StorageError
from quantunet.suggestions import closest, did_you_mean

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 1 << 22
"""The largest document that a person or ``quantunet train`` writes: a folding, a sweep, a card, a board."""

MAX_VALUES = 1_000_000
"""The most values in a document: each takes about 60 bytes of memory, and three of them fit into 6 bytes of text."""

_Text = TypeVar("_Text", bound=str)

_MAX_KEY = 200
_MAX_DIGITS = 100
_SHOWN = 60
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(path: Path, what: str, limit: int = MAX_BYTES) -> object:
    """Read a JSON file.

    Args:
        path: The file.
        what: What it should be, for the error message.
        limit: The most bytes that such a file has.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is no such document.
    """
    return parse_json(_read(path, what, limit), str(path), what)


def parse_json(text: str, source: str, what: str) -> object:
    """Read JSON from text.

    Args:
        text: The whole document.
        source: The file's name, for the error message.
        what: What it should be, likewise.

    Raises:
        FileFormatError: It is no such document.
    """
    # Commas and brackets bound the values before one of them is made; those inside texts only make it stricter.
    if text.count(",") + text.count("[") + text.count("{") > MAX_VALUES:
        raise FileFormatError(source, expected=f"{what} of at most {MAX_VALUES} values", got="more")
    try:
        document: object = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_int=_whole, parse_float=_finite
        )
        if _SURROGATE.search(text):
            json.dumps(document, ensure_ascii=False).encode()  # half of a pair is no character
    except RecursionError as error:
        raise FileFormatError(source, expected=what, got="values nested without end") from error
    except ValueError as error:
        raise FileFormatError(source, expected=what, got=_short(error)) from error
    return document


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: The file.
        what: What it should be, for the error message.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It is no such document.
    """
    text = _read(path, what, MAX_BYTES)
    if text.count(",") + text.count("[") + text.count("{") + text.count("=") > MAX_VALUES:
        raise FileFormatError(str(path), expected=f"{what} of at most {MAX_VALUES} values", got="more")
    try:
        return tomllib.loads(text, parse_float=_finite)
    except RecursionError as error:
        raise FileFormatError(str(path), expected=what, got="values nested without end") from error
    except ValueError as error:
        raise FileFormatError(str(path), expected=f"{what}, a TOML file", got=_short(error)) from error


def _read(path: Path, what: str, limit: int) -> str:
    """Return the text of a file; one byte more than the limit is all that is ever read."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise StorageError(str(path), expected=what, got=error.strerror or str(error)) from error
    if len(data) > limit:
        raise FileFormatError(str(path), expected=f"{what} of at most {limit} bytes", got="more")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        got = f"the byte {data[error.start]:#04x} at {error.start}"
        raise FileFormatError(str(path), expected=f"{what}, text in UTF-8", got=got) from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {shown(next(key for key in table if keys.count(key) > 1))} twice in one object")
    return table


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text}, which is no number")


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text) if len(text) <= _MAX_DIGITS else math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text[:_SHOWN]}, which is no number")
    return value


def shown(value: object) -> str:
    """Return a value as an error message shows it: on one line, and not all of a long one."""
    try:
        text = repr(value)
    except RecursionError:  # tables as deep as the reader allows
        text = f"a deep {type(value).__name__}"
    except ValueError:  # Python writes no number of thousands of digits
        text = "a huge number"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 2 * _SHOWN else f"{text[: 2 * _SHOWN]}…"


class Fields:
    """The keys of one table of a document; each is taken once, with its type.

    Args:
        value: What should be a table.
        source: The file, for the error message.
        place: Where in the file the table stands, as in ``nodes[3]``; empty for the document itself.
        error: The kind of error to raise.
        what: What the table is, for the error message.

    Raises:
        QuantUNetError: Of that kind: the value is no table.
    """

    def __init__(
        self,
        value: object,
        source: str,
        place: str = "",
        error: type[QuantUNetError] = FileFormatError,
        what: str = "a table of keys and values",
    ) -> None:
        self._source = source
        self._place = place
        self._error = error
        if not isinstance(value, dict):
            where = f"{source}, key '{place}'" if place else source
            raise error(where, expected=what, got=shown(value))
        self._left: dict[str, object] = dict(value)
        self._asked: dict[str, None] = {}
        for key in self._left:
            if not key or not key.isprintable() or len(key) > _MAX_KEY:
                raise error(source, expected=f"keys of 1 to {_MAX_KEY} characters on one line", got=shown(key))

    def fail(self, key: str, expected: str, got: str, hint: str = "") -> NoReturn:
        """Raise the error of a wrong value."""
        raise self._error(f"{self._source}, key '{self._name(key)}'", expected=expected, got=got, hint=hint)

    def __contains__(self, key: str) -> bool:
        self._asked[key] = None
        return key in self._left

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._left))

    def take(self, key: str) -> object:
        """Return a value of any type; it must be there."""
        if key not in self:
            other = closest(key, self._left)
            self.fail(key, "a value", "none", "" if other is None else f"Did you mean it with '{other}'?")
        return self._left.pop(key)

    def text(self, key: str) -> str:
        """Return a text on one line that is not empty."""
        value = self.take(key)
        if not isinstance(value, str) or not value or not value.isprintable():
            self.fail(key, "a text on one line", shown(value))
        return value

    def text_or_none(self, key: str) -> str | None:
        """Return a text as :meth:`text` takes it, or None where the document says ``null``."""
        return None if self._is_null(key) else self.text(key)

    def choice(self, key: str, allowed: Iterable[_Text]) -> _Text:
        """Return one of some texts."""
        choices = {str(text): text for text in allowed}
        value = self.take(key)
        if not isinstance(value, str) or value not in choices:
            meant = did_you_mean(value, choices) if isinstance(value, str) else ""
            self.fail(key, f"one of {', '.join(choices)}", shown(value), meant)
        return choices[value]

    def whole(self, key: str, low: int, high: int) -> int:
        """Return an integer of a range, both ends included."""
        value = self.take(key)
        if type(value) is not int or not low <= value <= high:
            self.fail(key, f"a whole number from {low} to {high}", shown(value))
        return value

    def whole_or_none(self, key: str, low: int, high: int) -> int | None:
        """Return an integer of a range, or None where the document says ``null``."""
        return None if self._is_null(key) else self.whole(key, low, high)

    def number(self, key: str, low: float, high: float) -> float:
        """Return a number of a range, both ends included."""
        value = self.take(key)
        if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]
            self.fail(key, f"a number from {low:g} to {high:g}", shown(value))
        return float(value)  # type: ignore[arg-type]

    def number_or_none(self, key: str, low: float, high: float) -> float | None:
        """Return a number of a range, or None where the document says ``null``."""
        return None if self._is_null(key) else self.number(key, low, high)

    def _is_null(self, key: str) -> bool:
        """Whether a value is ``null``; it is taken then."""
        if self._left.get(key, key) is not None:
            return False
        self._left.pop(key)
        return True

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self.take(key)
        if not isinstance(value, bool):
            self.fail(key, "true or false", shown(value))
        return value

    def items(self, key: str) -> list[Any]:
        """Return a list."""
        value = self.take(key)
        if not isinstance(value, list):
            self.fail(key, "a list", shown(value))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, each as :meth:`text` takes it."""
        values = self.items(key)
        for value in values:
            if not isinstance(value, str) or not value or not value.isprintable():
                self.fail(key, "a list of texts on one line each", shown(value))
        return tuple(values)

    def wholes(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """Return a list of integers of a range."""
        values = self.items(key)
        for value in values:
            if type(value) is not int or not low <= value <= high:
                self.fail(key, f"a list of whole numbers from {low} to {high}", shown(value))
        return tuple(values)

    def table(self, key: str) -> Fields:
        """Return a table inside this one."""
        return Fields(self.take(key), self._source, self._name(key), self._error)

    def tables(self, key: str) -> list[Fields]:
        """Return a list of tables."""
        name = self._name(key)
        return [
            Fields(value, self._source, f"{name}[{index}]", self._error) for index, value in enumerate(self.items(key))
        ]

    def finish(self) -> None:
        """Refuse keys that nobody has taken: a misspelt key must not pass unseen."""
        for key in self._left:
            self.fail(shown(key)[1:-1], "a key that is known here", "an unknown one", did_you_mean(key, self._asked))

    def _name(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key
