"""A co-simulation on a Dask cluster of two workers finds what one in this process finds."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import pytest
from helpers.dask_cluster import dask_cluster, settings
from helpers.rtl import BUILD_ROOT

from quantunet import cluster as cluster_module
from quantunet.cluster import Cluster, connect
from quantunet.hls.choose.default import default_folding
from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.random_network import random_image, random_unet
from quantunet.rtl_sim.cosim import Options, cosim
from quantunet.rtl_sim.report import FAILED, CosimReport

GRAPH = random_unet(base=2, depth=1, size=16, seed=2, name="cosim_test")
FOLDING = default_folding(GRAPH)
TOOLS = ("numpy", "onnx", "verilator", "cocotb", "g++", "hls4ml")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("tls")
    with pytest.MonkeyPatch.context() as patch, dask_cluster(folder) as processes:
        patch.setattr(cluster_module, "CONNECT_SECONDS", 60)
        with dask.config.set(settings(folder)), connect(processes.address, folder, TOOLS) as connected:
            yield connected


def rows(report: CosimReport) -> dict[str, Any]:
    """Return the report without what differs between two runs of one kind: its times, the date and the folder."""
    document = report.document()
    for part in (document, *document["layers"], document["network_rtl"] or {}):
        part.pop("seconds", None)
    return document


def test_the_rows_are_those_of_a_local_run(cluster: Cluster, tmp_path: Path) -> None:
    options = Options(layers=("enc0_conv0", "skip0_requant", "network"), frames=2, jobs=2, builds=BUILD_ROOT)
    image = random_image(GRAPH)
    local = cosim(GRAPH, image, FOLDING, tmp_path / "local", options)
    states: set[tuple[str, str]] = set()
    spread = cosim(
        GRAPH,
        image,
        FOLDING,
        tmp_path / "spread",
        options,
        cluster=cluster,
        progress=lambda report: states.update((layer.name, layer.hls) for layer in report.layers),
    )
    assert local.passed and spread.passed
    assert spread.values_compared == local.values_compared > 3000
    assert rows(spread) == rows(local)
    assert spread.sources == local.sources
    assert ("enc0_conv0", "running") in states
    assert not list((tmp_path / "spread").glob(".*")), "no mark and no lock is left"


def test_a_fault_is_found_there_too(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    library = tmp_path / "rtl"
    shutil.copytree(RTL_FOLDER, library)
    source = (library / "qun_requant.sv").read_text(encoding="utf-8")
    broken = source.replace("InSigned && raw[InBits-1]", "1'b1")
    assert broken != source
    (library / "qun_requant.sv").write_text(broken, encoding="utf-8")
    options = Options(layers=("skip0_requant",), legs=("rtl",), jobs=1, builds=BUILD_ROOT, rtl_folder=library)
    folder = Path("cosim")
    found = [cosim(GRAPH, random_image(GRAPH), FOLDING, folder, options, cluster=where) for where in (None, cluster)]
    assert [report.layers[0].rtl for report in found] == [FAILED, FAILED]
    assert rows(found[1]) == rows(found[0])
    wave = found[1].layers[0].waveform
    assert wave is not None and not Path(wave).is_absolute() and Path(wave).is_file()
    assert dataclasses.asdict(found[1].layers[0])["rtl_first"] is not None
