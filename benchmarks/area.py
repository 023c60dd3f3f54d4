"""L8 and L16 as complete layers in each style: area by synthesis, cycles by simulation against golden.

``python -m benchmarks.area`` prints a table and writes ``area.json``. The area is LUTeq of an ECP5, LUT4 + 2 CCU2C +
6 DPR16X4, and LUT places, in which the ends of carry chains count too. Cycles are those of a frame that comes
alone, from its first input to its last output, and those between the ends of adjacent frames; the use of the
multipliers is the cycles in which they must work, over each of the two.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.workloads import l8, l16
from quantunet import golden
from quantunet.hls.design import Fold
from quantunet.hls.folding import ideal_cycles
from quantunet.hls.generate import rtl_project
from quantunet.hls.synth import flow
from quantunet.ir import Graph
from quantunet.rtl_sim import bench
from quantunet.storage import write_text

FOLDS = {
    "l8": (Fold(8, 8), Fold(4, 8), Fold(8, 8, "folded-dsp"), Fold(8, 8, "constant")),
    "l16": (Fold(16, 16), Fold(8, 16), Fold(8, 8), Fold(16, 16, "folded-dsp"), Fold(16, 16, "constant")),
}

_WORKLOADS = {"l8": l8, "l16": l16}
_FRAMES = 4
_WATCHDOG = 100_000


@dataclass(frozen=True)
class Layer:
    """One layer in one fold.

    Attributes:
        name: ``l8`` or ``l16``.
        style: The fold's style.
        pe: Output lanes.
        simd: Input lanes.
        luteq: LUTs, carry cells and distributed RAM included.
        places: LUT places of the packed design: the ends of carry chains too.
        ff: Flip-flops.
        dsp: Hard multipliers.
        bram: Block RAMs.
        depth: Levels of logic between registers.
        cycles: Simulated, of a frame that comes alone.
        interval: Simulated, between the ends of adjacent frames.
        area_time: LUTeq times cycles of a frame that comes alone, over its multiplications.
        packed_area_time: The same with LUT places.
        use: Part of the interval in which the multipliers work, in percent.
        use_alone: The same of a frame that comes alone.
        compared: Values that equal golden.
    """

    name: str
    style: str
    pe: int
    simd: int
    luteq: int
    places: int
    ff: int
    dsp: int
    bram: int
    depth: int
    cycles: int
    interval: int
    area_time: float
    packed_area_time: float
    use: float
    use_alone: float
    compared: int


def simulate(graph: Graph, fold: Fold, folder: Path, builds: Path) -> tuple[list[int], int]:
    """Run adjacent frames through a layer and compare them with golden.

    Returns:
        The cycle in which each frame ends, and how many values were equal.

    Raises:
        RuntimeError: A value differs, or none was compared.
    """
    project = rtl_project.write(graph, {"conv": fold}, folder, layer="conv")
    source = graph.tensor(graph.input)
    low, high = source.qtype.qmin, source.qtype.qmax
    frames = np.random.default_rng(1).integers(low, high + 1, size=(_FRAMES, *source.shape))
    output = graph.output_of(graph.node("conv")).name
    expected = np.stack([golden.run(graph, frame)[output] for frame in frames])
    built = bench.build(project, builds)
    result = bench.run(built, [frames], expected, "quantunet.rtl_sim.tb_layer", watchdog=_WATCHDOG)
    if not result.passed or result.values_compared != expected.size:
        message = f"{graph.name}, {fold}: {result}"
        raise RuntimeError(message)
    return list(result.frame_ends), result.values_compared


def measure(folder: Path, names: Sequence[str], styles: Sequence[str], console: Console) -> list[Layer]:
    """Synthesise and simulate layers; what has been synthesised or built before is taken from ``folder``."""
    wanted = [(name, fold) for name in names for fold in FOLDS[name] if fold.style in styles]
    folders = [folder / name / f"{fold.style}_{fold.pe}x{fold.simd}" for name, fold in wanted]
    parts = [
        flow.write_rtl(_WORKLOADS[name](), {"conv": fold}, place, ["conv"])[0]
        for (name, fold), place in zip(wanted, folders, strict=True)
    ]
    with console.status("synthesis"):
        found = flow.synthesise(parts, folder / "cache", processes=os.cpu_count() or 1)
    layers = []
    for (name, fold), place, part, got in zip(wanted, folders, parts, found, strict=True):
        graph = _WORKLOADS[name]()
        with console.status(f"simulation of {name}, {fold.style}, PE {fold.pe}, SIMD {fold.simd}"):
            ends, compared = simulate(graph, fold, place / "bench", folder / "builds")
        ideal = ideal_cycles(graph, graph.node("conv"), fold)
        interval = ends[-1] - ends[-2]
        layers.append(
            Layer(
                name=name,
                style=fold.style,
                pe=fold.pe,
                simd=fold.simd,
                luteq=got.usage.luteq,
                places=got.usage.lut,
                ff=got.usage.ff,
                dsp=got.usage.dsp,
                bram=got.usage.bram,
                depth=got.levels,
                cycles=ends[0],
                interval=interval,
                area_time=got.usage.luteq * ends[0] / part.macs,
                packed_area_time=got.usage.lut * ends[0] / part.macs,
                use=100 * ideal / interval,
                use_alone=100 * ideal / ends[0],
                compared=compared,
            )
        )
    return layers


def table(layers: Sequence[Layer]) -> Table:
    """Return the table for the terminal."""
    result = Table(title="complete layers, ECP5, 4-bit weights and activations", title_justify="left")
    result.add_column("layer")
    result.add_column("style")
    names = (
        "PE",
        "SIMD",
        "LUTeq",
        "places",
        "FF",
        "DSP",
        "BRAM",
        "depth",
        "cycles",
        "interval",
        "LUTeq·cycles/MAC",
        "places",
        "use",
        "alone",
    )
    for name in names:
        result.add_column(name, justify="right")
    for layer in layers:
        counts = (layer.pe, layer.simd, layer.luteq, layer.places, layer.ff, layer.dsp, layer.bram, layer.depth)
        figures = [f"{count:,}" for count in (*counts, layer.cycles, layer.interval)]
        times = (layer.area_time, layer.packed_area_time)
        shares = (*(f"{time:.1f}" for time in times), f"{layer.use:.2f}%", f"{layer.use_alone:.2f}%")
        result.add_row(layer.name.upper(), layer.style, *figures, *shares)
    return result


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", default="l8,l16", help="(default: %(default)s)")
    parser.add_argument("--styles", default="folded-lut,folded-dsp,constant", help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build") / "bench" / "area", help="(default: %(default)s)")
    args = parser.parse_args()
    console = Console(width=200)
    layers = measure(args.out, args.layers.split(","), args.styles.split(","), console)
    path = args.out / "area.json"
    write_text(path, json.dumps([dataclasses.asdict(layer) for layer in layers], indent=1) + "\n")
    console.print(table(layers))
    console.print(str(path), highlight=False)


if __name__ == "__main__":
    main()
