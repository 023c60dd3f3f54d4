"""``quantunet device`` on a pseudo-terminal behind which the top of a board is simulated."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.benches.tb_board_pty import PORT_FILE, STOP_FILE
from helpers.rtl_board import built

from quantunet import cli
from quantunet.images import load_image
from quantunet.rtl_sim import verilator
from quantunet.zoo import load_network

SILENCE = 15_000_000
"""Cycles, as the board has them: the pseudo-terminal may be slow."""

START_SECONDS = 120
FLIPPED = 700
"""A byte of the first block that arrives with a flipped bit."""


@contextlib.contextmanager
def board(folder: Path, flipped: list[int]) -> Iterator[str]:
    """Simulate the ULX3S with `tiny` and yield the port behind which it is."""
    project, executable = built(load_network("tiny"), folder, 2, SILENCE)
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    (folder / "plan.json").write_text(json.dumps({**plan, "flipped": flipped}), encoding="utf-8")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        bench = "helpers.benches.tb_board_pty"
        running = pool.submit(verilator.run_cocotb, executable, bench, project.top, folder)
        try:
            end = time.monotonic() + START_SECONDS
            while not (folder / PORT_FILE).is_file() and time.monotonic() < end and not running.done():
                time.sleep(0.05)
            yield (folder / PORT_FILE).read_text(encoding="utf-8")
        finally:
            (folder / STOP_FILE).touch()
            running.result()


def test_picture_to_mask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture, mask, wanted = (str(tmp_path / name) for name in ("picture.png", "mask.png", "wanted.png"))
    assert cli.main(["phantom", picture, "--size", "32"]) == 0
    assert cli.main(["infer", "tiny", picture, "--out", wanted]) == 0
    larger = str(tmp_path / "larger.png")
    assert cli.main(["phantom", larger, "--size", "128"]) == 0
    capsys.readouterr()
    with board(tmp_path / "board", []) as port:
        options = ["--port", port, "--timeout", "100"]
        assert cli.main(["device", "tiny", picture, *options, "--repeat", "2", "--out", mask]) == 0
        said = capsys.readouterr().out
        assert re.search(r"^tiny: 2 frames, 2048 pixels compared, 0 differ$", said, re.MULTILINE), said
        assert re.search(r"frames/s, 1024 bytes in and 128 out a frame$", said, re.MULTILINE), said
        assert (load_image(mask, (32, 32, 1)) == load_image(wanted, (32, 32, 1))).all()

        assert cli.main(["device", "wearable", larger, *options]) == 2
        refusal = capsys.readouterr().err
        assert f"{port}: expected a board with the network wearable" in refusal, refusal


def test_a_garbled_picture_is_sent_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = str(tmp_path / "picture.png")
    assert cli.main(["phantom", picture, "--size", "32"]) == 0
    capsys.readouterr()
    with board(tmp_path / "board", [FLIPPED]) as port:
        assert cli.main(["device", "tiny", picture, "--port", port, "--timeout", "100"]) == 0
        said = capsys.readouterr().out
        assert "tiny: 1 frame, 1 sent again, 1024 pixels compared, 0 differ" in said, said
