"""Reader of ``.npz`` and ``.npy`` files that believes nothing: damage ends in one typed error, and in little memory.

NumPy's own reader makes an array of the size that a header states before it looks at the data, unpacks a whole array
for one entry of it, and ends in whatever exception zipfile, zlib or tokenize stumble into. Here every size is compared
with the archive's directory and with a limit first, and arrays are unpacked in pieces. Nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import io
import math
import struct
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from quantunet.errors import FileFormatError, ImageError, StorageError

LIMIT = 1 << 28
"""Bytes that the arrays of one file may take in memory; more where the file itself has an eighth of them."""

_PACKED = 8  # image sets hardly ever pack better than 8 to 1 as a whole
_PIECE = 1 << 20
_HEADER = 10_000  # NumPy's own limit for a header that it does not trust
_KINDS = "biufcSU"
_SUFFIX = ".npy"
_ARCHIVE = b"PK"  # how every .npz file begins, as it is a zip archive
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1


@dataclass(frozen=True)
class Header:
    """What an array's header states, in agreement with the archive's directory.

    Args:
        shape: Of the array.
        dtype: In the byte order of the file.
        fortran: Whether the first axis varies fastest in the file.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


@contextlib.contextmanager
def open_npz(path: Path, limit: int = LIMIT) -> Iterator[Npz]:
    """Open an ``.npz`` file to read its arrays one by one.

    Args:
        path: The file.
        limit: Bytes that all arrays which are read may take together.

    Yields:
        The archive; it is closed at the end of the block.

    Raises:
        StorageError: There is no such file, or it cannot be read.
        FileFormatError: It is no ``.npz`` file, or a damaged one.
    """
    try:
        if not path.is_file():
            raise StorageError(str(path), expected="an .npz file", got="no such file", hint="Check the path.")
        file = path.open("rb")
        size = path.stat().st_size
    except OSError as error:
        raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
    with file:
        start = file.read(len(npy.MAGIC_PREFIX))
        if start == npy.MAGIC_PREFIX:
            raise FileFormatError(
                str(path),
                expected="an .npz file",
                got="a single array (.npy)",
                hint="Save it by its name: numpy.savez_compressed('FILE.npz', NAME=array).",
            )
        if start and not start.startswith(_ARCHIVE):
            raise FileFormatError(
                str(path),
                expected="an .npz file",
                got=f"a file of another kind, which begins with {start!r}",
                hint="An .npz file holds arrays by their names, as numpy.savez_compressed writes them.",
            )
        with _damage(str(path)):
            archive = zipfile.ZipFile(file)
        with archive:
            yield Npz(path, archive, max(limit, _PACKED * size))


class Npz:
    """The arrays of an open ``.npz`` file; see :func:`open_npz`.

    Args:
        path: The file, for messages.
        archive: The same, opened.
        limit: Bytes that all arrays which are read may take together.

    Raises:
        FileFormatError: Two arrays have one name.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, limit: int) -> None:
        self.path = path
        self._archive = archive
        self._limit = limit
        self._taken = 0
        self._headers: dict[str, Header] = {}
        entries = [info.filename for info in archive.infolist() if info.filename.endswith(_SUFFIX)]
        self.names = tuple(entry.removesuffix(_SUFFIX) for entry in entries)
        if len(set(entries)) != len(entries):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise FileFormatError(str(path), expected="each array once", got=f"{twice!r} twice", hint=_HINT)

    def header(self, name: str) -> Header:
        """Read what an array is, without its values.

        Raises:
            FileFormatError: There is no such array; or its header is damaged, disagrees with the archive's directory,
                or states objects or records.
        """
        if name not in self._headers:
            with self._entry(name):
                pass
        return self._headers[name]

    def read(self, name: str, dtype: type[np.generic] | None = None) -> NDArray[Any]:
        """Read an array.

        Args:
            name: Its name.
            dtype: To convert to, piece by piece; its own, in this machine's byte order, if left out.

        Returns:
            The array, of the shape in its header.

        Raises:
            FileFormatError: As for :meth:`header`; or the values are damaged, or too many for the limit.
        """
        with self._entry(name) as (header, stream):
            kind = header.dtype.newbyteorder("=") if dtype is None else np.dtype(dtype)
            count = math.prod(header.shape)
            return _filled(self._empty(name, (count,), kind), stream, header)

    def read_one(self, name: str, index: int) -> NDArray[Any]:
        """Read one entry along the first axis in the memory of that entry; the rest passes by, to be checked.

        Args:
            name: The array's name.
            index: Of the entry, from 0.

        Returns:
            The entry, in this machine's byte order.

        Raises:
            FileFormatError: As for :meth:`read`, or the array has no axis.
            ImageError: There are not so many entries.
        """
        with self._entry(name) as (header, stream):
            where = f"{self.path}:{name}"
            if not header.shape:
                raise FileFormatError(where, expected="an array of entries", got="a single value")
            entries, shape = header.shape[0], header.shape[1:]
            if not 0 <= index < entries:
                raise ImageError(where, expected=f"an index below {entries}", got=str(index))
            size = math.prod(shape)
            values = self._empty(name, (size,), header.dtype.newbyteorder("="))
            seen = done = 0
            for piece in _pieces(stream, header):
                if header.fortran:
                    part = piece[(index - seen) % entries :: entries]
                else:
                    part = piece[max(0, index * size - seen) : max(0, (index + 1) * size - seen)]
                values[done : done + len(part)] = part
                done += len(part)
                seen += len(piece)
            return values.reshape(shape, order="F" if header.fortran else "C")

    @contextlib.contextmanager
    def _entry(self, name: str) -> Iterator[tuple[Header, IO[bytes]]]:
        """An array's header, checked, and the stream of its values."""
        where = f"{self.path}:{name}"
        if name not in self.names:
            raise FileFormatError(
                str(self.path),
                expected=f"an array {name!r}",
                got=f"arrays {', '.join(map(repr, self.names)) or 'none'}",
            )
        info = self._archive.getinfo(name + _SUFFIX)
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            raise FileFormatError(
                where,
                expected="an array as numpy.savez or numpy.savez_compressed writes it",
                got="an encrypted one" if info.flag_bits & _ENCRYPTED else "one packed by another method",
                hint="Write the file with numpy.savez_compressed.",
            )
        with _damage(where), self._archive.open(info) as stream:
            header, length = _read_header(where, stream)
            if length + header.nbytes != info.file_size:
                raise FileFormatError(
                    where,
                    expected=f"{info.file_size - length} bytes of values, as the archive says",
                    got=f"a header of {header.dtype} {header.shape}, {header.nbytes} bytes",
                    hint=_HINT,
                )
            self._headers[name] = header
            yield header, stream

    def _empty(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """A new array, where the limit allows it."""
        needed = math.prod(shape) * dtype.itemsize
        if self._taken + needed > self._limit:
            raise FileFormatError(
                f"{self.path}:{name}",
                expected=f"arrays of at most {self._limit >> 20} MiB in memory, all together",
                got=f"{-(-(self._taken + needed) >> 20)} MiB",
                hint="Reduce the images to the network's size before they are saved, or save them in several files.",
            )
        self._taken += needed
        return np.empty(shape, dtype)


def read_npy(path: Path, limit: int = LIMIT) -> NDArray[Any]:
    """Read a single array.

    Args:
        path: The ``.npy`` file.
        limit: Bytes that it may take.

    Returns:
        The array, in this machine's byte order.

    Raises:
        StorageError: There is no such file, or it cannot be read.
        FileFormatError: It is no ``.npy`` file, a damaged one, or one of more bytes than the limit.
    """
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except OSError as error:
        raise StorageError(str(path), expected="a readable file", got=error.strerror or str(error)) from error
    with file, _damage(str(path), ".npy"):
        header, length = _read_header(str(path), file)
        if length + header.nbytes != size or size > limit:
            raise FileFormatError(
                str(path),
                expected=f"a file of {length + header.nbytes} bytes, as its header says, and at most {limit >> 20} MiB",
                got=f"{size} bytes",
                hint=_HINT,
            )
        return _filled(np.empty(math.prod(header.shape), header.dtype.newbyteorder("=")), file, header)


_HINT = "Download or copy the file again."


@contextlib.contextmanager
def _damage(where: str, form: str = ".npz") -> Iterator[None]:
    """Turn what a damaged archive makes the libraries raise into one error.

    That may be anything: BadZipFile, zlib.error, NotImplementedError, TokenError, struct.error, MemoryError, ...
    """
    try:
        yield
    except (FileFormatError, ImageError):
        raise
    except Exception as error:
        what = str(error).partition("\n")[0] or type(error).__name__
        raise FileFormatError(where, expected=f"a complete {form} file", got=what, hint=_HINT) from error


def _read_header(where: str, stream: IO[bytes]) -> tuple[Header, int]:
    """The header at the beginning of an array, and how many bytes it takes."""
    start = stream.read(npy.MAGIC_LEN)
    major, _ = npy.read_magic(io.BytesIO(start))
    if major == 3:  # written for records whose fields have names beyond Latin-1
        raise FileFormatError(where, expected="an array of numbers, truth values or strings", got="records")
    form = {1: "<H", 2: "<I"}[major]
    prefix = stream.read(struct.calcsize(form))
    (size,) = struct.unpack(form, prefix)
    if size > _HEADER:
        raise FileFormatError(where, expected=f"a header of at most {_HEADER} bytes", got=str(size), hint=_HINT)
    text = io.BytesIO(prefix + stream.read(size))
    reader = {1: npy.read_array_header_1_0, 2: npy.read_array_header_2_0}[major]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a header that Python 2 wrote is read, with a warning
        shape, fortran, dtype = reader(text)
    if dtype.hasobject:
        raise FileFormatError(
            where,
            expected="an array of numbers, truth values or strings",
            got="Python objects, which are never unpickled",
            hint="Save array.astype(str), or array.astype(int) where all of it are numbers.",
        )
    if dtype.kind not in _KINDS or dtype.subdtype is not None:
        raise FileFormatError(where, expected="an array of numbers, truth values or strings", got=str(dtype))
    if any(side < 0 for side in shape):
        raise FileFormatError(where, expected="sides of at least 0", got=str(shape), hint=_HINT)
    return Header(tuple(int(side) for side in shape), dtype, fortran), len(start) + len(prefix) + size


def _filled(values: NDArray[Any], stream: IO[bytes], header: Header) -> NDArray[Any]:
    """Fill a new array with all values of a stream, and give it the header's shape."""
    done = 0
    for piece in _pieces(stream, header):
        values[done : done + len(piece)] = piece
        done += len(piece)
    return values.reshape(header.shape, order="F" if header.fortran else "C")


def _pieces(stream: IO[bytes], header: Header) -> Iterator[NDArray[Any]]:
    """The values in the order of the file, some at a time; the last piece ends with the archive's checksum."""
    item = header.dtype.itemsize
    left = header.nbytes
    while left:
        wanted = min(left, max(1, _PIECE // item) * item)
        raw = bytearray()
        while len(raw) < wanted:
            part = stream.read(wanted - len(raw))
            if not part:
                raise EOFError(f"{left - len(raw)} bytes are missing")
            raw += part
        left -= wanted
        yield _checked(np.frombuffer(raw, header.dtype))


def _checked(values: NDArray[Any]) -> NDArray[Any]:
    """Refuse what is no truth value and no character: NumPy would take it, and stumble over it later."""
    if values.dtype.kind == "b" and values.view(np.uint8).max() > 1:
        raise ValueError(f"truth values of {values.view(np.uint8).max()}")
    if values.dtype.kind == "U":
        codes = values.view(values.dtype.str[0] + "u4")
        if (codes > 0x10FFFF).any() or ((codes >= 0xD800) & (codes < 0xE000)).any():
            raise ValueError("numbers that are no characters")
    return values
