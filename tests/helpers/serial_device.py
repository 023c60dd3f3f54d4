"""Simulations of ``qun_serial_device`` alone, with several sets of parameters."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from helpers.benches.report import REPORT_FILE
from helpers.rtl import Design, long_parameters

from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_sources
from quantunet.ir import QType
from quantunet.rtl_sim import verilator
from quantunet.serial_frames import ESCAPE, FLAG
from quantunet.serial_payload import encode_mask, encode_values, value_bytes

TOP = "qun_serial_device"
BENCH = "helpers.benches.tb_serial_device"
SCENARIOS = frozenset(
    "info pictures full faults random silence pauses cycles stop anew turns told resets waiting".split()
)

_DIGEST = bytes(range(0x7A, 0x82))  # with a flag and an escape in it
_PICTURES = 4
_SILENCE_BYTES = 40

_TOLD = 9
"""Cycles from where a stop bit is looked at to a reply's first edge, without the silence: three of the receiver, then
the counter's first, the error, what of it waits, the frame's head, its first byte, and the edge."""


@dataclass(frozen=True)
class Shape:
    """What a device is made for.

    Attributes:
        name: For messages.
        period: Cycles and bits.
        block_bytes: Bytes of a block.
        beats: Beats of a picture, and of its result.
        in_lanes: Values of a beat of the picture.
        source: Their type.
        out_lanes: Values of a beat of the result.
        target: Their type.
        least: Least, or greatest, value of the foreground; ``None`` for values.
        below: Whether it is the greatest.
        lag: Beats of the picture, from its own on, that a beat of the result waits for.
    """

    name: str
    period: tuple[int, int]
    block_bytes: int
    beats: int
    in_lanes: int
    source: QType
    out_lanes: int
    target: QType
    least: int | None
    below: bool = False
    lag: int = 1


SHAPES = (
    Shape("mask", (33, 2), 6, 21, 1, QType(8, False, 0), 1, QType(8, False, 0), 128, lag=3),
    Shape("below", (16, 1), 10, 16, 1, QType(6, False, 0), 1, QType(6, True, 0), -3, below=True),
    Shape("values", (20, 1), 9, 6, 3, QType(5, False, 0), 2, QType(6, True, 0), None, lag=2),
    Shape("wide", (20, 1), 16, 12, 1, QType(12, False, 0), 1, QType(12, True, 0), None),
)

SHORT = Shape("short", (16, 1), 4, 10, 1, QType(8, False, 0), 1, QType(8, False, 0), 128)
SHORT_VALUES = Shape("short values", (16, 1), 8, 6, 1, QType(12, False, 0), 1, QType(12, True, 0), None)
"""The smallest pictures of three blocks, and of two, for what is simulated many times."""


def _values(beat: int, lanes: int, qtype: QType) -> list[int]:
    found = [beat >> lane * qtype.bits & ((1 << qtype.bits) - 1) for lane in range(lanes)]
    return [value - (value >> (qtype.bits - 1) << qtype.bits) if qtype.signed else value for value in found]


def _picture(shape: Shape, seed: int) -> dict[str, object]:
    rng = random.Random(seed)
    width = shape.in_lanes * shape.source.bits
    beats = [rng.randrange(1 << width) for _ in range(shape.beats)]
    beats[1:3] = [special % (1 << width) for special in (FLAG, ESCAPE)]
    if shape.least is not None:  # both sides of the foreground's bound
        beats[3:6] = [(shape.least + step) % (1 << width) for step in (-1, 0, 1)]
    sent = np.array([value for beat in beats for value in _values(beat, shape.in_lanes, shape.source)])
    given = np.array([value for beat in beats for value in _values(beat, shape.out_lanes, shape.target)])
    if shape.least is None:
        result = encode_values(given, shape.target)
    else:
        result = encode_mask((given <= shape.least if shape.below else given >= shape.least).astype(np.int64))
    return {"bytes": encode_values(sent, shape.source).hex(), "result": result.hex(), "beats": beats}


def design(shape: Shape, folder: Path, rtl_folder: Path = RTL_FOLDER) -> Design:
    """Return a device, and write what its bench needs into its working folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mask = shape.least is not None
    picture = shape.beats * shape.in_lanes * value_bytes(shape.source.bits)
    result = -(-shape.beats // 8) if mask else shape.beats * shape.out_lanes * value_bytes(shape.target.bits)
    silence = _SILENCE_BYTES * 10 * shape.period[0] // shape.period[1]
    parameters: dict[str, int | str] = {
        "PeriodCycles": shape.period[0],
        "PeriodBits": shape.period[1],
        "SilenceCycles": silence,
        "BlockBytes": shape.block_bytes,
        "InBeats": shape.beats,
        "InLanes": shape.in_lanes,
        "InBits": shape.source.bits,
        "OutBeats": shape.beats,
        "OutLanes": shape.out_lanes,
        "OutBits": shape.target.bits,
        "OutSigned": int(shape.target.signed),
        "Mask": int(mask),
        "Below": int(shape.below),
    }
    sizes = b"".join(
        size.to_bytes(count, "little") for size, count in ((picture, 4), (result, 4), (shape.block_bytes, 2))
    )
    stop_bit = -(-(10 * shape.period[0] - shape.period[0] // 2) // shape.period[1])
    plan = {
        "period": shape.period[0] / shape.period[1],
        "block_bytes": shape.block_bytes,
        "beats": shape.beats,
        "out_width": shape.out_lanes * shape.target.bits,
        "lag": shape.lag,
        "settle": 10 * (_SILENCE_BYTES + 2 * (picture + result)) + 200,
        "silence": 10 * _SILENCE_BYTES,
        "silence_told": stop_bit + silence + _TOLD,
        "info": (b"I\x01" + _DIGEST + sizes).hex(),
        "pictures": [_picture(shape, seed) for seed in range(_PICTURES)],
    }
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    wide = long_parameters({"Digest": int.from_bytes(_DIGEST, "little"), "Least": shape.least or 0})
    return Design(library_sources({TOP}, rtl_folder), TOP, parameters, wide)


def simulate(
    shape: Shape, folder: Path, rtl_folder: Path = RTL_FOLDER, *, check: bool = True
) -> verilator.CocotbResult:
    """Build a device and run its bench, with assertions.

    Raises:
        ToolFailedError: A scenario failed, with ``check``, or the simulator did.
    """
    built = design(shape, folder, rtl_folder).build()
    return verilator.run_cocotb(built, BENCH, TOP, folder, seed=1, check=check, timeout=300)


def compared(folder: Path) -> dict[str, int]:
    """Return how much each scenario compared."""
    found: dict[str, int] = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
    return found


def failures(shapes: Sequence[Shape], folder: Path, rtl_folder: Path) -> str | None:
    """Return the scenarios that fail and the promises that break; ``None`` where there are none."""
    found = []
    for shape in shapes:
        result = simulate(shape, folder / shape.name, rtl_folder, check=False)
        found += [test.name.rsplit(".", 1)[-1] for test in result.tests if not test.passed] + list(result.broken)
    return ", ".join(found) or None
