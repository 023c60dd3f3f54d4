"""Look at pages in a real browser: at the width of a phone and of a desk, light and dark.

``python -m helpers.page_check FOLDER...`` opens every ``report.html`` and ``index.html`` below them and ends with
1 where one complains in its console, lacks what every page has, is wider than the screen, or is hard to read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.browser import INSTALL, Tab, find, running
from helpers.stranger_reports import PAGES
from rich.console import Console

from quantunet.page.render import render
from quantunet.storage import write_text

NAMES = ("report.html", "index.html")
NO_BROWSER = 3
"""The exit code where there is no browser."""


@dataclass(frozen=True)
class Screen:
    """A window.

    Attributes:
        name: Of its pictures.
        width: CSS pixels.
        height: Likewise.
        dark: Whether the reader prefers dark pages.
        phone: Whether it is one.
    """

    name: str
    width: int
    height: int
    dark: bool = False
    phone: bool = False


SCREENS = (
    Screen("phone", 390, 844, phone=True),
    Screen("phone_dark", 390, 844, dark=True, phone=True),
    Screen("desk", 1280, 800),
    Screen("desk_dark", 1280, 800, dark=True),
)

# Everything that is asked of a page, in one expression. Contrast is that of WCAG 2: 4.5 to 1, 3 to 1 in large print.
FACTS = """(() => {
  const root = document.documentElement, all = [...document.querySelectorAll("body *")];
  const colour = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = one => {
    for (; one; one = one.parentElement) {
      const found = colour(getComputedStyle(one).backgroundColor);
      if (found.length && (found.length < 4 || found[3] > 0)) return found;
    }
    return [255, 255, 255];
  };
  const inScroll = one => one.closest(".scroll");
  const texts = all.filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
  const visible = texts.filter(one => one.getClientRects().length && !one.closest("svg"));
  const pale = visible.map(one => {
    const style = getComputedStyle(one), [a, b] = [light(colour(style.color)), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700);
    return {text: one.textContent.trim().slice(0, 40), ratio, large};
  });
  const wide = all.filter(one => !inScroll(one) && !one.matches(".skip") && one.getClientRects().length
    && one.getBoundingClientRect().right > root.clientWidth + 0.5);
  const levels = [...document.querySelectorAll("h1, h2, h3")].map(one => +one.tagName[1]);
  return {
    width: root.scrollWidth, screen: root.clientWidth, texts: visible.length,
    least: Math.min(...pale.map(one => one.ratio)),
    pale: pale.filter(one => one.ratio < (one.large ? 3 : 4.5)).slice(0, 5)
      .map(one => one.text + " " + one.ratio.toFixed(2)),
    wide: wide.slice(0, 5).map(one => one.tagName + "." + one.className + " " + one.textContent.trim().slice(0, 40)),
    small: visible.filter(one => parseFloat(getComputedStyle(one).fontSize) < 12).length,
    headings: levels, jumps: levels.filter((level, at) => at && level > levels[at - 1] + 1).length,
    mute: [...document.querySelectorAll("img, svg[role=img]")]
      .filter(one => !(one.getAttribute("alt") || one.getAttribute("aria-label"))).length,
    broken: [...document.images].filter(one => !one.complete || !one.naturalWidth).length,
    bare: [...document.querySelectorAll("table")].filter(one => !one.caption || !one.querySelector("th[scope]")).length,
    scripts: document.querySelectorAll("script, iframe, object, embed, form").length,
    ids: (ids => ids.length - new Set(ids).size)([...document.querySelectorAll("[id]")].map(one => one.id)),
    dead: [...document.querySelectorAll("a[href^='#']")]
      .filter(one => !document.getElementById(one.getAttribute("href").slice(1))).length,
    title: document.title, lang: root.lang, main: document.querySelectorAll("main section").length,
  };
})()"""


def complaints(facts: dict[str, Any], said: Sequence[str]) -> list[str]:
    """Return what is wrong with a page, a line each."""
    found = [f"console: {line}" for line in said]
    if facts["width"] > facts["screen"] or facts["wide"]:
        found.append(f"{facts['width']} wide on a screen of {facts['screen']}: {facts['wide']}")
    if facts["pale"]:
        found.append(f"too pale: {facts['pale']}")
    if facts["headings"][:1] != [1] or facts["headings"].count(1) != 1 or facts["jumps"]:
        found.append(f"headings {facts['headings']}")
    named = {
        "mute": "pictures without a text",
        "broken": "pictures that do not load",
        "bare": "tables without a caption or a head",
        "scripts": "scripts or frames",
        "ids": "names used twice",
        "dead": "links to nowhere",
        "small": "texts smaller than 12 pixels",
    }
    found += [f"{facts[key]} {what}" for key, what in named.items() if facts[key]]
    found += [f"no {key}" for key in ("title", "lang", "main") if not facts[key]]
    if facts["texts"] < 10:
        found.append(f"only {facts['texts']} texts")
    return found


def look(tab: Tab, path: Path, screen: Screen, pictures: Path | None, name: str) -> list[str]:
    """Open a page on a screen and return what is wrong with it."""
    tab.said.clear()
    tab.open(path, screen.width, screen.height, dark=screen.dark, phone=screen.phone)
    tab.value("document.querySelectorAll('details').forEach(one => { one.open = true; })")  # what is folded counts too
    facts = tab.value(FACTS)
    if pictures is not None:
        tab.value("document.querySelectorAll('details').forEach(one => { one.open = false; })")
        tab.picture(pictures / f"{name}_{screen.name}.png")
    return complaints(facts, tab.said)


def main(arguments: Sequence[str] | None = None) -> int:
    """Look at all pages below some folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--strangers", type=Path, help="folder for pages of hostile names, to be looked at too")
    parser.add_argument("--pictures", type=Path, help="folder of the pictures")
    options = parser.parse_args(arguments)
    program, console = find(), Console(highlight=False, markup=False, soft_wrap=True)
    if program is None:
        console.print(f"no Chromium on PATH: install it with `{INSTALL}`")
        return NO_BROWSER
    folders = [*options.folders, *([options.strangers] if options.strangers else [])]
    for name, make in PAGES.items() if options.strangers else ():
        write_text(options.strangers / "strangers" / name / "report.html", render(make()))
    paths = sorted({path for folder in folders for name in NAMES for path in folder.rglob(name)})
    if not paths:
        console.print(f"no page below {', '.join(map(str, folders))}")
        return 1
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with running(program) as browser:
        tab = browser.tab()
        for path in paths:
            name = "_".join(path.parts[-3:-1]) + ("_index" if path.name == "index.html" else "")
            for screen in SCREENS:
                found = look(tab, path, screen, options.pictures, name)
                wrong += bool(found)
                console.print(f"{'wrong' if found else 'good'}: {path} on {screen.name}")
                for line in found:
                    console.print(f"  {line}")
    console.print(f"{len(paths)} pages on {len(SCREENS)} screens: {wrong or 'none'} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
