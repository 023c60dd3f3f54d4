"""The functions of a sweep on a Dask cluster that answers nobody without a certificate."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from operator import mul
from pathlib import Path

import pytest
from helpers.dask_cluster import DaskCluster, certificate, dask_cluster, variables

SECONDS = 240


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("tls"), workers=1) as running:
        yield running


def products(address: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Let the executor of a sweep multiply on the cluster, in a process of its own."""
    program = (
        "from operator import mul\n"
        "from pathlib import Path\n"
        "from quantunet import cluster\n"
        "from quantunet.model import executor\n"
        "cluster.CONNECT_SECONDS = 60\n"
        f"with executor.executor(1, {address!r}, Path({str(folder)!r})) as (pool, count, check):\n"
        "    print(count, list(pool.map(mul, range(5), range(5))))\n"
        "    check()\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=SECONDS
    )


def test_a_sweep_reaches_a_cluster_with_its_certificate_alone(cluster: DaskCluster, tmp_path: Path) -> None:
    own = variables(cluster.folder)
    done = products(cluster.address, cluster.folder, own)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == f"1 {[mul(one, one) for one in range(5)]}"
    without = products(cluster.address, cluster.folder, {})
    assert without.returncode != 0 and "1 [" not in without.stdout
    assert "that takes the certificate of this command" in without.stderr
    plain = products(cluster.address.replace("tls:", "tcp:"), cluster.folder, own)
    assert plain.returncode != 0 and "1 [" not in plain.stdout
    certificate(tmp_path)
    stranger = products(cluster.address, tmp_path, variables(tmp_path))
    assert stranger.returncode != 0 and "1 [" not in stranger.stdout
    assert "ClusterError" in stranger.stderr
