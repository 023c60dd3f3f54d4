"""Functions of a wide value are those of hls4ml's own C++, which is compiled here with g++ and run.

Of every input of ``fixed<16,6>`` around 0: what hls4ml's tables cut off, and where, is nowhere else defined.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from keras import layers as kl

pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]

FUNCTIONS: dict[str, Callable[[], Any]] = {
    **{
        name: lambda name=name: kl.Activation(name, name=name)
        for name in ("sigmoid", "tanh", "softplus", "softsign", "elu", "selu", "leaky_relu")
    },
    "alpha": lambda: kl.ELU(alpha=0.3, name="alpha"),
    "slope": lambda: kl.LeakyReLU(negative_slope=0.3, name="slope"),
    "threshold": lambda: kl.ReLU(threshold=1.3, name="threshold"),
}
GROUPS = (list(FUNCTIONS)[:5], list(FUNCTIONS)[5:])  # hls4ml hands a tensor to at most seven readers


def predicted(model: Any, backend: str, folder: Path, values: np.ndarray) -> list[np.ndarray]:
    """Return the outputs of a model, each as the inputs lie."""
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend=backend)
    hls_model = hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend=backend, io_type="io_stream", output_dir=str(folder)
    )
    hls_model.compile()
    found = hls_model.predict(values)
    return [np.reshape(each, values.shape) for each in (found if isinstance(found, list) else [found])]


@pytest.mark.parametrize("names", GROUPS, ids="-".join)
def test_functions_are_hls4mls_own(names: list[str], tmp_path: Path) -> None:
    values = (np.arange(-9 * 1024, 9 * 1024) / 1024).reshape(-1, 4).astype(np.float32)
    image = keras.Input((4,), dtype="float32", name="x")
    outputs = {name: FUNCTIONS[name]()(image) for name in names}
    theirs = predicted(keras.Model(image, list(outputs.values())), "Vitis", tmp_path / "vitis", values)
    for name, expected in zip(names, theirs, strict=True):
        (got,) = predicted(keras.Model(image, outputs[name]), "QuantUNet", tmp_path / name, values)
        assert len(np.unique(expected)) > 50
        assert np.array_equal(got, expected), f"{name}: {np.count_nonzero(got != expected)} of {got.size} differ"
