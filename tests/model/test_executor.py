"""The functions of a sweep on a Dask cluster that answers nobody without a certificate."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from operator import mul
from pathlib import Path

import pytest
from helpers.project import ROOT

SECONDS = 240


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


def variables() -> dict[str, str]:
    """Return what SECURITY.md tells to export."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"(DASK_DISTRIBUTED__COMM__[A-Z_]+)=(\S+)", text))
    assert len(found) == 8
    return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A scheduler and a worker in a folder with the certificates."""
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, dask = f"tls://127.0.0.1:{port}", [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--protocol", "tls", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = [*dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"]
    started = []
    try:
        for command in (scheduler, worker):
            environment = {**os.environ, **variables()}
            started.append(subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL))
        yield address, folder
    finally:
        for process in started:
            process.kill()
            process.wait()


def products(
    address: str, folder: Path, environment: dict[str, str], seconds: int = 20
) -> subprocess.CompletedProcess[str]:
    """Let the executor of a sweep multiply on the cluster, in a process of its own."""
    program = (
        "from operator import mul\n"
        "from quantunet.model import executor\n"
        f"executor._CONNECT_SECONDS = {seconds}\n"
        f"with executor.executor(1, {address!r}) as (pool, count):\n"
        "    print(count, list(pool.map(mul, range(5), range(5))))\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=SECONDS
    )


def test_a_sweep_reaches_a_cluster_with_its_certificate_alone(cluster: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = cluster
    done = products(address, folder, variables(), seconds=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == f"1 {[mul(one, one) for one in range(5)]}"
    without = products(address, folder, {})
    assert without.returncode != 0 and "1 [" not in without.stdout
    plain = products(address.replace("tls:", "tcp:"), folder, variables())
    assert plain.returncode != 0 and "1 [" not in plain.stdout
    certificate(tmp_path)
    stranger = products(address, tmp_path, variables())
    assert stranger.returncode != 0 and "1 [" not in stranger.stdout
