"""Scans from NIfTI files, and masks as NIfTI files in the same place; by nibabel.

A plane is a slice along the third axis. Its rows are the second axis and its columns the first, in the order of the
file: nothing is turned or mirrored, so that a voxel of the mask is the voxel of the scan at the same place.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quantunet.errors import FileFormatError, ImageError, ToolMissingError
from quantunet.images import MAX_PIXELS
from quantunet.pixel_window import Scale
from quantunet.scan import PROBABILITY_STEPS, Bytes, Scan, reading
from quantunet.storage import atomic_path

SUFFIXES = (".nii.gz", ".nii")
Nifti = Any  # a nibabel.Nifti1Image, of whose methods nibabel gives no types
_MILLIMETRES = {"mm": Fraction(1), "meter": Fraction(1000), "micron": Fraction(1, 1000)}


@dataclass(frozen=True, eq=False)
class NiftiResults:
    """Masks as uint8 and probabilities as float32, with the axes of the scan.

    Attributes:
        source: The scan's file.
        suffix: Of the file: packed results of a packed file.
    """

    source: Nifti
    suffix: str

    @property
    def probability_suffix(self) -> str:
        """Ending of a file of probabilities."""
        return self.suffix

    def write_classes(self, path: Path, classes: Bytes, count: int, *, as_index: bool) -> None:
        """Write the index of each voxel's class: of a mask 0 and 1."""
        self._write(path, classes, f"QuantU-Net, classes 0 to {count - 1}")

    def write_probabilities(self, path: Path, values: npt.NDArray[np.uint16], name: str) -> None:
        """Write a probability from 0 to 1."""
        shares = values.astype(np.float32) / np.float32(PROBABILITY_STEPS)
        self._write(path, shares, f"QuantU-Net, probability of {name}")

    def _write(self, path: Path, planes: npt.NDArray[Any], what: str) -> None:
        header = self.source.header.copy()
        header.set_data_dtype(planes.dtype)
        header.set_slope_inter(1, 0)
        header["cal_min"] = header["cal_max"] = 0
        header["descrip"] = what.encode()[:79]
        header["intent_code"] = 0
        volume = planes.transpose(2, 1, 0).reshape(self.source.shape)
        made = type(self.source)(volume, None, header=header)
        with atomic_path(path) as temporary:
            made.to_filename(temporary)


def read(path: Path) -> Scan:
    """Read the slices of a NIfTI file of two or three dimensions.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is damaged, or no NIfTI file.
        ImageError: More dimensions, colour, or too many voxels.
        ToolMissingError: nibabel is not installed.
    """
    try:
        import nibabel
    except ModuleNotFoundError as error:
        raise ToolMissingError(
            str(path),
            expected="the Python package nibabel, which reads NIfTI",
            got="none",
            hint="Install it: pip install 'quantunet[medical]'.",
        ) from error
    with reading(path, "a whole NIfTI file"):
        source: Nifti = nibabel.load(path)
        shape = _shape(source, str(path))
        data: Any = source.dataobj
        values = np.asarray(data.get_unscaled()).reshape(shape).transpose(2, 1, 0)
        scale = Scale(Fraction(float(data.slope)), Fraction(float(data.inter)))
    suffix = next(suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix))
    is_bytes = values.dtype == np.uint8 and scale == Scale()
    return Scan(
        np.ascontiguousarray(values), NiftiResults(source, suffix), scale, is_bytes=is_bytes, spacing=_spacing(source)
    )


def _shape(source: Nifti, where: str) -> tuple[int, int, int]:
    """Check what the header says, before a voxel is unpacked; axes of one entry behind the third are left out."""
    if not hasattr(source.header, "get_xyzt_units"):
        raise FileFormatError(where, expected="a NIfTI file", got=type(source).__name__)
    shape = tuple(int(side) for side in source.shape)
    if len(shape) < 2 or any(side != 1 for side in shape[3:]) or not all(shape):
        raise ImageError(
            where,
            expected="two or three dimensions",
            got="x".join(map(str, shape)),
            hint="Write each point in time, or each channel, as a file of its own.",
        )
    columns, rows, planes = (*shape, 1)[:3]
    if columns * rows > MAX_PIXELS or columns * rows * planes > 8 * MAX_PIXELS:
        raise ImageError(where, expected=f"slices of at most {MAX_PIXELS} pixels", got="x".join(map(str, shape)))
    if source.get_data_dtype().kind not in "uif":
        raise ImageError(where, expected="one number a voxel", got=str(source.get_data_dtype()))
    return columns, rows, planes


def _spacing(source: Nifti) -> tuple[Fraction, Fraction] | None:
    """Height and width of a pixel in mm, where the file says its unit of length."""
    factor = _MILLIMETRES.get(source.header.get_xyzt_units()[0])
    width, height = (Fraction(float(side)) for side in source.header.get_zooms()[:2])
    return None if factor is None or width <= 0 or height <= 0 else (factor * height, factor * width)
