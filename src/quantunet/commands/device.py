"""``quantunet device``: a picture through a board on a serial port, compared with integer inference."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantunet import api, exit_codes, golden
from quantunet.api import Inference
from quantunet.commands import _pixel_scale
from quantunet.commands._parser import Parser
from quantunet.errors import DeviceLineError, DeviceSilentError, OptionError
from quantunet.ir import Array, Graph
from quantunet.serial_link import Info, Link
from quantunet.serial_payload import decode_result, encode_values, mask_rule
from quantunet.serial_port import SerialPort
from quantunet.storage import atomic_path

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exchange:
    """What came of sending a picture several times.

    Attributes:
        results: Every result, as integers of the output's shape.
        tries: Pictures that were sent again, because something on the line went wrong.
        seconds: From the first byte sent to the last one received, what was sent again included.
    """

    results: tuple[Array, ...]
    tries: int
    seconds: float


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "device", help="segment one image with a board on a serial port, and compare", description=__doc__
    )
    parser.add_model()
    parser.add_argument("image", help="8-bit picture of the network's size and channels, or FILE.npz:INDEX")
    _pixel_scale.add_option(parser)
    parser.add_argument("--port", required=True, help="serial port of the board, for example /dev/ttyUSB0")
    parser.add_argument("--baud", type=int, default=3_000_000, help="bits a second (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="send it N times (default: %(default)s)")
    parser.add_argument(
        "--attempts",
        type=int,
        default=3,
        metavar="N",
        help="send a picture at most N times when the line garbles it (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout", type=float, default=2.0, metavar="S", help="seconds without an answer (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, help="write the mask that the board gave to this PNG, as `infer` does")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    for name, least in (("baud", 1), ("repeat", 1), ("attempts", 1)):
        if getattr(args, name) < least:
            raise OptionError(f"--{name}", expected=f"a whole number of at least {least}", got=str(getattr(args, name)))
    if not 0 < args.timeout < float("inf"):
        raise OptionError("--timeout", expected="a number greater than 0", got=str(args.timeout))
    graph = api.load_network(args.model, pixel_scale=args.pixel_scale)
    found = api.infer(graph, args.image)
    if args.out and not _has_classes(graph):
        raise OptionError("--out", expected="a network whose output gives a mask or classes", got=graph.name)
    data = encode_values(found.taps[graph.input], graph.tensor(graph.input).qtype)
    with SerialPort(args.port, args.baud, args.timeout) as port:
        link = Link(port, args.port, args.timeout)
        info = link.check(graph)
        taken = exchange(link, graph, data, info, repeat=args.repeat, attempts=args.attempts)
    if args.out:
        with atomic_path(args.out) as whole:
            Inference(graph, found.image, found.taps, _classes(graph, taken.results[-1])).write(whole)
    return _compare(graph, found, taken, info)


def exchange(link: Link, graph: Graph, data: bytes, info: Info, *, repeat: int, attempts: int) -> Exchange:
    """Send a picture several times.

    Args:
        link: The board.
        graph: The network that it holds.
        data: The picture's bytes.
        info: What the board has said of itself.
        repeat: How many results to get.
        attempts: How often each may be tried.

    Raises:
        DeviceSilentError: The board stops answering, also at the last try.
        DeviceLineError: Something went wrong on the line at the last try too.
    """
    results = []
    tries = 0
    begin = time.perf_counter()
    for _ in range(repeat):
        result, again = _insist(lambda: link.run(data, info), link.settle, attempts)
        tries += again
        results.append(decode_result(graph, result))
    return Exchange(tuple(results), tries, time.perf_counter() - begin)


def _insist(act: Callable[[], bytes], settle: Callable[[], None], attempts: int) -> tuple[bytes, int]:
    """Do something again where the line has failed; return what it gave and how often it was done again."""
    for attempt in range(attempts - 1):
        try:
            return act(), attempt
        except (DeviceLineError, DeviceSilentError) as error:
            logger.info("again: %s", error)
            settle()
    return act(), attempts - 1


def _wanted(graph: Graph, found: Inference) -> Array:
    """Return golden's integers for what the board sends."""
    if mask_rule(graph) is None:
        return found.taps[graph.output]
    return golden.mask(graph, found.taps)[..., None].astype("int64")


def _has_classes(graph: Graph) -> bool:
    """Whether what the board sends says the class of every pixel."""
    return mask_rule(graph) is not None or graph.gives_classes or not graph.gives_probabilities


def _classes(graph: Graph, result: Array) -> Array:
    if mask_rule(graph) is not None or graph.gives_classes:
        return result[..., 0]
    return golden.classes(graph, {graph.output: result})


def _compare(graph: Graph, found: Inference, taken: Exchange, info: Info) -> int:
    wanted = _wanted(graph, found)
    compared = sum(result.size for result in taken.results)
    differ = sum(int((result != wanted).sum()) for result in taken.results)
    what = "pixels" if mask_rule(graph) else "values"
    frames = len(taken.results)
    again = f", {taken.tries} sent again" if taken.tries else ""
    print(
        f"{graph.name}: {frames} frame{'s' if frames > 1 else ''}{again}, {compared} {what} compared, {differ} differ"
    )
    print(f"{frames / taken.seconds:.1f} frames/s, {info.picture_bytes} bytes in and {info.result_bytes} out a frame")
    if info.frame_error:
        print("the board says that its network has seen a picture of a wrong length since reset")
    return exit_codes.DIFFERENCE if differ or not compared else exit_codes.SUCCESS
