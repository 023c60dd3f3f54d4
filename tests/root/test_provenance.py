"""What a result is a result of: digests that say neither too much nor too little, versions, commit, options."""

import argparse
import dataclasses
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers.project import ROOT

from quantunet import __version__, graph_file, packed, provenance
from quantunet.errors import StorageError
from quantunet.ir import Graph, IntArray
from quantunet.provenance import (
    array_digest,
    checkout,
    file_digest,
    files_digest,
    gather,
    graph_digest,
    onnx_properties,
    value_digest,
    versions,
    write_onnx_properties,
)
from quantunet.zoo import load_network, network_path


@pytest.fixture(scope="module")
def tiny() -> Graph:
    return load_network("tiny")


def test_a_file_has_the_digest_that_sha256sum_prints(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"some bytes" * 300_000)
    assert file_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(StorageError, match="none"):
        file_digest(tmp_path / "none")


def test_a_graph_has_one_digest_in_every_file_and_under_every_name(tiny, tmp_path):
    shutil.copyfile(network_path("tiny"), tmp_path / "another_name.onnx")
    packed.write(tiny, tmp_path / "third.qun")
    (tmp_path / "graph.json").write_text(graph_file.to_json(dataclasses.replace(tiny, name="fourth")))
    names = ("another_name.onnx", "third.qun", "graph.json")
    assert {graph_digest(load_network(str(tmp_path / name))) for name in names} == {graph_digest(tiny)}


def changed(graph: Graph) -> list[Graph]:
    """Return graphs that differ from one in a single place each."""
    first = graph.nodes[0]
    weight = first.weight.array.copy()
    weight.flat[-1] ^= 1
    return [
        dataclasses.replace(graph, nodes=(dataclasses.replace(first, weight=IntArray.of(weight)), *graph.nodes[1:])),
        dataclasses.replace(graph, nodes=(dataclasses.replace(first, name="renamed"), *graph.nodes[1:])),
        dataclasses.replace(
            graph,
            tensors=(
                dataclasses.replace(graph.tensors[0], qtype=dataclasses.replace(graph.tensors[0].qtype, frac=7)),
                *graph.tensors[1:],
            ),
        ),
        dataclasses.replace(graph, pixels=dataclasses.replace(graph.pixels, narrow=True)),
        dataclasses.replace(graph, nodes=graph.nodes[:-1]),
    ]


def test_every_change_of_a_graph_changes_the_digest(tiny):
    digests = [graph_digest(graph) for graph in (tiny, *changed(tiny))]
    assert len(set(digests)) == len(digests) == 6


def test_a_field_with_its_default_value_is_left_out():
    @dataclasses.dataclass(frozen=True)
    class Old:
        a: int

    @dataclasses.dataclass(frozen=True)
    class New:
        a: int
        b: int = 0

    assert value_digest(Old(1)) == value_digest(New(1)) != value_digest(New(1, 1))


def test_values_with_other_digests_are_told_apart():
    values = [{"a": 1}, {"a": "1"}, {"a": True}, {"a": [1]}, {"b": 1}, {"a": None}, {}, [], ["a", 1]]
    assert len({value_digest(value) for value in values}) == len(values)
    assert value_digest({"a": 1, "b": (2, 3)}) == value_digest({"b": [2, 3], "a": 1})
    for value in ({"a": object()}, {"a": np.int64(3)}):
        with pytest.raises(TypeError):
            value_digest(value)
    with pytest.raises(ValueError, match="compliant"):
        value_digest(float("nan"))


def test_arrays_are_compared_by_shape_and_value_alone():
    values = np.arange(24)
    same = {array_digest(values.astype(kind)) for kind in ("uint8", "<i4", ">i8", "int64")}
    assert same == {array_digest(values[::-1][::-1])}
    others = [values.reshape(4, 6), values.reshape(6, 4), np.asfortranarray(values.reshape(4, 6)).T, values[:-1]]
    others += [values + 1, np.array(3), np.array([3]), np.array(["a", "bc"]), np.array(["ab", "c"]), np.zeros(0, int)]
    assert len({*same, *(array_digest(other) for other in others)}) == 1 + len(others)
    with pytest.raises(TypeError):
        array_digest(np.zeros(3))


def test_several_files_have_one_digest_of_names_and_bytes(tmp_path):
    paths = [tmp_path / "a" / "one", tmp_path / "two"]
    (tmp_path / "a").mkdir()
    for path in paths:
        path.write_text(path.name)
    first = files_digest(tmp_path, paths)
    assert first == files_digest(tmp_path, paths[::-1])
    text = "".join(f"{file_digest(path)}  {path.relative_to(tmp_path)}\n" for path in paths)
    assert first == hashlib.sha256(text.encode()).hexdigest(), "what sha256sum prints, once more"
    paths[1].write_text("other")
    assert files_digest(tmp_path, paths) != first
    assert files_digest(tmp_path, []) is None


def test_versions_are_of_what_is_asked_for(monkeypatch):
    found = versions(("numpy", "g++", "nosuch"))
    assert list(found) == ["python", "numpy", "g++"]
    assert (found["python"], found["numpy"]) == (platform.python_version(), np.__version__)
    monkeypatch.setenv("PATH", "")
    assert versions(("g++",)).keys() == {"python"}


def test_options_become_json_values():
    options = argparse.Namespace(out=Path("a/b"), layers=("x", "y"), seed=0, rate=float("inf"), run=print, given=None)
    made = gather(options, ("numpy",), {"model": "0" * 64, "image": None})
    document = json.loads(json.dumps(made.document(), allow_nan=False))
    assert document["options"] == {"out": "a/b", "layers": ["x", "y"], "seed": 0, "rate": "inf", "given": None}
    assert document["sha256"] == {"model": "0" * 64, "image": None}
    assert document["quantunet"] == __version__
    age = datetime.now(timezone.utc) - datetime.strptime(document["date"], "%Y-%m-%dT%H:%M:%S%z")
    assert 0 <= age.total_seconds() < 60


def git(folder, *arguments):
    identity = ("-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with the product's files where a checkout has them."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    root = tmp_path / "repository"
    (root / "src" / "quantunet").mkdir(parents=True)
    (root / "src" / "quantunet" / "provenance.py").write_text("")
    git(tmp_path, "init", "-q", str(root))
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "all")
    monkeypatch.setattr(provenance, "__file__", str(root / "src" / "quantunet" / "provenance.py"))
    return root


def test_the_commit_is_that_of_the_checkout_and_changes_of_the_program_are_said(repository, monkeypatch):
    commit = git(repository, "rev-parse", "HEAD")
    assert checkout() == (commit, False)
    (repository / "report.json").write_text("a result is no change of the program")
    assert checkout() == (commit, False)
    (repository / "src" / "quantunet" / "new.py").write_text("")
    assert checkout() == (commit, True)
    (repository / "src" / "quantunet" / "new.py").unlink()
    (repository / "src" / "quantunet" / "provenance.py").write_text("changed")
    assert checkout() == (commit, True)
    assert onnx_properties()["quantunet.commit"] == f"{commit}-dirty"
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert checkout() == (commit, True), "the variables of a hook are about another repository"
    monkeypatch.setenv("PATH", "")
    assert checkout() is None


def test_an_installed_program_has_no_commit_whatever_surrounds_it(repository, monkeypatch):
    """Neither in the site-packages of somebody's repository nor, as a copy, in a folder of one."""
    for place in ("venv/lib/python3/site-packages/quantunet", "vendor/src/quantunet"):
        folder = repository / place
        folder.mkdir(parents=True)
        (folder / "provenance.py").write_text("")
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", place)
        monkeypatch.setattr(provenance, "__file__", str(folder / "provenance.py"))
        assert checkout() is None
    found = gather({}, (), {}).document()
    assert (found["commit"], found["dirty"]) == (None, None)
    assert onnx_properties(data="1") == {"quantunet.version": __version__, "quantunet.data_sha256": "1"}


def test_an_untracked_copy_has_no_commit(repository):
    git(repository, "rm", "-q", "--cached", "src/quantunet/provenance.py")
    (repository / "other").write_text("")
    git(repository, "add", "other")
    git(repository, "commit", "-q", "-m", "other")
    assert checkout() is None


def test_this_checkout_is_found():
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout")
    commit, _ = checkout()
    assert commit == git(ROOT, "rev-parse", "HEAD")


def test_properties_of_an_onnx_file_are_replaced_and_others_kept(tmp_path):
    model = onnx.load(network_path("tiny"))
    before = {entry.key: entry.value for entry in model.metadata_props}
    for digest in ("1", "2"):
        write_onnx_properties(model, {"quantunet.version": "0", "quantunet.data_sha256": digest})
    found = {entry.key: entry.value for entry in model.metadata_props}
    assert len(model.metadata_props) == len(found)
    assert found == before | {"quantunet.version": "0", "quantunet.data_sha256": "2"}


def test_digests_are_those_of_another_process():
    """Nothing in them depends on the order in which this process hashes strings."""
    program = (
        "from quantunet.provenance import graph_digest; from quantunet.zoo import load_network; "
        "print(graph_digest(load_network('tiny')))"
    )
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == graph_digest(load_network("tiny"))
