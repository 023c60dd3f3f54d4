"""Every benchmark by name, in the order of the report."""

from __future__ import annotations

from benchmarks import generation, inference, scaling, simulation
from benchmarks.rows import Part

PARTS: dict[str, Part] = {part.name: part for part in (inference.PART, simulation.PART, generation.PART, scaling.PART)}
