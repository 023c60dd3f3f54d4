"""The release notes of a version, out of CHANGELOG.md: ``PYTHONPATH=tests python -m helpers.release_notes 0.1.0``."""

from __future__ import annotations

import re
import sys

from helpers.project import ROOT

from quantunet import __version__

UNRELEASED = "Unreleased"
_HEADING = re.compile(r"^## (?P<name>\S+)(?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


def sections(text: str) -> dict[str, tuple[str, str]]:
    """Return date and text of every version of a changelog, the newest first; what is unreleased has no date.

    Raises:
        ValueError: A heading is none of a version, or one stands there twice.
    """
    found: dict[str, tuple[str, str]] = {}
    headings = list(_HEADING.finditer(text))
    wrong = [line for line in text.splitlines() if line.startswith("## ") and not _HEADING.match(line)]
    if wrong:
        message = f"CHANGELOG.md: expected '## VERSION - YYYY-MM-DD', got {wrong[0]!r}"
        raise ValueError(message)
    for heading, after in zip(headings, [*headings[1:], None], strict=True):
        if heading["name"] in found:
            message = f"CHANGELOG.md: expected each version once, got {heading['name']} twice"
            raise ValueError(message)
        body = text[heading.end() : after.start() if after else len(text)]
        found[heading["name"]] = (heading["date"] or "", body.strip())
    return found


def notes(text: str, version: str) -> str:
    """Return the release notes of a version: what the changelog says of it, one paragraph a line.

    Raises:
        ValueError: The changelog has no such version, or says nothing of it.
    """
    found = sections(text)
    _, body = found.get(version, ("", ""))
    if not body:
        message = f"CHANGELOG.md: expected a section '## {version} - YYYY-MM-DD' with text, got {', '.join(found)}"
        raise ValueError(message)
    return re.sub(r"(?<=\S)\n[ ]+(?=\S)", " ", body) + "\n"


def main(words: list[str]) -> int:
    """Print the notes of a version, of the package's own without an argument."""
    version = words[0] if words else __version__
    try:
        text = notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
