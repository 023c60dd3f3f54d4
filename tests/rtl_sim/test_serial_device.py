"""The serial side of a board alone: masks and values, several lanes and widths, networks that lag and stall."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.serial_device import SCENARIOS, SHAPES, Shape, compared, simulate


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_scenario(shape: Shape, tmp_path: Path) -> None:
    simulate(shape, tmp_path)
    found = compared(tmp_path)
    assert set(found) == SCENARIOS
    assert all(count > 0 for count in found.values()), found
