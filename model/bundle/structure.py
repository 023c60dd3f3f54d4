"""The two files of a network in a bundle: its structure as JSON, and its integers as a state dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from quantunet import golden
from quantunet.accumulator import reachable
from quantunet.errors import WidthError
from quantunet.graph_file import to_document
from quantunet.ir import Array, Graph, IntArray, MatrixNode
from quantunet.mask_pictures import check_classes
from quantunet.model.bundle.integer_network import FORMAT, LAYERS
from quantunet.ops import table
from quantunet.pixel_codes import pixel_table

EXACT = 1 << 53
"""Float64, in which the torch module adds products, holds every integer up to this one."""

_WIDEST_SUM = 48
_DTYPES = (torch.int8, torch.int16, torch.int32, torch.int64)
_TENSOR_KEYS = ("name", "shape", "qtype")

table("quantunet.model.bundle.integer_network.LAYERS", LAYERS)


def structure(graph: Graph) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Return what :class:`~quantunet.model.bundle.integer_network.IntegerNetwork` is made of.

    Args:
        graph: A network of one input that says what the byte of a picture means.

    Returns:
        The structure's JSON and the state dictionary.

    Raises:
        PixelScaleError: Nobody says what a byte means.
        WidthError: A sum is not exact in float64, or the logits' real values are none of int64.
        UnsupportedOpError: There are more than 256 classes.
        ModelError: There is not one input.
    """
    check_exact(graph)
    check_classes(graph.name, golden.class_count(graph))
    source = graph.tensor(graph.input)
    state: dict[str, torch.Tensor] = {}
    codes = pixel_table(graph.pixels, source.qtype, source.shape[2], graph.name, source.unit)
    content: dict[str, Any] = {
        "format": FORMAT,
        "name": graph.name,
        "input": graph.input,
        "pixel_table": _kept(state, "pixel_table", codes),
        "decision": _decision(graph),
    }
    document = to_document(graph)
    content["tensors"] = [{key: entry[key] for key in _TENSOR_KEYS} for entry in document["tensors"]]
    content["nodes"] = [
        {
            name: _kept(state, f"layers.{index}.{name}", value.array) if isinstance(value, IntArray) else value
            for name, value in entry.items()
        }
        for index, entry in enumerate(document["nodes"])
    ]
    return content, state


def check_exact(graph: Graph) -> None:
    """Check that float64 holds every partial sum of products, in any order.

    A checked graph has no sum of more than 48 bits, so that this never refuses one: it states what the module rests on.

    Raises:
        WidthError: It does not.
    """
    for node in graph.nodes:
        if isinstance(node, MatrixNode):
            low, high = reachable(node, graph.input_of(node).qtype)
            if max(-low, high) > EXACT:
                raise WidthError(
                    node.name,
                    expected="sums of products up to 2**53, which float64 holds exactly",
                    got=f"{low}..{high}",
                    hint="Use fewer bits or channels in this layer.",
                )


def _decision(graph: Graph) -> Mapping[str, Any]:
    """Return how a pixel's class follows from the logits, as ``golden.classes`` says it."""
    rule = "not_negative" if graph.logits.shape[2] == 1 else "greatest"
    found: dict[str, Any] = {"tensor": graph.logits.name, "rule": "positive" if graph.gives_mask else rule}
    if graph.reading is None or graph.logits.name != graph.output:
        return found
    gain, offset = graph.reading.whole()
    widest = (max(map(abs, gain)) << (_WIDEST_SUM - 1)) + max(map(abs, offset))
    if widest >= 1 << 63:
        raise WidthError(
            graph.name,
            expected="logits whose real values, as integers, are below 2**63",
            got=f"up to {widest}",
            hint="Put a quantizer behind the last layer, which gives all channels one scale.",
        )
    return found | {"gain": list(gain), "offset": list(offset)}


def _kept(state: dict[str, torch.Tensor], key: str, values: Array) -> dict[str, Any]:
    """Put an array into the state dictionary, in the smallest type that holds it, and return its JSON."""
    low, high = int(values.min()), int(values.max())
    dtype = next(one for one in _DTYPES if torch.iinfo(one).min <= low and high <= torch.iinfo(one).max)
    state[key] = torch.from_numpy(np.array(values)).to(dtype)
    return {"shape": list(values.shape), "dtype": str(dtype).removeprefix("torch.")}
