"""``quantunet phantom``: write a generated ultrasound phantom, and the mask of its lesions, as PNG."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from quantunet import exit_codes, storage
from quantunet.model import phantoms


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    parser: argparse.ArgumentParser = sub.add_parser(
        "phantom", help="write a generated ultrasound image", description=__doc__
    )
    parser.add_argument("out", type=Path, help="the image, PNG")
    parser.add_argument("--mask", type=Path, help="the mask of its lesions, PNG: 0 background, 255 foreground")
    parser.add_argument(
        "--size",
        type=int,
        default=128,
        help=f"height and width, {phantoms.MIN_SIZE} to {phantoms.MAX_SIZE} (default: 128)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the sub-command."""
    images, masks = phantoms.generate(1, args.size, args.seed)
    write_png(args.out, images[0])
    if args.mask:
        write_png(args.mask, masks[0] * np.uint8(255))
    print(f"wrote {args.out}" + (f" and {args.mask}" if args.mask else ""))
    return exit_codes.SUCCESS


def write_png(path: Path, pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    """Write ``(height, width)`` uint8 as an 8-bit grayscale PNG, whole or not at all.

    Raises:
        StorageError: The file cannot be written.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    storage.write_bytes(path, buffer.getvalue())
