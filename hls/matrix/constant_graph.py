"""An adder graph: every output of a constant matrix-vector product from additions, subtractions and shifts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantunet.ir import Array


@dataclass(frozen=True)
class Adder:
    """One addition: ``(left << left_shift) + (right << right_shift)``, or the difference.

    Attributes:
        left: Index of a value: the inputs come first, then the adders in order.
        right: Likewise.
        left_shift: At least 0.
        right_shift: At least 0; one of the two shifts is 0.
        subtract: Whether the right operand is subtracted.
    """

    left: int
    right: int
    left_shift: int
    right_shift: int
    subtract: bool


@dataclass(frozen=True)
class Output:
    """One element of the product: ``value << shift``, negated or not; 0 where ``value`` is ``None``."""

    value: int | None
    shift: int
    negative: bool


@dataclass(frozen=True)
class AdderGraph:
    """Sums of shifted inputs.

    Attributes:
        inputs: Number of inputs.
        adders: Every adder, each after its operands.
        outputs: The elements of the product.
    """

    inputs: int
    adders: tuple[Adder, ...]
    outputs: tuple[Output, ...]

    def evaluate(self, vectors: Array) -> Array:
        """Run the graph.

        Args:
            vectors: int64 ``(vectors, inputs)``.

        Returns:
            int64 ``(vectors, outputs)``.
        """
        values = self._values(vectors.T)
        product = np.zeros((len(self.outputs), len(vectors)), dtype=np.int64)
        for row, output in zip(product, self.outputs, strict=True):
            if output.value is not None:
                row[:] = (values[output.value] << output.shift) * (-1 if output.negative else 1)
        return np.ascontiguousarray(product.T)

    def coefficients(self) -> Array:
        """Return what every value is in terms of the inputs, int64 ``(inputs + adders, inputs)``."""
        return np.array(self._values(np.eye(self.inputs, dtype=np.int64)))

    def _values(self, inputs: Array) -> list[Array]:
        values = list(inputs)
        for adder in self.adders:
            right = values[adder.right] << adder.right_shift
            values.append((values[adder.left] << adder.left_shift) + (-right if adder.subtract else right))
        return values

    def levels(self) -> list[int]:
        """Return how many adders in series make each value; 0 for an input."""
        levels = [0] * self.inputs
        for adder in self.adders:
            levels.append(1 + max(levels[adder.left], levels[adder.right]))
        return levels


def ranges(coefficients: Array, low: int, high: int) -> list[tuple[int, int]]:
    """Return the exact least and greatest value of linear forms.

    Args:
        coefficients: int64 ``(values, inputs)``.
        low: Least value of every input.
        high: Greatest value of every input.
    """
    positive = np.maximum(coefficients, 0).sum(axis=1)
    negative = coefficients.sum(axis=1) - positive
    least, greatest = positive * low + negative * high, positive * high + negative * low
    return list(zip(least.tolist(), greatest.tolist(), strict=True))


def prune(inputs: int, adders: Sequence[Adder], outputs: Sequence[Output]) -> AdderGraph:
    """Return the graph of those adders that an output needs."""
    used = {output.value for output in outputs if output.value is not None}
    for index in range(inputs + len(adders) - 1, inputs - 1, -1):
        if index in used:
            used |= {adders[index - inputs].left, adders[index - inputs].right}
    place = {index: index for index in range(inputs)}
    kept: list[Adder] = []
    for index, adder in enumerate(adders, start=inputs):
        if index in used:
            place[index] = inputs + len(kept)
            kept.append(
                Adder(place[adder.left], place[adder.right], adder.left_shift, adder.right_shift, adder.subtract)
            )
    moved = (Output(None if o.value is None else place[o.value], o.shift, o.negative) for o in outputs)
    return AdderGraph(inputs, tuple(kept), tuple(moved))
