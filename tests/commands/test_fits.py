"""``quantunet fits``: which networks fit which devices, by estimates and by syntheses."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from helpers.qonnx_files import SmallUnet

from quantunet.cli import main
from quantunet.constraints.device import Device, of_family
from quantunet.hls.choose.default import default_folding
from quantunet.hls.choose.estimate import estimate
from quantunet.hls.fit import Synthesiser, fit
from quantunet.hls.resources.terms import Cost
from quantunet.hls.schedule.depths import frame_interval
from quantunet.ir import Graph
from quantunet.qonnx_import import load
from quantunet.random_network import random_unet

UNET = random_unet(base=4, depth=2, size=32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return SmallUnet().write(tmp_path / "small.onnx")


def device(family: str = "ecp5", **counts: int) -> Device:
    """Return the largest device of a family with other counts."""
    (*_, largest) = of_family(family)
    changed = {name: dataclasses.replace(getattr(largest.budget, name), count=count) for name, count in counts.items()}
    return dataclasses.replace(largest, budget=dataclasses.replace(largest.budget, **changed))


def default_total(graph: Graph) -> Cost:
    return sum((item.cost for item in estimate(graph, default_folding(graph))), Cost())


def test_the_default_folding_the_fastest_that_fits_or_what_is_short(tmp_path: Path) -> None:
    total, interval = default_total(UNET), frame_interval(UNET, default_folding(UNET))
    synthesiser = Synthesiser(tmp_path)
    found = fit(UNET, device(lut=total.lut), synthesiser)
    assert (found.folding, found.interval, found.lacks, found.counted) == ("default", interval, {}, "estimate")
    assert found.amounts == total.amounts
    assert found.shares["lut"] == 100
    slower = fit(UNET, device(lut=total.lut - 500), synthesiser)
    assert (slower.folding, slower.lacks) == ("fastest", {})
    assert slower.amounts["lut"] <= total.lut - 500
    nothing = fit(UNET, device(lut=3000), synthesiser)
    assert (nothing.folding, list(nothing.lacks)) == ("closest", ["lut"])
    assert nothing.lacks["lut"] == nothing.amounts["lut"] - 3000 > 0
    assert not (tmp_path / "cache").exists(), "nothing was synthesised"


def test_another_family_is_counted_by_synthesis(model: Path, tmp_path: Path) -> None:
    graph = load(model)
    found = fit(graph, device("xc7"), Synthesiser(tmp_path, jobs=2))
    assert (found.folding, found.counted, found.lacks) == ("default", "synthesis", {})
    assert found.amounts != default_total(graph).amounts
    assert 300 < found.amounts["lut"] < 3000
    assert len(list((tmp_path / "cache").glob("*.json"))) > 5
    again = fit(graph, device("xc7", lut=found.amounts["lut"] - 1), Synthesiser(tmp_path))
    assert again.folding == "closest" or (again.folding == "fastest" and again.counted == "synthesis")


def test_the_command_prints_a_row_for_each_device(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["fits", str(model), "--devices", "LFE5U-25F, LFE5U-85F", "--clock-mhz", "50"]
    assert main([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["device"], row["boards"], row["fits"]) for row in rows] == [
        ("LFE5U-25F", [], True), ("LFE5U-85F", ["ulx3s_85f"], True)
    ]  # fmt: skip
    for row in rows:
        assert row["fps"] == round(50e6 / row["frame_interval"], 3)
        assert row["lut_percent"] == round(
            100 * row["lut"] / {"LFE5U-25F": 24288, "LFE5U-85F": 83640}[row["device"]], 3
        )
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "LFE5U-85F (ulx3s_85f)" in printed and "50 MHz" in printed
    assert main(["fits", str(model), "--devices", "none"]) == 2
    assert "LIFCL-40" in capsys.readouterr().err
