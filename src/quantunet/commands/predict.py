"""``quantunet predict``: masks of any number of pictures, DICOM and NIfTI files of any size, by integer inference.

Each mask has the size, and where its format allows it the format and the place in the patient, of the file that it is
of. Results that are there already, of the same file and network, are kept.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from quantunet import __version__, api, exit_codes, golden, result_folder, scan_files
from quantunet.commands import _pixel_scale, _predict_files, _predict_network, _predict_results, _window
from quantunet.commands._parser import Parser
from quantunet.commands._predict_files import Job
from quantunet.commands._predict_network import Prediction
from quantunet.commands._predict_results import MASKS, OVERLAYS, PROBABILITIES, Record
from quantunet.errors import OptionError, QuantUNetError, StorageError
from quantunet.golden.pictures import FITS, RULE, Fit
from quantunet.golden.probabilities import check_gives_logits
from quantunet.ir import Graph
from quantunet.mask_pictures import check_classes, save_overlay
from quantunet.provenance import file_digest, gather, graph_digest, value_digest
from quantunet.scan import Scan, Windowing, scan_bytes
from quantunet.storage import atomic_path, write_text
from quantunet.zoo import card_path, model_digest

_OVERLAY_PIXELS = 384


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: Parser = sub.add_parser(
        "predict", help="segment pictures and folders, of any size, with the integer model", description=__doc__
    )
    parser.add_model()
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="IN",
        help="pictures (PNG, JPEG, TIFF, BMP; gray of 8 or 16 bits, or RGB), DICOM and NIfTI files (with the extra "
        "`medical`), and folders of them with their sub-folders",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the results: masks/ (0 and 255; of several classes, and in DICOM and NIfTI, the classes' "
        "indices), areas.csv, and what is asked for",
    )
    parser.add_argument(
        "--fit",
        choices=FITS,
        help="how a picture gets to the network's size, where the network's card does not say it: stretched, or with "
        "its proportions between black bars",
    )
    window = parser.add_mutually_exclusive_group()
    _window.add_options(window)
    parser.add_argument("--probabilities", action="store_true", help="write the probability of each class too")
    parser.add_argument("--overlays", action="store_true", help="write pictures with the mask over them too")
    parser.add_argument("--index", action="store_true", help="write 1 instead of 255 into masks that are pictures")
    parser.add_argument(
        "--spacing",
        nargs=2,
        metavar=("ROW", "COLUMN"),
        help="height and width of a pixel in mm, where a file does not say it: for areas in square millimetres",
    )
    _pixel_scale.add_option(parser)
    parser.set_defaults(run=run)


@dataclass(frozen=True)
class _Task:
    """What is done with every file; its digest says whether results may be kept."""

    graph: Graph
    fit: Fit | None
    windowing: Windowing
    spacing: tuple[Fraction, Fraction] | None
    probabilities: bool
    overlays: bool
    index: bool

    def digest(self) -> str:
        """Return the digest of all that the results depend on beside the file."""
        return value_digest(
            {
                "quantunet": __version__,
                "rule": RULE,
                "graph": graph_digest(self.graph),
                "fit": self.fit,
                "windowing": self.windowing,
                "spacing": self.spacing,
                "outputs": {name: getattr(self, name) for name in ("probabilities", "overlays", "index")},
            }
        )


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    task = _task(args)
    out: Path = args.out
    if out.exists() and not out.is_dir():
        raise StorageError(str(out), expected="a folder", got="a file", hint="Choose another --out.")
    found = _predict_files.find(args.inputs, out)
    result_folder.remove(*(out / name for name in (_predict_results.AREAS, _predict_results.REPORT)))
    errors, records, kept = list(found.errors), [], 0
    digest = task.digest()
    with _progress() as progress:
        bar = progress.add_task("", total=len(found.jobs))
        for job in found.jobs:
            progress.update(bar, description=job.path.name)
            try:
                record, is_old = _one(task, digest, job, out)
            except _Refused as refused:
                errors.append(refused.error)
            else:
                records.append(record)
                kept += is_old
            progress.advance(bar)
    if records:
        _predict_results.write_areas(out, [row for record in records for row in record.rows])
        _write_report(args, task, found.jobs, errors, kept)
    _tell(task, out, len(records), kept, errors)
    return exit_codes.BAD_INPUT if errors else exit_codes.SUCCESS


def _task(args: argparse.Namespace) -> _Task:
    """Check the options and load the network, before any file is looked at."""
    windowing = _window.parse(args)
    spacing = None
    if args.spacing:
        row, column = (_window.number("--spacing", text) for text in args.spacing)
        if row <= 0 or column <= 0:
            raise OptionError("--spacing", expected="two lengths above 0 mm", got=" and ".join(args.spacing))
        spacing = row, column
    graph = api.load_network(args.model, pixel_scale=args.pixel_scale)
    _predict_network.check_input(graph)
    check_classes(graph.name, golden.class_count(graph))
    if args.probabilities:
        check_gives_logits(graph)
    fit = _predict_network.choose_fit(_predict_network.card_of(args.model, graph), args.fit, graph.name)
    return _Task(
        graph,
        fit,
        windowing,
        spacing,
        probabilities=args.probabilities,
        overlays=args.overlays,
        index=args.index,
    )


class _Refused(Exception):  # noqa: N818
    """One file cannot be segmented; the others can."""

    def __init__(self, error: QuantUNetError) -> None:
        super().__init__(str(error))
        self.error = error


def _one(task: _Task, digest: str, job: Job, out: Path) -> tuple[Record, bool]:
    """Segment one file, or keep what an earlier run has made of it.

    Returns:
        The record, and whether it is the earlier one.

    Raises:
        _Refused: The file is bad; what an earlier run has made of another file of that name is removed.
        StorageError: A result cannot be written.
    """
    earlier = _predict_results.read_record(out, job.name)
    try:
        source = file_digest(job.path)
        if earlier is not None and _predict_results.is_done(out, earlier, source, digest):
            return earlier, True
        scan = scan_files.read(job.path)
        pictures = scan_bytes(scan, task.windowing, str(job.path))
        found = _predict_network.predict(
            task.graph, pictures, task.fit, str(job.path), with_probabilities=task.probabilities
        )
    except QuantUNetError as error:
        _predict_results.forget(out, job.name, earlier)
        raise _Refused(error) from error
    _predict_results.forget(out, job.name, earlier)
    outputs = _write(task, job.name, scan, found, out)
    rows = _predict_results.area_rows(
        job.path.name if job.name.parent == PurePosixPath() else f"{job.name.parent}/{job.path.name}",
        found.classes,
        golden.class_count(task.graph),
        scan.spacing or task.spacing,
    )
    record = Record(source, digest, outputs, tuple(rows))
    _predict_results.write_record(out, job.name, record)
    return record, False


def _write(task: _Task, name: PurePosixPath, scan: Scan, found: Prediction, out: Path) -> dict[str, str]:
    """Write the results of one file, all or none.

    Returns:
        The digest of each, by its path below the folder.
    """
    count, results = golden.class_count(task.graph), scan.results
    writers: dict[Path, Callable[[Path], None]] = {}

    def add(kind: str, suffix: str, write: Callable[[Path], None]) -> None:
        writers[_predict_results.result_path(out, kind, name, suffix)] = write

    add(MASKS, results.suffix, lambda path: results.write_classes(path, found.classes, count, as_index=task.index))
    if found.probabilities is not None:
        channels = found.probabilities.shape[3]
        for channel in range(channels):
            index = channel if channels > 1 else 1
            values = found.probabilities[..., channel]
            text = f"class {index}"
            add(
                PROBABILITIES,
                (f"_class{index}" if channels > 1 else "") + results.probability_suffix,
                lambda path, values=values, text=text: results.write_probabilities(path, values, text),  # type: ignore[misc]
            )
    if task.overlays:
        zoom = max(1, _OVERLAY_PIXELS // found.classes.shape[2])
        for plane, (picture, classes) in enumerate(zip(found.pictures, found.classes, strict=True)):
            suffix = ".png" if len(found.classes) == 1 else f"_plane{plane:04d}.png"
            add(
                OVERLAYS,
                suffix,
                lambda path, picture=picture, classes=classes: save_overlay(path, picture, classes, zoom),  # type: ignore[misc]
            )
    with contextlib.ExitStack() as files:
        for path, write in writers.items():
            write(files.enter_context(atomic_path(path)))
    return {path.relative_to(out).as_posix(): file_digest(path) for path in writers}


def _progress() -> Progress:
    console = Console(stderr=True, highlight=False, markup=False)
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _write_report(
    args: argparse.Namespace, task: _Task, jobs: tuple[Job, ...], errors: list[QuantUNetError], kept: int
) -> None:
    """Write what was asked for, what became of it, and what it is a result of."""
    card = card_path(args.model)
    inputs = {
        "model": model_digest(args.model),
        "graph": graph_digest(task.graph),
        "card": file_digest(card) if card else None,
    }
    document = {
        "model": args.model,
        "files": len(jobs),
        "kept": kept,
        "refused": [{"file": error.where, "reason": str(error)} for error in errors],
        "fit": task.fit,
        "rule": RULE,
        "provenance": gather(args, ("numpy", "onnx", "pillow", "pydicom", "nibabel"), inputs).document(),
    }
    write_text(args.out / _predict_results.REPORT, json.dumps(document, indent=1) + "\n")


def _tell(task: _Task, out: Path, done: int, kept: int, errors: list[QuantUNetError]) -> None:
    """Print what became of the files; the refused ones, with their reasons, at the end."""
    if done:
        again = f", {kept} of them kept from an earlier run" if kept else ""
        print(f"{task.graph.name}: {done} file{'s' * (done != 1)} segmented{again}")
        print(f"masks in {out / MASKS}   areas in {out / _predict_results.AREAS}")
    if errors:
        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        console.print(f"quantunet predict: {len(errors)} refused:")
        for error in errors:
            console.print(f"  {error}")
