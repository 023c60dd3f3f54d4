"""Float networks that ``quantunet train`` keeps beside the integer ones: read, checked, and run by onnxruntime.

A float network is no integer graph: nothing of it is exact, and no hardware is made of it. It is here to be scored by
the same code as its integer twin. The file says of itself, in ``metadata_props``, that it is one, that its output are
logits, and what the byte of a picture means. No torch here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from quantunet.errors import FileFormatError, ModelError, ShapeError, StorageError, UnsupportedOpError
from quantunet.golden.cores import WORKERS
from quantunet.onnx_file import OnnxFile, read
from quantunet.onnx_metadata import read_pixel_scale
from quantunet.pixels import OWN_SCALE
from quantunet.provenance import ONNX_PREFIX

KIND = f"{ONNX_PREFIX}network"
"""The key in ``metadata_props`` that says what a network's file holds."""

FLOAT_LOGITS = "float, logits"
"""Its value in the file of a float network: one channel, whose mask is where it is not negative, or one a class."""

OPS = frozenset({"Concat", "Conv", "ConvTranspose", "Identity", "MaxPool", "Relu"})
"""The operators of a float U-Net; BatchNorm is folded into the convolutions, Identity passes on a shared constant."""

_BATCH = 16
_AGAIN = "Export or copy it again."


def is_float(path: Path) -> bool:
    """Return whether a file says that it holds a float network of ``quantunet train``.

    A file that cannot be read says nothing: whoever reads it as what it should be tells what is wrong.
    """
    if path.suffix.lower() != ".onnx":
        return False
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception:  # noqa: BLE001  # whatever a damaged file makes the parser say
        return False
    return any(entry.key == KIND for entry in model.metadata_props)


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """A float network that is ready to run.

    Attributes:
        name: The file's name without its ending.
        size: Height and width of an image.
        session: The session of onnxruntime, from ``(n, channels, height, width)`` float32 to logits of that size.
        channels: 1 of gray images, 3 of RGB.
        logit_channels: 1 of masks with one foreground, else one for each class.
    """

    name: str
    size: tuple[int, int]
    session: Any
    channels: int = 1
    logit_channels: int = 1

    @property
    def classes(self) -> int:
        """Classes that it tells apart, the background included."""
        return max(2, self.logit_channels)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network.

        Args:
            images: ``(n, height, width)`` uint8, or in RGB ``(n, height, width, 3)``.

        Returns:
            float32 ``(n, height, width)``; of several classes with their channels behind.

        Raises:
            ShapeError: The images have another size, or the network's output has.
            FileFormatError: The network cannot be run: its weights do not fit its operators.
        """
        behind = () if self.channels == 1 else (self.channels,)
        if images.shape[1:] != (*self.size, *behind):
            expected = f"images of {' x '.join(map(str, self.size))}" + (f" x {self.channels}" if behind else "")
            raise ShapeError(self.name, expected=expected, got=str(images.shape[1:]))
        found = np.empty((*images.shape[:3], self.logit_channels), np.float32)
        for first in range(0, len(images), _BATCH):
            part = images[first : first + _BATCH].reshape(-1, *self.size, self.channels)
            batch = np.ascontiguousarray(part.transpose(0, 3, 1, 2)).astype(np.float32) * np.float32(OWN_SCALE)
            out = self._run(batch)
            logits = (len(batch), self.logit_channels, *self.size)
            if out.shape != logits:
                raise ShapeError(self.name, expected=f"logits {logits}", got=str(out.shape), hint=_AGAIN)
            found[first : first + _BATCH] = out.transpose(0, 2, 3, 1)
        return found if self.logit_channels > 1 else found[..., 0]

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            (out,) = self.session.run(None, {self.session.get_inputs()[0].name: batch})
        except Exception as error:  # onnxruntime's own, of which there is one for each way to fail
            raise FileFormatError(
                self.name, expected="a network that onnxruntime can run", got=_first_line(error), hint=_AGAIN
            ) from error
        return np.asarray(out)

    def masks(
        self, images: NDArray[np.uint8], on_images: Callable[[int], None] = lambda count: None
    ) -> NDArray[np.bool_]:
        """Segment images: foreground is where the logit is not negative.

        Args:
            images: As :meth:`logits` takes them.
            on_images: Called with the number of images that are done.

        Returns:
            ``(n, height, width)`` bool.

        Raises:
            ShapeError: It has several classes.
        """
        if self.logit_channels > 1:
            raise ShapeError(self.name, expected="one logit, for masks", got=f"{self.logit_channels}, one a class")
        return self.class_maps(images, on_images).astype(np.bool_)

    def class_maps(
        self, images: NDArray[np.uint8], on_images: Callable[[int], None] = lambda count: None
    ) -> NDArray[np.int64]:
        """Return the class of each pixel: of several logits the first of the greatest, of one 1 if it is not negative.

        Args:
            images: As :meth:`logits` takes them.
            on_images: Called with the number of images that are done.

        Returns:
            int64 ``(n, height, width)``.
        """
        maps = np.empty(images.shape[:3], np.int64)
        for first in range(0, len(images), _BATCH):
            batch = images[first : first + _BATCH]
            logits = self.logits(batch)
            maps[first : first + len(batch)] = logits.argmax(axis=-1) if self.logit_channels > 1 else logits >= 0
            on_images(first + len(batch))
        return maps


def load(path: Path) -> FloatNetwork:
    """Read a float network.

    Args:
        path: What :func:`quantunet.model.float_export.export_float` wrote.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is damaged, or no such network.
        UnsupportedOpError: It has an operator that no float U-Net has, or a constant that is no finite number.
        ModelError: It has several inputs or outputs.
        ShapeError: Its input is not an image of one channel or three, or its output no logits of its size.
    """
    if not path.is_file():
        raise StorageError(str(path), expected="a float network's file", got="no such file", hint="Check the path.")
    file = read(path)
    _check(path, file)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised as well
    options.intra_op_num_threads = WORKERS
    try:
        onnx.checker.check_model(file.model, full_check=True)
        session = onnxruntime.InferenceSession(
            file.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # noqa: BLE001  # both have exceptions of their own for each way in which a file is wrong
        raise FileFormatError(
            str(path), expected="a float network that onnxruntime can run", got=_first_line(error), hint=_AGAIN
        ) from error
    _, channels, height, width = file.input_dims
    logits = session.get_outputs()[0].shape
    if len(logits) != 4 or list(logits[2:]) != [height, width] or not isinstance(logits[1], int) or logits[1] == 2:
        raise ShapeError(
            path.stem, expected=f"logits (n, 1 or one a class, {height}, {width})", got=str(logits), hint=_AGAIN
        )
    return FloatNetwork(path.stem, (height, width), session, channels, logits[1])


def _check(path: Path, file: OnnxFile) -> None:
    said = [entry.value for entry in file.model.metadata_props if entry.key == KIND]
    if said != [FLOAT_LOGITS]:
        raise FileFormatError(
            str(path),
            expected=f"'{KIND}' = '{FLOAT_LOGITS}' in metadata_props, as `quantunet train` writes it",
            got=", ".join(said) or "none",
            hint="Only float networks that `quantunet train` has kept can be scored.",
        )
    if read_pixel_scale(file.model) != OWN_SCALE:
        raise FileFormatError(
            str(path), expected=f"a pixel scale of {OWN_SCALE} in metadata_props", got="another or none", hint=_AGAIN
        )
    dims = file.input_dims
    if len(dims) != 4 or dims[1] not in (1, 3):
        raise ShapeError(file.input_name, expected="an input (n, 1 or 3, height, width)", got=str(dims), hint=_AGAIN)
    for op in file.ops:
        if op.kind not in OPS:
            raise UnsupportedOpError(
                op.name, expected=f"an operator of a float U-Net: {', '.join(sorted(OPS))}", got=op.kind, hint=_AGAIN
            )
        for name in op.node.input:
            if name in file.constants:
                file.constants.reals(name, op.name, file.role(name))
    if not file.ops:
        raise ModelError(str(path), expected="a network with operators", got="none", hint=_AGAIN)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
