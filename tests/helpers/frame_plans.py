"""Frames with beats and ``tlast`` lost or doubled, what a network takes of them, and simulations of both."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.rtl import Design

from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_sources

BENCH = "helpers.benches.tb_frames"

Runs = list[list[int]]
"""Beats, in runs that each end with ``tlast``."""


def lost(frames: Runs, frame: int, beat: int) -> Runs:
    """Lose a beat, and ``tlast`` with it where it is a frame's last."""
    damaged = [*frames[frame][:beat], *frames[frame][beat + 1 :]]
    if beat < len(frames[frame]) - 1:
        return [*frames[:frame], damaged, *frames[frame + 1 :]]
    return [*frames[:frame], *merged([damaged, *frames[frame + 1 :]])]


def doubled(frames: Runs, frame: int, beat: int) -> Runs:
    """Send a beat twice, and ``tlast`` with it where it is a frame's last."""
    run = frames[frame]
    if beat < len(run) - 1:
        return [*frames[:frame], [*run[:beat], run[beat], *run[beat:]], *frames[frame + 1 :]]
    return [*frames[: frame + 1], [run[beat]], *frames[frame + 1 :]]


def lost_last(frames: Runs, frame: int, beat: int) -> Runs:
    """Lose ``tlast`` alone."""
    return [*frames[:frame], *merged(frames[frame:])]


def extra_last(frames: Runs, frame: int, beat: int) -> Runs:
    """Mark a beat within a frame with ``tlast``; the last beat has it anyway."""
    run = frames[frame]
    pieces = [run[: beat + 1], run[beat + 1 :]]
    return [*frames[:frame], *(piece for piece in pieces if piece), *frames[frame + 1 :]]


def merged(frames: Runs) -> Runs:
    """Join the first run with the next one; where there is none, its end is never seen."""
    return [[*frames[0], *frames[1]], *frames[2:]] if len(frames) > 1 else frames


FAULTS: tuple[Callable[[Runs, int, int], Runs], ...] = (lost, doubled, lost_last, extra_last)


def taken(sent: Runs, beats: int) -> Runs:
    """Return the frames that a network sees: each run cut or filled up; a beat alone is a last beat that came twice."""
    return [(run + [0] * beats)[:beats] for run in sent if len(run) > 1 or beats == 1]


@dataclass(frozen=True)
class Plan:
    """What is sent, and what must come out.

    Attributes:
        name: For messages.
        sent: The runs of beats.
        expected: The frames of the output.
        stalls: ``random`` in source and sink, ``wait`` for a sink that is ready only once it has seen a beat.
    """

    name: str
    sent: Runs
    expected: Runs
    stalls: str = ""


def write_plans(plans: Sequence[Plan], folder: Path, frame: int, beats: int) -> None:
    """Write what the bench sends; a frame has ``beats`` beats and takes ``frame`` cycles at most without stalls."""
    folder.mkdir(parents=True, exist_ok=True)
    document = [
        {
            "name": plan.name,
            "sent": plan.sent,
            "expected": plan.expected,
            "error": any(len(run) != beats for run in plan.sent),
            "stalls": plan.stalls,
            "cycles": 40 * frame + 1000,
            "quiet": 2 * frame + 100,
        }
        for plan in plans
    ]
    (folder / "plans.json").write_text(json.dumps(document), encoding="utf-8")


def small_plans(beats: int = 5) -> list[Plan]:
    """Return every fault at every beat of the first, a middle and the last of four frames."""
    frames = [[16 * frame + beat + 1 for beat in range(beats)] for frame in range(4)]
    plans = [Plan("none", frames, frames)]
    for fault, frame, beat in itertools.product(FAULTS, (0, 1, 3), range(beats)):
        sent = [run for run in fault(frames, frame, beat) if run]
        name = f"{fault.__name__} {frame} {beat}"
        plans += [Plan(f"{name} {stalls}", sent, taken(sent, beats), stalls) for stalls in ("", "random", "wait")]
    many = [frames[0], frames[1][:3], frames[2] + frames[3] + [7], [9], frames[3], [8, 8], frames[0]]
    return [*plans, Plan("many", many, taken(many, beats))]


def module(folder: Path, rtl_folder: Path = RTL_FOLDER, beats: int = 5) -> Design:
    """Return ``qun_frame_check`` alone, and write what its bench needs into its working folder."""
    write_plans(small_plans(beats), folder, beats, beats)
    return Design(library_sources({"qun_frame_check"}, rtl_folder), "qun_frame_check", {"Bits": 8, "Beats": beats})
