"""Carries that nobody reads: which they are, and what nextpnr makes of a design when they are open."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from quantunet.constraints.board import load_board
from quantunet.errors import OptionError
from quantunet.hls.bitstream import netlist, tools
from quantunet.hls.bitstream.flow import Plan
from quantunet.hls.bitstream.open_ends import open_ends, unread_ends
from quantunet.hls.bitstream.packing import lut_places, read_module
from quantunet.hls.bitstream.place import Placer
from quantunet.hls.choose.default import default_folding
from quantunet.hls.synth.families import ECP5, NEXUS
from quantunet.hls.synth.yosys import Job
from quantunet.random_network import random_unet

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


@pytest.mark.parametrize("opened", [False, True])
def test_nextpnr_packs_as_many_places_as_follow_from_the_netlist(opened: bool, tmp_path: Path) -> None:
    source, lpf = tmp_path / "counters.sv", tmp_path / "counters.lpf"
    source.write_text(COUNTERS)
    lpf.write_text("BLOCK RESETPATHS;\n")
    made = netlist.synthesise(Job("counters", "counters", (source,), tmp_path), tmp_path / "made", time_limit=600)
    placer = Placer(tools.find("pip"), load_board("ulx3s_85f"), made, lpf, 60.0, 600, open_ends=opened)
    route = placer.route(1, tmp_path / "seed_1")
    assert route.fits and not list(route.folder.glob("opened*"))
    module = read_module(made.file, "counters")
    unread = len(unread_ends(module, ECP5))
    assert unread >= 1
    usage = {one.kind: one.used for one in route.usage}
    if opened:
        assert open_ends(module, ECP5) == unread
    assert usage["TRELLIS_COMB"] == lut_places(module, ECP5)
    assert usage["TRELLIS_COMB"] == made.usage.lut + 2 - (2 * unread if opened else 0)
    assert usage["TRELLIS_FF"] == 25


def test_it_is_another_result_and_of_an_ecp5_alone(tmp_path: Path) -> None:
    source, lpf = tmp_path / "counters.sv", tmp_path / "counters.lpf"
    source.write_text(COUNTERS)
    lpf.write_text("BLOCK RESETPATHS;\n")
    made = netlist.synthesise(Job("counters", "counters", (source,), tmp_path), tmp_path / "made", time_limit=600)
    keys = {
        Placer(tools.find("pip"), load_board("ulx3s_85f"), made, lpf, 60.0, 600, kept, opened).key(1)
        for kept in (False, True)
        for opened in (False, True)
    }
    assert len(keys) == 4
    board, folding = load_board("lifcl_40_evn"), default_folding(random_unet(base=2, depth=1, size=8))
    with pytest.raises(OptionError, match="open_ends: expected a board with an ECP5"):
        Plan(folding, board, tools.find("pip"), 12.0, (1,), open_ends=True)
