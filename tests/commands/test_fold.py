"""``quantunet fold``: what it prints and writes, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest
from helpers.qonnx_files import SmallUnet

import quantunet.hls.choose
from quantunet import api
from quantunet.cli import main
from quantunet.constraints.device import of_family
from quantunet.hls.choose.default import read_folding
from quantunet.hls.schedule.depths import frame_interval
from quantunet.qonnx_import import load
from quantunet.random_network import random_unet


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return SmallUnet().write(tmp_path / "small.onnx")


def test_a_frame_rate_is_kept_and_the_file_says_how(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "folding.json"
    assert main(["fold", str(model), "--fps", "100000", "--clock-mhz", "50", "--out", str(out)]) == 0
    graph = load(model)
    folding = read_folding(out, graph)
    interval = frame_interval(graph, folding)
    assert interval <= 500
    printed = capsys.readouterr().out
    for node in graph.nodes:
        assert node.name in printed
    assert f"a frame every {interval} cycles: {50e6 / interval:.1f} a second at 50 MHz" in printed
    assert "proven best" in printed
    assert "error of the estimates: LUT" in printed
    assert "LUT places" in printed
    assert "the smallest ECP5 with room is the LFE5U-25F; the smallest board is ulx3s_85f" in printed


def test_no_layer_has_more_lanes_than_allowed(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    widest = []
    for limit in ("1", "2"):
        out = tmp_path / f"{limit}.json"
        assert main(["fold", str(model), "--budget", "bram=40", "--max-lanes", limit, "--out", str(out)]) == 0
        folds = json.loads(out.read_text(encoding="utf-8")).values()
        widest.append(max(max(fold["pe"], fold["simd"]) for fold in folds))
    assert widest == [1, 2]
    with pytest.raises(SystemExit, match="2"):
        main(["fold", str(model), "--interval", "500", "--max-lanes", "0"])
    assert "--max-lanes: must be 1 or more, not 0" in capsys.readouterr().err


def test_json_has_every_figure(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["fold", str(model), "--budget", "lut=6000,dsp=20,bram=30", "--styles", "folded-lut, folded-dsp"]
    assert main([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["budget"] == {"lut": 6000, "dsp": 20, "bram": 30}
    assert document["fits"] is True
    rows = [*document["layers"], *document["plumbing"]]
    for name in ("lut", "ff", "dsp", "bram"):
        assert document["total"][name] == sum(row[name] for row in rows)
        assert document["total"][name] <= document["budget"].get(name, 10**9)
    assert document["frame_interval"] == max(row["cycles"] for row in document["layers"])
    assert document["fps"] == pytest.approx(60e6 / document["frame_interval"], abs=1e-3)
    assert set(document["cost_model"]["errors"]) == {"lut", "ff", "dsp", "bram"}
    assert document["smallest_device"] == {"name": "LFE5U-25F", "boards": []}


def test_a_board_gives_95_percent_of_its_block_ram(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fold", str(model), "--interval", "1000", "--board", "ulx3s_85f", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["budget"] == {"lut": 83640, "ff": 83640, "dsp": 156, "bram": 197}


def only_device(monkeypatch: pytest.MonkeyPatch, **counts: int) -> None:
    """Leave no device but one, with other counts."""
    (*_, largest) = of_family("ecp5")
    changed = {name: dataclasses.replace(getattr(largest.budget, name), count=count) for name, count in counts.items()}
    device = dataclasses.replace(largest, budget=dataclasses.replace(largest.budget, **changed))
    monkeypatch.setattr("quantunet.constraints.device.devices", lambda: (device,))


def test_a_speed_without_a_budget_keeps_to_what_a_device_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least area alone takes six block RAMs; where no device has so many, another folding is taken."""
    graph = random_unet(base=4, depth=2, size=32)
    goal = api.fold_goal(interval=18 * 32 * 32)
    free = goal.search(graph)
    assert free.total.bram == 6
    only_device(monkeypatch, bram=6)
    found = goal.search(graph)
    assert found.total.bram <= 5 and not found.excess
    assert found.interval <= 18 * 32 * 32
    only_device(monkeypatch, lut=500)
    assert goal.search(graph).total == free.total, "nothing of this speed fits: the least area is still an answer"


def test_what_fits_no_device_says_by_how_much(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only_device(monkeypatch, lut=500)
    assert main(["fold", str(model), "--interval", "1000", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["smallest_device"] is None
    more = document["total"]["lut"] - 500
    assert main(["fold", str(model), "--interval", "1000"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    says = (
        f"fits no ECP5: of the largest, LFE5U-85F (ulx3s_85f), it needs {more} LUT more than the 500 that a design may"
    )
    assert more > 0 and says in printed


def test_a_board_of_another_family_is_pointed_out(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fold", str(model), "--interval", "1000", "--board", "arty_a7_100t"]) == 0
    assert "another device family (xc7)" in " ".join(capsys.readouterr().out.split())
    assert main(["fold", str(model), "--interval", "1000", "--board", "ulx3s_85f"]) == 0
    assert "family" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--fps or --interval, --budget or --board"),
        (["--budget", "luts=3"], "expected each of lut, ff, dsp, bram at most once, with a whole number, got 'luts=3'"),
        (["--budget", "lut=3,lut=4"], "got 'lut=4'"),
        (["--budget", "lut=-3"], "got 'lut=-3'"),
        (["--board", "nosuch"], "ulx3s_85f"),
        (["--interval", "100", "--styles", "magic"], "expected styles out of folded-lut, folded-dsp, constant"),
        (["--interval", "3"], "expected a frame interval of at least"),
        (["--budget", "lut=100"], "a budget in which the network fits"),
        (["--interval", "1000", "--budget", "lut=100"], "LUT of 100 (+"),
    ],
)
def test_what_cannot_be_ends_with_code_2_and_writes_nothing(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    out = tmp_path / "out" / "folding.json"
    assert main(["fold", str(model), "--out", str(out), *options]) == 2
    assert message in capsys.readouterr().err
    assert not out.parent.exists()


def test_a_frame_rate_outside_the_budget_says_which_one_fits(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fold", str(model), "--interval", "1000000", "--json"]) == 0
    least = json.loads(capsys.readouterr().out)["total"]
    budget = f"lut={int(1.02 * least['lut'])},dsp={least['dsp']}"
    assert main(["fold", str(model), "--fps", "250000", "--clock-mhz", "60", "--budget", budget]) == 2
    message = capsys.readouterr().err
    assert "Inside the budget it makes a frame every" in message


def test_without_or_tools_it_says_what_to_install(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "quantunet.hls.choose.solver", raising=False)
    monkeypatch.delattr(quantunet.hls.choose, "solver", raising=False)
    for name in ("ortools", "ortools.sat", "ortools.sat.python"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["fold", str(model), "--interval", "1000"]) == 2
    assert "expected the Python package ortools" in capsys.readouterr().err
