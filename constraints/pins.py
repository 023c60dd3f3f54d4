"""The ports that a board's pin file places, and the part of the file that a design with some of them needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from fractions import Fraction

from quantunet.constraints.board import Board
from quantunet.errors import BoardError

_PLACES = {
    ".lpf": r'^LOCATE COMP "(?P<port>[^"]+)" SITE "(?P<pin>\w+)";',
    ".pdc": r"^ldc_set_location -site \{(?P<pin>\w+)\} \[get_ports \{(?P<port>[^}]+)\}\]",
    ".xdc": r"^set_property -dict \{ PACKAGE_PIN (?P<pin>\w+) IOSTANDARD \w+ \} \[get_ports \{ (?P<port>\S+) \}\]",
}
_OF_PORT = re.compile(r'^(?:LOCATE COMP|IOBUF PORT|FREQUENCY PORT) "(?P<port>[^"]+)"')
_PDC_PORT = re.compile(r"\[get_ports \{(?P<port>[^}]+)\}\]$")
_PIN = 'Add LOCATE COMP "clk" SITE "…"; for each.'
_LAMP = re.compile(r"led\[(\d+)\]")


def pins(board: Board) -> dict[str, str]:
    """Return the pin of every port that the board's pin file places.

    Raises:
        BoardError: The file cannot be read, is of no kind that is known, or places a port or takes a pin twice.
    """
    pattern = _PLACES.get(board.constraints.suffix)
    if pattern is None:
        raise BoardError(
            str(board.constraints),
            expected=f"a pin file that ends with {', '.join(_PLACES)}",
            got=board.constraints.name,
        )
    found = [(match["port"], match["pin"]) for match in re.finditer(pattern, _text(board), re.MULTILINE)]
    for index, what in enumerate(("port", "pin")):
        names = [entry[index] for entry in found]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise BoardError(str(board.constraints), expected=f"every {what} once", got=f"{twice[0]} twice")
    return dict(found)


def lamps(placed: Collection[str], where: str) -> int:
    """Return how many lamps ``led[0]``, ``led[1]``, ... there are.

    Args:
        placed: The ports of a board.
        where: The board, for the message.

    Raises:
        BoardError: One before the last is missing.
    """
    numbers = sorted(int(match[1]) for match in map(_LAMP.fullmatch, placed) if match)
    if numbers != list(range(len(numbers))):
        raise BoardError(where, expected="lamps led[0], led[1], ... without a gap", got=f"{numbers}")
    return len(numbers)


def lpf_for(board: Board, ports: Collection[str], clocks: Mapping[str, Fraction], *, frequencies: bool = True) -> str:
    """Return the constraints of a design: the lines of the board's ``.lpf`` for its ports, and its inner clocks.

    Args:
        board: The board.
        ports: The design's ports, vectors bit by bit as ``led[0]``.
        clocks: Frequencies of nets in MHz, by name.
        frequencies: Whether the frequencies are kept that the file gives to ports.

    Raises:
        BoardError: The board's pin file is no ``.lpf``, or does not place a port.
    """
    _check_pins(board, ports, ".lpf", _PIN)
    lines = []
    for line in _text(board).splitlines():
        match = _OF_PORT.match(line)
        if not frequencies and line.startswith("FREQUENCY "):
            continue
        if line.startswith("BLOCK ") or (match and match["port"] in ports):
            lines.append(line)
    lines += [f'FREQUENCY NET "{net}" {float(mhz):.6f} MHZ;' for net, mhz in clocks.items()]
    return "\n".join([f"# Pins of {board.title} that the design has, and its clocks; generated.", *lines, ""])


def pdc_for(board: Board, ports: Collection[str]) -> str:
    """Return the constraints of a design for a Nexus: the lines of the board's ``.pdc`` for its ports.

    Args:
        board: The board.
        ports: The design's ports, vectors bit by bit as ``led[0]``.

    Raises:
        BoardError: The board's pin file is no ``.pdc``, or does not place a port.
    """
    _check_pins(board, ports, ".pdc")
    matches = [(line, _PDC_PORT.search(line)) for line in _text(board).splitlines()]
    lines = [line for line, match in matches if match and match["port"] in ports]
    return "\n".join([f"# Pins of {board.title} that the design has, and its clock; generated.", *lines, ""])


def _check_pins(board: Board, ports: Collection[str], suffix: str, hint: str = "") -> None:
    """Refuse a pin file of another kind, and one that does not place a port."""
    if board.constraints.suffix != suffix:
        expected = f"a pin file that ends with {suffix}"
        raise BoardError(str(board.constraints), expected=expected, got=board.constraints.name)
    missing = sorted(set(ports) - set(pins(board)))
    if missing:
        raise BoardError(str(board.constraints), expected=f"a pin for {missing[0]}", got="none", hint=hint)


def _text(board: Board) -> str:
    try:
        return board.constraints.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BoardError(str(board.constraints), expected="a pin file that can be read", got=str(error)) from error
