"""A network that trains in a second."""

import pytest
import torch

from quantunet.model import config, data
from quantunet.model.config import TrainConfig, UNetConfig


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def small(monkeypatch):
    """Adds the preset ``small``."""
    monkeypatch.setitem(config.PRESETS, "small", UNetConfig(base=2, depth=1, size=16))
    return "small"


@pytest.fixture
def quick(small):
    return TrainConfig(
        small, float_epochs=3, qat_epochs=3, tune_epochs=2, batch_size=4, width_lr=1.0, val_fraction=0.25
    )


@pytest.fixture(scope="session")
def samples():
    return data.load_phantoms(16, 16, seed=0)
