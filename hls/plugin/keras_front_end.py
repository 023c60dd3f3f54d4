"""Layers of Keras 3 that hls4ml 1.3 lacks, refuses, or reads in a way that stops with an error of its own.

A layer that hls4ml reads is left to hls4ml. What neither it nor this package can read is refused with the layer's name,
unless da4ml has a plugin that reads Keras: then hls4ml's own way out is left open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from hls4ml.converters.keras_v3._base import KerasV3LayerHandler, registry
from hls4ml.converters.keras_v3.conv import gen_conv_config

from quantunet.errors import UnsupportedOpError
from quantunet.hls.plugin.hls_layers import spread_taps

Configs = tuple[dict[str, Any], ...]
Handler = Callable[[Any, Sequence[Any], Sequence[Any]], Configs | None]

_LAYERS = "keras.src.layers."
_HGQ_TABLE = "hgq.layers.activation.QUnaryFunctionLUT"
_hls4ml: dict[str, Any] = {}
"""hls4ml's own handlers of what is handed on to them."""


def register_keras() -> None:
    """Add the handlers to hls4ml's registry; a second call changes nothing."""
    for name, handler in _HANDLERS.items():
        if registry.get(name) is not handler:
            _hls4ml[name] = registry.get(name)
            registry[name] = handler
    for name in _REFUSED:
        registry.setdefault(name, _refused)


def _layer(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any], **attributes: Any) -> dict[str, Any]:
    return {
        "name": layer.name,
        "module": layer.__module__,
        "input_keras_tensor_names": [tensor.name for tensor in inputs],
        "input_shape": [list(tensor.shape[1:]) for tensor in inputs],
        "output_keras_tensor_names": [tensor.name for tensor in outputs],
        **attributes,
    }


def _activated(layer: Any, own: dict[str, Any], outputs: Sequence[Any], name: str = "") -> Configs:
    """Return a layer, and behind it the activation that a Keras layer has in itself, which is named after ``name``."""
    activation, between = KerasV3LayerHandler().maybe_get_activation_config(layer, outputs)
    if activation is None:
        return (own,)
    own["output_keras_tensor_names"] = [between]
    return own, activation | {"name": f"{name or own['name']}_{activation['activation']}"}


def _sizes(inputs: Sequence[Any], outputs: Sequence[Any]) -> dict[str, int]:
    """Return the heights and widths of an image, or the widths of a signal, and the channels; channels are last."""
    (*before, channels), (*after, _) = inputs[0].shape[1:], outputs[0].shape[1:]
    names = ("height", "width")[-len(before) :]
    found = {f"in_{name}": int(size) for name, size in zip(names, before, strict=True)}
    found |= {f"out_{name}": int(size) for name, size in zip(names, after, strict=True)}
    return {**found, "n_chan": int(channels)}


def _array(variable: Any) -> Any:
    """Return the values of a Keras variable, whichever backend holds them."""
    return np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)


def _channels_last(layer: Any) -> None:
    order = getattr(layer, "data_format", "channels_last")
    if order != "channels_last":
        raise UnsupportedOpError(
            layer.name, expected="data_format = channels_last", got=str(order),
            hint="Build the model with channels last, and give it the same weights.",
        )  # fmt: skip


def _refused(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs | None:
    """Refuse a layer that nobody reads.

    hls4ml's own way out is left open where it leads somewhere: a plugin of da4ml that reads Keras, as HGQ2 brings one.
    """
    from da4ml.converter import get_available_plugins
    from hls4ml.converters.keras_v3_to_hls import KerasV3HandlerDispatcher

    if "keras" in get_available_plugins():
        way_out = KerasV3HandlerDispatcher({}, allow_da_fallback=True)
        if way_out.fallback_handler(layer, inputs, outputs) is not None:
            return None
    raise UnsupportedOpError(
        layer.name, expected="a layer that hls4ml's Keras front end or QuantUNet reads", got=type(layer).__name__,
        hint="Build it of simpler layers, or compute it outside; docs/support.md lists what there is.",
    )  # fmt: skip


def _upsampling(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    _channels_last(layer)
    sizes = _sizes(inputs, outputs)
    sizes.setdefault("in_height", 1)
    sizes.setdefault("out_height", 1)
    algorithm = getattr(layer, "interpolation", "nearest")
    return (
        _layer(layer, inputs, outputs, class_name="Resize", algorithm=algorithm, data_format="channels_last", **sizes),
    )


def _repeat(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """A vector repeated: one pixel that becomes several, in a row."""
    sizes = {"in_height": 1, "in_width": 1, "out_height": 1, "out_width": int(layer.n)}
    channels = int(inputs[0].shape[-1])
    one = _layer(layer, inputs, outputs, class_name="Reshape", target_shape=[1, channels], name=f"{layer.name}_pixel")
    between = f"{outputs[0].name}_pixel"
    one["output_keras_tensor_names"] = [between]
    own = _layer(
        layer, inputs, outputs, class_name="Resize", algorithm="nearest", data_format="channels_last",
        n_chan=channels, **sizes,
    )  # fmt: skip
    return one, own | {"input_keras_tensor_names": [between], "input_shape": [[1, channels]]}


def _cropping(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    _channels_last(layer)
    return (_layer(layer, inputs, outputs, **_sides(layer.cropping, "crop"), **_sizes(inputs, outputs)),)


def _padding(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    _channels_last(layer)
    return (_layer(layer, inputs, outputs, **_sides(layer.padding, "pad"), **_sizes(inputs, outputs)),)


def _sides(pairs: Any, what: str) -> dict[str, Any]:
    """Return the class and the attributes of a layer that adds or removes rows and columns at its sides."""
    signal = not isinstance(pairs[0], tuple | list)
    (top, bottom), (left, right) = ((0, 0), pairs) if signal else pairs
    kind = {"crop": "Cropping", "pad": "ZeroPadding"}[what]
    sides = {f"{what}_left": int(left), f"{what}_right": int(right), "data_format": "channels_last"}
    if signal:
        return {"class_name": f"{kind}1D", **sides}
    return {"class_name": f"{kind}2D", f"{what}_top": int(top), f"{what}_bottom": int(bottom), **sides}


def _batch_norm(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    rank = len(inputs[0].shape)
    if layer.axis not in (-1, rank - 1):
        raise UnsupportedOpError(
            layer.name, expected=f"a normalisation of the channels, axis {rank - 1}", got=f"axis {layer.axis}"
        )
    mean, variance = _array(layer.moving_mean), _array(layer.moving_variance)
    gamma = _array(layer.gamma) if layer.scale else np.ones_like(mean)
    beta = _array(layer.beta) if layer.center else np.zeros_like(mean)
    return _line(layer, inputs, outputs, gamma, beta, mean, variance, float(layer.epsilon))


def _rescaling(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """``scale * x + offset``."""
    shape = (int(inputs[0].shape[-1]),)
    scale, offset = (np.broadcast_to(np.asarray(each, dtype=np.float64), shape) for each in (layer.scale, layer.offset))
    return _line(layer, inputs, outputs, scale, offset, np.zeros(shape), np.ones(shape), 0.0)


def _normalization(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """``(x - mean) / deviation`` of each channel, as the layer has learned or was given them."""
    rank, channels = len(inputs[0].shape), int(inputs[0].shape[-1])
    mean, variance = (_array(each).astype(np.float64).reshape(-1) for each in (layer.mean, layer.variance))
    if layer.invert or not {*layer.axis} <= {-1, rank - 1}:
        raise UnsupportedOpError(
            layer.name, expected=f"a normalisation of axis {rank - 1}", got=f"axis {layer.axis}, invert {layer.invert}"
        )
    mean, variance = (np.broadcast_to(each, (channels,)) for each in (mean, np.maximum(variance, _TINY**2)))
    return _line(layer, inputs, outputs, np.ones(channels), np.zeros(channels), mean, variance, 0.0)


_TINY = 1e-7  # Keras' epsilon


def _line(
    layer: Any, inputs: Sequence[Any], outputs: Sequence[Any], gamma: Any, beta: Any, mean: Any, variance: Any,
    epsilon: float,
) -> Configs:  # fmt: skip
    """A factor and a summand of each channel."""
    n_in = math.prod(inputs[0].shape[1:])
    return (
        _layer(
            layer, inputs, outputs, class_name="BatchNormalization", epsilon=epsilon, n_in=n_in, n_out=n_in,
            n_filt=-1 if len(inputs[0].shape) == 2 else int(inputs[0].shape[-1]), use_gamma=True, use_beta=True,
            gamma_data=gamma, beta_data=beta, mean_data=mean, variance_data=variance,
        ),
    )  # fmt: skip


def _relu(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """A ReLU: hls4ml's where it has one, else all that the layer says."""
    limit, slope, threshold = layer.max_value, float(layer.negative_slope), float(layer.threshold)
    if (limit is None or math.isinf(limit)) and not (slope and threshold):
        return tuple(_hls4ml[_LAYERS + "activations.relu.ReLU"](layer, inputs, outputs))
    attributes = {"max_value": math.inf if limit is None else float(limit)}
    return (
        _layer(
            layer, inputs, outputs, class_name="QunReLU", negative_slope=slope, threshold=threshold, **attributes
        ),
    )  # fmt: skip


def _nothing(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """A layer that only works in training."""
    n_in = math.prod(inputs[0].shape[1:])
    return (_layer(layer, inputs, outputs, class_name="Activation", activation="linear", n_in=n_in),)


def _separable(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """A depthwise convolution and a pointwise one, by the names that hls4ml gives them when it takes them apart."""
    _channels_last(layer)
    rank, multiplier = len(layer.kernel_size), int(layer.depth_multiplier)
    sizes = gen_conv_config(
        in_shape=inputs[0].shape[1:], out_shape=outputs[0].shape[1:], ker_px_shape=layer.kernel_size,
        strides=layer.strides, padding=layer.padding, data_format="channels_last", name=layer.name,
    )  # fmt: skip
    channels, between = int(inputs[0].shape[-1]), f"{outputs[0].name}_depthwise"
    kernel, middle = _array(layer.depthwise_kernel), channels * multiplier
    first = _layer(
        layer, inputs, outputs, class_name=f"DepthwiseConv{rank}D", data_format="channels_last", weight_data=kernel,
        depthwise_data=kernel, bias_data=None, use_bias=False, depth_multiplier=multiplier,
        **sizes | {"n_filt": middle},
    )  # fmt: skip
    first |= {"name": f"{layer.name}_depthwise", "output_keras_tensor_names": [between]}
    shape = tuple(int(size) for size in outputs[0].shape[1:-1])
    point = gen_conv_config(
        in_shape=(*shape, middle), out_shape=outputs[0].shape[1:], ker_px_shape=(1,) * rank, strides=(1,) * rank,
        padding="valid", data_format="channels_last", name=layer.name,
    )  # fmt: skip
    second = _layer(
        layer, inputs, outputs, class_name=f"Conv{rank}D", data_format="channels_last",
        weight_data=_array(layer.pointwise_kernel), bias_data=_array(layer.bias) if layer.use_bias else None,
        use_bias=bool(layer.use_bias), **point,
    )  # fmt: skip
    second |= {"name": f"{layer.name}_pointwise", "input_keras_tensor_names": [between]}
    second["input_shape"] = [[*shape, middle]]
    return first, *_activated(layer, second, outputs, name=layer.name)


def _conv_transpose(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """A transpose convolution; Keras keeps its weights as ``(rows, columns, channels out, channels in)``.

    Taps of 0 stand for a dilation, and behind a kernel that is smaller than its stride.
    """
    _channels_last(layer)
    signal = len(layer.kernel_size) == 1
    weight = _array(layer.kernel)
    weight = (weight[np.newaxis] if signal else weight).swapaxes(2, 3)
    sizes = {"in_height": 1, "out_height": 1, **_sizes(inputs, outputs)}
    if getattr(layer, "groups", 1) != 1:
        raise UnsupportedOpError(layer.name, expected="groups = 1", got=str(layer.groups))
    before = (1,) * signal
    stride, dilation = (*before, *layer.strides), (*before, *layer.dilation_rate)
    taps = spread_taps(weight, stride, dilation)
    given = layer.output_padding
    more = (None, None) if given is None else (given,) * 2 if isinstance(given, int) else (*(None,) * signal, *given)
    crops = [
        _left_out(str(layer.padding), (weight.shape[axis] - 1) * dilation[axis] + 1, stride[axis], more[axis])
        for axis in range(2)
    ]
    own = _layer(
        layer, inputs, outputs, class_name="QunConvTranspose1D" if signal else "QunConv2D", transposed=True, groups=1,
        data_format="channels_last", n_filt=int(weight.shape[3]), filt_height=taps.shape[0],
        filt_width=taps.shape[1],
        stride_height=stride[0], stride_width=stride[1], dilation_height=1, dilation_width=1,
        crop_height=0 if signal else crops[0], crop_width=crops[1],
        weight_data=taps, bias_data=_array(layer.bias) if layer.use_bias else None, **sizes,
    )  # fmt: skip
    return _activated(layer, own, outputs)


def _left_out(padding: str, taps: int, stride: int, more: int | None) -> int:
    """Return how many rows or columns of the full result Keras leaves out at the beginning."""
    if padding == "valid":
        return 0
    total = stride + taps - 2 if more is None else taps + taps % 2 - 2 + more
    return taps - 1 - min(-(-total // 2), taps - 1)


def _merge(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """A merge of several tensors, two at a time; hls4ml has those of two."""
    kind = type(layer).__name__
    if len(inputs) == 2:
        return tuple(_hls4ml[f"{layer.__module__}.{kind}"](layer, inputs, outputs))
    if len(inputs) < 2 or kind == "Average":
        raise UnsupportedOpError(
            layer.name, expected=f"an {kind} of two tensors", got=str(len(inputs)),
            hint="Add them, and multiply by a constant with Rescaling.",
        )  # fmt: skip
    own = {"class_name": "Merge", "op": kind.lower()}
    if kind == "Concatenate":
        own = {"class_name": kind, "op": f"concatenate{len(outputs[0].shape) - 1}d", "axis": layer.axis}
    found, name = [], inputs[0].name
    for number, leg in enumerate(inputs[1:], start=1):
        end = "" if number == len(inputs) - 1 else f"_{number}"
        one = _layer(layer, [leg], outputs, **own) | {"name": f"{layer.name}{end}"}
        result = f"{outputs[0].name}{end}"
        found.append(one | {"input_keras_tensor_names": [name, leg.name], "output_keras_tensor_names": [result]})
        name = result
    return tuple(found)


def _dot(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    raise UnsupportedOpError(
        layer.name, expected="no Dot", got="one", hint="Use Multiply, and behind it a Dense layer of ones."
    )


def _einsum_dense(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """hls4ml's own; it needs every size."""
    if None in (*inputs[0].shape[1:], *outputs[0].shape[1:]):
        raise UnsupportedOpError(
            layer.name, expected="an output_shape that gives every size", got=str(outputs[0].shape[1:]),
            hint="Give EinsumDense numbers in place of None.",
        )  # fmt: skip
    return tuple(_hls4ml[_LAYERS + "core.einsum_dense.EinsumDense"](layer, inputs, outputs))


def _time_distributed(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs | None:
    """A dense layer at each place is a dense layer: it reads the last axis."""
    inner = layer.layer
    if type(inner).__name__ != "Dense":
        return _refused(layer, inputs, outputs)
    kernel = _array(inner.kernel)
    own = _layer(
        layer, inputs, outputs, class_name="Dense", data_format="channels_last", weight_data=kernel,
        bias_data=_array(inner.bias) if inner.use_bias else None, use_bias=bool(inner.use_bias),
        n_in=int(kernel.shape[0]), n_out=int(kernel.shape[1]),
    )  # fmt: skip
    return _activated(inner, own, outputs)


class _AsRow:
    """A layer of HGQ2 whose quantizer of results takes one row of values, which hls4ml gives it for every shape."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)

    @property
    def oq(self) -> Any:
        """The quantizer, which can be called and has the attributes of the layer's own."""
        return _RowQuantizer(self._layer.oq, len(self._layer.output.shape))


class _RowQuantizer:
    def __init__(self, quantizer: Any, axes: int) -> None:
        self._quantizer, self._axes = quantizer, axes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._quantizer, name)

    def __call__(self, row: Any) -> Any:
        return self._quantizer(row.reshape((1,) * (self._axes - 1) + (-1,))).reshape(1, -1)


def _hgq_table(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """A function of one value in HGQ2: a table, which hls4ml computes with the layer itself."""
    if layer.get_config()["allow_heterogeneous_table"]:
        raise UnsupportedOpError(
            layer.name, expected="one type for the whole table", got="a type for each of its entries",
            hint="Make the layer with allow_heterogeneous_table=False.",
        )  # fmt: skip
    followed = list(layer.trainable_variables)
    try:
        for variable in followed:  # torch hands out no values that training may follow
            variable.trainable = False
        return tuple(_hls4ml[_HGQ_TABLE](_AsRow(layer), inputs, outputs))
    finally:
        for variable in followed:
            variable.trainable = True


def _model(layer: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Configs:
    """A model inside a model: its layers, between the tensors outside."""
    from hls4ml.converters.keras_v3_to_hls import parse_keras_v3_model

    inner = getattr(layer, "_functional", None) or layer
    found, _, _, _ = parse_keras_v3_model(inner)
    names = {one.name: other.name for one, other in zip(inner.inputs, inputs, strict=True)}
    names |= {one.name: other.name for one, other in zip(inner.outputs, outputs, strict=True)}
    for config in found:
        for key in ("input_keras_tensor_names", "output_keras_tensor_names"):
            config[key] = [names.setdefault(name, f"{outputs[0].name}_{name}") for name in config[key]]
        config.pop("inputs", None)
    return tuple(config for config in found if config["class_name"] not in ("InputLayer", "Input"))


_READ: tuple[tuple[Handler, tuple[str, ...]], ...] = (
    (_upsampling, ("reshaping.up_sampling1d.UpSampling1D", "reshaping.up_sampling2d.UpSampling2D")),
    (_cropping, ("reshaping.cropping1d.Cropping1D", "reshaping.cropping2d.Cropping2D")),
    (_padding, ("reshaping.zero_padding1d.ZeroPadding1D", "reshaping.zero_padding2d.ZeroPadding2D")),
    (_repeat, ("reshaping.repeat_vector.RepeatVector",)),
    (
        _conv_transpose,
        ("convolutional.conv1d_transpose.Conv1DTranspose", "convolutional.conv2d_transpose.Conv2DTranspose"),
    ),
    (
        _separable,
        ("convolutional.separable_conv1d.SeparableConv1D", "convolutional.separable_conv2d.SeparableConv2D"),
    ),
    (
        _nothing,
        (
            "core.identity.Identity",
            "regularization.activity_regularization.ActivityRegularization",
            "regularization.gaussian_noise.GaussianNoise",
        ),
    ),
    (_relu, ("activations.relu.ReLU",)),
    (
        _merge,
        tuple(
            f"merging.{name.lower()}.{name}"
            for name in ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
        ),
    ),
    (_dot, ("merging.dot.Dot",)),
    (_einsum_dense, ("core.einsum_dense.EinsumDense",)),
    (_batch_norm, ("normalization.batch_normalization.BatchNormalization",)),
    (_rescaling, ("preprocessing.rescaling.Rescaling",)),
    (_normalization, ("preprocessing.normalization.Normalization",)),
    (_time_distributed, ("rnn.time_distributed.TimeDistributed",)),
    (
        _refused,
        (
            "pooling.average_pooling3d.AveragePooling3D",
            "pooling.global_average_pooling3d.GlobalAveragePooling3D",
            "pooling.global_max_pooling3d.GlobalMaxPooling3D",
            "pooling.max_pooling3d.MaxPooling3D",
        ),
    ),
)

_HANDLERS: Mapping[str, Handler] = {
    **{_LAYERS + name: handler for handler, names in _READ for name in names},
    _HGQ_TABLE: _hgq_table,
    "keras.src.models.functional.Functional": _model,
    "keras.src.models.sequential.Sequential": _model,
}
"""Handlers by the layer's module and class, in place of hls4ml's own where it has one."""

_REFUSED = tuple(
    _LAYERS + name
    for name in (
        "attention.additive_attention.AdditiveAttention",
        "attention.attention.Attention",
        "attention.grouped_query_attention.GroupedQueryAttention",
        "attention.multi_head_attention.MultiHeadAttention",
        "convolutional.conv3d.Conv3D",
        "convolutional.conv3d_transpose.Conv3DTranspose",
        "core.embedding.Embedding",
        "core.lambda_layer.Lambda",
        "core.masking.Masking",
        "normalization.group_normalization.GroupNormalization",
        "normalization.layer_normalization.LayerNormalization",
        "normalization.rms_normalization.RMSNormalization",
        "normalization.spectral_normalization.SpectralNormalization",
        "normalization.unit_normalization.UnitNormalization",
        "pooling.adaptive_average_pooling1d.AdaptiveAveragePooling1D",
        "pooling.adaptive_average_pooling2d.AdaptiveAveragePooling2D",
        "pooling.adaptive_max_pooling1d.AdaptiveMaxPooling1D",
        "pooling.adaptive_max_pooling2d.AdaptiveMaxPooling2D",
        "preprocessing.image_preprocessing.center_crop.CenterCrop",
        "preprocessing.image_preprocessing.resizing.Resizing",
        "reshaping.cropping3d.Cropping3D",
        "reshaping.up_sampling3d.UpSampling3D",
        "reshaping.zero_padding3d.ZeroPadding3D",
        "rnn.conv_lstm1d.ConvLSTM1D",
        "rnn.conv_lstm2d.ConvLSTM2D",
        "rnn.rnn.RNN",
    )
)
"""Layers for which hls4ml would stop with the words of another package."""
