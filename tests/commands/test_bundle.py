"""``quantunet bundle``, and what MONAI says of what it writes, by the commands of docs/bundle.md."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.project import ROOT
from monai.bundle import load, verify_metadata, verify_net_in_out
from PIL import Image

import quantunet as q
from quantunet import cli
from quantunet.model.bundle.metadata import NEEDED
from quantunet.model.bundle.write import METADATA, STRUCTURE, WEIGHTS
from quantunet.model.card_file import read_card
from quantunet.model.phantoms import generate
from quantunet.provenance import file_digest
from quantunet.zoo import card_path, network_path

TEXT = {"type": "string"}
TENSOR = {
    "type": "object",
    "required": ["type", "format", "num_channels", "spatial_shape", "dtype", "value_range"],
    "properties": {
        "num_channels": {"type": "integer"},
        "spatial_shape": {"type": "array", "items": {"type": ["string", "integer"]}},
        "value_range": {"type": "array", "items": {"type": "number"}},
        "dtype": TEXT,
    },
}
TENSORS = {"type": "object", "minProperties": 1, "additionalProperties": TENSOR}
SCHEMA = {
    "type": "object",
    "required": [
        *("schema", "version", "monai_version", "pytorch_version", "numpy_version", "required_packages_version"),
        *("task", "description", "authors", "copyright", "network_data_format"),
    ],
    "properties": {
        **dict.fromkeys(("version", "task", "description", "authors", "copyright", "data_source", "data_type"), TEXT),
        **dict.fromkeys(("changelog", "required_packages_version", "eval_metrics"), {"type": "object"}),
        "references": {"type": "array", "items": TEXT},
        "network_data_format": {
            "type": "object",
            "required": ["inputs", "outputs"],
            "properties": {"inputs": TENSORS, "outputs": TENSORS},
        },
    },
}
"""What MONAI's specification of bundles demands of the metadata. MONAI takes this file and downloads none."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    assert cli.main(["bundle", "tiny", "--out", str(folder), "--bundle-version", "1.2.3"]) == 0
    return folder


@pytest.fixture
def inside(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The bundle's folder as the working folder, and its scripts found."""
    monkeypatch.chdir(bundle)
    monkeypatch.syspath_prepend(str(bundle))
    yield bundle
    for name in [name for name in sys.modules if name.partition(".")[0] == "scripts"]:
        del sys.modules[name]


def monai(bundle: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m monai.bundle`` in the bundle's folder, where no quantunet is found."""
    program = (
        "import runpy, sys; sys.modules['quantunet'] = None\n"
        f"sys.argv = ['monai.bundle', *{list(words)!r}]; sys.path.insert(0, '')\n"
        "runpy.run_module('monai.bundle', run_name='__main__')\n"
    )
    return subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=bundle, capture_output=True, text=True)


pytestmark = [
    # MONAI warns of what it is told to do here: a schema without a digest, and a configuration whose source is known.
    pytest.mark.filterwarnings("ignore:No hash value provided"),
    pytest.mark.filterwarnings("ignore:parsing config_file"),
]

CONFIGURED = ("--meta_file", "configs/metadata.json", "--config_file", "configs/inference.json")


def test_the_metadata_are_verified(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    words = ("verify_metadata", "--filepath", str(tmp_path / "schema.json"), "--meta_file")
    done = monai(bundle, *words, "configs/metadata.json")
    assert done.returncode == 0 and "metadata is verified with no error" in done.stdout + done.stderr, done.stderr
    content = json.loads((bundle / METADATA).read_text())
    del content["network_data_format"]["outputs"]["pred"]["dtype"]
    (tmp_path / "damaged.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="Failed validating"):
        verify_metadata(meta_file=str(tmp_path / "damaged.json"), filepath=str(tmp_path / "schema.json"))


def test_input_and_output_of_the_network_are_verified(bundle: Path) -> None:
    words = ("verify_net_in_out", "--net_id", "network_def", "--device", "cpu", *CONFIGURED)
    done = monai(bundle, *words)
    assert done.returncode == 0, done.stderr
    assert "data shape of network is verified with no error" in done.stdout + done.stderr


def test_another_number_of_channels_is_noticed(inside: Path) -> None:
    files = {"meta_file": "configs/metadata.json", "config_file": "configs/inference.json"}
    with pytest.raises(ValueError, match="channel number `1` doesn't match: `2`"):
        verify_net_in_out(
            "network_def", device="cpu", **files, **{"_meta_#network_data_format#outputs#pred#num_channels": 2}
        )


def test_monai_writes_the_masks_of_golden(bundle: Path, tmp_path: Path) -> None:
    pictures, masks = tmp_path / "pictures", tmp_path / "masks"
    pictures.mkdir()
    found, compared = [], 0
    for index, picture in enumerate(generate(4, 32, seed=7)[0]):
        Image.fromarray(picture).save(pictures / f"p{index}.png")
    words = ("--config_file", "configs/inference.json", "--dataset_dir", str(pictures), "--output_dir", str(masks))
    done = monai(bundle, "run", *words)
    assert done.returncode == 0, done.stderr
    for path in sorted(pictures.iterdir()):
        mask = np.asarray(Image.open(masks / f"{path.stem}_mask.png"))
        expected = q.infer("tiny", path).mask
        assert (mask == expected * 255).all()
        compared += mask.size
        found.append(bool((mask != mask.T).any()))
    assert compared == 4 * 32 * 32 and any(found), "no mask in which rows and columns can be told apart"


def test_monai_loads_the_network_with_its_weights(inside: Path) -> None:
    network = load("tiny", bundle_dir="..", workflow_type="inference", source="github", device="cpu")
    assert isinstance(network, torch.nn.Module)
    other, state = torch.load(WEIGHTS, weights_only=True), network.state_dict()
    assert state.keys() == other.keys() and len(other) > 20
    assert all(torch.equal(state[name], values) for name, values in other.items())
    assert network(torch.zeros(1, 1, 32, 32)).shape == (1, 1, 32, 32)


def test_what_a_bundle_says_of_itself(bundle: Path) -> None:
    content = json.loads((bundle / METADATA).read_text())
    card = read_card(card_path("tiny") or Path())
    assert card.license == card.data_license == "Apache-2.0" and card.authors
    assert content["version"] == "1.2.3" and content["authors"] == card.authors
    assert content["copyright"] == "Licence of the network: Apache-2.0"
    assert content["eval_metrics"]["dice"] == card.quantised_scores["test"]["dice"]
    assert content["quantunet"]["sha256"]["model"] == file_digest(network_path("tiny"))
    assert content["quantunet"]["sha256"]["graph"] == card.graph_sha256
    assert (bundle / "docs" / "data_license.txt").read_text() == "Apache-2.0\n"
    licence = (bundle / "docs" / "license.txt").read_text()
    assert (ROOT / "LICENSE").read_text() in licence and licence.startswith("The network (")
    page = (bundle / "docs" / "README.md").read_text()
    assert "| licence of the data | Apache-2.0 |" in page and "{" not in page
    assert "unknown" in (read_card(card_path("wearable") or Path()).data_license or "")


def test_what_the_configuration_needs_is_locked() -> None:
    assert f"\npytorch-ignite=={NEEDED['pytorch-ignite']} " in (ROOT / "locked.txt").read_text()


def test_terms_that_nobody_says_and_terms_of_the_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "own.onnx"
    shutil.copyfile(network_path("tiny"), model)
    out = tmp_path / "out"
    assert cli.main(["bundle", str(model), "--out", str(out)]) == 0
    content = json.loads((out / METADATA).read_text())
    assert content["authors"].startswith("not stated") and content["data_license"].startswith("not stated")
    assert content["eval_metrics"] == {}
    words = ["--authors", "A | <b>\n# B", "--license", "MIT", "--data-license", "CC0-1.0"]
    assert cli.main(["bundle", str(model), "--out", str(out), *words]) == 0
    content = json.loads((out / METADATA).read_text())
    assert content["authors"] == words[1] and content["data_license"] == "CC0-1.0"
    assert "| authors | A \\| <b> # B |" in (out / "docs" / "README.md").read_text()
    capsys.readouterr()
    assert cli.main(["bundle", "tiny", "--out", str(tmp_path / "no"), "--license", "MIT"]) == 2
    assert "--license: expected what the network's card says, 'Apache-2.0', got 'MIT'" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_nothing_else_is_replaced_and_nothing_is_left_half_written(
    tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.txt").write_text("mine")
    assert cli.main(["bundle", "tiny", "--out", str(own)]) == 2
    assert "expected a bundle of an earlier run" in capsys.readouterr().err
    assert [path.name for path in own.iterdir()] == ["thesis.txt"]
    assert cli.main(["bundle", "tiny", "--out", str(tmp_path / "x"), "--bundle-version", "one"]) == 2
    out = tmp_path / "out"
    shutil.copytree(bundle, out)
    before = {path.relative_to(out): file_digest(path) for path in out.rglob("*") if path.is_file()}

    def fails(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("quantunet.model.bundle.write.page", fails)
    assert cli.main(["bundle", "tiny", "--out", str(out)]) == 2
    assert "No space left" in capsys.readouterr().err
    assert {path.relative_to(out): file_digest(path) for path in out.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "own"]


def test_the_same_command_writes_the_same_files(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny"
    assert cli.main(["bundle", "tiny", "--out", str(out), "--bundle-version", "1.2.3"]) == 0
    for path in (METADATA, STRUCTURE, WEIGHTS, Path("docs", "README.md"), Path("scripts", "integer_network.py")):
        assert file_digest(out / path) == file_digest(bundle / path), path
