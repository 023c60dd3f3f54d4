"""Functions of one real number that become tables: fractions where they are exact, float64 where they are not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

Number = Fraction | float
Function = Callable[[Number], Number]


def elu(alpha: float) -> Function:
    """Return ``x`` where it is not negative, else ``alpha * (exp(x) - 1)``."""
    return lambda x: x if x >= 0 else alpha * math.expm1(x)


SELU_ALPHA, SELU_GAIN = 1.6732632423543772, 1.0507009873554805
"""The constants of Klambauer et al. (2017) in float64."""


def selu(alpha: float = SELU_ALPHA, gamma: float = SELU_GAIN) -> Function:
    """Return ``gamma`` times the ELU of ``alpha``."""
    return lambda x: Fraction(gamma) * Fraction(x) if x >= 0 else gamma * alpha * math.expm1(x)


def sigmoid(x: Number) -> float:
    """Return ``1 / (1 + exp(-x))``, to the last bit on both sides of 0."""
    small = math.exp(-abs(float(x)))
    return (1 if x >= 0 else small) / (1 + small)


def softplus(x: Number) -> Number:
    """Return ``log(1 + exp(x))``.

    >>> round(softplus(0.0), 4)
    0.6931
    """
    return max(float(x), 0.0) + math.log1p(math.exp(-abs(float(x))))


def softsign(x: Number) -> Number:
    """Return ``x / (1 + |x|)``.

    >>> softsign(Fraction(-1))
    Fraction(-1, 2)
    """
    return Fraction(x) / (1 + abs(Fraction(x)))


def mish(x: Number) -> Number:
    """Return ``x * tanh(softplus(x))``."""
    return float(x) * math.tanh(softplus(x))


def gelu(x: Number) -> Number:
    """Return ``x * (1 + erf(x / sqrt(2))) / 2``."""
    return 0.5 * float(x) * (1 + math.erf(float(x) / math.sqrt(2)))


def silu(x: Number) -> Number:
    """Return ``x / (1 + exp(-x))``."""
    return float(x) / (1 + math.exp(-float(x)))


def hard_swish(x: Number) -> Number:
    """Return ``x * clamp(x / 6 + 1/2, 0, 1)``.

    >>> hard_swish(Fraction(3)), hard_swish(Fraction(-3))
    (Fraction(3, 1), Fraction(0, 1))
    """
    exact = Fraction(x)
    return exact * min(max(exact / 6 + Fraction(1, 2), Fraction(0)), Fraction(1))


def absolute(x: Number) -> Number:
    """Return ``|x|``."""
    return x if x >= 0 else -x


PLAIN: Mapping[str, Function] = {
    "tanh": math.tanh,
    "softplus": softplus,
    "softsign": softsign,
    "mish": mish,
    "gelu": gelu,
    "silu": silu,
    "swish": silu,
    "hard_swish": hard_swish,
    "hard_silu": hard_swish,
    "exponential": math.exp,
    "abs": absolute,
}
"""Functions without parameters, by the names that Keras, torch and ONNX have for them in lower case."""
