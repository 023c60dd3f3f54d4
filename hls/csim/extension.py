"""The layers that hls4ml lacks, brought in through its extension API: transpose convolution, products, tables, argmax.

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


class QunLookup(Layer):
    """A table over the whole range of the input; the entry of the integer ``q`` is ``table[q - qmin]``."""

    _expected_attributes = (
        WeightAttribute("table"),
        TypeAttribute("table"),
        Attribute("probability", value_type=bool, default=True),
    )

    def initialize(self) -> None:
        """Add the output and the table."""
        self.add_output_variable(self.get_input_variable().shape)
        self.add_weights_variable(name="table", var_name="table{index}")


class QunMultiply(Layer):
    """Product of two tensors; the second has as many channels as the first, or one for all."""

    def initialize(self) -> None:
        """Add the output."""
        self.add_output_variable(self.get_input_variable(self.inputs[0]).shape)


class QunArgmax(Layer):
    """The channel of the greatest value, the first of equals."""

    def initialize(self) -> None:
        """Add the output: one channel."""
        self.add_output_variable([*self.get_input_variable().shape[:-1], 1])


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

_LOOKUP_CONFIG = """struct config{index} {{
    static const unsigned n_in = {n_in};
    static const unsigned table_size = {table_size};
    static const bool in_signed = {in_signed};
    typedef {table_t.name} table_t;
}};
"""


_PIXELWISE_CONFIG = """struct config{index} {{
    static const unsigned n_in = {n_in};
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


class LookupConfig(LayerConfigTemplate):
    """The C++ configuration of a table."""

    def __init__(self) -> None:
        super().__init__(QunLookup)

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        params = self._default_config_params(node)
        source = node.get_input_variable()
        params |= {
            "n_in": source.size(),
            "table_size": node.get_weights("table").data_length,
            "in_signed": str(source.type.precision.signed).lower(),
        }
        return _LOOKUP_CONFIG.format(**params)


class LookupFunction(FunctionCallTemplate):
    """The C++ call of a table."""

    def __init__(self) -> None:
        super().__init__(QunLookup, include_header=["nnet_utils/qun_lookup.h"])

    def format(self, node: Any) -> str:
        """Return the call."""
        params = self._default_function_params(node) | {"table": node.get_weights("table").name}
        return "qun::lookup<{input_t}, {output_t}, {config}>({input}, {output}, {table});".format(**params)


class MultiplyConfig(LayerConfigTemplate):
    """The C++ configuration of a product."""

    def __init__(self) -> None:
        super().__init__(QunMultiply)

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        source = node.get_input_variable(node.inputs[0])
        return _PIXELWISE_CONFIG.format(**self._default_config_params(node), n_in=source.size())


class MultiplyFunction(FunctionCallTemplate):
    """The C++ call of a product."""

    def __init__(self) -> None:
        super().__init__(QunMultiply, include_header=["nnet_utils/qun_multiply.h"])

    def format(self, node: Any) -> str:
        """Return the call."""
        first, second = (node.get_input_variable(name) for name in node.inputs)
        params = self._default_function_params(node)
        params |= {"first": first.name, "first_t": first.type.name}
        params |= {"second": second.name, "second_t": second.type.name}
        call = "qun::multiply<{first_t}, {second_t}, {output_t}, {config}>({first}, {second}, {output});"
        return call.format(**params)


class ArgmaxConfig(LayerConfigTemplate):
    """The C++ configuration of an argmax."""

    def __init__(self) -> None:
        super().__init__(QunArgmax)

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        params = self._default_config_params(node)
        return _PIXELWISE_CONFIG.format(**params, n_in=node.get_input_variable().size())


class ArgmaxFunction(FunctionCallTemplate):
    """The C++ call of an argmax."""

    def __init__(self) -> None:
        super().__init__(QunArgmax, include_header=["nnet_utils/qun_argmax.h"])

    def format(self, node: Any) -> str:
        """Return the call."""
        return "qun::argmax<{input_t}, {output_t}, {config}>({input}, {output});".format(
            **self._default_function_params(node)
        )


def register_layers() -> None:
    """Make the layer classes known to hls4ml; a second call changes nothing."""
    for layer in (QunConvTranspose2D, QunLookup, QunMultiply, QunArgmax):
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
    for template in (
        ConvTranspose2DConfig,
        ConvTranspose2DFunction,
        LookupConfig,
        LookupFunction,
        MultiplyConfig,
        MultiplyFunction,
        ArgmaxConfig,
        ArgmaxFunction,
    ):
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


_HEADERS = ("qun_conv_transpose2d.h", "qun_lookup.h", "qun_multiply.h", "qun_argmax.h")
