"""Golden inference beside the float32 forward pass of the same U-Net in torch, on the same cores."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch

from benchmarks.rows import Context, Part, Row
from benchmarks.timing import in_turns
from quantunet import golden
from quantunet.golden.codes import code_dtype
from quantunet.golden.cores import WORKERS
from quantunet.hls.synth.flow import macs
from quantunet.ir import Graph, MatrixNode
from quantunet.model.config import PRESETS
from quantunet.model.unet import float_unet
from quantunet.pixel_codes import picture_codes
from quantunet.zoo import load_network

TORCH = "torch, float32 forward pass"
GOLDEN = "golden, one frame"

_BATCH = 32
"""Images in the batch: several pieces for each core."""

_FORMATS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}


def measure(context: Context) -> list[Row]:
    """Time one frame in golden and in torch, a batch in golden, and golden layer by layer."""
    graph = load_network(context.network)
    images = test_images(graph, _BATCH)
    image = images[0]
    torch.set_num_threads(WORKERS)
    context.say("golden and torch in turns")
    works: dict[str, Callable[[], object]] = {name: _forward(context.network, name) for name in _FORMATS}
    works[GOLDEN] = lambda: golden.run_batch(graph, [image])
    works["every tensor kept"] = lambda: golden.run(graph, image)
    works["batch"] = lambda: golden.run_batch(graph, images)
    times = in_turns(works)
    fastest = min(_FORMATS, key=lambda name: times[name].least)
    base = Row.timed(context.network, TORCH, times[fastest], note=f"{fastest}, {WORKERS} threads")
    rows = [base, Row.timed(context.network, GOLDEN, times[GOLDEN]).over(base, "torch")]
    kept = times["every tensor kept"]
    rows.append(Row.timed(context.network, "golden, one frame, every tensor kept as int64", kept).over(base, "torch"))
    batch = times["batch"]
    rate, measure = _BATCH / batch.least, f"golden, images a second in a batch of {_BATCH}"
    row = Row(context.network, measure, rate, "1/s", repeats=batch.repeats, note=f"{WORKERS} cores")
    rows.append(dataclasses.replace(row, ratio=rate * base.value, of="torch, frame by frame"))
    context.say("golden, layer by layer")
    return rows + _layers(graph, context.network, image)


def test_images(graph: Graph, count: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Return generated ultrasound-like images as codes of the network, int64 ``(height, width, channels)``."""
    from quantunet.model.phantoms import generate

    height, width, _ = graph.tensor(graph.input).shape
    images, _ = generate(count, max(height, width), 2025)
    return list(picture_codes(graph, images[:, :height, :width]))


def _forward(network: str, memory_format: str) -> Callable[[], object]:
    """Return the forward pass of the float network of the same shape, with random weights, in evaluation mode."""
    config, layout = PRESETS[network], _FORMATS[memory_format]
    model = float_unet(config).eval().to(memory_format=layout)  # type: ignore[call-overload]
    image = torch.rand(1, config.in_channels, config.size, config.size).to(memory_format=layout)

    def forward() -> None:
        with torch.inference_mode():
            model(image)

    return forward


def _layers(graph: Graph, network: str, image: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[Row]:
    """Time each convolution alone, for the chart."""
    from quantunet.golden import fast

    batch = {graph.input: image[None].astype(code_dtype(graph.tensor(graph.input).qtype))}
    codes = fast.evaluate(graph, graph.nodes, batch)
    nodes = {node.name: node for node in graph.nodes if isinstance(node, MatrixNode)}
    works = {name: lambda node=node: fast.evaluate(graph, [node], codes) for name, node in nodes.items()}
    times = in_turns(works, rounds=2)
    chart = {"plot": "time", "series": "golden"}
    return [
        Row.timed(f"{network} {name}", "golden, one layer", times[name], size=macs(graph, node), **chart)
        for name, node in nodes.items()
    ]


PART = Part("golden", "Golden inference and torch", measure, each_network=True)
