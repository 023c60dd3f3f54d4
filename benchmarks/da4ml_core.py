"""da4ml by itself on L8 and L16: the same weights, its own Verilog, the same synthesis as everything here.

What it makes is the product with the constants and the biases, one pixel a cycle. Line buffer, requantisation and
back-pressure are not part of it: they are in the figures of this project's layers.

    python -m benchmarks.da4ml_core
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from da4ml.codegen import RTLModel
from da4ml.trace import FixedVariableArrayInput, HWConfig, comb_trace

from benchmarks import workloads
from quantunet.hls.synth import yosys
from quantunet.hls.synth.yosys import Job
from quantunet.ir import Conv2d, Graph

logger = logging.getLogger(__name__)

LAYERS = {"l8": workloads.l8, "l16": workloads.l16}

LATENCY_CUTOFF = 5
"""Adders in series between two registers: the default of da4ml's command line."""

_VECTORS = 256


@dataclass(frozen=True)
class Core:
    """What da4ml's core of one layer takes.

    Attributes:
        layer: ``l8`` or ``l16``.
        version: Of da4ml.
        cycles: Cycles of a frame: its pixels.
        macs: Multiplications of a frame.
        lut: LUTeq.
        ff: Flip-flops.
        dsp: Multipliers.
        levels: Logic depth.
        lut_cycles_per_mac: LUTeq times cycles over MACs.
        stages: Register stages.
        values_compared: Outputs of da4ml's model that were held against the integer product, and were equal.
        generation_seconds: From the weights to the Verilog.
        synthesis_seconds: By Yosys, or when it last ran where the result was kept.
    """

    layer: str
    version: str
    cycles: int
    macs: int
    lut: int
    ff: int
    dsp: int
    levels: int
    lut_cycles_per_mac: float
    stages: int
    values_compared: int
    generation_seconds: float
    synthesis_seconds: float


def measure(layer: str, folder: Path) -> Core:
    """Generate, check and synthesise da4ml's core of a layer.

    Args:
        layer: ``l8`` or ``l16``.
        folder: For the sources and the kept syntheses.

    Raises:
        ValueError: da4ml's model computes something else than the integer product.
        QuantUNetError: The synthesis failed.
    """
    graph = LAYERS[layer]()
    begin = time.perf_counter()
    sources, stages, compared = _generate(graph, folder / layer, f"da4ml_{layer}")
    generated = time.perf_counter() - begin
    job = Job(layer, f"da4ml_{layer}", sources, folder / layer)
    (result,) = yosys.synthesise([job], folder / "cache")
    height, width, _ = graph.tensor(graph.inputs[0]).shape
    cycles = height * width
    macs = cycles * int(np.prod(_conv(graph).weight.shape))
    return Core(
        layer=layer,
        version=importlib.metadata.version("da4ml"),
        cycles=cycles,
        macs=macs,
        lut=result.usage.luteq,
        ff=result.usage.ff,
        dsp=result.usage.dsp,
        levels=result.levels,
        lut_cycles_per_mac=result.usage.luteq * cycles / macs,
        stages=stages,
        values_compared=compared,
        generation_seconds=generated,
        synthesis_seconds=result.seconds,
    )


def _conv(graph: Graph) -> Conv2d:
    (node,) = graph.nodes
    assert isinstance(node, Conv2d)
    return node


def _generate(graph: Graph, folder: Path, name: str) -> tuple[tuple[Path, ...], int, int]:
    """Write da4ml's Verilog; return its files, the register stages, and the outputs that were compared."""
    node = _conv(graph)
    source = graph.input_of(node).qtype
    kernel = node.weight.array.reshape(-1, node.weight.shape[3])
    inputs = FixedVariableArrayInput(len(kernel), hwconf=HWConfig(1, -1, -1)).quantize(
        int(source.signed), source.bits - int(source.signed), 0
    )
    logic = comb_trace(inputs, inputs @ kernel + node.bias.array)
    vectors = np.random.default_rng(0).integers(source.qmin, source.qmax + 1, size=(_VECTORS, len(kernel)))
    product = logic.predict(vectors.astype(np.float64))
    if not np.array_equal(product, vectors @ kernel + node.bias.array):
        message = f"{name}: da4ml's model is not the product with the weights"
        raise ValueError(message)
    model = RTLModel(logic, name, folder, latency_cutoff=LATENCY_CUTOFF, print_latency=False)
    model.write()
    files = sorted((folder / "src").rglob("*.v"))
    needed = [path for path in files if not path.stem.endswith("_wrapper")]
    return tuple(needed), len(model._pipe.solutions) + 1, product.size  # noqa: SLF001


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both layers and print a line for each, or JSON."""
    parser = argparse.ArgumentParser(description="da4ml's own core of L8 and L16, synthesised.")
    parser.add_argument("--folder", type=Path, default=Path("build/bench/da4ml"), help="(default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cores = [measure(layer, args.folder) for layer in LAYERS]
    if args.json:
        sys.stdout.write(json.dumps([dataclasses.asdict(core) for core in cores], indent=1) + "\n")
        return
    for core in cores:
        sys.stdout.write(
            f"{core.layer}: da4ml {core.version}, {core.lut} LUTeq, {core.ff} FF, {core.dsp} DSP, "
            f"{core.levels} levels, {core.cycles} cycles, "
            f"{core.lut_cycles_per_mac:.2f} LUTeq*cycles/MAC, {core.stages} register stages, "
            f"generated in {core.generation_seconds:.1f} s; core alone\n"
        )


if __name__ == "__main__":
    main()
