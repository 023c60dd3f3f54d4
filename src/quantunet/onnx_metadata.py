"""What a network's ONNX file says in its ``metadata_props``: what one step of a byte is worth."""

from __future__ import annotations

from fractions import Fraction

import onnx

from quantunet.errors import PixelScaleError
from quantunet.pixel_codes import parse_pixel_scale

PIXEL_SCALE = "quantunet.pixel_scale"
"""The key in ``metadata_props``; its value is a text such as ``1/256``."""

FLOAT_SUFFIX = "_float"
"""Behind the name of a network, in the name of the file of its float twin."""


def read_pixel_scale(model: onnx.ModelProto) -> Fraction | None:
    """Return what a network's file says that a step of a byte is worth; None where it says nothing.

    Raises:
        PixelScaleError: It says it twice, or something that is no number greater than 0.
    """
    texts = [entry.value for entry in model.metadata_props if entry.key == PIXEL_SCALE]
    if len(texts) > 1:
        raise PixelScaleError(f"metadata_props, {PIXEL_SCALE}", expected="one value", got=f"{len(texts)}")
    return parse_pixel_scale(texts[0], f"metadata_props, {PIXEL_SCALE}") if texts else None


def write_pixel_scale(model: onnx.ModelProto, scale: Fraction) -> None:
    """Make a network's file say what a step of a byte is worth; a value that is there already is replaced."""
    kept = [entry for entry in model.metadata_props if entry.key != PIXEL_SCALE]
    del model.metadata_props[:]
    model.metadata_props.extend([*kept, onnx.StringStringEntryProto(key=PIXEL_SCALE, value=str(scale))])
