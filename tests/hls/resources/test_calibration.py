"""The cost model against syntheses, and what must hold of it without any."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks import calibrate_cost
from helpers.layers import matrix

from quantunet.errors import FileFormatError
from quantunet.hls.choose.estimate import layer_cost, layer_terms, plumbing_cost, plumbing_terms, width_adapter_cost
from quantunet.hls.design import Fold
from quantunet.hls.folding import candidates
from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_sources
from quantunet.hls.resources.calibration import COEFFICIENTS, calibration
from quantunet.hls.resources.terms import Cost, area
from quantunet.hls.synth import flow, yosys
from quantunet.hls.synth.yosys import Job, Synthesis
from quantunet.ir import Conv2d, Graph, MatrixNode, QType
from quantunet.random_network import random_unet

GRAPH = random_unet(base=4, depth=2, size=32)


def conv(pe_channels: int = 16, seed: int = 5) -> Graph:
    """Return a convolution that is none of the calibration's samples."""
    types = (QType(4, False, 3), QType(4, True, 3), QType(4, False, 2))
    return matrix(Conv2d, "conv", (8, 24, 16), pe_channels, 3, types, seed=seed)


def synthesise(graph: Graph, fold: Fold, folder: Path) -> Synthesis:
    (node,) = graph.nodes
    (part,) = flow.write_rtl(graph, {node.name: fold}, folder, [node.name])
    (result,) = yosys.synthesise([part.job], folder / "cache")
    return result


def test_the_calibration_is_of_the_locked_tool() -> None:
    assert yosys.version() in calibration().tool


@pytest.mark.slow
def test_the_calibration_fits_its_samples(tmp_path: Path) -> None:
    """Every ninth sample, of each kind of module, is synthesised again and held against the calibration."""
    chosen = calibrate_cost.samples(tmp_path / "rtl")[::9]
    results = yosys.synthesise([sample.job for sample in chosen], tmp_path / "cache", processes=2)
    errors: dict[str, list[float]] = {resource: [] for resource in ("lut", "ff", "bram", "dsp")}
    for sample, result in zip(chosen, results, strict=True):
        predicted = calibration().cost(sample.terms)
        for resource, found in errors.items():
            found.append(calibrate_cost._error(predicted, result, resource))
    assert len(errors["lut"]) >= 14
    assert len({sample.group for sample in chosen}) >= 6
    for resource in ("lut", "ff"):
        assert np.median(errors[resource]) <= 0.10
        assert max(errors[resource]) <= 0.30
    assert errors["bram"] == errors["dsp"] == [0.0] * len(chosen)


@pytest.mark.parametrize(
    "fold", [Fold(2, 4), Fold(4, 4, "folded-dsp"), Fold(1, 2, "folded-dsp")], ids=lambda fold: f"{fold.pe} {fold.style}"
)
def test_a_layer_that_the_fit_has_not_seen(tmp_path: Path, fold: Fold) -> None:
    graph = conv()
    predicted = layer_cost(graph, graph.node("conv"), fold)
    measured = synthesise(graph, fold, tmp_path).usage
    assert predicted.lut == pytest.approx(measured.lut, rel=0.3)
    assert predicted.ff == pytest.approx(measured.ff, rel=0.3)
    assert (predicted.dsp, predicted.bram) == (measured.dsp, measured.bram)


@pytest.mark.parametrize(
    ("module", "parameters"),
    [
        ("qun_fork", {"Bits": 24, "Outputs": 2}),
        ("qun_fifo", {"Bits": 20, "Depth": 60}),
        ("qun_fifo", {"Bits": 20, "Depth": 60, "FrameBeats": 1000}),
        ("qun_fifo", {"Bits": 12, "Depth": 200, "FrameBeats": 1000}),
        ("qun_fifo", {"Bits": 40, "Depth": 3000, "FrameBeats": 16384}),
        ("qun_width_adapter", {"InLanes": 2, "OutLanes": 8, "Bits": 5}),
    ],
    ids=("fork", "fifo", "fifo that counts", "distributed fifo", "deep fifo", "width_adapter"),
)
def test_plumbing_that_the_fit_has_not_seen(tmp_path: Path, module: str, parameters: dict[str, int]) -> None:
    predicted = plumbing_cost(module.removeprefix("qun_"), **parameters)
    job = Job(module, module, library_sources({module}), RTL_FOLDER, parameters=tuple(parameters.items()))
    (result,) = yosys.synthesise([job], tmp_path / "cache")
    measured = result.usage
    assert abs(predicted.lut - measured.lut) <= 0.3 * max(measured.lut, 30)
    assert abs(predicted.ff - measured.ff) <= 0.3 * max(measured.ff, 30)
    assert (predicted.dsp, predicted.bram) == (measured.dsp, measured.bram)


def test_every_term_was_fitted() -> None:
    fitted, met = calibration(), set()
    for node in GRAPH.nodes:
        for fold in candidates(GRAPH, node):
            terms = layer_terms(GRAPH, node, fold)
            assert set(terms.lut) <= set(fitted.lut)
            assert set(terms.ff) <= set(fitted.ff)
            met |= set(terms.lut)
    for depth in (2, 16, 17, 4000):
        assert set(plumbing_terms("fifo", Bits=20, Depth=depth).lut) <= set(fitted.lut)
    assert len(met) > 20


def test_more_lanes_never_take_less() -> None:
    compared = 0
    for node in GRAPH.nodes:
        if isinstance(node, MatrixNode):
            costs = {fold: layer_cost(GRAPH, node, fold) for fold in candidates(GRAPH, node, ("folded-lut",))}
            # A wider ring of distributed RAM is less deep: fewer pieces are joined.
            joined = {fold: layer_terms(GRAPH, node, fold).lut.get("joined_bits", 0) for fold in costs}
            for fold, cost in costs.items():
                for wider in (Fold(2 * fold.pe, fold.simd), Fold(fold.pe, 2 * fold.simd)):
                    if wider not in costs or joined[wider] < joined[fold]:
                        continue
                    if node.weight.array.size == wider.pe * wider.simd:
                        continue  # one word of weights: products by constants, which are smaller
                    if fold.pe * fold.simd > 1 and costs[wider].bram == cost.bram:
                        compared += 1
                        # Weights of another shape may become a little smaller as logic.
                        assert area(costs[wider]) > 0.97 * area(cost), (node.name, fold, wider)
    assert compared > 10


def test_wider_values_take_more() -> None:
    costs = []
    for bits in (2, 4, 6, 8):
        types = (QType(bits, False, 3), QType(bits, True, 3), QType(4, False, 2))
        graph = matrix(Conv2d, "conv", (8, 8, 8), 8, 3, types)
        costs.append(layer_cost(graph, graph.node("conv"), Fold(4, 4)))
    assert [cost.lut for cost in costs] == sorted({cost.lut for cost in costs})
    assert [cost.ff for cost in costs] == sorted({cost.ff for cost in costs})


def test_hard_multipliers_replace_luts_and_hold_two_products_where_they_fit() -> None:
    graph = conv()
    soft, hard = (layer_cost(graph, graph.node("conv"), Fold(4, 4, style)) for style in ("folded-lut", "folded-dsp"))
    assert (soft.dsp, hard.dsp) == (0, 8)
    assert hard.lut < soft.lut
    wide = matrix(Conv2d, "conv", (8, 8, 8), 8, 3, (QType(8, False, 3), QType(8, True, 3), QType(4, False, 2)))
    assert layer_cost(wide, wide.node("conv"), Fold(4, 4, "folded-dsp")).dsp == 16


def test_no_adapter_costs_nothing() -> None:
    assert width_adapter_cost(4, 4, 8) == Cost()
    assert width_adapter_cost(4, 8, 8).ff > 0


def test_a_damaged_calibration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cost.json"
    document = json.loads(COEFFICIENTS.read_text(encoding="utf-8"))
    for text in ("", "{}", json.dumps({**document, "format": "other"}), json.dumps({**document, "lut": 3})):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(FileFormatError, match=r"calibrate_cost"):
            calibration(path)
    with pytest.raises(FileFormatError):
        calibration(tmp_path / "none.json")
