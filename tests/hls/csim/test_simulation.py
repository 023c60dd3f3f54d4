"""C simulation of hls4ml projects equals the golden model, in the corners of the integer types and in a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers import layers
from helpers.csim_cases import CASES, s, u

from quantunet import cache, golden
from quantunet.accumulator import accumulator, reachable
from quantunet.errors import (
    ModelError,
    ScaleError,
    ShapeError,
    StorageError,
    ToolFailedError,
    ToolMissingError,
    WidthError,
)
from quantunet.golden.inference import evaluate
from quantunet.hls.csim import project, simulation
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, MatrixNode
from quantunet.random_network import random_image, random_pools, random_unet, random_windows
from quantunet.zoo import load_network


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hls")


def golden_frames(graph: Graph, frames: list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]) -> np.ndarray:
    node = graph.nodes[0]
    return np.stack([evaluate(graph, node, list(inputs), plain=True) for inputs in zip(*frames, strict=True)])


@pytest.mark.parametrize("graph", CASES, ids=lambda graph: graph.name)
def test_layer_equals_golden(graph: Graph, folder: Path) -> None:
    frames = layers.random_frames(graph, 3, seed=len(graph.name))
    program = simulation.build_layer(graph, graph.name, folder)
    got = simulation.run(graph, program, frames)
    expected = golden_frames(graph, frames)
    assert got.size > 0
    assert got.size == expected.size
    assert np.count_nonzero(got != expected) == 0


@pytest.mark.parametrize("kind", [Conv2d, ConvTranspose2d])
def test_accumulator_holds_its_least_and_greatest_value(
    kind: type[Conv2d] | type[ConvTranspose2d], folder: Path
) -> None:
    types = (s(4, 0), s(4, 0), s(16, 0))
    kernel = 1 if kind is Conv2d else 2
    graph = layers.matrix(kind, f"extreme_{kind.op}", (1, 1, 9), 1, kernel, types)
    node = graph.nodes[0]
    assert isinstance(node, MatrixNode)
    low, high = reachable(node, types[0])
    positive = node.weight.array[:, :, :, 0].reshape(-1, 1, 1, 9) > 0
    frames = np.concatenate([np.where(positive, -8, 7), np.where(positive, 7, -8)])
    got = simulation.run(graph, simulation.build_layer(graph, node.name, folder), [frames])
    assert np.array_equal(got, golden_frames(graph, [frames]))
    assert (got.min(), got.max()) == (low, high)
    bits = accumulator(graph, node).bits
    assert not -(1 << (bits - 2)) <= low <= high < 1 << (bits - 2)


def test_network_equals_golden(folder: Path) -> None:
    graph = random_unet(base=2, depth=1, size=8, seed=3)
    images = [random_image(graph, seed) for seed in range(2)]
    program = simulation.build_network(graph, folder)
    got = simulation.run(graph, program, [np.stack(images)])
    expected = np.stack([golden.run(graph, image)[graph.output] for image in images])
    assert got.size == 2 * 8 * 8
    assert np.array_equal(got, expected)


@pytest.mark.parametrize("graph", [random_windows(), random_pools()], ids=lambda graph: graph.name)
def test_windows_of_any_geometry_equal_golden(graph: Graph, folder: Path) -> None:
    images = [random_image(graph, seed) for seed in range(2)]
    program = simulation.build_network(graph, folder)
    every = [golden.run(graph, image) for image in images]
    assert all(len(np.unique(every[0][node.output])) > 2 for node in graph.nodes)
    got = simulation.run(graph, program, [np.stack(images)])
    assert got.size == 2 * math.prod(graph.tensor(graph.output).shape)
    assert np.array_equal(got, np.stack([taps[graph.output] for taps in every]))


def test_second_build_compiles_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = CASES[0]
    program = simulation.build_layer(graph, graph.name, folder)
    monkeypatch.setattr(simulation, "_gpp", None)
    monkeypatch.setattr(project, "_write_hls4ml", None)
    assert simulation.build_layer(graph, graph.name, folder) == program


DAMAGE: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "program cut": ("csim/*/csim", lambda data: data[: len(data) // 2]),
    "another program": ("csim/*/csim", lambda data: Path("/bin/true").read_bytes()),
    "program bit": ("csim/*/csim", lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]),
    "program manifest": (f"csim/*/{cache.MANIFEST}", lambda data: b""),
    "C++ edited": ("firmware/*.cpp", lambda data: data.replace(b"// hls-fpga", b"// edited\n// hls-fpga", 1)),
    "header edited": ("firmware/parameters.h", lambda data: data + b"\n"),
    "types edited": ("firmware/ap_types/ap_int.h", lambda data: data + b"\n"),
    "weights edited": ("firmware/weights/w2.txt", lambda data: b"0.125," + data.partition(b",")[2]),
    "weights zeroed": ("firmware/weights/w2.txt", lambda data: bytes(len(data))),
    "bench edited": ("*_test.cpp", lambda data: data[: len(data) // 2]),
    "manifest cut": (cache.MANIFEST, lambda data: data[: len(data) // 2]),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_or_edited_project_is_made_again(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler copies a program that it compiled before: that it compiles is what the tests above show."""
    graph = layers.matrix(Conv2d, "mended", (2, 2, 2), 2, 1, (u(4, 3), s(4, 3), s(8, 5)))
    project_folder = folder / "layers" / "mended"
    program = simulation.build_layer(graph, "mended", folder)
    before = {path: path.read_bytes() for path in (project_folder / "firmware").rglob("*.*") if path.is_file()}
    compiled, calls = program.read_bytes(), []

    def compiler(where: str, includes: object, source: Path, output: Path, *language: str) -> None:
        output.write_bytes(compiled)
        output.chmod(0o755)
        calls.append(where)

    monkeypatch.setattr(simulation, "_gpp", compiler)
    pattern, change = DAMAGE[kind]
    (damaged,) = project_folder.glob(pattern)
    data = damaged.read_bytes()
    assert change(data) != data
    damaged.write_bytes(change(data))
    assert simulation.build_layer(graph, "mended", folder) == program
    assert calls == ["mended"]
    assert {path: path.read_bytes() for path in before} == before
    frames = layers.random_frames(graph, 1)
    assert np.array_equal(simulation.run(graph, program, frames), golden_frames(graph, frames))
    simulation.build_layer(graph, "mended", folder)
    assert calls == ["mended"], "once is enough"


def test_a_damaged_precompiled_header_is_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []

    def compiler(where: str, includes: object, source: Path, output: Path, *language: str) -> None:
        output.write_bytes(b"compiled" * 100)
        output.chmod(0o755)
        calls.append(output)

    monkeypatch.setattr(simulation, "_gpp", compiler)
    graph = layers.matrix(Conv2d, "header", (2, 2, 2), 2, 1, (u(4, 3), s(4, 3), s(8, 5)))
    program = simulation.build_layer(graph, "header", tmp_path)
    (header,) = (tmp_path / "precompiled").glob("*/*.gch")
    header.write_bytes(header.read_bytes()[:-1])
    program.unlink()
    simulation.build_layer(graph, "header", tmp_path)
    assert [path.name for path in calls] == [header.name, program.name, header.name, program.name]
    assert header.stat().st_size == 800


def test_a_program_that_prints_nothing_and_writes_nothing_is_refused(tmp_path: Path) -> None:
    graph = CASES[0]
    program = tmp_path / "csim" / "key" / "csim"
    program.parent.mkdir(parents=True)
    program.symlink_to("/bin/true")
    frames = layers.random_frames(graph, 1)
    with pytest.raises(ToolFailedError, match="values, got 0"):
        simulation.run(graph, program, frames)
    program.unlink()
    with pytest.raises(ToolFailedError, match="exit code 127"):
        simulation.run(graph, program, frames)


def test_other_weights_make_another_project(folder: Path) -> None:
    def layer(seed: int) -> Graph:
        return layers.matrix(Conv2d, "rebuilt", (2, 2, 1), 1, 1, (u(4, 3), s(4, 3), u(4, 3)), seed)

    first = simulation.build_layer(layer(0), "rebuilt", folder)
    key = cache.digest(folder / "layers" / "rebuilt")
    second = simulation.build_layer(layer(1), "rebuilt", folder)
    assert first == second
    assert cache.digest(folder / "layers" / "rebuilt") != key
    frames = layers.random_frames(layer(1), 1)
    assert np.array_equal(simulation.run(layer(1), second, frames), golden_frames(layer(1), frames))


def test_a_changed_weight_is_seen_and_an_inexact_one_is_refused(folder: Path) -> None:
    graph = layers.matrix(Conv2d, "broken", (4, 4, 2), 2, 1, (u(4, 3), s(4, 3), s(8, 5)))
    program = simulation.build_layer(graph, "broken", folder)
    frames = layers.random_frames(graph, 1)
    weights = folder / "layers" / "broken" / "firmware" / "weights" / "w2.txt"
    values = weights.read_text().split(",")
    weights.write_text(",".join(["0.125" if float(values[0]) != 0.125 else "0.25", *values[1:]]))
    assert np.count_nonzero(simulation.run(graph, program, frames) != golden_frames(graph, frames)) > 0
    weights.write_text(",".join(["0.1", *values[1:]]))
    with pytest.raises(ToolFailedError, match="value 0 of 4 is missing or not exact"):
        simulation.run(graph, program, frames)


def test_wrong_input_is_refused(folder: Path) -> None:
    graph = CASES[0]
    program = simulation.build_layer(graph, graph.name, folder)
    with pytest.raises(ShapeError, match="x: expected frames of shape"):
        simulation.run_layer(graph, graph.name, program, {"x": np.zeros((5, 6, 3), dtype=np.int64)})
    with pytest.raises(WidthError, match=r"x: expected values of u8\.8, got 0\.\.256"):
        values = np.zeros((6, 5, 3), dtype=np.int64)
        values[0, 0, 0] = 256
        simulation.run_layer(graph, graph.name, program, {"x": values})
    with pytest.raises(ModelError, match="expected the name of a layer, got 'other'"):
        simulation.build_layer(graph, "other", folder)


def test_missing_compiler_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    simulation._compiler.cache_clear()
    try:
        with pytest.raises(
            ToolMissingError, match=r"g\+\+: expected the GNU C\+\+ compiler on PATH.*apt-get install g\+\+"
        ):
            simulation.build_layer(CASES[-1], CASES[-1].name, tmp_path / "hls")
    finally:
        simulation._compiler.cache_clear()


def test_a_compiler_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "bin" / "g++"
    compiler.parent.mkdir()
    compiler.write_text('#!/bin/sh\n[ "$1" = --version ] && echo \'fake 1\' && exit 0\necho "$MESSAGE" >&2; exit 1\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(compiler.parent), prepend=":")
    simulation._compiler.cache_clear()
    try:
        for message, error in (("error: oops", ToolFailedError), ("No space left on device", StorageError)):
            monkeypatch.setenv("MESSAGE", message)
            with pytest.raises(error):
                simulation.build_layer(CASES[-1], CASES[-1].name, tmp_path / "hls")
    finally:
        simulation._compiler.cache_clear()
    assert not [
        path
        for path in (tmp_path / "hls").rglob("*")
        if path.is_file() and (path.name == "csim" or path.suffix == ".gch")
    ]


def test_a_requantisation_that_drops_more_than_there_is_is_refused(folder: Path) -> None:
    graph = layers.requant("to_zero", (2, 2, 1), u(3, 8), u(4, 4))
    with pytest.raises(ScaleError, match="to_zero: expected at most 3 dropped bits"):
        simulation.build_layer(graph, "to_zero", folder)
    assert not (folder / "layers" / "to_zero").exists()


@pytest.mark.parametrize(
    ("change", "index"),
    [
        (lambda text: text.rpartition(",")[0], 2),
        (lambda text: text + ", 0.125", 3),
        (lambda text: "", 0),
        (lambda text: text.replace(",", ";", 1), 0),
        (lambda text: "1.0," + text.partition(",")[2], 0),
        (lambda text: "0.0625," + text.partition(",")[2], 0),
    ],
    ids=["one missing", "one more", "empty", "another separator", "too large", "too fine"],
)
def test_a_damaged_weight_file_is_refused(change: Callable[[str], str], index: int, folder: Path) -> None:
    graph = layers.matrix(Conv2d, "damaged", (2, 2, 2), 2, 1, (u(4, 3), s(4, 3), s(8, 5)))
    program = simulation.build_layer(graph, "damaged", folder)
    weights = folder / "layers" / "damaged" / "firmware" / "weights" / "w2.txt"
    text = weights.read_text()
    weights.write_text(change(text))
    try:
        with pytest.raises(ToolFailedError, match=f"w2.txt: value {index} of 4 is missing or not exact"):
            simulation.run(graph, program, layers.random_frames(graph, 1))
    finally:
        weights.write_text(text)


def test_the_quick_types_compute_what_the_stock_types_do(folder: Path) -> None:
    """hls4ml's header holds the word that the quick types leave out, and nothing else differs."""
    graph = CASES[1]
    quick = simulation.build_layer(graph, graph.name, folder)
    stock = simulation.build_layer(graph, graph.name, folder, stock=True)
    assert quick != stock
    frames = layers.random_frames(graph, 2)
    assert np.array_equal(simulation.run(graph, quick, frames), simulation.run(graph, stock, frames))
    header = Path("etc") / "ap_private.h"
    changed = [path / header for path in (folder / "precompiled").glob("*/ap_types")]
    assert len(changed) == 1
    original = (folder / "layers" / graph.name / "firmware" / "ap_types" / header).read_text()
    assert changed[0].read_text() != original
    assert changed[0].read_text() == original.replace("clearUnusedBits(void) volatile", "clearUnusedBits(void)")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bottleneck_conv1", "dec0_conv0"])
def test_the_largest_layers_of_the_paper_network(name: str, tmp_path: Path) -> None:
    """The most weights, 9.4 million, and the most multiplications on the largest image, 1.2 billion."""
    graph = load_network("paper")
    taps = golden.run(graph, random_image(graph))
    got = simulation.run_layer(graph, name, simulation.build_layer(graph, name, tmp_path), taps)
    expected = taps[graph.node(name).output]
    assert got.size == expected.size == {"bottleneck_conv1": 8 * 8 * 1024, "dec0_conv0": 128 * 128 * 64}[name]
    assert len(np.unique(expected)) > 4
    assert np.array_equal(got, expected)


@pytest.mark.slow
def test_the_whole_paper_network(tmp_path: Path) -> None:
    graph = load_network("paper")
    image = random_image(graph)
    got = simulation.run(graph, simulation.build_network(graph, tmp_path), [image[None]])
    assert got.size == 128 * 128
    assert np.array_equal(got[0], golden.run(graph, image)[graph.output])
