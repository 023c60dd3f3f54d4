"""Masks mean the same in every encoding, or are refused with advice that was followed."""

import numpy as np
import pytest
from helpers.advice import follow
from PIL import Image

from quantunet.errors import FileFormatError, ImageError, StorageError
from quantunet.model.masks import foreground, read_mask

TRUTH = np.zeros((6, 9), np.bool_)
TRUTH[1:3, 2:7] = True
TRUTH[4, 8] = True


def _gray(low, high, dtype=np.uint8):
    return Image.fromarray(np.where(TRUTH, high, low).astype(dtype))


def _colours(mode, low, high):
    picture = Image.fromarray(np.where(TRUTH[:, :, None], high, low).astype(np.uint8))
    assert picture.mode == mode
    return picture


def _palette(low, high, colours):
    picture = Image.fromarray(np.where(TRUTH, high, low).astype(np.uint8)).convert("L")
    picture = Image.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette(sum(colours, ()))
    return picture


VOC = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]
WHITE_FIRST = [(255, 255, 255), (0, 0, 0)]

SAME = {
    "0 and 1": (_gray(0, 1), "png"),
    "0 and 255": (_gray(0, 255), "png"),
    "3 and 7": (_gray(3, 7), "png"),
    "254 and 255": (_gray(254, 255), "bmp"),
    "16 bits": (_gray(0, 65535, np.uint16), "png"),
    "16 bits, 0 and 1": (_gray(0, 1, np.uint16), "png"),
    "16 bits, 256 and 257": (_gray(256, 257, np.uint16), "tif"),
    "32 bits": (_gray(0, 70000, np.int32), "tif"),
    "below 0": (_gray(-1, 0, np.int32), "tif"),
    "float": (_gray(0, 1, np.float32), "tif"),
    "bitmap": (_gray(0, 255).convert("1"), "png"),
    "bitmap as TIFF": (_gray(0, 255).convert("1"), "tif"),
    "palette of VOC": (_palette(0, 1, VOC), "png"),
    "palette, 1 and 3": (_palette(1, 3, VOC), "png"),
    "palette as GIF": (_palette(0, 1, VOC), "gif"),
    "RGB": (_colours("RGB", [0, 0, 0], [255, 255, 255]), "png"),
    "RGB, 0 and 1": (_colours("RGB", [0, 0, 0], [1, 1, 1]), "png"),
    "one colour": (_colours("RGB", [0, 0, 0], [255, 0, 0]), "png"),
    "one channel varies": (_colours("RGB", [9, 1, 9], [9, 2, 9]), "png"),
    "yellow on black": (_colours("RGB", [0, 0, 0], [255, 255, 0]), "png"),
    "alpha on white": (_colours("RGBA", [255, 255, 255, 0], [255, 255, 255, 255]), "png"),
    "alpha on black": (_colours("RGBA", [0, 0, 0, 0], [0, 0, 0, 255]), "png"),
    "alpha, 0 and 1": (_colours("RGBA", [0, 0, 0, 0], [0, 0, 0, 1]), "png"),
    "opaque white": (_colours("RGBA", [0, 0, 0, 255], [255, 255, 255, 255]), "png"),
    "transparent around white": (_colours("RGBA", [0, 0, 0, 0], [255, 255, 255, 255]), "png"),
    "gray and alpha": (_colours("LA", [0, 255], [255, 255]), "png"),
    "alpha of gray": (_colours("LA", [7, 0], [7, 255]), "png"),
    "lossless WebP": (_colours("RGB", [0, 0, 0], [255, 255, 255]), "webp"),
}


def _saved(path, picture, **options):
    picture.save(path, **({"lossless": True} if path.suffix == ".webp" else {}), **options)
    return path


@pytest.mark.parametrize("kind", SAME)
def test_two_values_of_any_kind_are_the_mask(tmp_path, kind):
    picture, suffix = SAME[kind]
    mask = read_mask(_saved(tmp_path / f"mask.{suffix}", picture))
    assert mask.dtype == np.bool_
    assert (mask == TRUTH).all()


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("L", (9, 6)),
        Image.new("1", (9, 6)),
        Image.new("I;16", (9, 6)),
        Image.new("RGB", (9, 6)),
        Image.new("RGBA", (9, 6), (0, 0, 0, 255)),
        Image.new("RGBA", (9, 6), (255, 255, 255, 0)),
        Image.new("LA", (9, 6), (0, 255)),
        _palette(0, 0, VOC),
    ],
)
def test_nothing_is_marked(tmp_path, picture):
    assert not read_mask(_saved(tmp_path / "mask.png", picture)).any()


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("L", (9, 6), 255),
        Image.new("L", (9, 6), 1),
        Image.new("1", (9, 6), 1),
        Image.new("I;16", (9, 6), 3),
        Image.new("RGB", (9, 6), (0, 9, 0)),
        Image.new("RGBA", (9, 6), (255, 255, 255, 255)),
        _palette(1, 1, VOC),
        _palette(0, 0, WHITE_FIRST),  # what is left of index 1 when Pillow compacts a palette
    ],
)
def test_one_other_value_is_refused(tmp_path, picture):
    path = _saved(tmp_path / "mask.png", picture)
    with pytest.raises(ImageError, match=r"mask\.png: expected two values, or 0 everywhere") as error:
        read_mask(path)
    assert not read_mask(follow(str(error.value), path)).any()


def test_several_values_are_named_and_the_advice_separates_them(tmp_path):
    blurred = np.where(TRUTH, 250, 4).astype(np.uint8)
    blurred[0, 0], blurred[5, 8] = 90, 200
    wanted = TRUTH.copy()
    wanted[5, 8] = True
    alpha = np.dstack([np.zeros_like(blurred)] * 3 + [blurred])
    for number, array in enumerate((blurred, blurred.astype(np.uint16) * 256, alpha, blurred.astype(np.float32))):
        path = _saved(
            tmp_path / f"mask{number}.{'tif' if array.dtype == np.float32 else 'png'}", Image.fromarray(array)
        )
        with pytest.raises(ImageError, match=rf"mask{number}.*expected two values.*4.*200.*250|.*23040.*") as error:
            read_mask(path)
        assert (read_mask(follow(str(error.value), path)) == wanted).all()


def test_a_jpeg_is_refused_and_the_advice_helps(tmp_path):
    large = np.roll(np.kron(TRUTH, np.ones((8, 8), np.bool_)), 3, axis=(0, 1))
    path = tmp_path / "mask.jpg"
    Image.fromarray(large).convert("L").save(path, quality=70)
    with pytest.raises(ImageError, match=r"mask\.jpg: expected two values, .*, \.\.\.\. Save it") as error:
        read_mask(path)
    assert (read_mask(follow(str(error.value), path)) == large).all()


def test_several_classes_are_refused_and_one_of_them_can_be_taken(tmp_path):
    classes = TRUTH.astype(np.uint8)
    classes[5, 0] = 2
    path = _saved(tmp_path / "mask.png", Image.fromarray(classes))
    with pytest.raises(ImageError, match="got 0, 1, 2. .*x == 2 in the place of x > ") as error:
        read_mask(path)
    command = str(error.value).replace("x > x.min() + np.ptp(x) / 2", "x == 2")
    assert np.argwhere(read_mask(follow(command, path))).tolist() == [[5, 0]]


@pytest.mark.parametrize(
    ("picture", "second"),
    [
        (_palette(0, 1, WHITE_FIRST), True),
        (_colours("RGB", [255, 255, 255], [255, 0, 0]), False),
        (_colours("RGB", [0, 255, 0], [255, 0, 0]), False),
        (_colours("RGBA", [255, 255, 255, 0], [0, 0, 0, 255]), False),
    ],
)
def test_colours_without_an_order_are_refused_and_either_can_be_chosen(tmp_path, picture, second):
    path = _saved(tmp_path / "mask.png", picture)
    with pytest.raises(ImageError, match=r"mask\.png: expected a (foreground|palette)") as error:
        read_mask(path)
    first = read_mask(follow(str(error.value), path))
    assert (first == TRUTH).all() or (first == ~TRUTH).all()
    if second:
        assert (read_mask(follow(str(error.value), path, 1)) == ~first).all()


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_mask_is_upright(tmp_path, orientation):
    """What EXIF says is applied: the file holds the pixels of a camera that was turned."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = _saved(tmp_path / "mask.png", _gray(0, 1).transpose(turns[orientation]), exif=exif)
    assert (read_mask(path) == TRUTH).all()


def test_values_that_are_no_numbers_are_refused(tmp_path):
    for bad in (np.nan, np.inf):
        values = np.where(TRUTH, bad, 0).astype(np.float32)
        with pytest.raises(ImageError, match="finite"):
            foreground(values, "mask")
        with pytest.raises(ImageError, match=r"mask\.tif: expected finite"):
            read_mask(_saved(tmp_path / "mask.tif", Image.fromarray(values)))
    with pytest.raises(ImageError, match="numbers or truth values, got <U1"):
        foreground(np.array(["a"]), "mask")


def test_damaged_and_missing_files_are_typed_errors(tmp_path):
    path = _saved(tmp_path / "mask.png", _gray(0, 1))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(FileFormatError, match=r"mask\.png"):
        read_mask(path)
    with pytest.raises(StorageError, match=r"none\.png"):
        read_mask(tmp_path / "none.png")
