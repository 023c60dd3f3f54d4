"""Networks in which pixels move on the long way around a skip connection."""

from __future__ import annotations

from quantunet.ir import Conv2d, Graph, QType
from quantunet.random_network import GraphBuilder

WAYS = ("pad", "crop", "nearest", "bilinear", "blocks")
_TYPE = QType(4, True, 2)


def _around(builder: GraphBuilder, way: str, source: str) -> str:
    """Add one way around a skip connection, of the source's size and of four channels."""
    x = source
    if way in ("pad", "crop"):
        if way == "pad":
            x = builder.crop(f"{way}_before", x, (1, 0, 2, 1))
        x = builder.pad(f"{way}_pad", x, (1, 0, 2, 1), -3)
        x = builder.matrix(Conv2d, f"{way}_conv", x, 4, 3, 4, _TYPE)
        return builder.crop(f"{way}_crop", x, (1, 0, 2, 1)) if way == "crop" else x
    x = builder.maxpool2d(f"{way}_pool", x)
    x = builder.matrix(Conv2d, f"{way}_conv", x, 16 if way == "blocks" else 4, 3, 3, _TYPE)
    if way == "nearest":
        return builder.resize_nearest(f"{way}_up", x)
    if way == "blocks":
        return builder.depth_to_space(f"{way}_up", x)
    return builder.requant(f"{way}_requant", builder.resize_bilinear(f"{way}_up", x), _TYPE)


def skips(*ways: str, height: int = 8, width: int = 6) -> Graph:
    """Return a network with a skip connection for each way, one behind the other."""
    builder = GraphBuilder("skips", height, width, 1, QType(8, False, 8), 3)
    x = builder.matrix(Conv2d, "stem", "image", 4, 3, 4, _TYPE)
    for way in ways:
        joined = builder.concat(f"{way}_join", x, _around(builder, way, x))
        x = builder.matrix(Conv2d, f"{way}_after", joined, 4, 1, 4, _TYPE)
    builder.matrix(Conv2d, "head", x, 1, 1, 4, QType(6, True, 3))
    return builder.build()


def both_legs(way: str, height: int = 6, width: int = 5) -> Graph:
    """Return a network in which pixels move on both legs of a concatenation, behind two convolutions on one of them."""
    channels = 16 if way == "blocks" else 4
    builder = GraphBuilder("legs", height, width, 1, QType(8, False, 8), 3)

    def move(name: str, x: str) -> str:
        if way == "pad":
            return builder.pad(name, x, (1, 0, 2, 1), -3)
        if way == "crop":
            return builder.crop(name, x, (1, 0, 2, 1))
        if way == "nearest":
            return builder.resize_nearest(name, x, (2, 3))
        if way == "blocks":
            return builder.depth_to_space(name, x)
        return builder.requant(f"{name}_requant", builder.resize_bilinear(name, x), _TYPE)

    x = builder.matrix(Conv2d, "stem", "image", channels, 3, 4, _TYPE)
    skip = move("skip", x)
    for index in range(2):
        x = builder.matrix(Conv2d, f"deep{index}", x, channels, 3, 3, _TYPE)
    builder.concat("join", skip, move("long", x))
    return builder.build()
