"""Every dependency has a licence that is allowed, or a reason beside it; docs/licences.md says them all."""

from __future__ import annotations

import re

import pytest
from helpers import licences


def test_every_licence_is_allowed() -> None:
    assert len(licences.rows()) > 60
    assert licences.obstacles() == {}


def test_reasons_stand_for_licences_that_need_one() -> None:
    for name in licences.REASONS:
        licence = licences.licence_of(name)
        assert licence is None or not set(licences.parts_of(licence)) <= licences.ALLOWED, name


def test_the_page_says_what_is_installed() -> None:
    text = licences.PAGE.read_text(encoding="utf-8")
    page = {line.split(" | ")[0].strip("| "): line for line in re.findall(r"^\| [a-z0-9].*$", text, re.MULTILINE)}
    del page["package"]
    rows = licences.rows()
    assert len(rows) > 60 and set(page) <= set(licences.locked_names())
    assert {name: (row, page.get(name)) for name, row in rows.items() if page.get(name) != row} == {}


def test_a_licence_that_is_not_allowed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(licences.READ, "numpy", "BSD-3-Clause AND GPL-3.0-only")
    assert licences.obstacles() == {"numpy": "BSD-3-Clause AND GPL-3.0-only"}
    monkeypatch.delitem(licences.READ, "brevitas")
    with pytest.raises(ValueError, match="brevitas: expected a licence that is known"):
        licences.rows()
