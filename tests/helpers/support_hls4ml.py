"""Small hls4ml models, each about one layer: what the backend takes of it, and what it refuses.

A model is a list of layers as hls4ml's front ends make it: an input of four channels and the layer, called ``probe``.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from helpers.support_onnx import Cases
from hls4ml.model.graph import ModelGraph

from quantunet import functions

PROBE = "probe"
CHANNELS = 4
MAP, ROW = (4, 6, CHANNELS), (8, CHANNELS)
"""Shapes of an image and of a signal."""

INPUT, RESULT = "fixed<6,3>", "fixed<10,5,RND_CONV,SAT>"
SMALL = {"result": RESULT, "weight": "fixed<4,2>", "bias": "fixed<8,4>", "scale": "fixed<8,4>", "param": "fixed<6,2>"}

Layer = dict[str, Any]

_OF_ONNX, _OF_HGQ = {"QunOnnxConvTranspose", "QunOnnxResize"}, {"FixedPointQuantizer", "UnaryLUT"}
NOT_MADE = frozenset({"PointwiseConv1D", "PointwiseConv2D", *_OF_ONNX, *_OF_HGQ})
"""What the backend reads as well: what passes of other backends make, and what needs the model that it came from.

The tests of hls4ml's ONNX front end and those of HGQ2 have the latter.
"""


@dataclass(frozen=True)
class Case:
    """One model.

    Attributes:
        layers: The layers behind the input; the one that it is about is called ``probe``.
        shape: Of the input.
    """

    layers: tuple[Layer, ...]
    shape: tuple[int, ...] = MAP

    def model(self) -> ModelGraph:
        """Return hls4ml's graph, behind the passes of the backend."""
        stack: list[Layer] = [{"class_name": "InputLayer", "name": "x", "input_shape": list(self.shape)}]
        stack += [dict(layer) for layer in self.layers]
        named = {layer["name"]: {"Precision": dict(SMALL)} for layer in stack[1:]}
        config = {
            "OutputDir": tempfile.gettempdir(), "ProjectName": "probes", "Backend": "QuantUNet", "IOType": "io_stream",
            "HLSConfig": {
                "Model": {"Precision": {"default": "fixed<16,6>"}, "ReuseFactor": 1},
                "LayerName": {"x": {"Precision": {"result": INPUT}}, **named},
            },
        }  # fmt: skip
        return ModelGraph.from_layer_list(config, stack)


def draw(*shape: int) -> np.ndarray:
    """Return numbers that a few bits hold."""
    return np.random.default_rng(0).integers(-3, 4, size=shape) / 4.0


def layer(kind: str, name: str = PROBE, **attributes: Any) -> Layer:
    """Return a layer."""
    return {"class_name": kind, "name": name, "data_format": "channels_last", **attributes}


def _sizes(shape: tuple[int, ...], out: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...],
           pads: tuple[int, ...], prefix: str) -> Layer:  # fmt: skip
    names = ("height", "width")[-len(kernel) :]
    found: Layer = {}
    for each, size, after, taps, step in zip(names, shape, out, kernel, stride, strict=False):
        found |= {f"in_{each}": size, f"out_{each}": after, f"{prefix}_{each}": taps, f"stride_{each}": step}
    sides = ("left", "right") if len(kernel) == 1 else ("top", "bottom", "left", "right")
    return found | {f"pad_{side}": count for side, count in zip(sides, pads, strict=True)}


def _out(shape: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], pads: tuple[int, ...],
         dilation: int = 1) -> tuple[int, ...]:  # fmt: skip
    return tuple(
        (size + pads[2 * axis] + pads[2 * axis + 1] - (taps - 1) * dilation - 1) // step + 1
        for axis, (size, taps, step) in enumerate(zip(shape, kernel, stride, strict=False))
    )


def conv(kind: str = "Conv2D", kernel: tuple[int, ...] = (3, 3), stride: tuple[int, ...] = (1, 1),
         pads: tuple[int, ...] = (1, 1, 1, 1), filters: int = 3, dilation: int | None = 1) -> Case:  # fmt: skip
    """A convolution."""
    shape = MAP if len(kernel) == 2 else ROW
    apart = "Depthwise" in kind
    filters = CHANNELS if apart else filters
    out = _out(shape, kernel, stride, pads, dilation or 1)
    weight = draw(*kernel, CHANNELS, 1) if apart else draw(*kernel, CHANNELS, filters)
    more = {"depthwise_data": weight, "depth_multiplier": 1} if apart else {"weight_data": weight}
    attributes = _sizes(shape, out, kernel, stride, pads, "filt")
    if len(kernel) == 1:
        attributes |= {"n_in": shape[0], "n_out": out[0]}
    told = {} if dilation is None else {"dilation": dilation}
    return Case(
        (layer(kind, n_chan=CHANNELS, n_filt=filters, bias_data=draw(filters), **told, **more, **attributes),), shape
    )


def separable(kind: str, *, told: bool = True) -> Case:
    """A depthwise convolution and a pointwise one; ``told`` is whether the dilation is passed on."""
    kernel = (3, 3) if "2D" in kind else (3,)
    shape = MAP if len(kernel) == 2 else ROW
    pads = (1, 1) * len(kernel)
    attributes = _sizes(shape, _out(shape, kernel, (1, 1), pads), kernel, (1, 1)[: len(kernel)], pads, "filt")
    point = draw(*[1] * len(kernel), CHANNELS, 3)
    return Case(
        (layer(kind, n_chan=CHANNELS, n_filt=3, depth_multiplier=1, depthwise_data=draw(*kernel, CHANNELS, 1),
               pointwise_data=point, bias_data=draw(3), n_in=shape[0], **_dilation(told), **attributes),), shape,
    )  # fmt: skip


def _dilation(told: bool) -> Layer:
    return {"dilation_height": 1, "dilation_width": 1} if told else {}


def pool(kind: str, kernel: tuple[int, ...], stride: tuple[int, ...], pads: tuple[int, ...]) -> Case:
    """A pooling."""
    shape = MAP if len(kernel) == 2 else ROW
    out = _out(shape, kernel, stride, pads)
    attributes = _sizes(shape, out, kernel, stride, pads, "pool")
    if len(kernel) == 1:
        attributes |= {"n_in": shape[0], "n_out": out[0]}
    return Case((layer(kind, n_filt=CHANNELS, **attributes),), shape)


def plain(kind: str, shape: tuple[int, ...] = MAP, **attributes: Any) -> Case:
    """A layer that needs nothing else."""
    return Case((layer(kind, **attributes),), shape)


def activation(name: str, kind: str = "Activation", **attributes: Any) -> Case:
    """An activation."""
    return plain(kind, activation=name, n_in=math.prod(MAP), **attributes)


def sized(kind: str, out: tuple[int, ...], shape: tuple[int, ...] = MAP, **attributes: Any) -> Case:
    """A layer that changes heights and widths."""
    names = ("height", "width")[-len(out) :]
    sizes = {f"in_{name}": size for name, size in zip(names, shape, strict=False)}
    sizes |= {f"out_{name}": size for name, size in zip(names, out, strict=True)}
    if len(out) == 1:
        sizes |= {"in_height": 1, "out_height": 1}
    return plain(kind, shape, n_chan=shape[-1], **sizes, **attributes)


def two(kind: str, **attributes: Any) -> Case:
    """A layer of the input and of what a pointwise convolution makes of it."""
    first = conv("Conv2D", (1, 1), pads=(0, 0, 0, 0), filters=CHANNELS).layers[0] | {"name": "other"}
    return Case((first | {"inputs": ["x"]}, layer(kind, inputs=["x", "other"], **attributes)))


def transposed(*, signal: bool = False) -> Case:
    """A transpose convolution as this package's front ends make it."""
    high, out = (1, 1) if signal else (4, 8)
    taps = (1, 2) if signal else (2, 2)
    sizes = {
        "in_height": high,
        "in_width": ROW[0] if signal else 6,
        "out_height": out,
        "out_width": 16 if signal else 12,
    }
    window = {"filt_height": taps[0], "filt_width": 2, "stride_height": taps[0], "stride_width": 2}
    weights = {"weight_data": draw(*taps, CHANNELS, 3), "bias_data": draw(3)}
    more = {
        "transposed": True,
        "groups": 1,
        "dilation_height": 1,
        "dilation_width": 1,
        "crop_height": 0,
        "crop_width": 0,
    }
    kind, shape = ("QunConvTranspose1D", ROW) if signal else ("QunConv2D", MAP)
    return plain(kind, shape, n_chan=CHANNELS, n_filt=3, **weights, **sizes, **window, **more)


def limited(threshold: float) -> Case:
    """A ReLU with a limit, as this package's front end makes it."""
    return plain("QunReLU", max_value=6.0, negative_slope=0.25, threshold=threshold)


FLAT = layer("Reshape", "flat", target_shape=[math.prod(MAP)])


def dense() -> Case:
    """A dense layer behind a flattening."""
    count = math.prod(MAP)
    return Case((FLAT, layer("Dense", n_in=count, n_out=3, weight_data=draw(count, 3), bias_data=draw(3))))


def einsum(equation: str) -> Case:
    """A dense layer by an equation."""
    shape = {"a": MAP[0], "b": MAP[1], "d": 3}
    out = tuple(shape[axis] for axis in equation.split("->")[1])
    weights = {"weight_data": draw(CHANNELS, 3), "bias_data": draw(3)}
    return plain("EinsumDense", equation=equation, inp_shape=MAP, out_shape=out, **weights)


def behind(kind: str, **attributes: Any) -> Case:
    """A layer between two convolutions of 1x1."""
    point = conv("Conv2D", (1, 1), pads=(0, 0, 0, 0), filters=CHANNELS).layers[0]
    return Case((point | {"name": "first"}, layer(kind, **attributes), point | {"name": "last"}))


def recurrent(kind: str, gates: int) -> Case:
    """A recurrent layer of a signal."""
    weights = {"weight_data": draw(CHANNELS, 3 * gates), "recurrent_weight_data": draw(3, 3 * gates)}
    biases = {"bias_data": draw(3 * gates), "recurrent_bias_data": draw(3 * gates)}
    return plain(kind, ROW, n_out=3, activation="tanh", recurrent_activation="sigmoid", n_timesteps=ROW[0],
                 return_sequences=True, return_state=False, apply_reset_gate="after", time_major=False, **weights,
                 **biases)  # fmt: skip


NO_PADS, PADS = (0, 0, 0, 0), (1, 1, 1, 1)
WHOLE = {"in_height": MAP[0], "in_width": MAP[1], "n_filt": CHANNELS}
SIDES = {"pad_top": 1, "pad_bottom": 0, "pad_left": 2, "pad_right": 1}
CROPS = {"crop_top": 1, "crop_bottom": 0, "crop_left": 2, "crop_right": 1}
NORM = {"n_in": math.prod(MAP), "n_filt": CHANNELS, "scale_data": draw(CHANNELS), "bias_data": draw(CHANNELS)}
FLATTENED = layer("Reshape", target_shape=[math.prod(MAP)])

HLS4ML: Mapping[str, Cases[Case]] = {
    "InputLayer": Cases({"of fixed-point numbers": behind("Activation", activation="linear")}, {}),
    "Conv1D": Cases({"kernel 3, padded": conv("Conv1D", (3,), (1,), (1, 1))}, {}),
    "Conv2D": Cases(
        {
            "kernel 3 x 3, padded": conv(),
            "stride 2 x 1": conv(stride=(2, 1)),
            "dilation 2": conv(pads=(2, 2, 2, 2), dilation=2),
        },
        {"a dilation that hls4ml does not pass on": conv(dilation=None)},
    ),
    "DepthwiseConv1D": Cases({"kernel 3, padded": conv("DepthwiseConv1D", (3,), (1,), (1, 1))}, {}),
    "DepthwiseConv2D": Cases({"kernel 3 x 3, padded": conv("DepthwiseConv2D")}, {}),
    "SeparableConv1D": Cases(
        {"kernel 3, padded": separable("SeparableConv1D")},
        {"a dilation that hls4ml does not pass on": separable("SeparableConv1D", told=False)},
    ),
    "SeparableConv2D": Cases(
        {"kernel 3 x 3, padded": separable("SeparableConv2D")},
        {"a dilation that hls4ml does not pass on": separable("SeparableConv2D", told=False)},
    ),
    "QunConv2D": Cases({"a transpose convolution, kernel 2 x 2, stride 2": transposed()}, {}),
    "QunConvTranspose1D": Cases({"kernel 2, stride 2": transposed(signal=True)}, {}),
    "QunReLU": Cases(
        {"a limit of 6 and a slope of 0.25": limited(0.0)}, {"a threshold beside a limit and a slope": limited(1.0)}
    ),
    "Dense": Cases({"of the whole map": dense()}, {}),
    "EinsumDense": Cases({"of the last axis": einsum("abc,cd->abd")}, {"in another order": einsum("abc,cd->adb")}),
    "MaxPooling1D": Cases({"2, stride 2": pool("MaxPooling1D", (2,), (2,), (0, 0))}, {}),
    "MaxPooling2D": Cases(
        {
            "2 x 2, stride 2": pool("MaxPooling2D", (2, 2), (2, 2), NO_PADS),
            "3 x 3, stride 1, padded": pool("MaxPooling2D", (3, 3), (1, 1), PADS),
        },
        {},
    ),
    "AveragePooling1D": Cases({"2, stride 2": pool("AveragePooling1D", (2,), (2,), (0, 0))}, {}),
    "AveragePooling2D": Cases(
        {"2 x 2, stride 2": pool("AveragePooling2D", (2, 2), (2, 2), NO_PADS)},
        {"padded": pool("AveragePooling2D", (3, 3), (1, 1), PADS)},
    ),
    "GlobalMaxPooling1D": Cases({"of a signal": plain("GlobalMaxPooling1D", ROW, n_in=8, n_filt=CHANNELS)}, {}),
    "GlobalMaxPooling2D": Cases({"of an image": plain("GlobalMaxPooling2D", **WHOLE)}, {}),
    "GlobalAveragePooling1D": Cases({"of a signal": plain("GlobalAveragePooling1D", ROW, n_in=8, n_filt=CHANNELS)}, {}),
    "GlobalAveragePooling2D": Cases({"of an image": plain("GlobalAveragePooling2D", **WHOLE)}, {}),
    "Activation": Cases(
        {name: activation(name) for name in ("relu", "relu6", "sigmoid", "elu", "selu", *functions.PLAIN)}
        | {"linear": behind("Activation", activation="linear")},
        {name: activation(name) for name in ("softmax", "binary_tanh")},
    ),
    "HardActivation": Cases({name: activation(name, "HardActivation") for name in ("hard_sigmoid", "hard_tanh")}, {}),
    "LeakyReLU": Cases(
        {"slope 0.25": activation("LeakyReLU", "LeakyReLU", activ_param=0.25)},
        {"a negative slope": activation("LeakyReLU", "LeakyReLU", activ_param=-0.25)},
    ),
    "ThresholdedReLU": Cases(
        {
            f"threshold {each:g}": activation("ThresholdedReLU", "ThresholdedReLU", activ_param=each)
            for each in (0.0, 1.0)
        },
        {},
    ),
    "ELU": Cases({"alpha 1": activation("ELU", "ELU", activ_param=1.0)}, {}),
    "PReLU": Cases(
        {"a slope of each channel": activation("prelu", "PReLU", param_data=np.abs(draw(1, 1, CHANNELS)))},
        {"a slope of each pixel": activation("prelu", "PReLU", param_data=np.abs(draw(*MAP)))},
    ),
    "BatchNormalization": Cases({"in evaluation mode": plain("BatchNormalization", **NORM)}, {}),
    "ApplyAlpha": Cases({"a scale of each channel": plain("ApplyAlpha", **NORM)}, {}),
    "Concatenate": Cases(
        {
            "of channels": two("Concatenate", axis=3, op="concatenate3d"),
            "of rows": two("Concatenate", axis=1, op="concatenate3d"),
        },
        {},
    ),
    "Merge": Cases(
        {op: two("Merge", op=op) for op in ("add", "subtract", "multiply", "average", "maximum", "minimum")},
        {},
    ),
    "Reshape": Cases(
        {
            "a flattening": Case((FLATTENED, dense().layers[1] | {"name": "dense"})),
            "at the end, of any kind": plain("Reshape", target_shape=[6, 4, CHANNELS]),
        },
        {},
    ),
    "ZeroPadding1D": Cases({"each side": sized("ZeroPadding1D", (11,), ROW, pad_left=1, pad_right=2)}, {}),
    "ZeroPadding2D": Cases({"each side": sized("ZeroPadding2D", (5, 9), **SIDES)}, {}),
    "Cropping1D": Cases({"each side": sized("Cropping1D", (5,), ROW, crop_left=1, crop_right=2)}, {}),
    "Cropping2D": Cases({"each side": sized("Cropping2D", (3, 3), **CROPS)}, {}),
    "UpSampling1D": Cases({"nearest by 2": sized("UpSampling1D", (16,), ROW, algorithm="nearest")}, {}),
    "UpSampling2D": Cases(
        {
            "nearest by 2 x 3": sized("UpSampling2D", (8, 18), algorithm="nearest"),
            "bilinear to twice the size": sized("UpSampling2D", (8, 12), algorithm="bilinear"),
        },
        {"bilinear by 4": sized("UpSampling2D", (16, 24), algorithm="bilinear")},
    ),
    "Resize": Cases(
        {"nearest by 2": sized("Resize", (8, 12), algorithm="nearest")},
        {"to 1.5 times the size": sized("Resize", (6, 9), algorithm="nearest")},
    ),
    "Transpose": Cases(
        {"from channels first, at the input": Case(
            (layer("Transpose", perm=[1, 2, 0]), conv().layers[0] | {"name": "conv"}), (CHANNELS, *MAP[:2])
        )},
        {"of rows and columns": behind("Transpose", perm=[1, 0, 2])},
    ),
}  # fmt: skip
"""By the name of the layer in hls4ml's list."""

REFUSED: Mapping[str, Case] = {
    "Softmax": activation("softmax", "Softmax", axis=-1),
    "TernaryTanh": activation("ternary_tanh", "TernaryTanh"),
    "LayerNormalization": plain(
        "LayerNormalization",
        ROW,
        n_in=math.prod(ROW),
        seq_len=ROW[0],
        gamma_data=draw(CHANNELS),
        beta_data=draw(CHANNELS),
    ),
    "Embedding": plain("Embedding", (8,), n_in=8, n_out=3, vocab_size=16, embeddings_data=draw(16, 3)),
    "LSTM": recurrent("LSTM", 4),
    "GRU": recurrent("GRU", 3),
    "SimpleRNN": recurrent("SimpleRNN", 1),
    "Dot": Case(
        (FLATTENED | {"name": "flat"}, layer("Dot", inputs=["flat", "flat"], op="dot1d", axes=1, normalize=False))
    ),
}
"""Layers that the backend does not have."""
