"""cocotb bench of ``qun_picture_feeder``: every output in every cycle, for pictures that are whole or end early."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cocotb
from helpers.benches.clocked import Clocked, parameters
from helpers.benches.report import add_to_report
from helpers.benches.scenarios import rng_for

Inputs = dict[str, int]


class Model:
    """What the module's header says, as a program.

    Attributes:
        bytes: Of a picture.
        left: Bytes of the picture that have not gone into the network.
        busy: Whether the picture's result is to come.
    """

    def __init__(self) -> None:
        size = parameters()
        self.bytes, self._block_bytes = size["PictureBytes"], size["BlockBytes"]
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.left, self.busy = 0, False
        self._drop = False
        self._taken: int | None = None
        self._picture: int | None = None

    def _begins(self, inputs: Inputs) -> bool:
        return bool(inputs["s_valid"] and inputs["s_first"] and not self.left and not self.busy)

    def _offered(self, inputs: Inputs) -> int | None:
        """Return the byte for the network, if there is one."""
        if not self.left:
            return None
        if self._drop:
            return 0
        return inputs["s_data"] if inputs["s_valid"] and not inputs["s_first"] else None

    def expected(self, inputs: Inputs) -> dict[str, int]:
        """Return the outputs of this cycle, as far as somebody looks at them."""
        offered = self._offered(inputs)
        passes = offered is not None and inputs["m_ready"] and not self._drop
        found = {
            "busy": int(self.busy),
            "drop": int(self._drop),
            "taken": int(self._taken is not None),
            "s_ready": int(passes or self._begins(inputs)),
            "m_valid": int(offered is not None),
        }
        if offered is not None:
            found["m_data"] = offered
        if self._taken is not None:
            found["block"] = self._taken
        if self._picture is not None:
            found["picture"] = self._picture
        return found

    def step(self, inputs: Inputs) -> None:
        """Go on to the next cycle."""
        if not inputs["rst_n"]:
            self.reset()
            return
        begins, moves = self._begins(inputs), self._offered(inputs) is not None and inputs["m_ready"]
        another, given_up = inputs["s_valid"] and inputs["s_first"], inputs["drained"] and not inputs["open"]
        early = self.left and (another or given_up)
        self._taken = None
        if moves:
            self.left -= 1
            place = self.bytes - self.left - 1
            if not self._drop and (self.left == 0 or (place + 1) % self._block_bytes == 0):
                self._taken = place // self._block_bytes
        if early:
            self._drop = True
        if inputs["result_end"]:
            self.busy = False
        if begins:
            self.left, self.busy, self._drop, self._picture = self.bytes, True, False, inputs["s_data"]


@dataclass
class Pace:
    """How fast the others are, as probabilities in a cycle.

    Attributes:
        ready: That the network takes a byte.
        gap: That there is no word, where another one is to come.
        end: That the result has left, while it is to come.
        whole: Whether it leaves only when the picture has gone into the network.
    """

    ready: float = 1.0
    gap: float = 0.0
    end: float = 1.0
    whole: bool = True


class Feeder:
    """The module beside its model.

    Attributes:
        pace: Of the others.
        reset: Probability of a reset, in a cycle.
    """

    def __init__(self, dut: Any, where: str) -> None:
        outputs = ("s_ready", "busy", "drop", "taken", "block", "picture", "m_data", "m_valid")
        names = ("s_data", "s_first", "s_valid", "open", "drained", "result_end", "m_ready")
        self.module = Clocked(dut, outputs, **dict.fromkeys(names, 0))
        self.model = Model()
        self.rng = rng_for(where)
        self.pace = Pace()
        self.reset = 0.0

    def chance(self, probability: float) -> int:
        """Return one with this probability."""
        return int(self.rng.random() < probability)

    async def cycle(self, **inputs: int) -> bool:
        """Go through a cycle, compare every output with the model's, and return whether a word was taken."""
        rng, model, pace = self.rng, self.model, self.pace
        may_end = model.busy and not (pace.whole and model.left)
        inputs = {
            "s_valid": 0,
            "s_data": rng.randrange(256),
            "s_first": rng.randrange(2),
            "open": rng.randrange(2),
            "drained": 0,
            "m_ready": self.chance(pace.ready),
            "result_end": int(may_end and self.chance(pace.end)),
            "rst_n": 1 - self.chance(self.reset),
            **inputs,
        }
        got = await self.module.matches(model.expected(inputs), **inputs)
        model.step(inputs)
        if not inputs["rst_n"]:
            raise _ResetError
        return bool(got.s_ready and inputs["s_valid"])

    async def offer(self, first: int, data: int) -> None:
        """Offer a word until it is taken; sometimes it comes late, when others are on their way or are to come."""
        while self.chance(self.pace.gap):
            drained = self.rng.randrange(2)
            await self.cycle(drained=drained, open=drained or self.rng.randrange(2))
        while not await self.cycle(s_valid=1, s_first=first, s_data=data):
            pass

    async def picture(self, number: int, count: int | None = None) -> None:
        """Offer a picture, or so many of its bytes."""
        await self.offer(1, number)
        for _ in range(self.model.bytes if count is None else count):
            await self.offer(0, self.rng.choice((0, 255, self.rng.randrange(256))))

    async def nothing(self, cycles: int) -> None:
        """Let cycles pass in which no word comes, and none is to come."""
        for _ in range(cycles):
            await self.cycle(drained=1, open=0)

    async def settle(self) -> None:
        """Let cycles pass in which no word comes until the module has no picture."""
        while self.model.left or self.model.busy:
            await self.nothing(1)
        await self.nothing(3)


class _ResetError(Exception):
    """There was a reset."""


async def started(dut: Any, where: str) -> Feeder:
    """Return the module and its model behind a reset."""
    feeder = Feeder(dut, where)
    await feeder.module.start()
    return feeder


def paces() -> Iterator[Pace]:
    """Yield paces: nobody waits, each waits for each, and results that have left before the picture has come."""
    yield from (Pace(), Pace(end=0.05), Pace(0.5, 0.2, 0.3), Pace(0.6, 0.6, 0.3, whole=False), Pace(whole=False))


@cocotb.test()
async def pictures(dut: Any) -> None:
    """Whole pictures, one behind the other, with the numbers of their blocks."""
    feeder = await started(dut, "pictures")
    number = 253
    for feeder.pace in paces():
        for _ in range(1 if feeder.model.bytes > 99 else 6):
            await feeder.picture(number)
            number = (number + 1) % 256
        await feeder.settle()
    add_to_report("pictures", feeder.module.compared)


@cocotb.test()
async def ends(dut: Any) -> None:
    """Pictures that end early behind any of their bytes, each way, in front of a whole one."""
    feeder = await started(dut, "ends")
    model, rng = feeder.model, feeder.rng
    counts = range(model.bytes) if model.bytes < 99 else (0, 1, 7, model.bytes - 1)
    for count in counts:
        feeder.pace = rng.choice(list(paces()))
        for given_up in (0, 1, 4):
            await feeder.picture(rng.randrange(256), count)
            await feeder.nothing(given_up)
        await feeder.picture(rng.randrange(256))
        await feeder.settle()
    add_to_report("ends", feeder.module.compared)


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset at any moment leaves nothing of pictures that are whole or end early."""
    feeder = await started(dut, "resets")
    model, rng = feeder.model, feeder.rng
    feeder.reset = 0.03
    for _ in range(250):
        feeder.pace = rng.choice(list(paces()))
        try:
            count = rng.choice((None, rng.randrange(min(model.bytes, 20))))
            await feeder.picture(rng.randrange(256), count)
            if count is not None:
                await feeder.nothing(rng.choice((0, 1, 5)))
        except _ResetError:
            continue
    add_to_report("resets", feeder.module.compared)
