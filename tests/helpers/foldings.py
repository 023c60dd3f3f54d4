"""Foldings that a search would not choose: every layer has any of its folds."""

from __future__ import annotations

import math
import random

from quantunet.hls.design import Fold
from quantunet.ir import Graph, MatrixNode


def lopsided_folding(graph: Graph, seed: int) -> dict[str, Fold]:
    """Return a random fold of every layer, most of them unlike their neighbours'."""
    rng = random.Random(seed)  # noqa: S311
    folding = {}
    for node in graph.nodes:
        channels_out = graph.output_of(node).shape[2]
        if isinstance(node, MatrixNode) and not node.tied_lanes:
            pe_limit, simd_limit = node.lane_limits([graph.input_of(node).shape], graph.output_of(node).shape)
            folding[node.name] = Fold(rng.choice(_divisors(pe_limit)), rng.choice(_divisors(simd_limit)))
        else:
            lanes = rng.choice(
                _divisors(math.gcd(*(graph.tensor(name).shape[2] for name in node.inputs), channels_out))
            )
            folding[node.name] = Fold(lanes, lanes)
    return folding


def _divisors(value: int) -> list[int]:
    return [factor for factor in range(1, value + 1) if value % factor == 0]
