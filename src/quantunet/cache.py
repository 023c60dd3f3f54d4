"""What is kept because it takes long to make: where, under which key, and that it is used only as it was made.

A key is the digest of everything that something depends on. A kept folder holds a manifest with the SHA-256 of every
file. It is written last, and every file is held against it before the folder is used: what was damaged, edited,
exchanged or deleted is noticed, and so is a folder in the place of another. This is no protection against somebody who
writes both a file and its manifest.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from quantunet import storage
from quantunet.errors import StorageError

logger = logging.getLogger(__name__)

MANIFEST = "quantunet.manifest.json"
"""Name of the manifest in a kept folder."""

VARIABLE = "QUANTUNET_CACHE"
"""Environment variable that names another folder of all kept things."""

_CHUNK = 1 << 20


def folder(name: str) -> Path:
    """Return the folder for one kind of kept things.

    It is in ``$QUANTUNET_CACHE`` if that is set, so that a CI job can keep it; else in this user's own, on Linux
    ``$XDG_CACHE_HOME/quantunet`` or ``~/.cache/quantunet``.

    Args:
        name: The kind.
    """
    given = os.environ.get(VARIABLE)
    return (Path(given) if given else platformdirs.user_cache_path("quantunet")) / name


def key(*parts: object) -> str:
    """Return the SHA-256, in hexadecimal, of everything that something depends on.

    Other parts give another key: values of two types are never equal, and parts do not run into one another.

    Args:
        *parts: Plain values, bytes, fractions, arrays of numbers, booleans or texts, and dataclasses, mappings, tuples,
            lists and sets of such; a path stands for the bytes of its file.

    Raises:
        StorageError: A file cannot be read.
        TypeError: There is no such digest of a part.
    """
    return _hash(parts).hex()


def files(root: Path, *patterns: str) -> tuple[tuple[str, Path], ...]:
    """Return the files under a folder that match, as a part of a key: their paths under it, and what is in them.

    Args:
        root: The folder.
        *patterns: As ``Path.glob`` takes them. Each must match a file: a key with a wrong pattern would stay the same
            whatever changes.

    Returns:
        For each file its path under ``root``, with slashes, and its path; in the order of the names.

    Raises:
        StorageError: A pattern matches no file, or there is no pattern.
    """
    found = {pattern: [path for path in root.glob(pattern) if path.is_file()] for pattern in patterns}
    empty = [pattern for pattern, paths in found.items() if not paths]
    if empty or not found:
        raise StorageError(str(root), expected=f"files that are named {', '.join(empty) or 'by a pattern'}", got="none")
    return tuple(sorted({(path.relative_to(root).as_posix(), path) for paths in found.values() for path in paths}))


def _hash(value: object) -> bytes:
    """Return the digest of a value: of the name of its type, and of its bytes or of the digests of its parts."""
    kind = type(value)
    digest = hashlib.sha256(f"{kind.__module__}.{kind.__qualname__}".encode() + b"\0")
    for part in _payload(value):
        digest.update(part)
    return digest.digest()


def _payload(value: object) -> Iterable[bytes]:
    """Return what follows the name of a value's type: its own bytes, or digests, which are all of one length."""
    if value is None:
        return ()
    if isinstance(value, bool | int | Fraction):
        return (str(value).encode(),)
    if isinstance(value, float):
        return (value.hex().encode(),)
    if isinstance(value, str):
        return (value.encode(errors="surrogateescape"),)
    if isinstance(value, bytes):
        return (value,)
    if isinstance(value, Path):
        return (_file_hash(value),)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufcSU":
        return (_hash(value.dtype.str), _hash(value.shape), np.ascontiguousarray(value).tobytes())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return (_hash(part) for pair in pairs for part in pair)
    if isinstance(value, Mapping):
        return (part for pair in sorted((_hash(name), _hash(entry)) for name, entry in value.items()) for part in pair)
    if isinstance(value, set | frozenset):
        return sorted(map(_hash, value))
    if isinstance(value, tuple | list):
        return map(_hash, value)
    message = f"no key from a {type(value).__name__}"
    raise TypeError(message)


def _file_hash(path: Path) -> bytes:
    try:
        return _contents(path).digest()
    except OSError as error:
        raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error


def _contents(path: Path) -> hashlib._Hash:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest


def keep(
    folder: Path,
    key: str,
    make: Callable[[Path], None],
    *,
    closed: Sequence[str] = (".",),
    free: Sequence[str] = (),
) -> bool:
    """Make a folder, unless it stands there just as it was made for this key.

    It is made in a temporary folder that is renamed when complete, by one process or thread at a time.

    Args:
        folder: The folder; replaced as a whole.
        key: Of everything that its content depends on.
        make: Writes the content into an empty folder.
        closed: Sub-folders in which no other file may stand than those that were made; all of it by default.
        free: Files that may change.

    Returns:
        Whether it was made now.

    Raises:
        StorageError: The folder cannot be written.
        QuantUNetError: What ``make`` raises.
    """
    if _wrong(folder, key, closed) is None:
        return False
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with storage.locked(folder.parent / f".{folder.name}.lock"):
            wrong = _wrong(folder, key, closed)
            if wrong is None:
                return False
            if wrong:
                logger.info("%s: %s; made again", folder, wrong)
            with storage.temporary_folder(folder) as temporary:
                fresh = temporary / "new"
                fresh.mkdir()
                make(fresh)
                _seal(fresh, key, free)
                if os.path.lexists(folder):
                    folder.rename(temporary / "old")
                fresh.rename(folder)
    except OSError as error:
        raise StorageError(
            str(folder),
            expected="a folder that can be written",
            got=error.strerror or str(error),
            hint="Free some space, check the permissions, or choose another folder.",
        ) from error
    return True


def digest(folder: Path) -> str:
    """Return the SHA-256 of a kept folder's manifest, and so of all that was made with it.

    Raises:
        StorageError: The folder is not a kept one.
    """
    try:
        return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    except OSError as error:
        raise StorageError(str(folder), expected="a kept folder", got=error.strerror or str(error)) from error


def _seal(folder: Path, key: str, free: Sequence[str]) -> None:
    """Write the manifest of all files in a folder."""
    files = {name: None if name in free else _entry(folder / name) for name in sorted(_names(folder, "."))}
    document = {"key": key, "files": files}
    (folder / MANIFEST).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _wrong(folder: Path, key: str, closed: Sequence[str]) -> str | None:
    """Return what is wrong with a folder: ``None`` if nothing is, nothing in words if it was made for another key."""
    try:
        document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if document["key"] != key:
            return ""
        files = dict(document["files"])
    except FileNotFoundError:
        return "no manifest" if folder.is_dir() else ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "a damaged manifest"
    if not files:
        return "an empty manifest"
    names = {name for part in closed for name in _names(folder, part)}
    for name in sorted(names - files.keys()):
        return f"{name} does not belong there"
    for name, entry in files.items():
        try:
            if entry is not None and _entry(folder / name) != entry:
                return f"{name} was damaged or edited"
        except OSError as error:
            return f"{name}: {error.strerror}"
    return None


def _names(folder: Path, part: str) -> Iterator[str]:
    """Yield the files in a part of a folder, without the manifest, by their path in the folder."""
    for place, _, files in os.walk(folder / part):
        prefix = os.path.relpath(place, folder)
        for name in files:
            path = name if prefix == "." else f"{prefix}/{name}"
            if path != MANIFEST:
                yield path


def _entry(path: Path) -> list[Any]:
    """Return what a manifest says of a file: its SHA-256, and whether it can be executed."""
    return [_contents(path).hexdigest(), os.access(path, os.X_OK)]


def write_json(path: Path, key: str, content: Any) -> None:  # noqa: ANN401 whatever JSON holds
    """Keep a JSON value with its digest.

    Args:
        path: The file.
        key: Of everything that the value depends on.
        content: The value.

    Raises:
        StorageError: The file cannot be written.
    """
    document = {"key": key, "sha256": _json_digest(content), "content": content}
    storage.write_text(path, json.dumps(document, indent=1) + "\n")


def read_json(path: Path, key: str) -> Any:  # noqa: ANN401
    """Return a JSON value that :func:`write_json` kept for this key; ``None`` if there is none or it was damaged."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        content = document["content"]
        if document["key"] == key and document["sha256"] == _json_digest(content):
            return content
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    logger.info("%s was damaged or edited; made again", path)
    return None


def _json_digest(content: Any) -> str:  # noqa: ANN401
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
