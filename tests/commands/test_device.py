"""``quantunet device`` with a board in the place of a port: what it prints, compares, repeats and refuses."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers.classes import small_network
from PIL import Image

from quantunet import cli, golden
from quantunet.commands import device
from quantunet.graph_file import to_json
from quantunet.ir import Graph
from quantunet.pixels import Pixels
from quantunet.serial_frames import Deframer, frame
from quantunet.serial_link import Port
from quantunet.serial_payload import (
    decode_values,
    encode_mask,
    encode_values,
    mask_rule,
    network_digest,
    picture_bytes,
    result_bytes,
)

Change = Callable[[bytes, int], bytes]
"""Given a result and how many pictures have come, what is sent instead."""


class Board:
    """A board that computes by golden, and sends a result in one part."""

    def __init__(self, graph: Graph, change: Change) -> None:
        self._graph = graph
        self._change = change
        self._deframer = Deframer()
        self._line: deque[int] = deque()
        self._picture = bytearray()
        self.pictures = 0

    def __enter__(self) -> Port:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""

    @property
    def in_waiting(self) -> int:
        return len(self._line)

    def read(self, size: int = 1) -> bytes:
        return bytes(self._line.popleft() for _ in range(min(size, len(self._line))))

    def write(self, data: bytes, /) -> int | None:
        for found in self._deframer.feed(data):
            self._answer(found.payload)
        return len(data)

    def _answer(self, payload: bytes) -> None:
        graph = self._graph
        if payload == b"I":
            sizes = ((picture_bytes(graph), 4), (result_bytes(graph), 4), (50, 2), (1, 1))
            content = b"".join(size.to_bytes(count, "little") for size, count in sizes)
            self._line.extend(frame(b"I\x01" + network_digest(graph) + content))
            return
        if payload[2] == 0:
            self._picture.clear()
        self._picture += payload[3:]
        self._line.extend(frame(b"A" + payload[1:3]))
        if len(self._picture) == picture_bytes(graph):
            self.pictures += 1
            changed = self._change(self._result(), self.pictures)
            self._line.extend(frame(b"R" + payload[1:2] + b"\x00" + changed) if changed else b"")

    def _result(self) -> bytes:
        source, target = self._graph.tensor(self._graph.input), self._graph.tensor(self._graph.output)
        taps = golden.run(self._graph, decode_values(bytes(self._picture), source.qtype).reshape(source.shape))
        if mask_rule(self._graph):
            return encode_mask(golden.mask(self._graph, taps).astype(np.int64))
        return encode_values(taps[target.name], target.qtype)


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Callable[[Graph, Change], Board]:
    """Return what puts a board behind every port."""

    def put(graph: Graph, change: Change = lambda result, pictures: result) -> Board:
        board = Board(graph, change)
        monkeypatch.setattr(device, "SerialPort", lambda name, baud, timeout: board)
        return board

    return put


def files(folder: Path, graph: Graph) -> tuple[str, str]:
    """Write a network and a picture for it."""
    model, picture = folder / "graph.json", folder / "picture.png"
    model.write_text(to_json(graph), encoding="utf-8")
    height, width, channels = graph.tensor(graph.input).shape
    values = np.random.default_rng(3).integers(0, 256, (height, width, channels), dtype=np.uint8)
    Image.fromarray(values[..., 0] if channels == 1 else values).save(picture)
    return str(model), str(picture)


def network(channels: int, classes: int, *, sigmoid: bool = False) -> Graph:
    """Return a small network that says what a byte means."""
    return small_network(channels=channels, classes=classes, sigmoid=sigmoid, pixels=Pixels(Fraction(1, 256)))


Plug = Callable[..., Board]


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command and return its code and what it said."""
    code = cli.main(["device", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    ("channels", "classes", "sigmoid", "what"),
    [(1, 1, False, "192 pixels"), (3, 4, False, "768 values"), (1, 3, True, "576 values")],
)
def test_results_are_compared_and_counted(
    plug: Plug,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    channels: int,
    classes: int,
    sigmoid: bool,
    what: str,
) -> None:
    graph = network(channels, classes, sigmoid=sigmoid)
    board = plug(graph)
    code, out, _ = said([*files(tmp_path, graph), "--port", "here", "--repeat", "3"], capsys)
    assert (code, board.pictures) == (0, 3)
    assert re.match(rf"net: 3 frames, {what} compared, 0 differ\n[\d.]+ frames/s, ", out), out
    assert "its network has seen a picture of a wrong length" in out


def test_a_difference_is_counted_and_ends_with_1(
    plug: Plug, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = network(1, 1)
    plug(graph, lambda result, pictures: bytes([result[0] ^ 3, *result[1:]]) if pictures == 2 else result)
    code, out, _ = said([*files(tmp_path, graph), "--port", "here", "--repeat", "2"], capsys)
    assert code == 1
    assert "net: 2 frames, 128 pixels compared, 2 differ" in out


@pytest.mark.parametrize(("channels", "classes"), [(1, 1), (3, 4)])
def test_mask_of_the_board_is_written_as_infer_writes_it(
    plug: Plug, tmp_path: Path, capsys: pytest.CaptureFixture[str], channels: int, classes: int
) -> None:
    graph = network(channels, classes)
    plug(graph)
    model, picture = files(tmp_path, graph)
    mine, wanted = tmp_path / "mine.png", tmp_path / "wanted.png"
    assert said([model, picture, "--port", "here", "--out", str(mine)], capsys)[0] == 0
    assert cli.main(["infer", model, picture, "--out", str(wanted)]) == 0
    assert mine.read_bytes() == wanted.read_bytes()


def test_lost_results_are_asked_for_again_and_then_given_up(
    plug: Plug, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = network(1, 1)
    arguments = [*files(tmp_path, graph), "--port", "here", "--timeout", "0.05"]
    plug(graph, lambda result, pictures: b"" if pictures == 1 else result)
    code, out, _ = said(arguments, capsys)
    assert code == 0
    assert "net: 1 frame, 1 sent again, 64 pixels compared, 0 differ" in out
    board = plug(graph, lambda result, pictures: b"")
    code, out, err = said([*arguments, "--attempts", "2"], capsys)
    assert (code, board.pictures, out) == (2, 2, "")
    assert "here: expected an answer within 0.05 s, got none" in err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--baud", "0"], "--baud: expected a whole number of at least 1, got 0"),
        (["--repeat", "0"], "--repeat: expected"),
        (["--attempts", "0"], "--attempts: expected"),
        (["--timeout", "0"], "--timeout: expected a number greater than 0, got 0.0"),
        (["--timeout", "nan"], "--timeout: expected"),
        (["--out", "mask.png"], "--out: expected a network whose output gives a mask or classes"),
    ],
)
def test_wrong_options_are_refused_before_a_port_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    graph = network(1, 3, sigmoid=True)
    code, out, err = said([*files(tmp_path, graph), "--port", "/dev/no_such_port", *options], capsys)
    assert (code, out) == (2, "")
    assert says in err


def test_port_that_is_none_and_another_network(plug: Plug, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = network(1, 1)
    arguments = [*files(tmp_path, graph), "--port", "/dev/no_such_port"]
    code, _, err = said(arguments, capsys)
    assert code == 2
    assert "/dev/no_such_port: expected a serial port that can be opened" in err
    plug(network(1, 3))
    code, _, err = said(arguments, capsys)
    assert code == 2
    assert f"expected a board with the network net, {network_digest(graph).hex()}, 64 bytes in and 8 out" in err
