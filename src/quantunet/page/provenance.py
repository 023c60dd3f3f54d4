"""The section that every page ends with: what its results are results of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quantunet.page.parts import Cell, Facts, Note, Section, Table, text


def provenance(made: Mapping[str, Any] | None) -> Section:
    """Return the section about a report's ``provenance``.

    Args:
        made: As :meth:`quantunet.provenance.Provenance.document` returns it; ``None`` where nobody has said it.
    """
    title = "What this is a result of"
    if not made:
        return Section(title, [Note("The report does not say what it is a result of.", "warn")])
    commit = made["commit"]
    changed = " with changes that are in no commit" if made["dirty"] else ""
    facts = [
        ("date", text(made["date"])),
        ("quantunet", text(made["quantunet"])),
        ("commit", Cell(f"{commit}{changed}", code=True) if commit else text("none: an installed package")),
        *((name, text(version)) for name, version in made["versions"].items()),
    ]
    digests = [[text(name), text(digest, code=digest is not None)] for name, digest in made["sha256"].items()]
    options = [[text(name), text(_spelled(value), code=True)] for name, value in made["options"].items()]
    return Section(
        title,
        [
            Facts(facts),
            Table("SHA-256 of what went in", ("of", "digest"), digests, names=2),
            Table("Options of the command, defaults included", ("option", "value"), options, names=2, folded=True),
        ],
    )


def _spelled(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
