"""cocotb bench of ``qun_uart_rx``: where it looks at the line, what it makes of it, and how fast a sender may be."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import cocotb
from helpers.benches.clocked import Clocked, parameters
from helpers.benches.report import add_to_report
from helpers.benches.scenarios import rng_for

_START, _STOP = 0, 9
"""Places of bits in a byte."""

_SEEN = 2
"""Cycles from a level to where it is seen, through two registers."""

Byte = tuple[int, int]
"""A byte and whether it is damaged."""


def looks() -> list[int]:
    """Return how many cycles behind the first one of a start bit the line is looked at, for each bit.

    The edge is seen in the cycle behind it, half a period, rounded down, before the middle of the start bit.
    """
    size = parameters()
    period, bits = size["PeriodCycles"], size["PeriodBits"]
    return [-(-(period * (place + 1) - period // 2) // bits) for place in range(_STOP + 1)]


def _module(dut: Any) -> Clocked:
    return Clocked(dut, ("m_data", "m_valid", "m_damaged"), rx=1)


class Receiver:
    """The module, and what it has received.

    Attributes:
        received: Bytes, and whether each is damaged.
        cycles: In which they came.
    """

    def __init__(self, module: Clocked) -> None:
        self._module = module
        self.received: list[Byte] = []
        self.cycles: list[int] = []

    async def take(self, levels: Iterable[int]) -> None:
        """Put levels on the line, one a cycle."""
        for level in levels:
            got: SimpleNamespace = await self._module.tick(rx=level)
            if got.m_valid:
                self.received.append((got.m_data, got.m_damaged))
                self.cycles.append(self._module.cycle - 1)


def only_where_it_looks(byte: int, stop: int, rng: random.Random) -> list[int]:
    """Return levels that are a byte's where it is looked at, the contrary beside that, else anything."""
    wanted, places = (0, *(byte >> place & 1 for place in range(8)), stop), looks()
    levels = [0, *(rng.randrange(2) for _ in range(places[_STOP] + 1))]
    for level, place in zip(wanted, places, strict=True):
        levels[place - 1 : place + 2] = [1 - level, level, 1 - level]
    return levels[: places[_STOP] + 1]


def sent(data: bytes, period: Fraction, late: Fraction) -> list[int]:
    """Return the levels of bytes without a pause: a bit lasts ``period`` cycles, the first edge is ``late`` by some."""
    bits = [bit for byte in data for bit in (0, *(byte >> place & 1 for place in range(8)), 1)]
    return [1, *(bits[int((cycle - late) / period)] for cycle in range(1, int(len(bits) * period)))]


def check(receiver: Receiver, expected: Sequence[Byte], where: str) -> int:
    """Compare all that came, and return how many values that are."""
    assert receiver.received == list(expected), f"{where}: expected {expected}, got {receiver.received}"
    return 2 * len(expected)


@cocotb.test()
async def looks_once_a_bit(dut: Any) -> None:
    """Bytes that are what they are in one cycle a bit alone, without a pause, some with a bad stop bit."""
    module, rng = _module(dut), rng_for("looks")
    await module.start()
    receiver = Receiver(module)
    await receiver.take([1] * 5)
    expected, cycles = [], []
    for index in range(40):
        byte, stop = rng.randrange(256), int(index % 4 != 1)
        begin = module.cycle
        await receiver.take(only_where_it_looks(byte, stop, rng) + [1] * (1 - stop))
        expected.append((byte, 1 - stop))
        cycles.append(begin + looks()[_STOP] + _SEEN + 1)
    await receiver.take([1] * 5)
    compared = check(receiver, expected, "looked at once")
    assert receiver.cycles == cycles, f"expected bytes in the cycles {cycles}, got {receiver.cycles}"
    add_to_report("looks_once_a_bit", compared + len(cycles))


@cocotb.test()
async def senders(dut: Any) -> None:
    """Senders that are as fast as they should be, 3 % faster and 3 % slower, out of step with the clock."""
    module, rng, compared = _module(dut), rng_for("senders"), 0
    await module.start()
    bit = Fraction(parameters()["PeriodCycles"], parameters()["PeriodBits"])
    for percent, late in itertools.product((97, 100, 103), (Fraction(1, 8), Fraction(1, 2), Fraction(1))):
        data = bytes([0, 255, *(rng.randrange(256) for _ in range(8))])
        receiver = Receiver(module)
        await receiver.take(sent(data, bit * percent / 100, late))
        await receiver.take([1] * int(2 * bit))
        compared += check(receiver, [(byte, 0) for byte in data], f"{percent} %, {late} of a cycle late")
    add_to_report("senders", compared)


@cocotb.test()
async def no_start_bits(dut: Any) -> None:
    """A line that is 1 in the middle of a start bit begins no byte, the next edge does; one that stays 0 is none."""
    module, rng, compared = _module(dut), rng_for("starts"), 0
    await module.start()
    receiver, middle = Receiver(module), looks()[_START]
    expected = []
    for low in range(1, middle + 1):
        byte = rng.randrange(256)
        await receiver.take([0] * low + [1] * (middle + 1 - low) + only_where_it_looks(byte, 1, rng))
        expected.append((byte, 0))
    await receiver.take([0] * 3 * looks()[_STOP])
    expected.append((0, 1))
    await receiver.take([1] + only_where_it_looks(0x5A, 1, rng) + [1] * 5)
    compared += check(receiver, [*expected, (0x5A, 0)], "starts that are none")
    add_to_report("no_start_bits", compared)


@cocotb.test()
async def resets(dut: Any) -> None:
    """A reset in any bit leaves nothing of a byte, and the next one is received, if it begins at once too."""
    module, rng, compared = _module(dut), rng_for("resets"), 0
    await module.start()
    end = looks()[_STOP] + _SEEN
    for cycles in (*range(1, end, 7), end - 1, end):
        receiver = Receiver(module)
        await receiver.take((only_where_it_looks(0xC3, 1, rng) + [1] * _SEEN)[:cycles])
        await module.reset()
        byte = rng.randrange(256)
        await receiver.take([*[1] * (cycles % 2), *only_where_it_looks(byte, 1, rng), *[1] * 5])
        compared += check(receiver, [(byte, 0)], f"a reset after {cycles} cycles")
    add_to_report("resets", compared)
