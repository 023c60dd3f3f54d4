"""Small benches for single modules: cases with random frames, a generated top that holds them all, one build, one run.

The same cases go through every scenario of ``helpers.benches.scenarios``, which runs inside the simulator.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from helpers import coverage_bins

from quantunet.errors import ToolFailedError
from quantunet.golden.inference import evaluate
from quantunet.hls.design import Cycles, Fold, Instance, Stream
from quantunet.hls.generate.rtl_project import RTL_FOLDER, library_modules, library_sources
from quantunet.hls.modules.table import cycles, emit
from quantunet.hls.templates.environment import template_environment
from quantunet.ir import Array, Graph, QType
from quantunet.rtl_sim.bench import CHECKER
from quantunet.rtl_sim.verilator import ASSERTIONS, build, run_cocotb
from quantunet.storage import write_text
from quantunet.streams import pack, write_mem

TOP = "qun_op_cases"
"""Module name of the generated top."""

CASES_FILE = "cases.json"
REPORT_FILE = "report.jsonl"
"""What goes into the simulation and what comes out of it, in its working folder."""

TEMPLATES = template_environment(Path(__file__).parent)


@dataclass(frozen=True)
class Case:
    """One module instance and the frames that go through it.

    Attributes:
        instance: The module, its parameters and memories; its streams are named in ``streams``.
        streams: Every stream of the instance.
        frames: int64 ``(frames, height, width, channels)`` of every stream: what is sent, and what must come out.
        cycles: The predicted cycles, asserted exactly at full speed; ``None`` where there is no prediction.
        extras: More output ports, as name and width.
    """

    instance: Instance
    streams: tuple[Stream, ...]
    frames: Mapping[str, Array]
    cycles: Cycles | None = None
    extras: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What one scenario measured on one case.

    Attributes:
        scenario: Name of the cocotb test.
        case: Index of the case.
        values_compared: Integers that were compared and found equal.
        details: What else the scenario measured.
    """

    scenario: str
    case: int
    values_compared: int
    details: Mapping[str, int]


def random_frames(rng: np.random.Generator, shape: Sequence[int], qtype: QType, frames: int) -> Array:
    """Return integers over the whole range of a type, ``(frames, height, width, channels)``.

    Every type's limits occur more often than by chance, since that is where comparisons and saturation go wrong.
    """
    values = rng.integers(qtype.qmin, qtype.qmax + 1, size=(frames, *shape))
    limits = rng.choice(np.array([qtype.qmin, qtype.qmax]), size=values.shape)
    return np.asarray(np.where(rng.random(values.shape) < 0.1, limits, values), dtype=np.int64)


def layer_case(graph: Graph, fold: Fold, *, frames: int = 3, seed: int = 0) -> Case:
    """Return the case of a graph with one layer: random input frames, and the golden model's output.

    Args:
        graph: What ``Graph.layer`` or a builder made; its only node is the layer.
        fold: The folding.
        frames: Frames to send, one right after the other.
        seed: Of the input.
    """
    (node,) = graph.nodes
    rng = np.random.default_rng(seed)
    values: dict[str, Array] = {
        name: random_frames(rng, graph.tensor(name).shape, graph.tensor(name).qtype, frames) for name in graph.inputs
    }
    inputs = [[values[name][index] for name in node.inputs] for index in range(frames)]
    values[node.output] = np.stack([evaluate(graph, node, images, plain=True) for images in inputs])
    streams = []
    for name in (*node.inputs, node.output):
        tensor = graph.tensor(name)
        lanes = fold.pe if name == node.output else fold.lanes_in(tensor.shape[2])
        streams.append(Stream(name, lanes, tensor.qtype, tensor.shape))
    return Case(emit(graph, node, fold), tuple(streams), values, cycles(graph, node, fold))


def plumbing_case(
    module: str,
    params: Mapping[str, int],
    streams: Sequence[Stream],
    *,
    predicted: Cycles | None = None,
    extras: Sequence[tuple[str, int]] = (),
    frames: int = 3,
    seed: int = 0,
) -> Case:
    """Return the case of a module that passes its input on unchanged.

    Args:
        module: ``qun_fork``, ``qun_fifo`` or ``qun_width_adapter``.
        params: Its parameters.
        streams: The input, then the outputs, all of one shape and type.
        predicted: The predicted cycles.
        extras: More output ports, as name and width.
        frames: Frames to send, one right after the other.
        seed: Of the input.
    """
    source, *targets = streams
    values = random_frames(np.random.default_rng(seed), source.shape, source.qtype, frames)
    instance = Instance(
        name="plumbing",
        module=module,
        params=tuple(params.items()),
        inputs=(("s_axis", source.name),),
        outputs=tuple(("m_axis", stream.name) for stream in targets),
    )
    return Case(instance, tuple(streams), {stream.name: values for stream in streams}, predicted, tuple(extras))


def run_cases(
    cases: Sequence[Case],
    test_module: str,
    build_root: Path,
    cwd: Path,
    *,
    rtl_folder: Path = RTL_FOLDER,
    seed: int = 1,
    waves: bool = False,
) -> tuple[Outcome, ...]:
    """Build all cases into one simulator, run the cocotb tests of a module on it, and return what they measured.

    Args:
        cases: What to simulate.
        test_module: For example ``helpers.benches.scenarios``.
        build_root: Folder of the cached builds.
        cwd: Working folder.
        rtl_folder: The SystemVerilog library.
        seed: Of the stalls.
        waves: Write ``waves.vcd``.

    Raises:
        ToolMissingError: A tool is not installed.
        ToolFailedError: The build failed, a test failed, or a test compared nothing.
        StorageError: A file cannot be written.
    """
    (cwd / REPORT_FILE).unlink(missing_ok=True)
    sources = write_cases(cases, cwd, rtl_folder=rtl_folder)
    folder = build(sources, TOP, {}, build_root, trace=waves, flags=ASSERTIONS, quick=True)
    result = run_cocotb(folder, test_module, TOP, cwd, seed=seed, waves=waves)
    outcomes = tuple(Outcome(**json.loads(line)) for line in (cwd / REPORT_FILE).read_text().splitlines())
    if len(outcomes) != len(result.tests) * len(cases) or not all(outcome.values_compared for outcome in outcomes):
        raise ToolFailedError(
            test_module,
            expected=f"values compared by {len(result.tests)} tests on {len(cases)} cases",
            got=f"{[(outcome.scenario, outcome.case, outcome.values_compared) for outcome in outcomes]}",
            hint=f"The log is {result.log}.",
        )
    if rtl_folder == RTL_FOLDER:
        coverage_bins.record(cases, (outcome.scenario for outcome in outcomes))
    return outcomes


def write_cases(cases: Sequence[Case], folder: Path, *, rtl_folder: Path = RTL_FOLDER) -> tuple[Path, ...]:
    """Write the top that holds all cases, their memory files, and their frames; return the sources, the top last.

    Raises:
        StorageError: A file cannot be written, or a module's file is missing.
    """
    all_named = [named(case, f"c{index}") for index, case in enumerate(cases)]
    top = folder / f"{TOP}.sv"
    write_text(top, _top(all_named))
    write_text(folder / CASES_FILE, json.dumps([_document(case) for case in all_named]))
    return (*write_hardware(all_named, folder, rtl_folder), CHECKER, top)


def write_hardware(cases: Sequence[Case], folder: Path, rtl_folder: Path) -> tuple[Path, ...]:
    """Write the memory files and the generated modules of cases that :func:`named` made; return the sources.

    Raises:
        StorageError: A file cannot be written, or a module's file is missing.
    """
    for case in cases:
        for memory in case.instance.memories:
            write_mem(folder / memory.file, memory.words.array, memory.bits)
    generated = []
    for name, text in (source for case in cases for source in case.instance.sources):
        generated.append(folder / f"{name}.sv")
        write_text(generated[-1], text)
    return (*library_sources(library_modules(case.instance for case in cases), rtl_folder), *generated)


def named(case: Case, name: str) -> Case:
    """Return the case with the names of its instance, generated modules, streams and memory files made unique."""
    old = case.instance
    module = f"{old.module}_{name}" if old.sources else old.module
    memories = tuple(dataclasses.replace(memory, file=f"{name}_{memory.file}") for memory in old.memories)
    instance = Instance(
        name=name,
        module=module,
        params=tuple((key, f"{name}_{value}" if isinstance(value, str) else value) for key, value in old.params),
        inputs=tuple((prefix, f"{name}_{stream}") for prefix, stream in old.inputs),
        outputs=tuple((prefix, f"{name}_{stream}") for prefix, stream in old.outputs),
        memories=memories,
        sources=tuple(
            (found.replace(old.module, module), text.replace(old.module, module)) for found, text in old.sources
        ),
        core=old.core,
    )
    streams = tuple(dataclasses.replace(stream, name=f"{name}_{stream.name}") for stream in case.streams)
    frames = {f"{name}_{stream}": values for stream, values in case.frames.items()}
    return dataclasses.replace(case, instance=instance, streams=streams, frames=frames)


def _top(cases: Sequence[Case]) -> str:
    return TEMPLATES.get_template("op_cases.sv.j2").render(top=TOP, cases=[described(case) for case in cases])


def described(case: Case) -> dict[str, Any]:
    """Return what a template needs to instantiate a case that :func:`named` made."""
    instance = case.instance
    streams = {stream.name: stream for stream in case.streams}
    inputs = [name for _, name in instance.inputs]
    names = [*inputs, *(name for _, name in instance.outputs)]
    connections: dict[str, list[str]] = {}
    for prefix, name in (*instance.inputs, *instance.outputs):
        connections.setdefault(prefix, []).append(name)
    return {
        "name": instance.name,
        "module": instance.module,
        "parameters": [(key, f'"{value}"' if isinstance(value, str) else value) for key, value in instance.params],
        "ports": [
            {
                "name": name,
                "bits": streams[name].data_bits,
                "lanes": streams[name].lanes,
                "beats": streams[name].beats,
                "input": name in inputs,
            }
            for name in names
        ],
        "connections": list(connections.items()),
        "extras": case.extras,
    }


def _document(case: Case) -> dict[str, object]:
    streams = {stream.name: stream for stream in case.streams}

    def port(name: str) -> dict[str, object]:
        stream = streams[name]
        frames = [pack(frame, stream.lanes, stream.qtype.bits) for frame in case.frames[name]]
        return {"stream": name, "lanes": stream.lanes, "frames": frames}

    return {
        "name": case.instance.name,
        "module": case.instance.module,
        "params": dict(case.instance.params),
        "inputs": [port(name) for _, name in case.instance.inputs],
        "outputs": [port(name) for _, name in case.instance.outputs],
        "cycles": None if case.cycles is None else dataclasses.asdict(case.cycles),
    }
