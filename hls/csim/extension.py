"""The layers that hls4ml lacks, brought in through its extension API.

Their C++ stands in ``hls/csim/cpp/``. :func:`register` adds them to an hls4ml backend of the Vitis family.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from hls4ml.backends.fpga.fpga_backend import FPGABackend
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.attributes import Attribute, TypeAttribute, WeightAttribute
from hls4ml.model.layers import Layer, layer_map, register_layer

CPP = Path(__file__).resolve().parent / "cpp"


class QunConvTranspose2D(Layer):
    """Transpose convolution, kernel 2x2, stride 2; weights ``(dy, dx, channel in, channel out)``."""

    _expected_attributes = (
        Attribute("in_height"),
        Attribute("in_width"),
        Attribute("out_height"),
        Attribute("out_width"),
        Attribute("n_chan"),
        Attribute("n_filt"),
        WeightAttribute("weight"),
        WeightAttribute("bias"),
        TypeAttribute("weight"),
        TypeAttribute("bias"),
        TypeAttribute("accum"),
    )

    def initialize(self) -> None:
        """Add the output, the weights and the bias."""
        attributes = self.attributes
        self.add_output_variable([attributes["out_height"], attributes["out_width"], attributes["n_filt"]])
        self.add_weights()
        self.add_bias()


class QunSigmoid(Layer):
    """A table over the whole range of the input; the entry of the integer ``q`` is ``table[q - qmin]``."""

    _expected_attributes = (WeightAttribute("table"), TypeAttribute("table"))

    def initialize(self) -> None:
        """Add the output and the table."""
        self.add_output_variable(self.get_input_variable().shape)
        self.add_weights_variable(name="table", var_name="table{index}")


class QunReorder(Layer):
    """A layer that moves pixels: what it does to rows and to columns, and a constant."""

    _expected_attributes = tuple(
        Attribute(name)
        for name in ("in_height", "in_width", "out_height", "out_width", "n_chan", "rows", "columns", "value")
    )

    def initialize(self) -> None:
        """Add the output."""
        attributes = self.attributes
        self.add_output_variable([attributes["out_height"], attributes["out_width"], attributes["n_chan"]])


class QunPad(QunReorder):
    """Pixels around the image: ``rows`` above it and ``columns`` left of it; ``value`` holds the bits of a channel."""


class QunCrop(QunReorder):
    """The image without ``rows`` at the top and ``columns`` at the left, and what the output's size says."""


class QunResizeNearest(QunReorder):
    """Each pixel repeated ``rows`` times ``columns``."""


class QunResizeBilinear(QunReorder):
    """Twice the size, where ``rows`` or ``columns`` are 2."""


class QunDepthToSpace(QunReorder):
    """Each pixel becomes ``rows`` times ``columns``."""


_REORDER = {
    QunPad: "pad",
    QunCrop: "crop",
    QunResizeNearest: "resize_nearest",
    QunResizeBilinear: "resize_bilinear",
    QunDepthToSpace: "depth_to_space",
}

_CONV_TRANSPOSE2D_CONFIG = """struct config{index} {{
    static const unsigned in_height = {in_height};
    static const unsigned in_width = {in_width};
    static const unsigned n_chan = {n_chan};
    static const unsigned n_filt = {n_filt};
    typedef {accum_t.name} accum_t;
    typedef {bias_t.name} bias_t;
    typedef {weight_t.name} weight_t;
}};
"""

_SIGMOID_CONFIG = """struct config{index} {{
    static const unsigned n_in = {n_in};
    static const unsigned table_size = {table_size};
    static const bool in_signed = {in_signed};
    typedef {table_t.name} table_t;
}};
"""


_REORDER_CONFIG = """struct config{index} {{
    static const unsigned in_height = {in_height};
    static const unsigned in_width = {in_width};
    static const unsigned out_height = {out_height};
    static const unsigned out_width = {out_width};
    static const unsigned rows = {rows};
    static const unsigned columns = {columns};
    static const unsigned value = {value};
}};
"""


class ConvTranspose2DConfig(LayerConfigTemplate):
    """The C++ configuration of a transpose convolution."""

    def __init__(self) -> None:
        super().__init__(QunConvTranspose2D)

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        return _CONV_TRANSPOSE2D_CONFIG.format(**self._default_config_params(node))


class ConvTranspose2DFunction(FunctionCallTemplate):
    """The C++ call of a transpose convolution."""

    def __init__(self) -> None:
        super().__init__(QunConvTranspose2D, include_header=["nnet_utils/qun_conv_transpose2d.h"])

    def format(self, node: Any) -> str:
        """Return the call."""
        params = self._default_function_params(node)
        params |= {"w": node.get_weights("weight").name, "b": node.get_weights("bias").name}
        call = "qun::conv_transpose2d<{input_t}, {output_t}, {config}>({input}, {output}, {w}, {b});"
        return call.format(**params)


class SigmoidConfig(LayerConfigTemplate):
    """The C++ configuration of a sigmoid table."""

    def __init__(self) -> None:
        super().__init__(QunSigmoid)

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        params = self._default_config_params(node)
        source = node.get_input_variable()
        params |= {
            "n_in": source.size(),
            "table_size": node.get_weights("table").data_length,
            "in_signed": str(source.type.precision.signed).lower(),
        }
        return _SIGMOID_CONFIG.format(**params)


class SigmoidFunction(FunctionCallTemplate):
    """The C++ call of a sigmoid table."""

    def __init__(self) -> None:
        super().__init__(QunSigmoid, include_header=["nnet_utils/qun_sigmoid.h"])

    def format(self, node: Any) -> str:
        """Return the call."""
        params = self._default_function_params(node) | {"table": node.get_weights("table").name}
        return "qun::sigmoid<{input_t}, {output_t}, {config}>({input}, {output}, {table});".format(**params)


class ReorderConfig(LayerConfigTemplate):
    """The C++ configuration of a layer that moves pixels."""

    def __init__(self) -> None:
        super().__init__(tuple(_REORDER))

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        return _REORDER_CONFIG.format(**self._default_config_params(node))


class ReorderFunction(FunctionCallTemplate):
    """The C++ call of a layer that moves pixels."""

    def __init__(self) -> None:
        super().__init__(tuple(_REORDER), include_header=[f"nnet_utils/qun_{stem}.h" for stem in _REORDER.values()])

    def format(self, node: Any) -> str:
        """Return the call."""
        stem = next(stem for layer, stem in _REORDER.items() if isinstance(node, layer))
        params = self._default_function_params(node) | {"stem": stem}
        return "qun::{stem}<{input_t}, {output_t}, {config}>({input}, {output});".format(**params)


def register_layers() -> None:
    """Make the layer classes known to hls4ml; a second call changes nothing."""
    for layer in (QunConvTranspose2D, QunSigmoid, *_REORDER):
        if layer.__name__ not in layer_map:
            register_layer(layer.__name__, layer)


def register(backend: Any) -> None:
    """Add the layers with their C++ to an hls4ml backend; a second call changes nothing.

    Args:
        backend: An hls4ml backend of the Vitis family, ``hls4ml.backends.get_backend("Vitis")``.
    """
    register_layers()
    FPGABackend.get_valid_reuse_factors = valid_reuse_factors
    if f"nnet_utils/{_HEADERS[0]}" in backend.get_custom_source():
        return
    for header in _HEADERS:
        backend.register_source(CPP / header)
    for template in _TEMPLATES:
        backend.register_template(template)


def valid_reuse_factors(backend: Any, n_in: int, n_out: int) -> list[int]:
    """Return what hls4ml's ``get_valid_reuse_factors`` returns, in time for large layers.

    hls4ml tries every number up to ``n_in * n_out``; a valid one divides that product.

    Args:
        backend: An hls4ml backend.
        n_in: Terms of one sum.
        n_out: Sums.
    """
    product = n_in * n_out
    small = [factor for factor in range(1, math.isqrt(product) + 1) if product % factor == 0]
    divisors = sorted({*small, *(product // factor for factor in small)})
    return [factor for factor in divisors if backend._validate_reuse_factor(n_in, n_out, factor)]


_HEADERS = ("qun_conv_transpose2d.h", "qun_sigmoid.h", *(f"qun_{stem}.h" for stem in _REORDER.values()))

_TEMPLATES = (
    ConvTranspose2DConfig,
    ConvTranspose2DFunction,
    SigmoidConfig,
    SigmoidFunction,
    ReorderConfig,
    ReorderFunction,
)
