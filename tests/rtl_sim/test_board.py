"""The whole top of a board, with clock generator and serial line: its results are golden's, whatever the line does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.classes import small_network
from helpers.rtl_board import built

from quantunet.golden.masked import with_smallest_area
from quantunet.ir import Graph, QType
from quantunet.rtl_sim import verilator
from quantunet.serial_payload import result_bytes
from quantunet.zoo import load_network


def simulate(
    graph: Graph, folder: Path, frames: int, testcase: str | None = None, board: str = "ulx3s_85f"
) -> dict[str, int]:
    """Run the bench of a board's top, and return the bytes that each scenario compared."""
    project, executable = built(graph, folder, frames, name=board)
    verilator.run_cocotb(executable, "helpers.benches.tb_board", project.top, folder, seed=1, testcase=testcase)
    report: dict[str, int] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


@pytest.mark.parametrize("board", ["ulx3s_85f", "lifcl_40_evn"])
def test_tiny_on_a_board(board: str, tmp_path: Path) -> None:
    """With a clock generator and 20 cycles a bit, and with the oscillator's own clock and 16."""
    graph = load_network("tiny")
    report = simulate(graph, tmp_path, 3, board=board)
    size = result_bytes(graph)
    assert size == 128
    assert report == {
        "info": 21,
        "pictures": 3 * size,
        "baud": 4 * size,
        "faults": 14 * size,
        "garbage": 5 * size,
        "anew": 2 * size,
        "reset": size,
    }


KINDS = {
    "values of several classes": lambda: small_network(),
    "probabilities of several classes": lambda: small_network(sigmoid=True, channels=1, classes=3),
    "a mask of signed logits, twelve bits in": lambda: small_network(
        channels=2, classes=1, qtype=QType(12, signed=True, frac=4), size=(5, 7)
    ),
    "a mask that is empty where it is small": lambda: with_smallest_area(small_network(channels=1, classes=1), 20),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_result(kind: str, tmp_path: Path) -> None:
    """Networks of one block, with what their outputs are, on the line as golden says."""
    graph = KINDS[kind]()
    assert simulate(graph, tmp_path, 2, "says_what_it_is") == {"info": 21}
    report = simulate(graph, tmp_path, 2, "pictures_follow_each_other")
    assert report["pictures"] == 2 * result_bytes(graph)
