from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantunet.errors import FoldingError, ModelError, StorageError
from quantunet.hls import folding
from quantunet.hls.choose.default import default_folding, read_folding
from quantunet.hls.design import Fold
from quantunet.hls.generate import rtl_project
from quantunet.hls.network import build
from quantunet.random_network import random_unet

GRAPH = random_unet(base=4, depth=2, size=16)
FOLDING = default_folding(GRAPH)


def write(folder: Path) -> rtl_project.RtlProject:
    return rtl_project.write(GRAPH, FOLDING, folder)


def test_network_has_every_layer_and_each_stream_one_writer_and_one_reader(tmp_path: Path) -> None:
    design = write(tmp_path).design
    assert {node.name for node in GRAPH.nodes} <= {instance.name for instance in design.instances}
    written = [name for instance in design.instances for _, name in instance.outputs] + list(design.inputs)
    read = [name for instance in design.instances for _, name in instance.inputs] + list(design.outputs)
    names = sorted(stream.name for stream in design.streams)
    assert sorted(written) == sorted(read) == names
    modules = [instance.module for instance in design.instances]
    assert modules.count("qun_fork") == 2
    assert modules.count("qun_fifo") >= 4
    assert "qun_width_adapter" in modules


def test_both_ends_of_every_stream_agree_on_lanes() -> None:
    design = build(GRAPH, FOLDING)
    streams = {stream.name: stream for stream in design.streams}
    for node in GRAPH.nodes:
        instance = next(i for i in design.instances if i.name == node.name)
        for _, name in instance.inputs:
            assert streams[name].lanes == FOLDING[node.name].simd
        for _, name in instance.outputs:
            assert streams[name].lanes == FOLDING[node.name].pe


def test_folder_is_whole_and_a_second_write_changes_nothing(tmp_path: Path) -> None:
    project = write(tmp_path)
    assert project.sources[-1].name == f"{project.top}.sv"
    assert all(path.is_file() for path in (*project.sources, *project.memories))
    listed = (tmp_path / "files.f").read_text(encoding="utf-8").split()
    assert listed[0] == "+incdir+rtl"
    assert [tmp_path / name for name in listed[1:]] == list(project.sources)
    document = json.loads((tmp_path / "design.json").read_text(encoding="utf-8"))
    assert document["top"] == project.top
    assert document["outputs"] == [{"prefix": "m_axis", "stream": GRAPH.output, "bits": 8}]
    assert read_folding(tmp_path / "folding.json", GRAPH) == FOLDING
    before = {path: path.stat().st_mtime_ns for path in (*project.sources, *project.memories)}
    write(tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_damaged_memory_file_is_written_again(tmp_path: Path) -> None:
    project = write(tmp_path)
    whole = project.memories[0].read_bytes()
    project.memories[0].write_bytes(b"")
    write(tmp_path)
    assert project.memories[0].read_bytes() == whole


def test_single_layer_with_two_inputs(tmp_path: Path) -> None:
    project = rtl_project.write(GRAPH, FOLDING, tmp_path, layer="concat0")
    ports = rtl_project.input_ports(project.design)
    assert [port.prefix for port in ports] == ["s_axis_skip", "s_axis_up"]
    assert all(port.bits % 8 == 0 for port in ports)


def test_wrong_folding_and_unknown_layer(tmp_path: Path) -> None:
    with pytest.raises(FoldingError, match="enc0_conv1"):
        rtl_project.write(GRAPH, {**FOLDING, "enc0_conv1": Fold(3, 1)}, tmp_path)
    with pytest.raises(ModelError, match="nonsense"):
        rtl_project.write(GRAPH, FOLDING, tmp_path, layer="nonsense")
    with pytest.raises(StorageError, match=r"qun_concat\.sv"):
        rtl_project.write(GRAPH, FOLDING, tmp_path, rtl_folder=tmp_path)
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_each_layer_is_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    whole = folding.check_fold
    monkeypatch.setattr(folding, "check_fold", lambda *args: checked.append(args[1].name) or whole(*args))
    rtl_project.write(GRAPH, dict(FOLDING), tmp_path / "network")
    assert sorted(checked) == sorted(node.name for node in GRAPH.nodes)
    made = folding.Folding(GRAPH, FOLDING)
    checked.clear()
    for node in GRAPH.nodes:
        rtl_project.write(GRAPH, made, tmp_path / node.name, layer=node.name)
    assert checked == []
