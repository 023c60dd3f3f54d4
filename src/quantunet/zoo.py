"""Networks by name: the trained ones in ``model/zoo/``, or any QONNX file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from quantunet.errors import StorageError
from quantunet.ir import Graph
from quantunet.qonnx_import import load


def zoo_names() -> tuple[str, ...]:
    """Return the names of the networks that come with the package."""
    folder = Path(str(resources.files("quantunet.model"))) / "zoo"
    return tuple(sorted(path.stem for path in folder.glob("*.onnx")))


def network_path(model: str) -> Path:
    """Return the QONNX file of a network.

    Args:
        model: A name in the zoo, or a path.

    Raises:
        StorageError: Neither exists; the message lists the names.
    """
    if model in zoo_names():
        return Path(str(resources.files("quantunet.model"))) / "zoo" / f"{model}.onnx"
    path = Path(model)
    if not path.is_file():
        raise StorageError(
            model,
            expected="a QONNX file or the name of a network in the zoo",
            got="neither",
            hint=f"The zoo holds: {', '.join(zoo_names()) or 'nothing'}.",
        )
    return path


def load_network(model: str) -> Graph:
    """Return the integer graph of a network, by name or path.

    Raises:
        StorageError: There is no such network.
        FileFormatError: The file is damaged.
        ModelError: The network cannot be represented exactly.
    """
    return load(network_path(model))
