"""Which extras can be installed where, by the package index, as docs/platforms.md: ``nox -s platforms`` writes it.

uv resolves the requirements of every extra for every Python and platform, from wheels alone. What has no wheel is taken
out and the resolution is repeated, until the rest can be installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import product
from pathlib import Path

from helpers.project import ROOT, pyproject
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PAGE = ROOT / "docs" / "platforms.md"
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PLATFORMS = {
    "Linux x86_64": "x86_64-manylinux_2_28",
    "Linux aarch64": "aarch64-manylinux_2_28",
    "macOS arm64": "aarch64-apple-darwin",
    "Windows x86_64": "x86_64-pc-windows-msvc",
}
"""What the page calls a platform, and what uv does."""

MACOS = "15.0"
"""The macOS whose wheels are taken."""

OWN = {"qkeras"}
"""Extras that have an environment of their own, so that locked.txt says nothing of them."""

BASE = "(none)"
"""What the page calls the package without an extra."""

BEGIN, END = "<!-- written by tests/helpers/platforms.py -->\n", "<!-- until here -->\n"
_AT_ONCE = 12  # uv waits for the index most of the time
_NAMED = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?(?:[=<>!~]\S*)? (?:has|have) no (?:usable )?wheels")


@dataclass(frozen=True)
class Cell:
    """What becomes of an extra for one Python on one platform.

    Attributes:
        locked: Whether it can be installed at the versions of locked.txt, from wheels alone.
        missing: Packages that have no wheel; with some, the extra cannot be installed from wheels.
        said: What uv said where it named no package.
    """

    locked: bool
    missing: tuple[str, ...] = ()
    said: str = ""

    @property
    def installs(self) -> bool:
        """Whether some versions within the ranges of pyproject.toml can be installed from wheels alone."""
        return not self.missing and not self.said


Table = Mapping[tuple[str, str, str], Cell]
"""Cells by extra, Python and platform."""


def requirements() -> dict[str, list[str]]:
    """Return what the package needs, and what it needs with each extra."""
    project = pyproject()["project"]
    base: list[str] = project["dependencies"]  # type: ignore[assignment]
    optional: dict[str, list[str]] = project["optional-dependencies"]  # type: ignore[assignment]
    return {BASE: base} | {name: [*base, *needed] for name, needed in optional.items()}


def pins() -> str:
    """Return the lines of locked.txt without their digests."""
    lines = (ROOT / "locked.txt").read_text(encoding="utf-8").splitlines()
    return "".join(line.removesuffix(" \\") + "\n" for line in lines if line and not line.startswith(("#", " ")))


def without_wheel(said: str) -> str | None:
    """Return the package that has no wheel, by what uv says; None where it does not say so."""
    named = _NAMED.search(" ".join(said.split()))
    return canonicalize_name(named[1]) if named else None


def resolve(lines: Iterable[str], python: str, platform: str, pinned: str = "", left_out: Sequence[str] = ()) -> str:
    """Let uv resolve requirements from wheels alone.

    Returns:
        What uv says is wrong; nothing where all can be installed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").write_text("\n".join(lines), encoding="utf-8")
        (folder / "pins").write_text(pinned, encoding="utf-8")
        never = "".join(f"{package} ; sys_platform == 'none'\n" for package in left_out)
        (folder / "never").write_text(never, encoding="utf-8")
        command = ["uv", "pip", "compile", "--quiet", "--no-config", "--only-binary", ":all:", "--no-header"]
        command += ["--python-version", python, "--python-platform", PLATFORMS[platform]]
        command += [str(folder / "in"), "--constraint", str(folder / "pins"), "--override", str(folder / "never")]
        environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS}
        done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)
    return "" if done.returncode == 0 else done.stderr or "no reason"


def look(extra: str, python: str, platform: str) -> Cell:
    """Look what becomes of an extra for one Python on one platform."""
    lines = requirements()[extra]
    if extra not in OWN and not resolve(lines, python, platform, pins()):
        return Cell(locked=True)
    missing: list[str] = []
    while said := resolve(lines, python, platform, left_out=missing):
        package = without_wheel(said)
        if package is None or package in missing:
            return Cell(False, tuple(sorted(missing)), " ".join(said.split())[:300])
        missing.append(package)
    return Cell(False, tuple(sorted(missing)))


def look_everywhere() -> Table:
    """Look at every extra, Python and platform; asks the package index."""
    places = list(product(requirements(), PYTHONS, PLATFORMS))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(places, pool.map(lambda place: look(*place), places), strict=True))


def spans(pythons: Iterable[str]) -> str:
    """Return Pythons in few words, as in ``3.10 to 3.12, 3.14``."""
    numbers = sorted(PYTHONS.index(python) for python in pythons)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = (PYTHONS[run[0]] if len(run) == 1 else f"{PYTHONS[run[0]]} to {PYTHONS[run[-1]]}" for run in runs)
    return ", ".join(texts)


def cell_text(cells: Mapping[str, Cell]) -> str:
    """Return the text of an extra on a platform, whose cells are given by Python."""
    locked = [python for python, cell in cells.items() if cell.locked]
    other = [python for python, cell in cells.items() if cell.installs and not cell.locked]
    parts = ([spans(locked)] if locked else []) + ([f"{spans(other)} (other versions)"] if other else [])
    return "; ".join(parts) or "–"


def page(table: Table, date: str) -> str:
    """Return the tables of the page."""
    extras = list(dict.fromkeys(extra for extra, _, _ in table))
    lines = [f"Looked up on {date}.", "", f"| extra | {' | '.join(PLATFORMS)} |", "|---" * (len(PLATFORMS) + 1) + "|"]
    for extra in extras:
        texts = (cell_text({python: table[extra, python, where] for python in PYTHONS}) for where in PLATFORMS)
        lines.append(f"| {extra if extra == BASE else f'`{extra}`'} | {' | '.join(texts)} |")
    lines += [
        "",
        "What has no wheel:",
        "",
        "| platform | extra | Python | packages without a wheel |",
        "|---|---|---|---|",
    ]
    for where, extra in product(PLATFORMS, extras):
        reasons: dict[str, list[str]] = {}
        for python in PYTHONS:
            cell = table[extra, python, where]
            if not cell.locked and not cell.installs:
                reason = ", ".join(f"`{name}`" for name in cell.missing)
                if cell.said:
                    reason = f"{reason}{'; ' if reason else ''}{cell.said.replace('|', ' ')}"
                reasons.setdefault(reason, []).append(python)
        lines += [f"| {where} | `{extra}` | {spans(pythons)} | {reason} |" for reason, pythons in reasons.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page anew."""
    names = {canonicalize_name(Requirement(line).name) for lines in requirements().values() for line in lines}
    assert len(names) > 20
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    tables = page(look_everywhere(), datetime.now(timezone.utc).strftime("%Y-%m-%d"))
    PAGE.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
