"""The hls4ml backend is found through its entry point and writes what the flow writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import hls4ml
import numpy as np
import pytest
from hls4ml.backends import get_available_backends, get_backend

from quantunet import golden, graph_file
from quantunet.errors import FoldingError, ModelError, UnsupportedOpError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.csim.lower.network import model_graph
from quantunet.hls.design import Fold
from quantunet.hls.folding import write_folding
from quantunet.hls.generate import rtl_project
from quantunet.hls.plugin import register
from quantunet.hls.plugin.reader import from_model_graph
from quantunet.random_network import random_unet
from quantunet.zoo import load_network


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_hls4ml_alone_finds_the_backend() -> None:
    code = "import hls4ml; print(hls4ml.backends.get_available_backends())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'quantunet'" in done.stdout
    assert "WARNING" not in done.stdout
    assert "quantunet" in get_available_backends()


def test_writes_the_graph_and_the_same_rtl_as_the_flow(tmp_path: Path) -> None:
    graph = random_unet(base=2, depth=1, size=8)
    model_graph(graph, tmp_path / "plugin", backend="QuantUNet").write()
    rtl_project.write(graph, default_folding(graph), tmp_path / "flow")
    written, expected = files(tmp_path / "plugin"), files(tmp_path / "flow")
    assert graph_file.from_json(written.pop("graph.json").decode()) == graph
    assert len(expected) > 10
    assert written == expected


def test_takes_a_folding(tmp_path: Path) -> None:
    graph = random_unet(base=2, depth=1, size=8)
    folding = {**default_folding(graph), "enc0_conv1": Fold(pe=2, simd=2)}
    write_folding(tmp_path / "folding.json", folding)
    model = model_graph(graph, tmp_path / "plugin", backend="QuantUNet")
    model.config.config["Folding"] = str(tmp_path / "folding.json")
    model.write()
    assert files(tmp_path / "plugin")["folding.json"] == (tmp_path / "folding.json").read_bytes()
    write_folding(tmp_path / "folding.json", {"enc0_conv1": Fold(pe=3, simd=2)})
    with pytest.raises(FoldingError, match="enc0_conv1: expected a PE that divides 2 channels, got 3"):
        model.write()


def test_configuration(tmp_path: Path) -> None:
    backend = get_backend("QuantUNet")
    config = hls4ml.converters.create_config(output_dir=str(tmp_path), project_name="p", backend="QuantUNet")
    assert (config["Backend"], config["IOType"]) == ("QuantUNet", "io_stream")
    with pytest.raises(UnsupportedOpError, match="IOType: expected io_stream, got io_parallel"):
        backend.create_initial_config(io_type="io_parallel")


def test_predict_and_trace_are_goldens(tmp_path: Path) -> None:
    graph = random_unet(base=2, depth=1, size=8)
    model = model_graph(graph, tmp_path, backend="QuantUNet")
    with pytest.raises(ModelError, match=r"expected a compiled model.*Call compile\(\) first"):
        model.predict(np.zeros((1, 8, 8, 1)))
    model.compile()
    images = np.random.default_rng(0).integers(0, 256, size=(3, 8, 8, 1))
    values = (images / 256 + 1e-6).astype(np.float32)  # the input's type rounds down
    taps = golden.run_batch(graph, list(images), [tensor.name for tensor in graph.tensors])
    predicted, traced = model.trace(values)
    assert predicted.dtype == np.float32
    assert np.array_equal(model.predict(values), predicted)
    assert np.array_equal(predicted, taps[graph.output].reshape(3, -1) / np.float32(256))
    compared = 0
    for node in graph.nodes:
        codes = taps[node.output]
        assert np.array_equal(traced[node.name], codes * graph.output_of(node).qtype.scale)
        compared += codes.size
    assert compared > 1000
    assert model.predict(values[0]).shape == (64,)


def test_build_tells_cycles_and_synthesises(tmp_path: Path) -> None:
    graph = random_unet(base=2, depth=1, size=8)
    model = model_graph(graph, tmp_path, backend="QuantUNet")
    with pytest.raises(UnsupportedOpError, match=r"build: expected synth, got csim.*quantunet cosim .*graph"):
        model.build(csim=True)
    report = model.build(synth=False)
    assert set(report["cycles"]) == {node.name for node in graph.nodes}
    assert report["frames_per_second"] == pytest.approx(1e9 / (report["clock_period"] * report["interval"]))
    assert load_network(str(tmp_path / "graph.json")) == from_model_graph(model)


def test_keywords_without_effect_are_said(caplog: pytest.LogCaptureFixture) -> None:
    backend = get_backend("QuantUNet")
    backend.create_initial_config(io_type="io_stream", namespace=None, write_tar=False)
    assert not caplog.records
    backend.create_initial_config(io_type="io_stream", clock_period=5, nonsense=3)
    assert "QuantUNet: nonsense=3" in caplog.text
    assert "clock_period" not in caplog.text


@pytest.mark.parametrize(
    ("given", "message"),
    [({"part": "xcu250"}, "part: expected none, got xcu250"), ({"clock_period": 0}, "clock_period: expected nano")],
)
def test_a_part_and_a_clock_that_cannot_be_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedOpError, match=message):
        get_backend("QuantUNet").create_initial_config(**given)


def test_a_type_error_while_registering_is_not_hidden() -> None:
    def broken(name: str, kind: object) -> None:
        raise TypeError("wrong arguments")

    with pytest.raises(RuntimeError, match="QuantUNet could not be registered: wrong arguments"):
        register(register_backend=broken, register_writer=broken)
