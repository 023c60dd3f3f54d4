"""What hls4ml keeps to itself is read from the model that was converted; what nobody says is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from onnx import helper
from torch import nn

from quantunet.errors import UnsupportedOpError
from quantunet.hls.plugin.original import Original


class Layer:
    """An hls4ml layer with some attributes."""

    def __init__(self, name: str, **attributes: Any) -> None:
        self.name = name
        self.attributes = attributes

    def get_attr(self, key: str) -> Any:
        return self.attributes.get(key)


def keras(*layers: SimpleNamespace) -> dict[str, Any]:
    return {"KerasModel": SimpleNamespace(layers=list(layers))}


def test_a_dilation_of_keras_is_seen() -> None:
    inner = SimpleNamespace(name="inner", layers=[SimpleNamespace(name="deep", dilation_rate=(1, 3), groups=2)])
    layers = [SimpleNamespace(name="c", dilation_rate=(2, 2)), SimpleNamespace(name="p", dilation_rate=1), inner]
    original = Original(keras(*layers))
    assert original.window(Layer("c"), (3, 3)) == ((2, 2), 1)
    assert original.window(Layer("deep"), (3, 3)) == ((1, 3), 2)
    assert original.window(Layer("p"), (3, 3)) == ((1, 1), 1)
    with pytest.raises(UnsupportedOpError, match="deep: expected groups = 1, got 2"):
        original.window(Layer("deep"), (3, 3), grouped=False)


@pytest.mark.parametrize("config", [{}, {"KerasModel": "model.h5"}, keras(SimpleNamespace(name="other"))])
def test_a_dilation_that_nobody_says_is_refused(config: dict[str, Any]) -> None:
    original = Original(config)
    with pytest.raises(UnsupportedOpError, match="c: expected dilation = 1, got unknown"):
        original.window(Layer("c"), (3, 3))
    assert original.window(Layer("c"), (1, 1)) == ((1, 1), 1)
    assert original.window(Layer("c", dilation=1), (3, 3)) == ((1, 1), 1)
    assert original.window(Layer("c", dilation_height=1, dilation_width=2), (3, 3)) == ((1, 2), 1)


class Net(nn.Module):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.enc = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, **options))


@pytest.mark.parametrize(
    ("options", "expected"), [({}, ((1, 1), 1)), ({"dilation": (1, 2)}, ((1, 2), 1)), ({"groups": 2}, ((1, 1), 2))]
)
def test_what_torch_says_and_hls4ml_drops(options: dict[str, Any], expected: tuple[tuple[int, int], int]) -> None:
    assert Original({"PytorchModel": Net(**options)}).window(Layer("enc_0", dilation=1), (3, 3)) == expected


def test_another_padding_than_zeros_is_refused() -> None:
    with pytest.raises(UnsupportedOpError, match="enc_0: expected padding_mode = zeros, got reflect"):
        Original({"PytorchModel": Net(padding_mode="reflect")}).window(Layer("enc_0", dilation=1), (3, 3))


def test_onnx_nodes_are_found_by_name() -> None:
    node = helper.make_node("MaxPool", ["x"], ["y"], name="pool", dilations=[2, 1])
    model = SimpleNamespace(graph=SimpleNamespace(node=[node]))
    assert Original({"OnnxModel": model}).window(Layer("pool"), (2, 2)) == ((2, 1), 1)


def test_limits_of_a_relu() -> None:
    layers = [
        SimpleNamespace(name="six", max_value=6.0, negative_slope=0.0, threshold=0.0),
        SimpleNamespace(name="plain", max_value=None, negative_slope=0.0, threshold=0.0),
        SimpleNamespace(name="leaky", negative_slope=0.1),
        SimpleNamespace(name="late", threshold=1.0),
    ]
    original = Original(keras(*layers))
    assert original.relu_limit(Layer("six")) == 6.0
    assert original.relu_limit(Layer("plain")) is None
    assert original.relu_limit(Layer("unknown")) is None
    assert [original.slope(Layer(name)) for name in ("leaky", "six", "unknown")] == [0.1, 0.0, 0.0]
    with pytest.raises(UnsupportedOpError, match="late: expected a ReLU with threshold = 0, got 1"):
        original.relu_limit(Layer("late"))
