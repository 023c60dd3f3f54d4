"""Digests of the RTL and HLS sources that a step has used, as they stand on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from quantunet.errors import StorageError
from quantunet.provenance import files_digest


def rtl_digest(root: Path, projects: Iterable[Path]) -> str | None:
    """Return the digest of the SystemVerilog and memory files of RTL projects.

    Args:
        root: A folder that holds them all.
        projects: Their folders; one that was not written is left out. ``None`` is returned where there is none.

    Raises:
        StorageError: A file cannot be read.
    """
    return files_digest(root, [path for project in projects for path in _rtl_files(project)])


def _rtl_files(project: Path) -> list[Path]:
    path = project / "design.json"
    if not path.is_file():
        return []
    try:
        design = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
    memories = [project / memory["file"] for instance in design["instances"] for memory in instance["memories"]]
    binaries = [path.with_name(f"{path.name}.bin") for path in memories]  # what simulators read
    sources = [project / name for name in design["sources"]]
    return [*sources, *memories, *(path for path in binaries if path.is_file())]


def hls_digest(root: Path, projects: Iterable[Path]) -> str | None:
    """Return the digest of the C++ and of the weights of projects that :mod:`quantunet.hls.csim.project` wrote.

    Args:
        root: A folder that holds them all.
        projects: Their folders; one that was not written is left out. ``None`` is returned where there is none.

    Raises:
        StorageError: A file cannot be read.
    """
    files = [path for project in projects for path in (project / "firmware").rglob("*") if path.is_file()]
    return files_digest(root, files)
