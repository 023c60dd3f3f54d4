"""Boards: the device, clock, pins and resource budget of each, read from ``<board>/board.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from quantunet.documents import Fields, read_toml, shown
from quantunet.errors import BoardError, FileFormatError, StorageError
from quantunet.suggestions import hinted

BOARDS_FOLDER = Path(__file__).parent
"""Where the folders of the boards stand."""

DEFAULT_BOARD = "ulx3s_85f"
"""The board that commands take unless they are told another."""

FAMILIES = ("ecp5", "nexus", "xc7", "gw2a", "gw5a")
"""Device families that can be synthesised for."""

RESOURCES = ("lut", "ff", "dsp", "bram")
"""Resources that a budget names, in the order of the reports."""

BRAM_SHARE = Fraction(95, 100)
"""What a folding may take of a device's block RAMs: with all of them the placer has no choice, and wires are long."""

SUFFIX = ".toml"
"""How the name of a board's file ends."""

_MHZ = (0.001, 1e6)
_MOST = 1_000_000_000


@dataclass(frozen=True)
class Resource:
    """How many of one primitive a device has.

    Attributes:
        count: The number on the device.
        primitive: The primitive that is counted; other sizes are converted to it.
        kbit: Capacity of one primitive in 1024 bits; 0 where it is no memory.
    """

    count: int
    primitive: str
    kbit: int = 0


@dataclass(frozen=True)
class Budget:
    """The resources of a device."""

    lut: Resource
    ff: Resource
    dsp: Resource
    bram: Resource

    @property
    def limits(self) -> dict[str, int]:
        """What a folding that is chosen for the device may take of each resource: all of it, but of block RAM a share.

        A design that takes more than that share can still be placed: :data:`BRAM_SHARE`.
        """
        counts = {name: int(getattr(self, name).count) for name in RESOURCES}
        return {**counts, "bram": int(BRAM_SHARE * counts["bram"])}


@dataclass(frozen=True)
class SerialBridge:
    """The chip between a board's serial port and the host.

    Attributes:
        name: What it is.
        baud: The most bits a second that it does.
    """

    name: str
    baud: int


@dataclass(frozen=True)
class Power:
    """What somebody has measured of a board's power.

    Attributes:
        idle_mw: Power of the whole board in mW, in reset.
        toggle_pj: Least and most energy of a register that toggles, in pJ.
        source: Who has measured it, and where it stands.
    """

    idle_mw: float
    toggle_pj: tuple[float, float]
    source: str


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        name: The folder's name.
        title: The board's name as its maker writes it.
        family: Device family, one of :data:`FAMILIES`.
        device: Device.
        package: Package.
        part: Ordering code: device, speed grade and package, as the maker's tools take it.
        clk_mhz: Frequency of the oscillator at the port ``clk``.
        constraints: The pin and clock file (``.lpf``, ``.pdc`` or ``.xdc``).
        budget: What the device has.
        serial: The bridge behind the ports ``uart_rx`` and ``uart_tx``; ``None`` where the board has none.
        power: What has been measured of its power; ``None`` where nothing is known.
    """

    name: str
    title: str
    family: str
    device: str
    package: str
    part: str
    clk_mhz: float
    constraints: Path
    budget: Budget
    serial: SerialBridge | None = None
    power: Power | None = None


def board_names(folder: Path = BOARDS_FOLDER) -> tuple[str, ...]:
    """Return the names of the boards in a folder, sorted."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/board.toml")))


def load_board(name: str, folder: Path = BOARDS_FOLDER) -> Board:
    """Read a board.

    Args:
        name: The board's folder, for example ``ulx3s_85f``, or the path of a board's file of your own, which ends with
            ``.toml``; the pin file that it names stands beside it.
        folder: Where the boards stand.

    Raises:
        BoardError: There is no such board, or its file lacks a value or holds a wrong one.
    """
    if name.endswith(SUFFIX):
        return read_board(Path(name))
    if name not in board_names(folder):
        raise BoardError(
            name,
            expected="the name of a board, or of a board's file that ends with .toml",
            got=f"'{name}'",
            hint=hinted(name, board_names(folder), f"The boards are: {', '.join(board_names(folder))}."),
        )
    return read_board(folder / name / "board.toml")


def read_board(path: Path) -> Board:
    """Read a board's file; the board is called as the file, or, if that is ``board.toml``, as its folder.

    Raises:
        BoardError: The file cannot be read, lacks a value or holds a wrong one.
    """
    name = path.resolve().parent.name if path.name == "board.toml" else path.name.removesuffix(SUFFIX)
    try:
        document = read_toml(path, "a board, a TOML file that can be read")
    except (FileFormatError, StorageError) as error:
        raise BoardError(error.where, expected=error.expected, got=error.got, hint=error.hint) from error
    fields = Fields(document, str(path), error=BoardError)
    family = fields.choice("family", FAMILIES)
    file = fields.text("constraints")
    if file not in {entry.name for entry in path.parent.iterdir() if entry.is_file()}:
        fields.fail("constraints", f"the name of a file in {path.parent}", shown(file))
    constraints = path.parent / file
    budget = read_budget(fields)
    serial = fields.table("serial") if "serial" in fields else None
    board = Board(
        name=name,
        title=fields.text("title"),
        family=family,
        device=fields.text("device"),
        package=fields.text("package"),
        part=fields.text("part"),
        clk_mhz=fields.number("clk_mhz", *_MHZ),
        constraints=constraints,
        budget=budget,
        serial=None if serial is None else SerialBridge(serial.text("bridge"), serial.whole("baud", 1, _MOST)),
        power=_power(fields) if "power" in fields else None,
    )
    if serial is not None:
        serial.finish()
    fields.finish()
    return board


def _power(fields: Fields) -> Power:
    table = fields.table("power")
    idle = table.number("idle_mw", 0, _MOST)
    least = table.number("least_toggle_pj", 0, _MOST)
    power = Power(idle, (least, table.number("most_toggle_pj", least, _MOST)), table.text("source"))
    table.finish()
    return power


def read_budget(fields: Fields) -> Budget:
    """Read what a device has from the table ``budget`` of its file.

    Raises:
        BoardError: It lacks a value or holds a wrong one.
    """
    table = fields.table("budget")
    budget = Budget(**{resource: _resource(table, resource) for resource in RESOURCES})
    table.finish()
    return budget


def _resource(budget: Fields, name: str) -> Resource:
    entry = budget.table(name)
    kbit = entry.whole("kbit", 1, _MOST) if name == "bram" else 0
    resource = Resource(entry.whole("count", 1, _MOST), entry.text("primitive"), kbit)
    entry.finish()
    return resource
