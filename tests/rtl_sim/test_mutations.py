"""Each fault put into the hardware makes the co-simulation fail and name the layer."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.faults import FAULTS, Fault, flip_nibble, library_with, library_with_text
from helpers.rtl import BUILD_ROOT

from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import rtl_project
from quantunet.page.vcd import cut
from quantunet.random_network import random_image, random_unet
from quantunet.rtl_sim import layer_bench, waveform
from quantunet.rtl_sim.cosim import Options, cosim
from quantunet.rtl_sim.report import FAILED, CosimReport

GRAPH = random_unet(base=4, depth=1, size=8, seed=3)
LAYER = "dec0_conv0"
FOLDER = BUILD_ROOT.parent / "mutations"


def run(
    folder: Path, rtl_folder: Path = rtl_project.RTL_FOLDER, *, waveforms: bool = False, assertions: bool = False
) -> CosimReport:
    options = Options(
        layers=(LAYER,),
        jobs=2,
        rtl_folder=rtl_folder,
        builds=BUILD_ROOT,
        waveforms=waveforms,
        assertions=assertions,
    )
    return cosim(GRAPH, random_image(GRAPH), default_folding(GRAPH), folder, options)


def test_without_a_fault_the_layer_passes() -> None:
    report = run(FOLDER)
    assert report.passed, report.failures()
    assert report.layers[0].values_compared == 8 * 8 * 4
    assert report.layers[0].simd > 1, "the fault of a swapped lane needs lanes"


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.bench == "cosim"], ids=str)
def test_fault_in_the_library(fault: Fault, tmp_path: Path) -> None:
    report = run(FOLDER, library_with(tmp_path / "rtl", fault))
    assert not report.passed
    ((name, problems, _),) = report.failures()
    assert name == LAYER
    assert report.layers[0].hls_mismatches == 0
    assert report.layers[0].rtl_mismatches > 0
    assert "channel=" in problems[0]


def test_broken_promise_is_a_failure_even_where_every_value_is_right(tmp_path: Path) -> None:
    library = library_with_text(
        tmp_path / "rtl",
        "qun_sliding_window.sv",
        "`QUN_ASSERT(fill_in_range, 32'(fill_q) <= FillMax && !",
        "`QUN_ASSERT(fill_in_range, 32'(fill_q) < FillMax && !",
    )
    report = run(FOLDER, library, assertions=True)
    assert not report.passed
    ((name, problems, _),) = report.failures()
    assert (name, report.layers[0].rtl_mismatches, report.layers[0].rtl) == (LAYER, 0, FAILED)
    assert len(problems) == 1
    assert "u_dut.u_dec0_conv0.u_window.fill_in_range: the ring holds more pixels" in problems[0]


def test_flipped_weight_nibble_names_the_layer_and_leaves_a_waveform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = layer_bench.layer_project

    def damaged(setup: layer_bench.Setup, name: str) -> rtl_project.RtlProject:
        project = whole(setup, name)
        flip_nibble(next(path for path in project.memories if "weight" in path.name), line=5)
        return project

    monkeypatch.setattr(layer_bench, "layer_project", damaged)
    monkeypatch.setattr(waveform, "MAX_CYCLES", 100)
    report = run(FOLDER, waveforms=True)
    assert not report.passed
    ((name, problems, wave),) = report.failures()
    assert name == LAYER
    assert "expected" in problems[0] and "got" in problems[0]
    assert wave is not None
    text = Path(wave).read_text(encoding="utf-8")
    assert "$enddefinitions" in text and "s_axis_tdata" in text
    assert 50 < text.count("\n#") < 2 * 200, "two times a cycle, and not the whole frame"
    layer = report.layers[0]
    first, cycle = layer.rtl_first, layer.waveform_cycle
    assert first is not None and first.got is not None and cycle is not None
    shown = cut(Path(wave), cycle)
    assert shown is not None and shown.marked == cycle
    lanes = {lane.name: lane.values[cycle - shown.first] for lane in shown.lanes}
    assert lanes["m_axis_tvalid"] == lanes["m_axis_tready"] == "1", "the wrong value passes in this cycle"
    bits = layer.bits_out
    lane = int(lanes["m_axis_tdata"], 16) >> (bits * (first.channel % layer.pe))
    assert lane & ((1 << bits) - 1) == first.got & ((1 << bits) - 1) != first.expected & ((1 << bits) - 1)
