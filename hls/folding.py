"""Foldings: how many multipliers each layer gets, and with that its cycles a frame."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path

from quantunet.errors import FoldingError
from quantunet.hls.design import STYLES, Fold, Style
from quantunet.ir import Concat, Conv2d, ConvTranspose2d, Graph, Node
from quantunet.storage import write_text

Folding = Mapping[str, Fold]
"""The fold of every layer, by name."""

MAX_CONSTANT_WEIGHTS = 9216
"""The most weights of a layer of the style ``constant``: finding the adders for more takes over two minutes."""


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
