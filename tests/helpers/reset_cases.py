"""Designs that are reset in mid frame again and again: every op, every case of its bench, and a whole network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from helpers.benches.cases import TEMPLATES, Case, described, named, write_hardware
from helpers.rtl import Design

from quantunet import golden
from quantunet.hls.choose.default import default_folding
from quantunet.hls.design import Stream
from quantunet.hls.generate.rtl_project import RTL_FOLDER, input_ports, output_ports, write
from quantunet.hls.schedule.depths import frame_interval
from quantunet.ir import Array, Graph
from quantunet.random_network import random_image
from quantunet.rtl_sim.bench import CHECKER
from quantunet.rtl_sim.frames import adjacent_frames
from quantunet.storage import write_text
from quantunet.streams import pack

TOP = "qun_reset_cases"
"""Module name of the generated top."""

BENCH = "helpers.benches.tb_resets"
"""The cocotb module of its only test."""

REPORT_FILE = "resets.txt"
"""What a simulation leaves: a line for each design that has come to its end."""

_HDL = tuple(
    Path(__file__).parent / "benches" / f"qun_tb_reset_{name}.sv" for name in ("pkg", "source", "sink", "sweep")
)

MOST_CYCLES = 2_000_000
"""Cycles that the resets of one design take, about: a run takes three times the two frames in which its place is."""

_LONG = 200_000
"""Cycles from which on a simulator is worth being optimised by its compiler."""

_FRAMES = 3
"""Frames of a network that differ from one another; a case of an op has as many."""


@dataclass(frozen=True)
class Reset:
    """A design and its resets.

    Attributes:
        about: What the template needs to instantiate it; its ports are named, and so are their files.
        beats: Of each port, packed, those of all frames.
        longest: Cycles from reset to reset, without stalls: two frames.
        runs: Resets in mid frame, four for a place.
        sources: SystemVerilog that it consists of, each file after those that it needs.
    """

    about: Mapping[str, Any]
    beats: Mapping[str, Sequence[int]]
    longest: int
    runs: int
    sources: tuple[Path, ...] = field(default=())

    @property
    def whole(self) -> bool:
        """Whether a reset comes in every cycle of two frames."""
        return self.runs == 4 * self.longest


def _runs(longest: int, most: int, cycles: int = MOST_CYCLES) -> int:
    """Return the resets of a design, four for a place, as many as a simulation of some millions of cycles allows."""
    return 4 * max(1, min(longest, most, cycles // (12 * longest)))


def of_case(case: Case, name: str, folder: Path, *, most: int, rtl_folder: Path = RTL_FOLDER) -> Reset:
    """Write the hardware of a case into a folder and return the case with its resets.

    Args:
        case: The case.
        name: For its instance; unique in a simulation.
        folder: Working folder.
        most: Places in two frames at which a reset comes, at most.
        rtl_folder: The SystemVerilog library.
    """
    own = named(case, name)
    streams = {stream.name: stream for stream in own.streams}
    beats = {stream: _packed(own.frames[stream], streams[stream]) for stream in own.frames}
    frame = case.cycles.predicted if case.cycles else max(stream.beats for stream in own.streams) + 8
    return Reset(described(own), beats, 2 * frame, _runs(2 * frame, most), write_hardware([own], folder, rtl_folder))


def _packed(frames: Array, stream: Stream) -> list[int]:
    return [beat for frame in frames for beat in pack(frame, stream.lanes, stream.qtype.bits)]


def of_network(graph: Graph, name: str, folder: Path, *, most: int, rtl_folder: Path = RTL_FOLDER) -> Reset:
    """Write a network, default folding, with a frame check at each input, and return it with its resets.

    Args:
        graph: The network.
        name: For its instance; unique in a simulation.
        folder: Working folder, in which its memory files have to lie.
        most: As in :func:`of_case`.
        rtl_folder: The SystemVerilog library.
    """
    folding = default_folding(graph)
    project = write(graph, folding, folder, rtl_folder=rtl_folder)
    frames = [golden.run(graph, image) for image in adjacent_frames(graph, random_image(graph), _FRAMES)]
    inputs, outputs = input_ports(project.design), output_ports(project.design)
    ports, beats = [], {}
    for port, tensor in (*zip(inputs, graph.inputs, strict=True), *zip(outputs, [graph.output], strict=True)):
        own, stream = f"{name}_{port.prefix}", port.stream
        beats[own] = _packed(np.stack([taps[tensor] for taps in frames]), stream)
        ports.append(
            {"name": own, "bits": port.bits, "lanes": stream.lanes, "beats": stream.beats, "input": port in inputs}
        )
    about = {
        "name": name,
        "module": project.top,
        "parameters": [],
        "ports": ports,
        "connections": [(port.prefix, [f"{name}_{port.prefix}"]) for port in (*inputs, *outputs)],
        "extras": [("frame_error", 1)],
        "never": ["frame_error"],
    }
    longest = 2 * frame_interval(graph, folding)
    # The project has copies of the library's files, and a case beside it has none.
    library = {path.name: path for path in rtl_folder.iterdir()}
    sources = tuple(library.get(path.name, path) for path in project.sources)
    return Reset(about, beats, longest, _runs(longest, most, 5 * MOST_CYCLES), sources)


def design(resets: Sequence[Reset], folder: Path) -> Design:
    """Write the top that holds some designs and their frames, and return all that is simulated."""
    cases = []
    for each in resets:
        for port in each.about["ports"]:
            digits = math.ceil(port["bits"] / 4)
            lines = (f"{beat:0{digits}x}\n" for beat in each.beats[port["name"]])
            write_text(folder / f"{port['name']}.frames.mem", "".join(lines))
        port = each.about["ports"][0]
        frames = len(each.beats[port["name"]]) // port["beats"]
        watchdog = 8 * each.longest + 1000
        cases.append(
            {"never": [], **each.about, "runs": each.runs, "longest": each.longest, "frames": frames,
             "watchdog": watchdog}
        )  # fmt: skip
    top = folder / f"{TOP}.sv"
    write_text(top, TEMPLATES.get_template("reset_cases.sv.j2").render(top=TOP, cases=cases, report=REPORT_FILE))
    sources = dict.fromkeys(source for each in resets for source in each.sources)
    return Design((*sources, *_HDL, CHECKER, top), TOP, quick=all(each.longest * each.runs < _LONG for each in resets))


def numbered(cases: Sequence[Case], folder: Path, *, most: int, rtl_folder: Path = RTL_FOLDER) -> list[Reset]:
    """Return cases with their resets, each under a number of its own, as :func:`of_case` does."""
    return [of_case(case, f"c{index}", folder, most=most, rtl_folder=rtl_folder) for index, case in enumerate(cases)]


def of_cases(cases: Sequence[Case], folder: Path, *, most: int, rtl_folder: Path = RTL_FOLDER) -> Design:
    """Return cases side by side with their resets; all is written into a folder."""
    return design(numbered(cases, folder, most=most, rtl_folder=rtl_folder), folder)
