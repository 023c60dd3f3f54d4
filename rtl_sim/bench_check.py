"""What the cocotb benches share: wait for the end, compare the output file with golden, leave a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from cocotb.triggers import RisingEdge

from quantunet.compare import Difference, compare, compare_stream
from quantunet.ir import Array, QType
from quantunet.rtl_sim.bench_result import (
    CONFIG_FILE,
    EXPECTED_FILE,
    NEVER,
    RESULT_FILE,
    STREAMS_FILE,
    BenchResult,
    StreamResult,
)
from quantunet.storage import write_text
from quantunet.streams import from_hex_lines


async def measure(dut: Any) -> BenchResult:
    """Let the HDL bench run to its end and compare what its sink wrote with the golden output.

    Args:
        dut: The bench's top.

    Returns:
        The result, which is also written to ``result.json`` for the caller of the simulator.
    """
    config = json.loads(Path(CONFIG_FILE).read_text(encoding="utf-8"))
    expected = np.load(EXPECTED_FILE)
    if not dut.done.value:
        await RisingEdge(dut.done)
    first_input = min(_count(dut, f"{prefix}_first") for prefix in config["inputs"])
    frame_cycles = [int(line) for line in Path("m_axis.cycles").read_text(encoding="utf-8").split()]
    values, beats = _output_values(config, expected.size)
    output = compare_stream("m_axis", expected, values)
    streams, fills = read_streams(Path(STREAMS_FILE).read_text(encoding="utf-8"), config, len(expected), first_input)
    found = _count(dut, "m_axis_found")
    result = BenchResult(
        values_compared=output.compared,
        mismatches=output.mismatches,
        first=output.first,
        extra_beats=max(0, beats - expected.size // config["lanes"]),
        unstable=_count(dut, "m_axis_unstable"),
        wrong_last=_count(dut, "m_axis_wrong_last"),
        timed_out=bool(dut.timed_out.value),
        first_output=_count(dut, "m_axis_first") - first_input + 1 if beats else 0,
        frame_ends=tuple(cycle - first_input + 1 for cycle in frame_cycles),
        fifo_max_fill={name: (depth, fills[name]) for name, depth in config["fifo_depths"].items()},
        last_cycle=_count(dut, "m_axis_last"),
        found_cycle=None if found == NEVER else found,
        streams=streams,
    )
    write_text(Path(RESULT_FILE), result.to_json())
    return result


def _count(dut: Any, name: str) -> int:
    return int(getattr(dut, name).value)


def _output_values(config: dict[str, Any], limit: int) -> tuple[Array, int]:
    """Return at most ``limit`` values that came, flat, and the number of beats that came."""
    lanes, qtype = config["lanes"], QType(**config["qtype"])
    text = Path("m_axis.hex").read_bytes()
    line = -(-lanes * qtype.bits // 4) + 1
    beats = len(text) // line
    used = min(beats, limit // lanes)
    values = from_hex_lines(text[: used * line], lanes, qtype, (1, 1, lanes), "m_axis.hex")
    return values.reshape(-1), beats


def read_streams(
    text: str, config: dict[str, Any], frames: int, first_input: int
) -> tuple[tuple[StreamResult, ...], dict[str, int]]:
    """Read the lines that the monitors left.

    Args:
        text: Lines of ``qun_tb_tap.sv`` and ``qun_tb_level.sv``.
        config: ``bench.json``.
        frames: Expected frames.
        first_input: The cycle of the first input handshake.

    Returns:
        The streams in the order of ``config``, and the highest fill of each FIFO.
    """
    found: dict[str, StreamResult] = {}
    fills: dict[str, int] = {}
    for line in text.splitlines():
        kind, name, *words = line.split()
        if kind == "fifo":
            fills[name] = int(words[0])
        else:
            found[name] = _stream(name, config["streams"][name], words, frames, first_input)
    return tuple(found[name] for name in config["streams"]), fills


def _stream(name: str, about: dict[str, Any], words: list[str], frames: int, first_input: int) -> StreamResult:
    beats, valid, ready, begin, end, compared, wrong, wrong_beat = (int(word) for word in words[:8])
    lanes, qtype, shape = about["lanes"], QType(**about["qtype"]), (frames, *about["shape"])
    first = None
    if wrong:
        expected, got = (from_hex_lines(f"{word}\n".encode(), lanes, qtype, (1, 1, lanes), name) for word in words[8:])
        beat = compare(name, expected, got)
        if beat.first is None:
            raise ValueError(f"{name}: the monitor counts {wrong} differences and shows none")
        position = wrong_beat * lanes + beat.first.channel
        first = Difference.at(position, shape, beat.first.expected, beat.first.got)
    return StreamResult(
        name=name,
        layer=about["layer"],
        beats=beats,
        beats_expected=frames * about["beats"],
        valid=bool(valid),
        ready=bool(ready),
        first_cycle=begin - first_input + 1 if beats else 0,
        last_cycle=end - first_input + 1 if beats else 0,
        values_compared=compared,
        mismatches=wrong,
        first=first,
    )
