"""The files that ``quantunet evaluate`` writes, and what it says of their making."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from quantunet import result_folder
from quantunet.ir import Graph
from quantunet.model import data
from quantunet.model.class_scores import ClassSamples
from quantunet.model.data import Samples
from quantunet.model.data_digest import data_digest
from quantunet.provenance import file_digest, gather, graph_digest
from quantunet.zoo import card_path, model_digest

METRICS, ROWS, PICTURES = "metrics.json", "images.csv", ("best", "median", "worst")


def remove(folder: Path) -> None:
    """Remove the results of an earlier run.

    Raises:
        StorageError: A file cannot be removed.
    """
    result_folder.remove(*(folder / name for name in (METRICS, ROWS, *(f"{kind}.png" for kind in PICTURES))))


def provenance(args: argparse.Namespace, graph: Graph, samples: Samples | ClassSamples) -> dict[str, Any]:
    """Return what the metrics are of: the network, the card beside it, and the data.

    Raises:
        StorageError: A file cannot be read.
    """
    card, file = card_path(args.model), Path(args.data)
    if not file.exists() and file.name == args.data:
        file = data.find_data(args.data) or file
    inputs = {
        "model": model_digest(args.model),
        "graph": graph_digest(graph),
        "card": file_digest(card) if card else None,
        "data": data_digest(samples),
        "data_file": file_digest(file) if file.is_file() else None,
    }
    return gather(args, ("numpy", "onnx", "pillow"), inputs).document()
