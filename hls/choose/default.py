"""The folding that a network gets when nobody chose one, and the reading of one that somebody did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from quantunet.documents import Fields, read_json
from quantunet.errors import FoldingError, WidthError
from quantunet.hls.choose.estimate import ADAPTER_PRICE, layer_cost, plumbing_terms
from quantunet.hls.design import STYLES, Fold, Style
from quantunet.hls.folding import Folding, candidates, check_layers, ideal_cycles
from quantunet.hls.resources.calibration import calibration
from quantunet.hls.resources.terms import Cost, area
from quantunet.ir import Graph, MatrixNode, Node

CYCLES_PER_PIXEL = 18
"""The default frame interval is this many cycles for every pixel of the network's input."""

MAX_LANES = 32
"""The default folding gives no convolution more than this as PE or SIMD: large networks take longer instead."""

ALIKE = 1.005
"""Estimated areas of a layer that differ by less than this factor are alike: the estimates are no better than that."""

PRICES = Path(__file__).with_name("default_prices.json")
"""What the default folding takes a term to cost: a calibration that stays as it is. A new one makes the estimates
better, and would change PE and SIMD of most layers for areas that differ by little; then no bitstream, no clock and no
count of cycles of a default folding would be that of the version before."""

_LANES = (-(1 << 31), (1 << 31) - 1)  # the constructor of Folding says which of these a layer may have


def default_interval(graph: Graph, style: Style = "folded-lut") -> int:
    """Return the frame interval, in cycles, that the default folding aims at; every layer has a fold that keeps it.

    Raises:
        WidthError: A layer's values are too wide for every fold.
    """
    return _interval(graph, [(node, _priced(graph, node, style)) for node in graph.nodes])


def _interval(graph: Graph, priced: Sequence[tuple[Node, Mapping[Fold, Cost]]]) -> int:
    height, width, _ = graph.tensor(graph.inputs[0]).shape
    interval = CYCLES_PER_PIXEL * height * width
    for node, folds in priced:
        narrow = [fold for fold in folds if max(fold.pe, fold.simd) <= MAX_LANES]
        usual = (narrow or folds) if isinstance(node, MatrixNode) else folds
        interval = max(interval, _least_cycles(graph, node, usual))
    return interval


def _least_cycles(graph: Graph, node: Node, folds: Iterable[Fold]) -> int:
    return min(ideal_cycles(graph, node, fold) for fold in folds)


def default_folding(
    graph: Graph,
    interval: int | None = None,
    style: Style = "folded-lut",
    given: Mapping[str, Fold] = MappingProxyType({}),
) -> Folding:
    """Choose for one layer after the other the fold with the least estimated area that keeps a frame interval.

    The estimate is that of :mod:`quantunet.hls.choose.estimate`, with the width adapters that the fold needs at its
    inputs. This looks at no later layer: :mod:`quantunet.hls.choose.solver` finds the least area of a whole network.
    Folds for which a layer's values are too wide are left out.

    Args:
        graph: The network.
        interval: The frame interval in cycles; ``None`` takes :func:`default_interval`, which every layer can keep.
        style: Of the convolutions.
        given: Folds that were chosen elsewhere, by layer; they need not keep the interval.

    Raises:
        FoldingError: A layer needs more cycles in every fold; names the slowest one, and the least interval of all. Or
            a given fold does not fit.
        WidthError: A layer's values are too wide for every fold.
    """
    priced: list[tuple[Node, Mapping[Fold, Cost]]] = []
    for node in graph.nodes:
        try:
            priced.append((node, _priced(graph, node, style)))
        except (FoldingError, WidthError):
            if node.name not in given:
                raise
    if interval is None:
        interval = _interval(graph, priced)
    least = {node.name: _least_cycles(graph, node, folds) for node, folds in priced if node.name not in given}
    slowest = max(least, key=lambda name: least[name], default="")
    if slowest and least[slowest] > interval:
        raise FoldingError(
            slowest,
            expected=f"a frame interval of at least {least[slowest]} cycles",
            got=str(interval),
            hint="It is the slowest layer, unfolded as far as it can be. Allow that interval, or give none.",
        )
    folding: dict[str, Fold] = {}
    lanes: dict[str, int] = {}
    for node, costs in priced:
        fitting = {fold: cost for fold, cost in costs.items() if ideal_cycles(graph, node, fold) <= interval}
        if fitting:
            fold = _smallest(graph, node, fitting, lanes)
            folding[node.name] = fold
            lanes[node.output] = fold.pe
    return Folding(graph, {**folding, **given})


def _priced(graph: Graph, node: Node, style: Style) -> dict[Fold, Cost]:
    """Return the estimated cost of every fold in which a layer can be built, in the order of the candidates.

    Raises:
        FoldingError: The layer cannot have the style.
        WidthError: Its values are too wide for every fold.
    """
    costs: dict[Fold, Cost] = {}
    refused: WidthError | None = None
    for fold in candidates(graph, node, (style,)):
        try:
            costs[fold] = layer_cost(graph, node, fold, calibration(PRICES))
        except WidthError as error:
            refused = refused or error  # of the narrowest fold: it says what no fold can have
    if not costs:
        raise refused or FoldingError(
            node.name, expected="another style", got=f"a {node.op} of the style {style}", hint="Use folded-lut."
        )
    return costs


def _smallest(graph: Graph, node: Node, costs: Mapping[Fold, Cost], lanes: Mapping[str, int]) -> Fold:
    """Return the fold with the least area, width adapters included; with more than :data:`MAX_LANES` only if it must.

    Of those whose areas are alike it is the one whose lanes differ least.

    Args:
        graph: The network.
        node: The layer.
        costs: The folds to choose from.
        lanes: Of the tensors that have been folded.
    """

    def size(fold: Fold) -> tuple[bool, float]:
        cost, adapters = costs[fold], 0
        for name in node.inputs:
            tensor = graph.tensor(name)
            mine = fold.lanes_in(tensor.shape[2])
            before = lanes.get(name, mine)
            cost += _adapter_cost(before, mine, tensor.qtype.bits)
            adapters += before != mine
        return max(fold.pe, fold.simd) > MAX_LANES, area(cost) + ADAPTER_PRICE * adapters

    sizes = {fold: size(fold) for fold in costs}
    wide, least = min(sizes.values())
    alike = [fold for fold, (too_wide, found) in sizes.items() if too_wide == wide and found <= ALIKE * least]
    return min(alike, key=lambda fold: (abs(fold.pe - fold.simd), sizes[fold]))


@lru_cache(maxsize=4096)
def _adapter_cost(in_lanes: int, out_lanes: int, bits: int) -> Cost:
    if in_lanes == out_lanes:
        return Cost()
    return calibration(PRICES).cost(plumbing_terms("width_adapter", InLanes=in_lanes, OutLanes=out_lanes, Bits=bits))


def read_folding(path: Path, graph: Graph, interval: int | None = None, style: Style = "folded-lut") -> Folding:
    """Read a folding and check it against a graph.

    Args:
        path: A JSON file as :func:`write_folding` makes it. Layers that it leaves out keep their default fold.
        graph: The network.
        interval: For the default folds, as in :func:`default_folding`.
        style: Of the layers that multiply and whose entry gives none.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is not such a JSON file.
        FoldingError: It does not fit the graph.
    """
    what = 'a folding, an object like {"layer": {"pe": 2, "simd": 4, "style": "folded-lut"}}'
    multiplying = {node.name for node in graph.nodes if node.multiplies}
    entries = Fields(read_json(path, what), str(path))
    check_layers(graph, entries, path)
    given = {name: _fold(entries.table(name), style if name in multiplying else "folded-lut") for name in entries}
    return default_folding(graph, interval, style, given)


def _fold(entry: Fields, default: Style) -> Fold:
    pe, simd = (entry.whole(key, *_LANES) for key in ("pe", "simd"))
    style = entry.choice("style", STYLES) if "style" in entry else default
    entry.finish()
    return Fold(pe, simd, style)
