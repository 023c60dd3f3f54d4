"""The model of the block RAM: what Yosys maps to it does what the memory does, value by value, on random stimuli."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from helpers.rtl import BUILD_ROOT

from quantunet.errors import ToolFailedError
from quantunet.hls.synth import yosys
from quantunet.hls.synth.verilog import write_verilog
from quantunet.hls.synth.yosys import Job
from quantunet.rtl_sim import verilator
from quantunet.rtl_sim.bench import HDL_FOLDER
from quantunet.rtl_sim.netlist_bench import MAPPED

RTL = Path(__file__).parents[1] / "helpers" / "block_ram.sv"
MODEL = HDL_FOLDER / "DP16KD.sv"
CYCLES = 4000

Cell = dict[str, Any]


@dataclass(frozen=True)
class Memory:
    """A memory of ``block_ram.sv``, and what must become of it.

    Attributes:
        module: The module that is synthesised.
        parameters: Its parameters.
        wanted: Parameters that its block RAM must have.
        bits: Bits of each output.
        edit: A change of the block RAM afterwards.
        reference: The module with which it is then compared, and its parameters; the same by default.
    """

    module: str
    parameters: dict[str, int]
    wanted: dict[str, object]
    bits: int = 18
    edit: Callable[[Cell, dict[str, list[int]]], None] | None = None
    reference: tuple[str, dict[str, int]] = field(default_factory=lambda: ("", {}))


def _register(cell: Cell, ports: dict[str, list[int]]) -> None:
    for port in "AB":
        cell["parameters"][f"REGMODE_{port}"] = "OUTREG"
        cell["connections"][f"OCE{port}"] = [ports["rst"][0]]


def _select(cell: Cell, ports: dict[str, list[int]]) -> None:
    for port in "AB":
        cell["parameters"][f"CSDECODE_{port}"] = "0b101"
        for bit in range(3):
            cell["connections"][f"CS{port}{bit}"] = [ports[f"d{port.lower()}"][bit]]


MODES = ("NORMAL", "WRITETHROUGH", "READBEFOREWRITE")
PLAIN = ("dual", {"Bits": 18, "Mode": 2, "Rows": 1024})
MEMORIES = {
    **{
        f"dual_{bits}_{MODES[mode].lower()}": Memory(
            "dual",
            {"Bits": bits, "Mode": mode, "Rows": (18432 if bits > 8 else 16384) // bits},
            {"DATA_WIDTH_A": bits, "DATA_WIDTH_B": bits, "WRITEMODE_A": MODES[mode], "WRITEMODE_B": MODES[mode]},
            bits,
        )
        for bits, mode in ((1, 0), (2, 1), (4, 2), (9, 0), (9, 1), (18, 0), (18, 1), (18, 2))
    },
    "pseudo": Memory("pseudo", {"Reset": 0}, {"DATA_WIDTH_A": 36, "DATA_WIDTH_B": 36}),
    "pseudo_sync": Memory("pseudo", {"Reset": 1}, {"DATA_WIDTH_B": 36, "RESETMODE": "SYNC"}),
    "pseudo_async": Memory("pseudo", {"Reset": 2}, {"DATA_WIDTH_B": 36, "RESETMODE": "ASYNC"}),
    "registered": Memory(*PLAIN, {"DATA_WIDTH_A": 18}, 18, _register, ("registered", {"Register": 1})),
    "selected": Memory(*PLAIN, {"DATA_WIDTH_A": 18}, 18, _select, ("registered", {"Register": 0, "Select": 1})),
}

TOP = """
module compare_{name} (
    input wire logic clk,
    output int compared  /* verilator public_flat_rd */,
    output int differ  /* verilator public_flat_rd */,
    output bit done  /* verilator public_flat_rd */
);
  logic rst;
  logic [1:0] ce, we;
  logic [13:0] a, b;
  logic [17:0] da, db;
  logic [{last}:0] qa, qb, ra, rb;
  int cycle, unclocked;
  bit collide;
  initial collide = $test$plusargs("collide") != 0;

  always @(negedge clk) begin
    automatic logic [13:0] next = 14'($urandom);
    cycle <= cycle + 1;
    rst <= $urandom_range(0, 3) == 0;
    ce <= 2'($urandom) | 2'($urandom);
    we <= 2'($urandom);
    a <= {{6'd0, 8'($urandom)}} << 4 | {{10'd0, 4'($urandom)}};
    next = {{6'd0, next[7:0]}} << 4 | {{10'd0, next[11:8]}};
    b <= next;
    // The ports meet in one row of 36 bits only where they may.
    if (!collide) begin
      a[5] <= 1'b0;
      b[5] <= 1'b1;
      if ($urandom_range(0, 1) == 0) begin
        a[5] <= 1'b1;
        b[5] <= 1'b0;
      end
    end
    da <= 18'($urandom);
    db <= 18'($urandom);
    if (cycle > 1) begin
      compared <= compared + 2;
      differ <= differ + int'(qa != ra) + int'(qb != rb) + unclocked;
    end
    done <= cycle >= {cycles};
  end

  // Half a cycle later, what needs no clock is there already.
  always @(posedge clk) begin
    unclocked <= int'(cycle > 1 && (qa != ra || qb != rb));
  end

  {reference} u_reference (.clk, .rst, .ce, .we, .a, .b, .da, .db, .qa(ra), .qb(rb));
  {name}_netlist u_netlist (.clk, .rst, .ce, .we, .a, .b, .da, .db, .qa(qa), .qb(qb));
endmodule
"""


def _simulate(name: str, folder: Path, *, model: Path = MODEL, plusargs: tuple[str, ...] = ()) -> dict[str, int]:
    """Synthesise a memory, compare it with its RTL and return how many values were compared and differ."""
    memory = MEMORIES[name]
    parameters = tuple(memory.parameters.items())
    rows, bits = memory.parameters.get("Rows", 512), 36 if memory.module == "pseudo" else memory.bits
    words = [random.Random(row).randrange(1 << bits) for row in range(rows)]
    (folder / "words.mem").write_text("".join(f"{word:0{-(-bits // 4)}x}\n" for word in words))
    job = Job(name, memory.module, (RTL,), folder, parameters=parameters)
    file = folder / "netlist.json"
    yosys.with_netlist(job, folder, file, folder / "yosys.log")
    module = json.loads(file.read_text())["modules"][memory.module]
    (block,) = [cell for cell in module["cells"].values() if cell["type"] == "DP16KD"]
    found = {key: int(value, 2) if set(value) <= {"0", "1"} else value for key, value in block["parameters"].items()}
    assert {key: found.get(key) for key in memory.wanted} == memory.wanted
    if memory.edit is not None:
        memory.edit(block, {port: about["bits"] for port, about in module["ports"].items()})
    edited = folder / "edited.json"
    edited.write_text(json.dumps({"modules": {f"{name}_netlist": module}}))
    write_verilog(edited, f"{name}_netlist", folder / "netlist.v", models=MAPPED, kept=["DP16KD"], time_limit=300)
    reference, values = memory.reference if memory.reference[0] else (memory.module, memory.parameters)
    arguments = ", ".join(f".{key}({value})" for key, value in values.items())
    top = folder / "compare.sv"
    text = TOP.format(name=name, last=memory.bits - 1, cycles=CYCLES, reference=f"{reference} #({arguments})")
    top.write_text(text)
    flags = ("-Wno-fatal", "-Wno-lint", "-Wno-style")
    sources = (RTL, model, folder / "netlist.v", top)
    built = verilator.build(sources, f"compare_{name}", {}, BUILD_ROOT, flags=flags, quick=True)
    verilator.run_cocotb(
        built, "helpers.benches.tb_block_ram", f"compare_{name}", folder, plusargs=("+free_run=256", *plusargs)
    )
    result: dict[str, int] = json.loads((folder / "compared.json").read_text())
    return result


@pytest.mark.parametrize("name", MEMORIES)
def test_the_model_does_what_the_memory_does(name: str, tmp_path: Path) -> None:
    found = _simulate(name, tmp_path)
    assert found["compared"] > CYCLES
    assert found["differ"] == 0


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("dual_4_readbeforewrite", "{3'd0, low[2], 2'd0}", "{3'd0, ~low[2], 2'd0}"),
        ("dual_18_normal", "&& !(Kept[p] && writes)", ""),
        ("dual_9_writethrough", "Through[p] && writes ?", "1'b0 ?"),
        ("pseudo", "{9{low[3]}}", "{9{low[2]}}"),
        ("pseudo_async", "posedge clk[p] or posedge async_rst", "posedge clk[p]"),
        ("registered", "if (oce[p]) out_q", "out_q"),
        ("selected", "{CSB2, CSB1, CSB0} == Select[1]", "1'b1"),
    ],
)
def test_a_fault_in_the_model_is_seen(name: str, right: str, wrong: str, tmp_path: Path) -> None:
    text = MODEL.read_text(encoding="utf-8")
    assert right in text
    broken = tmp_path / "DP16KD.sv"
    broken.write_text(text.replace(right, wrong))
    assert _simulate(name, tmp_path, model=broken)["differ"] > 0


def test_a_word_that_is_read_while_it_is_written_is_wrong(tmp_path: Path) -> None:
    """The device promises nothing: whoever relies on it must fail."""
    assert _simulate("pseudo", tmp_path, plusargs=("+collide",))["differ"] > 0


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ('.GSR("ENABLED")', "global reset"),
        (".DATA_WIDTH_A(8)", "ports of 8"),
        ('.WRITEMODE_B("FAST")', "write modes"),
        ('.REGMODE_A("BOTH")', "register modes"),
        ('.ASYNC_RESET_RELEASE("ASYNC")', "reset SYNC"),
        ('.CSDECODE_A("0b12")', "chip selects"),
        ('.CLKBMUX("1")', "clocks"),
    ],
)
def test_what_is_not_modelled_is_refused(parameter: str, message: str, tmp_path: Path) -> None:
    source = tmp_path / "top.sv"
    source.write_text(f"module top;\n  DP16KD #({parameter}) u_cell ();\nendmodule\n")
    with pytest.raises(ToolFailedError, match=message):
        verilator.lint((MODEL, source), "top", tmp_path, ("-Wno-PINMISSING", "-Wno-DECLFILENAME"))
