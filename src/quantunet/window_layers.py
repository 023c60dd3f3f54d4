"""The geometry of ops that read windows: which layer computes them, what is padded first, and the result's shape."""

from __future__ import annotations

from dataclasses import dataclass

from quantunet.errors import ShapeError, UnsupportedOpError
from quantunet.ir import (
    Conv2d,
    ConvTranspose2d,
    DepthwiseConv2d,
    IntArray,
    MatrixNode,
    Pair,
    QType,
    Shape,
    Sides,
    Tensor,
)
from quantunet.layer_list import LayerList
from quantunet.values import Place, windows


@dataclass(frozen=True)
class Window:
    """The geometry of an op that reads windows.

    Attributes:
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns from one tap to the next.
        pads: Pixels around the image.
        groups: Groups of channels that do not meet.
    """

    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    pads: Sides = (0, 0, 0, 0)
    groups: int = 1


def window_shape(place: Place, size: Pair, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> Pair:
    """Return the rows and columns of windows over an image that is padded already.

    Raises:
        ShapeError: No window fits.
    """
    rows, columns = windows(size, kernel, stride, dilation)
    if min(rows, columns) < 1:
        raise ShapeError(
            place.name, expected="an image with room for one window",
            got=f"{size[0]}x{size[1]}, padded, for a kernel of {kernel[0]}x{kernel[1]}",
        )  # fmt: skip
    return rows, columns


def convolution(
    layers: LayerList,
    place: Place,
    kind: type[Conv2d] | type[ConvTranspose2d],
    tensor: Tensor,
    weight: IntArray,
    weight_type: QType,
    bias: IntArray,
    window: Window | None,
) -> tuple[MatrixNode, Shape]:
    """Return the layer of a convolution, behind a padding where it needs one, and the shape of its result.

    Args:
        layers: Where the padding goes; the layer itself is not added.
        place: The op.
        kind: Which of the two.
        tensor: What it reads.
        weight: Integers, ``(k, k, channels_in / groups, channels_out)``.
        weight_type: Their type.
        bias: Integers, one of each output channel.
        window: The geometry; same padding at stride 1 (2 of a transpose convolution) where there is none.

    Raises:
        ShapeError: No window fits, or nothing is left of the result.
        UnsupportedOpError: A transpose convolution that the hardware does not have.
    """
    kernel, channels = (weight.shape[0], weight.shape[1]), weight.shape[3]
    height, width, channels_in = tensor.shape
    head = (place.name, (tensor.name,), place.output, weight, weight_type, bias)
    if kind is ConvTranspose2d:
        return _transpose_convolution(layers, place, tensor, head, window or Window((2, 2)))
    found = window or Window(pads=(kernel[0] // 2, kernel[1] // 2) * 2)
    dilation = tuple(reach if taps > 1 else 1 for reach, taps in zip(found.dilation, kernel, strict=True))
    plain = found.stride == (1, 1) and dilation == (1, 1) and found.groups == 1
    if plain and ((kernel == (3, 3) and found.pads == (1, 1, 1, 1)) or (kernel == (1, 1) and not any(found.pads))):
        return Conv2d(*head), (height, width, channels)
    if any(found.pads):
        tensor = layers.padded(place.part("pad"), tensor, found.pads, 0)
        head = (place.name, (tensor.name,), place.output, weight, weight_type, bias)
    rows, columns = window_shape(place, tensor.shape[:2], kernel, found.stride, (dilation[0], dilation[1]))
    shape = (rows, columns, channels)
    if found.groups > 1 and found.groups == channels_in == channels:
        return DepthwiseConv2d(*head, found.stride, (dilation[0], dilation[1])), shape
    if plain and kernel == (1, 1):
        return Conv2d(*head), shape
    return Conv2d(*head, found.stride, (dilation[0], dilation[1]), found.groups, padded=False), shape


def _transpose_convolution(
    layers: LayerList,
    place: Place,
    tensor: Tensor,
    head: tuple[str, tuple[str, ...], str, IntArray, QType, IntArray],
    window: Window,
) -> tuple[MatrixNode, Shape]:
    weight, channels = head[3], head[3].shape[3]
    kernel, stride = weight.shape[:2], window.stride
    if window.groups != 1 or any(taps < step for taps, step in zip(kernel, stride, strict=True)):
        raise UnsupportedOpError(
            place.name,
            expected="a transpose convolution in one group, with a kernel at least as large as its stride",
            got=f"{window.groups} groups, kernel {kernel[0]}x{kernel[1]}, stride {stride[0]}x{stride[1]}",
        )
    crops = window.pads  # of the full result
    sides = [
        max(-(-(kernel[axis % 2] - stride[axis % 2] - crop) // stride[axis % 2]), 0) for axis, crop in enumerate(crops)
    ]
    height, width, _ = tensor.shape
    shape = (
        (height - 1) * stride[0] + kernel[0] - crops[0] - crops[2],
        (width - 1) * stride[1] + kernel[1] - crops[1] - crops[3],
        channels,
    )
    if min(shape) < 1:
        raise ShapeError(place.name, expected="a result of one pixel or more", got=str(shape))
    if any(sides):
        tensor = layers.padded(place.part("pad"), tensor, (sides[0], sides[1], sides[2], sides[3]), 0)
    crop = tuple(crop + stride[axis % 2] * sides[axis] for axis, crop in enumerate(crops))
    name, _, output, weight, weight_type, bias = head
    node = ConvTranspose2d(
        name, (tensor.name,), output, weight, weight_type, bias, stride, (crop[0], crop[1], crop[2], crop[3])
    )
    return node, shape
