"""Pictures to codes: every byte against fractions written out here, and what a network's file says of a byte."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers.qonnx_files import SmallUnet

from quantunet.errors import ModelError, PixelScaleError, ShapeError
from quantunet.ir import Graph, QType
from quantunet.onnx_metadata import PIXEL_SCALE, read_pixel_scale, write_pixel_scale
from quantunet.packed import pack, unpack
from quantunet.pixel_codes import parse_pixel_scale, picture_codes, pixel_table, with_pixel_scale
from quantunet.pixels import OWN_SCALE, Pixels
from quantunet.qonnx_import import load
from quantunet.random_network import GraphBuilder
from quantunet.zoo import load_network, zoo_names

MEAN = tuple(Fraction(float(np.float32(value))) for value in (0.485, 0.456, 0.406))
STD = tuple(Fraction(float(np.float32(value))) for value in (0.229, 0.224, 0.225))
IMAGENET = {"gain": tuple(1 / std for std in STD), "offset": tuple(-m / s for m, s in zip(MEAN, STD, strict=True))}


def code(byte: int, scale: Fraction, gain: Fraction, offset: Fraction, qtype: QType, narrow: bool) -> int:
    """One byte's code, by integer division and a case for each half; shares nothing with the product."""
    value = (gain * byte * scale + offset) * (Fraction(1 << qtype.frac) if qtype.frac >= 0 else 1)
    if qtype.frac < 0:
        value /= 1 << -qtype.frac
    down = math.floor(value)
    part = value - down
    if part > Fraction(1, 2) or (part == Fraction(1, 2) and down % 2):
        down += 1
    low = -(2 ** (qtype.bits - 1)) if qtype.signed else 0
    high = 2 ** (qtype.bits - 1) - 1 if qtype.signed else 2**qtype.bits - 1
    if narrow:
        low, high = (low + 1, high) if qtype.signed else (low, high - 1)
    return max(low, min(high, down))


TYPES = ["u8.8", "s8.7", "s8.8", "s4.3", "u3.2", "s1.0", "u1.0", "u16.16", "s16.12", "u8.0", "s9.-1", "u5.-3"]


def qtype_of(text: str) -> QType:
    bits, frac = text[1:].split(".")
    return QType(int(bits), text[0] == "s", int(frac))


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("text", TYPES)
@pytest.mark.parametrize("scale", [Fraction(1, 255), Fraction(1, 256), Fraction(1), Fraction(3, 7)])
def test_every_byte_has_the_code_of_exact_arithmetic(text: str, scale: Fraction, narrow: bool) -> None:
    qtype = qtype_of(text)
    table = pixel_table(Pixels(scale, narrow=narrow), qtype, 2)
    expected = [code(byte, scale, Fraction(1), Fraction(0), qtype, narrow) for byte in range(256)]
    assert table.tolist() == [expected, expected]
    assert table.dtype == np.int64


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("text", ["s8.5", "s8.7", "s4.1", "u8.6", "s6.3", "s4.3"])
def test_normalisation_in_front_of_the_quantizer_is_exact(text: str, narrow: bool) -> None:
    qtype = qtype_of(text)
    table = pixel_table(Pixels(Fraction(1, 255), **IMAGENET, narrow=narrow), qtype, 3)
    for channel in range(3):
        gain, offset = 1 / STD[channel], -MEAN[channel] / STD[channel]
        expected = [code(byte, Fraction(1, 255), gain, offset, qtype, narrow) for byte in range(256)]
        assert table[channel].tolist() == expected
        if text == "s4.3":
            assert min(expected) == -8 + narrow
    assert len({tuple(row) for row in table.tolist()}) == 3


def test_halves_go_to_the_even_code_where_floats_would_not() -> None:
    """3/22 as a float is too small: 55 of them are 7.5 and would fall to 7."""
    table = pixel_table(Pixels(Fraction(1, 2)), QType(8, signed=False, frac=0), 1)[0]
    assert table[[1, 3, 5, 7]].tolist() == [0, 2, 2, 4]
    assert pixel_table(Pixels(Fraction(1, 10)), QType(8, signed=False, frac=0), 1)[0, [5, 15, 25]].tolist() == [0, 2, 2]
    assert round(3 / 22 * 55) == 7
    assert pixel_table(Pixels(Fraction(3, 22)), QType(8, signed=False, frac=0), 1)[0, [55, 99]].tolist() == [8, 14]


def rgb(**pixels: object) -> Graph:
    builder = GraphBuilder("rgb", 2, 4, 3, QType(6, signed=True, frac=3), seed=0)
    builder.maxpool2d("pool", "image")
    return dataclasses.replace(builder.build(), pixels=Pixels(**pixels))  # type: ignore[arg-type]


def test_each_channel_has_a_table_of_its_own() -> None:
    """A swapped channel, of the picture or of the tables, shows."""
    graph = rgb(scale=Fraction(1, 255), **IMAGENET)
    picture = np.full((2, 4, 3), 100, np.uint8)
    codes = picture_codes(graph, picture)
    qtype = graph.tensor("image").qtype
    expected = [
        code(100, Fraction(1, 255), 1 / STD[c], -MEAN[c] / STD[c], qtype, False) for c in range(3)
    ]  # fmt: skip
    assert len(set(expected)) > 1
    assert (codes == expected).all()
    picture[1, 2] = (1, 128, 255)
    wanted = [
        code(b, Fraction(1, 255), 1 / STD[c], -MEAN[c] / STD[c], qtype, False) for c, b in enumerate((1, 128, 255))
    ]
    batch = picture_codes(graph, np.stack([picture, picture[::-1]]))
    assert batch[0, 1, 2].tolist() == batch[1, 0, 2].tolist() == wanted
    swapped = dataclasses.replace(graph, pixels=dataclasses.replace(graph.pixels, gain=graph.pixels.gain[::-1]))
    assert (picture_codes(swapped, picture) != batch[0]).any()


def test_what_nobody_says_is_refused_with_both_usual_values() -> None:
    with pytest.raises(PixelScaleError, match=r"rgb.*1/255.*ToTensor.*1/256"):
        picture_codes(rgb(), np.zeros((2, 4, 3), np.uint8))


def test_pictures_and_normalisations_of_another_shape() -> None:
    graph = rgb(scale=OWN_SCALE)
    for shape in ((4, 2, 3), (2, 4), (2, 4, 4), (2, 4, 1)):
        with pytest.raises(ShapeError):
            picture_codes(graph, np.zeros(shape, np.uint8))
    with pytest.raises(ShapeError, match="int64"):
        picture_codes(graph, np.zeros((2, 4, 3), np.int64))  # type: ignore[arg-type]
    for field in ("gain", "offset"):
        with pytest.raises(ModelError, match="3 channels"):
            picture_codes(rgb(scale=OWN_SCALE, **{field: (Fraction(1),)}), np.zeros((2, 4, 3), np.uint8))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/255", Fraction(1, 255)),
        ("2/510", Fraction(1, 255)),
        ("0.00390625", Fraction(1, 256)),
        (".5", Fraction(1, 2)),
        ("1", Fraction(1)),
        ("1.", Fraction(1)),
        ("1e-3", Fraction(1, 1000)),
        ("3.9215686E-3", Fraction(39215686, 10**10)),
    ],
)
def test_scales_are_read_exactly(text: str, value: Fraction) -> None:
    assert parse_pixel_scale(text) == value


NONSENSE = ["0", "-1", "-1/255", "0/1", "1/0", "0/0", "nan", "inf", "-inf", "", " ", "1 /255", "1/255/2", "1,5", "a"]
NONSENSE += ["1e999999999", "1_0", "٣", "0x1", "1/2.5", "9" * 100_000, "0.0", "1e-", "+1", "1\n"]


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: repr(text[:12]))
def test_nonsense_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PixelScaleError) as error:
        parse_pixel_scale(text)
    assert len(str(error.value)) < 300
    path = SmallUnet(pixel_scale=text).write(tmp_path / "small.onnx")
    with pytest.raises(PixelScaleError, match=r"quantunet\.pixel_scale"):
        load(path)


def test_the_file_says_it_once_and_keeps_what_else_it_says(tmp_path: Path) -> None:
    model = SmallUnet(pixel_scale=None).model()
    model.metadata_props.add(key="author", value="somebody")
    assert read_pixel_scale(model) is None
    write_pixel_scale(model, Fraction(1, 255))
    write_pixel_scale(model, OWN_SCALE)
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [
        ("author", "somebody"), (PIXEL_SCALE, "1/256")
    ]  # fmt: skip
    path = tmp_path / "n.onnx"
    onnx.save(model, path)
    graph = load(path)
    assert graph.pixels.scale == OWN_SCALE
    assert unpack(pack(graph)).pixels.scale == OWN_SCALE
    model.metadata_props.add(key=PIXEL_SCALE, value="1/256")
    with pytest.raises(PixelScaleError, match="one value"):
        read_pixel_scale(model)


def test_a_user_fills_the_gap_and_does_not_contradict() -> None:
    silent, own = rgb(), rgb(scale=OWN_SCALE)
    assert with_pixel_scale(silent, Fraction(1, 255)).pixels.scale == Fraction(1, 255)
    assert with_pixel_scale(silent, None) == silent
    assert with_pixel_scale(own, Fraction(2, 512)) == own
    with pytest.raises(PixelScaleError, match="1/256"):
        with_pixel_scale(own, Fraction(1, 255))


def test_every_network_of_the_project_says_it() -> None:
    assert len(zoo_names()) > 1
    assert {load_network(name).pixels for name in zoo_names()} == {Pixels(OWN_SCALE)}
