"""cocotb bench of ``qun_serial_reply``: every output in every cycle, for events and results that come at any moment."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cocotb
from helpers.benches.clocked import Clocked, parameters
from helpers.benches.report import add_to_report
from helpers.benches.scenarios import rng_for

_INFO, _TAKEN, _RESULT, _ERROR = b"IARE"

_LATENCY = 3
"""Cycles from an event to the first byte: it waits for one, in one a frame is chosen, and in one its byte comes."""

Inputs = dict[str, int]
Beat = tuple[int, int]
"""Whether a frame ends, and else its byte."""


class Model:
    """What the module's header says, as a program.

    Attributes:
        left: Bytes of the result that are to be sent or dropped.
        parts: Number of the next part.
    """

    def __init__(self) -> None:
        size = parameters()
        self._result_bytes = size["ResultBytes"]
        self._info = bytes((_INFO, 1)) + b"".join(
            size[name].to_bytes(count, "little")
            for name, count in (("Digest", 8), ("PictureBytes", 4), ("ResultBytes", 4), ("BlockBytes", 2))
        )
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.left, self.parts = self._result_bytes, 0
        self._waiting: dict[str, bytes] = {}
        self._within = False  # a part, behind its head
        self._ended = False
        self._beat: Beat | None = None
        self._inputs: Inputs = {}
        self._beats = self._frames()

    def _frames(self) -> Iterator[Beat | None]:
        """Yield what follows in each cycle in which something may: the inputs are those of this cycle."""
        while True:
            frame = self._chosen()
            yield None
            for place, byte in enumerate(frame):
                self._within = frame[0] == _RESULT and place == len(frame) - 1
                yield 0, byte
            while self._within:
                byte_comes = self._inputs["s_valid"] and not self._stops()
                self._within = not self._stops() and not (byte_comes and self.left == 1)
                yield (0, self._inputs["s_data"]) if byte_comes else None
            if frame:
                yield 1, 0

    def _stops(self) -> bool:
        return bool(self._waiting or self._inputs["drop"])

    def _chosen(self) -> bytes:
        """Return the frame whose turn it is, without the bytes of a result."""
        for name in ("error", "taken", "asked"):
            if name in self._waiting:
                frame = self._waiting.pop(name)
                return frame + bytes((self._inputs["frame_error"],)) if name == "asked" else frame
        if self._inputs["s_valid"] and not self._inputs["drop"]:
            self.parts = (self.parts + 1) % 256
            return bytes((_RESULT, self._inputs["picture"], (self.parts - 1) % 256))
        return b""

    def _may_follow(self, inputs: Inputs) -> bool:
        return self._beat is None or bool(inputs["m_ready"])

    def _takes(self, inputs: Inputs) -> bool:
        self._inputs = inputs
        return bool(inputs["drop"]) or (self._within and self._may_follow(inputs) and not self._stops())

    def expected(self, inputs: Inputs) -> dict[str, int]:
        """Return the outputs of this cycle, as far as somebody looks at them."""
        found = {
            "s_ready": int(self._takes(inputs)),
            "result_end": int(self._ended),
            "m_valid": int(self._beat is not None),
        }
        if self._beat:
            found["m_end"] = self._beat[0]
            if not self._beat[0]:
                found["m_data"] = self._beat[1]
        return found

    def step(self, inputs: Inputs) -> None:
        """Go on to the next cycle."""
        if not inputs["rst_n"]:
            self.reset()
            return
        takes = self._takes(inputs) and inputs["s_valid"]
        waited = set(self._waiting)
        if self._may_follow(inputs):
            self._beat = next(self._beats)
        if inputs["error"] and "error" not in waited:
            self._waiting["error"] = bytes((_ERROR, inputs["error_picture"], inputs["error_code"]))
        if inputs["taken"]:
            self._waiting["taken"] = bytes((_TAKEN, inputs["picture"], inputs["block"]))
        if inputs["asked"]:
            self._waiting["asked"] = self._info
        if self._ended:
            self.left, self.parts = self._result_bytes, 0
        self.left -= int(takes)
        self._ended = self.left == 0


@dataclass
class Pace:
    """How often what happens, as probabilities in a cycle.

    Attributes:
        ready: That the reader takes a beat.
        comes: That a byte of the result comes, where one is to come.
        event: Of each kind of event.
        begin: That the next picture begins, behind a result.
        drop: That the result is given up.
        reset: Of a reset.
    """

    ready: float = 1.0
    comes: float = 1.0
    event: float = 0.0
    begin: float = 0.5
    drop: float = 0.0
    reset: float = 0.0


class Replies:
    """The module beside its model, and the network whose results it sends."""

    def __init__(self, dut: Any, where: str) -> None:
        outputs = ("result_end", "s_ready", "m_data", "m_end", "m_valid")
        names = ("asked", "error", "error_code", "error_picture", "taken", "block", "picture", "drop", "frame_error")
        self.module = Clocked(dut, outputs, **dict.fromkeys((*names, "s_data", "s_valid", "m_ready"), 0))
        self.model = Model()
        self.rng = rng_for(where)
        self.pace = Pace()
        self.parts_begun = 0
        self._offer: int | None = None
        self._picture = self._frame_error = self._drop = 0
        self._between = False  # a result has left, and the next picture has not begun

    def chance(self, probability: float) -> int:
        """Return one with this probability."""
        return int(self.rng.random() < probability)

    def _network(self) -> Inputs:
        """Return what the network gives, and what the picture in it is."""
        if self._between and self.model.left and self.chance(self.pace.begin):
            self._between, self._drop, self._picture = False, 0, self.rng.randrange(256)
        elif self.chance(self.pace.drop):
            self._drop = 1
        if self._offer is None and not self._between and self.chance(self.pace.comes):
            self._offer = self.rng.randrange(256)
        data = self.rng.randrange(256) if self._offer is None else self._offer
        return {
            "s_valid": int(self._offer is not None), "s_data": data, "drop": self._drop, "picture": self._picture
        }  # fmt: skip

    async def cycle(self, **inputs: int) -> SimpleNamespace:
        """Go through a cycle, compare every output with the model's, and return them."""
        rng, pace, model = self.rng, self.pace, self.model
        self._frame_error ^= self.chance(0.03)
        inputs = {
            **{name: self.chance(pace.event) for name in ("asked", "error", "taken")},
            **{name: rng.randrange(256) for name in ("error_code", "error_picture", "block")},
            **self._network(),
            "frame_error": self._frame_error,
            "m_ready": self.chance(pace.ready),
            "rst_n": 1 - self.chance(pace.reset),
            **inputs,
        }
        got = await self.module.matches(model.expected(inputs), **inputs)
        before = model.parts
        model.step(inputs)
        self.parts_begun += int(model.parts != before)
        if inputs["s_valid"] and got.s_ready:
            self._offer = None
            self._between = model.left == 0
        if not inputs["rst_n"]:
            self._offer, self._drop, self._between = None, 0, False
        return got

    async def run(self, cycles: int, pace: Pace) -> None:
        """Go through cycles at a pace."""
        self.pace = pace
        for _ in range(cycles):
            await self.cycle()


async def started(dut: Any, where: str) -> Replies:
    """Return the module and its model behind a reset."""
    replies = Replies(dut, where)
    await replies.module.start()
    return replies


@cocotb.test()
async def events(dut: Any) -> None:
    """Each event alone, with its latency, and each behind each, some cycles later, while no result comes."""
    replies = await started(dut, "events")
    replies.pace = Pace(comes=0)
    names = ("asked", "error", "taken")
    for name in names:
        begin = replies.module.cycle
        got = await replies.cycle(**{name: 1})
        while not got.m_valid:
            got = await replies.cycle()
        cycles = replies.module.cycle - begin - 1
        assert cycles == _LATENCY, f"{name}: expected its first byte {_LATENCY} cycles later, got {cycles}"
        await replies.run(30, replies.pace)
    for first, second, distance in itertools.product(names, names, range(8)):
        await replies.cycle(**{first: 1, **({second: 1} if distance == 0 else {})})
        for cycle in range(1, 36):
            await replies.cycle(**{second: int(cycle == distance)})
    add_to_report("events", replies.module.compared)


@cocotb.test()
async def results(dut: Any) -> None:
    """Results alone: without a pause, waiting for each side, given up."""
    replies = await started(dut, "results")
    for ready, comes, drop in itertools.product((1.0, 0.5), (1.0, 0.4), (0.0, 0.1)):
        await replies.run(120, Pace(ready, comes, drop=drop))
    add_to_report("results", replies.module.compared)


@cocotb.test()
async def parts(dut: Any) -> None:
    """Results that events cut, each of a short one and 255 and more of a long one, and events that wait for readers."""
    replies = await started(dut, "parts")
    rare = Pace(event=0.03)
    for pace in (
        rare,
        Pace(0.6, 0.5, 0.05),
        Pace(0.1, 0.9, 0.05),
        Pace(0.8, 0.7, 0.03, drop=0.02),
        Pace(0.3, event=0.2),
    ):
        await replies.run(500, pace)
    if replies.model.left > 999:
        await replies.cycle(rst_n=0)
        replies.pace, begun = Pace(), replies.parts_begun
        cut = begun  # how many parts have been ended
        for _ in range(4000):
            taken = int(cut != replies.parts_begun and replies.chance(0.5))
            cut = replies.parts_begun if taken else cut
            await replies.cycle(taken=taken)
        assert replies.parts_begun > begun + 260, "the bench has not gone beyond part 255"
    add_to_report("parts", replies.module.compared)


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset at any moment leaves nothing."""
    replies = await started(dut, "resets")
    for ready, event in ((1.0, 0.03), (0.4, 0.05), (0.9, 0.0)):
        await replies.run(500, Pace(ready, 0.8, event, drop=0.02, reset=0.04))
    add_to_report("resets", replies.module.compared)
