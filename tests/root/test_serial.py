"""The host's side of a serial line: frames, what pictures and results are in bytes, and a board that misbehaves."""

from __future__ import annotations

import random
from collections import deque
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantunet import golden
from quantunet.errors import DeviceLineError, DeviceNetworkError, DeviceSilentError, ModelError, ToolMissingError
from quantunet.ir import Graph, QType, Reading
from quantunet.random_network import random_image, random_unet
from quantunet.serial_frames import FLAG, Deframer, Frame, deframe, frame
from quantunet.serial_link import Link
from quantunet.serial_payload import (
    MaskRule,
    decode_result,
    decode_values,
    encode_mask,
    encode_values,
    mask_rule,
    network_digest,
    picture_bytes,
    result_bytes,
    value_bytes,
)
from quantunet.serial_port import SerialPort

GRAPH = random_unet(base=2, depth=1, size=4, seed=5)
DATA = bytes(range(16))
PAYLOADS = st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5)


@given(payloads=PAYLOADS, cuts=st.lists(st.integers(0, 200), max_size=6))
def test_frames_come_out_as_they_went_in(payloads: list[bytes], cuts: list[int]) -> None:
    line = b"".join(map(frame, payloads))
    assert line.count(bytes([FLAG])) == 2 * len(payloads)
    deframer, found = Deframer(), []
    places = sorted({0, len(line), *(cut for cut in cuts if cut < len(line))})
    for start, end in zip(places, places[1:], strict=False):
        found += deframer.feed(line[start:end])
    assert found == [Frame(payload, good=True) for payload in payloads]


@given(payload=st.binary(min_size=1, max_size=30), data=st.data())
def test_a_fault_costs_its_frame_and_no_other(payload: bytes, data: st.DataObject) -> None:
    line = bytearray(frame(payload))
    place = data.draw(st.integers(1, len(line) - 2))
    kind = data.draw(st.sampled_from(("flip", "lose", "add")))
    if kind == "flip":
        line[place] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "lose":
        del line[place]
    else:
        line.insert(place, data.draw(st.integers(0, 255)))
    found = deframe(bytes(line) + frame(b"next"))
    assert found[-1] == Frame(b"next", good=True)
    assert Frame(payload, good=True) not in found[:-1] or bytes(line) == frame(payload) or kind == "add"
    assert all(not entry.good or entry.payload == payload for entry in found[:-1])


@pytest.mark.parametrize(("bits", "signed"), [(1, False), (5, False), (8, False), (8, True), (12, True), (34, True)])
def test_values_come_back(bits: int, signed: bool) -> None:
    qtype = QType(bits, signed, 0)
    rng = random.Random(bits)
    values = np.array([qtype.qmin, qtype.qmax, *(rng.randint(qtype.qmin, qtype.qmax) for _ in range(50))])
    data = encode_values(values, qtype)
    assert len(data) == len(values) * value_bytes(bits)
    assert (decode_values(data, qtype) == values).all()


def test_result_is_goldens_mask() -> None:
    taps = golden.run(GRAPH, random_image(GRAPH))
    mask = golden.mask(GRAPH, taps)
    assert 0 < mask.sum() < mask.size
    data = encode_mask(mask.astype(np.int64))
    assert (picture_bytes(GRAPH), result_bytes(GRAPH), len(data)) == (16, 2, 2)
    assert (decode_result(GRAPH, data)[..., 0] == mask).all()
    with pytest.raises(ModelError, match="a result of 2 bytes"):
        decode_result(GRAPH, data + b"\x00")


def with_reading(gain: Fraction, offset: Fraction) -> Graph:
    """Return a network whose output is logits with a meaning of their own."""
    graph = GRAPH if not GRAPH.gives_probabilities else GRAPH.layer(GRAPH.nodes[-2].name)
    assert graph.tensor(graph.output).shape[2] == 1
    assert not graph.gives_probabilities
    return Graph("reading", graph.inputs, graph.output, graph.tensors, graph.nodes, reading=Reading((gain,), (offset,)))


@pytest.mark.parametrize(
    ("gain", "offset"),
    [
        (Fraction(1, 2), Fraction(3)),
        (Fraction(3), Fraction(-7)),
        (Fraction(-2), Fraction(5)),
        (Fraction(-1, 3), Fraction(-2)),
    ],
)
def test_rule_of_a_mask_is_goldens(gain: Fraction, offset: Fraction) -> None:
    graph = with_reading(gain, offset)
    rule = mask_rule(graph)
    assert rule is not None
    values = np.arange(-20, 21, dtype=np.int64).reshape(-1, 1, 1)
    wanted = golden.mask(graph, {graph.output: values})[:, 0]
    got = values[:, 0, 0] <= rule.least if rule.below else values[:, 0, 0] >= rule.least
    assert 0 < wanted.sum() < wanted.size
    assert (got == wanted).all()


def test_rules_of_the_other_outputs() -> None:
    assert GRAPH.gives_probabilities
    assert mask_rule(GRAPH) == MaskRule(GRAPH.tensor(GRAPH.output).qtype.half)
    with pytest.raises(ModelError, match="a gain of 0"):
        mask_rule(with_reading(Fraction(0), Fraction(1)))


class Board:
    """A board in the place of a port: answers by the rules, and with ``change`` damages or leaves out what it sends."""

    def __init__(self, graph: Graph = GRAPH, block_bytes: int = 5, change: dict[int, bytes] | None = None) -> None:
        self._deframer = Deframer()
        self._line: deque[int] = deque()
        self._graph = graph
        self._block_bytes = block_bytes
        self._change = change or {}
        self._replies = 0
        self._outstanding = 0
        self.most_outstanding = 0
        self.received: dict[int, bytearray] = {}

    @property
    def in_waiting(self) -> int:
        return len(self._line)

    def read(self, size: int = 1) -> bytes:
        self._outstanding = 0  # what the host reads it has waited for
        return bytes(self._line.popleft() for _ in range(min(size, len(self._line))))

    def write(self, data: bytes, /) -> int | None:
        for found in self._deframer.feed(data):
            assert found.good
            self._answer(found.payload)
        return len(data)

    def _answer(self, payload: bytes) -> None:
        if payload == b"I":
            sizes = ((picture_bytes(self._graph), 4), (result_bytes(self._graph), 4), (self._block_bytes, 2), (0, 1))
            content = b"".join(size.to_bytes(count, "little") for size, count in sizes)
            self._send(b"I\x01" + network_digest(self._graph) + content)
            return
        self._outstanding += 1
        self.most_outstanding = max(self.most_outstanding, self._outstanding)
        picture = self.received.setdefault(payload[1], bytearray())
        picture += payload[3:]
        self._send(b"A" + payload[1:3])
        if len(picture) == picture_bytes(self._graph):
            self._send(b"R" + payload[1:2] + b"\x00" + b"\x12")
            self._send(b"R" + payload[1:2] + b"\x01" + b"\x34")

    def _send(self, payload: bytes) -> None:
        self._line.extend(self._change.get(self._replies, frame(payload)))
        self._replies += 1


def test_picture_and_result() -> None:
    board = Board()
    link = Link(board, "port", 0.2)
    info = link.check(GRAPH)
    assert (info.picture_bytes, info.result_bytes, info.block_bytes, info.frame_error) == (16, 2, 5, False)
    for number in (1, 2):
        assert link.run(DATA, info) == b"\x12\x34"
        assert bytes(board.received[number]) == DATA
    assert board.most_outstanding == 2


def test_another_network_is_refused() -> None:
    other = random_unet(base=2, depth=1, size=4, seed=6)
    with pytest.raises(DeviceNetworkError, match=network_digest(other).hex()):
        Link(Board(other), "port", 0.2).check(GRAPH)


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (b"", DeviceSilentError, "an answer within 0.05 s, got none"),
        (b"\x7eI\x01\x02\x03\x04\x05\x7e", DeviceLineError, "a damaged one"),
        (frame(b"I"), DeviceLineError, "got 1 bytes"),
        (frame(b"I\x02" + bytes(19)), DeviceLineError, "version 2"),
    ],
)
def test_wrong_answers_about_the_board(answer: bytes, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        Link(Board(change={0: answer}), "port", 0.05).info()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({5: frame(b"R\x01\x01\x34")}, DeviceLineError, "expected part 0 of the result, got part 1"),
        ({5: frame(b"R\x01\x00\x12")[:-3] + b"\x00\x00\x7e"}, DeviceLineError, "a damaged one"),
        ({5: b""}, DeviceLineError, "expected part 0 of the result, got part 1"),
        ({6: b""}, DeviceSilentError, "got none"),
        ({1: b"", 2: b""}, DeviceSilentError, "got none"),
        ({3: frame(b"E\x01\x01")}, DeviceLineError, "it refused a damaged frame"),
        ({3: frame(b"E\x01\x63")}, DeviceLineError, "something by the code 99"),
        ({6: frame(b"R\x01\x01\x34\x56")}, DeviceLineError, "a result of 2 bytes, got 3 bytes"),
    ],
)
def test_wrong_replies_are_typed_errors_and_the_next_picture_is_right(
    change: dict[int, bytes], error: type[Exception], says: str
) -> None:
    link = Link(Board(change=change), "port", 0.05)
    info = link.info()
    with pytest.raises(error, match=says):
        link.run(DATA, info)
    link.settle()
    assert link.run(DATA, info) == b"\x12\x34"


def test_port_that_is_none_is_refused() -> None:
    with pytest.raises(DeviceSilentError, match="/dev/no_such_port"):
        SerialPort("/dev/no_such_port", 115_200, 1.0)


def test_pyserial_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "serial", None)
    with pytest.raises(ToolMissingError, match=r"pip install 'quantunet\[device\]'"):
        SerialPort("/dev/null", 115_200, 1.0)
