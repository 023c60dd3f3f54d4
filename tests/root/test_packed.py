"""A packed network is the network again, and nothing else is taken for one."""

import dataclasses
import json
import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from quantunet import cli, graph_file, packed
from quantunet.errors import FileFormatError, ModelError, StorageError
from quantunet.graph_check import check
from quantunet.ir import Conv2d, IntArray, MatrixNode
from quantunet.zoo import load_network


@pytest.fixture(scope="module")
def tiny():
    return load_network("tiny")


@pytest.mark.parametrize("bits", range(1, 65))
def test_integers_of_every_width_come_back(bits):
    rng = np.random.default_rng(bits)
    values = rng.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1, 101, endpoint=True)
    data = packed.pack_integers(values, bits)
    assert len(data) == -(-101 * bits // 8)
    assert packed.unpack_integers(data, bits, 101).tolist() == values.tolist()


def test_a_network_comes_back_equal(tiny):
    data = packed.pack(tiny)
    assert packed.unpack(data) == tiny
    bits = sum(node.weight.array.size * node.weight_type.bits for node in tiny.nodes if isinstance(node, MatrixNode))
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


def parts(data):
    length = struct.unpack_from("<I", data, 8)[0]
    return json.loads(zlib.decompress(data[12 : 12 + length])), data[12 + length : -4]


def whole(header, arrays, length=None):
    """A file with a right checksum, whatever stands inside."""
    header = header if isinstance(header, bytes) else zlib.compress(json.dumps(header).encode())
    body = packed.MAGIC + struct.pack("<I", len(header) if length is None else length) + header + arrays
    return body + struct.pack("<I", zlib.crc32(body))


def test_biases_of_every_width_come_back(tiny):
    node = tiny.nodes[0]
    assert isinstance(node, Conv2d)
    bias = node.bias.array.copy()
    bias[0] = -(1 << 40) + 12345
    wide = dataclasses.replace(node, bias=IntArray.of(bias))
    graph = check(dataclasses.replace(tiny, nodes=(wide, *tiny.nodes[1:])))
    assert packed.unpack(packed.pack(graph)) == graph


def change(document, path, value):
    *keys, last = path
    for key in keys:
        document = document[key]
    document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "got"),
    [
        (("format",), "quantunet-graph-3", "key 'format'"),
        (("name",), 7, "key 'name'"),
        (("name",), "a\nb", "key 'name'"),
        (("inputs",), "x", "key 'inputs'"),
        (("inputs",), [1], "key 'inputs'"),
        (("output",), None, "key 'output'"),
        (("more",), 1, "key 'more'"),
        (("tensors",), {}, "key 'tensors'"),
        (("tensors", 0, "shape", 0), 32.0, r"tensors\[0\].shape"),
        (("tensors", 0, "shape", 0), True, r"tensors\[0\].shape"),
        (("tensors", 0, "shape"), [32, 32], r"tensors\[0\].shape"),
        (("tensors", 1, "shape"), [1 << 17, 1 << 17, 1], "at most 67108864 values"),
        (("tensors", 0, "qtype", "signed"), "no", "qtype.signed"),
        (("tensors", 0, "qtype", "bits"), True, "qtype.bits"),
        (("tensors", 0, "qtype", "bits"), 49, "qtype.bits"),
        (("tensors", 0, "qtype", "frac"), 10**30, "qtype.frac"),
        (("tensors", 0, "name"), "t" * 101, "letters, digits and _"),
        (("nodes", 0), 3, r"nodes\[0\]"),
        (("nodes", 0, "op"), "softmax", r"nodes\[0\].op"),
        (("nodes", 0, "op"), [], r"nodes\[0\].op"),
        (("nodes", 0, "inputs"), [], r"nodes\[0\].inputs"),
        (("nodes", 0, "weight"), [], r"nodes\[0\].weight"),
        (("nodes", 0, "weight", "bits"), 0, "weight.bits"),
        (("nodes", 0, "weight", "bits"), 65, "weight.bits"),
        (("nodes", 0, "weight", "bits"), 64, "other bits"),
        (("nodes", 0, "weight", "shape"), [], "weight.shape"),
        (("nodes", 0, "weight", "shape"), [1 << 20, 1 << 20, 1 << 20, 1], "weight.shape"),
        (("nodes", 0, "weight", "shape"), [1 << 26, 1, 1, 1], "bytes, got"),
        (("nodes", 0, "weight", "shape", 0), -3, "weight.shape"),
        (("nodes", 0, "weight", "shape"), [3, 3, 1, 3], "expected"),
        (("pixels",), None, "key 'pixels'"),
        (("pixels", "scale"), "1/0", "key 'pixels'"),
        (("pixels", "more"), 1, "key 'pixels'"),
    ],
)
def test_a_header_with_a_right_checksum_is_not_believed(tiny, path, value, got):
    header, arrays = parts(packed.pack(tiny))
    assert packed.unpack(whole(header, arrays)) == tiny
    change(header, path, value)
    with pytest.raises((FileFormatError, ModelError), match=got):
        packed.unpack(whole(header, arrays), "file.qun")


def test_sizes_are_those_of_the_bytes_that_are_there(tiny):
    header, arrays = parts(packed.pack(tiny))
    text = zlib.compress(json.dumps(header).encode())
    for damaged, got in (
        (whole(header, arrays + b"0"), "1 more bytes"),
        (whole(header, arrays[:-1]), "bytes, got"),
        (whole(text, arrays, length=1 << 31), "a header of 2147483648 bytes"),
        (whole(text, arrays, length=len(text) - 1), "another number of bytes"),
        (whole(text + b"0", arrays), "another number of bytes"),
        (whole(b"text", arrays), "a compressed header"),
        (whole(zlib.compress(b"[" * 100_000), arrays), "nested without end"),
        (whole(zlib.compress(b"\xff"), arrays), "UTF-8"),
        (whole(zlib.compress(b""), arrays), "Expecting value"),
        (packed.MAGIC + struct.pack("<I", zlib.crc32(packed.MAGIC)), "without them"),
    ):
        with pytest.raises(FileFormatError, match=got):
            packed.unpack(damaged, "file.qun")


def test_no_hidden_bits(tiny):
    header, arrays = parts(packed.pack(tiny))
    header["nodes"][0]["weight"]["bits"] = 7
    node = dataclasses.replace(tiny.nodes[0])
    size = -(-node.weight.array.size * node.weight_type.bits // 8)
    mine = bytearray(packed.pack_integers(node.weight.array, 7))
    assert node.weight.array.size * 7 % 8
    assert packed.unpack(whole(header, bytes(mine) + arrays[size:])) == tiny
    mine[-1] |= 0x80
    with pytest.raises(FileFormatError, match="other bits"):
        packed.unpack(whole(header, bytes(mine) + arrays[size:]))


def test_a_bomb_takes_no_memory(tiny):
    _, arrays = parts(packed.pack(tiny))
    bomb = whole(zlib.compress(bytes(1 << 28), 1), arrays)
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match="a header of at most 8388608 bytes"):
            packed.unpack(bomb)
        assert tracemalloc.get_traced_memory()[1] < 30 << 20
    finally:
        tracemalloc.stop()


def test_what_is_too_large_to_be_read_is_not_written(tiny, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(packed, "MAX_HEADER", 1000)
        with pytest.raises(ModelError, match="header of at most 1000"):
            packed.pack(tiny)
    monkeypatch.setattr(graph_file, "MAX_WEIGHTS", 1000)
    with pytest.raises(ModelError, match="at most 1000 weights"):
        packed.pack(tiny)
    with pytest.raises(ModelError, match="at most 1000 weights"):
        graph_file.to_json(tiny)
