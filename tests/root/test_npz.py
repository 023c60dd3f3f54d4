"""The reader of .npz files: right values, little memory, and one typed error whatever is damaged."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from helpers.broken_copies import damaged

from quantunet.errors import FileFormatError, ImageError, QuantUNetError, StorageError
from quantunet.golden.taps import load_taps, save_taps
from quantunet.npz import open_npz

RNG = np.random.default_rng(0)
ARRAYS = {
    "bytes": RNG.integers(0, 256, (5, 3, 4), dtype=np.uint8),
    "fortran": np.asfortranarray(RNG.integers(-9, 9, (5, 3, 4))),
    "big_endian": RNG.integers(-9, 9, (5, 2)).astype(">i2"),
    "truth": RNG.integers(0, 2, (5, 7)).astype(bool),
    "text": np.array(["a", "bcd", "", "é", "z"]),
    "ascii": np.array([b"a", b"bcd"]),
    "real": RNG.random((5, 2)),
    "complex": RNG.random(5) + 1j,
    "empty": np.zeros((0, 4), np.float32),
    "no_side": np.zeros((5, 0)),
    "scalar": np.array(3),
}


def _header(descr="|u1", shape=(4,), version=(1, 0), text=None):
    """The header of a .npy file, as it is told."""
    if text is None:
        text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + size + text


def _zip(path, *entries, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_what_was_saved(tmp_path, save):
    save(tmp_path / "a.npz", **ARRAYS)
    entries = 0
    with open_npz(tmp_path / "a.npz") as archive:
        assert archive.names == tuple(ARRAYS)
        for name, array in ARRAYS.items():
            assert archive.header(name).shape == array.shape
            got = archive.read(name)
            assert got.dtype == array.dtype.newbyteorder("=")
            assert np.array_equal(got, array)
            for index in range(array.shape[0] if array.ndim else 0):
                assert np.array_equal(archive.read_one(name, index), array[index])
                entries += 1
    assert entries == 42


def test_arrays_of_many_pieces(tmp_path):
    """Entries that begin and end inside a piece, in both orders."""
    values = RNG.integers(0, 1000, (7, 300, 301), dtype=np.int32)
    np.savez(tmp_path / "a.npz", c=values, f=np.asfortranarray(values))
    with open_npz(tmp_path / "a.npz") as archive:
        for name in "cf":
            assert np.array_equal(archive.read(name, np.int64), values)
            for index in range(7):
                assert np.array_equal(archive.read_one(name, index), values[index])


def test_one_entry_needs_little_memory(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((4000, 128, 128), np.uint8))
    tracemalloc.start()
    with open_npz(tmp_path / "a.npz", limit=1 << 16) as archive:
        assert archive.read_one("images", 3999).shape == (128, 128)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_an_index_outside_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", **ARRAYS)
    with open_npz(tmp_path / "a.npz") as archive:
        with pytest.raises(ImageError, match=r"a\.npz:bytes: expected an index below 5, got 5"):
            archive.read_one("bytes", 5)
        with pytest.raises(FileFormatError, match="single value"):
            archive.read_one("scalar", 0)
        with pytest.raises(FileFormatError, match="an array 'nothing', got arrays 'bytes', "):
            archive.read("nothing")


def _claiming(path, shape, size):
    """An archive whose directory states that an array of ``size`` bytes is there, with ten of them."""
    header = _header(shape=shape)
    _zip(path, ("x.npy", header + bytes(10)), method=zipfile.ZIP_STORED)
    stored = struct.pack("<II", len(header) + 10, len(header) + 10)
    raw = path.read_bytes()
    assert raw.count(stored) == 2
    path.write_bytes(raw.replace(stored, struct.pack("<II", len(header) + 10, len(header) + size)))
    return path


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    """Every size agrees, and it is too much all the same."""
    path = _claiming(tmp_path / "a.npz", (1 << 30,), 1 << 30)
    tracemalloc.start()
    with open_npz(path) as archive, pytest.raises(FileFormatError, match="at most 256 MiB in memory.* got 1024 MiB"):
        archive.read("x")
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_the_limit_holds_for_all_arrays_together(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(60_000, np.uint8), b=np.zeros(60_000, np.uint8))
    with open_npz(tmp_path / "a.npz", limit=100_000) as archive:
        archive.read("a")
        with pytest.raises(FileFormatError, match=r"a\.npz:b: expected arrays of at most"):
            archive.read("b")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (_header(shape=(1 << 40,)) + bytes(4), "4 bytes of values"),
        (_header(shape=(3,)) + bytes(4), "4 bytes of values"),
        (_header(shape=(5,)) + bytes(4), "4 bytes of values"),
        (_header(shape=(-4,)) + bytes(4), "at least 0"),
        (_header(shape=(4.0,)) + bytes(4), "complete"),
        (_header(descr="|O") + bytes(32), "Python objects, which are never unpickled.*astype\\(str\\)"),
        (_header(descr=[("a", "|u1")]) + bytes(4), "numbers, truth values or strings"),
        (_header(descr="(2,2)|u1", shape=(1,)) + bytes(4), "numbers, truth values or strings"),
        (_header(descr="<M8[s]", shape=(1,)) + bytes(8), "numbers, truth values or strings"),
        (_header(descr="|b1") + b"\0\1\2\1", "truth values of 2"),
        (_header(descr="<U1", shape=(1,)) + struct.pack("<I", 0x110000), "no characters"),
        (_header(descr="<U1", shape=(1,)) + struct.pack("<I", 0xD800), "no characters"),
        (_header(version=(3, 0)) + bytes(4), "records"),
        (_header(version=(9, 9)) + bytes(4), "complete"),
        (_header(text=b" " * 20_000, version=(2, 0)), "at most 10000 bytes"),
        (_header(text=b"{'descr': '|u1', ") + bytes(4), "complete"),
        (_header(text=b"(" * 9000) + bytes(4), "complete"),
        (_header(text=b"'''") + bytes(4), "complete"),
        (_header(text=b"\xff\xfe") + bytes(4), "complete"),
        (_header(text=b"{}") + bytes(4), "complete"),
        (b"\x93NUMPY", "complete"),
        (b"", "complete"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, content, text):
    path = _zip(tmp_path / "a.npz", ("x.npy", content))
    with pytest.raises(FileFormatError, match=rf"(?s)a\.npz:x: .*{text}"), open_npz(path) as archive:
        archive.read("x")


def test_values_that_end_early_are_refused(tmp_path):
    """The directory states as many bytes as the header does, and the stream holds fewer."""
    path = _claiming(tmp_path / "a.npz", (1000,), 1000)
    with pytest.raises(FileFormatError, match="x: expected a complete"), open_npz(path) as archive:
        archive.read("x")


def test_one_flipped_bit_is_seen_by_the_checksum_even_outside_the_entry(tmp_path):
    np.savez(tmp_path / "a.npz", x=RNG.integers(0, 9, (100, 50)))
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    raw[-2000] ^= 1
    (tmp_path / "a.npz").write_bytes(raw)
    with open_npz(tmp_path / "a.npz") as archive:
        for read in (lambda: archive.read("x"), lambda: archive.read_one("x", 0)):
            with pytest.raises(FileFormatError, match="CRC"):
                read()


def test_other_archives_are_refused(tmp_path):
    array = _header() + bytes(4)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path = _zip(tmp_path / "a.npz", ("x.npy", array), method=method)
        with pytest.raises(FileFormatError, match="another method"), open_npz(path) as archive:
            archive.read("x")
    path = _zip(tmp_path / "a.npz", ("x.npy", array))
    raw = path.read_bytes()
    place = raw.index(b"PK\1\2")
    path.write_bytes(raw[: place + 8] + b"\1" + raw[place + 9 :])
    with pytest.raises(FileFormatError, match="encrypted"), open_npz(path) as archive:
        archive.read("x")
    with pytest.warns(UserWarning, match="Duplicate"):
        _zip(path, ("x.npy", array), ("x.npy", array))
    with pytest.raises(FileFormatError, match="'x' twice"), open_npz(path):
        pass


def test_a_single_array_is_told_how_to_be_saved(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(FileFormatError, match=r"single array .*savez_compressed"), open_npz(tmp_path / "a.npz"):
        pass


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\x1f\x8b\x08\x00", b"x\n"])
def test_a_file_of_another_kind_is_not_called_damaged(tmp_path, start):
    (tmp_path / "a.npz").write_bytes(start)
    with (
        pytest.raises(FileFormatError, match="of another kind, which begins with") as caught,
        open_npz(tmp_path / "a.npz"),
    ):
        pass
    assert repr(start[:6]) in caught.value.got
    assert "savez_compressed" in str(caught.value)


def test_what_is_no_file_is_a_storage_error(tmp_path):
    for path in (tmp_path, tmp_path / "none.npz", tmp_path / ("n" * 300 + ".npz")):
        with pytest.raises(StorageError), open_npz(path):
            pass


def test_damaged_files_end_in_a_typed_error_or_in_what_was_saved(tmp_path):
    files = []
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, **ARRAYS)
        files.append(buffer.getvalue())
    refused = equal = 0
    for raw in damaged(files, count=200, seed=1):
        path = tmp_path / "a.npz"
        path.write_bytes(raw)
        try:
            with open_npz(path) as archive:
                for name in archive.names:
                    got = archive.read(name)
                    if name in ARRAYS:
                        assert np.array_equal(got, ARRAYS[name])
                        equal += 1
        except QuantUNetError:
            refused += 1
    assert refused > 100
    assert equal > 100


def test_taps_keep_their_names_and_values(tmp_path):
    """Names that are words of NumPy's own writer too."""
    taps = {name: RNG.integers(-9, 9, (2, 3, 1)) for name in ("file", "allow_pickle", "arr_0", "../up")}
    save_taps(tmp_path / "t.npz", taps)
    found = load_taps(tmp_path / "t.npz")
    assert found.keys() == taps.keys()
    assert all(np.array_equal(found[name], values) and found[name].dtype == np.int64 for name, values in taps.items())


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32])
def test_taps_of_narrower_integers_are_read_as_int64(tmp_path, dtype):
    values = np.arange(6, dtype=dtype).reshape(2, 3, 1)
    np.savez(tmp_path / "t.npz", narrow=values)
    found = load_taps(tmp_path / "t.npz")["narrow"]
    assert found.dtype == np.int64 and found.tolist() == values.tolist()


def test_taps_are_compressed_and_hold_no_objects(tmp_path):
    save_taps(tmp_path / "t.npz", {"zeros": np.zeros((64, 64, 8), np.int64)})
    assert (tmp_path / "t.npz").stat().st_size < 64 * 64 * 8
    with pytest.raises(ValueError, match="Object arrays"):
        save_taps(tmp_path / "none.npz", {"objects": np.full((1, 1, 1), None)})
    assert [path.name for path in tmp_path.iterdir()] == ["t.npz"]


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros((2, 2, 1), np.uint64), "Save array.astype"),
        (np.zeros((2, 2, 1)), "integers \\(height, width, channels\\), got float64"),
        (np.zeros((2, 2), np.int8), "got int8 \\(2, 2\\)"),
    ],
)
def test_taps_of_another_kind_are_refused(tmp_path, array, text):
    np.savez(tmp_path / "t.npz", y=array)
    with pytest.raises(FileFormatError, match=rf"t\.npz:y: .*{text}"):
        load_taps(tmp_path / "t.npz")
