"""``quantunet cosim``: every layer of a network in HLS C++ and in RTL, and the network in RTL, against golden."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quantunet import exit_codes
from quantunet.commands import _pixel_scale
from quantunet.errors import ToolFailedError
from quantunet.images import load_image
from quantunet.ir import Array, Graph
from quantunet.pixel_codes import code_limits, picture_codes
from quantunet.provenance import array_digest, file_digest, gather, graph_digest, value_digest
from quantunet.result_folder import network_folder
from quantunet.zoo import MODEL_HELP, load_network, model_digest

PHANTOM = "phantom"
"""The built-in image."""

_ENTRY = re.compile(r"(?P<file>.+\.npz):\d+\Z")
_PHANTOM_SEED = 2025
_SMALLEST_PHANTOM = 16
_LEGS = (
    "hls",
    "rtl",
    "network",
)  # quantunet.rtl_sim.cosim.LEGS, which the command line must not import to show its help


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = sub.add_parser(
        "cosim", help="prove every layer bit-exact in HLS and RTL on an image", description=__doc__
    )
    parser.add_argument("--model", default="wearable", help=f"{MODEL_HELP} (default: %(default)s)")
    parser.add_argument(
        "--image",
        default=PHANTOM,
        help="8-bit picture of the network's size and channels, or FILE.npz:INDEX (default: a generated ultrasound "
        "image, another one for each channel)",
    )
    _pixel_scale.add_option(
        parser, "the generated image is spread over all codes of the input, and a picture is refused"
    )
    parser.add_argument(
        "--layers",
        help="names, separated by commas; 'network' is the whole design (default: all layers and the network)",
    )
    parser.add_argument(
        "--legs",
        type=_legs,
        default=_LEGS,
        help="what to compare, separated by commas: 'hls', every layer alone in C++ (a large network takes minutes); "
        "'rtl', every layer alone in RTL, with its exact cycles; 'network', the whole design in RTL, with every layer "
        "inside it (default: all three)",
    )
    parser.add_argument(
        "--stalls",
        choices=("none", "random", "bursts", "frozen"),
        default="none",
        help="how inputs and outputs stall: at random, in long rests and bursts, or an output that stands for a frame",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the stalls (default: %(default)s)")
    parser.add_argument(
        "--jobs", type=_positive, default=os.cpu_count() or 1, help="tasks at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--frames",
        type=_positive,
        default=4,
        help="adjacent frames of the network; from 4 on their interval must be as predicted (default: %(default)s)",
    )
    parser.add_argument("--folding", type=Path, help="JSON file with PE and SIMD of every layer")
    parser.add_argument("--interval", type=_positive, help="frame interval in cycles that the default folding keeps")
    parser.add_argument("--write-folding", type=Path, help="write the folding to this file, to be edited")
    parser.add_argument(
        "--build", type=Path, default=Path("build"), help="folder of all results (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def _legs(text: str) -> tuple[str, ...]:
    legs = tuple(dict.fromkeys(leg.strip() for leg in text.split(",") if leg.strip()))
    unknown = [leg for leg in legs if leg not in _LEGS]
    if unknown or not legs:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(_LEGS)}, got {text!r}")
    return legs


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not positive")
    return value


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    from quantunet.hls.choose.default import default_folding, read_folding
    from quantunet.hls.folding import write_folding
    from quantunet.rtl_sim import report as reports
    from quantunet.rtl_sim.cosim import Options, cosim
    from quantunet.rtl_sim.live_table import LiveTable

    graph = load_network(args.model)
    folder = network_folder(args.build, graph) / "cosim"
    reports.remove(folder)
    graph = _pixel_scale.apply(graph, args.pixel_scale)
    image, image_name = _image(graph, args.image)
    folding = (
        read_folding(args.folding, graph, args.interval) if args.folding else default_folding(graph, args.interval)
    )
    if args.write_folding:
        write_folding(args.write_folding, folding)
    layers = None if args.layers is None else tuple(name.strip() for name in args.layers.split(",") if name.strip())
    options = Options(
        layers=layers, legs=args.legs, stalls=args.stalls, seed=args.seed, jobs=args.jobs, frames=args.frames
    )
    with LiveTable() as table:
        report = cosim(graph, image, folding, folder, options, image_name=image_name, progress=table.update)
    inputs = {
        "model": model_digest(args.model),
        "graph": graph_digest(graph),
        "folding": value_digest(folding),
        "image": array_digest(image),
        "image_file": _file_digest(args.image),
    }
    tools = ("numpy", "onnx", "verilator", "cocotb", "g++", *(("hls4ml",) if "hls" in args.legs else ()))
    report.provenance = gather(args, tools, inputs | report.sources)
    document, junit = reports.write(report, folder)
    table.summary(report)
    table.files(document, junit)
    if not report.passed and not report.differs:
        name, problems, _ = report.failures()[0]
        got = problems[0] if problems else "nothing to compare"
        raise ToolFailedError(name, expected="every value compared", got=got)
    return exit_codes.SUCCESS if report.passed else exit_codes.DIFFERENCE


def _file_digest(source: str) -> str | None:
    """Return the digest of the file that an image comes from; None for one that is generated."""
    entry = _ENTRY.match(source)
    path = Path(entry["file"] if entry else source)
    return file_digest(path) if source != PHANTOM and path.is_file() else None


def _image(graph: Graph, source: str) -> tuple[Array, str]:
    """Return the codes of the image, and what the report calls it."""
    if source != PHANTOM:
        return picture_codes(graph, load_image(source, graph.tensor(graph.input).shape)), source
    phantom = _phantom(graph)
    if graph.pixels.scale is not None:
        return picture_codes(graph, phantom), source
    # No picture has to become codes here: any codes of the input show whether the hardware computes what golden does.
    low, high = code_limits(graph.pixels, graph.tensor(graph.input).qtype)
    codes = low + (phantom.astype(np.int64) * (high - low) + 127) // 255
    return codes, f"{source}, bytes 0 to 255 spread over the codes {low} to {high} (nobody says what a byte means)"


def _phantom(graph: Graph) -> npt.NDArray[np.uint8]:
    """Return an image of its own for each channel, so that swapped channels show."""
    from quantunet.model.phantoms import generate

    height, width, channels = graph.tensor(graph.input).shape
    images, _ = generate(channels, max(height, width, _SMALLEST_PHANTOM), _PHANTOM_SEED)
    return np.stack([image[:height, :width] for image in images], axis=2)
