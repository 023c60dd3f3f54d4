"""da4ml and its successor alkaid by themselves on L8 and L16: the same weights, their own Verilog, the same synthesis.

What they make is the product with the constants and the biases, one pixel a cycle. Line buffer, requantisation and
back-pressure are not part of it: they are in the figures of this project's layers.

    python -m benchmarks.constant_cores
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import alkaid.codegen
import alkaid.trace
import da4ml.codegen
import da4ml.trace
import numpy as np

from benchmarks import workloads
from quantunet.hls.synth import yosys
from quantunet.hls.synth.yosys import Job
from quantunet.ir import Array, Conv2d, Graph, QType

logger = logging.getLogger(__name__)

LAYERS = {"l8": workloads.l8, "l16": workloads.l16}

LATENCY_CUTOFF = 5
"""Adders in series between two registers: the default of da4ml's command line."""

_VECTORS = 256


@dataclass(frozen=True)
class Core:
    """What a tool's core of one layer takes.

    Attributes:
        tool: ``da4ml`` or ``alkaid``.
        layer: ``l8`` or ``l16``.
        version: Of the tool.
        cycles: Cycles of a frame: its pixels.
        macs: Multiplications of a frame.
        lut: LUTeq.
        places: LUT places, the ends of carry chains included.
        ff: Flip-flops.
        dsp: Multipliers.
        levels: Logic depth.
        values_compared: Outputs of the tool's own model that were held against the integer product, and were equal.
        generation_seconds: From the weights to the Verilog.
        synthesis_seconds: By Yosys, or when it last ran where the result was kept.
    """

    tool: str
    layer: str
    version: str
    cycles: int
    macs: int
    lut: int
    places: int
    ff: int
    dsp: int
    levels: int
    values_compared: int
    generation_seconds: float
    synthesis_seconds: float

    def area_time(self, area: int) -> float:
        """Return an area times the cycles of a frame, over its multiplications."""
        return area * self.cycles / self.macs


def measure(tool: str, layer: str, folder: Path) -> Core:
    """Generate, check and synthesise a tool's core of a layer.

    Args:
        tool: One of :data:`TOOLS`.
        layer: ``l8`` or ``l16``.
        folder: For the sources and the kept syntheses.

    Raises:
        ValueError: The tool's model computes something else than the integer product.
        QuantUNetError: The synthesis failed.
    """
    graph, top, place = LAYERS[layer](), f"{tool}_{layer}", folder / layer
    begin = time.perf_counter()
    compared = _generate(TOOLS[tool], graph, place, top)
    generated = time.perf_counter() - begin
    sources = tuple(path for path in sorted((place / "src").rglob("*.v")) if not path.stem.endswith("_wrapper"))
    (result,) = yosys.synthesise([Job(layer, top, sources, place)], folder / "cache")
    height, width, _ = graph.tensor(graph.inputs[0]).shape
    cycles = height * width
    return Core(
        tool=tool,
        layer=layer,
        version=importlib.metadata.version(tool),
        cycles=cycles,
        macs=cycles * int(np.prod(_conv(graph).weight.shape)),
        lut=result.usage.luteq,
        places=result.usage.lut,
        ff=result.usage.ff,
        dsp=result.usage.dsp,
        levels=result.levels,
        values_compared=compared,
        generation_seconds=generated,
        synthesis_seconds=result.seconds,
    )


def _conv(graph: Graph) -> Conv2d:
    (node,) = graph.nodes
    assert isinstance(node, Conv2d)
    return node


def _da4ml(kernel: Array, bias: Array, source: QType, folder: Path, name: str) -> Any:  # noqa: ANN401
    """Write da4ml's Verilog of a product with constants, and return its model."""
    trace = da4ml.trace
    inputs = trace.FixedVariableArrayInput(len(kernel), hwconf=trace.HWConfig(1, -1, -1))
    inputs = inputs.quantize(int(source.signed), source.bits - int(source.signed), 0)
    logic = trace.comb_trace(inputs, inputs @ kernel + bias)
    da4ml.codegen.RTLModel(logic, name, folder, latency_cutoff=LATENCY_CUTOFF, print_latency=False).write()
    return logic


def _alkaid(kernel: Array, bias: Array, source: QType, folder: Path, name: str) -> Any:  # noqa: ANN401
    """Write alkaid's Verilog of a product with constants, and return its model."""
    inputs = alkaid.trace.FVArrayInput(len(kernel), hwconf=alkaid.trace.HWConfig(1, -1, -1))
    inputs = inputs.quantize(int(source.signed), source.bits - int(source.signed), 0)
    logic = alkaid.trace.trace(inputs, inputs @ kernel + bias)
    alkaid.codegen.RTLModel(logic, folder, name, latency_cutoff=LATENCY_CUTOFF, print_latency=False).write()
    return logic


TOOLS: Mapping[str, Callable[..., Any]] = {"da4ml": _da4ml, "alkaid": _alkaid}
"""What writes the Verilog of each."""


def _generate(write: Callable[..., Any], graph: Graph, folder: Path, name: str) -> int:
    """Write a tool's Verilog, and return how many outputs of its model were compared."""
    node = _conv(graph)
    source = graph.input_of(node).qtype
    kernel = node.weight.array.reshape(-1, node.weight.shape[3])
    logic = write(kernel, node.bias.array, source, folder, name)
    vectors = np.random.default_rng(0).integers(source.qmin, source.qmax + 1, size=(_VECTORS, len(kernel)))
    product = logic.predict(vectors.astype(np.float64))
    if not np.array_equal(product, vectors @ kernel + node.bias.array):
        message = f"{name}: the model is not the product with the weights"
        raise ValueError(message)
    return int(product.size)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both layers with both tools and print a line for each, or JSON."""
    parser = argparse.ArgumentParser(description="The cores of L8 and L16 by da4ml and alkaid, synthesised.")
    parser.add_argument("--folder", type=Path, default=Path("build/bench/cores"), help="(default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cores = [measure(tool, layer, args.folder / tool) for tool in TOOLS for layer in LAYERS]
    if args.json:
        sys.stdout.write(json.dumps([dataclasses.asdict(core) for core in cores], indent=1) + "\n")
        return
    for core in cores:
        sys.stdout.write(
            f"{core.layer}: {core.tool} {core.version}, {core.lut} LUTeq, {core.places} LUT places, {core.ff} FF, "
            f"{core.dsp} DSP, {core.levels} levels, {core.cycles} cycles, {core.area_time(core.lut):.2f} LUTeq and "
            f"{core.area_time(core.places):.2f} places times cycles/MAC, "
            f"generated in {core.generation_seconds:.1f} s; core alone\n"
        )


if __name__ == "__main__":
    main()
