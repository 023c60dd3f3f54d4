"""Functions that run on the workers of a Dask cluster, which see the same folders as this process.

Dask speaks pickle: whoever reaches a scheduler runs code on every worker. An address is therefore taken only if it
speaks TLS, or leads to this machine (SECURITY.md). The scheduler gets bytes and imports no more than this module;
a worker looks first whether its program, its tools and its folder are those of whoever asks.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import importlib.util
import ipaddress
import logging
import pickle
import socket
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from distributed import Client, Future, KilledWorker, Security, get_worker
from distributed.comm.addressing import parse_address, parse_host_port
from distributed.comm.core import connect as open_comm

from quantunet import processes, storage
from quantunet.errors import ClusterError, ToolFailedError
from quantunet.provenance import files_digest, versions

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10
"""For a scheduler to answer, and for its first worker."""

LONELY_SECONDS = 10
"""After which a cluster that has lost its last worker is given up; a nanny starts another one within this time."""

_CANCELLED_SECONDS = 0.3
_ROOMS = ("constraints", "golden", "hls", "model", "rtl_sim")
_SOURCES = ("*.py", "*.sv", "*.svh", "*.h", "*.cpp", "*.j2", "*.json")
_START = "Start one with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1` (SECURITY.md)."

Shared: TypeAlias = Future[bytes]
"""A value that every worker has."""

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Ticket:
    """What a worker must be, to be given work.

    Attributes:
        sources: Digest of the package's files.
        tools: Versions of Python and of the tools that the work needs.
        mark: A file in the shared folder.
        word: What is in it.
    """

    sources: str
    tools: tuple[tuple[str, str], ...]
    mark: str
    word: str

    def check(self) -> None:
        """Look whether this process is such a worker.

        Raises:
            ClusterError: Its program, a tool or its folder is another one.
        """
        here = f"the worker on {socket.gethostname()}"
        if self.sources != _sources_digest():
            raise ClusterError(
                here,
                expected="the files of quantunet that this command has",
                got="others",
                hint="Install the same version, or commit, on every machine, and start the workers again.",
            )
        found = dict(_tools(tuple(name for name, _ in self.tools)))
        wrong = [(name, version, found.get(name)) for name, version in self.tools if found.get(name) != version]
        if wrong:
            raise ClusterError(
                here,
                expected=", ".join(f"{name} {version}" for name, version, _ in wrong),
                got=", ".join(f"{name} {version}" if version else f"no {name}" for name, _, version in wrong),
                hint="Install the same versions on every machine, for example with locked.txt.",
            )
        try:
            word = Path(self.mark).read_text(encoding="utf-8")
        except OSError as error:
            word = error.strerror or str(error)
        if word != self.word:
            raise ClusterError(
                here,
                expected=f"the folder {Path(self.mark).parent} of the machine that asks, at the same path",
                got=f"{Path(self.mark).name}: {word}",
                hint="Put the results on a folder that all machines share, as with --build or --out.",
            )


@functools.cache
def _tools(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the versions of tools, and that of Python as far as pickles depend on it."""
    found = versions(names)
    return tuple((name, ".".join(text.split(".")[:2]) if name == "python" else text) for name, text in found.items())


@functools.cache
def _sources_digest() -> str:
    """Return one digest of all files of the package that decide about results."""
    parts = []
    for name in ("", *_ROOMS):
        spec = importlib.util.find_spec(f"quantunet.{name}" if name else "quantunet")
        for place in (spec.submodule_search_locations or () if spec else ())[:1]:
            folder = Path(place)
            paths = [path for pattern in _SOURCES for path in folder.rglob(pattern)]
            own = [path for path in paths if name or path.relative_to(folder).parts[0] not in _ROOMS]
            parts.append(f"{name} {files_digest(folder, own)}")
    return "\n".join(parts)


class Cluster(concurrent.futures.Executor):
    """An executor of functions on the workers; :func:`connect` makes one.

    Args:
        client: Connected.
        ticket: What its workers must be.
    """

    def __init__(self, client: Any, ticket: Ticket) -> None:  # noqa: ANN401 Dask's client has no types
        self._client = client
        self._ticket = ticket
        self._pool: Any = self._client.get_executor(pure=False)
        self._address = str(self._client.scheduler.address)
        nthreads = self._client.nthreads()
        self.capacity: int = sum(nthreads.values())
        self._workers = set(nthreads)
        self._left_alone: float | None = None

    def share(self, value: object) -> Shared:
        """Give every worker a value, as the first argument of any number of functions: see :meth:`submit`."""
        shared: Shared = self._client.scatter(pickle.dumps(value), broadcast=True, hash=False)
        return shared

    def submit(  # type: ignore[override]
        self, function: Callable[..., _Value], /, *args: object, shared: Shared | None = None
    ) -> concurrent.futures.Future[_Value]:
        """Run a function of a module on a worker.

        It is run again, by another worker, if its worker is lost. If this process ends, the programs end that it runs.

        Args:
            function: The function.
            *args: Its arguments.
            shared: What :meth:`share` returned, as an argument before these.

        Returns:
            A future. Its errors are those of the function, :class:`~quantunet.errors.ClusterError` where the cluster or
            the worker is not what it should be, and :class:`~quantunet.errors.ToolFailedError` where one worker after
            the other was lost that ran it.
        """
        ours: concurrent.futures.Future[_Value] = concurrent.futures.Future()
        theirs = self._pool.submit(_on_worker, self._ticket, pickle.dumps((function, args)), shared)
        theirs.add_done_callback(functools.partial(self._pass_on, ours, function.__name__))
        return ours

    def _pass_on(
        self,
        ours: concurrent.futures.Future[_Value],
        name: str,
        theirs: concurrent.futures.Future[_Value],
    ) -> None:
        if theirs.cancelled():
            ours.set_exception(self._lost("the connection to it ended"))
            return
        error = theirs.exception()
        if isinstance(error, KilledWorker):
            error = ToolFailedError(
                f"the workers of {self._address}",
                expected=f"one that lives until '{name}' is done",
                got="one after the other was lost with it",
                hint="Look into their logs; they may need more memory, or fewer threads each.",
            )
        elif error is not None and "deserialization" in str(error):
            error = ClusterError(
                self._address,
                expected="quantunet and its extra 'cluster', in this version, beside the scheduler and every worker",
                got=" ".join(str(error.__cause__ or error).split()),
                hint="Install it there: pip install 'quantunet[cluster]'.",
            )
        if error is not None:
            ours.set_exception(error)
        else:
            ours.set_result(theirs.result())

    def _lost(self, got: str) -> ClusterError:
        return ClusterError(
            self._address,
            expected="a Dask scheduler that answers until all is done",
            got=got,
            hint="Look into its log, start it and the workers again, and repeat the command: what is finished is kept.",
        )

    def check(self) -> None:
        """Look whether the cluster lives; the loss of a worker is logged as a warning.

        Raises:
            ClusterError: The scheduler is gone, or all workers are.
        """
        if self._client.status != "running":
            raise self._lost("the connection to it ended")
        try:
            workers = set(self._client.sync(self._client.scheduler.ncores, callback_timeout=CONNECT_SECONDS))
        except (OSError, concurrent.futures.TimeoutError) as error:
            raise self._lost(str(error) or "no answer") from error
        for worker in sorted(self._workers - workers):
            logger.warning(
                "the worker %s is lost; what it has not finished is done again by others (%d left)",
                worker,
                len(workers),
            )
        self._workers = workers
        now = time.monotonic()
        self._left_alone = None if workers else self._left_alone or now
        if self._left_alone is not None and now - self._left_alone > LONELY_SECONDS:
            raise ClusterError(
                self._address,
                expected="at least one worker",
                got="none, as all were lost",
                hint="Look into their logs, start workers again with `dask worker ADDRESS --nthreads 1`, and repeat "
                "the command: what is finished is kept.",
            )


@contextlib.contextmanager
def connect(address: str, folder: Path, tools: Sequence[str] = ()) -> Iterator[Cluster]:
    """Connect to a Dask cluster.

    Args:
        address: Of the scheduler, as ``tls://HOST:8786``; ``tcp://`` on this machine alone.
        folder: A folder that all workers see at the same path, in which work and results are.
        tools: Python packages, and ``g++``, of which workers need the version that is here.

    Raises:
        ClusterError: The address may not be used, nothing answers there, or there is no worker.
        StorageError: The folder cannot be written.
    """
    _check_address(address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions, which tickets compare
        client = _client(address)
    mark, word = folder / f".cluster-{uuid.uuid4().hex}", uuid.uuid4().hex
    try:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError as error:
            raise ClusterError(
                address,
                expected="at least one worker",
                got=f"none after {CONNECT_SECONDS} s",
                hint="Start some with `dask worker ADDRESS --nthreads 1`.",
            ) from error
        storage.write_text(mark, word)
        yield Cluster(client, Ticket(_sources_digest(), _tools(tuple(tools)), str(mark), word))
    finally:
        mark.unlink(missing_ok=True)
        with contextlib.suppress(OSError, concurrent.futures.TimeoutError, TimeoutError):
            client.close(timeout=2)


def _check_address(address: str) -> None:
    """Refuse an address at which strangers may listen or speak, and one at which nobody listens."""
    expected = "the address of a Dask scheduler, as tls://HOST:8786"
    try:
        scheme, place = parse_address(address)
        host, port = parse_host_port(place)
    except (TypeError, ValueError) as error:
        raise ClusterError(address, expected=expected, got=str(error), hint=_START) from error
    if scheme != "tls" and not (scheme == "tcp" and _is_loopback(host)):
        raise ClusterError(
            address,
            expected=f"{expected}; without TLS only tcp://127.0.0.1:PORT, of this machine",
            got=f"{scheme}, which strangers can read and answer",
            hint="Whoever reaches a scheduler runs code on every worker: start it and the workers with certificates, "
            "as SECURITY.md shows.",
        )
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        got = f"nothing that answers ({error.strerror or error})"
        raise ClusterError(address, expected=expected, got=got, hint=_START) from error


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _client(address: str) -> Any:  # noqa: ANN401 Dask's client has no types
    """Connect, after a handshake that shows whether this works: a client that cannot connect takes long to give up."""

    async def shake_hands() -> None:
        arguments = Security().get_connection_args("client")  # type: ignore[no-untyped-call]
        comm = await open_comm(address, timeout=CONNECT_SECONDS, **arguments)  # type: ignore[no-untyped-call]
        await comm.close()

    try:
        asyncio.run(shake_hands())
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, asyncio.TimeoutError, ValueError, TypeError, RuntimeError) as error:
        tls = address.startswith("tls:")
        raise ClusterError(
            address,
            expected=f"a Dask scheduler{' that takes the certificate of this command' if tls else ' without TLS'}",
            got=" ".join(str(error).split()) or type(error).__name__,
            hint="Scheduler, workers and this command need certificates of one authority, as SECURITY.md shows."
            if tls
            else _START,
        ) from error


def _on_worker(ticket: Ticket, payload: bytes, shared: bytes | None) -> Any:  # noqa: ANN401 what the function returns
    """Run a function on a worker, until it is done or nobody waits for it any more."""
    ticket.check()
    function, args = pickle.loads(payload)  # Dask has authenticated who sends it
    if shared is not None:
        args = (_unpickled(shared), *args)
    worker, key = get_worker(), get_worker().get_current_task()
    with processes.Pool(1) as pool:
        future = pool.submit(function, *args)
        while not concurrent.futures.wait([future], _CANCELLED_SECONDS).done:
            task = worker.state.tasks.get(key)
            if task is None or task.state == "cancelled" or worker.status.name in ("closing", "closed", "failed"):
                message = f"{function.__name__}: nobody waits for it any more"
                raise concurrent.futures.CancelledError(message)
        return future.result()


@functools.lru_cache(maxsize=1)
def _unpickled(shared: bytes) -> Any:  # noqa: ANN401
    return pickle.loads(shared)
