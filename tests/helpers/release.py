"""What is published of a tagged commit, in build/release: ``nox -s release``, see docs/releasing.md."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from helpers.project import ROOT
from helpers.release_notes import notes, sections

from quantunet import __version__
from quantunet.provenance import file_digest

OUT = ROOT / "build" / "release"


def git(*words: str) -> str:
    """Return what git prints."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout.strip()


def cited() -> tuple[str, str]:
    """Return version and date of CITATION.cff."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    version, date = (re.search(rf"^{key}: (\S+)$", text, re.MULTILINE) for key in ("version", "date-released"))
    return version[1] if version else "", date[1] if date else ""


def obstacles(version: str) -> list[str]:
    """Return why a version cannot be released; nothing where it can."""
    found = []
    changes = git("status", "--porcelain")
    if changes:
        found.append(f"a tree without changes, got {changes.splitlines()[0].strip()}")
    if f"v{version}" not in git("tag", "--points-at", "HEAD").split():
        found.append(f"the tag v{version} at this commit, got none: git tag v{version}")
    date, body = sections((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")).get(version, ("", ""))
    if not date or not body:
        found.append(f"a section '## {version} - YYYY-MM-DD' with text in CHANGELOG.md, got none")
    elif cited() != (version, date):
        found.append(f"version {version} and date {date} in CITATION.cff, got {' and '.join(cited())}")
    return found


def build(source: Path, out: Path, date: str) -> list[Path]:
    """Build source distribution and wheel of a folder, and let twine check them.

    Args:
        source: The files of a commit.
        out: Where both go.
        date: Of the files in them, in seconds since 1970.
    """
    environment = {**os.environ, "SOURCE_DATE_EPOCH": date}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    files = sorted([*out.glob("*.tar.gz"), *out.glob("*.whl")])
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, files)], check=True)
    return files


def main(words: list[str]) -> int:
    """Build what is published."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--try", dest="trial", action="store_true", help="build the last commit whatever is in the way")
    args = parser.parse_args(words)
    found = obstacles(__version__)
    for obstacle in found:
        sys.stderr.write(f"release: expected {obstacle}\n")
    if found and not args.trial:
        return 2
    shutil.rmtree(OUT, ignore_errors=True)
    source = OUT / "source"
    source.mkdir(parents=True)
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "x", "-C", str(source)], input=packed, check=True)
    files = build(source, OUT, git("log", "-1", "--format=%ct"))
    shutil.rmtree(source)
    (OUT / "SHA256SUMS").write_text("".join(f"{file_digest(path)}  {path.name}\n" for path in files), encoding="utf-8")
    text = notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), __version__)
    (OUT / "notes.md").write_text(text, encoding="utf-8")
    sys.stdout.write("".join(f"{path}\n" for path in [*files, OUT / "SHA256SUMS", OUT / "notes.md"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
