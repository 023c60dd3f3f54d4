"""Logic depth and resource counts of netlists written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from quantunet.errors import ToolFailedError
from quantunet.hls.synth.depth import longest_path
from quantunet.hls.synth.families import ECP5, GW2A, NEXUS, XC7, Family, Usage


class Netlist:
    """Cells joined by named one-bit nets, in the form of Yosys' JSON."""

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}
        self._cells: dict[str, dict[str, Any]] = {}

    def cell(self, kind: str, inputs: dict[str, str], outputs: dict[str, str], **parameters: str) -> None:
        connections = {port: [self._bit(net) for net in nets.split()] for port, nets in {**inputs, **outputs}.items()}
        directions = dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output")
        self._cells[f"c{len(self._cells)}"] = {
            "type": kind,
            "parameters": parameters,
            "port_directions": directions,
            "connections": connections,
        }

    def lut(self, output: str, *inputs: str, kind: str = "LUT4") -> None:
        self.cell(kind, dict(zip("ABCD", inputs, strict=False)), {"Z": output})

    def register(self, output: str, source: str) -> None:
        self.cell("TRELLIS_FF", {"CLK": "clk", "DI": source}, {"Q": output})

    def _bit(self, net: str) -> int:
        return self._bits.setdefault(net, len(self._bits) + 2)

    def module(self) -> dict[str, Any]:
        names = {name: {"bits": [bit], "hide_name": 0} for name, bit in self._bits.items()}
        return {"cells": self._cells, "netnames": names}

    def levels(self, family: Family = ECP5) -> int:
        return longest_path(self.module(), family, "layer").levels


def test_luts_in_series_between_registers() -> None:
    net = Netlist()
    net.register("a", "d")
    net.lut("b", "a", "in")
    net.lut("c", "b", "a")
    net.register("q", "c")
    net.lut("later", "q")
    path = longest_path(net.module(), ECP5, "layer")
    assert (path.levels, path.end) == (2, "c")
    assert path.start in ("a", "in")


def test_a_carry_chain_is_one_level_however_long() -> None:
    net = Netlist()
    for i in range(8):
        net.cell(
            "CCU2C",
            {"CIN": f"carry{i}", "A0": f"a{i}", "B0": f"b{i}", "C0": "one", "D0": "one"}
            | {"A1": f"c{i}", "B1": f"d{i}", "C1": "one", "D1": "one"},
            {"S0": f"s{2 * i}", "S1": f"s{2 * i + 1}", "COUT": f"carry{i + 1}"},
        )
    assert net.levels() == 1
    net.lut("c0", "before")
    net.lut("after", "s15")
    assert net.levels() == 3


def test_the_first_sum_of_a_carry_cell_does_not_depend_on_its_second_half() -> None:
    net = Netlist()
    net.cell("CCU2C", {"A0": "a", "A1": "s0"}, {"S0": "s0", "S1": "s1"})
    assert net.levels() == 2  # no loop, although the cell feeds itself


def test_carry4_bit_does_not_depend_on_higher_bits() -> None:
    net = Netlist()
    net.cell("LUT1", {"I0": "o0"}, {"O": "x"})
    net.cell("CARRY4", {"CI": "zero", "S": "a x c d", "DI": "e f g h"}, {"O": "o0 o1 o2 o3", "CO": "k0 k1 k2 k3"})
    assert net.levels(XC7) == 3


def test_a_chain_of_alus_is_one_level_behind_what_feeds_it() -> None:
    net = Netlist()
    net.cell("LUT1", {"I0": "before"}, {"F": "a0"})
    for i in range(6):
        inputs = {"I0": f"a{i}", "I1": f"b{i}", "I3": "zero", "CIN": f"carry{i}"}
        net.cell("ALU", inputs, {"SUM": f"s{i}", "COUT": f"carry{i + 1}"})
    assert net.levels(GW2A) == 2
    net.cell("LUT1", {"I0": "s5"}, {"F": "after"})
    assert net.levels(GW2A) == 3


def test_memory_and_registered_multiplier_end_a_path_and_a_bare_multiplier_is_a_level() -> None:
    net = Netlist()
    net.lut("x", "in")
    net.cell("DP16KD", {"ADA0": "x"}, {"DOA0": "word"})
    net.lut("y", "word")
    assert net.levels() == 1
    net.cell("MULT18X18D", {"A0": "y"}, {"P0": "p"}, REG_INPUTA_CLK="NONE", REG_OUTPUT_CLK="NONE")
    net.lut("z", "p")
    assert net.levels() == 3
    other = Netlist()
    other.lut("y", "in")
    other.cell("MULT18X18D", {"A0": "y"}, {"P0": "p"}, REG_INPUTA_CLK="CLK0")
    other.lut("z", "p")
    assert other.levels() == 1


def test_distributed_ram_is_read_through_but_not_written_through() -> None:
    net = Netlist()
    net.lut("r", "in")
    net.lut("w1", "in")
    net.lut("w2", "w1")
    net.lut("w3", "w2")
    net.cell("TRELLIS_DPR16X4", {"RAD": "r", "DI": "w3", "WAD": "w3", "WCK": "clk"}, {"DO": "q"})
    assert net.levels() == 3  # the write side
    net.lut("a", "q")
    net.lut("b", "a")
    assert net.levels() == 4  # r, the read, a, b


def test_a_multiplexer_in_the_slice_costs_no_level_for_its_data() -> None:
    net = Netlist()
    net.lut("a", "in")
    net.cell("PFUMX", {"ALUT": "a", "BLUT": "in", "C0": "sel"}, {"Z": "wide"})
    assert net.levels() == 1
    net.lut("sel", "in")
    assert net.levels() == 2


def test_a_combinational_loop_is_an_error_that_names_the_layer() -> None:
    net = Netlist()
    net.lut("a", "b")
    net.lut("b", "a", "in")
    with pytest.raises(ToolFailedError, match=r"^layer: .*without combinational loops"):
        net.levels()


@pytest.mark.parametrize(
    ("family", "cells", "feeds", "usage"),
    [
        (ECP5, {"LUT4": 10, "CCU2C": 3, "TRELLIS_DPR16X4": 2, "PFUMX": 4}, 2, Usage(32, 0, 0, 0, 2, 3, 28)),
        (ECP5, {"TRELLIS_FF": 7, "DP16KD": 5, "MULT18X18D": 6, "MULT9X9D": 3}, 0, Usage(0, 7, 8, 5, 0, 0, 0)),
        (
            NEXUS,
            {"LUT4": 1, "WIDEFN9": 2, "CCU2": 1, "INV": 1, "FD1P3IX": 3, "FD1P3JX": 1},
            0,
            Usage(8, 4, 0, 0, 0, 1, 8),
        ),
        (NEXUS, {"MULTADDSUB9X9WIDE": 1, "MULT9X9": 1, "PDPSC16K": 2, "DP16K": 1}, 0, Usage(0, 0, 3, 3, 0, 0, 0)),
        (XC7, {"LUT6": 5, "LUT2": 5, "RAM32M": 1, "MUXF7": 2, "CARRY4": 4}, 0, Usage(14, 0, 0, 0, 1, 4, 14)),
        (
            GW2A,
            {"LUT1": 2, "LUT4": 3, "ALU": 4, "RAM16SDP4": 5, "DFFSE": 6, "MULT9X9": 1, "SDPX9B": 7, "pROM": 1},
            0,
            Usage(39, 6, 1, 8, 5, 4, 39),
        ),
        (XC7, {"FDRE": 2, "FDSE": 1, "RAMB36E1": 2, "RAMB18E1": 1, "DSP48E1": 3}, 0, Usage(0, 3, 3, 5, 0, 0, 0)),
    ],
)
def test_primitives_are_converted_to_what_the_budget_counts(
    family: Family, cells: dict[str, int], feeds: int, usage: Usage
) -> None:
    assert family.usage(cells, feeds, "layer") == usage


def test_an_unknown_primitive_is_not_passed_over() -> None:
    with pytest.raises(ToolFailedError, match="DCSC"):
        ECP5.usage({"LUT4": 1, "DCSC": 1}, 0, "layer")
