"""What the two matrix ops share in hardware: parameters, memories and latency of the folded matrix-vector unit."""

from __future__ import annotations

import numpy as np

from quantunet.accumulator import accumulator, requant_shift
from quantunet.errors import WidthError
from quantunet.hls.design import Fold, Memory
from quantunet.ir import Array, Graph, IntArray, MatrixNode

_LATENCY = 7

DEEP_TABLE = 1024
"""Words beyond which a table of weights has a register behind it: no block RAM holds as many of 18 bits."""

_MULTIPLIER_BITS = 18
"""Width of a hard multiplier's wider input, as ``qun_pair_products`` assumes it."""

_SUM_BITS = 32  # of the integers in which ``qun_matrix_vector`` adds the lanes
_ROUND_BITS = 64  # of the integers in which ``qun_requant_pkg`` rounds


def latency(weight_words: int) -> int:
    """Return the cycles from the last tap of a fold to its output beat in ``qun_matrix_vector``.

    Args:
        weight_words: Words of the weight memory.
    """
    return _LATENCY + (weight_words > DEEP_TABLE)


def check_widths(graph: Graph, node: MatrixNode, fold: Fold) -> None:
    """Check that the unit's integers hold every intermediate value of a layer.

    Raises:
        WidthError: The sum of the lanes, or the accumulator while it is rounded, does not fit.
    """
    source = graph.input_of(node).qtype
    product = max(source.qmax, -source.qmin) * max(node.weight_type.qmax, -node.weight_type.qmin)
    most = ((1 << (_SUM_BITS - 1)) - 1) // product
    if fold.style != "constant" and fold.simd > most:  # constants have adders of their own widths
        allowed = [simd for simd in range(1, most + 1) if graph.input_of(node).shape[2] % simd == 0]
        raise WidthError(
            node.name,
            expected=f"{fold.simd} products whose sum fits in {_SUM_BITS} bits",
            got=f"weights of {node.weight_type.bits} bits and inputs of {source.bits} bits",
            hint=f"Use a SIMD of {allowed[-1]} or less." if allowed else "Use narrower types.",
        )
    check_rounding(graph, node)


def check_rounding(graph: Graph, node: MatrixNode) -> None:
    """Check that the integers in which the accumulator is rounded hold it.

    Raises:
        WidthError: They do not.
    """
    acc = accumulator(graph, node)
    shift = requant_shift(acc, graph.output_of(node).qtype)
    if acc.bits + max(-shift, 1) >= _ROUND_BITS or shift >= _ROUND_BITS - 1:
        raise WidthError(
            node.name,
            expected=f"an accumulator and a shift that fit in {_ROUND_BITS} bits",
            got=f"{acc.bits} bits and a right shift of {shift}",
            hint="The scales of input, weights and output are too far apart.",
        )


def folds(graph: Graph, node: MatrixNode, fold: Fold) -> tuple[int, int]:
    """Return the input and the output folds: channels over SIMD and over PE."""
    return graph.input_of(node).shape[2] // fold.simd, graph.output_of(node).shape[2] // fold.pe


def parameters(graph: Graph, node: MatrixNode, fold: Fold) -> dict[str, int | str]:
    """Return the module parameters of a matrix op, in the order of its declaration.

    Raises:
        WidthError: The unit's integers cannot hold the layer's values.
    """
    check_widths(graph, node, fold)
    source, target = graph.input_of(node), graph.output_of(node)
    acc = accumulator(graph, node)
    return {
        "Height": source.shape[0],
        "Width": source.shape[1],
        "InChannels": source.shape[2],
        "OutChannels": target.shape[2],
        "Pe": fold.pe,
        "Simd": fold.simd,
        "InBits": source.qtype.bits,
        "InSigned": int(source.qtype.signed),
        "WeightBits": node.weight_type.bits,
        "AccBits": acc.bits,
        "Shift": requant_shift(acc, target.qtype),
        "OutBits": target.qtype.bits,
        "OutSigned": int(target.qtype.signed),
        "HardProducts": int(fold.style == "folded-dsp"),
        "PairProducts": int(products_per_multiplier(graph, node, fold) == 2),
        "WeightFile": f"{node.name}_weight.mem",
        "BiasFile": f"{node.name}_bias.mem",
    }


def products_per_multiplier(graph: Graph, node: MatrixNode, fold: Fold) -> int:
    """Return how many products a multiplier of a folded layer makes in a cycle: 2 or 1.

    Two need the style ``folded-dsp``, an even PE, and widths of which two weights and an input fit in one input of a
    hard multiplier; signed inputs make that input signed, one bit less.
    """
    source = graph.input_of(node).qtype
    bits = node.weight_type.bits
    fits = bits >= 2 and 2 * bits + source.bits <= _MULTIPLIER_BITS - source.signed
    return 2 if fold.style == "folded-dsp" and fold.pe % 2 == 0 and fits else 1


def weight_memory(node: MatrixNode, words: Array) -> Memory:
    """Return the weight memory from its words, ``(depth, pe * simd)``."""
    return Memory(f"{node.name}_weight.mem", node.weight_type.bits, IntArray.of(words))


def bias_memory(graph: Graph, node: MatrixNode, fold: Fold) -> Memory:
    """Return the bias memory: one word an output fold, element ``p`` for output channel ``fold * pe + p``."""
    words = node.bias.array.reshape(-1, fold.pe)
    return Memory(f"{node.name}_bias.mem", accumulator(graph, node).bits, IntArray.of(words))


def split_channels(weight: Array, fold: Fold) -> Array:
    """Split both channel axes of a kernel into folds and lanes.

    Args:
        weight: int64 ``(k, k, channels_in, channels_out)``.
        fold: The fold.

    Returns:
        int64 ``(k, k, output folds, input folds, pe, simd)``.
    """
    height, width, channels_in, channels_out = weight.shape
    split = weight.reshape(height, width, channels_in // fold.simd, fold.simd, channels_out // fold.pe, fold.pe)
    return np.ascontiguousarray(split.transpose(0, 1, 4, 2, 5, 3))
