"""Mutants of the C++ headers that compute the same, and why."""

from __future__ import annotations

from helpers.software_mutants.survivor import Survivor

_CPP = "hls/csim/cpp"

HEADERS: tuple[Survivor, ...] = (
    Survivor(
        f"{_CPP}/qun_maxpool2d.h",
        "maxpool2d",
        "of two equal values either is the greatest",
        ("at(dy, dx)[c] > best → at(dy, dx)[c] >= best",),
    ),
    Survivor(
        f"{_CPP}/qun_argmax.h",
        "argmax",
        "channel 0 is compared with itself, and is not less",
        ("1 → 0",),
    ),
    Survivor(
        f"{_CPP}/qun_affine.h",
        "affine",
        "a beat holds all channels, so that c is less",
        ("c % CONFIG_T::n_chan → c",),
    ),
    Survivor(
        f"{_CPP}/qun_affine.h",
        "affine",
        "at the bound it is the bound",
        ("quotient > high → quotient >= high", "quotient < low → quotient <= low"),
    ),
    Survivor(
        f"{_CPP}/qun_affine.h",
        "joined",
        "the lower half has 32 bits",
        ("64 → 63 #2",),
    ),
    Survivor(
        f"{_CPP}/qun_conv2d.h",
        "pixel",
        "a transpose convolution has no dilation: 1",
        ("Transposed ? 1 : Dilation → Dilation",),
    ),
    Survivor(
        f"{_CPP}/qun_conv2d.h",
        "conv2d",
        "as many rows are kept, or more",
        (
            "CONFIG_T::transposed ? CONFIG_T::filt_height : (CONFIG_T::filt_height - 1) * CONFIG_T::dilation_height + 1"
            " → (CONFIG_T::filt_height - 1) * CONFIG_T::dilation_height + 1",
            "CONFIG_T::filt_height - 1 → CONFIG_T::filt_height + 1",
            "CONFIG_T::filt_height - 1 → CONFIG_T::filt_height",
            "CONFIG_T::filt_height - 1 → CONFIG_T::filt_height - 0",
            "(CONFIG_T::filt_height - 1) * CONFIG_T::dilation_height + 1"
            " → (CONFIG_T::filt_height - 1) * CONFIG_T::dilation_height + 2",
        ),
    ),
    Survivor(
        f"{_CPP}/qun_maxpool2d.h",
        "maxpool2d",
        "the ring of rows holds those of the window and no other",
        ("dy < CONFIG_T::kernel_height → dy <= CONFIG_T::kernel_height", "0 → 1 #2", "0 → (-1) #2"),
    ),
    Survivor(
        f"{_CPP}/qun_resize_bilinear.h",
        "resize_bilinear",
        "no neighbour is added along an axis that does not double",
        ("CONFIG_T::rows == 2 → true", "CONFIG_T::columns == 2 → true", "near → far", "sum[0] → sum[1]"),
    ),
    Survivor(
        f"{_CPP}/qun_resize_bilinear.h",
        "resize_bilinear",
        "the same, up to where the neighbour is found",
        (
            "heavy > 0 → light > 0",
            "heavy - 1 → light - 1",
            "heavy + 1 → light + 1",
            "heavy + 1 → light + 1 #2",
            "heavy + 1 < height ? heavy + 1 : heavy → heavy + 1 < height ? heavy + 1 : light",
            "near > 0 → far > 0",
            "near - 1 → far - 1",
            "near + 1 → far + 1",
            "near + 1 → far + 1 #2",
            "near + 1 < width ? near + 1 : near → near + 1 < width ? near + 1 : far",
            "sum[i] = one → sum[i] = other",
        ),
    ),
    Survivor(
        f"{_CPP}/qun_resize_bilinear.h",
        "resize_bilinear",
        "the neighbour of 1 is 0 either way",
        ("heavy > 0 → heavy > 1", "near > 0 → near > 1"),
    ),
)
"""Single mutants that nobody can see."""
