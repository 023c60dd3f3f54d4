"""The co-simulation as a whole, from the command line too."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.faults import flip_nibble
from helpers.page_reports import check_cosim
from helpers.rtl import BUILD_ROOT
from rich.console import Console

from quantunet.cli import main
from quantunet.errors import ImageError, ModelError, OptionError, ToolFailedError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.csim import simulation
from quantunet.hls.design import Cycles, Design
from quantunet.hls.generate import rtl_project
from quantunet.hls.modules import table
from quantunet.hls.schedule import exact
from quantunet.hls.schedule.exact import Schedule
from quantunet.ir import Graph
from quantunet.provenance import file_digest, graph_digest
from quantunet.random_network import random_image, random_unet
from quantunet.result_folder import network_folder
from quantunet.rtl_sim import layer_bench, network_bench, verilator
from quantunet.rtl_sim.cosim import LEGS, Leg, Options, cosim
from quantunet.rtl_sim.frames import adjacent_frames
from quantunet.rtl_sim.live_table import LiveTable
from quantunet.rtl_sim.report import BROKEN, FAILED, LEFT_OUT, PASSED, CosimReport, write
from quantunet.zoo import DEFAULT_NETWORK, network_path

GRAPH = random_unet(base=2, depth=1, size=16, seed=2, name="cosim_test")
FOLDING = default_folding(GRAPH)
BUILD = BUILD_ROOT.parent / "cosim"
LAYERS = ("enc0_conv0", "skip0_requant", "network")


def run(
    layers: tuple[str, ...] | None = LAYERS,
    image: np.ndarray | None = None,
    legs: tuple[Leg, ...] = LEGS,
    frames: int = 4,
    **kwargs: object,
) -> CosimReport:
    picture = random_image(GRAPH) if image is None else image
    options = Options(layers=layers, legs=legs, frames=frames, jobs=2, builds=BUILD_ROOT)
    return cosim(GRAPH, picture, FOLDING, BUILD / GRAPH.name / "cosim", options, **kwargs)  # type: ignore[arg-type]


def test_report_has_the_documented_fields_and_passes(tmp_path: Path) -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    table = LiveTable(console)
    report = run(progress=table.update)
    document, junit = write(report, tmp_path)
    table.summary(report)
    found = json.loads(document.read_text(encoding="utf-8"))
    assert found["passed"] is True, found
    assert [layer["name"] for layer in found["layers"]] == ["enc0_conv0", "skip0_requant"]
    for layer in found["layers"]:
        assert layer["values_compared"] == np.prod(layer["shape_out"]) > 0
        assert layer["hls_mismatches"] == layer["rtl_mismatches"] == 0
        assert layer["cycles"] == layer["cycles_predicted"]
        assert layer["first_output"] == layer["first_output_predicted"] > 0
        keys = {
            "op",
            "shape_in",
            "bits_w",
            "bits_in",
            "bits_out",
            "pe",
            "simd",
            "frames",
            "cycles_ideal",
            "first_output",
            "stalls",
            "seconds",
        }
        assert keys <= set(layer)
    network = found["network_rtl"]
    assert network["frames"] == 4
    assert network["values_compared"] == network["mask_pixels"] == 4 * 16 * 16
    assert network["first_output"] == network["first_output_predicted"] > 0
    assert [layer["name"] for layer in network["layers"]] == [node.name for node in GRAPH.nodes]
    for layer in network["layers"]:
        assert layer["mismatches"] == 0
        assert layer["values_compared"] == 4 * np.prod(GRAPH.output_of(GRAPH.node(layer["name"])).shape) > 0
        assert 0 < layer["first_cycle"] < layer["last_cycle"]
    assert network["mismatches"] == network["mask_mismatches"] == 0
    assert network["frame_interval"] == network["frame_interval_predicted"]
    assert all(fill <= depth for depth, fill in network["fifo_max_fill"].values())
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("3", "0")
    text = console.export_text()
    assert "PASSED" in text and "enc0_conv0" in text


def test_several_pictures_are_the_frames_of_the_network(tmp_path: Path) -> None:
    pictures = np.random.default_rng(4).integers(0, 256, (3, 32, 32), np.uint8)
    np.savez(tmp_path / "three.npz", images=pictures, masks=np.zeros_like(pictures))
    images = [f"{tmp_path / 'three.npz'}:{index}" for index in range(3)]
    command = ["cosim", "--model", "tiny", "--layers", "network", "--build", str(tmp_path / "build"), "--image"]
    assert main([*command, *images]) == 0
    (path,) = (tmp_path / "build").glob("*/cosim/report.json")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["image"] == f"{images[0]}, and 2 more"
    network = found["network_rtl"]
    assert (network["frames"], network["values_compared"], network["mismatches"]) == (3, 3 * 32 * 32, 0)
    assert network["frame_interval"] == network["frame_interval_predicted"]
    several = found["provenance"]["sha256"]["image"]
    assert main([*command, images[0], images[2], images[1]]) == 0
    assert json.loads(path.read_text(encoding="utf-8"))["provenance"]["sha256"]["image"] != several


def test_other_images_than_frames_are_refused() -> None:
    image = random_image(GRAPH)
    with pytest.raises(OptionError, match="frames: expected 2, a frame for each image, got 4"):
        run(("network",), others=[image[::-1]])
    report = run(("network",), frames=2, others=[image[::-1]])
    assert report.passed and report.network_rtl is not None
    assert report.network_rtl.values_compared == 2 * 16 * 16


def test_hls_difference_fails_and_names_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = simulation.run_layer

    def damaged(*args: object) -> np.ndarray:
        output = whole(*args)  # type: ignore[arg-type]
        output[3, 2, 1] ^= 1
        return output

    monkeypatch.setattr(simulation, "run_layer", damaged)
    report = run(("skip0_requant",))
    assert not report.passed
    ((name, problems, _),) = report.failures()
    assert name == "skip0_requant"
    assert problems[0].startswith("HLS: 1 of 512 values differ, first y=3 x=2 channel=1: expected")


def crash(*_: object, **__: object) -> None:
    raise ToolFailedError("the simulator", expected="a result", got="signal 11")


def test_a_report_says_where_nothing_was_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(simulation, "build_layer", crash)
    monkeypatch.setattr(layer_bench, "run_layer", crash)
    monkeypatch.setattr(network_bench, "run_network", crash)
    console = Console(width=160, record=True, file=io.StringIO())
    report = run()
    assert not report.passed and not report.differs
    for name, problems, _ in report.failures():
        legs = 1 if name == "network" else 2
        assert len(problems) == legs and all("signal 11" in problem for problem in problems)
    document, _ = write(report, tmp_path)
    found = json.loads(document.read_text(encoding="utf-8"))
    assert found["passed"] is False
    assert {(layer["hls"], layer["rtl"]) for layer in found["layers"]} == {(BROKEN, BROKEN)}
    assert found["network_rtl"]["rtl"] == BROKEN
    LiveTable(console).summary(report)
    assert "NOT COMPARED" in console.export_text()
    report.layers[0].rtl = FAILED
    assert report.differs, "a difference beside it stays one"


@pytest.mark.usefixtures("zoo")
def test_the_command_ends_with_2_where_a_tool_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(simulation, "build_layer", crash)
    arguments = ["cosim", "--layers", "skip0_requant", "--legs", "hls", "--build", str(tmp_path)]
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert "skip0_requant: expected every value compared, got HLS: the simulator: expected a result" in said.err
    assert "FAILED" not in said.out


def test_one_frame_and_one_leg() -> None:
    report = run(None, legs=("network",), frames=1)
    assert report.passed, report.failures()
    assert report.layers == []
    rtl = report.network_rtl
    assert rtl is not None
    assert (rtl.frames, rtl.frame_interval, rtl.values_compared) == (1, 0, 16 * 16)
    assert len(rtl.layers) == len(GRAPH.nodes)


def test_legs_that_are_left_out_do_not_count() -> None:
    report = run(("enc0_conv0", "network"), legs=("rtl",))
    assert report.passed, report.failures()
    assert report.network_rtl is None
    ((layer),) = report.layers
    assert (layer.hls, layer.rtl, layer.hls_mismatches) == (LEFT_OUT, PASSED, 0)
    assert layer.values_compared == np.prod(layer.shape_out)
    with pytest.raises(ModelError, match="at least one layer"):
        run(("network",), legs=("hls", "rtl"))


def test_cycles_that_were_not_predicted_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = table.cycles

    def slower(*args: object) -> Cycles:
        counts = whole(*args)  # type: ignore[arg-type]
        return replace(counts, predicted=counts.predicted + 1, first_output=counts.first_output + 2)

    original = exact.schedule

    def later(design: Design, frames: int) -> Schedule:
        found = original(design, frames)
        ends = tuple(end + number for number, end in enumerate(found.frame_ends))
        return replace(found, first_output=found.first_output + 3, frame_ends=ends)

    monkeypatch.setattr(table, "cycles", slower)
    for module in (exact, network_bench):  # the frames of the run, and those until it is steady
        monkeypatch.setattr(module, "schedule", later)
    report = run(("skip0_requant", "network"), legs=("rtl", "network"))
    assert not report.passed
    (_, alone, _), (name, whole_design, _) = report.failures()
    layer = report.layers[0]
    assert alone == [
        f"RTL: {layer.cycles} cycles, predicted {layer.cycles + 1}",
        f"RTL: {layer.first_output} cycles to the first output, predicted {layer.first_output + 2}",
    ]
    assert name == "network" and report.network_rtl is not None
    rtl, ideal = report.network_rtl, report.network_rtl.frame_interval_ideal
    assert whole_design == [
        f"RTL: {rtl.first_output} cycles to the first output, predicted {rtl.first_output + 3}",
        f"RTL: {rtl.frame_interval} cycles between frames, predicted {rtl.frame_interval + 1}",
        f"RTL: {ideal + 1} cycles between frames in the long run, {ideal} in the slowest layer",
    ]


def test_nothing_compared_fails() -> None:
    report = CosimReport("n", "verilator", "image", [], None)
    assert not report.passed


def test_another_image_needs_no_other_build(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(("enc0_conv0",)).passed

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(verilator, "_verilate", refuse)
    monkeypatch.setattr(simulation, "_gpp", refuse)
    assert run(("enc0_conv0",), image=255 - random_image(GRAPH)).passed


def test_adjacent_frames_start_with_the_image() -> None:
    image = random_image(GRAPH)[:, :, 0]
    frames = adjacent_frames(GRAPH, image, 5)
    assert np.array_equal(frames[0], image)
    assert np.array_equal(frames[1], 255 - image)
    assert np.array_equal(frames[4], image)


def test_unknown_layer_and_wrong_image() -> None:
    with pytest.raises(ModelError, match="nonsense"):
        run(("nonsense",))
    with pytest.raises(ModelError, match="at least one layer"):
        run(())
    with pytest.raises(ImageError):
        run(("network",), image=np.zeros((8, 8), dtype=np.int64))


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantunet.zoo.load_network", lambda name: GRAPH)


@pytest.mark.usefixtures("zoo")
def test_command_passes_on_the_built_in_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folding = tmp_path / "folding.json"
    code = main(["cosim", "--layers", "skip0_requant", "--build", str(BUILD), "--write-folding", str(folding)])
    output = capsys.readouterr().out
    assert code == 0, output
    assert "PASSED" in output
    folder = network_folder(BUILD, GRAPH) / "cosim"
    assert (folder / "junit.xml").is_file()
    made = json.loads((folder / "report.json").read_text(encoding="utf-8"))["provenance"]
    assert made["options"]["layers"] == "skip0_requant"
    assert made["versions"].keys() == {"python", "numpy", "onnx", "verilator", "cocotb", "g++", "hls4ml"}
    found = made["sha256"]
    assert found["graph"] == graph_digest(GRAPH)
    assert found["model"] == file_digest(network_path(DEFAULT_NETWORK)), "the command was told this name"
    assert found["image_file"] is None
    assert all(len(found[name]) == 64 for name in ("folding", "image", "rtl", "hls"))
    assert json.loads(folding.read_text(encoding="utf-8"))["skip0_requant"]
    assert "exact" in check_cosim(folder).words


@pytest.mark.usefixtures("zoo")
def test_command_fails_with_the_first_difference_and_a_waveform(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = layer_bench.layer_project

    def damaged(setup: layer_bench.Setup, name: str) -> rtl_project.RtlProject:
        project = whole(setup, name)
        flip_nibble(next(path for path in project.memories if "weight" in path.name), line=4)
        return project

    monkeypatch.setattr(layer_bench, "layer_project", damaged)
    code = main(["cosim", "--layers", "enc0_conv0", "--build", str(BUILD)])
    output = " ".join(capsys.readouterr().out.split())
    assert code == 1, output
    assert "enc0_conv0: RTL:" in output
    assert "expected" in output and "got" in output
    assert "enc0_conv0: waveform" in output and "wave.vcd" in output
    assert "FAILED" in output
    folder = network_folder(BUILD, GRAPH) / "cosim"
    page = check_cosim(folder)
    (layer,) = json.loads((folder / "report.json").read_text(encoding="utf-8"))["layers"]
    first = layer["rtl_first"]
    assert first["expected"] != first["got"]
    shown = [page.fact(name).value for name in ("y", "x", "channel", "golden", "RTL")]
    assert shown == [first[key] for key in ("y", "x", "channel", "expected", "got")]
    assert str(layer["waveform_cycle"]) in page.words
    assert all(signal in page.words for signal in ("s_axis_tdata", "m_axis_tvalid", "m_axis_tready"))


@pytest.mark.usefixtures("zoo")
@pytest.mark.parametrize("differs", [False, True])
def test_a_tool_that_fails_is_no_difference(
    differs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(*args: object, **kwargs: object) -> None:
        raise ToolFailedError("bench", expected="cocotb tests that run and pass", got="none ran, exit code -11")

    def simulated(graph: Graph, name: str, program: Path, tensors: dict[str, np.ndarray]) -> np.ndarray:
        output = tensors[graph.node(name).output].copy()
        output[0, 0, 0] ^= differs
        return output

    monkeypatch.setattr(verilator, "prepare", lambda: None)
    monkeypatch.setattr(layer_bench, "run_layer", crash)
    monkeypatch.setattr(network_bench, "run_network", crash)
    monkeypatch.setattr(simulation, "build_layer", lambda *args: Path("unused"))
    monkeypatch.setattr(simulation, "run_layer", simulated)
    assert main(["cosim", "--layers", "skip0_requant,network", "--build", str(tmp_path)]) == (1 if differs else 2)
    found = json.loads(next(tmp_path.rglob("report.json")).read_text(encoding="utf-8"))
    (layer,) = found["layers"]
    assert (found["passed"], layer["rtl"], found["network_rtl"]["rtl"]) == (False, BROKEN, BROKEN)
    assert (layer["hls"], layer["hls_mismatches"], layer["rtl_mismatches"]) == (
        FAILED if differs else PASSED,
        differs,
        0,
    )
    output = " ".join(capsys.readouterr().out.split())
    assert "skip0_requant: RTL: bench: expected cocotb tests that run and pass, got none ran" in output
    assert ("FAILED" in output, "NOT COMPARED" in output) == (differs, not differs)


@pytest.mark.usefixtures("zoo")
def test_command_runs_the_legs_that_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cosim", "--legs", "network", "--frames", "1", "--build", str(BUILD)]) == 0
    output = " ".join(capsys.readouterr().out.split())
    page = check_cosim(network_folder(BUILD, GRAPH) / "cosim")
    assert len(page.pictures) == 3
    assert f"1 frame, 256 values, mask 256 pixels; inside it {len(GRAPH.nodes)} layers" in output
    assert "frame interval" not in output
    with pytest.raises(SystemExit):
        main(["cosim", "--legs", "network,vhdl"])
    assert "expected some of hls, rtl, network" in capsys.readouterr().err


@pytest.mark.usefixtures("zoo")
@pytest.mark.parametrize(
    "options",
    [
        ("--folding", "none.json"),
        ("--interval", "3"),
        ("--image", "none.png"),
        ("--layers", "nosuch"),
        ("--layers", "network", "--legs", "rtl"),
    ],
)
def test_a_run_that_fails_leaves_no_report_of_an_earlier_one(tmp_path: Path, options: tuple[str, ...]) -> None:
    folder = network_folder(tmp_path, GRAPH) / "cosim"
    folder.mkdir(parents=True)
    for name in ("report.json", "junit.xml", "kept.txt"):
        (folder / name).write_text('{"passed": true}', encoding="utf-8")
    assert main(["cosim", "--build", str(tmp_path), *options]) == 2
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["kept.txt"]


def test_the_report_names_the_file_of_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "image.png"
    assert main(["phantom", str(picture), "--size", "32"]) == 0
    options = ["--layers", "pool0", "--legs", "hls", "--build", str(tmp_path / "build")]
    assert main(["cosim", "--model", "tiny", "--image", str(picture), *options]) == 0
    (path,) = (tmp_path / "build").glob("tiny-????????/cosim/report.json")
    found = json.loads(path.read_text(encoding="utf-8"))["provenance"]["sha256"]
    assert found["image_file"] == file_digest(picture)
    assert found["model"] == file_digest(network_path("tiny"))
    assert found["rtl"] is None
    assert found["hls"] is not None


def test_sources_are_those_that_were_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = layer_bench.layer_project
    sound = run(("enc0_conv0",), legs=("rtl",)).sources
    assert sound == run(("enc0_conv0",), legs=("rtl",)).sources
    assert (sound["rtl"] is not None, sound["hls"]) == (True, None)

    def damaged(setup: layer_bench.Setup, name: str) -> rtl_project.RtlProject:
        project = whole(setup, name)
        flip_nibble(next(path for path in project.memories if "weight" in path.name), line=4)
        return project

    monkeypatch.setattr(layer_bench, "layer_project", damaged)
    report = run(("enc0_conv0",), legs=("rtl",))
    assert not report.passed
    assert report.sources["rtl"] != sound["rtl"]


@pytest.mark.usefixtures("zoo")
def test_command_refuses_a_folding_that_does_not_divide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folding = tmp_path / "folding.json"
    folding.write_text('{"enc0_conv0": {"pe": 7, "simd": 1}}', encoding="utf-8")
    code = main(["cosim", "--folding", str(folding), "--build", str(tmp_path / "build")])
    assert code == 2
    assert "enc0_conv0: expected a PE that divides" in capsys.readouterr().err
    assert not (tmp_path / "build").exists(), "nothing half-written"
