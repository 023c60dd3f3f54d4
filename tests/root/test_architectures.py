"""Twelve architectures of users, with float scales and with powers of two: taken, and exact against the reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.architectures import ARCHITECTURES, FORMS, architecture
from helpers.onnx_compare import compared

from quantunet.qonnx_import import examine


def test_there_are_twelve() -> None:
    assert len(ARCHITECTURES) == 12


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_is_exact(name: str, form: str, tmp_path: Path) -> None:
    model = architecture(name, form)
    path = tmp_path / f"{name}_{form}.onnx"
    path.write_bytes(model.SerializeToString())
    found = examine(path)
    assert [str(each.obstacle) for each in found.findings if each.obstacle is not None] == []
    assert found.graph is not None
    assert compared(model, found.graph, seed=1)


def test_a_file_is_a_function_of_its_name() -> None:
    assert architecture("ecg", "float").SerializeToString() == architecture("ecg", "float").SerializeToString()
