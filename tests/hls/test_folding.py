from __future__ import annotations

from pathlib import Path

import pytest

from quantunet.errors import FileFormatError, FoldingError, StorageError
from quantunet.hls.design import Fold
from quantunet.hls.folding import (
    check_folding,
    default_folding,
    default_interval,
    ideal_cycles,
    read_folding,
    write_folding,
)
from quantunet.hls.network import cycles
from quantunet.ir import Conv2d, ConvTranspose2d
from quantunet.model.random_network import random_unet

GRAPH = random_unet(base=4, depth=2, size=32)


def test_default_keeps_the_interval_with_the_fewest_multipliers() -> None:
    folding = default_folding(GRAPH)
    check_folding(GRAPH, folding)
    interval = default_interval(GRAPH)
    assert interval == 18 * 32 * 32
    for node in GRAPH.nodes:
        fold = folding[node.name]
        assert ideal_cycles(GRAPH, node, fold) <= interval
        if isinstance(node, Conv2d | ConvTranspose2d):
            macs = ideal_cycles(GRAPH, node, Fold(1, 1))
            channels_in, channels_out = GRAPH.input_of(node).shape[2], GRAPH.output_of(node).shape[2]
            products = {p * s for p in range(1, channels_out + 1) for s in range(1, channels_in + 1)
                        if channels_out % p == 0 and channels_in % s == 0}  # fmt: skip
            assert fold.pe * fold.simd == min(n for n in products if macs // n <= interval)


def test_ideal_cycles_are_those_of_the_modules() -> None:
    """The folding knows the cycles without the modules; each op's own prediction must say the same."""
    folding = default_folding(GRAPH)
    ideals = [cycles(GRAPH, node, folding[node.name]).ideal for node in GRAPH.nodes]
    assert ideals == [ideal_cycles(GRAPH, node, folding[node.name]) for node in GRAPH.nodes]
    assert len({node.op for node in GRAPH.nodes}) == 6


def test_shorter_interval_takes_more_multipliers() -> None:
    slow, fast = default_folding(GRAPH), default_folding(GRAPH, 9 * 32 * 32)
    assert fast["enc0_conv1"].pe * fast["enc0_conv1"].simd == 2 * slow["enc0_conv1"].pe * slow["enc0_conv1"].simd


def test_interval_that_no_folding_keeps() -> None:
    with pytest.raises(FoldingError, match=r"enc0_conv0: expected a frame interval of at least 9216 cycles, got 1000"):
        default_folding(GRAPH, 1000)


def test_round_trip_and_partial_files(tmp_path: Path) -> None:
    path = tmp_path / "folding.json"
    folding = default_folding(GRAPH)
    write_folding(path, folding)
    assert read_folding(path, GRAPH) == folding
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(folding) + 2, "one line a layer"
    path.write_text('{"enc0_conv1": {"pe": 1, "simd": 4}}', encoding="utf-8")
    assert read_folding(path, GRAPH) == {**folding, "enc0_conv1": Fold(1, 4)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"enc0_conv1": {"pe": 3, "simd": 4}}', r"enc0_conv1: .* PE that divides 4 channels, got 3. Use one of 1, 2"),
        ('{"enc0_conv1": {"pe": 4, "simd": 0}}', r"enc0_conv1: expected a SIMD that divides 4 channels, got 0"),
        ('{"pool0": {"pe": 2, "simd": 4}}', r"pool0: expected PE equal to SIMD"),
        ('{"nonsense": {"pe": 1, "simd": 1}}', r"nonsense: expected a layer"),
    ],
)  # fmt: skip
def test_folding_that_does_not_fit(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "folding.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FoldingError, match=message):
        read_folding(path, GRAPH)


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"pool0": 2}', '{"pool0": {"pe": 1}}', '{"pool0": {"pe": true, "simd": 1}}']
)
def test_damaged_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "folding.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError):
        read_folding(path, GRAPH)


def test_missing_file_and_missing_layer(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        read_folding(tmp_path / "none.json", GRAPH)
    with pytest.raises(FoldingError, match="sigmoid: expected a fold for every layer, got none"):
        check_folding(GRAPH, {name: fold for name, fold in default_folding(GRAPH).items() if name != "sigmoid"})
