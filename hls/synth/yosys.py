"""Synthesis with Yosys: one process a design, several at a time, results kept by content."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from quantunet import cache
from quantunet.errors import StorageError, ToolFailedError, ToolMissingError
from quantunet.hls.synth.families import FAMILIES, SHARED, Usage
from quantunet.hls.synth.passes import mapping
from quantunet.processes import Pool, run
from quantunet.storage import temporary_folder

logger = logging.getLogger(__name__)

TIME_LIMIT = 900.0
"""Seconds that one design may take, unless the caller says otherwise."""

_FORMAT = "quantunet-synthesis-4"
_LOG_LINES = 15
_MAPPED = re.compile(r"^(?:mapping memory (\S+) via (\S+)|using (FF|soft LUT) mapping for memory (\S+))", re.MULTILINE)
_PROBLEMS = re.compile(r"^Warning: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """A design to synthesise.

    Attributes:
        name: The layer's name, for messages.
        top: The top module.
        sources: SystemVerilog files, each after the files that it needs.
        folder: The working directory: memory files are found here by name.
        memories: Those memory files.
        parameters: Values for parameters of the top module.
        family: Device family, a key of :data:`~quantunet.hls.synth.families.FAMILIES`.
        dsp: Whether multiplications may use hard multipliers.
        hard: In a design that mixes styles, the instances whose multiplications go to hard multipliers, by their path
            under the top module; all others go to LUTs. Empty where ``dsp`` speaks for all of them.
        pads: Whether the top module's ports are pins of the device, each behind a buffer of its own where the family's
            place and route asks for one.
    """

    name: str
    top: str
    sources: tuple[Path, ...]
    folder: Path
    memories: tuple[Path, ...] = ()
    parameters: tuple[tuple[str, int], ...] = ()
    family: str = "ecp5"
    dsp: bool = False
    hard: tuple[str, ...] = ()
    pads: bool = False


@dataclass(frozen=True)
class MappedMemory:
    """What became of one memory of a design.

    Attributes:
        name: Hierarchical name.
        width: Bits of a word.
        depth: Words.
        writes: Write ports; 0 for a table of constants.
        kind: ``block``, ``distributed`` or ``logic`` (flip-flops, or LUTs for constants).
    """

    name: str
    width: int
    depth: int
    writes: int
    kind: str

    @property
    def bits(self) -> int:
        """Bits in all."""
        return self.width * self.depth


@dataclass(frozen=True)
class Synthesis:
    """What came out of one synthesis.

    Attributes:
        usage: What the design takes.
        cells: Count of every primitive.
        levels: Logic depth: LUTs, carry chains and multipliers in series between registers.
        start: The net at which the longest path begins.
        end: The net at which it ends.
        memories: Every memory and what became of it.
        warnings: Yosys' warnings, each once.
        seconds: Time that the synthesis took.
        memory_mib: Memory that it took.
        cached: Whether the result was there already.
    """

    usage: Usage
    cells: Mapping[str, int]
    levels: int
    start: str
    end: str
    memories: tuple[MappedMemory, ...]
    warnings: tuple[str, ...]
    seconds: float
    memory_mib: int
    cached: bool = field(default=False, compare=False)


def version() -> str:
    """Return the version of the Yosys that is installed.

    Raises:
        ToolMissingError: There is none.
    """
    if importlib.util.find_spec("pyosys") is None:
        raise ToolMissingError(
            "Yosys",
            expected="the Python package pyosys",
            got="none",
            hint="Install it: pip install 'quantunet[synth]'.",
        )
    return importlib.metadata.version("pyosys")


def key(job: Job) -> str:
    """Return the name under which a job's result is kept: a hash of everything that the result depends on.

    Raises:
        StorageError: A source or memory file cannot be read.
    """
    passes = FAMILIES[job.family].passes(job.top, dsp=job.dsp, mixed=bool(job.hard))
    named = [(path.name, path) for path in (*job.sources, *sorted(job.memories))]
    parts: tuple[object, ...] = (_FORMAT, version(), mapping.version(), passes, job.top, sorted(job.parameters))
    parts += (job.hard, named, *FAMILIES[job.family].pads) if job.pads else (job.hard, named)
    return cache.key(*parts)[:32]


def synthesise(
    jobs: Sequence[Job],
    folder: Path,
    *,
    processes: int = 1,
    time_limit: float = TIME_LIMIT,
    started: Callable[[Job], None] = lambda job: None,
    finished: Callable[[Job, Synthesis], None] = lambda job, result: None,
) -> list[Synthesis]:
    """Synthesise designs, several at a time; the first that fails stops the others.

    Args:
        jobs: The designs, the ones that take longest first.
        folder: Holds the results by content; a result that is there is not made again.
        processes: How many run at a time.
        time_limit: Seconds that one may take.
        started: Called in the caller's thread when a design's turn has come.
        finished: Called in the caller's thread with each result.

    Returns:
        The results, in the order of ``jobs``.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: Yosys failed or took too long; names the layer and holds the end of the log.
        StorageError: A file cannot be read or written.
    """
    alike: dict[str, list[int]] = {}
    for index, job in enumerate(jobs):
        alike.setdefault(key(job), []).append(index)
    results: dict[int, Synthesis] = {}
    pending: dict[Future[Synthesis], str] = {}
    waiting = iter(alike)
    with Pool(processes) as pool:
        while len(results) < len(jobs):
            while len(pending) < processes and (identity := next(waiting, None)) is not None:
                job = jobs[alike[identity][0]]
                started(job)
                pending[pool.submit(_one, job, identity, folder, time_limit)] = identity
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                first, *others = alike[pending.pop(future)]
                results[first] = future.result()
                finished(jobs[first], results[first])
                for index in others:
                    started(jobs[index])
                    results[index] = dataclasses.replace(results[first], cached=True)
                    finished(jobs[index], results[index])
    return [results[index] for index in range(len(jobs))]


def _one(job: Job, identity: str, folder: Path, time_limit: float) -> Synthesis:
    result_file, log_file = folder / f"{identity}.json", folder / f"{identity}.log"
    kept = cache.read_json(result_file, identity)
    if kept is not None:
        return dataclasses.replace(_result(job, kept), cached=True)
    raw = _run(job, folder, log_file, time_limit)
    result = _result(job, raw)
    cache.write_json(result_file, identity, raw)
    return result


def with_netlist(job: Job, folder: Path, netlist: Path, log_file: Path, time_limit: float = TIME_LIMIT) -> Synthesis:
    """Synthesise one design for place and route; nothing is kept but what the arguments name.

    Args:
        job: The design.
        folder: For temporary files.
        netlist: The file for the mapped netlist, as Yosys' ``write_json`` makes it; in a folder that exists.
        log_file: The file for Yosys' output.
        time_limit: Seconds that it may take.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: Yosys failed or took too long; holds the end of the log.
        StorageError: A file cannot be read or written.
    """
    version()
    return _result(job, _run(job, folder, log_file, time_limit, netlist))


def _run(job: Job, folder: Path, log_file: Path, time_limit: float, netlist: Path | None = None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": job.name,
        "top": job.top,
        "sources": [os.path.relpath(path, job.folder) for path in job.sources],
        "parameters": dict(job.parameters),
        "family": job.family,
        "dsp": job.dsp,
        "hard": job.hard,
        "pads": job.pads,
    }
    begin = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_folder(log_file) as folder:
            scratch = folder.resolve()
            job_file, raw_file, new_log = scratch / "job.json", scratch / "result.json", scratch / "yosys.log"
            document["netlist"] = str((netlist or scratch / "netlist.json").absolute())
            job_file.write_text(json.dumps(document, indent=1), encoding="utf-8")
            command = [sys.executable, "-m", "quantunet.hls.synth.worker", str(job_file), str(raw_file)]
            environment = {**os.environ, "TMPDIR": str(scratch)}  # for ABC's files
            with new_log.open("wb") as log:
                code = _exit_code(command, job.folder, environment, log, time_limit)
            new_log.replace(log_file)
            raw: dict[str, Any] = json.loads(raw_file.read_text(encoding="utf-8")) if raw_file.is_file() else {}
    except OSError as error:
        raise StorageError(
            str(folder), expected="a folder that can be written", got=error.strerror or str(error)
        ) from error
    seconds = time.monotonic() - begin
    log_text = log_file.read_text(encoding="utf-8", errors="replace")
    if code is None:
        raise ToolFailedError(
            job.name,
            expected=f"a synthesis within {time_limit:g} s",
            got="none",
            hint=f"Give it more time with --time-limit, or fold the layer more. Log: {log_file}",
        )
    if code or not raw:
        raise ToolFailedError(
            job.name,
            expected="a synthesis without errors",
            got=f"exit code {code}:\n{_end_of(log_text)}",
            hint=f"Log: {log_file}",
        )
    raw["seconds"] = round(seconds, 1)
    raw["kinds"] = _memory_kinds(log_text, job.top)
    raw["warnings"] = sorted({match[1] for match in _PROBLEMS.finditer(log_text)})
    return raw


def _exit_code(
    command: list[str], folder: Path, environment: Mapping[str, str], log: BinaryIO, time_limit: float
) -> int | None:
    """Run a command and return its exit code; ``None`` after the time limit."""
    try:
        return run(command, cwd=folder, env=environment, log=log, timeout=time_limit).code
    except subprocess.TimeoutExpired:
        return None


def _end_of(log: str) -> str:
    """Return the lines of a log from its first error on, or its last lines."""
    lines = [line for line in log.splitlines() if line.strip()]
    errors = [index for index, line in enumerate(lines) if re.search(r"\berror:", line, re.IGNORECASE)]
    first = errors[0] if errors else len(lines) - _LOG_LINES
    return "\n".join(lines[max(first, 0) :][:_LOG_LINES])


def _memory_kinds(log: str, top: str) -> dict[str, str]:
    kinds = {}
    for match in _MAPPED.finditer(log):
        name = (match[1] or match[4]).removeprefix(f"{top}.").partition(SHARED)[0]
        library = match[2] or ""
        is_distributed = any(word in library for word in ("DPR16X4", "LUTRAM", "DISTRIBUTED"))
        kinds[name] = "logic" if not library else "distributed" if is_distributed else "block"
    return kinds


def _result(job: Job, raw: Mapping[str, Any]) -> Synthesis:
    memories = tuple(
        MappedMemory(m["name"], m["width"], m["depth"], m["writes"], raw["kinds"].get(m["name"], "logic"))
        for m in raw["memories"]
    )
    usage = FAMILIES[job.family].usage(raw["cells"], raw["carry_feeds"], job.name)
    if usage.lut + usage.ff == 0:
        raise ToolFailedError(
            job.name,
            expected="a netlist with LUTs or flip-flops",
            got="an empty one",
            hint="Everything was optimised away; are the outputs connected?",
        )
    return Synthesis(
        usage=usage,
        cells=raw["cells"],
        levels=raw["levels"],
        start=raw["start"],
        end=raw["end"],
        memories=memories,
        warnings=tuple(raw["warnings"]),
        seconds=raw["seconds"],
        memory_mib=raw["memory_mib"],
    )
