"""What ``predict()`` and ``trace()`` of a model return: golden's integers, in the real values of their types."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from quantunet import golden
from quantunet.errors import ShapeError
from quantunet.hls.plugin.precision import rule_of
from quantunet.hls.plugin.reader import Compiled
from quantunet.hls.plugin.reading import AS_IT_IS, Layout
from quantunet.ir import Array, Graph, Tensor
from quantunet.values import Rule, step_of

Reals = npt.NDArray[np.floating]


def codes_of(values: Reals, rule: Rule) -> Array:
    """Return real inputs as integers, as the declared type of the input says: hls4ml's C++ converts them in this way.

    Args:
        values: Finite real values.
        rule: What the conversion does.

    Returns:
        int64 of the same shape.
    """
    step = float(rule.step)
    scaled = np.asarray(values, dtype=np.float64) / step  # a power of two: exact
    unique, where = np.unique(scaled, return_inverse=True)
    codes = np.array([rule.rounding(Fraction(value)) for value in unique.tolist()], dtype=object)
    if rule.wraps and rule.declared is not None:
        qtype = rule.declared.qtype
        codes = (codes - qtype.qmin) % (1 << qtype.bits) + qtype.qmin
    else:
        codes = np.minimum(np.maximum(codes, rule.low), rule.high)
    return codes.astype(np.int64)[where.reshape(-1)].reshape(scaled.shape)


def samples(graph: Graph, values: Reals, layout: Layout = AS_IT_IS) -> Reals:
    """Return inputs one by one, ``(samples, height, width, channels)``.

    Args:
        graph: The network.
        values: Inputs of any shape that holds whole samples.
        layout: How their values lie.

    Raises:
        ShapeError: Their number of values is no multiple of the input's.
    """
    tensor = graph.tensor(graph.input)
    array = np.asarray(values)
    if array.size == 0 or array.size % int(np.prod(tensor.shape)):
        raise ShapeError(
            tensor.name, expected=f"inputs of {'x'.join(map(str, tensor.shape))} values", got=str(array.shape)
        )
    return _transposed(array, layout).reshape(-1, *tensor.shape)


def _transposed(values: Reals, layout: Layout) -> Reals:
    if not layout.perm:
        return values
    return values.reshape(-1, *layout.shape).transpose(0, *(axis + 1 for axis in layout.perm))


def run(ready: Compiled, values: Reals, names: Sequence[str]) -> dict[str, Reals]:
    """Evaluate a model on real inputs and return some of its tensors as real values.

    Args:
        ready: The model as integers.
        values: Inputs of any shape that holds whole samples.
        names: Tensors of the graph.

    Returns:
        float64 ``(samples, height, width, channels)`` by name.
    """
    graph = ready.graph
    codes = codes_of(samples(graph, values, ready.layout[0]), rule_of(graph.input, ready.input_precision))
    taps = golden.run_batch(graph, list(codes), names)
    return {name: real(graph, graph.tensor(name), taps[name]) for name in names}


def rows(ready: Compiled, values: Reals) -> Reals:
    """Return results of the graph as the model has them: a row of values for each sample."""
    return _transposed(values, ready.layout[1]).reshape(len(values), -1)


def real(graph: Graph, tensor: Tensor, codes: Array) -> Reals:
    """Return what integers of a tensor stand for; exact where float64 holds it."""
    if graph.reading is not None and tensor.name == graph.output:
        gain = np.array([float(value) for value in graph.reading.gain])
        offset = np.array([float(value) for value in graph.reading.offset])
        return np.asarray(codes * gain + offset)
    return np.asarray(codes * float(step_of(tensor)))
