"""The import graph of the package: modules, arrows, circles. ``python -m benchmarks.imports [--tree CHECKOUT]``.

Modules are named as they are installed, by ``package-dir`` of ``pyproject.toml``: drawn from the checkout's own folders
the arrows between rooms would be missing. Imports inside functions count like all others.
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from quantunet.documents import read_toml
from quantunet.ops import OPS

Arrows = Mapping[str, frozenset[str]]
"""What each module imports of the others."""


def modules(root: Path) -> dict[str, Path]:
    """Return the file of every module of the package and of the benchmarks, by its name.

    Args:
        root: A checkout.
    """
    project = read_toml(root / "pyproject.toml", "a project")
    setuptools = project["tool"]["setuptools"]
    folders = {**setuptools["package-dir"], "benchmarks": "benchmarks"}
    packages = [*setuptools["packages"], "benchmarks"]
    found = {}
    for package in packages:
        head = max((name for name in folders if f"{package}.".startswith(f"{name}.")), key=len)
        folder = root / folders[head] / package[len(head) :].strip(".").replace(".", "/")
        for path in sorted(folder.glob("*.py")):
            found[package if path.stem == "__init__" else f"{package}.{path.stem}"] = path
    return found


def arrows(files: Mapping[str, Path]) -> Arrows:
    """Return what each module imports of the others, anywhere in its file; a package counts as its ``__init__``.

    A string that is the name of a package counts as an import of its files that are named after ops: these are loaded
    by their names.
    """
    stems = [stem for op in OPS for stem in op.modules]
    found = {}
    for name, path in files.items():
        imported: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                package = node.value.rstrip(".")
                imported |= {f"{package}.{stem}" for stem in stems} & set(files) - {name}
                continue
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for full in names:
                target = full if full in files else full.rpartition(".")[0]
                if target in files and target != name:
                    imported.add(target)
        found[name] = frozenset(imported)
    return found


def circles(graph: Arrows) -> list[list[str]]:
    """Return the sets of modules that all reach each other, largest first."""
    reach: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for target in graph[waiting.pop()]:
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        reach[start] = seen
    found = {
        tuple(sorted(other for other in reach[name] if name in reach[other])) for name in graph if name in reach[name]
    }
    return sorted(map(list, found), key=lambda circle: (-len(circle), circle))


def box(module: str) -> str:
    """Return the room of a module or, within ``hls``, its package.

    >>> box("quantunet.golden.ops.conv2d"), box("quantunet.hls.synth.passes.sums"), box("quantunet.ir")
    ('golden', 'hls.synth', 'root')
    """
    parts = module.split(".")
    if parts[0] != "quantunet":
        return parts[0]
    if len(parts) < 3:
        return "root"
    return f"hls.{parts[2]}" if parts[1] == "hls" else parts[1]


def summary(root: Path) -> str:
    """Return the figures of a checkout as text."""
    files = modules(root)
    graph = arrows(files)
    between: Counter[tuple[str, str]] = Counter()
    for name, targets in graph.items():
        between.update((box(name), box(target)) for target in targets if box(target) != box(name))
    found = circles(graph)
    loose = [name for name in files if name.count(".") == 2 and name.startswith("quantunet.hls.")]
    loose = [name for name in loose if files[name].stem != "__init__"]
    lines = [
        f"modules {len(files)}",
        f"arrows {sum(map(len, graph.values()))}, between {len({b for pair in between for b in pair})} boxes "
        f"{len(between)}",
        f"loose files in hls {len(loose)}",
        f"circles {len(found)}",
        *(f"  of {len(circle)}: {', '.join(circle)}" for circle in found),
    ]
    return "\n".join(lines)


def main(argv: Iterable[str] | None = None) -> None:
    """Print the figures of a checkout."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--tree", type=Path, default=Path(), metavar="CHECKOUT", help="the project's folder (default: this one)"
    )
    print(summary(parser.parse_args(None if argv is None else list(argv)).tree))  # noqa: T201


if __name__ == "__main__":
    main()
