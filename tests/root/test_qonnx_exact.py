"""The exact reference of QONNX, against values worked by hand and against qonnx' own executor."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import onnx
import pytest
from helpers.qonnx_exact import ROUNDING, Exact, Executor, NoExactMeaningError, integer_range, run
from helpers.random_qonnx import generate
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"


def model(
    nodes: list[onnx.NodeProto], constants: dict[str, Any], shape: list[int], opset: int = 17, qonnx: int = 1
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "case",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(QONNX, qonnx)])


def one(op: str, x: Any, *constants: Any, opset: int = 17, domain: str = "", **attributes: Any) -> Any:
    """The values of one node, as nested lists of fractions."""
    named = {f"c{index}": value for index, value in enumerate(constants) if value is not None}
    inputs = ["x", *(f"c{index}" if value is not None else "" for index, value in enumerate(constants))]
    node = helper.make_node(op, inputs, ["y"], name="node", domain=domain, **attributes)
    given = Exact.of(x)
    made = model([node], named, list(given.shape), opset)
    return run(made, {"x": given})["y"].fractions().tolist()


def f32(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


TIES = [Fraction(n, 4) for n in (-10, -7, -6, -5, -2, -1, 0, 1, 2, 5, 6, 7, 10)]
ROUNDED = {
    "ROUND": [-2, -2, -2, -1, 0, 0, 0, 0, 0, 1, 2, 2, 2],
    "HALF_EVEN": [-2, -2, -2, -1, 0, 0, 0, 0, 0, 1, 2, 2, 2],
    "CEIL": [-2, -1, -1, -1, 0, 0, 0, 1, 1, 2, 2, 2, 3],
    "FLOOR": [-3, -2, -2, -2, -1, -1, 0, 0, 0, 1, 1, 1, 2],
    "UP": [-3, -2, -2, -2, -1, -1, 0, 1, 1, 2, 2, 2, 3],
    "DOWN": [-2, -1, -1, -1, 0, 0, 0, 0, 0, 1, 1, 1, 2],
    "HALF_UP": [-3, -2, -2, -1, -1, 0, 0, 0, 1, 1, 2, 2, 3],
    "HALF_DOWN": [-2, -2, -1, -1, 0, 0, 0, 0, 0, 1, 1, 2, 2],
}


@pytest.mark.parametrize("mode", sorted(ROUNDING))
def test_every_rounding_mode_by_hand(mode: str) -> None:
    assert [ROUNDING[mode](value) for value in TIES] == ROUNDED[mode]


@pytest.mark.parametrize("mode", sorted(ROUNDING))
def test_every_rounding_mode_as_qonnx(mode: str) -> None:
    from qonnx.custom_op.general.intquant import resolve_rounding_mode

    theirs = resolve_rounding_mode(mode)(np.array([float(value) for value in TIES]))
    assert [ROUNDING[mode](value) for value in TIES] == theirs.tolist()


@pytest.mark.parametrize(
    ("signed", "narrow", "expected"),
    [(True, False, (-8, 7)), (True, True, (-7, 7)), (False, False, (0, 15)), (False, True, (0, 14))],
)
def test_ranges(signed: bool, narrow: bool, expected: tuple[int, int]) -> None:
    assert integer_range(4, signed, narrow) == expected


def test_quantiser_by_hand() -> None:
    values = [Fraction(5, 8), Fraction(7, 8), Fraction(-9), Fraction(9)]
    arguments = {"signed": 1, "narrow": 1, "rounding_mode": "ROUND", "domain": QONNX}
    got = one("Quant", values, f32(0.25)[0], f32(0)[0], f32(4)[0], **arguments)
    assert got == [Fraction(1, 2), 1, Fraction(-7, 4), Fraction(7, 4)]  # 2.5 and 3.5 go to the even 2 and 4
    got = one("IntQuant", values, f32(0.25)[0], f32(2)[0], f32(4)[0], **arguments)  # zero point 2
    assert got == [Fraction(1, 2), 1, Fraction(-9, 4), Fraction(5, 4)]
    got = one("Quant", [Fraction(-1), Fraction(0)], f32(0.5)[0], f32(0)[0], f32(1)[0], **arguments)  # one bit: bipolar
    assert got == [Fraction(-1, 2), Fraction(1, 2)]
    assert one("BipolarQuant", values, f32(0.5)[0], domain=QONNX) == [Fraction(1, 2)] * 2 + [-Fraction(1, 2), 0.5]


def test_a_third_is_a_third() -> None:
    """What float32 cannot say: 1/255 of the file is not 1/255 of the picture, and both are exact here."""
    stored = np.float32(1 / 255)
    assert one("Mul", [Fraction(255)], f32(1 / 255)) == [255 * Fraction(float(stored))]
    assert one("Mul", [Fraction(1, 3)], f32(3)) == [1]
    assert one("Div", [Fraction(1, 3), Fraction(2)], f32(3, 7)) == [Fraction(1, 9), Fraction(2, 7)]
    assert one("Sub", [Fraction(1, 3), Fraction(2)], f32(0.5)) == [Fraction(-1, 6), Fraction(3, 2)]


def test_truncation_by_hand() -> None:
    arguments: dict[str, Any] = {"domain": QONNX, "rounding_mode": "FLOOR"}
    x = [Fraction(7), Fraction(-7)]
    scale, zero, bits, out = f32(1)[0], f32(0)[0], f32(8)[0], f32(6)[0]
    assert one("Trunc", x, scale, zero, bits, out, **arguments) == [1, -2]  # version 1 keeps the scale
    assert one("Trunc", x, scale, zero, bits, f32(4)[0], out, **arguments) == [4, -8]  # version 2 has its own
    assert one("Trunc", x, scale, zero, bits, f32(4)[0], f32(1)[0], signed=0, **arguments) == [4, 0]


def test_clip_and_slopes() -> None:
    x = [Fraction(-3), Fraction(1, 2), Fraction(9)]
    assert one("Clip", x, opset=6, min=0.0, max=6.0) == [0, Fraction(1, 2), 6]
    assert one("Clip", x, f32(0)[0], f32(6)[0], opset=11) == [0, Fraction(1, 2), 6]
    assert one("Clip", x, None, f32(6)[0], opset=13) == [-3, Fraction(1, 2), 6]
    assert one("LeakyRelu", x, alpha=0.25) == [Fraction(-3, 4), Fraction(1, 2), 9]
    assert one("PRelu", x, f32(0.5)) == [Fraction(-3, 2), Fraction(1, 2), 9]
    assert one("Max", x, f32(0)[0]) == [0, Fraction(1, 2), 9]
    assert one("Min", x, f32(0.25)[0]) == [-3, Fraction(1, 4), Fraction(1, 4)]
    assert one("ThresholdedRelu", x, alpha=1.0) == [0, 0, 9]
    assert one("Relu", x) == [0, Fraction(1, 2), 9]


def test_windows_by_hand() -> None:
    x = [[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]]
    ones = np.ones((1, 1, 2, 2), dtype=np.float32)
    assert one("Conv", x, ones) == [[[[12, 16], [24, 28]]]]
    assert one("Conv", x, ones, auto_pad="SAME_UPPER") == [[[[12, 16, 9], [24, 28, 15], [15, 17, 9]]]]
    assert one("Conv", x, ones, auto_pad="SAME_LOWER")[0][0][0] == [1, 3, 5]
    assert one("Conv", x, ones, f32(0.5), pads=[1, 0, 0, 0], strides=[2, 1])[0][0] == [[3.5, 5.5], [24.5, 28.5]]
    assert one("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]) == [[[[5]]]]
    assert one("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1) == [[[[5, 6], [8, 9]]]]
    assert one("MaxPool", x, kernel_shape=[2, 2], pads=[1, 1, 0, 0])[0][0][0] == [1, 2, 3]
    assert one("AveragePool", x, kernel_shape=[2, 2], pads=[1, 1, 0, 0])[0][0][0] == [1, Fraction(3, 2), Fraction(5, 2)]
    up = np.array([[[[1, 2], [3, 4]]]], dtype=np.float32)
    assert one("ConvTranspose", [[[[1, 10]]]], up, strides=[2, 2])[0][0] == [[1, 2, 10, 20], [3, 4, 30, 40]]
    scales = f32(1, 1, 2, 2)
    arguments = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    assert one("Resize", [[[[1, 2]]]], None, scales, **arguments)[0][0] == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_shapes_by_hand() -> None:
    x = np.arange(6).reshape(1, 2, 3)
    assert one("Transpose", x, perm=[0, 2, 1])[0] == [[0, 3], [1, 4], [2, 5]]
    assert one("Reshape", x, np.array([0, -1])) == [[0, 1, 2, 3, 4, 5]]
    assert one("Flatten", x, axis=-1) == [[0, 1, 2], [3, 4, 5]]
    assert one("Squeeze", x, np.array([0])) == [[0, 1, 2], [3, 4, 5]]
    assert one("Unsqueeze", [1], opset=11, axes=[0, 2]) == [[[1]]]
    assert one("Pad", [1], np.array([1, 2]), f32(0.5)[0]) == [0.5, 1, 0.5, 0.5]
    assert one("ArgMax", [[1, 3, 3]], axis=1) == [[1]]
    assert one("Sigmoid", [0]) == [Fraction(1, 2)]


BAD: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Softmax", ([1],), {}),
    ("Conv", ([[[[1]]]], np.ones((1, 1, 1, 1), np.float32)), {"kernel_shape": [3, 3]}),
    ("Conv", ([[[[1]]]], np.ones((1, 2, 1, 1), np.float32)), {}),
    ("Conv", ([[[[1]]]], np.ones((1, 1, 1, 1), np.float32)), {"auto_pad": "SAME_UPPER", "pads": [1, 1, 1, 1]}),
    ("Conv", ([[[[1]]]], np.full((1, 1, 1, 1), np.nan, np.float32)), {}),
    ("Conv", ([[[[1]]]], np.ones((1, 1, 1, 1), np.float32)), {"nonsense": 1}),
    ("Mul", ([1], f32(np.inf)), {}),
    ("Div", ([1], f32(0)), {}),
    ("Relu", ([1],), {"domain": "com.example"}),
    ("Quant", ([1], f32(1)[0], f32(0)[0], f32(2.5)[0]), {"domain": QONNX, "signed": 1, "narrow": 0}),
    ("Quant", ([1], f32(1)[0], f32(0)[0], f32(2)[0]), {"domain": QONNX, "signed": 1}),
    ("Quant", ([1], f32(1)[0], f32(0)[0], f32(2)[0]), {"domain": "com.example", "signed": 1, "narrow": 0}),
    ("Quant", ([1], f32(1, 2), f32(0)[0], f32(2)[0]), {"domain": QONNX, "signed": 1, "narrow": 0}),
]


@pytest.mark.parametrize(("op", "values", "attributes"), BAD)
def test_what_has_no_exact_meaning(op: str, values: tuple[Any, ...], attributes: dict[str, Any]) -> None:
    with pytest.raises(NoExactMeaningError):
        one(op, *values, **attributes)


def test_sources_and_order() -> None:
    relu = helper.make_node("Relu", ["x"], ["a"])
    double = helper.make_node("Add", ["a", "a"], ["y"])
    made = model([double, relu], {}, [1])
    assert run(made, {"x": Exact.of([3])})["y"].fractions().tolist() == [6]
    with pytest.raises(NoExactMeaningError, match="cycle"):
        run(model([helper.make_node("Add", ["x", "y"], ["a"]), helper.make_node("Relu", ["a"], ["y"])], {}, [1]),
            {"x": Exact.of([3])})  # fmt: skip
    with pytest.raises(NoExactMeaningError, match="two sources"):
        Executor(model([relu, relu], {}, [1]), {"x": Exact.of([3])})
    with pytest.raises(NoExactMeaningError, match="no source"):
        run(model([relu], {}, [1]), {"x": Exact.of([3])})


def _float_network(rng: np.random.Generator, mode: str, opset: int) -> onnx.ModelProto:
    """A network in which float32 is exact: few bits everywhere."""
    constants: dict[str, Any] = {"zero": f32(0)[0], "s2": f32(0.25)[0], "s5": f32(2.0**-5)[0], "b4": f32(4)[0]}
    constants |= {"raw": rng.normal(size=(3, 2, 3, 3)).astype(np.float32), "one": f32(0.5)[0]}
    constants |= {"up": (rng.integers(-3, 4, size=(3, 2, 2, 2)) / 4).astype(np.float32)}
    constants |= {"perchannel": f32(0.5, 0.25, 1.0).reshape(3, 1, 1, 1), "bias": f32(0.25, -0.5, 1)}
    quant: dict[str, Any] = {"domain": QONNX, "rounding_mode": mode}
    window = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        helper.make_node("Sub", ["x", "one"], ["n"]),
        helper.make_node("Quant", ["n", "s5", "zero", "b4"], ["q"], signed=1, narrow=0, **quant),
        helper.make_node("Quant", ["raw", "perchannel", "zero", "b4"], ["w"], signed=1, narrow=1, **quant),
        helper.make_node("Conv", ["q", "w", "bias"], ["c"], auto_pad="SAME_LOWER"),
        helper.make_node("LeakyRelu", ["c"], ["l"], alpha=0.125),
        helper.make_node("Quant", ["l", "s2", "zero", "b4"], ["a"], signed=1, narrow=1, **quant),
        helper.make_node("MaxPool", ["a"], ["p"], **window),
        helper.make_node("ConvTranspose", ["p", "up"], ["u"], strides=[2, 2]),
        helper.make_node("BipolarQuant", ["u", "s2"], ["b"], domain=QONNX),
        helper.make_node("AveragePool", ["u"], ["v"], kernel_shape=[2, 2], pads=[0, 0, 1, 1], count_include_pad=1),
        helper.make_node("Concat", ["a", "b", "v"], ["y"], axis=-3),
    ]
    return model(nodes, constants, [1, 2, 4, 6], opset)


@pytest.mark.parametrize("mode", sorted(ROUNDING))
def test_as_the_executor_of_qonnx(mode: str) -> None:
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    compared = 0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        made = _float_network(rng, mode, 11 + 2 * seed)
        image = rng.integers(0, 256, size=(1, 2, 4, 6)) / 256
        theirs = execute_onnx(ModelWrapper(made).transform(InferShapes()), {"x": image.astype(np.float32)})["y"]
        ours = run(made, {"x": Exact.of(image)})["y"]
        assert ours.shape == theirs.shape == (1, 7, 4, 6)
        assert ours.same(Exact.of(theirs))
        compared += theirs.size
    assert compared == 3 * 7 * 24


def test_batch_normalisation_as_onnx() -> None:
    from onnx.reference import ReferenceEvaluator

    rng = np.random.default_rng(0)
    constants = {name: rng.uniform(0.5, 2, size=2).astype(np.float32) for name in ("g", "b", "m", "v")}
    node = helper.make_node("BatchNormalization", ["x", "g", "b", "m", "v"], ["y"], epsilon=1e-3)
    made = model([node], constants, [1, 2, 2, 2])
    image = rng.normal(size=(1, 2, 2, 2)).astype(np.float32)
    theirs = ReferenceEvaluator(made).run(None, {"x": image})[0]
    ours = run(made, {"x": Exact.of(image)})["y"].floats()
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-5  # float32 against rationals: the one comparison that cannot be exact


def _plainly(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that qonnx' executor reads: the short name of ONNX, a line for each domain, a batch of 1."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    version = next(entry.version for entry in copy.opset_import if entry.domain in ("", "ai.onnx"))
    del copy.opset_import[:]
    domains = {"": version, QONNX: 1, "onnx.brevitas": 1}
    copy.opset_import.extend(helper.make_opsetid(domain, number) for domain, number in domains.items())
    batch = copy.graph.input[0].type.tensor_type.shape.dim[0]
    batch.Clear()
    batch.dim_value = 1
    return copy


def test_random_files_as_the_executor_of_qonnx() -> None:
    """Files in which float32 is exact: bytes as multiples of 1/256, powers of two, no sigmoid."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    files = 0
    for seed in range(100, 200):
        file = generate(seed)
        names = " ".join(file.choices)
        if file.level not in ("plain", "asked") or file.pixel != Fraction(1, 256) or "sigmoid" in names:
            continue
        if any(entry.startswith("normalisation") and "none" not in entry for entry in file.choices):
            continue
        made = ModelWrapper(_plainly(file.model)).transform(InferShapes())
        feeds = file.feeds()
        ((source, image),) = feeds.items()
        theirs = execute_onnx(made, {source: image.floats().astype(np.float32)})[file.model.graph.output[0].name]
        ours = Executor(file.model, feeds)[file.model.graph.output[0].name]
        assert ours.shape == theirs.shape
        assert len(set(theirs.ravel().tolist())) > 1
        assert ours.same(Exact.of(theirs)), str(file)
        files += 1
        if files == 10:
            break
    assert files == 10


def eighths(*shape: int) -> np.ndarray:
    """Multiples of 1/8 of few bits: float32 is exact with them."""
    return (np.random.default_rng(len(shape)).integers(-40, 40, size=shape) / 8).astype(np.float32)


def i64(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


IMAGE, SIGNAL = eighths(1, 8, 4, 6), eighths(1, 8, 10)
BESIDE_ONNX: dict[str, tuple[str, np.ndarray, tuple[Any, ...], dict[str, Any]]] = {
    "MatMul": ("MatMul", eighths(2, 5), (eighths(5, 3),), {}),
    "MatMul of batches": ("MatMul", eighths(1, 2, 5), (eighths(5, 3),), {}),
    "Gemm": ("Gemm", eighths(2, 5), (eighths(3, 5), eighths(3)), {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    "Conv of a signal": ("Conv", SIGNAL, (eighths(4, 4, 3), eighths(4)),
                         {"group": 2, "strides": [2], "dilations": [2], "pads": [1, 3]}),
    "Conv of groups": ("Conv", IMAGE, (eighths(8, 1, 3, 1),), {"group": 8, "pads": [2, 0, 1, 0], "strides": [1, 3]}),
    "ConvTranspose of a signal": ("ConvTranspose", SIGNAL, (eighths(8, 2, 4),), {"strides": [2], "pads": [1, 1]}),
    "ConvTranspose with output_padding": ("ConvTranspose", IMAGE, (eighths(8, 2, 3, 3),),
                                          {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
    "MaxPool of a signal": ("MaxPool", SIGNAL, (), {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}),
    "AveragePool of a signal": ("AveragePool", SIGNAL, (), {"kernel_shape": [4], "strides": [2]}),
    "GlobalAveragePool": ("GlobalAveragePool", eighths(1, 3, 4, 8), (), {}),
    "GlobalMaxPool": ("GlobalMaxPool", IMAGE, (), {}),
    "ReduceMean": ("ReduceMean", eighths(1, 3, 4, 8), (), {"axes": [2, -1], "keepdims": 0}),
    "Slice": ("Slice", IMAGE, (i64(1, -3), i64(-1, 99), i64(2, 3)), {}),
    "Slice by 2": ("Slice", IMAGE, (i64(0), i64(5), i64(3), i64(2)), {}),
    "DepthToSpace DCR": ("DepthToSpace", IMAGE, (), {"blocksize": 2}),
    "DepthToSpace CRD": ("DepthToSpace", IMAGE, (), {"blocksize": 2, "mode": "CRD"}),
    "Resize linear, half_pixel": ("Resize", IMAGE, (None, f32(1, 1, 2, 2)), {"mode": "linear"}),
    "Resize linear, asymmetric": ("Resize", IMAGE, (None, f32(1, 1, 2, 4)),
                                  {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}),
    "Resize nearest, half_pixel": ("Resize", IMAGE, (None, f32(1, 1, 3, 2)), {"nearest_mode": "round_prefer_ceil"}),
    "Resize to a size": ("Resize", IMAGE, (None, None, i64(1, 8, 8, 18)),
                         {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    "Pad of images": ("Pad", IMAGE, (i64(0, 0, 1, 2, 0, 0, 3, 0), f32(0.25)[0]), {}),
    "QuantizeLinear": ("QuantizeLinear", IMAGE, (f32(0.25)[0], np.array(3, np.int8)), {}),
    "QuantizeLinear, odd zero point": ("QuantizeLinear", IMAGE, (f32(0.25)[0], np.array(7, np.uint8)), {}),
    "QuantizeLinear of channels": ("QuantizeLinear", eighths(1, 2, 4, 6), (f32(0.25, 0.5), np.array([1, -2], np.int8)),
                                   {"axis": 1}),
    "Gather": ("Gather", IMAGE, (i64(2, 0),), {"axis": 2}),
    "Shape": ("Shape", IMAGE, (), {}),
    "Abs": ("Abs", IMAGE, (), {}),
    "Neg": ("Neg", IMAGE, (), {}),
    "Sign": ("Sign", IMAGE, (), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", BESIDE_ONNX)
def test_as_the_evaluator_of_onnx(case: str) -> None:
    from onnx.reference import ReferenceEvaluator

    op, x, constants, attributes = BESIDE_ONNX[case]
    named = {f"c{index}": value for index, value in enumerate(constants) if value is not None}
    inputs = ["x", *(f"c{index}" if value is not None else "" for index, value in enumerate(constants))]
    made = model([helper.make_node(op, inputs, ["y"], name="node", **attributes)], named, list(x.shape))
    del made.opset_import[1:]
    theirs = np.asarray(ReferenceEvaluator(made).run(None, {"x": x})[0])
    ours = run(made, {"x": Exact.of(x)})["y"]
    assert ours.shape == theirs.shape
    assert ours.floats().tolist() == theirs.astype(np.float64).tolist()
    assert theirs.size


FUNCTIONS = ("Tanh", "Elu", "Selu", "Softplus", "Softsign", "HardSigmoid", "HardSwish", "Erf", "Exp", "Sigmoid", "Gelu",
             "Mish")  # fmt: skip


@pytest.mark.parametrize("op", FUNCTIONS)
def test_functions_as_the_evaluator_of_onnx(op: str) -> None:
    """Float64 on both sides, whose last bits are not the same."""
    from onnx.reference import ReferenceEvaluator

    x = np.arange(-40, 40) / 8
    made = model([helper.make_node(op, ["x"], ["y"])], {}, [80], opset=20)
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    del made.opset_import[1:]
    theirs = ReferenceEvaluator(made).run(None, {"x": x})[0]
    ours = run(made, {"x": Exact.of(x)})["y"].floats()
    assert np.abs(ours - theirs).max() < 1e-6
    assert len(set(ours.tolist())) > 10


def test_dequantisation_by_hand() -> None:
    zero, codes = np.array([1, -2], np.int8), np.array([[[3]], [[4]]], np.int8)
    node = helper.make_node("DequantizeLinear", ["c", "s", "z"], ["w"], axis=0)
    add = helper.make_node("Add", ["x", "w"], ["y"])
    made = model([node, add], {"c": codes, "s": f32(0.5, 0.25), "z": zero}, [1])
    assert run(made, {"x": Exact.of([0])})["y"].fractions().tolist() == [[[1]], [[Fraction(3, 2)]]]
