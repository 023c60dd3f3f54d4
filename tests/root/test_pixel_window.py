"""Values of any depth become bytes: exactly by the formula, whatever type they are stored in."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from quantunet.errors import ImageError
from quantunet.pixel_window import Scale, Window, bytes_of, check_finite, extent

SCALES = [Scale(), Scale(Fraction(1, 3), Fraction(-7, 2)), Scale(Fraction(-5, 7), Fraction(1000))]
WINDOWS = [
    Window(Fraction(0), Fraction(65535)),
    Window(Fraction(-160), Fraction(240)),
    Window(Fraction(1, 3), Fraction(256)),
    Window(Fraction(0), Fraction(510)),
    Window(Fraction(12), Fraction(12)),
]


def by_formula(stored: int | float, scale: Scale, window: Window) -> int:
    value = scale.slope * Fraction(stored) + scale.intercept
    if window.low == window.high:
        return 255 if value > window.low else 0
    return min(max(round(255 * (value - window.low) / (window.high - window.low)), 0), 255)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_each_byte_is_that_of_the_formula(scale: Scale, window: Window, dtype: type) -> None:
    rng = np.random.default_rng(3)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = rng.integers(max(limits.min, -3000), min(limits.max, 70000), size=600).astype(dtype)
        values[:4] = [limits.min, limits.max, 0, 1]
    else:
        values = (rng.normal(size=600) * 400).astype(dtype)
        values[:300] = np.arange(300) / 2  # on the borders between two bytes
        values[300:303] = [np.finfo(dtype).max, np.finfo(dtype).min, np.finfo(dtype).tiny]
    got = bytes_of(values.reshape(20, 30), scale, window)
    assert got.shape == (20, 30)
    expected = [by_formula(value.item(), scale, window) for value in values]
    assert got.reshape(-1).tolist() == expected
    assert len(set(expected)) > 1 or dtype is np.uint8


def test_the_extent_is_that_of_the_values() -> None:
    values = np.array([[4, -6], [0, 2]], np.int16)
    assert extent(values, Scale(Fraction(-1, 2), Fraction(1))) == Window(Fraction(-1), Fraction(4))
    own = extent(values, Scale())
    assert bytes_of(values, Scale(), own).tolist() == [[255, 0], [153, 204]]


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (np.array([1.0, np.nan, np.inf]), "2 of 3 values"),
        (np.array([1], np.int64), "int64"),
        (np.array([1], np.uint64), "uint64"),
        (np.array([1j]), "complex128"),
        (np.array([True]), "bool"),
    ],
)
def test_what_is_no_number_is_refused(values: np.ndarray, got: str) -> None:
    with pytest.raises(ImageError, match=got):
        check_finite(values, "file")
