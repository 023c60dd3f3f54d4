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
"""Its value in the file of a float network: one channel, whose mask is where it is not negative."""

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
        session: The session of onnxruntime; its input is ``(n, channels, size, size)`` float32, and so are the logits,
            of one channel.
        channels: 1 of gray images, 3 of RGB.
    """

    name: str
    size: int
    session: Any
    channels: int = 1

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network.

        Args:
            images: ``(n, size, size)`` uint8, or in RGB ``(n, size, size, 3)``.

        Returns:
            ``(n, size, size)`` float32.

        Raises:
            ShapeError: The images have another size, or the network's output has.
            FileFormatError: The network cannot be run: its weights do not fit its operators.
        """
        behind = () if self.channels == 1 else (self.channels,)
        if images.shape[1:] != (self.size, self.size, *behind):
            expected = f"images of {self.size} x {self.size}" + (f" x {self.channels}" if behind else "")
            raise ShapeError(self.name, expected=expected, got=str(images.shape[1:]))
        found = np.empty(images.shape[:3], np.float32)
        for first in range(0, len(images), _BATCH):
            part = images[first : first + _BATCH].reshape(-1, self.size, self.size, self.channels)
            batch = np.ascontiguousarray(part.transpose(0, 3, 1, 2)).astype(np.float32) * np.float32(OWN_SCALE)
            out = self._run(batch)
            logits = (len(batch), 1, self.size, self.size)
            if out.shape != logits:
                raise ShapeError(self.name, expected=f"logits {logits}", got=str(out.shape), hint=_AGAIN)
            found[first : first + _BATCH] = out[:, 0]
        return found

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
            ``(n, size, size)`` bool.
        """
        masks = np.empty(images.shape[:3], np.bool_)
        for first in range(0, len(images), _BATCH):
            batch = images[first : first + _BATCH]
            masks[first : first + len(batch)] = self.logits(batch) >= 0
            on_images(first + len(batch))
        return masks


def load(path: Path) -> FloatNetwork:
    """Read a float network.

    Args:
        path: What :func:`quantunet.model.float_export.export_float` wrote.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is damaged, or no such network.
        UnsupportedOpError: It has an operator that no float U-Net has, or a constant that is no finite number.
        ModelError: It has several inputs or outputs.
        ShapeError: Its input is not one square image of one channel or three.
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
    return FloatNetwork(path.stem, file.input_dims[-1], session, file.input_dims[1])


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
    if len(dims) != 4 or dims[1] not in (1, 3) or dims[2] != dims[3]:
        raise ShapeError(file.input_name, expected="an input (n, 1 or 3, size, size)", got=str(dims), hint=_AGAIN)
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
