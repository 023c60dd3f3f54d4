"""What one position of a carry chain can add: two functions of at most four nets together, and the carry.

A position of the Lattice chains is a LUT of four inputs: its sum is ``LUT4 ^ carry in``, and its carry out is the
carry in where the LUT gives 1, else the "generate" function. That one is read from the lowest entries of the LUT's own
table, at the first two inputs on ECP5 (``CCU2C``) and the first three on Nexus (``CCU2``). With ``LUT4 = p ^ q``, the
generate function must be ``p`` wherever ``p`` equals ``q``; a whole AND-AND-add bit fits.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Hashable
from dataclasses import dataclass

INPUTS = 4

Net = Hashable


@dataclass(frozen=True)
class Bit:
    """A bit to be added: a function of nets.

    Attributes:
        nets: The inputs.
        table: The value for each assignment of the inputs; the first input is the lowest bit of the index.
    """

    nets: tuple[Net, ...]
    table: int

    def inverted(self) -> Bit:
        """Return the complement."""
        return Bit(self.nets, self.table ^ ((1 << (1 << len(self.nets))) - 1))


ZERO = Bit((), 0)
ONE = Bit((), 1)


@dataclass(frozen=True)
class Position:
    """One position of a chain.

    Attributes:
        pins: The net at each of the four inputs, or 0 or 1.
        table: The LUT's table.
        sum_net: The net of the sum; ``None`` where nothing reads it.
    """

    pins: tuple[Net, ...]
    table: int
    sum_net: Net | None = None


def net_bit(net: Net) -> Bit:
    """Return a net as a bit."""
    return Bit((net,), 0b10)


def and_bit(a: Net, b: Net) -> Bit:
    """Return the AND of two nets."""
    return net_bit(a) if a == b else Bit((a, b), 0b1000)


def adder(p: Bit, q: Bit, generate_inputs: int, sum_net: Net | None) -> Position | None:
    """Return the position that adds two bits and the carry, or ``None`` where none does."""
    nets = tuple(dict.fromkeys((*p.nets, *q.nets)))
    if len(nets) > INPUTS:
        return None
    where = tuple(nets.index(net) for net in (*p.nets, *q.nets))
    found = _place_adder(len(nets), where[: len(p.nets)], p.table, where[len(p.nets) :], q.table, generate_inputs)
    return found and Position(_pins(nets, found[0]), found[1], sum_net)


def handover(carry: Bit, generate_inputs: int, sum_net: Net | None) -> Position:
    """Return the position that gives the carry in as its sum and a bit of at most two nets as its carry out.

    It ends one adder of a chain and begins the next.
    """
    table = 0
    for index in range(1 << len(carry.nets)):
        table |= (carry.table >> index & 1) << (index | (~0 << len(carry.nets)) & ((1 << generate_inputs) - 1))
    pins = tuple(carry.nets) + (1,) * (INPUTS - len(carry.nets))
    return Position(pins, table, sum_net)


def _pins(nets: tuple[Net, ...], places: tuple[int, ...]) -> tuple[Net, ...]:
    pins: list[Net] = [1] * INPUTS
    for net, place in zip(nets, places, strict=True):
        pins[place] = net
    return tuple(pins)


@functools.cache
def _place_adder(
    count: int, p_inputs: tuple[int, ...], p_table: int, q_inputs: tuple[int, ...], q_table: int, generate_inputs: int
) -> tuple[tuple[int, ...], int] | None:
    """Return which pin each input goes to, and the LUT's table; unused pins are 1."""
    values = []
    for index in range(1 << count):
        p = p_table >> sum((index >> net & 1) << i for i, net in enumerate(p_inputs)) & 1
        q = q_table >> sum((index >> net & 1) << i for i, net in enumerate(q_inputs)) & 1
        values.append((p ^ q, p))
    return place(tuple(values), count, generate_inputs)


@functools.cache
def place(values: tuple[tuple[int, int], ...], count: int, generate_inputs: int) -> tuple[tuple[int, ...], int] | None:
    """Find the LUT of a position.

    Args:
        values: For each assignment of the inputs, what the LUT gives, and the carry out where it gives 0.
        count: Inputs.
        generate_inputs: Inputs of the generate function.

    Returns:
        Which pin each input goes to, and the LUT's table, with 1 at the unused pins; ``None`` where it does not fit.
    """
    for places in itertools.permutations(range(INPUTS), count):
        table = _table(values, places, generate_inputs)
        if table is not None:
            return places, table
    return None


def _table(values: tuple[tuple[int, int], ...], places: tuple[int, ...], generate_inputs: int) -> int | None:
    entries: dict[int, int] = {}
    for index, (propagate, carry) in enumerate(values):
        address = (1 << INPUTS) - 1
        for i, at in enumerate(places):
            address &= ~((~index >> i & 1) << at)
        if entries.setdefault(address, propagate) != propagate:
            return None
        if not propagate and entries.setdefault(address & ((1 << generate_inputs) - 1), carry) != carry:
            return None
    return sum(value << address for address, value in entries.items())
