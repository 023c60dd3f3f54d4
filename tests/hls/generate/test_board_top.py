"""Tops of boards: clocks are exact or refused, and so are boards that lack something; Yosys reads the whole of one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from quantunet.constraints.board import BOARDS_FOLDER, Board, load_board
from quantunet.errors import BoardError, ModelError, OptionError, QuantUNetError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import board_top
from quantunet.hls.generate.board_top import BoardProject
from quantunet.hls.generate.ecp5_pll import COMPARED_MHZ, INNER_MHZ, MOST_ERROR, OUTPUT_MHZ, pll
from quantunet.random_network import random_unet

GRAPH = random_unet(base=2, depth=1, size=4, seed=5)

READ = """
import sys
from pyosys import libyosys
design = libyosys.Design()
libyosys.run_pass("read_slang --threads 1 --ignore-assertions --top " + " ".join(sys.argv[1:]), design)
libyosys.run_pass("read_verilog -lib +/lattice/cells_bb_ecp5.v", design)
libyosys.run_pass("hierarchy -check -top " + sys.argv[1], design)
libyosys.run_pass("dump t:EHXPLLL", design)
"""


@pytest.mark.parametrize("oscillator", ["12", "25", "48", "100"])
def test_dividers_make_the_clock_within_the_limits(oscillator: str) -> None:
    made = 0
    for mhz in range(20, 121, 5):
        try:
            found = pll(Fraction(oscillator), Fraction(mhz), "board")
        except BoardError:
            continue
        compared = Fraction(oscillator) / found.clki_div
        inner = compared * found.clkfb_div * found.clkop_div
        assert COMPARED_MHZ[0] <= compared <= COMPARED_MHZ[1]
        assert INNER_MHZ[0] <= inner <= INNER_MHZ[1]
        assert OUTPUT_MHZ[0] <= compared * found.clkfb_div <= OUTPUT_MHZ[1]
        assert found.mhz == inner / found.clkos_div
        assert abs(found.mhz - mhz) <= MOST_ERROR * mhz
        assert max(found.clki_div, found.clkop_div, found.clkos_div) <= 128 and found.clkfb_div <= 80
        made += 1
    assert made > 10


@pytest.mark.parametrize(
    ("oscillator", "mhz", "says"),
    [
        ("25", "66", r"66 MHz to 0.1 %, made of 25 MHz, got 66.0714 MHz at the nearest"),
        ("25", "5", "a clock of 10 to 400 MHz, got 5 MHz"),
        ("25", "500", "a clock of 10 to 400 MHz"),
        ("4", "60", "an oscillator of 8 to 400 MHz, got 4 MHz"),
    ],
)
def test_clock_that_cannot_be_made_is_refused(oscillator: str, mhz: str, says: str) -> None:
    with pytest.raises(BoardError, match=says):
        pll(Fraction(oscillator), Fraction(mhz), "board")


def written(folder: Path, board: Board, mhz: str = "60", baud: int | None = None) -> BoardProject:
    """Write the top of a board for a small network."""
    return board_top.write(GRAPH, default_folding(GRAPH), board, folder, clock_mhz=Fraction(mhz), baud=baud)


@pytest.mark.parametrize(
    ("mhz", "baud", "cycles", "bits"),
    [("60", None, 20, 1), ("50", None, 50, 3), ("60", 115_200, 3125, 6), ("71.25", 1_000_000, 285, 4)],
)
def test_serial_rate_is_exact(tmp_path: Path, mhz: str, baud: int | None, cycles: int, bits: int) -> None:
    project = written(tmp_path, load_board("ulx3s_85f"), mhz, baud)
    text = project.sources[-1].read_text(encoding="utf-8")
    assert f".PeriodCycles({cycles})," in text
    assert f".PeriodBits({bits})," in text
    assert Fraction(cycles, bits) == project.clock_mhz * 1_000_000 / project.baud
    assert project.constraints is not None
    constraints = project.constraints.read_text(encoding="utf-8")
    assert f'FREQUENCY NET "core_clk" {float(project.clock_mhz):.6f} MHZ;' in constraints
    ports = set(re.findall(r'LOCATE COMP "([^"]+)"', constraints))
    assert ports == {"clk", "rst_n", "uart_rx", "uart_tx", *(f"led[{index}]" for index in range(8))}


def test_constraints_of_a_nexus_place_every_port(tmp_path: Path) -> None:
    project = written(tmp_path, load_board("lifcl_40_evn"), "12", None)
    assert project.constraints is not None and project.constraints.suffix == ".pdc"
    constraints = project.constraints.read_text(encoding="utf-8")
    ports = ["clk", "rst_n", "uart_rx", "uart_tx", *(f"led[{index}]" for index in range(8))]
    assert sorted(re.findall(r"^ldc_set_location .*get_ports \{([^}]+)\}", constraints, re.MULTILINE)) == sorted(ports)
    assert "create_clock -name {clk} -period 83.333 [get_ports {clk}]" in constraints
    assert "EHXPLLL" not in project.sources[-1].read_text(encoding="utf-8") and not project.declarations


def changed(folder: Path, file: str, old: str, new: str, name: str = "ulx3s_85f") -> Board:
    """Return a board with a text in one of its files replaced."""
    shutil.copytree(BOARDS_FOLDER / name, folder / name)
    path = folder / name / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return load_board(name, folder)


def test_boards_that_lack_something_are_refused(tmp_path: Path) -> None:
    arty, lifcl, ulx3s = (load_board(name) for name in ("arty_a7_100t", "lifcl_40_evn", "ulx3s_85f"))
    silent = changed(tmp_path / "a", "ulx3s_85f.lpf", 'LOCATE COMP "uart_rx" SITE "M1";\n', "")
    dark = changed(tmp_path / "b", "ulx3s_85f.lpf", 'LOCATE COMP "led[7]"', 'LOCATE COMP "led[9]"')
    cases: list[tuple[Board, str, int | None, type[QuantUNetError], str]] = [
        (lifcl, "60", None, BoardError, "lifcl_40_evn: expected the oscillator's clock, 12 MHz, or an ECP5"),
        (lifcl, "12", 800_000, OptionError, "1 to 750000, which FTDI FT2232H does, got 800000"),
        (silent, "60", None, BoardError, "no pin for uart_rx"),
        (dark, "60", None, BoardError, "without a gap"),
        (arty, "60", None, BoardError, "arty_a7_100t: expected the oscillator's clock, 100 MHz, or an ECP5"),
        (arty, "100", None, BoardError, "a clock of 16 cycles a bit or more: 192 MHz for 12000000 baud, got 100 MHz"),
        (ulx3s, "40", None, BoardError, "16 cycles a bit or more: 48 MHz for 3000000 baud, got 40 MHz"),
        (ulx3s, "60", 4_000_000, OptionError, "1 to 3000000, which FTDI FT231X does, got 4000000"),
        (ulx3s, "66", None, BoardError, "66.0714 MHz at the nearest"),
    ]
    for number, (board, mhz, baud, error, says) in enumerate(cases):
        folder = tmp_path / str(number)
        with pytest.raises(error, match=says):
            written(folder, board, mhz, baud)
        assert not folder.exists(), "a refusal left files"


def test_picture_beyond_the_protocol_is_refused(tmp_path: Path) -> None:
    graph = random_unet(base=2, depth=1, size=512, seed=5)
    with pytest.raises(ModelError, match="a picture of at most 256000 bytes, got 262144"):
        board_top.write(graph, default_folding(graph), load_board("ulx3s_85f"), tmp_path, clock_mhz=Fraction(60))


def test_board_without_a_clock_generator_runs_on_its_oscillator(tmp_path: Path) -> None:
    project = written(tmp_path, load_board("arty_a7_100t"), "100", 3_000_000)
    assert (project.declarations, project.constraints) == ((), None)
    text = project.sources[-1].read_text(encoding="utf-8")
    assert "EHXPLLL" not in text
    assert "assign core_clk = clk;" in text


def test_yosys_reads_the_whole_top_with_the_clock_generator(tmp_path: Path) -> None:
    project = written(tmp_path, load_board("ulx3s_85f"))
    sources = [str(path) for path in (*project.declarations, *project.sources)]
    command = [sys.executable, "-c", READ, project.top, *sources]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    cell = done.stdout[done.stdout.rindex("dump t:EHXPLLL") :]
    assert re.search(r"cell \\EHXPLLL \\u_pll", cell), cell
    for setting in (r"\\CLKI_DIV 1", r"\\CLKOP_DIV 24", r"\\CLKOS_DIV 10", r"\\FEEDBK_PATH \"CLKOP\""):
        assert re.search(rf"parameter {setting}\n", cell), cell
    assert re.search(r'attribute \\ICP_CURRENT "12"', cell), cell
    assert re.search(r"connect \\CLKOS \\core_clk", cell), cell
