"""A co-simulation that is killed or asked to end leaves nothing that runs, and the next one is as if nothing was."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from quantunet import packed
from quantunet.random_network import random_unet

LAYER = "skip0_requant"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.qun"
    packed.write(random_unet(base=2, depth=1, size=16, seed=2, name="small"), path)
    return path


def started(model: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start a co-simulation whose temporary files and caches are all beside the model."""
    folder = model.parent
    (folder / "tmp").mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "quantunet", "cosim", "--model", str(model), "--build", str(folder / "build")]
    return subprocess.Popen(
        [*command, "--layers", LAYER, *options],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def programs(process: subprocess.Popen[bytes], folder: Path, name: str, seconds: float = 60) -> list[psutil.Process]:
    """Wait for a program that works for a temporary folder or on a build, and return all that the process started."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            found = psutil.Process(process.pid).children(recursive=True)
            if any(child.name() == name for child in found) and (name == "sim" or hidden(folder)):
                return found
        time.sleep(0.02)
    pytest.fail(f"no {name} was seen, exit code {process.poll()}")


def alive(found: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in found if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def hidden(folder: Path) -> list[Path]:
    return [*folder.rglob(".*"), *(folder / "tmp").iterdir()]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_compiler_goes_on(number: int, model: Path) -> None:
    with started(model) as process:
        found = programs(process, model.parent, "cc1plus")
        assert len(found) > 2
        process.send_signal(number)
        _, errors = process.communicate()
    psutil.wait_procs(found, timeout=3)
    assert alive(found) == []
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
        assert hidden(model.parent), "a killed process removes nothing: the next one does"
        return
    said = "interrupted" if number == signal.SIGINT else "ended by SIGTERM"
    assert (process.returncode, errors.decode()) == (128 + number, f"quantunet cosim: {said}\n")
    assert not list(model.parent.rglob("sim")), "it waited for the compilers' own end"
    assert hidden(model.parent) == []


@pytest.mark.slow
def test_a_killed_run_is_taken_up_by_the_next(model: Path) -> None:
    for name in ("cc1plus", "verilator_bin", "sim"):
        with started(model) as process:
            found = programs(process, model.parent, name)
            process.kill()
        psutil.wait_procs(found, timeout=3)
        assert alive(found) == []
    with started(model) as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    report = json.loads((model.parent / "build" / "small" / "cosim" / "report.json").read_text(encoding="utf-8"))
    (layer,) = report["layers"]
    assert report["passed"] and layer["values_compared"] == 16 * 16 * 2
    assert hidden(model.parent) == []
