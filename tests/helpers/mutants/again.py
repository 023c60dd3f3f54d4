"""Judge the mutants again that the record of trust calls alive: ``python -m helpers.mutants.again`` in ``tests``.

Benches grow by what lives. With a case more they find what they found before, so that only those that were alive are
simulated; ``docs/trust.json`` gets what became of them, and ``nox -s trust -- --page`` makes the page of it. Where a
module itself has changed, all of its mutants have to be judged: ``nox -s mutants -- --module``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.mutants.benches import BENCHES, MODULES, is_small
from helpers.mutants.generate import Mutant, mutate
from helpers.mutants.library import Library, read_library
from helpers.mutants.simulate import build_bench, run
from helpers.mutants.survivors import why_it_lives
from helpers.trust import RECORD, named_mutant

from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.storage import write_text


class GoneError(RuntimeError):
    """The record names a mutant that the module does not have."""


def judge_again(library: Library, module: str, alive: Sequence[str]) -> tuple[Counter[str], list[Mutant]]:
    """Return how many mutants each bench of a module finds now, and those that live on.

    Args:
        library: The library.
        module: The module.
        alive: The names of its mutants that the record calls alive. Of several with one name the record does not say
            which is alive: all are judged, and those that are found first were found before.

    Raises:
        GoneError: The module has no mutant of a name.
        MutantsError: A bench cannot be built, or fails without a mutant.
    """
    every = mutate(library, module).mutants
    waiting = [each for each in every if named_mutant(vars(each)) in alive]
    before = Counter(named_mutant(vars(each)) for each in waiting) - Counter(alive)
    if set(alive) - {named_mutant(vars(each)) for each in waiting}:
        message = f"{module}: expected mutants {sorted(alive)}, got {sorted(each.key for each in waiting)}"
        raise GoneError(message)
    found: Counter[str] = Counter()
    for name in MODULES[module]:
        asked = [each for each in waiting if is_small(name) or not why_it_lives(each)]
        if not asked:
            continue
        with tempfile.TemporaryDirectory(prefix="mutants") as folder:
            left_out = {each.key for each in every} - {each.key for each in asked}
            built = build_bench(library, module, BENCHES[name], Path(folder), left_out)
            verdicts = run(built, [each.number for each in asked])
        for each in [each for each in verdicts if each.scenario]:
            (mutant,) = (one for one in waiting if one.number == each.number)
            waiting.remove(mutant)
            known = named_mutant(vars(mutant))
            found[name] += not before[known]
            before[known] -= bool(before[known])
    return +found, waiting


def updated(entry: dict[str, Any], found: Counter[str], living: Sequence[Mutant]) -> dict[str, Any]:
    """Return a module's entry of the record with what became of its mutants that were alive."""
    reasons = [(named_mutant(vars(each)), why_it_lives(each)) for each in living]
    return {
        **entry,
        "found": entry["found"] + sum(found.values()),
        "by": dict(Counter(entry["by"]) + found),
        "explained": [*entry["explained"], *([name, why] for name, why in reasons if why)],
        "alive": [name for name, why in reasons if not why],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge them, module by module, and write the record; the exit code is 1 where one lives without a reason."""
    parser = argparse.ArgumentParser(prog="python -m helpers.mutants.again", description=__doc__.partition("\n")[0])
    parser.add_argument("--module", action="append", choices=tuple(MODULES), help="only this module; may be repeated")
    options = parser.parse_args(arguments)
    library = read_library(RTL_FOLDER)
    part = json.loads(RECORD.read_text(encoding="utf-8"))["mutants"]["modules"]
    alive = 0
    for module in [name for name, each in part.items() if each["alive"] and name in (options.module or MODULES)]:
        found, living = judge_again(library, module, part[module]["alive"])
        entry = updated(part[module], found, living)
        record = json.loads(RECORD.read_text(encoding="utf-8"))  # another part may have been written meanwhile
        record["mutants"]["modules"][module] = entry
        write_text(RECORD, json.dumps(record, indent=1, sort_keys=True) + "\n")
        lines = [f"{module}: {sum(found.values())} found, {len(living) - len(entry['alive'])} explained"]
        lines += [f"    alive: {name}" for name in entry["alive"]]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        alive += len(entry["alive"])
    return int(bool(alive))


if __name__ == "__main__":
    sys.exit(main())
