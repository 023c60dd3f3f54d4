"""The networks that a sweep has left in its folder of trainings."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.science_runs import Run
from quantunet.errors import FileFormatError
from quantunet.model import evaluation, float_network, results
from quantunet.onnx_metadata import FLOAT_SUFFIX
from quantunet.qonnx_import import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says where the trainings are, and of what size their images."""
    parser.add_argument("trainings", type=Path, help="the folder of a sweep's trainings (its --out)")
    parser.add_argument("--size", type=int, default=128, help="height and width of an image (default: 128)")
    parser.add_argument("--results", type=Path, default=Path("docs/science"), help=f"folder of {results.RUNS}")


def network_file(folder: Path, run: Run) -> Path:
    """The network of a training: of a float control its float file, else the integer one.

    Raises:
        FileFormatError: There is none, or more than one.
    """
    paths = sorted((folder / run.name).glob("*.onnx"))
    chosen = [p for p in paths if p.stem.endswith(FLOAT_SUFFIX) == (run.bits == "float")]
    if len(chosen) != 1:
        got = ", ".join(path.name for path in paths) or "none"
        raise FileFormatError(str(folder / run.name), expected="one network", got=got)
    return chosen[0]


def masks_of(path: Path, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Segment images: an integer network by integer inference, a float one by its ONNX file."""
    if float_network.is_float(path):
        return float_network.load(path).masks(images)
    return evaluation.predict_masks(load(path), images)
