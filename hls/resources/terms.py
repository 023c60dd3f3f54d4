"""What a module is made of, in terms of its parts, and what a design takes of a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quantunet.constraints.board import RESOURCES, load_board
from quantunet.hls.resources.memory_map import DISTRIBUTED_LUTS, Mapped, map_banked_ram, map_memory, map_ram

_DEVICE = {name: getattr(load_board("ulx3s_85f").budget, name).count for name in RESOURCES}

PRICES: Mapping[str, float] = {name: _DEVICE["lut"] / count for name, count in _DEVICE.items()}
"""Area of one of each, in LUT places, without a budget: a share of an ECP5-85 is worth the same in every resource."""

_DEEP_TABLE = 16
_LUT_BITS = 16


@dataclass(frozen=True)
class Cost:
    """What a module, or a design, takes.

    Attributes:
        lut: LUT places, carry cells and distributed RAM included.
        ff: Flip-flops.
        dsp: 18x18 multipliers.
        bram: Block RAMs of 18 Kibit.
    """

    lut: int = 0
    ff: int = 0
    dsp: int = 0
    bram: int = 0

    @property
    def amounts(self) -> dict[str, int]:
        """The same by the resource's name."""
        return {name: int(getattr(self, name)) for name in RESOURCES}

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.lut + other.lut, self.ff + other.ff, self.dsp + other.dsp, self.bram + other.bram)


def area(cost: Cost, prices: Mapping[str, float] = PRICES) -> float:
    """Return a cost as one number, in LUTs: each resource counts in proportion to how scarce it is."""
    return sum(prices[name] * float(getattr(cost, name)) for name in RESOURCES)


def prices_of(budget: Mapping[str, int]) -> dict[str, float]:
    """Return what one of each resource is worth where a budget says how scarce it is; a LUT is 1."""
    lut = budget.get("lut") or _DEVICE["lut"]
    return {name: lut / (budget.get(name) or _DEVICE[name]) for name in RESOURCES}


@dataclass
class Terms:
    """What a module's cost is made of.

    Attributes:
        lut: Amount of every term that takes LUT places.
        ff: Amount of every term that takes flip-flops.
        lut_known: LUT places that are known exactly.
        dsp: Multipliers.
        bram: Block RAMs.
    """

    lut: dict[str, float] = field(default_factory=dict)
    ff: dict[str, float] = field(default_factory=dict)
    lut_known: int = 0
    dsp: int = 0
    bram: int = 0

    def add(self, resource: str, **amounts: float) -> None:
        """Add amounts to the terms of ``lut`` or ``ff``."""
        target = self.lut if resource == "lut" else self.ff
        for term, amount in amounts.items():
            if amount:
                target[term] = target.get(term, 0) + amount

    def add_memory(self, width: int, depth: int, *, asynchronous: bool = False) -> None:
        """Add a memory with what it becomes."""
        self._add_mapped(map_memory(width, depth, asynchronous=True) if asynchronous else map_ram(width, depth))

    def add_banked_memory(self, width: int, depth: int) -> None:
        """Add a memory of banks, with the registers behind them."""
        self._add_mapped(map_banked_ram(width, depth))

    def _add_mapped(self, memory: Mapped) -> None:
        self.bram += memory.block
        self.lut_known += DISTRIBUTED_LUTS * memory.distributed
        self.add("lut", joined_bits=memory.joined, register_bits=memory.register_bits)
        self.add("ff", registers=memory.register_bits + memory.output_bits)

    def add_table(self, width: int, depth: int, term: str = "table_luts") -> None:
        """Add a table of constants with what it becomes; ``term`` stands for its LUTs."""
        memory = map_memory(width, depth, rom=True)
        self.bram += memory.block
        columns = distinct(width, depth)
        if memory.kind == "logic":
            self.add("lut", **{term: columns * _table_luts(depth)})
            self.add("ff", registers=columns)
        self.add("lut", joined_bits=memory.joined)


def counter_bits(places: int) -> int:
    """Return the width of a counter over some places; 0 where there is but one."""
    return (places - 1).bit_length()


def distinct(width: int, depth: int) -> float:
    """Return how many of a random table's columns differ from each other and are not constant: each is one register."""
    if depth > _DEEP_TABLE:
        return width
    patterns: int = 2**depth
    return max(0.0, (patterns - 2) * (1 - (1 - 1 / patterns) ** width))


def _table_luts(depth: int) -> float:
    """Return about how many LUTs of four inputs a random column of a table takes: its sixteenths, and their joining."""
    return 1.0 if depth <= _LUT_BITS else depth / _LUT_BITS * 5 / 3
