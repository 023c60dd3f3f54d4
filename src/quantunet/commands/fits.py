"""``quantunet fits``: which networks fit which devices, in which folding, and how many frames a second that makes."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from quantunet import api, exit_codes, tables
from quantunet.commands._numbers import positive, whole
from quantunet.commands._parser import MODELS, complete
from quantunet.commands._working import working
from quantunet.constraints.board import BRAM_SHARE, RESOURCES
from quantunet.constraints.device import Device, devices
from quantunet.errors import OptionError
from quantunet.suggestions import did_you_mean
from quantunet.zoo import MODEL_HELP, load_network

if TYPE_CHECKING:
    from quantunet.hls.fit import Fit

TIME_LIMIT = 900


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = sub.add_parser(
        "fits", help="say which networks fit which devices, and how fast they are there", description=__doc__
    )
    complete(parser.add_argument("models", nargs="+", metavar="model", help=MODEL_HELP), MODELS)
    parser.add_argument("--devices", help=f"some of {', '.join(_names())}, separated by commas (default: all)")
    parser.add_argument("--clock-mhz", type=positive, default=api.CLOCK_MHZ, help="clock (default: %(default)s)")
    parser.add_argument("--jobs", type=whole, default=os.cpu_count() or 1, help="syntheses at a time (%(default)s)")
    parser.add_argument("--time-limit", type=whole, default=TIME_LIMIT, help="seconds for one layer (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/fits"), help="folder of syntheses (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.set_defaults(run=run)


def _names() -> list[str]:
    return [device.name for device in devices()]


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    with working("loading the solver"):
        api.find_solver()
        from quantunet.hls.fit import Synthesiser, fit

    chosen = _devices(args.devices)
    graphs = {name: load_network(name) for name in args.models}
    found: list[Fit] = []
    with Console(stderr=True).status("") as status:
        for name, graph in graphs.items():
            for device in chosen:
                status.update(f"{name} on {device}")
                place = Synthesiser(args.out / graph.name / device.family, args.jobs, args.time_limit)
                found.append(fit(graph, device, place))
    if args.json:
        print(json.dumps([document(one, args.clock_mhz) for one in found], indent=1))
        return exit_codes.SUCCESS
    console = tables.output()
    tables.show(console, table(found, args.clock_mhz), keys=2)
    for line in (
        "estimate: LUT places of an ECP5, by the cost model; synthesis: of each part, LUTs as its family counts them",
        f"of block RAM a folding may take {100 * BRAM_SHARE} % of what the device has; shares are of all of it",
    ):
        console.print(line, highlight=False)
    return exit_codes.SUCCESS


def _devices(text: str | None) -> list[Device]:
    known = {device.name: device for device in devices()}
    if text is None:
        return list(known.values())
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise OptionError(
                "--devices", expected=f"some of {', '.join(known)}", got=f"'{name}'", hint=did_you_mean(name, known)
            )
    return [known[name] for name in dict.fromkeys(names)]


def document(found: Fit, clock_mhz: float) -> dict[str, Any]:
    """Return what ``--json`` prints of a network and a device; without frames a second where it does not fit."""
    return {
        "network": found.network,
        "device": found.device.name,
        "boards": list(found.device.boards),
        "fits": not found.lacks,
        "folding": found.folding,
        "frame_interval": found.interval,
        "clock_mhz": clock_mhz,
        "fps": None if found.lacks else round(clock_mhz * 1e6 / found.interval, 3),
        "counted": found.counted,
        **found.amounts,
        **{f"{name}_percent": round(share, 3) for name, share in found.shares.items()},
        "lacks": found.lacks,
    }


def table(found: list[Fit], clock_mhz: float) -> Table:
    """Return the table for the terminal."""
    result = Table(title=f"what fits where, at {clock_mhz:g} MHz", title_justify="left")
    for name in ("network", "device", "fits", "folding", "counted by"):
        result.add_column(name, no_wrap=True)
    for name in ("frames/s", *(name.upper() for name in RESOURCES)):
        result.add_column(name, justify="right", no_wrap=True)
    for one in found:
        figures = [f"{one.amounts[name]:,} {one.shares[name]:5.1f}%" for name in RESOURCES]
        rate = "" if one.lacks else f"{clock_mhz * 1e6 / one.interval:,.1f}"
        lacks = ", ".join(f"{more:,} {name.upper()} short" for name, more in one.lacks.items())
        words = (one.network, str(one.device), lacks or "yes", one.folding, one.counted)
        result.add_row(*words, rate, *figures, style="red" if one.lacks else None)
    return result
