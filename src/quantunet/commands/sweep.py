"""``quantunet sweep``: run the trainings of a TOML file, several at a time, and keep a row of results for each."""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import csv
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from quantunet import exit_codes, tables
from quantunet.commands._working import working
from quantunet.errors import QuantUNetError, TrainingError
from quantunet.model.config import Device, Precision
from quantunet.model.sweep import Job, next_step, read_jobs

if TYPE_CHECKING:
    from rich.console import Console

    from quantunet.model.results import Row
    from quantunet.model.sweep_run import Place

_POLL_SECONDS = 5.0


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = sub.add_parser(
        "sweep",
        help="run many trainings, resumable and in parallel",
        description="Run the trainings of a TOML file (see docs/science.md). What the results already hold is not run "
        "again; a training that was interrupted goes on from its last epoch.",
    )
    parser.add_argument("file", type=Path, help="the TOML file with the studies")
    parser.add_argument("--only", type=_study, nargs="+", default=[], metavar="STUDY", help="these studies alone")
    parser.add_argument("--list", action="store_true", help="list the trainings and what the results hold, run nothing")
    parser.add_argument(
        "--results", type=Path, help="folder of the CSV files of results (default: the folder of the TOML file)"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/sweep"), help="folder of the trainings")
    parser.add_argument("--jobs", type=int, help="trainings at a time on this machine (default: one a core)")
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="run on the workers of this Dask scheduler instead, as tls://HOST:8786 (docs/cluster.md)",
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each training (default: 1)")
    parser.add_argument("--device", choices=get_args(Device), default="auto")
    parser.add_argument("--precision", choices=get_args(Precision), default="auto")
    parser.set_defaults(run=run)


def _study(text: str) -> str:
    """Take a word for the name of a study, where it is not that of the file."""
    if Path(text).suffix.lower() == ".toml":
        raise argparse.ArgumentTypeError(f"expected the name of a study, got the file {text!r}")
    return text


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    from quantunet.model import results

    if args.threads < 1 or (args.jobs is not None and args.jobs < 1):
        raise TrainingError("sweep", expected="at least one job and one thread", got=f"{args.jobs}, {args.threads}")
    folder = args.results or args.file.parent
    jobs = read_jobs(args.file, args.only)
    known = {row["name"] for row in results.read_rows(folder / results.RUNS)}
    console = tables.output()
    if args.list:
        for job in jobs:
            console.print(f"{'done' if job.name in known else 'open'}  {job.name}", highlight=False)
    waiting = [job for job in jobs if job.name not in known]
    console.print(f"{len(jobs)} trainings, {len(jobs) - len(waiting)} of them in {folder / results.RUNS}")
    if args.list or not waiting:
        return exit_codes.SUCCESS

    with contextlib.ExitStack() as stack:
        with working("loading torch") as tell:
            from quantunet.model.executor import executor
            from quantunet.model.sweep_run import Place

            place = Place(args.out.resolve(), args.threads, args.device, args.precision)
            processes = args.jobs or max(1, (os.cpu_count() or 1) // args.threads)
            if args.scheduler:
                tell(f"waiting for the scheduler at {args.scheduler} and for a worker of it")
            pool, capacity, check = stack.enter_context(executor(processes, args.scheduler, place.folder))
        failed = _run_all(pool, capacity, check, waiting, place, folder, console)
    if failed:
        raise TrainingError(
            f"{len(failed)} of {len(waiting)} trainings",
            expected="all to finish",
            got="; ".join(f"{name}: {error}" for name, error in failed.items()),
            hint="The others are in the results; the same command tries these again.",
        )
    return exit_codes.SUCCESS


def _run_all(
    pool: concurrent.futures.Executor,
    capacity: int,
    check: Callable[[], None],
    jobs: Sequence[Job],
    place: Place,
    folder: Path,
    console: Console,
) -> dict[str, str]:
    """Run every float phase once and then what follows it, at most ``capacity`` trainings at a time.

    Returns:
        The error of each job that failed, by name.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from quantunet.model import results
    from quantunet.model.sweep_run import RESULT, run_job, run_start, start_folder

    waiting = list(jobs)
    ready: set[str] = set()
    starts: dict[concurrent.futures.Future[None], Job] = {}
    running: dict[concurrent.futures.Future[None], Job] = {}
    failed: dict[str, str] = {}
    columns = (
        TextColumn("trainings"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[status]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(jobs), status="")

        def fail(job: Job, error: QuantUNetError) -> None:
            failed[job.name] = str(error)
            console.print(f"failed: {job.name}: {error}", highlight=False, soft_wrap=True)
            progress.advance(task)

        while waiting or running:
            while len(starts) + len(running) < capacity:
                step = next_step(waiting, ready, {job.start for job in starts.values()})
                if step is None:
                    break
                job, is_start = step
                if is_start:
                    starts[pool.submit(run_start, job, place)] = job
                else:
                    waiting.remove(job)
                    running[pool.submit(run_job, job, place)] = job
            folders = [start_folder(job, place.folder) for job in starts.values()]
            folders += [place.folder / job.name for job in running.values()]
            progress.update(task, status=_status(folders))
            done, _ = concurrent.futures.wait(
                [*starts, *running], timeout=_POLL_SECONDS, return_when=concurrent.futures.FIRST_COMPLETED
            )
            check()
            for future in done:
                error = future.exception()
                if error is not None and not isinstance(error, QuantUNetError):
                    raise error
                if future in starts:
                    start = starts.pop(future).start
                    if error is None:
                        ready.add(start)
                        console.print(f"{start}: float phase done", highlight=False, soft_wrap=True)
                        continue
                    for job in [job for job in waiting if job.start == start]:
                        waiting.remove(job)
                        fail(job, error)
                    continue
                job = running.pop(future)
                if error is not None:
                    fail(job, error)
                    continue
                row = results.add(folder, job, place.folder / job.name / RESULT)
                console.print(_line(row), highlight=False, soft_wrap=True)
                progress.advance(task)
    return failed


def _line(row: Row) -> str:
    return (
        f"{row['name']}: {row['mean_bits_layers']} bits, Dice val {row['final_val_dice']}, "
        f"test {row['final_test_dice']} (warm start {row['start_test_dice']}), {row['hours']} h {row['signatures']}"
    )


def _status(folders: Iterable[Path]) -> str:
    """The last epoch of each training that has written one, with the name of its folder."""
    texts = []
    for folder in folders:
        path = folder / "history.csv"
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                last = list(csv.DictReader(file))[-1]
            texts.append(f"{folder.name} {last['phase']} {last['epoch']}")
    return ", ".join(texts[:4])
