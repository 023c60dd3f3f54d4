"""Networks of HGQ2 with bit-widths of their own: each value as HGQ2 computes it, or refused by the layer's name."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from hgq.config import QuantizerConfigScope
from hgq.layers import (
    QAdd,
    QAveragePooling2D,
    QAveragePow2,
    QBatchNormalization,
    QConv1D,
    QConv2D,
    QDense,
    QEinsumDenseBatchnorm,
    QGlobalAveragePooling2D,
    QMaximum,
    QMaxPooling1D,
    QMaxPooling2D,
    QMinimum,
    QMultiply,
    QSoftmax,
    QSubtract,
    QUnaryFunctionLUT,
)
from hgq.utils import trace_minmax
from keras.layers import (
    Concatenate,
    Conv2DTranspose,
    Cropping1D,
    Cropping2D,
    Flatten,
    Input,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)

from quantunet.errors import UnsupportedOpError

pytestmark = [pytest.mark.hgq, pytest.mark.filterwarnings("ignore")]

SAMPLES = 4
QUANTIZERS = [("WRAP", "RND"), ("WRAP", "TRN"), ("SAT_SYM", "RND_CONV"), ("SAT_SYM", "RND")]
"""Not SAT: hls4ml narrows such a quantizer behind values on a coarser grid, and then it saturates at a lesser value."""


def u_net() -> Any:
    image = Input((8, 8, 2))
    skip = QConv2D(4, 3, padding="same", activation="relu")(image)
    deep = QConv2D(6, 3, padding="same", activation="relu")(QMaxPooling2D(2)(skip))
    up = Concatenate()([skip, UpSampling2D()(deep)])
    return keras.Model(image, QConv2D(1, 1)(up))


def bilinear() -> Any:
    image = Input((6, 6, 1))
    up = UpSampling2D(interpolation="bilinear")(QConv2D(3, 3, strides=2, padding="same")(image))
    return keras.Model(image, QConv2D(2, 1)(up))


def transposed() -> Any:
    image = Input((4, 4, 1))
    up = Conv2DTranspose(2, 2, strides=2)(QConv2D(3, 3, padding="same", activation="relu")(image))
    return keras.Model(image, QConv2D(1, 1)(up))


def moved() -> Any:
    image = Input((6, 6, 2))
    cut = Cropping2D(((1, 0), (0, 2)))(ZeroPadding2D(1)(QConv2D(3, 3)(image)))
    return keras.Model(image, QConv2D(2, 1)(cut))


def signal() -> Any:
    trace = Input((16, 2))
    skip = QConv1D(4, 3, padding="same", activation="relu")(trace)
    deep = QConv1D(4, 3, padding="same")(QMaxPooling1D(2)(skip))
    up = QAdd()([skip, UpSampling1D()(deep)])
    return keras.Model(trace, QConv1D(2, 1)(Cropping1D(1)(ZeroPadding1D(2)(up))))


def dense() -> Any:
    image = Input((4, 4, 2))
    hidden = QDense(8, activation="relu")(Flatten()(QConv2D(3, 3)(image)))
    return keras.Model(image, QDense(3)(hidden))


def normalised() -> Any:
    image = Input((4, 4, 3))
    inner = QBatchNormalization()(QConv2D(4, 1)(image))
    return keras.Model(image, QEinsumDenseBatchnorm("bhwc,cd->bhwd", (4, 4, 3), bias_axes="d")(inner))


def averages() -> Any:
    image = Input((8, 8, 3))
    small = QAveragePooling2D(2)(QConv2D(4, 1, activation="relu")(image))
    return keras.Model(image, QDense(2)(QGlobalAveragePooling2D()(small)))


def table(function: str) -> Callable[[], Any]:
    def make() -> Any:
        image = Input((4, 4, 2))
        return keras.Model(
            image, QConv2D(2, 1)(QUnaryFunctionLUT(function, allow_heterogeneous_table=False)(QConv2D(3, 1)(image)))
        )

    return make


def merge(kind: Callable[[], Any]) -> Callable[[], Any]:
    def make() -> Any:
        image = Input((4, 4, 2))
        legs = [QConv2D(3, 3, padding="same")(image), QConv2D(3, 1)(image)]
        return keras.Model(image, QConv2D(2, 1)(kind()(legs)))

    return make


NETWORKS = {
    "u_net": u_net,
    "bilinear": bilinear,
    "transposed": transposed,
    "moved": moved,
    "signal": signal,
    "dense": dense,
    "normalised": normalised,
    "averages": averages,
    **{f"table {name}": table(name) for name in ("sigmoid", "tanh", "exponential")},
    **{kind.__name__: merge(kind) for kind in (QAdd, QSubtract, QMultiply, QMaximum, QMinimum, QAveragePow2)},
}


def made(make: Callable[[], Any], seed: int, overflow: str = "WRAP", rounding: str = "RND", **data: Any) -> Any:
    """Return a network whose weights have a width each, and its tensors one each, as after training."""
    keras.utils.set_random_seed(seed)
    data = {"overflow_mode": overflow, "round_mode": rounding, "heterogeneous_axis": (), **data}
    with (
        QuantizerConfigScope(place="all", default_q_type="kbi", overflow_mode="SAT_SYM"),
        QuantizerConfigScope(place="datalane", default_q_type="kif", **data),
    ):
        model = make()
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        kind, shape = variable.path.split("/")[-1], variable.shape
        if kind == "b":
            variable.assign(rng.integers(1, 7, size=shape))
        elif kind == "f":
            variable.assign(rng.integers(1, 5, size=shape))
        elif kind in ("bias", "beta", "gamma", "moving_mean") and len(shape):
            variable.assign(rng.uniform(-1, 1, size=shape))
        elif "conv2d_transpose" in variable.path:  # its weights have no quantizer
            variable.assign(rng.integers(-8, 8, size=shape) / 8)
    trace_minmax(model, inputs(model, rng) / 2, verbose=False)
    return model


def inputs(model: Any, rng: np.random.Generator) -> np.ndarray:
    """Return inputs on a finer grid than any quantizer's, of which some lie outside its range."""
    return (rng.integers(-512, 512, size=(SAMPLES, *model.input_shape[1:])) / 128).astype(np.float32)


def compiled(model: Any, folder: Path) -> Any:
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="QuantUNet")
    hls_model = hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend="QuantUNet", output_dir=str(folder)
    )
    hls_model.compile()
    return hls_model


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("overflow", "rounding"), QUANTIZERS)
@pytest.mark.parametrize("name", NETWORKS)
def test_as_hgq_computes_it(name: str, overflow: str, rounding: str, seed: int, tmp_path: Path) -> None:
    model = made(NETWORKS[name], seed, overflow, rounding)
    samples = inputs(model, np.random.default_rng(seed))
    expected = model.predict(samples, verbose=0)
    got = compiled(model, tmp_path).predict(samples).reshape(expected.shape)
    assert got.size == math.prod(expected.shape) > 0
    assert np.count_nonzero(expected) > 0
    np.testing.assert_array_equal(got, expected)


def heterogeneous_table() -> Any:
    image = Input((4, 4, 2))
    return keras.Model(image, QUnaryFunctionLUT("tanh")(image))


def softmax() -> Any:
    vector = Input((6,))
    return keras.Model(vector, QSoftmax()(QDense(3)(vector)))


@pytest.mark.parametrize(
    ("make", "data", "said"),
    [
        (u_net, {"heterogeneous_axis": None, "homogeneous_axis": (0,)}, r"_iq: expected one type for the whole tensor"),
        (u_net, {"heterogeneous_axis": (-1,)}, r"_iq: expected one type for the whole tensor"),
        (heterogeneous_table, {}, r"q_unary_function_lut\w*: expected one type for the whole table"),
        (softmax, {}, r"q_softmax\w*: expected one of the layers"),
    ],
)
def test_the_rest_is_refused_by_name(make: Callable[[], Any], data: dict[str, Any], said: str, tmp_path: Path) -> None:
    model = made(make, 0, **data)
    with pytest.raises(UnsupportedOpError, match=said):
        compiled(model, tmp_path)


def test_a_quantizer_without_bits_is_refused(tmp_path: Path) -> None:
    model = made(u_net, 0)
    assigned = [each for each in model.variables if "max_pooling2d" in each.path and each.path.endswith("/f")]
    for variable in assigned:
        variable.assign(variable.numpy() * 0 - 9)
    assert len(assigned) == 1
    with pytest.raises(UnsupportedOpError, match=r"q_max_pooling2d\w*_iq: expected a quantizer with bits"):
        compiled(model, tmp_path)
