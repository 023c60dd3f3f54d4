"""What the layers of HGQ2's networks mean that hls4ml has for them alone: quantizers, and tables of a function."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hls4ml.model.types import FixedPrecisionType

from quantunet.errors import UnsupportedOpError
from quantunet.hls.plugin.precision import rule_of
from quantunet.hls.plugin.reading import Reader, narrow_source
from quantunet.values import Place


def read_quantizer(reader: Reader, layer: Any, place: Place) -> None:
    """Read a quantizer that hls4ml did not put into the layer before it: one type for the whole tensor."""
    shape = layer.get_output_variable().shape
    found = []
    for part in layer.mask_kbi:
        values = np.unique(np.asarray(part))
        if values.size != 1:
            raise UnsupportedOpError(
                layer.name, expected="one type for the whole tensor", got=f"a type for each value of {tuple(shape)}",
                hint="Build the layers in HGQ2's QuantizerConfigScope(place='datalane', heterogeneous_axis=()).",
            )  # fmt: skip
        found.append(int(values[0]))
    signed, bits, integer = found
    if bits < 1:
        raise UnsupportedOpError(
            layer.name, expected="a quantizer with bits", got="one that has none left: its values are all 0",
            hint="Give the quantizer a bit, or leave out what it takes away.",
        )  # fmt: skip
    rule = rule_of(layer.name, FixedPrecisionType(bits, integer, bool(signed), layer.RND, layer.SAT))
    reader.keep(layer, place, reader.source(layer, flat=True), rule)


def read_unary_table(reader: Reader, layer: Any, place: Place) -> None:
    """Read a function that is given as a table: an entry for each code of the input, negative ones last."""
    source = narrow_source(reader, layer, reader.source(layer, flat=True))
    precision = reader.precision(layer.inputs[0])
    bits = int(precision.width)
    table = np.asarray(layer.weights["table"].data, dtype=np.float64).reshape(-1)
    if table.size != 1 << bits:
        raise UnsupportedOpError(
            layer.name, expected=f"a table of {1 << bits} entries, one for each code of its input, {precision}",
            got=str(table.size), hint="Put the quantizer of the table's input directly before it.",
        )  # fmt: skip
    entries = [Fraction(float(value)) for value in table]
    step = Fraction(2) ** -int(precision.fractional)
    curve = reader.builder.curve(place, source, lambda x: entries[int(x / step) % len(entries)])
    reader.keep(layer, place, curve)
