"""Random small graphs with what U-Nets do not have: odd channel counts, wide types, forks, joins of unequal legs."""

from __future__ import annotations

import numpy as np

from quantunet.ir import Conv2d, ConvTranspose2d, Graph, QType
from quantunet.random_network import GraphBuilder

_CHANNELS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 37)
_MOST_PIXELS = 256


def random_graph(seed: int) -> Graph:
    """Return a checked graph of 1 to 9 layers with inputs, weights and outputs of up to 16 bits."""
    rng = np.random.default_rng(seed)

    def channels() -> int:
        return int(rng.choice(_CHANNELS))

    def bits() -> int:
        return int(rng.choice((1, 2, 3, 4, 8, 12, 15, 16)))

    def qtype() -> QType:
        width, signed = bits(), bool(rng.integers(2))
        return QType(width, signed, int(rng.integers(-2, width + 3)))

    height, width = (int(rng.choice((2, 3, 4, 8))) for _ in range(2))
    builder = GraphBuilder(f"random{seed}", height, width, channels(), qtype(), seed)
    x, shape = "image", (height, width)

    def convolution(name: str, source: str, kind: QType) -> str:
        kernel = int(rng.choice((1, 3)))
        return builder.matrix(Conv2d, name, source, channels(), kernel, max(2, bits()), kind)

    for index in range(int(rng.integers(1, 5))):
        op = str(rng.choice(("conv", "conv", "up", "pool", "requant", "join", "sums", "difference")))
        if op == "pool" and not (shape[0] % 2 or shape[1] % 2):
            x, shape = builder.maxpool2d(f"pool{index}", x), (shape[0] // 2, shape[1] // 2)
        elif op == "up" and 4 * shape[0] * shape[1] <= _MOST_PIXELS:
            x = builder.matrix(ConvTranspose2d, f"up{index}", x, channels(), 2, max(2, bits()), qtype())
            shape = (2 * shape[0], 2 * shape[1])
        elif op == "requant":
            x = builder.requant(f"requant{index}", x, qtype())
        elif op == "join":
            kind = qtype()
            skip = builder.requant(f"skip{index}", x, kind)
            x = builder.concat(f"join{index}", skip, convolution(f"way{index}", x, kind))
        elif op == "sums":
            exact = convolution(f"sums{index}", x, QType(48, True, int(rng.integers(-2, 9))))
            shared, branches, splits, even = (bool(flag) for flag in rng.integers(2, size=4))
            x = builder.affine(
                f"affine{index}", exact, qtype(), bits=int(rng.integers(1, 13)), shared=shared, branches=branches,
                splits=splits, even=even, wraps=bool(rng.integers(4) == 0),
            )  # fmt: skip
        elif op == "difference":
            skip = builder.requant(f"other{index}", x, qtype())
            same = builder.matrix(Conv2d, f"path{index}", x, builder._tensor(x).shape[2], 1, 4, qtype())
            gains = tuple(int(gain) for gain in rng.choice((-3, -1, 1, 5), size=2))
            x = builder.add(f"difference{index}", same, skip, qtype(), (gains[0], gains[1]))
        else:
            x = convolution(f"conv{index}", x, qtype())
    if rng.integers(3) == 0:
        builder.sigmoid("sigmoid", builder.matrix(Conv2d, "head", x, 1, 1, 4, QType(6, True, 3)))
    return builder.build()
