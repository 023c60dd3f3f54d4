"""What becomes of a picture's pixels, against the same in fractions; the digests of data sets rest on it."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from quantunet.errors import ImageError
from quantunet.model.pictures import at_centres, luma, means, read_mask_of, read_values, reduced

RNG = np.random.default_rng(4)
SIZES = [(16, 16), (19, 33), (96, 60), (8, 65), (100, 37)]


def _boxes(size, target):
    """The pixels whose centres lie in each box; one on the border between two belongs to the earlier."""
    boxes = []
    for index in range(target):
        low, high = (Fraction(place * size, target) for place in (index, index + 1))
        boxes.append([pixel for pixel in range(size) if low < pixel + Fraction(1, 2) <= high])
    return boxes


def _mean(gray, height, width):
    rows, columns = _boxes(gray.shape[0], height), _boxes(gray.shape[1], width)
    return [[Fraction(int(gray[np.ix_(r, c)].sum()), len(r) * len(c)) for c in columns] for r in rows]


@pytest.mark.parametrize("shape", SIZES)
def test_a_smaller_image_is_the_mean_of_whole_pixels(shape):
    gray = RNG.integers(0, 256, shape, dtype=np.uint8)
    expected = _mean(gray, 8, 8)
    found = means(gray, 8, 8)
    assert found.dtype == np.float32
    assert np.abs(found - np.array(expected, float)).max() < 1e-4
    rounded = np.array([[round(value) for value in row] for row in expected])  # halves to even
    near_half = np.array([[abs(value % 1 - Fraction(1, 2)) < Fraction(1, 1000) for value in row] for row in expected])
    assert (reduced(gray, 8, 8) == rounded)[~near_half].all() and near_half.mean() < 0.5


def test_halves_are_rounded_to_even():
    gray = np.array([[0, 1, 1, 2, 2, 3, 254, 255]], np.uint8)
    assert reduced(gray, 1, 4).tolist() == [[0, 2, 2, 254]]


def test_an_axis_that_grows_is_interpolated():
    gray = np.array([[0, 100]], np.uint8).repeat(6, axis=0)
    assert means(gray, 2, 4).tolist() == [[0, 25, 75, 100]] * 2


def test_luma_is_computed_in_integers():
    colours = RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    red, green, blue = np.moveaxis(colours.astype(np.int64), 2, 0)
    assert (luma(colours) == (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).all()
    assert (luma(colours[:, :, 0]) == colours[:, :, 0]).all()


@pytest.mark.parametrize("shape", [*SIZES, (5, 3)])
def test_a_mask_shows_what_lies_under_the_centres(shape):
    mask = RNG.integers(0, 2, shape).astype(bool)
    rows, columns = ([int(Fraction(2 * i + 1, 16) * size) for i in range(8)] for size in shape)
    assert (at_centres(mask, 8, 8) == mask[rows][:, columns]).all()


def _save(path, values):
    Image.fromarray(np.asarray(values, np.uint8)).save(path)
    return path


def test_opaque_alpha_is_dropped_and_transparency_refused(tmp_path):
    pixels = RNG.integers(0, 256, (4, 5, 4), dtype=np.uint8)
    pixels[:, :, 3] = 255
    assert (read_values(_save(tmp_path / "a.png", pixels)) == pixels[:, :, :3]).all()
    gray = pixels[:, :, [0, 0, 0, 3]]
    assert (read_values(_save(tmp_path / "b.png", gray)) == pixels[:, :, 0]).all()
    pixels[1, 1, 3] = 254
    with pytest.raises(ImageError, match=r"c\.png: .*transparency"):
        read_values(_save(tmp_path / "c.png", pixels))


def test_a_threshold_takes_gray_masks(tmp_path):
    path = _save(tmp_path / "mask.png", [[0, 127, 128, 255]])
    with pytest.raises(ImageError, match="two values"):
        read_mask_of(path, path, (1, 4))
    assert read_mask_of(path, path, (1, 4), 127).tolist() == [[False, False, True, True]]
    ones = _save(tmp_path / "ones.png", [[0, 1, 0, 1]])
    assert read_mask_of(ones, path, (1, 4)).tolist() == [[False, True, False, True]]
    with pytest.raises(ImageError, match="values above the threshold 127"):
        read_mask_of(ones, path, (1, 4), 127)
    empty = _save(tmp_path / "empty.png", [[0, 0, 0, 0]])
    assert not read_mask_of(empty, path, (1, 4), 127).any()
