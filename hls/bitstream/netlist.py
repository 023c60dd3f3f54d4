"""The synthesis of a whole network with its top, as one flat netlist for place and route."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantunet import cache
from quantunet.errors import FileFormatError
from quantunet.hls.bitstream.top import Top
from quantunet.hls.design import Fold
from quantunet.hls.generate.rtl_project import RtlProject
from quantunet.hls.synth import yosys
from quantunet.hls.synth.families import Usage
from quantunet.hls.synth.yosys import Job

NETLIST = "netlist.json"
"""The netlist in the step's folder; Yosys' output stands beside the folder."""

_RESULT = "result.json"
_FORMAT = "quantunet-netlist-1"


@dataclass(frozen=True)
class Netlist:
    """A mapped netlist on disk.

    Attributes:
        folder: The step's folder.
        file: The netlist, as Yosys' ``write_json`` makes it.
        key: Of everything that it depends on.
        usage: What Yosys says that it takes.
        seconds: Time that the synthesis took.
        memory_mib: Memory that it took.
        cached: Whether it was there already.
        family: Device family.
    """

    folder: Path
    file: Path
    key: str
    usage: Usage
    seconds: float
    memory_mib: int
    cached: bool
    family: str = "ecp5"


def job(project: RtlProject, folding: Mapping[str, Fold], top: Top, family: str) -> Job:
    """Return the synthesis of a network with its top: each layer's multiplications are made as its own style says.

    Args:
        project: The network's project.
        folding: The fold of every layer.
        top: What stands around it.
        family: Device family.
    """
    own = {path.name for path in project.sources}
    above = [path for path in top.sources[:-1] if path.name not in own]
    hard = tuple(f"{top.network}.u_{name}" for name, fold in folding.items() if fold.style == "folded-dsp")
    return Job(
        name=project.top,
        top=top.name,
        sources=(*top.declarations, *above, *project.sources, top.sources[-1]),
        folder=project.folder,
        memories=project.memories,
        family=family,
        dsp=bool(hard),
        hard=hard,
        pads=True,
    )


def key(design: Job) -> str:
    """Return the key of everything that a netlist depends on.

    Raises:
        StorageError: A source or memory file cannot be read.
    """
    return cache.key(_FORMAT, yosys.key(design))


def synthesise(design: Job, folder: Path, *, time_limit: float) -> Netlist:
    """Synthesise a whole design, unless its netlist is there already.

    Args:
        design: What :func:`job` returned.
        folder: The step's folder; replaced as a whole.
        time_limit: Seconds that it may take.

    Raises:
        ToolMissingError: Yosys is not installed.
        ToolFailedError: Yosys failed or took too long.
        StorageError: A file cannot be read or written.
    """
    identity = key(design)

    def make(fresh: Path) -> None:
        found = yosys.with_netlist(design, fresh, fresh / NETLIST, log_beside(folder), time_limit)
        result = {"usage": dataclasses.asdict(found.usage), "seconds": found.seconds, "memory_mib": found.memory_mib}
        (fresh / _RESULT).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")

    made = cache.keep(folder, identity, make)
    result = read_result(folder / _RESULT)
    return Netlist(
        folder=folder,
        file=folder / NETLIST,
        key=identity,
        usage=Usage(**result["usage"]),
        seconds=float(result["seconds"]),
        memory_mib=int(result["memory_mib"]),
        cached=not made,
        family=design.family,
    )


def log_beside(folder: Path) -> Path:
    """Return the file beside a step's folder for what its tool has printed: a folder that is not made has no place."""
    return folder.with_name(f"{folder.name}.log")


def read_result(path: Path) -> dict[str, Any]:
    """Return what a step wrote of itself.

    Raises:
        FileFormatError: It cannot be read.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileFormatError(str(path), expected="the result of a step", got=str(error)) from error
    if not isinstance(document, dict):
        raise FileFormatError(str(path), expected="the result of a step", got=type(document).__name__)
    return document
