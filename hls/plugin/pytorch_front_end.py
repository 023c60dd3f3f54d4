"""Layers of PyTorch that hls4ml 1.3 lacks: transpose convolutions of signals and of images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from quantunet.errors import UnsupportedOpError
from quantunet.hls.plugin.hls_layers import spread_taps

Shape = Sequence[int | None]

TABLE = "hls4ml.converters.pytorch_to_hls"
"""The module of hls4ml that has the handlers."""


def add_to(table: ModuleType) -> None:
    """Add the handlers to hls4ml's table; a second call changes nothing."""
    for name, handler in _HANDLERS.items():
        if name not in table.layer_handlers:
            table.register_pytorch_layer_handler(name, handler)


def _conv_transpose(
    operation: str,
    layer_name: str,
    input_names: Sequence[str],
    input_shapes: Sequence[Shape],
    node: Any,
    class_object: Any,
    data_reader: Any,
    config: Any,
) -> tuple[dict[str, Any], list[int | None]]:
    """Return a transpose convolution and the shape of its result; hls4ml turns both to channels last afterwards.

    PyTorch keeps the weights as ``(channels in, channels out, rows, columns)``.
    """
    module, signal = class_object, operation == "ConvTranspose1d"
    if module.groups != 1:
        raise UnsupportedOpError(layer_name, expected="groups = 1", got=str(module.groups))
    weight = module.weight.detach().cpu().numpy()
    weight = weight[:, :, np.newaxis] if signal else weight
    image = (1,) * signal
    size = (*image, *(int(each or 0) for each in input_shapes[0][2:]))
    stride, dilation = (*image, *module.stride), (*image, *module.dilation)
    crop, more = (*(0,) * signal, *module.padding), (*(0,) * signal, *module.output_padding)
    out = [
        (size[axis] - 1) * stride[axis] - 2 * crop[axis] + dilation[axis] * (weight.shape[2 + axis] - 1)
        + more[axis] + 1
        for axis in range(2)
    ]  # fmt: skip
    taps = spread_taps(weight.transpose(2, 3, 0, 1), stride, dilation)
    layer = {
        "name": layer_name,
        "class_name": "QunConvTranspose1D" if signal else "QunConv2D",
        "inputs": list(input_names),
        "data_format": "channels_first",
        "transposed": True,
        "groups": 1,
        "n_chan": int(module.in_channels),
        "n_filt": int(module.out_channels),
        "weight_data": taps.transpose(3, 2, 0, 1),
        "bias_data": None if module.bias is None else module.bias.detach().cpu().numpy(),
        "dilation_height": 1,
        "dilation_width": 1,
    }
    for axis, name in enumerate(("height", "width")):
        layer |= {f"in_{name}": size[axis], f"out_{name}": out[axis], f"filt_{name}": taps.shape[axis]}
        layer |= {f"stride_{name}": stride[axis], f"crop_{name}": crop[axis]}
    return layer, [input_shapes[0][0], int(module.out_channels), *out[signal:]]


_HANDLERS: dict[str, Callable[..., tuple[dict[str, Any], list[int | None]]]] = {
    "ConvTranspose1d": _conv_transpose,
    "ConvTranspose2d": _conv_transpose,
}
