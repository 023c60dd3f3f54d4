"""One type for several values: the legs of a concatenation, or the two that a maximum compares."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from quantunet.errors import TypeMismatchError
from quantunet.fraction_rounding import half_even
from quantunet.ir import MAX_BITS, QType, Tensor
from quantunet.ranges import fitting_type, saturates_like, types
from quantunet.reach import codes_of, grid_of, is_plain, rounded_reach
from quantunet.values import InputSource, Joined, Place, frac_of, root, step_of


def shared_type(value: Joined) -> tuple[QType, Fraction] | None:
    """Return a type in which every leg can be written at once, without a layer in between, and its step.

    Raises:
        ScaleError: A bound of a leg lies between two integers.
    """
    declared = [leg.declared.qtype for leg in value.legs if leg.declared is not None]
    if not declared or any(leg.step is None and leg.declared is None for leg in value.legs):
        return None
    grids = set()
    for leg in value.legs:
        if isinstance(root(leg.source), InputSource):
            plain = leg.step is not None and not leg.bends and not leg.wraps and leg.rounding is half_even
            grids.add(leg.step or Fraction(0))
        else:
            plain = is_plain(leg)
            grids.add(grid_of(leg) if plain else Fraction(0))
        if not plain:
            return None
    if len(grids) > 1:
        return None
    step = grids.pop()
    frac = frac_of(step) or 0
    for candidate in (*dict.fromkeys(declared), *types(frac)):
        if candidate.frac == frac and all(
            saturates_like(candidate, rounded_reach(leg.source, step), *codes_of(leg, step)) for leg in value.legs
        ):
            return candidate, step
    return None


def exact_type(
    place: Place, tensors: Sequence[Tensor], steps: Sequence[Fraction], integers: Sequence[tuple[int, int]]
) -> tuple[QType, Fraction, list[tuple[int, int]]]:
    """Return a type that holds tensors of several types exactly, its step, and the integers of each tensor in it.

    Args:
        place: The op that joins them, for messages.
        tensors: The tensors.
        steps: What the integer 1 of each stands for.
        integers: The least and the greatest integer of each.

    Raises:
        TypeMismatchError: There is none.
    """
    step = min(steps)
    pairs = list(zip(tensors, steps, strict=True))
    powers = all(frac_of(each / step) is not None for each in steps)
    own = all(each == step_of(tensor) for tensor, each in pairs)
    if not own or (any(tensor.unit is not None for tensor in tensors) and len(set(steps)) > 1):
        powers = False
    if any(tensor.unit is not None and tensor.qtype.frac for tensor in tensors) and len(set(tensors)) > 1:
        powers = powers and len({tensor.qtype for tensor in tensors}) == 1
    reaches = [[code * each / step for code in reach] for reach, each in zip(integers, steps, strict=True)]
    low, high = int(min(reach[0] for reach in reaches)), int(max(reach[1] for reach in reaches))
    same = [tensor.qtype for tensor, each in pairs if each == step]
    fits = [qtype for qtype in same if qtype.qmin <= low <= high <= qtype.qmax]
    frac = frac_of(step) or 0
    one = min(fits, key=lambda qtype: qtype.bits) if fits else fitting_type((low, high), None, None, None, frac)
    if one is None or not powers:
        raise TypeMismatchError(
            place.name,
            expected=f"legs that one type of at most {MAX_BITS} bits holds exactly",
            got=" and ".join(f"{tensor.qtype} ('{tensor.name}')" for tensor in tensors)
            + ("" if powers else " at scales " + " and ".join(f"{float(each):g}" for each in steps)),
            hint="Share one quantizer between the legs, or put one behind the concatenation.",
        )
    return one, step, [(int(reach[0]), int(reach[1])) for reach in reaches]
