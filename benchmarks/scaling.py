"""Area of one layer against its multipliers: small synthesis runs over PE and SIMD."""

from __future__ import annotations

import os

from benchmarks.rows import Context, Part, Row
from benchmarks.workloads import l16
from quantunet.hls.design import Fold, Style
from quantunet.hls.synth import flow
from quantunet.hls.synth.yosys import Synthesis

_LANES = ((1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4), (8, 8))
_STYLES: tuple[Style, ...] = ("folded-lut", "folded-dsp")


def measure(context: Context) -> list[Row]:
    """Synthesise L16 at several foldings, with multipliers in LUTs and in DSPs."""
    graph = l16()
    folds = [Fold(pe, simd, style) for style in _STYLES for pe, simd in _LANES]
    parts = [
        flow.write_rtl(graph, {"conv": fold}, context.folder / f"{fold.style}-{fold.pe}x{fold.simd}", ["conv"])[0]
        for fold in folds
    ]
    done = 0

    def finished(name: str, result: Synthesis) -> None:
        nonlocal done
        done += 1
        context.say(f"{done} of {len(parts)} syntheses")

    results = flow.synthesise(parts, context.folder / "cache", processes=os.cpu_count() or 1, finished=finished)
    return [_row(fold, result) for fold, result in zip(folds, results, strict=True)]


def _row(fold: Fold, result: Synthesis) -> Row:
    note = f"{result.usage.ff} FF, {result.usage.dsp} DSP, {result.usage.bram} block RAM"
    return Row(
        f"L16 {fold.pe}x{fold.simd} {fold.style}",
        "area of the layer",
        result.usage.luteq,
        "LUTeq",
        note=note,
        plot="area",
        series=fold.style,
        size=fold.pe * fold.simd,
    )


PART = Part("scaling", "Area against PE·SIMD", measure)
