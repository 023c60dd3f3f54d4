"""Which trainings a sweep has, read from one TOML file (no torch here).

A table ``[study.NAME]`` of the file names values for the fields of ``TrainConfig`` and for ``data``; a list stands for
one training with each of its values. Trainings that two studies share are run once, and a float phase that many share
is run once too.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantunet.errors import FileFormatError, StorageError
from quantunet.model.config import TrainConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_FIELDS = {field.name for field in dataclasses.fields(TrainConfig) if field.init}
_METHOD = {"bits", "descent_epochs", "bit_lambda", "bit_weighting", "target_bits", "distil"}
_NAMED = {"preset", "seed", "split_by"} | _METHOD


@dataclass(frozen=True)
class Job:
    """One training of a sweep.

    Args:
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
        chosen = {name: getattr(self.config, name) for name in sorted(_FIELDS - _NAMED)}
        return {name: value for name, value in chosen.items() if value != _default(name)}

    @property
    def float_phase(self) -> Job:
        """The same for all jobs that share a float phase, whichever of them runs it or resumes it."""
        kept = {name: getattr(self.config, name) for name in _FIELDS - _METHOD}
        return Job(self.data, TrainConfig(**kept))

    @property
    def method(self) -> str:
        """Short name of what follows the float phase."""
        c = self.config
        if c.bits == "learned":
            name = f"lambda{c.bit_lambda:g}_{c.bit_weighting}"
            name += "" if c.target_bits is None else f"_target{c.target_bits:g}"
        else:
            name = "float" if c.bits == "float" else f"uniform{c.bits}"
            name += f"_descent{c.descent_epochs}" if c.descent_epochs else ""
        return name if c.distil == _default("distil") else f"{name}_distil{c.distil:g}"

    @property
    def name(self) -> str:
        """Name of the training, unique in a sweep: ``start/method``."""
        return f"{self.start}/{self.method}"


def _default(name: str) -> Any:
    return next(field.default for field in dataclasses.fields(TrainConfig) if field.name == name)


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
    try:
        document = tomllib.loads(path.read_text())
    except OSError as error:
        raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(str(path), expected="a TOML file", got=str(error)) from error
    tables = document.get("study")
    if document.keys() != {"study"} or not isinstance(tables, dict) or not tables:
        raise FileFormatError(str(path), expected="tables [study.NAME] and nothing else", got=", ".join(document))
    missing = [name for name in studies if name not in tables]
    if missing:
        raise FileFormatError(str(path), expected=f"a study out of {', '.join(tables)}", got=", ".join(missing))
    jobs = [job for name in studies or tables for job in _expand(f"{path}: study.{name}", tables[name])]
    return list(dict.fromkeys(jobs))


def _expand(place: str, table: dict[str, Any]) -> list[Job]:
    unknown = table.keys() - _FIELDS - {"data"}
    if unknown or {"data", "preset"} - table.keys():
        raise FileFormatError(
            place,
            expected=f"data, preset, and fields out of {', '.join(sorted(_FIELDS))}",
            got=", ".join(sorted(unknown)) or "no data or no preset",
        )
    values = [value if isinstance(value, list) else [value] for value in table.values()]
    jobs = []
    for choice in itertools.product(*values):
        chosen = dict(zip(table, choice, strict=True))
        # One training, whatever a list names beside it that has no meaning for its bits.
        bits = chosen.get("bits", "learned")
        without = {"bit_lambda", "bit_weighting", "target_bits"} if bits != "learned" else set()
        without |= {"descent_epochs"} if isinstance(bits, str) else set()
        chosen = {key: value for key, value in chosen.items() if key not in without}
        jobs.append(Job(str(chosen.pop("data")), TrainConfig(**chosen)))
    return jobs


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
