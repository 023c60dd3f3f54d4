"""QONNX export of a trained network, checked against Brevitas, the QONNX executor and the golden model.

The file is published only when all three give the same integer in every tensor. Its weights are stored already
quantised, so that no reader's float precision can change a code.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from brevitas.export import export_qonnx
from brevitas.quant_tensor import IntQuantTensor
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.general import GiveReadableTensorNames
from qonnx.util.cleanup import cleanup_model
from torch import Tensor, nn

from quantunet import golden, qonnx_import, storage
from quantunet.accumulator import accumulator
from quantunet.compare import compare
from quantunet.errors import ModelError
from quantunet.ir import Graph, MatrixNode
from quantunet.model import quantizers
from quantunet.model.augment import to_float
from quantunet.model.unet import UNet, output_quantizer
from quantunet.onnx_metadata import write_pixel_scale
from quantunet.pixel_codes import picture_codes
from quantunet.pixels import OWN_SCALE
from quantunet.provenance import write_onnx_properties

logger = logging.getLogger(__name__)

FLOAT32_EXACT_BITS = 25  # signed accumulators of this width stay within 2**24, where float32 holds every integer

Codes = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class TensorCheck:
    """Comparison of one tensor over all images.

    Attributes:
        name: Name in the integer graph.
        compared: Values compared, once for Brevitas and once for the QONNX executor.
        differing: Values that differ from the golden model.
    """

    name: str
    compared: int
    differing: int


@dataclass(frozen=True)
class ExportReport:
    """What an export has proven.

    Attributes:
        images: Images that were run.
        tensors: One check per tensor of the integer graph.
        float32_exact: Whether every accumulator stays below 2**24, so that any float32 runtime is exact as well.
    """

    images: int
    tensors: tuple[TensorCheck, ...]
    float32_exact: bool

    @property
    def compared(self) -> int:
        """Values compared in all tensors."""
        return sum(check.compared for check in self.tensors)

    @property
    def differing(self) -> int:
        """Values that differ, in all tensors."""
        return sum(check.differing for check in self.tensors)


class ArgMax(nn.Module):
    """The class of each pixel: of several logits the first of the greatest."""

    def forward(self, logits: Tensor) -> Tensor:
        """``(n, classes, height, width)`` to int64 ``(n, 1, height, width)``."""
        return logits.argmax(dim=1, keepdim=True)


class ProbabilityUNet(nn.Module):
    """What is exported: a quantised network with the quantised sigmoid behind it, or with the argmax of its classes.

    Args:
        unet: The quantised network.
    """

    def __init__(self, unet: UNet) -> None:
        super().__init__()
        self.unet = unet
        self.probability = quantizers.byte() if unet.config.out_channels == 1 else ArgMax()

    @property
    def last(self) -> str:
        """Name of the last op."""
        return "argmax" if isinstance(self.probability, ArgMax) else "sigmoid"

    def forward(self, image: Tensor) -> Tensor:
        """Probability ``(n, 1, height, width)``, bytes / 256; or of several classes their indices."""
        logits: IntQuantTensor = self.unet.logits(image)
        if self.last == "argmax":
            classes: Tensor = self.probability(logits.value)
            return classes
        result: Tensor = self.probability(torch.sigmoid(logits.value)).value
        return result


def export(
    model: UNet, path: Path, images: NDArray[np.uint8], properties: Mapping[str, str] | None = None
) -> ExportReport:
    """Write a trained network as QONNX.

    Args:
        model: A quantised network whose activation scales are set.
        path: The file to write.
        images: ``(n, height, width)`` uint8, at least one: the images to check with.
        properties: What the file says of its making; see :func:`quantunet.provenance.onnx_properties`.

    Returns:
        The proof: values compared and, always, 0 that differ.

    Raises:
        ModelError: The three disagree, nothing was compared, or the network cannot be represented; nothing is written.
        StorageError: The file cannot be written.
    """
    frozen = copy.deepcopy(model).cpu().eval()
    quantizers.freeze_widths(frozen)
    network = ProbabilityUNet(frozen).eval()
    file = to_qonnx(network)
    write_onnx_properties(file.model, properties or {})
    with storage.atomic_path(path) as temporary:
        file.save(str(temporary))
        report = check(network, file, qonnx_import.load(temporary), images)
        if report.differing or not report.compared:
            first = next((t for t in report.tensors if t.differing), None)
            raise ModelError(
                first.name if first else str(path),
                expected="the integers of the golden model, from Brevitas and from QONNX",
                got=f"{first.differing} of {first.compared} that differ" if first else "nothing compared",
                hint="The exporter and the importer disagree about this layer.",
            )
    if not report.float32_exact:
        logger.warning("%s: an accumulator reaches 2**24; float32 runtimes of this file may not be exact", path)
    return report


def to_qonnx(network: ProbabilityUNet) -> ModelWrapper:
    """Trace, clean up, give every node the name of its layer, and say what the byte of a picture means."""
    config = network.unet.config
    example = torch.zeros(1, config.in_channels, *config.shape)
    raw = export_qonnx(network, args=example, export_path=None, dynamo=False, opset_version=13)
    model = cleanup_model(ModelWrapper(raw))
    _name_nodes(model, network.unet)
    model = model.transform(GiveReadableTensorNames())
    _store_codes(model)
    write_pixel_scale(model.model, OWN_SCALE)
    return model


def _name_nodes(model: ModelWrapper, unet: UNet) -> None:
    """Rename nodes after the layers; the file's order is that of the forward pass."""
    depth = unet.config.depth
    convs = [shape.name for shape in unet.config.conv_layers()]
    _rename(model, ("Conv", "ConvTranspose"), convs)
    _rename(model, ("MaxPool",), [f"pool{level}" for level in range(depth)])
    _rename(model, ("Concat",), [f"concat{level}" for level in reversed(range(depth))])
    _rename(model, *((("ArgMax",), ["argmax"]) if unet.config.out_channels > 1 else (("Sigmoid",), ["sigmoid"])))
    for node in model.graph.node:
        if node.op_type != "Quant":
            continue
        producer = model.find_producer(node.input[0])
        consumer = model.find_consumers(node.output[0])
        if producer is not None and producer.op_type == "Relu":
            producer.name = f"{model.find_producer(producer.input[0]).name}_relu"
            node.name = producer.name.replace("_relu", "_quant")
        elif producer is not None and producer.op_type != "Quant":
            node.name = f"{producer.name}_quant"
        elif producer is not None:
            node.name = consumer[0].name.replace("concat", "skip") + "_requant"
        elif model.get_initializer(node.input[0]) is None:
            node.name = "image_quant"
        else:
            role = "weight" if consumer[0].input[1] == node.output[0] else "bias"
            node.name = f"{consumer[0].name}_{role}_quant"


def _rename(model: ModelWrapper, kinds: Sequence[str], names: Sequence[str]) -> None:
    nodes = [node for node in model.graph.node if node.op_type in kinds]
    if len(nodes) != len(names):
        raise ModelError("QONNX export", expected=f"{len(names)} nodes of {', '.join(kinds)}", got=str(len(nodes)))
    for node, name in zip(nodes, names, strict=True):
        node.name = name


def _store_codes(model: ModelWrapper) -> None:
    """Replace every quantised constant by the values of its codes."""
    for node in model.graph.node:
        values = model.get_initializer(node.input[0]) if node.op_type == "Quant" else None
        if values is not None:
            context = {name: model.get_initializer(name) for name in node.input}
            model.set_initializer(node.input[0], _quantise(node, context))


def _quantise(node: onnx.NodeProto, context: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    values, scale, _, bits = (context[name].astype(np.float64) for name in node.input)
    high = 2.0 ** (bits.item() - 1) - 1
    narrow = next(a.i for a in node.attribute if a.name == "narrow")
    codes = np.clip(np.rint(values / scale), -high - (1 - narrow), high)
    return (codes * scale).astype(np.float32)


# -- the comparison ---------------------------------------------------------------------------------------------------


def check(network: ProbabilityUNet, file: ModelWrapper, graph: Graph, images: NDArray[np.uint8]) -> ExportReport:
    """Compare every tensor of the integer graph on every image, as integers.

    Args:
        network: The Brevitas network; it is run in double precision, where convolutions are exact.
        file: The QONNX model; it is run by qonnx in float32.
        graph: The integer graph that was read from that file.
        images: ``(n, height, width)`` uint8.

    Returns:
        The counts.
    """
    double = copy.deepcopy(network).double().eval()
    compared = dict.fromkeys((t.name for t in graph.tensors), 0)
    differing = dict(compared)
    for image in images:
        expected = golden.run(graph, picture_codes(graph, image))
        for got in (brevitas_codes(double, image), qonnx_codes(file, graph, image)):
            if got.keys() != expected.keys():
                raise ModelError(
                    "export check",
                    expected=f"the tensors {', '.join(sorted(expected))}",
                    got=", ".join(sorted(got)),
                )
            for name, codes in expected.items():
                compared[name] += codes.size
                differing[name] += _count_differing(name, codes, got[name])
    exact = all(
        accumulator(graph, node).bits <= FLOAT32_EXACT_BITS for node in graph.nodes if isinstance(node, MatrixNode)
    )
    return ExportReport(
        len(images), tuple(TensorCheck(name, compared[name], differing[name]) for name in compared), exact
    )


def _count_differing(name: str, expected: NDArray[np.int64], got: NDArray[np.int64]) -> int:
    return compare(name, expected, got).mismatches if expected.shape == got.shape else expected.size


def _as_codes(values: NDArray[np.float64], scale: float) -> NDArray[np.int64]:
    """``(1, c, h, w)`` values to ``(h, w, c)`` codes; a value between two codes becomes one that no type holds."""
    codes = values[0].transpose(1, 2, 0) / scale
    return np.where(codes == np.rint(codes), codes, -(2.0**40)).astype(np.int64)


@torch.no_grad()
def brevitas_codes(network: ProbabilityUNet, image: NDArray[np.uint8]) -> Codes:
    """Every integer that a Brevitas network computes for one image, by the names of the integer graph.

    Args:
        network: In evaluation mode.
        image: ``(height, width)`` uint8.

    Returns:
        ``(height, width, channels)`` int64 for each tensor.
    """
    codes: Codes = {}
    unet = network.unet

    def keep(name: str, value: IntQuantTensor | Tensor) -> None:
        if isinstance(value, Tensor):  # classes, which are integers themselves
            codes[name] = _as_codes(value.double().numpy(), 1.0)
        else:
            codes[name] = _as_codes(value.value.double().numpy(), float(value.scale))

    def hook(names: Iterable[str]) -> object:
        left = iter(names)
        return lambda _module, _inputs, output: keep(next(left), output)

    modules: list[tuple[nn.Module, list[str]]] = [
        (unet.image, ["image"]),
        (unet.pool, [f"pool{level}_out" for level in range(unet.config.depth)]),
        (network.probability, [f"{network.last}_out"]),
    ]
    for name in unet.convs:
        if name.startswith("up"):
            level = name.removeprefix("up")
            modules.append((output_quantizer(unet, name), [f"skip{level}_requant_out", f"up{level}_out"]))
            modules.append((unet.joins[f"skip{level}"], [f"concat{level}_out"]))
        else:
            modules.append((output_quantizer(unet, name), [f"{name}_out"]))
    handles = [module.register_forward_hook(hook(names)) for module, names in modules]  # type: ignore[arg-type]
    try:
        dtype = next(network.parameters()).dtype
        network(to_float(torch.from_numpy(image)[None]).to(dtype))
    finally:
        for handle in handles:
            handle.remove()
    return codes


def qonnx_codes(file: ModelWrapper, graph: Graph, image: NDArray[np.uint8]) -> Codes:
    """Every integer that the QONNX executor computes for one image, by the names of the integer graph.

    Args:
        file: A model from ``to_qonnx``.
        graph: The integer graph of the same file.
        image: ``(height, width)`` uint8.

    Returns:
        ``(height, width, channels)`` int64 for each tensor.
    """
    value = to_float(torch.from_numpy(image)[None]).numpy()
    context = execute_onnx(file, {file.graph.input[0].name: value}, return_full_exec_context=True)
    outputs = {node.name: node.output[0] for node in file.graph.node}
    node_names = {graph.input: "image_quant"}
    for node in graph.nodes:
        quantised = f"{node.name}_quant"
        node_names[node.output] = quantised if quantised in outputs else node.name
    return {
        name: _as_codes(np.asarray(context[outputs[node]], dtype=np.float64), graph.tensor(name).qtype.scale)
        for name, node in node_names.items()
    }
