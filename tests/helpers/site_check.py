"""Looks at the site of the documents: ``PYTHONPATH=tests python -m helpers.site_check build/site``.

MkDocs itself fails on a broken link. Here every page is held against the Markdown as GitHub reads it (CommonMark with
tables): as many headings, lists, items, tables, rows and blocks. No page may ask another host for anything. Where there
is a Chromium, the front page is opened from the disk, and a word is searched for.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

from helpers import browser
from helpers.project import ROOT, tracked_files
from markdown_it import MarkdownIt

COMPARED = ("h1", "h2", "h3", "h4", "ul", "ol", "li", "table", "tr", "pre", "img")
"""Elements that must be as many in both."""

WORD = "deadlock"
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}
"""Elements that make a browser ask for a file, and the attribute that says which."""


class SiteError(Exception):
    """The site is not what its documents say."""


class _Seen(HTMLParser):
    """What stands in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        said = dict(attrs)
        if tag in LOADED and said.get("rel") != "canonical":
            self.loads.append(said.get(LOADED[tag]) or "")


def seen(html: str) -> _Seen:
    """Return what stands in a page, or a part of one."""
    found = _Seen()
    found.feed(html)
    return found


def pages() -> dict[str, str]:
    """Return the documents that the site has, and the places of their pages."""
    places = {}
    for path in tracked_files():
        if path.endswith(".md") and not path.startswith((".github/", "docs/tutorials/")):
            place = re.sub(r"(^|/)README\.md$", r"\1index.md", path).removeprefix("docs/")
            places[path] = re.sub(r"\.md$", ".html", place)
    return places


def check_page(markdown: str, html: str, path: str) -> int:
    """Compare a page with its document; returns how many elements were compared.

    Raises:
        SiteError: There are more or fewer of one kind.
    """
    article = re.search(r"<article.*?</article>", html, re.DOTALL)
    if article is None:
        raise SiteError(f"{path}: expected an article, got none")
    wanted = seen(MarkdownIt("commonmark").enable("table").render(markdown)).elements
    found = seen(article[0]).elements
    for name in COMPARED:
        if wanted[name] != found[name]:
            raise SiteError(f"{path}: expected {wanted[name]} elements {name}, got {found[name]}")
    return sum(found[name] for name in COMPARED)


def check(site: Path) -> str:
    """Look at a site; returns what was looked at.

    Raises:
        SiteError: Something is wrong.
    """
    compared = loads = 0
    for path, place in pages().items():
        page = site / place
        if not page.is_file():
            raise SiteError(f"{path}: expected the page {place}, got none")
        compared += check_page((ROOT / path).read_text(encoding="utf-8"), page.read_text(encoding="utf-8"), path)
    every = sorted(site.rglob("*.html"))
    for page in every:
        asked = seen(page.read_text(encoding="utf-8")).loads
        loads += len(asked)
        if foreign := [url for url in asked if re.match(r"(https?:)?//", url)]:
            raise SiteError(f"{page}: expected files of the site alone, got {foreign[0]}")
    if not compared or not loads:
        raise SiteError(f"{site}: expected pages to compare, got none")
    return f"{len(every)} pages, {compared} elements as in the documents, {loads} files asked for, none elsewhere"


def search(site: Path, program: str) -> int:
    """Search for a word in a site that is opened from the disk; returns how many places were found.

    Raises:
        SiteError: Nothing was found, or the page complains or asks for something elsewhere.
    """
    with browser.running(program) as running:
        tab = running.tab()
        tab.open(site / "index.html", 1280, 900)
        tab.value(
            "(field => { field.focus(); field.value = '" + WORD + "'; field.dispatchEvent(new Event('keyup')); "
            "field.dispatchEvent(new Event('input')); })(document.querySelector('[data-md-component=search-query]'))"
        )
        count = "document.querySelectorAll('.md-search-result__item').length"
        running.until(lambda: tab.value(count) > 0, f"a result of the search for {WORD!r}")
        if tab.said:
            raise SiteError(f"{site}: expected a page that is silent, got {tab.said[0]}")
        return int(tab.value(count))


def main() -> int:
    """Look at the site that is named; returns the exit code."""
    site = Path(sys.argv[1])
    said = [check(site)]
    program = browser.find()
    if program is None:
        said.append(f"The search was not tried, as there is no Chromium: {browser.INSTALL}")
    else:
        said.append(f"Opened from the disk, the search for {WORD!r} finds {search(site, program)} pages")
    sys.stdout.write("\n".join(said) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
