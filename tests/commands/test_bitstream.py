"""``quantunet bitstream``: a real bitstream of a very small network, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from helpers.page_reports import check_bitstream
from helpers.qonnx_files import SmallUnet

from quantunet.cli import main
from quantunet.commands import bitstream as command
from quantunet.hls.bitstream import flow, tools


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SmallUnet().write(tmp_path_factory.mktemp("model") / "small.onnx")


def test_a_small_network_becomes_a_bitstream(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Real tools: Yosys, and pip's nextpnr and ecppack. A clock that cannot be reached is then measured again."""
    arguments = ["bitstream", str(model), "--out", str(tmp_path), "--nextpnr", "pip", "--top", "measurement"]
    assert main([*arguments, "--freq", "40", "--verify"]) == 0
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "report.json").read_text())
    simulated = report["simulations"]
    assert [one["netlist"] for one in simulated] == ["synthesis", "place and route, seed 1"]
    for one in simulated:
        assert (one["frames"], one["mismatches"], one["problems"]) == (command.FRAMES, 0, [])
        assert one["values_compared"] == simulated[0]["values_compared"] > 0
        assert one["first_output"] == one["first_output_predicted"] > 0
        assert one["frame_ends"] == one["frame_ends_predicted"] != []
    assert (report["passed"], report["fits"], report["problems"]) == (True, True, [])
    assert (report["board"], report["device"], report["top"]) == ("ulx3s_85f", "LFE5U-85F-6BG381C", "qun_chip")

    cells = {one["kind"]: one for one in report["cells"]}
    assert cells["TRELLIS_COMB"]["available"] == 83640
    feeds = report["synthesis"]["carry_feeds"]
    places = report["synthesis"]["luteq"] + 2 * feeds + 2
    assert cells["TRELLIS_COMB"]["used"] == places == report["synthesis"]["lut_places"]
    assert feeds > 20
    assert cells["TRELLIS_FF"]["used"] == report["synthesis"]["ff"]
    assert cells["DP16KD"]["used"] == report["synthesis"]["bram"]

    (clock,) = report["clocks"]
    assert (clock["name"], clock["needed_mhz"], clock["passes"]) == ("clk", 40, True)
    assert 1000 / report["paths"]["by_kind"][0]["arrival_ns"] == pytest.approx(clock["mhz"], rel=1e-3)
    layers = {path["layer"] for path in report["paths"]["by_layer"]}
    assert {"conv", "pool", "up", "concat", "head", "sigmoid"} <= layers
    kinds = [path["kind"] for path in report["paths"]["by_kind"]]
    assert "multiply and add stage" in kinds

    data = (tmp_path / report["bitstream"]["file"]).read_bytes()
    assert len(data) == report["bitstream"]["bytes"] > 100_000
    assert hashlib.sha256(data).hexdigest() == report["bitstream"]["sha256"]
    assert b"LFE5U-85F" in data[:200]
    assert [step["cached"] for step in report["steps"]] == [False] * 3
    assert all(step["seconds"] >= 0 and step["memory_mib"] > 0 for step in report["steps"])
    for text in (
        "TRELLIS_COMB",
        "netlists simulated against golden",
        "multiply and add stage",
        str(tmp_path / "report.json"),
    ):
        assert text in printed

    assert main([*arguments, "--freq", "40", "--verify"]) == 0
    again = json.loads((tmp_path / "report.json").read_text())
    assert [step["cached"] for step in again["steps"]] == [True] * 3
    assert again["bitstream"] == report["bitstream"]
    capsys.readouterr()

    assert main([*arguments, "--freq", "900"]) == 1
    missed = json.loads((tmp_path / "report.json").read_text())
    assert (missed["passed"], missed["fits"]) == (False, True)
    assert [step["cached"] for step in missed["steps"]] == [True, False, False]
    assert "MHz, less than 900 MHz" in capsys.readouterr().out
    assert "too slow" in check_bitstream(tmp_path).words


def test_what_is_made_for_a_board_can_be_loaded_into_it(model: Path, tmp_path: Path) -> None:
    """Clock generator and serial port are in it, its clock is met, and the pins are those of the board."""
    assert main(["bitstream", str(model), "--out", str(tmp_path), "--nextpnr", "pip", "--freq", "60"]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    clocks = {clock["name"]: clock for clock in report["clocks"]}
    assert list(clocks) == ["core_clk"]
    assert clocks["core_clk"]["needed_mhz"] == pytest.approx(60, rel=1e-4)  # nextpnr counts whole picoseconds
    assert clocks["core_clk"]["passes"]
    assert report["top"].endswith("_ulx3s_85f")
    assert report["bitstream"]["bytes"] > 100_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--freq", "900"], "MHz"),
        (["--baud", "9000000"], "1 to 3000000"),
        (["--baud", "9600", "--top", "measurement"], "expected the top of a board"),
        (["--verify"], "--verify: expected --top measurement"),
        (["--board", "nosuch"], "The boards are:"),
        (["--board", "arty_a7_100t"], "Boards that have one: lifcl_40_evn, ulx3s_85f"),
        (["--board", "lifcl_40_evn"], "expected the oscillator's clock, 12 MHz"),
        (["--board", "lifcl_40_evn", "--top", "measurement", "--verify"], "--verify: expected a board with an ECP5"),
        (["--folding", "nosuch.json"], "nosuch.json"),
    ],
)
def test_bad_input_ends_with_code_2_and_writes_nothing(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    out = tmp_path / "out"
    assert main(["bitstream", str(model), "--out", str(out), *options]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_without_nextpnr_it_says_what_to_install(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "_is_installed", lambda module: False)
    assert main(["bitstream", str(model), "--out", str(tmp_path / "out")]) == 2
    assert "pip install 'quantunet[pnr]'" in capsys.readouterr().err


def test_a_report_of_an_earlier_run_does_not_survive_one_that_fails(model: Path, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")
    assert main(["bitstream", str(model), "--out", str(tmp_path), "--board", "arty_a7_100t"]) == 2
    assert not (tmp_path / "report.json").exists()


def test_a_model_is_named_once(model: Path) -> None:
    with pytest.raises(SystemExit):
        main(["bitstream", str(model), "--model", "tiny"])


def test_defaults_are_those_of_the_flow() -> None:
    assert command.TOOLS == tools.CHOICES
    assert set(command.TOPS) == {"board", "measurement"}
    assert command.TIME_LIMIT == flow.TIME_LIMIT


@pytest.mark.slow
def test_a_nexus_gets_its_bitstream(model: Path, tmp_path: Path) -> None:
    """The top of the CrossLink-NX board goes through nextpnr-nexus and prjoxide."""
    out = tmp_path / "out"
    arguments = ["--board", "lifcl_40_evn", "--freq", "12", "--nextpnr", "pip", "--out", str(out)]
    assert main(["bitstream", str(model), *arguments]) == 0
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    used = {cell["kind"]: cell["used"] for cell in report["cells"]}
    assert report["device"] == "LIFCL-40-9BG400C" and report["passed"]
    assert used["OXIDE_COMB"] > 500 and used["OXIDE_FF"] > 500
    assert [clock["passes"] for clock in report["clocks"]] == [True]
    assert report["paths"] is None and report["synthesis"]["carry_feeds"] == 0
    assert (out / report["bitstream"]["file"]).stat().st_size == report["bitstream"]["bytes"] > 100_000
