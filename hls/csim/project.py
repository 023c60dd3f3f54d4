"""hls4ml projects: complete Vitis HLS folders, one for a layer and one for the network.

A project is written once for its content: the graph, hls4ml's version and this room's own sources. A folder that holds
just this is left as it is. One with another content, or with a file that was damaged or edited, is replaced as a whole.
"""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import threading
from pathlib import Path

from quantunet import cache
from quantunet.hls.csim.target import CLOCK_NS, PART
from quantunet.ir import Graph

logger = logging.getLogger(__name__)

"""The device and the clock period that a project names when no board is chosen."""

CSIM = "csim"
"""Where the C simulation of a project is kept, in its folder."""

_OPTIONS = "build_opt.tcl"  # says which steps of Vitis run; a synthesis writes it

_HLS4ML = threading.Lock()
"""hls4ml is not safe in threads."""


def layer_folder(folder: Path, name: str) -> Path:
    """Return where the project of a layer stands under a network's HLS folder."""
    return folder / "layers" / name


def network_folder(folder: Path) -> Path:
    """Return where the project of the whole network stands under its HLS folder."""
    return folder / "network"


def write_layer(graph: Graph, name: str, folder: Path, *, part: str = PART, clock_ns: float = CLOCK_NS) -> Path:
    """Write the project of one layer and return its folder; see :func:`write`."""
    return write(graph.layer(name), layer_folder(folder, name), part=part, clock_ns=clock_ns)


def write_network(graph: Graph, folder: Path, *, part: str = PART, clock_ns: float = CLOCK_NS) -> Path:
    """Write the project of the whole network and return its folder; see :func:`write`."""
    return write(graph, network_folder(folder), part=part, clock_ns=clock_ns)


def write(graph: Graph, project: Path, *, part: str = PART, clock_ns: float = CLOCK_NS) -> Path:
    """Write a graph as a complete Vitis HLS project, unless the folder already holds just this.

    Args:
        graph: A network, or one layer of it (``graph.layer(name)``).
        project: The project's folder; replaced as a whole.
        part: The device that the project names.
        clock_ns: The clock period in nanoseconds.

    Returns:
        ``project``.

    Raises:
        StorageError: The folder cannot be written.
    """
    key = content_key(graph, part, clock_ns)

    def make(fresh: Path) -> None:
        _write_hls4ml(graph, fresh, project, part, clock_ns)
        logger.info("wrote the hls4ml project %s", project)

    cache.keep(project, key, make, closed=("firmware",), free=(_OPTIONS,))
    return project


def _write_hls4ml(graph: Graph, fresh: Path, project: Path, part: str, clock_ns: float) -> None:
    with _HLS4ML:
        # These imports take a second: not for a project that is current.
        from quantunet.hls.csim.lower.network import model_graph
        from quantunet.hls.csim.lower.weight_text import write_in_bulk

        write_in_bulk(model_graph(graph, fresh, part=part, clock_ns=clock_ns)).write()
    config = fresh / "hls4ml_config.yml"
    config.write_text(config.read_text(encoding="utf-8").replace(str(fresh), str(project)), encoding="utf-8")


def content_key(graph: Graph, *settings: object) -> str:
    """Return the key of a project's content: the graph, the settings, hls4ml's version and this room's sources."""
    return cache.key(graph, settings, _sources_key())


@functools.cache
def _sources_key() -> str:
    sources = cache.files(Path(__file__).resolve().parent, "lower/*.py", "cpp/*.h", "extension.py", "windows.py")
    return cache.key(importlib.metadata.version("hls4ml"), sources)
