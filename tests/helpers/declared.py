"""What a Keras model computes in the fixed-point types that hls4ml declares, by Keras itself: no code of the product.

Every layer is computed by Keras in float64, on inputs and weights that were rounded as the ModelGraph's types say, and
what it returns is rounded as the type of its result says. Sums of such values are exact in float64. Two things are not
Keras': a function of more than 12 bits is looked up at the places of hls4ml's own table, and the parameter of an
activation is rounded to the type that hls4ml declares for it. Models are built with the dtype policy float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

ROUNDINGS: Mapping[str, Callable[[Reals], Reals]] = {
    "TRN": np.floor,
    "TRN_ZERO": np.trunc,
    "RND": lambda v: np.floor(v + 0.5),
    "RND_ZERO": lambda v: np.sign(v) * np.ceil(np.abs(v) - 0.5),
    "RND_INF": lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5),
    "RND_MIN_INF": lambda v: np.ceil(v - 0.5),
    "RND_CONV": np.rint,
}
"""hls4ml's roundings, by the definitions of ``ap_fixed``."""

WIDE = 12
"""Bits up to which a function is computed by its definition; of more, by hls4ml's table."""

_NEAR = 1e-9


def converted(values: Any, precision: Any, *, snap: bool = False) -> Reals:
    """Return real numbers as a type of hls4ml holds them.

    Args:
        values: Real numbers.
        precision: The hls4ml precision.
        snap: Whether they come from a division or a function, whose last bits float64 does not know: what lies within
            1e-9 steps of a half of a step is that half.
    """
    bits, integer = int(precision.width), int(precision.integer)
    signed, overflow = bool(precision.signed), precision.saturation_mode.name
    scaled = np.ldexp(np.asarray(values, dtype=np.float64), bits - integer)
    assert np.abs(scaled).max(initial=0) < 2.0**52, "float64 may round it"
    if snap:
        halves = np.rint(2 * scaled) / 2
        scaled = np.where(np.abs(scaled - halves) < _NEAR, halves, scaled)
    codes = ROUNDINGS[precision.rounding_mode.name](scaled)
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)
    if overflow == "WRAP":
        codes = np.mod(codes - low, 2.0**bits) + low
    else:
        codes = np.clip(codes, low + (overflow == "SAT_SYM" and signed), high)
    return np.ldexp(codes, integer - bits)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


_TABLES: Mapping[str, tuple[int, Callable[[float], float]]] = {
    "sigmoid": (16, _sigmoid),
    "tanh": (8, math.tanh),
    "softplus": (16, lambda x: math.log(math.exp(x) + 1)),
    "softsign": (16, lambda x: x / (abs(x) + 1)),
}
"""hls4ml's tables around 0: how far they reach from end to end, and the function."""

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def looked_up(name: str, values: Reals, layer: Any, alpha: float = 1.0) -> Reals:
    """Return a function of many bits as hls4ml's C++ has it: ``nnet_utils/nnet_activation_stream.h``."""
    size, table_t = int(layer.get_attr("table_size")), layer.get_attr("table_t").precision
    if name in _TABLES:
        span, function = _TABLES[name]
        index = np.clip(np.trunc(values * size / span) + size // 2, 0, size - 1).astype(int)
        table = converted([function(span * (i - size / 2) / size) for i in range(size)], table_t, snap=True)
        return table[index]
    index = np.clip(np.trunc(values * size / -8), 0, size - 1).astype(int)
    curve = [math.exp(-8 * i / size) - 1 for i in range(size)]
    if name == "elu":
        table = converted(curve, table_t, snap=True)
        return np.where(values >= 0, values, alpha * table[index])
    assert name == "selu"
    table = converted([_SELU_SCALE * _SELU_ALPHA * value for value in curve], table_t, snap=True)
    source = layer.get_input_variable().type.precision
    return np.where(values >= 0, float(converted(_SELU_SCALE, source)) * values, table[index])


class Declared:
    """The evaluation of one model.

    Args:
        model: The Keras model; its weights are rounded in place, so that it is of no other use afterwards.
        hls_model: What hls4ml made of it.
    """

    def __init__(self, model: Any, hls_model: Any) -> None:
        self.model = model
        self.layers = {layer.name: layer for layer in hls_model.get_layers()}
        self.seen: set[str] = set()
        self._fold_normalisations(self.model)

    def __call__(self, values: Any) -> Reals:
        """Return what the model makes of some samples."""
        (first,) = self.model.inputs
        name = first._keras_history.operation.name
        start = self._rounded(name, np.asarray(values, dtype=np.float64))
        return np.asarray(self._model(self.model, start))

    def _model(self, model: Any, values: Reals) -> Any:
        graph = model._functional if isinstance(model, keras.Sequential) else model
        found = graph._run_through_graph([_tensor(values)], operation_fn=self._operation)
        return keras.ops.convert_to_numpy(found[0] if isinstance(found, (list, tuple)) else found)

    def _operation(self, layer: Any) -> Callable[..., Any]:
        def compute(*inputs: Any, **options: Any) -> Any:
            read = inputs[0] if isinstance(inputs[0], (list, tuple)) else inputs
            arrays = [np.asarray(keras.ops.convert_to_numpy(each)) for each in read]
            return _tensor(self._layer(layer, arrays, inputs, options))

        return compute

    def _layer(self, layer: Any, arrays: list[Reals], inputs: Any, options: Any) -> Reals:
        kind = type(layer).__name__
        special = getattr(self, f"_{kind.lower()}", None)
        if special is not None:
            return special(layer, *arrays)
        if hasattr(layer, "layers"):
            return self._model(layer, arrays[0])
        if hasattr(layer, "kernel"):
            return self._matrix(layer, arrays[0])
        found = keras.ops.convert_to_numpy(layer(*inputs, **options))
        return self._rounded(layer.name, found, snap="Average" in kind or "UpSampling" in kind)

    def _rounded(self, name: str, values: Reals, *, snap: bool = False) -> Reals:
        """Return a layer's result in its declared type; a layer that hls4ml has left out changes nothing."""
        if name not in self.layers:
            return values
        self.seen.add(name)
        return converted(values, self.layers[name].get_output_variable().type.precision, snap=snap)

    def _round_weights(self, layer: Any, name: str, **variables: str) -> None:
        for variable, weight in variables.items():
            held = getattr(layer, variable, None)
            if held is not None:
                precision = self.layers[name].weights[weight].type.precision
                held.assign(converted(keras.ops.convert_to_numpy(held), precision))

    def _matrix(self, layer: Any, values: Reals) -> Reals:
        weight = "depthwise" if "depthwise" in self.layers[layer.name].weights else "weight"
        self._round_weights(layer, layer.name, kernel=weight, bias="bias")
        activation, layer.activation = layer.activation, keras.activations.linear
        sums = keras.ops.convert_to_numpy(layer(_tensor(values)))
        layer.activation = activation
        return self._behind(layer, self._rounded(layer.name, sums), activation)

    def _behind(self, layer: Any, values: Reals, activation: Any, name: str = "") -> Reals:
        if activation is keras.activations.linear:
            return values
        return self._function(f"{name or layer.name}_{activation.__name__}", activation, values)

    def _function(self, name: str, activation: Any, values: Reals) -> Reals:
        layer, known = self.layers[name], activation.__name__
        source = layer.get_input_variable().type.precision
        if known in ("sigmoid", "tanh", "softplus", "softsign", "elu", "selu") and source.width > WIDE:
            return self._rounded(name, looked_up(known, values, layer))
        if known == "hard_sigmoid":
            slope, shift = (float(converted(v, layer.get_attr(f"{k}_t").precision)) for k, v in _HARD.items())
            return self._rounded(name, np.clip(slope * values + shift, 0, 1))
        if known == "leaky_relu":
            return self._rounded(name, self._leaky(name, values))
        return self._rounded(name, keras.ops.convert_to_numpy(activation(_tensor(values))), snap=True)

    def _leaky(self, name: str, values: Reals) -> Reals:
        layer = self.layers[name]
        slope = float(converted(layer.get_attr("activ_param"), layer.get_attr("param_t").precision))
        return np.where(values > 0, values, slope * values)

    def _activation(self, layer: Any, values: Reals) -> Reals:
        if layer.name not in self.layers:
            return values
        return self._function(layer.name, layer.activation, values)

    def _leakyrelu(self, layer: Any, values: Reals) -> Reals:
        return self._rounded(layer.name, self._leaky(layer.name, values))

    def _relu(self, layer: Any, values: Reals) -> Reals:
        if layer.threshold:
            hls = self.layers[layer.name]
            threshold = float(converted(layer.threshold, hls.get_attr("param_t").precision))
            return self._rounded(layer.name, np.where(values > threshold, values, 0))
        if layer.negative_slope and layer.max_value is None:
            return self._leakyrelu(layer, values)
        return self._rounded(layer.name, keras.ops.convert_to_numpy(layer(_tensor(values))))

    def _elu(self, layer: Any, values: Reals) -> Reals:
        hls = self.layers[layer.name]
        alpha = float(converted(layer.alpha, hls.get_attr("param_t").precision))
        if hls.get_input_variable().type.precision.width > WIDE:
            return self._rounded(layer.name, looked_up("elu", values, hls, alpha))
        return self._rounded(layer.name, np.where(values >= 0, values, alpha * np.expm1(values)), snap=True)

    def _prelu(self, layer: Any, values: Reals) -> Reals:
        self._round_weights(layer, layer.name, alpha="param")
        return self._rounded(layer.name, keras.ops.convert_to_numpy(layer(_tensor(values))))

    def _dense(self, layer: Any, values: Reals, outer: Any = None) -> Reals:
        """A dense layer, in NumPy: Keras multiplies matrices of float64 in float32."""
        name = (outer or layer).name
        self._round_weights(layer, name, kernel="weight", bias="bias")
        sums = values @ keras.ops.convert_to_numpy(layer.kernel)
        sums = sums + keras.ops.convert_to_numpy(layer.bias) if layer.use_bias else sums
        return self._behind(layer, self._rounded(name, sums), layer.activation, name)

    def _timedistributed(self, layer: Any, values: Reals) -> Reals:
        return self._dense(layer.layer, values, layer)

    def _einsumdense(self, layer: Any, values: Reals) -> Reals:
        self._round_weights(layer, layer.name, kernel="weight", bias="bias")
        sums = np.einsum(layer.equation, values, keras.ops.convert_to_numpy(layer.kernel))
        sums = sums if layer.bias is None else sums + keras.ops.convert_to_numpy(layer.bias)
        return self._rounded(layer.name, sums)

    def _normalization(self, layer: Any, values: Reals) -> Reals:
        weights = self.layers[layer.name].weights
        mean, variance = (keras.ops.convert_to_numpy(each).reshape(-1) for each in (layer.mean, layer.variance))
        scale = converted(1 / np.sqrt(variance), weights["scale"].type.precision)
        bias = converted(-mean / np.sqrt(variance), weights["bias"].type.precision)
        return self._rounded(layer.name, scale * values + bias)

    def _rescaling(self, layer: Any, values: Reals) -> Reals:
        weights = self.layers[layer.name].weights
        scale = converted(layer.scale, weights["scale"].type.precision)
        return self._rounded(layer.name, scale * values + converted(layer.offset, weights["bias"].type.precision))

    def _separable(self, layer: Any, values: Reals) -> Reals:
        depth, point = f"{layer.name}_depthwise", f"{layer.name}_pointwise"
        weight = "depthwise" if "depthwise" in self.layers[depth].weights else "weight"
        self._round_weights(layer, depth, depthwise_kernel=weight)
        self._round_weights(layer, point, pointwise_kernel="weight", bias="bias")
        options = {"strides": layer.strides, "padding": layer.padding, "dilation_rate": layer.dilation_rate}
        sums = keras.ops.depthwise_conv(_tensor(values), layer.depthwise_kernel, **options)
        middle = self._rounded(depth, keras.ops.convert_to_numpy(sums))
        sums = keras.ops.conv(_tensor(middle), layer.pointwise_kernel) + layer.bias
        return self._behind(layer, self._rounded(point, keras.ops.convert_to_numpy(sums)), layer.activation)

    _separableconv1d = _separableconv2d = _separable

    def _batchnormalization(self, layer: Any, values: Reals) -> Reals:
        if layer.name not in self.layers:
            return values
        scale, bias = _line(layer)
        weights = self.layers[layer.name].weights
        scale = converted(scale, weights["scale"].type.precision)
        bias = converted(bias, weights["bias"].type.precision)
        return self._rounded(layer.name, scale * values + bias)

    def _fold_normalisations(self, model: Any) -> None:
        """Put a normalisation that hls4ml has fused into the weights in front of it."""
        for layer in model.layers:
            if type(layer).__name__ == "BatchNormalization" and layer.name not in self.layers:
                (source,) = layer._inbound_nodes[0].input_tensors
                matrix = source._keras_history.operation
                scale, bias = _line(layer)
                matrix.kernel.assign(keras.ops.convert_to_numpy(matrix.kernel) * scale)
                matrix.bias.assign(keras.ops.convert_to_numpy(matrix.bias) * scale + bias)


_HARD = {"slope": 1 / 6, "shift": 0.5}
"""Keras 3's hard sigmoid."""


def _line(layer: Any) -> tuple[Reals, Reals]:
    """Return factor and summand of a normalisation."""
    mean, variance = (keras.ops.convert_to_numpy(v) for v in (layer.moving_mean, layer.moving_variance))
    gamma = keras.ops.convert_to_numpy(layer.gamma) if layer.scale else np.ones_like(mean)
    beta = keras.ops.convert_to_numpy(layer.beta) if layer.center else np.zeros_like(mean)
    scale = gamma / np.sqrt(variance + layer.epsilon)
    return scale, beta - scale * mean


def _tensor(values: Any) -> Any:
    return keras.ops.convert_to_tensor(values, dtype="float64")
