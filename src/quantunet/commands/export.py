"""``quantunet export``: write the QONNX file of a trained checkpoint, checked in every tensor."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

from rich.table import Table

from quantunet import exit_codes, tables
from quantunet.commands._working import working
from quantunet.errors import FileFormatError
from quantunet.model.config import PRESETS
from quantunet.provenance import onnx_properties, value_digest


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = sub.add_parser(
        "export", help="write the QONNX file of a trained checkpoint", description=__doc__
    )
    parser.add_argument("checkpoint", type=Path, help="quant.pt of a finished training")
    parser.add_argument("--out", type=Path, required=True, help="the QONNX file")
    parser.add_argument("--images", type=int, default=4, metavar="N", help="phantoms to check with (default: 4)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    warnings.filterwarnings("ignore", message="fast_hadamard_transform package not found")
    with working("loading torch and Brevitas") as tell:
        from quantunet.model import checkpoint, phantoms
        from quantunet.model.export import export
        from quantunet.model.unet import quant_unet

        content = checkpoint.load(args.checkpoint, {"config", "model"})
        with checkpoint.content_of(args.checkpoint):
            preset = str(content["config"]["preset"])
        if preset not in PRESETS:
            raise FileFormatError(str(args.checkpoint), expected="a checkpoint of a preset", got=repr(preset))
        model = quant_unet(PRESETS[preset])
        checkpoint.fill(model, content["model"], args.checkpoint)
        images, _ = phantoms.generate(args.images, PRESETS[preset].size, seed=1)
        tell(f"exporting, and comparing the tensors of {args.images} images with the golden model")
        report = export(model, args.out, images, onnx_properties(config=value_digest(content["config"])))
    table = Table("tensor", "compared", "differing", title=f"{args.out}: {report.images} images")
    for check in report.tensors:
        table.add_row(check.name, str(check.compared), str(check.differing))
    console = tables.output()
    tables.show(console, table)
    console.print(f"Brevitas and QONNX equal golden: {report.compared} values compared, {report.differing} differ")
    return exit_codes.SUCCESS
