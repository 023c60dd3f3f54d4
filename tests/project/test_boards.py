"""Boards: every folder is complete, its pins and clock agree with it, and a wrong file is refused by name."""

from __future__ import annotations

import re
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from quantunet.constraints.board import BOARDS_FOLDER, FAMILIES, board_names, load_board
from quantunet.constraints.device import devices
from quantunet.constraints.pins import lamps, lpf_for, pins
from quantunet.errors import BoardError
from quantunet.hls.synth.families import FAMILIES as SYNTHESIS_FAMILIES

CLOCK_LINES = {
    ".lpf": r'^FREQUENCY PORT "clk" (?P<mhz>[\d.]+) MHZ;',
    ".pdc": r"^create_clock -name \{clk\} -period (?P<ns>[\d.]+) \[get_ports \{clk\}\]",
    ".xdc": r"^create_clock -add -name clk -period (?P<ns>[\d.]+) -waveform \{0 \d+\} \[get_ports \{ clk \}\]",
}
IO_LINES = {".lpf": r'^IOBUF PORT "(?P<port>[^"]+)"', ".pdc": r"^ldc_set_port .*\[get_ports \{(?P<port>[^}]+)\}\]"}


def test_every_family_has_a_device_and_three_have_a_board() -> None:
    assert {device.family for device in devices()} == set(FAMILIES) == set(SYNTHESIS_FAMILIES)
    assert {load_board(name).family for name in board_names()} == {"ecp5", "nexus", "xc7"}


@pytest.mark.parametrize("name", board_names())
def test_board_file_is_complete_and_sane(name: str) -> None:
    board = load_board(name)
    assert board.name == name
    assert board.budget.lut.count > 10_000
    assert board.budget.ff.count >= board.budget.lut.count
    assert board.budget.dsp.count > 50
    assert 1000 < board.budget.bram.count * board.budget.bram.kbit < 10_000
    assert board.device.lower() in board.part.lower()


@pytest.mark.parametrize("name", board_names())
def test_pins_and_clock_agree_with_the_board(name: str) -> None:
    board = load_board(name)
    suffix = board.constraints.suffix
    text = board.constraints.read_text(encoding="utf-8")
    placed = pins(board)
    assert {"clk", "rst_n"} <= set(placed)
    assert lamps(placed, name) >= 4
    assert (board.serial is not None) == ({"uart_rx", "uart_tx"} <= set(placed))
    (clock,) = re.finditer(CLOCK_LINES[suffix], text, re.MULTILINE)
    values = clock.groupdict()
    mhz = float(values["mhz"]) if "mhz" in values else 1000 / float(values["ns"])
    assert round(mhz, 3) == board.clk_mhz
    if suffix in IO_LINES:
        standards = [found["port"] for found in re.finditer(IO_LINES[suffix], text, re.MULTILINE)]
        assert sorted(standards) == sorted(placed), "every port needs its pin and its standard, once"


def test_unknown_board_lists_the_known_ones() -> None:
    with pytest.raises(BoardError, match=r"ulx3s_85f") as caught:
        load_board("nosuch")
    assert caught.value.where == "nosuch"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('family = "ecp5"', 'family = "ice40"', "family"),
        ("clk_mhz = 25.0", "clk_mhz = 0", "clk_mhz"),
        ("clk_mhz = 25.0", 'clk_mhz = "25"', "clk_mhz"),
        ('device = "LFE5U-85F"', "", "device"),
        ('constraints = "ulx3s_85f.lpf"', 'constraints = "other.lpf"', "constraints"),
        ('constraints = "ulx3s_85f.lpf"', 'constraints = "../ulx3s_85f/ulx3s_85f.lpf"', "constraints"),
        ('constraints = "ulx3s_85f.lpf"', f'constraints = "{"x" * 300}"', "constraints"),
        ('count = 83640, primitive = "LUT4"', 'count = -1, primitive = "LUT4"', "budget.lut.count"),
        ("count = 156, ", "", "budget.dsp"),
        (", kbit = 18", "", "budget.bram"),
        ("ff = {", "flipflops = {", "budget.ff"),
        ("[budget]", 'colour = "red"\n[budget]', "colour"),
        ("[budget]", "[resources]", "budget"),
        ("[budget]", "[budget", "TOML"),
        ("baud = 3000000", "baud = 0", "serial.baud"),
        ("baud = 3000000", "", "serial"),
        ("baud = 3000000", "baud = 3000000\nparity = 1", "serial.parity"),
    ],
)
def test_wrong_board_file_is_refused_by_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    shutil.copytree(BOARDS_FOLDER / "ulx3s_85f", tmp_path / "ulx3s_85f")
    path = tmp_path / "ulx3s_85f" / "board.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BoardError, match=re.escape(key)) as caught:
        load_board("ulx3s_85f", tmp_path)
    assert str(path) in str(caught.value)


def own_board(folder: Path, old: str = "", new: str = "") -> Path:
    """Write a board's file of somebody's own, with its pin file beside it, with a text in the latter replaced."""
    text = (BOARDS_FOLDER / "ulx3s_85f" / "ulx3s_85f.lpf").read_text(encoding="utf-8")
    assert old in text
    (folder / "ulx3s_85f.lpf").write_text(text.replace(old, new, 1), encoding="utf-8")
    path = folder / "mine.toml"
    shutil.copyfile(BOARDS_FOLDER / "ulx3s_85f" / "board.toml", path)
    return path


def test_board_of_ones_own_is_a_file(tmp_path: Path) -> None:
    board = load_board(str(own_board(tmp_path)))
    assert (board.name, board.device, board.constraints) == ("mine", "LFE5U-85F", tmp_path / "ulx3s_85f.lpf")
    with pytest.raises(BoardError, match=re.escape(str(tmp_path / "no.toml"))):
        load_board(str(tmp_path / "no.toml"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('COMP "uart_tx" SITE "L4"', 'COMP "uart_tx" SITE "M1"', "M1 twice"),
        ('COMP "uart_tx" SITE "L4"', 'COMP "uart_rx" SITE "L4"', "uart_rx twice"),
    ],
)
def test_pin_file_with_something_twice_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(BoardError, match=says):
        pins(load_board(str(own_board(tmp_path, old, new))))


def test_lamps_with_a_gap_are_refused() -> None:
    assert lamps(["led[1]", "clk", "led[0]"], "here") == 2
    with pytest.raises(BoardError, match="without a gap"):
        lamps(["led[0]", "led[2]"], "here")


def test_constraints_have_the_ports_of_the_design_alone() -> None:
    board = load_board("ulx3s_85f")
    text = lpf_for(board, ["clk", "uart_rx"], {"core_clk": Fraction(100, 3)})
    assert set(re.findall(r'(?:COMP|PORT) "([^"]+)"', text)) == {"clk", "uart_rx"}
    assert 'FREQUENCY PORT "clk" 25 MHZ;' in text
    assert 'FREQUENCY NET "core_clk" 33.333333 MHZ;' in text
    with pytest.raises(BoardError, match=r"a pin for led\[9\], got none"):
        lpf_for(board, ["clk", "led[9]"], {})
    with pytest.raises(BoardError, match=r"ends with \.lpf"):
        lpf_for(load_board("arty_a7_100t"), ["clk"], {})
