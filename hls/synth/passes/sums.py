"""A pass over a Yosys design: sums of products and of many operands become trees of carry chains.

Yosys would make them of full adders in LUTs. The pass follows additions, subtractions and multiplications back from
each one whose result something else reads, as far as no intermediate result wraps around, and knows the range of every
sum exactly; the bits that a range does not need become copies of the sign, which later passes share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyosys import libyosys

from quantunet.hls.synth.families import CarryChain
from quantunet.hls.synth.passes.carry_cell import Bit, Net, Position, and_bit, net_bit
from quantunet.hls.synth.passes.carry_tree import Columns, Inner, Sum, Tree, build
from quantunet.hls.synth.passes.cells import HIGH, LOW, bits, connect, constant, count_users, identifier, set_table
from quantunet.hls.synth.passes.products import MULTIPLY

_ADDITIONS = ("$add", "$sub")
_MANY = 3  # operands: two are one carry chain for Yosys too


@dataclass(frozen=True)
class _Number:
    """A vector of nets as a number: bits, lowest first, and whether the last one is a sign."""

    bits: tuple[Net, ...]
    signed: bool

    @property
    def range(self) -> tuple[int, int]:
        count = len(self.bits)
        if not count:
            return 0, 0
        return (-(1 << count - 1), (1 << count - 1) - 1) if self.signed else (0, (1 << count) - 1)


@dataclass(frozen=True)
class _Term:
    """An operand of a sum, or a product of two."""

    factors: tuple[_Number, ...]
    negative: bool

    @property
    def range(self) -> tuple[int, int]:
        low, high = self.factors[0].range
        if len(self.factors) > 1:
            ends = [a * b for a in (low, high) for b in self.factors[1].range]
            low, high = min(ends), max(ends)
        return (-high, -low) if self.negative else (low, high)


@dataclass(frozen=True)
class _Expression:
    terms: tuple[_Term, ...]

    @property
    def range(self) -> tuple[int, int]:
        ranges = [term.range for term in self.terms]
        return sum(low for low, _ in ranges), sum(high for _, high in ranges)


def map_sums(module: Any, chain: CarryChain, is_product: Callable[[Any], bool]) -> int:  # noqa: ANN401 pyosys has no types
    """Replace the sums of a module.

    Args:
        module: A flat module before ``alumacc``, cleaned by ``opt_clean``.
        chain: The carry chain of the device.
        is_product: Tells of a multiplication whether it is part of the sums, or stays for a hard multiplier.

    Returns:
        How many sums were replaced.
    """
    return _Pass(module, chain, is_product).run()


class _Pass:
    def __init__(self, module: Any, chain: CarryChain, is_product: Callable[[Any], bool]) -> None:  # noqa: ANN401
        self._module = module
        self._chain = chain
        self._users = count_users(module)
        self._cells = [
            cell
            for cell in module.selected_cells()
            if cell.type.str() in _ADDITIONS or (cell.type.str() == MULTIPLY and is_product(cell))
        ]
        self._drivers = {bit: cell for cell in self._cells for bit in bits(cell, "Y")}
        self._expressions: dict[str, _Expression] = {}
        self._merged: set[str] = set()
        self._names = 0

    def run(self) -> int:
        for cell in self._cells:
            self._expression(cell)
        roots = [cell for cell in self._cells if cell.name.str() not in self._merged]
        count = 0
        for cell in roots:
            expression = self._expressions[cell.name.str()]
            if len(expression.terms) >= _MANY or any(len(term.factors) > 1 for term in expression.terms):
                self._replace(cell, expression)
                count += 1
        return count

    def _expression(self, cell: Any) -> _Expression:  # noqa: ANN401
        name = cell.name.str()
        known = self._expressions.get(name)
        if known is not None:
            return known
        numbers = [(_number(cell, port), bits(cell, port)) for port in ("A", "B")]
        if cell.type.str() == MULTIPLY:
            found = _Expression((_Term((numbers[0][0], numbers[1][0]), negative=False),))
        else:
            terms: list[_Term] = []
            for place, (number, nets) in enumerate(numbers):
                negate = place == 1 and cell.type.str() == "$sub"
                for term in self._terms(number, nets):
                    terms.append(_Term(term.factors, term.negative != negate))
            found = _Expression(tuple(terms))
        self._expressions[name] = found
        return found

    def _terms(self, number: _Number, nets: Sequence[Net]) -> tuple[_Term, ...]:
        """Return the terms of an operand: those of the cell that makes it, if nothing else reads that one."""
        own = (_Term((number,), negative=False),)
        driver = self._drivers.get(number.bits[0]) if number.bits else None
        if driver is None:
            return own
        made = bits(driver, "Y")
        if tuple(made[: len(number.bits)]) != number.bits:
            return own
        if any(self._users.get(bit, 0) != nets.count(bit) for bit in set(made)):
            return own
        expression = self._expression(driver)
        low, high = expression.range
        least, most = number.range
        if low < least or high > most:
            return own
        self._merged.add(driver.name.str())
        return expression.terms

    def _replace(self, cell: Any, expression: _Expression) -> None:  # noqa: ANN401
        made = bits(cell, "Y")
        low, high = expression.range
        needed = max((high if high >= 0 else ~high).bit_length(), (low if low >= 0 else ~low).bit_length())
        width = min(len(made), needed + (low < 0))
        tree = build(_sum(expression.terms, width), self._chain.generate_inputs, feed_in=self._chain.feed_in)
        result = self._emit(tree)
        extension = result[-1] if low < 0 and result else LOW
        self._module.remove(cell)
        for bit, value in zip(made, [*result, *[extension] * len(made)], strict=False):
            self._module.connect(libyosys.SigSpec(bit, 1), libyosys.SigSpec(value, 1))

    def _emit(self, tree: Tree) -> list[Net]:
        """Make the cells of a tree and return the nets of its result."""
        nets: dict[Net, Any] = {0: LOW, 1: HIGH}

        def net(of: Net) -> Any:  # noqa: ANN401
            if isinstance(of, Inner) and of not in nets:
                nets[of] = self._wire()
            return nets.get(of, of)

        for positions, carry in zip(tree.chains, tree.carries, strict=True):
            carry_net = net(carry)
            for index in range(0, len(positions), 2):
                carry_net = self._emit_pair(positions[index : index + 2], carry_net, net)
        return [self._function(bit, net) for bit in tree.result]

    def _emit_pair(self, pair: Sequence[Position], carry: Any, net: Any) -> Any:  # noqa: ANN401
        cell = self._module.addCell(self._name(), identifier(self._chain.cell))
        connect(cell, "CIN", carry)
        halves = (*pair, Position((1, 1, 1, 1), 0))[:2]
        for half, position in enumerate(halves):
            for pin, at in zip("ABCD", position.pins, strict=True):
                connect(cell, f"{pin}{half}", net(at))
            if position.sum_net is not None:
                connect(cell, f"S{half}", net(position.sum_net))
            set_table(cell, f"INIT{half}", position.table, self._chain)
        for name in self._chain.inject:
            cell.setParam(identifier(name), libyosys.Const("NO"))
        out = self._wire()
        connect(cell, "COUT", out)
        return out

    def _function(self, bit: Bit, net: Any) -> Any:  # noqa: ANN401
        """Return the net of a function of at most two nets."""
        if not bit.nets:
            return net(bit.table)
        made = net(bit.nets[0])
        is_inverted = bool(bit.table & 1)
        if len(bit.nets) > 1:
            out = self._wire()
            self._module.addAndGate(self._name(), made, net(bit.nets[1]), out)
            made = out
        if is_inverted:
            out = self._wire()
            self._module.addNotGate(self._name(), made, out)
            made = out
        return made

    def _wire(self) -> Any:  # noqa: ANN401
        wire = self._module.addWire(self._name(), 1)
        return libyosys.SigSpec(wire).to_sigbit_vector()[0]

    def _name(self) -> Any:  # noqa: ANN401
        while True:
            self._names += 1
            name = identifier(f"$sums${self._names}")
            if self._module.cell(name) is None and self._module.wire(name) is None:
                return name


def _number(cell: Any, port: str) -> _Number:  # noqa: ANN401
    """Return an operand without the bits that only extend it."""
    nets = bits(cell, port)
    signed = bool(cell.getParam(identifier(f"{port}_SIGNED")).as_int())
    if signed:
        while len(nets) > 1 and nets[-1] == nets[-2]:
            nets.pop()
        signed = bool(nets) and constant(nets[-1]) != 0
    if not signed:
        while nets and constant(nets[-1]) == 0:
            nets.pop()
    return _Number(tuple(nets), signed)


def _sum(terms: Iterable[_Term], width: int) -> Sum:
    positive: Columns = {}
    negative: Columns = {}
    fixed_sum = 0
    for term in terms:
        first, *second = term.factors
        for j, a in enumerate(first.bits):
            for i, b in enumerate(second[0].bits if second else (1,)):
                if i + j >= width:
                    continue
                sign = term.negative ^ (first.signed and j == len(first.bits) - 1)
                if second:
                    sign ^= second[0].signed and i == len(second[0].bits) - 1
                fixed = [constant(net) for net in ((a, b) if second else (a,))]
                if 0 in fixed:
                    continue
                free = [net for net, value in zip((a, b), fixed, strict=False) if value is None]
                if not free:
                    fixed_sum += -(1 << i + j) if sign else 1 << i + j
                    continue
                bit = and_bit(*free) if len(free) > 1 else net_bit(free[0])
                is_top = i + j == width - 1  # there, adding and subtracting are the same
                (negative if sign and not is_top else positive).setdefault(i + j, []).append(bit)
    return Sum(positive, negative, fixed_sum, width)
