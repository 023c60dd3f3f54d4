"""cocotb bench of ``qun_block_buffer``: every output in every cycle, for frames and readers of every kind."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cocotb
from helpers.benches.clocked import Clocked, parameters
from helpers.benches.report import add_to_report
from helpers.benches.scenarios import rng_for

_INFO, _BLOCK = 0x49, 0x50
_DAMAGED, _KIND, _LENGTH, _ORDER, _FULL, _SILENCE = range(1, 7)
_CHECK = 4
"""Bytes of a frame's check, which come as its others do."""

Inputs = dict[str, int]
Reader = Callable[[], int]


class Model:
    """What the module's header says, as a program.

    Attributes:
        most: Bytes of the longest frame that may come.
        blocks: Of a picture.
        open: Whether the picture's last block is to come.
        current: The picture that was begun last.
        next: The block of it that is to come.
        kept: Words in the ring that may be read.
    """

    def __init__(self) -> None:
        size = parameters()
        self._bytes, self._block_bytes = size["PictureBytes"], size["BlockBytes"]
        self.blocks = -(-self._bytes // self._block_bytes)
        self.most = self._block_bytes + 3 + _CHECK
        # Two blocks, a picture's number for each and a check, and what the memory's addresses give beyond that.
        self._places = 1 << (2 * self._block_bytes + 5).bit_length()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.open, self.current, self.next = False, 0, 0
        self.kept: deque[tuple[int, int]] = deque()
        self._frame: list[int] = []
        self._words: list[tuple[int, int]] = []
        self._full = False
        self._front: tuple[int, int] | None = None
        self._asked = False
        self._error: tuple[int, int] | None = None

    def content_bytes(self, block: int) -> int:
        """Return how many bytes of a picture are in a block."""
        return min(self._block_bytes, self._bytes - block * self._block_bytes) if block < self.blocks else 0

    def expected(self) -> dict[str, int]:
        """Return the outputs of this cycle, as far as somebody looks at them."""
        found = {
            "asked": int(self._asked),
            "error": int(self._error is not None),
            "open": int(self.open),
            "drained": int(not self.kept and self._front is None),
            "m_valid": int(self._front is not None),
        }
        if self._error:
            found["error_code"], found["error_picture"] = self._error
        if self._front:
            found["m_first"], found["m_data"] = self._front
        return found

    def step(self, inputs: Inputs) -> None:
        """Go on to the next cycle."""
        if not inputs.get("rst_n", 1):
            self.reset()
            return
        room = len(self.kept) + len(self._words) < self._places
        self._asked, self._error = False, None
        if inputs["m_ready"]:
            self._front = None
        if self._front is None and self.kept:
            self._front = self.kept.popleft()
        if inputs.get("s_valid"):
            self._take(inputs["s_data"], room)
        if inputs.get("silence"):
            self._forget_frame()
            self._refuse(_SILENCE, self.current)
        elif inputs.get("s_end"):
            self._end(bool(inputs["s_good"]), inputs["s_bytes"])

    def _take(self, byte: int, room: bool) -> None:
        self._frame.append(byte)
        if self._frame[0] != _BLOCK or len(self._frame) < 3 or (len(self._frame) == 3 and byte):
            return
        if room:
            self._words.append((0, byte) if len(self._frame) > 3 else (1, self._frame[1]))
        else:
            self._full = True

    def _end(self, good: bool, count: int) -> None:
        frame, words, full = self._frame, self._words, self._full
        self._forget_frame()
        if not good:
            self._refuse(_DAMAGED, self.current)
        elif not frame or frame[0] not in (_INFO, _BLOCK):
            self._refuse(_KIND, self.current)
        elif frame[0] == _INFO:
            if count == 1 + _CHECK:
                self._asked = True
            else:
                self._refuse(_LENGTH, self.current)
        elif full:
            self._refuse(_FULL, frame[1])
        elif count != 3 + (self.content_bytes(frame[2]) or self._block_bytes) + _CHECK:
            self._refuse(_LENGTH, frame[1])
        elif frame[2] and not (self.open and frame[1:3] == [self.current, self.next]):
            self._refuse(_ORDER, frame[1])
        else:
            self.kept.extend(words[:-_CHECK])
            self.current, self.next = frame[1], frame[2] + 1
            self.open = self.next != self.blocks

    def _forget_frame(self) -> None:
        self._frame, self._words, self._full = [], [], False

    def _refuse(self, code: int, picture: int) -> None:
        self.open, self._error = False, (code, picture)


@dataclass
class Frame:
    """What comes of a frame, without its check.

    Attributes:
        content: Kind and content.
        good: Whether its check is right.
        bytes: How many come, the check's among them, before the end; all of them without a number.
        silence: Whether silence comes in the place of the end.
        late: Whether the end comes behind the silence, with nothing of the frame: a flag came in just that cycle.
    """

    content: bytes
    good: bool = True
    bytes: int | None = None
    silence: bool = False
    late: bool = False


class Blocks:
    """The module beside its model."""

    def __init__(self, dut: Any, where: str) -> None:
        outputs = ("asked", "error", "error_code", "error_picture", "open", "drained", "m_valid", "m_first", "m_data")
        idle = {"s_valid": 0, "s_data": 0, "s_end": 0, "s_good": 0, "s_bytes": 0, "silence": 0, "m_ready": 0}
        self.module = Clocked(dut, outputs, **idle)
        self.model = Model()
        self.rng = rng_for(where)

    async def cycle(self, inputs: Inputs, ready: int) -> None:
        """Go through a cycle, and compare every output with the model's."""
        model = self.model
        inputs = {**self._noise(), **inputs, "m_ready": ready}
        await self.module.matches(model.expected(), **inputs)
        model.step(inputs)

    def _noise(self) -> Inputs:
        """Return what nobody may look at: values that are not valid."""
        rng = self.rng
        return {"s_data": rng.randrange(256), "s_good": rng.randrange(2), "s_bytes": rng.randrange(self.model.most + 1)}

    def frame(self, frame: Frame, pause: float) -> Iterator[Inputs]:
        """Yield the inputs of a frame, with pauses of this probability."""
        rng = self.rng
        data = (frame.content + rng.randbytes(_CHECK))[: frame.bytes]
        for byte in data:
            while rng.random() < pause:
                yield {}
            yield {"s_valid": 1, "s_data": byte}
        while rng.random() < pause:
            yield {}
        if frame.silence:
            yield {"silence": 1}
        if frame.late or not frame.silence:
            yield {"s_end": 1, "s_good": int(frame.good), "s_bytes": len(data)}

    async def send(self, frame: Frame, ready: Reader, pause: float = 0.0) -> None:
        """Send a frame while somebody reads."""
        for inputs in self.frame(frame, pause):
            await self.cycle(inputs, ready())

    async def wait(self, cycles: int, ready: Reader) -> None:
        """Let cycles pass while somebody reads."""
        for _ in range(cycles):
            await self.cycle({}, ready())

    def block(self, picture: int, block: int, more: int = 0) -> Frame:
        """Return the frame of a block, of some bytes more than it has to have."""
        count = (self.model.content_bytes(block) or self.model.content_bytes(0)) + more
        return Frame(bytes((_BLOCK, picture, block)) + self.rng.randbytes(count))


async def started(dut: Any, where: str) -> Blocks:
    """Return the module and its model behind a reset."""
    blocks = Blocks(dut, where)
    await blocks.module.start()
    return blocks


def readers(rng: random.Random) -> dict[str, Reader]:
    """Return readers: one that takes all, ones that take some, one that takes nothing."""
    return {
        "at once": lambda: 1,
        "often": lambda: int(rng.random() < 0.7),
        "seldom": lambda: int(rng.random() < 0.06),
        "never": lambda: 0,
    }


@cocotb.test()
async def pictures(dut: Any) -> None:
    """Pictures of a host that keeps to two blocks, over the number 255, for readers of several kinds."""
    blocks = await started(dut, "pictures")
    model, number = blocks.model, 254
    for name, ready in list(readers(blocks.rng).items())[:3]:
        for pause in (0.0, 0.2)[: 2 if model.blocks < 9 else 1]:
            for block in range(model.blocks):
                while len(model.kept) > model.content_bytes(0):
                    await blocks.cycle({}, ready())
                await blocks.send(blocks.block(number, block), ready, pause)
            number = (number + 1) % 256
        if model.blocks > 8 and name == "often":
            break
    await blocks.wait(64, lambda: 1)
    add_to_report("pictures", blocks.module.compared)


@cocotb.test()
async def places(dut: Any) -> None:
    """Blocks that find the ring full at each of its places, and at none; each is sent again when there is place."""
    blocks = await started(dut, "places")
    model, number = blocks.model, 0
    for taken in range(2 * model.content_bytes(0) + 4):
        blocks_sent = 0
        while blocks_sent < 2:
            for block in range(min(2 - blocks_sent, model.blocks)):
                await blocks.send(blocks.block(number, block), lambda: 0)
                blocks_sent += 1
            number = (number + 1) % 256
        await blocks.wait(taken + 1, lambda: 1)
        await blocks.send(blocks.block(number, 0), lambda: 0)
        await blocks.send(blocks.block(number, 1), lambda: 0)
        await blocks.wait(3, lambda: 1)
        await blocks.send(blocks.block(number, 0), lambda: 1)
        await blocks.wait(4 * model.content_bytes(0) + 16, lambda: 1)
        assert not model.kept, "the bench has not waited for the ring"
    add_to_report("places", blocks.module.compared)


class Host:
    """Says what it sends next: often what it should, else anything that may come."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._picture, self._block = 0, 0

    def frame(self) -> Frame:
        """Return the next frame."""
        rng, model = self._blocks.rng, self._blocks.model
        kind = rng.choice(("block",) * 12 + ("turn", "length", "kind", "info", "damaged", "silence"))
        if rng.random() < 0.8:  # else it goes on as if it had heard of no error
            self._picture, self._block = model.current, model.next
            if not model.open:
                self._picture, self._block = rng.choice(((model.current + 1) % 256, 0, 255)), 0
        frame = self._blocks.block(self._picture, self._block)
        self._block = (self._block + 1) % (model.blocks + 1)
        return frame if kind == "block" else getattr(self, f"_{kind}")(frame)

    def _turn(self, frame: Frame) -> Frame:
        rng, model = self._blocks.rng, self._blocks.model
        near = (model.next + 1, model.next - 1, model.next, 0, model.blocks - 1, model.blocks, rng.randrange(256))
        picture = rng.choice((model.current, model.current ^ 1 << rng.randrange(8), model.current + 1))
        del frame
        return self._blocks.block(picture % 256, rng.choice(near) % 256)

    def _length(self, frame: Frame) -> Frame:
        rng, model = self._blocks.rng, self._blocks.model
        last, least = model.content_bytes(model.blocks - 1), -3
        most = model.most - _CHECK - len(frame.content)
        lengths = [
            each - len(frame.content) + 3 for each in (last, model.content_bytes(0), least, least + 1, least + 2)
        ]
        more = rng.choice([each for each in (1, -1, *lengths) if each <= most])
        content = (frame.content + rng.randbytes(1))[: len(frame.content) + more]
        return Frame(content or frame.content[:1])

    def _kind(self, frame: Frame) -> Frame:
        rng = self._blocks.rng
        kind = rng.choice((_BLOCK ^ 1 << rng.randrange(8), _INFO ^ 1 << rng.randrange(8), rng.randrange(256)))
        return Frame(bytes((kind,)) + frame.content[1 : rng.choice((1, 2, None))])

    def _info(self, frame: Frame) -> Frame:
        rng = self._blocks.rng
        return Frame(bytes((_INFO,)) + frame.content[1 : rng.choice((1, 1, 2, 3, None))])

    def _damaged(self, frame: Frame) -> Frame:
        rng, most = self._blocks.rng, self._blocks.model.most
        kind = rng.choice((frame.content[0],) * 3 + (_INFO, rng.randrange(256)))
        right = len(frame.content) + _CHECK
        content = bytes((kind,)) + frame.content[1:] + rng.randbytes(most)
        return Frame(content, good=False, bytes=rng.choice((right, 5, rng.randrange(most + 1))))

    def _silence(self, frame: Frame) -> Frame:
        rng, whole = self._blocks.rng, len(frame.content) + _CHECK
        late = rng.random() < 0.3
        return Frame(frame.content, bytes=whole if late else rng.randrange(whole + 1), silence=True, late=late)


async def anything(blocks: Blocks, cycles: int, resets: bool) -> None:
    """Send whatever may come for some cycles, with resets at any moment or without."""
    host, rng, every = Host(blocks), blocks.rng, readers(blocks.rng)
    end = blocks.module.cycle + cycles
    ready = every["at once"]
    while blocks.module.cycle < end:
        if rng.random() < 0.25:
            ready = rng.choice(list(every.values()))
        pause = rng.choice((0.0, 0.0, 0.3))
        for inputs in blocks.frame(host.frame(), pause):
            reset = resets and rng.random() < 0.02
            await blocks.cycle({**inputs, "rst_n": int(not reset)}, ready())
            if reset:
                break
        await blocks.wait(rng.choice((0, 0, 0, 1, 2, 5)), ready)


@cocotb.test()
async def frames(dut: Any) -> None:
    """Frames of every kind, whole and broken off, and silence."""
    blocks = await started(dut, "frames")
    await anything(blocks, 6000, resets=False)
    add_to_report("frames", blocks.module.compared)


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset leaves nothing: in each cycle of frames behind two blocks that nobody reads, and at any moment."""
    blocks = await started(dut, "resets")
    model, never = blocks.model, lambda: 0
    for frame in (blocks.block(9, 0), Frame(bytes((_INFO,))), Frame(bytes((_BLOCK, 9)), good=False)):
        for moment in range(len(frame.content) + _CHECK + 1):
            for number in range(2):
                await blocks.send(blocks.block(7 + number // model.blocks, number % model.blocks), never)
            for cycle, inputs in enumerate(blocks.frame(frame, 0.0)):
                await blocks.cycle({**inputs, "rst_n": int(cycle != moment)}, 0)
                if cycle == moment:
                    break
            await blocks.send(blocks.block(9, 0), lambda: 1)
    await anything(blocks, 1000, resets=True)
    add_to_report("resets", blocks.module.compared)
