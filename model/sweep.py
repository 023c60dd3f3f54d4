"""Which trainings a sweep has, read from one TOML file (no torch here).

A table ``[study.NAME]`` of the file names values for the fields of ``TrainConfig`` and for ``data``; a list stands for
one training with each of its values. Trainings that two studies share are run once, and a float phase that many share
is run once too.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantunet.documents import Fields, read_toml, shown
from quantunet.errors import FileFormatError
from quantunet.model.config import TrainConfig
from quantunet.model.settings import build, settings, values_of
from quantunet.suggestions import closest

MAX_JOBS = 10_000
"""The most trainings of one study: lists multiply."""

_LONGEST = 4096  # of a path

_FIELDS = settings(TrainConfig)
_START = {"preset", "seed", "split_by"}
"""What the name of a float phase tells, beside the data."""


@dataclass(frozen=True)
class Job:
    """One training of a sweep.

    Attributes:
        data: The data, as ``quantunet train --data`` takes them.
        config: The training.
    """

    data: str
    config: TrainConfig

    @property
    def start(self) -> str:
        """Name of the float phase, which is also the folder of those that share it."""
        c = self.config
        text = f"{Path(self.data).stem}_{c.preset}_{c.split_by}_s{c.seed}"
        return f"{text}_{_digest(self.changes)}" if self.changes else text

    @property
    def changes(self) -> dict[str, Any]:
        """The settings that no part of the name tells and that are not the default ones."""
        named = _START | _method_fields(self.config)
        fields, values = settings(type(self.config)), values_of(self.config)
        return {name: values[name] for name in sorted(values.keys() - named) if values[name] != fields[name].default}

    @property
    def float_phase(self) -> Job:
        """The same for all jobs that share a float phase, whichever of them runs it or resumes it."""
        others = _method_fields(self.config)
        kept = {name: value for name, value in values_of(self.config).items() if name not in others}
        if not self.config.float_epochs:
            kept["distil"] = 0.0  # nothing is learned in it that could be taught
        return Job(self.data, build(type(self.config), kept))

    @property
    def method(self) -> str:
        """Short name of what follows the float phase."""
        c, loss = self.config, self.config.loss
        if c.bits == "learned":
            name = f"lambda{loss.bit_lambda:g}_{loss.bit_weighting}"
        else:
            name = "float" if c.bits == "float" else f"uniform{c.bits}"
            name += f"_descent{c.descent_epochs}" if c.descent_epochs else ""
        values, fields = values_of(c), settings(type(c))
        for key in (*settings(type(loss)), *RANGES):
            value, setting = values[key], fields[key]
            told = key in {"bit_lambda", "bit_weighting"} or key not in _method_fields(c)
            if not told and value != setting.default and setting.has_meaning(c.bits):
                number = isinstance(value, int | float) and not isinstance(value, bool)
                text = "" if value is True else f"{value:g}" if number else str(value)
                name += f"_{_SHORT.get(key, setting.spelled)}{text}"
        return name

    @property
    def name(self) -> str:
        """Name of the training, unique in a sweep: ``start/method``."""
        return f"{self.start}/{self.method}"


_SHORT = {"target_bits": "target", "weight_range": "range_", "range_lr": "rangelr", "parametrisation": "by_"}
"""What the name of a training calls a setting, where that is neither its option nor its column."""

RANGES = ("weight_range", "range_lr", "parametrisation", "equalise")
"""Settings of the quantizers, which ``Job.method`` tells too."""


def _method_fields(config: TrainConfig) -> set[str]:
    """The settings that ``Job.method`` tells: those of quantisation, and of the loss after the float phase."""
    after = {name for name, setting in settings(type(config.loss)).items() if setting.phase != "float"}
    return {"bits", "descent_epochs", *RANGES} | after


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:6]


def read_jobs(path: Path, studies: Sequence[str] = ()) -> list[Job]:
    """Read the trainings of a sweep, in the order of the file.

    Args:
        path: The TOML file.
        studies: Names of the studies to take; all of them where there is none.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is no such TOML file, has no such study, or names a field that ``TrainConfig`` lacks.
        TrainingError: A value is out of range.
    """
    document = read_toml(path, "a sweep, tables [study.NAME]")
    fields = Fields(document, str(path))
    tables = fields.take("study") if "study" in fields else None
    if not isinstance(tables, dict) or not tables or list(fields):
        expected = "tables [study.NAME] and nothing else"
        raise FileFormatError(str(path), expected=expected, got=shown(list(document)))
    missing = [name for name in studies if name not in tables]
    if missing:
        raise FileFormatError(str(path), expected=f"a study out of {', '.join(tables)}", got=", ".join(missing))
    jobs = [job for name in studies or tables for job in _expand(path, name, tables[name])]
    return list(dict.fromkeys(jobs))


def _expand(path: Path, name: str, table: object) -> list[Job]:
    place = f"study.{name}"
    fields = Fields(table, str(path), place)
    unknown = set(fields) - _FIELDS.keys() - {"data"}
    if unknown or {"data", "preset"} - set(fields):
        raise FileFormatError(
            f"{path}: {place}",
            expected=f"data, preset, and fields out of {', '.join(sorted(_FIELDS))}",
            got=", ".join(sorted(unknown)) or "no data or no preset",
            hint=_meant(sorted(unknown)),
        )
    keys = list(fields)
    values = [_values(fields, key) for key in keys]
    if math.prod(len(each) for each in values) > MAX_JOBS:
        raise FileFormatError(f"{path}: {place}", expected=f"at most {MAX_JOBS} trainings", got="more")
    jobs = []
    for choice in itertools.product(*values):
        chosen = dict(zip(keys, choice, strict=True))
        # One training, whatever a list names beside it that has no meaning for its bits.
        bits = chosen.get("bits", "learned")
        data = chosen.pop("data")
        chosen = {key: value for key, value in chosen.items() if _FIELDS[key].has_meaning(bits)}
        jobs.append(Job(data, build(TrainConfig, chosen)))
    return jobs


def _meant(unknown: Sequence[str]) -> str:
    """Return the hint for fields that there are not: one that is alike, or that an option of that name sets."""
    fields = {name: name for name in ("data", *_FIELDS)}
    fields |= {each.option.removeprefix("--"): name for name, each in _FIELDS.items()}
    alike = {name: closest(name, fields) for name in unknown}
    return " ".join(f"Did you mean '{fields[other]}' with '{name}'?" for name, other in alike.items() if other)


def _values(fields: Fields, key: str) -> list[Any]:
    """The values of one key: those of its list, or the one that there is, each of the type that the key has."""
    given = fields.take(key)
    values = given if isinstance(given, list) else [given]
    expected, fits = _KINDS[(str,) if key == "data" else _FIELDS[key].types]
    for value in values:
        if not fits(value):
            fields.fail(key, expected, shown(value))
    return [tuple(value) if isinstance(value, list) else value for value in values]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()


def _is_whole(value: object) -> bool:
    return type(value) is int and abs(value) < 1 << 63


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value))


_KINDS: dict[tuple[type, ...], tuple[str, Callable[[object], bool]]] = {
    (str,): ("a text on one line", _is_text),
    (int,): ("a whole number", _is_whole),
    (float,): ("a number", lambda value: _is_whole(value) or (type(value) is float and math.isfinite(value))),
    (bool,): ("true or false", lambda value: isinstance(value, bool)),
    (str, int): ("a text or a whole number", lambda value: _is_text(value) or _is_whole(value)),
    (int, tuple): ("a whole number, or a list of pairs", lambda value: _is_whole(value) or _is_pair(value)),
}
"""What a file may say of a field, by the types of its values."""


def next_step(waiting: Sequence[Job], ready: Collection[str], starting: Collection[str]) -> tuple[Job, bool] | None:
    """What to run next, in the order of the file.

    Args:
        waiting: Jobs that have not begun.
        ready: Float phases that are done.
        starting: Float phases that are running.

    Returns:
        A job, and whether it is its float phase that is to run; None where every job waits for a float phase.
    """
    for job in waiting:
        if job.start in ready:
            return job, False
        if job.start not in starting:
            return job, True
    return None
