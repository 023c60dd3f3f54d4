"""A Dask scheduler and workers on this machine that answer nobody without a certificate, as SECURITY.md shows."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.project import ROOT


def certificate(folder: Path) -> None:
    """Make an authority and one certificate of it, as a user would."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on PATH, which makes the certificates of this test")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    make = [openssl, "req", "-x509", *curve]
    own = ["-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=127.0.0.1", "-keyout", "me.key", "-out", "me.pem"]
    for command in ([*make, "-subj", "/CN=own authority", "-keyout", "ca.key", "-out", "ca.pem"], [*make, *own]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def variables(folder: Path) -> dict[str, str]:
    """Return what SECURITY.md tells to export, with the files of a folder."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"(DASK_DISTRIBUTED__COMM__[A-Z_]+)=(\S+)", text))
    assert len(found) == 8
    return {name: str(folder / value) if value.endswith((".pem", ".key")) else value for name, value in found.items()}


def settings(folder: Path) -> dict[str, str]:
    """Return the same as Dask's own names of settings, for this process."""
    return {
        name.removeprefix("DASK_").lower().replace("__", ".").replace("_", "-"): value
        for name, value in variables(folder).items()
    }


@dataclass
class DaskCluster:
    """A scheduler and its workers.

    Attributes:
        folder: Holds the certificates.
        address: Of the scheduler.
        scheduler: Its process.
        workers: Theirs.
    """

    folder: Path
    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def dask_cluster(folder: Path, workers: int = 2) -> Iterator[DaskCluster]:
    """Run a scheduler and workers of one thread each, with certificates that are made in a folder."""
    certificate(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, dask = f"tls://127.0.0.1:{port}", [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--protocol", "tls", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = [*dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"]
    environment = {**os.environ, **variables(folder), "PYTHONPATH": str(ROOT / "tests")}
    started: list[subprocess.Popen[bytes]] = []
    try:
        for number, command in enumerate([scheduler, *[worker] * workers]):
            with (folder / f"log{number}").open("wb") as log:
                started.append(subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log))
        wait_for_listener(port)
        yield DaskCluster(folder, address, started[0], started[1:])
    finally:
        for process in started:
            process.kill()
            process.wait()


def wait_for_listener(port: int, seconds: float = 120) -> None:
    """Wait until a port of this machine is listened to."""
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until, "the scheduler does not start"
            time.sleep(0.1)
        else:
            return
