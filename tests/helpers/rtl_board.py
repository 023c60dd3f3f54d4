"""Simulations of the top of a board: what its bench sends, what must come, and the simulator."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.constraints.board import load_board
from quantunet.hls.bitstream import netlist
from quantunet.hls.bitstream.top import serial_top
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import board_top, rtl_project
from quantunet.hls.generate.board_top import BLOCK_BYTES, BoardProject
from quantunet.hls.synth.verilog import write_verilog
from quantunet.ir import Graph
from quantunet.random_network import random_image
from quantunet.rtl_sim import verilator
from quantunet.rtl_sim.bench import HDL_FOLDER
from quantunet.rtl_sim.frames import adjacent_frames
from quantunet.rtl_sim.netlist_bench import INSTANCES, MAPPED
from quantunet.serial_payload import (
    encode_mask,
    encode_values,
    mask_rule,
    network_digest,
    picture_bytes,
    result_bytes,
)

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
        "clk_ps": 2 * round(500_000 / project.board.clk_mhz),
        "patience": 20_000 + 20 * result_bytes(graph),
        "settle": 3_000,
    }


def built_netlist(graph: Graph, folder: Path, frames: int) -> tuple[str, Path]:
    """Synthesise the ULX3S's top for a network, and build a simulator of the netlist, clock generator included."""
    board, folding = load_board("ulx3s_85f"), default_folding(graph)
    project = rtl_project.write(graph, folding, folder / "rtl")
    top = serial_top(graph, board, 60.0)(project, board)
    made = netlist.synthesise(netlist.job(project, folding, top, board.family), folder / "synthesis", time_limit=900)
    verilog = folder / "netlist.v"
    kept = [path.stem for path in INSTANCES]
    write_verilog(made.file, top.name, verilog, models=MAPPED, kept=kept, time_limit=900)
    about = board_top.write(graph, folding, board, folder / "top", clock_mhz=Fraction(60))
    assert about.top == top.name
    (folder / "plan.json").write_text(json.dumps(plan(graph, about, frames)), encoding="utf-8")
    return top.name, verilator.build((*INSTANCES, verilog), top.name, {}, BUILD_ROOT, quick=True)


def built(
    graph: Graph, folder: Path, frames: int, silence: int = SILENCE_CYCLES, name: str = "ulx3s_85f"
) -> tuple[BoardProject, Path]:
    """Write a board's top for a network with the plan of the bench, and build its simulator."""
    board = load_board(name)
    mhz = Fraction(60 if board.family == "ecp5" else str(board.clk_mhz))
    project = board_top.write(graph, default_folding(graph), board, folder, clock_mhz=mhz)
    (folder / "plan.json").write_text(json.dumps(plan(graph, project, frames)), encoding="utf-8")
    sources = (*([MODEL] if project.declarations else []), *project.sources)
    parameters = {"SilenceCycles": silence}
    return project, verilator.build(sources, project.top, parameters, BUILD_ROOT, flags=verilator.ASSERTIONS)
