"""The table of proofs: ``nox -s proofs``, or ``python -m helpers.prove_all`` in ``tests``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers.proof_cases import FAULTS, SETTINGS
from helpers.proofs import Proven, Setting, prove, violation

from quantunet.storage import write_text

_ENGINE = "yosys-abc pdr"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s proofs --", description=__doc__)
    modules = sorted({each.module for each in SETTINGS})
    parser.add_argument("--module", action="append", choices=modules, help="only this module; may be repeated")
    parser.add_argument("--quick", action="store_true", help="leave out what takes more than a few seconds")
    parser.add_argument("--properties", action="store_true", help="a row for each property and each cover point")
    parser.add_argument("--out", type=Path, help="a JSON file with what was proven, by module")
    return parser


def document(proven: Sequence[tuple[Setting, Proven]], faults: int, found: int, seconds: float) -> Mapping[str, object]:
    """Return what a file of the results says: sums over the settings of each module."""
    modules: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for setting, each in proven:
        module = modules[setting.module]
        module["settings"] += 1
        module["properties"] += len(each.proven)
        module["bounded"] += bool(each.bound)
        module["covers"] += len(each.reached)
        module["open"] += len(each.failed) + len(each.undecided) + len(each.missed)
    return {"modules": modules, "faults": faults, "faults_found": found, "seconds": round(seconds, 1)}


def setting_row(setting: Setting, found: Proven) -> str:
    """Return a row of the table; its last column is in seconds of one core."""
    parameters = ", ".join(f"{name} {value}" for name, value in {**setting.parameters, **setting.constants}.items())
    total = len(found.proven) + len(found.failed) + len(found.undecided)
    proven = str(total) if found.holds() else f"{len(found.proven)} of {total}"
    reached = f"{len(found.reached)}" if not found.missed else f"{len(found.reached)}, not {', '.join(found.missed)}"
    bound = f"{found.bound} cycles" if found.bound else "unbounded" if found.holds() else "**not proven**"
    return f"| `{setting.module}` | {parameters} | {proven} | {reached} | {_ENGINE} | {bound} | {found.seconds:.1f} |"


def property_rows(found: Proven) -> list[str]:
    """Return a row for each property and each cover point."""
    holds = f"proven to {found.bound} cycles" if found.bound else "proven, unbounded"
    rows = [f"    {name}: {holds}" for name in found.proven]
    rows += [f"    {name}: FAILS in cycle {cycle}" for name, cycle in found.failed.items()]
    rows += [f"    {name}: UNDECIDED" for name in found.undecided]
    rows += [f"    cover {name}: reached in cycle {cycle}" for name, cycle in found.reached.items()]
    return rows + [f"    cover {name}: NOT REACHED" for name in found.missed]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove all that is chosen and try its faults; 1 if anything fails, or nothing was proven."""
    options = _parser().parse_args(arguments)
    begin = time.monotonic()

    def chosen(setting: Setting) -> bool:
        return setting.module in (options.module or [setting.module]) and not (options.quick and setting.slow)

    def tell(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    tell("| module | parameters | properties | cover points | engine | bound | CPU seconds |")
    tell("|---|---|---|---|---|---|---|")
    properties = covers = failures = settings = 0
    results: list[tuple[Setting, Proven]] = []
    for setting in filter(chosen, SETTINGS):
        found = prove(setting)
        tell(setting_row(setting, found))
        if options.properties:
            tell("\n".join(property_rows(found)))
        results.append((setting, found))
        settings += 1
        properties += len(found.proven)
        covers += len(found.reached)
        failures += not found.holds()
    faults = [each for each in FAULTS if chosen(each.setting)]
    survivors = [each for each in faults if violation(each) is None]
    for each in survivors:
        tell(f"SURVIVES: {each.fault.module}: {each.fault.name}: {each.violates} of {each.setting} still holds")
    if options.out:
        killed = len(faults) - len(survivors)
        write_text(options.out, json.dumps(document(results, len(faults), killed, time.monotonic() - begin), indent=1))
    tell(
        f"\n{settings} settings, {properties} properties proven, {covers} cover points reached, {failures} settings "
        f"not proven; {len(faults) - len(survivors)} of {len(faults)} seeded faults violate what they must; "
        f"{time.monotonic() - begin:.0f} s in all"
    )
    return int(bool(failures or survivors or not properties or not covers or not faults))


if __name__ == "__main__":
    sys.exit(main())
