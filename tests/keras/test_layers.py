"""Every layer type of hls4ml's own tests, from Keras 3: exact, or refused by the layer's name; nothing in between.

What is compared: ``hls_model.predict``, which golden's integers make, with Keras' own layers in float64 on inputs,
weights and results that are rounded as the ModelGraph's types say (:mod:`helpers.declared`). Equality, in every value.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from helpers.declared import Declared
from helpers.keras_cases import CASES, Case
from hls4ml.converters.keras_v3 import layer_handlers

from quantunet.errors import QuantUNetError

pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]

PRECISIONS = {"hls4ml's own": "fixed<16,6>", "10 bits": "fixed<10,4,RND_CONV,SAT>"}
SAMPLES = 3

LEFT_OUT = {
    *(f"Random{name}" for name in (
        "Brightness", "ColorDegeneration", "ColorJitter", "Contrast", "Crop", "ElasticTransform", "Erasing", "Flip",
        "GaussianBlur", "Grayscale", "Hue", "Invert", "Perspective", "Posterization", "Rotation", "Saturation",
        "Sharpness", "Shear", "Translation", "Zoom",
    )),
    "AlphaDropout", "GaussianDropout", "SpatialDropout1D", "SpatialDropout3D", "Identity", "ActivityRegularization",
    "AveragePooling3D", "GlobalAveragePooling3D", "GlobalMaxPooling3D", "Conv3DTranspose", "Cropping3D",
    "UpSampling3D", "ZeroPadding3D", "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdditiveAttention", "Attention", "GroupedQueryAttention", "GroupNormalization",
    "RMSNormalization", "SpectralNormalization", "CenterCrop", "Resizing", "ConvLSTM1D", "ConvLSTM2D", "RNN",
}  # fmt: skip
"""Layers of hls4ml's table without a case of their own: they share a handler with one that has one."""


@pytest.fixture(autouse=True, scope="module")
def _float64() -> Any:
    """Keras computes in float64, in which the sums of every case are exact."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


def made(case: Case, seed: int) -> Any:
    """Return a case's model with random weights."""
    keras.utils.set_random_seed(seed)
    model, rng = case.make(), np.random.default_rng(seed)
    for variable in model.trainable_weights:
        if variable.path.split("/")[-1] != "kernel" or not np.all(np.asarray(variable.numpy()) == 1):
            variable.assign(rng.uniform(-0.9, 0.9, size=variable.shape))
    for variable in model.non_trainable_weights:
        if "moving" in variable.path:
            low = 0.5 if "variance" in variable.path else -1
            variable.assign(rng.uniform(low, 2, size=variable.shape))
    return model


def compiled(case: Case, model: Any, precision: str, folder: Path) -> Any:
    """Return a model in hls4ml, as a user makes it."""
    config = hls4ml.utils.config_from_keras_model(
        model, granularity="name", backend="QuantUNet", default_precision=precision
    )
    for layer, result in case.types.items():
        if layer in config["LayerName"]:
            config["LayerName"][layer]["Precision"]["result"] = result
    hls_model = hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend="QuantUNet", output_dir=str(folder)
    )
    hls_model.compile()
    return hls_model


def inputs(model: Any, rng: np.random.Generator) -> np.ndarray:
    """Return inputs over the whole range of the tables, in random order; some are small, and some meet thresholds."""
    shape = (SAMPLES, *model.input_shape[1:])
    found = rng.permutation(np.linspace(-9, 9, math.prod(shape))).reshape(shape)
    return np.concatenate([found, found[:1] / 3, np.round(found[1:2] * 4) / 12, np.round(found[2:] * 4) / 4])


def run(name: str, precision: str, folder: Path) -> int:
    """Compare a case and return the number of values, 0 where it is refused as it should be."""
    case = CASES[name]
    expected = case.refused if case.narrow is None or precision == "fixed<16,6>" else case.narrow
    model = made(case, seed=len(name))
    if expected:
        with pytest.raises(QuantUNetError) as caught:
            compiled(case, model, precision, folder)
        assert str(caught.value).startswith(expected), str(caught.value)
        return 0
    hls_model = compiled(case, model, precision, folder)
    values = inputs(model, np.random.default_rng(7))
    got = hls_model.predict(values)
    declared = Declared(model, hls_model)
    wanted = declared(values).reshape(got.shape)
    assert np.array_equal(got, wanted), f"{np.count_nonzero(got != wanted)} of {got.size} differ"
    assert len(np.unique(got)) > 2
    assert declared.seen
    return got.size


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", CASES)
def test_a_layer_is_exact_or_refused(name: str, precision: str, tmp_path: Path) -> None:
    run(name, PRECISIONS[precision], tmp_path)


def test_how_many() -> None:
    """What docs/hls4ml.md says; a case that changes sides changes this too."""
    default = Counter("refused" if case.refused else "exact" for case in CASES.values())
    narrow = Counter(
        "refused" if (case.refused if case.narrow is None else case.narrow) else "exact" for case in CASES.values()
    )
    assert (default, narrow) == ({"exact": 117, "refused": 45}, {"exact": 122, "refused": 40})


def test_every_layer_of_hls4mls_front_end_has_a_case() -> None:
    known = {name.split(".")[-1] for name in layer_handlers if name.startswith("keras.")}
    covered = set()
    for case in CASES.values():
        waiting = list(case.make().layers)
        while waiting:
            layer = waiting.pop()
            covered.add(type(layer).__name__)
            waiting += getattr(layer, "layers", [])
    assert known - covered - LEFT_OUT - {"Functional", "Sequential"} == set()
    assert LEFT_OUT & covered == set()
