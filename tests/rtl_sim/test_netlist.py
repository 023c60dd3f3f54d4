"""The netlist of a whole network is golden's: as it is synthesised, and as nextpnr has placed and routed it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.qonnx_files import SmallUnet
from helpers.rtl_board import built_netlist

from quantunet.constraints.board import load_board
from quantunet.errors import FileFormatError, ToolFailedError
from quantunet.hls.bitstream import netlist, routed_netlist, tools
from quantunet.hls.bitstream.netlist import Netlist
from quantunet.hls.bitstream.place import ROUTED, Placer
from quantunet.hls.bitstream.top import Top, measurement_top
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.generate.rtl_project import RtlProject
from quantunet.ir import Graph
from quantunet.qonnx_import import load
from quantunet.random_network import random_image
from quantunet.rtl_sim.frames import adjacent_frames
from quantunet.rtl_sim.netlist_bench import NetlistResult, run_netlist
from quantunet.rtl_sim.verilator import run_cocotb
from quantunet.serial_payload import result_bytes

BOARD = load_board("ulx3s_85f")
FRAMES = 3

Module = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Run:
    """A small network with its netlist."""

    graph: Graph
    project: RtlProject
    top: Top
    made: Netlist
    folder: Path

    def simulate(self, file: Path) -> NetlistResult:
        """Simulate a netlist of it."""
        top = self.top
        assert top.latency == 2
        return run_netlist(
            self.graph,
            default_folding(self.graph),
            self.project,
            file,
            top.name,
            self.folder / "simulation",
            adjacent_frames(self.graph, random_image(self.graph), FRAMES),
            latency=top.latency,
            settle=top.settle,
        )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the synthesis of a small network."""
    folder = tmp_path_factory.mktemp("netlist")
    graph = load(SmallUnet().write(folder / "small.onnx"))
    folding = default_folding(graph)
    project = rtl_project.write(graph, folding, folder / "rtl")
    top = measurement_top(project, BOARD)
    made = netlist.synthesise(netlist.job(project, folding, top, BOARD.family), folder / "synthesis", time_limit=600)
    return Run(graph, project, top, made, folder)


def right(run: Run, result: NetlistResult) -> bool:
    """Tell whether all values of all frames were compared and are golden's, each in its cycle."""
    height, width, channels = run.graph.tensor(run.graph.output).shape
    assert result.bench.values_compared == FRAMES * height * width * channels
    assert len(result.frame_ends_predicted) == FRAMES
    cycles = (result.bench.first_output, result.bench.frame_ends)
    same = cycles == (result.first_output_predicted, result.frame_ends_predicted)
    assert (result.problems == []) is (result.bench.passed and same)
    return not result.problems


def test_the_netlist_of_the_synthesis_is_golden(small: Run) -> None:
    assert right(small, small.simulate(small.made.file))


def test_the_routed_netlist_is_golden(small: Run) -> None:
    """Packed cells, carry feeds and pins without nets are nextpnr's doing."""
    placer = Placer(tools.find("pip"), BOARD, small.made, small.top.constraints, 30.0, 600, with_netlist=True)
    assert placer.key(1) != dataclasses.replace(placer, with_netlist=False).key(1)
    route = placer.route(1, small.folder / "seed_1")
    assert route.fits
    file = small.folder / "routed.json"
    routed_netlist.rewrite(route.folder / ROUTED, small.top.name, file)
    cells = json.loads(file.read_text())["modules"][small.top.name]["cells"]
    kinds = [cell["type"] for cell in cells.values()]
    assert kinds.count("TRELLIS_COMB") == {one.kind: one.used for one in route.usage}["TRELLIS_COMB"]
    assert set(kinds) >= {"TRELLIS_COMB", "TRELLIS_FF", "TRELLIS_RAMW"}
    assert right(small, small.simulate(file))


def test_the_netlist_of_a_boards_top_is_golden(small: Run) -> None:
    """Bytes on the serial line in, bytes of the result out: what is loaded into a board by default."""
    frames, folder = 2, small.folder / "board"
    folder.mkdir()
    top, executable = built_netlist(small.graph, folder, frames)
    run_cocotb(executable, "helpers.benches.tb_board", top, folder, seed=1, testcase="pictures_follow_each_other")
    assert json.loads((folder / "report.json").read_text()) == {"pictures": frames * result_bytes(small.graph)}


def _lut(module: Module) -> None:
    cells = [cell for name, cell in sorted(module["cells"].items()) if cell["type"] == "LUT4" and "u_head." in name]
    for cell in cells[::5]:
        cell["parameters"]["INIT"] = cell["parameters"]["INIT"].translate({48: 49, 49: 48})


def _carry(module: Module) -> None:
    for cell in module["cells"].values():
        if cell["type"] == "CCU2C":
            cell["parameters"]["INJECT1_1"] = "YES"


def _write_enable(module: Module) -> None:
    for cell in module["cells"].values():
        if cell["type"] == "TRELLIS_DPR16X4":
            cell["parameters"]["WREMUX"] = "INV"


@pytest.mark.parametrize("fault", [_lut, _carry, _write_enable])
def test_a_fault_in_a_netlist_is_seen(small: Run, tmp_path: Path, fault: Callable[[Module], None]) -> None:
    document = json.loads(small.made.file.read_text())
    fault(document["modules"][small.top.name])
    (tmp_path / "netlist.json").write_text(json.dumps(document))
    assert not right(small, small.simulate(tmp_path / "netlist.json"))


def test_another_cycle_is_a_problem(small: Run) -> None:
    result = small.simulate(small.made.file)
    late = dataclasses.replace(result, first_output_predicted=result.first_output_predicted + 1)
    assert late.problems == [
        f"first output after {result.bench.first_output} cycles, predicted {late.first_output_predicted}"
    ]
    ends = tuple(end + 1 for end in result.frame_ends_predicted)
    assert len(dataclasses.replace(result, frame_ends_predicted=ends).problems) == 1


def test_a_cell_without_a_model_is_refused(small: Run, tmp_path: Path) -> None:
    document = json.loads(small.made.file.read_text())
    cells = document["modules"][small.top.name]["cells"]
    next(iter(cells.values()))["type"] = "NOSUCH"
    (tmp_path / "netlist.json").write_text(json.dumps(document))
    with pytest.raises(ToolFailedError, match="no model of .*NOSUCH"):
        small.simulate(tmp_path / "netlist.json")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"type": "DCCA", "parameters": {}, "connections": {"CE": [2]}}, "a clock that always runs"),
        ({"type": "TRELLIS_IO", "parameters": {"DIR": "BIDIR"}, "connections": {}}, "an input or an output"),
        ({"type": "TRELLIS_COMB", "parameters": {}, "connections": {"OFX": [2]}}, "a wide multiplexer"),
        (
            {"type": "TRELLIS_FF", "parameters": {"SD": "1 ", "CEMUX": "CE"}, "connections": {"DI": [2], "CLK": [3]}},
            "an enable",
        ),
        (
            {"type": "TRELLIS_FF", "parameters": {"SD": "1 ", "CEMUX": "1 "}, "connections": {"CLK": [3]}},
            "data and a clock",
        ),
        ({"type": "DP16KD", "parameters": {"WEAMUX": "INV"}, "connections": {"WEA": [2]}}, "WEA as it comes"),
    ],
)
def test_what_the_models_of_packed_cells_do_not_have_is_refused(
    cell: dict[str, Any], message: str, tmp_path: Path
) -> None:
    cell = {"port_directions": dict.fromkeys(cell["connections"], "input"), **cell}
    (tmp_path / "routed.json").write_text(json.dumps({"modules": {"top": {"ports": {}, "cells": {"one": cell}}}}))
    with pytest.raises(ToolFailedError, match=f"one: .*{message}"):
        routed_netlist.rewrite(tmp_path / "routed.json", "chip", tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"modules": {"top": {"cells": {"a": {}}, "ports": {}}}}'])
def test_what_is_no_routed_netlist_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "routed.json").write_text(text)
    with pytest.raises(FileFormatError, match="a netlist of nextpnr"):
        routed_netlist.rewrite(tmp_path / "routed.json", "chip", tmp_path / "out.json")
