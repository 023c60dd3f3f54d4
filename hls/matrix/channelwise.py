"""What ops share that keep channels apart and have windows inside the image: ``depthwise_conv2d`` and pools.

A beat of the input and one of the output hold the same channels; a channel group is a group of ``qun_window`` with one
fold on either side.
"""

from __future__ import annotations

from collections.abc import Mapping

from quantunet.hls.design import Stream
from quantunet.hls.matrix.windows import Axis, Windows
from quantunet.hls.resources.parts import CREDITS
from quantunet.hls.resources.terms import Terms, counter_bits
from quantunet.ir import Array, Pair, Shape, window_places


def windows_of(source: Shape, kernel: Pair, stride: Pair, dilation: Pair, lanes: int) -> Windows:
    """Return the windows of a layer.

    Args:
        source: Shape of the input.
        kernel: Rows and columns of taps.
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns from one tap to the next.
        lanes: Channels of a beat.
    """
    rows, columns = (
        Axis(length, window_places(length, taps, hop, step), taps, hop, step, 1, taps - 1)
        for length, taps, hop, step in zip(source[:2], kernel, stride, dilation, strict=True)
    )
    groups = source[2] // lanes
    return Windows(rows, columns, groups, groups, groups)


def parameters(windows: Windows) -> dict[str, int]:
    """Return the parameters of a module that say which windows it has, but for its channels."""
    found = windows.parameters()
    names = ("Height", "Width", "KernelH", "KernelW", "StrideH", "StrideW", "DilationH", "DilationW", "RingPixels")
    return {name: found[name] for name in names}


def windows_in(params: Mapping[str, int]) -> Windows:
    """Return the windows that the parameters of a module say; a pool has no dilation."""
    pairs = {name: (params.get(f"{name}H", 1), params.get(f"{name}W", 1)) for name in ("Kernel", "Stride", "Dilation")}
    source = (params["Height"], params["Width"], params["Channels"])
    return windows_of(source, pairs["Kernel"], pairs["Stride"], pairs["Dilation"], params["Lanes"])


def rule_params(params: Mapping[str, int], latency: int) -> dict[str, int]:
    """Return what the rule of the schedule is given.

    Args:
        params: The module's parameters.
        latency: Cycles from the last tap of a window to its beat.
    """
    windows = windows_in(params)
    return windows.rule_params({**windows.parameters(), "RingPixels": params["RingPixels"]}, latency, CREDITS)


def needs(params: Mapping[str, int], target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs: the last one of its window."""
    return windows_in(params).needs


def taken(params: Mapping[str, int], left: Array, index: int) -> Array:
    """Return the beats taken: the windows that had credits, and the ring from the first pixel on that is still read."""
    return windows_in(params).taken(params["RingPixels"], left, CREDITS)


def add_windows(terms: Terms, windows: Windows, word: int) -> None:
    """Add ``qun_window`` to the terms of a module.

    Args:
        terms: Where to add it.
        windows: Its windows.
        word: Bits of a beat.
    """
    groups = windows.in_folds
    ring = counter_bits(windows.ring_pixels * groups)
    counters = sum(
        counter_bits(places)
        for places in (
            groups,
            groups,
            windows.rows.kernel,
            windows.columns.kernel,
            windows.rows.outputs,
            windows.columns.outputs,
        )
    )
    terms.add("lut", ring_address_bits=ring + 1, counter_bits=counters, window=1)
    terms.add("ff", registers=6 * ring + counters, window=1)
    terms.add_memory(word, windows.ring_pixels * groups)
