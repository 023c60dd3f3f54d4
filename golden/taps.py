"""Files of taps: every tensor of one image in one ``.npz``."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantunet.errors import FileFormatError
from quantunet.golden.inference import Taps
from quantunet.npz import open_npz
from quantunet.storage import atomic_path


def save_taps(path: Path, taps: Taps) -> None:
    """Write every tensor by name, int64 ``(height, width, channels)``, compressed.

    Raises:
        StorageError: The file cannot be written.
    """
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in taps.items():  # numpy.savez takes names as keywords, beside those of its own
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, values, allow_pickle=False)


def load_taps(path: Path) -> Taps:
    """Read tensors by name.

    Raises:
        StorageError: There is no such file.
        FileFormatError: It is not an ``.npz`` file of integers ``(height, width, channels)``.
    """
    taps: dict[str, NDArray[np.int64]] = {}
    with open_npz(path) as archive:
        for name in archive.names:
            header = archive.header(name)
            if header.dtype.kind not in "iu" or len(header.shape) != 3:
                raise FileFormatError(
                    f"{path}:{name}",
                    expected="integers (height, width, channels)",
                    got=f"{header.dtype} {header.shape}",
                )
            if not np.can_cast(header.dtype, np.int64):
                raise FileFormatError(
                    f"{path}:{name}",
                    expected="integers that fit in 64 bits with their sign",
                    got=str(header.dtype),
                    hint="Save array.astype(numpy.int64).",
                )
            taps[name] = archive.read(name, np.int64)
    return taps
