"""What a sheet has: all that is known of one hardware module, ``hls/modules/<stem>.py``.

A sheet is a Python module with the members below, without a default for any of them: :mod:`quantunet.hls.modules.table`
refuses one that lacks a member. ``params`` are always the whole-number parameters of the SystemVerilog module, by name.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.matrix.windows import Windows
from quantunet.hls.resources.parts import SLICE_BEATS
from quantunet.hls.resources.terms import Terms
from quantunet.ir import Array, Graph

Params = Mapping[str, int]


class Join(enum.Enum):
    """How a module reads its input streams."""

    NONE = "it has one"
    IN_TURN = "all of a pixel from the first, then all of it from the next"
    TOGETHER = "a beat of each at a time"


@dataclass(frozen=True)
class Timing:
    """How one layer works through a frame, in firings.

    Attributes:
        firings: Firings a frame.
        cost: Cycles between a firing and the next, at least: of all, or int64 ``(firings,)``.
        busy: Cycles from a firing's start until it is done with its pixels: of all, or int64 ``(firings,)``.
        needs: For each firing, the last input pixel that must have come.
        outputs: Output pixels that a firing makes.
        releases: For each input pixel, the firing after which its place is free.
        capacity: For each input, the pixels that the module can hold; of a join, while it waits for the other input.
        latency: Cycles of the pipeline: those of a frame without its work and without its first pixels.
        entry: For each input, the cycles after a pixel's last beat before the layer can use it.
        spare: Output beats that the module itself can hold.
    """

    firings: int
    cost: int | Array
    busy: int | Array
    needs: Array
    outputs: int
    releases: Array
    capacity: tuple[int, ...]
    latency: int
    entry: tuple[int, ...]
    spare: int


class Module(Protocol):
    """What every sheet has.

    Attributes:
        RULE: The rule of ``hls/schedule/cpp`` by which its beats move.
        JOIN: How it reads its inputs.
        WHOLE_PIXELS: Whether a beat of the output waits for all beats of the pixel that it needs last, and not only for
            those up to its own place.
    """

    RULE: str
    JOIN: Join
    WHOLE_PIXELS: bool

    def rule_params(self, params: Params) -> dict[str, int]:
        """Return what the rule is given: parameters, and constants of the module."""

    def needs(self, params: Params, target: Stream) -> Array:
        """Return the last input pixel that each pixel of the output's frame needs, int64 ``(pixels,)``."""

    def taken(self, params: Params, left: Array, index: int) -> Array:
        """Return the beats of an input that it has taken, at the least, when so many have left and it is blocked."""


class Layer(Module, Protocol):
    """What the sheet of an op of the graph has as well.

    Attributes:
        BURSTS: Whether it may take nothing for a while, a leg of a pixel or a row, and then needs beats faster than on
            the average. A stream of fewer lanes cannot follow such a burst unless its beats are widened before they
            wait. A convolution of native geometry takes its pixels evenly.
    """

    BURSTS: bool

    def emit(self, graph: Graph, node: Any, fold: Fold) -> Instance:
        """Return the module instance of a layer, with streams named like the tensors it reads and writes."""

    def cycles(self, graph: Graph, node: Any, fold: Fold) -> Cycles:
        """Return the predicted cycles of a layer for one frame."""

    def area(self, graph: Graph, node: Any, fold: Fold) -> Terms:
        """Return what a layer takes."""

    def timing(self, graph: Graph, node: Any, fold: Fold) -> Timing:
        """Return how a layer works through a frame."""


class Plumbing(Module, Protocol):
    """What the sheet of a module between the layers has as well."""

    def cycles(self, params: Params, beats: int) -> Cycles:
        """Return the cycles of a frame of so many input beats, when every reader is ready."""

    def area(self, params: Params) -> Terms:
        """Return what the module takes."""


def same_pixel(target: Stream) -> Array:
    """Return the needs of a module that makes each pixel of the one at its place."""
    return np.arange(target.shape[0] * target.shape[1], dtype=np.int64)


def beat_a_cycle(graph: Graph, node: Any, fold: Fold, latency: int) -> Cycles:
    """Return the cycles of a layer that gives a beat a cycle, each ``latency`` cycles after it could be made."""
    beats = math.prod(graph.output_of(node).shape) // fold.pe
    return Cycles(predicted=beats + latency, first_output=1 + latency, ideal=beats)


def pixelwise(
    graph: Graph, node: Any, fold: Fold, counts: Cycles, entry: tuple[int, ...] = (0,), capacity: tuple[int, ...] = (1,)
) -> Timing:
    """Return the timing of a layer that makes each pixel of those at its place, a beat a cycle."""
    height, width, channels = graph.output_of(node).shape
    pixels, beats = np.arange(height * width, dtype=np.int64), channels // fold.pe
    latency = counts.predicted - counts.ideal
    return Timing(len(pixels), beats, 1, pixels, 1, pixels, capacity, latency, entry, SLICE_BEATS)


def windowed(windows: Windows, latency: int, spare: int) -> Timing:
    """Return the timing of a layer with ``qun_window``: a firing is an output pixel.

    Args:
        windows: Its windows.
        latency: Cycles from the last tap of a fold to its beat.
        spare: Output beats that the module holds.
    """
    cost, needs, releases = windows.cost, windows.needs, windows.releases
    return Timing(len(cost), cost, cost, needs, 1, releases, (windows.ring_pixels,), latency, (1,), spare)


def moved(
    graph: Graph, node: Any, fold: Fold, counts: Cycles, needed: Array, releases: Array, capacity: int = 1
) -> Timing:
    """Return the timing of a layer that moves or joins pixels, a beat a cycle: a firing is an output pixel."""
    beats, latency = graph.output_of(node).shape[2] // fold.pe, counts.predicted - counts.ideal
    return Timing(len(needed), beats, 1, needed, 1, releases, (capacity,), latency, (0,), SLICE_BEATS)
