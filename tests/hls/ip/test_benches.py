"""The commands of a package's README, as they stand there: each bench passes, and fails where a result is another."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.ip_tools import GRAPH, LIMIT, commands, copy, environment, shell, spoil, write
from helpers.rtl import BUILD_ROOT

from quantunet.errors import ToolFailedError
from quantunet.hls.ip import bench
from quantunet.hls.ip.package import Package
from quantunet.rtl_sim import verilator

BEATS = bench.FRAMES * 4 * 4
PASSED = f"PASS: {BEATS} beats of {bench.FRAMES} frames and 7 registers compared, 0 differences"
FAILED = f"{bench.FRAMES} differences in {BEATS} beats"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return write(tmp_path_factory.mktemp("package") / "ip")


def test_every_command_of_the_readme_is_known(made: Package) -> None:
    assert set(commands(made)) == {
        "Verilator",
        "Icarus Verilog",
        "cocotb 2.1, cocotbext-axi and Verilator",
        "FuseSoC and Verilator",
        "Vivado",
        "LiteX",
    }


def test_bench_in_verilator(made: Package, tmp_path: Path) -> None:
    folder, env = copy(made, tmp_path), environment(tmp_path)
    line = commands(made)["Verilator"]
    done = shell(line, folder, env)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert PASSED in done.stdout
    program = line.split(" && ")[1]
    spoil(folder / bench.RESULT)
    done = shell(program, folder, env)
    assert done.returncode != 0
    assert FAILED in done.stdout and "PASS" not in done.stdout
    (folder / bench.RESULT).unlink()
    assert shell(program, folder, env).returncode != 0


def test_bench_by_fusesoc(made: Package, tmp_path: Path) -> None:
    folder = copy(made, tmp_path)
    done = shell(commands(made)["FuseSoC and Verilator"], folder, environment(tmp_path))
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert PASSED in done.stdout + done.stderr


def test_plain_verilog_is_verilog_2001(made: Package, tmp_path: Path) -> None:
    """Verilator reads it in the language of 2001, in which no word of SystemVerilog is known."""
    plain = made.folder / "verilog" / f"{made.ip.name}.v"
    text = plain.read_text(encoding="utf-8")
    assert text.count("\nmodule ") == 1 and "readmem" not in text
    flags = ("--default-language", "1364-2001", "-Wno-lint", "-Wno-style", "-Wno-UNOPTFLAT")
    verilator.lint([plain], made.ip.name, tmp_path, flags)
    modern = tmp_path / "modern.v"
    modern.write_text(text.replace("\n  input clk;", "\n  input logic clk;", 1), encoding="utf-8")
    with pytest.raises(ToolFailedError):
        verilator.lint([modern], made.ip.name, tmp_path, flags)


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus is not installed: sudo apt-get install iverilog")
def test_plain_verilog_in_icarus(made: Package, tmp_path: Path) -> None:
    folder, env = copy(made, tmp_path), environment(tmp_path)
    plain = folder / "verilog" / f"{made.ip.name}.v"
    assert shell(f"iverilog -g2001 -t null {plain}", folder, env).stderr == ""
    line = commands(made)["Icarus Verilog"]
    done = shell(line, folder, env)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert PASSED in done.stdout
    spoil(folder / bench.RESULT)
    done = shell(line, folder, env)
    assert done.returncode != 0
    assert FAILED in done.stdout and "PASS" not in done.stdout


def test_bench_in_cocotb_with_memories_elsewhere(made: Package, tmp_path: Path) -> None:
    """The simulation runs in an empty folder: a parameter says where the memories are."""
    sources = [made.folder / name for name in (*made.ip.includes, *made.ip.sources)]
    parameters = {"MemoryFolder": f"{made.folder}/"}
    executable = verilator.build(sources, made.ip.name, parameters, BUILD_ROOT, flags=verilator.ASSERTIONS, quick=True)
    module, work = f"test_{made.ip.name}", tmp_path / "work"

    def run(result: Path) -> str:
        program = (
            "import sys\nfrom pathlib import Path\nfrom quantunet.rtl_sim import verilator\n"
            "sys.path.insert(0, sys.argv[1])\n"
            "done = verilator.run_cocotb(Path(sys.argv[2]), *sys.argv[3:5], Path(sys.argv[5]), check=False,\n"
            "                            env={'RESULT': sys.argv[6]}, seed=1)\n"
            "print(len(done.tests), done.passed)\n"
        )
        words = [made.folder / "bench", executable, module, made.ip.name, work, result]
        done = subprocess.run(
            [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert run(made.folder / bench.RESULT) == "1 True"
    wrong = Path(shutil.copy(made.folder / bench.RESULT, tmp_path / "wrong.mem"))
    spoil(wrong)
    assert run(wrong) == "1 False"


@pytest.mark.slow
def test_bench_in_cocotb_by_its_own_command(made: Package, tmp_path: Path) -> None:
    line = commands(made)["cocotb 2.1, cocotbext-axi and Verilator"]
    done = shell(line, copy(made, tmp_path), environment(tmp_path))
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert "TESTS=1 PASS=1 FAIL=0" in done.stdout


def test_vectors_are_those_of_golden() -> None:
    found = bench.vectors(GRAPH)
    assert found.picture.shape == GRAPH.tensor(GRAPH.input).shape
    assert len(set(found.result.ravel().tolist())) > 4, "a result that is alike everywhere hides the order of its beats"
