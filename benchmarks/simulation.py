"""One frame through every layer in RTL, and the same layers in hls4ml C++, each compared with golden."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from benchmarks.inference import GOLDEN, test_images
from benchmarks.rows import Context, Part, Row
from benchmarks.timing import Timing, in_turns, once, once_processor
from quantunet import golden
from quantunet.compare import compare
from quantunet.errors import ToolFailedError
from quantunet.golden.cores import WORKERS
from quantunet.golden.inference import Taps
from quantunet.hls.choose.default import default_folding
from quantunet.hls.csim import simulation
from quantunet.hls.synth.flow import macs
from quantunet.ir import Graph
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import NetworkResult, run_network
from quantunet.zoo import load_network

_RTL_RUNS = 3

_BUSY = "processor time"
"""Of all processes: the RTL simulation has one core, the C simulations have all, and what two cores give differs."""


def measure(context: Context) -> list[Row]:
    """Time the warm RTL simulation, the warm HLS C simulation of every layer, and golden in the same run."""
    graph, name = load_network(context.network), context.network
    image = test_images(graph, 1)[0]
    taps = golden.run(graph, image)
    setup = Setup(graph, default_folding(graph), context.folder, context.folder / "builds")
    context.say("building the RTL simulation")
    results = [_simulate(setup, taps)]

    def simulate() -> None:
        results.append(_simulate(setup, taps))

    seconds = []
    processor = []
    for number in range(_RTL_RUNS):
        context.say(f"RTL simulation {number + 1} of {_RTL_RUNS}")
        wall, busy = once_processor(simulate)
        seconds.append(wall)
        processor.append(busy)
    inside = Timing(tuple(result.bench.seconds for result in results[1:]))
    rtl = Row.timed(name, "RTL, every layer compared, warm", Timing(tuple(seconds)), note=_compared(results[-1]))
    parts = [
        rtl,
        Row.timed(name, "RTL, the simulator's process alone", inside, note=f"{results[-1].bench.cycles} cycles"),
    ]
    rtl_busy = Row.timed(name, f"RTL, warm, {_BUSY}", Timing(tuple(processor)))
    (hls, hls_busy), layers = _hls(context, graph, taps, stock=False)
    (stock, stock_busy), _ = _hls(context, graph, taps, stock=True)
    fast = in_turns({"golden": lambda: golden.run_batch(graph, [image])})["golden"]
    base = Row.timed(name, GOLDEN, fast)
    walls = [hls.over(rtl, "RTL"), stock.over(rtl, "RTL")]
    busy_rows = [rtl_busy, hls_busy.over(rtl_busy, "RTL"), stock_busy.over(rtl_busy, "RTL")]
    return [*(row.over(base, "golden") for row in parts), base, *walls, *busy_rows, *layers]


def _simulate(setup: Setup, taps: Taps) -> NetworkResult:
    result = run_network(setup, [taps], jobs=WORKERS)
    if not result.bench.passed or result.mask_mismatches:
        raise ToolFailedError(setup.graph.name, expected="RTL equal to golden", got="; ".join(result.bench.problems))
    return result


def _compared(result: NetworkResult) -> str:
    values = sum(stream.values_compared for stream in result.bench.layers)
    return f"{len(result.bench.layers)} layers, {values:,} values equal"


def _hls(context: Context, graph: Graph, taps: Taps, *, stock: bool) -> tuple[tuple[Row, Row], list[Row]]:
    """Run every layer's C simulation, as many at a time as there are cores; compare and time each, and all together.

    Args:
        context: Of the part.
        graph: The network.
        taps: Golden's tensors.
        stock: With hls4ml's own headers, as it ships them, instead of those that this project makes faster.
    """
    names = [node.name for node in graph.nodes]
    what = "HLS C simulation with hls4ml's own headers" if stock else "HLS C simulation"
    context.say(f"building: {what}")
    programs = simulation.build_layers(graph, context.folder / "hls", jobs=WORKERS, stock=stock)
    seconds: dict[str, float] = {}
    compared = 0

    def simulate(name: str) -> int:
        output = []
        seconds[name] = once(lambda: output.append(simulation.run_layer(graph, name, programs[name], taps)))
        comparison = compare(name, taps[graph.node(name).output], output[0])
        if not comparison.passed:
            raise ToolFailedError(name, expected="C simulation equal to golden", got=str(comparison.first))
        context.say(f"{what}: {len(seconds)} of {len(names)} layers")
        return comparison.compared

    def simulate_all() -> None:
        nonlocal compared
        with ThreadPoolExecutor(WORKERS) as pool:
            longest_first = sorted(names, key=lambda name: -macs(graph, graph.node(name)))
            compared = sum(pool.map(simulate, longest_first))

    total, busy = once_processor(simulate_all)
    note = f"{len(names)} layers, {compared:,} values equal, {WORKERS} processes at a time"
    together = (
        Row(context.network, f"{what}, every layer, warm", total, "s", note=note),
        Row(context.network, f"{what}, warm, {_BUSY}", busy, "s"),
    )
    chart = {"plot": "time", "series": "HLS C simulation"}
    sizes = {name: macs(graph, graph.node(name)) for name in names}
    return together, [
        Row(f"{context.network} {name}", "HLS C simulation, one layer", seconds[name], "s", size=sizes[name], **chart)  # type: ignore[arg-type]
        for name in names
        if sizes[name]
    ]


PART = Part("simulation", "One frame through every layer", measure, each_network=True)
