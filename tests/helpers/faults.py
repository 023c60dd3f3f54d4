"""A copy of the SystemVerilog library with one deliberate fault, to prove that the benches find it."""

from __future__ import annotations

from pathlib import Path

from quantunet.hls.rtl_project import RTL_FOLDER


def library_with(folder: Path, file: str, right: str, wrong: str) -> Path:
    """Copy the library and replace one piece of its text.

    Args:
        folder: The copy, made here.
        file: Name of the file to damage.
        right: Text that stands in it exactly once.
        wrong: What to write instead.
    """
    folder.mkdir()
    for source in RTL_FOLDER.glob("*.sv*"):
        text = source.read_text(encoding="utf-8")
        if source.name == file:
            assert text.count(right) == 1, f"{file} holds {right!r} {text.count(right)} times"
            text = text.replace(right, wrong)
        (folder / source.name).write_text(text, encoding="utf-8")
    return folder
