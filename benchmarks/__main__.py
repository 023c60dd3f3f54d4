"""All measurements in one run: figures as ratios, a table for the read-me, charts of how things scale.

Results go to ``build/bench/<time>/``: ``results.json`` with the machine and the versions, ``table.md``, and charts.
What was measured before with the same sources on the same machine is not measured again unless --fresh is given, so
that an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from benchmarks import charts, report, store
from benchmarks.machine import inputs_digest, this_machine
from benchmarks.parts import PARTS
from benchmarks.rows import Context, Part
from benchmarks.store import Outcome
from quantunet import exit_codes
from quantunet.errors import QuantUNetError
from quantunet.storage import write_text

NETWORKS = ("tiny", "wearable", "paper")

_WIDTH = 200


def _listed(names: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        chosen = [name.strip() for name in text.split(",") if name.strip()]
        wrong = [name for name in chosen if name not in names]
        if wrong or not chosen:
            message = f"expected names out of {', '.join(names)}, got {', '.join(wrong) or 'none'}"
            raise argparse.ArgumentTypeError(message)
        return chosen

    return parse


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    width = max(map(len, PARTS))
    listing = "\n".join(f"  {name:{width}}  {part.title}" for name, part in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="nox -s bench --",
        description=__doc__,
        epilog=f"benchmarks:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", type=_listed(list(PARTS)), default=list(PARTS), help="benchmarks, with commas (all)")
    parser.add_argument(
        "--networks",
        type=_listed(NETWORKS),
        default=list(NETWORKS),
        help=f"with commas (default: {','.join(NETWORKS)}; paper takes minutes)",
    )
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured before")
    parser.add_argument(
        "--out", type=Path, default=Path("build/bench"), help="folder of results (default: %(default)s)"
    )
    return parser


def run_part(part: Part, network: str, folder: Path, digest: str, progress: Progress, *, fresh: bool) -> Outcome:
    """Run one benchmark, or take what was kept of it."""
    path = store.kept_file(folder, part.name, network, digest)
    found = None if fresh else store.find(path)
    if found is not None:
        return found
    label = f"{part.name} {network}".strip()
    task = progress.add_task(label)
    context = Context(network, folder / "work" / part.name / network, lambda text: _say(progress, task, label, text))
    begin = time.perf_counter()
    try:
        rows = tuple(part.measure(context))
    except QuantUNetError as error:
        return Outcome(part.name, part.title, network, (), time.perf_counter() - begin, failure=str(error))
    finally:
        progress.remove_task(task)
    outcome = Outcome(part.name, part.title, network, rows, round(time.perf_counter() - begin, 2))
    store.keep(path, outcome)
    return outcome


def _say(progress: Progress, task: TaskID, label: str, text: str) -> None:
    progress.update(task, description=f"{label}: {text}")
    if not progress.console.is_terminal:
        progress.console.print(f"{label}: {text}", highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that were chosen; 1 if one of them failed."""
    args = build_parser().parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    machine, digest = this_machine(), inputs_digest()
    console.print(machine.line(), highlight=False)
    outcomes = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for part in (PARTS[name] for name in args.only):
            for network in args.networks if part.each_network else [""]:
                outcome = run_part(part, network, args.out, digest, progress, fresh=args.fresh)
                outcomes.append(outcome)
                state = outcome.failure or ("kept from an earlier run" if outcome.kept else f"{outcome.seconds:.0f} s")
                console.print(
                    f"{part.name} {network}: {state}", highlight=False, style="red" if outcome.failure else ""
                )
    now = datetime.now(timezone.utc)
    folder = args.out / now.strftime("%Y%m%dT%H%M%SZ")
    when = now.strftime("%Y-%m-%d %H:%M UTC")
    files = [store.write(folder, machine, outcomes, when)]
    drawn = charts.draw([row for outcome in outcomes for row in outcome.rows], folder)
    write_text(folder / "table.md", report.markdown(machine, outcomes, drawn, when))
    for table in report.terminal(outcomes):
        console.print(table)
    files += [folder / "table.md", *(folder / name for name in drawn)]
    console.print("   ".join(map(str, files)), highlight=False, soft_wrap=True)
    return exit_codes.DIFFERENCE if any(outcome.failure for outcome in outcomes) else exit_codes.SUCCESS


if __name__ == "__main__":
    sys.exit(main())
