"""The hls4ml layers whose windows lie inside the image: depthwise convolution and pools of any geometry.

Their C++ stands in ``hls/csim/cpp/``; :mod:`quantunet.hls.csim.extension` brings them in.
"""

from __future__ import annotations

from typing import Any, ClassVar

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.attributes import Attribute, TypeAttribute, WeightAttribute
from hls4ml.model.layers import Layer

_GEOMETRY = tuple(
    Attribute(name)
    for name in (
        "in_height",
        "in_width",
        "out_height",
        "out_width",
        "n_chan",
        "kernel_height",
        "kernel_width",
        "stride_height",
        "stride_width",
        "dilation_height",
        "dilation_width",
    )
)

_CONFIG = """struct config{index} {{
    static const unsigned in_height = {in_height};
    static const unsigned in_width = {in_width};
    static const unsigned kernel_height = {kernel_height};
    static const unsigned kernel_width = {kernel_width};
    static const unsigned stride_height = {stride_height};
    static const unsigned stride_width = {stride_width};
    static const unsigned dilation_height = {dilation_height};
    static const unsigned dilation_width = {dilation_width};
    typedef {accum_t.name} accum_t;
{types}}};
"""

_WEIGHT_TYPES = """    typedef {bias_t.name} bias_t;
    typedef {weight_t.name} weight_t;
"""


class _WindowLayer(Layer):
    """A layer that makes a pixel of each window; ``function`` is its C++."""

    function: ClassVar[str]

    def initialize(self) -> None:
        """Add the output."""
        attributes = self.attributes
        self.add_output_variable([attributes["out_height"], attributes["out_width"], attributes["n_chan"]])


class QunMaxPool2D(_WindowLayer):
    """Maximum over windows."""

    function = "maxpool2d"
    _expected_attributes = (*_GEOMETRY, TypeAttribute("accum"))


class QunSumPool2D(_WindowLayer):
    """Exact sum over windows."""

    function = "sumpool2d"
    _expected_attributes = (*_GEOMETRY, TypeAttribute("accum"))


class QunDepthwise(_WindowLayer):
    """Convolution of each channel by itself; weights ``(dy, dx, 1, channel)``.

    hls4ml takes a class with ``Conv2D`` in its name for one of its own.
    """

    function = "depthwise_conv2d"
    _expected_attributes = (
        *_GEOMETRY,
        WeightAttribute("weight"),
        WeightAttribute("bias"),
        TypeAttribute("weight"),
        TypeAttribute("bias"),
        TypeAttribute("accum"),
    )

    def initialize(self) -> None:
        """Add the output, the weights and the bias."""
        super().initialize()
        self.add_weights()
        self.add_bias()


LAYERS = (QunMaxPool2D, QunSumPool2D, QunDepthwise)

HEADERS = ("qun_valid_windows.h", "qun_depthwise_conv2d.h", "qun_maxpool2d.h", "qun_sumpool2d.h")


class WindowConfig(LayerConfigTemplate):
    """The C++ configuration of a layer of windows."""

    def __init__(self) -> None:
        super().__init__(LAYERS)

    def format(self, node: Any) -> str:
        """Return the configuration struct."""
        params = self._default_config_params(node)
        types = _WEIGHT_TYPES.format(**params) if isinstance(node, QunDepthwise) else ""
        return _CONFIG.format(**params, types=types)


class WindowFunction(FunctionCallTemplate):
    """The C++ call of a layer of windows."""

    def __init__(self) -> None:
        super().__init__(LAYERS, include_header=[f"nnet_utils/{header}" for header in HEADERS])

    def format(self, node: Any) -> str:
        """Return the call."""
        params = self._default_function_params(node)
        weights = [node.get_weights(name).name for name in ("weight", "bias") if name in node.weights]
        params |= {"function": node.function, "arguments": ", ".join([params["input"], params["output"], *weights])}
        return "qun::{function}<{input_t}, {output_t}, {config}>({arguments});".format(**params)
