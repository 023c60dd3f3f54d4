"""What ops with windows inside the image have in common: the geometry of the layers of ``hls/csim/windows.py``."""

from __future__ import annotations

from quantunet.ir import Pair, Shape


def geometry(source: Shape, target: Shape, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> dict[str, object]:
    """Return the attributes of a layer that say which windows it has.

    Args:
        source: Shape of the input.
        target: Shape of the output.
        kernel: Rows and columns of taps.
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns from one tap to the next.
    """
    pairs = {"in": source, "out": target, "kernel": kernel, "stride": stride, "dilation": dilation}
    sizes = {f"{name}_{axis}": pair[i] for name, pair in pairs.items() for i, axis in enumerate(("height", "width"))}
    return {**sizes, "n_chan": source[2]}
