"""Precision that follows the frame, by integer inference alone: ``python -m benchmarks.precision_frames TRAININGS``.

Takes pairs of networks that a sweep has trained from the same float networks, a cheap one and a dear one, and scores
both on the validation and the test part of their trainings. A third kind of cheap network needs no training: the high
bits of the dear one's (:func:`benchmarks.narrowed.narrowed`). The scores of every image go into ``frames.csv`` beside
the sweep's results; :mod:`benchmarks.frame_deciders` says what they amount to.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import frame_deciders
from benchmarks.frame_deciders import FRAMES, Frame
from benchmarks.narrowed import narrowed
from benchmarks.science_runs import Run, read_runs
from benchmarks.trained import add_arguments, network_file
from quantunet import golden, storage
from quantunet.errors import FileFormatError, QuantUNetError
from quantunet.ir import Graph
from quantunet.model import data, evaluation, results
from quantunet.model.card import bit_operations
from quantunet.model.card_file import read_card
from quantunet.model.data import Samples
from quantunet.model.metrics import score_images
from quantunet.pixel_codes import picture_codes
from quantunet.qonnx_import import load

logger = logging.getLogger(__name__)

_BATCH = 64
_UNCERTAIN = 1.0
"""Logits nearer to zero: a probability between 0.27 and 0.73."""


def frames_of(folder: Path, runs: Sequence[Run], samples: Samples, *, cheap: str, full: str) -> Iterator[Frame]:
    """Score the images of the validation and test parts with both networks, and with the high bits of the dear one.

    Args:
        folder: Of a sweep's trainings.
        runs: The rows of its results.
        samples: The data that they were trained on.
        cheap: Method of the cheap networks.
        full: Method of the dear ones.

    Raises:
        FileFormatError: No two networks of one seed or fold are there.
    """
    found = False
    other = {(run.place, run.sample): run for run in runs if run.method == cheap and run.data == samples.source}
    for run in runs:
        partner = other.get((run.place, run.sample))
        if run.method != full or partner is None or not (folder / run.name).is_dir():
            continue
        found = True
        path, small = (network_file(folder, each) for each in (run, partner))
        split = evaluation.card_split(read_card(path.with_suffix(".json")), samples)
        dear = load(path)
        pairs = {cheap: load(small), f"{full}, high bits, 1 less": narrowed(dear, 1)}
        for part in ("val", "test"):
            at = split.parts()[part]
            full_area, full_dice, _ = _scores(dear, samples, at)
            for name, graph in pairs.items():
                area, dice, uncertain = _scores(graph, samples, at)
                logger.info(
                    "%s, %s, %s: Dice %.4f of %s, %.4f of %s", samples.source, run.sample, part,
                    dice[samples.masks[at].any(axis=(1, 2))].mean(), name,
                    full_dice[samples.masks[at].any(axis=(1, 2))].mean(), full,
                )  # fmt: skip
                costs = bit_operations(graph), bit_operations(dear)
                for i, image in enumerate(at.tolist()):
                    yield Frame(
                        samples.source, name, full, "/".join(map(str, run.sample)), part, image,
                        int(samples.group[image]), int(samples.masks[image].any()), round(float(dice[i]), 6),
                        round(float(full_dice[i]), 6), int(area[i]), int(full_area[i]), int(uncertain[i]), *costs,
                    )  # fmt: skip
    if not found:
        raise FileFormatError(str(folder), expected=f"trainings {cheap} and {full} of {samples.source}", got="none")


def _scores(
    graph: Graph, samples: Samples, at: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Area of the mask, Dice (0 without a lesion) and uncertain pixels of each image."""
    area, dice, uncertain = [], [], []
    for first in range(0, len(at), _BATCH):
        batch = at[first : first + _BATCH]
        taps = golden.run_batch(graph, list(picture_codes(graph, samples.images[batch])), [graph.logits.name])
        masks = golden.mask(graph, taps)
        logits = taps[graph.logits.name] * graph.logits.qtype.scale
        area.append(masks.sum(axis=(1, 2)))
        dice.append(np.nan_to_num(score_images(masks, samples.masks[batch]).dice))
        uncertain.append((np.abs(logits) < _UNCERTAIN).reshape(len(batch), -1).sum(axis=1))
    return np.concatenate(area), np.concatenate(dice), np.concatenate(uncertain)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precision_frames", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--data", required=True, help="the data set that they were trained on")
    parser.add_argument("--cheap", required=True, help="method of the cheap networks, as runs.csv calls it")
    parser.add_argument("--full", required=True, help="method of the dear networks")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        runs, path = read_runs(args.results / results.RUNS), args.results / FRAMES
        samples = data.load(args.data, args.size)
        made = list(frames_of(args.trainings, runs, samples, cheap=args.cheap, full=args.full))
        new = {(frame.data, frame.cheap, frame.full) for frame in made}
        kept = [frame for frame in frame_deciders.read(path) if (frame.data, frame.cheap, frame.full) not in new]
        storage.write_text(path, frame_deciders.write([*kept, *made]))
    except (QuantUNetError, OSError) as error:
        logger.error("precision_frames: %s", error)  # noqa: TRY400  # one sentence is enough
        return 2
    logger.info("%s", frame_deciders.report(made))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
