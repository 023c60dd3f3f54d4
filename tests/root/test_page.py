"""The parts of pages, names of strangers in them, what is left out, and that no page makes a command fail."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pages import read_page
from helpers.stranger_reports import BITSTREAM, COSIM, HOSTILE, LAYER, METRICS, PAGES, SYNTH

from quantunet.errors import FileFormatError
from quantunet.page import index, pictures
from quantunet.page.cosim import cosim_page
from quantunet.page.evaluate import evaluate_page
from quantunet.page.hls_synth import hls_synth_page
from quantunet.page.parts import Bars, Cell, Facts, Lane, Lines, Note, Page, Section, Table, Wave, bars, number, text
from quantunet.page.render import NAME, render, shown, write_page
from quantunet.page.vcd import LIMIT, cut


@pytest.mark.parametrize("name", PAGES)
def test_names_of_strangers_are_text_and_nothing_else(name: str) -> None:
    """The reader refuses scripts, handlers and links out, and tags that the name would have closed."""
    html = render(PAGES[name]())
    page = read_page(html)
    spelled = HOSTILE.replace("\x00", "\\x00").replace("\u202e", "\\u202e")
    assert spelled in page.words
    assert "\x00" not in html and "\u202e" not in html and "49" not in page.words.replace("149", "")
    assert {tag for tag, _ in page.tags if tag in ("script", "img")} <= {"img"}
    assert html.count("<style>") == html.count("</style>") == 1


def test_what_is_missing_is_left_out() -> None:
    bare = {**COSIM, "layers": [], "network_rtl": None, "tensors": [], "provenance": None}
    words = read_page(render(cosim_page(bare))).words
    assert "does not say what it is a result of" in words
    for heading in ("Layers", "FIFOs", "Codes", "Input and mask", "Cycles"):
        assert heading in read_page(render(PAGES["cosim"]())).words
        assert heading not in words
    layers_alone = read_page(render(cosim_page({**COSIM, "network_rtl": None})))
    assert layers_alone.values("Each layer alone", "cycles").popitem()[1] == 6
    empty = {**SYNTH, "layers": [], "board": "b", "device": "d", "fits": False, "passed": False}
    assert "does not fit" in read_page(render(hls_synth_page(empty))).words
    assert "no Dice" in read_page(render(evaluate_page(METRICS, "x"))).words


def test_a_page_never_makes_a_command_fail(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / NAME
    path.write_text("of an earlier run")
    assert write_page(path, lambda: cosim_page({})) is None
    assert not path.exists(), "an earlier page is not that of this run"
    assert "no page" in caplog.text and "KeyError" in caplog.text
    (tmp_path / "file").write_text("")
    assert write_page(tmp_path / "file" / NAME, PAGES["cosim"]) is None
    assert write_page(path, PAGES["cosim"]) == path
    assert not list(tmp_path.glob(".*")), "nothing of the making is left"


def page_of(*blocks: Any) -> str:
    return render(Page("x", "title", "good", "good", "lead", [Section("one", blocks), Section("none", [])]))


def test_parts_say_their_numbers() -> None:
    chart = bars("chart", ("name", "a", "b"), [("x", [number(1), number(None)]), ("y", [number(4), number(2)])])
    lines = Lines("curve", "epoch", [("s", [1.0, None, 3.0])], 2, [(1, "later")])
    table = Table("table", ("name", "n"), [[text("x"), number(0.123456, 2)]])
    html = page_of(chart, lines, table, Facts([("fact", Cell("7", 7))]), Note("a note"))
    page = read_page(html)
    assert page.values("chart", "a") == {"x": 1, "y": 4} and page.values("chart", "b") == {"x": None, "y": 2}
    assert [bar.length for _, row in chart.rows for bar in row] == [0.25, 0, 1, 1]
    assert page.column("table", "n")["x"].text == "0.12" and page.values("table", "n") == {"x": 0.123456}
    assert page.fact("fact").value == 7
    assert "s: from 1.00 to 3.00, at least 1.00 and at most 3.00" in page.words
    assert lines.path([1.0, None, 3.0]) == "M0.00 100.00h0.01M100.00 0.00h0.01"
    assert "none" not in page.words, "an empty section is left out"


def test_a_bar_never_leaves_its_column() -> None:
    rows = [("x", [number(150)])]
    (_, (bar,)) = bars("c", ("n", "v"), rows).rows[0]
    assert bar.percent == ("0.00", "100.00")
    over = Bars("c", ("n", "v"), [("x", [type(bar)(number(150), 1.5, 0.25)])]).rows[0][1][0]
    assert over.percent == ("25.00", "75.00")
    assert bars("c", ("n", "v"), [("x", [number(0)])]).rows[0][1][0].length == 0


@pytest.mark.parametrize(("given", "expected"), [("a\tb\n", "a\tb\n"), ("\ud800", "\\ud800"), ("\x1b[2J", "\\x1b[2J")])
def test_what_cannot_be_seen_is_spelled(given: str, expected: str) -> None:
    assert shown(given) == expected
    render(Page("x", given, "", "", "", [])).encode()


def test_pictures_of_all_shapes() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    mask = np.eye(4, dtype=np.bool_)
    assert [one.title for one in pictures.segmentation(image, mask, 2)] == ["Input", "Golden's mask", "Both"]
    assert "4 of 16 pixels are foreground" in pictures.segmentation(image, mask, 2)[1].notes
    smaller = pictures.segmentation(image, np.array([[0, 2], [1, 0]]), 3)
    assert [one.title for one in smaller] == ["Input", "Golden's map of 3 classes", "Both"]
    assert len(pictures.segmentation(image, np.zeros((3, 4), np.int64), 2)) == 2, "no whole multiple"
    assert len(pictures.segmentation(image, np.zeros((1, 1), np.int64), 2)) == 1, "a classifier has no mask"
    assert pictures.segmentation(np.zeros((1, 100, 1), np.uint8), mask, 2) == [], "a signal is no picture"
    large = pictures.picture("x", np.zeros((1000, 500, 3), np.uint8), "x")
    assert (large.width, large.height, list(large.notes)) == (167, 334, ["every 3. pixel of each side is shown"])
    codes = np.array([[[-2], [1]]])
    assert pictures.input_bytes(codes, -2, 1).ravel().tolist() == [0, 255]


VCD = """$scope module tb $end
$var wire 1 ! clk $end
$var wire 64 " cycle [63:0] $end
$var wire 1 # m_axis_tvalid $end
$var wire 1 $ m_axis_tready $end
$var wire 12 % m_axis_tdata [11:0] $end
$scope module u_dut $end
$var wire 12 & inner_tdata [11:0] $end
$upscope $end
$upscope $end
$enddefinitions $end
"""


def vcd(tmp_path: Path, cycles: range) -> Path:
    path, text_ = tmp_path / "wave.vcd", VCD
    for cycle in cycles:
        text_ += f'#{10 * cycle}\n1!\nb{cycle:b} "\n{cycle % 2}#\n1$\nb{cycle:b} %\nb101 &\n#{10 * cycle + 5}\n0!\n'
    path.write_text(text_)
    return path


def test_a_waveform_is_cut_around_its_cycle(tmp_path: Path) -> None:
    wave = cut(vcd(tmp_path, range(100, 200)), 150)
    assert wave is not None
    assert (wave.first, wave.marked, wave.cycles) == (145, 150, 16)
    lanes = {lane.name: lane for lane in wave.lanes}
    assert list(lanes) == ["m_axis_tvalid", "m_axis_tready", "m_axis_tdata"], (
        "of the bench, in the order of a handshake"
    )
    assert list(lanes["m_axis_tdata"].values) == [f"{cycle:03x}" for cycle in range(145, 161)]
    assert lanes["m_axis_tvalid"].values[5:7] == ["0", "1"]
    page = read_page(page_of(wave))
    assert "096" in page.words and "m_axis_tdata" in page.words
    last = cut(tmp_path / "wave.vcd", None)
    assert last is not None and last.marked is None and last.first == 194


@pytest.mark.parametrize("content", ["", VCD, VCD.replace("cycle", "other"), "$var wire x ! cycle $end\n", "\x00\xff"])
def test_another_file_is_no_waveform(tmp_path: Path, content: str) -> None:
    path = tmp_path / "wave.vcd"
    path.write_text(content)
    with pytest.raises(FileFormatError):
        cut(path, 5)
    with pytest.raises(FileFormatError):
        cut(path, None)


def test_a_waveform_too_large_is_only_named(tmp_path: Path) -> None:
    path = tmp_path / "wave.vcd"
    with path.open("wb") as file:
        file.truncate(LIMIT + 1)
    assert cut(path, 5) is None
    layer = {**LAYER, "waveform": str(path)}
    words = read_page(render(cosim_page({**COSIM, "layers": [layer]}))).words
    assert "too large to be shown here" in words
    layer["waveform"] = str(vcd(tmp_path, range(20)))
    assert "m_axis_tready" in read_page(render(cosim_page({**COSIM, "layers": [layer]}))).words


def test_runs_of_equal_values() -> None:
    lane = Lane("a", 4, ["1", "1", "2", "1"])
    assert Wave("w", 0, None, [lane]).runs(lane) == [(0, 2, "1"), (2, 1, "2"), (3, 1, "1")]


def test_the_index_lists_every_result_and_says_what_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for step, report in (("cosim", COSIM), ("hls_synth", SYNTH), ("bitstream", BITSTREAM)):
        folder = tmp_path / "net-01234567" / step
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps(report))
    (tmp_path / "net-01234567" / "cosim" / NAME).write_text("")
    for at, broken in enumerate(("{", "[]", '{"network": 5}', "")):
        folder = tmp_path / f"broken-{at}" / "fifos"
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(broken)
    with caplog.at_level(logging.WARNING):
        path = index.write_index(tmp_path)
    assert path == tmp_path / index.NAME and not caplog.records
    page = read_page(path)
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a" and ".html" in str(attributes["href"])]
    assert links == [f"net-01234567/cosim/{NAME}"]
    assert page.words.count("cannot be read") == 4
    assert "20 values compared" in page.words and "6 LUT, 7 FF, 0 DSP, 8 block RAM" in page.words
    assert "6 not as they should be" in page.words
    (tmp_path / "empty").mkdir()
    assert index.write_index(tmp_path / "empty")
    assert "Nothing is here yet" in read_page(tmp_path / "empty" / index.NAME).words
