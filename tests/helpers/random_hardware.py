"""A network in a random folding, in every form that the product gives it, against golden and the exact schedule.

The legs:

- ``schedule``: the bounds of its FIFOs hold, see :mod:`helpers.fifo_bounds`.
- ``csim``: the HLS C simulation of every layer alone, and of the network, equals golden.
- ``rtl``: the whole network in Verilator equals golden inside and at its end, over adjacent frames, without stalls,
  with stalls, and with the least FIFOs; without stalls every cycle and every fill is the schedule's.
- ``netlist``: what Yosys makes of it for an ECP5, cell by cell in Verilator, equals golden at its end, without stalls
  in the schedule's cycles, and with stalls. Networks of more than :data:`MOST_LUTS` are left out.

:data:`ALL` has ``golden`` before them: every tensor, plainly and fast, is that of :mod:`helpers.exact_graph`.
"""

from __future__ import annotations

import math
import shutil
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from helpers.exact_graph import differences
from helpers.fifo_bounds import crosses, unmet
from helpers.foldings import lopsided_folding
from helpers.netlist import netlist

from quantunet import golden
from quantunet.errors import ScaleError
from quantunet.golden.inference import Taps
from quantunet.hls.choose.default import default_folding
from quantunet.hls.choose.estimate import estimate
from quantunet.hls.csim import project, simulation
from quantunet.hls.design import STYLES, Fold
from quantunet.hls.folding import Folding
from quantunet.hls.generate.rtl_project import RTL_FOLDER, write
from quantunet.hls.schedule.deadlock import least_depths
from quantunet.hls.schedule.depths import frame_interval
from quantunet.hls.schedule.exact import Schedule, schedule
from quantunet.ir import Array, Graph
from quantunet.rtl_sim import bench
from quantunet.rtl_sim.bench_result import BenchResult
from quantunet.rtl_sim.fifo_bench import FifoBench
from quantunet.rtl_sim.frames import adjacent_frames
from quantunet.rtl_sim.stalls import Stalls

FRAMES = 4

MOST_LUTS = 2500
"""Of a network whose netlist is simulated, by the cost model: Yosys takes about ten seconds for it."""

_LAYER_BENCH = "quantunet.rtl_sim.tb_layer"
_PATTERNS: tuple[Stalls, ...] = ("random", "bursts", "frozen")


@dataclass(frozen=True)
class Found:
    """What a leg found.

    Attributes:
        compared: Values compared, or of the schedule the bounds that were held.
        problems: What is wrong.
        left_out: Why the network was not taken.
    """

    compared: int
    problems: list[str]
    left_out: str = ""


def folding_of(graph: Graph, seed: int) -> Folding:
    """Return the product's own folding for one seed in three, else any fold of every layer, in any style.

    Raises:
        FoldingError: The network has no folding.
        WidthError: The values of a layer are too wide for any of its folds.
    """
    return default_folding(graph) if seed % 3 == 0 else Folding(graph, lopsided_folding(graph, seed, STYLES))


class Network:
    """A network in its folding.

    Args:
        graph: The network.
        image: Its first frame.
        seed: Of the folding and the stalls.
        folder: Working folder; headers that all C simulations include are kept in it.
        jobs: Compilers at a time.
        builds: Where Verilator builds are kept; thrown away behind each network if left out.
        layers_alone: Whether the C simulation of every layer alone is compared, and not of the network only.
        folding: The fold of every layer; that of the seed if left out.
        count: Adjacent frames.
        only: The runs of a simulation that are made, by what they say of themselves; all if left out.
        rtl_folder: The SystemVerilog library.

    Raises:
        QuantUNetError: As :func:`folding_of`.
    """

    def __init__(
        self,
        graph: Graph,
        image: Array,
        seed: int,
        folder: Path,
        jobs: int = 1,
        *,
        builds: Path | None = None,
        layers_alone: bool = True,
        folding: Mapping[str, Fold] | None = None,
        count: int = FRAMES,
        only: Collection[str] | None = None,
        rtl_folder: Path = RTL_FOLDER,
    ) -> None:
        self.graph, self.image, self.seed, self.folder, self.jobs = graph, image, seed, folder, jobs
        self.builds, self.layers_alone = builds, layers_alone
        self.count, self.only, self.rtl_folder = count, only, rtl_folder
        self.folding = folding_of(graph, seed) if folding is None else Folding(graph, folding)

    def run(self, leg: str) -> Found:
        """Take the network through a leg; an error is a problem as well, but for what the C simulation cannot say."""
        try:
            return ALL[leg](self)
        except ScaleError as error:
            if leg == "csim" and "which makes every value 0" in str(error):
                return Found(0, [], "weights of which every value becomes 0")
            return Found(0, [traceback.format_exc(limit=-3)])
        except Exception:  # noqa: BLE001 - whatever it is, it is the finding
            return Found(0, [traceback.format_exc(limit=-3)])

    @cached_property
    def frames(self) -> list[Taps]:
        """Golden's tensors of some adjacent frames."""
        return [golden.run(self.graph, frame) for frame in adjacent_frames(self.graph, self.image, self.count)]

    @property
    def pattern(self) -> Stalls:
        """The pattern of the stalls."""
        return _PATTERNS[self.seed // 2 % len(_PATTERNS)]

    @property
    def stall_seed(self) -> int:
        """The seed of the stalls, which the bench holds in 32 bits."""
        return self.seed % (1 << 30) + 1

    def makes(self, run: str) -> bool:
        """Whether a run is one of those that are made."""
        return self.only is None or run in self.only

    def expected(self, name: str) -> Array:
        """Return golden's tensor of every frame."""
        return np.stack([taps[name] for taps in self.frames])


def _golden(network: Network) -> Found:
    graph, compared, problems = network.graph, 0, []
    for taps in network.frames:
        image = taps[graph.input]
        runs = {"golden, fast": taps, "golden, plain": golden.run(graph, image, plain=True)}
        number, found = differences(graph, image, runs)
        compared += number
        problems += found
    return Found(compared, problems)


def _schedule(network: Network) -> Found:
    return Found(*unmet(network.graph, network.folding, tight=not crosses(network.graph)))


def _csim(network: Network) -> Found:
    graph, compared, problems = network.graph, 0, []
    folder = network.folder / "hls"

    def compare(what: str, alone: Graph, program: Path) -> None:
        nonlocal compared
        got = simulation.run(alone, program, [network.expected(name) for name in alone.inputs])
        wanted = network.expected(alone.output)
        different = int(np.count_nonzero(got != wanted)) if got.shape == wanted.shape else wanted.size
        compared += wanted.size
        if different:
            problems.append(f"{different} of {wanted.size} values of {what} differ")

    compare("the network", graph, simulation.build_network(graph, folder))
    if network.layers_alone:
        programs = simulation.build_layers(graph, folder, jobs=network.jobs)
        for name, program in programs.items():
            compare(name, graph.layer(name), program)
            shutil.rmtree(project.layer_folder(folder, name))
    return Found(compared, problems)


def _rtl(network: Network) -> Found:
    work = network.folder / f"rtl{network.seed}"
    builds = network.builds or work / "builds"
    try:
        built = FifoBench(
            network.graph,
            network.folding,
            network.frames,
            work / "network",
            builds,
            jobs=network.jobs,
            inside=True,
            quick=True,
            rtl_folder=network.rtl_folder,
        )
        return _bench(network, built)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _bench(network: Network, built: FifoBench) -> Found:
    design, compared, problems = built.bench.project.design, 0, []
    least = {name: depth for name, depth in least_depths(design).items() if depth > 2}

    def run(what: str, limits: Mapping[str, int], stalls: Stalls) -> BenchResult:
        nonlocal compared
        found = built.run(limits, stalls=stalls, seed=network.stall_seed)
        values = [found.values_compared, *(layer.values_compared for layer in found.layers)]
        compared += sum(values)
        sizes = [math.prod(network.graph.output_of(node).shape) * network.count for node in network.graph.nodes]
        problems.extend(f"{what}: {problem}" for problem in found.problems)
        if not found.problems and values != [sizes[-1], *sizes]:
            problems.append(f"{what}: {values} values compared, of {sizes}")
        over = {name: fill for name, (depth, fill) in found.fifo_max_fill.items() if fill > limits.get(name, depth)}
        problems.extend(f"{what}: {name} holds {fill} beats" for name, fill in over.items())
        return found

    for what, limits in {"no stalls": {}, "least FIFOs": least}.items():
        if not network.makes(what):
            continue
        predicted, found = schedule(design, network.count, limits=limits), run(what, limits, "none")
        problems.extend(f"{what}: {problem}" for problem in _cycles(predicted, found))
        fills = {name: fill for name, (_, fill) in found.fifo_max_fill.items()}
        if fills != predicted.highest:
            problems.append(f"{what}: fills {fills}, predicted {dict(predicted.highest)}")
        if not least:
            break
    if network.makes("stalls"):
        run(f"{network.pattern} stalls", {}, network.pattern)
    if least and network.makes("least FIFOs, bursts of stalls"):
        run("least FIFOs, bursts of stalls", least, "bursts")
    if least and network.makes("a beat less"):
        name = max(least, key=lambda each: least[each])
        short = {**least, name: least[name] - 1}
        locked = built.run(short).timed_out
        if locked != bool(schedule(design, network.count, limits=short).stuck):
            problems.append(f"{'locks' if locked else 'runs'} with {short}, against the schedule")
    return Found(compared, problems)


def _cycles(predicted: Schedule, found: BenchResult) -> list[str]:
    if (found.first_output, found.frame_ends) == (predicted.first_output, predicted.frame_ends):
        return []
    return [
        f"first output {found.first_output}, frames {found.frame_ends}, "
        f"predicted {predicted.first_output}, {predicted.frame_ends}"
    ]


def _netlist(network: Network) -> Found:
    graph, folding, work = network.graph, network.folding, network.folder / f"netlist{network.seed}"
    luts = sum(item.cost.lut for item in estimate(graph, folding))
    if luts > MOST_LUTS:
        return Found(0, [], f"more than {MOST_LUTS} LUTs")
    try:
        project = write(graph, folding, work / "network", rtl_folder=network.rtl_folder)
        hard = tuple(f"u_{name}" for name, fold in folding.items() if fold.style == "folded-dsp")
        simulated = netlist(project, {}, dsp=bool(hard), hard=hard)
        built = bench.build(simulated, network.builds or work / "builds", quick=True, jobs=network.jobs)
        inputs = [network.expected(name) for name in graph.inputs]
        expected, problems, compared = network.expected(graph.output), [], 0
        watchdog = 2 * frame_interval(graph, folding) + 10_000
        stalls: dict[str, Stalls] = {"no stalls": "none", "stalls": network.pattern}
        for what, pattern in stalls.items():
            if not network.makes(what):
                continue
            found = bench.run(
                built, inputs, expected, _LAYER_BENCH, watchdog=watchdog, stalls=pattern, seed=network.stall_seed
            )
            compared += found.values_compared
            problems += [f"{what}: {problem}" for problem in found.problems]
            if pattern == "none":
                predicted = schedule(project.design, network.count)
                problems += [f"{what}: {problem}" for problem in _cycles(predicted, found)]
        return Found(compared, problems)
    finally:
        shutil.rmtree(work, ignore_errors=True)


LEGS: Mapping[str, Callable[[Network], Found]] = {
    "schedule": _schedule,
    "csim": _csim,
    "rtl": _rtl,
    "netlist": _netlist,
}
ALL = {"golden": _golden, **LEGS}
