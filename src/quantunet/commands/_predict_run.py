"""What ``quantunet predict`` and ``quantunet.predict`` do: masks of any number of files, by integer inference."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from quantunet import __version__, api, golden, result_folder, scan_files
from quantunet.api import FilePath, Network
from quantunet.class_colours import label
from quantunet.commands import _card, _predict_files, _predict_network, _predict_results, _window
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

Number: TypeAlias = str | int | float | Fraction
"""A decimal number, or a fraction."""

Progress: TypeAlias = Callable[[int, int, str], None]
"""Is told how many files are through, of how many, and the name of the one that comes next."""


@dataclass(frozen=True)
class Predictions:
    """What became of the files.

    Attributes:
        graph: The network.
        folder: The folder of the results.
        masks: The mask of every file that was segmented, by the file.
        kept: How many of these were kept from an earlier run.
        refused: Why the other files were not segmented; ``where`` names the file.
    """

    graph: Graph
    folder: Path
    masks: Mapping[Path, Path]
    kept: int
    refused: tuple[QuantUNetError, ...]

    @property
    def areas(self) -> Path:
        """The table of areas; there where a file was segmented."""
        return self.folder / _predict_results.AREAS


@dataclass(frozen=True)
class _Task:
    """What is done with every file; its digest says whether results may be kept."""

    graph: Graph
    fit: Fit | None
    names: tuple[str, ...]
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
                "classes": self.names,
                "windowing": self.windowing,
                "spacing": self.spacing,
                "outputs": {name: getattr(self, name) for name in ("probabilities", "overlays", "index")},
            }
        )


def predict(
    model: Network,
    inputs: FilePath | Sequence[FilePath],
    out: FilePath,
    *,
    fit: Fit | None = None,
    window: tuple[Number, Number] | None = None,
    own_extent: bool = False,
    probabilities: bool = False,
    overlays: bool = False,
    index: bool = False,
    spacing: tuple[Number, Number] | None = None,
    pixel_scale: str | Fraction | None = None,
    options: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Segment pictures, DICOM and NIfTI files of any size, and folders of them, by integer inference.

    The results go to the folder ``out`` (docs/predict.md): ``masks/``, ``areas.csv``, ``report.json`` and what is asked
    for. Those that are there already, of the same file, network and options, are kept.

    Args:
        model: The network.
        inputs: Files and folders, or one.
        out: Folder of the results.
        fit: How a picture gets to the network's size where the network's card does not say it: ``stretch``, or
            ``letterbox`` with its proportions between black bars.
        window: Values of more than 8 bits that become black and white; without it, what the file says.
        own_extent: Instead of a window, the least and the greatest value of each file.
        probabilities: Write the probability of each class too.
        overlays: Write pictures with the mask over them too.
        index: Write 1 instead of 255 into masks that are pictures.
        spacing: Height and width of a pixel in mm where a file does not say it, for areas.
        pixel_scale: As in :func:`quantunet.load_network`.
        options: What the report says that it was asked for; these arguments if left out.
        progress: Called before each file and at the end.

    Returns:
        What became of the files. A file that cannot be segmented is no error: look at ``refused``.

    Raises:
        QuantUNetError: A bad network or option, or a result that cannot be written.
    """
    asked = {
        "model": model.name if isinstance(model, Graph) else os.fspath(model),
        "fit": fit,
        "window": window,
        "own_extent": own_extent,
        "probabilities": probabilities,
        "overlays": overlays,
        "index": index,
        "spacing": spacing,
        "pixel_scale": pixel_scale,
    }
    if fit is not None:
        api.choice("fit", fit, FITS)
    windowing = _window.windowing(window, own_extent=own_extent)
    size = _spacing(spacing)
    graph = api.network(model, pixel_scale)
    how, names = _by_card(model, graph, fit, probabilities)
    task = _Task(graph, how, names, windowing, size, probabilities, overlays, index)
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise StorageError(str(folder), expected="a folder", got="a file", hint="Choose another one.")
    named = [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs
    found = _predict_files.find([os.fspath(each) for each in named], folder)
    result_folder.remove(*(folder / name for name in (_predict_results.AREAS, _predict_results.REPORT)))
    refused, records, masks, kept = list(found.errors), [], {}, 0
    digest = task.digest()
    tell = progress or (lambda done, count, name: None)
    for number, job in enumerate(found.jobs):
        tell(number, len(found.jobs), job.path.name)
        try:
            record, is_old = _one(task, digest, job, folder)
        except _Refused as error:
            refused.append(error.error)
            continue
        records.append(record)
        masks[job.path] = folder / next(each for each in record.outputs if each.startswith(f"{MASKS}/"))
        kept += is_old
    tell(len(found.jobs), len(found.jobs), "")
    if records:
        _predict_results.write_areas(folder, [row for record in records for row in record.rows])
        _write_report(model, task, len(found.jobs), refused, kept, folder, asked if options is None else options)
    return Predictions(graph, folder, masks, kept, tuple(refused))


def _spacing(given: tuple[Number, Number] | None) -> tuple[Fraction, Fraction] | None:
    if given is None:
        return None
    row, column = (_window.number("spacing", str(each)) for each in given)
    if row <= 0 or column <= 0:
        raise OptionError("spacing", expected="two lengths above 0 mm", got=" and ".join(map(str, given)))
    return row, column


def _by_card(
    model: Network, graph: Graph, asked: Fit | None, probabilities: bool
) -> tuple[Fit | None, tuple[str, ...]]:
    """Check that the network can do what is asked for; return the way to its size, and its classes' names."""
    _predict_network.check_input(graph)
    count = golden.class_count(graph)
    check_classes(graph.name, count)
    if probabilities:
        check_gives_logits(graph)
    card = None if isinstance(model, Graph) else _card.beside(os.fspath(model), graph_digest(graph), count)
    return _predict_network.choose_fit(card, asked, graph.name), () if card is None else card.classes


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
        task.names,
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
            text = f"class {label(index, task.names[index] if task.names else None)}"
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
                lambda path, picture=picture, classes=classes: save_overlay(  # type: ignore[misc]
                    path, picture, classes, zoom, names=task.names
                ),
            )
    with contextlib.ExitStack() as files:
        for path, write in writers.items():
            write(files.enter_context(atomic_path(path)))
    return {path.relative_to(out).as_posix(): file_digest(path) for path in writers}


def _write_report(
    model: Network,
    task: _Task,
    files: int,
    refused: Sequence[QuantUNetError],
    kept: int,
    out: Path,
    options: Mapping[str, object],
) -> None:
    """Write what was asked for, what became of it, and what it is a result of."""
    name = None if isinstance(model, Graph) else os.fspath(model)
    card = None if name is None else card_path(name)
    inputs = {
        "model": None if name is None else model_digest(name),
        "graph": graph_digest(task.graph),
        "card": file_digest(card) if card else None,
    }
    document = {
        "model": name or task.graph.name,
        "files": files,
        "kept": kept,
        "refused": [{"file": error.where, "reason": str(error)} for error in refused],
        "fit": task.fit,
        "rule": RULE,
        "classes": list(task.names),
        "provenance": gather(options, ("numpy", "onnx", "pillow", "pydicom", "nibabel"), inputs).document(),
    }
    write_text(out / _predict_results.REPORT, json.dumps(document, indent=1) + "\n")
