"""The top of a board: clock generator, reset, serial port and lamps around a network, and the constraints of its pins.

What a program that makes a bitstream needs stands in :class:`BoardProject`: the name of the top, the SystemVerilog
files, the memory files, the constraints.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from quantunet.constraints.board import Board
from quantunet.constraints.pins import lamps, lpf_for, pdc_for, pins
from quantunet.errors import BoardError, ModelError, OptionError
from quantunet.hls.design import Fold
from quantunet.hls.generate import rtl_project
from quantunet.hls.generate.ecp5_pll import Pll, pll
from quantunet.hls.generate.rtl_project import RTL_FOLDER, Port, RtlProject
from quantunet.hls.templates.environment import template_environment
from quantunet.ir import Graph
from quantunet.serial_payload import mask_rule, network_digest, picture_bytes

BLOCK_BYTES = 1000
"""Bytes of a block: two of them, a number and a check are in one block RAM of 2,048 words of 9 bits."""

SILENCE_SECONDS = Fraction(1, 4)
"""After so long without a byte the board gives up what the host has begun."""

BIT_CYCLES = 16
"""Fewest cycles of the clock that a bit on the line lasts."""

CLOCK_NET = "core_clk"

_SERIAL = "qun_serial_device"
_RESET = "qun_reset_sync"
_MOST_BLOCKS = 256
_LAMPS = 4
_PLL_FAMILY = "ecp5"
_TEMPLATES = template_environment()


@dataclass(frozen=True)
class BoardProject:
    """The top of a board on disk, with everything that a tool needs to make a bitstream of it.

    Attributes:
        network: The network's design; its folder is where tools run, so that they find the memory files by name.
        board: The board.
        top: Name of the top module; its ports are ``clk``, ``rst_n``, ``uart_rx``, ``uart_tx`` and ``led``.
        sources: SystemVerilog files, each after the files it needs; the last is the top. They instantiate the device's
            clock generator, if it is used, and do not define it.
        declarations: Files that declare it, as a black box, for a synthesis: read them before the sources. A simulation
            takes a model instead, of the same name in ``rtl_sim/hdl``.
        constraints: Pins of the top's ports and its clocks: ``.lpf`` for an ECP5, ``.pdc`` for a Nexus; ``None`` for
            another family, whose board file holds them.
        clock_mhz: The network's clock, exactly.
        baud: Bits a second on the line.
    """

    network: RtlProject
    board: Board
    top: str
    sources: tuple[Path, ...]
    declarations: tuple[Path, ...]
    constraints: Path | None
    clock_mhz: Fraction
    baud: int

    @property
    def memories(self) -> tuple[Path, ...]:
        """The memory files."""
        return self.network.memories


@dataclass(frozen=True)
class _Plan:
    """What is decided before anything is written."""

    pll: Pll | None
    mhz: Fraction
    period: Fraction  # cycles of a bit
    baud: int
    lamps: int


def write(
    graph: Graph,
    folding: Mapping[str, Fold],
    board: Board,
    folder: Path,
    *,
    clock_mhz: Fraction,
    baud: int | None = None,
    rtl_folder: Path = RTL_FOLDER,
) -> BoardProject:
    """Write the top of a board for a network, the network's own project, and the constraints.

    Args:
        graph: The network.
        folding: The fold of every layer.
        board: The board; its oscillator is the clock, or an ECP5's clock generator makes the clock of it.
        folder: Where to; made if missing.
        clock_mhz: The network's clock, in MHz.
        baud: Bits a second on the line; the most that the board's bridge does if left out.
        rtl_folder: The SystemVerilog library.

    Raises:
        BoardError: The board has no serial port, too few lamps, or no clock generator that is known; the clock cannot
            be made; or it is too slow for the baud rate.
        OptionError: The baud rate is no number greater than 0, or more than the bridge does.
        ModelError: The picture is larger than the protocol can send, or the mask does not depend on the output.
        FoldingError: The folding does not fit the graph.
        StorageError: A file cannot be written.
    """
    check(graph, board, clock_mhz, baud)
    network = rtl_project.write(graph, folding, folder, rtl_folder=rtl_folder)
    return around(graph, network, board, clock_mhz=clock_mhz, baud=baud, rtl_folder=rtl_folder)


def around(
    graph: Graph,
    network: RtlProject,
    board: Board,
    *,
    clock_mhz: Fraction,
    baud: int | None = None,
    rtl_folder: Path = RTL_FOLDER,
) -> BoardProject:
    """Write the top of a board into the folder of a network's project that is there: see :func:`write`."""
    plan = _plan(board, clock_mhz, baud)
    _check_size(graph)
    folder = network.folder
    top = f"{network.top}_{board.name}"
    library = rtl_project.library_sources({_SERIAL, _RESET}, rtl_folder)
    added = [folder / "rtl" / path.name for path in library]
    for target, path in zip(added, library, strict=True):
        rtl_project.update(target, path.read_bytes())
    text = _top_module(graph, network, board, top, plan)
    top_file = folder / "rtl" / f"{top}.sv"
    rtl_project.update(top_file, text.encode())
    declarations = (folder / "rtl" / "EHXPLLL.sv",) if plan.pll else ()
    for declaration in declarations:
        rtl_project.update(declaration, _TEMPLATES.get_template("ehxplll.sv.j2").render().encode())
    constraints = None
    ports = ["clk", "rst_n", "uart_rx", "uart_tx", *(f"led[{index}]" for index in range(plan.lamps))]
    if board.constraints.suffix in (".lpf", ".pdc"):
        constraints = folder / f"{top}{board.constraints.suffix}"
        clocks = {CLOCK_NET: plan.mhz} if plan.pll else {}
        pins_of_top = lpf_for(board, ports, clocks) if constraints.suffix == ".lpf" else pdc_for(board, ports)
        rtl_project.update(constraints, pins_of_top.encode())
    return BoardProject(
        network=network,
        board=board,
        top=top,
        sources=tuple(dict.fromkeys([*added, *network.sources, top_file])),
        declarations=declarations,
        constraints=constraints,
        clock_mhz=plan.mhz,
        baud=plan.baud,
    )


def check(graph: Graph, board: Board, clock_mhz: Fraction, baud: int | None = None) -> None:
    """Refuse what has no top, before anything is written: see :func:`write`."""
    _plan(board, clock_mhz, baud)
    _check_size(graph)


def _plan(board: Board, clock_mhz: Fraction, baud: int | None) -> _Plan:
    placed = pins(board)
    missing = [port for port in ("clk", "rst_n", "uart_rx", "uart_tx") if port not in placed]
    if board.serial is None or missing:
        raise BoardError(
            board.name,
            expected="a board with a serial port: pins for clk, rst_n, uart_rx and uart_tx, and [serial] in its file",
            got=f"no pin for {missing[0]}" if missing else "no [serial]",
        )
    count = lamps(placed, board.name)
    if count < _LAMPS:
        raise BoardError(board.name, expected=f"{_LAMPS} lamps, led[0] to led[{_LAMPS - 1}]", got=str(count))
    oscillator = Fraction(str(board.clk_mhz))
    found = None
    if clock_mhz != oscillator:
        if board.family != _PLL_FAMILY:
            raise BoardError(
                board.name,
                expected=f"the oscillator's clock, {board.clk_mhz:g} MHz, or an ECP5, whose clock generator is known",
                got=f"{float(clock_mhz):g} MHz on {board.device}",
            )
        found = pll(oscillator, clock_mhz, board.name)
    mhz = found.mhz if found else oscillator
    rate = board.serial.baud if baud is None else baud
    if not 1 <= rate <= board.serial.baud:
        raise OptionError("baud", expected=f"1 to {board.serial.baud}, which {board.serial.name} does", got=str(rate))
    period = mhz * 1_000_000 / rate
    if period < BIT_CYCLES:
        least = float(Fraction(BIT_CYCLES * rate, 1_000_000))
        raise BoardError(
            board.name,
            expected=f"a clock of {BIT_CYCLES} cycles a bit or more: {least:g} MHz for {rate} baud",
            got=f"{float(mhz):g} MHz",
            hint="Take a faster clock or a lower baud rate.",
        )
    return _Plan(found, mhz, period, rate, count)


def _check_size(graph: Graph) -> None:
    if picture_bytes(graph) > _MOST_BLOCKS * BLOCK_BYTES:
        raise ModelError(
            graph.name,
            expected=f"a picture of at most {_MOST_BLOCKS * BLOCK_BYTES} bytes",
            got=f"{picture_bytes(graph)}",
        )
    if len(graph.inputs) != 1:
        raise ModelError(graph.name, expected="one input", got=", ".join(graph.inputs))


def _top_module(graph: Graph, network: RtlProject, board: Board, top: str, plan: _Plan) -> str:
    (source,) = rtl_project.input_ports(network.design)
    (target,) = rtl_project.output_ports(network.design)
    return _TEMPLATES.get_template("board.sv.j2").render(
        top=top,
        board=board,
        network=network.top,
        mhz=f"{float(plan.mhz):g}",
        baud=plan.baud,
        silence_cycles=math.ceil(SILENCE_SECONDS * plan.mhz * 1_000_000),
        lamps=plan.lamps,
        pll=plan.pll,
        source=source,
        target=target,
        parameters=_parameters(graph, source, target, plan),
    )


def _parameters(graph: Graph, source: Port, target: Port, plan: _Plan) -> list[tuple[str, str]]:
    rule = mask_rule(graph)
    digest = int.from_bytes(network_digest(graph), "little")
    kind = target.stream.qtype
    found = [
        ("PeriodCycles", str(plan.period.numerator)),
        ("PeriodBits", str(plan.period.denominator)),
        ("Digest", f"64'h{digest:016x}"),
        ("BlockBytes", str(BLOCK_BYTES)),
        ("InBeats", str(source.stream.beats)),
        ("InLanes", str(source.stream.lanes)),
        ("InBits", str(source.stream.qtype.bits)),
        ("OutBeats", str(target.stream.beats)),
        ("OutLanes", str(target.stream.lanes)),
        ("OutBits", str(kind.bits)),
        ("OutSigned", f"1'b{int(kind.signed)}"),
        ("Mask", f"1'b{int(rule is not None)}"),
    ]
    if rule is not None:
        sign = "-" if rule.least < 0 else ""
        found += [("Least", f"{sign}64'sd{abs(rule.least)}"), ("Below", f"1'b{int(rule.below)}")]
    return found
