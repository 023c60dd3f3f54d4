"""Pictures and data set entries: the bytes that come in, what is refused, and that each advice works."""

from __future__ import annotations

import gc
import io
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quantunet import images
from quantunet.errors import FileFormatError, ImageError, QuantUNetError, StorageError
from quantunet.images import load_image, read_picture

RNG = np.random.default_rng(11)
GRAY, ALPHA = RNG.integers(0, 256, (2, 4, 6)).astype(np.uint8)
COLOUR = RNG.integers(0, 256, (4, 6, 3)).astype(np.uint8)
LA = np.dstack([GRAY, ALPHA])
RGBA = np.dstack([COLOUR, ALPHA])
OPAQUE = np.full_like(GRAY, 255)
LOSSLESS = {"png": {}, "tif": {}, "bmp": {}, "webp": {"lossless": True, "exact": True}}


def png(depth: int, kind: int, rows: bytes, width: int = 6, height: int = 4) -> bytes:
    """Write a PNG file by hand: Pillow writes no 16-bit colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("values", [GRAY[:, :, None], COLOUR, LA, RGBA], ids=["L", "RGB", "LA", "RGBA"])
def test_lossless_formats_give_every_byte(tmp_path: Path, suffix: str, values: np.ndarray) -> None:
    channels = values.shape[2]
    if suffix == "bmp" and channels in (2, 4):
        pytest.skip("Pillow writes no BMP with alpha that it would read again")
    path = tmp_path / f"p.{suffix}"
    Image.fromarray(values.squeeze()).save(path, **LOSSLESS[suffix])
    if suffix == "webp" and channels == 2:  # it keeps gray as colour whose channels are equal
        assert read_picture(path).mode == "RGBA"
    assert (load_image(str(path), (4, 6, channels)) == values).all()


def test_what_says_nothing_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    def got(values: np.ndarray, channels: int) -> np.ndarray:
        Image.fromarray(values).save(tmp_path / "p.png")
        return load_image(str(tmp_path / "p.png"), (4, 6, channels))

    assert (got(np.dstack([GRAY, OPAQUE]), 1)[:, :, 0] == GRAY).all()
    assert (got(np.dstack([COLOUR, OPAQUE]), 3) == COLOUR).all()
    assert (got(np.dstack([GRAY, GRAY, GRAY]), 1)[:, :, 0] == GRAY).all()
    assert (got(np.dstack([GRAY, GRAY, GRAY, OPAQUE]), 1)[:, :, 0] == GRAY).all()
    assert (got(np.dstack([GRAY, GRAY, GRAY, ALPHA]), 2) == LA).all()
    nearly = np.dstack([GRAY, GRAY, GRAY])
    nearly[3, 5, 2] ^= 1
    with pytest.raises(ImageError, match="mode RGB"):
        got(nearly, 1)
    almost = OPAQUE.copy()
    almost[0, 0] = 254
    with pytest.raises(ImageError, match="with transparency"):
        got(np.dstack([COLOUR, almost]), 3)


def test_bitmaps_and_palettes_are_looked_up(tmp_path: Path) -> None:
    bits = GRAY > 127
    Image.fromarray(bits).save(tmp_path / "bits.png")
    assert (load_image(str(tmp_path / "bits.png"), (4, 6, 1))[:, :, 0] == bits * 255).all()
    picture = Image.fromarray((GRAY % 5).astype(np.uint8))
    colours = RNG.integers(0, 256, (5, 3)).astype(np.uint8)
    picture.putpalette(colours.tobytes())
    for suffix in ("png", "gif", "bmp", "tif"):
        picture.save(tmp_path / f"palette.{suffix}")
        assert (load_image(str(tmp_path / f"palette.{suffix}"), (4, 6, 3)) == colours[GRAY % 5]).all()
    picture.save(tmp_path / "clear.png", transparency=2)
    clear = load_image(str(tmp_path / "clear.png"), (4, 6, 4))
    assert (clear[:, :, :3] == colours[GRAY % 5]).all()
    assert (clear[:, :, 3] == np.where(GRAY % 5 == 2, 0, 255)).all()


ORIENTED = {
    1: lambda up: up,
    2: lambda up: up[:, ::-1],
    3: lambda up: up[::-1, ::-1],
    4: lambda up: up[::-1],
    5: lambda up: up.transpose(1, 0, 2),
    6: lambda up: up.transpose(1, 0, 2)[::-1],
    7: lambda up: up[::-1, ::-1].transpose(1, 0, 2),
    8: lambda up: up.transpose(1, 0, 2)[:, ::-1],
}
"""What a camera stores of the upright picture, by the EXIF standard: where row 0 and column 0 of the file are."""


@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
def test_pictures_are_turned_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :8], upright[:8, 16:], upright[8:, :8] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = LOSSLESS.get(suffix, {"quality": 95, "subsampling": 0})
    path = tmp_path / f"p.{suffix}"
    Image.fromarray(np.ascontiguousarray(ORIENTED[orientation](upright))).save(path, exif=exif, **options)
    got = load_image(str(path), (16, 24, 3)).astype(int)
    assert abs(got - upright).max() <= (0 if suffix in LOSSLESS else 8)
    if orientation >= 5:
        with pytest.raises(ImageError, match="24x16"):
            load_image(str(path), (24, 16, 3))


def sixteen(channels: int, kind: int) -> bytes:
    values = RNG.integers(0, 65536, (4, 6 * channels)).astype(">u2")
    return png(16, kind, b"".join(b"\0" + row.tobytes() for row in values))


def saved(values: np.ndarray | Image.Image, name: str, **options: object) -> bytes:
    picture = values if isinstance(values, Image.Image) else Image.fromarray(values)
    stream = io.BytesIO()
    picture.save(stream, format=name, **options)
    return stream.getvalue()


def frames(name: str) -> bytes:
    return saved(COLOUR, name, save_all=True, append_images=[Image.fromarray(COLOUR[::-1])])


PALETTE = Image.fromarray(COLOUR).quantize(4)
REFUSED: dict[str, tuple[bytes, dict[int, int]]] = {
    # Kind of picture: the file, and for each number of channels how many pieces of advice lead to one that is taken.
    "L": (saved(GRAY, "PNG"), {1: 0, 2: 1, 3: 1, 4: 1}),
    "RGB": (saved(COLOUR, "PNG"), {1: 1, 2: 1, 3: 0, 4: 1}),
    "JPEG": (saved(COLOUR, "JPEG"), {1: 1, 2: 1, 3: 0, 4: 1}),
    "LA": (saved(LA, "PNG"), {1: 1, 2: 0, 3: 1, 4: 1}),
    "RGBA": (saved(RGBA, "PNG"), {1: 1, 2: 1, 3: 1, 4: 0}),
    "P": (saved(PALETTE, "PNG"), {1: 1, 2: 1, 3: 0, 4: 1}),
    "P clear": (saved(PALETTE, "PNG", transparency=1), {1: 1, 2: 1, 3: 1, 4: 0}),
    "L clear": (saved(GRAY, "PNG", transparency=int(GRAY[0, 0])), {1: 1, 2: 0, 3: 1, 4: 1}),
    "RGB clear": (saved(COLOUR, "PNG", transparency=tuple(COLOUR[0, 0].tolist())), {1: 1, 2: 1, 3: 1, 4: 0}),
    "CMYK": (saved(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"), {1: 1, 2: 1, 3: 1, 4: 1}),
    "CMYK JPEG": (saved(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"), {1: 1, 2: 1, 3: 1, 4: 1}),
    "I;16": (saved(GRAY.astype(np.uint16) * 16, "PNG"), {1: 1, 2: 2, 3: 2, 4: 2}),
    "I;16 TIFF": (saved(GRAY.astype(np.uint16) * 16, "TIFF"), {1: 1, 3: 2}),
    "I": (saved(GRAY.astype(np.int32) * 1000, "TIFF"), {1: 1, 3: 2}),
    "F": (saved((GRAY / 255).astype(np.float32), "TIFF"), {1: 1, 3: 2}),
    "RGB 16": (sixteen(3, 2), {1: 2, 3: 1}),
    "LA 16": (sixteen(2, 4), {1: 2, 2: 1, 4: 1}),
    "RGBA 16": (sixteen(4, 6), {3: 2, 4: 1}),
    "PPM 16": (b"P6\n6 4\n1023\n" + (COLOUR * np.uint16(4)).astype(">u2").tobytes(), {1: 2, 3: 1}),
    "PGM 16": (b"P5\n6 4\n1023\n" + (GRAY * np.uint16(4)).astype(">u2").tobytes(), {1: 1, 3: 2}),
    "GIF": (frames("GIF"), {1: 2, 3: 1}),
    "APNG": (frames("PNG"), {1: 2, 3: 1}),
    "pages": (frames("TIFF"), {1: 2, 3: 1}),
    "WebP": (frames("WEBP"), {1: 2, 3: 1}),
}


def follow(command: str) -> None:
    """Run a line of Python; it may leave files open, as short programs do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        exec(command, {})
        gc.collect()


@pytest.mark.parametrize("kind", REFUSED)
def test_each_advice_leads_to_a_picture_that_is_taken(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, expected = REFUSED[kind]
    monkeypatch.chdir(tmp_path)
    for channels, count in expected.items():
        Path("now").write_bytes(data)
        steps = 0
        while True:
            try:
                got = load_image("now", (4, 6, channels))
            except ImageError as error:
                command = error.hint.partition('python -c "')[2].partition('"')[0]
                assert command, error
                follow(command.replace("in.png", "now").replace("in.gif", "now").replace("out.png", "next.png"))
                Path("next.png").replace("now")
                steps += 1
                assert steps <= 3, error
                continue
            break
        assert (steps, got.shape) == (count, (4, 6, channels)), channels
        assert len(np.unique(got)) > 1


def test_the_advice_for_16_bits_scales_and_does_not_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    deep = RNG.integers(0, 4096, (4, 6)).astype(np.uint16)
    Image.fromarray(deep).save("in.png")
    with pytest.raises(ImageError, match=f"values {deep.min()} to {deep.max()}") as error:
        load_image("in.png", (4, 6, 1))
    follow(error.value.hint.partition('python -c "')[2].partition('"')[0].replace("65535", "4095"))
    assert (load_image("out.png", (4, 6, 1))[:, :, 0] == np.rint(deep / 4095 * 255)).all()


def test_signed_bytes_and_lab_are_refused(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).convert("LAB").save(tmp_path / "lab.tif")
    with pytest.raises(ImageError, match="mode LAB"):
        load_image(str(tmp_path / "lab.tif"), (4, 6, 3))
    Image.fromarray(GRAY).save(tmp_path / "signed.tif", tiffinfo={339: 2})
    with pytest.raises(ImageError, match="sample format 2"):
        load_image(str(tmp_path / "signed.tif"), (4, 6, 1))


def bomb(width: int, height: int) -> bytes:
    return png(1, 0, b"\0" * 10, width, height)


@pytest.mark.parametrize("side", [3, 9_000, 12_000, 15_000, 2**31 - 1])
def test_sizes_are_checked_before_pixels_are_unpacked(
    tmp_path: Path, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("pixels were unpacked"))
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(side, side))
    for size in ((6, 4), None)[: 1 if side < 9_000 else 2]:
        with pytest.raises((ImageError, FileFormatError)):
            read_picture(path, size)


def damaged(kind: str) -> bytes:
    if kind == "empty":
        return b""
    if kind == "text":
        return b"no picture"
    if kind == "dicom":
        return b"\0" * 128 + b"DICM" + b"\0" * 100
    if kind == "eps":
        return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 4\n%%EndComments\n"
    if kind == "text chunk":
        text = zlib.compress(b"\0" * (8 << 20))
        chunk = b"zTXt" + b"a\0\0" + text
        whole = saved(GRAY, "PNG")
        return (
            whole[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + whole[33:]
        )
    if kind == "token":
        return b"P5\n" + b"9" * 50 + b" 4\n255\n"
    if kind == "exif":
        return saved(GRAY, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0")
    return saved(GRAY, kind)[:60]


@pytest.mark.parametrize(
    "kind",
    ["empty", "text", "dicom", "eps", "text chunk", "token", "exif", "PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP"],
)
def test_damaged_pictures_are_one_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bad"
    path.write_bytes(damaged(kind))
    with pytest.raises(FileFormatError, match="whole picture file") as error:
        load_image(str(path), (4, 6, 1))
    assert "\n" not in str(error.value)


SEEDS = [saved(GRAY, name) for name in ("PNG", "TIFF", "BMP", "GIF", "JPEG", "WEBP")]
SEEDS += [
    saved(COLOUR, "TIFF", compression="tiff_lzw"),
    frames("PNG"),
    saved(PALETTE, "PNG"),
    b"P5 6 4 255\n" + b"a" * 24,
]


def test_a_picture_with_random_damage_is_read_or_refused(tmp_path: Path) -> None:
    path, rng, refused = tmp_path / "fuzz", np.random.default_rng(0), 0
    for case in range(300):
        data = bytearray(SEEDS[case % len(SEEDS)])
        for _ in range(rng.integers(1, 6)):
            data[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(bytes(data[: rng.integers(1, len(data) + 1)] if case % 3 == 0 else data))
        try:
            assert load_image(str(path), (4, 6, 1)).shape == (4, 6, 1)
        except QuantUNetError:
            refused += 1
    assert refused > 100


def test_names_that_are_no_files(tmp_path: Path) -> None:
    for name in (str(tmp_path), str(tmp_path / "none.png"), "x" * 300, str(tmp_path / "none.npz:0")):
        with pytest.raises(StorageError):
            load_image(name, (4, 6, 1))


def entry(path: Path, **arrays: np.ndarray) -> str:
    np.savez_compressed(path, **arrays)
    return str(path)


def test_entries_of_a_data_set(tmp_path: Path) -> None:
    stack = RNG.integers(0, 256, (5, 4, 6)).astype(np.uint8)
    colour = RNG.integers(0, 256, (5, 4, 6, 3)).astype(np.uint8)
    gray = entry(tmp_path / "gray.npz", images=stack, masks=stack)
    four = entry(tmp_path / "four.npz", images=colour)
    many = entry(tmp_path / "many.npz", images=np.tile(stack[..., None], 7))
    for index in range(5):
        assert (load_image(f"{gray}:{index}", (4, 6, 1))[:, :, 0] == stack[index]).all()
        assert (load_image(f"{four}:{index}", (4, 6, 3)) == colour[index]).all()
        assert (load_image(f"{many}:{index}", (4, 6, 7)) == stack[index][..., None]).all()
    one = entry(tmp_path / "one.npz", images=stack[..., None])
    assert (load_image(f"{one}:4", (4, 6, 1))[:, :, 0] == stack[4]).all()
    for source, shape, text in (
        (f"{gray}:5", (4, 6, 1), "index below 5"),
        (f"{gray}:{'9' * 18}", (4, 6, 1), "index below 5"),
        (f"{gray}:0", (6, 4, 1), "4x6 pixels"),
        (f"{gray}:0", (4, 6, 3), "3 channels"),
        (f"{four}:0", (4, 6, 1), "1 channels"),
    ):
        with pytest.raises(ImageError, match=text):
            load_image(source, shape)


def test_one_entry_is_read_without_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = entry(tmp_path / "set.npz", images=np.zeros((3, 4, 6), np.uint8))
    monkeypatch.setattr(np, "load", lambda *a, **k: pytest.fail("the whole array was unpacked"))
    assert not load_image(f"{source}:2", (4, 6, 1)).any()


def test_images_in_fortran_order_are_read_as_they_are(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (3, 4, 6)).astype(np.uint8)
    path = entry(tmp_path / "fortran.npz", images=np.asfortranarray(images))
    assert (load_image(f"{path}:1", (4, 6, 1))[..., 0] == images[1]).all()


def test_data_sets_that_are_refused(tmp_path: Path) -> None:
    zeros = np.zeros((2, 4, 6), np.uint8)
    cases = {
        "float": entry(tmp_path / "float.npz", images=zeros.astype(float)),
        "signed": entry(tmp_path / "signed.npz", images=zeros.astype(np.int8)),
        "flat": entry(tmp_path / "flat.npz", images=zeros[0]),
        "other": entry(tmp_path / "other.npz", pictures=zeros),
        "objects": entry(tmp_path / "objects.npz", images=np.array([None, 1], dtype=object)),
    }
    saved_images = RNG.integers(0, 256, (9, 4, 6)).astype(np.uint8)
    whole = Path(entry(tmp_path / "whole.npz", images=saved_images)).read_bytes()
    for at in range(40, len(whole) - 40, 7):
        data = bytearray(whole)
        data[at] ^= 0xFF
        cases[f"byte {at}"] = str(tmp_path / f"b{at}.npz")
        Path(cases[f"byte {at}"]).write_bytes(bytes(data))
    with zipfile.ZipFile(tmp_path / "short.npz", "w") as archive, zipfile.ZipFile(cases["other"]) as other:
        archive.writestr("images.npy", other.read("pictures.npy")[:-30])
    cases["short"] = str(tmp_path / "short.npz")
    refused = equal = 0
    for path in cases.values():
        try:
            found = load_image(f"{path}:1", (4, 6, 1))
        except QuantUNetError:
            refused += 1
        else:
            assert (found[..., 0] == saved_images[1]).all(), path
            equal += 1
    assert refused >= 7
    assert equal >= 3
    for name in ("float", "signed", "flat", "other", "objects", "short"):
        with pytest.raises(FileFormatError):
            load_image(f"{cases[name]}:1", (4, 6, 1))


def test_a_picture_file_has_at_most_four_channels(tmp_path: Path) -> None:
    Image.fromarray(RGBA).save(tmp_path / "p.png")
    with pytest.raises(ImageError, match=r"FILE\.npz:INDEX"):
        load_image(str(tmp_path / "p.png"), (4, 6, 5))


def test_formats_that_run_programs_are_not_opened() -> None:
    assert not {"EPS", "WMF", "PSD"} & set(images.FORMATS)
