"""Networks by name and by path: every kind of file, and what is none."""

import json
import shutil

import pytest

from quantunet import cli, graph_file, packed, zoo
from quantunet.errors import FileFormatError, StorageError, UnsupportedOpError
from quantunet.ir import Graph, MatrixNode
from quantunet.model.card_file import read_card
from quantunet.model.config import PRESETS
from quantunet.zoo import card_path, load_network, model_digest, network_path, zoo_names


@pytest.fixture(scope="module")
def tiny() -> Graph:
    return load_network("tiny")


def test_every_kind_of_file_is_the_same_network(tmp_path, tiny):
    for suffix in (".onnx", ".ONNX"):
        shutil.copyfile(network_path("tiny"), tmp_path / f"tiny{suffix}")
    packed.write(tiny, tmp_path / "tiny.qun")
    (tmp_path / "tiny.json").write_text(graph_file.to_json(tiny))
    names = ("tiny.onnx", "tiny.ONNX", "tiny.qun", "tiny.json")
    assert [load_network(str(tmp_path / name)) == tiny for name in names] == [True] * 4


@pytest.mark.parametrize("command", ["infer", "pack", "fold", "fifos"])
def test_commands_take_a_graph_json(command, tmp_path, tiny, capsys):
    model, image = tmp_path / "graph.json", tmp_path / "image.png"
    model.write_text(graph_file.to_json(tiny))
    assert cli.main(["phantom", str(image), "--size", "32"]) == 0
    arguments = {
        "infer": [str(image), "--out", str(tmp_path / "mask.png")],
        "pack": ["--out", str(tmp_path / "tiny.qun")],
        "fold": ["--interval", "20000"],
        "fifos": ["--build", str(tmp_path / "build")],
    }
    assert cli.main([command, str(model), *arguments[command]]) == 0, capsys.readouterr().err


def bad_model(kind, folder):
    """Return the name of what is no network, and a part of the message."""
    path = folder / {"ending": "net.pt", "no ending": "net", "picture": "net.png", "missing": "none.onnx"}.get(
        kind, f"net.{kind.rpartition(' ')[2]}"
    )
    if kind.startswith("empty"):
        path.write_bytes(b"")
    elif kind.startswith("folder"):
        path.mkdir()
    elif kind.startswith("card"):
        shutil.copyfile(network_path("tiny").with_suffix(".json"), path)
    elif kind.startswith("other"):
        path.write_text('{"format": "quantunet-graph-1", "nodes": 3}')
    elif kind.startswith("bytes"):
        path.write_bytes(b"\xff\xfe\x00quantunet-graph-1")
    elif kind == "long":
        return "n" * 5000, "too long"
    elif kind != "missing":
        shutil.copyfile(network_path("tiny"), path)
    texts = {"empty": "an empty file", "folder": "a folder", "card": "A card", "ending": "'.pt'", "picture": "'.png'"}
    texts |= {"no": "without an ending", "missing": "The zoo holds", "other": "key 'name'", "bytes": "UTF-8"}
    return str(path), texts[kind.partition(" ")[0]]


@pytest.mark.parametrize(
    "kind",
    ["empty onnx", "empty qun", "empty json", "folder onnx", "folder json", "card json", "other json", "bytes json"]
    + ["ending", "no ending", "picture", "missing", "long"],
)
def test_what_is_no_network_is_refused_with_a_reason(kind, tmp_path, capsys):
    name, text = bad_model(kind, tmp_path)
    with pytest.raises((FileFormatError, StorageError)) as refused:
        load_network(name)
    assert text in str(refused.value)
    assert cli.main(["fold", name, "--interval", "1000"]) == 2
    assert text in capsys.readouterr().err


def test_a_graph_is_not_its_own_card(tmp_path, tiny):
    (tmp_path / "tiny.json").write_text(graph_file.to_json(tiny))
    assert card_path(str(tmp_path / "tiny.json")) is None
    packed.write(tiny, tmp_path / "tiny.qun")
    assert card_path(str(tmp_path / "tiny.qun")) == tmp_path / "tiny.json"
    assert card_path("tiny").name == "tiny.json"


def test_the_zoo_lists_packed_networks_and_the_size_of_their_files(tmp_path, tiny, monkeypatch, capsys):
    (tmp_path / "zoo").mkdir()
    packed.write(tiny, tmp_path / "zoo" / "small.qun")
    shutil.copyfile(network_path("tiny").with_suffix(".json"), tmp_path / "zoo" / "small.json")
    monkeypatch.setattr(zoo, "_folder", lambda: tmp_path / "zoo")
    assert zoo_names() == ("small",)
    assert load_network("small") == tiny
    assert cli.main(["zoo", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["packed_bytes"] == (tmp_path / "zoo" / "small.qun").stat().st_size > 0


def test_the_sizes_of_the_zoo_are_those_that_pack_writes(tmp_path, capsys):
    assert cli.main(["zoo", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(zoo_names())
    for name in ("tiny", "wearable"):
        assert cli.main(["pack", name, "--out", str(tmp_path / f"{name}.qun")]) == 0
        size = (tmp_path / f"{name}.qun").stat().st_size
        assert rows[name]["packed_bytes"] == size
        assert f"{rows[name]['ratio']:.2f} times smaller" in capsys.readouterr().out
    assert cli.main(["zoo"]) == 0
    assert f"{rows['wearable']['packed_bytes']:,} B" in capsys.readouterr().out


def test_paper_has_the_size_of_the_paper():
    paper, wearable = load_network("paper"), load_network("wearable")
    nodes = [node for node in paper.nodes if isinstance(node, MatrixNode)]
    assert len(nodes) == 23
    assert sum(node.weight.array.size + node.bias.array.size for node in nodes) == 31_030_593
    macs = sum(node.weight.array.size * paper.input_of(node).shape[0] * paper.input_of(node).shape[1] for node in nodes)
    assert macs == 12_022_972_416 == sum(shape.macs for shape in PRESETS["paper"].conv_layers())
    assert [(node.op, node.name, node.inputs) for node in paper.nodes] == [
        (node.op, node.name, node.inputs) for node in wearable.nodes
    ]
    assert paper.tensor("bottleneck_conv1_out").shape == (8, 8, 1024)


@pytest.mark.parametrize("network", ["busbra", "hospitals"])
def test_a_float_twin_is_no_network_of_its_own_and_has_a_name(network: str, capsys):
    twin = f"{network}_float"
    assert network in zoo_names() and twin not in zoo_names()
    assert network_path(twin).name == f"{twin}.onnx"
    assert card_path(twin).name == f"{twin}.json"
    for name in (network, twin):
        card = read_card(card_path(name))
        assert card.model_sha256 == model_digest(name)
    assert load_network(network).name == network
    with pytest.raises(UnsupportedOpError, match="expected quantised weights"):
        load_network(twin)
    assert cli.main(["evaluate", twin, "--data", "phantoms", "--phantoms", "2", "--out", "/dev/null/x"]) == 2
    assert "/dev/null/x" in capsys.readouterr().err
