"""Pictures come in: files of the usual formats, and entries of ``.npz`` data sets, as bytes of exactly one shape.

One rule for whoever reads a picture: it is upright (EXIF orientation applied), it is the only one in its file, its
values have at most 8 bits, and nothing is converted silently.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from quantunet.errors import FileFormatError, ImageError, QuantUNetError, StorageError
from quantunet.ir import Shape
from quantunet.npz import open_npz

Bytes = npt.NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM")
"""What is read. Other formats of Pillow start programs (EPS) or hide how many bits a value had (JPEG 2000)."""

MAX_PIXELS = 1 << 26
"""Larger pictures are refused before they are unpacked."""

_ENTRY = re.compile(r"(?P<file>.+\.npz):(?P<index>[0-9]{1,18})\Z")
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_DEEP_MODES = re.compile(r"I|F|I;16.*")
_DEEP_RAW = re.compile(r"(?!BGR).*;(12|16|32)")
_BITS_PER_SAMPLE, _SAMPLE_FORMAT, _UNSIGNED = 258, 339, 1  # of TIFF
_MESSAGE = 200


def load_image(source: str, shape: Shape) -> Bytes:
    """Read one image of exactly the given size and number of channels.

    Args:
        source: A picture file, or ``FILE.npz:INDEX`` for one of the ``images`` of a data set.
        shape: ``(height, width, channels)`` that the network expects. Of pictures, 1 channel is gray, 2 are gray and
            alpha, 3 are RGB, 4 are RGB and alpha; only a data set has more.

    Returns:
        uint8 ``(height, width, channels)``.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is damaged, of another format, or lacks ``images``.
        ImageError: Wrong size, mode or depth, several frames, or an index outside the data set.
    """
    entry = _ENTRY.match(source)
    if entry:
        return _npz_entry(Path(entry["file"]), int(entry["index"]), shape)
    height, width, channels = shape
    return picture_bytes(read_picture(Path(source), (width, height)), channels, source)


def read_picture(path: Path, size: tuple[int, int] | None = None) -> Image.Image:
    """Read the only frame of a picture file: whole, upright, in the mode of the file.

    Its values may still be deeper than a byte: see :func:`check_depth`.

    Args:
        path: The file, one of :data:`FORMATS`.
        size: Width and height that the picture must have; checked before its pixels are unpacked.

    Returns:
        The picture, loaded; nothing of it is converted.

    Raises:
        StorageError: The file does not exist or cannot be read.
        FileFormatError: It is damaged, or no such picture.
        ImageError: Wrong size, too many pixels, several frames, or values that Pillow would cut to 8 bits unasked.
    """
    _check_exists(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Pillow warns of is damage, or a bomb
            return _opened(path, size)
    except QuantUNetError:
        raise
    except Exception as error:  # Pillow raises about a dozen kinds for damaged files
        if isinstance(error, OSError) and error.errno is not None:
            raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
        raise FileFormatError(
            str(path),
            expected=f"a whole picture file ({', '.join(FORMATS)})",
            got=" ".join(f"{error or type(error).__name__}".split())[:_MESSAGE],
            hint="Export it as an 8-bit PNG with the program that made it.",
        ) from error


def _check_exists(path: Path) -> None:
    try:
        exists = path.is_file()
    except OSError as error:  # a name that is too long
        raise StorageError(str(path), expected="an image file", got=error.strerror or str(error)) from error
    if not exists:
        raise StorageError(str(path), expected="an image file", got="no such file", hint="Check the path.")


def _opened(path: Path, size: tuple[int, int] | None) -> Image.Image:
    with Image.open(path, formats=FORMATS) as picture:
        _check_header(picture, size, str(path))
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        _check_size(picture.size, size, str(path))
        return picture


def picture_bytes(picture: Image.Image, channels: int, where: str) -> Bytes:
    """Return the bytes of a picture that has exactly so many channels; other modes are refused, with advice.

    A bitmap (mode 1) is gray, 0 and 255. A palette is looked up. What says nothing is left out where the network has no
    place for it: alpha that is 255 everywhere, and colour whose three channels are equal everywhere. Nothing else is
    converted.

    Args:
        picture: From :func:`read_picture`.
        channels: 1 for gray, 2 for gray and alpha, 3 for RGB, 4 for RGB and alpha.
        where: The file, for the message.

    Returns:
        uint8 ``(height, width, channels)``.

    Raises:
        ImageError: It has other channels, or values of more than 8 bits.
    """
    check_depth(picture, where)
    if channels not in _MODES:
        raise ImageError(
            where,
            expected=f"an image of {channels} channels",
            got="a picture file",
            hint="A picture has at most 4; write the image into an .npz, uint8 images (n, height, width, channels), "
            "and name FILE.npz:INDEX.",
        )
    plain = _looked_up(picture)
    if plain.mode in _MODES.values():
        values = _reduced(np.asarray(plain).reshape(plain.height, plain.width, -1), channels)
        if values.shape[2] == channels:
            return values
    wanted = _MODES[channels]
    raise ImageError(
        where,
        expected=f"a picture with {channels} channel{'s' * (channels > 1)} (mode {wanted}, 8 bits)",
        got=f"mode {picture.mode}" + (" with transparency" if plain.mode in ("LA", "RGBA") else ""),
        hint=_advice(plain.mode, wanted),
    )


def _reduced(values: Bytes, channels: int) -> Bytes:
    """Leave out alpha that is 255 everywhere, and colour where all three channels are equal, if there is no place."""
    if values.shape[2] in (2, 4) and channels in (1, 3) and (values[:, :, -1] == 255).all():
        values = values[:, :, :-1]
    if values.shape[2] >= 3 and channels < 3 and (values[:, :, :2] == values[:, :, 1:3]).all():
        values = values[:, :, [0, *range(3, values.shape[2])]]
    return values


def check_depth(picture: Image.Image, where: str) -> None:
    """Refuse a picture whose values do not fit in a byte: Pillow's own conversion would clip them to white.

    Raises:
        ImageError: Mode I, I;16 or F.
    """
    if not _DEEP_MODES.fullmatch(picture.mode):
        return
    greatest = "1.0" if picture.mode == "F" else "65535"
    raise ImageError(
        where,
        expected="a picture of 8 bits a value",
        got=f"mode {picture.mode}, values {' to '.join(f'{value:g}' for value in _extrema(picture))}",
        hint="Scale it, with the greatest value that its device writes in the place of "
        f'{greatest}: python -c "import numpy as np; from PIL import Image; '
        f"x = np.asarray(Image.open('in.png')) / {greatest}; "
        "Image.fromarray((255 * x).round().clip(0, 255).astype('uint8')).save('out.png')\"",
    )


def _extrema(picture: Image.Image) -> tuple[float, float]:
    values = np.asarray(picture)
    return float(values.min()), float(values.max())


def _looked_up(picture: Image.Image) -> Image.Image:
    """Return the picture with its palette and its transparency looked up; in L, LA, RGB, RGBA where it can be."""
    transparent = "transparency" in picture.info or picture.mode == "PA"
    if picture.mode in ("1", "L"):
        return picture.convert("LA" if transparent else "L")
    if picture.mode in ("P", "PA", "RGB"):
        return picture.convert("RGBA" if transparent else "RGB")
    return picture


def _advice(mode: str, wanted: str) -> str:
    opened = "p = Image.open('in.png')"
    if mode in ("LA", "RGBA") and wanted in ("L", "RGB"):
        flat = "Image.alpha_composite(Image.new('RGBA', p.size, 'black'), p)"
        convert = f"p = p.convert('RGBA'); {flat}.convert('{wanted}')"
        text = "Lay it over a background"
    elif mode in ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"):
        convert = f"p.convert('RGBA').convert('{wanted}')" if mode in ("LA", "RGBA") else "p.convert('RGB')"
        convert += "" if mode in ("LA", "RGBA") or wanted == "RGB" else f".convert('{wanted}')"
        text = "Convert it"
    else:
        return f"Save it as an 8-bit PNG (mode {wanted}) with the program that made it."
    return f"{text}: python -c \"from PIL import Image; {opened}; {convert}.save('out.png')\""


def _check_header(picture: Image.Image, size: tuple[int, int] | None, where: str) -> None:
    """Check what the header says, before any pixel is unpacked."""
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            where, expected=f"at most {MAX_PIXELS} pixels", got=f"{width}x{height}", hint="Crop it, or reduce it."
        )
    if size is not None and (width, height) != (size[1], size[0]):  # which may be turned upright
        _check_size((width, height), size, where)
    if getattr(picture, "is_animated", False):
        raise ImageError(
            where,
            expected="one picture in a file",
            got="several frames or pages",
            hint='Save the one that is meant, 0 being the first: python -c "from PIL import Image; '
            "p = Image.open('in.gif'); p.seek(0); p.copy().save('out.png')\"",
        )
    tags = getattr(picture, "tag_v2", {})
    if not _DEEP_MODES.fullmatch(picture.mode) and (_raw_depth(picture) or max(_tag(tags, _BITS_PER_SAMPLE, 8)) > 8):
        raise ImageError(
            where,
            expected="a picture of 8 bits a value",
            got=f"mode {picture.mode} with more bits a value",
            hint="Keep the high byte of each value, if that is meant: "
            "python -c \"from PIL import Image; Image.open('in.png').save('out.png')\"",
        )
    if picture.mode == "L" and set(_tag(tags, _SAMPLE_FORMAT, _UNSIGNED)) != {_UNSIGNED}:
        raise ImageError(
            where,
            expected="unsigned values",
            got=f"a TIFF with sample format {_tag(tags, _SAMPLE_FORMAT, _UNSIGNED)[0]}",
            hint="Save it as an 8-bit PNG with the program that made it.",
        )


def _tag(tags: object, number: int, default: int) -> tuple[int, ...]:
    value = tags.get(number, default) if hasattr(tags, "get") else default
    return tuple(value) if isinstance(value, tuple) else (int(value),)


def _raw_depth(picture: Image.Image) -> bool:
    """Whether a value in the file has more than 8 bits, by the raw mode that the decoder is given."""
    arguments = [part.args for part in getattr(picture, "tile", ())]
    flat = [part for each in arguments for part in (each if isinstance(each, tuple) else (each,))]
    maxima = [part for part in flat[1:] if isinstance(part, int)] if getattr(picture, "format", "") == "PPM" else []
    return any(isinstance(part, str) and _DEEP_RAW.match(part) for part in flat) or any(m > 255 for m in maxima)


def _check_size(got: tuple[int, int], size: tuple[int, int] | None, where: str) -> None:
    if size is not None and got != size:
        raise ImageError(
            where,
            expected=f"an image of {size[0]}x{size[1]} pixels (width x height)",
            got="x".join(map(str, got)),
            hint="Resize it, or use a network of that size.",
        )


def _npz_entry(path: Path, index: int, shape: Shape) -> Bytes:
    """Read one image of ``images``; the others are passed over, not kept."""
    with open_npz(path) as archive:
        header = archive.header("images")
        _check_entry(path, index, shape, header.shape, str(header.dtype))
        return archive.read_one("images", index).reshape(shape)


def _check_entry(path: Path, index: int, shape: Shape, found: tuple[int, ...], dtype: str) -> None:
    """Check what an array's header says, before an image is unpacked."""
    if dtype != "uint8" or len(found) not in (3, 4):
        raise FileFormatError(
            str(path),
            expected="'images' as uint8 (count, height, width) or (count, height, width, channels)",
            got=f"{dtype} {found}",
        )
    if index >= found[0]:
        raise ImageError(str(path), expected=f"an index below {found[0]}", got=str(index))
    height, width, channels = (*found[1:], 1)[:3]
    _check_size((width, height), (shape[1], shape[0]), f"{path}:{index}")
    if channels != shape[2]:
        raise ImageError(
            f"{path}:{index}",
            expected=f"{shape[2]} channels",
            got=str(channels),
            hint="Write images of the network's channels, uint8 (count, height, width, channels).",
        )
