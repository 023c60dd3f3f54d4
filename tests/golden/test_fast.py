"""The fast path against the plain formulas: strips, column blocks, batches, shifts, ties, exact types."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import random_wide
from helpers.comparing import assert_equal
from helpers.csim_cases import small_layers

from quantunet import golden
from quantunet.errors import ImageError
from quantunet.golden import cores, fast, matrix
from quantunet.golden.codes import code_dtype
from quantunet.graph_check import check
from quantunet.ir import Array, Conv2d, ConvTranspose2d, Graph, IntArray, QType, Tensor
from quantunet.ops import stems
from quantunet.random_network import GraphBuilder, random_image, random_pools, random_unet, random_windows
from quantunet.rounding import requantise, requantise_floats


def layer(kind: type[Conv2d] | type[ConvTranspose2d], kernel: int, shape: tuple[int, int, int], channels: int) -> Graph:
    builder = GraphBuilder("one", *shape, QType(5, False, 3), seed=kernel)
    builder.matrix(kind, "conv", "image", channels, kernel, 4, QType(4, True, 2))
    return builder.build()


def assert_fast_equals_plain(graph: Graph, image: Array) -> None:
    plain, taps = golden.run(graph, image, plain=True), golden.run(graph, image)
    assert plain.keys() == taps.keys()
    for name, values in plain.items():
        assert values.size > 0
        assert taps[name].dtype == np.int64
        assert (values == taps[name]).all(), name
    assert len(np.unique(plain[graph.output])) > 2


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize(("kind", "kernel"), [(Conv2d, 1), (Conv2d, 3), (ConvTranspose2d, 2)])
@pytest.mark.parametrize(
    ("shape", "channels"),
    [
        ((4, 4, 6), 8),  # a piece of a strip, in blocks of columns
        ((3, 5, 2), 3),  # channels that no number of cores divides
        ((37, 30, 600), 2),  # rows that a strip does not divide
        ((4, 700, 300), 1),  # rows longer than a strip
    ],
)
def test_pieces_of_every_shape(
    monkeypatch: pytest.MonkeyPatch, workers: int, kind: type[Conv2d] | type[ConvTranspose2d], kernel: int,
    shape: tuple[int, int, int], channels: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(cores, "WORKERS", workers)
    graph = layer(kind, kernel, shape, channels)
    assert_fast_equals_plain(graph, random_image(graph))


@pytest.mark.parametrize("workers", [1, 3])
def test_windows_inside_the_image(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """Every geometry of a small network, and layers of several strips."""
    monkeypatch.setattr(cores, "WORKERS", workers)
    graph = random_windows()
    assert_fast_equals_plain(graph, random_image(graph))
    types = (4, QType(4, True, 2))
    for rows, columns, channels in ((47, 60, 400), (9, 700, 300)):
        builder = GraphBuilder("one", rows, columns, channels, QType(5, False, 3), seed=rows)
        x = builder.convolution("conv", "image", 6, (5, 3), *types, stride=(2, 1), dilation=(1, 2), groups=2)
        builder.convolution("up", x, 2, (3, 4), *types, stride=(2, 3), crop=(1, 2, 1, 3))
        graph = builder.build()
        assert len(matrix.strips((1, *graph.tensor(x).shape), 5 * 3 * channels // 2, workers)) > 1
        assert_fast_equals_plain(graph, random_image(graph))


def test_batches_of_windows_inside_the_image() -> None:
    graph = random_windows()
    images = np.stack([random_image(graph, seed) for seed in range(9)]).astype(code_dtype(graph.tensor("image").qtype))
    found = fast.evaluate_images(graph, images, [graph.output])[graph.output]
    plain = [golden.run(graph, image.astype(np.int64), plain=True)[graph.output] for image in images]
    assert np.array_equal(found, np.stack(plain))


def test_the_shapes_above_make_pieces_of_every_kind() -> None:
    assert matrix.strips((1, 4, 4, 6), 54, 2) == [(slice(0, 1), slice(0, 4))]
    assert len(matrix.strips((1, 37, 30, 600), 5400, 2)) == 3
    assert len(matrix.strips((1, 4, 700, 300), 2700, 2)) == 4
    assert matrix.strips((3, 16, 32, 8), 2048, 1) == [(slice(i, i + 1), slice(0, 16)) for i in range(3)]
    assert matrix.strips((5, 16, 16, 8), 2048, 2) == [(slice(i, min(i + 2, 5)), slice(0, 16)) for i in (0, 2, 4)]


@pytest.mark.parametrize("channels", [1, 3, 4, 8, 9])
@pytest.mark.parametrize("width", [1, 6, 8, 16])
def test_neighbours_that_share_a_window(channels: int, width: int) -> None:
    """Pixels at both edges, and widths that 2, 4, 8, 16 and none of them divide."""
    graph = layer(Conv2d, 3, (15, width, 5), channels)
    node = graph.nodes[0]
    assert isinstance(node, Conv2d)
    of_width = {1: (1, 1, 1, 1, 1), 6: (2, 2, 2, 2, 1), 8: (8, 4, 4, 2, 1), 16: (16, 4, 4, 2, 1)}
    assert matrix._together(node, width) == of_width[width][(1, 3, 4, 8, 9).index(channels)]
    assert_fast_equals_plain(graph, random_image(graph))


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("images", [1, 2, 7, 17, 50])
def test_pieces_hold_every_image_once(images: int, count: int) -> None:
    pieces = fast._pieces(images, count)
    assert [index for piece in pieces for index in range(piece.start, piece.stop)] == list(range(images))
    assert (len(pieces) == 1) == (images < count or (count == 1 and images <= fast._PIECE_IMAGES))
    if images >= count:
        assert max(piece.stop - piece.start for piece in pieces) <= fast._PIECE_IMAGES


@pytest.mark.parametrize("bits", [1, 4, 8, 9, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_requantised_floats_equal_requantised_integers(bits: int, signed: bool) -> None:
    """Every value near 0 and values near the exact limit, so that ties, saturation and each sign of the shift occur."""
    values = np.concatenate([np.arange(-3000, 3001), np.arange(-30, 31) + (1 << 24) - 31, np.arange(0, 60) - (1 << 24)])
    compared = 0
    for shift in range(-20, 30):
        qtype = QType(bits, signed, 3)
        floats = values.astype(np.float32)
        assert (floats == values).all()
        requantise_floats(floats, 3 + shift, qtype)
        assert (floats.astype(code_dtype(qtype)) == requantise(values, 3 + shift, qtype)).all(), shift
        compared += values.size
    assert compared == 50 * (6001 + 61 + 60)


def test_every_type_of_requant() -> None:
    compared = 0
    for bits_in, bits_out, frac_out in np.ndindex(9, 9, 9):
        source, target = QType(int(bits_in) + 1, bool(bits_out % 2), 4), QType(int(bits_out) + 1, True, int(frac_out))
        builder = GraphBuilder("r", 1, source.qmax - source.qmin + 1, 1, source, 0)
        builder.requant("requant", "image", target)
        graph = builder.build()
        image = np.arange(source.qmin, source.qmax + 1)[None]
        plain, taps = golden.run(graph, image, plain=True), golden.run(graph, image)
        assert (plain["requant_out"] == taps["requant_out"]).all()
        compared += plain["requant_out"].size
    assert compared == 81 * sum(2 << bits for bits in range(9))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("frac", [-30, -2, 0, 9, 14, 20, 70])
def test_layers_with_every_sign_of_the_shift(signed: bool, frac: int) -> None:
    """From outputs that saturate everywhere to outputs that are all 0."""
    rng = np.random.default_rng(0)
    weight, bias = rng.integers(-8, 8, size=(3, 3, 4, 4)), rng.integers(-99, 99, size=4)
    node = Conv2d("c", ("x",), "y", IntArray.of(weight), QType(4, True, frac), IntArray.of(bias))
    source, target = QType(4, signed, 0), QType(6, signed, 3)
    graph = check(Graph("one", ("x",), "y", (Tensor("x", (7, 9, 4), source), Tensor("y", (7, 9, 4), target)), (node,)))
    image = random_image(graph)
    plain, taps = golden.run(graph, image, plain=True), golden.run(graph, image)
    assert plain["y"].size == 7 * 9 * 4
    assert (plain["y"] == taps["y"]).all()
    extremes = {-30: {target.qmin, target.qmax, 0}, 70: {0}}
    assert set(np.unique(plain["y"])) <= extremes.get(frac, set(range(target.qmin, target.qmax + 1)))


def test_one_above_the_exact_range_of_float32_is_seen() -> None:
    """The sum reaches 2**24 + 1, which float32 cannot hold, and the bias brings it back to 1."""
    weight, bias = np.array([256, 257], dtype=np.int64).reshape(1, 1, 2, 1), np.array([-(1 << 24)])
    node = Conv2d("c", ("x",), "y", IntArray.of(weight), QType(10, True, 0), IntArray.of(bias))
    tensors = Tensor("x", (1, 1, 2), QType(16, False, 0)), Tensor("y", (1, 1, 1), QType(4, True, 0))
    graph = check(Graph("one", ("x",), "y", tensors, (node,)))
    image = np.array([[[65535, 1]]])
    assert golden.run(graph, image, plain=True)["y"].item() == 1
    assert golden.run(graph, image)["y"].item() == 1
    assert np.float32(256 * 65535) + np.float32(257) == 1 << 24


@pytest.mark.parametrize("workers", [1, 3])
def test_every_op_in_many_small_strips(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """Strips are of some rows or of some images: at their usual size most small networks have one."""
    monkeypatch.setattr(cores, "WORKERS", workers)
    monkeypatch.setattr(matrix, "_STRIP_PIXELS", 7)
    monkeypatch.setattr(matrix, "_STRIP_FLOATS", 1)
    ops = set[str]()
    for graph in [random_pools(), random_windows(), *small_layers(), *map(random_wide.generate, range(40))]:
        images = [random_image(graph, seed) for seed in range(2)]
        names = [tensor.name for tensor in graph.tensors]
        batch = golden.run_batch(graph, images, names)
        for index, image in enumerate(images):
            assert_equal(golden.run(graph, image, plain=True), {name: batch[name][index] for name in names})
        ops |= {node.op for node in graph.nodes}
    assert ops == set(stems(computes=True))


def test_tensors_stand_in_the_smallest_types_that_hold_them() -> None:
    compared, ops = 0, set[str]()
    for seed in range(60):
        graph = random_wide.generate(seed)
        images = random_image(graph, seed)[None].astype(code_dtype(graph.tensor(graph.input).qtype))
        for name, values in fast.evaluate(graph, graph.nodes, {graph.input: images}).items():
            assert values.dtype == code_dtype(graph.tensor(name).qtype), name
            compared += 1
        ops |= {node.op for node in graph.nodes}
    assert compared > 150 and {"argmax", "affine", "lookup", "concat"} <= ops


@pytest.mark.parametrize("images", [1, 3, 19])
def test_a_batch_equals_its_images_one_by_one(images: int) -> None:
    graph = random_unet(base=4, depth=2, size=16)
    batch = [random_image(graph, seed) for seed in range(images)]
    names = [tensor.name for tensor in graph.tensors]
    kept = golden.run_batch(graph, batch, names)
    for index, image in enumerate(batch):
        assert_equal(golden.run(graph, image, plain=True), {name: values[index] for name, values in kept.items()})
    logits = golden.run_batch(graph, batch)
    assert logits.keys() == {graph.logits.name, graph.output}
    masks = golden.mask(graph, logits)
    assert masks.shape == (images, 16, 16)
    assert (masks[-1] == golden.mask(graph, golden.run(graph, batch[-1]))).all()


def test_batches_that_do_not_fit() -> None:
    graph = random_unet()
    with pytest.raises(ImageError, match="at least one image"):
        golden.run_batch(graph, [])
    with pytest.raises(ImageError, match="32x32x1"):
        golden.run_batch(graph, [random_image(graph), np.zeros((32, 31), dtype=np.uint8)])


def test_calculations_take_turns_and_put_the_number_of_threads_back() -> None:
    graph = random_unet()
    image = random_image(graph)
    expected = golden.run(graph, image, plain=True)
    before = [library.num_threads for library in cores._blas().lib_controllers]
    with ThreadPoolExecutor(4) as pool:
        for taps in pool.map(lambda _: golden.run(graph, image), range(16)):
            assert_equal(expected, taps)
    assert [library.num_threads for library in cores._blas().lib_controllers] == before


def test_a_failure_in_a_thread_is_raised() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        done.append(100 // item)

    with cores.all_cores() as all_cores, pytest.raises(ZeroDivisionError):
        all_cores.each(work, [1, 2, 0])
    assert sorted(done) == [50, 100]


@pytest.mark.parametrize(
    ("weights", "biases"),
    [
        ([[256, 0], [1, 0]], [0, 0]),
        ([[-256, 0], [-1, 0]], [0, 0]),
        ([[256, 0], [1, 0]], [-100_000, 0]),  # the products alone are too large
    ],
)
def test_sums_between_one_and_two_times_the_exact_range_of_float32(
    weights: list[list[int]], biases: list[int]
) -> None:  # fmt: skip
    node = Conv2d("c", ("x",), "y", IntArray.of([[weights]]), QType(10, True, 0), IntArray.of(biases))
    tensors = Tensor("x", (1, 1, 2), QType(16, False, 0)), Tensor("y", (1, 1, 2), QType(26, True, 0))
    graph = check(Graph("one", ("x",), "y", tensors, (node,)))
    image = np.array([[[65535, 257]]])
    exact = sum(x * w[0] for x, w in zip((65535, 257), weights, strict=True))
    assert abs(exact) == (1 << 24) + 1 and int(np.float32(exact)) != exact
    for plain in (True, False):
        assert golden.run(graph, image, plain=plain)["y"].ravel().tolist() == [exact + biases[0], 0]


def test_what_is_kept_has_the_smallest_types_and_what_is_given_stays() -> None:
    graph = random_unet(base=2, depth=1, size=8)
    names = [tensor.name for tensor in graph.tensors]
    images = np.stack([random_image(graph, seed) for seed in range(3)]).astype(
        code_dtype(graph.tensor(graph.input).qtype)
    )
    kept = fast.evaluate_images(graph, images, names)
    assert {name: values.dtype for name, values in kept.items()} == {
        tensor.name: code_dtype(tensor.qtype) for tensor in graph.tensors
    }
    given = {graph.input: images}
    fast.evaluate(graph, graph.nodes, given)
    assert list(given) == [graph.input]
