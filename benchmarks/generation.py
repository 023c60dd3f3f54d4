"""From a network to its RTL, and from the RTL to the first frame out of a simulator."""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path
from unittest import mock

from benchmarks.inference import test_images
from benchmarks.rows import Context, Part, Row
from benchmarks.timing import Timing, once
from quantunet import golden
from quantunet.golden.cores import WORKERS
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate import rtl_project
from quantunet.rtl_sim import verilator
from quantunet.rtl_sim.layer_bench import Setup
from quantunet.rtl_sim.network_bench import run_network
from quantunet.zoo import load_network

_RUNS = 3


def measure(context: Context) -> list[Row]:
    """Time the generation in an empty folder, then a cold build with its simulation, then the same again."""
    graph, name = load_network(context.network), context.network
    folding, taps = default_folding(graph), golden.run(graph, test_images(graph, 1)[0])
    context.folder.mkdir(parents=True, exist_ok=True)
    context.say("RTL generation")
    seconds = []
    for _ in range(_RUNS):
        with tempfile.TemporaryDirectory(dir=context.folder) as text:
            seconds.append(once(functools.partial(rtl_project.write, graph, folding, Path(text))))
    generation = Row.timed(name, "RTL generation, memory files included", Timing(tuple(seconds)))
    with tempfile.TemporaryDirectory(dir=context.folder) as text:
        folder = Path(text)
        setup = Setup(graph, folding, folder, folder / "builds")
        context.say("cold build")
        verilator.prepare()
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": text}):  # once more, as on a machine that has none
            runtime = once(verilator.prepare)
        cold = once(lambda: run_network(setup, [taps], jobs=WORKERS))
        context.say("warm build")
        warm = Timing(tuple(once(lambda: run_network(setup, [taps], jobs=WORKERS)) for _ in range(_RUNS)))
    warm_row = Row.timed(name, "RTL simulation of one frame, nothing changed since", warm)
    cold_row = Row(name, "RTL simulation of one frame, cold build", cold, "s", note="generate, build, load, simulate")
    return [
        generation,
        Row(name, "the simulator's runtime library, built once for a user", runtime, "s"),
        cold_row.over(warm_row, "warm"),
        warm_row,
    ]


PART = Part("build", "RTL generation, cold and warm builds", measure, each_network=True)
