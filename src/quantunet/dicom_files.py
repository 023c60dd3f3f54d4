"""Scans from DICOM files, and masks as DICOM files of the same patient, study and place; by pydicom."""

from __future__ import annotations

import hashlib
import io
import uuid
import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quantunet.errors import FileFormatError, ImageError, ToolMissingError
from quantunet.images import MAX_PIXELS
from quantunet.pixel_window import Scale, Window
from quantunet.scan import PROBABILITY_STEPS, Bytes, Scan, reading
from quantunet.storage import atomic_path

if TYPE_CHECKING:
    from pydicom import Dataset

_GRAY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_MULTI_FRAME_CAPTURE = {8: "1.2.840.10008.5.1.4.1.1.7.2", 16: "1.2.840.10008.5.1.4.1.1.7.3"}
_CENTIMETRES, _PLANE = 3, 1  # of an ultrasound region: unit of its pixels, and its being an image of tissue
_VOI = ("WindowCenter", "VOILUTSequence")
_KEPT = (
    "SpecificCharacterSet", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyDescription",
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "SeriesNumber",
    "InstanceNumber", "AcquisitionNumber", "FrameOfReferenceUID", "PositionReferenceIndicator", "PatientOrientation",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "ImagerPixelSpacing", "SliceThickness",
    "SpacingBetweenSlices", "SliceLocation", "SequenceOfUltrasoundRegions", "Laterality", "BodyPartExamined",
)  # fmt: skip
"""What a mask takes over: whose it is, and where in the patient it lies."""

_NAMES = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality")
"""What a mask refers to."""


@dataclass(frozen=True, eq=False)
class DicomResults:
    """Masks and probabilities as secondary captures that refer to their source.

    Attributes:
        source: What the file says of patient, study and place, and its names.
    """

    source: Dataset

    @property
    def suffix(self) -> str:
        """Ending of a mask's file."""
        return ".dcm"

    @property
    def probability_suffix(self) -> str:
        """Ending of a file of probabilities."""
        return ".dcm"

    def write_classes(self, path: Path, classes: Bytes, count: int, *, as_index: bool) -> None:
        """Write the index of each pixel's class: of a mask 0 and 1."""
        self._write(path, classes, f"classes 0 to {count - 1}", Fraction(1))

    def write_probabilities(self, path: Path, values: npt.NDArray[np.uint16], name: str) -> None:
        """Write a probability, with the slope that makes 1 of 65535."""
        self._write(path, values, f"probability of {name}", Fraction(1, PROBABILITY_STEPS))

    def _write(self, path: Path, values: npt.NDArray[Any], what: str, slope: Fraction) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the source has against the standard is kept as it is
            made = self._made(values, what, slope)
            with atomic_path(path) as temporary:
                made.save_as(temporary, enforce_file_format=True)

    def _made(self, values: npt.NDArray[Any], what: str, slope: Fraction) -> Dataset:
        from pydicom.dataset import Dataset, FileMetaDataset
        from pydicom.uid import ExplicitVRLittleEndian

        bits = 8 * values.dtype.itemsize
        made = Dataset()
        for keyword in _KEPT:
            if keyword in self.source:
                made[keyword] = self.source[keyword]
        made.SOPClassUID = _MULTI_FRAME_CAPTURE[bits] if len(values) > 1 else _SECONDARY_CAPTURE
        # The same result has the same name, so that nothing depends on when it was made.
        source = str(self.source.get("SOPInstanceUID", ""))
        made.SOPInstanceUID = _uid(source, what, hashlib.sha256(values.tobytes()).hexdigest())
        made.SeriesInstanceUID = _uid(str(self.source.get("SeriesInstanceUID", source)), what)
        made.Modality = self.source.get("Modality", "OT")
        made.ConversionType = "WSD"
        made.ImageType = ["DERIVED", "SECONDARY"]
        made.SeriesDescription = f"QuantU-Net, {what}"[:64]
        made.DerivationDescription = f"QuantU-Net segmentation: {what}"
        if source:
            reference = Dataset()
            reference.ReferencedSOPClassUID = self.source.get("SOPClassUID", "")
            reference.ReferencedSOPInstanceUID = source
            made.SourceImageSequence = [reference]
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.Rows, made.Columns = values.shape[1:]
        if len(values) > 1:
            made.NumberOfFrames = len(values)
        made.BitsAllocated = made.BitsStored = bits
        made.HighBit, made.PixelRepresentation = bits - 1, 0
        made.RescaleIntercept, made.RescaleSlope, made.RescaleType = "0", f"{float(slope):.10g}", "US"
        pixels = values.astype(values.dtype.newbyteorder("<")).tobytes()
        made.PixelData = pixels + b"\0" * (len(pixels) % 2)
        made["PixelData"].VR = "OW" if bits > 8 else "OB"
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        return made


def _uid(*parts: str) -> str:
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"


def read(path: Path) -> Scan:
    """Read the frames of a DICOM file: gray of any depth, or RGB.

    Raises:
        StorageError: The file cannot be read.
        FileFormatError: It is damaged, or holds no pixels.
        ImageError: Pixels of another kind, or a look-up table that is not linear.
        ToolMissingError: pydicom, or what unpacks its pixels, is not installed.
    """
    try:
        import pydicom
    except ModuleNotFoundError as error:
        raise ToolMissingError(
            str(path),
            expected="the Python package pydicom, which reads DICOM",
            got="none",
            hint="Install it: pip install 'quantunet[medical]'.",
        ) from error
    with reading(path, "a whole DICOM file with pixels"):
        # From memory: of a damaged length, a file would be asked for gigabytes that it does not have.
        data = pydicom.dcmread(io.BytesIO(path.read_bytes()))
        _check(data, str(path))
        values, results = _pixels(data, str(path)), DicomResults(_kept(data))
        inverted = data.PhotometricInterpretation == "MONOCHROME1"
        if values.ndim == 4:
            return Scan(values, results, spacing=_spacing(data))
        scale, window = _scale(data, str(path)), _window(data)
        shown_as_stored = scale == Scale() and not any(keyword in data for keyword in _VOI)
        plain = values.dtype == np.uint8 and data.BitsStored == 8 and shown_as_stored
        return Scan(values, results, scale, window, plain, inverted, _spacing(data))


def _kept(data: Dataset) -> Dataset:
    """Take over what results say too; every value is looked at, so that a damaged one is found here."""
    from pydicom.dataset import Dataset

    kept = Dataset()
    for keyword in (*_KEPT, *_NAMES):
        if keyword in data:
            kept[keyword] = data[keyword]
    list(kept.iterall())
    return kept


def _check(data: Dataset, where: str) -> None:
    """Check what the header says, before a pixel is unpacked."""
    if "PixelData" not in data:
        raise FileFormatError(
            where, expected="a DICOM image", got=f"a file without pixels ({data.get('Modality', '?')})"
        )
    frames, size = int(data.get("NumberOfFrames") or 1), int(data.Rows) * int(data.Columns)
    if not 1 <= size <= MAX_PIXELS or not 1 <= frames * size <= 8 * MAX_PIXELS:
        raise ImageError(where, expected=f"1 to {MAX_PIXELS} pixels", got=f"{frames} x {data.Rows} x {data.Columns}")
    kind = data.PhotometricInterpretation
    if kind not in (*_GRAY, *_COLOUR) or (kind in _COLOUR and data.BitsAllocated != 8):
        raise ImageError(
            where,
            expected=f"gray ({', '.join(_GRAY)}), or colour of 8 bits ({', '.join(_COLOUR)})",
            got=f"{kind} of {data.BitsAllocated} bits",
            hint="Export it as gray or RGB.",
        )
    if "SharedFunctionalGroupsSequence" in data:
        raise ImageError(
            where,
            expected="a place in the patient for the whole file",
            got="one for each of its frames (an enhanced multi-frame image)",
            hint="Convert it to a NIfTI file, or to a DICOM file a slice.",
        )


def _pixels(data: Dataset, where: str) -> npt.NDArray[Any]:
    """Unpack the pixels: ``(frames, rows, columns)``, or with RGB behind."""
    from pydicom.pixels.utils import pixel_array

    try:
        values = np.asarray(pixel_array(data))
    except (RuntimeError, NotImplementedError) as error:
        raise ToolMissingError(
            where,
            expected=f"a Python package that unpacks {data.file_meta.TransferSyntaxUID.name}",
            got=" ".join(str(error).split())[:200],
            hint="Install one: pip install 'pylibjpeg[all]'; or export the file uncompressed.",
        ) from error
    return values.reshape(-1, data.Rows, data.Columns, *((3,) if data.SamplesPerPixel == 3 else ()))


def _scale(data: Dataset, where: str) -> Scale:
    if "ModalityLUTSequence" in data:
        raise ImageError(
            where,
            expected="values that are a slope and an intercept away from what is stored",
            got="a table of modality values",
            hint="Export the picture as it is shown, in 8 bits.",
        )
    slope = _number(data.get("RescaleSlope", 1))
    return Scale(slope or Fraction(1), _number(data.get("RescaleIntercept", 0)))


def _window(data: Dataset) -> Window | None:
    """What the file shows black and white, by its first window; None where that is no line."""
    if "WindowCenter" not in data or "WindowWidth" not in data:
        return None
    centre, width = (_number(_first(data[name].value)) for name in ("WindowCenter", "WindowWidth"))
    kind = data.get("VOILUTFunction", "LINEAR")
    if kind not in ("LINEAR", "LINEAR_EXACT") or width < 1:
        return None
    if kind == "LINEAR_EXACT":
        return Window(centre - width / 2, centre + width / 2)
    half = Fraction(1, 2)
    return Window(centre - half - (width - 1) / 2, centre - half + (width - 1) / 2)


def _spacing(data: Dataset) -> tuple[Fraction, Fraction] | None:
    """Height and width of a pixel in mm: of the file, or of the tissue in all regions of an ultrasound picture."""
    if "PixelSpacing" in data:
        rows, columns = (_number(value) for value in data.PixelSpacing)
        return (rows, columns) if rows > 0 and columns > 0 else None
    found = {
        (abs(Fraction(region.PhysicalDeltaY)), abs(Fraction(region.PhysicalDeltaX)))
        for region in data.get("SequenceOfUltrasoundRegions", [])
        if region.get("RegionSpatialFormat") == _PLANE
        and region.get("PhysicalUnitsXDirection") == region.get("PhysicalUnitsYDirection") == _CENTIMETRES
    }
    if len(found) != 1:
        return None
    ((rows, columns),) = found
    return (10 * rows, 10 * columns) if rows and columns else None


def _first(value: Any) -> Any:
    return value[0] if not isinstance(value, str | int | float) and hasattr(value, "__getitem__") else value


def _number(value: Any) -> Fraction:
    """A decimal number of DICOM, exactly as the file writes it."""
    return Fraction(str(getattr(value, "original_string", value)).strip())
