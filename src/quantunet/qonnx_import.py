"""The QONNX door: a file becomes an integer graph that means the same, or is refused with the reason.

The nodes are walked once, in the file's (topological) order. Constants are exact real numbers; what a float tensor of
the file is at each point is a value of :mod:`quantunet.normalise`, with the order of its axes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from quantunet import onnx_pointwise, onnx_windows
from quantunet.errors import FileFormatError, LayoutError, ModelError, QuantUNetError, UnsupportedOpError
from quantunet.identifiers import identifier
from quantunet.ir import Graph, Node, QType, Tensor
from quantunet.network_input import INPUT_NAME
from quantunet.normalise import Builder
from quantunet.onnx_file import OnnxFile, Op, read
from quantunet.onnx_metadata import read_pixel_scale
from quantunet.onnx_walk import LAST, ORDERS, Axes, Carried, Constant, Walk
from quantunet.pixels import Pixels
from quantunet.values import Place

logger = logging.getLogger(__name__)

_AT_THE_LOGITS = "End the network at the logits: the largest one is the class."
_BATCH_NORM = "Train with BatchNorm: its constants are known before the image is."
_QDQ = (
    "Quantise with QuantizeLinear and DequantizeLinear around operators of real numbers "
    "(onnxruntime: quant_format=QuantFormat.QDQ)."
)

ADVICE: Mapping[str, str] = {
    **dict.fromkeys(("Softmax", "LogSoftmax", "Hardmax"), _AT_THE_LOGITS),
    **dict.fromkeys(
        ("InstanceNormalization", "LayerNormalization", "GroupNormalization", "MeanVarianceNormalization"), _BATCH_NORM
    ),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear"), _QDQ),
    "MaxUnpool": "Use a nearest upsampling or a transpose convolution.",
    "Split": "Slice outside, or let two convolutions read the whole tensor.",
    "SpaceToDepth": "Use a convolution whose stride is the block, with weights of 0 and 1.",
    "ReduceSum": "Use ReduceMean, and Mul with the number of pixels.",
    "Sum": "Use Add, of two tensors at a time.",
    "Mean": "Use Add, of two tensors at a time, and Mul with a constant.",
    "Neg": "Use Mul with -1.",
    "Swish": "Use Mul, of the tensor and its Sigmoid.",
}
"""The way round operators that are refused."""

OTHERWISE = "Remove the operation, or compute it outside the network."
"""What is left where there is no other way."""


HANDLERS: Mapping[str, Callable[[Walk, Op], Carried | Constant]] = {
    "Quant": onnx_pointwise.quant,
    "IntQuant": onnx_pointwise.quant,
    "BipolarQuant": onnx_pointwise.bipolar_quant,
    "Trunc": onnx_pointwise.trunc,
    "QuantizeLinear": onnx_pointwise.quantize_linear,
    "DequantizeLinear": onnx_pointwise.dequantize_linear,
    "Conv": onnx_windows.conv,
    "ConvTranspose": onnx_windows.conv_transpose,
    "MatMul": onnx_windows.dense,
    "Gemm": onnx_windows.dense,
    "MaxPool": onnx_windows.maxpool,
    "AveragePool": onnx_windows.average_pool,
    "GlobalAveragePool": onnx_windows.global_pool,
    "GlobalMaxPool": onnx_windows.global_pool,
    "ReduceMean": onnx_windows.reduce,
    "ReduceMax": onnx_windows.reduce,
    "Resize": onnx_windows.resize,
    "Upsample": onnx_windows.resize,
    "DepthToSpace": onnx_windows.depth_to_space,
    "Pad": onnx_windows.pad,
    "Slice": onnx_windows.crop,
    "Concat": onnx_windows.concat,
    "Transpose": onnx_windows.transpose,
    "Reshape": onnx_windows.reshape,
    "Flatten": onnx_windows.reshape,
    "Squeeze": onnx_windows.reshape,
    "Unsqueeze": onnx_windows.reshape,
    "Relu": onnx_pointwise.relu,
    "LeakyRelu": onnx_pointwise.leaky_relu,
    "PRelu": onnx_pointwise.prelu,
    "ThresholdedRelu": onnx_pointwise.thresholded_relu,
    "Clip": onnx_pointwise.clip,
    "Max": onnx_pointwise.extremum,
    "Min": onnx_pointwise.extremum,
    "Sigmoid": onnx_pointwise.sigmoid,
    **dict.fromkeys(onnx_pointwise.FUNCTIONS, onnx_pointwise.function),
    "BatchNormalization": onnx_pointwise.batch_norm,
    "Add": onnx_pointwise.arithmetic,
    "Sub": onnx_pointwise.arithmetic,
    "Mul": onnx_pointwise.arithmetic,
    "Div": onnx_pointwise.arithmetic,
    "ArgMax": onnx_pointwise.argmax,
    "Identity": onnx_pointwise.identity,
    "Cast": onnx_pointwise.cast,
    "Dropout": onnx_pointwise.dropout,
    "Shape": onnx_pointwise.shape,
}
"""The operators that are taken."""


_INPUTS = {
    "Quant": (4, 4),
    "IntQuant": (4, 4),
    "BipolarQuant": (2, 2),
    "Trunc": (5, 6),
    "QuantizeLinear": (2, 3),
    "DequantizeLinear": (2, 3),
    "Conv": (2, 3),
    "ConvTranspose": (2, 3),
    "MatMul": (2, 2),
    "Gemm": (2, 3),
    "PRelu": (2, 2),
    "BatchNormalization": (5, 5),
    "Clip": (1, 3),
    "Dropout": (1, 3),
    "Max": (1, 99),
    "Min": (1, 99),
    "Concat": (1, 99),
    "Add": (2, 2),
    "Sub": (2, 2),
    "Mul": (2, 2),
    "Div": (2, 2),
    "Resize": (1, 4),
    "Upsample": (1, 2),
    "Pad": (1, 4),
    "Slice": (1, 5),
    "Reshape": (1, 2),
    "Squeeze": (1, 2),
    "Unsqueeze": (1, 2),
    "ReduceMean": (1, 2),
    "ReduceMax": (1, 2),
}
"""Least and most inputs of an op; the others have one."""


def load(path: Path | str, input_type: QType | None = None) -> Graph:
    """Read a QONNX file into the integer graph.

    Args:
        path: The file; its stem becomes the network's name.
        input_type: The type of an input that has no quantizer in the file.

    Returns:
        A graph that :func:`quantunet.graph_check.check` has passed, and that means what the file says in exact
        arithmetic over the definitions of ONNX and QONNX.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is truncated, not ONNX, or contradicts itself.
        PixelScaleError: Its metadata say nonsense about what a byte means.
        ModelError: Or a subclass: something that integers with power-of-two scales cannot represent exactly, with the
            name of the layer.
    """
    path = Path(path)
    file = _typed(read(path), input_type)
    try:
        graph = _walk(path, file, ORDERS)
    except LayoutError as error:
        # The file does not say in which order its input has its axes; only one order can be read to the end.
        try:
            graph = _walk(path, file, LAST)
        except LayoutError:
            raise error from None
    logger.info("%s: %d layers", path, len(graph.nodes))
    return graph


def _walk(path: Path, file: OnnxFile, orders: Mapping[int, Axes]) -> Graph:
    walk = _begin(file, orders)
    for op in file.ops:
        _read(walk, op)
    return _end(walk, path)


def _begin(file: OnnxFile, orders: Mapping[int, Axes]) -> Walk:
    axes = orders[len(file.input_dims)]
    sizes = {"h": 1, "w": 1, **dict(zip(axes, file.input_dims, strict=True))}
    walk = Walk(file, Builder(pixels=Pixels(read_pixel_scale(file.model))))
    shape = (sizes["h"], sizes["w"], sizes["c"])
    if file.input_type is None:
        value = walk.builder.input(Place(INPUT_NAME, -1, INPUT_NAME), shape)
    else:
        value = walk.builder.input_tensor(Tensor(INPUT_NAME, shape, file.input_type))
    walk.values[file.input_name] = Carried(value, axes)
    return walk


def _end(walk: Walk, path: Path) -> Graph:
    file = walk.file
    output = walk.values.get(file.output)
    if not isinstance(output, Carried):
        raise ModelError(
            file.output, expected="an output that the network computes from its input", got="none",
            hint="Export or copy it again.",
        )  # fmt: skip
    return walk.builder.graph(identifier(path.stem), output.value, Place(identifier(file.output), len(file.ops), ""))


@dataclass(frozen=True)
class Finding:
    """What becomes of one op of a file.

    Attributes:
        name: The op's name.
        kind: Which op it is.
        obstacle: Why it is not taken; ``None`` where it is, or where it was not reached.
        reached: Whether all that it reads is known: behind an obstacle nothing but the kind of an op can be judged.
        layers: The layers that stand for it; an op without one is a part of those around it.
    """

    name: str
    kind: str
    obstacle: QuantUNetError | None = None
    reached: bool = True
    layers: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Examination:
    """What becomes of a file.

    Attributes:
        findings: One for each op that the output depends on, in the file's order.
        graph: The network, where there is no obstacle.
    """

    findings: tuple[Finding, ...]
    graph: Graph | None


def _typed(file: OnnxFile, input_type: QType | None) -> OnnxFile:
    return file if input_type is None else replace(file, input_type=input_type)


def examine(path: Path | str, input_type: QType | None = None) -> Examination:
    """Read a file as :func:`load` does, and go on behind an obstacle, to find them all.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is truncated, not ONNX, or contradicts itself as a whole.
        ModelError: It has several inputs or outputs, or no fixed sizes.
    """
    path = Path(path)
    file = _typed(read(path), input_type)
    first = _examined(path, file, ORDERS)
    if not any(isinstance(finding.obstacle, LayoutError) for finding in first.findings):
        return first
    second = _examined(path, file, LAST)
    return min(first, second, key=_weight)


def _weight(found: Examination) -> tuple[int, int]:
    """Return how many obstacles an order of axes has: those of the order itself count first."""
    obstacles = [each.obstacle for each in found.findings if each.obstacle is not None]
    return sum(isinstance(each, LayoutError) for each in obstacles), len(obstacles)


def _examined(path: Path, file: OnnxFile, orders: Mapping[int, Axes]) -> Examination:
    walk = _begin(file, orders)
    findings: list[Finding] = []
    unknown: set[str] = set()
    for op in file.ops:
        hidden = any(name in unknown for name in op.node.input)
        try:
            if hidden and op.kind in HANDLERS:
                findings.append(Finding(op.name, op.kind, reached=False))
            elif hidden:
                findings.append(Finding(op.name, op.kind, _unsupported(op)))
            else:
                _read(walk, op)
                findings.append(Finding(op.name, op.kind))
                continue
        except QuantUNetError as error:
            findings.append(Finding(op.name, op.kind, error))
        unknown.update(op.node.output)
    graph = None
    if not unknown:
        try:
            graph = _end(walk, path)
        except QuantUNetError as error:
            findings = _with_obstacle(findings, error)
    layers: dict[str, list[Node]] = {}
    for node in graph.nodes if graph is not None else ():
        layers.setdefault(_origin(node.name, findings), []).append(node)
    return Examination(tuple(replace(each, layers=tuple(layers.get(each.name, ()))) for each in findings), graph)


def _with_obstacle(findings: list[Finding], error: QuantUNetError) -> list[Finding]:
    """Return the findings with what stands in the way of the output: at the op that it names, or at the last."""
    named = [each.name for each in findings]
    at = named.index(error.where) if error.where in named else len(findings) - 1
    return [replace(each, obstacle=error) if index == at else each for index, each in enumerate(findings)]


def _origin(layer: str, findings: list[Finding]) -> str:
    """Return the op that a layer stands for: its name begins with the op's."""
    names = [each.name for each in findings if layer == each.name or layer.startswith(f"{each.name}_")]
    return max(names, key=len, default="")


def _read(walk: Walk, op: Op) -> None:
    """Read one op, and remember what it returns."""
    file = walk.file
    known = None if op.kind in _OF_CONSTANTS else onnx_pointwise.folded(walk, op)
    if known is not None:
        walk.values[op.node.output[0]] = known
        return
    if op.kind not in HANDLERS:
        raise _unsupported(op)
    least, most = _INPUTS.get(op.kind, (1, 1))
    if not least <= len(op.node.input) <= most:
        raise FileFormatError(
            op.name,
            expected=f"{least if least == most else f'{least} to {most}'} inputs of {op.kind}",
            got=str(len(op.node.input)),
            hint="Export or copy it again.",
        )
    extra = [name for name in op.node.output[1:] if file.readers.get(name)]
    if extra:
        raise UnsupportedOpError(op.name, expected=f"one output of {op.kind}", got=f"'{extra[0]}' is read too")
    found = HANDLERS[op.kind](walk, op)
    if isinstance(found, Carried) and file.readers.get(op.node.output[0], 0) > 1:
        found = replace(found, value=walk.builder.settle(found.value))
    walk.values[op.node.output[0]] = found


_OF_CONSTANTS = frozenset(
    (
        "Quant", "IntQuant", "BipolarQuant", "Trunc", "QuantizeLinear", "DequantizeLinear", "Transpose", "Reshape",
        "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast", "Shape",
    )
)  # fmt: skip
"""Ops that know what a quantised constant is: their result is exact."""


def _unsupported(op: Op) -> UnsupportedOpError:
    return UnsupportedOpError(
        op.name,
        expected=f"one of {', '.join(HANDLERS)}",
        got=op.kind,
        hint=ADVICE.get(op.kind, OTHERWISE),
    )
