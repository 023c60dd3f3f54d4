"""Every requirement is locked, and co-simulation and synthesis install no torch."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from helpers.project import ROOT, imported_names, parse, pyproject, python_files
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# TensorFlow 2.14 excludes the NumPy and the onnx of all others; this extra says its versions itself.
OWN_ENVIRONMENT = {"qkeras"}

# The extras that the imports of a room, or of a module of the root, may come from, beside the base requirements.
EXTRAS_OF_ROOM = {
    "cluster": ("cluster",),
    "dicom_files": ("medical",),
    "hls": ("hls", "synth"),
    "model": ("model",),
    "nifti_files": ("medical",),
    "rtl_sim": ("hls", "sim"),
    "serial_port": ("device",),
}

# Packages whose import has another name, or that come with a requirement as a part of it.
PROVIDER = {
    "PIL": "pillow",
    "cocotb_tools": "cocotb",
    "cocotbext": "cocotbext-axi",
    "find_libpython": "cocotb",
    "google": "onnx",
    "serial": "pyserial",
}


STANDARD = {*sys.stdlib_module_names, "tomllib"}
"""The standard library, of which tomllib is a part from Python 3.11 on; before that it is tomli's import."""


def locked() -> dict[str, list[Requirement]]:
    """Return the lines of locked.txt by package."""
    pins: dict[str, list[Requirement]] = {}
    for line in locked_lines():
        pin = Requirement(line.partition(" --hash=")[0])
        pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    return pins


def locked_lines() -> list[str]:
    """Return the lines of locked.txt, each with its digests and without the comments."""
    text = (ROOT / "locked.txt").read_text(encoding="utf-8").replace("\\\n    --hash", "--hash")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def declared(extra: str | None = None) -> list[Requirement]:
    """Return what the project, or one of its extras or dependency groups, requires."""
    project, groups = pyproject()["project"], pyproject()["dependency-groups"]
    optional: dict[str, list[str]] = {**project["optional-dependencies"], **groups}  # type: ignore[dict-item]
    return [Requirement(line) for line in (project["dependencies"] if extra is None else optional[extra])]  # type: ignore[attr-defined]


def extras() -> list[str]:
    """Return the names of the extras and groups that share one environment, the one that is locked."""
    names = set(pyproject()["project"]["optional-dependencies"])  # type: ignore[call-overload]
    assert names > OWN_ENVIRONMENT
    assert not names & set(pyproject()["dependency-groups"])
    names |= set(pyproject()["dependency-groups"])
    return sorted(names - OWN_ENVIRONMENT)


def closure(requirements: list[Requirement]) -> set[str]:
    """Return every package that an installation of some requirements brings, by what is installed here."""
    found: set[str] = set()
    waiting = [(canonicalize_name(one.name), frozenset(one.extras)) for one in requirements]
    while waiting:
        name, chosen = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            lines = requires(name) or []
        except PackageNotFoundError:  # a marker excludes it here, or an extra that nobody chose
            continue
        for needed in map(Requirement, lines):
            if needed.marker is None or any(needed.marker.evaluate({"extra": one}) for one in chosen | {""}):
                waiting.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return found


def test_every_line_pins_one_version() -> None:
    pins = locked()
    assert len(pins) > 50
    for lines in pins.values():
        for pin in lines:
            (found,) = pin.specifier
            assert found.operator == "=="
            assert "+" not in found.version
    assert [str(pin) for pin in pins["torch"]] == ["torch==2.13.0"]


def test_every_line_has_the_digests_of_its_files() -> None:
    for line in locked_lines():
        pin, *digests = line.split(" --hash=")
        assert digests, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest.strip()) for digest in digests), pin
        assert len(set(digests)) == len(digests), pin


def test_pip_checks_the_digests(tmp_path: Path) -> None:
    """A constraint with a wrong digest is refused, by the pip that the sessions of nox ask for."""
    assert tuple(int(part) for part in version("pip").split(".")[:2]) >= (26, 3)
    wheel = tmp_path / "one-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("one.py", "")
        archive.writestr("one-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: one\nVersion: 1\n")
        archive.writestr("one-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("one-1.dist-info/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--find-links", str(tmp_path)]
    for sha256, code in ((digest, 0), (digest[::-1], 1)):
        (tmp_path / "lock.txt").write_text(f"one==1 \\\n    --hash=sha256:{sha256}\n")
        ran = subprocess.run([*pip, "-c", str(tmp_path / "lock.txt"), "one"], capture_output=True, text=True)
        assert ran.returncode == code, ran.stdout + ran.stderr
    assert "DO NOT MATCH THE HASHES" in ran.stderr


@pytest.mark.parametrize("extra", [None, *extras()])
def test_every_requirement_is_locked_and_allowed(extra: str | None) -> None:
    pins = locked()
    for requirement in declared(extra):
        lines = pins[canonicalize_name(requirement.name)]
        for pin in lines:
            (found,) = pin.specifier
            assert requirement.specifier.contains(found.version), f"{pin} is not {requirement}"


@pytest.mark.parametrize("extra", [None, *extras()])
def test_everything_that_is_brought_along_is_locked(extra: str | None) -> None:
    assert closure(declared(extra)) - set(locked()) == set()


def test_every_import_is_declared() -> None:
    foreign = 0
    missing = []
    for module, path in python_files():
        chosen = EXTRAS_OF_ROOM.get(module.split(".")[1] if "." in module else "", ())
        names = {canonicalize_name(one.name) for extra in (None, *chosen) for one in declared(extra)}
        for line, name in imported_names(parse(path)):
            head = name.split(".")[0]
            if head == "quantunet" or head in STANDARD:
                continue
            foreign += 1
            if canonicalize_name(PROVIDER.get(head, head)) not in names:
                missing.append(f"{path}:{line} imports {name}, which is not among its room's requirements")
    assert foreign > 100
    assert missing == []


@pytest.mark.parametrize("chosen", [("hls", "sim"), ("hls", "synth"), ("hls", "synth", "pnr")])
def test_cosim_and_hls_synth_install_no_torch(chosen: tuple[str, ...]) -> None:
    packages = closure([*declared(), *(one for extra in chosen for one in declared(extra))])
    assert "hls4ml" in packages
    assert packages & {"torch", "brevitas", "monai", "tensorboard"} == set()


def test_everything_outside_model_imports_without_torch() -> None:
    modules = [name for name, _ in python_files() if not name.startswith("quantunet.model.") and "__main__" not in name]
    assert len(modules) > 30
    program = (
        "import sys, importlib\n"
        "for name in ('torch', 'brevitas', 'monai', 'qonnx', 'onnxoptimizer'): sys.modules[name] = None\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "from quantunet.cli import build_parser\n"
        "from quantunet.zoo import zoo_names\n"
        "build_parser(); zoo_names()\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_what_only_developers_need_is_no_extra() -> None:
    groups = {"bench", "bundle", "dev", "docs", "hgq", "ip", "keras", "lock", "release", "sbom"}
    assert set(pyproject()["dependency-groups"]) == groups
    assert set(pyproject()["project"]["optional-dependencies"]) == {
        "cluster",
        "device",
        "hls",
        "medical",
        "model",
        "pnr",
        "qkeras",
        "sim",
        "synth",
    }  # type: ignore[call-overload]
