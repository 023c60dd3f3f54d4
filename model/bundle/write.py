"""Write a network as a MONAI bundle: whole, and equal to the golden model, or not at all."""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from quantunet import golden, storage
from quantunet.compare import compare
from quantunet.documents import read_json
from quantunet.errors import FileFormatError, ModelError, StorageError
from quantunet.ir import Graph
from quantunet.model.bundle import integer_network
from quantunet.model.bundle.integer_network import IntegerNetwork
from quantunet.model.bundle.metadata import inference, metadata, page
from quantunet.model.bundle.structure import structure
from quantunet.model.bundle.terms import Terms
from quantunet.model.card_file import Card
from quantunet.pixel_codes import picture_codes

METADATA = Path("configs", "metadata.json")
STRUCTURE = Path("configs", "network.json")
WEIGHTS = Path("models", "model.pt")

CHECKED_PICTURES = 4
"""Random pictures on which a bundle is compared with the golden model before it is there."""

_SEED = 2025


@dataclass(frozen=True)
class Written:
    """A bundle that was written.

    Attributes:
        folder: Where.
        compared: Values of its tensors and class maps that were compared with the golden model; none differed.
        tensors: How many tensors these are of, for each picture.
    """

    folder: Path
    compared: int
    tensors: int


def write_bundle(
    graph: Graph, folder: Path, card: Card | None, terms: Terms, version: str, sha256: Mapping[str, str | None]
) -> Written:
    """Write a bundle and compare it, as it stands on the disk, with the golden model.

    Args:
        graph: A network of one input that says what the byte of a picture means.
        folder: The bundle's folder; an earlier bundle there is replaced as a whole.
        card: The network's card, if it has one.
        terms: Authors and licences.
        version: Of the bundle.
        sha256: Digests of what it is made of.

    Raises:
        StorageError: The folder cannot be written.
        FileFormatError: Something else than a bundle stands there.
        ModelError: The network cannot be written as a torch module, or what was written computes other integers.
    """
    _check_place(folder)
    content, state = structure(graph)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with storage.temporary_folder(folder) as temporary:
            fresh = temporary / "new"
            for name in ("configs", "models", "scripts", "docs"):
                (fresh / name).mkdir(parents=True)
            _write_json(fresh / STRUCTURE, content)
            torch.save(state, fresh / WEIGHTS)
            script = Path(integer_network.__file__).read_bytes()
            (fresh / "scripts" / "integer_network.py").write_bytes(script)
            (fresh / "scripts" / "__init__.py").write_bytes(b"")
            found = check_bundle(graph, fresh)
            _write_json(fresh / METADATA, metadata(graph, card, terms, version, sha256))
            _write_json(fresh / "configs" / "inference.json", inference(graph))
            (fresh / "docs" / "README.md").write_text(page(graph, card, terms, found), encoding="utf-8")
            (fresh / "docs" / "license.txt").write_text(_licence(terms), encoding="utf-8")
            (fresh / "docs" / "data_license.txt").write_text(f"{terms.said('data_license')}\n", encoding="utf-8")
            if os.path.lexists(folder):
                folder.rename(temporary / "old")
            fresh.rename(folder)
    except OSError as error:
        raise StorageError(
            str(folder), expected="a folder that can be written", got=error.strerror or str(error),
            hint="Free some space, check the permissions, or choose another folder.",
        ) from error  # fmt: skip
    return Written(folder, found, len(graph.tensors))


def _check_place(folder: Path) -> None:
    """Refuse to replace what is no bundle of this project."""
    if not os.path.lexists(folder):
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    said: object = None
    if (folder / METADATA).is_file():
        said = read_json(folder / METADATA, "the metadata of a bundle")
    if not (isinstance(said, dict) and "quantunet" in said):
        raise FileFormatError(
            str(folder), expected="a bundle of an earlier run, an empty folder, or nothing", got="something else",
            hint="It would be replaced: choose another folder for --out.",
        )  # fmt: skip


def check_bundle(graph: Graph, folder: Path) -> int:
    """Compare a bundle's module with the golden model, on random pictures and on the darkest and the brightest one.

    Args:
        graph: The network.
        folder: The bundle, with its structure and its weights.

    Returns:
        How many values were compared.

    Raises:
        ModelError: A value differs, or nothing was compared.
    """
    network = IntegerNetwork(folder / STRUCTURE, folder / WEIGHTS)
    shape = graph.tensor(graph.input).shape
    rng = np.random.default_rng(_SEED)
    pictures = [rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(CHECKED_PICTURES)]
    pictures += [np.full(shape, value, np.uint8) for value in (0, 255)]
    return sum(compare_picture(graph, network, picture) for picture in pictures)


def compare_picture(graph: Graph, network: IntegerNetwork, picture: npt.NDArray[np.uint8]) -> int:
    """Compare every tensor and the class map of one picture with the golden model.

    Args:
        graph: The network.
        network: The same network as a torch module.
        picture: uint8 ``(height, width, channels)``.

    Returns:
        How many values were compared; all are equal.

    Raises:
        ModelError: A value differs, or nothing was compared.
    """
    taps = golden.run(graph, picture_codes(graph, picture))
    image = torch.from_numpy(picture.astype(np.float32) / np.float32(255)).permute(2, 0, 1)[None]
    with torch.no_grad():
        tensors = network.tensors(network.codes(image))
        found = {name: values[0].permute(1, 2, 0).numpy() for name, values in tensors.items()}
        classes = network(image)[0, 0].numpy().astype(np.int64)
    if found.keys() != taps.keys():
        raise ModelError(graph.name, expected=f"{len(taps)} tensors", got=str(len(found)), hint="Please report this.")
    pairs = [(name, values, found[name]) for name, values in taps.items()]
    pairs.append(("classes", golden.classes(graph, taps)[..., None], classes[..., None]))
    compared = 0
    for name, expected, got in pairs:
        result = compare(name, expected, got)
        if not result.passed or not result.compared:
            raise ModelError(
                f"{graph.name}, {name}", expected="the integers of the golden model in the torch module",
                got=str(result.first or "nothing compared"), hint="Please report this.",
            )  # fmt: skip
        compared += result.compared
    return compared


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _licence(terms: Terms) -> str:
    """Return the licence of the network, and that of the script, which is this project's."""
    files = importlib.metadata.files("quantunet") or []
    text = next((file.read_text(encoding="utf-8") for file in files if file.name == "LICENSE"), None)
    if text is None:
        raise StorageError(
            "quantunet", expected="its LICENSE in the installation", got="none", hint="Install the package again."
        )
    return (
        f"The network (configs/network.json, models/model.pt): {terms.said('license')}\n\n"
        f"scripts/integer_network.py is a part of QuantU-Net, under the following licence.\n\n{text}"
    )
