"""The headers of the SystemVerilog library, and the index of its modules that is made from them.

``python -m quantunet.hls.generate.rtl_index`` writes ``README.md`` beside the modules.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from quantunet.errors import FileFormatError, StorageError
from quantunet.hls.generate.device_package import PATH, device_package
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.ops import OPS
from quantunet.storage import write_text

"""The SystemVerilog library."""

_SPDX = "// SPDX-License-Identifier: Apache-2.0"
_PARAMETER = re.compile(r"^    parameter (.+?) (\w+) += (.+?),?$")
_MEANING = re.compile(r"^    /// (.+) \[(.+)\]$")
_NAME = re.compile(r"\bqun_\w+")
_FACTS = ("Latency", "Throughput", "Lanes")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a module.

    Attributes:
        name: For example ``Depth``.
        type: Its SystemVerilog type.
        default: Its default, as it is written.
        meaning: What it says.
        range: Its legal values, in words.
    """

    name: str
    type: str
    default: str
    meaning: str
    range: str


@dataclass(frozen=True)
class Module:
    """A module or package of the library.

    Attributes:
        name: Its name, and the stem of its file.
        summary: What it is, in one sentence.
        latency: In cycles, or what it depends on.
        throughput: At full speed.
        lanes: The order of lanes.
        parameters: In the order of the file.
        uses: The modules and packages of the library that it names.
    """

    name: str
    summary: str
    latency: str
    throughput: str
    lanes: str
    parameters: tuple[Parameter, ...]
    uses: tuple[str, ...]


def read_module(path: Path) -> Module:
    """Read the header and the parameters of a file of the library.

    Raises:
        FileFormatError: The licence, the summary, a fact or the comment of a parameter is missing.
        StorageError: The file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(str(path), expected="a source file", got=error.strerror or str(error)) from error
    lines = text.splitlines()
    header = [line.removeprefix("//").strip() for line in lines[2 : _end_of_header(lines)]]
    if lines[:2] != [_SPDX, "//"] or len(header) < 2 or not header[0] or header[1]:
        raise _malformed(path, f"the line {_SPDX!r}, then a line with a summary, each with an empty one after it")
    facts = {fact: _fact(path, header, fact) for fact in _FACTS}
    code = "\n".join(line for line in lines if not line.lstrip().startswith("//"))
    uses = sorted(set(_NAME.findall(code)) - {path.stem, "qun_assert"})
    return Module(
        path.stem,
        header[0],
        facts["Latency"],
        facts["Throughput"],
        facts["Lanes"],
        _parameters(path, lines),
        tuple(uses),
    )


def read_library(folder: Path = RTL_FOLDER) -> tuple[Module, ...]:
    """Read every module of the library, in the order of their names.

    Raises:
        FileFormatError: As :func:`read_module`.
        StorageError: A file cannot be read.
    """
    return tuple(read_module(path) for path in sorted(folder.glob("*.sv")))


def _end_of_header(lines: list[str]) -> int:
    return next((index for index, line in enumerate(lines) if not line.startswith("//")), len(lines))


def _fact(path: Path, header: list[str], fact: str) -> str:
    found = [line.removeprefix(f"{fact}: ") for line in header if line.startswith(f"{fact}: ")]
    if len(found) != 1:
        raise _malformed(path, f"one line '// {fact}: ...' in the header")
    return found[0]


def _parameters(path: Path, lines: list[str]) -> tuple[Parameter, ...]:
    parameters = []
    for above, line in zip(lines, lines[1:], strict=False):
        found = _PARAMETER.match(line)
        if found is None:
            continue
        meaning = _MEANING.match(above)
        if meaning is None:
            raise _malformed(path, f"a line '/// meaning [range]' above parameter {found[2]}")
        parameters.append(Parameter(found[2], found[1], found[3], meaning[1], meaning[2]))
    return tuple(parameters)


def _malformed(path: Path, expected: str) -> FileFormatError:
    return FileFormatError(str(path), expected=expected, got="none")


def index(modules: tuple[Module, ...]) -> str:
    """Return the index of the library as Markdown."""
    users = {module.name: [other.name for other in modules if module.name in other.uses] for module in modules}
    text = [
        "# The SystemVerilog library",
        "",
        "This page is made from the headers of the files by `python -m quantunet.hls.generate.rtl_index`; edit those.",
        "[Streams](../../docs/streams.md) says what signals, beats, resets and assertions have in common.",
        "",
        "| module | is | latency | throughput | used by |",
        "|---|---|---|---|---|",
    ]
    placed = {f"qun_{stem}" for op in OPS for stem in op.modules}
    for module in modules:
        found = [f"`{name}`" for name in users[module.name]]
        user = ", ".join(found if found and module.name not in placed else [*found, "generated designs"])
        cells = (f"[`{module.name}`]({module.name}.sv)", module.summary, module.latency, module.throughput, user)
        text.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    for module in modules:
        text += ["", f"## {module.name}", "", f"{module.summary} Lanes: {module.lanes}"]
        if module.parameters:
            text += ["", "| parameter | type | default | meaning | range |", "|---|---|---|---|---|"]
        for each in module.parameters:
            cells = (f"`{each.name}`", f"`{each.type}`", f"`{each.default}`", each.meaning, each.range)
            text.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return "\n".join(text) + "\n"


def _cell(text: str) -> str:
    """Return a text as a cell of a table; stars outside code would be emphasis."""
    return text if text.startswith("`") else re.sub(r"(?<!`)\*(?!`)", r"\\*", text).replace("|", "\\|")


if __name__ == "__main__":
    write_text(PATH, device_package())
    write_text(RTL_FOLDER / "README.md", index(read_library()))
    sys.exit(0)
