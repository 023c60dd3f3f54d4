"""Files of pictures, DICOM and NIfTI: which of a folder are taken, and how each is read."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from quantunet import dicom_files, nifti_files, raster_files
from quantunet.errors import StorageError
from quantunet.images import FORMATS
from quantunet.scan import Scan

DICOM = (".dcm", ".dicom", ".ima")
"""Endings of DICOM files, which may have none."""

_DICOM_MARK, _DICOM_PLACE = b"DICM", 128


def read(path: Path) -> Scan:
    """Read a file: DICOM by its mark, NIfTI by its ending, everything else as a picture.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is damaged, or of another format.
        ImageError: It is a picture of a kind that is refused.
        ToolMissingError: The package that reads it is not installed.
    """
    if path.name.lower().endswith(nifti_files.SUFFIXES):
        return nifti_files.read(path)
    if path.suffix.lower() in DICOM or _has_dicom_mark(path):
        return dicom_files.read(path)
    return raster_files.read(path)


def is_taken(path: Path) -> bool:
    """Whether a file of a folder is taken: by its ending, or as DICOM that has no ending by its mark.

    Raises:
        StorageError: It has no ending, and cannot be read.
    """
    name = path.name.lower()
    if name.startswith("."):
        return False
    pictures = {suffix for suffix, form in Image.registered_extensions().items() if form in FORMATS}
    if name.endswith(nifti_files.SUFFIXES) or path.suffix.lower() in {*pictures, *DICOM}:
        return True
    return not path.suffix.strip(".0123456789") and _has_dicom_mark(path)  # a DICOM file may be called 1.2.840.113


def stem(path: Path) -> str:
    """Return a file's name without its ending; what is behind a dot and no ending known here stays.

    >>> stem(Path("a/case.1.nii.gz")), stem(Path("b (1).PNG")), stem(Path("1.2.840.113"))
    ('case.1', 'b (1)', '1.2.840.113')
    """
    for suffix in (*nifti_files.SUFFIXES, *DICOM, *Image.registered_extensions()):
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.name


def _has_dicom_mark(path: Path) -> bool:
    if not path.is_file():  # reading a pipe would wait for its other end
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_DICOM_PLACE + len(_DICOM_MARK))
    except OSError as error:
        raise StorageError(
            str(path), expected="a readable file", got=error.strerror or str(error), hint="Check the path."
        ) from error
    return head[_DICOM_PLACE:] == _DICOM_MARK
