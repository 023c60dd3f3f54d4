"""What each op of the graph takes, asked of the product: one layer, one number at a time, until it is refused.

A layer is taken where :func:`quantunet.graph_check.check` passes it and its sheet makes an instance of its module.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantunet.errors import QuantUNetError
from quantunet.graph_check import MAX_GAIN, check
from quantunet.hls.design import STYLES, Instance, Style
from quantunet.hls.folding import candidates
from quantunet.hls.modules.table import emit
from quantunet.ir import (
    MASK_TYPE,
    Add,
    Affine,
    Argmax,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Crop,
    DepthToSpace,
    DepthwiseConv2d,
    Graph,
    IntArray,
    Lookup,
    Maximum,
    MaxPool2d,
    Multiply,
    Node,
    Pad,
    Pair,
    QType,
    Requant,
    ResizeBilinear,
    ResizeNearest,
    Shape,
    Sides,
    SmallestArea,
    SumPool2d,
    Tensor,
    window_places,
)

SIZE = 12
"""Rows, columns and channels of the image of most questions."""

IMAGE: Shape = (SIZE, SIZE, SIZE)
BYTE, WIDEST = QType(8, False, 0), QType(48, True, 0)
LONG = range(1, 65)
"""Bit-widths that are asked for."""


@dataclass(frozen=True)
class Question:
    """One number of a layer.

    Attributes:
        option: What the number is; an option of the layer begins with the name of its field.
        numbers: What is tried, in order.
        build: Makes the graph of the layer, which may be illegal.
        unbounded: Whether numbers beyond the last one are as good as it.
    """

    option: str
    numbers: Sequence[int]
    build: Callable[[int], Graph]
    unbounded: bool = False


@dataclass(frozen=True)
class Answer:
    """What the product takes.

    Attributes:
        option: As :class:`Question` has it.
        taken: The numbers that are taken, in words.
        refusal: What is said of the first number that is not; ``None`` where there is none.
        modules: The hardware modules of those that are taken.
    """

    option: str
    taken: str
    refusal: QuantUNetError | None
    modules: frozenset[str]


def instances(graph: Graph) -> dict[Style, Instance]:
    """Check a graph of one layer, and return an instance of its module in every style that it may have.

    Raises:
        QuantUNetError: It is refused.
    """
    (node,) = check(graph).nodes
    folds = {style: candidates(graph, node, (style,)) for style in STYLES}
    return {fold.style: emit(graph, node, fold) for found in folds.values() for fold in found[-1:]}


def answer(question: Question) -> Answer:
    """Ask the product for every number of a question."""
    runs: list[list[int]] = []
    refusal, modules, before = None, set(), False
    for number in question.numbers:
        try:
            modules |= {instance.kind for instance in instances(question.build(number)).values()}
        except QuantUNetError as error:
            refusal = error if refusal is None or (before and runs) else refusal
            before = False
            continue
        if before:
            runs[-1][1] = number
        else:
            runs.append([number, number])
        before = True
    more = question.unbounded and before
    words = [_run(first, last, more and index == len(runs) - 1) for index, (first, last) in enumerate(runs)]
    return Answer(question.option, ", ".join(words), refusal, frozenset(modules))


def _run(first: int, last: int, more: bool) -> str:
    if more:
        return f"{first} or more"
    return ", ".join(map(str, dict.fromkeys((first, last)))) if last - first < 2 else f"{first} to {last}"


# Layers, which may be illegal


def single(node: Node, sources: Iterable[tuple[Shape, QType]], shape: Shape, qtype: QType) -> Graph:
    """Return the graph of one layer, unchecked."""
    inputs = tuple(Tensor(f"in{index}", *source) for index, source in enumerate(sources))
    node = dataclasses.replace(node, name="layer", inputs=tuple(each.name for each in inputs), output="out")
    legal: Shape = (max(shape[0], 1), max(shape[1], 1), max(shape[2], 1))
    return Graph("net", node.inputs, node.output, (*inputs, Tensor("out", legal, qtype)), (node,))


def _weights(bits: int, *shape: int) -> IntArray:
    """Return weights of one value, which a signed type of any width has."""
    return IntArray.of(np.full(shape, -1 if bits == 1 else 1, dtype=np.int64))


def _bias(channels: int) -> IntArray:
    return IntArray.of(np.zeros(channels, dtype=np.int64))


def convolution(
    kernel: Pair = (3, 3), stride: Pair = (1, 1), dilation: Pair = (1, 1), groups: int = 1, *, padded: bool = False,
    source: QType = BYTE, bits: int = 4, signed: bool = True, target: QType = BYTE, image: Shape = IMAGE,
) -> Graph:  # fmt: skip
    """A convolution with as many channels as its image."""
    channels = image[2]
    weight = _weights(bits, *kernel, channels // max(groups, 1), channels)
    if padded:
        shape = image[:2]
    else:
        shape = windows(image, kernel, stride, dilation)
    node = Conv2d("", (), "", weight, QType(bits, signed, 0), _bias(channels), stride, dilation, groups, padded)
    return single(node, [(image, source)], (*shape, channels), target)


def depthwise(
    kernel: Pair = (3, 3), stride: Pair = (1, 1), dilation: Pair = (1, 1), *, source: QType = BYTE, bits: int = 4,
    signed: bool = True, target: QType = BYTE,
) -> Graph:  # fmt: skip
    """A convolution of each channel by itself."""
    weight = _weights(bits, *kernel, 1, SIZE)
    node = DepthwiseConv2d("", (), "", weight, QType(bits, signed, 0), _bias(SIZE), stride, dilation)
    return single(node, [(IMAGE, source)], (*windows(IMAGE, kernel, stride, dilation), SIZE), target)


def transposed(
    kernel: Pair = (2, 2), stride: Pair = (2, 2), crop: Sides = (0, 0, 0, 0), *, source: QType = BYTE, bits: int = 4,
    signed: bool = True, target: QType = BYTE,
) -> Graph:  # fmt: skip
    """A transpose convolution."""
    weight = _weights(bits, *kernel, SIZE, SIZE)
    rows, columns = (
        (SIZE - 1) * stride[axis] + kernel[axis] - crop[axis] - crop[axis + 2] if stride[axis] else 1 for axis in (0, 1)
    )
    node = ConvTranspose2d("", (), "", weight, QType(bits, signed, 0), _bias(SIZE), stride, crop)
    return single(node, [(IMAGE, source)], (rows, columns, SIZE), target)


def windows(image: Shape, kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> Pair:
    """Rows and columns of windows; 1 where there are none."""
    if min(*kernel, *stride, *dilation) < 1:
        return 1, 1
    rows, columns = (window_places(*each) for each in zip(image[:2], kernel, stride, dilation, strict=True))
    return rows, columns


def maxpool(
    kernel: Pair = (2, 2), stride: Pair = (2, 2), *, source: QType = BYTE, target: QType | None = None
) -> Graph:
    """A maximum over windows."""
    node = MaxPool2d("", (), "", kernel, stride)
    return single(node, [(IMAGE, source)], (*windows(IMAGE, kernel, stride), SIZE), target or source)


def sumpool(kernel: Pair = (2, 2), stride: Pair = (2, 2), *, source: QType = BYTE, target: QType = WIDEST) -> Graph:
    """A sum over windows."""
    node = SumPool2d("", (), "", kernel, stride)
    return single(node, [(IMAGE, source)], (*windows(IMAGE, kernel, stride), SIZE), target)


def requantisation(*, source: QType = BYTE, target: QType = BYTE) -> Graph:
    """A requantisation."""
    return single(Requant("", (), ""), [(IMAGE, source)], IMAGE, target)


def affine(*, source: QType = BYTE, target: QType = BYTE, factor: int = 1, **options: Any) -> Graph:
    """A general requantisation with one factor."""
    each, zero = IntArray.of(np.full(SIZE, factor)), IntArray.of(np.zeros(SIZE, np.int64))
    options = {"shift": 0, "low": target.qmin, "high": target.qmax} | options
    return single(Affine("", (), "", each, zero, zero, each, zero, **options), [(IMAGE, source)], IMAGE, target)


def addition(
    *, source: QType = BYTE, other: QType | None = None, target: QType = BYTE, gains: Pair = (1, 1),
    channels: int = SIZE,
) -> Graph:  # fmt: skip
    """A weighted sum."""
    return _joined(Add("", (), "", gains), source, other, target, channels, SIZE)


def product(*, source: QType = BYTE, other: QType | None = None, target: QType = WIDEST, channels: int = SIZE) -> Graph:
    """A product of two tensors."""
    return _joined(Multiply("", (), ""), source, other, target, channels, SIZE)


def greater(
    *, source: QType = BYTE, other: QType | None = None, target: QType | None = None, channels: int = SIZE
) -> Graph:
    """The greater of two tensors."""
    return _joined(Maximum("", (), ""), source, other, target or source, channels, SIZE)


def concatenation(
    *, source: QType = BYTE, other: QType | None = None, target: QType | None = None, channels: int = SIZE
) -> Graph:
    """A concatenation."""
    return _joined(Concat("", (), ""), source, other, target or source, channels, SIZE + channels)


def _joined(node: Node, source: QType, other: QType | None, target: QType, channels: int, channels_out: int) -> Graph:
    sources = [(IMAGE, source), ((SIZE, SIZE, channels), other or source)]
    return single(node, sources, (SIZE, SIZE, channels_out), target)


def classes(channels: int = SIZE, *, source: QType = BYTE, target: QType = BYTE) -> Graph:
    """The channel of the greatest value."""
    return single(Argmax("", (), ""), [((SIZE, SIZE, channels), source)], (SIZE, SIZE, 1), target)


def smallest_area(
    area: int = 1, *, pixels: int = SIZE, source: QType = MASK_TYPE, target: QType | None = None
) -> Graph:
    """A mask without foregrounds of fewer pixels."""
    shape = (1, pixels, 1)
    return single(SmallestArea("", (), "", area), [(shape, source)], shape, target or source)


def lookup(*, source: QType = BYTE, target: QType = BYTE) -> Graph:
    """A table of zeros."""
    table = IntArray.of(np.zeros(1 << min(source.bits, 17), np.int64))
    return single(Lookup("", (), "", table, probability=False), [(IMAGE, source)], IMAGE, target)


def padding(sides: Sides = (1, 1, 1, 1), value: int = 0, *, source: QType = BYTE, target: QType | None = None) -> Graph:
    """Pixels around an image."""
    shape = (SIZE + sides[0] + sides[2], SIZE + sides[1] + sides[3], SIZE)
    return single(Pad("", (), "", sides, value), [(IMAGE, source)], shape, target or source)


def cropping(sides: Sides = (1, 1, 1, 1), *, source: QType = BYTE, target: QType | None = None) -> Graph:
    """An image without some rows and columns."""
    shape = (SIZE - sides[0] - sides[2], SIZE - sides[1] - sides[3], SIZE)
    return single(Crop("", (), "", sides), [(IMAGE, source)], shape, target or source)


def nearest(factor: Pair = (2, 2), *, source: QType = BYTE, target: QType | None = None) -> Graph:
    """Each pixel repeated."""
    shape = (SIZE * factor[0], SIZE * factor[1], SIZE)
    return single(ResizeNearest("", (), "", factor), [(IMAGE, source)], shape, target or source)


def bilinear(factor: Pair = (2, 2), *, source: QType = BYTE, target: QType | None = None) -> Graph:
    """Twice the size, linear between pixels; the output has the scale of the exact sums."""
    more = max(2 * (sum(factor) - 2), 0)
    exact = QType(source.bits + more, source.signed, source.frac + more)
    qtype = exact if target is None else QType(target.bits, target.signed, source.frac + more)
    shape = (SIZE * factor[0], SIZE * factor[1], SIZE)
    return single(ResizeBilinear("", (), "", factor), [(IMAGE, source)], shape, qtype)


def blocks(block: Pair = (2, 2), *, source: QType = BYTE, target: QType | None = None) -> Graph:
    """Channels as pixels."""
    shape = (SIZE * block[0], SIZE * block[1], SIZE // max(math.prod(block), 1))
    return single(DepthToSpace("", (), "", block), [(IMAGE, source)], shape, target or source)


# Questions

SIGNS = (False, True)
INPUT, WEIGHT, OUTPUT = "input", "weight", "output"


def widths(stem: str, what: str, signed: bool) -> Question:
    """Ask for the width of a layer's input, weights or output; of the latter two where the input is bytes."""
    make = LAYERS[stem]
    if what == WEIGHT:
        return Question(WEIGHT, LONG, lambda n: make(bits=n, signed=signed))
    key = "source" if what == INPUT else "target"
    return Question(what, LONG, lambda n: make(**{key: QType(n, signed, 0)}))


LAYERS: Mapping[str, Callable[..., Graph]] = {
    "conv2d": convolution,
    "depthwise_conv2d": depthwise,
    "conv_transpose2d": transposed,
    "maxpool2d": maxpool,
    "sumpool2d": sumpool,
    "requant": requantisation,
    "affine": affine,
    "concat": concatenation,
    "add": addition,
    "multiply": product,
    "maximum": greater,
    "argmax": classes,
    "smallest_area": smallest_area,
    "lookup": lookup,
    "pad": padding,
    "crop": cropping,
    "resize_nearest": nearest,
    "resize_bilinear": bilinear,
    "depth_to_space": blocks,
}
"""What makes a layer of an op, by its stem."""

_UP_TO, _FROM_ONE = range(2 * SIZE + 1), range(1, 2 * SIZE + 1)
_BYTES = (-2, -1, 0, 1, 2, 127, 128, 254, 255, 256, 257)


def _scale(stem: str) -> Question:
    return Question(
        "output bits, at another scale than the sums'", LONG, lambda n: LAYERS[stem](target=QType(n, True, 1))
    )


def _second(stem: str) -> list[Question]:
    make = LAYERS[stem]
    return [
        Question("bits of the second tensor, of 8 of the first", LONG, lambda n: make(other=QType(n, False, 0))),
        Question("channels of the second tensor, of 12 of the first", _FROM_ONE, lambda n: make(channels=n)),
    ]


QUESTIONS: Mapping[str, Sequence[Question]] = {
    "conv2d": [
        Question("kernel n x 2, in 12 x 12 pixels", _FROM_ONE, lambda n: convolution((n, 2))),
        Question("stride n x 1", _UP_TO, lambda n: convolution(stride=(n, 1)), unbounded=True),
        Question("dilation n x 1 of 3 x 3, in 12 x 12 pixels", _UP_TO, lambda n: convolution(dilation=(n, 1))),
        Question("groups, of 12 channels", range(SIZE + 1), lambda n: convolution(groups=n)),
        Question("padded: kernel n x n", _FROM_ONE, lambda n: convolution((n, n), padded=True)),
        Question("padded: stride n x n", _FROM_ONE, lambda n: convolution(stride=(n, n), padded=True)),
        Question("padded: dilation n x n", _FROM_ONE, lambda n: convolution(dilation=(n, n), padded=True)),
        Question("padded: groups", _FROM_ONE, lambda n: convolution(groups=n, padded=True)),
        _scale("conv2d"),
    ],
    "depthwise_conv2d": [
        Question("kernel n x 2, in 12 x 12 pixels", _FROM_ONE, lambda n: depthwise((n, 2))),
        Question("stride n x 1", _UP_TO, lambda n: depthwise(stride=(n, 1)), unbounded=True),
        Question("dilation n x 1 of 3 x 3, in 12 x 12 pixels", _UP_TO, lambda n: depthwise(dilation=(n, 1))),
        _scale("depthwise_conv2d"),
    ],
    "conv_transpose2d": [
        Question(
            "kernel n x n, stride 2, n - 2 cropped at each side",
            _FROM_ONE,
            lambda n: transposed((n, n), crop=(max(n - 2, 0),) * 4),
            unbounded=True,
        ),
        Question(
            "stride n x n, kernel 5 x 5, 5 cropped at each side",
            _UP_TO,
            lambda n: transposed((5, 5), (n, n), (5,) * 4),
        ),
        Question(
            "crop n at each side, kernel 4 x 4, stride 2",
            range(SIZE + 1),
            lambda n: transposed((4, 4), crop=(n,) * 4),
        ),
        _scale("conv_transpose2d"),
    ],
    "maxpool2d": [
        Question("kernel n x 2, in 12 x 12 pixels", _UP_TO, lambda n: maxpool((n, 2))),
        Question("kernel n x n, stride 12", _UP_TO, lambda n: maxpool((n, n), (SIZE, SIZE))),
        Question("stride n x 1", _UP_TO, lambda n: maxpool(stride=(n, 1)), unbounded=True),
    ],
    "sumpool2d": [
        Question("kernel n x 2, in 12 x 12 pixels", _UP_TO, lambda n: sumpool((n, 2))),
        Question("kernel n x n, stride 12", _UP_TO, lambda n: sumpool((n, n), (SIZE, SIZE))),
        Question("stride n x 1", _UP_TO, lambda n: sumpool(stride=(n, 1)), unbounded=True),
    ],
    "requant": [],
    "affine": [
        Question("shift", range(-1, 65), lambda n: affine(shift=n)),
        Question("low, of bytes", _BYTES, lambda n: affine(low=n)),
        Question("high, of bytes", _BYTES, lambda n: affine(high=n)),
        Question("even: 0 or 1", (0, 1), lambda n: affine(shift=1, even=bool(n))),
        Question("wraps: 0 or 1", (0, 1), lambda n: affine(wraps=bool(n))),
        Question("wraps: 0 or 1, where low is not the type's least", (0, 1), lambda n: affine(wraps=bool(n), low=1)),
        Question("bits of the multipliers, of bytes", range(1, 63), lambda n: affine(factor=(1 << n) - 1)),
    ],
    "concat": _second("concat"),
    "add": [
        Question(
            "gains n and 1",
            (-MAX_GAIN - 1, -MAX_GAIN, -1, 0, 1, MAX_GAIN, MAX_GAIN + 1),
            lambda n: addition(gains=(n, 1)),
        ),
        *_second("add"),
        _scale("add"),
    ],
    "multiply": [*_second("multiply"), _scale("multiply")],
    "maximum": _second("maximum"),
    "argmax": [Question("classes", _FROM_ONE, lambda n: classes(n, target=QType(16, False, 0)), unbounded=True)],
    "smallest_area": [
        Question("area, of 12 pixels", range(SIZE + 2), smallest_area),
        Question("pixels of the frame", _FROM_ONE, lambda n: smallest_area(pixels=n), unbounded=True),
    ],
    "lookup": [],
    "pad": [
        Question("sides: n rows at the top", range(-1, 2 * SIZE), lambda n: padding((n, 0, 0, 0)), unbounded=True),
        Question("value, of bytes", _BYTES, lambda n: padding(value=n)),
    ],
    "crop": [Question("sides: n rows at the top, of 12", range(-1, SIZE + 1), lambda n: cropping((n, 0, 0, 0)))],
    "resize_nearest": [Question("factor n x 1", _UP_TO, lambda n: nearest((n, 1)), unbounded=True)],
    "resize_bilinear": [
        Question("factor n x 1", _UP_TO, lambda n: bilinear((n, 1))),
        Question("factor n x n", _UP_TO, lambda n: bilinear((n, n))),
    ],
    "depth_to_space": [Question("block n x 1, of 12 channels", range(SIZE + 2), lambda n: blocks((n, 1)))],
}
"""What is asked of an op beside its widths; an option begins with the name of its field."""


def styles(stem: str) -> tuple[Style, ...]:
    """Return the styles that a layer of an op may have: those of the first layer that each question takes."""
    found: set[Style] = set()
    for question in (*QUESTIONS[stem], widths(stem, INPUT, False)):
        for number in question.numbers:
            try:
                found |= set(instances(question.build(number)))
            except QuantUNetError:
                continue
            break
    return tuple(style for style in STYLES if style in found)
