"""What the report of a bitstream says: of which seed its numbers are, what it counts, and what makes it fail."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest

from quantunet import tables
from quantunet.constraints.board import load_board
from quantunet.hls.bitstream import report
from quantunet.hls.bitstream.netlist import Netlist
from quantunet.hls.bitstream.paths import Path as TimingPath
from quantunet.hls.bitstream.paths import Paths
from quantunet.hls.bitstream.place import Packed, Route
from quantunet.hls.bitstream.report import Report, Simulation
from quantunet.hls.bitstream.routed import Clock, Usage
from quantunet.hls.synth.families import Usage as Synthesised
from quantunet.provenance import Provenance

BITS = b"a bitstream"
LATEST = TimingPath("block RAM to register", "enc0", "word_q", 14.25, 7)
SIMULATED = Simulation("synthesis", 2, 2048, 0, (16192, 16190), ((53044, 106088), (53042, 106086)), (), 38.5)


def route(folder: Path, seed: int, mhz: float | None, luts: int = 500) -> Route:
    """Return the result of a seed, with numbers that no other seed has; without room where it has no clock."""
    usage = (Usage("TRELLIS_COMB", luts + seed, 83640), Usage("DP16KD", 52, 208))
    clocks = () if mhz is None else (Clock("clk", mhz, 60.0), Clock("other", 2 * mhz, 30.0))
    failure = "needs 99999 TRELLIS_COMB of 83640" if mhz is None else ""
    return Route(seed, folder, usage, clocks, failure, 100.0 + seed, 10.0 + seed, 1000 + seed, seed == 2)


@pytest.fixture
def found(tmp_path: Path) -> Report:
    """Return a report of three seeds, of which the second is the fastest."""
    file = tmp_path / "bitstream-2" / "net.bit"
    file.parent.mkdir()
    file.write_bytes(BITS)
    synthesised = Synthesised(lut=600, ff=300, dsp=3, bram=52, lutram=4, carry=40, luteq=500)
    return Report(
        network="net",
        board=load_board("ulx3s_85f"),
        top="qun_chip",
        mhz=60.0,
        tools=("yosys 1", "nextpnr-ecp5 2"),
        netlist=Netlist(tmp_path, tmp_path / "netlist.json", "key", synthesised, 20.5, 77, cached=True),
        feeds=50,
        lut_places=602,
        routes=[route(tmp_path, seed, mhz) for seed, mhz in ((1, 70.0), (2, 90.0), (3, 80.0))],
        paths=Paths((LATEST,), (dataclasses.replace(LATEST, layer="dec0"),)),
        packed=Packed(file, 1.5, 88, cached=False),
        folder=tmp_path,
        provenance=Provenance("2026-01-01T00:00:00Z", None, None, {}, {}, {"graph": "0" * 64}),
        simulations=[SIMULATED],
    )


def test_the_numbers_are_those_of_the_fastest_seed(found: Report) -> None:
    document = json.loads(report.write(found).read_text(encoding="utf-8"))
    assert document == found.document()
    assert (document["best_seed"], document["passed"], document["fits"], document["problems"]) == (2, True, True, [])
    assert document["cells"] == [
        {"kind": "TRELLIS_COMB", "used": 502, "available": 83640, "percent": 0.6},
        {"kind": "DP16KD", "used": 52, "available": 208, "percent": 25.0},
    ]
    assert document["clocks"] == [
        {"name": "clk", "mhz": 90.0, "needed_mhz": 60.0, "passes": True},
        {"name": "other", "mhz": 180.0, "needed_mhz": 30.0, "passes": True},
    ]
    assert (document["network"], document["board"], document["top"]) == ("net", "ulx3s_85f", "qun_chip")
    assert (document["device"], document["frequency_mhz"]) == ("LFE5U-85F-6BG381C", 60.0)
    assert document["tools"] == ["yosys 1", "nextpnr-ecp5 2"]
    assert document["provenance"]["sha256"] == {"graph": "0" * 64}


def test_every_seed_and_every_step_is_told_apart(found: Report) -> None:
    document = found.document()
    seeds = [
        (one["seed"], one["clocks"][0]["mhz"], one["seconds"], one["cpu_seconds"], one["memory_mib"], one["cached"])
        for one in document["seeds"]
    ]
    assert seeds == [
        (1, 70.0, 101.0, 11.0, 1001, False),
        (2, 90.0, 102.0, 12.0, 1002, True),
        (3, 80.0, 103.0, 13.0, 1003, False),
    ]
    assert [tuple(step.values()) for step in document["steps"]] == [
        ("synthesis", 20.5, 77, True),
        ("place and route, seed 1", 101.0, 1001, False),
        ("place and route, seed 2", 102.0, 1002, True),
        ("place and route, seed 3", 103.0, 1003, False),
        ("bitstream", 1.5, 88, False),
    ]


def test_synthesis_paths_bitstream_and_simulations_are_what_was_found(found: Report) -> None:
    document = found.document()
    counts = {"lut": 600, "ff": 300, "dsp": 3, "bram": 52, "lutram": 4, "carry": 40, "luteq": 500}
    assert document["synthesis"] == counts | {"carry_feeds": 50, "lut_places": 602}
    assert document["bitstream"] == {
        "file": "bitstream-2/net.bit",
        "bytes": len(BITS),
        "sha256": hashlib.sha256(BITS).hexdigest(),
    }
    path = {"kind": LATEST.kind, "layer": "enc0", "signal": "word_q", "arrival_ns": 14.25, "count": 7}
    assert document["paths"] == {"by_kind": [path], "by_layer": [path | {"layer": "dec0"}]}
    assert document["simulations"] == [
        {
            "netlist": "synthesis",
            "frames": 2,
            "values_compared": 2048,
            "mismatches": 0,
            "first_output": 16192,
            "first_output_predicted": 16190,
            "frame_ends": [53044, 106088],
            "frame_ends_predicted": [53042, 106086],
            "problems": [],
            "seconds": 38.5,
        }
    ]


def test_a_netlist_that_is_not_golden_fails_the_run(found: Report) -> None:
    wrong = dataclasses.replace(SIMULATED, mismatches=3, problems=("3 of 2048 values differ",))
    found = dataclasses.replace(found, simulations=[SIMULATED, wrong])
    assert found.problems == ["synthesis: 3 of 2048 values differ"]
    assert not found.passed
    assert found.document()["simulations"][1]["mismatches"] == 3


def test_every_clock_that_is_too_slow_is_said_with_the_others(found: Report, tmp_path: Path) -> None:
    slow = dataclasses.replace(found, routes=[route(tmp_path, 1, 14.5), route(tmp_path, 2, 14.04)])
    assert slow.problems == [
        "clk reaches 14.5 MHz, less than 60 MHz",
        "other reaches 29.0 MHz, less than 30 MHz",
    ]
    assert not slow.passed
    edge = dataclasses.replace(found, routes=[route(tmp_path, 1, 60.0)])
    assert edge.passed


def test_without_room_it_does_not_pass_and_says_why(found: Report, tmp_path: Path) -> None:
    wrong = dataclasses.replace(SIMULATED, problems=("the end came late",))
    full = dataclasses.replace(
        found, routes=[route(tmp_path, 1, None, 99998)], packed=None, paths=None, simulations=[wrong]
    )
    assert full.problems == [
        "does not fit ulx3s_85f: needs 99999 TRELLIS_COMB of 83640",
        "synthesis: the end came late",
    ]
    document = full.document()
    assert (document["fits"], document["passed"], document["bitstream"], document["paths"]) == (
        False,
        False,
        None,
        None,
    )
    assert [step["step"] for step in document["steps"]] == ["synthesis", "place and route, seed 1"]
    assert document["cells"][0]["percent"] == 119.56
    assert not dataclasses.replace(found, packed=None).passed, "without a bitstream nothing is for a board"


def test_the_tables_have_the_same_numbers(found: Report, capsys: pytest.CaptureFixture[str]) -> None:
    console = tables.output()
    for table in report.tables(found):
        tables.show(console, table)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    def row(first: str) -> list[str]:
        return [line for line in lines if line.lstrip("│┃ ").startswith(first)]

    assert any("502" in line and "83,640" in line and "0.6 %" in line for line in row("TRELLIS_COMB"))
    for seed, mhz, cpu in ((1, "70.0", "11"), (2, "90.0", "12"), (3, "80.0", "13")):
        assert any(all(part in line.split() for part in ("clk", mhz, cpu)) for line in row(str(seed)))
    assert any("2,048" in line and "16,192" in line and "106,086" in line for line in row("synthesis"))
    assert any("14.25" in line and "70.2" in line for line in lines)
