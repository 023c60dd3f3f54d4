"""A packed network is the network again, and nothing else is taken for one."""

import numpy as np
import pytest

from quantunet import cli, packed
from quantunet.errors import FileFormatError, StorageError
from quantunet.ir import Conv2d, ConvTranspose2d
from quantunet.zoo import load_network


@pytest.fixture(scope="module")
def tiny():
    return load_network("tiny")


@pytest.mark.parametrize("bits", range(1, 33))
def test_integers_of_every_width_come_back(bits):
    rng = np.random.default_rng(bits)
    values = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), 101)
    data = packed.pack_integers(values, bits)
    assert len(data) == -(-101 * bits // 8)
    assert packed.unpack_integers(data, bits, 101).tolist() == values.tolist()


def test_a_network_comes_back_equal(tiny):
    data = packed.pack(tiny)
    assert packed.unpack(data) == tiny
    bits = sum(
        node.weight.array.size * node.weight_type.bits
        for node in tiny.nodes
        if isinstance(node, Conv2d | ConvTranspose2d)
    )
    assert bits / 8 < len(data) < bits / 8 + 4000


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other"])
def test_damage_is_refused(tiny, damage):
    data = bytearray(packed.pack(tiny))
    data[len(data) // 2] ^= 4
    damaged = {"cut": packed.pack(tiny)[:-9], "flip": bytes(data), "empty": b"", "other": b"PK\x03\x04" * 9}[damage]
    with pytest.raises(FileFormatError, match="packed network"):
        packed.unpack(damaged)


def test_the_command_packs_and_other_commands_read_it(tiny, tmp_path, capsys):
    path = tmp_path / "tiny.qun"
    assert cli.main(["pack", "tiny", "--out", str(path)]) == 0
    printed = capsys.readouterr().out
    assert f"{path.stat().st_size:,} bytes" in printed
    assert "read back and equal" in printed
    assert load_network(str(path)) == tiny


def test_a_file_that_is_not_there_or_named_otherwise_is_refused(tmp_path, capsys):
    with pytest.raises(StorageError):
        packed.read(tmp_path / "none.qun")
    assert cli.main(["pack", "tiny", "--out", str(tmp_path / "tiny.bin")]) == 2
    assert ".qun" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
