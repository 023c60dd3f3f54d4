"""Files with the codes of a network's input, for what is no picture."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantunet import api
from quantunet.cli import main
from quantunet.errors import FileFormatError, ImageError, QuantUNetError, StorageError
from quantunet.ir import Conv2d, Graph, QType
from quantunet.packed import write
from quantunet.pixel_codes import read_codes
from quantunet.pixels import Pixels
from quantunet.random_network import GraphBuilder


def network(height: int, width: int, channels: int, *, narrow: bool = False) -> Graph:
    builder = GraphBuilder("net", height, width, channels, QType(4, True, 2), 0)
    builder.matrix(Conv2d, "conv", "image", 2, 1, 3, QType(4, True, 2))
    return dataclasses.replace(builder.build(), pixels=Pixels(narrow=narrow))


@pytest.mark.parametrize(
    ("shape", "given"),
    [((3, 5, 2), (3, 5, 2)), ((3, 5, 1), (3, 5)), ((1, 6, 2), (6, 2)), ((1, 1, 7), (7,)), ((1, 1, 7), (1, 7))],
)
@pytest.mark.parametrize("dtype", ["i1", ">i4", "<i8"])
def test_codes_are_read_as_they_are(tmp_path: Path, shape: tuple[int, int, int], given: Any, dtype: str) -> None:
    codes = np.random.default_rng(1).integers(-8, 8, size=given)
    np.save(tmp_path / "x.npy", codes.astype(dtype))
    found = read_codes(network(*shape), tmp_path / "x.npy")
    assert found.dtype == np.int64
    assert np.array_equal(found, codes.reshape(shape)) and found.size == codes.size > 0
    taken, name = api.cosim_image(network(*shape), tmp_path / "x.npy")
    assert np.array_equal(taken, found)
    assert name == f"{tmp_path / 'x.npy'}, codes as they are"


def save(array: Any, **options: Any) -> Any:
    return lambda path: np.save(path, array, **options)


def archive(path: Path) -> None:
    np.savez(path.with_suffix(".npz"), x=ZEROS)
    path.with_suffix(".npz").rename(path)


ZEROS = np.zeros((3, 5, 2), dtype=np.int8)


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (save(ZEROS / 2), ImageError, "integers"),
        (save(np.zeros((2, 3, 5), np.int8)), ImageError, "3x5x2"),
        (save(np.zeros((3, 5, 0), np.int8)), ImageError, "3x5x0"),
        (save(ZEROS + 8), ImageError, "got 8..8"),
        (save(ZEROS - 8), ImageError, "codes in -7..7"),
        (save(ZEROS.astype(object), allow_pickle=True), FileFormatError, "never unpickled"),
        (lambda path: path.write_bytes(b"no array"), FileFormatError, "complete .npy"),
        (archive, FileFormatError, "complete .npy"),
        (lambda path: None, StorageError, "No such file"),
    ],
    ids=["floats", "channels_first", "empty", "too_great", "left_out", "objects", "text", "archive", "absent"],
)
def test_what_is_no_codes_is_refused(tmp_path: Path, make: Any, kind: type[QuantUNetError], said: str) -> None:
    make(tmp_path / "x.npy")
    with pytest.raises(kind, match=said) as found:
        read_codes(network(3, 5, 2, narrow=True), tmp_path / "x.npy")
    assert str(found.value).startswith(str(tmp_path / "x.npy"))


def test_a_file_that_is_cut_off_or_longer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, ZEROS)
    whole = path.read_bytes()
    for data in (whole[:-1], whole + b"1", whole[:20], b""):
        path.write_bytes(data)
        with pytest.raises(FileFormatError):
            read_codes(network(3, 5, 2), path)


def test_the_advice_works_and_a_bad_file_ends_in_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = np.random.default_rng(2).normal(0, 0.5, size=(3, 5, 2))
    np.save(tmp_path / "x.npy", values)
    write(network(3, 5, 2), tmp_path / "net.qun")
    command = ["cosim", "--model", str(tmp_path / "net.qun"), "--image", str(tmp_path / "x.npy")]
    assert main([*command, "--build", str(tmp_path / "build")]) == 2
    assert "numpy.rint(values / scale).astype(int)" in capsys.readouterr().err
    np.save(tmp_path / "x.npy", np.rint(values / 0.25).astype(int))
    assert read_codes(network(3, 5, 2), tmp_path / "x.npy").any()
