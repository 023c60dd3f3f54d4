"""Every benchmark by name, in the order of the report."""

from __future__ import annotations

from benchmarks import generation, inference, matrix_vector, neighbours, scaling, simulation, training
from benchmarks.rows import Part

_MODULES = (inference, simulation, generation, matrix_vector, neighbours, scaling, training)

PARTS: dict[str, Part] = {module.PART.name: module.PART for module in _MODULES}
