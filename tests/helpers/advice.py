"""Follow the advice of an error message: run the command that it gives."""

from __future__ import annotations

import gc
import os
import re
import shutil
import warnings
from pathlib import Path


def follow(message: str, picture: Path, which: int = 0) -> Path:
    """Run a ``python -c`` of a message on a picture, in a folder of its own.

    Args:
        message: The error's text.
        picture: What it is about.
        which: Which of the message's commands, from 0.

    Returns:
        The picture that the command has written, ``out.png``.
    """
    command = re.findall(r'python -c "([^"]*)"', message)[which]
    folder = picture.parent / f"followed_{picture.stem}_{which}"
    folder.mkdir()
    for name in re.findall(r"'(in\.\w+)'", command):
        shutil.copy(picture, folder / name)  # Pillow looks at the content, not at the suffix
    before = Path.cwd()
    os.chdir(folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # a command leaves its files to the end of its process
            exec(command, {})
            gc.collect()
    finally:
        os.chdir(before)
    return folder / "out.png"
