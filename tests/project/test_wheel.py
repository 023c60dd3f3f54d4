"""The built wheel holds exactly the package's files that git tracks, and works without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest
from helpers.project import ROOT, packaged_name, pyproject, tracked_files

from quantunet.provenance import file_digest

DATE = "1700000000"
"""Of every file in a wheel, in seconds since 1970."""


def build_wheel(folder: Path, names: Sequence[str]) -> Path:
    """Build a wheel from a copy of what git tracks, as the release does: with the date of SOURCE_DATE_EPOCH."""
    source, out = folder / "source", folder / "wheel"
    for name in names:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(source)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": DATE}
    built = subprocess.run(build, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("one"), tracked_files())


def test_two_builds_have_one_digest(wheel: Path, tmp_path: Path) -> None:
    """Copied later, in another order, to another place: nothing of that is in the wheel."""
    again = build_wheel(tmp_path, tuple(reversed(tracked_files())))
    assert again.name == wheel.name and again != wheel
    first, second = (zipfile.ZipFile(path).infolist() for path in (wheel, again))
    assert len(first) > 400 and {entry.date_time[:3] for entry in first} == {(2023, 11, 14)}
    said = [[(e.filename, e.date_time, e.external_attr, e.CRC) for e in entries] for entries in (first, second)]
    assert [pair for pair in zip(*said, strict=True) if pair[0] != pair[1]] == []
    assert file_digest(again) == file_digest(wheel)


def test_listed_packages_are_the_tracked_folders() -> None:
    names = {packaged_name(path) for path in tracked_files()} - {None}
    folders = {str(PurePosixPath(str(name)).parent).replace("/", ".") for name in names}
    listed = pyproject()["tool"]["setuptools"]["packages"]  # type: ignore[index,call-overload]
    assert sorted(folders) == listed


def test_wheel_holds_what_git_tracks(wheel: Path) -> None:
    tracked = {name for name in map(packaged_name, tracked_files()) if name is not None}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert len(tracked) > 50
    assert sorted(tracked - packed) == [], "tracked, but not in the wheel: add to packages or package-data"
    assert sorted(packed - tracked) == [], "in the wheel, but not tracked"


def test_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    # -I leaves the environment and the working folder out; what the test's own environment maps is shadowed.
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import quantunet.golden, quantunet.cli, quantunet.hls, quantunet.constraints\n"
        "from importlib.resources import files\n"
        "print(quantunet.golden.__file__, (files('quantunet.hls') / 'rtl' / 'qun_conv2d.sv').is_file())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [str(tmp_path / "quantunet" / "golden" / "__init__.py"), "True"]
