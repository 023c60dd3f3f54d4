"""Which primitives a memory of the library becomes on an ECP5: the rule that Yosys follows when it maps memories.

Every way to build a memory has a price: 128 for a block RAM, 4 for a distributed RAM of 16 x 4 bits, 1 for a bit of
flip-flops, 1/16 for a bit of a table in LUTs, and half for each bit of a multiplexer or demultiplexer that joins
several primitives in depth. The cheapest way is taken. Tables never become distributed RAM.

That counts a block RAM for about 200 LUTs. On the devices meant here it is worth ``BLOCK_LUTS``: ``qun_ram`` and
``qun_rom`` ask for distributed RAM, or for a table in LUTs, where Yosys would take more than that in block RAM. Some
tables are split before Yosys maps them, so that both ports of a block RAM are read (:func:`shared_columns`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_BLOCK_PRICE = 128
_DISTRIBUTED_PRICE = 4
_TABLE_BITS_A_POINT = 16
_READ_PORT_PRICE = 2
_BLOCK_BITS = 1 << 14
"""Addresses of a block RAM when it is one bit wide."""

_TRUE_DUAL_PORT = {1: 1, 2: 2, 4: 4, 9: 8, 18: 16}
_BYTE_ADDRESSES = _TRUE_DUAL_PORT[9]
_NARROW = {1: 1, 2: 2, 3: 4, 4: 4}
"""Width of the port that takes so few bits."""

_PSEUDO_DUAL_PORT = {**_TRUE_DUAL_PORT, 36: 32}
"""Widths of DP16KD and of PDPW16KD, and by how much each divides the depth."""

BLOCK_LUTS = 400
"""LUTs that a block RAM is worth: an ECP5-85 has so many for each."""

TABLE_BITS_A_BLOCK = 3000
"""Bits of a random table that take so many LUTs."""

BLOCK_WIDTH = 36
DISTRIBUTED_LUTS = 6

BYTE = 9
DEEP, SMALL_REST = 2048, 4
DISTRIBUTED_DEPTH, DISTRIBUTED_WIDTH = 16, 4


@dataclass(frozen=True)
class Mapped:
    """What one memory becomes.

    Attributes:
        kind: ``block``, ``distributed`` or ``logic``.
        block: Block RAMs.
        distributed: Distributed RAMs of 16 x 4 bits.
        table_bits: Bits of a table that becomes LUTs.
        register_bits: Bits that become flip-flops with their write logic, other than the output register.
        output_bits: Flip-flops of the output register, where the primitive has none.
        joined: Primitives in depth, beyond the first, times the width: the bits of the multiplexer that joins them.
    """

    kind: Literal["block", "distributed", "logic"]
    block: int = 0
    distributed: int = 0
    table_bits: int = 0
    register_bits: int = 0
    output_bits: int = 0
    joined: int = 0


COLUMNS = 3
"""Columns of a table that share two block RAMs."""


@dataclass(frozen=True)
class Shared:
    """How columns of a table share block RAMs: three columns take two, both ports of which are read.

    Attributes:
        groups: Groups of up to three columns; 0 where nothing is shared.
        bits: Bits of a column.
        words: Words of a block RAM of so many bits.
        rest: Bits beside all groups, which have block RAMs of their own.
    """

    groups: int = 0
    bits: int = 0
    words: int = 0
    rest: int = 0


@lru_cache(maxsize=65536)
def shared_columns(width: int, depth: int) -> Shared:
    """Return how the columns of a table share block RAMs, if it has up to an eighth more words than half of one."""
    for bits in (18, 9):
        words = _BLOCK_BITS // _TRUE_DUAL_PORT[bits]
        if words // 2 < depth <= words // 2 + words // 8:
            groups, rest = divmod(width, COLUMNS * bits)
            alone = _block(rest, depth, rom=True)[1] if rest else 0
            if alone > 2:
                groups, rest, alone = groups + 1, 0, 0
            if 2 * groups + alone < _block(width, depth, rom=True)[1]:
                return Shared(groups, bits, words, rest)
    return Shared()


@lru_cache(maxsize=65536)
def map_ram(width: int, depth: int) -> Mapped:
    """Return what ``qun_ram`` becomes: deep ones keep the bits beyond columns of nine in a memory of their own."""
    rest = width % BYTE
    if depth <= DEEP or width <= BYTE or not 0 < rest <= SMALL_REST:
        return map_memory(width, depth)
    parts = map_memory(width - rest, depth), map_memory(rest, depth)
    return Mapped("block", block=sum(p.block for p in parts), joined=sum(p.joined for p in parts))


def bank_parts(width: int, depth: int) -> list[tuple[int, list[int]]]:
    """Return what ``qun_banked_ram`` is made of: by part of a word its width, and the depths of its banks."""
    rest = width % BYTE if depth > DEEP and width % BYTE <= SMALL_REST else 0
    parts = []
    for part in (width - rest, rest):
        if part:
            bank = DEEP * (_BYTE_ADDRESSES // _TRUE_DUAL_PORT[_NARROW[part]] if part == rest and rest else 1)
            parts.append((part, [max(2, min(bank, depth - start)) for start in range(0, depth, bank)]))
    return parts


@lru_cache(maxsize=65536)
def map_banked_ram(width: int, depth: int) -> Mapped:
    """Return what ``qun_banked_ram`` becomes; its output bits are the registers behind banks in LUTs too."""
    block = distributed = register_bits = output_bits = joined = registers = 0
    for part, banks in bank_parts(width, depth):
        for words in banks:
            bank = map_ram(part, words)
            block += bank.block
            distributed += bank.distributed
            register_bits += bank.register_bits
            output_bits += bank.output_bits
            joined += bank.joined
            registers += 0 if bank.block else part  # a block RAM has them
        joined += (len(banks) - 1) * part
    kind: Literal["block", "distributed"] = "block" if block else "distributed"
    return Mapped(kind, block, distributed, 0, register_bits, output_bits + registers, joined)


@lru_cache(maxsize=65536)
def map_memory(width: int, depth: int, *, rom: bool = False, asynchronous: bool = False) -> Mapped:
    """Return what a memory with one read port, and one write port unless it is a table, becomes.

    Args:
        width: Bits of a word.
        depth: Words.
        rom: A table of constants.
        asynchronous: The read has no register.
    """
    output_bits = 0 if asynchronous else width
    if not asynchronous and prefers_luts(width, depth, rom=rom):
        if rom:
            return Mapped("logic", table_bits=width * depth, output_bits=output_bits)
        slices, cells = _slices(width, depth)
        return Mapped("distributed", distributed=cells, output_bits=output_bits, joined=(slices - 1) * width)
    if depth == 1:
        return Mapped("logic", register_bits=0 if rom else width)
    price = width * depth // (_TABLE_BITS_A_POINT if rom else 1)
    best = Mapped("logic", table_bits=width * depth, output_bits=output_bits)
    if not rom:
        best = Mapped("logic", register_bits=width * depth, output_bits=output_bits)
        slices, cells = _slices(width, depth)
        cost = cells * _DISTRIBUTED_PRICE + _joining(slices, width, rom=rom) + _READ_PORT_PRICE
        if cost < price:
            price = int(cost)
            best = Mapped("distributed", distributed=cells, output_bits=output_bits, joined=(slices - 1) * width)
    if not asynchronous:
        cost, blocks, joined = _block(width, depth, rom=rom)
        shared = shared_columns(width, depth) if rom else Shared()
        if shared.groups:
            rest, beside = _block(shared.rest, depth, rom=True)[1:] if shared.rest else (0, 0)
            best = Mapped("block", block=2 * shared.groups + rest, joined=shared.groups * shared.bits + beside)
        elif cost < price:
            best = Mapped("block", block=blocks, joined=joined)
    return best


def prefers_luts(width: int, depth: int, *, rom: bool = False) -> bool:
    """Return whether ``qun_ram`` or ``qun_rom`` asks for LUTs in place of block RAM."""
    blocks = -(-width // BLOCK_WIDTH)
    if rom:
        return depth > 1 and width * depth <= TABLE_BITS_A_BLOCK * blocks
    slices, cells = _slices(width, depth)
    luts = DISTRIBUTED_LUTS * cells + (slices - 1) * width
    return depth > DISTRIBUTED_DEPTH and luts <= BLOCK_LUTS * blocks


def _slices(width: int, depth: int) -> tuple[int, int]:
    """Return how many distributed RAMs stand behind each other, and how many there are."""
    slices = -(-depth // DISTRIBUTED_DEPTH)
    return slices, slices * -(-width // DISTRIBUTED_WIDTH)


def _joining(slices: int, width: int, *, rom: bool) -> float:
    """Return the price of the multiplexer, and of the write enables, of memories that stand behind each other."""
    return ((slices - 1) * width + (slices if slices > 1 and not rom else 0)) / 2


def _block(width: int, depth: int, *, rom: bool) -> tuple[float, int, int]:
    """Return price, block RAMs and bits of the joining multiplexer of the cheapest shape."""
    best: tuple[float, int, int] | None = None
    for shapes in (_TRUE_DUAL_PORT, _PSEUDO_DUAL_PORT):
        of_kind: tuple[float, int, int] | None = None
        for unit, divisor in shapes.items():
            if shapes is _PSEUDO_DUAL_PORT and not rom and unit < BYTE:
                continue  # its write port is 36 bits wide, and enables bytes
            slices = -(-depth // (_BLOCK_BITS // divisor))
            byte = 1 if rom else min(unit, BYTE)
            blocks = -(-slices * (-(-width // byte) * byte) // unit)
            cost = blocks * _BLOCK_PRICE + _joining(slices, width, rom=rom) + _READ_PORT_PRICE
            if of_kind is None or cost < int(of_kind[0]):
                of_kind = (cost, blocks, (slices - 1) * width)
        assert of_kind is not None
        if best is None or of_kind[0] < best[0]:
            best = of_kind
    assert best is not None
    return best
