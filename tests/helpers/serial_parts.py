"""Simulations of the modules of a board's serial side, each alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.benches.clocked import PARAMETERS_FILE
from helpers.rtl import Design, long_parameters

from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_sources

_LONG = frozenset({"Least", "Digest"})
"""Parameters of 64 bits."""


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
        short = {name: value for name, value in self.parameters.items() if name not in _LONG}
        long = {name: value for name, value in self.parameters.items() if name in _LONG}
        return Design(library_sources({self.module}, rtl_folder), self.module, short, long_parameters(long))


def _parts(module: str, *parameters: Mapping[str, int]) -> dict[str, Part]:
    name = module.removeprefix("qun_")
    scenarios = f"helpers.benches.tb_{name}"
    return {" ".join([name, *map(str, each.values())]): Part(module, scenarios, each) for each in parameters}


def _of(names: str, *rows: tuple[int, ...]) -> list[dict[str, int]]:
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


_LINES = _of("PeriodCycles PeriodBits", (20, 1), (125, 6), (33, 2), (16, 1))
_REPLIES = _of(
    "PictureBytes ResultBytes BlockBytes Digest",
    (0x04030201, 0x0A0B0C0D, 0x0605, 0x0123456789ABCDEF), (5, 6, 4, 0xFEDCBA9876543210), (9, 1, 65528, 1 << 56),
)  # fmt: skip

PARTS: dict[str, Part] = {
    **_parts("qun_uart_rx", *_LINES),
    **_parts("qun_uart_tx", *_LINES),
    **_parts("qun_byte_beats", *_of("Lanes Bits Beats", (3, 13, 6), (1, 8, 1), (2, 3, 3))),
    **_parts("qun_value_bytes", *_of("Lanes Bits Signed", (3, 8, 0), (1, 13, 1), (2, 3, 1), (1, 5, 0))),
    **_parts(
        "qun_mask_bytes", *_of("Bits Signed Least Below", (4, 1, -3, 0), (5, 0, 7, 1), (9, 1, 0, 1), (1, 0, 1, 0))
    ),
    **_parts("qun_serial_deframer", *_of("MostBytes", (11,), (5,), (64,))),
    **_parts("qun_serial_framer", {}),
    **_parts("qun_block_buffer", *_of("PictureBytes BlockBytes", (12, 5), (6, 9), (256, 1))),
    **_parts("qun_picture_feeder", *_of("PictureBytes BlockBytes", (14, 6), (6, 9), (256, 1))),
    **_parts("qun_serial_reply", *_REPLIES),
}
"""All parts, by names that begin with their module's."""


def names_of(module: str) -> tuple[str, ...]:
    """Return the names of a module's parts."""
    return tuple(name for name, part in PARTS.items() if part.module == module)
