"""The site of the documents: whole, strict, and without a word to another host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.project import ROOT, tracked_files

pytest.importorskip("mkdocs", reason="the group docs is for Python 3.11 and newer")
from helpers import site_check


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Make the site of a copy of the documents, in its folder ``site``."""
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(mkdocs, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def copy(folder: Path) -> Path:
    """Copy everything that the site is made of."""
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mkdocs.yml", *(path for path in tracked_files() if "/" not in path and path[0].isupper())):
        shutil.copy(ROOT / name, folder / name)
    for name in ("hls", "golden", "src"):
        (folder / name).symlink_to(ROOT / name)
    package = folder / "build" / "site_package" / "quantunet"
    package.parent.mkdir(parents=True)
    shutil.copytree(ROOT / "src" / "quantunet", package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "golden").symlink_to(ROOT / "golden")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy(tmp_path_factory.mktemp("documents"))
    built = build(folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "site"


def test_the_site_has_every_document(site: Path) -> None:
    assert len(site_check.pages()) > 30
    assert "none elsewhere" in site_check.check(site)
    links = (site.parent / "site_links.txt").read_text(encoding="utf-8")
    assert "docs/data.md: https://doi.org/10.1016/j.dib.2019.104863" in links.splitlines()


def test_the_reference_is_made_of_docstrings(site: Path) -> None:
    functions = (site / "reference" / "functions.html").read_text(encoding="utf-8")
    assert "Segment one picture by integer inference" in functions and "StorageError" in functions
    golden = (site / "reference" / "golden.html").read_text(encoding="utf-8")
    ops = [path.stem for path in (ROOT / "golden" / "ops").glob("[!_]*.py")]
    assert len(ops) > 15
    assert [op for op in ops if f"Golden model of <code>{op}" not in golden and f'id="{op}"' not in golden] == []


def test_tutorials_are_notebooks_without_outputs(site: Path) -> None:
    notebooks = sorted((site / "tutorials").glob("*.ipynb"))
    assert len(notebooks) == 3
    for path in notebooks:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert code and all(cell["outputs"] == [] for cell in code)
        assert f'href="{path.name}"' in path.with_suffix(".html").read_text(encoding="utf-8")


def test_a_page_that_lost_something_is_seen(site: Path) -> None:
    text, html = ((ROOT / "docs" / "fifos.md"), (site / "fifos.html"))
    markdown, made = text.read_text(encoding="utf-8"), html.read_text(encoding="utf-8")
    assert site_check.check_page(markdown, made, "fifos") > 30
    with pytest.raises(site_check.SiteError, match="expected [0-9]+ elements tr, got"):
        site_check.check_page(markdown, made.replace("<tr>", "", 1), "fifos")


def test_a_page_that_asks_elsewhere_is_seen(site: Path, tmp_path: Path) -> None:
    shutil.copytree(site, tmp_path / "site")
    page = tmp_path / "site" / "faq.html"
    page.write_text(page.read_text(encoding="utf-8") + '<script src="https://cdn.example.org/x.js"></script>')
    with pytest.raises(site_check.SiteError, match=r"cdn\.example\.org"):
        site_check.check(tmp_path / "site")


@pytest.mark.parametrize(
    ("broken", "said"),
    [("[x](nowhere.md)", "nowhere.md"), ("[x](fifos.md#nowhere)", "#nowhere"), ("![x](nowhere.png)", "nowhere.png")],
)
def test_a_broken_link_fails(broken: str, said: str, tmp_path: Path) -> None:
    folder = copy(tmp_path)
    page = folder / "docs" / "faq.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n{broken}\n", encoding="utf-8")
    built = build(folder)
    assert built.returncode == 1
    assert said in built.stdout + built.stderr and "strict mode" in built.stdout + built.stderr


def test_the_search_works_from_the_disk(site: Path) -> None:
    program = site_check.browser.find()
    if program is None:
        pytest.skip(site_check.browser.INSTALL)
    assert site_check.search(site, program) > 0
