"""Networks and layers with the names of what hls4ml makes by number: random graph 1008 had a layer ``table2``."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from quantunet import golden
from quantunet.hls.csim import simulation
from quantunet.hls.csim.lower.names import unique_names
from quantunet.ir import IntArray, QType
from quantunet.random_network import GraphBuilder, random_image

NUMBERED = ("b2", "w12", "table2", "constant3", "config2", "linear_config4", "config2_mult", "layer3_out", "layer3_t",
            "layer2_cpy1", "n_elem2", "n_elem2_1", "W2")  # fmt: skip
OTHERS = ("layer3", "w", "b2_1_out", "up2", "enc2_conv1", "table", "my_w2", "own_w2")


def test_what_hls4ml_names_by_number_is_renamed_and_nothing_else() -> None:
    assert unique_names(NUMBERED) == [f"own_{name}" for name in NUMBERED]
    assert unique_names(OTHERS) == list(OTHERS)
    assert unique_names(["w2", "own_w2", "w2", "parameters"]) == ["own_w2", "own_w2_2", "own_w2_3", "parameters_2"]


@pytest.mark.parametrize("name", ["table2", "parameters"])
def test_such_a_network_compiles_and_is_golden(name: str, tmp_path: Path) -> None:
    builder = GraphBuilder("short", 1, 2, 2, QType(4, False, 2), 1)
    builder.lookup("function", "image", IntArray.of(np.arange(16)[::-1].copy()), QType(4, False, 1))
    graph = dataclasses.replace(builder.build(), name=name)
    image = random_image(graph)
    (output,) = simulation.run(graph, simulation.build_network(graph, tmp_path), [image[None]])
    assert output.size == 4
    assert (output == golden.run(graph, image)[graph.output]).all()
