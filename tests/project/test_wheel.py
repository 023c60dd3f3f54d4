"""The built wheel holds exactly the package's files that git tracks, and works without the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from helpers.project import ROOT, packaged_name, pyproject, tracked_files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel from a copy of what git tracks."""
    source = tmp_path_factory.mktemp("source")
    for name in tracked_files():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(source)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


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
