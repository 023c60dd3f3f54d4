"""C simulation of hls4ml projects with g++ and the ap_types that hls4ml brings along.

A project is compiled to a program of its own (``hls/csim/cpp/qun_csim.h``) that maps integer codes to integer codes;
weights are read at run time. What all projects include is compiled once, as a precompiled header. Programs run as
processes of their own, so that many may run at a time and a crash stays theirs. Everything is kept by content, and what
was damaged or edited is made again (:mod:`quantunet.cache`).

The ap_types are used with one word less: in them every result is masked through a ``volatile`` pointer, which keeps
each value in memory and forbids vector instructions. Without it the same program runs about ten times faster.
"""

from __future__ import annotations

import functools
import logging
import math
import os
import platform
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from quantunet import cache, processes
from quantunet.errors import ShapeError, StorageError, ToolFailedError, ToolMissingError, WidthError
from quantunet.hls.csim import project
from quantunet.hls.csim.lower.names import unique_names
from quantunet.ir import Array, Graph, Tensor
from quantunet.storage import check_output, temporary_folder, write_text

logger = logging.getLogger(__name__)

CPP = Path(__file__).resolve().parent / "cpp"
PREFIX = "qun_csim_prefix.h"
FLAGS = ("-std=c++17", "-O3", "-march=native", "-w", "-pthread")

_PROGRAM = "csim"

_VOLATILE = "clearUnusedBits(void) volatile"

_MAIN = """#include "{prefix}"
#include "{top}.cpp"

const char *qun_weights_dir = nullptr;

namespace nnet {{
bool trace_enabled = false;
std::map<std::string, void *> *trace_outputs = nullptr;
size_t trace_type_size = sizeof(double);
}} // namespace nnet

int main(int argc, char **argv) {{ return qun::main_with_stack({top}, argc, argv); }}
"""


def build_layer(graph: Graph, name: str, folder: Path, *, stock: bool = False) -> Path:
    """Write the hls4ml project of one layer and compile its C simulation.

    Args:
        graph: The network.
        name: The layer.
        folder: The network's HLS folder; the project goes to ``folder/layers/<name>``.
        stock: Use hls4ml's ap_types just as they are, to measure what hls4ml's own C simulation takes.

    Returns:
        The program, for :func:`run_layer`.

    Raises:
        ModelError: There is no such layer.
        ToolMissingError: There is no g++.
        ToolFailedError: The project does not compile.
        StorageError: The folder cannot be written.
    """
    return _compile(project.write_layer(graph, name, folder), graph.layer(name), folder, stock=stock)


def build_network(graph: Graph, folder: Path) -> Path:
    """Write the hls4ml project of the whole network and compile its C simulation; see :func:`build_layer`."""
    return _compile(project.write_network(graph, folder), graph, folder)


def build_layers(
    graph: Graph, folder: Path, *, jobs: int, names: Iterable[str] | None = None, stock: bool = False
) -> dict[str, Path]:
    """Build the C simulations of several layers, ``jobs`` compilers at a time.

    Args:
        graph: The network.
        folder: The network's HLS folder.
        jobs: How many compilers may run at a time.
        names: The layers; all of them by default.
        stock: As in :func:`build_layer`.

    Returns:
        The program of every layer, by name.

    Raises:
        QuantUNetError: As :func:`build_layer`.
    """
    wanted = [node.name for node in graph.nodes] if names is None else list(names)
    with processes.Pool(jobs) as pool:
        return dict(
            zip(wanted, pool.map(lambda name: build_layer(graph, name, folder, stock=stock), wanted), strict=True)
        )


def run_layer(graph: Graph, name: str, program: Path, tensors: Mapping[str, Array]) -> Array:
    """Run the C simulation of one layer on one image.

    Args:
        graph: The network.
        name: The layer.
        program: What :func:`build_layer` returned.
        tensors: The layer's input tensors by name, int64 ``(height, width, channels)``; others may be there too.

    Returns:
        The layer's output, int64 ``(height, width, channels)``.

    Raises:
        ToolFailedError: The simulation failed, printed something, or gave another number of values.
        ShapeError: An input has another shape than its tensor.
        WidthError: An input does not fit its type.
    """
    layer = graph.layer(name)
    frames = run(layer, program, [tensors[tensor][None] for tensor in layer.inputs])
    return frames.reshape(frames.shape[1:])


def run(graph: Graph, program: Path, inputs: Sequence[Array]) -> Array:
    """Run a C simulation on several frames, one after the other through the same instance.

    Args:
        graph: The graph that was built: a network or ``graph.layer(name)``.
        program: Its program.
        inputs: For each input of the graph int64 ``(frames, height, width, channels)``.

    Returns:
        int64 ``(frames, height, width, channels)``.

    Raises:
        QuantUNetError: As :func:`run_layer`.
    """
    target = graph.tensor(graph.output)
    frames = len(inputs[0])
    with temporary_folder(Path(tempfile.gettempdir()) / _PROGRAM) as folder:
        files = [folder / f"input{index}" for index in range(len(inputs))]
        output = folder / "output"
        try:
            for file, tensor, values in zip(files, graph.inputs, inputs, strict=True):
                file.write_bytes(_codes(graph.tensor(tensor), frames, values))
        except OSError as error:
            raise StorageError(
                str(folder), expected="space for the simulation's input", got=error.strerror or str(error)
            ) from error
        weights = program.parents[2] / "firmware" / "weights"
        done = processes.run([program, weights, str(frames), *files, output])
        _check(graph.name, done)
        data = output.read_bytes() if output.is_file() else b""
    codes = np.frombuffer(data[: len(data) // 8 * 8], dtype="<i8").astype(np.int64)
    if codes.size != frames * math.prod(target.shape):
        raise ToolFailedError(graph.name, expected=f"{frames * math.prod(target.shape)} values", got=str(codes.size))
    return codes.reshape(frames, *target.shape)


def _codes(tensor: Tensor, frames: int, values: Array) -> bytes:
    if values.shape != (frames, *tensor.shape):
        raise ShapeError(tensor.name, expected=f"frames of shape {tensor.shape}", got=str(values.shape))
    qtype = tensor.qtype
    if values.size and (values.min() < qtype.qmin or values.max() > qtype.qmax):
        raise WidthError(tensor.name, expected=f"values of {qtype}", got=f"{values.min()}..{values.max()}")
    return values.astype("<i8").tobytes()


def _check(where: str, done: processes.Outcome) -> None:
    """Refuse a program that failed or printed anything; hls4ml's kernels are silent when all is well."""
    said = done.output.strip()
    if done.code or said:
        raise ToolFailedError(
            where,
            expected="a C simulation that ends well and prints nothing",
            got=f"exit code {done.code} and {said[-2000:]!r}",
        )


def _compile(folder: Path, graph: Graph, common: Path, *, stock: bool = False) -> Path:
    """Compile a project's C simulation, unless it is there already, and return the program."""
    compiler = cache.key(*_build(stock))[:12]
    key = f"{compiler} {cache.digest(folder)}"
    firmware = folder / "firmware"

    def make(work: Path) -> None:
        source = work / "csim.cpp"
        write_text(source, _MAIN.format(prefix=PREFIX, top=unique_names([graph.name])[0]))
        includes = [firmware, firmware / "ap_types", firmware / "nnet_utils", CPP]
        precompiled = _precompiled_header(includes, common / "precompiled", stock)
        _gpp(graph.name, [precompiled, precompiled / "ap_types", *includes], source, work / _PROGRAM)
        logger.info("compiled the C simulation of %s", graph.name)

    kept = folder / project.CSIM / compiler
    cache.keep(kept, key, make)
    return kept / _PROGRAM


def _build(stock: bool) -> tuple[object, ...]:
    """Return what a program depends on beside its project."""
    return FLAGS, _compiler(), _cpu(), stock


def _precompiled_header(includes: Sequence[Path], common: Path, stock: bool) -> Path:
    """Compile the common headers of a project, once for their content, and return the folder that holds the result."""
    key = cache.key(*_build(stock), [cache.files(folder, "**/*.h") for folder in includes[1:]])

    def make(work: Path) -> None:
        types = work / "ap_types"
        if not stock:
            _write_quick_types(includes[1], types)
        _gpp("the common headers", [types, *includes], CPP / PREFIX, work / f"{PREFIX}.gch", "-x", "c++-header")

    folder = common / key[:12]
    cache.keep(folder, key, make)
    return folder


def _write_quick_types(source: Path, target: Path) -> None:
    """Copy the ap_types without the ``volatile`` of the masking, which has no meaning in a program with one thread."""
    for header in sorted(source.rglob("*.h")):
        text = header.read_text(encoding="utf-8").replace(_VOLATILE, _VOLATILE.removesuffix(" volatile"))
        write_text(target / header.relative_to(source), text)


def _gpp(where: str, includes: Sequence[Path], source: Path, output: Path, *language: str) -> None:
    command = ["g++", *FLAGS, *(f"-I{path}" for path in includes), *language, str(source), "-o", str(output)]
    done = processes.run(command, env={**os.environ, "TMPDIR": str(output.parent)})
    if done.code:
        check_output(output.parent, done.output)
        raise ToolFailedError(where, expected="C++ that compiles", got=f"{done.output[-2000:]!r}")


@functools.cache
def _cpu() -> str:
    """Return what names the CPU's instructions: programs are compiled for the machine that they run on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    return next((line for line in lines if line.lower().startswith(("flags", "features"))), platform.machine())


@functools.cache
def _compiler() -> str:
    """Return the compiler's version line."""
    done = processes.run(["g++", "--version"])
    if done.code or not done.stdout:
        raise ToolMissingError(
            "g++",
            expected="the GNU C++ compiler on PATH",
            got=done.output.strip() or "none",
            hint="Install it, for example with: apt-get install g++",
        )
    return done.output.splitlines()[0]
