"""Devices that a network may go into: those of the boards, and those of ``devices.toml`` beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from quantunet.constraints.board import FAMILIES, Budget, board_names, load_board, read_budget
from quantunet.documents import Fields, read_toml
from quantunet.errors import BoardError

DEVICES_FILE = Path(__file__).with_name("devices.toml")
"""Devices without a board."""

ESTIMATED_FAMILY = "ecp5"
"""The device family that the estimates of foldings are of."""


@dataclass(frozen=True)
class Device:
    """A device.

    Attributes:
        name: As its maker calls it, without speed grade and package.
        family: Device family, as a board names it.
        budget: What it has.
        boards: The boards that have it; none for one of :data:`DEVICES_FILE`.
    """

    name: str
    family: str
    budget: Budget
    boards: tuple[str, ...] = ()

    def lacks(self, amounts: Mapping[str, int]) -> dict[str, int]:
        """Return how much more of a resource is needed than a design may take; empty where it fits."""
        return {
            name: amounts[name] - most for name, most in self.budget.limits.items() if amounts.get(name, 0) > most
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.boards)})" if self.boards else self.name


@lru_cache(maxsize=1)
def devices() -> tuple[Device, ...]:
    """Return the devices, family by family, the smallest of each first.

    Raises:
        BoardError: A file lacks a value or holds a wrong one.
    """
    fields = Fields(
        read_toml(DEVICES_FILE, "devices, a TOML file that can be read"), str(DEVICES_FILE), error=BoardError
    )
    found: dict[str, Device] = {}
    for name in fields:
        entry = fields.table(name)
        found[name] = Device(name, entry.choice("family", FAMILIES), read_budget(entry))
        entry.finish()
    for board in map(load_board, board_names()):
        known = found.get(board.device)
        boards = (*known.boards, board.name) if known else (board.name,)
        found[board.device] = Device(board.device, board.family, board.budget, boards)
    return tuple(sorted(found.values(), key=lambda device: (FAMILIES.index(device.family), device.budget.lut.count)))


def of_family(family: str) -> tuple[Device, ...]:
    """Return the devices of a family, the smallest first."""
    return tuple(device for device in devices() if device.family == family)


def smallest(amounts: Mapping[str, int], family: str) -> Device | None:
    """Return the smallest device of a family into which something fits; ``None`` where it fits none.

    Args:
        amounts: What it takes of ``lut``, ``ff``, ``dsp`` and ``bram``.
        family: Device family.
    """
    return next((device for device in of_family(family) if not device.lacks(amounts)), None)
