from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from helpers.rtl import BUILD_ROOT

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


def test_run_without_a_test_has_failed(source: Path, tmp_path: Path) -> None:
    folder = verilator.build([source], "qun_counter", {"Step": 2, "Greeting": "hello"}, BUILD_ROOT)
    with pytest.raises(ToolFailedError, match="none ran"):
        run(folder, tmp_path / "run", testcase="no_such_test")
    with pytest.raises(ToolFailedError, match="none ran"):
        verilator.run_cocotb(folder, "no_such_module", "qun_counter", tmp_path / "run", check=False)
    assert [test.name for test in run(folder, tmp_path / "run", testcase="counts").tests] == ["bench_counter.counts"]


def test_refused_design_leaves_nothing(source: Path, tmp_path: Path) -> None:
    source.write_text(COUNTER.replace("8'(Step)", "Nothing"))
    with pytest.raises(ToolFailedError, match="Nothing"):
        verilator.build([source], "qun_counter", {}, BUILD_ROOT)
    assert not [path for path in BUILD_ROOT.glob(".qun_counter-*") if path.is_dir()]
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
