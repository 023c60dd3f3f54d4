"""Faults put into copies of the hardware, to see that a check finds them."""

from __future__ import annotations

import shutil
from pathlib import Path

from quantunet.hls.rtl_project import RTL_FOLDER


def broken_library(folder: Path, file: str, text: str, replacement: str) -> Path:
    """Copy the SystemVerilog library with one place changed.

    Args:
        folder: Where to copy to.
        file: The file to change.
        text: What stands there, exactly once.
        replacement: What shall stand there.

    Returns:
        The folder of the copy.
    """
    shutil.copytree(RTL_FOLDER, folder)
    path = folder / file
    source = path.read_text(encoding="utf-8")
    assert source.count(text) == 1, f"{file} no longer holds {text!r} exactly once: choose another fault"
    path.write_text(source.replace(text, replacement), encoding="utf-8")
    return folder


def flip_nibble(path: Path, line: int = 0, digit: int = 0) -> None:
    """Flip the bits of one hexadecimal digit of a memory file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    flipped = f"{int(lines[line][digit], 16) ^ 0xF:x}"
    lines[line] = lines[line][:digit] + flipped + lines[line][digit + 1 :]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
