"""Mutants that compute the same, and why: some kinds of every file, and single ones by their text."""

from __future__ import annotations

import re

from helpers.software_mutants.mutant import Mutant
from helpers.software_mutants.survivors_cpp import HEADERS
from helpers.software_mutants.survivors_golden import GOLDEN

SURVIVORS = (*GOLDEN, *HEADERS)
"""Single mutants that nobody can see."""


def why_it_lives(mutant: Mutant) -> str:
    """Return why nobody can see a mutant, or nothing."""
    of_all = _of_every_header(mutant) if mutant.file.endswith(".h") else _of_every_file(mutant)
    return of_all or next((each.why for each in SURVIVORS if each.is_that(mutant)), "")


_TWO_INPUTS = ("add", "concat", "maximum", "multiply")


def _of_every_header(mutant: Mutant) -> str:
    original, mutated = mutant.original, mutant.mutated
    if re.fullmatch(r"[cf] < (\w+::size|CONFIG_T::n_filt)", original) and mutated == original.replace("<", "<="):
        return "one channel more is undefined, and without effect: nobody reads what stands behind the last one"
    widths = {"32": "33", "64": "65", "in_width + 1": "in_width + 2", "in_width + 2": "in_width + 3"}
    widths["CONFIG_T::sum_width + 1"] = "CONFIG_T::sum_width + 2"
    if mutant.kind == "constant" and widths.get(original) == mutated:
        return "a type that is a bit wider holds the same values"
    return ""


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
    if mutant.file == "golden/matrix.py" and (why := _of_matrices(mutant)):
        return why
    if mutant.file == "golden/cores.py" and re.search("cpu_count|sched_getaffinity", original):
        return "the number of cores decides how work is shared, which changes no value"
    return ""


_SIZES = frozenset({
    "512", "1 << 20", "16", "terms * cores", "_STRIP_FLOATS // (terms * cores)", "height * width <= pixels",
    "max(_STRIP_PIXELS, _STRIP_FLOATS // (terms * cores))", "height * width", "pixels // (height * width)",
    "max(pixels // width, 1)", "pixels // width",
})  # fmt: skip
"""What says how large a strip is."""

_WAYS = ("cores.count", "_together(", "kernel > 1", "blocks == 1")


def _of_matrices(mutant: Mutant) -> str:
    """Return why a mutant of the matrix products that all networks pass, in small strips too, is none."""
    if mutant.where in ("module", "strips") and mutant.original in _SIZES:
        return "it sizes the strips into which work is cut, or the shared windows, which changes no value"
    if mutant.where == "_together":
        return "how many neighbours share a window changes the way alone"
    if mutant.where == "matrix_layer" and any(each in mutant.original for each in _WAYS):
        return "blocks, shared windows and shares of cores change the way alone"
    if "writeable=False" in mutant.original and "as_strided" in mutant.original:
        return "nobody writes to the view"
    return ""


def _two_inputs() -> tuple[str, ...]:
    return tuple(f"/{each}.py" for each in _TWO_INPUTS)
