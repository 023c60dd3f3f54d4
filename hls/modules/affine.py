"""Hardware of ``affine``: parameters and constants of ``qun_affine``, and its cycles."""

from __future__ import annotations

import dataclasses

import numpy as np

from quantunet.accumulator import affine_reach, bits_for
from quantunet.errors import WidthError
from quantunet.hls.design import Cycles, Fold, Instance, Memory, Stream
from quantunet.hls.matrix.constant_multiply import signed_digits
from quantunet.hls.modules.sheet import Join, Params, Timing, beat_a_cycle, pixelwise, same_pixel
from quantunet.hls.resources.parts import SLICE_BEATS, add_slice
from quantunet.hls.resources.terms import Terms, counter_bits, distinct
from quantunet.ir import MAX_PRODUCT_BITS, Affine, Array, Graph, IntArray, QType

RULE = "pipeline"
JOIN = Join.NONE
WHOLE_PIXELS = False
BURSTS = False

_PARAMETER_BITS = 31  # of bounds, which are 32-bit integers in SystemVerilog

_HARD_BITS = 18
"""Width of both inputs of a hard multiplier. A wider factor is cut into parts of one bit less, which are not signed."""


def reduced(node: Affine, input_type: QType) -> Affine:
    """Return the node with the smallest constants that compute the same.

    Binary places that no multiplier has are dropped before the sum, from the offsets too where it rounds down: that is
    ``floor`` of ``floor``. A branch that no input reaches is the other one, and a split between equal branches is 0.

    Args:
        node: The layer.
        input_type: The type of its input.

    >>> one = IntArray.of([4, 12]), IntArray.of([7, -1])
    >>> node = Affine("a", ("x",), "y", *one, IntArray.of([0, 3]), *one, shift=5, low=-4, high=3)
    >>> small = reduced(node, QType(8, True, 0))
    >>> small.multiplier.array, small.offset.array, small.split.array, small.shift
    (array([1, 3]), array([ 1, -1]), array([0, 0]), 3)
    """
    split = node.split.array
    multiplier = np.where(split > input_type.qmax, node.lower_multiplier.array, node.multiplier.array)
    offset = np.where(split > input_type.qmax, node.lower_offset.array, node.offset.array)
    lower_multiplier = np.where(split <= input_type.qmin, multiplier, node.lower_multiplier.array)
    lower_offset = np.where(split <= input_type.qmin, offset, node.lower_offset.array)
    split = np.where((lower_multiplier == multiplier) & (lower_offset == offset), 0, split)
    exact = [multiplier, lower_multiplier, *([offset, lower_offset] if node.even else [])]
    common = int(np.bitwise_or.reduce(np.concatenate(exact)))
    zeros = (common & -common).bit_length() - 1 if common else MAX_PRODUCT_BITS
    places = min(zeros, node.shift)
    return dataclasses.replace(
        node,
        multiplier=IntArray.of(multiplier >> places),
        offset=IntArray.of(offset >> places),
        split=IntArray.of(split),
        lower_multiplier=IntArray.of(lower_multiplier >> places),
        lower_offset=IntArray.of(lower_offset >> places),
        shift=node.shift - places,
    )


def _bits(*constants: Array) -> int:
    """Return the width of the smallest two's complement type that holds all of some constants."""
    return bits_for(min(int(one.min()) for one in constants), max(int(one.max()) for one in constants))


def emit(graph: Graph, node: Affine, fold: Fold) -> Instance:
    """Return the instance of a general requantisation.

    A word of its memory has the constants of a channel group, bit by bit. Where all groups have the same constants,
    there is one word, which synthesis wires in; where each multiplier is 1, nothing is multiplied; and bounds that are
    the limits of a type, of the output's or of a smaller one, are found by bits alone.

    Raises:
        WidthError: Bounds of its own are too large for parameters.
    """
    source, target = graph.input_of(node), graph.output_of(node).qtype
    small = reduced(node, source.qtype)
    sets = [(small.multiplier.array, small.offset.array)]
    if (small.lower_multiplier, small.lower_offset) != (small.multiplier, small.offset):
        sets.append((small.lower_multiplier.array, small.lower_offset.array))
    multipliers, offsets, split = [one for one, _ in sets], [one for _, one in sets], small.split.array
    multiplier_bits = 0 if all((one == 1).all() for one in multipliers) else _bits(*multipliers)
    offset_bits, split_bits = _bits(*offsets), _bits(split) if split.any() else 0
    columns = [bit for one in sets for bit in (*_planes(one[0], multiplier_bits), *_planes(one[1], offset_bits))]
    columns += _planes(split, split_bits)
    words = np.stack(columns, axis=1).reshape(source.shape[2] // fold.pe, -1)
    if (words == words[0]).all():
        words = words[:1]
    limit = _least_type(node.low, node.high)
    own_low, own_high = node.low != limit.qmin, node.high != limit.qmax
    if (own_low or own_high) and limit.bits > _PARAMETER_BITS:
        raise WidthError(
            node.name,
            expected=f"bounds that are a type's limits, or at most {_PARAMETER_BITS} bits",
            got=f"{node.low}..{node.high}",
            hint=f"Let the bounds be those of {target}.",
        )
    memory = Memory(f"{node.name}_constants.mem", 1, IntArray.of(words))
    params: dict[str, int | str] = {
        "Lanes": fold.pe,
        "Groups": len(words),
        "InBits": source.qtype.bits,
        "InSigned": int(source.qtype.signed),
        "Branches": len(sets),
        "SplitBits": split_bits,
        "MultiplierBits": multiplier_bits,
        "OffsetBits": offset_bits,
        "SumBits": bits_for(*affine_reach(small, source.qtype)),
        "Shift": small.shift,
        "Even": int(node.even and small.shift > 0),
        "Wraps": int(node.wraps),
        "LimitBits": limit.bits,
        "LimitSigned": int(limit.signed),
        "HasLow": int(own_low),
        "Low": node.low if own_low else 0,
        "HasHigh": int(own_high),
        "High": node.high if own_high else 0,
        "OutBits": target.bits,
        "ConstantFile": memory.file,
    }
    return Instance(
        name=node.name,
        module="qun_affine",
        params=tuple(params.items()),
        inputs=(("s_axis", node.inputs[0]),),
        outputs=(("m_axis", node.output),),
        memories=(memory,),
    )


def _least_type(low: int, high: int) -> QType:
    """Return the smallest type that holds two bounds."""
    signed = low < 0
    return QType(bits_for(low, high) if signed else max(high.bit_length(), 1), signed, 0)


def _planes(constants: Array, bits: int) -> list[Array]:
    """Return the bits of constants, the lowest first, each int64 ``(channels,)``."""
    return [(constants >> bit) & 1 for bit in range(bits)]


def _stages(params: Params) -> int:
    """Return the registers before the output's register slice, which move together."""
    optional = (params["Branches"] == 2, params["MultiplierBits"] > 0, params["HasLow"] or params["HasHigh"])
    return 2 + sum(map(bool, optional))


def cycles(graph: Graph, node: Affine, fold: Fold) -> Cycles:
    """Return the cycles of a general requantisation for one frame: a beat a cycle, through its stages."""
    return beat_a_cycle(graph, node, fold, _stages(emit(graph, node, fold).numbers) + 1)


def area(graph: Graph, node: Affine, fold: Fold) -> Terms:
    """Return what a general requantisation takes.

    Constants that all channel groups share are wired in: what a branch chooses is then a function of one bit.
    """
    p = emit(graph, node, fold).numbers
    terms = Terms()
    lanes, groups, stages, total = p["Lanes"], p["Groups"], _stages(p), p["SumBits"]
    value, factor, offset = p["InBits"], p["MultiplierBits"], p["OffsetBits"]
    choices = p["Branches"] == 2
    terms.add_table(lanes * (p["Branches"] * (factor + offset) + p["SplitBits"]), groups)
    registers = lanes * (value + total - (0 if p["Even"] else p["Shift"])) + 2 * stages + counter_bits(groups)
    if choices:
        registers += lanes * (value + (factor + offset if groups > 1 else 1))
        terms.add("lut", sum_bits=lanes * p["SplitBits"], joined_bits=lanes * (factor + offset) if groups > 1 else 0)
    if factor:
        registers += lanes * total
        if choices:
            registers += lanes * (offset if groups > 1 else 1)
        else:
            registers += round(distinct(lanes * offset, groups))
        _multiply(terms, lanes, value, factor, fold, _wired(graph, node, fold) if groups == 1 and not choices else None)
    terms.add("lut", hard_sum_bits=lanes * total, counter_bits=counter_bits(groups))
    terms.add("lut", output_bits=0 if p["Wraps"] else lanes * p["LimitBits"], lanes=lanes)
    terms.add("lut", rounding_bits=lanes * total if p["Even"] else 0)
    if p["HasLow"] or p["HasHigh"]:
        registers += lanes * p["LimitBits"]
        terms.add("lut", maximum_bits=lanes * p["LimitBits"] * (p["HasLow"] + p["HasHigh"]))
    terms.add("ff", registers=registers)
    add_slice(terms, lanes * p["OutBits"] + 1)
    return terms


def _wired(graph: Graph, node: Affine, fold: Fold) -> Array:
    """Return the multipliers of the lanes, which are constants."""
    return reduced(node, graph.input_of(node).qtype).multiplier.array[: fold.pe]


def _multiply(terms: Terms, lanes: int, value: int, factor: int, fold: Fold, constants: Array | None) -> None:
    """Add a multiplication in each lane; those by powers of two are wires."""
    if constants is not None:
        lanes = int((signed_digits(constants) > 1).sum())
    if fold.style == "folded-dsp":
        parts = _parts(value) * _parts(factor)
        terms.dsp = lanes * parts
        terms.add("lut", hard_sum_bits=lanes * (parts - 1) * (value + factor - _HARD_BITS + 1))
    elif constants is not None:
        terms.add("lut", constant_product_bits=lanes * value * factor)
    else:
        terms.add("lut", product_bits=lanes * value * factor, product_edges=lanes * (value + factor), products=lanes)


def _parts(bits: int) -> int:
    """Return how many hard multipliers one side of a product needs."""
    return 1 if bits <= _HARD_BITS else -(-(bits - 1) // (_HARD_BITS - 1))


def timing(graph: Graph, node: Affine, fold: Fold) -> Timing:
    """Return how a general requantisation works through a frame."""
    return pixelwise(graph, node, fold, cycles(graph, node, fold))


def rule_params(params: Params) -> dict[str, int]:
    """Return what the rule is given."""
    return {**params, "Stages": _stages(params)}


def needs(params: Params, target: Stream) -> Array:
    """Return the last input pixel that each output pixel needs."""
    return same_pixel(target)


def taken(params: Params, left: Array, index: int) -> Array:
    """Return the beats that it can have taken when so many have left it and the next is blocked."""
    return left + SLICE_BEATS  # its stages may stand still while they are empty
