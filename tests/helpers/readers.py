"""Every reader of files from outside: whole files to begin with, how they are damaged, and what an accepted one is.

``read`` must raise a :class:`~quantunet.errors.QuantUNetError` or return; the check that it returns must then find the
object whole: legal, equal after a round trip, of the documented types.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from helpers import damage, scans
from helpers.qonnx_files import SmallUnet
from PIL import Image

from quantunet import golden, graph_file, images, packed, qonnx_import, scan_files
from quantunet.constraints import board
from quantunet.golden.taps import load_taps, save_taps
from quantunet.graph_check import check
from quantunet.hls import folding
from quantunet.hls.choose import default
from quantunet.ir import Graph
from quantunet.model.card_file import NEEDED_PARTS, NEEDED_SCORES, read_card
from quantunet.model.sweep import read_jobs
from quantunet.pixel_codes import read_codes
from quantunet.random_network import random_unet
from quantunet.scan import Windowing, scan_bytes
from quantunet.zoo import network_path

Check = Callable[[], None]

SIZE = 32
_SMALL = 1 << 16  # values of a tensor, for a run of golden
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}\Z")


@dataclass(frozen=True)
class Reader:
    """A reader.

    Attributes:
        suffix: Of its files.
        make: Writes whole files into a folder and returns them.
        damage: Damages one.
        read: Reads a file and returns the check of what came out.
    """

    suffix: str
    make: Callable[[Path], list[Path]]
    damage: damage.Damage
    read: Callable[[Path], Check]


@functools.cache
def _graph() -> Graph:
    return random_unet(base=2, depth=1, size=8, seed=3)


def _check_graph(graph: Graph) -> None:
    for name in (*(node.name for node in graph.nodes), *(tensor.name for tensor in graph.tensors)):
        assert _NAME.match(name), f"the name {name!r}"
    assert "/" not in graph.name and graph.name.isprintable(), f"the name {graph.name!r}"
    assert check(graph) is graph
    assert graph_file.from_json(graph_file.to_json(graph)) == graph
    assert packed.unpack(packed.pack(graph)) == graph
    if len(graph.inputs) != 1 or max(math.prod(tensor.shape) for tensor in graph.tensors) > _SMALL:
        return
    source = graph.tensor(graph.input)
    rng = np.random.default_rng(0)
    taps = golden.run(graph, rng.integers(source.qtype.qmin, source.qtype.qmax + 1, size=source.shape))
    for tensor in graph.tensors:
        values = taps[tensor.name]
        assert values.shape == tensor.shape
        assert tensor.qtype.qmin <= values.min() and values.max() <= tensor.qtype.qmax


def _make_onnx(folder: Path) -> list[Path]:
    small = SmallUnet().write(folder / "small.onnx")
    return [small, Path(shutil.copy(network_path("tiny"), folder / "tiny.onnx"))]


def _read_onnx(path: Path) -> Check:
    graph = qonnx_import.load(path)
    return lambda: _check_graph(graph)


def _make_qun(folder: Path) -> list[Path]:
    packed.write(_graph(), folder / "random.qun")
    packed.write(qonnx_import.load(network_path("tiny")), folder / "tiny.qun")
    return [folder / "random.qun", folder / "tiny.qun"]


def _read_qun(path: Path) -> Check:
    graph = packed.read(path)
    return lambda: _check_graph(graph)


def _make_graph(folder: Path) -> list[Path]:
    (folder / "graph.json").write_text(graph_file.to_json(_graph()))
    return [folder / "graph.json"]


def _read_graph(path: Path) -> Check:
    from quantunet.graph_file import read

    graph = read(path)
    return lambda: _check_graph(graph)


def _make_data(folder: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {
        "images": rng.integers(0, 256, (4, SIZE, SIZE)).astype(np.uint8),
        "masks": rng.integers(0, 2, (4, SIZE, SIZE)).astype(np.uint8),
        "group": np.array([0, 0, 1, 2]),
    }
    np.savez(folder / "plain.npz", **arrays)  # type: ignore[arg-type]
    more = {"label": np.array(["benign", "malignant", "normal", "benign"]), "masks_observer2": arrays["masks"]}
    np.savez_compressed(folder / "more.npz", **arrays, **more)  # type: ignore[arg-type]
    return [folder / "plain.npz", folder / "more.npz"]


def _read_data(path: Path) -> Check:
    from quantunet.model.data import load_npz

    samples = load_npz(path)

    def check() -> None:
        count = len(samples.images)
        assert samples.images.dtype == np.uint8 and samples.images.ndim == 3
        assert samples.masks.shape == samples.images.shape[:3] and set(np.unique(samples.masks)) <= {0, 1}
        assert samples.group.shape == (count,) and samples.group.dtype == np.int64

    return check


def _make_taps(folder: Path) -> list[Path]:
    graph = _graph()
    taps = golden.run(graph, np.zeros(graph.tensor(graph.input).shape, np.int64))
    save_taps(folder / "taps.npz", dict(list(taps.items())[:6]))
    return [folder / "taps.npz"]


def _read_taps(path: Path) -> Check:
    taps = load_taps(path)

    def check() -> None:
        assert all(values.dtype == np.int64 and values.ndim == 3 for values in taps.values())

    return check


def _make_pictures(folder: Path) -> list[Path]:
    gray = Image.fromarray(np.random.default_rng(0).integers(0, 256, (SIZE, SIZE)).astype(np.uint8))
    paths = []
    for name in ("gray.png", "gray.png", "gray.png", "gray.bmp", "gray.tif", "gray.jpg", "gray.gif", "gray.pgm"):
        gray.save(folder / name)
        paths.append(folder / name)
    gray.convert("RGB").quantize(16).save(folder / "palette.png")
    Image.fromarray(np.arange(SIZE * SIZE, dtype=np.uint16).reshape(SIZE, SIZE)).save(folder / "deep.png")
    return [*paths, folder / "palette.png", folder / "deep.png"]


def _read_picture(path: Path) -> Check:
    picture = images.load_image(str(path), (SIZE, SIZE, 1))

    def check() -> None:
        assert picture.dtype == np.uint8 and picture.shape[:2] == (SIZE, SIZE)

    return check


def _make_folding(folder: Path) -> list[Path]:
    chosen = default.default_folding(_graph())
    folding.write_folding(folder / "folding.json", chosen)
    styles = {name: dataclasses.replace(fold, style="folded-dsp") for name, fold in chosen.items() if "conv" in name}
    folding.write_folding(folder / "styles.json", styles)
    return [folder / "folding.json", folder / "styles.json"]


def _read_folding(path: Path) -> Check:
    found = default.read_folding(path, _graph())

    def check() -> None:
        assert folding.Folding(_graph(), found) == found
        again = path.with_name("again.json")
        folding.write_folding(again, found)
        assert default.read_folding(again, _graph()) == found

    return check


_SWEEP = """# a comment
[study.first]
data = "phantoms"
preset = "tiny"
seed = [0, 1]
bits = ["learned", 4, "float"]
distil = [0.0, 1.0]
augment = true

[study.second]
data = "sets/busi_128.npz"
preset = "wearable"
bit_lambda = 0.5
val_fraction = 0.2
qat_epochs = 3
"""


def _make_sweep(folder: Path) -> list[Path]:
    (folder / "sweep.toml").write_text(_SWEEP)
    return [folder / "sweep.toml"]


def _read_sweep(path: Path) -> Check:
    jobs = read_jobs(path)

    def check() -> None:
        assert jobs and len({job.name for job in jobs}) == len(jobs)
        for job in jobs:
            assert (
                re.fullmatch(r"[^/]+/[^/]+", job.name) and job.name.isprintable() and ".." not in Path(job.name).parts
            )
            assert isinstance(job.config.seed, int) and isinstance(job.config.augment, bool)
            assert all(isinstance(value, int | float | str | Mapping | None) for value in job.config.to_dict().values())

    return check


def _make_card(folder: Path) -> list[Path]:
    return [Path(shutil.copy(network_path(name).with_suffix(".json"), folder)) for name in ("tiny", "wearable")]


def _read_card(path: Path) -> Check:
    card = read_card(path)

    def check() -> None:
        assert isinstance(card.source, str) and type(card.seed) is int and card.split_by in ("group", "image")
        assert 0 <= card.val_fraction <= 1 and 0 <= card.test_fraction <= 1
        f"{card.parameters:,} {card.mean_bits:.2f} {card.packed_bytes:,} {card.ratio:.2f} {card.image_size}".encode()
        for scores in (card.float_scores, card.quantised_scores):
            for part in NEEDED_PARTS:
                for score in NEEDED_SCORES:
                    assert scores[part][score] is None or math.isfinite(scores[part][score])  # type: ignore[arg-type]

    return check


def _make_board(folder: Path) -> list[Path]:
    name = "ulx3s_85f"
    shutil.copytree(board.BOARDS_FOLDER / name, folder / "boards" / name)
    return [folder / "boards" / name / "board.toml"]


def _read_board(path: Path) -> Check:
    place = path.parent / "boards" / "ulx3s_85f"
    if not place.is_dir():
        shutil.copytree(board.BOARDS_FOLDER / "ulx3s_85f", place)
    shutil.copy(path, place / "board.toml")
    found = board.load_board("ulx3s_85f", place.parent)

    def check() -> None:
        assert found.constraints.parent == place and found.family in board.FAMILIES
        assert type(found.clk_mhz) is float and found.clk_mhz > 0
        assert all(getattr(found.budget, name).count > 0 for name in board.RESOURCES)

    return check


_KEYS = {"version", "config", "model", "epoch"}


def _make_checkpoint(folder: Path) -> list[Path]:
    import torch

    from quantunet.model import checkpoint

    content = {"version": 1, "config": {"preset": "tiny", "seed": 0}, "model": {"w": torch.arange(6.0)}, "epoch": 3}
    checkpoint.save(folder / "last.pt", content)
    return [folder / "last.pt"]


def _read_checkpoint(path: Path) -> Check:
    from quantunet.model import checkpoint

    content = checkpoint.load(path, _KEYS)

    def check() -> None:
        assert isinstance(content, dict) and content.keys() >= _KEYS

    return check


def _make_codes(folder: Path) -> list[Path]:
    source = _graph().tensor(_graph().input)
    codes = np.random.default_rng(0).integers(source.qtype.qmin, source.qtype.qmax + 1, size=source.shape)
    np.save(folder / "small.npy", codes.astype(np.uint8))
    np.save(folder / "fortran.npy", np.asfortranarray(codes.astype(">i4")))
    return [folder / "small.npy", folder / "fortran.npy"]


def _read_codes(path: Path) -> Check:
    codes = read_codes(_graph(), path)

    def check() -> None:
        source = _graph().tensor(_graph().input)
        assert codes.shape == source.shape and codes.dtype == np.int64
        assert source.qtype.qmin <= codes.min() and codes.max() <= source.qtype.qmax

    return check


def _make_dicom(folder: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    gray, deep = rng.integers(0, 256, size=(8, 12)).astype(np.uint8), rng.integers(-9, 999, (8, 12)).astype(np.int16)
    return [
        scans.dicom(folder / "gray.dcm", gray),
        scans.dicom(folder / "colour.dcm", np.stack([gray] * 3, axis=2)),
        scans.dicom(folder / "deep.dcm", deep, RescaleSlope="2", WindowCenter="40", WindowWidth="400"),
    ]


def _make_nifti(folder: Path) -> list[Path]:
    values = np.random.default_rng(0).integers(0, 256, size=(12, 8, 2))
    return [
        scans.nifti(folder / "bytes.nii", values.astype(np.uint8)),
        scans.nifti(folder / "floats.nii", values.astype(np.float32)),
        scans.nifti(folder / "deep.nii", values.astype(np.int16), slope=2, inter=-3),
    ]


def _read_scan(path: Path) -> Check:
    scan = scan_files.read(path)
    shown = scan_bytes(scan, Windowing(own_extent=True), str(path))

    def check() -> None:
        assert shown.ndim == 4 and shown.shape[3] in (1, 3) and shown.size and shown.dtype == np.uint8
        assert scan.spacing is None or all(side > 0 for side in scan.spacing)
        made = path.with_name(f"made{scan.results.suffix}")
        scan.results.write_classes(made, shown[..., 0] // 128, 2, as_index=True)
        again = scan_bytes(scan_files.read(made), Windowing(), str(made))
        assert (again == shown[..., :1] // 128).all()

    return check


READERS: dict[str, Reader] = {
    "dicom": Reader(".dcm", _make_dicom, damage.bytewise, _read_scan),
    "nifti": Reader(".nii", _make_nifti, damage.bytewise, _read_scan),
    "onnx": Reader(".onnx", _make_onnx, damage.onnx_file, _read_onnx),
    "qun": Reader(".qun", _make_qun, damage.packed_file, _read_qun),
    "graph": Reader(".json", _make_graph, damage.json_file, _read_graph),
    "data": Reader(".npz", _make_data, damage.zip_file, _read_data),
    "codes": Reader(".npy", _make_codes, damage.array, _read_codes),
    "taps": Reader(".npz", _make_taps, damage.zip_file, _read_taps),
    "picture": Reader(".png", _make_pictures, damage.picture, _read_picture),
    "folding": Reader(".json", _make_folding, damage.json_file, _read_folding),
    "sweep": Reader(".toml", _make_sweep, damage.toml_file, _read_sweep),
    "card": Reader(".json", _make_card, damage.json_file, _read_card),
    "board": Reader(".toml", _make_board, damage.toml_file, _read_board),
    "checkpoint": Reader(".pt", _make_checkpoint, damage.zip_file, _read_checkpoint),
}
