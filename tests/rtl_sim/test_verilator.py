from __future__ import annotations

import logging
import shutil
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from helpers.rtl import BUILD_ROOT

from quantunet import cache
from quantunet.errors import StorageError, ToolFailedError, ToolMissingError
from quantunet.rtl_sim import verilator

COUNTER = """
module qun_counter #(
    parameter int unsigned Step = 1,
    parameter string Greeting = ""
) (
    input  logic       clk,
    output logic [7:0] count_q,
    output logic       greeted
);
  assign greeted = Greeting == "hello";
  always_ff @(posedge clk) begin
    count_q <= count_q + 8'(Step);
  end
endmodule
"""

BENCH = """
import os
import sys
import cocotb
from cocotb.triggers import Timer

async def count(dut):
    dut.clk.value = 0
    await Timer(1, "ns")
    before = int(dut.count_q.value)
    for level in (1, 0) * 3:
        dut.clk.value = level
        await Timer(1, "ns")
    return int(dut.count_q.value) - before

@cocotb.test()
async def counts(dut):
    assert not [finder for finder in sys.meta_path if "pytest" in type(finder).__module__], "imports are rewritten"
    assert await count(dut) == 3 * int(os.environ["STEP"])

@cocotb.test()
async def is_greeted(dut):
    assert int(dut.greeted.value) == 1, "no greeting"
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bench_counter.py").write_text(textwrap.dedent(BENCH))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    verilator._cocotb_environment.cache_clear()
    path = tmp_path / "qun_counter.sv"
    path.write_text(COUNTER)
    return path


def run(folder: Path, cwd: Path, **options: object) -> verilator.CocotbResult:
    return verilator.run_cocotb(folder, "bench_counter", "qun_counter", cwd, env={"STEP": "2"}, **options)  # type: ignore[arg-type]


def test_build_is_found_again_by_content_and_tests_are_counted(source: Path, tmp_path: Path) -> None:
    parameters: dict[str, int | str] = {"Step": 2, "Greeting": "hello"}
    folder = verilator.build([source], "qun_counter", parameters, BUILD_ROOT)
    made = (folder / verilator.EXECUTABLE).stat().st_mtime_ns
    moved = tmp_path / "elsewhere.sv"
    moved.write_text(COUNTER)
    assert verilator.build([moved], "qun_counter", parameters, BUILD_ROOT) == folder
    assert (folder / verilator.EXECUTABLE).stat().st_mtime_ns == made

    result = run(folder, tmp_path / "run")
    assert result.passed
    assert [test.name for test in result.tests] == ["bench_counter.counts", "bench_counter.is_greeted"]
    assert "bench_counter.counts passed" in result.log.read_text()

    other = verilator.build([source], "qun_counter", {**parameters, "Step": 3}, BUILD_ROOT)
    assert other != folder
    with pytest.raises(ToolFailedError, match=r"1 of 2 failed \(bench_counter\.counts"):
        run(other, tmp_path / "run")
    assert [test.passed for test in run(other, tmp_path / "run", check=False).tests] == [False, True]


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda program: program.write_bytes(program.read_bytes()[: program.stat().st_size // 2]),
    "another program": lambda program: shutil.copy("/bin/true", program),
    "zeros": lambda program: program.write_bytes(bytes(program.stat().st_size)),
    "bit": lambda program: program.write_bytes(
        program.read_bytes()[:-1] + bytes([program.read_bytes()[-1] ^ 1]),
    ),
    "not executable": lambda program: program.chmod(0o644),
    "deleted": lambda program: program.unlink(),
    "manifest": lambda program: (program.parent / cache.MANIFEST).write_text("{}"),
}


def test_a_damaged_simulator_is_built_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What a build compiles is kept here, so that a build costs nothing; that it compiles is tested above."""
    parameters: dict[str, int | str] = {"Step": 2, "Greeting": "hello"}
    original = verilator.build([source], "qun_counter", parameters, BUILD_ROOT) / verilator.EXECUTABLE
    builds: list[Path] = []

    def compiled(tools: object, runtime: object, work: Path, **options: object) -> None:
        shutil.copy(original, work / verilator.EXECUTABLE)
        builds.append(work)

    monkeypatch.setattr(verilator, "_verilate", lambda *args, **options: None)
    monkeypatch.setattr(verilator, "_runtime", lambda *args, **options: tmp_path)
    monkeypatch.setattr(verilator, "_compile_model", compiled)
    caplog.set_level(logging.INFO, "quantunet.cache")
    root = tmp_path / "builds"
    folder = verilator.build([source], "qun_counter", parameters, root)
    for count, damage in enumerate(DAMAGE.values(), start=2):
        damage(folder / verilator.EXECUTABLE)
        assert verilator.build([source], "qun_counter", parameters, root) == folder
        assert len(builds) == count == len(caplog.records) + 1
        assert (folder / verilator.EXECUTABLE).read_bytes() == original.read_bytes()
        assert verilator.build([source], "qun_counter", parameters, root) == folder
        assert len(builds) == count
    assert run(folder, tmp_path / "run").passed
    assert [path.name for path in root.iterdir()] == [folder.name]


def test_a_damaged_runtime_is_compiled_again_before_it_is_used(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def compiled(commands: Sequence[Sequence[str | Path]], cwd: Path, what: str, jobs: int) -> None:
        for command in commands:
            (cwd / command[-1]).write_bytes(b"object" * 100)
        made.append(cwd)

    monkeypatch.setattr(verilator, "_in_parallel", compiled)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    verilator.prepare()
    verilator.prepare()
    assert len(made) == 1
    (folder,) = tmp_path.glob("quantunet/verilator/runtime-*")
    header = folder / "fast" / f"{verilator._HEADER}.gch"
    header.write_bytes(header.read_bytes()[:100])
    assert verilator._runtime(verilator._tools(), trace=False) == folder
    assert len(made) == 2
    assert header.stat().st_size == 600


def test_a_simulator_that_crashes_is_a_tool_that_failed(source: Path, tmp_path: Path) -> None:
    (tmp_path / verilator.EXECUTABLE).write_text("#!/bin/sh\nkill -SEGV $$\n")
    (tmp_path / verilator.EXECUTABLE).chmod(0o755)
    with pytest.raises(ToolFailedError, match="none ran, exit code -11"):
        run(tmp_path, tmp_path / "run")
    (tmp_path / verilator.EXECUTABLE).unlink()
    with pytest.raises(ToolFailedError, match="none ran, exit code 127"):
        run(tmp_path, tmp_path / "run")


def test_run_without_a_test_has_failed(source: Path, tmp_path: Path) -> None:
    folder = verilator.build([source], "qun_counter", {"Step": 2, "Greeting": "hello"}, BUILD_ROOT)
    with pytest.raises(ToolFailedError, match="none ran"):
        run(folder, tmp_path / "run", testcase="no_such_test")
    with pytest.raises(ToolFailedError, match="none ran"):
        verilator.run_cocotb(folder, "no_such_module", "qun_counter", tmp_path / "run", check=False)
    assert [test.name for test in run(folder, tmp_path / "run", testcase="counts").tests] == ["bench_counter.counts"]


def test_a_bench_whose_python_does_not_start_ends(source: Path, tmp_path: Path) -> None:
    (tmp_path / "types.py").write_text("raise ImportError('not the one of the standard library')\n")
    folder = verilator.build([source], "qun_counter", {"Step": 2, "Greeting": "hello"}, BUILD_ROOT)
    with pytest.raises(ToolFailedError, match=r"none ran, exit code 0[^$]*Failed to initialize Python"):
        verilator.run_cocotb(
            folder,
            "bench_counter",
            "qun_counter",
            tmp_path / "run",
            plusargs=["+free_run=256"],
            env={"PYTHONPATH": str(tmp_path)},
            timeout=60,
        )


def test_refused_design_leaves_nothing(tmp_path: Path) -> None:
    refused = tmp_path / "qun_refused.sv"  # no other test builds one of this name in the folder that all share
    refused.write_text(COUNTER.replace("qun_counter", "qun_refused").replace("8'(Step)", "Nothing"))
    with pytest.raises(ToolFailedError, match="Nothing"):
        verilator.build([refused], "qun_refused", {}, BUILD_ROOT)
    assert not [path for path in BUILD_ROOT.glob("*qun_refused*") if path.is_dir()]
    with pytest.raises(StorageError, match="missing.sv"):
        verilator.build([tmp_path / "missing.sv"], "qun_counter", {}, BUILD_ROOT)


def test_lint_fails_on_a_warning(source: Path, tmp_path: Path) -> None:
    verilator.lint([source], "qun_counter", tmp_path)
    source.write_text(COUNTER.replace("8'(Step)", "Step"))
    with pytest.raises(ToolFailedError, match="WIDTH"):
        verilator.lint([source], "qun_counter", tmp_path)


def test_missing_compiler_is_named_with_its_package(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verilator._tools.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="apt-get install g\\+\\+"):
        verilator.build([source], "qun_counter", {}, tmp_path / "builds")
    assert not (tmp_path / "builds").exists()
