"""RTL simulation speed of the matrix-vector unit: ``python -m benchmarks.matrix_vector``.

The layer is 64x64 pixels, 128 to 128 channels, 604 million MACs a frame. Each way to fold it is simulated, as it is
synthesised, for one frame and for several; the difference of the times gives the speed, without the start of the
simulator and the loading of the weights. The time is that of the processor, which a busy machine stretches less than
wall time; the simulator has one thread. Every output value of every frame is compared with golden, after the time is
taken.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import this_machine
from benchmarks.rows import Context, Part, Row
from benchmarks.tb_matrix_vector import SECONDS_FILE
from quantunet import exit_codes
from quantunet.errors import QuantUNetError, ToolFailedError
from quantunet.golden.inference import evaluate
from quantunet.hls.design import Fold, Style
from quantunet.hls.folding import ideal_cycles
from quantunet.hls.generate import rtl_project
from quantunet.hls.matrix.folded import products_per_multiplier
from quantunet.hls.network import cycles
from quantunet.ir import Array, Conv2d, Graph, QType
from quantunet.random_network import GraphBuilder
from quantunet.rtl_sim import bench
from quantunet.rtl_sim.bench_result import BenchResult
from quantunet.storage import write_text

FRAMES = 9
ROUNDS = 3
"""Frames of the long simulation, and simulations of either length; the shortest time of each counts."""

_LAYER = "conv"
_TEST_MODULE = "benchmarks.tb_matrix_vector"


@dataclass(frozen=True)
class Way:
    """A way to fold the layer.

    Attributes:
        pe: PE.
        simd: SIMD.
        bits: Width of weights and activations.
        style: How it multiplies.
    """

    pe: int
    simd: int
    bits: int
    style: Style = "folded-lut"

    def __str__(self) -> str:
        return f"PE {self.pe}, SIMD {self.simd}, {self.bits} bits, {self.style}"


WAYS = (
    Way(32, 32, 4),
    Way(32, 32, 4, "folded-dsp"),
    Way(64, 64, 4),
    Way(64, 64, 4, "folded-dsp"),
    Way(16, 16, 4),
    Way(8, 8, 4),
    Way(32, 32, 8),
    Way(32, 32, 5),
    Way(32, 32, 5, "folded-dsp"),
    Way(32, 32, 3),
)


@dataclass(frozen=True)
class Speed:
    """What one way reached.

    Attributes:
        way: The way.
        gmac_per_second: Multiplications simulated in a second of processor time, in 10**9.
        gmac_per_wall_second: In a second of wall time; less on a busy machine.
        products: Products that a multiplier makes in a cycle.
        cycles: From the first beat in to the last beat out of one frame, as simulated.
        predicted: As predicted.
        ideal: Multiplications over multipliers.
        values_compared: Values of the last simulation that were found equal to golden's.
    """

    way: Way
    gmac_per_second: float
    gmac_per_wall_second: float
    products: int
    cycles: int
    predicted: int
    ideal: int
    values_compared: int

    @property
    def use(self) -> float:
        """The share of cycles in which the multipliers work."""
        return self.ideal / self.cycles


def layer(bits: int) -> Graph:
    """Return the layer: ``workloads.wide()`` with weights and activations of some width."""
    activation = QType(bits, False, bits - 1)
    builder = GraphBuilder("wide", 64, 64, 128, activation, seed=1)
    builder.matrix(Conv2d, _LAYER, "image", 128, 3, bits, activation)
    return builder.build()


def _frame(graph: Graph) -> tuple[Array, Array]:
    """Return a random input and golden's output, each with a leading axis of 1."""
    node = graph.node(_LAYER)
    tensor = graph.input_of(node)
    pixels = np.random.default_rng(1).integers(tensor.qtype.qmin, tensor.qtype.qmax + 1, size=tensor.shape)
    return pixels[None], evaluate(graph, node, [pixels])[None]


def speed(way: Way, frame: tuple[Array, Array], folder: Path) -> Speed:
    """Simulate one way.

    Args:
        way: The way.
        frame: Input and expected output, ``(1, height, width, channels)``.
        folder: Of projects and builds.

    Raises:
        QuantUNetError: A tool failed, or the simulation computed something else than golden.
    """
    graph = layer(way.bits)
    node = graph.node(_LAYER)
    if not isinstance(node, Conv2d):
        raise TypeError(node)
    fold = Fold(way.pe, way.simd, way.style)
    name = f"{way.pe}x{way.simd}-{way.bits}-{way.style}"
    project = rtl_project.write(graph, {_LAYER: fold}, folder / name, layer=_LAYER)
    built = bench.build(project, folder / "builds")
    macs, ideal = ideal_cycles(graph, node, Fold(1, 1)), ideal_cycles(graph, node, fold)

    def simulate(frames: int) -> tuple[BenchResult, dict[str, float]]:
        inputs, expected = (np.repeat(values, frames, axis=0) for values in frame)
        result = bench.run(built, [inputs], expected, _TEST_MODULE, watchdog=2 * ideal)
        if not result.passed or len(np.unique(frame[1])) < 2:
            problems = "; ".join(result.problems) or "a constant output"
            raise ToolFailedError(str(way), expected="RTL equal to golden", got=problems)
        seconds: dict[str, float] = json.loads((project.folder / SECONDS_FILE).read_text(encoding="utf-8"))
        return result, seconds

    short = [simulate(1) for _ in range(ROUNDS)]
    long = [simulate(FRAMES) for _ in range(ROUNDS)]
    busy, wall = (
        min(seconds[kind] for _, seconds in long) - min(seconds[kind] for _, seconds in short)
        for kind in ("busy", "wall")
    )
    gmac = macs * (FRAMES - 1) / 1e9
    return Speed(
        way=way,
        gmac_per_second=gmac / busy,
        gmac_per_wall_second=gmac / wall,
        products=products_per_multiplier(graph, node, fold),
        cycles=short[0][0].frame_ends[0],
        predicted=cycles(graph, node, fold).predicted,
        ideal=ideal,
        values_compared=long[-1][0].values_compared,
    )


def speeds(ways: tuple[Way, ...], folder: Path, say: Callable[[str], None] = lambda text: None) -> list[Speed]:
    """Simulate several ways, one after the other."""
    frames: dict[int, tuple[Array, Array]] = {}
    found = []
    for way in ways:
        say(str(way))
        if way.bits not in frames:
            frames[way.bits] = _frame(layer(way.bits))
        found.append(speed(way, frames[way.bits], folder))
    return found


def measure(context: Context) -> list[Row]:
    """Return the speeds and the use of the multipliers as rows of the report."""
    rows = []
    for result in speeds(WAYS, context.folder, context.say):
        note = f"{result.values_compared:,} values equal, {result.cycles} cycles a frame"
        subject = f"64x64, 128 to 128 channels, {result.way}"
        rows.append(Row(subject, "RTL simulation", result.gmac_per_second, "GMAC/s", note=note))
        rows.append(Row(subject, "use of the multipliers", 100 * result.use, "%"))
    return rows


PART = Part("matrix-vector", "RTL simulation speed of one wide layer", measure)


def _table(results: list[Speed]) -> Table:
    table = Table(title="64x64 pixels, 128 to 128 channels, RTL == golden")
    for heading in ("way", "GMAC/s", "by wall time", "products", "cycles", "predicted", "ideal", "use", "values equal"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for result in results:
        table.add_row(
            str(result.way),
            f"{result.gmac_per_second:.2f}",
            f"{result.gmac_per_wall_second:.2f}",
            str(result.products),
            str(result.cycles),
            str(result.predicted),
            str(result.ideal),
            f"{100 * result.use:.2f} %",
            f"{result.values_compared:,}",
        )
    return table


def main() -> int:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matrix_vector", description=__doc__)
    parser.add_argument("--ways", type=int, default=len(WAYS), help="only the first so many (default: all)")
    parser.add_argument("--out", type=Path, default=Path("build/bench/matrix_vector"), help="(default: %(default)s)")
    arguments = parser.parse_args()
    console = Console(width=160)
    try:
        results = speeds(WAYS[: arguments.ways], arguments.out, console.log)
        document = {
            "machine": dataclasses.asdict(this_machine()),
            "results": [{**dataclasses.asdict(result), "use": result.use} for result in results],
        }
        write_text(arguments.out / "results.json", json.dumps(document, indent=1) + "\n")
    except QuantUNetError as error:
        Console(stderr=True).print(str(error), style="red")
        return exit_codes.BAD_INPUT
    console.print(_table(results))
    return exit_codes.SUCCESS


if __name__ == "__main__":
    sys.exit(main())
