"""Functions on the workers of a Dask cluster: where they run, and what is said when something is lost."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import dask
import psutil
import pytest
from helpers.dask_cluster import DaskCluster, dask_cluster, settings, variables
from helpers.on_workers import pid_after, power, refuse

from quantunet import cluster as module
from quantunet.cluster import Cluster, connect
from quantunet.errors import ClusterError, ImageError

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
"""While a scheduler is away, distributed tries to reach it again and leaves the refused sockets to the collector."""

SECONDS = 20
"""In which a loss is to be told; the code's own times are shorter."""


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[DaskCluster, Cluster]]:
    """A cluster with two workers, and a connection to it."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 60)
    (tmp_path / "tls").mkdir()
    with dask_cluster(tmp_path / "tls") as processes, dask.config.set(settings(processes.folder)):
        with connect(processes.address, tmp_path, ("numpy",)) as cluster:
            until = time.monotonic() + 120
            while len(cluster._client.nthreads()) < 2:
                assert time.monotonic() < until, "a worker does not start"
                time.sleep(0.2)
            cluster.check()
            yield processes, cluster


def told(cluster: Cluster) -> ClusterError:
    """Look until an error says what is lost."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            cluster.check()
        except ClusterError as error:
            return error
        time.sleep(0.2)
    pytest.fail(f"nothing was said for {SECONDS} s")


def test_both_workers_work_and_errors_come_back(running: tuple[DaskCluster, Cluster], tmp_path: Path) -> None:
    processes, cluster = running
    futures = [cluster.submit(pid_after, 1.0) for _ in range(6)]
    assert {future.result() for future in futures} == {worker.pid for worker in processes.workers}
    shared = cluster.share({"two": 2})
    assert cluster.submit(power, 5, shared=shared).result() == 32
    with pytest.raises(ImageError, match="expected a, got b"):
        cluster.submit(refuse).result()

    other = dataclasses.replace(cluster._ticket, tools=(("numpy", "0.1"),))
    cluster._ticket, kept = other, cluster._ticket
    with pytest.raises(ClusterError, match=r"expected numpy 0\.1, got numpy \d"):
        cluster.submit(os.getpid).result()
    cluster._ticket = dataclasses.replace(kept, sources="other")
    with pytest.raises(ClusterError, match="expected the files of quantunet that this command has, got others"):
        cluster.submit(os.getpid).result()
    cluster._ticket = dataclasses.replace(kept, mark=str(tmp_path / "nothing"))
    with pytest.raises(ClusterError, match=f"expected the folder {tmp_path} of the machine that asks"):
        cluster.submit(os.getpid).result()


def test_lost_workers_are_told_and_others_do_their_work(
    running: tuple[DaskCluster, Cluster], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    processes, cluster = running
    monkeypatch.setattr(module, "LONELY_SECONDS", 3)
    futures = [cluster.submit(pid_after, 4.0) for _ in range(2)]
    time.sleep(1)
    first, second = processes.workers
    first.kill()
    began = time.monotonic()
    while "is lost" not in caplog.text:
        cluster.check()
        assert time.monotonic() - began < SECONDS, "nothing was said"
        time.sleep(0.2)
    assert "(1 left)" in caplog.text
    assert [future.result() for future in futures] == [second.pid, second.pid]
    unfinished = cluster.submit(pid_after, 600.0)
    second.kill()
    assert "expected at least one worker, got none, as all were lost" in str(told(cluster))
    assert not unfinished.done()


def test_a_lost_scheduler_is_told(running: tuple[DaskCluster, Cluster]) -> None:
    processes, cluster = running
    unfinished = cluster.submit(pid_after, 600.0)
    time.sleep(1)
    processes.scheduler.kill()
    assert "expected a Dask scheduler that answers until all is done" in str(told(cluster))
    assert wait([unfinished], SECONDS).done
    assert isinstance(unfinished.exception(), ClusterError)


ASKING = """
import sys
from pathlib import Path
from quantunet import cluster, processes
cluster.CONNECT_SECONDS = 60
with cluster.connect(sys.argv[1], Path(sys.argv[2])) as pool:
    program = 'cd "$0"; echo $$ > asked; mv asked pid; sleep 600'
    pool.submit(processes.run, ["sh", "-c", program, sys.argv[2]]).result()
"""


def test_programs_end_with_whoever_has_asked_for_them(running: tuple[DaskCluster, Cluster], tmp_path: Path) -> None:
    processes, _ = running
    command = [sys.executable, "-W", "ignore", "-c", ASKING, processes.address, str(tmp_path)]
    with subprocess.Popen(command, env={**os.environ, **variables(processes.folder)}) as asking:
        until = time.monotonic() + 120
        while not (tmp_path / "pid").exists():
            assert time.monotonic() < until, "it does not start"
            assert asking.poll() is None
            time.sleep(0.1)
        program = psutil.Process(int((tmp_path / "pid").read_text()))
        asking.send_signal(signal.SIGKILL)
    until = time.monotonic() + SECONDS
    while program.is_running() and program.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, "the program runs on"
        time.sleep(0.1)
    assert all(worker.poll() is None for worker in processes.workers)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://10.0.0.1:8786", "tcp, which strangers can read and answer"),
        ("tcp://scheduler:8786", "tcp, which strangers can read and answer"),
        ("10.0.0.1:8786", "tcp, which strangers can read and answer"),
        ("ws://127.0.0.1:8786", "ws, which strangers can read and answer"),
        ("inproc://127.0.0.1/1", "expected the address"),
        ("tls://127.0.0.1", "expected the address"),
        ("tls://127.0.0.1:1", "nothing that answers"),
        ("tcp://localhost:1", "nothing that answers"),
        ("tcp://[::1]:1", "nothing that answers"),
        ("", "expected the address"),
    ],
)
def test_an_address_without_tls_is_of_this_machine(address: str, message: str, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ClusterError, match=message), connect(address, tmp_path):
        pass
    assert time.monotonic() - began < 5
    assert list(tmp_path.iterdir()) == []
