"""What the model that hls4ml has read says of a layer, where hls4ml itself keeps it to itself.

hls4ml's front ends drop attributes that its own backends do not have: Keras' ``dilation_rate``, torch's second dilation
and ``padding_mode``, the limits of a ReLU. The model that was converted stands in the ModelGraph's configuration.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from quantunet.errors import UnsupportedOpError
from quantunet.identifiers import identifier

_KERAS2_SLOPE = 0.2
_UNKNOWN = "unknown: hls4ml does not pass it on"
_SUFFIX = re.compile(r"_(?:depthwise|pointwise|\d+)$")
_HINT = "Convert the model itself (convert_from_keras_model, _pytorch_model or _onnx_model) and write it at once."


def is_signal(layer: Any) -> bool:
    """Return whether a layer with a window reads signals: images have a height."""
    return layer.get_attr("filt_height") is None and layer.get_attr("pool_height") is None


class Original:
    """Looks up layers in the Keras, torch or ONNX model that a ModelGraph was converted from.

    Args:
        config: The ModelGraph's configuration, ``model.config.config``.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._layers: dict[str, Any] = {}
        self._keras3 = False
        keras: Any = config.get("KerasModel")
        torch: Any = config.get("PytorchModel")
        onnx: Any = config.get("OnnxModel")
        if hasattr(keras, "layers"):
            self._layers = {layer.name: layer for layer in _keras_layers(keras)}
            self._keras3 = any(kind.__module__ == "keras.src.models.model" for kind in type(keras).__mro__)
        elif hasattr(torch, "named_modules"):
            self._layers = {name.replace(".", "_"): module for name, module in torch.named_modules()}
        elif hasattr(onnx, "graph"):
            self._layers = {node.name: node for node in onnx.graph.node}
        self._layers |= {identifier(name): layer for name, layer in self._layers.items()}

    def of(self, layer: Any) -> Any:
        """Return the original of an hls4ml layer; ``None`` where it is not known.

        hls4ml makes two layers of a separable convolution, and numbers a layer that is used again or whose name it
        reserves.
        """
        for name in (layer.name, *_SUFFIX.split(layer.name, maxsplit=1)[:1]):
            found = self._layers.get(name)
            found = self._layers.get(identifier(name)) if found is None else found
            if found is not None:
                return found
        return None

    def known(self, layer: Any) -> Any:
        """Return the original of an hls4ml layer.

        Raises:
            UnsupportedOpError: It is not known.
        """
        found = self.of(layer)
        if found is None:
            raise UnsupportedOpError(
                layer.name, expected="the model that it was converted from", got="nothing", hint=_HINT
            )
        return found

    def window(self, layer: Any, kernel: tuple[int, int], *, grouped: bool = True) -> tuple[tuple[int, int], int]:
        """Return what a convolution or a pooling says beside hls4ml's own attributes: dilation and groups.

        Args:
            layer: The hls4ml layer.
            kernel: Its height and width; a dilation of one tap has no effect.
            grouped: Whether it may have groups.

        Returns:
            The dilation of rows and columns, and the groups.

        Raises:
            UnsupportedOpError: It says something that the hardware does not do, or is not known.
        """
        dilations = self._dilations(layer)
        if dilations is None and max(kernel) > 1:
            raise UnsupportedOpError(layer.name, expected="dilation = 1", got=_UNKNOWN, hint=_HINT)
        original = self.of(layer)
        for key, expected in (("padding_mode", "zeros"), ("ceil_mode", False), ("return_indices", False)):
            got = getattr(original, key, expected)
            if got != expected:
                raise UnsupportedOpError(layer.name, expected=f"{key} = {expected}", got=str(got))
        groups = int(getattr(original, "groups", 1) or 1)
        if original is not None and hasattr(original, "op_type"):
            groups = next((int(a.i) for a in original.attribute if a.name == "group"), 1)
        if groups != 1 and not grouped:
            raise UnsupportedOpError(layer.name, expected="groups = 1", got=str(groups))
        return dilations or (1, 1), groups

    def _dilations(self, layer: Any) -> tuple[int, int] | None:
        """Return the dilation along height and width; ``None`` where nobody says it."""
        original = self.of(layer)
        for key in ("dilation_rate", "dilation"):
            if hasattr(original, key):
                value = getattr(original, key)
                sizes = [value] if isinstance(value, int) else list(value)
                rows = int(sizes[0]) if len(sizes) == 2 or isinstance(value, int) else 1
                return rows, int(sizes[-1])
        if original is not None and hasattr(original, "pool_size"):
            return 1, 1  # Keras' poolings have none
        if original is not None and hasattr(original, "op_type"):
            given = next((list(a.ints) for a in original.attribute if a.name == "dilations"), [1, 1])
            return (int(given[0]) if len(given) == 2 else 1), int(given[-1])
        rows, columns = 1 if is_signal(layer) else layer.get_attr("dilation_height"), layer.get_attr("dilation_width")
        if rows is not None and columns is not None:
            return int(rows), int(columns)
        single = layer.get_attr("dilation")
        return None if single is None else (int(single), int(single))

    def pads_with_dilation(self, layer: Any) -> str:
        """Return what a padding is by: ``same``, ``causal``, or ``""`` for numbers that the layer says itself.

        hls4ml counts a padding by name as if there were no dilation.
        """
        padding = getattr(self.of(layer), "padding", "")
        return padding if padding in ("same", "causal") else ""

    def interpolation(self, layer: Any) -> str:
        """Return how a resizing interpolates: hls4ml's own attribute is what its configuration says.

        Raises:
            UnsupportedOpError: The configuration asks for something else than the model.
        """
        original, given = self.of(layer), str(layer.get_attr("algorithm")).lower()
        found = getattr(original, "interpolation", getattr(original, "mode", None))
        if original is not None and hasattr(original, "op_type"):
            found = next((a.s.decode() for a in original.attribute if a.name == "mode"), "nearest")
        if found is None:
            return given
        found = {"linear": "bilinear"}.get(str(found), str(found))
        if given not in (found, "nearest", "linear"):
            raise UnsupportedOpError(
                layer.name, expected=f"the algorithm of the model, {found}", got=given,
                hint="Leave Algorithm out of the layer's configuration.",
            )  # fmt: skip
        return found

    def hard_slope(self, layer: Any) -> float:
        """Return the slope of a hard sigmoid: hls4ml takes that of Keras 2 for Keras 3's too."""
        slope = float(layer.get_attr("slope"))
        return 1 / 6 if self._keras3 and slope == _KERAS2_SLOPE else slope

    def counts_padding(self, layer: Any) -> bool:
        """Return whether an average counts what is padded as values of 0: torch's and ONNX' may, Keras' does not."""
        original = self.of(layer)
        if original is not None and hasattr(original, "op_type"):
            return any(a.name == "count_include_pad" and a.i for a in original.attribute)
        whole = getattr(original, "divisor_override", None) is None
        return whole and bool(getattr(original, "count_include_pad", False))

    def relu_limit(self, layer: Any, *, threshold: bool = False) -> float | None:
        """Return the upper limit of a ReLU; ``None`` for none.

        Args:
            layer: The hls4ml layer.
            threshold: Whether it may have a threshold, which hls4ml passes on.

        Raises:
            UnsupportedOpError: A threshold other than 0, where it may have none.
        """
        original = self.of(layer)
        value = getattr(original, "threshold", 0.0)
        if not threshold and isinstance(value, int | float) and float(value) != 0.0:
            raise UnsupportedOpError(layer.name, expected="a ReLU with threshold = 0", got=f"{float(value):g}")
        limit = getattr(original, "max_value", None)
        return None if limit is None or math.isinf(float(limit)) else float(limit)

    def slope(self, layer: Any) -> float:
        """Return the slope below 0 of a ReLU, where hls4ml keeps it to itself; 0 for none."""
        value = getattr(self.of(layer), "negative_slope", 0.0)
        return float(value) if isinstance(value, int | float) else 0.0


def _keras_layers(model: Any) -> list[Any]:
    """Return a Keras model's layers, those of models inside it included."""
    found: list[Any] = []
    for layer in model.layers:
        found += [layer, *_keras_layers(layer)] if hasattr(layer, "layers") else [layer]
    return found
