"""Networks by name: the trained ones in ``model/zoo/``, any QONNX file, or the paper's size with random weights."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from quantunet import packed
from quantunet.errors import StorageError
from quantunet.ir import Graph
from quantunet.pixel_codes import picture_codes
from quantunet.qonnx_import import load

PAPER = "paper"
"""The network of the U-Net paper's size. Where no trained file of that name is in the zoo, its weights are random."""

MODEL_HELP = (
    "a QONNX file, a packed file (.qun), or the name of a network in the zoo; "
    f"'{PAPER}' is the 31-million-parameter U-Net, with random weights as long as the zoo holds no trained one"
)
"""The help text of every option or argument that :func:`load_network` reads."""

_PATTERN = "wearable"
_PHANTOM_SEED = 2025  # the image that co-simulation takes by default


def zoo_names() -> tuple[str, ...]:
    """Return the names of the networks that come with the package."""
    folder = Path(str(resources.files("quantunet.model"))) / "zoo"
    return tuple(sorted(path.stem for path in folder.glob("*.onnx")))


def network_path(model: str) -> Path:
    """Return the QONNX or packed file of a network.

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
            hint=f"The zoo holds: {', '.join(zoo_names()) or 'nothing'}; {PAPER} is generated, with random weights.",
        )
    return path


def card_path(model: str) -> Path | None:
    """Return the card beside the QONNX file of a network; None where there is no such file.

    Raises:
        StorageError: There is no such network.
    """
    if model == PAPER and PAPER not in zoo_names():
        return None
    path = network_path(model).with_suffix(".json")
    return path if path.is_file() else None


def load_network(model: str) -> Graph:
    """Return the integer graph of a network, by name or path.

    Where no trained network is called :data:`PAPER`, one of that size is generated; its weights are random, and the
    graph's name says so.

    Raises:
        StorageError: There is no such network.
        FileFormatError: The file is damaged.
        ModelError: The network cannot be represented exactly.
    """
    if model == PAPER and PAPER not in zoo_names():
        return _untrained_paper()
    path = network_path(model)
    return packed.read(path) if path.suffix == packed.SUFFIX else load(path)


def _untrained_paper() -> Graph:
    from quantunet.model.config import PRESETS
    from quantunet.model.phantoms import generate
    from quantunet.model.untrained import untrained_unet

    config = PRESETS[PAPER]
    images, _ = generate(1, config.size, _PHANTOM_SEED)
    pattern = load(network_path(_PATTERN))
    return untrained_unet(PAPER, config, pattern, picture_codes(pattern, images[0]))
