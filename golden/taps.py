"""Files of taps: every tensor of one image in one ``.npz``."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from quantunet.errors import FileFormatError, StorageError
from quantunet.golden.inference import Taps
from quantunet.storage import atomic_path


def save_taps(path: Path, taps: Taps) -> None:
    """Write every tensor by name, int64 ``(height, width, channels)``, compressed.

    Raises:
        StorageError: The file cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **taps)  # type: ignore[arg-type]


def load_taps(path: Path) -> Taps:
    """Read tensors by name.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is not an ``.npz`` file of integers ``(height, width, channels)``.
    """
    if not path.is_file():
        raise StorageError(str(path), expected="an .npz file of taps", got="no such file", hint="Check the path.")
    try:
        with np.load(path, allow_pickle=False) as data:
            taps = {name: np.asarray(data[name]) for name in data.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise FileFormatError(str(path), expected="an .npz file of taps", got=str(error)) from error
    for name, values in taps.items():
        if values.dtype.kind not in "iu" or values.ndim != 3:
            raise FileFormatError(
                f"{path}:{name}", expected="integers (height, width, channels)", got=f"{values.dtype} {values.shape}"
            )
    return {name: values.astype(np.int64) for name, values in taps.items()}
