"""What a file means beside what a graph computes: the values of both, in the file's order of axes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import onnx
from helpers.qonnx_exact import Exact, Executor

from quantunet.golden.inference import run
from quantunet.ir import Array, Graph


def step(graph: Graph, name: str) -> Fraction:
    """The real value of the integer 1 of a tensor."""
    tensor = graph.tensor(name)
    return Fraction(2) ** -tensor.qtype.frac if tensor.unit is None else tensor.unit


def output_values(graph: Graph, codes: npt.NDArray[np.generic], *, last: bool = False) -> Exact:
    """What the integers of a graph's output stand for, ``(1, channels, height, width)``, or with the channels last."""
    integers = Exact.of(np.asarray(codes).astype(np.int64)).num
    channels = integers.shape[2]
    if graph.reading is None:
        values = Exact(integers, step(graph, graph.output))
    else:
        gain, offset = graph.reading.gain, graph.reading.offset
        parts = [[gain[c] * value + offset[c] for value in integers[..., c].ravel()] for c in range(channels)]
        flat = np.empty((channels, integers[..., 0].size), dtype=object)
        flat[:] = parts
        values = Exact.of(flat.T.reshape(integers.shape))
    order = values.num if last else values.num.transpose(2, 0, 1)
    return values.with_num(order[None])


def laid(values: Exact, shape: Sequence[int]) -> Exact:
    """The values in another shape, which differs by axes of size 1 alone."""
    kept = [[size for size in each if size != 1] for each in (values.shape, shape)]
    assert kept[0] == kept[1], f"a result of {values.shape}, expected {tuple(shape)}"
    return values.with_num(values.num.reshape(tuple(shape)))


def random_codes(graph: Graph, seed: int = 0) -> Array:
    """Random codes that the input's quantizer can make; its least and its greatest are among them."""
    tensor, pixels = graph.tensor(graph.input), graph.pixels
    low, high = pixels.bounds or (tensor.qtype.qmin, tensor.qtype.qmax)
    if pixels.narrow:
        low, high = (low + 1, high) if tensor.qtype.signed else (low, high - 1)
    rng = np.random.default_rng(seed)
    codes = rng.integers(low, high + 1, size=tensor.shape)
    codes.flat[: min(2, codes.size)] = [low, high][: min(2, codes.size)]
    if pixels.rounding == "bipolar":
        codes = np.where(codes >= 0, 1, -1)
    return codes


def input_of(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    """The one input that is no constant."""
    constants = {tensor.name for tensor in model.graph.initializer}
    (source,) = (value for value in model.graph.input if value.name not in constants)
    return source


def feed(model: onnx.ModelProto, graph: Graph, codes: Array) -> dict[str, Exact]:
    """Real numbers of which the file's input quantizer makes these codes."""
    source = input_of(model)
    channels, one = codes.shape[2], step(graph, graph.input)
    gain, offset = graph.pixels.gain or (Fraction(1),) * channels, graph.pixels.offset or (Fraction(0),) * channels
    flat = np.empty(codes.shape, dtype=object)
    for channel in range(channels):
        table = {code: (code * one - offset[channel]) / gain[channel] for code in set(codes[..., channel].flat)}
        flat[..., channel] = np.vectorize(table.__getitem__, otypes=[object])(codes[..., channel])
    dims = [dim.dim_value for dim in source.type.tensor_type.shape.dim]
    height, width, _ = codes.shape
    first = [size for size in dims[1:] if size != 1] == [size for size in (channels, height, width) if size != 1]
    laid_out = flat.transpose(2, 0, 1) if first else flat
    return {source.name: Exact.of(laid_out.reshape([1, *dims[1:]]))}


def compared(model: onnx.ModelProto, graph: Graph, seed: int = 0, *, last: bool | None = None) -> int:
    """Compare golden with the file on random codes, value by value.

    Args:
        model: The file.
        graph: What the product has made of it.
        seed: Of the codes.
        last: Whether the output has its channels last; found by its sizes unless given.

    Returns:
        How many values were compared; all are equal.
    """
    codes = random_codes(graph, seed)
    executor = Executor(model, feed(model, graph, codes))
    (expected,) = (executor[name] for name in executor.outputs)
    height, width, channels = graph.tensor(graph.output).shape
    if last is None:
        sizes = [size for size in expected.shape if size != 1]
        last = sizes != [size for size in (channels, height, width) if size != 1]
    got = laid(output_values(graph, run(graph, codes)[graph.output], last=last), expected.shape)
    differing = got.differing(expected)
    assert not differing, f"{differing} of {expected.num.size} values differ"
    return int(expected.num.size)
