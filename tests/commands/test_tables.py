"""The tables of every command at 80 and 100 columns and in a pipe: nothing is cut or broken, and nothing is lost."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.box import SIMPLE
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from quantunet import golden, tables
from quantunet.cli import main
from quantunet.commands import _train_dry, train
from quantunet.documents import read_json
from quantunet.golden.taps import save_taps
from quantunet.model import phantoms
from quantunet.pixel_codes import picture_codes
from quantunet.zoo import card_path, load_network

WIDTHS = (80, 100)
_FRAME = re.compile("[│┃┏┓┗┛┡┩├┤└┘┳┻╇┼┴━─]")
_TIME = re.compile(r"\d+(\.\d+)?")


class Terminal(io.StringIO):
    """A standard output that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def arguments(command: str, folder: Path) -> list[str]:
    """Return a short run of a command that prints a table."""
    build = str(folder / "build")
    image, taps = folder / "image.png", folder / "taps.npz"
    if command in ("compare", "infer"):
        graph = load_network("tiny")
        picture = phantoms.generate(1, graph.tensor(graph.input).shape[0], 0)[0][0]
        assert main(["phantom", str(image), "--size", str(picture.shape[0])]) == 0
        found = golden.run(graph, picture_codes(graph, picture[..., None]))
        found["head_out"] = found["head_out"] + 1
        save_taps(taps, {name: np.asarray(values) for name, values in found.items()})
    scores = ["--data", "phantoms", "--phantoms", "12"]
    return {
        "check": ["check", "tiny"],
        "compare": ["compare", "tiny", str(image), str(taps)],
        "cosim": ["cosim", "tiny", "--layers", "pool0,head", "--legs", "hls", "--out", build],
        "evaluate": ["evaluate", "tiny", *scores, "--smallest-area", "0", "9", "--out", build],
        "evaluate_against": ["evaluate", "tiny", *scores, "--against", "tiny", "--min", "dice=0.1", "--out", build],
        "fifos": ["fifos", "tiny", "--out", build],
        "fits": ["fits", "tiny", "--devices", "LFE5U-25F,LFE5U-85F", "--out", build],
        "fold": ["fold", "tiny", "--fps", "500", "--board", "ulx3s_85f"],
        "hls_synth": ["hls_synth", "tiny", "--layers", "pool0,sigmoid", "--board", "ulx3s_85f", "--out", build],
        "infer": ["infer", "tiny", str(image), "--out", str(folder / "mask.png"), "--histogram"],
        "rtl": ["rtl", "tiny", "--out", str(folder / "ip"), "--force"],
        "train_dry": ["train", "tiny", *scores, "--folds", "3", "--dry-run", "--out", build],
        "zoo": ["zoo"],
    }[command]


COMMANDS = (
    "check", "compare", "cosim", "evaluate", "evaluate_against", "fifos", "fits", "fold", "hls_synth", "infer", "rtl",
    "train_dry", "zoo",
)  # fmt: skip


def words(text: str) -> set[str]:
    """Return the words of tables, without paths and what may be a time."""
    found = set(_FRAME.sub(" ", text).split())
    return {word for word in found if not _TIME.fullmatch(word) and "/" not in word}


def figures(text: str) -> set[str]:
    """Return the numbers of tables that are no times."""
    return {word for word in _FRAME.sub(" ", text).split() if _TIME.fullmatch(word) and "." not in word}


def table_lines(text: str) -> list[str]:
    """Return the lines that have a frame."""
    return [line for line in text.splitlines() if _FRAME.search(line)]


def check_frames(text: str) -> int:
    """Check that each line of a frame is as wide as those beside it; return how many there are."""
    lines = text.splitlines()
    framed = [bool(_FRAME.match(line)) for line in lines]
    for index in range(1, len(lines)):
        if framed[index] and framed[index - 1] and not lines[index].startswith("┏"):
            assert cell_len(lines[index].rstrip()) == cell_len(lines[index - 1].rstrip()), lines[index]
    return sum(framed)


def shown(command: list[str], width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a command on a terminal of a width, or for 0 in a pipe, and return what it prints."""
    out = Terminal() if width else io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setenv("TERM", "dumb")
        patch.setenv("NO_COLOR", "1")
        patch.setenv("LINES", "50")
        patch.setenv("COLUMNS", str(width or 80))
        assert main(command) in (0, 1)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]| in \d+ s\b", "", out.getvalue())


@pytest.mark.parametrize("command", COMMANDS)
def test_tables_fit_the_terminal(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    line = arguments(command, tmp_path)
    if command == "hls_synth":
        shown(line, 0, monkeypatch)  # later runs keep its results, and say less
    whole = shown(line, 0, monkeypatch)
    whole = whole[max(0, whole.find("tiny · ")) :]  # of cosim, without the lines of its progress
    assert "…" not in whole
    for width in WIDTHS:
        found = shown(line, width, monkeypatch)
        assert "…" not in found
        long = [each for each in found.splitlines() if cell_len(each.rstrip()) > width and str(tmp_path) not in each]
        assert long == []
        assert check_frames(whole) <= check_frames(found)
        assert words(whole) <= words(found)
        assert figures(whole) <= figures(found)


def test_a_training_and_its_folds_fit_too() -> None:
    path = card_path("wearable")
    assert path is not None
    card = read_json(path, "a card")
    assert isinstance(card, dict)
    folds = [{**card, "training": {"config": {"fold": index}}} for index in range(2)]
    assert check(train.card_table(card), 2) + check(_train_dry.folds_table(folds)) > 0


def check(table: Table, keys: int = 1) -> int:
    """Check a table at 60 to 200 columns against itself at 1000; return how often it was taken apart."""
    apart = 0
    whole = printed(table, 1000, keys)
    for width in range(60, 201, 20):
        found = printed(table, width, keys)
        assert max(cell_len(line) for line in found.splitlines()) <= width
        assert "…" not in found
        check_frames(found)
        assert words(whole) <= words(found)
        apart += found.count("┏") > 1
    return apart


def printed(table: Table, width: int, keys: int = 1) -> str:
    console = Console(width=width, file=io.StringIO(), legacy_windows=False)
    tables.show(console, table, keys)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_a_wide_table_is_taken_apart_and_loses_nothing() -> None:
    table = Table(title="a title", caption=None)
    table.add_column("layer", no_wrap=True)
    table.add_column("text of several words")
    for index in range(14):
        table.add_column(f"c{index}", justify="right", no_wrap=True)
    for row in range(5):
        text = "some words that may be wrapped " * row
        figs = [f"{row * 10**index:,}" for index in range(14)]
        table.add_row(f"[bold]row{row}[/bold]", text, *figs, style="red" if row % 2 else None, end_section=row == 2)
    assert check(table) > 3
    assert check(table, keys=2) > 3
    text = printed(table, 80)
    assert text.count("a title") == 1
    assert text.count("row4") == text.count("layer") == text.count("┏") > 1


@pytest.mark.parametrize("options", [{}, {"box": None}, {"box": None, "pad_edge": False}, {"box": SIMPLE}])
def test_the_width_is_that_of_rich(options: dict[str, object]) -> None:
    table = Table(**options)  # type: ignore[arg-type]
    for name in ("one", "two words", "three"):
        table.add_column(name, no_wrap=True)
    table.add_row("a", "b" * 20, "1,000")
    exact = max(cell_len(line) for line in printed(table, 1000).splitlines())
    assert len(tables.fitted(Console(width=exact), table)) == 1
    narrow = tables.fitted(Console(width=exact - 1), table)
    assert narrow[0] is not table, "one column less does not have room for it as it is"


def test_a_name_longer_than_the_terminal_is_folded() -> None:
    table = Table()
    table.add_column("layer", no_wrap=True)
    table.add_column("LUT", no_wrap=True)
    table.add_row("x" * 300, "12,345")
    text = printed(table, 80)
    assert text.count("x") == 300 and "12,345" in text
    assert max(cell_len(line) for line in text.splitlines()) <= 80


def test_a_real_terminal_is_asked_for_its_width() -> None:
    """COLUMNS is not needed: a terminal that is 90 columns wide."""
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, b"\x28\x00\x5a\x00\x00\x00\x00\x00")
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment |= {"TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "quantunet", "zoo"]
    with subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=environment) as process:
        os.close(child)
        text = b""
        while process.poll() is None or not text.endswith(b"more\r\n"):
            try:
                text += os.read(parent, 65536)
            except OSError:
                break
    os.close(parent)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.decode())
    lines = plain.splitlines()
    assert max(cell_len(line) for line in lines) <= 90
    assert check_frames(plain) > 20 and plain.count("┏") == 2
    piped = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    assert piped.count("┏") == 1 and max(cell_len(line) for line in piped.splitlines()) > 100
    assert words(piped) <= words(plain)
