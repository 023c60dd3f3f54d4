"""Mutants that compute the same, and why: some kinds of every file, and single ones by their text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from helpers.software_mutants.mutant import Mutant


@dataclass(frozen=True)
class Survivor:
    """Mutants of one function that nobody can see, named by their text, so that lines may move.

    Attributes:
        file: The file.
        where: The function around them.
        why: Why nobody can see them.
        names: What is done in the place of what, as ``original → mutated``.
    """

    file: str
    where: str
    why: str
    names: tuple[str, ...]

    def is_that(self, mutant: Mutant) -> bool:
        """Return whether a mutant is one of them."""
        return (self.file, self.where) == (mutant.file, mutant.where) and named_short(mutant) in self.names


def named_short(mutant: Mutant) -> str:
    """Return what a mutant is called among those of its function."""
    return mutant.key.partition(": ")[2].replace("`", "")


def why_it_lives(mutant: Mutant) -> str:
    """Return why nobody can see a mutant, or nothing."""
    return _of_every_file(mutant) or next((each.why for each in SURVIVORS if each.is_that(mutant)), "")


_TWO_INPUTS = ("add", "concat", "maximum", "multiply")


def _of_every_file(mutant: Mutant) -> str:
    original, mutated, kind = mutant.original, mutant.mutated, mutant.kind
    op = mutant.file.startswith("golden/ops/")
    if (original, mutated) == ("inputs[0]", "inputs[-1]") and op and not mutant.file.endswith(_two_inputs()):
        return "the op has one input"
    if op and kind == "call dropped" and original == f"np.asarray({mutated})":
        return "it is an array already: this is for the checker of types"
    if "reshape" in original and mutated == re.sub(r"-1\b", "-2", original) != original:
        return "NumPy takes any negative number for the size that it computes itself"
    if "zip(" in original and mutated in (original.replace(", strict=True", ""), original.replace("=True", "=False")):
        return "all have one length"
    if original == mutated.replace("(1, 0)", "(0, 1)").replace("(3, 2)", "(2, 3)") and "swapaxes" in original:
        return "two axes are swapped, in whatever order they are named"
    if re.fullmatch(r"[xy]\.shape\[3\]", original) and kind == "constant":
        return "it sizes the strips into which work is cut, which changes no value"
    return ""


def _two_inputs() -> tuple[str, ...]:
    return tuple(f"/{each}.py" for each in _TWO_INPUTS)


_SHORTCUT = "a window as large as the image has a shortcut, which computes the same"
_INT64 = "they are int64 already"
_SLOWER = "the greater float type is exact too"
_SAME_ORDER = "the same numbers stand in the same order, and go to the same places"

_OPS = "golden/ops"

SURVIVORS: tuple[Survivor, ...] = (
    Survivor(
        f"{_OPS}/add.py",
        "evaluate",
        "the first input is the default",
        ("graph.input_of(node, 0) → graph.input_of(node)",),
    ),
    Survivor(
        f"{_OPS}/add.py",
        "evaluate_batch",
        "both inputs have one shape",
        ("inputs[0] → inputs[1]", "inputs[0] → inputs[-1]"),
    ),
    Survivor(
        f"{_OPS}/affine.py",
        "evaluate_batch.compute",
        "where both branches are one, either way is right",
        ("one_branch → False",),
    ),
    Survivor(
        f"{_OPS}/conv2d.py",
        "accumulate",
        "a kernel with padding has one row and column, or three",
        tuple(f"kernel_{axis} // 2 → kernel_{axis} // 3{more}" for axis in "hw" for more in ("", " #2")),
    ),
    *(
        Survivor(
            f"{_OPS}/{op}.py",
            "accumulate",
            "biases are int64, and a sum with products has their shape",
            (
                f"np.broadcast_to(bias, (height, width, {channels})).astype(np.int64) → "
                f"np.broadcast_to(bias, (height, width, {channels}))",
                f"np.broadcast_to(bias, (height, width, {channels})) → bias",
            ),
        )
        for op, channels in (("conv2d", "channels"), ("depthwise_conv2d", "x.shape[2]"))
    ),
    Survivor(
        f"{_OPS}/conv2d.py",
        "_blocks",
        "weights are exact in float64, and converted to the layer's float type",
        (
            "np.zeros((kernel_h, kernel_w + together - 1, channels_in, together, channels_out), np.int64) → "
            "np.zeros((kernel_h, kernel_w + together - 1, channels_in, together, channels_out))",
        ),
    ),
    Survivor(f"{_OPS}/conv2d.py", "_parts", _SAME_ORDER, ("width // together → width",)),
    Survivor(
        f"{_OPS}/conv2d.py",
        "module",
        "a native kernel is square",
        ("node.weight.shape[0] → node.weight.shape[1]",),
    ),
    Survivor(
        f"{_OPS}/conv2d.py",
        "module",
        "blocks and shared windows change the way alone",
        (
            "Layout(lambda node: node.weight.shape[0], _blocks, _parts, split=True) → "
            "Layout(lambda node: node.weight.shape[0], _blocks, _parts, split=False)",
        ),
    ),
    Survivor(
        f"{_OPS}/conv_transpose2d.py",
        "_parts",
        _SAME_ORDER,
        ("width // 2 → width", "width // 2 → width // 1"),
    ),
    Survivor(
        f"{_OPS}/conv_transpose2d.py",
        "module",
        "the blocks are its rows, whatever is asked for",
        ("Layout(lambda node: 1, _blocks, _parts, split=False) → Layout(lambda node: 1, _blocks, _parts, split=True)",),
    ),
    Survivor(
        f"{_OPS}/conv_transpose2d.py",
        "evaluate_batch",
        "windows by phase are right for a native kernel too",
        ("node.native → False",),
    ),
    Survivor(
        f"{_OPS}/conv_transpose2d.py",
        "accumulate",
        "an end behind the image is its end",
        ("(0, 0, 0, 0) → (0, 0, -1, 0)", "(0, 0, 0, 0) → (0, 0, 0, -1)", "0 → -1 #3", "0 → -1 #4"),
    ),
    *(
        Survivor(f"{_OPS}/depthwise_conv2d.py", where, "there is one", ("weight[dy, dx, 0] → weight[dy, dx, -1]",))
        for where in ("accumulate", "evaluate_batch.compute")
    ),
    Survivor(
        f"{_OPS}/depthwise_conv2d.py",
        "evaluate_batch",
        "a product of a float and an integer is a float64 of the same value, which the float type of the sum holds",
        ("node.weight.array.astype(dtype) → node.weight.array",),
    ),
    *(
        Survivor(
            f"{_OPS}/lookup.py",
            where,
            "a negative index counts from the end: that of a signed type is 2**bits greater",
            (f"{index} - {qmin} → {index} + {qmin}",),
        )
        for where, index, qmin in (
            ("lookup", "x", "input_type.qmin"),
            ("evaluate_batch", "inputs[0].astype(np.intp)", "graph.input_of(node).qtype.qmin"),
        )
    ),
    Survivor(
        f"{_OPS}/lookup.py",
        "evaluate_batch",
        "where a code less qmin leaves its type it wraps, and counts from the end of a table of as many entries",
        ("inputs[0].astype(np.intp) → inputs[0]",),
    ),
    *(
        Survivor(
            f"{_OPS}/{op}.py",
            "evaluate_batch",
            _SHORTCUT,
            (
                "node.kernel == x.shape[1:3] → False",
                "1:3 → :3",
                "1:3 → 1:",
                *(f"x.shape[1:3] → x.shape[{each}]" for each in ("2:3", "0:3", "1:4", "1:2")),
            ),
        )
        for op in ("maxpool2d", "sumpool2d")
    ),
    Survivor(
        f"{_OPS}/multiply.py",
        "evaluate",
        "a product is the same in either order",
        ("multiply(inputs[0], inputs[1]) → multiply(inputs[1], inputs[0])",),
    ),
    Survivor(
        f"{_OPS}/multiply.py",
        "evaluate_batch",
        "a product is the same in either order",
        (
            "np.multiply(inputs[0], inputs[1], dtype=dtype, casting='unsafe') → "
            "np.multiply(inputs[1], inputs[0], dtype=dtype, casting='unsafe')",
        ),
    ),
    Survivor(
        f"{_OPS}/requant.py",
        "evaluate_batch",
        _SLOWER,
        (
            "np.float32 if source.bits <= 24 else np.float64 → np.float64",
            "np.float32 if source.bits <= 24 else np.float64 → np.float64 if source.bits <= 24 else np.float64",
            "source.bits <= 24 → source.bits < 24",
            "source.bits <= 24 → source.bits <= 23",
        ),
    ),
    Survivor(
        f"{_OPS}/resize_bilinear.py",
        "evaluate_batch",
        "the last row but one is an even one, which the step leaves out",
        ("y[1:-1:2] → y[1:-2:2]",),
    ),
    Survivor(
        f"{_OPS}/smallest_area.py",
        "evaluate",
        "there is one mask",
        ("smallest_area(inputs[0][np.newaxis], node.area)[0] → smallest_area(inputs[0][np.newaxis], node.area)[-1]",),
    ),
    Survivor(
        "src/quantunet/rounding.py",
        "round_half_even_shift",
        "the array has the type already",
        ("np.int64(-shift) → -shift",),
    ),
    Survivor(
        "src/quantunet/rounding.py",
        "wrap",
        "twice qmin is 2**bits, or 0",
        ("values - qtype.qmin → values + qtype.qmin",),
    ),
)
"""Single mutants that nobody can see."""
