"""``quantunet mask``, and what the other commands make of a network that gives masks."""

import json

import numpy as np
import pytest
from PIL import Image

import quantunet as q
from quantunet import cli, golden, graph_file
from quantunet.golden.masked import with_smallest_area
from quantunet.golden.ops.smallest_area import smallest_area
from quantunet.ir import Conv2d, QType, Reading
from quantunet.model import data
from quantunet.model.card_file import read_card
from quantunet.model.class_scores import predict_classes
from quantunet.model.evaluation import predict_masks
from quantunet.provenance import file_digest, graph_digest
from quantunet.random_network import GraphBuilder, random_image
from quantunet.zoo import load_network, network_path


@pytest.fixture(scope="module")
def phantoms():
    return data.load("phantoms", 32, phantom_count=24, seed=3)


@pytest.fixture(scope="module")
def masks(phantoms):
    found = predict_masks(load_network("tiny"), phantoms.images)
    assert len(np.unique(found.sum(axis=(1, 2)))) > 10
    return found


def median_area(masks):
    """Return an area of which about half of the masks have fewer pixels."""
    return int(np.median(masks.sum(axis=(1, 2)))) + 1


@pytest.fixture
def smaller(tmp_path, masks):
    """The network tiny without masks that are smaller than the median."""
    path = tmp_path / "smaller.qun"
    assert cli.main(["mask", "tiny", "--area", str(median_area(masks)), "--out", str(path)]) == 0
    return path


def test_the_network_gives_the_masks_of_the_first_one_or_empty_ones(smaller, phantoms, masks):
    graph = load_network(str(smaller))
    expected = smallest_area(masks, median_area(masks))
    found = predict_masks(graph, phantoms.images)
    emptied = masks.any(axis=(1, 2)) & ~found.any(axis=(1, 2))
    assert (found == expected).all() and 0 < emptied.sum() < len(masks)
    assert (predict_classes(graph, phantoms.images[..., None]) == expected).all()
    assert graph.gives_mask and [node.op for node in graph.nodes[-2:]] == ["lookup", "smallest_area"]
    inferred = q.infer(smaller, phantoms.images[int(np.flatnonzero(~emptied)[0])])
    assert inferred.mask.any() and set(np.unique(inferred.taps[graph.output])) == {0, 1}


def test_the_card_records_the_area_and_names_the_network(smaller, masks):
    first, card = (read_card(path.with_suffix(".json")) for path in (network_path("tiny"), smaller))
    assert card.smallest_area == median_area(masks) and first.smallest_area is None
    assert card.model_sha256 == file_digest(smaller)
    assert card.graph_sha256 == graph_digest(load_network(str(smaller))) != first.graph_sha256
    content = json.loads(smaller.with_suffix(".json").read_text())
    assert f"fewer than {median_area(masks)} foreground pixels" in content["scores"]["note"]
    assert content["size"]["file_bytes"] == smaller.stat().st_size
    assert content["provenance"]["sha256"]["source_model"] == file_digest(network_path("tiny"))


def test_evaluate_scores_it_as_the_same_rule_on_the_first_network(smaller, masks, tmp_path, capsys):
    area, first, second = median_area(masks), tmp_path / "first", tmp_path / "second"
    common = ["--data", "phantoms", "--part", "test", "all", "--out"]
    assert cli.main(["evaluate", str(smaller), *common, str(first)]) == 0
    assert "every area" in capsys.readouterr().out
    arguments = ["evaluate", "tiny", *common, str(second), "--smallest-area", str(area), "0", "7", str(area)]
    assert cli.main(arguments) == 0
    assert "masks emptied" in capsys.readouterr().out
    found, wanted = (json.loads((folder / "metrics.json").read_text()) for folder in (first, second))
    for part in ("test", "all"):
        assert found["parts"][part]["network"] == wanted["parts"][part]["network"]
        rows = wanted["smallest_areas"][part]
        assert [row["smallest_area"] for row in rows] == [area, 0, 7]
        assert rows[0]["emptied"] >= rows[2]["emptied"] >= rows[1]["emptied"] == 0
        assert rows[0]["emptied"] > 0 and rows[0]["network"]["dice"] == found["parts"][part]["network"]["dice"]
        assert rows[0]["network"]["dice"] != rows[1]["network"]["dice"]
    assert (found["smallest_area"], wanted["smallest_area"]) == (0, area)


def test_infer_writes_the_mask(smaller, phantoms, masks, tmp_path):
    sizes = masks.sum(axis=(1, 2))
    for index, kept in ((int(sizes.argmax()), True), (int(np.argmin(np.where(sizes > 0, sizes, 9999))), False)):
        picture, out = tmp_path / "image.png", tmp_path / "mask.png"
        Image.fromarray(phantoms.images[index]).save(picture)
        assert cli.main(["infer", str(smaller), str(picture), "--out", str(out)]) == 0
        with Image.open(out) as written:
            assert (np.asarray(written) > 0).any() == kept


def test_probabilities_and_readings_are_cut_where_the_mask_is(tmp_path):
    builder = GraphBuilder("net", 12, 10, 1, QType(8, False, 8), 2)
    builder.sigmoid("sigmoid", builder.matrix(Conv2d, "smallest_area", "image", 1, 3, 4, QType(5, True, 3)))
    graph = builder.build()
    masked = with_smallest_area(graph, 1)
    assert [node.name for node in masked.nodes] == ["smallest_area", "cut", "smallest_area_2"]
    plain = graph_file.from_json(graph_file.to_json(graph.layer("smallest_area")))
    with_reading = graph_file.from_json(
        graph_file.to_json(plain).replace('"output"', '"reading": {"gain": ["-1/3"], "offset": ["1/2"]}, "output"', 1)
    )
    assert isinstance(with_reading.reading, Reading)
    for network in (graph, plain, with_reading):
        image = random_image(network)
        found, wanted = (
            golden.mask(each, golden.run(each, image)) for each in (with_smallest_area(network, 1), network)
        )
        assert (found == wanted).all() and 0 < wanted.sum() < wanted.size


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tiny", "--area", "0", "--out", "net.qun"], "expected an area of 1 to 1024 pixels"),
        (["tiny", "--area", "1025", "--out", "net.qun"], "expected an area of 1 to 1024 pixels"),
        (["tiny", "--area", "5", "--out", "net.onnx"], "expected a name that ends in .qun"),
        (["classes.json", "--area", "5", "--out", "net.qun"], "expected logits of one channel for a mask"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    builder = GraphBuilder("classes", 12, 10, 1, QType(8, False, 8), 2)
    builder.matrix(Conv2d, "head", "image", 3, 3, 4, QType(5, True, 3))
    (tmp_path / "classes.json").write_text(graph_file.to_json(builder.build()))
    assert cli.main(["mask", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["classes.json"]


def test_a_mask_is_not_cut_twice_and_no_card_is_replaced(smaller, tmp_path, capsys):
    assert cli.main(["mask", str(smaller), "--area", "5", "--out", str(tmp_path / "other.qun")]) == 2
    assert "one that gives its mask already" in capsys.readouterr().err
    before = smaller.with_suffix(".json").read_bytes()
    assert cli.main(["mask", str(smaller), "--area", "5", "--out", str(smaller)]) == 2
    assert "would be replaced" in capsys.readouterr().err
    assert smaller.with_suffix(".json").read_bytes() == before and not (tmp_path / "other.qun").exists()


def test_neither_the_network_nor_another_file_is_replaced_by_a_card(tmp_path, capsys):
    network = tmp_path / "net.json"
    builder = GraphBuilder("net", 12, 10, 1, QType(8, False, 8), 2)
    builder.matrix(Conv2d, "head", "image", 1, 3, 4, QType(5, True, 3))
    network.write_text(graph_file.to_json(builder.build()))
    (tmp_path / "notes.json").write_text("{}")
    for out, sentence in (("net.qun", "got the network"), ("notes.qun", "got another file")):
        assert cli.main(["mask", str(network), "--area", "5", "--out", str(tmp_path / out)]) == 2
        assert sentence in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.json", "notes.json"]
    assert cli.main(["mask", str(network), "--area", "5", "--out", str(tmp_path / "other.qun")]) == 0
    assert load_network(str(tmp_path / "other.qun")).gives_mask and not (tmp_path / "other.json").exists()


@pytest.mark.parametrize("area", ["-1", "1025"])
def test_an_area_that_no_image_has_is_refused(area, capsys):
    assert cli.main(["evaluate", "tiny", "--data", "phantoms", "--smallest-area", area]) == 2
    assert "expected 0 to 1024 pixels" in capsys.readouterr().err
