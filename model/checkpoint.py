"""Checkpoints: written whole or not at all, read without unpickling code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from quantunet import storage
from quantunet.errors import FileFormatError, StorageError

_ARCHIVE = b"PK"  # how every checkpoint begins, as it is a zip archive
_LOOK = 8


def save(path: Path, content: dict[str, Any]) -> None:
    """Write tensors and plain values to ``path``.

    Raises:
        StorageError: The file cannot be written.
    """
    with storage.atomic_path(path) as temporary:
        try:
            torch.save(content, temporary)
        except RuntimeError as error:  # torch reports a full disk so
            raise StorageError(str(path), expected="a place that can be written", got=str(error)) from error


def load(path: Path, keys: set[str]) -> dict[str, Any]:
    """Read a checkpoint onto the CPU.

    Args:
        path: The file.
        keys: Keys that it must have.

    Raises:
        StorageError: The file cannot be opened.
        FileFormatError: It is truncated, damaged, or no checkpoint of this project.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise StorageError(str(path), expected="a readable checkpoint", got=error.strerror or str(error)) from error
    try:
        with file:
            content = torch.load(file, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # torch, zipfile and pickle raise about a dozen kinds for damaged files
        # What they say is left out: torch advises to load the file in the way that runs its code.
        raise FileFormatError(
            str(path),
            expected="a complete checkpoint of `quantunet train` (float.pt, quant.pt, last.pt)",
            got=_kind(path),
            hint="Copy it again from the folder of the training.",
        ) from error
    if not isinstance(content, dict) or keys - content.keys():
        raise FileFormatError(str(path), expected=f"a checkpoint with {', '.join(sorted(keys))}", got="another file")
    return content


def _kind(path: Path) -> str:
    """Say what a file is that torch does not load."""
    with path.open("rb") as file:
        start = file.read(_LOOK)
    if not start:
        return "an empty file"
    if start.startswith(_ARCHIVE):
        return "a damaged archive, or one that holds more than numbers and texts"
    return f"a file of another kind, which begins with {start!r}"


def fill(model: nn.Module, parameters: dict[str, Any], path: Path) -> None:
    """Load parameters into a model.

    Raises:
        FileFormatError: They are those of another network.
    """
    with content_of(path, "the parameters of this network"):
        model.load_state_dict(parameters)


@contextlib.contextmanager
def content_of(path: Path, expected: str = "a checkpoint with what a training leaves in one") -> Iterator[None]:
    """Refuse a checkpoint whose keys are right and whose content is not: the block reads it.

    Raises:
        FileFormatError: The block has stumbled over a value of another type or shape.
    """
    try:
        yield
    except (AttributeError, TypeError, ValueError, KeyError, IndexError, RuntimeError, AssertionError) as error:
        what = str(error).partition("\n")[0] or type(error).__name__
        raise FileFormatError(str(path), expected=expected, got=what) from error
