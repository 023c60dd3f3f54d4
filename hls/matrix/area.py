"""What the matrix-vector unit takes: products, sums, accumulators, requantisation."""

from __future__ import annotations

from collections.abc import Mapping

from quantunet.hls.design import Fold
from quantunet.hls.matrix import folded
from quantunet.hls.resources.parts import CREDITS
from quantunet.hls.resources.terms import Terms, counter_bits, distinct
from quantunet.ir import Graph, MatrixNode


def folded_area(graph: Graph, node: MatrixNode, fold: Fold, buffer: str, pixels: int) -> Terms:
    """Return what a folded matrix op takes.

    Args:
        graph: The network.
        node: The layer.
        fold: Its fold.
        buffer: The term that stands for its input buffer.
        pixels: Pixels that the input buffer holds.

    Raises:
        WidthError: The layer's values are too wide for this fold.
    """
    p = {name: value for name, value in folded.parameters(graph, node, fold).items() if isinstance(value, int)}
    terms = Terms()
    in_folds, out_folds = p["InChannels"] // p["Simd"], p["OutChannels"] // p["Pe"]
    ring = counter_bits(pixels * in_folds)
    weights = node.weight.array.size // (fold.pe * fold.simd)
    counters = counter_bits(weights) + 2 * counter_bits(in_folds) + counter_bits(out_folds)
    counters += counter_bits(p["Width"]) + counter_bits(p["Height"])
    terms.add("lut", ring_address_bits=ring, counter_bits=counters, **{buffer: 1})
    terms.add("ff", registers=4 * ring + counters + counter_bits(pixels) + 3 * counter_bits(out_folds), **{buffer: 1})
    terms.add_memory(p["Simd"] * p["InBits"], pixels * in_folds)
    terms.add_table(p["Pe"] * p["Simd"] * p["WeightBits"], weights)
    if weights > folded.DEEP_TABLE:
        terms.add("ff", registers=p["Simd"] * p["InBits"] + counter_bits(out_folds) + 5)
    _multiply(terms, p, fold, weights)
    terms.add_memory(p["Pe"] * p["OutBits"] + 1, CREDITS, asynchronous=True)
    return terms


def _sum_lanes(bits_w: int, bits_in: int, simd: int) -> int:
    """Return how many products a sum adds before the next one, as the terms count it.

    ``qun_lane_products`` may add fewer at first, or the halves of a weight apart, so that both of its sums are shallow.
    Counted so, modules are met better and whole networks are not: their synthesis takes some of these registers away.
    """
    bits = max(bits_w, bits_in)
    lanes = min(8 if bits <= 4 else 4 if bits <= 8 else 2, simd)
    while simd % lanes:
        lanes -= 1
    return 4 if lanes == 8 and simd > 16 else 2 if lanes % 2 == 0 else 1


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
    add_rounding(terms, pe, acc, p)
    terms.add("ff", registers=simd * bits_in + pe * acc)
    terms.add_table(pe * acc, out_folds)
    terms.add("ff", registers=distinct(pe * acc, out_folds) + distinct(pe * simd * bits_w, weights))


def _pair_products(terms: Terms, p: Mapping[str, int]) -> None:
    """Add ``qun_pair_products``: two products a multiplier, sums that are split, and what the inputs' sum corrects."""
    pe, simd, bits_w, bits_in, acc = (p[name] for name in ("Pe", "Simd", "WeightBits", "InBits", "AccBits"))
    pairs = pe // 2
    room = max(0, (17 if p["InSigned"] else 18) - 2 * bits_w - bits_in)
    split_lanes = min(simd, 1 << room)
    sum_lanes = 2 if split_lanes > 1 else 1
    sums, split_sums = -(-simd // sum_lanes), -(-split_lanes // sum_lanes)
    splits = -(-sums // split_sums)
    pair_bits = 2 * (bits_w + bits_in + counter_bits(split_lanes))
    input_sum_bits = bits_in + counter_bits(simd)
    terms.dsp = pairs * simd
    terms.add("lut", hard_sum_bits=pairs * pair_bits * (simd - splits))
    terms.add("lut", split_bits=pe * splits * acc, input_sum_bits=(simd - 1) * input_sum_bits)
    terms.add("ff", registers=pairs * sums * pair_bits + pe * acc + input_sum_bits)


def add_rounding(terms: Terms, channels: int, acc: int, p: Mapping[str, int]) -> None:
    """Add the requantisation of some accumulators at a time."""
    terms.add("lut", output_bits=channels * p["OutBits"], lanes=channels)
    terms.add("lut", rounding_bits=channels * acc if p["Shift"] > 0 else 0)
    terms.add("ff", registers=channels * p["OutBits"])
