"""Sums of many bits as a tree of carry chains.

The bits stand in columns by weight. Level after level, chains of adders run over neighbouring columns; each takes two
bits of every column, and a third of its first one as carry in, and leaves one bit of every column and a carry. All
chains of a level stand in a row: the position that hands out the carry of one also takes in the carry of the next, so
that nothing is lost between them. A sum of ``n + 1`` positions removes ``n`` bits; a full adder in LUTs needs two LUTs
to remove one.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from quantunet.hls.synth.passes.carry_cell import INPUTS, ONE, ZERO, Bit, Net, Position, adder, handover, net_bit

_SHORTEST = (1, 2, 3, 4, 5)
"""Shortest chains of a level that are tried."""

_LEVELS_VARIED = 3

Columns = dict[int, list[Bit]]


@dataclass(frozen=True)
class Sum:
    """What is to be added.

    Attributes:
        positive: Bits by column.
        negative: Bits to be subtracted, by column.
        constant: A constant to be added.
        width: Width of the result, in bits; it counts modulo ``2 ** width``.
    """

    positive: Mapping[int, Sequence[Bit]]
    negative: Mapping[int, Sequence[Bit]]
    constant: int
    width: int


@dataclass
class Tree:
    """A sum as carry chains.

    Attributes:
        chains: The positions of every chain, each chain after those that it depends on.
        carries: What enters each chain: 0 or 1.
        result: The bits of the result, lowest first: a function of at most two nets each.
    """

    chains: list[list[Position]] = field(default_factory=list)
    carries: list[int] = field(default_factory=list)
    result: list[Bit] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """LUTs that it takes."""
        lonely = sum(len(bit.nets) > 1 for bit in self.result)
        return sum(len(chain) + len(chain) % 2 for chain in self.chains) + lonely


@dataclass(frozen=True)
class _Adder:
    """One run of a chain: two bits for every column from ``first`` on."""

    first: int
    carry: Bit
    pairs: tuple[tuple[Bit, Bit], ...]


@dataclass(frozen=True)
class Inner:
    """A net inside a tree."""

    index: int


def build(total: Sum, generate_inputs: int, *, feed_in: bool) -> Tree:
    """Return the cheapest tree found.

    Args:
        total: What is to be added.
        generate_inputs: Inputs of the generate function of a position.
        feed_in: Whether a chain cannot begin with a constant carry, but needs a position for it.
    """
    nets: dict[Net, int] = {}

    def shape(columns: Mapping[int, Sequence[Bit]]) -> tuple[tuple[int, tuple[tuple[tuple[int, ...], int], ...]], ...]:
        return tuple(
            (column, tuple((tuple(nets.setdefault(net, len(nets)) for net in bit.nets), bit.table) for bit in bits))
            for column, bits in sorted(columns.items())
        )

    plan = _plan(
        shape(total.positive), shape(total.negative), total.constant, total.width, generate_inputs, feed_in=feed_in
    )
    names = list(nets)

    def named(net: Net) -> Net:
        return names[net - _FIRST_NAME] if isinstance(net, int) and net >= _FIRST_NAME else net

    return Tree(
        [[Position(tuple(map(named, at.pins)), at.table, at.sum_net) for at in positions] for positions in plan.chains],
        plan.carries,
        [Bit(tuple(map(named, bit.nets)), bit.table) for bit in plan.result],
    )


_FIRST_NAME = 2  # nets of a shape are numbered from here: 0 and 1 are constants


@functools.lru_cache(maxsize=256)
def _plan(
    positive: tuple[tuple[int, tuple[tuple[tuple[int, ...], int], ...]], ...],
    negative: tuple[tuple[int, tuple[tuple[tuple[int, ...], int], ...]], ...],
    constant: int,
    width: int,
    generate_inputs: int,
    *,
    feed_in: bool,
) -> Tree:
    """Plan a tree for nets that are numbers."""

    def columns(shape: tuple[tuple[int, tuple[tuple[tuple[int, ...], int], ...]], ...]) -> Columns:
        return {
            column: [Bit(tuple(net + _FIRST_NAME for net in nets), table) for nets, table in bits]
            for column, bits in shape
            if column < width
        }

    best: Tree | None = None
    apart = (True, False) if negative else (False,)
    for is_apart, shortest in itertools.product(apart, itertools.product(_SHORTEST, repeat=_LEVELS_VARIED)):
        tree = _Builder(width, generate_inputs, feed_in=feed_in).tree(
            columns(positive), columns(negative), constant, shortest, negative_apart=is_apart
        )
        if best is None or (tree.cost, len(tree.chains)) < (best.cost, len(best.chains)):
            best = tree
    assert best is not None
    return best


def _invert(positive: Columns, negative: Columns, constant: int) -> tuple[Columns, int]:
    """Count negative bits inverted: ``-b`` is ``(1 - b) - 1``."""
    for column, bits in negative.items():
        for bit in bits:
            positive.setdefault(column, []).append(bit.inverted())
            constant -= 1 << column
    return positive, constant


class _Builder:
    def __init__(self, width: int, generate_inputs: int, *, feed_in: bool) -> None:
        self._width = width
        self._generate_inputs = generate_inputs
        self._feed_in = feed_in
        self._tree = Tree()
        self._count = itertools.count()

    def tree(
        self, positive: Columns, negative: Columns, constant: int, shortest: Sequence[int], *, negative_apart: bool
    ) -> Tree:
        """Build a tree.

        Args:
            positive: Bits by column.
            negative: Bits to be subtracted, by column.
            constant: To be added.
            shortest: The shortest chain of each of the first levels.
            negative_apart: Whether negative products are added up among themselves first, or inverted at once.
        """
        levels: Iterator[int] = itertools.chain(shortest, itertools.repeat(shortest[-1]))
        most = 1 if negative_apart else INPUTS
        nets = {column: [bit for bit in bits if len(bit.nets) <= most] for column, bits in negative.items()}
        negative = {column: [bit for bit in bits if len(bit.nets) > most] for column, bits in negative.items()}
        positive, constant = _invert(positive, nets, constant)
        if any(negative.values()):
            positive, constant = self._first_level(positive, negative, constant, next(levels))
        columns = {column: list(positive.get(column, ())) for column in range(self._width)}
        for column in range(self._width):
            if constant >> column & 1:
                columns[column].insert(0, ONE)
        for length in levels:
            if self._is_done(columns):
                break
            if self._is_last(columns):
                columns = self._last(columns)
                break
            columns = self._level(columns, length) or self._level(columns, 1) or self._single(columns)
        self._tree.result = [columns[column][0] if columns[column] else ZERO for column in range(self._width)]
        return self._tree

    def _first_level(self, positive: Columns, negative: Columns, constant: int, shortest: int) -> tuple[Columns, int]:
        """Add up negative products among themselves; their sums then count inverted, which costs nothing."""
        rest = {column: list(bits) for column, bits in negative.items()}
        negative_adders = self._adders(rest, shortest)
        positive_adders = self._adders(positive, shortest)
        outputs = self._emit([*positive_adders, *negative_adders])
        for index, sums in enumerate(outputs):
            into = positive if index < len(positive_adders) else rest
            for column, bit in sums:
                into.setdefault(column, []).append(bit)
        return _invert(positive, rest, constant)

    def _is_done(self, columns: Columns) -> bool:
        return all(len(bits) <= 1 for bits in columns.values())

    def _is_last(self, columns: Columns) -> bool:
        """Tell whether one chain adds all that is left."""
        first = next(column for column in range(self._width) if len(columns[column]) > 1)
        if len(columns[first]) > 3 or any(len(columns[column]) > 2 for column in range(first + 1, self._width)):
            return False
        return self._run(columns, first) is not None

    def _run(self, columns: Columns, first: int) -> _Adder | None:
        """Return the adder from a column to the last one."""
        bits = list(columns[first])
        carry = self._take_carry(bits) if len(bits) > 2 else ZERO
        if carry is None:
            return None
        pairs: list[tuple[Bit, Bit]] = []
        for column in range(first, self._width):
            here = bits if column == first else columns[column]
            p, q = (*here, ZERO, ZERO)[:2]
            if adder(p, q, self._generate_inputs, None) is None:
                return None
            pairs.append((p, q))
        return _Adder(first, carry, tuple(pairs))

    def _last(self, columns: Columns) -> Columns:
        first = next(column for column in range(self._width) if len(columns[column]) > 1)
        run = self._run(columns, first)
        assert run is not None
        (sums,) = self._emit([run])
        return {**{column: columns[column] for column in range(first)}, **{column: [bit] for column, bit in sums}}

    def _level(self, columns: Columns, shortest: int) -> Columns | None:
        """Run chains of at least a length over the columns; ``None`` where there is no room for one."""
        rest = {column: list(bits) for column, bits in columns.items()}
        adders = self._adders(rest, shortest)
        if not adders:
            return None
        for sums in self._emit(adders):
            for column, bit in sums:
                rest[column].append(bit)
        return rest

    def _single(self, columns: Columns) -> Columns:
        """Put a function of several nets into a LUT of its own: two such do not always fit into one position."""
        rest = {column: list(bits) for column, bits in columns.items()}
        column = next(c for c, bits in rest.items() if len(bits) > 1 and any(len(bit.nets) > 1 for bit in bits))
        bit = next(bit for bit in rest[column] if len(bit.nets) > 1)
        rest[column].remove(bit)
        position = adder(bit, ZERO, self._generate_inputs, Inner(next(self._count)))
        assert position is not None
        assert position.sum_net is not None
        self._chain([position], 0)
        rest[column].append(net_bit(position.sum_net))
        return rest

    def _adders(self, columns: Columns, shortest: int) -> list[_Adder]:
        """Take the bits of the longest chains out of the columns, until all that is left is shorter."""
        adders = []
        while (span := self._longest(columns)) is not None and span[1] >= shortest:
            run = self._take(columns, *span)
            if run is None:
                break
            adders.append(run)
        return adders

    def _longest(self, columns: Columns) -> tuple[int, int] | None:
        """Return the first column and the length of the run that removes most bits for its positions."""
        best: tuple[float, int, int] | None = None
        for first in sorted(columns):
            length = 0
            while first + length < self._width and len(columns.get(first + length, ())) >= 2:
                length += 1
            if length:
                has_carry = len(columns[first]) >= 3
                out = 0 if first + length == self._width else 1
                removed = length - out + has_carry
                found = (removed / (length + out), length, -first)
                if removed and (best is None or found > best):
                    best = found
        return (-best[2], best[1]) if best else None

    def _take(self, columns: Columns, first: int, length: int) -> _Adder | None:
        carry: Bit | None = ZERO
        if len(columns[first]) >= 3:
            carry = self._take_carry(columns[first])
        pairs = []
        for column in range(first, first + length):
            pair = self._take_pair(columns[column])
            if pair is None:
                break
            pairs.append(pair)
        if not pairs:
            if carry is not None and carry != ZERO:
                columns[first].append(carry)
            return None
        return _Adder(first, carry or ZERO, tuple(pairs))

    def _take_carry(self, bits: list[Bit]) -> Bit | None:
        bit = next((bit for bit in bits if bit == ONE), None) or next(
            (bit for bit in reversed(bits) if len(bit.nets) <= 2), None
        )
        if bit is not None:
            bits.remove(bit)
        return bit

    def _take_pair(self, bits: list[Bit]) -> tuple[Bit, Bit] | None:
        for i, j in itertools.combinations(range(len(bits)), 2):
            if adder(bits[i], bits[j], self._generate_inputs, None) is not None:
                return bits.pop(i), bits.pop(j - 1)
        return None

    def _emit(self, adders: Sequence[_Adder]) -> list[list[tuple[int, Bit]]]:
        """Put adders into one chain and return the sums of each, with their columns.

        The one that reaches the last column comes last, as its carry is no constant.
        """
        if not adders:
            return []
        order = sorted(range(len(adders)), key=lambda i: self._ends(adders[i]))
        outputs: list[list[tuple[int, Bit]]] = [[] for _ in adders]
        positions: list[Position] = []
        start = 0
        first_carry = adders[order[0]].carry
        if first_carry == ONE and not self._feed_in:
            start = 1
        elif first_carry != ZERO or self._feed_in:
            positions.append(handover(first_carry, self._generate_inputs, None))
        for place, i in enumerate(order):
            run = adders[i]
            following = adders[order[place + 1]].carry if place + 1 < len(order) else ZERO
            for column, (p, q) in enumerate(run.pairs, run.first):
                net = Inner(next(self._count))
                position = adder(p, q, self._generate_inputs, net)
                assert position is not None
                positions.append(position)
                outputs[i].append((column, net_bit(net)))
            if not self._ends(run):
                net = Inner(next(self._count))
                positions.append(handover(following, self._generate_inputs, net))
                outputs[i].append((run.first + len(run.pairs), net_bit(net)))
            elif place + 1 < len(order):
                positions.append(handover(following, self._generate_inputs, None))
        self._chain(positions, start)
        return outputs

    def _chain(self, positions: list[Position], carry: int) -> None:
        self._tree.chains.append(positions)
        self._tree.carries.append(carry)

    def _ends(self, run: _Adder) -> bool:
        return run.first + len(run.pairs) == self._width
