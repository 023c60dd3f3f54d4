"""A design between HDL sources and sinks: the generated bench, its build, its run."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from quantunet.errors import StorageError, ToolFailedError
from quantunet.hls.design import Design, Stream
from quantunet.hls.generate.rtl_project import RtlProject, input_ports, output_ports, update
from quantunet.hls.templates.environment import template_environment
from quantunet.ir import Array
from quantunet.rtl_sim import verilator
from quantunet.rtl_sim.bench_result import CONFIG_FILE, EXPECTED_FILE, RESULT_FILE, STREAMS_FILE, BenchResult
from quantunet.rtl_sim.stalls import PATTERNS, Stalls
from quantunet.rtl_sim.stuck import stuck_streams
from quantunet.streams import binary_file, packed_words, to_groups, word_bytes

HDL_FOLDER = Path(__file__).parent / "hdl"
CHECKER = HDL_FOLDER / "qun_axis_check.sv"
"""Holds a stream to AXI4-Stream's rules; benches have one at each stream of a design, or at each port of a module."""

HDL_SOURCES = (
    *(HDL_FOLDER / f"qun_tb_{name}.sv" for name in ("clock", "stall", "source", "sink", "tap", "level")),
    CHECKER,
)


_TRACE_FLAGS = ("-DQUN_TRACE",)
_FREE_RUN = 256
"""Time slots between two looks of Python: the benches wait for their end only."""

_TEMPLATES = template_environment(Path(__file__).parent / "templates")


@dataclass(frozen=True)
class Bench:
    """A bench that is built and can run.

    Attributes:
        project: The design; its folder is the working folder of the simulation.
        top: The bench's module.
        executable: Folder of the Verilator build.
        layers: The layers whose streams are compared inside the design, by stream.
    """

    project: RtlProject
    top: str
    executable: Path
    layers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Tap:
    """A monitor: on a stream inside the design, or on the outer port that the stream is."""

    stream: Stream
    signal: str
    compared: bool


def build(
    project: RtlProject,
    build_root: Path,
    *,
    layers: Mapping[str, str] | None = None,
    trace: bool = False,
    jobs: int = 1,
    flags: Sequence[str] = (),
    quick: bool = False,
    settle: int = 0,
) -> Bench:
    """Generate and build the bench of a project.

    The build depends on the sources alone: another image, other weights or other stalls reuse it.

    Args:
        project: The design.
        build_root: Where Verilator builds are kept.
        layers: Streams inside the design whose values are compared, and the layers that write them, in the order in
            which a failure names them.
        trace: Whether the simulator can write a waveform.
        jobs: C++ compilers to run at once.
        flags: More flags for Verilator.
        quick: As in :func:`quantunet.rtl_sim.verilator.build`.
        settle: Cycles that the bench waits after the design's reset, where the design takes it through registers.

    Raises:
        ToolMissingError: A tool is not installed.
        ToolFailedError: A tool refused the design.
        StorageError: A file cannot be written.
    """
    top = f"qun_tb_{project.top.removeprefix('qun_')}"
    source = project.folder / "rtl" / f"{top}.sv"
    text = _TEMPLATES.get_template("bench.sv.j2").render(
        top=top,
        design=project.design,
        inputs=input_ports(project.design),
        outputs=output_ports(project.design),
        taps=_taps(project.design, layers or {}),
        report=STREAMS_FILE,
        checks_frames=project.checks_frames,
        fifo_depths=project.design.fifos,
        settle=settle,
    )
    update(source, text.encode())
    sources = (*HDL_SOURCES, *project.sources, source)
    flags = (*flags, *_TRACE_FLAGS) if trace else flags
    executable = verilator.build(sources, top, {}, build_root, trace=trace, jobs=jobs, flags=flags, quick=quick)
    return Bench(project, top, executable, dict(layers or {}))


def _taps(design: Design, layers: Mapping[str, str]) -> list[_Tap]:
    ports = {port.stream.name: port.prefix for port in (*input_ports(design), *output_ports(design))}
    return [
        _Tap(stream, ports.get(stream.name, f"u_dut.{stream.name}"), stream.name in layers) for stream in design.streams
    ]


def run(
    bench: Bench,
    inputs: Sequence[Array],
    expected: Array,
    test_module: str,
    *,
    watchdog: int,
    stream_values: Mapping[str, Sequence[npt.NDArray[np.integer]]] | None = None,
    stalls: Stalls = "none",
    seed: int = 0,
    plusargs: Sequence[str] = (),
) -> BenchResult:
    """Run a bench on whole frames.

    Args:
        bench: What :func:`build` returned.
        inputs: One int64 ``(frames, height, width, channels)`` for each input of the design.
        expected: The golden output, int64 ``(frames, height, width, channels)``.
        test_module: The cocotb module.
        watchdog: Cycles without any handshake after which the bench gives up.
        stream_values: For each stream of :attr:`Bench.layers`, golden's ``(height, width, channels)`` of every frame.
        stalls: The pattern in which inputs and outputs stall, each for at most half of ``watchdog``.
        seed: Of the stalls.
        plusargs: More arguments of the simulator.

    Returns:
        What came out. A design that computes something else is no error here.

    Raises:
        ToolFailedError: The simulator crashed, or the cocotb test neither passed nor left a result.
        StorageError: A file is missing or cannot be written.
    """
    folder, design = bench.project.folder, bench.project.design
    (output,) = output_ports(design)
    _check_memories(bench.project)
    for port, frames in zip(input_ports(design), inputs, strict=True):
        _write_beats(folder / f"{port.prefix}.bin", port.stream, frames)
    streams = {stream.name: stream for stream in design.streams}
    for name in bench.layers:
        _write_beats(folder / f"{name}.expected.bin", streams[name], (stream_values or {})[name])
    stored = io.BytesIO()
    np.save(stored, expected)
    update(folder / EXPECTED_FILE, stored.getvalue())
    config = {
        "inputs": [port.prefix for port in input_ports(design)],
        "lanes": output.stream.lanes,
        "qtype": dataclasses.asdict(output.stream.qtype),
        "fifo_depths": design.fifos,
        "streams": {
            name: {
                "layer": bench.layers.get(name),
                "lanes": streams[name].lanes,
                "qtype": dataclasses.asdict(streams[name].qtype),
                "shape": streams[name].shape,
                "beats": streams[name].beats,
            }
            for name in dict.fromkeys([*bench.layers, *streams])
        },
    }
    update(folder / CONFIG_FILE, (json.dumps(config, indent=1) + "\n").encode())
    result_file = folder / RESULT_FILE
    result_file.unlink(missing_ok=True)
    arguments = [
        f"+free_run={_FREE_RUN}",
        f"+frames={len(expected)}",
        f"+watchdog={watchdog}",
        f"+stalls={PATTERNS.index(stalls)}",
        f"+stall_cycles={watchdog // 2}",
        f"+seed={seed}",
        *plusargs,
    ]
    outcome = verilator.run_cocotb(
        bench.executable, test_module, bench.top, folder, plusargs=arguments, seed=seed, check=False
    )
    if not result_file.is_file():
        failed = "; ".join(f"{test.name}: {test.message}" for test in outcome.tests)
        raise ToolFailedError(test_module, expected="a result of the bench", got=failed, hint=f"See {outcome.log}.")
    result = BenchResult.from_json(result_file.read_text(encoding="utf-8"))
    if result.passed != all(test.passed for test in outcome.tests):
        raise ToolFailedError(
            test_module,
            expected="one verdict",
            got=f"passed={not result.passed} from cocotb and passed={result.passed} in {result_file}",
        )
    waits = stuck_streams(design, result.streams) if result.timed_out else ()
    return dataclasses.replace(result, stuck=waits, broken=outcome.broken, seconds=round(outcome.seconds, 3))


def _check_memories(project: RtlProject) -> None:
    """See that every memory's packed binary is there and has its length; the simulator too stops otherwise."""
    lengths = {
        memory.file: memory.words.shape[0] * word_bytes(memory.words.shape[1], memory.bits)
        for instance in project.design.instances
        for memory in instance.memories
    }
    for name, length in lengths.items():
        path = binary_file(project.folder / name)
        found = path.stat().st_size if path.is_file() else None
        if found != length:
            raise StorageError(
                str(path),
                expected=f"a memory file of {length} bytes",
                got="none" if found is None else f"{found} bytes",
                hint="Generate the project again.",
            )


def _write_beats(path: Path, stream: Stream, frames: Sequence[npt.NDArray[np.integer]] | Array) -> None:
    """Write the beats of some frames as packed binary."""
    packed = [packed_words(to_groups(frame, stream.lanes), stream.qtype.bits) for frame in frames]
    update(path, b"".join(words.tobytes() for words in packed))


def output_beats(project: RtlProject) -> int:
    """Return the beats of a frame at the design's output."""
    (output,) = output_ports(project.design)
    return output.stream.beats
