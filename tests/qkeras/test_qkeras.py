"""A QKeras network enters through hls4ml's Keras converter and the backend QuantUNet, and is exact.

QKeras 0.9.0 needs a TensorFlow that holds NumPy below 2: it lives in an environment of its own (``nox -s qkeras``).
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantunet import golden, graph_file
from quantunet.errors import UnsupportedOpError
from quantunet.ir import Graph, QType

pytestmark = [pytest.mark.qkeras, pytest.mark.filterwarnings("ignore")]

OUTPUT = "fixed<6,4,RND_CONV,SAT>"


def network(seed: int) -> Any:
    """Return a small encoder: convolution, ReLU, pooling, 1x1 convolution; power-of-two scales throughout."""
    import tensorflow as tf
    from qkeras import QActivation, QConv2D, quantized_bits, quantized_relu

    tf.keras.utils.set_random_seed(seed)
    bias = quantized_bits(9, 2, alpha=1)
    x = image = tf.keras.layers.Input((8, 8, 1), name="image")
    x = QConv2D(4, 3, padding="same", kernel_quantizer=quantized_bits(4, 0, alpha=1), bias_quantizer=bias, name="c0")(x)
    x = QActivation(quantized_relu(5, 1), name="relu0")(x)
    x = tf.keras.layers.MaxPooling2D(2, name="pool")(x)
    x = QConv2D(2, 1, kernel_quantizer=quantized_bits(3, 0, alpha=1), bias_quantizer=bias, name="c1")(x)
    model = tf.keras.Model(image, QActivation(quantized_bits(6, 3, alpha=1), name="logits")(x))
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(-1, 1, size=values.shape) for values in model.get_weights()])
    return model


def convert(model: Any, folder: Path, logits: str) -> Graph:
    """Write the hardware of a Keras model with hls4ml and return its integer graph."""
    import hls4ml

    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="QuantUNet")
    config["LayerName"]["image"]["Precision"]["result"] = "ufixed<8,0>"
    # hls4ml 1.3.0 merges a linear QActivation into the convolution without its precision: say it there as well.
    for layer in ("c1", "c1_linear"):
        config["LayerName"][layer]["Precision"]["result"] = logits
    arguments = {"hls_config": config, "backend": "QuantUNet", "io_type": "io_stream"}
    hls4ml.converters.convert_from_keras_model(model, output_dir=str(folder), **arguments).write()
    return graph_file.from_json((folder / "graph.json").read_text(), str(folder))


@pytest.mark.parametrize("seed", range(3))
def test_golden_equals_qkeras(tmp_path: Path, seed: int) -> None:
    model = network(seed)
    graph = convert(model, tmp_path / "hw", OUTPUT)
    assert [node.op for node in graph.nodes] == ["conv2d", "maxpool2d", "conv2d"]
    assert graph.tensor(graph.output).qtype == QType(6, True, 2)
    images = np.random.default_rng(seed).integers(0, 256, size=(50, 8, 8, 1))
    expected = model.predict(images / 256.0, verbose=0) * 4.0
    got = np.stack([golden.run(graph, image)[graph.output] for image in images])
    assert got.size == 50 * 4 * 4 * 2
    assert len(np.unique(got)) > 3
    assert (got == expected).all()


def test_systemverilog_is_written(tmp_path: Path) -> None:
    convert(network(0), tmp_path / "hw", OUTPUT)
    assert sorted(tmp_path.glob("hw/**/*.sv"))
    assert sorted(tmp_path.glob("hw/**/*.mem"))


def test_truncation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOpError, match="RND_CONV"):
        convert(network(0), tmp_path / "hw", "fixed<6,4>")
    assert not list(tmp_path.glob("hw/**/*.sv"))
