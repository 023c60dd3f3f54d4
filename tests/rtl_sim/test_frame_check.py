"""A lost or doubled beat, or a lost or extra ``tlast``, at the input of a network spoils one frame and is reported."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from helpers.faults import Fault, library_with
from helpers.rtl import BUILD_ROOT

from quantunet import golden
from quantunet.errors import ToolFailedError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_sources
from quantunet.random_network import random_image, random_unet
from quantunet.rtl_sim import verilator
from quantunet.rtl_sim.frames import adjacent_frames
from quantunet.streams import pack, unpack

Runs = list[list[int]]
"""Beats, in runs that each end with ``tlast``."""

GRAPH = random_unet(base=2, depth=1, size=4, seed=5)
FRAMES = 4
BEATS = 16


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
        stalls: Whether source and sink stall at random.
    """

    name: str
    sent: Runs
    expected: Runs
    stalls: bool = False


def simulate(
    sources: Sequence[Path], top: str, parameters: dict[str, int | str], plans: Sequence[Plan], folder: Path, frame: int
) -> list[dict[str, Any]]:
    """Simulate the plans; ``frame`` is a bound for the cycles of a frame without stalls."""
    folder.mkdir(parents=True, exist_ok=True)
    document = [
        {
            "name": plan.name,
            "sent": plan.sent,
            "expected": plan.expected,
            "stalls": plan.stalls,
            "cycles": 40 * frame + 1000,
            "quiet": 2 * frame + 100,
        }
        for plan in plans
    ]
    (folder / "plans.json").write_text(json.dumps(document), encoding="utf-8")
    executable = verilator.build(sources, top, parameters, BUILD_ROOT, flags=verilator.ASSERTIONS)
    verilator.run_cocotb(executable, "helpers.benches.tb_frames", top, folder, seed=1)
    report: list[dict[str, Any]] = json.loads((folder / "frames.json").read_text(encoding="utf-8"))
    assert [line["name"] for line in report] == [plan.name for plan in plans]
    return report


def check(report: Sequence[dict[str, Any]], plans: Sequence[Plan], beats: int) -> None:
    """See that everything that was expected came, and the error exactly where a run was of a wrong length."""
    for line, plan in zip(report, plans, strict=True):
        assert line["compared"] == sum(len(frame) for frame in plan.expected) > 0, plan.name
        assert line["wrong"] == [], (plan.name, line)
        assert (line["more"], line["unsent"]) == (0, 0), (plan.name, line)
        assert line["error"] == any(len(run) != beats for run in plan.sent), plan.name


def small_plans() -> list[Plan]:
    """Return every fault at every beat of the first, a middle and the last of four frames of five beats."""
    frames = [[16 * frame + beat + 1 for beat in range(5)] for frame in range(4)]
    plans = [Plan("none", frames, frames)]
    for fault, frame, beat in itertools.product(FAULTS, (0, 1, 3), range(5)):
        sent = fault(frames, frame, beat)
        name = f"{fault.__name__} {frame} {beat}"
        plans += [Plan(f"{name} {stalls}", sent, taken(sent, 5), stalls) for stalls in (False, True)]
    many = [frames[0], frames[1][:3], frames[2] + frames[3] + [7], [9], frames[3], [8, 8], frames[0]]
    return [*plans, Plan("many", many, taken(many, 5))]


def simulate_module(folder: Path, rtl_folder: Path = RTL_FOLDER) -> list[dict[str, Any]]:
    sources = library_sources({"qun_frame_check"}, rtl_folder)
    return simulate(sources, "qun_frame_check", {"Bits": 8, "Beats": 5}, small_plans(), folder, 5)


def test_every_fault_at_every_beat(tmp_path: Path) -> None:
    plans = small_plans()
    assert len(plans) == 2 + 2 * 4 * 3 * 5
    check(simulate_module(tmp_path), plans, 5)


def test_all_but_one_frame_are_whole() -> None:
    """One fault spoils one frame, and where a frame's end is lost also the one behind it; the others are whole."""
    frames = [[16 * frame + beat + 1 for beat in range(5)] for frame in range(4)]
    for fault, frame, beat in itertools.product(FAULTS, (0, 1, 2), range(5)):
        sent = fault(frames, frame, beat)
        whole = [index for index in range(4) if frames[index] in taken(sent, 5)]
        end_is_lost = fault is lost_last or (fault is lost and beat == 4)
        spoiled = {frame, frame + 1} if end_is_lost else {frame}
        assert set(range(4)) - set(whole) <= spoiled, (fault, frame, beat)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("fill_q <= !final_beat && (fill_q || s_axis_tlast);", "fill_q <= 1'b0;"),
        ("drop_q <= !fill_q && final_beat && !s_axis_tlast;", "drop_q <= 1'b0;"),
        ("fill_q ? '0 : s_axis_tdata", "s_axis_tdata"),
        ("s_axis_tlast && beat_q == '0 && !final_beat", "1'b0"),
        ("error_q <= 1'b1;", "error_q <= !error_q;"),
    ],
)
def test_fault_in_the_frame_check(right: str, wrong: str, tmp_path: Path) -> None:
    library = library_with(tmp_path / "rtl", Fault("frame_check", "one", "qun_frame_check", right, wrong))
    with pytest.raises((AssertionError, ToolFailedError)):
        check(simulate_module(tmp_path, library), small_plans(), 5)


def network_plans(project: rtl_project.RtlProject) -> list[Plan]:
    """Return every fault in the first, a middle and the last frame of a network, each frame's output by golden."""
    (source,), (target,) = rtl_project.input_ports(project.design), rtl_project.output_ports(project.design)
    images = adjacent_frames(GRAPH, random_image(GRAPH), FRAMES)
    frames = [pack(image, source.stream.lanes, source.stream.qtype.bits) for image in images]
    assert {len(frame) for frame in frames} == {BEATS}

    def output(run: list[int]) -> list[int]:
        image = unpack(run, source.stream.lanes, source.stream.qtype, source.stream.shape).reshape(source.stream.shape)
        return pack(golden.run(GRAPH, image)[GRAPH.output], target.stream.lanes, target.stream.qtype.bits)

    outputs = [output(frame) for frame in frames]
    assert len({tuple(frame) for frame in outputs}) == FRAMES, "frames that are alike hide their order"
    plans = [Plan("none", frames, outputs)]
    for fault, frame, beat in itertools.product(FAULTS, (0, 1, FRAMES - 1), (0, 7, BEATS - 1)):
        sent = fault(frames, frame, beat)
        expected = [output(run) for run in taken(sent, BEATS)]
        plans.append(Plan(f"{fault.__name__} {frame} {beat}", sent, expected, stalls=beat == 7))
    return plans


def test_network_is_exact_again_with_the_next_frame(tmp_path: Path) -> None:
    project = rtl_project.write(GRAPH, default_folding(GRAPH), tmp_path)
    plans = network_plans(project)
    assert len(plans) == 1 + 4 * 3 * 3
    report = simulate(project.sources, project.top, {}, plans, project.folder, 400)
    check(report, plans, BEATS)
    assert sum(line["error"] for line in report) > 20
