"""Layers of every op for the C simulation, in the corners of the integer types."""

from __future__ import annotations

from helpers import layers

from quantunet.ir import Conv2d, ConvTranspose2d, Graph, QType


def u(bits: int, frac: int) -> QType:
    return QType(bits, False, frac)


def s(bits: int, frac: int) -> QType:
    return QType(bits, True, frac)


CASES: tuple[Graph, ...] = (
    layers.matrix(Conv2d, "conv3_u8_to_u3", (6, 5, 3), 4, 3, (u(8, 8), s(4, 3), u(3, 1))),
    layers.matrix(Conv2d, "conv3_ternary_signed", (5, 4, 4), 3, 3, (s(5, 3), s(2, 1), s(4, 1))),
    layers.matrix(Conv2d, "conv1_head", (4, 6, 5), 1, 1, (u(4, 3), s(8, 7), s(6, 3))),
    layers.matrix(Conv2d, "conv3_left_shift", (4, 4, 2), 2, 3, (u(2, 1), s(2, 0), u(8, 5))),
    layers.matrix(Conv2d, "conv1_left_shift_beyond_width", (4, 4, 2), 2, 1, (s(2, 1), s(2, 0), s(3, 7))),
    layers.matrix(Conv2d, "conv3_shift_beyond_width", (4, 4, 2), 2, 3, (u(3, 9), s(3, 8), u(1, -4))),
    layers.matrix(Conv2d, "conv3_one_pixel_wide_types", (1, 1, 3), 2, 3, (s(16, 15), s(16, 15), s(16, 12))),
    layers.matrix(Conv2d, "conv1_one_bit", (4, 4, 3), 2, 1, (u(1, 0), s(1, 0), s(3, 0))),
    layers.matrix(ConvTranspose2d, "up_u5_to_s4", (3, 4, 6), 5, 2, (u(5, 4), s(3, 2), s(4, 2))),
    layers.matrix(ConvTranspose2d, "up_1024_channels", (2, 2, 1024), 3, 2, (s(3, 2), s(5, 4), u(6, 1))),
    layers.maxpool2d("pool_signed", (6, 4, 3), s(5, 2)),
    layers.maxpool2d("pool_unsigned", (4, 4, 1), u(8, 8)),
    layers.maxpool2d("pool_overlap", (5, 7, 2), s(4, 1), (3, 3), (2, 2)),
    layers.maxpool2d("pool_global", (4, 3, 2), s(5, 2), (4, 3), (1, 1)),
    layers.maxpool2d("pool_rows", (7, 5, 3), s(4, 1), (3, 1), (2, 1)),
    layers.maxpool2d("pool_column", (6, 3, 2), s(4, 1), (2, 1), (2, 1)),
    layers.maxpool2d("pool_apart", (8, 8, 2), s(4, 1), (2, 2), (3, 3)),
    layers.sumpool2d("sum_global", (3, 5, 2), s(16, 3), (3, 5), (1, 1)),
    layers.depthwise_conv2d("depthwise_dilated", (7, 6, 3), (s(4, 2), 5, s(6, 2)), (3, 2), (1, 2), (2, 1)),
    layers.depthwise_conv2d("depthwise_wide", (4, 7, 2), (s(4, 2), 5, s(6, 2)), (2, 3), (1, 1), (1, 2)),
    layers.convolution("conv_dilated", (8, 5, 2), 3, (3, 2), (s(4, 2), 4, s(6, 2)), dilation=(3, 1)),
    layers.convolution("conv_unread_row", (6, 5, 2), 2, (2, 3), (u(4, 2), 3, s(6, 2)), stride=(3, 1)),
    layers.convolution("up_cropped", (4, 3, 2), 2, (5, 4), (s(4, 2), 4, s(6, 2)), stride=(3, 3), crop=(2, 1, 3, 2)),
    layers.convolution("up_rows", (4, 3, 2), 2, (3, 1), (s(4, 2), 4, s(6, 2)), stride=(1, 1), crop=(2, 0, 2, 0)),
    layers.convolution("up_uneven", (3, 4, 2), 2, (2, 3), (s(4, 2), 4, s(6, 2)), stride=(2, 2), crop=(0, 1, 0, 1)),
    layers.requant("requant_signed_to_unsigned", (8, 8, 4), s(8, 6), u(3, 2)),
    layers.requant("requant_same_type", (3, 3, 2), u(4, 3), u(4, 3)),
    layers.requant("requant_left_shift", (4, 4, 2), u(4, 2), s(6, 3)),
    layers.concat("concat_uneven", (4, 3, 2), (4, 3, 5), s(3, 1)),
    layers.add("add_one_scale", (4, 3, 2), s(4, 2), s(4, 2), s(4, 2)),
    layers.add("add_two_scales", (4, 3, 5), s(5, 3), u(3, 0), u(4, 1)),
    layers.add("add_left_shift", (3, 3, 1), u(8, 8), s(8, 5), s(6, 9)),
    layers.add("add_gains", (4, 3, 2), s(5, 2), u(6, 3), s(5, 1), (3, -5)),
    layers.add("add_greatest_gains", (4, 3, 2), s(5, 2), s(4, 2), s(6, -28), ((1 << 31) - 1, 1 - (1 << 31))),
    layers.add("add_difference_exact", (4, 3, 2), s(16, 0), u(16, 3), s(22, 3), (1, -1)),
    layers.matrix(Conv2d, "conv3_exact", (5, 4, 3), 2, 3, (u(8, 0), s(8, 2), s(26, 2))),
    layers.matrix(ConvTranspose2d, "up_exact", (2, 3, 4), 2, 2, (s(16, 1), s(16, 2), s(40, 3))),
    layers.affine("affine_splits", (4, 5, 3), s(16, 8), u(5, 3), splits=True, even=True, bounds=(2, 29)),
    layers.affine("affine_shared", (4, 5, 3), u(7, 3), s(3, 1), shared=True, branches=False, wraps=True, shift=3),
    layers.affine("affine_ties", (8, 8, 3), s(4, 0), s(5, 0), splits=True, even=True, bits=2, shift=2),
    layers.affine("affine_halves", (5, 6, 3), u(4, 0), s(7, 0), even=True, bits=3, shift=1),
    layers.affine("affine_whole", (5, 6, 2), u(5, 0), s(9, 0), even=True, bits=3, shift=0),
    layers.affine_of(
        "affine_split_beyond",
        (4, 5, 3),
        u(4, 0),
        s(8, 0),
        ((3, 5, 7), (0, 9, 1), (16, 0, 8), (-5, 2, -3), (4, 1, 6)),
        1,
    ),
    layers.affine_of(
        "affine_greatest",
        (4, 8, 2),
        u(8, 0),
        s(4, 0),
        ((-(1 << 55), 3 << 52), (200 << 55, -(1 << 61)), (200, 0), (1 << 54, 1), (-(1 << 61), 0)),
        60,
    ),
    layers.affine_of(
        "affine_furthest",
        (4, 8, 2),
        s(8, 0),
        s(4, 0),
        ((1 << 54, -(1 << 54)), (1 << 60, -(1 << 60)), (0, 0), (1 << 54, -(1 << 54)), (0, 7)),
        62,
    ),
    layers.affine("affine_of_sums", (4, 5, 3), s(48, 0), s(16, 0), bits=14),
    layers.requant("requant_of_sums", (4, 5, 3), s(36, 0), u(6, -29)),
    layers.reorder("pad_negative", (3, 2, 3), s(5, 2), lambda net: net.pad("pad_negative", "image", (2, 0, 1, 3), -11)),
    layers.reorder("pad_sides", (2, 4, 2), s(4, 1), lambda net: net.pad("pad_sides", "image", (0, 2, 1, 1), 3)),
    layers.reorder("crop_uneven", (5, 6, 2), u(4, 1), lambda net: net.crop("crop_uneven", "image", (2, 1, 0, 3))),
    layers.reorder("crop_sides", (6, 7, 2), s(4, 1), lambda net: net.crop("crop_sides", "image", (1, 2, 2, 1))),
    layers.reorder("nearest_rows", (2, 3, 2), s(4, 1), lambda net: net.resize_nearest("nearest_rows", "image", (3, 2))),
    layers.reorder("nearest_wide", (2, 3, 2), s(4, 1), lambda net: net.resize_nearest("nearest_wide", "image", (1, 3))),
    layers.reorder("linear_signed", (3, 4, 2), s(5, 2), lambda net: net.resize_bilinear("linear_signed", "image")),
    layers.reorder("linear_tall", (3, 4, 2), s(5, 2), lambda net: net.resize_bilinear("linear_tall", "image", (2, 1))),
    layers.reorder("linear_wide", (3, 4, 2), s(5, 2), lambda net: net.resize_bilinear("linear_wide", "image", (1, 2))),
    layers.reorder("linear_row", (1, 5, 1), u(16, 9), lambda net: net.resize_bilinear("linear_row", "image", (1, 2))),
    layers.reorder("linear_widest", (2, 1, 1), s(16, -3), lambda net: net.resize_bilinear("linear_widest", "image")),
    layers.reorder("blocks", (2, 3, 18), s(3, 1), lambda net: net.depth_to_space("blocks", "image", (2, 3))),
    layers.sigmoid("sigmoid_signed", (8, 8, 1), s(6, 3)),
    layers.sigmoid("sigmoid_unsigned", (4, 4, 2), u(4, 2)),
    layers.lookup("lookup_wide", (8, 9, 3), s(12, 3), s(16, 20)),
    layers.lookup("lookup_one_bit", (3, 4, 3), s(1, 0), u(1, -3)),
    layers.maximum("maximum_signed", (3, 4, 3), s(4, 2)),
    layers.maximum("maximum_unsigned", (1, 5, 2), u(16, -1)),
    layers.argmax("argmax_signed", (6, 5, 5), s(2, 1)),
    layers.argmax("argmax_unsigned", (1, 9, 2), u(8, 0)),
    layers.smallest_area("smallest_area", (5, 7), 18),
    layers.smallest_area("smallest_area_of_a_row", (1, 9), 5),
    layers.smallest_area("smallest_area_just_met", (1, 2), 1),
    layers.multiply("multiply_gate", (3, 5, 3), s(5, 2), u(8, 8), 1),
    layers.multiply("multiply_wide", (2, 3, 2), u(16, 3), u(16, -2), 2),
)


def small_layers() -> list[Graph]:
    """Return those of one input whose every value is quickly computed in fractions."""
    return [each for each in CASES if len(each.inputs) == 1 and each.tensor(each.input).shape[2] < 1024]
