"""Pictures of any size to a network's image and back: exactly what the definition says, and never off by a pixel."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from quantunet.errors import ShapeError
from quantunet.golden.pictures import Fit, frame, luma, to_image, to_picture
from quantunet.model import pictures

SIZES = [(1, 1), (1, 7), (5, 3), (8, 8), (9, 17), (16, 16), (23, 31), (40, 8)]


def weights(size: int, target: int) -> list[list[Fraction]]:
    """Return the share of each pixel in each target pixel along one axis, by the words of the definition."""
    rows = []
    for index in range(target):
        row = [Fraction(0)] * size
        if target < size:
            low, high = (Fraction((index + more) * size, target) for more in (0, 1))
            inside = [place for place in range(size) if low < place + Fraction(1, 2) <= high]
            for place in inside:
                row[place] = Fraction(1, len(inside))
        else:
            centre = Fraction((2 * index + 1) * size, 2 * target) - Fraction(1, 2)
            before = centre.numerator // centre.denominator
            for place, share in ((before, before + 1 - centre), (before + 1, centre - before)):
                row[min(max(place, 0), size - 1)] += share
        rows.append(row)
    return rows


def by_definition(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the image in fractions, each value rounded once."""
    down, across = weights(picture.shape[0], height), weights(picture.shape[1], width)
    values = picture.astype(object)
    rows = [
        [sum(share * value for share, value in zip(row, column, strict=True)) for column in values.T] for row in down
    ]
    return np.array(
        [[round(sum(share * value for share, value in zip(line, row, strict=True))) for line in across] for row in rows]
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("target", [(8, 8), (1, 1), (12, 5)])
def test_each_value_is_the_fraction_of_the_definition(size: tuple[int, int], target: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(size))
    picture = rng.integers(0, 256, size=(*size, 1)).astype(np.uint8)
    got = to_image(picture, frame(size, target, "stretch"))
    assert got.shape == (*target, 1)
    assert (got[:, :, 0] == by_definition(picture[:, :, 0], *target)).all()


def test_halves_go_to_the_even_byte() -> None:
    picture = np.array([[0, 1, 1, 2, 2, 3]], np.uint8)[..., None]
    assert to_image(picture, frame((1, 6), (1, 3), "stretch"))[0, :, 0].tolist() == [0, 2, 2]


def test_a_picture_of_the_networks_size_stays_as_it_is() -> None:
    picture = np.random.default_rng(1).integers(0, 256, size=(16, 24, 3)).astype(np.uint8)
    for fit in ("stretch", "letterbox"):
        place = frame((16, 24), (16, 24), fit)  # type: ignore[arg-type]
        assert (to_image(picture, place) == picture).all()
        assert (to_picture(picture, place) == picture).all()


def test_the_data_sets_are_made_by_the_same_rule_but_for_its_rounding() -> None:
    """``quantunet data`` takes means in float32: nearly no value differs, and none by more than 1."""
    rng, compared, differing = np.random.default_rng(0), 0, 0
    for _ in range(20):
        height, width = rng.integers(100, 500, size=2)
        picture = rng.integers(0, 256, size=(height, width)).astype(np.uint8)
        got = to_image(picture[..., None], frame((height, width), (64, 64), "stretch"))[:, :, 0]
        off = np.abs(got.astype(int) - pictures.reduced(picture, 64, 64))
        assert off.max() <= 1
        compared, differing = compared + off.size, differing + int(off.sum())
    assert compared == 20 * 64 * 64
    assert differing < compared / 10000


def test_luma_is_that_of_the_data_sets() -> None:
    colour = np.random.default_rng(2).integers(0, 256, size=(300, 400, 3)).astype(np.uint8)
    assert (luma(colour)[:, :, 0] == np.asarray(Image.fromarray(colour).convert("L"))).all()


@pytest.mark.parametrize(("size", "fit"), [(size, fit) for size in SIZES for fit in ("stretch", "letterbox")])
def test_each_pixel_of_the_picture_gets_the_one_under_its_centre(size: tuple[int, int], fit: Fit) -> None:
    place = frame(size, (8, 12), fit)
    values = np.arange(8 * 12).reshape(8, 12)
    got = to_picture(values, place)
    assert got.shape == size
    for row in range(size[0]):
        for column in range(size[1]):
            y = place.top + (Fraction(2 * row + 1, 2) * place.height / size[0]).__floor__()
            x = place.left + (Fraction(2 * column + 1, 2) * place.width / size[1]).__floor__()
            assert got[row, column] == values[y, x]


@pytest.mark.parametrize("size", SIZES)
def test_a_letterbox_keeps_proportions_and_is_black_outside(size: tuple[int, int]) -> None:
    place = frame(size, (16, 16), "letterbox")
    assert place.height == 16 or place.width == 16
    scale = Fraction(16, max(size))
    assert abs(place.height - max(1, size[0] * scale)) <= Fraction(1, 2)
    assert abs(place.width - max(1, size[1] * scale)) <= Fraction(1, 2)
    assert 16 - place.height - 2 * place.top in (0, 1) and 16 - place.width - 2 * place.left in (0, 1)
    image = to_image(np.full((*size, 1), 200, np.uint8), place)[:, :, 0]
    inside = np.zeros((16, 16), bool)
    inside[place.top : place.top + place.height, place.left : place.left + place.width] = True
    assert (image == np.where(inside, 200, 0)).all()


def test_another_size_is_refused() -> None:
    place = frame((4, 6), (8, 8), "stretch")
    with pytest.raises(ShapeError, match="picture"):
        to_image(np.zeros((6, 4, 1), np.uint8), place)
    with pytest.raises(ShapeError, match="image"):
        to_picture(np.zeros((4, 6)), place)
