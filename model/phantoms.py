"""Generated B-mode phantoms: layered tissue, fully developed speckle, hypoechoic lesions, shadows (NumPy only).

An image is made as a scanner makes it: a map of mean echo strength, times complex Gaussian scatterers, blurred by a
point spread function that is wider across than along the beam, the envelopes of a few looks averaged, log-compressed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import ImageError
from quantunet.model.config import MAX_SEED

DYNAMIC_RANGE_DB = 55.0
LESION_SHARE = 0.85
MIN_SIZE = 16
MAX_SIZE = 1024
MAX_PIXELS = 1 << 28
"""Of all phantoms of a set together: more do not fit in the memory of a small machine."""


def generate(count: int, size: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Make phantoms; image ``i`` depends on ``seed``, ``size`` and ``i`` alone.

    Args:
        count: How many.
        size: Height and width in pixels, at least 16.
        seed: Seed.

    Returns:
        Images ``(count, size, size)`` uint8 and masks of the lesions ``(count, size, size)`` uint8, 0 or 1.

    Raises:
        ImageError: There is no such phantom, or there are too many of them.
    """
    most = MAX_PIXELS // (max(size, MIN_SIZE) ** 2)
    for name, value, low, high in (
        ("--size", size, MIN_SIZE, MAX_SIZE),
        ("--phantoms", count, 1, most),
        ("--seed", seed, 0, MAX_SEED),
    ):
        if not low <= value <= high:
            raise ImageError(f"phantoms, {name}", expected=f"{low} to {high}", got=str(value))
    pairs = [phantom(size, np.random.default_rng([seed, size, index])) for index in range(count)]
    return np.stack([image for image, _ in pairs]), np.stack([mask for _, mask in pairs])


def phantom(size: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One phantom.

    Args:
        size: Height and width in pixels.
        rng: Source of randomness.

    Returns:
        Image ``(size, size)`` uint8 and mask ``(size, size)`` uint8, 0 or 1.
    """
    y, x = np.mgrid[0:size, 0:size] / size
    echo_db = _tissue(y, rng)
    mask = np.zeros((size, size), dtype=bool)
    if rng.random() < LESION_SHARE:
        for _ in range(1 + int(rng.random() < 0.1)):
            lesion, contrast_db = _lesion(y, x, rng)
            inside = echo_db[lesion].mean() - contrast_db + 0.2 * (echo_db - echo_db[lesion].mean())
            edge = _blur(lesion.astype(np.float64), 0.006 * size, 0.01 * size)
            echo_db = echo_db + edge * (inside - echo_db) + _below(lesion, rng.uniform(-22.0, 8.0))
            mask |= lesion
    for _ in range(rng.integers(0, 3)):
        echo_db -= _shadow(y, x, rng)
    echo_db -= rng.uniform(6.0, 24.0) * y
    level_db = 20.0 * np.log10(_speckle(10.0 ** (echo_db / 20.0), rng) + 1e-6)
    top = np.percentile(level_db, rng.uniform(99.0, 99.9))
    gray = np.clip((level_db - top) / DYNAMIC_RANGE_DB + 1.0, 0.0, 1.0) ** rng.uniform(1.2, 2.0)
    return np.rint(gray * 255.0).astype(np.uint8), mask.astype(np.uint8)


def _smooth_noise(
    shape: tuple[int, int], scale_y: float, scale_x: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Gaussian field of unit variance whose details are about these shares of the image high and wide."""
    noise = _blur(rng.standard_normal(shape), scale_y * shape[0] / 2, scale_x * shape[1] / 2)
    return np.asarray(noise / (noise.std() + 1e-12))


def _blur(field: NDArray[Any], sigma_y: float, sigma_x: float) -> NDArray[Any]:
    """Gaussian blur of the last two axes through the Fourier transform, on mirrored borders; real or complex."""
    height, width = field.shape[-2:]
    margin_y, margin_x = min(height, math.ceil(4 * sigma_y)), min(width, math.ceil(4 * sigma_x))
    margins = [(0, 0)] * (field.ndim - 2) + [(margin_y, margin_y), (margin_x, margin_x)]
    padded = np.pad(field, margins, mode="symmetric")
    fy, fx = np.fft.fftfreq(padded.shape[-2])[:, None], np.fft.fftfreq(padded.shape[-1])[None, :]
    gain = np.exp(-2.0 * np.pi**2 * ((sigma_y * fy) ** 2 + (sigma_x * fx) ** 2))
    blurred = np.fft.ifft2(np.fft.fft2(padded) * gain)
    blurred = blurred[..., margin_y : margin_y + height, margin_x : margin_x + width]
    return blurred if np.iscomplexobj(field) else blurred.real


def _tissue(y: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Mean echo in dB: skin, fat, glandular tissue, muscle, with wavy borders and bright septa along them."""
    skin, fat, gland = np.cumsum(rng.uniform([0.02, 0.1, 0.3], [0.06, 0.25, 0.5]))
    depth = y + 0.04 * _smooth_noise(y.shape, 0.3, 0.5, rng)
    echo = np.full(y.shape, rng.uniform(-14.0, -4.0))  # muscle
    echo[depth < gland] = rng.uniform(-4.0, 3.0)
    echo[depth < fat] = rng.uniform(-12.0, -4.0)
    echo[depth < skin] = rng.uniform(4.0, 9.0)
    echo = echo + rng.uniform(1.5, 4.0) * _smooth_noise(y.shape, 0.08, 0.16, rng)
    for _ in range(rng.integers(1, 4)):
        ridge = _smooth_noise(y.shape, rng.uniform(0.06, 0.16), rng.uniform(0.25, 0.6), rng)
        strength = np.clip(_smooth_noise(y.shape, 0.2, 0.2, rng) + 0.5, 0.0, 2.0)
        echo += rng.uniform(3.0, 9.0) * strength * np.exp(-((ridge / rng.uniform(0.08, 0.2)) ** 2))
    return echo


def _lesion(
    y: NDArray[np.float64], x: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], float]:
    """A wavy ellipse, and how many dB darker than its surroundings it is."""
    centre_y, centre_x = rng.uniform(0.25, 0.7), rng.uniform(0.2, 0.8)
    radius_x = rng.uniform(0.08, 0.24)
    radius_y = radius_x * rng.uniform(0.5, 1.1)
    tilt = rng.uniform(-0.5, 0.5)
    dy, dx = y - centre_y, x - centre_x
    u = (dx * np.cos(tilt) + dy * np.sin(tilt)) / radius_x
    v = (dy * np.cos(tilt) - dx * np.sin(tilt)) / radius_y
    angle = np.arctan2(v, u)
    edge = np.ones_like(angle)
    for harmonic in range(2, 8):
        edge += rng.normal(0.0, rng.uniform(0.02, 0.16) / harmonic) * np.cos(
            harmonic * angle + rng.uniform(0, 2 * np.pi)
        )
    return np.hypot(u, v) < edge, float(rng.uniform(8.0, 26.0))


def _below(lesion: NDArray[np.bool_], gain_db: float) -> NDArray[np.float64]:
    """Shadow (negative) or enhancement (positive) below a lesion, in dB."""
    column = np.cumsum(lesion, axis=0) / max(1, int(lesion.sum(axis=0).max()))
    return np.asarray(gain_db * _blur(np.where(lesion, 0.0, column), 1.0, 2.0))


def _shadow(y: NDArray[np.float64], x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A dark stripe from the surface or from a strong reflector downwards, in dB."""
    centre, width, start = rng.uniform(0, 1), rng.uniform(0.03, 0.15), rng.choice([0.0, rng.uniform(0.3, 0.8)])
    across = np.exp(-(((x - centre) / width) ** 2))
    along = 1.0 / (1.0 + np.exp(-(y - start) / 0.03))
    return np.asarray(rng.uniform(3.0, 14.0) * across * along)


def _speckle(amplitude: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Mean envelope of a few looks at complex Gaussian scatterers under a point spread function."""
    size = amplitude.shape[0]
    looks = (int(rng.integers(3, 9)), *amplitude.shape)
    scatterers = amplitude * (rng.standard_normal(looks) + 1j * rng.standard_normal(looks))
    sigma_y, sigma_x = rng.uniform(0.5, 0.9) * size / 128, rng.uniform(0.9, 1.8) * size / 128
    return np.asarray(np.abs(_blur(scatterers, sigma_y, sigma_x)).mean(axis=0))
