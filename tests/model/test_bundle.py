"""The torch module of a bundle computes the integers of the golden model, in every op, and needs torch alone."""

from __future__ import annotations

import ast
import dataclasses
import json
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.random_files import generate
from helpers.random_graphs import random_graph

from quantunet import golden
from quantunet.errors import ModelError, PixelScaleError, QuantUNetError, UnsupportedOpError, WidthError
from quantunet.golden.masked import with_smallest_area
from quantunet.ir import Array, Conv2d, Graph, IntArray, QType, Reading, Tensor
from quantunet.model.bundle import integer_network
from quantunet.model.bundle.integer_network import LAYERS, IntegerNetwork, products, rounded
from quantunet.model.bundle.structure import check_exact, structure
from quantunet.model.bundle.write import STRUCTURE, WEIGHTS, check_bundle, compare_picture
from quantunet.model.phantoms import generate as phantoms
from quantunet.pixel_codes import picture_codes, with_pixel_scale
from quantunet.qonnx_import import load
from quantunet.random_network import GraphBuilder, random_image, random_pools, random_windows
from quantunet.rounding import round_half_even_shift
from quantunet.zoo import load_network, zoo_names


def saved(graph: Graph, folder: Path) -> IntegerNetwork:
    """Return the module of a network by way of its files."""
    content, state = structure(graph)
    for name in (STRUCTURE, WEIGHTS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / STRUCTURE).write_text(json.dumps(content), encoding="utf-8")
    torch.save(state, folder / WEIGHTS)
    return IntegerNetwork(folder / STRUCTURE, folder / WEIGHTS)


def compared(graph: Graph, network: IntegerNetwork, codes: Array) -> int:
    """Return how many values were compared: every tensor and the classes, by the plain formulas of golden."""
    taps = golden.run(graph, codes, plain=True)
    tensors = network.tensors(torch.from_numpy(codes.astype(np.int64)).permute(2, 0, 1)[None])
    assert tensors.keys() == taps.keys()
    count = 0
    for name, expected in taps.items():
        found = tensors[name][0].permute(1, 2, 0).numpy()
        assert found.dtype == np.int64 and found.shape == expected.shape
        assert (found == expected).all(), f"{graph.name}, {name}"
        count += expected.size
    assert (network.classes(tensors)[0, 0].numpy() == golden.classes(graph, taps)).all()
    return count


def with_bytes(graph: Graph) -> Graph:
    """Return a network that says what a byte means."""
    return graph if graph.pixels.scale else with_pixel_scale(graph, Fraction(1, 256))


def reordering_network() -> Graph:
    """The ops that neither the U-Nets nor the random networks of windows and pools have."""
    builder = GraphBuilder("reordering", 6, 5, 2, QType(8, False, 8), seed=2)
    first, second = (builder.matrix(Conv2d, name, "image", 8, 3, 4, QType(5, True, 3)) for name in ("one", "two"))
    x = builder.pad("padded", builder.maximum("greater", first, second), (1, 2, 0, 1), value=-3)
    x = builder.depth_to_space("pixels", builder.resize_nearest("repeated", x, (1, 2)), (2, 2))
    x = builder.crop("cropped", x, (1, 0, 2, 3))
    x = builder.requant("narrow", builder.resize_bilinear("linear", x, (2, 1)), QType(6, True, 3))
    gate = builder.requant("gate", x, QType(3, False, 2))
    x = builder.requant("product_type", builder.multiply("gated", x, gate), QType(8, True, 4))
    builder.argmax("class", builder.matrix(Conv2d, "head", x, 5, 1, 4, QType(4, True, 2)))
    return builder.build()


def test_every_op_equals_golden_in_random_networks(tmp_path: Path) -> None:
    ops: Counter[str] = Counter()
    values = 0
    graphs = [(graph, random_image(graph, seed)) for seed in range(24) for graph in [with_bytes(random_graph(seed))]]
    others = (random_windows(), random_pools(), reordering_network(), with_smallest_area(load_network("tiny"), 40))
    graphs += [(with_bytes(graph), random_image(graph)) for graph in others]
    for seed in range(60):
        file = generate(seed)
        path = tmp_path / f"file{seed}.onnx"
        path.write_bytes(file.model.SerializeToString())
        try:
            graph = with_pixel_scale(load(path), file.pixel)
            structure(graph)
        except QuantUNetError:  # what the import refuses, and the few whose logits are too wide, are no bundles
            continue
        graphs.append((graph, picture_codes(graph, file.image)))
    for index, (graph, codes) in enumerate(graphs):
        values += compared(graph, saved(graph, tmp_path / str(index)), codes)
        ops.update(node.op for node in graph.nodes)
    assert len(graphs) > 60 and values > 50_000
    assert set(ops) == set(LAYERS), f"not compared: {set(LAYERS) - set(ops)}"


@pytest.mark.parametrize("name", [name for name in zoo_names() if name != "busi_base64"])
def test_zoo_networks_equal_golden_on_pictures(name: str, tmp_path: Path) -> None:
    graph = load_network(name)
    network = saved(graph, tmp_path)
    shape = graph.tensor(graph.input).shape
    pictures = [np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)]
    pictures += list(phantoms(1, shape[0], seed=11)[0][..., None])
    count = sum(compare_picture(graph, network, picture) for picture in pictures)
    assert count == len(pictures) * (sum(np.prod(tensor.shape) for tensor in graph.tensors) + shape[0] * shape[1])


def test_the_script_needs_torch_alone(tmp_path: Path) -> None:
    """In a process that finds neither quantunet nor NumPy."""
    graph = load_network("tiny")
    saved(graph, tmp_path)
    source = Path(integer_network.__file__).read_text(encoding="utf-8")
    (tmp_path / "integer_network.py").write_text(source, encoding="utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None)])
        if name and isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported - set(sys.stdlib_module_names) == {"torch"}
    picture = phantoms(1, 32, seed=3)[0][0]
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('quantunet', 'numpy', 'monai')))\n"
        "import torch, json\n"
        "from integer_network import IntegerNetwork\n"
        f"network = IntegerNetwork({str(STRUCTURE)!r}, {str(WEIGHTS)!r})\n"
        f"image = torch.tensor({picture.tolist()}, dtype=torch.float32)[None, None] / 255\n"
        "print(json.dumps(network(image)[0, 0].tolist()))\n"
    )
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    expected = golden.mask(graph, golden.run(graph, picture_codes(graph, picture[..., None])))
    assert 0 < expected.sum() < expected.size
    assert (np.array(json.loads(ran.stdout)) == expected).all()


def test_every_byte_comes_back_from_a_picture_divided_by_255(tmp_path: Path) -> None:
    graph = load_network("tiny")
    network = saved(graph, tmp_path)
    picture = np.resize(np.arange(256, dtype=np.uint8), (32, 32, 1))
    for image in (
        torch.from_numpy(picture.astype(np.float32)) / 255,
        torch.from_numpy(picture.astype(np.float32) * np.float32(1 / 255)).clamp(0, 1),
        torch.from_numpy(picture.astype(np.float64) / 255),
    ):
        codes = network.codes(image.permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
        assert (codes == picture_codes(graph, picture)).all() and codes.size == 1024


@pytest.mark.parametrize("value", [-0.01, 1.01, 255.0, float("nan"), float("inf")])
def test_values_that_no_byte_has_are_refused(tmp_path: Path, value: float) -> None:
    network = saved(load_network("tiny"), tmp_path)
    image = torch.zeros(1, 1, 32, 32)
    image[0, 0, 3, 4] = value
    with pytest.raises(ValueError, match="from 0 to 1"):
        network(image)
    with pytest.raises(ValueError, match=r"\(N, 1, 32, 32\)"):
        network(torch.zeros(1, 1, 32, 31))


def test_another_format_or_another_state_is_refused(tmp_path: Path) -> None:
    saved(load_network("tiny"), tmp_path)
    other = tmp_path / "other"
    saved(load_network("wearable"), other)
    with pytest.raises(RuntimeError, match="size mismatch|Unexpected key|Missing key"):
        IntegerNetwork(tmp_path / STRUCTURE, other / WEIGHTS)
    (other / STRUCTURE).write_text('{"format": "quantunet-torch-0"}')
    with pytest.raises(ValueError, match="quantunet-torch-1"):
        IntegerNetwork(other / STRUCTURE, other / WEIGHTS)


def test_a_changed_weight_is_found(tmp_path: Path) -> None:
    graph = load_network("tiny")
    saved(graph, tmp_path)
    assert check_bundle(graph, tmp_path) > 100_000
    state = torch.load(tmp_path / WEIGHTS, weights_only=True)
    state["layers.0.weight"][1, 1, 0, 0] += 1
    torch.save(state, tmp_path / WEIGHTS)
    with pytest.raises(ModelError, match="integers of the golden model"):
        check_bundle(graph, tmp_path)


def test_products_are_exact_up_to_their_limit() -> None:
    """The sum of products whose partial sums come near 2**53, against Python's integers."""
    rng = np.random.default_rng(5)
    x, weight = rng.integers(0, 1 << 30, (1, 8, 3, 3)), rng.integers(-(1 << 20), 1 << 20, (8, 4))
    found = products(torch.from_numpy(x).double(), torch.from_numpy(weight).double(), 1).numpy()
    expected = np.einsum("nihw,io->nohw", x.astype(object), weight.astype(object))
    assert max(abs(value) for value in expected.ravel()) > 1 << 50
    assert (found.astype(np.int64).astype(object) == expected).all()


def test_the_rounding_is_that_of_golden() -> None:
    values = np.concatenate([np.arange(-300, 301), [(1 << 47) - 1, -(1 << 47)]])
    for shift in range(-16, 63):
        assert (rounded(torch.from_numpy(values), shift).numpy() == round_half_even_shift(values, shift)).all()


def test_sums_beyond_float64_are_refused() -> None:
    """No checked graph has them: this is one that nobody has checked."""
    weight = IntArray.of(np.full((1, 1, 2, 1), 1 << 39))
    node = Conv2d("wide", ("image",), "y", weight, QType(41, True, 0), IntArray.of([0]))
    tensors = (Tensor("image", (2, 2, 2), QType(16, False, 0)), Tensor("y", (2, 2, 1), QType(8, True, 0)))
    graph = Graph("beyond", ("image",), "y", tensors, (node,))
    with pytest.raises(WidthError, match=r"wide: expected sums of products up to 2\*\*53"):
        check_exact(graph)
    narrow = dataclasses.replace(node, weight=IntArray.of(np.full((1, 1, 2, 1), 1 << 36)))
    check_exact(dataclasses.replace(graph, nodes=(narrow,)))


def test_logits_whose_real_values_are_no_int64_are_refused() -> None:
    builder = GraphBuilder("read", 4, 4, 1, QType(8, False, 8), seed=0)
    builder.matrix(Conv2d, "head", "image", 2, 1, 4, QType(6, True, 3))
    graph = with_bytes(builder.build())
    near = Reading((Fraction(1, 3), Fraction(1, 5)), (Fraction(0), Fraction(1, 7)))
    assert structure(dataclasses.replace(graph, reading=near))[0]["decision"]["gain"] == [35, 21]
    far = Reading((Fraction(1, 3), Fraction(1, 10007)), (Fraction(0), Fraction(1, 1 << 40)))
    with pytest.raises(WidthError, match="read: expected logits"):
        structure(dataclasses.replace(graph, reading=far))


def test_classes_by_a_reading_are_those_of_golden(tmp_path: Path) -> None:
    builder = GraphBuilder("read", 9, 9, 1, QType(8, False, 8), seed=3)
    builder.matrix(Conv2d, "head", "image", 3, 1, 4, QType(6, True, 3))
    reading = Reading((Fraction(1, 3), Fraction(2, 5), Fraction(3, 7)), (Fraction(0), Fraction(1, 7), Fraction(-1)))
    graph = dataclasses.replace(with_bytes(builder.build()), reading=reading)
    assert compared(graph, saved(graph, tmp_path), random_image(graph)) > 0
    plain = golden.classes(dataclasses.replace(graph, reading=None), golden.run(graph, random_image(graph)))
    assert (plain != golden.classes(graph, golden.run(graph, random_image(graph)))).any()


def test_unknown_bytes_and_too_many_classes_are_refused() -> None:
    builder = GraphBuilder("many", 2, 2, 1, QType(8, False, 8), seed=0)
    builder.matrix(Conv2d, "head", "image", 257, 1, 4, QType(6, True, 3))
    graph = builder.build()
    with pytest.raises(UnsupportedOpError, match="at most 256 classes"):
        structure(graph)
    with pytest.raises(PixelScaleError, match="--pixel-scale"):
        structure(random_windows())
