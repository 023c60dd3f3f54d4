"""What each module of a design takes of an ECP5: LUT, flip-flops, multipliers and block RAM, before it is synthesised.

A module's LUTs and flip-flops are sums of a few terms that stand for its parts, such as the bits of its products or of
its accumulators. What one unit of a term takes was fitted to syntheses of the library by
``benchmarks/calibrate_cost.py`` and stands in ``cost_model.json``, with the error on syntheses that the fit had not
seen. Block RAM, distributed RAM and multipliers follow exact rules (:mod:`quantunet.hls.resources.memory_map`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from quantunet.errors import FileFormatError
from quantunet.hls.resources.terms import Cost, Terms

COEFFICIENTS = Path(__file__).with_name("cost_model.json")
"""What the calibration wrote."""

FORMAT = "quantunet-cost-1"

Amounts = Mapping[str, float]


@dataclass(frozen=True)
class Calibration:
    """The fitted model.

    Attributes:
        lut: LUTs of one unit of each term.
        ff: Flip-flops of one unit of each term.
        tool: The synthesiser and its version.
        samples: Number of syntheses.
        errors: By resource, ``(median, worst)`` relative error on syntheses that the fit had not seen.
    """

    lut: Amounts
    ff: Amounts
    tool: str
    samples: int
    errors: Mapping[str, tuple[float, float]]

    def cost(self, terms: Terms) -> Cost:
        """Return what some terms take together."""
        lut = terms.lut_known + sum(self.lut[name] * amount for name, amount in terms.lut.items())
        ff = sum(self.ff[name] * amount for name, amount in terms.ff.items())
        return Cost(round(lut), round(ff), terms.dsp, terms.bram)


@lru_cache(maxsize=2)
def calibration(path: Path = COEFFICIENTS) -> Calibration:
    """Read the calibration, or another one in the same format.

    Raises:
        FileFormatError: The file is missing or damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}")  # noqa: TRY301
        return Calibration(
            lut={str(name): float(value) for name, value in document["lut"].items()},
            ff={str(name): float(value) for name, value in document["ff"].items()},
            tool=str(document["tool"]),
            samples=int(document["samples"]),
            errors={str(name): (float(e["median"]), float(e["worst"])) for name, e in document["errors"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(
            str(path),
            expected=f"a calibration in the format {FORMAT}",
            got=str(error),
            hint="Make it again: python -m benchmarks.calibrate_cost",
        ) from error
