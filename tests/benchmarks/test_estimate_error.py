"""The estimates of whole networks against their netlists."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import estimate_error
from benchmarks.estimate_error import CASES, Case, Row

from quantunet.hls.bitstream.packing import CONSTANTS, lut_places, read_module
from quantunet.hls.resources.terms import Cost
from quantunet.hls.synth import yosys
from quantunet.ir import Conv2d, Graph, QType
from quantunet.random_network import GraphBuilder


def network() -> Graph:
    builder = GraphBuilder("two", 8, 8, 4, QType(4, False, 3), seed=9)
    first = builder.matrix(Conv2d, "first", "image", 8, 3, 4, QType(4, False, 3))
    builder.matrix(Conv2d, "second", builder.maxpool2d("pool", first), 4, 3, 5, QType(6, True, 3))
    return builder.build()


@pytest.mark.parametrize("style", ["folded-lut", "folded-dsp"])
def test_a_row_is_what_the_netlist_of_the_whole_network_takes(style: estimate_error.Style, tmp_path: Path) -> None:
    case = Case("two", network, interval=1000, style=style)
    (row,) = estimate_error.measure([case], tmp_path)
    graph = network()
    design = estimate_error.job(graph, case.folding(graph), tmp_path / "again")
    netlist = tmp_path / "netlist.json"
    found = yosys.with_netlist(design, tmp_path, netlist, tmp_path / "yosys.log")
    assert row.measured.lut == lut_places(read_module(netlist, design.top)) == found.usage.lut + CONSTANTS
    assert (row.measured.dsp, row.measured.bram) == (row.estimated.dsp, row.estimated.bram)
    assert (row.measured.dsp > 0) == (style == "folded-dsp")
    assert row.luteq < row.measured.lut
    # The fit is of a library with fewer registers; two small layers show it more than a whole U-Net does.
    assert abs(row.error("lut")) < 0.2 and abs(row.error("ff")) < 0.2


def test_errors_are_relative_and_the_summary_has_no_sign() -> None:
    rows = [
        Row("a", Cost(110, 50, 0, 2), Cost(100, 50, 0, 2), 90),
        Row("b", Cost(80, 50, 0, 2), Cost(100, 100, 0, 1), 90),
        Row("c", Cost(100, 50, 1, 2), Cost(100, 50, 0, 2), 90),
    ]
    assert [row.error("lut") for row in rows] == [0.1, -0.2, 0.0]
    assert estimate_error.summary(rows) == {
        "lut": (0.1, 0.2),
        "ff": (0.0, 0.5),
        "dsp": (0.0, 1.0),
        "bram": (0.0, 1.0),
    }
    assert "| b | 90 | 100 | 80 | -20.0 % | 100 | 50 | -50.0 % | 1 | 2 |" in estimate_error.markdown(rows)


def test_the_cases_are_none_of_the_calibration_and_enough() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 6
