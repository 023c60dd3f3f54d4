from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantunet import api
from quantunet.cli import main
from quantunet.errors import FileFormatError, FoldingError
from quantunet.hls.choose import clock
from quantunet.hls.choose.clock import ClockModel, clock_model, features_of
from quantunet.hls.choose.default import default_folding
from quantunet.hls.design import Fold
from quantunet.hls.folding import Folding
from quantunet.ir import Conv2d, QType
from quantunet.random_network import GraphBuilder, random_unet

GRAPH = random_unet(base=4, depth=2, size=32)

MODEL = ClockModel(
    base_ns=1.0,
    ns={"levels": 1.0, "side": 0.03},
    fewer_ns=8.0,
    ranges={"levels": (1, 6), "side": (40, 200)},
    designs=9,
    median=0.02,
    worst=0.1,
)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ClockModel]:
    monkeypatch.setattr(clock, "clock_model", lambda: MODEL)
    yield MODEL


def test_a_period_is_the_sum_of_its_parts() -> None:
    assert MODEL.mhz({"levels": 3, "side": 200}) == pytest.approx(1000 / (1 + 3 + 6))
    assert MODEL.least_mhz({"levels": 3, "side": 200}) == pytest.approx(90)
    assert MODEL.mhz({"levels": 3, "side": 10}) == pytest.approx(1000 / (1 + 3 + 1.2)), "no smaller than the smallest"


def test_narrower_sums_than_those_of_the_fit_are_bound_by_what_was_routed() -> None:
    assert MODEL.mhz({"levels": 1, "side": 100}) == pytest.approx(1000 / (1 + 1 + 3))
    assert MODEL.mhz({"levels": 0.9, "side": 100}) == pytest.approx(125)
    assert MODEL.mhz({"levels": 0.9, "side": 200}) == pytest.approx(125)
    assert MODEL.mhz({"levels": 0, "side": 218}) == pytest.approx(1000 / (1 + 1 + 6.54))


@pytest.mark.parametrize("features", [{"levels": 6.1, "side": 100}, {"levels": 3, "side": 220}])
def test_what_was_not_routed_is_refused(features: dict[str, float]) -> None:
    with pytest.raises(FoldingError, match="like those that were routed") as caught:
        MODEL.mhz(features)
    assert "--clock-mhz" in str(caught.value)


def test_a_fifth_beyond_what_was_routed_is_taken() -> None:
    assert MODEL.mhz({"levels": 4, "side": 219}) < MODEL.mhz({"levels": 4, "side": 200})


def test_the_style_constant_is_refused() -> None:
    folding = default_folding(GRAPH)
    constant = Folding(GRAPH, {**folding, "enc0_conv1": Fold(4, 4, "constant")})
    with pytest.raises(FoldingError, match="enc0_conv1.*constant"):
        features_of(constant)


def test_levels_are_those_of_the_widest_sum() -> None:
    """A product in LUTs has as many rows as its narrower factor has bits, one in a hard multiplier is one row."""
    builder = GraphBuilder("one", 8, 8, 8, QType(5, False, 4), seed=1)
    builder.matrix(Conv2d, "conv", "image", 4, 3, 3, QType(4, False, 3))
    graph = builder.build()
    found = {
        (simd, style): features_of(Folding(graph, {"conv": Fold(2, simd, style)}), 400)["levels"]
        for simd in (1, 8)
        for style in ("folded-lut", "folded-dsp")
    }
    assert found == {
        (1, "folded-lut"): pytest.approx(math.log2(3)),
        (8, "folded-lut"): pytest.approx(math.log2(24)),
        (1, "folded-dsp"): 0,
        (8, "folded-dsp"): 3,
    }
    assert features_of(Folding(graph, {"conv": Fold(2, 1)}), 400)["side"] == 20


def test_an_interval_keeps_the_rate_at_the_clock_of_its_folding(model: ClockModel) -> None:
    goal = api.fold_goal(fps=4000)
    found = goal.search(GRAPH)
    assert goal.clock_of(found) == pytest.approx(model.least_mhz(features_of(found.folding, found.total.lut)))
    assert goal.clock_of(found) * 1e6 / found.interval >= 4000
    stated = api.fold_goal(fps=4000, clock_mhz=goal.clock_of(found)).search(GRAPH)
    assert stated.interval == found.interval


def test_no_board_but_that_of_the_model(model: ClockModel) -> None:
    with pytest.raises(FoldingError, match="ulx3s_85f"):
        api.fold_goal(fps=100, board="arty_a7_100t")
    assert api.fold_goal(fps=100, board="arty_a7_100t", clock_mhz=50).interval == 500_000


def test_a_rate_that_no_folding_has_says_so(model: ClockModel) -> None:
    with pytest.raises(FoldingError, match="frame interval"):
        api.fold_goal(fps=10_000_000).search(GRAPH)


def test_the_command_says_where_the_clock_comes_from(
    model: ClockModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fold", "tiny", "--fps", "1000"]) == 0
    assert "by a model of 9 routed designs" in " ".join(capsys.readouterr().out.split())
    assert main(["fold", "tiny", "--fps", "1000", "--freq", "50", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["clock_mhz"] == 50


def test_the_model_is_one_of_designs() -> None:
    found = clock_model()
    assert found.designs >= 4
    assert 0 < found.median <= found.worst < 0.25
    for name, (least, most) in found.ranges.items():
        assert least < most, name
    assert found.ranges["side"][1] ** 2 == pytest.approx(37783, rel=0.02)


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clock_model.json"
    path.write_text('{"format": "quantunet-clock-2", "base_ns": "fast"}', encoding="utf-8")
    clock_model.cache_clear()
    with pytest.raises(FileFormatError):
        clock_model(path)
    clock_model.cache_clear()
    assert math.isfinite(clock_model().base_ns)
