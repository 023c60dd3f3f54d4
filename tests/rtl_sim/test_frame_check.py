"""A lost or doubled beat, or a lost or extra ``tlast``, at the input of a network spoils one frame and is reported."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from helpers.faults import Fault, library_with
from helpers.frame_plans import BENCH, FAULTS, Plan, lost, lost_last, module, small_plans, taken, write_plans
from helpers.rtl import Design

from quantunet import golden
from quantunet.errors import ToolFailedError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import rtl_project
from quantunet.random_network import random_image, random_unet
from quantunet.rtl_sim import verilator
from quantunet.rtl_sim.frames import adjacent_frames
from quantunet.streams import pack, unpack

GRAPH = random_unet(base=2, depth=1, size=4, seed=5)
FRAMES = 4
BEATS = 16


def simulate(design: Design, plans: Sequence[Plan], folder: Path) -> list[dict[str, Any]]:
    """Simulate plans that were written."""
    verilator.run_cocotb(design.build(), BENCH, design.top, folder, seed=1)
    report: list[dict[str, Any]] = json.loads((folder / "frames.json").read_text(encoding="utf-8"))
    assert [line["name"] for line in report] == [plan.name for plan in plans]
    return report


def check(report: Sequence[dict[str, Any]], plans: Sequence[Plan]) -> None:
    """See that everything that was expected was compared."""
    for line, plan in zip(report, plans, strict=True):
        assert line["compared"] == sum(len(frame) for frame in plan.expected) > 0, plan.name


@pytest.mark.parametrize("beats", [5, 1, 6])
def test_every_fault_at_every_beat(tmp_path: Path, beats: int) -> None:
    plans = small_plans(beats)
    assert len(plans) == 2 + 3 * 4 * 3 * beats
    check(simulate(module(tmp_path, beats=beats), plans, tmp_path), plans)


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
    with pytest.raises(ToolFailedError):
        simulate(module(tmp_path, library), small_plans(), tmp_path)


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
        plans.append(Plan(f"{fault.__name__} {frame} {beat}", sent, expected, "random" if beat == 7 else ""))
    return plans


def test_network_is_exact_again_with_the_next_frame(tmp_path: Path) -> None:
    project = rtl_project.write(GRAPH, default_folding(GRAPH), tmp_path)
    plans = network_plans(project)
    assert len(plans) == 1 + 4 * 3 * 3
    write_plans(plans, project.folder, 400, BEATS)
    report = simulate(Design(project.sources, project.top), plans, project.folder)
    check(report, plans)
    assert sum(line["error"] for line in report) > 20
