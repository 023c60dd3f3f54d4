"""Foldings: how many multipliers each layer gets, and with that its cycles a frame."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quantunet.documents import Fields, read_json
from quantunet.errors import FoldingError, WidthError
from quantunet.hls.design import STYLES, Fold, Style
from quantunet.ir import Concat, Conv2d, ConvTranspose2d, Graph, Node
from quantunet.storage import write_text

if TYPE_CHECKING:
    from quantunet.hls.cost_model import Cost

Folding = Mapping[str, Fold]
"""The fold of every layer, by name."""

CYCLES_PER_PIXEL = 18
"""The default frame interval is this many cycles for every pixel of the network's input."""

MAX_LANES = 32
"""The default folding gives no convolution more than this as PE or SIMD: large networks take longer instead."""

_LANES = (-(1 << 31), (1 << 31) - 1)  # check_fold says which of these a layer may have

MAX_CONSTANT_WEIGHTS = 9216
"""The most weights of a layer of the style ``constant``: finding the adders for more takes over two minutes."""


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
        usual = (narrow or folds) if isinstance(node, Conv2d | ConvTranspose2d) else folds
        interval = max(interval, _least_cycles(graph, node, usual))
    return interval


def _least_cycles(graph: Graph, node: Node, folds: Iterable[Fold]) -> int:
    return min(ideal_cycles(graph, node, fold) for fold in folds)


def ideal_cycles(graph: Graph, node: Node, fold: Fold) -> int:
    """Return the cycles in which a layer's busiest resource has work for one frame.

    For a convolution these are its multipliers, ``MACs / (PE * SIMD)``; for every other op its busiest port.
    """
    source, target = graph.input_of(node), graph.output_of(node)
    if isinstance(node, Conv2d | ConvTranspose2d):
        height, width, channels_in = source.shape
        if fold.style == "constant":
            return max(height * width, target.shape[0] * target.shape[1])
        taps = node.weight.shape[0] * node.weight.shape[1]
        return height * width * taps * (channels_in // fold.simd) * (target.shape[2] // fold.pe)
    if isinstance(node, Concat):
        return math.prod(target.shape) // fold.pe
    return max(math.prod(source.shape), math.prod(target.shape)) // fold.pe


def _divisors(value: int) -> list[int]:
    return [factor for factor in range(1, value + 1) if value % factor == 0]


def _lane_limits(graph: Graph, node: Node) -> tuple[int, int]:
    """Return what PE and SIMD must divide."""
    source, target = graph.input_of(node), graph.output_of(node)
    if isinstance(node, Conv2d | ConvTranspose2d):
        return target.shape[2], source.shape[2]
    shared = math.gcd(*(graph.tensor(name).shape[2] for name in node.inputs), target.shape[2])
    return shared, shared


def candidates(graph: Graph, node: Node, styles: Collection[Style] = STYLES) -> list[Fold]:
    """Return every fold that a layer may have.

    Args:
        graph: The network.
        node: The layer.
        styles: Styles that a convolution may have; every other op has ``folded-lut``.
    """
    pe_limit, simd_limit = _lane_limits(graph, node)
    if not isinstance(node, Conv2d | ConvTranspose2d):
        return [Fold(lanes, lanes) for lanes in _divisors(pe_limit)]
    shapes = [(pe, simd) for pe in _divisors(pe_limit) for simd in _divisors(simd_limit)]
    folds = [Fold(pe, simd, style) for style in STYLES if style in styles for pe, simd in shapes]
    unfolded = Fold(pe_limit, simd_limit, "constant")
    constant = isinstance(node, Conv2d) and math.prod(node.weight.shape) <= MAX_CONSTANT_WEIGHTS
    return [fold for fold in folds if fold.style != "constant" or (constant and fold == unfolded)]


def check_fold(graph: Graph, node: Node, fold: Fold) -> None:
    """Check that a fold fits a layer.

    Raises:
        FoldingError: PE or SIMD do not divide the channels, or differ where the op has one lane count.
    """
    pe_limit, simd_limit = _lane_limits(graph, node)
    for what, value, limit in (("PE", fold.pe, pe_limit), ("SIMD", fold.simd, simd_limit)):
        if value < 1 or limit % value:
            allowed = ", ".join(str(divisor) for divisor in _divisors(limit))
            raise FoldingError(
                node.name,
                expected=f"a {what} that divides {limit} channels",
                got=str(value),
                hint=f"Use one of {allowed}.",
            )
    if fold.style not in STYLES:
        raise FoldingError(node.name, expected=f"a style out of {', '.join(STYLES)}", got=repr(fold.style))
    if fold.style != "folded-lut" and not isinstance(node, Conv2d | ConvTranspose2d):
        raise FoldingError(
            node.name,
            expected="the style folded-lut",
            got=fold.style,
            hint=f"A {node.op} has no multiplications to place.",
        )
    if fold.style == "constant" and (fold.pe, fold.simd) != (pe_limit, simd_limit):
        raise FoldingError(
            node.name,
            expected=f"PE {pe_limit} and SIMD {simd_limit}, all channels, for the style constant",
            got=f"PE {fold.pe} and SIMD {fold.simd}",
        )
    if fold.style == "constant":
        _check_constant(node)
    if not isinstance(node, Conv2d | ConvTranspose2d) and fold.pe != fold.simd:
        raise FoldingError(
            node.name, expected=f"PE equal to SIMD for {node.op}", got=f"PE {fold.pe} and SIMD {fold.simd}"
        )


def _check_constant(node: Node) -> None:
    if not isinstance(node, Conv2d):
        raise FoldingError(
            node.name,
            expected="a conv2d for the style constant",
            got=f"a {node.op}",
            hint="Use folded-lut or folded-dsp.",
        )
    weights = math.prod(node.weight.shape)
    if weights > MAX_CONSTANT_WEIGHTS:
        raise FoldingError(
            node.name,
            expected=f"at most {MAX_CONSTANT_WEIGHTS} weights for the style constant",
            got=str(weights),
            hint="Use folded-lut or folded-dsp.",
        )


def check_folding(graph: Graph, folding: Folding) -> None:
    """Check that a folding covers a graph exactly and divides everywhere.

    Raises:
        FoldingError: A layer is missing, unknown, or its fold does not divide.
    """
    names = {node.name for node in graph.nodes}
    for name in folding:
        if name not in names:
            raise FoldingError(
                name, expected=f"a layer of '{graph.name}'", got="an unknown name", hint="Remove the entry."
            )
    for node in graph.nodes:
        if node.name not in folding:
            raise FoldingError(node.name, expected="a fold for every layer", got="none", hint="Add 'pe' and 'simd'.")
        check_fold(graph, node, folding[node.name])


def default_folding(
    graph: Graph, interval: int | None = None, style: Style = "folded-lut", given: Collection[str] = ()
) -> dict[str, Fold]:
    """Choose for one layer after the other the fold with the least estimated area that keeps a frame interval.

    The estimate is that of :mod:`quantunet.hls.cost_model`, with the width adapters that the fold needs at its inputs.
    This looks at no later layer: :mod:`quantunet.hls.fold_solver` finds the least area of a whole network. Folds for
    which a layer's values are too wide are left out.

    Args:
        graph: The network.
        interval: The frame interval in cycles; ``None`` takes :func:`default_interval`, which every layer can keep.
        style: Of the convolutions.
        given: Layers whose fold was chosen elsewhere. One that has no fold that keeps the interval is left out.

    Returns:
        The fold of every layer, by name.

    Raises:
        FoldingError: A layer needs more cycles in every fold; names the slowest one, and the least interval of all.
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
    return folding


def _priced(graph: Graph, node: Node, style: Style) -> dict[Fold, Cost]:
    """Return the estimated cost of every fold in which a layer can be built, in the order of the candidates.

    Raises:
        FoldingError: The layer cannot have the style.
        WidthError: Its values are too wide for every fold.
    """
    # The cost model reads the parameters of the modules, and these check their folds here.
    from quantunet.hls.cost_model import layer_cost

    costs: dict[Fold, Cost] = {}
    refused: WidthError | None = None
    for fold in candidates(graph, node, (style,)):
        try:
            costs[fold] = layer_cost(graph, node, fold)
        except WidthError as error:
            refused = refused or error  # of the narrowest fold: it says what no fold can have
    if not costs:
        raise refused or FoldingError(
            node.name, expected="another style", got=f"a {node.op} of the style {style}", hint="Use folded-lut."
        )
    return costs


def _smallest(graph: Graph, node: Node, costs: Mapping[Fold, Cost], lanes: Mapping[str, int]) -> Fold:
    """Return the fold with the least area, width adapters included; with more than :data:`MAX_LANES` only if it must.

    Args:
        graph: The network.
        node: The layer.
        costs: The folds to choose from.
        lanes: Of the tensors that have been folded.
    """
    from quantunet.hls.cost_model import ADAPTER_PRICE, area, width_adapter_cost

    def order(fold: Fold) -> tuple[bool, float, int]:
        cost, adapters = costs[fold], 0
        for name in node.inputs:
            before = lanes.get(name, fold.simd)
            cost += width_adapter_cost(before, fold.simd, graph.tensor(name).qtype.bits)
            adapters += before != fold.simd
        return max(fold.pe, fold.simd) > MAX_LANES, area(cost) + ADAPTER_PRICE * adapters, abs(fold.pe - fold.simd)

    return min(costs, key=order)


def write_folding(path: Path, folding: Folding) -> None:
    """Write a folding as JSON with one line a layer, to be edited by hand.

    Raises:
        StorageError: The file cannot be written.
    """
    lines = [f'  "{name}": {_entry(fold)}' for name, fold in folding.items()]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _entry(fold: Fold) -> str:
    style = "" if fold.style == "folded-lut" else f', "style": "{fold.style}"'
    return f'{{"pe": {fold.pe}, "simd": {fold.simd}{style}}}'


def read_folding(path: Path, graph: Graph, interval: int | None = None, style: Style = "folded-lut") -> dict[str, Fold]:
    """Read a folding and check it against a graph.

    Args:
        path: A JSON file as :func:`write_folding` makes it. Layers that it leaves out keep their default fold.
        graph: The network.
        interval: For the default folds, as in :func:`default_folding`.
        style: Of the convolutions whose entry gives none.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is not such a JSON file.
        FoldingError: It does not fit the graph.
    """
    what = 'a folding, an object like {"layer": {"pe": 2, "simd": 4, "style": "folded-lut"}}'
    matrix = {node.name for node in graph.nodes if isinstance(node, Conv2d | ConvTranspose2d)}
    entries = Fields(read_json(path, what), str(path))
    given = {name: _fold(entries.table(name), style if name in matrix else "folded-lut") for name in entries}
    folding = {**default_folding(graph, interval, style, given), **given}
    check_folding(graph, folding)
    return folding


def _fold(entry: Fields, default: Style) -> Fold:
    pe, simd = (entry.whole(key, *_LANES) for key in ("pe", "simd"))
    style = entry.choice("style", STYLES) if "style" in entry else default
    entry.finish()
    return Fold(pe, simd, style)
