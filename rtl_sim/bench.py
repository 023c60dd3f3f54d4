"""A design between HDL sources and sinks: the generated bench, its build, its run."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np

from quantunet.errors import StorageError, ToolFailedError
from quantunet.hls.rtl_project import RtlProject, design_fifos, input_ports, output_ports, update
from quantunet.ir import Array
from quantunet.rtl_sim import verilator
from quantunet.rtl_sim.bench_result import CONFIG_FILE, EXPECTED_FILE, RESULT_FILE, BenchResult
from quantunet.streams import hex_lines, to_groups

HDL_FOLDER = Path(__file__).parent / "hdl"
HDL_SOURCES = tuple(HDL_FOLDER / f"qun_tb_{name}.sv" for name in ("clock", "stall", "source", "sink", "level"))

_TRACE_FLAGS = ("-DQUN_TRACE",)
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701
)


@dataclass(frozen=True)
class Bench:
    """A bench that is built and can run.

    Attributes:
        project: The design; its folder is the working folder of the simulation.
        top: The bench's module.
        executable: Folder of the Verilator build.
    """

    project: RtlProject
    top: str
    executable: Path


def build(project: RtlProject, build_root: Path, *, trace: bool = False, jobs: int = 1) -> Bench:
    """Generate and build the bench of a project.

    The build depends on the sources alone: another image, other weights or other stalls reuse it.

    Args:
        project: The design.
        build_root: Where Verilator builds are kept.
        trace: Whether the simulator can write a waveform.
        jobs: C++ compilers to run at once.

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
        fifo_depths=design_fifos(project.design),
    )
    update(source, text.encode())
    sources = (*HDL_SOURCES, *project.sources, source)
    flags = _TRACE_FLAGS if trace else ()
    executable = verilator.build(sources, top, {}, build_root, trace=trace, jobs=jobs, flags=flags)
    return Bench(project, top, executable)


def run(
    bench: Bench,
    inputs: Sequence[Array],
    expected: Array,
    test_module: str,
    *,
    watchdog: int,
    stalls: bool = False,
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
        stalls: Random stalls at all inputs and outputs.
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
    for path in bench.project.memories:
        if not path.is_file():  # the simulator would only warn and compute with zeros
            raise StorageError(str(path), expected="a memory file", got="none", hint="Generate the project again.")
    for port, frames in zip(input_ports(design), inputs, strict=True):
        update(folder / f"{port.prefix}.hex", hex_lines(to_groups(frames, port.stream.lanes), port.stream.qtype.bits))
    stored = io.BytesIO()
    np.save(stored, expected)
    update(folder / EXPECTED_FILE, stored.getvalue())
    config = {
        "inputs": [port.prefix for port in input_ports(design)],
        "lanes": output.stream.lanes,
        "qtype": dataclasses.asdict(output.stream.qtype),
        "fifo_depths": design_fifos(design),
    }
    update(folder / CONFIG_FILE, (json.dumps(config, indent=1) + "\n").encode())
    result_file = folder / RESULT_FILE
    result_file.unlink(missing_ok=True)
    arguments = [f"+frames={len(expected)}", f"+watchdog={watchdog}", f"+stalls={stalls:d}", f"+seed={seed}", *plusargs]
    outcome = verilator.run_cocotb(
        bench.executable, test_module, bench.top, folder, plusargs=arguments, seed=seed, check=False
    )
    if not result_file.is_file():
        failed = "; ".join(f"{test.name}: {test.message}" for test in outcome.tests)
        raise ToolFailedError(test_module, expected="a result of the bench", got=failed, hint=f"See {outcome.log}.")
    result = BenchResult.from_json(result_file.read_text(encoding="utf-8"))
    if result.passed != outcome.passed:
        raise ToolFailedError(
            test_module,
            expected="one verdict",
            got=f"passed={outcome.passed} from cocotb and passed={result.passed} in {result_file}",
        )
    return dataclasses.replace(result, seconds=round(outcome.seconds, 3))


def output_beats(project: RtlProject) -> int:
    """Return the beats of a frame at the design's output."""
    (output,) = output_ports(project.design)
    return output.stream.beats
