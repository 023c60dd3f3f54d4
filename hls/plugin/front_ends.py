"""Layers that hls4ml's front ends lack, by its own extension points: what a U-Net needs, for every backend.

Keras 3: ``UpSampling1D`` and ``UpSampling2D``, ``Conv2DTranspose``, ``Cropping2D``, ``ZeroPadding2D``,
``BatchNormalization`` (which hls4ml hands to another package first), ``ReLU`` with a limit. A layer that hls4ml has a
reader for is left to hls4ml, but for ``ReLU``, whose limit its reader refuses.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def register_front_ends() -> None:
    """Make the layers known to the front ends that are installed; a second call changes nothing."""
    if importlib.util.find_spec("keras") is not None:
        _register_keras()


def _register_keras() -> None:
    from hls4ml.converters.keras_v3._base import registry

    for handler in (_upsampling, _conv_transpose, _cropping, _padding, _batch_norm, _relu):
        for name in _KERAS[handler.__name__]:
            if name not in registry or handler is _relu:
                registry[name] = handler


_KERAS = {
    "_upsampling": (
        "keras.src.layers.reshaping.up_sampling1d.UpSampling1D",
        "keras.src.layers.reshaping.up_sampling2d.UpSampling2D",
    ),
    "_conv_transpose": ("keras.src.layers.convolutional.conv2d_transpose.Conv2DTranspose",),
    "_cropping": ("keras.src.layers.reshaping.cropping2d.Cropping2D",),
    "_padding": ("keras.src.layers.reshaping.zero_padding2d.ZeroPadding2D",),
    "_batch_norm": ("keras.src.layers.normalization.batch_normalization.BatchNormalization",),
    "_relu": ("keras.src.layers.activations.relu.ReLU",),
}


def _layer(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any], **attributes: Any) -> dict[str, Any]:
    return {
        "name": layer.name,
        "module": layer.__module__,
        "input_keras_tensor_names": [tensor.name for tensor in inputs],
        "input_shape": [list(tensor.shape[1:]) for tensor in inputs],
        "output_keras_tensor_names": [tensor.name for tensor in outputs],
        **attributes,
    }


def _sizes(inputs: Sequence[Any], outputs: Sequence[Any]) -> dict[str, int]:
    """Return the heights and widths of an image, or the widths of a signal, and the channels; channels are last."""
    (*before, channels), (*after, _) = inputs[0].shape[1:], outputs[0].shape[1:]
    names = ("height", "width")[-len(before) :]
    found = {f"in_{name}": int(size) for name, size in zip(names, before, strict=True)}
    found |= {f"out_{name}": int(size) for name, size in zip(names, after, strict=True)}
    return {**found, "n_chan": int(channels)}


def _upsampling(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    sizes = _sizes(inputs, outputs)
    sizes.setdefault("in_height", 1)
    sizes.setdefault("out_height", 1)
    algorithm = getattr(layer, "interpolation", "nearest")
    order = getattr(layer, "data_format", "channels_last")
    return (_layer(layer, inputs, outputs, class_name="Resize", algorithm=algorithm, data_format=order, **sizes),)


def _cropping(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    (top, bottom), (left, right) = layer.cropping
    sides = {"crop_top": top, "crop_bottom": bottom, "crop_left": left, "crop_right": right}
    sizes = _sizes(inputs, outputs)
    return (_layer(layer, inputs, outputs, class_name="Cropping2D", data_format=layer.data_format, **sides, **sizes),)


def _padding(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    (top, bottom), (left, right) = layer.padding
    sides = {"pad_top": top, "pad_bottom": bottom, "pad_left": left, "pad_right": right}
    sizes = _sizes(inputs, outputs)
    return (
        _layer(layer, inputs, outputs, class_name="ZeroPadding2D", data_format=layer.data_format, **sides, **sizes),
    )


def _array(variable: Any) -> Any:
    """Return the values of a Keras variable, whichever backend holds them."""
    return np.asarray(variable.numpy())


def _batch_norm(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    mean, variance = _array(layer.moving_mean), _array(layer.moving_variance)
    constants = {
        "gamma_data": _array(layer.gamma) if layer.scale else np.ones_like(mean),
        "beta_data": _array(layer.beta) if layer.center else np.zeros_like(mean),
        "mean_data": mean,
        "variance_data": variance,
    }
    n_in = math.prod(inputs[0].shape[1:])
    return (
        _layer(
            layer, inputs, outputs, class_name="BatchNormalization", epsilon=float(layer.epsilon), n_in=n_in,
            n_out=n_in, n_filt=-1 if len(inputs[0].shape) == 2 else int(inputs[0].shape[-1]),
            use_gamma=bool(layer.scale), use_beta=bool(layer.center), **constants,
        ),
    )  # fmt: skip


def _relu(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    """A ReLU; its limit, slope and threshold are read from the layer itself."""
    n_in = math.prod(inputs[0].shape[1:])
    return (_layer(layer, inputs, outputs, class_name="Activation", activation="relu", n_in=n_in),)


def _conv_transpose(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    """A transpose convolution; Keras keeps its weights as ``(rows, columns, channels out, channels in)``."""
    weight = np.ascontiguousarray(_array(layer.kernel).transpose(0, 1, 3, 2))
    sizes = _sizes(inputs, outputs)
    crops: dict[str, int] = {}
    for name, first, last, taps, step in (
        ("height", "top", "bottom", layer.kernel_size[0], layer.strides[0]),
        ("width", "left", "right", layer.kernel_size[1], layer.strides[1]),
    ):
        # Keras leaves out what the same convolution would have padded: the smaller half at the beginning.
        total = (sizes[f"in_{name}"] - 1) * step + taps - sizes[f"out_{name}"]
        before = max(taps - step, 0) // 2 if layer.padding == "same" else 0
        crops |= {f"crop_{first}": before, f"crop_{last}": total - before}
    bias = (
        None if not layer.use_bias else np.asarray(layer.bias.numpy() if hasattr(layer.bias, "numpy") else layer.bias)
    )
    named = str(getattr(layer.activation, "__name__", "linear"))
    between = f"{outputs[0].name}_activation"
    own = _layer(
        layer, inputs, outputs,
        class_name="QunConvTranspose2D", data_format=layer.data_format, n_filt=int(weight.shape[3]),
        filt_height=layer.kernel_size[0], filt_width=layer.kernel_size[1],
        stride_height=layer.strides[0], stride_width=layer.strides[1],
        weight_data=weight, bias_data=bias, **crops, **sizes,
    )  # fmt: skip
    if named == "linear":
        return (own,)
    own["output_keras_tensor_names"] = [between]
    activation = {
        "name": f"{layer.name}_{named}", "class_name": "Activation", "activation": named,
        "input_keras_tensor_names": [between], "output_keras_tensor_names": [outputs[0].name],
        "n_in": math.prod(outputs[0].shape[1:]),
    }  # fmt: skip
    return own, activation
