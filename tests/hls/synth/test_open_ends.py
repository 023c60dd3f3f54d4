"""Carries that nobody reads: which they are, and what nextpnr makes of a design when they are open."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from quantunet.constraints.board import load_board
from quantunet.hls.bitstream import netlist, tools
from quantunet.hls.bitstream.packing import CONSTANTS, lut_places, read_module
from quantunet.hls.bitstream.place import Placer
from quantunet.hls.synth.families import ECP5, NEXUS
from quantunet.hls.synth.open_ends import open_ends, unread_ends
from quantunet.hls.synth.verilog import plain
from quantunet.hls.synth.yosys import Job

COUNTERS = """
module counters (input wire logic clk, input wire logic [11:0] step, output logic [11:0] a_q, b_q, output logic top_q);
  always_ff @(posedge clk) begin
    a_q <= a_q + step;
    {top_q, b_q} <= 13'(b_q) + 13'(a_q);
  end
endmodule
"""


def carry(cin: list[int | str], cout: list[int | str]) -> dict[str, Any]:
    return {
        "type": "CCU2C",
        "port_directions": {"CIN": "input", "COUT": "output"},
        "connections": {"CIN": cin, "COUT": cout},
    }


def design() -> dict[str, Any]:
    """Return chains whose end nothing reads (b, e), a LUT reads (c), ports of the module read (d, g), or is open."""
    lut = {"type": "LUT4", "port_directions": {"A": "input", "Z": "output"}, "connections": {"A": [4], "Z": [9]}}
    cells = {"a": carry(["0"], [2]), "b": carry([2], [3]), "c": carry(["0"], [4]), "d": carry(["1"], [5])}
    cells |= {"e": carry(["0"], [6]), "f": carry(["0"], []), "g": carry(["0"], [7]), "lut": lut}
    ports = {
        "io": {"direction": "inout", "bits": [7]},
        "q": {"direction": "output", "bits": [5]},
        "i": {"direction": "input", "bits": [6]},
    }
    return {"cells": cells, "ports": ports}


def test_only_carries_that_nothing_reads_are_opened() -> None:
    module = design()
    assert unread_ends(module, ECP5) == ["b", "e"]
    assert unread_ends(module, NEXUS) == [], "not known there, and nothing is guessed"
    before = copy.deepcopy(module)
    assert open_ends(module, ECP5) == 2
    assert open_ends(module, ECP5) == 0, "they are open"
    for name, cell in module["cells"].items():
        if name in ("b", "e"):
            assert cell["connections"].pop("COUT") == ["x"]
            del before["cells"][name]["connections"]["COUT"]
    assert module == before


def test_nextpnr_packs_as_many_places_as_follow_from_the_netlist(tmp_path: Path) -> None:
    source, lpf = tmp_path / "counters.sv", tmp_path / "counters.lpf"
    source.write_text(COUNTERS)
    lpf.write_text("BLOCK RESETPATHS;\n")
    made = netlist.synthesise(Job("counters", "counters", (source,), tmp_path), tmp_path / "made", time_limit=600)
    module = read_module(made.file, "counters")
    ends = [cell for cell in module["cells"].values() if cell["connections"].get("COUT") == ["x"]]
    assert len(ends) == 2 and unread_ends(module, ECP5) == []
    placer = Placer(tools.find("pip"), load_board("ulx3s_85f"), made, lpf, 60.0, 600)
    route = placer.route(1, tmp_path / "seed_1")
    assert route.fits
    usage = {one.kind: one.used for one in route.usage}
    assert usage["TRELLIS_COMB"] == lut_places(module, ECP5) == made.usage.lut + CONSTANTS
    assert usage["TRELLIS_FF"] == 25
    ends[0]["connections"]["COUT"] = [1 << 20]
    assert lut_places(module, ECP5) == usage["TRELLIS_COMB"] + ECP5.feed_luts, "a net there takes a cell"


def test_simulators_see_no_open_port() -> None:
    module = design()
    open_ends(module, ECP5)
    module["cells"]["lut"]["connections"]["A"] = ["x"]
    connections = {name: cell["connections"] for name, cell in plain(module)["cells"].items()}
    assert "COUT" not in connections["b"] and connections["a"]["COUT"] == [2]
    assert connections["lut"]["A"] == ["x"], "an input that is undefined is another thing"
