from __future__ import annotations

from pathlib import Path

import pytest

from quantunet.errors import FileFormatError, FoldingError, StorageError
from quantunet.hls.choose.default import PRICES, default_folding, default_interval, read_folding
from quantunet.hls.choose.estimate import ADAPTER_PRICE, layer_cost, plumbing_terms
from quantunet.hls.design import Fold, Style
from quantunet.hls.folding import Folding, candidates, check_fold, ideal_cycles, write_folding
from quantunet.hls.modules.table import cycles
from quantunet.hls.resources.calibration import calibration
from quantunet.hls.resources.terms import area
from quantunet.ir import Conv2d, QType
from quantunet.random_network import GraphBuilder, random_unet, random_windows
from quantunet.zoo import load_network

GRAPH = random_unet(base=4, depth=2, size=32)


def test_default_keeps_the_interval_with_the_least_estimated_area() -> None:
    folding = default_folding(GRAPH)
    Folding(GRAPH, folding)
    interval = default_interval(GRAPH)
    assert interval == 18 * 32 * 32
    lanes = {node.output: folding[node.name].pe for node in GRAPH.nodes}
    compared, prices = 0, calibration(PRICES)
    for node in GRAPH.nodes:
        areas = {}
        for fold in candidates(GRAPH, node, ("folded-lut",)):
            if ideal_cycles(GRAPH, node, fold) <= interval:
                cost, adapters = layer_cost(GRAPH, node, fold, prices), 0
                for name in node.inputs:
                    given = lanes.get(name, fold.simd)
                    if given != fold.simd:
                        bits = GRAPH.tensor(name).qtype.bits
                        cost += prices.cost(
                            plumbing_terms("width_adapter", InLanes=given, OutLanes=fold.simd, Bits=bits)
                        )
                        adapters += 1
                areas[fold] = area(cost) + ADAPTER_PRICE * adapters
        compared += len(areas)
        assert areas[folding[node.name]] == min(areas.values()), node.name
    assert compared > 2 * len(GRAPH.nodes)


def test_default_knows_the_price_of_every_term() -> None:
    """A term that a new calibration has and the prices of the default folding lack would end it with a KeyError."""
    frozen, present = calibration(PRICES), calibration()
    assert set(frozen.lut) == set(present.lut)
    assert set(frozen.ff) == set(present.ff)
    assert len(present.lut) > 40
    assert frozen.lut != present.lut


def test_a_new_calibration_leaves_the_default_folding_as_it_is() -> None:
    """The published foldings, clocks and bitstreams are of these folds of the shipped network."""
    folding = default_folding(load_network("tiny"))
    chosen = {name: (folding[name].pe, folding[name].simd) for name in ("enc1_conv1", "dec0_conv0", "head")}
    assert chosen == {"enc1_conv1": (2, 4), "dec0_conv0": (4, 4), "head": (1, 2)}


def test_default_limits_the_lanes() -> None:
    builder = GraphBuilder("wide", 8, 8, 128, QType(4, False, 3), seed=1)
    builder.matrix(Conv2d, "conv", "image", 128, 3, 4, QType(4, False, 3))
    wide = builder.build()
    fold = default_folding(wide)["conv"]
    assert max(fold.pe, fold.simd) <= 32
    assert fold.pe * fold.simd >= 512
    assert ideal_cycles(wide, wide.node("conv"), fold) <= default_interval(wide)


def test_ideal_cycles_are_those_of_the_modules() -> None:
    """The folding knows the cycles without the modules; each op's own prediction must say the same."""
    folding = default_folding(GRAPH)
    ideals = [cycles(GRAPH, node, folding[node.name]).ideal for node in GRAPH.nodes]
    assert ideals == [ideal_cycles(GRAPH, node, folding[node.name]) for node in GRAPH.nodes]
    assert len({node.op for node in GRAPH.nodes}) == 6


def test_shorter_interval_takes_more_multipliers() -> None:
    slow, fast = default_folding(GRAPH), default_folding(GRAPH, 9 * 32 * 32)
    assert fast["enc0_conv1"].pe * fast["enc0_conv1"].simd == 2 * slow["enc0_conv1"].pe * slow["enc0_conv1"].simd


@pytest.mark.parametrize("style", ["folded-lut", "folded-dsp", "constant"])
def test_candidates_are_the_folds_that_fit(style: Style) -> None:
    node = GRAPH.node("enc0_conv1")
    found = candidates(GRAPH, node, (style,))
    assert len(found) == len(set(found)) == (1 if style == "constant" else 9)
    for fold in found:
        assert fold.style == style
        check_fold(GRAPH, node, fold)
    assert candidates(GRAPH, GRAPH.node("pool0"), (style,)) == [Fold(1, 1), Fold(2, 2), Fold(4, 4)]


def test_windows_inside_the_frame_are_folded_and_not_constant() -> None:
    graph = random_windows()
    for node in graph.nodes:
        folds = candidates(graph, node)
        assert folds, node.name
        assert "constant" not in {fold.style for fold in folds}
        for fold in folds:
            assert ideal_cycles(graph, node, fold) == cycles(graph, node, fold).ideal, (node.name, fold)
    grouped = graph.node("grouped")
    assert {(fold.pe, fold.simd) for fold in candidates(graph, grouped)} == {(1, 1), (1, 2), (2, 1), (2, 2)}
    with pytest.raises(FoldingError, match="wide: expected a 3x3 same or 1x1 convolution .* got another geometry. Use"):
        check_fold(graph, graph.node("wide"), Fold(6, 4, "constant"))


def test_the_input_of_a_strided_convolution_can_be_its_busiest_part() -> None:
    builder = GraphBuilder("strided", 17, 16, 4, QType(4, False, 3), seed=1)
    builder.convolution("conv", "image", 4, (1, 1), 4, QType(4, False, 3), stride=(4, 4))
    graph = builder.build()
    node = graph.node("conv")
    assert ideal_cycles(graph, node, Fold(4, 1)) == 17 * 16 * 4
    assert ideal_cycles(graph, node, Fold(1, 1)) == 17 * 16 * 4 > 5 * 4 * 4 * 4
    assert ideal_cycles(graph, node, Fold(1, 4)) == 17 * 16


def test_styles_survive_the_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "folding.json"
    folding = {**default_folding(GRAPH), "enc0_conv0": Fold(2, 1, "folded-dsp"), "enc0_conv1": Fold(4, 4, "constant")}
    write_folding(path, folding)
    assert read_folding(path, GRAPH) == folding
    text = path.read_text(encoding="utf-8")
    assert '"enc0_conv1": {"pe": 4, "simd": 4, "style": "constant"}' in text
    assert text.count("style") == 2, "folded-lut goes without saying"


def test_interval_that_no_folding_keeps() -> None:
    with pytest.raises(FoldingError, match=r"enc0_conv0: expected a frame interval of at least 9216 cycles, got 1000"):
        default_folding(GRAPH, 1000)


def test_round_trip_and_partial_files(tmp_path: Path) -> None:
    path = tmp_path / "folding.json"
    folding = default_folding(GRAPH)
    write_folding(path, folding)
    assert read_folding(path, GRAPH) == folding
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(folding) + 2, "one line a layer"
    path.write_text('{"enc0_conv1": {"pe": 1, "simd": 4}}', encoding="utf-8")
    assert read_folding(path, GRAPH) == {**folding, "enc0_conv1": Fold(1, 4)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"pool0": {"pe": 4, "simd": 4, "style": "folded-dsp"}}', r"pool0: expected the style folded-lut"),
        ('{"enc0_conv1": {"pe": 2, "simd": 4, "style": "constant"}}', r"enc0_conv1: expected PE 4 and SIMD 4, all"),
        ('{"enc0_conv1": {"pe": 3, "simd": 4}}', r"enc0_conv1: .* PE that divides 4 channels, got 3. Use one of 1, 2"),
        ('{"enc0_conv1": {"pe": 4, "simd": 0}}', r"enc0_conv1: expected a SIMD that divides 4 channels, got 0"),
        ('{"pool0": {"pe": 2, "simd": 4}}', r"pool0: expected PE equal to SIMD"),
        ('{"nonsense": {"pe": 1, "simd": 1}}', r"key 'nonsense': expected a layer"),
    ],
)  # fmt: skip
def test_folding_that_does_not_fit(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "folding.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FoldingError, match=message):
        read_folding(path, GRAPH)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        '{"pool0": 2}',
        '{"pool0": {"pe": 1}}',
        '{"pool0": {"pe": true, "simd": 1}}',
        '{"enc0_conv1": {"pe": 4, "simd": 4, "style": "magic"}}',
        '{"enc0_conv1": {"pe": 4, "simd": 4, "stile": "constant"}}',
    ],
)
def test_damaged_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "folding.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError):
        read_folding(path, GRAPH)


def test_missing_file_and_missing_layer(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        read_folding(tmp_path / "none.json", GRAPH)
    with pytest.raises(FoldingError, match="sigmoid: expected a fold for every layer, got none"):
        Folding(GRAPH, {name: fold for name, fold in default_folding(GRAPH).items() if name != "sigmoid"})
