"""A folder with a network as an IP and its descriptions for other people's flows: written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from quantunet import storage
from quantunet.errors import StorageError
from quantunet.hls.design import Fold
from quantunet.hls.ip import bench, core, fusesoc, ipxact, litex, verilog, vivado
from quantunet.hls.ip.core import Ip, render
from quantunet.hls.synth import yosys
from quantunet.ir import Graph

README = "README.md"

_MARK = "component.xml"


@dataclass(frozen=True)
class Options:
    """What a package holds, and for what.

    Attributes:
        mhz: The clock in Vivado's script, in MHz.
        part: The part for which Vivado synthesises unless it is told another one.
        verilog: Whether the package holds the form in plain Verilog.
    """

    mhz: float
    part: str
    verilog: bool = False


@dataclass(frozen=True)
class Part:
    """Some files of a package.

    Attributes:
        purpose: What they are, in words.
        files: Their paths in the folder; the one to begin with is the first.
    """

    purpose: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Package:
    """An IP on disk.

    Attributes:
        folder: Where it stands.
        ip: What it is; its paths are relative to the folder.
        parts: All its files.
    """

    folder: Path
    ip: Ip
    parts: tuple[Part, ...]


def check(folder: Path, *, replace: bool) -> None:
    """Refuse a folder that must not be written, before anything is done.

    Args:
        folder: The folder.
        replace: Whether a package that stands there may be replaced.

    Raises:
        StorageError: It is a file, or holds something else than a package that may be replaced.
    """
    expected = "a new or empty folder"
    try:
        found = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(str(folder), expected=expected, got=error.strerror or str(error)) from error
    if found and not (replace and _MARK in found):
        raise StorageError(
            str(folder),
            expected=f"{expected}, or with --force one with a package" if replace else expected,
            got=f"one with {found[0]}" + (f" and {len(found) - 1} more" if len(found) > 1 else ""),
            hint="Name another folder." if replace else "Name another folder; --force replaces a package as a whole.",
        )


def write(
    graph: Graph, folding: Mapping[str, Fold], folder: Path, options: Options, *, replace: bool = False
) -> Package:
    """Write the package of a network.

    Args:
        graph: The network.
        folding: The fold of every layer.
        folder: Where to. It is made, or replaced as a whole, when everything has been written.
        options: What it holds.
        replace: Whether a package that stands there may be replaced.

    Raises:
        ModelError: The network has several inputs.
        FoldingError: The folding does not fit it.
        ToolMissingError: Plain Verilog is asked for, and Yosys is not installed.
        ToolFailedError: Yosys failed.
        StorageError: The folder holds something else, or cannot be written.
    """
    check(folder, replace=replace)
    if options.verilog:
        yosys.version()
    found = bench.vectors(graph)
    with _whole(folder) as fresh:
        ip = core.write(graph, folding, fresh)
        plain = (verilog.write(ip, fresh),) if options.verilog else ()
        texts = {
            "benches": bench.files(ip, found),
            "FuseSoC": fusesoc.files(ip, verilog=options.verilog, part=options.part),
            "Vivado": vivado.files(ip, mhz=options.mhz, part=options.part),
            "IP-XACT": ipxact.files(ip, verilog=options.verilog),
            "LiteX": litex.files(ip),
        }
        guide = render("ip/readme.md.j2", ip, litex_class=litex.class_of(ip), options=options, frames=bench.FRAMES)
        for path, data in {README: guide.encode(), **_merged(texts)}.items():
            storage.write_bytes(fresh / path, data)
    others = [Part(purpose, tuple(files)) for purpose, files in texts.items()]
    parts = (
        Part("what to do next", (README,)),
        Part("SystemVerilog", ("files.f", *ip.sources, *ip.includes)),
        Part("memory files", ip.memories),
        Part("plain Verilog", plain),
        *others,
        Part("what the network is made of", ("design.json", "folding.json")),
    )
    return Package(folder, ip, tuple(part for part in parts if part.files))


def _merged(texts: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    return {path: data for files in texts.values() for path, data in files.items()}


@contextlib.contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of another one when the block ends without an error."""
    try:
        folder = folder.absolute()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with storage.temporary_folder(folder) as temporary:
            fresh = temporary / "new"
            fresh.mkdir()
            yield fresh
            if os.path.lexists(folder):
                folder.rename(temporary / "old")
            fresh.rename(folder)
    except OSError as error:
        raise StorageError(
            str(folder),
            expected="a folder that can be written",
            got=error.strerror or str(error),
            hint="Free some space, check the permissions, or choose another folder.",
        ) from error
