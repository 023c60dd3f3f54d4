"""Simulations of the modules of a board's serial side, each alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.benches.clocked import PARAMETERS_FILE
from helpers.rtl import Design

from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_sources


@dataclass(frozen=True)
class Part:
    """A module with parameters.

    Attributes:
        module: The module.
        scenarios: The cocotb module of its bench.
        parameters: Of the module.
    """

    module: str
    scenarios: str
    parameters: Mapping[str, int]

    def design(self, work: Path, rtl_folder: Path = RTL_FOLDER) -> Design:
        """Return the module, and write what its bench has to know of it into the bench's working folder."""
        work.mkdir(parents=True, exist_ok=True)
        (work / PARAMETERS_FILE).write_text(json.dumps(dict(self.parameters)), encoding="utf-8")
        narrow = {name: value for name, value in self.parameters.items() if value < 1 << 31}
        # Verilator takes a plain number for one of 32 bits.
        wide = tuple(f"-G{name}=64'h{value:x}" for name, value in self.parameters.items() if name not in narrow)
        return Design(library_sources({self.module}, rtl_folder), self.module, narrow, wide)


def _parts(module: str, *parameters: Mapping[str, int], bench: str = "") -> dict[str, Part]:
    scenarios = f"helpers.benches.tb_{bench or module.removeprefix('qun_')}"
    return {
        " ".join([module.removeprefix("qun_"), *map(str, each.values())]): Part(module, scenarios, each)
        for each in parameters
    }


_LINES = tuple({"PeriodCycles": cycles, "PeriodBits": bits} for cycles, bits in ((20, 1), (125, 6), (33, 2), (16, 1)))
_PICTURES = tuple({"PictureBytes": size, "BlockBytes": block} for size, block in ((12, 5), (14, 6), (6, 9), (256, 1)))
_REPLIES = tuple(
    {"PictureBytes": picture, "ResultBytes": result, "BlockBytes": block, "Digest": digest}
    for picture, result, block, digest in (
        (0x04030201, 0x0A0B0C0D, 0x0605, 0x0123456789ABCDEF), (5, 6, 4, 0xFEDCBA9876543210), (9, 1, 65528, 1 << 56)
    )
)  # fmt: skip

PARTS: dict[str, Part] = {
    **_parts("qun_uart_rx", *_LINES),
    **_parts("qun_uart_tx", *_LINES),
    **_parts("qun_block_buffer", *_PICTURES[:1], *_PICTURES[2:]),
    **_parts("qun_picture_feeder", *_PICTURES[1:]),
    **_parts("qun_serial_reply", *_REPLIES),
}
"""All parts, by names that begin with their module's."""


def names_of(module: str) -> tuple[str, ...]:
    """Return the names of a module's parts."""
    return tuple(name for name, part in PARTS.items() if part.module == module)
