"""hls4ml projects are complete Vitis HLS folders with explicit precisions, and are written once for their content."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hls4ml.backends import get_backend

from quantunet import cache, graph_file
from quantunet.accumulator import accumulator
from quantunet.errors import StorageError
from quantunet.hls.csim import project
from quantunet.hls.csim.extension import register, valid_reuse_factors
from quantunet.hls.csim.lower.layer import exact, rounded
from quantunet.hls.csim.lower.names import unique_names
from quantunet.hls.csim.lower.network import model_graph
from quantunet.hls.csim.lower.weight_text import BulkText, write_in_bulk
from quantunet.ir import Graph, MatrixNode, QType
from quantunet.random_network import random_unet


@pytest.fixture(scope="module")
def graph() -> Graph:
    return random_unet(base=2, depth=1, size=8, seed=5)


def test_project_is_complete(graph: Graph, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = project.write_layer(graph, "up0", tmp_path, part="xc7a35tcpg236-1", clock_ns=8.0)
    assert capfd.readouterr() == ("", "")
    assert folder == tmp_path / "layers" / "up0"
    for name in ("build_prj.tcl", "build_opt.tcl", "project.tcl", "up0_test.cpp", "firmware/up0.cpp",
                 "firmware/parameters.h", "firmware/weights/w2.txt", "firmware/weights/w2.h",
                 "firmware/nnet_utils/qun_conv_transpose2d.h", "firmware/ap_types/ap_fixed.h"):  # fmt: skip
        assert (folder / name).is_file(), name
    tcl = (folder / "project.tcl").read_text()
    assert 'set backend "vitis"' in tcl
    assert 'set part "xc7a35tcpg236-1"' in tcl
    assert "set clock_period 8.0" in tcl
    config = (folder / "hls4ml_config.yml").read_text()
    assert f"OutputDir: {folder}" in config
    assert not [path for path in (tmp_path / "layers").iterdir() if path != folder]


def test_every_tensor_has_its_own_precision(graph: Graph, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = project.write_network(graph, tmp_path)
    assert capfd.readouterr() == ("", "")
    defines = (folder / "firmware" / "defines.h").read_text()
    assert "ap_fixed<16,6>" not in defines
    counted = 0
    for node in graph.nodes:
        if isinstance(node, MatrixNode):
            for variable, qtype in (("weight", node.weight_type), ("accum", accumulator(graph, node))):
                assert f"typedef ap_{exact(qtype)} {node.name}_{variable}_t;" in defines
                counted += 1
    assert counted > 10
    results = re.findall(r"nnet::array<(ap_u?fixed<[^>]*>), \d+\*1> (?:layer\d+|result)_t", defines)
    expected = {f"ap_{rounded(graph.output_of(node).qtype)}" for node in graph.nodes}
    rounding = {text.replace("AP_", "").replace(",0>", ">") for text in results if "RND_CONV" in text}
    assert {text for text in rounding} == expected


def test_written_once_and_replaced_as_a_whole(graph: Graph, tmp_path: Path) -> None:
    folder = project.write_layer(graph, "head", tmp_path)
    (folder / "mark").touch()
    assert project.write_layer(graph, "head", tmp_path) == folder
    assert (folder / "mark").exists()
    project.write_layer(graph, "head", tmp_path, clock_ns=5.0)
    assert not (folder / "mark").exists()
    assert (folder / "firmware" / "head.cpp").is_file()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("firmware/head.cpp", lambda text: text + "// edited by hand\n"),
        ("firmware/head.h", lambda text: ""),
        ("firmware/defines.h", lambda text: text.replace("#define", "#define ", 1)),
        ("firmware/nnet_utils/nnet_helpers.h", lambda text: text[: len(text) // 2]),
        ("firmware/weights/w2.txt", lambda text: text.replace("1", "2", 1) + " "),
        ("firmware/more.h", lambda text: "#define MORE"),
        ("build_prj.tcl", lambda text: text + "\n"),
        (cache.MANIFEST, lambda text: text[:-10]),
    ],
)
def test_what_was_edited_is_written_again(
    name: str, change: Callable[[str], str], graph: Graph, tmp_path: Path
) -> None:
    folder = project.write_layer(graph, "head", tmp_path)
    firmware = {path: path.read_bytes() for path in (folder / "firmware").rglob("*") if path.is_file()}
    assert len(firmware) > 50
    file = folder / name
    text = file.read_text() if file.exists() else ""
    assert change(text) != text
    file.write_text(change(text))
    project.write_layer(graph, "head", tmp_path)
    assert {path: path.read_bytes() for path in (folder / "firmware").rglob("*") if path.is_file()} == firmware
    (folder / "build_opt.tcl").write_text("# what a synthesis writes\n")
    (folder / "head_prj").mkdir()
    project.write_layer(graph, "head", tmp_path)
    assert (folder / "head_prj").exists(), "a synthesis in the folder is not lost"


def test_content_key_depends_on_every_weight(graph: Graph) -> None:
    other = random_unet(base=2, depth=1, size=8, seed=6)
    assert project.content_key(graph) == project.content_key(graph_file.from_json(graph_file.to_json(graph)))
    assert project.content_key(graph) != project.content_key(other)
    assert project.content_key(graph, 1) != project.content_key(graph, 2)


def test_weights_are_written_as_hls4ml_writes_them(tmp_path: Path) -> None:
    graph = random_unet(base=24, depth=1, size=8, seed=7)
    for folder, prepare in (("bulk", write_in_bulk), ("stock", lambda model: model)):
        prepare(model_graph(graph, tmp_path / folder)).write()
    files = sorted((tmp_path / "stock" / "firmware" / "weights").iterdir())
    assert sum(path.stat().st_size for path in files) > 500_000
    for path in files:
        assert (tmp_path / "bulk" / "firmware" / "weights" / path.name).read_bytes() == path.read_bytes(), path.name


def test_all_weights_are_written_in_bulk(graph: Graph, tmp_path: Path) -> None:
    model = write_in_bulk(model_graph(graph, tmp_path))
    kinds = [type(weights) for layer in model.get_layers() for weights in layer.get_weights()]
    assert len(kinds) > 10
    assert all(issubclass(kind, BulkText) for kind in kinds)


@pytest.mark.parametrize(("n_in", "n_out"), [(1, 1), (9, 4), (12, 18), (72, 7), (1, 64)])
def test_reuse_factors_are_those_of_hls4ml(n_in: int, n_out: int) -> None:
    backend = get_backend("Vitis")
    register(backend)
    valid = [rf for rf in range(1, n_in * n_out + 1) if backend._validate_reuse_factor(n_in, n_out, rf)]
    assert backend.get_valid_reuse_factors(n_in, n_out) == valid_reuse_factors(backend, n_in, n_out) == valid


def test_unwritable_folder_is_named(graph: Graph, tmp_path: Path) -> None:
    (tmp_path / "layers").write_text("in the way")
    with pytest.raises(StorageError, match=r"layers/head: expected a folder that can be written"):
        project.write_layer(graph, "head", tmp_path)


def test_names() -> None:
    assert unique_names(["a", "A", "a", "int", "x_t"]) == ["a", "A_2", "a_3", "int_2", "x_t"]


def test_precisions() -> None:
    assert exact(QType(3, True, 7)) == "fixed<3,-4>"
    assert exact(QType(3, False, -2)) == "ufixed<3,5>"
    assert rounded(QType(8, False, 8)) == "ufixed<8,0,RND_CONV,SAT>"
