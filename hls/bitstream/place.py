"""Place and route with nextpnr, once a seed, and the bitstream of the best."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path

from quantunet import cache
from quantunet.constraints.board import Board
from quantunet.errors import ToolFailedError
from quantunet.hls.bitstream.netlist import Netlist, log_beside, read_result
from quantunet.hls.bitstream.routed import Clock, Usage, read_clocks, read_usage, usage_in_log
from quantunet.hls.bitstream.tools import Tools, device_options, measured, tail
from quantunet.processes import Pool
from quantunet.storage import write_text

CONFIG, REPORT = "chip.config", "nextpnr.json"
"""What place and route leaves in a seed's folder: the configuration, and nextpnr's own report."""

ROUTED = "routed.json"
"""The netlist as it is placed and routed, where it was asked for."""

_STEP, _PACK = "nextpnr", "ecppack"
_FORMAT = "quantunet-route-1"
_NO_ROOM = re.compile(
    r"^ERROR: .*(no BELs remaining to implement cell type|Failed to expand region|Unable to find legal placement)",
    re.MULTILINE,
)
_HINT = "Give it more time with --time-limit."


@dataclass(frozen=True)
class Route:
    """What one seed of place and route came to.

    Attributes:
        seed: The seed.
        folder: The seed's folder.
        usage: By cell type, how many are used and how many the device has.
        clocks: Every clock; none where the design has no place in the device.
        failure: Why it has none; empty where it has.
        seconds: Wall-clock time that it took.
        cpu_seconds: Processor time that it took.
        memory_mib: Memory that it took.
        cached: Whether the result was there already.
    """

    seed: int
    folder: Path
    usage: tuple[Usage, ...]
    clocks: tuple[Clock, ...]
    failure: str
    seconds: float
    cpu_seconds: float
    memory_mib: int
    cached: bool

    @property
    def fits(self) -> bool:
        """Whether the device has room for the design, and all of it was routed."""
        return not self.failure

    @property
    def margin(self) -> float:
        """The least of what clocks reach, as a share of what they need; 0 where nothing was routed."""
        return min((clock.mhz / clock.needed_mhz for clock in self.clocks), default=0.0)

    @property
    def log(self) -> Path:
        """What nextpnr has printed."""
        return self.folder / f"{_STEP}.log"


@dataclass(frozen=True)
class Packed:
    """A bitstream.

    Attributes:
        file: The file.
        seconds: Time that packing took.
        memory_mib: Memory that it took.
        cached: Whether it was there already.
    """

    file: Path
    seconds: float
    memory_mib: int
    cached: bool


@dataclass(frozen=True)
class Placer:
    """Place and route of one netlist.

    Attributes:
        tools: The programs.
        board: Whose device it is.
        netlist: The whole design.
        constraints: Its pins.
        mhz: Frequency of the clocks of which the constraints say none.
        time_limit: Seconds that one seed may take.
        with_netlist: Whether nextpnr writes the routed netlist too.
    """

    tools: Tools
    board: Board
    netlist: Netlist
    constraints: Path
    mhz: float
    time_limit: float
    with_netlist: bool = False

    def key(self, seed: int) -> str:
        """Return the key of everything that a seed's result depends on."""
        options = device_options(self.board)
        tools = (self.tools.name, self.tools.version)
        parts = (_FORMAT, tools, options, self.mhz, seed, self.netlist.key, self.constraints, *self.tools.route_options)
        return cache.key(*parts, *((ROUTED,) if self.with_netlist else ()))

    def route(self, seed: int, folder: Path, started: Callable[[Path], None] = lambda log: None) -> Route:
        """Place and route with one seed, unless its result is there already.

        Args:
            seed: The seed.
            folder: Its folder; replaced as a whole.
            started: Called with the file in which the output grows, if nextpnr must run.

        Raises:
            ToolFailedError: nextpnr failed or took too long. A design without room in the device is no failure.
            StorageError: A file cannot be read or written.
        """

        def make(fresh: Path) -> None:
            started(fresh / f"{_STEP}.log")
            here = fresh.resolve()
            command = [
                *self.tools.place,
                *device_options(self.board),
                *("--json", os.path.relpath(self.netlist.file.resolve(), here)),
                *self.tools.place_with(os.path.relpath(self.constraints.resolve(), here), CONFIG),
                *("--freq", str(self.mhz), "--timing-allow-fail", "--seed", str(seed)),
                *("--report", REPORT, "--detailed-timing-report"),
                *(("--write", ROUTED) if self.with_netlist else ()),
            ]
            log_file = fresh / f"{_STEP}.log"
            try:
                found = measured(command, fresh, _STEP, time_limit=self.time_limit, hint=_HINT)
            except ToolFailedError as error:
                raise _failed(error.got, seed, folder, log_file, error.expected, error.hint) from error
            log = _text(log_file)
            if found["code"] and not _has_no_room(log):
                got = f"exit code {found['code']}:\n{tail(log)}"
                raise _failed(got, seed, folder, log_file, "place and route without errors")

        made = cache.keep(folder, self.key(seed), make)
        result = read_result(folder / f"{_STEP}.run.json")
        log, report = _text(folder / f"{_STEP}.log"), folder / REPORT
        routed = not result["code"]
        return Route(
            seed=seed,
            folder=folder,
            usage=read_usage(report) if routed else usage_in_log(log),
            clocks=read_clocks(report) if routed else (),
            failure="" if routed else _no_room(log),
            seconds=float(result["seconds"]),
            cpu_seconds=float(result["cpu_seconds"]),
            memory_mib=int(result["memory_mib"]),
            cached=not made,
        )

    def routes(
        self,
        seeds: Sequence[int],
        folders: Mapping[int, Path],
        *,
        processes: int = 1,
        started: Callable[[int, Path], None] = lambda seed, log: None,
        finished: Callable[[Route], None] = lambda route: None,
    ) -> list[Route]:
        """Place and route with several seeds, some at a time; the first that fails stops the others.

        Args:
            seeds: The seeds.
            folders: The folder of each.
            processes: How many run at a time.
            started: Called, from any thread, with a seed for which nextpnr runs and the file of its output.
            finished: Called in the caller's thread with each result.

        Raises:
            ToolFailedError: As :meth:`route`.
            StorageError: As :meth:`route`.
        """
        found: dict[int, Route] = {}
        with Pool(processes) as pool:
            pending: set[Future[Route]] = {
                pool.submit(self.route, seed, folders[seed], lambda log, seed=seed: started(seed, log))  # type: ignore[misc]
                for seed in seeds
            }
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    route = future.result()
                    found[route.seed] = route
                    finished(route)
        return [found[seed] for seed in seeds]

    def pack(self, route: Route, folder: Path, name: str) -> Packed:
        """Make the bitstream of a seed, compressed, unless it is there already.

        Args:
            route: A result that fits.
            folder: The step's folder; replaced as a whole.
            name: The bitstream's file name.

        Raises:
            ToolFailedError: ecppack failed.
            StorageError: A file cannot be read or written.
        """

        def make(fresh: Path) -> None:
            config = os.path.relpath((route.folder / CONFIG).resolve(), fresh.resolve())
            command = self.tools.pack_into(config, name)
            found = measured(command, fresh, _PACK, time_limit=self.time_limit, hint=_HINT)
            if found["code"] or not (fresh / name).is_file():
                raise ToolFailedError(
                    _PACK,
                    expected="a bitstream",
                    got=f"exit code {found['code']}:\n{tail(_text(fresh / f'{_PACK}.log'))}",
                )

        made = cache.keep(folder, cache.key(_FORMAT, name, self.key(route.seed), route.folder / CONFIG), make)
        result = read_result(folder / f"{_PACK}.run.json")
        return Packed(folder / name, float(result["seconds"]), int(result["memory_mib"]), not made)


def best(routes: Sequence[Route]) -> Route:
    """Return the result with the fastest clock, of equals the one with the lowest seed."""
    return min(routes, key=lambda route: (-route.margin, route.seed))


def _failed(got: str, seed: int, folder: Path, log: Path, expected: str, hint: str = "") -> ToolFailedError:
    """Return the error of a run that failed; its output is kept, without its folder."""
    kept = log_beside(folder)
    write_text(kept, _text(log))
    return ToolFailedError(step_of(seed), expected=expected, got=got, hint=f"{hint} Log: {kept}".strip())


def step_of(seed: int) -> str:
    """Return what the step with a seed is called."""
    return f"place and route, seed {seed}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _has_no_room(log: str) -> bool:
    """Tell whether a failed run has failed because the design needs more than the device has."""
    return any(one.used > one.available for one in usage_in_log(log)) or _NO_ROOM.search(log) is not None


def _no_room(log: str) -> str:
    over = [f"{one.used} {one.kind} of {one.available}" for one in usage_in_log(log) if one.used > one.available]
    return f"needs {', '.join(over)}" if over else tail(log)
