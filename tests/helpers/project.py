"""The project as files: what git tracks, what pyproject.toml says, which module imports which."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import nox.project

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked_files() -> tuple[str, ...]:
    """Return the paths of the files that git tracks and that stand in the working tree, relative to the root."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = tuple(name for name in listing.split("\0") if name and (ROOT / name).is_file())
    assert files, "git tracks no file"
    return files


@cache
def pyproject() -> dict[str, dict[str, object]]:
    """Return pyproject.toml."""
    return nox.project.load_toml(ROOT / "pyproject.toml")


@cache
def package_folders() -> dict[str, str]:
    """Return each mapped folder and the package that it is imported as, as in ``{"golden": "quantunet.golden"}``."""
    mapping = pyproject()["tool"]["setuptools"]["package-dir"]  # type: ignore[index,call-overload]
    return {folder: package for package, folder in mapping.items()}


def packaged_name(path: str) -> str | None:
    """Return where a tracked file stands in the wheel, as in ``quantunet/golden/fast.py``; None if outside."""
    for folder, package in package_folders().items():
        if path.startswith(f"{folder}/"):
            return f"{package.replace('.', '/')}/{path[len(folder) + 1 :]}"
    return None


def python_files() -> Iterator[tuple[str, str]]:
    """Yield the module name and the path of every tracked Python file of the package."""
    for path in tracked_files():
        name = packaged_name(path)
        if name is not None and name.endswith(".py"):
            parts = PurePosixPath(name).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def parse(path: str) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=path)


def imported_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of everything that a file imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
