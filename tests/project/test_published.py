"""What is published: a source distribution of all that git tracks, whole metadata, links that lead somewhere."""

from __future__ import annotations

import email.message
import importlib.util
import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from types import ModuleType

import pytest
from helpers import release, release_notes
from helpers.project import ROOT, pyproject, tracked_files

from quantunet import __version__
from quantunet.cli import main

REPOSITORY = "https://example.org/them/quantunet"
WRITTEN = {"PKG-INFO", "setup.cfg"}
"""What setuptools writes into a source distribution, beside its folder ``*.egg-info``."""


def setup_module_() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_of_the_project", ROOT / "setup.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SETUP = setup_module_()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """The source distribution, and the wheel that is built of it, both checked by twine."""
    folder = tmp_path_factory.mktemp("release")
    for name in tracked_files():
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SETUP.VARIABLE, REPOSITORY + "/")
        wheel, sdist = release.build(folder / "source", folder / "out", "1700000000")
    yield sdist, wheel


def metadata(published: tuple[Path, Path]) -> list[email.message.Message]:
    sdist, wheel = published
    with tarfile.open(sdist) as archive:
        (name,) = (name for name in archive.getnames() if re.fullmatch(r"[^/]+/PKG-INFO", name))
        file = archive.extractfile(name)
        assert file is not None
        first = message_from_bytes(file.read())
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return [first, message_from_bytes(archive.read(name))]


def test_the_source_distribution_holds_what_git_tracks(published: tuple[Path, Path]) -> None:
    with tarfile.open(published[0]) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    held = {name for name in names if not name.startswith("quantunet.egg-info/")} - WRITTEN
    tracked = set(tracked_files())
    assert {"CHANGELOG.md", "locked.txt", "docs/numerics.md", "tests/conftest.py", "noxfile.py"} <= held
    assert sorted(tracked - held) == [], "tracked, but not in the source distribution: see MANIFEST.in"
    assert sorted(held - tracked) == [], "in the source distribution, but not tracked"


def test_the_metadata_are_whole(published: tuple[Path, Path]) -> None:
    seen = 0
    for found in metadata(published):
        assert (found["Name"], found["Version"]) == ("quantunet", __version__)
        assert found["License-Expression"] == "Apache-2.0"
        assert found["Author"] == pyproject()["project"]["authors"][0]["name"]  # type: ignore[index]
        assert len(found["Keywords"].split(",")) >= 5
        assert found["Description-Content-Type"] == "text/markdown"
        urls = dict(line.split(", ") for line in found.get_all("Project-URL"))
        assert set(urls) == {"Paper", "Repository", "Documentation", "Changelog", "Issues"}
        assert urls["Repository"] == REPOSITORY
        assert all(url.startswith("https://") for url in urls.values())
        classifiers = found.get_all("Classifier")
        pythons = {line.rpartition(" ")[2] for line in classifiers if re.search(r":: 3\.\d+$", line)}
        assert pythons == {"3.10", "3.11", "3.12", "3.13"}
        text = str(found.get_payload())
        targets = re.findall(r"\]\(([^)\s]+)\)", text)
        assert len(targets) > 50
        assert [target for target in targets if not target.startswith("https://")] == []
        seen += 1
    assert seen == 2


def test_every_absolute_link_of_the_readme_is_that_of_a_file() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    absolute = SETUP.readme(text, REPOSITORY, "v1")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", absolute)
    links = set(re.findall(r"\]\((https://example[^)]+)\)", absolute)) - set(pictures)
    assert len(pictures) >= 1 and len(links) > 30
    for url, kind in [*((url, "raw") for url in pictures), *((url, "blob") for url in links)]:
        path = url.removeprefix(f"{REPOSITORY}/{kind}/v1/").partition("#")[0]
        assert (ROOT / path).exists() and path != url, url


def test_without_an_address_words_stay_and_no_link_leads_nowhere() -> None:
    text = "See [numerics](docs/n.md#x), [it](#here), [paper](https://arxiv.org/abs/1) and ![a picture](docs/a.png)."
    assert SETUP.readme(text, "", "v1") == "See numerics, it, [paper](https://arxiv.org/abs/1) and *a picture*."
    assert SETUP.urls("", "v1") == {}
    own = pyproject()["tool"]["quantunet"]
    assert own["repository"] == "" or re.fullmatch(r"https://\S+[^/]", own["repository"])  # type: ignore[index,call-overload]


def test_the_version_stands_in_one_place(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"quantunet {__version__}\n"
    dated = [(name, date) for name, (date, _) in changelog().items() if date]
    assert release.cited() == dated[0], "CITATION.cff names the newest release of CHANGELOG.md"
    assert "version" not in pyproject()["project"]


def changelog() -> dict[str, tuple[str, str]]:
    return release_notes.sections((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def test_release_notes_are_the_section_of_the_version() -> None:
    newest = "## 0.2.0 - 2026-01-02\n\n### Added\n\n- one\n  more\n- two\n"
    text = f"# Changelog\n\n## Unreleased\n\n{newest}\n## 0.1.0 - 2025-01-02\n\n- old\n"
    assert release_notes.notes(text, "0.2.0") == "### Added\n\n- one more\n- two\n"
    assert release_notes.notes(text, "0.1.0") == "- old\n"
    for version in ("Unreleased", "0.3.0"):
        with pytest.raises(ValueError, match="expected a section"):
            release_notes.notes(text, version)
    with pytest.raises(ValueError, match="expected '## VERSION"):
        release_notes.sections(text.replace("- 2026-01-02", "of January"))
    with pytest.raises(ValueError, match="twice"):
        release_notes.sections(text.replace("0.1.0", "0.2.0"))
    assert {"Unreleased", "0.1.0"} <= set(changelog())


def test_what_is_in_the_way_of_a_release_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"status": " M README.md", "tag": "v0.0.9"}
    monkeypatch.setattr(release, "git", lambda *words: answers[words[0]])
    said = release.obstacles("9.9.9")
    assert len(said) == 3
    assert "M README.md" in said[0] and "git tag v9.9.9" in said[1] and "## 9.9.9" in said[2]
    answers.update(status="", tag=f"v{__version__}")
    version, _ = release.cited()
    assert release.obstacles(version) == ([] if version == __version__ else [f"the tag v{version}"])
