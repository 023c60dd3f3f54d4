"""Small Keras models, one for each layer type of hls4ml's own tests and front end, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import layers as kl

Make = Callable[[], Any]

VECTOR, SIGNAL, IMAGE = (4,), (6, 3), (6, 8, 3)


@dataclass(frozen=True)
class Case:
    """A model.

    Attributes:
        make: Makes it; the layer in question is called ``layer``.
        refused: The beginning of the message with which it is refused: the layer, and what was expected. Empty where
            it is exact.
        narrow: The same where all types have 10 bits, if that is different; ``None`` for the same.
        types: Results that are narrowed, as the message of a refusal advises, by layer.
    """

    make: Make
    refused: str = ""
    narrow: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)


def one(shape: tuple[int, ...], *steps: Callable[[], Any]) -> Make:
    """Return a maker of a model with layers one behind the other."""

    def make() -> Any:
        value = image = keras.Input(shape, name="x")
        for step in steps:
            value = step()(value)
        return keras.Model(image, value)

    return make


def layer(kind: Any, name: str = "layer", **options: Any) -> Callable[[], Any]:
    return lambda: kind(name=name, **options)


def merge(kind: Any, shape: tuple[int, ...] = IMAGE, count: int = 2, **options: Any) -> Make:
    """Return a maker of a model whose last layer reads the input and lines of it, which fall."""

    def make() -> Any:
        image = keras.Input(shape, name="x")
        legs = [image]
        for number in range(1, count):
            legs.append(kl.Rescaling(-0.5 * number, 0.25, name=f"leg{number}")(image))
        return keras.Model(image, kind(name="layer", **options)(legs))

    return make


def flattened(kind: Any) -> Make:
    """Return a maker of a model whose last layer reads two flattened maps."""

    def make() -> Any:
        image = keras.Input(IMAGE, name="x")
        legs = kl.Flatten(name="one")(kl.ReLU(name="relu")(image)), kl.Flatten(name="other")(image)
        return keras.Model(image, kind(name="layer")(legs))

    return make


def dot() -> Any:
    image = keras.Input(VECTOR, name="x")
    legs = [kl.Dense(3, activation="relu", name=name)(image) for name in ("one", "other")]
    return keras.Model(image, kl.Dot(axes=1, name="layer")(legs))


def dot_of_layers() -> Any:
    image = keras.Input(VECTOR, name="x")
    legs = [kl.Dense(3, activation="relu", name=name)(image) for name in ("one", "other")]
    product = kl.Multiply(name="product")(legs)
    return keras.Model(image, kl.Dense(1, use_bias=False, kernel_initializer="ones", name="layer")(product))


def product_and_relu() -> Any:
    image = keras.Input(IMAGE, name="x")
    return keras.Model(image, kl.ReLU(name="layer")(kl.Multiply(name="product")([kl.ReLU(name="relu")(image), image])))


def squeeze_and_excite() -> Any:
    image = keras.Input(IMAGE, name="x")
    mean = kl.GlobalAveragePooling2D(keepdims=True, name="mean")(image)
    gate = kl.Conv2D(3, 1, activation="sigmoid", name="gate")(mean)
    return keras.Model(image, kl.Multiply(name="layer")([image, gate]))


def attention() -> Any:
    image = keras.Input((6, 4), name="x")
    return keras.Model(image, kl.MultiHeadAttention(2, 2, name="layer")(image, image))


def two_outputs() -> Any:
    image = keras.Input(IMAGE, name="x")
    return keras.Model(image, [kl.Conv2D(2, 1, name="one")(image), kl.Conv2D(3, 1, name="layer")(image)])


def two_inputs() -> Any:
    images = [keras.Input(IMAGE, name=name) for name in ("x", "z")]
    return keras.Model(images, kl.Add(name="layer")(images))


def used_twice() -> Any:
    image, shared = keras.Input(IMAGE, name="x"), kl.Conv2D(3, 3, padding="same", activation="relu", name="layer")
    return keras.Model(image, shared(shared(image)))


def nested() -> Any:
    inner = keras.Sequential([keras.Input(IMAGE), kl.Conv2D(3, 3, padding="same", activation="relu", name="layer")])
    image = keras.Input(IMAGE, name="x")
    return keras.Model(image, inner(image))


def sequential() -> Any:
    return keras.Sequential(
        [
            keras.Input(IMAGE, name="x"),
            kl.Conv2D(4, 3, activation="relu", name="layer"),
            kl.MaxPooling2D(name="p"),  # a name that hls4ml changes
            kl.Flatten(name="flatten"),
            kl.Dense(3, name="dense"),
        ]
    )


def unet(rises: Callable[[], Any]) -> Make:
    """Return a maker of a small U-Net."""

    def make() -> Any:
        image = keras.Input((8, 8, 1), name="x")
        first = kl.Conv2D(4, 3, padding="same", name="first")(image)
        skip = kl.ReLU(name="skip")(kl.BatchNormalization(name="norm")(first))
        deep = kl.Conv2D(6, 3, padding="same", activation="relu", name="deep")(kl.MaxPooling2D(name="pool")(skip))
        both = kl.Concatenate(name="both")([rises()(deep), skip])
        logits = kl.Conv2D(1, 1, name="logits")(kl.Conv2D(4, 3, padding="same", activation="relu", name="last")(both))
        return keras.Model(image, kl.Activation("sigmoid", name="mask")(logits))

    return make


def activations(*names: str, refused: str = "", narrow: str | None = None) -> dict[str, Case]:
    """Return a case for each of Keras' functions."""
    return {
        f"activation {name}": Case(one(IMAGE, layer(kl.Activation, activation=name)), refused, narrow) for name in names
    }


UNREAD = "layer: expected a layer that hls4ml's Keras front end or QuantUNet reads"
UNKNOWN = "layer: expected one of the layers Activation, ApplyAlpha, BatchNormalization"
NO_TABLE = "layer: expected an input of at most 12 bits, of which a function is a table"
TOO_WIDE = "layer: expected an input of at most 16 bits"

LEGS = {"leg1": "fixed<16,6>", "leg2": "fixed<16,6>"}

CASES: dict[str, Case] = {
    # Convolutions
    "Conv1D same": Case(one(SIGNAL, layer(kl.Conv1D, filters=4, kernel_size=3, padding="same"))),
    "Conv1D valid": Case(one(SIGNAL, layer(kl.Conv1D, filters=4, kernel_size=3))),
    "Conv1D stride": Case(one(SIGNAL, layer(kl.Conv1D, filters=4, kernel_size=3, strides=2, padding="same"))),
    "Conv1D causal": Case(one(SIGNAL, layer(kl.Conv1D, filters=4, kernel_size=3, padding="causal"))),
    "Conv1D dilation": Case(one((8, 3), layer(kl.Conv1D, filters=4, kernel_size=3, dilation_rate=2, padding="same"))),
    "Conv1D causal dilation": Case(
        one((8, 3), layer(kl.Conv1D, filters=4, kernel_size=3, dilation_rate=2, padding="causal"))
    ),
    "Conv1D pointwise": Case(one(SIGNAL, layer(kl.Conv1D, filters=4, kernel_size=1))),
    "Conv2D same": Case(one(IMAGE, layer(kl.Conv2D, filters=4, kernel_size=3, padding="same"))),
    "Conv2D valid": Case(one(IMAGE, layer(kl.Conv2D, filters=4, kernel_size=3))),
    "Conv2D stride same": Case(one((7, 8, 3), layer(kl.Conv2D, filters=4, kernel_size=3, strides=2, padding="same"))),
    "Conv2D stride valid": Case(one(IMAGE, layer(kl.Conv2D, filters=4, kernel_size=(2, 3), strides=(2, 3)))),
    "Conv2D 5x5": Case(one(IMAGE, layer(kl.Conv2D, filters=2, kernel_size=5, padding="same"))),
    "Conv2D 1x3": Case(one(IMAGE, layer(kl.Conv2D, filters=2, kernel_size=(1, 3), padding="same"))),
    "Conv2D even kernel": Case(one(IMAGE, layer(kl.Conv2D, filters=2, kernel_size=(2, 4), padding="same"))),
    "Conv2D dilation": Case(one(IMAGE, layer(kl.Conv2D, filters=2, kernel_size=3, dilation_rate=2, padding="same"))),
    "Conv2D groups": Case(one((6, 8, 4), layer(kl.Conv2D, filters=4, kernel_size=3, groups=2, padding="same"))),
    "Conv2D pointwise, no bias": Case(one(IMAGE, layer(kl.Conv2D, filters=4, kernel_size=1, use_bias=False))),
    "Conv2D relu": Case(one(IMAGE, layer(kl.Conv2D, filters=4, kernel_size=3, activation="relu"))),
    "Conv2D channels first": Case(
        one((3, 6, 8), layer(kl.Conv2D, filters=4, kernel_size=3, data_format="channels_first")),
        "layer: expected data_format = channels_last",
    ),
    "Conv2D behind Conv2D": Case(
        one(IMAGE, layer(kl.Conv2D, "first", filters=4, kernel_size=3), layer(kl.Conv2D, filters=2, kernel_size=1)),
        "layer: expected an input of at most 16 bits, got 38 bits from 'first'",
        "layer: expected an input of at most 16 bits, got 26 bits from 'first'",
    ),
    "Conv2D behind Conv2D, narrowed": Case(
        one(IMAGE, layer(kl.Conv2D, "first", filters=4, kernel_size=3), layer(kl.Conv2D, filters=2, kernel_size=1)),
        types={"first": "fixed<16,6>"},
    ),
    "DepthwiseConv1D": Case(one(SIGNAL, layer(kl.DepthwiseConv1D, kernel_size=3, padding="same"))),
    "DepthwiseConv2D": Case(one(IMAGE, layer(kl.DepthwiseConv2D, kernel_size=3, padding="same"))),
    "DepthwiseConv2D stride": Case(one(IMAGE, layer(kl.DepthwiseConv2D, kernel_size=3, strides=2))),
    "DepthwiseConv2D multiplier": Case(one(IMAGE, layer(kl.DepthwiseConv2D, kernel_size=3, depth_multiplier=2))),
    "SeparableConv1D": Case(
        one(SIGNAL, layer(kl.SeparableConv1D, filters=4, kernel_size=3, padding="same")),
        "layer_pointwise: expected an input of at most 16 bits, got 35 bits from 'layer_depthwise'",
        "layer_pointwise: expected an input of at most 16 bits, got 23 bits from 'layer_depthwise'",
    ),
    "SeparableConv1D, narrowed": Case(
        one(SIGNAL, layer(kl.SeparableConv1D, filters=4, kernel_size=3, padding="same", dilation_rate=2)),
        types={"layer_depthwise": "fixed<16,6>"},
    ),
    "SeparableConv2D, narrowed": Case(
        one(IMAGE, layer(kl.SeparableConv2D, filters=4, kernel_size=3, depth_multiplier=2, activation="relu")),
        types={"layer_depthwise": "fixed<16,6>"},
    ),
    "Conv1DTranspose": Case(one(SIGNAL, layer(kl.Conv1DTranspose, filters=4, kernel_size=2, strides=2))),
    "Conv1DTranspose same": Case(
        one(SIGNAL, layer(kl.Conv1DTranspose, filters=4, kernel_size=3, strides=2, padding="same", activation="relu"))
    ),
    "Conv2DTranspose 2x2": Case(one(IMAGE, layer(kl.Conv2DTranspose, filters=4, kernel_size=2, strides=2))),
    "Conv2DTranspose 3x3": Case(one(IMAGE, layer(kl.Conv2DTranspose, filters=4, kernel_size=3, strides=2))),
    "Conv2DTranspose 3x3 same": Case(
        one(IMAGE, layer(kl.Conv2DTranspose, filters=4, kernel_size=3, strides=2, padding="same"))
    ),
    "Conv2DTranspose 4x4 leaky": Case(
        one(
            IMAGE,
            layer(kl.Conv2DTranspose, filters=4, kernel_size=4, strides=2, padding="same", activation="leaky_relu"),
        )
    ),
    "Conv2DTranspose dilation": Case(one(IMAGE, layer(kl.Conv2DTranspose, filters=4, kernel_size=3, dilation_rate=2))),
    "Conv2DTranspose output_padding": Case(
        one(IMAGE, layer(kl.Conv2DTranspose, filters=4, kernel_size=3, strides=2, padding="same", output_padding=0))
    ),
    "Conv2DTranspose 1x1 stride 2": Case(one(IMAGE, layer(kl.Conv2DTranspose, filters=2, kernel_size=1, strides=2))),
    "Conv3D": Case(one((3, 4, 4, 2), layer(kl.Conv3D, filters=2, kernel_size=2)), UNREAD),
    # Pooling
    "MaxPooling1D": Case(one(SIGNAL, layer(kl.MaxPooling1D))),
    "MaxPooling2D": Case(one(IMAGE, layer(kl.MaxPooling2D))),
    "MaxPooling2D 3x3 same": Case(one(IMAGE, layer(kl.MaxPooling2D, pool_size=3, strides=2, padding="same"))),
    "MaxPooling3D": Case(one((4, 4, 4, 2), layer(kl.MaxPooling3D)), UNREAD),
    "AveragePooling1D": Case(one(SIGNAL, layer(kl.AveragePooling1D, pool_size=2))),
    "AveragePooling2D": Case(one(IMAGE, layer(kl.AveragePooling2D, pool_size=2))),
    "AveragePooling2D 3x3": Case(one((6, 9, 3), layer(kl.AveragePooling2D, pool_size=3))),
    "AveragePooling2D same": Case(
        one((7, 8, 3), layer(kl.AveragePooling2D, pool_size=2, padding="same")),
        "layer: expected a maximum, or an average that counts what is padded",
    ),
    "GlobalMaxPooling1D": Case(one(SIGNAL, layer(kl.GlobalMaxPooling1D))),
    "GlobalMaxPooling2D": Case(one(IMAGE, layer(kl.GlobalMaxPooling2D))),
    "GlobalAveragePooling1D": Case(one(SIGNAL, layer(kl.GlobalAveragePooling1D))),
    "GlobalAveragePooling2D": Case(one(IMAGE, layer(kl.GlobalAveragePooling2D))),
    "GlobalAveragePooling2D keepdims": Case(one(IMAGE, layer(kl.GlobalAveragePooling2D, keepdims=True))),
    # Merging
    "Add": Case(merge(kl.Add), types=LEGS),
    "Add of vectors": Case(merge(kl.Add, VECTOR), types=LEGS),
    **{
        f"{kind.__name__} of wide types": Case(
            merge(kind), f"{TOO_WIDE}, got 33 bits from 'leg1'", f"{TOO_WIDE}, got 21"
        )
        for kind in (kl.Add, kl.Multiply, kl.Minimum, kl.Concatenate)
    },
    "Add of three": Case(
        merge(kl.Add, count=3), "layer: expected an input of at most 16 bits, got 17 bits from 'layer_1'", types=LEGS
    ),
    "Add of three, narrowed": Case(merge(kl.Add, count=3), types={**LEGS, "layer_1": "fixed<16,6>"}),
    "Subtract": Case(merge(kl.Subtract), types=LEGS),
    "Multiply": Case(merge(kl.Multiply), types=LEGS),
    "Average": Case(merge(kl.Average), types=LEGS),
    "Average of three": Case(merge(kl.Average, count=3), "layer: expected an Average of two tensors, got 3"),
    "Maximum": Case(merge(kl.Maximum), types=LEGS),
    "Minimum": Case(merge(kl.Minimum), types=LEGS),
    "Concatenate 1d": Case(merge(kl.Concatenate, VECTOR), types=LEGS),
    "Concatenate 2d": Case(merge(kl.Concatenate, SIGNAL), types=LEGS),
    "Concatenate 3d": Case(merge(kl.Concatenate), types=LEGS),
    "Concatenate of three": Case(merge(kl.Concatenate, count=3), types=LEGS),
    "Concatenate rows": Case(merge(kl.Concatenate, axis=1), types=LEGS),
    "Concatenate columns": Case(merge(kl.Concatenate, axis=-2), types=LEGS),
    "Concatenate flattened": Case(
        flattened(kl.Concatenate), "layer: expected an input of shape (1, 1, 144), got a map of (6, 8, 3), flattened"
    ),
    "Add flattened": Case(flattened(kl.Add)),
    "Multiply and ReLU": Case(product_and_relu),
    "Multiply by a gate": Case(squeeze_and_excite),
    "Dot": Case(dot, "layer: expected no Dot"),
    "Dot of other layers": Case(dot_of_layers, types={"product": "fixed<16,6>"}),
    # Normalisation
    "BatchNormalization of a vector": Case(one(VECTOR, layer(kl.BatchNormalization))),
    "BatchNormalization": Case(one(IMAGE, layer(kl.BatchNormalization))),
    "BatchNormalization behind Conv2D": Case(
        one(IMAGE, layer(kl.Conv2D, "conv", filters=2, kernel_size=3), layer(kl.BatchNormalization))
    ),
    "BatchNormalization of rows": Case(
        one(IMAGE, layer(kl.BatchNormalization, axis=1)), "layer: expected a normalisation of the channels, axis 3"
    ),
    "Normalization": Case(one(IMAGE, layer(kl.Normalization, mean=[0.5, 0.25, 1], variance=[0.25, 2, 0.5]))),
    "Rescaling": Case(one(IMAGE, layer(kl.Rescaling, scale=0.3, offset=0.25))),
    "LayerNormalization": Case(one(SIGNAL, layer(kl.LayerNormalization)), UNREAD),
    "UnitNormalization": Case(one(VECTOR, layer(kl.UnitNormalization)), UNREAD),
    # Activations
    **activations("relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "hard_sigmoid", "tanh", "hard_tanh"),
    **activations("softplus", "softsign", "linear"),
    **activations("gelu", "silu", "exponential", "hard_silu", "mish", refused=NO_TABLE, narrow=""),
    **activations("softmax", refused=UNKNOWN),
    **activations("log_sigmoid", "celu", "tanh_shrink", refused="layer: expected an activation abs, elu, "),
    "ReLU": Case(one(IMAGE, layer(kl.ReLU))),
    "ReLU max_value": Case(one(IMAGE, layer(kl.ReLU, max_value=6.0))),
    "ReLU negative_slope": Case(one(IMAGE, layer(kl.ReLU, negative_slope=0.3))),
    "ReLU negative_slope, max_value": Case(one(IMAGE, layer(kl.ReLU, negative_slope=0.25, max_value=4.0))),
    "ReLU threshold": Case(one(IMAGE, layer(kl.ReLU, threshold=1.25))),
    "ReLU all": Case(
        one(IMAGE, layer(kl.ReLU, negative_slope=0.5, threshold=1.0)), "layer: expected a ReLU with a threshold alone"
    ),
    "LeakyReLU": Case(one(IMAGE, layer(kl.LeakyReLU, negative_slope=0.3))),
    "ELU": Case(one(IMAGE, layer(kl.ELU, alpha=0.3))),
    "PReLU": Case(one(SIGNAL, layer(kl.PReLU)), "layer: expected one slope for each channel"),
    "PReLU of channels": Case(one(IMAGE, layer(kl.PReLU, shared_axes=[1, 2]))),
    "Softmax": Case(one(VECTOR, layer(kl.Softmax)), UNKNOWN),
    # Shapes
    "ZeroPadding1D": Case(one(SIGNAL, layer(kl.ZeroPadding1D, padding=(1, 2)))),
    "ZeroPadding2D": Case(one(IMAGE, layer(kl.ZeroPadding2D, padding=((1, 2), (0, 3))))),
    "Cropping1D": Case(one(SIGNAL, layer(kl.Cropping1D, cropping=(1, 2)))),
    "Cropping2D": Case(one(IMAGE, layer(kl.Cropping2D, cropping=((1, 2), (0, 3))))),
    "UpSampling1D": Case(one(SIGNAL, layer(kl.UpSampling1D, size=3))),
    "UpSampling2D": Case(one(IMAGE, layer(kl.UpSampling2D, size=(2, 3)))),
    "UpSampling2D bilinear": Case(one(IMAGE, layer(kl.UpSampling2D, interpolation="bilinear"))),
    "UpSampling2D bilinear by 3": Case(
        one(IMAGE, layer(kl.UpSampling2D, size=3, interpolation="bilinear")),
        "layer: expected nearest, or bilinear to twice the size, got bilinear by (3, 3)",
    ),
    "Dense": Case(one(VECTOR, layer(kl.Dense, units=3))),
    "Dense of a signal": Case(one(SIGNAL, layer(kl.Dense, units=3))),
    "Dense of an image": Case(one(IMAGE, layer(kl.Dense, units=3, activation="relu"))),
    "Flatten and Dense": Case(one(IMAGE, layer(kl.Flatten, "flatten"), layer(kl.Dense, units=3))),
    "Flatten": Case(one(IMAGE, layer(kl.Flatten))),
    "Reshape": Case(
        one(
            (12,),
            layer(kl.Reshape, target_shape=(2, 2, 3)),
            layer(kl.Conv2D, "conv", filters=2, kernel_size=2),
        )
    ),
    "Reshape in the middle": Case(
        one(
            VECTOR,
            layer(kl.Dense, "dense", units=12),
            layer(kl.Reshape, target_shape=(2, 2, 3)),
            layer(kl.Conv2D, "conv", filters=2, kernel_size=2),
        ),
        types={"dense": "fixed<16,6>"},
    ),
    "Reshape of pixels to channels": Case(
        one(
            IMAGE,
            layer(kl.ReLU, "relu"),
            layer(kl.Reshape, target_shape=(12, 12)),
            layer(kl.Conv1D, "conv", filters=2, kernel_size=1),
        ),
        "layer: expected a flattening, or channels that become pixels",
    ),
    "Permute at the input": Case(
        one((3, 6), layer(kl.Permute, dims=(2, 1)), layer(kl.Conv1D, "conv", filters=4, kernel_size=3))
    ),
    "Permute at the output": Case(
        one(SIGNAL, layer(kl.Conv1D, "conv", filters=4, kernel_size=3), layer(kl.Permute, dims=(2, 1)))
    ),
    "Permute of rows and columns": Case(
        one(IMAGE, layer(kl.Permute, dims=(2, 1, 3))), "layer: expected tensors with the channels last"
    ),
    "RepeatVector": Case(one(VECTOR, layer(kl.RepeatVector, n=3))),
    # Others
    "EinsumDense": Case(one(SIGNAL, layer(kl.EinsumDense, equation="abc,cd->abd", output_shape=(6, 4), bias_axes="d"))),
    "EinsumDense of all": Case(one(SIGNAL, layer(kl.EinsumDense, equation="abc,bcd->ad", output_shape=(4,)))),
    "EinsumDense of places": Case(
        one(SIGNAL, layer(kl.EinsumDense, equation="abc,bd->adc", output_shape=(4, 3))),
        "layer: expected an equation that sums over the last axis, or over all of them",
    ),
    "EinsumDense without sizes": Case(
        one(SIGNAL, layer(kl.EinsumDense, equation="abc,cd->abd", output_shape=(None, 4))),
        "layer: expected an output_shape that gives every size",
    ),
    "TimeDistributed": Case(one(SIGNAL, lambda: kl.TimeDistributed(kl.Dense(3, activation="relu"), name="layer"))),
    "TimeDistributed Conv2D": Case(
        one((2, 6, 8, 3), lambda: kl.TimeDistributed(kl.Conv2D(2, 1), name="layer")), UNREAD
    ),
    "Embedding": Case(one((5,), layer(kl.Embedding, input_dim=7, output_dim=3)), UNREAD),
    "SimpleRNN": Case(one(SIGNAL, layer(kl.SimpleRNN, units=3)), UNKNOWN),
    "LSTM": Case(one(SIGNAL, layer(kl.LSTM, units=3)), UNKNOWN),
    "GRU": Case(one(SIGNAL, layer(kl.GRU, units=3)), UNKNOWN),
    "Bidirectional": Case(one(SIGNAL, lambda: kl.Bidirectional(kl.LSTM(3), name="layer")), UNKNOWN),
    "MultiHeadAttention": Case(attention, UNREAD),
    "Dropout": Case(one(IMAGE, layer(kl.Conv2D, "c", filters=2, kernel_size=3), layer(kl.Dropout, rate=0.5))),
    "SpatialDropout2D": Case(one(IMAGE, layer(kl.SpatialDropout2D, rate=0.5))),
    "GaussianNoise": Case(one(IMAGE, layer(kl.GaussianNoise, stddev=0.5))),
    "Masking": Case(one(SIGNAL, layer(kl.Masking)), UNREAD),
    "Lambda": Case(one(SIGNAL, lambda: kl.Lambda(lambda t: t * 2, name="layer")), UNREAD),
    # Models
    "two outputs": Case(two_outputs, "model: expected one output, got 2"),
    "two inputs": Case(two_inputs, "model: expected one input, got x, z"),
    "a layer used twice": Case(used_twice),
    "a model in a model": Case(nested),
    "Sequential": Case(sequential),
    "U-Net, Conv2DTranspose": Case(unet(layer(kl.Conv2DTranspose, "up", filters=4, kernel_size=2, strides=2))),
    "U-Net, UpSampling2D": Case(unet(layer(kl.UpSampling2D, "up"))),
    "U-Net, bilinear": Case(unet(layer(kl.UpSampling2D, "up", interpolation="bilinear"))),
}
