"""Foldings: how many multipliers each layer gets, and with that its cycles a frame."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from quantunet.errors import FoldingError
from quantunet.hls.design import STYLES, Fold, Style
from quantunet.ir import Graph, MatrixNode, Node
from quantunet.ops import OPS, op_of
from quantunet.storage import write_text
from quantunet.suggestions import hinted

MAX_CONSTANT_WEIGHTS = 9216
"""The most weights of a layer of the style ``constant``: finding the adders for more takes over two minutes."""


def ideal_cycles(graph: Graph, node: Node, fold: Fold) -> int:
    """Return the cycles in which a layer's busiest resource has work for one frame.

    For a convolution these are its multipliers, ``MACs / (PE * SIMD)``, or its input where a stride leaves them less to
    do than that; for every other op its busiest port.
    """
    source, target = graph.input_of(node), graph.output_of(node)
    if fold.style == "constant":
        return max(math.prod(tensor.shape[:2]) for tensor in (source, target))
    work = node.work(source.shape, target.shape)
    if node.tied_lanes:
        return work // fold.pe
    return max(work // (fold.pe * fold.simd), math.prod(source.shape) // fold.simd, math.prod(target.shape) // fold.pe)


def _divisors(value: int) -> list[int]:
    return [factor for factor in range(1, value + 1) if value % factor == 0]


def _lane_limits(graph: Graph, node: Node) -> tuple[int, int]:
    """Return what PE and SIMD must divide."""
    return node.lane_limits([graph.tensor(name).shape for name in node.inputs], graph.output_of(node).shape)


def candidates(graph: Graph, node: Node, styles: Collection[Style] = STYLES) -> list[Fold]:
    """Return every fold that a layer may have.

    Args:
        graph: The network.
        node: The layer.
        styles: Styles that a convolution may have; every other op has ``folded-lut``.
    """
    pe_limit, simd_limit = _lane_limits(graph, node)
    if node.tied_lanes:
        shapes = [(lanes, lanes) for lanes in _divisors(pe_limit)]
    else:
        shapes = [(pe, simd) for pe in _divisors(pe_limit) for simd in _divisors(simd_limit)]
    if not node.multiplies:
        return [Fold(pe, simd) for pe, simd in shapes]
    folds = [Fold(pe, simd, style) for style in STYLES if style in styles for pe, simd in shapes]
    unfolded = Fold(pe_limit, simd_limit, "constant")
    constant = _refusal_of_constant(node) is None
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
    if fold.style != "folded-lut" and not node.multiplies:
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
    refusal = _refusal_of_constant(node) if fold.style == "constant" else None
    if refusal is not None:
        raise refusal
    if node.tied_lanes and fold.pe != fold.simd:
        raise FoldingError(
            node.name, expected=f"PE equal to SIMD for {node.op}", got=f"PE {fold.pe} and SIMD {fold.simd}"
        )


def _refusal_of_constant(node: Node) -> FoldingError | None:
    """Return why a layer cannot have the style ``constant``; ``None`` where it can."""
    if "constant" not in op_of(node.op).styles or not isinstance(node, MatrixNode):
        return FoldingError(
            node.name,
            expected=f"{' or '.join(op.stem for op in OPS if 'constant' in op.styles)} for the style constant",
            got=f"a {node.op}",
            hint="Use folded-lut or folded-dsp.",
        )
    if not getattr(node, "native", True):
        return FoldingError(
            node.name,
            expected="a 3x3 same or 1x1 convolution at stride 1 in one group for the style constant",
            got="another geometry",
            hint="Use folded-lut or folded-dsp.",
        )
    weights = math.prod(node.weight.shape)
    if weights > MAX_CONSTANT_WEIGHTS:
        return FoldingError(
            node.name,
            expected=f"at most {MAX_CONSTANT_WEIGHTS} weights for the style constant",
            got=str(weights),
            hint="Use folded-lut or folded-dsp.",
        )
    return None


def check_layers(graph: Graph, names: Iterable[str], file: Path | None = None) -> None:
    """Check that names are those of layers.

    Args:
        graph: The network.
        names: The names.
        file: The file in which they are keys, if they come from one.

    Raises:
        FoldingError: A name is that of no layer.
    """
    layers = [node.name for node in graph.nodes]
    for name in names:
        if name not in layers:
            raise FoldingError(
                name if file is None else f"{file}, key '{name}'",
                expected=f"a layer of '{graph.name}'",
                got="an unknown name",
                hint=hinted(name, layers, "Remove the entry."),
            )


class Folding(Mapping[str, Fold]):
    """The fold of every layer of a network, by name; whoever holds one need not check it again.

    Args:
        graph: The network.
        folds: A fold for every layer.

    Raises:
        FoldingError: A layer is missing, unknown, or its fold does not fit.
    """

    def __init__(self, graph: Graph, folds: Mapping[str, Fold]) -> None:
        check_layers(graph, folds)
        for node in graph.nodes:
            if node.name not in folds:
                raise FoldingError(
                    node.name, expected="a fold for every layer", got="none", hint="Add 'pe' and 'simd'."
                )
            check_fold(graph, node, folds[node.name])
        self.graph = graph
        self._folds = dict(folds)

    @classmethod
    def of(cls, graph: Graph, folds: Mapping[str, Fold]) -> Folding:
        """Return a folding of a graph: what is one already as it is, other folds checked.

        Raises:
            FoldingError: As the constructor.
        """
        return folds if isinstance(folds, Folding) and folds.graph is graph else cls(graph, folds)

    def layer(self, name: str) -> Folding:
        """Return the folding of one layer alone, of the graph ``graph.layer(name)``.

        Raises:
            ModelError: There is no such layer.
        """
        alone = Folding.__new__(Folding)
        alone.graph, alone._folds = self.graph.layer(name), {name: self._folds[name]}
        return alone

    def __getitem__(self, name: str) -> Fold:
        return self._folds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._folds)

    def __len__(self) -> int:
        return len(self._folds)

    def __repr__(self) -> str:
        return f"Folding({self.graph.name}, {self._folds})"


def write_folding(path: Path, folding: Mapping[str, Fold]) -> None:
    """Write a folding as JSON with one line a layer, to be edited by hand.

    Raises:
        StorageError: The file cannot be written.
    """
    lines = [f'  "{name}": {_entry(fold)}' for name, fold in folding.items()]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _entry(fold: Fold) -> str:
    style = "" if fold.style == "folded-lut" else f', "style": "{fold.style}"'
    return f'{{"pe": {fold.pe}, "simd": {fold.simd}{style}}}'
