"""What each module of a design takes of an ECP5: LUT, flip-flops, multipliers and block RAM, before it is synthesised.

A module's LUTs and flip-flops are sums of a few terms that stand for its parts, such as the bits of its products or of
its accumulators. What one unit of a term takes was fitted to syntheses of the library by
``benchmarks/calibrate_cost.py`` and stands in ``cost_model.json``, with the error on syntheses that the fit had not
seen. Block RAM, distributed RAM and multipliers follow exact rules (:mod:`quantunet.hls.resources.memory_map`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from quantunet.errors import FileFormatError
from quantunet.hls.design import Fold
from quantunet.hls.matrix import folded
from quantunet.hls.matrix.constant_multiply import adder_levels, signed_digits
from quantunet.hls.network import emit
from quantunet.hls.resources.memory_map import map_memory, map_ram
from quantunet.ir import Conv2d, ConvTranspose2d, Graph, MatrixNode, Node

COEFFICIENTS = Path(__file__).with_name("cost_model.json")
"""What the calibration wrote."""

FORMAT = "quantunet-cost-1"

RESOURCES = ("lut", "ff", "dsp", "bram")

_DEVICE = {"lut": 83640, "ff": 83640, "dsp": 156, "bram": 208}  # ECP5-85

PRICES: Mapping[str, float] = {name: _DEVICE["lut"] / count for name, count in _DEVICE.items()}
"""Area of one of each, in LUTs, without a budget: a share of an ECP5-85 is worth the same in every resource."""

_DISTRIBUTED_LUTS = 6
_CREDIT_DEPTH = 16
_FIFO_SHALLOW = 16
_PREFETCH = 4
_DEEP_TABLE = 16
_LUT_BITS = 16

Amounts = Mapping[str, float]


ADAPTER_PRICE = 150.0
"""What a width adapter counts beside its own area, in LUTs, when foldings are chosen: for its latency, and because
neighbours of the same lanes are simpler to follow and to simulate. It costs the wearable network 0.6 % of its area, and
saves it more than half of the adapters."""


@dataclass(frozen=True)
class Cost:
    """What a module, or a design, takes.

    Attributes:
        lut: LUTs, carry cells and distributed RAM included.
        ff: Flip-flops.
        dsp: 18x18 multipliers.
        bram: Block RAMs of 18 Kibit.
    """

    lut: int = 0
    ff: int = 0
    dsp: int = 0
    bram: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.lut + other.lut, self.ff + other.ff, self.dsp + other.dsp, self.bram + other.bram)


def area(cost: Cost, prices: Mapping[str, float] = PRICES) -> float:
    """Return a cost as one number, in LUTs: each resource counts in proportion to how scarce it is."""
    return sum(prices[name] * float(getattr(cost, name)) for name in RESOURCES)


def prices_of(budget: Mapping[str, int]) -> dict[str, float]:
    """Return what one of each resource is worth where a budget says how scarce it is; a LUT is 1."""
    lut = budget.get("lut") or _DEVICE["lut"]
    return {name: lut / (budget.get(name) or _DEVICE[name]) for name in RESOURCES}


@dataclass
class Terms:
    """What a module's cost is made of.

    Attributes:
        lut: Amount of every term that takes LUTs.
        ff: Amount of every term that takes flip-flops.
        lut_known: LUTs that are known exactly.
        dsp: Multipliers.
        bram: Block RAMs.
    """

    lut: dict[str, float] = field(default_factory=dict)
    ff: dict[str, float] = field(default_factory=dict)
    lut_known: int = 0
    dsp: int = 0
    bram: int = 0

    def add(self, resource: str, **amounts: float) -> None:
        """Add amounts to the terms of ``lut`` or ``ff``."""
        target = self.lut if resource == "lut" else self.ff
        for term, amount in amounts.items():
            if amount:
                target[term] = target.get(term, 0) + amount

    def add_memory(self, width: int, depth: int, *, asynchronous: bool = False) -> None:
        """Add a memory with what it becomes."""
        memory = map_memory(width, depth, asynchronous=True) if asynchronous else map_ram(width, depth)
        self.bram += memory.block
        self.lut_known += _DISTRIBUTED_LUTS * memory.distributed
        self.add("lut", joined_bits=memory.joined, register_bits=memory.register_bits)
        self.add("ff", registers=memory.register_bits + memory.output_bits)

    def add_table(self, width: int, depth: int, term: str = "table_luts") -> None:
        """Add a table of constants with what it becomes; ``term`` stands for its LUTs."""
        memory = map_memory(width, depth, rom=True)
        self.bram += memory.block
        columns = _distinct(width, depth)
        if memory.kind == "logic":
            self.add("lut", **{term: columns * _table_luts(depth)})
            self.add("ff", registers=columns)
        self.add("lut", joined_bits=memory.joined)


@dataclass(frozen=True)
class Calibration:
    """The fitted model.

    Attributes:
        lut: LUTs of one unit of each term.
        ff: Flip-flops of one unit of each term.
        tool: The synthesiser and its version.
        samples: Number of syntheses.
        errors: By resource, ``(median, worst)`` relative error on syntheses that the fit had not seen.
    """

    lut: Amounts
    ff: Amounts
    tool: str
    samples: int
    errors: Mapping[str, tuple[float, float]]

    def cost(self, terms: Terms) -> Cost:
        """Return what some terms take together."""
        lut = terms.lut_known + sum(self.lut[name] * amount for name, amount in terms.lut.items())
        ff = sum(self.ff[name] * amount for name, amount in terms.ff.items())
        return Cost(round(lut), round(ff), terms.dsp, terms.bram)


@lru_cache(maxsize=1)
def calibration(path: Path = COEFFICIENTS) -> Calibration:
    """Read the calibration.

    Raises:
        FileFormatError: The file is missing or damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}")  # noqa: TRY301
        return Calibration(
            lut={str(name): float(value) for name, value in document["lut"].items()},
            ff={str(name): float(value) for name, value in document["ff"].items()},
            tool=str(document["tool"]),
            samples=int(document["samples"]),
            errors={str(name): (float(e["median"]), float(e["worst"])) for name, e in document["errors"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(
            str(path),
            expected=f"a calibration in the format {FORMAT}",
            got=str(error),
            hint="Make it again: python -m benchmarks.calibrate_cost",
        ) from error


def layer_cost(graph: Graph, node: Node, fold: Fold) -> Cost:
    """Return what a layer takes.

    Raises:
        FoldingError: The fold does not fit.
        WidthError: The layer's values are too wide for this fold.
    """
    return calibration().cost(layer_terms(graph, node, fold))


@lru_cache(maxsize=65536)
def fork_cost(bits: int, outputs: int) -> Cost:
    """Return what ``qun_fork`` takes."""
    return calibration().cost(fork_terms(bits, outputs))


@lru_cache(maxsize=65536)
def fifo_cost(bits: int, depth: int, frame_beats: int = 0) -> Cost:
    """Return what ``qun_fifo`` takes; with ``frame_beats`` it counts ``tlast`` and does not store it."""
    return calibration().cost(fifo_terms(bits, depth, frame_beats))


@lru_cache(maxsize=65536)
def width_adapter_cost(in_lanes: int, out_lanes: int, bits: int) -> Cost:
    """Return what ``qun_width_adapter`` takes; nothing where the lanes are the same."""
    return Cost() if in_lanes == out_lanes else calibration().cost(width_adapter_terms(in_lanes, out_lanes, bits))


def layer_terms(graph: Graph, node: Node, fold: Fold) -> Terms:
    """Return the terms of a layer.

    Raises:
        FoldingError: The fold does not fit.
        WidthError: The layer's values are too wide for this fold.
    """
    if isinstance(node, Conv2d | ConvTranspose2d):
        params = folded.parameters(graph, node, fold)
        whole = {name: value for name, value in params.items() if isinstance(value, int)}
        return _constant(node, whole) if fold.style == "constant" else _matrix(node, whole, fold)
    instance = emit(graph, node, fold)
    return _PLAIN[instance.module]({name: value for name, value in instance.params if isinstance(value, int)})


def _bits(places: int) -> int:
    """Return the width of a counter over some places; 0 where there is but one."""
    return (places - 1).bit_length()


def _distinct(width: int, depth: int) -> float:
    """Return how many of a random table's columns differ from each other and are not constant: each is one register."""
    if depth > _DEEP_TABLE:
        return width
    patterns: int = 2**depth
    return max(0.0, (patterns - 2) * (1 - (1 - 1 / patterns) ** width))


def _table_luts(depth: int) -> float:
    """Return about how many LUTs of four inputs a random column of a table takes: its sixteenths, and their joining."""
    return 1.0 if depth <= _LUT_BITS else depth / _LUT_BITS * 5 / 3


def _sum_lanes(bits_w: int, bits_in: int, simd: int) -> int:
    """Return how many products the first sum of ``qun_lane_products`` adds."""
    bits = max(bits_w, bits_in)
    lanes = min(8 if bits <= 4 else 4 if bits <= 8 else 2, simd)
    while simd % lanes:
        lanes -= 1
    return 4 if lanes == 8 and simd > 16 else 2 if lanes % 2 == 0 else 1


def _matrix(node: MatrixNode, p: Mapping[str, int], fold: Fold) -> Terms:
    terms = Terms()
    kernel = node.weight.shape[0]
    in_folds, out_folds = p["InChannels"] // p["Simd"], p["OutChannels"] // p["Pe"]
    if isinstance(node, ConvTranspose2d):
        name, pixels = "rows", p["Width"] + 2
    else:
        name, pixels = "window" if kernel > 1 else "point", (kernel - 1) * p["Width"] + kernel + 1
    ring, weights = _bits(pixels * in_folds), kernel * kernel * out_folds * in_folds
    counters = _bits(weights) + 2 * _bits(in_folds) + _bits(out_folds) + _bits(p["Width"]) + _bits(p["Height"])
    terms.add("lut", ring_address_bits=ring, counter_bits=counters, **{name: 1})
    terms.add("ff", registers=4 * ring + counters + _bits(pixels) + 3 * _bits(out_folds), **{name: 1})
    terms.add_memory(p["Simd"] * p["InBits"], pixels * in_folds)
    terms.add_table(p["Pe"] * p["Simd"] * p["WeightBits"], weights)
    _multiply(terms, p, fold, weights)
    terms.add_memory(p["Pe"] * p["OutBits"] + 1, _CREDIT_DEPTH, asynchronous=True)
    return terms


def _multiply(terms: Terms, p: Mapping[str, int], fold: Fold, weights: int) -> None:
    """Add the matrix-vector unit without its weights and its output FIFO.

    Args:
        terms: Where to add it.
        p: The module's parameters.
        fold: The layer's fold.
        weights: Words of weights; where there is but one, Yosys multiplies by constants.
    """
    pe, simd, bits_w, bits_in, acc = (p[name] for name in ("Pe", "Simd", "WeightBits", "InBits", "AccBits"))
    out_folds = p["OutChannels"] // pe
    if p["PairProducts"]:
        _pair_products(terms, p)
    else:
        sum_lanes = _sum_lanes(bits_w, bits_in, simd)
        sums = simd // sum_lanes
        # A running sum gains a bit with each operand; only the accumulator's bits are used.
        sum_bits = min(bits_w + bits_in + sum_lanes - 1, acc)
        total_bits = min(sum_bits + sums - 1, acc)
        adder_bits = pe * (sums * (sum_lanes - 1) * sum_bits + (sums - 1) * total_bits)
        terms.add("ff", registers=pe * (sums * sum_bits + total_bits))
        if weights == 1:
            terms.add("lut", constant_product_bits=pe * simd * bits_w * bits_in)
        elif fold.style == "folded-dsp":
            terms.dsp = pe * simd
            terms.add("lut", hard_sum_bits=adder_bits)
        else:
            terms.add(
                "lut",
                product_bits=pe * simd * bits_w * bits_in,
                product_edges=pe * simd * (bits_w + bits_in),
                products=pe * simd,
                sum_bits=adder_bits,
            )
    terms.add("lut", input_bits=simd * bits_in)
    terms.add("lut", accumulator_bits=pe * acc)
    _round(terms, pe, acc, p)
    terms.add("ff", registers=simd * bits_in + pe * acc)
    terms.add_table(pe * acc, out_folds)
    terms.add("ff", registers=_distinct(pe * acc, out_folds) + _distinct(pe * simd * bits_w, weights))


def _pair_products(terms: Terms, p: Mapping[str, int]) -> None:
    """Add ``qun_pair_products``: two products a multiplier, sums that are split, and what the inputs' sum corrects."""
    pe, simd, bits_w, bits_in, acc = (p[name] for name in ("Pe", "Simd", "WeightBits", "InBits", "AccBits"))
    pairs = pe // 2
    room = max(0, (17 if p["InSigned"] else 18) - 2 * bits_w - bits_in)
    split_lanes = min(simd, 1 << room)
    sum_lanes = 2 if split_lanes > 1 else 1
    sums, split_sums = -(-simd // sum_lanes), -(-split_lanes // sum_lanes)
    splits = -(-sums // split_sums)
    pair_bits = 2 * (bits_w + bits_in + _bits(split_lanes))
    input_sum_bits = bits_in + _bits(simd)
    terms.dsp = pairs * simd
    terms.add("lut", hard_sum_bits=pairs * pair_bits * (simd - splits))
    terms.add("lut", split_bits=pe * splits * acc, input_sum_bits=(simd - 1) * input_sum_bits)
    terms.add("ff", registers=pairs * sums * pair_bits + pe * acc + input_sum_bits)


def _round(terms: Terms, channels: int, acc: int, p: Mapping[str, int]) -> None:
    """Add the requantisation of some accumulators at a time."""
    terms.add("lut", output_bits=channels * p["OutBits"], lanes=channels)
    terms.add("lut", rounding_bits=channels * acc if p["Shift"] > 0 else 0)
    terms.add("ff", registers=channels * p["OutBits"])


def _constant(node: MatrixNode, p: Mapping[str, int]) -> Terms:
    """Return the terms of a convolution by constants; its adders are estimated from the digits of the weights."""
    terms = Terms()
    kernel, pixel, outputs = node.weight.shape[0], p["InChannels"] * p["InBits"], p["OutChannels"]
    weight = node.weight.array.reshape(-1, outputs)
    adders = int(np.maximum(signed_digits(weight).sum(axis=0) - 1, 0).sum())
    levels = adder_levels(weight)
    adder_bits = adders * (p["InBits"] + 2)
    # The more weights there are, the more sums they share.
    terms.add(
        "lut", constants=1, constant_adder_bits=adder_bits, constant_shared_bits=adder_bits / max(adders, 1) ** 0.2
    )
    terms.add("ff", constants=1, constant_adder_bits=adder_bits, registers=outputs * p["AccBits"])
    if kernel > 1:
        terms.add("lut", constant_window=1)
        terms.add("ff", registers=(kernel * kernel + 4) * pixel)
        if p["Height"] > 1:
            terms.add_memory(pixel, p["Width"])
            terms.add_memory(pixel, p["Width"])
    else:
        terms.add("ff", registers=pixel)
    _round(terms, outputs, p["AccBits"], p)
    latency = levels + 1
    depth = 1 << _bits(latency + 4) if latency > _CREDIT_DEPTH - 4 else _CREDIT_DEPTH
    terms.add_memory(outputs * p["OutBits"] + 1, depth, asynchronous=True)
    terms.add("ff", registers=2 * latency)
    return terms


def _register_slice(terms: Terms, bits: int) -> None:
    terms.add("lut", slice_bits=bits, slices=1)
    terms.add("ff", registers=2 * bits + 2)


def fork_terms(bits: int, outputs: int) -> Terms:
    """Return the terms of ``qun_fork``."""
    terms = Terms()
    _register_slice(terms, bits + 1)
    terms.add("lut", fork_outputs=outputs)
    terms.add("ff", registers=outputs)
    return terms


def fifo_terms(bits: int, depth: int, frame_beats: int = 0) -> Terms:
    """Return the terms of ``qun_fifo``."""
    terms = Terms()
    word, beat = bits + (frame_beats == 0), _bits(frame_beats) if frame_beats else 0
    address, level = _bits(depth), (depth).bit_length()
    if depth <= _FIFO_SHALLOW:
        terms.add_memory(word, depth, asynchronous=True)
        terms.add("lut", fifo_bits=2 * address + level + beat, fifos=1)
        terms.add("ff", registers=2 * address + level + beat + 1)
    else:
        terms.add_memory(word, depth)
        terms.add_memory(word, _PREFETCH, asynchronous=True)
        terms.add("lut", deep_fifo_bits=2 * address + 2 * level + beat, deep_fifos=1)
        terms.add("ff", registers=2 * address + 2 * level + beat + word + 13)
    return terms


def width_adapter_terms(in_lanes: int, out_lanes: int, bits: int) -> Terms:
    """Return the terms of ``qun_width_adapter``."""
    terms = Terms()
    group = math.lcm(in_lanes, out_lanes)
    beats_in, beats_out = group // in_lanes, group // out_lanes
    _register_slice(terms, min(in_lanes, out_lanes) * bits + 1)
    terms.add("lut", adapters=1, adapter_shift_bits=group * bits if beats_out > 1 else 0)
    terms.add("ff", registers=group * bits + 2 + (group - in_lanes) * bits + _bits(beats_in))
    terms.add("ff", registers=_bits(beats_out))
    return terms


def _maxpool2d(p: Mapping[str, int]) -> Terms:
    terms = Terms()
    beat, groups = p["Lanes"] * p["Bits"], p["Channels"] // p["Lanes"]
    pairs = p["Width"] // 2 * groups
    terms.add_memory(beat, groups)
    terms.add_memory(beat, pairs)
    _register_slice(terms, beat + 1)
    counters = _bits(groups) + _bits(pairs)
    terms.add("lut", pools=1, maximum_bits=2 * beat, pool_counter_bits=counters)
    terms.add("ff", registers=7 * beat + counters + 3 * _bits(pairs) + 15)
    return terms


def _requant(p: Mapping[str, int]) -> Terms:
    terms = Terms()
    lanes, rounds = p["Lanes"], p["Shift"] > 0
    # Bits of a value before it is saturated, and room for them; the sign of an unsigned value is none.
    value, room = p["InBits"] - p["Shift"] + rounds, p["OutBits"] - (p["OutSigned"] > p["InSigned"])
    _register_slice(terms, lanes * (max(1, min(room, value)) if value <= room + 1 else p["OutBits"]) + 1)
    bits = lanes * p["OutBits"]
    if rounds:  # each bit is a function of the whole value; it grows beyond a LUT's four inputs
        terms.add("lut", requant_bits=bits * max(1, p["InBits"] - 4))
        terms.add("lut", requant_signed_bits=bits if p["InSigned"] and p["InBits"] > 5 else 0)
    elif value > room:
        terms.add("lut", requant_saturation_bits=bits)
    return terms


def _concat(p: Mapping[str, int]) -> Terms:
    terms = Terms()
    beat = p["Lanes"] * p["Bits"] + 1
    _register_slice(terms, beat)
    groups = _bits((p["SkipChannels"] + p["UpChannels"]) // p["Lanes"])
    terms.add("lut", concat_bits=beat, concats=1, concat_counter_bits=groups)
    terms.add("ff", registers=groups)
    return terms


def _sigmoid(p: Mapping[str, int]) -> Terms:
    terms = Terms()
    for _ in range(p["Lanes"]):
        terms.add_table(p["OutBits"], 1 << p["InBits"], "smooth_table_luts")
    _register_slice(terms, p["Lanes"] * p["OutBits"] + 1)
    terms.add("ff", registers=2)
    return terms


_PLAIN: dict[str, Callable[[Mapping[str, int]], Terms]] = {
    "qun_maxpool2d": _maxpool2d,
    "qun_requant": _requant,
    "qun_concat": _concat,
    "qun_sigmoid": _sigmoid,
}
