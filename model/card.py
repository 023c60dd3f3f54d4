"""The model card: how a network was trained, on what, and what it scores, in float and as integers."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import math
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet import golden, packed, qonnx_import, result_folder, storage
from quantunet.accumulator import accumulator
from quantunet.errors import StorageError, TrainingError
from quantunet.ir import Graph, MatrixNode
from quantunet.model.card_file import FLOAT, picture_entry
from quantunet.model.class_scores import card_scores, predict_classes
from quantunet.model.config import TrainConfig
from quantunet.model.data import Samples, part_counts
from quantunet.model.data_digest import data_digest
from quantunet.model.evaluation import predict_masks
from quantunet.model.export import ExportReport, export
from quantunet.model.float_export import export_float
from quantunet.model.loss import layer_weights
from quantunet.model.metrics import score
from quantunet.model.predict import Masks, predict
from quantunet.model.settings import option_words, settings, values_of
from quantunet.model.signatures import failures, signatures
from quantunet.model.train import Outcome
from quantunet.model.unet import UNet
from quantunet.onnx_metadata import FLOAT_SUFFIX
from quantunet.provenance import file_digest, gather, graph_digest, onnx_properties, value_digest

CHECK_IMAGES = 4

_NOTE = (
    "dice, iou, hd95 (pixels): mean over the images with a lesion; accuracy: all pixels of all images; "
    "false_positive_area: mean share of the pixels over the images without a lesion; "
    "the validation part chose the best epoch, the test part chose nothing"
)
_CLASSES_NOTE = (
    "dice_1, iou_1 and so on: mean over the images whose mask holds the class; dice, iou: mean of these over the "
    "classes but 0, the background; accuracy: all pixels of all images; lesion_images, clean_normals, "
    "false_positive_area, marked_normals and lesions_missed take all classes but 0 together; hd95 is not computed; "
    "the validation part chose the best epoch, the test part chose nothing"
)

_TOOLS = ("numpy", "onnx", "qonnx", "torch", "brevitas", "monai")


def check_success(outcome: Outcome, config: TrainConfig, samples: Samples) -> None:
    """Refuse to publish a training that has failed.

    Raises:
        TrainingError: It shows a sign of :func:`~quantunet.model.signatures.failures`.
    """
    found = _failures(outcome, config, samples)
    if found:
        raise TrainingError(
            f"{config.preset} on {samples.source}",
            expected="a network that has learned something",
            got="; ".join(found),
            hint="Nothing is published; checkpoints and history.csv stay. Train longer, on more images, or with other "
            "learning rates; or publish it all the same, with these words in its card: the same command with --resume "
            "--publish-anyway.",
        )


def _failures(outcome: Outcome, config: TrainConfig, samples: Samples) -> list[str]:
    val = outcome.split.val
    masks = predict(outcome.final_model, samples.images[val], config.batch_size)
    return failures(
        outcome.history, masks, samples.masks[val], learned=config.bits == "learned", classes=config.unet.classes
    )


def publish(outcome: Outcome, config: TrainConfig, samples: Samples, path: Path, command: str) -> dict[str, Any]:
    """Export a finished training to ``path`` and write its card beside it (``.json``).

    Its float warm start goes beside both, as ``NAME_float.onnx`` with a card of its own: see :func:`float_path`.
    All replace those of an earlier training at the end, when nothing can be refused any more.
    Whether it is worth that, :func:`check_success` tells; the card holds its signs of failure in any case.

    Args:
        outcome: The finished training.
        config: Its configuration.
        samples: Its data.
        path: The QONNX file.
        command: The command line that trains it, for the card.

    Returns:
        The card.

    Raises:
        ModelError: The export check failed; nothing is written.
        StorageError: A file cannot be written.
    """
    properties = onnx_properties(config=value_digest(config.to_dict()), data=data_digest(samples))
    with _folder_beside(path) as folder:
        fresh = folder / path.name
        images = samples.images[outcome.split.test[:CHECK_IMAGES]]
        report = export(outcome.final_model, fresh, images, properties)
        graph = qonnx_import.load(fresh)
        card = make_card(outcome, config, samples, graph, report, command)
        card["provenance"]["sha256"] |= {"model": file_digest(fresh), "graph": graph_digest(graph)}
        twin = _export_float(outcome.float_model, float_path(fresh), images, properties, card, "float")
        result_folder.remove(path.with_suffix(".json"), float_path(path).with_suffix(".json"))
        fresh.replace(path)
        float_path(fresh).replace(float_path(path))
    _write_card(path, card)
    _write_card(float_path(path), twin)
    return card


def publish_control(
    outcome: Outcome, config: TrainConfig, samples: Samples, path: Path, command: str
) -> dict[str, Any]:
    """Write the card of a float control, and the network as a float file with a card of its own.

    What an earlier training has left at ``path`` is removed: there is no integer network that the card is about.

    Args:
        outcome: The finished training.
        config: Its configuration, with float bits.
        samples: Its data.
        path: Where an integer network would go.
        command: The command line that trains it, for the card.

    Returns:
        The card of the control.

    Raises:
        ModelError: The check of the float export failed; nothing is written.
        StorageError: A file cannot be written.
    """
    properties = onnx_properties(config=value_digest(config.to_dict()), data=data_digest(samples))
    images = samples.images[outcome.split.test[:CHECK_IMAGES]]
    card = control_card(outcome, config, samples, command)
    kept = float_path(path)
    with _folder_beside(path) as folder:
        fresh = folder / kept.name
        twin = _export_float(outcome.final_model, fresh, images, properties, card, "control")
        result_folder.remove(path, path.with_suffix(".json"), kept.with_suffix(".json"))
        fresh.replace(kept)
    _write_card(path, card)
    _write_card(kept, twin)
    return card


@contextlib.contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """A folder in which files are made that then move to their places beside ``path``.

    Raises:
        StorageError: A file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise StorageError(
            str(path.parent), expected="a folder that can be written", got=error.strerror or str(error)
        ) from error


def float_path(path: Path) -> Path:
    """Return the file of the float network beside that of the integer one.

    >>> float_path(Path("runs/wearable.onnx")).name
    'wearable_float.onnx'
    """
    return path.with_name(f"{path.stem}{FLOAT_SUFFIX}{path.suffix}")


def _export_float(
    model: UNet,
    path: Path,
    images: NDArray[np.uint8],
    properties: Mapping[str, str],
    card: Mapping[str, Any],
    scores: str,
) -> dict[str, Any]:
    """Write a float network and return its card: what the training's card says, with the scores of this network."""
    report = export_float(model, path, images, properties)
    parameters = sum(shape.parameters for shape in model.config.conv_layers())
    digests = {key: value for key, value in card["provenance"]["sha256"].items() if key not in {"model", "graph"}}
    return {
        "name": path.stem,
        "network": FLOAT,
        "role": "warm start" if scores == "float" else "control",
        "unet": card["unet"],
        "training": card["training"],
        "data": card["data"],
        **{key: card[key] for key in ("picture", "classes") if key in card},
        "scores": {
            "note": f"{card['scores']['note']}; these are PyTorch's scores in float32: with another library, a pixel "
            "whose logit is nearly 0 may change sides",
            "float": card["scores"][scores],
        },
        "bits": {"mean": {"layers": 32, "parameters": 32, "macs": 32}},
        "size": {
            "parameters": parameters,
            "packed_bytes": 4 * parameters,
            "float32_bytes": 4 * parameters,
            "ratio": 1.0,
        },
        "float_export": dataclasses.asdict(report) | {"batch_norm": "folded into the convolutions"},
        "provenance": card["provenance"] | {"sha256": digests | {"model": file_digest(path)}},
    }


def _write_card(path: Path, card: Mapping[str, Any]) -> None:
    storage.write_text(path.with_suffix(".json"), json.dumps(card, indent=1) + "\n")


def make_card(
    outcome: Outcome, config: TrainConfig, samples: Samples, graph: Graph, report: ExportReport, command: str
) -> dict[str, Any]:
    """The card as plain values.

    Args:
        outcome: The finished training.
        config: Its configuration.
        samples: Its data.
        graph: The integer graph that was read back from the exported file; the quantised scores are those of its
            integer inference.
        report: What the export has proven.
        command: The command line.
    """
    card = _common(outcome, config, samples, command)
    card["scores"]["quantised"] = _scores(functools.partial(_masks_of, graph), outcome, samples)
    return card | {
        "bits": bit_summary(graph, config),
        "size": packed_size(graph),
        "export_check": {
            "images": report.images,
            "tensors": len(report.tensors),
            "values_compared": report.compared,
            "values_differing": report.differing,
            "float32_exact": report.float32_exact,
        },
    }


def control_card(outcome: Outcome, config: TrainConfig, samples: Samples, command: str) -> dict[str, Any]:
    """The card of a float control: there is no network to export, and its scores are those of the last phase."""
    card = _common(outcome, config, samples, command)
    card["scores"]["control"] = _scores(functools.partial(predict, outcome.final_model), outcome, samples)
    return card


def _masks_of(graph: Graph, images: NDArray[np.uint8]) -> Masks:
    """Masks or classes by integer inference."""
    if golden.class_count(graph) == 2:
        return predict_masks(graph, images)
    return predict_classes(graph, images.reshape(-1, *graph.tensor(graph.input).shape)).astype(np.uint8)


def _scores(
    masks_of: Callable[[NDArray[np.uint8]], Masks], outcome: Outcome, samples: Samples
) -> dict[str, dict[str, float | int | None]]:
    """Scores of every part of :func:`_scored`, as JSON values; each image is segmented once."""
    masks: Masks = np.zeros(samples.masks.shape, np.uint8 if samples.classes else np.bool_)
    for indices in (outcome.split.val, outcome.split.test):
        masks[indices] = masks_of(samples.images[indices])
    found: dict[str, dict[str, float | int | None]] = {}
    for name, indices in _scored(outcome, samples).items():
        reference = samples.masks[indices]
        if samples.classes:
            found[name] = _plain(card_scores(masks[indices], reference, len(samples.classes)))
        else:
            scores = score(masks[indices].astype(np.bool_), reference, distances=True)
            found[name] = _plain(dataclasses.asdict(scores))
    return found


def _scored(outcome: Outcome, samples: Samples) -> dict[str, NDArray[np.int64]]:
    """The images that scores are given of, by part.

    ``test_grouped`` are the test images that share their group with others of the data set, ``test_single`` the rest. A
    split by image puts near duplicates of the former into the training part.
    """
    test = outcome.split.test
    groups, counts = np.unique(samples.group, return_counts=True)
    grouped = np.isin(samples.group[test], groups[counts > 1])
    parts = {"val": outcome.split.val, "test": test}
    if grouped.any() and not grouped.all():
        parts |= {"test_grouped": test[grouped], "test_single": test[~grouped]}
    return parts


def _common(outcome: Outcome, config: TrainConfig, samples: Samples, command: str) -> dict[str, Any]:
    """What every card says; the scores are those of the warm start."""
    inputs = {"config": value_digest(config.to_dict()), "data": data_digest(samples)}
    return {
        "name": config.preset,
        "unet": config.unet.to_dict(),
        "training": {
            "command": command,
            "config": {k: v for k, v in config.to_dict().items() if k not in {"unet", "preset"}},
            "epochs_run": outcome.epochs,
            "signatures": signatures(outcome.history) + _failures(outcome, config, samples),
            "hours": round(outcome.seconds / 3600, 2),
            "precision": outcome.precision,
        },
        "data": {
            "source": samples.source,
            "split_by": config.split_by,
            "parts": {name: part_counts(samples, indices) for name, indices in outcome.split.parts().items()},
        },
        **({} if samples.fit is None else {"picture": picture_entry(samples.fit)}),
        **({} if not samples.classes else {"classes": list(samples.classes)}),
        "scores": {
            "note": _CLASSES_NOTE if samples.classes else _NOTE,
            "float": _scores(functools.partial(predict, outcome.float_model), outcome, samples),
        },
        "provenance": gather({"command": command}, _TOOLS, inputs).document(),
    }


def train_command(config: TrainConfig, data: str, phantoms: int | None = None) -> str:
    """The command line that trains the same network again, without the options that have their default.

    Args:
        config: The training.
        data: Its data, as ``--data`` takes them.
        phantoms: Number of phantoms, where these are the data.
    """
    words = ["quantunet", "train", config.preset, "--data", data]
    if phantoms is not None:
        words += ["--phantoms", str(phantoms)]
    fields = settings(type(config))
    changed = {
        name: value for name, value in values_of(config).items() if name != "preset" and value != fields[name].default
    }
    words += option_words(type(config), changed)
    return shlex.join(words)


def bit_summary(graph: Graph, config: TrainConfig) -> dict[str, Any]:
    """Widths of every convolution, and their means over layers, parameters and MACs.

    Args:
        graph: The integer graph.
        config: For the shape of the network.
    """
    layers = {
        node.name: {"weight": node.weight_type.bits, "activation": graph.output_of(node).qtype.bits}
        for node in _matrices(graph)
    }
    mean: dict[str, float] = {}
    for weighting in ("layers", "parameters", "macs"):
        weights = layer_weights(config.unet, weighting)
        mean[weighting] = round(
            sum((b["weight"] + b["activation"]) / 2 * weights[name] for name, b in layers.items()), 3
        )
    return {
        "mean": mean,
        "mean_weight": round(float(np.mean([b["weight"] for b in layers.values()])), 3),
        "mean_activation": round(float(np.mean([b["activation"] for b in layers.values()])), 3),
        "mac_bits": bit_operations(graph),
        "layers": layers,
    }


def bit_operations(graph: Graph) -> int:
    """Cost of one image: the sum over the convolutions of MACs times weight width times input width."""
    return sum(
        node.macs(graph.input_of(node).shape, graph.output_of(node).shape)
        * node.weight_bits
        * graph.input_of(node).qtype.bits
        for node in _matrices(graph)
    )


def packed_size(graph: Graph) -> dict[str, Any]:
    """Bytes of all weights and biases at their widths (a bias at its layer's accumulator), in float32, and of the file.

    ``ratio`` counts weights and biases alone; ``file_ratio`` the whole packed file, header and checksum included.
    """
    bits = parameters = 0
    for node in _matrices(graph):
        weights, biases = math.prod(node.weight.shape), math.prod(node.bias.shape)
        bits += weights * node.weight_type.bits + biases * accumulator(graph, node).bits
        parameters += weights + biases
    packed_bytes = math.ceil(bits / 8)
    file_bytes = len(packed.pack(graph))
    return {
        "parameters": parameters,
        "packed_bytes": packed_bytes,
        "float32_bytes": 4 * parameters,
        "ratio": round(4 * parameters / packed_bytes, 2),
        "file_bytes": file_bytes,
        "file_ratio": round(4 * parameters / file_bytes, 2),
    }


def _matrices(graph: Graph) -> list[MatrixNode]:
    return [node for node in graph.nodes if isinstance(node, MatrixNode)]


def _plain(scores: Mapping[str, float | int | None]) -> dict[str, float | int | None]:
    """Scores as JSON values: rounded, nan as null."""
    return {
        key: value if value is None or isinstance(value, int) else None if math.isnan(value) else round(value, 4)
        for key, value in scores.items()
    }
