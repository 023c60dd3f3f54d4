"""A pass over whole memories: columns of a table of constants share block RAMs.

A block RAM has two ports. A table of 576 words takes a block RAM of 1024 words for each 18 bits, and reads one port of
it. Here three such columns take two: each of the two holds a column of its own, which one port reads, and behind it
part of the third column, which the other port reads. An address bit says in which of the two a word of the third one
stands. With ``half`` for half the words of a block RAM, words 0 to half/2 - 1 stand in the last quarter of the first
block RAM, words half/2 to half - 1 in that of the second, and those from half on in the first, in the eighth before.
:func:`~quantunet.hls.resources.memory_map.shared_columns` is the rule that says of which tables this is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pyosys import libyosys

from quantunet.hls.resources.memory_map import COLUMNS, shared_columns
from quantunet.hls.synth.families import SHARED
from quantunet.hls.synth.passes.cells import HIGH, LOW, bits, connect, connect_word, constant, identifier

Bools = npt.NDArray[np.bool_]

_MEMORY = "$mem_v2"
_STYLE = "rom_style"


def share_columns(module: Any) -> int:  # noqa: ANN401 pyosys has no types
    """Let columns of tables share block RAMs.

    Args:
        module: A flat module whose memories are whole.

    Returns:
        How many groups of columns share two block RAMs each.
    """
    tables = [cell for cell in module.selected_cells() if _is_table(cell)]
    return sum(_Table(module, cell).split() for cell in tables)


def _is_table(cell: Any) -> bool:  # noqa: ANN401
    """Tell whether a cell is a memory with one read port that has a clock, which nothing writes or resets."""
    if cell.type.str() != _MEMORY:
        return False
    ports = tuple(_number(cell, name) for name in ("RD_PORTS", "WR_PORTS", "RD_CLK_ENABLE", "RD_CLK_POLARITY"))
    if ports != (1, 0, 1, 1) or any(constant(net) != 0 for net in (*bits(cell, "RD_ARST"), *bits(cell, "RD_SRST"))):
        return False
    style = identifier(_STYLE)
    in_luts = cell.has_attribute(style) and cell.get_string_attribute(style) == "logic"
    return not in_luts and bool(cell.getParam(identifier("RD_INIT_VALUE")).is_fully_undef())


def _number(cell: Any, parameter: str) -> int:  # noqa: ANN401
    return int(cell.getParam(identifier(parameter)).as_int())


class _Table:
    """A table, and what is made of it."""

    def __init__(self, module: Any, cell: Any) -> None:  # noqa: ANN401
        self._module = module
        self._cell = cell
        self._made = 0
        self._data = bits(cell, "RD_DATA")
        self._address = bits(cell, "RD_ADDR")
        self._shared = shared_columns(len(self._data), _number(cell, "SIZE"))

    def split(self) -> int:
        """Replace the table if its columns share block RAMs; return how many groups do."""
        shared, data = self._shared, self._data
        if not shared.groups:
            return 0
        digits = self._cell.getParam(identifier("INIT")).as_string()[::-1]
        words = (np.frombuffer(digits.encode(), np.uint8) == ord("1")).reshape(-1, len(data))
        top = shared.words.bit_length() - 2
        address = [*self._address, *[LOW] * (top + 1 - len(self._address))]
        beside = [*address[: top - 2], self._gate("$or", address[top], address[top - 2])]
        beside += [self._gate("$not", address[top]), HIGH]
        second = self._later(address[top - 1])
        end = len(data) - shared.rest
        for begin in range(0, end, COLUMNS * shared.bits):
            edges = [min(begin + column * shared.bits, end) for column in range(COLUMNS + 1)]
            own = [slice(*edge) for edge in zip(edges, edges[1:], strict=False)]
            halves = []
            for part, (column, stored) in enumerate(zip(own, self._stored(words, own), strict=False)):
                read = self._nets(edges[3] - edges[2])
                self._memory(stored, [(address, data[column]), (beside, read)], f"{begin}.{part}")
                halves.append(read)
            for first, last, net in zip(*halves, data[own[2]], strict=True):
                self._gate("$mux", first, last, into=net, S=second)
        if shared.rest:
            self._memory(words[:, end:], [(self._address, data[end:])], f"{end}")
        self._module.remove(self._cell)
        return shared.groups

    def _stored(self, words: Bools, own: Sequence[slice]) -> list[Bools]:
        """Return what the two block RAMs of a group hold; ``own`` are its columns."""
        half = self._shared.words // 2
        held = []
        for part in (0, 1):
            rows = np.zeros((self._shared.words, self._shared.bits), bool)
            column, third = words[:, own[part]], words[:, own[2]]
            rows[: len(words), : column.shape[1]] = column
            rows[half + half // 2 :, : third.shape[1]] = third[part * half // 2 :][: half // 2]
            if part == 0:
                rows[half + half // 4 :][: len(words) - half, : third.shape[1]] = third[half:]
            held.append(rows)
        return held

    def _memory(self, rows: Bools, ports: Sequence[tuple[list[Any], list[Any]]], name: str) -> None:
        """Add a memory with read ports: what is at their addresses and at their data."""
        depth, width = rows.shape
        cell = self._module.addCell(self._name(), self._cell)
        count, abits = len(ports), len(ports[0][0])
        memory = str(self._cell.getParam(identifier("MEMID")).decode_string())
        cell.set_string_attribute(identifier(_STYLE), "block")
        cell.setParam(identifier("MEMID"), libyosys.Const(f"{memory}{SHARED}{name}"))
        digits = (rows.reshape(-1)[::-1].astype(np.uint8) + ord("0")).tobytes().decode()
        cell.setParam(identifier("INIT"), libyosys.Const.from_string(digits))
        for parameter, value in (("SIZE", depth), ("WIDTH", width), ("ABITS", abits), ("RD_PORTS", count)):
            cell.setParam(identifier(parameter), libyosys.Const(value, 32))
        for parameter, size in (("CLK_ENABLE", count), ("CLK_POLARITY", count)):
            cell.setParam(identifier(f"RD_{parameter}"), libyosys.Const(libyosys.State.S1, size))
        for parameter in ("WIDE_CONTINUATION", "CE_OVER_SRST"):
            cell.setParam(identifier(f"RD_{parameter}"), libyosys.Const(libyosys.State.S0, count))
        for parameter in ("ARST_VALUE", "SRST_VALUE", "INIT_VALUE"):
            cell.setParam(identifier(f"RD_{parameter}"), libyosys.Const(libyosys.State.Sx, count * width))
        for port in ("RD_CLK", "RD_EN", "RD_ARST", "RD_SRST"):
            connect_word(cell, port, bits(self._cell, port) * count)
        connect_word(cell, "RD_ADDR", [net for address, _ in ports for net in address])
        connect_word(cell, "RD_DATA", [net for _, data in ports for net in (*data, *self._nets(width - len(data)))])

    def _gate(self, kind: str, *nets: Any, into: Any = None, **more: Any) -> Any:  # noqa: ANN401
        """Add a gate of one bit and return what it gives."""
        cell = self._module.addCell(self._name(), identifier(kind))
        (out,) = self._nets(1) if into is None else (into,)
        for port, net in (*zip("AB", nets, strict=False), *more.items(), ("Y", out)):
            connect(cell, port, net)
        if kind != "$mux":
            for port in "AB"[: len(nets)]:
                cell.setParam(identifier(f"{port}_SIGNED"), libyosys.Const(0, 32))
                cell.setParam(identifier(f"{port}_WIDTH"), libyosys.Const(1, 32))
            cell.setParam(identifier("Y_WIDTH"), libyosys.Const(1, 32))
        else:
            cell.setParam(identifier("WIDTH"), libyosys.Const(1, 32))
        return out

    def _later(self, net: Any) -> Any:  # noqa: ANN401
        """Return a net as it was when the table was read last."""
        (out,) = self._nets(1)
        clock, enable = bits(self._cell, "RD_CLK")[0], bits(self._cell, "RD_EN")[0]
        words = (libyosys.SigSpec(one, 1) for one in (clock, enable, net, out))
        self._module.addDffe(self._name(), *words)
        return out

    def _nets(self, count: int) -> list[Any]:
        """Return new nets."""
        if not count:
            return []
        return list(libyosys.SigSpec(self._module.addWire(self._name(), count)).to_sigbit_vector())

    def _name(self) -> Any:  # noqa: ANN401
        self._made += 1
        return identifier(f"$shared_tables${self._cell.name.str()}${self._made}")
