"""The images for Docker and for dev containers install what is locked; there is no Docker here to build them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from helpers.project import ROOT, pyproject, tracked_files
from packaging.requirements import Requirement

IMAGES = ("Dockerfile", ".devcontainer/Dockerfile")
PIP = "pip install --no-cache-dir --require-hashes --constraint locked.txt --requirement requirements.txt"


def instructions(path: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, each with its arguments on one line."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    found = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [(name, " ".join(arguments.split())) for name, arguments in found]


def written(path: str) -> str:
    """Return the command that writes the requirements of an image, with the default of its argument."""
    (command,) = (arguments for name, arguments in instructions(path) if name == "RUN" and "> req" in arguments)
    for name, arguments in instructions(path):
        if name == "ARG":
            key, _, value = arguments.partition("=")
            command = command.replace(f"${{{key}}}", value.strip('"'))
    return command


def requirements(path: str) -> list[str]:
    """Return what that command writes."""
    words = shlex.split(written(path).partition(" > ")[0])
    assert words[0] == "python"
    done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("path", IMAGES)
def test_the_linter_has_nothing_to_say(path: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    command = [str(hadolint), "--no-color", "--failure-threshold", "warning"]
    sound = subprocess.run([*command, str(ROOT / path)], capture_output=True, text=True, check=False)
    assert sound.returncode == 0, sound.stdout
    broken = (ROOT / path).read_text(encoding="utf-8").replace("git=1:2.39.*", "git")
    seen = subprocess.run([*command, "-"], input=broken, capture_output=True, text=True, check=False)
    assert seen.returncode == 1 and "DL3008" in seen.stdout


@pytest.mark.parametrize("path", IMAGES)
def test_everything_comes_with_its_digest(path: str) -> None:
    runs = [arguments for name, arguments in instructions(path) if name == "RUN"]
    installs = [run for run in runs if run.startswith("pip install")]
    assert PIP in installs
    others = [run for run in installs if run != PIP]
    pip, *rest = others
    assert re.fullmatch(r"pip install --no-cache-dir pip==\d+\.\d+", pip)
    assert all("--no-deps --no-build-isolation" in run for run in rest)
    names = {Requirement(line).name for line in requirements(path)}
    assert {"numpy", "hls4ml", "cocotb", "setuptools", "distributed"} <= names
    assert names & {"torch", "brevitas", "monai"} == set()
    copied = [arguments.split()[:-1] for name, arguments in instructions(path) if name == "COPY"]
    assert {"pyproject.toml", "locked.txt", ".devcontainer/requirements.py"} <= {one for many in copied for one in many}


def test_an_unknown_extra_is_refused() -> None:
    program = str(ROOT / ".devcontainer" / "requirements.py")
    done = subprocess.run([sys.executable, program, "hsl"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith("expected some of ")


def test_the_dev_container_is_built_from_its_files() -> None:
    folder = ROOT / ".devcontainer"
    document = json.loads((folder / "devcontainer.json").read_text(encoding="utf-8"))
    assert (folder / document["build"]["dockerfile"]).is_file()
    assert (folder / document["build"]["context"] / "pyproject.toml").is_file()
    assert document["remoteUser"] in " ".join(arguments for _, arguments in instructions(IMAGES[1]))
    assert "--editable ." in document["postCreateCommand"]


def test_what_docker_leaves_out_is_not_tracked() -> None:
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ".git" in patterns
    plain = [pattern for pattern in patterns if "*" not in pattern]
    assert [path for path in tracked_files() if path.split("/")[0] in plain] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", IMAGES)
def test_pip_takes_the_line_of_the_image(path: str, tmp_path: Path) -> None:
    """In a fresh environment, with the package index: nothing is installed, and every file is compared."""
    python = next((name for name in ("python3.11",) if shutil.which(name)), None)
    if python is None or sys.version_info[:2] != (3, 11):
        pytest.skip("the images have Python 3.11")
    venv.create(tmp_path / "venv", with_pip=True)
    pip = [str(tmp_path / "venv" / "bin" / "python"), "-m"]
    (first,) = (run for _, run in instructions(path) if re.fullmatch(r"pip install --no-cache-dir pip==\S+", run))
    subprocess.run([*pip, *shlex.split(first)], check=True, capture_output=True)
    (tmp_path / "requirements.txt").write_text("\n".join(requirements(path)), encoding="utf-8")
    shutil.copyfile(ROOT / "locked.txt", tmp_path / "locked.txt")
    command = [*pip, *shlex.split(PIP), "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Would install" in done.stdout and "hls4ml-" in done.stdout
    lock = (tmp_path / "locked.txt").read_text(encoding="utf-8")
    wrong = re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", lock)
    assert wrong != lock
    (tmp_path / "locked.txt").write_text(wrong, encoding="utf-8")
    seen = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert seen.returncode == 1 and "DO NOT MATCH THE HASHES" in seen.stderr, seen.stderr[-2000:]


def test_the_extras_of_the_image_exist() -> None:
    optional = pyproject()["project"]["optional-dependencies"]
    (extras,) = (arguments for name, arguments in instructions("Dockerfile") if name == "ARG")
    assert set(extras.partition("=")[2].strip('"').split()) == set(optional) - {"model", "qkeras"}  # type: ignore[call-overload]
