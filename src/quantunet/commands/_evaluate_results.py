"""The files that ``quantunet evaluate`` writes, and what it says of their making."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet import result_folder
from quantunet.commands import _evaluate_gates
from quantunet.commands._evaluate_network import Network
from quantunet.mask_pictures import Case, save_cases
from quantunet.model import data
from quantunet.model.class_scores import ClassSamples
from quantunet.model.data import Samples
from quantunet.model.data_digest import data_digest
from quantunet.page import pictures, render
from quantunet.page.evaluate import evaluate_page
from quantunet.provenance import file_digest, gather
from quantunet.zoo import card_path, model_digest

METRICS, ROWS, PICTURES = "metrics.json", "images.csv", ("best", "median", "worst")


def remove(folder: Path) -> None:
    """Remove the results of an earlier run.

    Raises:
        StorageError: A file cannot be removed.
    """
    result_folder.remove(
        *(
            folder / name
            for name in (METRICS, ROWS, render.NAME, _evaluate_gates.JUNIT, *(f"{kind}.png" for kind in PICTURES))
        )
    )


def save_pictures(folder: Path, cases: Mapping[str, Sequence[Case]], names: Sequence[str] = ()) -> None:
    """Write the pictures of each kind of images into one file, with a legend where the classes have names.

    Raises:
        StorageError: A file cannot be written.
    """
    for kind, some in cases.items():
        save_cases(folder / f"{kind}.png", some, names)


def write_page(
    folder: Path, metrics: Mapping[str, Any], name: str, cases: Mapping[str, Sequence[Case]], dice: NDArray[np.float64]
) -> None:
    """Write the page; what goes wrong is a warning.

    Args:
        folder: Of the results.
        metrics: What the JSON file holds.
        name: The network's name.
        cases: Images of each kind.
        dice: Dice of each image, nan where it has none.
    """
    render.write_page(
        folder / render.NAME,
        lambda: evaluate_page(
            metrics, name, {kind: [pictures.case(one) for one in some] for kind, some in cases.items()}, dice
        ),
    )


def provenance(
    args: argparse.Namespace, network: Network, against: Network | None, samples: Samples | ClassSamples
) -> dict[str, Any]:
    """Return what the metrics are of: the network, the card beside it, what it is compared with, and the data.

    Raises:
        StorageError: A file cannot be read.
    """
    card, file = card_path(args.model), Path(args.data)
    if not file.exists() and file.name == args.data:
        file = data.find_data(args.data) or file
    inputs = {
        "model": model_digest(args.model),
        "graph": network.digest,
        "card": file_digest(card) if card else None,
        "data": data_digest(samples),
        "data_file": file_digest(file) if file.is_file() else None,
    }
    if against is not None:
        inputs |= {"against_model": model_digest(against.model), "against_graph": against.digest}
    runtime = ("onnxruntime",) if "float" in {network.kind, against.kind if against else ""} else ()
    return gather(args, ("numpy", "onnx", "pillow", *runtime), inputs).document()
