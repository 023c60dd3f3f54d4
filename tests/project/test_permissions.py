"""Nothing that the program writes may be written by others, as long as the user's umask does not allow it."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
import sys
from pathlib import Path

from helpers.project import parse, python_files

OTHERS = stat.S_IWGRP | stat.S_IWOTH


def calls(name: str) -> list[tuple[str, ast.Call]]:
    """Return every call of a function or a method of that name in the package."""
    return [
        (f"{path}:{node.lineno}", node)
        for _, path in python_files()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == name
    ]


def test_no_permission_is_given_away() -> None:
    assert calls("umask") == [] and calls("mktemp") == []
    given = calls("chmod")
    assert given
    for place, call in given:
        mode = ast.literal_eval(call.args[0])
        assert isinstance(mode, int) and not mode & OTHERS, place


def test_what_commands_write_is_not_for_others(tmp_path: Path) -> None:
    program = (
        "import os; os.umask(0o022)\n"
        "from pathlib import Path\n"
        "from quantunet import cache, cli\n"
        "assert cache.keep(Path('kept'), 'key', lambda folder: (folder / 'file').touch())\n"
        "for words in ('pack tiny --out out/tiny.qun', 'mask tiny --area 4 --out out/mask.qun', 'phantom out/p.png',\n"
        "              'infer tiny out/p.png --out out/mask.png', 'bundle tiny --out out/bundle'):\n"
        "    words = words.split()\n"
        "    if words[0] == 'phantom':\n"
        "        words += ['--size', '32']\n"
        "    assert cli.main(words) == 0, words\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = [Path(place, name) for place, folders, files in os.walk(tmp_path) for name in (*folders, *files)]
    assert len(found) > 20
    assert [str(path) for path in found if path.lstat().st_mode & OTHERS] == []
