"""Toggles of single layers at several bit-widths, of their netlists: ``python -m benchmarks.layer_toggles``.

Layers of the float twin of a network of the zoo, with the feature maps that it has of generated images before them.
Weights, inputs and outputs of a layer are rounded to so many bits, each with the scale of a power of two whose mean
squared error is least; nothing is trained again. What is compared is hardware: each layer is synthesised for an ECP5
in the default folding at the network's frame interval, and its netlist, simulated against golden, counts.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from benchmarks.science_text import table
from quantunet.errors import ToolFailedError
from quantunet.graph_check import check
from quantunet.hls.choose.default import default_folding
from quantunet.ir import Array, Conv2d, Graph, IntArray, QType, Tensor
from quantunet.model.phantoms import generate
from quantunet.pixels import OWN_SCALE
from quantunet.rtl_sim.activity import Activity, measure
from quantunet.rtl_sim.toggles import KINDS, REGISTER
from quantunet.storage import write_text
from quantunet.zoo import network_path

logger = logging.getLogger(__name__)

NETWORK = "hospitals_float"
LAYERS = ("enc0_conv1", "dec1_conv1")
WIDTHS = (8, 3)
FRAMES = 2
INTERVAL = 294_912
"""Cycles between frames: those of the network in its default folding."""

_SEED = 2025
_SCALES = 8
"""Powers of two that are tried, from the largest scale at which nothing is cut on."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FloatLayer:
    """A 3x3 convolution of a float network, with what goes into it and comes out of it behind its ReLU.

    Attributes:
        name: The layer.
        weight: ``(3, 3, inputs, outputs)``.
        bias: ``(outputs,)``.
        before: ``(frames, height, width, inputs)``.
        behind: ``(frames, height, width, outputs)``.
    """

    name: str
    weight: Floats
    bias: Floats
    before: Floats
    behind: Floats


def float_layers(file: Path, names: Sequence[str], frames: int) -> list[FloatLayer]:
    """Return layers of a float network, run on generated images.

    Args:
        file: An ONNX file as ``quantunet train`` writes it.
        names: Convolutions with a ReLU behind them.
        frames: How many images.

    Raises:
        ToolFailedError: There is no such layer.
    """
    model = onnx.load(str(file))
    weights = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
    places = []
    for name in names:
        node = next((one for one in model.graph.node if f"convs.{name}.conv.weight" in one.input), None)
        if node is None:
            raise ToolFailedError(name, expected=f"a convolution of {file.name}", got="none")
        relu = next(one for one in model.graph.node if one.op_type == "Relu" and one.input[0] == node.output[0])
        places.append((name, node.input[0], node.input[1], node.input[2], relu.output[0]))
    wanted = sorted({net for _, before, _, _, behind in places for net in (before, behind)})
    inputs = {entry.name: entry for entry in model.graph.input}
    model.graph.output.extend(
        helper.make_tensor_value_info(net, onnx.TensorProto.FLOAT, None) for net in wanted if net not in inputs
    )
    (image,) = model.graph.input
    size = image.type.tensor_type.shape.dim[-1].dim_value
    images, _ = generate(frames, size, _SEED)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    batch = images.reshape(frames, 1, size, size).astype(np.float32) / np.float32(1 / OWN_SCALE)
    found = dict(zip(wanted, session.run(wanted, {image.name: batch}), strict=True))
    last = {net: np.ascontiguousarray(values.transpose(0, 2, 3, 1)) for net, values in found.items()}
    return [
        FloatLayer(name, weights[weight].transpose(2, 3, 1, 0), weights[bias], last[before], last[behind])
        for name, before, weight, bias, behind in places
    ]


def rounded(values: Floats, bits: int, *, signed: bool) -> tuple[Array, QType]:
    """Return values as integers of a type, with the power of two as scale whose mean squared error is least."""
    most = float(np.abs(values).max())
    widest = int(np.floor(np.log2(QType(bits, signed, 0).qmax / max(most, 1e-9))))

    def at(frac: int) -> tuple[Array, QType]:
        qtype = QType(bits, signed, frac)
        return np.clip(np.rint(values * 2.0**frac), qtype.qmin, qtype.qmax).astype(np.int64), qtype

    tried = [at(frac) for frac in range(widest, widest + _SCALES)]
    return min(tried, key=lambda one: float(np.mean((one[0] * one[1].scale - values) ** 2)))


def network(layer: FloatLayer, bits: int) -> tuple[Graph, list[Array]]:
    """Return a layer as a network of integers, and its frames."""
    weight, weight_type = rounded(layer.weight, bits, signed=True)
    frames, input_type = rounded(layer.before, bits, signed=False)
    _, output_type = rounded(layer.behind, bits, signed=False)
    bias = np.rint(layer.bias * 2.0 ** (weight_type.frac + input_type.frac)).astype(np.int64)
    node = Conv2d(layer.name, ("image",), "out", IntArray.of(weight), weight_type, IntArray.of(bias))
    shape = layer.before.shape[1:]
    tensors = (Tensor("image", shape, input_type), Tensor("out", layer.behind.shape[1:], output_type))
    graph = check(Graph(f"{layer.name}_{bits}", ("image",), "out", tensors, (node,)))
    return graph, list(frames)


def row(activity: Activity, mapped: Activity) -> dict[str, float]:
    """Return nets and toggles of a frame: of the registers of the SystemVerilog, and of the netlist by kind."""
    found: dict[str, float] = {"rtl registers": activity.nets(REGISTER), "rtl toggles": activity.toggles(REGISTER)}
    for kind in KINDS:
        found |= {f"{kind}, nets": mapped.nets(kind), f"{kind}, toggles": mapped.toggles(kind)}
    found["all, toggles"] = sum(mapped.toggles(kind) for kind in KINDS)
    return found


def count(layer: FloatLayer, bits: int, folder: Path) -> dict[str, float]:
    """Measure a layer.

    Raises:
        ToolFailedError: What was simulated is not golden's.
    """
    graph, frames = network(layer, bits)
    folding = default_folding(graph, INTERVAL)
    place = folder / graph.name
    found = [measure(folding, place / str(mapped), frames, mapped=mapped) for mapped in (False, True)]
    for one in found:
        if one.simulation.problems:
            raise ToolFailedError(graph.name, expected="golden's values", got=one.simulation.problems[0])
    compared = found[1].simulation.bench.values_compared
    logger.info("%s at %d bits: %d values are golden's", layer.name, bits, compared)
    return row(*found)


def markdown(rows: Mapping[tuple[str, int], Mapping[str, float]]) -> str:
    """Return the table for the documents."""
    head = ("layer", "bits", "registers of the RTL", "toggle", *KINDS, "all of the netlist")
    wanted = ("rtl registers", "rtl toggles", *(f"{kind}, toggles" for kind in KINDS), "all, toggles")
    return table(
        head,
        [(f"`{name}`", bits, *(f"{figures[each]:,.0f}" for each in wanted)) for (name, bits), figures in rows.items()],
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", nargs="+", default=LAYERS, help="convolutions (default: %(default)s)")
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS, help="bits (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("build/layer_toggles"), help="(default: %(default)s)")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows = {}
    for layer in float_layers(network_path(NETWORK), args.layers, FRAMES):
        for bits in args.widths:
            rows[layer.name, bits] = count(layer, bits, args.folder)
            document = [{"layer": name, "bits": width, **figures} for (name, width), figures in rows.items()]
            write_text(args.folder / "layer_toggles.json", json.dumps(document, indent=1) + "\n")
    logger.info("\n%s", markdown(rows))


if __name__ == "__main__":
    main()
