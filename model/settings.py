"""What the fields of a configuration say of themselves (no torch here).

A field of a configuration is written in one place, with :func:`about` as its metadata. From that are made: the check of
its range, its option of ``quantunet train``, its key in a sweep's TOML file, its place in cards and checkpoints and,
where it is of the loss, its column of results. All of these name the fields of a configuration inside another like
those of the outer one: see :func:`values_of` and :func:`build`.
"""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from quantunet.errors import TrainingError

FirstPhase = Literal["float", "qat", "tune"]
"""The first phase of a training whose outcome a setting decides."""

Widths = Literal["learned", "given", "quantised"]
"""Widths that are learned, that are given as a number, or both of these."""

_Config = TypeVar("_Config")


@dataclass(frozen=True)
class Range:
    """What a number of a configuration may be.

    Attributes:
        least: The least one.
        most: The greatest one.
        whole: Whether it must be a whole number.
        ends: Whether ``least`` and ``most`` are allowed themselves.
    """

    least: float
    most: float
    whole: bool = False
    ends: bool = True

    def holds(self, value: object) -> bool:
        """Whether a value is such a number; ``True`` is none."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        return self.least <= value <= self.most if self.ends else self.least < value < self.most

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return (
            f"{kind} {'from' if self.ends else 'between'} {self.least:g} {'to' if self.ends else 'and'} {self.most:g}"
        )


@dataclass(frozen=True)
class _About:
    text: str
    allowed: Range | None
    spelled: str
    phase: FirstPhase
    widths: Widths | None


def about(
    text: str,
    allowed: Range | None = None,
    *,
    spelled: str = "",
    phase: FirstPhase = "float",
    widths: Widths | None = None,
) -> Mapping[str, Any]:
    """The metadata of a field of a configuration.

    Args:
        text: What it is, for ``quantunet train --help``.
        allowed: What its numbers may be; every number has a range.
        spelled: What the command line and the results call it; by default its name.
        phase: The first phase whose outcome it decides. Without an answer, a float phase is not shared between
            trainings that differ in it.
        widths: The widths that it has a meaning for; None for all.
    """
    return {"about": _About(text, allowed, spelled, phase, widths)}


@dataclass(frozen=True)
class Setting:
    """A field of a configuration, and all that is known of it.

    Attributes:
        name: Its name.
        spelled: What the command line and the results call it.
        text: What it is.
        types: The types of its values, without that of None; ``tuple`` for a pair of numbers.
        choices: The values that its type lists.
        allowed: What its numbers may be; None where it has no numbers.
        optional: Whether it may be None.
        default: Its default, or ``dataclasses.MISSING``.
        phase: The first phase whose outcome it decides.
        widths: The widths that it has a meaning for; None for all.
    """

    name: str
    spelled: str
    text: str
    types: tuple[type, ...]
    choices: tuple[object, ...]
    allowed: Range | None
    optional: bool
    default: Any
    phase: FirstPhase
    widths: Widths | None

    @property
    def option(self) -> str:
        """The option of ``quantunet train`` that sets it."""
        return f"--{'no-' if self.default is True else ''}{self.spelled.replace('_', '-')}"

    @property
    def expected(self) -> str:
        """What its values may be, for an error."""
        kinds = [f"one of {', '.join(map(str, self.choices))}"] if self.choices else []
        kinds += [str(self.allowed)] if self.allowed else []
        return ", or ".join([*kinds, *(["two of them"] if tuple in self.types else [])])

    def holds(self, value: object) -> bool:
        """Whether it may have a value. A field with neither choices nor a range takes any."""
        if value is None:
            return self.optional
        if not self.choices and self.allowed is None:
            return True
        if any(type(value) is type(choice) and value == choice for choice in self.choices):
            return True
        if isinstance(value, tuple):
            return tuple in self.types and len(value) == 2 and all(map(self._in_range, value))
        return self._in_range(value)

    def _in_range(self, value: object) -> bool:
        return self.allowed is not None and self.allowed.holds(value)

    def has_meaning(self, bits: str | int) -> bool:
        """Whether it has a meaning for such widths: ``learned``, ``float``, or a number."""
        if self.widths == "quantised":
            return bits != "float"
        return self.widths is None or self.widths == ("given" if isinstance(bits, int) else bits)


def settings(kind: type) -> Mapping[str, Setting]:
    """The fields of a configuration by name, in order; those of an inner configuration stand in its place.

    Raises:
        TypeError: A field does not say what it is, has a number without a range, or has the name of another.
    """
    return _settings(kind)


@functools.cache
def _settings(kind: type) -> Mapping[str, Setting]:
    hints = get_type_hints(kind)
    found: dict[str, Setting] = {}
    for field in _fields(kind):
        hint = hints[field.name]
        nested = dataclasses.is_dataclass(hint)
        inner = settings(cast(type, hint)) if nested else {field.name: _setting(kind, field, hint)}
        for name in inner.keys() & found.keys():
            raise TypeError(f"{kind.__name__}: two fields are called {name}")
        found |= inner
    for name, other in found.items():
        if other.spelled != name and other.spelled in found:
            raise TypeError(f"{kind.__name__}: {name} is spelled {other.spelled}, which is another field")
    return types.MappingProxyType(found)


def _fields(kind: Any) -> list[dataclasses.Field[Any]]:
    return [field for field in fields(kind) if field.init]


def _setting(kind: type, field: dataclasses.Field[Any], hint: Any) -> Setting:
    told = field.metadata.get("about")
    if not isinstance(told, _About):
        raise TypeError(f"{kind.__name__}.{field.name}: its metadata are not those of settings.about()")
    parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    choices = tuple(choice for part in parts if get_origin(part) is Literal for choice in get_args(part))
    kinds = dict.fromkeys(type(choice) for choice in choices)
    others = (part for part in parts if part is not type(None) and get_origin(part) is not Literal)
    kinds |= dict.fromkeys(get_origin(part) or part for part in others)
    if (int in kinds or float in kinds) != (told.allowed is not None):
        raise TypeError(f"{kind.__name__}.{field.name}: a number has a range, and nothing else has one")
    return Setting(
        name=field.name,
        spelled=told.spelled or field.name,
        text=told.text,
        types=tuple(kinds),
        choices=(True, False) if bool in kinds else choices,
        allowed=told.allowed,
        optional=type(None) in parts,
        default=field.default,
        phase=told.phase,
        widths=told.widths,
    )


def check(config: object) -> None:
    """Check each value of a configuration against its field; an inner configuration has checked its own.

    Raises:
        TrainingError: A value is none that its field may have.
    """
    own = {field.name for field in _fields(config)}
    for name, setting in settings(type(config)).items():
        if name in own and not setting.holds(getattr(config, name)):
            raise error(config, name, setting.expected)


def error(config: object, name: str, expected: str, hint: str = "") -> TrainingError:
    """The error that a value of a configuration is none that it may be; it names the option."""
    where = f"training configuration, {name} ({settings(type(config))[name].option})"
    return TrainingError(where, expected=expected, got=str(values_of(config)[name]), hint=hint)


def values_of(config: Any) -> dict[str, Any]:
    """The values of a configuration by name, those of an inner one in its place; plain values all of them."""
    found: dict[str, Any] = {}
    for field in _fields(config):
        value = getattr(config, field.name)
        found |= values_of(value) if dataclasses.is_dataclass(value) else {field.name: value}
    return found


def option_words(kind: type, values: Mapping[str, Any]) -> list[str]:
    """The options of ``quantunet train`` that give a configuration some values; a flag has none."""
    fields = settings(kind)
    words: list[str] = []
    for name, value in values.items():
        given = () if isinstance(value, bool) else value if isinstance(value, tuple) else (value,)
        words += [fields[name].option, *map(str, given)]
    return words


def build(kind: type[_Config], values: Mapping[str, Any]) -> _Config:
    """A configuration from values by name: the inverse of :func:`values_of`; what is not named has its default.

    Raises:
        TypeError: A name is that of no field.
        TrainingError: A value is none that its field may have.
    """
    unknown = sorted(values.keys() - settings(kind).keys())
    if unknown:
        raise TypeError(f"{kind.__name__} has no {', '.join(unknown)}")
    rest, hints = dict(values), get_type_hints(kind)
    inner = {field.name: hints[field.name] for field in _fields(kind) if dataclasses.is_dataclass(hints[field.name])}
    built = {
        name: build(cast(type[Any], hint), {key: rest.pop(key) for key in settings(hint) if key in rest})
        for name, hint in inner.items()
    }
    return kind(**(rest | built))
