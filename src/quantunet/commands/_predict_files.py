"""Which files ``quantunet predict`` is given, and what their results are called."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from quantunet import scan_files
from quantunet.errors import FileFormatError, OptionError, QuantUNetError, StorageError
from quantunet.model.picture_folder import few, natural

logger = logging.getLogger(__name__)

_NUMBERED = re.compile(r"(?P<name>.+)_(class|plane)\d+")  # how one of several results of a file is called


@dataclass(frozen=True)
class Job:
    """One file to be segmented.

    Attributes:
        path: The file.
        name: What its results are called, below the folder of a kind and without an ending.
    """

    path: Path
    name: PurePosixPath


@dataclass(frozen=True)
class Found:
    """What the arguments name.

    Attributes:
        jobs: Every file once.
        errors: What is wrong with the rest.
    """

    jobs: tuple[Job, ...]
    errors: tuple[QuantUNetError, ...]


def find(inputs: Sequence[str], out: Path) -> Found:
    """Find the files, in the order of the arguments, and in a folder in the natural order of their names.

    Results of a file are called as it is, without its ending; those of a file in a folder have its way below that
    folder too, and where several arguments are given the folder's name in front.

    Args:
        inputs: Files and folders.
        out: Where results go; what is in it is no input.

    Raises:
        OptionError: Two files have results of one name.
    """
    jobs: dict[Path, Job] = {}
    errors: list[QuantUNetError] = []
    for text in inputs:
        path = Path(text)
        try:
            if path.is_dir():
                below = PurePosixPath(path.resolve().name if len(inputs) > 1 else "")
                new = [Job(file, below / _name(file, path)) for file in _files_of(path, out)]
            elif path.exists():
                new = [Job(path, PurePosixPath(scan_files.stem(path)))]
            else:
                raise _missing(text, "no such file")
        except QuantUNetError as error:
            errors.append(error)
        except OSError as error:  # a name that is too long, or a folder that may not be read
            errors.append(_missing(text, error.strerror or str(error)))
        else:
            for job in new:
                jobs.setdefault(job.path.resolve(), job)
    _check_names(list(jobs.values()))
    return Found(tuple(jobs.values()), tuple(errors))


def _missing(text: str, got: str) -> StorageError:
    return StorageError(text, expected="a picture, or a folder of pictures", got=got, hint="Check the path.")


def _name(file: Path, folder: Path) -> PurePosixPath:
    return PurePosixPath(file.relative_to(folder).parent.as_posix()) / scan_files.stem(file)


def _files_of(folder: Path, out: Path) -> list[Path]:
    ours = out.resolve()
    files = [path for path in folder.rglob("*") if path.is_file() and ours not in path.resolve().parents]
    taken = sorted(filter(scan_files.is_taken, files), key=lambda path: natural(path.relative_to(folder).as_posix()))
    left = sorted(set(files) - set(taken))
    if not taken:
        raise FileFormatError(
            str(folder),
            expected="a folder with pictures, DICOM or NIfTI files",
            got=f"{len(left)} other files: {few(left, folder)}" if left else "no file",
        )
    if left:
        text = "%s: %d of %d files are left out, by their names: %s"
        logger.warning(text, folder, len(left), len(files), few(left, folder))
    return taken


def _check_names(jobs: Sequence[Job]) -> None:
    first: dict[PurePosixPath, Path] = {}
    for job in jobs:
        first.setdefault(job.name, job.path)
    for job in jobs:
        other = first[job.name]
        numbered = _NUMBERED.fullmatch(job.name.name)
        if other is job.path and numbered:
            other = first.get(job.name.with_name(numbered["name"]), job.path)
        if other is not job.path:
            raise OptionError(
                str(job.path),
                expected="files whose results have different names",
                got=f"'{job.name}', and those of {other} may be called so too",
                hint="Rename one, or segment them into two folders.",
            )
