"""What a result is a result of: digests of what went in, versions of the tools, commit, options and date.

Every digest is a SHA-256 in hexadecimal. That of a file is what ``sha256sum`` prints.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from quantunet import __version__
from quantunet.errors import StorageError
from quantunet.ir import RENAMED, Graph, IntArray

ONNX_PREFIX = "quantunet."
"""Of the keys in the ``metadata_props`` of an ONNX file."""

_PRODUCT = ("src", "model", "hls", "rtl_sim", "golden", "constraints", "pyproject.toml")
"""What a checkout's results depend on; a change elsewhere does not make it dirty."""

_GIT_SECONDS = 20
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Provenance:
    """What a result is a result of.

    Attributes:
        date: When it was made, UTC, in ISO 8601.
        commit: Commit of the checkout that the program ran from; ``None`` where it is installed.
        dirty: Whether the program's files in that checkout differed from the commit; ``None`` without one.
        options: The options of the command, as they were understood.
        versions: Python and the tools that the step used.
        sha256: Digests of what went in, by what it is; ``None`` for what there was none of.
    """

    date: str
    commit: str | None
    dirty: bool | None
    options: Mapping[str, Any]
    versions: Mapping[str, str]
    sha256: Mapping[str, str | None]

    def document(self) -> dict[str, Any]:
        """Return the values for a report's JSON."""
        return {"quantunet": __version__, **dataclasses.asdict(self)}


def gather(
    options: argparse.Namespace | Mapping[str, Any], tools: Iterable[str], sha256: Mapping[str, str | None]
) -> Provenance:
    """Collect what a result is a result of.

    Args:
        options: The parsed command line, or options by name.
        tools: Python packages, and ``g++``, that the step used.
        sha256: Digests of what went in.
    """
    state = checkout()
    commit, dirty = state if state else (None, None)
    given = vars(options) if isinstance(options, argparse.Namespace) else options
    date = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    plain = {name: _plain(value) for name, value in given.items() if not callable(value)}
    return Provenance(date, commit, dirty, plain, versions(tools), dict(sha256))


def onnx_properties(**sha256: str) -> dict[str, str]:
    """Return what an ONNX file says of its making in ``metadata_props``; without a date, so that files can be equal.

    Args:
        **sha256: Digests of what the network was made of, by what it is.
    """
    found = {"version": __version__}
    state = checkout()
    if state is not None:
        commit, dirty = state
        found["commit"] = f"{commit}-dirty" if dirty else commit
    found |= {f"{name}_sha256": digest for name, digest in sha256.items()}
    return {f"{ONNX_PREFIX}{name}": value for name, value in found.items()}


def write_onnx_properties(model: onnx.ModelProto, properties: Mapping[str, str]) -> None:
    """Write properties into a model's ``metadata_props``; those that are there already are replaced."""
    kept = [entry for entry in model.metadata_props if entry.key not in properties]
    added = [onnx.StringStringEntryProto(key=key, value=value) for key, value in properties.items()]
    del model.metadata_props[:]
    model.metadata_props.extend([*kept, *added])


def versions(tools: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of tools; those that are not installed are left out.

    Args:
        tools: Names of Python packages, and ``g++`` for the compiler on PATH.
    """
    found = {"python": platform.python_version()}
    for tool in dict.fromkeys(tools):
        version = _compiler() if tool == "g++" else _package(tool)
        if version is not None:
            found[tool] = version
    return found


def _package(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _compiler() -> str | None:
    try:
        done = subprocess.run(["g++", "--version"], capture_output=True, encoding="utf-8", errors="replace", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.splitlines()[0]


def checkout() -> tuple[str, bool] | None:
    """Return the commit of the checkout that this file belongs to, and whether the program in it was changed.

    ``None`` where the program is installed: also where a repository of something else surrounds it.
    """
    here = Path(__file__).resolve()
    root = here.parents[2]
    if here.relative_to(root) != Path("src", "quantunet", here.name):
        return None
    top = _git(root, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != root or not _git(root, "ls-files", "--", str(here)):
        return None
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "--no-optional-locks", "status", "--porcelain", "--", *_PRODUCT)
    return (commit, bool(changes)) if commit and changes is not None else None


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints about a folder; ``None`` where it fails. Variables for another repository are left out."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def file_digest(path: Path) -> str:
    """Return the digest of a file's bytes.

    Raises:
        StorageError: It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
    return digest.hexdigest()


def files_digest(root: Path, paths: Collection[Path]) -> str | None:
    """Return one digest of several files: of their names under ``root`` and of their bytes, in the order of the names.

    Args:
        root: A folder that holds them all.
        paths: The files; ``None`` is returned where there is none.

    Raises:
        StorageError: One cannot be read.
    """
    if not paths:
        return None
    digest = hashlib.sha256()
    for path in sorted(set(paths)):
        digest.update(f"{file_digest(path)}  {path.relative_to(root).as_posix()}\n".encode())
    return digest.hexdigest()


def array_digest(values: npt.NDArray[Any]) -> str:
    """Return the digest of an array: of its shape and values, whatever integer type or byte order it has.

    Args:
        values: Integers, booleans or texts of any shape.
    """
    kind = values.dtype.kind
    if kind == "U":
        return value_digest({"shape": values.shape, "values": values.reshape(-1).tolist()})
    if kind not in "iub":
        message = f"an array of integers, booleans or texts, not {values.dtype}"
        raise TypeError(message)
    digest = hashlib.sha256(json.dumps(list(values.shape)).encode())
    for part in values if values.ndim else values.reshape(1):
        digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
    return digest.hexdigest()


def graph_digest(graph: Graph) -> str:
    """Return the digest of what a network computes and of the names inside it, but not of its own name.

    It is the same for a network's QONNX file, its packed file and its JSON, whatever these files are called. A field
    that has its default value is left out, so that a new one does not change the digest of older networks.
    """
    return value_digest(dataclasses.replace(graph, name=""))


def value_digest(value: object) -> str:
    """Return the digest of a value: of its JSON with sorted keys and without blanks.

    Args:
        value: Made of dataclasses, mappings, sequences, :class:`~quantunet.ir.IntArray` and plain values.
    """
    text = json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, IntArray):
        return {"shape": list(value.shape), "sha256": hashlib.sha256(value.data).hexdigest()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kept = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        defaults = {f.name: f.default for f in dataclasses.fields(value)}
        op = getattr(value, "op", None)
        op = next((first for first, now in RENAMED.items() if now == op), op)
        return ({} if op is None else {"op": op}) | {
            name: _canonical(entry) for name, entry in kept.items() if entry != defaults[name]
        }
    if isinstance(value, Mapping):
        return {str(key): _canonical(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_canonical(entry) for entry in value]
    if isinstance(value, Fraction | Path):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    message = f"no canonical form of a {type(value).__name__}"
    raise TypeError(message)


def _plain(value: object) -> object:
    """Return an option as a JSON value."""
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and np.isfinite(value):
        return value
    return str(value)
