"""Small DICOM and NIfTI files, and pictures of any depth, for tests that read and write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

TURNED = np.array([[0, 2, 0, 5], [-3, 0, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1.0]])
"""An affine map whose axes are turned, and whose voxels are 3 x 2 x 4 mm."""


def nifti(path: Path, values: np.ndarray, *, unit: str | None = "mm", slope: float = 1, inter: float = 0) -> Path:
    """Write a NIfTI file of stored numbers ``(columns, rows, planes)``."""
    image = nibabel.Nifti1Image(values, TURNED)
    if unit:
        image.header.set_xyzt_units(unit)
    image.header.set_slope_inter(slope, inter)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.to_filename(path)
    if (slope, inter) != (1, 0):  # nibabel scales the values again when it writes them: put ours in their place
        header = image.header.copy()
        header.set_slope_inter(slope, inter)
        data = bytearray(path.read_bytes())
        data[112:116], data[116:120] = header["scl_slope"].tobytes(), header["scl_inter"].tobytes()
        data[352 : 352 + values.nbytes] = values.tobytes(order="F")
        path.write_bytes(bytes(data))
    return path


def dicom(path: Path, values: np.ndarray, **fields: Any) -> Path:
    """Write a DICOM file of ``(rows, columns)``, of ``(frames, rows, columns)``, or in RGB ``(rows, columns, 3)``."""
    colour = values.ndim == 3 and values.shape[-1] == 3
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3.1", "1.2.3.2", "1.2.3.3"
    data.PatientName, data.PatientID, data.Modality = "Doe^Jane", "7", "OT"
    data.ImagePositionPatient, data.ImageOrientationPatient = [1, 2, 3], [0, 1, 0, 1, 0, 0]
    data.PixelSpacing = ["0.5", "0.25"]
    data.SamplesPerPixel, data.PhotometricInterpretation = (3, "RGB") if colour else (1, "MONOCHROME2")
    if colour:
        data.PlanarConfiguration = 0
    frames = values if values.ndim == 3 and not colour else values[None]
    data.Rows, data.Columns = frames.shape[1:3]
    if len(frames) > 1:
        data.NumberOfFrames = len(frames)
    data.BitsAllocated = data.BitsStored = 8 * values.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(values.dtype.kind == "i")
    for name, value in fields.items():
        setattr(data, name, value)
        if value is None:
            delattr(data, name)
    pixels = values.tobytes()
    data.PixelData = pixels + b"\0" * (len(pixels) % 2)
    data["PixelData"].VR = "OB" if values.dtype.itemsize == 1 else "OW"
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path
