"""The models of LUTs and of packed cells are Yosys' own cells: proven by SAT for tables chosen at random."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from quantunet.rtl_sim.bench import HDL_FOLDER
from quantunet.rtl_sim.netlist_bench import MAPPED

SCRIPT = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.stdin.read().splitlines():
    design.run_pass(command)
"""

LUT = """
module ours(input [3:0] i, output z);
  LUT4 #(.INIT(16'h{init[0]:04x})) u(.A(i[0]), .B(i[1]), .C(i[2]), .D(i[3]), .Z(z));
endmodule
module theirs(input [3:0] i, output z);
  LUT4 #(.INIT(16'h{init[0]:04x})) u(.A(i[0]), .B(i[1]), .C(i[2]), .D(i[3]), .Z(z));
endmodule
"""

CARRY = """
module ours(input [7:0] i, input c, output [2:0] z);
  wire carry;
  TRELLIS_COMB #(.MODE("CCU2"), .INITVAL(16'h{init[0]:04x}), .CCU2_INJECT1("{yes[0]}")) u0(
    .A(i[0]), .B(i[1]), .C(i[2]), .D(i[3]), .FCI(c), .F(z[0]), .FCO(carry));
  TRELLIS_COMB #(.MODE("CCU2"), .INITVAL(16'h{init[1]:04x}), .CCU2_INJECT1("{yes[1]}")) u1(
    .A(i[4]), .B(i[5]), .C(i[6]), .D(i[7]), .FCI(carry), .F(z[1]), .FCO(z[2]));
endmodule
module theirs(input [7:0] i, input c, output [2:0] z);
  CCU2C #(.INIT0(16'h{init[0]:04x}), .INIT1(16'h{init[1]:04x}), .INJECT1_0("{yes[0]}"), .INJECT1_1("{yes[1]}")) u(
    .A0(i[0]), .B0(i[1]), .C0(i[2]), .D0(i[3]), .A1(i[4]), .B1(i[5]), .C1(i[6]), .D1(i[7]),
    .CIN(c), .S0(z[0]), .S1(z[1]), .COUT(z[2]));
endmodule
"""

RAM = """
module ours(input clk, input we, input [3:0] d, input [3:0] w, input [3:0] r, output [3:0] z);
  wire [3:0] wd, wad;
  TRELLIS_RAMW u_write(
    .A0(w[3]), .B0(w[1]), .C0(w[2]), .D0(w[0]), .A1(d[1]), .B1(d[3]), .C1(d[0]), .D1(d[2]),
    .WDO0(wd[0]), .WDO1(wd[1]), .WDO2(wd[2]), .WDO3(wd[3]),
    .WADO0(wad[0]), .WADO1(wad[1]), .WADO2(wad[2]), .WADO3(wad[3]));
{bits}
endmodule
module theirs(input clk, input we, input [3:0] d, input [3:0] w, input [3:0] r, output [3:0] z);
  TRELLIS_DPR16X4 #(.WREMUX("{inverted}")) u(.DI(d), .WAD(w), .WRE(we), .WCK(clk), .RAD(r), .DO(z));
endmodule
"""

RAM_BIT = """  TRELLIS_COMB #(.MODE("DPRAM"), .WREMUX("{inverted}")) u{bit}(
    .A(r[3]), .B(r[1]), .C(r[2]), .D(r[0]), .WCK(clk), .WRE(we), .WD(wd[{bit}]),
    .WAD0(wad[0]), .WAD1(wad[1]), .WAD2(wad[2]), .WAD3(wad[3]), .F(z[{bit}]));"""

STEPS = 4


def equal(modules: str, folder: Path, models: tuple[Path, ...] = MAPPED, *, clocked: bool = False) -> bool:
    """Tell whether Yosys proves that ``ours``, of our models, is ``theirs``, of its own.

    What has a clock is compared over a few cycles from its initial state.
    """
    (folder / "cells.v").write_text(modules)
    prove = f"-tempinduct-baseonly -maxsteps {STEPS}" if clocked else ""
    commands = [
        f"read_verilog -sv -nooverwrite -noblackbox {' '.join(map(str, models))}",
        "design -stash models",
        f"read_verilog {folder / 'cells.v'}",
        "techmap -autoproc -map %models -map +/lattice/cells_sim_ecp5.v ours",
        "techmap -autoproc -map +/lattice/cells_sim_ecp5.v theirs",
        "select -assert-none t:TRELLIS_* t:CCU2C t:LUT*",
        "memory_map",
        "miter -equiv -flatten -make_outputs ours theirs miter",
        "hierarchy -top miter",
        "opt -full",
        f"sat -verify -prove trigger 0 {prove} miter",
    ]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input="\n".join(commands), capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    if "proof did fail" in output:
        return False
    assert done.returncode == 0, output[-2000:]
    assert ("Reached maximum number of time steps" if clocked else "no model found: SUCCESS!") in output, output[-2000:]
    return True


def tables(seed: int) -> dict[str, object]:
    """Return tables and choices."""
    rng = random.Random(seed)
    return {
        "init": [rng.randrange(1 << 16) for _ in range(2)],
        "yes": [rng.choice(["YES", "NO"]) for _ in range(2)],
    }


def ram(inverted: str = "WRE") -> str:
    """Return a distributed RAM in both forms."""
    bits = "\n".join(RAM_BIT.format(bit=bit, inverted=inverted) for bit in range(4))
    return RAM.format(bits=bits, inverted=inverted)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("modules", [LUT, CARRY], ids=["lut", "carry"])
def test_a_table_is_what_yosys_says(modules: str, seed: int, tmp_path: Path) -> None:
    assert equal(modules.format(**tables(seed)), tmp_path)


@pytest.mark.parametrize("inverted", ["WRE", "INV"])
def test_a_distributed_ram_is_what_yosys_says(inverted: str, tmp_path: Path) -> None:
    assert equal(ram(inverted), tmp_path, clocked=True)


@pytest.mark.parametrize(
    ("file", "right", "wrong", "modules"),
    [
        ("LUT4.sv", "{D, C, B, A}", "{C, D, B, A}", LUT.format(**tables(0))),
        ("TRELLIS_COMB.sv", "!Inject && made", "made", CARRY.format(init=[0x1234, 0x9876], yes=["YES", "NO"])),
        ("TRELLIS_COMB.sv", "INITVAL >> {B, A}", "INITVAL >> {A, B}", CARRY.format(init=[2, 4], yes=["NO", "NO"])),
        ("TRELLIS_COMB.sv", "{WAD0, WAD2, WAD1, WAD3}", "{WAD0, WAD1, WAD2, WAD3}", ram()),
        ("TRELLIS_RAMW.sv", "{B1, D1, A1, C1}", "{B1, D1, C1, A1}", ram()),
    ],
)
def test_a_fault_in_a_model_is_seen(file: str, right: str, wrong: str, modules: str, tmp_path: Path) -> None:
    text = (HDL_FOLDER / file).read_text(encoding="utf-8")
    assert right in text
    (tmp_path / file).write_text(text.replace(right, wrong))
    models = tuple(tmp_path / path.name if path.name == file else path for path in MAPPED)
    assert not equal(modules, tmp_path, models, clocked=modules == ram())
