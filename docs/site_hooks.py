"""Makes the site of the documents as they lie in the repository: hooks of MkDocs, for ``mkdocs.yml``.

Pages link to each other, and to sources, by their places in the repository, so that they can be read there. The site
has the pages of ``docs/`` at its root. These hooks add the pages that lie elsewhere and the sources that are linked
to, and turn the links around. They make the pages of the reference and a notebook of each tutorial, and list the links
that lead out of the site.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import Any

import jupytext
import nbformat
from markdown import Markdown
from markdown.extensions import Extension
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "hls/rtl/README.md")
"""Pages that do not lie in ``docs/``; the first one is the front page."""

TUTORIALS = "tutorials/"
KERNEL = "---\njupyter:\n  kernelspec: {display_name: Python 3, language: python, name: python3}\n---\n\n"
"""Without it, jupytext takes the language of most blocks for that of the notebook, which may be bash."""

NOTEBOOK = "[This page as a notebook]({name}), to run and to change.\n\n"

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()(?!https?://|mailto:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
_OUTSIDE = re.compile(r"\]\((https?://[^)\s]+)\)")

_outside: dict[str, set[str]] = {}


class _Narrow(Extension):
    """Lists are nested by as many spaces as their text begins with, as everywhere else, and not by four."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        md.tab_length = 2


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Begin a build."""
    _outside.clear()
    config.markdown_extensions.append(_Narrow())  # type: ignore[arg-type]
    return config


def site_place(path: str) -> str:
    """Return where a file of the repository stands in the site.

    >>> site_place("README.md"), site_place("docs/fifos.md"), site_place("hls/rtl/qun_fifo.sv")
    ('index.md', 'fifos.md', 'hls/rtl/qun_fifo.sv')
    """
    return "index.md" if path == "README.md" else path.removeprefix("docs/")


def repository_place(place: str) -> str:
    """Return where a page of the site lies in the repository.

    >>> repository_place("index.md"), repository_place("fifos.md"), repository_place("hls/rtl/README.md")
    ('README.md', 'docs/fifos.md', 'hls/rtl/README.md')
    """
    if place == "index.md":
        return "README.md"
    return place if place in ELSEWHERE else f"docs/{place}"


def linked_files(path: str, text: str) -> set[str]:
    """Return the files of the repository that a page links to."""
    folder = posixpath.dirname(path)
    return {posixpath.normpath(posixpath.join(folder, found[1])) for found in _LINK.finditer(_FENCE.sub("", text))}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add pages from elsewhere, sources that are linked to, the reference and the notebooks."""

    def add(place: str, **source: Any) -> None:
        if files.get_file_from_path(place) is None:
            files.append(File.generated(config, place, **source))

    for path in ELSEWHERE:
        add(site_place(path), abs_src_path=str(ROOT / path))
    for page in list(files.documentation_pages()):
        path = repository_place(page.src_uri)
        for linked in sorted(linked_files(path, page.content_string)):
            if (ROOT / linked).is_file():
                add(site_place(linked), abs_src_path=str(ROOT / linked))
        if page.src_uri.startswith(TUTORIALS):
            add(notebook_name(page.src_uri), content=notebook(page.content_string))
    for name, text in reference().items():
        add(f"reference/{name}.md", content=text)
    return files


def notebook_name(page: str) -> str:
    """Return the name of a tutorial's notebook."""
    return str(PurePosixPath(page).with_suffix(".ipynb"))


def notebook(text: str) -> str:
    """Return a tutorial as a notebook without outputs: its blocks of Python and of bash are cells."""
    made = jupytext.reads(KERNEL + text, fmt="md")
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell{number}"  # and not a random one: the same page gives the same file
    written: str = nbformat.writes(made)
    return written


def reference() -> dict[str, str]:
    """Return the pages of the reference: what mkdocstrings puts into them is read from the docstrings."""
    text = (ROOT / "src" / "quantunet" / "__init__.py").read_text(encoding="utf-8")
    homes = next(
        ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES"
    )
    ops = sorted(path.stem for path in (ROOT / "golden" / "ops").glob("[!_]*.py"))
    return {
        "functions": "# Functions\n\nThe members of `quantunet` that are public, and what they return "
        "([how they are used](../api.md)).\n\n"
        + "\n\n".join(f"::: {home}.{name}" for name, home in sorted(homes.items()))
        + "\n\n::: quantunet.api.Inference\n",
        "golden": "# Golden ops\n\nWhat each layer computes, as it is run: the definition that hardware is compared "
        "with ([in formulas](../numerics.md)).\n\n"
        + "\n\n".join(
            f"## `{op}`\n\n::: quantunet.golden.ops.{op}\n    options:\n      heading_level: 3\n"
            "      show_root_heading: false\n"
            for op in ops
        ),
    }


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of a page from places in the repository to places in the site."""
    place = page.file.src_uri
    path = repository_place(place)
    _outside[path] = set(_OUTSIDE.findall(markdown))

    def turned(found: re.Match[str]) -> str:
        linked = posixpath.normpath(posixpath.join(posixpath.dirname(path), found[1]))
        return posixpath.relpath(site_place(linked), posixpath.dirname(place) or ".") + (found[2] or "")

    parts = _FENCE.split(markdown)
    fences = [*_FENCE.findall(markdown), ""]
    text = markdown
    if not place.startswith("reference/"):
        text = "".join(_LINK.sub(turned, part) + fence for part, fence in zip(parts, fences, strict=True))
    if place.startswith(TUTORIALS):
        head, _, rest = text.partition("\n\n")
        text = f"{head}\n\n{NOTEBOOK.format(name=PurePosixPath(notebook_name(place)).name)}{rest}"
    return text


def on_post_build(config: MkDocsConfig) -> None:
    """List the links that lead out of the site; nobody follows them here."""
    lines = [f"{path}: {link}" for path, links in sorted(_outside.items()) for link in sorted(links)]
    (Path(config.site_dir).parent / "site_links.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
