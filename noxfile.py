"""How everything is run. `nox -l` lists the sessions; what stands after `--` goes to the session's command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.reuse_venv = "yes"

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
EXTRAS = ("model", "hls", "synth", "pnr", "sim", "device", "medical", "cluster")
GROUPS = ("dev", "bench", "ip", "release")
TEST_GROUPS = (*GROUPS, "docs", "bundle")
"""The last brings torch, which not every session wants."""

TORCH = {"model", "bundle", "hgq", "keras"}
"""Extras and groups that bring torch."""

TORCH_NEEDS = ("filelock", "typing-extensions", "setuptools", "sympy", "networkx", "jinja2", "fsspec")
"""Packages that every build of torch needs."""

PIP = (26, 3)
"""The first pip that was seen to hold what it installs against the digests of a constraints file; 26.0 does not."""

HUNG = 900
"""Seconds after which a test of the default run is said to hang: seven times what the slowest one takes."""

PAGES = (
    ("evaluate", "tiny", "--data", "phantoms", "--phantoms", "40", "--out", "build/page/evaluate/tiny"),
    ("train", "tiny", "--data", "phantoms", "--phantoms", "40", "--float-epochs", "3", "--qat-epochs", "3",
     "--tune-epochs", "1", "--publish-anyway", "--out", "build/page/train/tiny"),
    ("hls_synth", "tiny", "--layers", "head,pool0", "--board", "ulx3s_85f", "--out", "build/page/hls_synth/tiny"),
    ("cosim", "tiny", "--layers", "head,pool0,network", "--out", "build/page/build"),
)  # fmt: skip
"""Commands whose pages `nox -s page` looks at: each takes seconds."""

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
FAST = ("tests/root", "tests/golden", "tests/project")


def need(session: nox.Session, *tools: str) -> None:
    """End the session in one sentence, before anything is installed, if a tool of the system is missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        session.error(
            f"{', '.join(missing)} not found on PATH: install with `sudo apt-get install {' '.join(missing)}` "
            f"(Debian, Ubuntu) or `sudo dnf install {' '.join(missing).replace('g++', 'gcc-c++')}` (Fedora)."
        )


def need_shared_python(session: nox.Session) -> None:
    """End the session in one sentence if this Python cannot be embedded in a simulator."""
    library = session.run("python", "-m", "find_libpython", silent=True, success_codes=[0, 1])
    if not str(library or "").strip():
        session.error(
            "cocotb needs a Python with a shared library, and this one has none: install the system's with "
            "`sudo apt-get install libpython3-dev` (Debian, Ubuntu), or build yours with --enable-shared."
        )


def install(session: nox.Session, *extras: str, groups: Sequence[str] = ()) -> None:
    """Install the project, editable, with some of its extras and dependency groups, at the locked versions.

    The project itself has no file whose digest could be locked, so that it comes alone, after all that it needs.
    """
    project = PROJECT["project"]
    needed = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in extras:
        needed += project["optional-dependencies"][extra]
    if TORCH & {*extras, *groups}:
        install_torch(session)
    install_locked(session, *needed, *nox.project.dependency_groups(PROJECT, *groups))
    session.install("--no-deps", "--no-build-isolation", "-e", ".")


def install_locked(session: nox.Session, *requirements: str) -> None:
    """Install packages at the locked versions, each file held against its SHA-256."""
    found = str(session.run("python", "-c", "import pip; print(pip.__version__)", silent=True)).split(".")
    if tuple(int(part) for part in found[:2]) < PIP:
        session.install(f"pip>={'.'.join(map(str, PIP))}")
    session.install("-c", "locked.txt", *requirements)


def install_torch(session: nox.Session) -> None:
    """Install torch at the locked version, in the build that pip finds.

    Builds for the CPU alone are not on the package index but on one of their own, and those for a GPU bring packages of
    their own, so that neither can be held against a digest in locked.txt. All else that torch needs is.
    """
    install_locked(session, *TORCH_NEEDS)
    lock = (ROOT / "locked.txt").read_text(encoding="utf-8")
    pin = next(line.split()[0] for line in lock.splitlines() if line.startswith("torch=="))
    session.install(pin)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Write the digests of the versions in locked.txt anew (needs the package index; installs nothing of them)."""
    install_locked(session, *nox.project.dependency_groups(PROJECT, "lock"))
    path = ROOT / "locked.txt"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    pins = Path(session.create_tmp()) / "pins.txt"
    pins.write_text("".join(line for line in lines if not line.startswith(("#", " "))).replace(" \\\n", "\n"))
    fresh = pins.with_name("locked.txt")
    fresh.unlink(missing_ok=True)
    session.run(
        "uv", "pip", "compile", "--quiet", "--no-config", "--no-deps", "--universal", "--python-version", PYTHONS[0],
        "--generate-hashes", "--no-annotate", "--no-header", str(pins), "--output-file", str(fresh),
    )  # fmt: skip
    path.write_text("".join(line for line in lines if line.startswith("#")) + fresh.read_text(encoding="utf-8"))


def lint_hardware(session: nox.Session) -> None:
    """Run verible's rules and Verilator's warnings over every SystemVerilog file."""
    folders = ("hls/rtl", "rtl_sim/hdl")
    sources = sorted(str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).glob("*.sv"))
    if not sources:
        session.error(f"No SystemVerilog found in {' and '.join(folders)}.")
    harnesses = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/formal/*.sv"))
    session.run("verible-verilog-lint", *sources, *harnesses)
    find = "import pathlib, verilator; print(pathlib.Path(verilator.__file__).parent)"
    verilator = str(session.run("python", "-c", find, silent=True)).strip()
    lint = (f"{verilator}/bin/verilator_bin", "--lint-only", "--quiet", "-Wall", "--timing")
    root = {"VERILATOR_ROOT": verilator}
    packages = [source for source in sources if source.endswith("_pkg.sv")]
    search = [option for folder in folders for option in ("-y", folder)]
    for source in sources:
        if source not in packages:
            top = ("--top-module", Path(source).stem)
            session.run(*lint, *search, *top, *packages, source, env=root, external=True)


def link_package(tree: Path) -> None:
    """Lay the package out as it is installed, in links: mypy does not follow the map of an editable install."""
    shutil.rmtree(tree, ignore_errors=True)
    folders = dict(PROJECT["tool"]["setuptools"]["package-dir"])
    (tree / "quantunet").mkdir(parents=True)
    for entry in (ROOT / folders.pop("quantunet")).iterdir():
        (tree / "quantunet" / entry.name).symlink_to(entry)
    for name, folder in folders.items():
        (tree / name.replace(".", "/")).symlink_to(ROOT / folder)
    (tree / "benchmarks").symlink_to(ROOT / "benchmarks")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests of every room; `-- -m slow --timeout 0` runs the long ones."""
    need(session, "git", "g++")
    install(session, *EXTRAS, groups=TEST_GROUPS)
    need_shared_python(session)
    session.run("pytest", "-n", "2", "--durations", "25", "--timeout", str(HUNG), *session.posargs)


@nox.session(python=PYTHONS, default=False)
def fast_tests(session: nox.Session) -> None:
    """Run the fast tests without torch on one Python: `nox -s fast_tests-3.12`; without a version on all of them."""
    need(session, "git")
    install(session, "hls", "synth", "sim", "medical", "cluster", groups=GROUPS)
    install_locked(session, "qonnx")
    session.run("pytest", "-n", "2", *FAST, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style: ruff for Python, verible and Verilator for SystemVerilog."""
    install_locked(session, "ruff", "verible", "verilator")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    lint_hardware(session)


@nox.session(default=False)
def sbom(session: nox.Session) -> None:
    """Write a CycloneDX bill of materials of everything that is locked, with digests, to build/sbom.cdx.json."""
    install_locked(session, *nox.project.dependency_groups(PROJECT, "sbom"))
    path = ROOT / "build" / "sbom.cdx.json"
    path.parent.mkdir(exist_ok=True)
    session.run(
        "cyclonedx-py", "requirements", "locked.txt", "--pyproject", "pyproject.toml", "--output-reproducible",
        "--output-format", "JSON", "--output-file", str(path),
    )  # fmt: skip
    parts = json.loads(path.read_text(encoding="utf-8"))["components"]
    if not parts or not all(part.get("externalReferences", [{}])[0].get("hashes") for part in parts):
        session.error(f"{path}: expected components with digests, got {len(parts)} of which some have none.")
    session.log(f"{path}: {len(parts)} components")


@nox.session(default=False)
def platforms(session: nox.Session) -> None:
    """Look up what can be installed where, and write docs/platforms.md (needs the package index)."""
    install(session, groups=("dev", "lock"))
    session.run("python", "-m", "helpers.platforms", env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def release(session: nox.Session) -> None:
    """Build and check what is published of a tagged commit, with its release notes, in build/release."""
    install(session, groups=("dev", "release"))
    session.run("python", "-m", "helpers.release", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def typecheck(session: nox.Session) -> None:
    """Check types: mypy --strict on every room, on the benchmarks and on this file."""
    install(session, *EXTRAS, groups=GROUPS)
    tree = ROOT / "build" / "typecheck"
    link_package(tree)
    session.run("mypy", "noxfile.py")
    session.run("mypy", "-p", "quantunet", "-p", "benchmarks", env={"MYPYPATH": str(tree)})


@nox.session(default=False)
def random_files(session: nox.Session) -> None:
    """Take random files as long as it is told through all legs; `-- --help` lists seeds, time and legs."""
    install(session, "hls", "synth", "sim")
    session.run("python", "-m", "helpers.random_session", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def networks(session: nox.Session) -> None:
    """Co-simulate the architectures of the tests and the public models; `-- NAME` chooses, `-- --help` says more."""
    need(session, "g++")
    install(session, "hls", "sim")
    need_shared_python(session)
    session.run("python", "-m", "helpers.networks", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def qkeras(session: nox.Session) -> None:
    """Check that QKeras networks enter through hls4ml exactly (an environment of its own, 1 GB)."""
    version = session.run("python", "-c", "import sys; print(sys.version_info[:2] < (3, 12))", silent=True)
    if str(version).strip() != "True":
        session.error("TensorFlow 2.14, which QKeras needs, exists for Python 3.10 and 3.11: run nox with one.")
    session.install("-e", ".[qkeras]", "pytest>=9.0")
    session.run("pytest", "-m", "qkeras", "tests/qkeras", *session.posargs)


@nox.session(default=False)
def keras(session: nox.Session) -> None:
    """Check layers of Keras 3 against Keras itself, and run docs/hls4ml.md (an environment of its own, 2 GB)."""
    need(session, "g++")
    on_keras3(session, "keras", "synth", "sim")
    need_shared_python(session)
    session.run("pytest", "-m", "keras", "tests/keras", *session.posargs, env={"KERAS_BACKEND": "torch"})


@nox.session(default=False)
def hgq(session: nox.Session) -> None:
    """Check networks of HGQ2 against HGQ2 itself (an environment of its own, 2 GB)."""
    on_keras3(session, "hgq")
    session.run("pytest", "-m", "hgq", "tests/hgq", *session.posargs, env={"KERAS_BACKEND": "torch"})


def on_keras3(session: nox.Session, group: str, *extras: str) -> None:
    """Install a dependency group that has Keras 3, or end the session in one sentence where this Python is too old."""
    version = session.run("python", "-c", "import sys; print(sys.version_info[:2] >= (3, 11))", silent=True)
    if str(version).strip() != "True":
        session.error("Keras 3.15 exists for Python 3.11 and newer: run nox with one.")
    install(session, "hls", *extras, groups=(group,))
    install_locked(session, "pytest")


@nox.session(default=False)
def train(session: nox.Session) -> None:
    """Train a network, learn its bit-widths and export it; options go to `quantunet train`."""
    install(session, "model")
    session.run("python", "-m", "quantunet", "train", *session.posargs)


@nox.session(default=False)
def hls_synth(session: nox.Session) -> None:
    """Write HLS projects and RTL of every layer, and synthesise them; options go to `quantunet hls_synth`."""
    install(session, "hls", "synth")
    session.run("python", "-m", "quantunet", "hls_synth", *session.posargs)


@nox.session(default=False)
def bitstream(session: nox.Session) -> None:
    """Synthesise, place, route and pack a whole network for a board; options go to `quantunet bitstream`."""
    if "--verify" in session.posargs:
        need(session, "g++")
        install(session, "hls", "synth", "pnr", "sim")
        need_shared_python(session)
    else:
        install(session, "hls", "synth", "pnr")
    session.run("python", "-m", "quantunet", "bitstream", *session.posargs)


@nox.session(default=False)
def cosim(session: nox.Session) -> None:
    """Prove every layer bit-exact in HLS and RTL on an image; options go to `quantunet cosim`."""
    need(session, "g++")
    install(session, "hls", "sim")
    need_shared_python(session)
    session.run("python", "-m", "quantunet", "cosim", *session.posargs)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Give every reader 5,000 damaged files, in processes of their own; `-- --help` lists the readers."""
    install(session, "model", "hls")
    session.run("python", "-m", "helpers.fuzz", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """Put every known fault into the hardware, one at a time, and see that its bench finds it; `-- --help` chooses."""
    need(session, "g++")
    install(session, "hls", "sim", groups=("dev",))
    need_shared_python(session)
    session.run("python", "-m", "helpers.fault_benches", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def resets(session: nox.Session) -> None:
    """Reset every op and a network in every cycle of a frame, and forget each register; `-- --help` chooses."""
    need(session, "g++")
    install(session, "hls", "sim", groups=("dev",))
    need_shared_python(session)
    session.run("python", "-m", "helpers.resets", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def proofs(session: nox.Session) -> None:
    """Prove modules of the SystemVerilog library and try the proofs on faults; `-- --help` chooses."""
    install(session, "hls", "synth")
    session.run("python", "-m", "helpers.prove_all", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Count what the benches reach of the SystemVerilog library; `-- --help` chooses."""
    need(session, "g++")
    need_shared_python(session)
    install(session, *EXTRAS, groups=("dev",))
    session.run("python", "-m", "helpers.coverage", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def trust(session: nox.Session) -> None:
    """Run what the exactness rests on, and write docs/trust.md; all takes hours, `-- proofs coverage` some parts."""
    need(session, "g++")
    need_shared_python(session)
    install(session, *EXTRAS, groups=("dev",))
    session.run("python", "-m", "helpers.trust", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def mutants(session: nox.Session) -> None:
    """Put mutants by machine into the SystemVerilog library and see which bench finds each; `-- --help` chooses."""
    need(session, "g++")
    install(session, "hls", "synth", "sim", groups=("dev",))
    need_shared_python(session)
    session.run("python", "-m", "helpers.mutants", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def mutants_software(session: nox.Session) -> None:
    """Put mutants by machine into golden and the C++ headers and see what finds each; `-- --help` chooses."""
    need(session, "g++")
    install(session, "hls", groups=("dev",))
    session.run("python", "-m", "helpers.software_mutants", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def page(session: nox.Session) -> None:
    """Look at the pages of real runs in a headless Chromium; `-- FOLDER ...` looks at those that are there."""
    need(session, "chromium")
    install(session, *EXTRAS, groups=("dev",))
    look = ("python", "-m", "helpers.page_check", "--pictures", "build/page/pictures")
    environment = {"PYTHONPATH": "tests"}
    if session.posargs:
        session.run(*look, *session.posargs, env=environment)
        return
    need(session, "g++")
    need_shared_python(session)
    shutil.rmtree(ROOT / "build" / "page", ignore_errors=True)
    for command in PAGES:
        session.run("python", "-m", "quantunet", *command)
    made = ["build/page", *(str(folder.relative_to(ROOT)) for folder in sorted(ROOT.glob("build/*/bitstream")))]
    session.run(*look, "--strangers", "build/page", *made, env=environment)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Make the site of the documents, build/site; a broken link or anchor is an error."""
    install_locked(session, "nox", *nox.project.dependency_groups(PROJECT, "docs"))
    link_package(ROOT / "build" / "site_package")
    session.run("mkdocs", "build", env={"NO_MKDOCS_2_WARNING": "1"})
    session.run("python", "-m", "helpers.site_check", "build/site", env={"PYTHONPATH": "tests"})


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure everything, as ratios in one run; `-- --help` lists the benchmarks and the networks."""
    need(session, "g++")
    install(session, *EXTRAS, groups=GROUPS)
    need_shared_python(session)
    session.run("python", "-m", "benchmarks", *session.posargs)
