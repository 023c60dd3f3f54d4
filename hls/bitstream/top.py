"""The top module around a network, with its pins: whoever makes one hands over a :class:`Top`.

:func:`measurement_top` is the one for measuring: clock, reset and the network's streams on pins. A top for a board,
with a clock generator and a serial port, is another function that returns a :class:`Top`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from quantunet.constraints.board import Board
from quantunet.errors import BoardError, StorageError
from quantunet.hls.generate.rtl_project import (
    RtlProject,
    input_ports,
    library_sources,
    outer_connections,
    output_ports,
    update,
)
from quantunet.hls.templates.environment import template_environment

MEASUREMENT = "qun_chip"
"""The module of :func:`measurement_top`."""

PORTS = ("clk", "rst_n")
"""Ports of the measurement top that a board has pins for."""

_COMMENT = re.compile(r"(#|//)[^\n]*")
_OF_PORT = re.compile(r'(LOCATE\s+COMP|IOBUF\s+PORT)\s+"(?P<port>[^"]+)"')
_PLACED = re.compile(r"LOCATE\s")


@dataclass(frozen=True)
class Top:
    """What stands around a network in a device.

    Attributes:
        name: The top module.
        sources: Its SystemVerilog files beside those of the network, each after those that it needs; the last is the
            top's own. What the network's project has already may be among them.
        constraints: Pins, and clocks that have another frequency than the one that is asked for.
        network: Path of the network's instance under the top, for example ``u_network``.
    """

    name: str
    sources: tuple[Path, ...]
    constraints: Path
    network: str


def measurement_top(project: RtlProject, board: Board) -> Top:
    """Write the top that measures a network: its streams on pins that place and route chooses.

    Args:
        project: The network's project; the files are added to its folder.
        board: Whose clock and reset pins are taken.

    Raises:
        BoardError: The board's constraints do not say where clock and reset are.
        StorageError: A file cannot be read or written.
    """
    inputs, outputs = input_ports(project.design), output_ports(project.design)
    text = (
        template_environment()
        .get_template("measurement_top.sv.j2")
        .render(
            name=MEASUREMENT,
            network=project.top,
            ports=outer_connections(project.design),
            inputs=inputs,
            outputs=outputs,
        )
    )
    sources = []
    for path in library_sources({"qun_register_slice"}):
        sources.append(project.folder / "rtl" / path.name)
        update(sources[-1], path.read_bytes())
    sources.append(project.folder / "rtl" / f"{MEASUREMENT}.sv")
    update(sources[-1], text.encode())
    constraints = project.folder / f"{MEASUREMENT}.lpf"
    update(constraints, pins(board, PORTS).encode())
    return Top(MEASUREMENT, tuple(sources), constraints, "u_network")


def pins(board: Board, ports: Collection[str]) -> str:
    """Return what a board's LPF says of some ports, without the frequencies of its clocks.

    Args:
        board: A board with a Lattice ECP5.
        ports: The ports.

    Raises:
        BoardError: The board has no pin for one of them.
        StorageError: Its file cannot be read.
    """
    try:
        text = board.constraints.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(
            str(board.constraints), expected="a readable file", got=error.strerror or str(error)
        ) from error
    kept, placed = [], set()
    for statement in (part.strip() for part in _COMMENT.sub("", text).split(";")):
        match = _OF_PORT.match(statement)
        if match and match["port"] in ports:
            placed |= {match["port"]} if _PLACED.match(statement) else set()
        elif not statement.startswith("BLOCK"):
            continue
        kept.append(f"{statement};\n")
    missing = sorted(set(ports) - placed)
    if missing:
        raise BoardError(
            str(board.constraints),
            expected=f"a pin for {' and '.join(missing)}",
            got="none",
            hint='Add LOCATE COMP "clk" SITE "…"; for each.',
        )
    return "".join(kept)
