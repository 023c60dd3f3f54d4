"""The option ``--pixel-scale`` of every sub-command that reads pictures."""

from __future__ import annotations

import argparse
from fractions import Fraction

from quantunet.ir import Graph
from quantunet.pixel_codes import parse_pixel_scale, with_pixel_scale
from quantunet.zoo import load_network


def add_option(parser: argparse.ArgumentParser, otherwise: str = "a network that does not say is refused") -> None:
    """Add the option to a sub-command.

    Args:
        parser: The sub-command's.
        otherwise: What happens where neither the network nor the user says it, for the help text.
    """
    parser.add_argument(
        "--pixel-scale",
        metavar="NUMBER",
        help="what one step of a picture's byte is worth to a network whose file does not say it, as a fraction or a "
        "decimal number: 1/255 is torchvision's ToTensor, 1/256 this project's own networks, which say it themselves "
        f"(then the option is not needed, and refused if it says something else). Without it, {otherwise}",
    )


def load(model: str, text: str | None) -> Graph:
    """Return a network by name or path, with the user's word on what a byte means.

    Raises:
        QuantUNetError: As :func:`quantunet.zoo.load_network`.
        PixelScaleError: The text is no number greater than 0, or contradicts the network.
    """
    scale: Fraction | None = None if text is None else parse_pixel_scale(text)
    return with_pixel_scale(load_network(model), scale)
