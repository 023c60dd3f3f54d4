"""The top module around a network, with its pins: whoever makes one hands over a :class:`Top`.

:func:`serial_top` is the one to load into a board. :func:`measurement_top` is for measuring: clock, reset and the
network's streams on pins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from quantunet.constraints.board import Board
from quantunet.constraints.pins import lpf_for
from quantunet.hls.generate import board_top
from quantunet.hls.generate.rtl_project import (
    RtlProject,
    input_ports,
    library_sources,
    outer_connections,
    output_ports,
    update,
)
from quantunet.hls.templates.environment import template_environment
from quantunet.ir import Graph

MEASUREMENT = "qun_chip"
"""The module of :func:`measurement_top`."""

PORTS = ("clk", "rst_n")
"""Ports of the measurement top that a board has pins for."""

_SLICES, _RESET_REGISTERS = 2, 3
"""Register slices of a cycle each on the way through :func:`measurement_top`, and registers on that of its reset."""

NETWORK = "u_network"
"""The network's instance in both tops."""


@dataclass(frozen=True)
class Top:
    """What stands around a network in a device.

    Attributes:
        name: The top module.
        sources: Its SystemVerilog files beside those of the network, each after those that it needs; the last is the
            top's own. What the network's project has already may be among them.
        constraints: Pins, and clocks that have another frequency than the one that is asked for.
        network: Path of the network's instance under the top, for example ``u_network``.
        declarations: Files that declare cells of the device, which no source defines.
        latency: Cycles that the top adds to the way through the network; ``None`` where its ports are no streams.
        settle: Cycles that the reset takes through the top.
    """

    name: str
    sources: tuple[Path, ...]
    constraints: Path
    network: str
    declarations: tuple[Path, ...] = ()
    latency: int | None = None
    settle: int = 0


TopMaker = Callable[[RtlProject, Board], Top]
"""Writes what stands around a network into the folder of its project."""


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
    update(constraints, lpf_for(board, PORTS, {}, frequencies=False).encode())
    return Top(MEASUREMENT, tuple(sources), constraints, NETWORK, latency=_SLICES, settle=_RESET_REGISTERS + 1)


def serial_top(graph: Graph, board: Board, mhz: float, baud: int | None = None) -> TopMaker:
    """Return what writes the top of a board: clock generator, serial port and lamps (docs/serial.md).

    Args:
        graph: The network.
        board: The board.
        mhz: The network's clock, in MHz.
        baud: Bits a second on the line; the most that the board's bridge does if left out.

    Raises:
        BoardError: The board has no serial port, or its clock generator cannot make the clock.
        OptionError: The bridge does not do the baud rate.
        ModelError: The protocol cannot send the network's picture or result.
    """
    board_top.check(graph, board, Fraction(str(mhz)), baud)

    def make(project: RtlProject, board: Board) -> Top:
        made = board_top.around(graph, project, board, clock_mhz=Fraction(str(mhz)), baud=baud)
        assert made.constraints is not None  # an ECP5's pin file is an LPF, a Nexus' a PDC
        return Top(made.top, made.sources, made.constraints, NETWORK, made.declarations)

    return make
