"""Area of one layer against its multipliers: small synthesis runs over PE and SIMD."""

from __future__ import annotations

import os

from benchmarks.rows import Context, Part, Row
from benchmarks.workloads import l16
from quantunet.hls.design import Fold, Style
from quantunet.hls.synth import flow

_LANES = ((1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4), (8, 8))
_STYLES: tuple[Style, ...] = ("folded-lut", "folded-dsp")


def measure(context: Context) -> list[Row]:
    """Synthesise L16 at several foldings, with multipliers in LUTs and in DSPs."""
    graph, rows = l16(), []
    for style in _STYLES:
        parts: list[flow.Part] = []
        for pe, simd in _LANES:
            folder = context.folder / style / f"{pe}x{simd}"
            parts += flow.write_rtl(graph, {"conv": Fold(pe, simd, style)}, folder, ["conv"])[:1]
        done = 0

        def finished(*result: object) -> None:
            nonlocal done
            done += 1
            context.say(f"{style}: {done} of {len(_LANES)} syntheses")  # noqa: B023

        results = flow.synthesise(
            parts,
            context.folder / "cache",
            processes=os.cpu_count() or 1,
            finished=finished,
        )
        for (pe, simd), result in zip(_LANES, results, strict=True):
            note = f"{result.usage.ff} FF, {result.usage.dsp} DSP, {result.usage.bram} block RAM"
            rows.append(
                Row(f"L16 {pe}x{simd} {style}", "area of the layer", result.usage.lut, "LUTeq", note=note,
                    plot="area", series=style, size=pe * simd)
            )  # fmt: skip
    return rows


PART = Part("scaling", "Area against PE·SIMD", measure)
