"""The whole top of a board, with clock generator and serial line: its results are golden's, whatever the line does."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.constraints.board import load_board
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import board_top
from quantunet.hls.generate.board_top import BLOCK_BYTES, BoardProject
from quantunet.ir import Graph
from quantunet.random_network import random_image
from quantunet.rtl_sim import verilator
from quantunet.rtl_sim.bench import HDL_FOLDER
from quantunet.rtl_sim.frames import adjacent_frames
from quantunet.serial_payload import (
    encode_mask,
    encode_values,
    mask_rule,
    network_digest,
    picture_bytes,
    result_bytes,
)
from quantunet.zoo import load_network

SILENCE_CYCLES = 12_000
"""Sixty bytes on the line: simulations wait for it."""

MODEL = HDL_FOLDER / "EHXPLLL.sv"


def plan(graph: Graph, project: BoardProject, frames: int) -> dict[str, object]:
    """Return what the bench sends and what must come: golden's results of some pictures."""
    source, target = graph.tensor(graph.input), graph.tensor(graph.output)
    pictures = adjacent_frames(graph, random_image(graph), frames)
    taps = [golden.run(graph, picture) for picture in pictures]
    results = [
        encode_mask(golden.mask(graph, each).astype(np.int64))
        if mask_rule(graph)
        else encode_values(each[graph.output], target.qtype)
        for each in taps
    ]
    assert len(set(results)) == frames, "pictures that are alike hide their order"
    info = b"I\x01" + network_digest(graph)
    info += picture_bytes(graph).to_bytes(4, "little") + result_bytes(graph).to_bytes(4, "little")
    return {
        "pictures": [encode_values(picture, source.qtype).hex() for picture in pictures],
        "results": [result.hex() for result in results],
        "info": (info + BLOCK_BYTES.to_bytes(2, "little") + b"\x00").hex(),
        "block_bytes": BLOCK_BYTES,
        "bit_ps": float(1_000_000_000_000 / project.baud),
        "clk_ps": round(1_000_000 / project.board.clk_mhz),
        "patience": 20_000,
        "settle": 3_000,
    }


def simulate(graph: Graph, folder: Path, frames: int, testcase: str | None = None) -> dict[str, int]:
    """Build the ULX3S's top for a network, run the bench, and return the bytes that each scenario compared."""
    board = load_board("ulx3s_85f")
    project = board_top.write(graph, default_folding(graph), board, folder, clock_mhz=Fraction(60))
    (folder / "plan.json").write_text(json.dumps(plan(graph, project, frames)), encoding="utf-8")
    executable = verilator.build(
        (MODEL, *project.sources),
        project.top,
        {"SilenceCycles": SILENCE_CYCLES},
        BUILD_ROOT,
        flags=verilator.ASSERTIONS,
    )
    verilator.run_cocotb(executable, "helpers.benches.tb_board", project.top, folder, seed=1, testcase=testcase)
    report: dict[str, int] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def test_tiny_on_the_ulx3s(tmp_path: Path) -> None:
    graph = load_network("tiny")
    report = simulate(graph, tmp_path, 3)
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
