"""Layers of a float network rounded to few bits, whose toggles are counted."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import layer_toggles as lt

from quantunet import golden
from quantunet.errors import ToolFailedError
from quantunet.rtl_sim.toggles import KINDS
from quantunet.zoo import network_path


@pytest.mark.parametrize(("bits", "signed"), [(3, True), (3, False), (8, True)])
def test_no_power_of_two_rounds_better(bits: int, signed: bool) -> None:
    values = np.random.default_rng(bits).normal(0.3, 0.2, 500).astype(np.float32)
    codes, qtype = lt.rounded(values, bits, signed=signed)
    assert (qtype.bits, qtype.signed) == (bits, signed)
    assert qtype.qmin <= codes.min() and codes.max() <= qtype.qmax
    error = float(np.mean((codes * qtype.scale - values) ** 2))
    others = [
        np.clip(np.rint(values * 2.0**frac), qtype.qmin, qtype.qmax) * 2.0**-frac
        for frac in range(qtype.frac - 6, qtype.frac + 7)
    ]
    best = min(float(np.mean((other - values) ** 2)) for other in others)
    assert 0 < error == pytest.approx(best, rel=1e-6)


def test_eight_bits_come_near_the_float_layer_and_three_do_not() -> None:
    (layer,) = lt.float_layers(network_path(lt.NETWORK), ["dec1_conv1"], 1)
    assert layer.weight.shape == (3, 3, 16, 16) and layer.behind.shape == (1, 64, 64, 16)
    errors = {}
    for bits in (8, 3):
        graph, frames = lt.network(layer, bits)
        assert (graph.nodes[0].weight_bits, graph.tensor("image").qtype.bits) == (bits, bits)
        found = golden.run(graph, frames[0])["out"] * graph.tensor("out").qtype.scale
        assert found.size == layer.behind.size == 65_536
        errors[bits] = float(np.sqrt(np.mean((found - layer.behind[0]) ** 2) / np.mean(layer.behind[0] ** 2)))
    assert errors[8] < 0.05 < errors[3]


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(ToolFailedError, match="dec9_conv1"):
        lt.float_layers(network_path(lt.NETWORK), ["dec9_conv1"], 1)


def test_the_table_has_a_row_for_each_layer_and_width() -> None:
    kinds = {f"{kind}, toggles": 1000.0 * index for index, kind in enumerate(KINDS, 1)}
    figures = {"rtl registers": 12, "rtl toggles": 3456.4, "all, toggles": 21_000.0, **kinds}
    *_, row = lt.markdown({("a", 8): figures}).splitlines()
    assert row == "| `a` | 8 | 12 | 3,456 | 1,000 | 2,000 | 3,000 | 4,000 | 5,000 | 6,000 | 21,000 |"
