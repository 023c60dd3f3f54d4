"""Networks by name: those in ``model/zoo/``, or any network's file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from quantunet import graph_file, packed
from quantunet.errors import FileFormatError, StorageError
from quantunet.ir import Graph
from quantunet.onnx_metadata import FLOAT_SUFFIX
from quantunet.provenance import file_digest
from quantunet.qonnx_import import load
from quantunet.suggestions import hinted

DEFAULT_NETWORK = "hospitals"
"""What a command takes that names no network and need not."""

QONNX_SUFFIX = ".onnx"
GRAPH_SUFFIX = ".json"
"""Of an integer graph, as the hls4ml backend writes it (``graph.json``)."""

MODEL_HELP = (
    "a QONNX file (.onnx), a packed file (.qun), a graph.json of the hls4ml backend, or the name of a network in the "
    "zoo (quantunet zoo lists them)"
)
"""The help text of every option or argument that :func:`load_network` reads."""


def _folder() -> Path:
    return Path(str(resources.files("quantunet.model"))) / "zoo"


def _zoo() -> dict[str, Path]:
    """Return the files of the zoo by name; of a network that is there in both forms, its QONNX file."""
    packed_files, files = (sorted(_folder().glob(f"*{suffix}")) for suffix in (packed.SUFFIX, QONNX_SUFFIX))
    return {path.stem: path for path in (*packed_files, *files) if not path.stem.endswith(FLOAT_SUFFIX)}


def _twins() -> dict[str, Path]:
    """Return the files of float networks that the zoo's were quantised from, by name."""
    return {path.stem: path for path in sorted(_folder().glob(f"*{FLOAT_SUFFIX}{QONNX_SUFFIX}"))}


def zoo_names() -> tuple[str, ...]:
    """Return the names of the networks that come with the package."""
    return tuple(sorted(_zoo()))


def is_network(text: str) -> bool:
    """Whether a word is spelled as a network is: a name in the zoo, or a file with one of the endings of networks.

    >>> is_network("tiny"), is_network("mine.ONNX"), is_network("tiny.png")
    (True, True, False)
    """
    return text in _zoo() or text in _twins() or Path(text).suffix.lower() in _READERS


def network_path(model: str) -> Path:
    """Return the file of a network.

    Args:
        model: A name in the zoo, with ``_float`` behind it the float network that it was made of, where the zoo has it;
            or the path of a file that is named ``*.onnx``, ``*.qun`` or ``*.json``.

    Raises:
        StorageError: Neither exists; the message lists the names.
        FileFormatError: The file is empty, or is not named so.
    """
    named = (_zoo() | _twins()).get(model)
    if named is not None:
        return named
    path = Path(model)
    expected = "a network's file or the name of a network in the zoo"
    hint = hinted(model, zoo_names(), f"The zoo holds: {', '.join(zoo_names()) or 'nothing'}.")
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
        is_empty = is_file and path.stat().st_size == 0
    except OSError as error:
        raise StorageError(model, expected=expected, got=error.strerror or str(error), hint=hint) from error
    if is_folder:
        raise StorageError(model, expected=expected, got="a folder", hint="Name the file in it.")
    if not is_file:
        raise StorageError(model, expected=expected, got="neither", hint=hint)
    if path.suffix.lower() not in _READERS:
        raise FileFormatError(
            model,
            expected=f"a network's file: {', '.join(f'*{suffix}' for suffix in _READERS)}",
            got=f"the ending '{path.suffix}'" if path.suffix else "a name without an ending",
            hint=f"Rename a QONNX file to *{QONNX_SUFFIX}.",
        )
    if is_empty:
        raise FileFormatError(model, expected="a network", got="an empty file", hint="Export or copy it again.")
    return path


def card_path(model: str) -> Path | None:
    """Return the card beside the QONNX or packed file of a network; None where there is no such file.

    Raises:
        StorageError: There is no such network.
        FileFormatError: It is no network's file.
    """
    network = network_path(model)
    path = network.with_suffix(GRAPH_SUFFIX)
    return path if path != network and path.is_file() else None


def model_digest(model: str) -> str:
    """Return the SHA-256 of a network's file.

    Raises:
        StorageError: There is no such network.
        FileFormatError: It is no network's file.
    """
    return file_digest(network_path(model))


def load_network(model: str) -> Graph:
    """Return the integer graph of a network, by name or path.

    Raises:
        StorageError: There is no such network.
        FileFormatError: The file is damaged, or none of a network.
        ModelError: The network cannot be represented exactly.
    """
    path = network_path(model)
    return _READERS[path.suffix.lower()](path)


_READERS = {QONNX_SUFFIX: load, packed.SUFFIX: packed.read, GRAPH_SUFFIX: graph_file.read}
