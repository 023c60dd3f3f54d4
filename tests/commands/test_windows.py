"""`infer`, `predict` and `evaluate` where Python has none of what only POSIX systems have, as on Windows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest
from helpers.project import imported_names, parse, python_files
from PIL import Image

from quantunet import api
from quantunet.commands import _predict_results
from quantunet.errors import StorageError

MODULES = ("fcntl", "resource", "pwd", "grp", "termios")
"""What the standard library has on POSIX systems alone, and what a command might have used."""

MISSING = {
    "os": (
        "fork",
        "forkpty",
        "getuid",
        "geteuid",
        "killpg",
        "setsid",
        "sched_getaffinity",
        "O_DIRECTORY",
        "O_NOFOLLOW",
    ),
    "signal": ("SIGHUP", "SIGKILL", "SIGURG", "SIGPIPE", "SIGALRM", "pthread_kill", "pthread_sigmask"),
    "select": ("poll", "epoll"),
}
"""What modules that are there everywhere have on POSIX systems alone."""

PROGRAM = f"""
import importlib, sys, warnings
for name in {MODULES!r}:
    sys.modules[name] = None
for module, names in {MISSING!r}.items():
    module = importlib.import_module(module)
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
# The encoding that a file has on Windows where none is named is not UTF-8.
warnings.filterwarnings("error", category=EncodingWarning, module="quantunet")
warnings.filterwarnings("ignore", "flock not supported", UserWarning)
from quantunet.cli import main
code = main(sys.argv[1:])
assert not {{"fcntl"}} & {{name for name, module in sys.modules.items() if module is not None}}
sys.exit(code)
"""


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a Python without these names."""
    command = [sys.executable, "-X", "warn_default_encoding", "-W", "ignore", "-c", PROGRAM, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of the network's size."""
    path = tmp_path_factory.mktemp("pictures") / "one.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (32, 32), np.uint8)).save(path)
    return path


def test_infer(picture: Path, tmp_path: Path) -> None:
    done = run("infer", "tiny", picture, "--out", tmp_path / "mask.png")
    assert done.returncode == 0, done.stderr
    mask = np.asarray(Image.open(tmp_path / "mask.png")) > 0
    assert mask.size == 32 * 32
    assert np.array_equal(mask, api.infer("tiny", picture).mask)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mask.png", "mask_overlay.png"]


def test_predict_and_predict_again(picture: Path, tmp_path: Path) -> None:
    kept = []
    for _ in range(2):
        done = run("predict", "tiny", picture.parent, "--out", tmp_path)
        assert done.returncode == 0, done.stderr
        kept.append(json.loads((tmp_path / "report.json").read_text(encoding="utf-8")))
    assert [(each["files"], each["kept"]) for each in kept] == [(1, 0), (1, 1)]
    (mask,) = (tmp_path / "masks").iterdir()
    assert np.array_equal(np.asarray(Image.open(mask)) > 0, api.infer("tiny", picture).mask)


def test_evaluate(tmp_path: Path) -> None:
    words = ("evaluate", "tiny", "--data", "phantoms", "--phantoms", "20", "--part", "all", "--out", tmp_path)
    done = run(*words)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert found["data"] is not None


def test_no_module_of_posix_is_imported_where_no_program_is_run() -> None:
    looked = 0
    for module, path in python_files():
        if module.startswith(("quantunet.hls", "quantunet.rtl_sim")):
            continue  # they run programs, as g++ and Verilator, and are for POSIX systems
        names = {name.split(".")[0] for _, name in imported_names(parse(path))}
        looked += len(names)
        assert not names & set(MODULES), path
    assert looked > 500


@pytest.mark.parametrize(
    "key",
    ["masks\\..\\..\\x.png", "masks/..\\x.png", "C:\\masks\\x.png", "C:masks/x.png", "\\\\host\\share\\x.png", ""],
)
def test_a_record_leads_out_of_its_folder_by_no_spelling_of_windows(key: str, tmp_path: Path) -> None:
    name = PurePosixPath("one")
    for outputs, taken in (({"masks/one.png": "0"}, True), ({"masks\\one.png": "0"}, True), ({key: "0"}, False)):
        _predict_results.write_record(tmp_path, name, _predict_results.Record("a", "b", outputs, ()))
        assert (_predict_results.read_record(tmp_path, name) is not None) is taken


@pytest.mark.parametrize("text", ["C:\\pictures\\set.npz:3", "\\\\host\\share\\set.npz:12", "D:set.npz:0"])
def test_the_colon_of_a_drive_is_not_that_of_an_index(text: str) -> None:
    """Of both ways to name a picture in an .npz file, the file is found whole: it is named in the message."""
    file = text.rpartition(":")[0]
    assert PureWindowsPath(file).name.endswith("set.npz")
    with pytest.raises(StorageError) as caught:
        api.infer("tiny", text)
    assert caught.value.where == file
