"""The command line of ``nox -s mutants``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import asdict
from functools import partial
from pathlib import Path

from helpers.mutants.benches import MODULES
from helpers.mutants.campaign import FOLDER, Result, judge
from helpers.mutants.library import read_library

from quantunet.errors import QuantUNetError
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.processes import Pool
from quantunet.rtl_sim.verilator import prepare
from quantunet.storage import write_text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s mutants --", description=__doc__)
    parser.add_argument("--module", action="append", choices=tuple(MODULES), help="only this module; may be repeated")
    parser.add_argument("--count", type=int, default=200, help="mutants of a module at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the choice among more (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="leave out the corners, which take longest to build")
    parser.add_argument("--no-proofs", action="store_true", help="leave out the proofs that a mutant cannot be seen")
    parser.add_argument("--jobs", type=int, default=1, help="modules at a time (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=FOLDER / "mutants.json", help="the result (default: %(default)s)")
    return parser


def tell(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def row(result: Result) -> str:
    """Return a row of the table."""
    found, explained, alive = len(result.found), len(result.explained), len(result.alive)
    judged = result.visible + len(result.equivalent)
    benches = ", ".join(f"{name} {count}" for name, count in Counter(each.bench for each in result.found).items())
    counts = (result.all, judged, found, len(result.equivalent), explained, alive)
    return f"| `{result.module}` | {' | '.join(map(str, counts))} | {benches} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge mutants of the chosen modules."""
    options = _parser().parse_args(arguments)
    begin = time.monotonic()
    modules = options.module or list(MODULES)
    library = read_library(RTL_FOLDER)
    prepare()
    results: dict[str, Result] = {}
    failed = []
    tell("| module | mutants | judged | found | equivalent | explained | alive | found by |")
    tell("|---|---|---|---|---|---|---|---|")
    with Pool(options.jobs) as pool:
        work = partial(judge, library, seed=options.seed, quick=options.quick, prove=not options.no_proofs)
        futures = {pool.submit(work, name, options.count): name for name in modules}
        for future in as_completed(futures):
            try:
                results[futures[future]] = result = future.result()
            except (QuantUNetError, RuntimeError) as error:
                failed.append(futures[future])
                tell(f"{futures[future]}: not judged: {error}")
                continue
            tell(row(result))
            for each, verdict in result.alive:
                tell(f"    alive, {verdict}: {each.key}")
            document = [asdict(results[name]) for name in modules if name in results]
            write_text(options.out, json.dumps(document, indent=1))
    visible = sum(each.visible for each in results.values())
    found = sum(len(each.found) for each in results.values())
    equivalent = sum(len(each.equivalent) for each in results.values())
    alive = sum(len(each.alive) for each in results.values())
    tell(
        f"\n{len(results)} modules, {visible + equivalent} mutants judged, {equivalent} proven equivalent, "
        f"{found} of {visible} others found, {alive} alive without a reason; {time.monotonic() - begin:.0f} s in all"
    )
    return int(bool(failed or alive or not found))


if __name__ == "__main__":
    sys.exit(main())
