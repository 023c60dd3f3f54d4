"""Ops that choose or move values and compute nothing: they may as well do so behind the quantizer that follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from quantunet.errors import ShapeError
from quantunet.ir import Crop, DepthToSpace, MaxPool2d, Pair, ResizeNearest, Shape, Sides
from quantunet.layer_list import LayerList
from quantunet.settle import Settler
from quantunet.values import AnyValue, Curve, InputSource, Joined, MovedSource, Place, SumSource, Value, as_value, root
from quantunet.window_layers import window_shape

_NOTHING = InputSource((0, 0, 0))
"""Stands in a moved source that has no source yet."""


def maxpool(settler: Settler, place: Place, value: AnyValue, kernel: Pair, stride: Pair, pads: Sides) -> AnyValue:
    """Return the maximum over windows; what is padded is never the greatest.

    Raises:
        ShapeError: No window fits.
    """

    def shape_of_windows(shape: Shape) -> Shape:
        size = (shape[0] + pads[0] + pads[2], shape[1] + pads[1] + pads[3])
        rows, columns = window_shape(place, size, kernel, stride)
        return rows, columns, shape[2]

    if isinstance(value, Value) and value.wraps:
        value = settler.held(value, value.place)
    node = MaxPool2d(place.name, ("",), place.output, kernel, stride)
    return _moved(
        settler, place, value, MovedSource(place, _NOTHING, node, (0, 0, 0), pads, compares=True), shape_of_windows
    )


def nearest(settler: Settler, place: Place, value: AnyValue, factor: Pair) -> AnyValue:
    """Return each pixel repeated."""
    node = ResizeNearest(place.name, ("",), place.output, factor)
    moved = MovedSource(place, _NOTHING, node, (0, 0, 0), enlarges=True)
    return _moved(settler, place, value, moved, lambda s: (s[0] * factor[0], s[1] * factor[1], s[2]))


def crop(settler: Settler, place: Place, value: AnyValue, sides: Sides) -> AnyValue:
    """Return a value without some rows and columns at its sides.

    Raises:
        ShapeError: Nothing would be left.
    """

    def left(shape: Shape) -> Shape:
        size = (shape[0] - sides[0] - sides[2], shape[1] - sides[1] - sides[3], shape[2])
        if min(size) < 1 or min(sides) < 0:
            raise ShapeError(place.name, expected="fewer pixels to crop than there are", got=str(sides))
        return size

    if not any(sides):
        return value
    node = Crop(place.name, ("",), place.output, sides)
    return _moved(settler, place, value, MovedSource(place, _NOTHING, node, (0, 0, 0)), left)


def depth_to_space(layers: LayerList, settler: Settler, place: Place, value: AnyValue, block: Pair) -> Value:
    """Return channels as pixels, in the order block row, block column, channel.

    Raises:
        ShapeError: The channels do not make up blocks.
    """
    count = block[0] * block[1]
    height, width, channels = value.shape
    if channels % count:
        raise ShapeError(
            place.name, expected=f"channels for blocks of {block[0]}x{block[1]}", got=f"{channels} channels"
        )
    shape = (height * block[0], width * block[1], channels // count)
    if isinstance(value, Value) and isinstance(root(value.source), SumSource):
        node = DepthToSpace(place.name, ("",), place.output, block)
        return replace(value, source=MovedSource(place, value.source, node, shape))
    tensor, step = settler.read(value, place)
    node = DepthToSpace(layers.layer_name(place.name), (tensor.name,), layers.tensor_name(place.output), block)
    made = layers.add(place.order, node, shape, tensor.qtype, tensor.unit, layers.reach(tensor))
    return layers.value(made, place, step)


def _moved(
    settler: Settler, place: Place, value: AnyValue, moved: MovedSource, shape: Callable[[Shape], Shape]
) -> AnyValue:
    """Return a value behind an op that chooses or moves values: it may as well do so behind a quantizer."""
    if isinstance(value, Joined):
        value = settler.shared(value)
    if isinstance(value, Curve):
        value = settler.held(value, place)
    if isinstance(value, Joined):
        legs = []
        for index, leg in enumerate(value.legs):
            each = replace(moved, place=place.numbered(index))
            legs.append(as_value(_moved(settler, each.place, leg, each, shape)))
        return replace(value, legs=tuple(legs))
    return replace(value, source=replace(moved, source=value.source, shape=shape(value.shape)))
