"""The layers that hls4ml lacks, brought in through its extension API: one or more classes and templates an op.

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

from quantunet.hls.csim import windows
from quantunet.ops import OPS

CPP = Path(__file__).resolve().parent / "cpp"


class _MatrixLayer(Layer):
    """A layer with a matrix for each place of its kernel."""

    sides: tuple[str, ...] = ("out_height", "out_width")
    """The attributes that name the rows and columns of its result."""

    def initialize(self) -> None:
        """Add the output, the weights and the bias."""
        attributes = self.attributes
        sides, channels = [attributes[name] for name in self.sides], attributes["n_filt"]
        first = attributes.get("data_format") == "channels_first"
        self.add_output_variable([channels, *sides] if first else [*sides, channels])
        self.add_weights()
        self.add_bias()


class _PixelwiseLayer(Layer):
    """A layer of two tensors, whose output has the shape of the first."""

    def initialize(self) -> None:
        """Add the output."""
        self.add_output_variable(self.get_input_variable(self.inputs[0]).shape)


class QunConv2D(_MatrixLayer):
    """Convolution or transpose convolution of any geometry; weights ``(dy, dx, channel in, channel out)``."""

    _expected_attributes = (
        *(
            Attribute(f"{name}_{side}")
            for name in ("in", "out", "filt", "stride", "dilation", "crop")
            for side in ("height", "width")
        ),
        Attribute("n_chan"),
        Attribute("n_filt"),
        Attribute("groups"),
        Attribute("transposed", value_type=bool),
        WeightAttribute("weight"),
        WeightAttribute("bias"),
        TypeAttribute("weight"),
        TypeAttribute("bias"),
        TypeAttribute("accum"),
    )


class QunConvTranspose2D(_MatrixLayer):
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


class QunAdd(_PixelwiseLayer):
    """A weighted sum of two tensors, whose exact value has the type ``accum``."""

    _expected_attributes = (Attribute("first_gain"), Attribute("second_gain"), TypeAttribute("accum"))


class QunAffine(Layer):
    """General requantisation; a channel has ten constants, the halves of its split and of both branches' factors."""

    _expected_attributes = (
        Attribute("n_chan"),
        Attribute("shift"),
        Attribute("low"),
        Attribute("high"),
        Attribute("even"),
        Attribute("wraps"),
        Attribute("sum_width"),
        Attribute("multiplier_width"),
        WeightAttribute("constant"),
        TypeAttribute("constant"),
    )

    def initialize(self) -> None:
        """Add the output and the constants."""
        self.add_output_variable(self.get_input_variable().shape)
        self.add_weights_variable(name="constant", var_name="constant{index}")


class QunMultiply(_PixelwiseLayer):
    """Product of two tensors; the second has as many channels as the first, or one for all."""


class QunArgmax(Layer):
    """The channel of the greatest value, the first of equals."""

    def initialize(self) -> None:
        """Add the output: one channel."""
        self.add_output_variable([*self.get_input_variable().shape[:-1], 1])


class QunSmallestArea(Layer):
    """A mask that is empty where its foreground has fewer than ``area`` pixels."""

    _expected_attributes = (Attribute("area"),)

    def initialize(self) -> None:
        """Add the output."""
        self.add_output_variable(self.get_input_variable().shape)


_CONV2D_CONFIG = """struct config{index} {{
    static const unsigned in_height = {in_height};
    static const unsigned in_width = {in_width};
    static const unsigned out_height = {out_height};
    static const unsigned out_width = {out_width};
    static const unsigned n_chan = {n_chan};
    static const unsigned n_filt = {n_filt};
    static const unsigned groups = {groups};
    static const unsigned filt_height = {filt_height};
    static const unsigned filt_width = {filt_width};
    static const unsigned stride_height = {stride_height};
    static const unsigned stride_width = {stride_width};
    static const unsigned dilation_height = {dilation_height};
    static const unsigned dilation_width = {dilation_width};
    static const unsigned crop_height = {crop_height};
    static const unsigned crop_width = {crop_width};
    static const bool transposed = {transposed};
    typedef {accum_t.name} accum_t;
    typedef {bias_t.name} bias_t;
    typedef {weight_t.name} weight_t;
}};
"""

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

_ADD_CONFIG = """struct config{index} {{
    static const unsigned n_in = {n_in};
    static const int first_gain = {first_gain};
    static const int second_gain = {second_gain};
    typedef {accum_t.name} accum_t;
}};
"""

_AFFINE_CONFIG = """struct config{index} {{
    static const unsigned n_in = {n_in};
    static const unsigned n_chan = {n_chan};
    static const unsigned shift = {shift};
    static const long long low = {low}LL;
    static const long long high = {high}LL;
    static const bool even = {even};
    static const bool wraps = {wraps};
    static const int sum_width = {sum_width};
    static const int multiplier_width = {multiplier_width};
    static const bool in_signed = {in_signed};
    static const bool out_signed = {out_signed};
    typedef {constant_t.name} constant_t;
}};
"""

_SMALLEST_AREA_CONFIG = """struct config{index} {{
    static const unsigned n_in = {n_in};
    static const unsigned area = {area};
}};
"""

_PIXELWISE_CONFIG = """struct config{index} {{
    static const unsigned n_in = {n_in};
}};
"""


def _matrix(node: Any) -> dict[str, str]:
    return {"w": node.get_weights("weight").name, "b": node.get_weights("bias").name}


def _operands(node: Any) -> dict[str, str]:
    first, second = (node.get_input_variable(name) for name in node.inputs)
    return {"first": first.name, "first_t": first.type.name, "second": second.name, "second_t": second.type.name}


class Conv2DConfig(LayerConfigTemplate):
    """The C++ configuration of a convolution of any geometry."""

    def __init__(self) -> None:
        super().__init__(QunConv2D)

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        params = self._default_config_params(node)
        return _CONV2D_CONFIG.format(**params | {"transposed": str(node.get_attr("transposed")).lower()})


class Conv2DFunction(FunctionCallTemplate):
    """The C++ call of a convolution of any geometry."""

    def __init__(self) -> None:
        super().__init__(QunConv2D, include_header=["nnet_utils/qun_conv2d.h"])

    def format(self, node: Any) -> str:
        """Return the call."""
        params = self._default_function_params(node) | _matrix(node)
        return "qun::conv2d<{input_t}, {output_t}, {config}>({input}, {output}, {w}, {b});".format(**params)


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
        params = self._default_function_params(node) | _matrix(node)
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


class AddConfig(LayerConfigTemplate):
    """The C++ configuration of a weighted sum."""

    def __init__(self) -> None:
        super().__init__(QunAdd)

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        params = self._default_config_params(node) | {"n_in": node.get_output_variable().size()}
        return _ADD_CONFIG.format(**params)


class AddFunction(FunctionCallTemplate):
    """The C++ call of a weighted sum."""

    def __init__(self) -> None:
        super().__init__(QunAdd, include_header=["nnet_utils/qun_add.h"])

    def format(self, node: Any) -> str:
        """Return the call."""
        params = self._default_function_params(node) | _operands(node)
        call = "qun::add<{first_t}, {second_t}, {output_t}, {config}>({first}, {second}, {output});"
        return call.format(**params)


class AffineConfig(LayerConfigTemplate):
    """The C++ configuration of a general requantisation."""

    def __init__(self) -> None:
        super().__init__(QunAffine)

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        params = self._default_config_params(node)
        source, target = node.get_input_variable(), node.get_output_variable()
        params |= {
            "n_in": source.size(),
            "even": str(bool(node.get_attr("even"))).lower(),
            "wraps": str(bool(node.get_attr("wraps"))).lower(),
            "in_signed": str(source.type.precision.signed).lower(),
            "out_signed": str(target.type.precision.signed).lower(),
        }
        return _AFFINE_CONFIG.format(**params)


class AffineFunction(FunctionCallTemplate):
    """The C++ call of a general requantisation."""

    def __init__(self) -> None:
        super().__init__(QunAffine, include_header=["nnet_utils/qun_affine.h"])

    def format(self, node: Any) -> str:
        """Return the call."""
        params = self._default_function_params(node) | {"constants": node.get_weights("constant").name}
        return "qun::affine<{input_t}, {output_t}, {config}>({input}, {output}, {constants});".format(**params)


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
        params = self._default_function_params(node) | _operands(node)
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


class SmallestAreaConfig(LayerConfigTemplate):
    """The C++ configuration of a smallest area."""

    def __init__(self) -> None:
        super().__init__(QunSmallestArea)

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        params = self._default_config_params(node) | {"n_in": node.get_input_variable().size()}
        return _SMALLEST_AREA_CONFIG.format(**params)


class SmallestAreaFunction(FunctionCallTemplate):
    """The C++ call of a smallest area."""

    def __init__(self) -> None:
        super().__init__(QunSmallestArea, include_header=["nnet_utils/qun_smallest_area.h"])

    def format(self, node: Any) -> str:
        """Return the call."""
        return "qun::smallest_area<{input_t}, {output_t}, {config}>({input}, {output});".format(
            **self._default_function_params(node)
        )


def register_layers() -> None:
    """Make the layer classes known to hls4ml; a second call changes nothing."""
    for layer in _own(Layer):
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
    for template in (*_own(LayerConfigTemplate), *_own(FunctionCallTemplate)):
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


_HEADERS = ("qun_valid_windows.h", *(f"qun_{op.stem}.h" for op in OPS if op.cpp))


def _own(kind: type) -> list[type]:
    """Return the classes of one kind of this module and of :mod:`quantunet.hls.csim.windows`, in their order."""
    every = [*globals().values(), *vars(windows).values()]
    found = [each for each in every if isinstance(each, type) and issubclass(each, kind)]
    return [each for each in found if each.__module__ in (__name__, windows.__name__) and each.__name__[0] != "_"]
