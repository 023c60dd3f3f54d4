"""``quantunet export``: write the QONNX file of a trained checkpoint, checked in every tensor, and its card."""

from __future__ import annotations

import argparse
import json
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from quantunet import exit_codes, qonnx_import, result_folder, storage, tables
from quantunet.commands._working import working
from quantunet.documents import read_json
from quantunet.errors import FileFormatError, OptionError, StorageError
from quantunet.golden.pictures import FITS
from quantunet.model.config import TrainConfig, UNetConfig
from quantunet.model.settings import build
from quantunet.provenance import file_digest, graph_digest, onnx_properties, value_digest

if TYPE_CHECKING:
    from quantunet.model.export import ExportReport
    from quantunet.model.unet import UNet

logger = logging.getLogger(__name__)

_LEAST = 16
"""Side of the smallest phantom."""


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = sub.add_parser(
        "export",
        help="write the QONNX file of a trained checkpoint",
        description="Write the QONNX file of a trained checkpoint, checked in every tensor, and its card: that of the "
        "training, where it lies beside the checkpoint and is about the same network; or with --data a new one.",
    )
    parser.add_argument("checkpoint", type=Path, help="quant.pt of a finished training")
    parser.add_argument("--out", type=Path, required=True, help="the QONNX file; its card goes beside it, *.json")
    parser.add_argument("--images", type=int, default=4, metavar="N", help="phantoms to check with (default: 4)")
    parser.add_argument(
        "--data",
        help="the data of the training: the card is made anew, with scores, and the float network is written too, as "
        "`quantunet train` does it",
    )
    parser.add_argument("--fit", choices=FITS, help="with --data, as in `quantunet train`")
    parser.add_argument("--groups", metavar="near|none|PATTERN", help="with --data, as in `quantunet train`")
    parser.add_argument("--phantoms", type=int, default=512, metavar="N", help="likewise (default: 512)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    warnings.filterwarnings("ignore", message="fast_hadamard_transform package not found")
    if args.data is None and (args.fit or args.groups):
        raise OptionError("--fit and --groups", expected="--data, of which they are said", got="none")
    with working("loading torch and Brevitas") as tell:
        from quantunet.model import checkpoint

        content = checkpoint.load(args.checkpoint, {"config", "model"})
        with checkpoint.content_of(args.checkpoint):
            config = dict(content["config"])
            unet, bits = UNetConfig(**config.pop("unet")), config["bits"]
        if bits == "float":
            raise FileFormatError(
                str(args.checkpoint),
                expected="a quantised network",
                got="a float control",
                hint="`quantunet train` has written its float network as *_float.onnx.",
            )
        tell("exporting, and comparing the tensors with the golden model")
        if args.data is not None:
            return _publish(args, config)
        model = _model(args.checkpoint, content, unet)
        report, told = _export(args, model, content["config"])
    table = Table("tensor", "compared", "differing", title=f"{args.out}: {report.images} images")
    for check in report.tensors:
        table.add_row(check.name, str(check.compared), str(check.differing))
    console = tables.output()
    tables.show(console, table)
    console.print(f"Brevitas and QONNX equal golden: {report.compared} values compared, {report.differing} differ")
    console.print(told, highlight=False, soft_wrap=True)
    return exit_codes.SUCCESS


def _model(path: Path, content: dict[str, Any], unet: UNetConfig) -> UNet:
    """Return the network of a checkpoint, in the shape that it was trained in.

    Raises:
        FileFormatError: Its parameters are those of another network.
    """
    from quantunet.model import checkpoint, weight_ranges
    from quantunet.model.unet import quant_unet

    with checkpoint.content_of(path):
        model = quant_unet(unet, content["config"]["weight_range"])
    checkpoint.fill(model, content["model"], path)
    weight_ranges.freeze(model)
    return model


def _images(count: int, unet: UNetConfig) -> NDArray[np.uint8]:
    """Return phantoms of the network's size and channels."""
    from quantunet.model import phantoms

    height, width = unet.shape
    images, _ = phantoms.generate(count, max(height, width, _LEAST), seed=1)
    images = images[:, :height, :width]
    return images if unet.in_channels == 1 else np.repeat(images[..., None], unet.in_channels, axis=3)


def _export(args: argparse.Namespace, model: UNet, config: dict[str, Any]) -> tuple[ExportReport, str]:
    """Write the network, and the card of its training where it is there.

    Returns:
        What the export has proven, and what there is to say of the card.
    """
    from quantunet.model.export import export

    card = _card_beside(args.checkpoint, str(config["preset"]))
    properties = onnx_properties(config=value_digest(config))
    target = args.out.with_suffix(".json")
    report = export(model, args.out, _images(args.images, model.config), properties)
    result_folder.remove(target)  # it was that of another file
    digests = {} if card is None else card["provenance"]["sha256"]
    if card is None or digests.get("graph") != graph_digest(qonnx_import.load(args.out)):
        logger.warning(
            "%s has no card: no card of this network lies beside the checkpoint; --data, with those of the training, "
            "makes one",
            args.out,
        )
        return report, f"wrote {args.out}"
    digests["model"] = file_digest(args.out)
    storage.write_text(target, json.dumps(card, indent=1) + "\n")
    return report, f"wrote {args.out} and {target}, the card of its training"


def _card_beside(path: Path, preset: str) -> dict[str, Any] | None:
    """Return the card that the training has left beside its checkpoint; None where none says whose it is."""
    place = path.with_name(f"{preset}.json")
    try:
        found = read_json(place, "a model card of `quantunet train`") if place.is_file() else None
    except (FileFormatError, StorageError) as error:
        logger.warning("%s", error)
        return None
    if not isinstance(found, dict) or not isinstance(found.get("provenance"), dict):
        return None
    return found if isinstance(found["provenance"].get("sha256"), dict) else None


def _publish(args: argparse.Namespace, values: dict[str, Any]) -> int:
    """Write network, card and float network as the end of the training does.

    Raises:
        FileFormatError: The checkpoint is not that of a folder of a finished training.
        TrainingError: It is that of another training, or of other data.
    """
    from quantunet.commands.train import card_table, command_of
    from quantunet.model import checkpoint, data
    from quantunet.model.card import publish
    from quantunet.model.train import Trainer
    from quantunet.model.training_folder import QUANT

    if args.checkpoint.name != QUANT:
        raise FileFormatError(
            str(args.checkpoint), expected=f"{QUANT} in the folder of its training, with --data", got="another name"
        )
    with checkpoint.content_of(args.checkpoint):
        config = build(TrainConfig, values)
    samples = data.load(
        args.data,
        config.unet.shape,
        phantom_count=args.phantoms,
        seed=config.seed,
        fit=args.fit,
        groups=args.groups,
        rgb=config.rgb,
        classes=config.class_names,
    )
    outcome = Trainer(config, samples, args.checkpoint.parent).finished()
    card = publish(outcome, config, samples, args.out, command_of(args, config, samples))
    console = tables.output()
    tables.show(console, card_table(card), keys=2)
    checked = card["export_check"]
    compared, differing = checked["values_compared"], checked["values_differing"]
    console.print(f"Brevitas and QONNX equal golden: {compared} values compared, {differing} differ")
    console.print(f"wrote {args.out}, its card, and the float network", highlight=False, soft_wrap=True)
    return exit_codes.SUCCESS
