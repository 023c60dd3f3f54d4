"""Files of every format: what is read of them, what is refused, and that results lie where the scan lies."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from helpers.scans import TURNED, dicom, nifti
from PIL import Image
from pydicom.dataset import Dataset

from quantunet import scan_files
from quantunet.errors import FileFormatError, ImageError, QuantUNetError, StorageError, ToolMissingError
from quantunet.pixel_window import Scale, Window
from quantunet.scan import Windowing, scan_bytes

GRAY = np.random.default_rng(0).integers(0, 256, size=(6, 10)).astype(np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, size=(6, 10, 3)).astype(np.uint8)
DEEP = np.random.default_rng(2).integers(0, 4096, size=(6, 10)).astype(np.uint16)
MASK = (GRAY > 127).astype(np.uint8)


def picture(path: Path, values: np.ndarray, **options: Any) -> Path:
    Image.fromarray(values).save(path, **options)
    return path


def shown(path: Path, windowing: Windowing | None = None) -> np.ndarray:
    return scan_bytes(scan_files.read(path), windowing or Windowing(), str(path))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_masks_have_the_format_of_the_picture(tmp_path: Path, suffix: str) -> None:
    path = picture(tmp_path / f"a{suffix}", GRAY)
    scan = scan_files.read(path)
    assert (shown(path) == GRAY[None, :, :, None]).all()
    assert scan.results.suffix == suffix and scan.spacing is None
    for as_index, white in ((False, 255), (True, 1)):
        scan.results.write_classes(tmp_path / f"m{suffix}", MASK[None], 2, as_index=as_index)
        with Image.open(tmp_path / f"m{suffix}") as mask, Image.open(path) as original:
            assert mask.format == original.format
            assert (np.asarray(mask) == white * MASK).all()
    scan.results.write_classes(tmp_path / f"c{suffix}", 3 * MASK[None], 4, as_index=False)
    with Image.open(tmp_path / f"c{suffix}") as classes:
        assert classes.mode == "P" and (np.asarray(classes) == 3 * MASK).all()


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".gif", ".ppm"])
def test_masks_of_other_pictures_are_png(tmp_path: Path, suffix: str) -> None:
    assert scan_files.read(picture(tmp_path / f"a{suffix}", GRAY)).results.suffix == ".png"


def test_colour_and_what_says_nothing(tmp_path: Path) -> None:
    assert (shown(picture(tmp_path / "c.png", COLOUR)) == COLOUR[None]).all()
    gray = np.repeat(GRAY[..., None], 3, axis=2)
    assert (shown(picture(tmp_path / "g.png", gray)) == GRAY[None, :, :, None]).all()
    clear = np.concatenate([COLOUR, np.full((6, 10, 1), 40, np.uint8)], axis=2)
    with pytest.raises(ImageError, match="with transparency"):
        scan_files.read(picture(tmp_path / "t.png", clear))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_need_a_window(tmp_path: Path, suffix: str) -> None:
    path = picture(tmp_path / f"d{suffix}", DEEP)
    with pytest.raises(ImageError, match=f"uint16 values from {DEEP.min()} to {DEEP.max()}"):
        shown(path)
    got = shown(path, Windowing(Window(Fraction(0), Fraction(4095))))
    assert (got[0, :, :, 0] == np.rint(DEEP.astype(int) * 255 / 4095)).all()
    own = shown(path, Windowing(own_extent=True))
    assert (own.min(), own.max()) == (0, 255)


def test_a_16_bit_probability_is_kept(tmp_path: Path) -> None:
    scan = scan_files.read(picture(tmp_path / "a.bmp", GRAY))
    scan.results.write_probabilities(tmp_path / "p.png", DEEP[None], "class 1")
    assert (np.asarray(Image.open(tmp_path / "p.png")) == DEEP).all()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("planes", [None, 1, 3])
def test_nifti_results_lie_where_the_scan_lies(tmp_path: Path, suffix: str, planes: int | None) -> None:
    shape = (10, 6) if planes is None else (10, 6, planes)
    values = np.random.default_rng(4).integers(0, 256, size=shape).astype(np.uint8)
    path = nifti(tmp_path / f"a{suffix}", values)
    scan = scan_files.read(path)
    count = planes or 1
    got = shown(path)
    assert got.shape == (count, 6, 10, 1)
    assert got[-1, 2, 7, 0] == values.reshape(10, 6, count)[7, 2, -1]
    assert scan.results.suffix == suffix
    assert scan.spacing == (Fraction(2), Fraction(3))
    scan.results.write_classes(tmp_path / f"m{suffix}", (got[..., 0] > 127).astype(np.uint8), 2, as_index=False)
    made, source = nibabel.load(tmp_path / f"m{suffix}"), nibabel.load(path)
    assert made.shape == source.shape and made.get_data_dtype() == np.uint8
    assert (made.affine == source.affine).all() and (made.affine == TURNED).all()
    assert made.header.get_xyzt_units() == source.header.get_xyzt_units()
    assert (np.asarray(made.dataobj) == (values > 127)).all()
    scan.results.write_probabilities(tmp_path / f"p{suffix}", np.full((count, 6, 10), 65535, np.uint16), "class 1")
    shares = nibabel.load(tmp_path / f"p{suffix}")
    assert shares.get_data_dtype() == np.float32 and (np.asarray(shares.dataobj) == 1).all()


def test_nifti_values_are_scaled_as_the_file_says(tmp_path: Path) -> None:
    values = np.arange(-30, 30, dtype=np.int16).reshape(10, 6, 1)
    path = nifti(tmp_path / "a.nii", values, slope=2, inter=-10)
    assert scan_files.read(path).scale == Scale(Fraction(2), Fraction(-10))
    got = shown(path, Windowing(Window(Fraction(-10), Fraction(245))))
    assert (got[0, :, :, 0] == (2 * values[:, :, 0].T).clip(0, 255)).all()


def test_nifti_without_a_unit_has_no_spacing(tmp_path: Path) -> None:
    assert scan_files.read(nifti(tmp_path / "a.nii", GRAY.T, unit=None)).spacing is None
    assert scan_files.read(nifti(tmp_path / "b.nii", GRAY.T, unit="micron")).spacing == (
        Fraction(2, 1000),
        Fraction(3, 1000),
    )


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (np.zeros((4, 4, 2, 3), np.uint8), "4x4x2x3"),
        (np.zeros((4, 4, 2), np.complex64), "complex64"),
        (np.zeros(4, np.uint8), "4"),
    ],
)
def test_nifti_files_of_other_kinds_are_refused(tmp_path: Path, values: np.ndarray, got: str) -> None:
    with pytest.raises(ImageError, match=got):
        scan_files.read(nifti(tmp_path / "a.nii", values))


def test_dicom_results_belong_to_the_same_patient_and_place(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a.dcm", GRAY)
    scan = scan_files.read(path)
    assert scan.is_bytes and (shown(path) == GRAY[None, :, :, None]).all()
    assert scan.spacing == (Fraction(1, 2), Fraction(1, 4))
    scan.results.write_classes(tmp_path / "m.dcm", MASK[None], 2, as_index=False)
    made, source = pydicom.dcmread(tmp_path / "m.dcm"), pydicom.dcmread(path)
    assert (made.pixel_array == MASK).all()
    for name in ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "PixelSpacing",
                 "ImagePositionPatient", "ImageOrientationPatient", "Modality"):  # fmt: skip
        assert made[name].value == source[name].value
    assert made.SOPInstanceUID != source.SOPInstanceUID and made.SeriesInstanceUID != source.SeriesInstanceUID
    assert made.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    scan.results.write_classes(tmp_path / "again.dcm", MASK[None], 2, as_index=False)
    assert (tmp_path / "again.dcm").read_bytes() == (tmp_path / "m.dcm").read_bytes()
    scan.results.write_probabilities(tmp_path / "p.dcm", DEEP[None], "class 1")
    shares = pydicom.dcmread(tmp_path / "p.dcm")
    assert (shares.pixel_array == DEEP).all()
    assert float(shares.RescaleSlope) * 65535 == pytest.approx(1, abs=1e-8)


def test_dicom_frames_and_colour(tmp_path: Path) -> None:
    frames = np.stack([GRAY, 255 - GRAY, GRAY])
    path = dicom(tmp_path / "f.dcm", frames)
    assert (shown(path)[..., 0] == frames).all()
    scan_files.read(path).results.write_classes(tmp_path / "m.dcm", frames % 2, 2, as_index=False)
    assert (pydicom.dcmread(tmp_path / "m.dcm").pixel_array == frames % 2).all()
    assert (shown(dicom(tmp_path / "c.dcm", COLOUR)) == COLOUR[None]).all()


@pytest.mark.parametrize(
    ("fields", "window"),
    [
        ({"WindowCenter": "0", "WindowWidth": "401"}, Window(Fraction(-401, 2) + 0, Fraction(399, 2))),
        ({"WindowCenter": ["40", "9"], "WindowWidth": ["400", "5"]}, Window(Fraction(-160), Fraction(239))),
        (
            {"WindowCenter": "40.5", "WindowWidth": "400", "VOILUTFunction": "LINEAR_EXACT"},
            Window(Fraction(-319, 2), Fraction(481, 2)),
        ),
        ({"WindowCenter": "40", "WindowWidth": "400", "VOILUTFunction": "SIGMOID"}, None),
        ({}, None),
    ],
)
def test_dicom_says_itself_what_is_black_and_white(
    tmp_path: Path, fields: dict[str, Any], window: Window | None
) -> None:
    stored = DEEP.astype(np.int16) - 2000
    path = dicom(tmp_path / "a.dcm", stored, RescaleSlope="0.5", RescaleIntercept="-3", **fields)
    scan = scan_files.read(path)
    assert scan.scale == Scale(Fraction(1, 2), Fraction(-3))
    assert scan.window == window
    if window is None:
        with pytest.raises(ImageError, match="--window LOW HIGH"):
            shown(path)
        return
    values = stored / 2 - 3
    low, high = float(window.low), float(window.high)
    assert (shown(path)[0, :, :, 0] == np.rint((255 * (values - low) / (high - low)).clip(0, 255))).all()


def test_dicom_whose_least_value_is_white(tmp_path: Path) -> None:
    path = dicom(tmp_path / "a.dcm", GRAY, PhotometricInterpretation="MONOCHROME1")
    assert (shown(path) == 255 - GRAY[None, :, :, None]).all()


def test_the_spacing_of_ultrasound_is_that_of_its_regions(tmp_path: Path) -> None:
    def region(delta: float, unit: int = 3) -> Dataset:
        made = Dataset()
        made.RegionSpatialFormat = 1
        made.PhysicalUnitsXDirection = made.PhysicalUnitsYDirection = unit
        made.PhysicalDeltaX, made.PhysicalDeltaY = delta, 2 * delta
        return made

    def spacing(*regions: Dataset) -> tuple[Fraction, Fraction] | None:
        path = dicom(tmp_path / "a.dcm", GRAY, PixelSpacing=None, SequenceOfUltrasoundRegions=list(regions))
        return scan_files.read(path).spacing

    assert spacing(region(0.0625), region(0.0625)) == (Fraction(5, 4), Fraction(5, 8))
    assert spacing(region(0.0625), region(0.125)) is None
    assert spacing(region(0.0625, unit=4)) is None
    assert spacing() is None


def enhanced(path: Path) -> Path:
    return dicom(path, GRAY, SharedFunctionalGroupsSequence=[Dataset()])


def without_pixels(path: Path) -> Path:
    data = pydicom.dcmread(dicom(path, GRAY))
    del data.PixelData
    data.save_as(path)
    return path


@pytest.mark.parametrize(
    ("make", "error", "got"),
    [
        (enhanced, ImageError, "enhanced multi-frame"),
        (without_pixels, FileFormatError, "without pixels"),
        (lambda path: dicom(path, GRAY, PhotometricInterpretation="PALETTE COLOR"), ImageError, "PALETTE COLOR"),
        (lambda path: dicom(path, GRAY, ModalityLUTSequence=[Dataset()]), ImageError, "table of modality values"),
        (lambda path: dicom(path, GRAY, RescaleSlope="2", WindowCenter=None), ImageError, "uint8 values"),
    ],
)
def test_dicom_files_of_other_kinds_are_refused(tmp_path: Path, make: Any, error: type, got: str) -> None:
    path = make(tmp_path / "a.dcm")
    with pytest.raises(error, match=got) as caught:
        shown(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".dcm", ".png"])
def test_damaged_files_are_one_sentence(tmp_path: Path, suffix: str) -> None:
    whole = {
        ".nii.gz": lambda path: nifti(path, GRAY.T),
        ".nii": lambda path: nifti(path, GRAY.T),
        ".dcm": lambda path: dicom(path, GRAY),
        ".png": lambda path: picture(path, GRAY),
    }[suffix](tmp_path / f"a{suffix}").read_bytes()
    rng, refused = np.random.default_rng(5), 0
    for index in range(60):
        damaged = bytearray(whole[: rng.integers(0, len(whole))] if index % 2 else whole)
        for place in rng.integers(0, max(len(damaged), 1), size=index % 7):
            if damaged:
                damaged[min(place, len(damaged) - 1)] = rng.integers(0, 256)
        path = tmp_path / f"b{suffix}"
        path.write_bytes(bytes(damaged))
        try:
            shown(path, Windowing(own_extent=True))
        except QuantUNetError as error:
            assert error.where.startswith(str(path)) and "\n" not in str(error)
            refused += 1
    assert refused > 15


@pytest.mark.parametrize(("package", "suffix"), [("pydicom", ".dcm"), ("nibabel", ".nii.gz")])
def test_a_missing_package_is_named(tmp_path: Path, package: str, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ToolMissingError, match=r"pip install 'quantunet\[medical\]'"):
        scan_files.read(tmp_path / f"a{suffix}")


def test_what_a_folder_holds(tmp_path: Path) -> None:
    dicom(tmp_path / "1.2.840.5", GRAY)
    dicom(tmp_path / "IM0001", GRAY)
    for name in ("text", "notes.txt", ".hidden.png", "a.nii.txt", "1.2.3"):
        (tmp_path / name).write_text("x" * 200)
    for name in ("a.PNG", "b.Tiff", "c.nii.gz", "d.DCM", "e.jpeg"):
        (tmp_path / name).write_text("")
    taken = {path.name for path in tmp_path.iterdir() if scan_files.is_taken(path)}
    assert taken == {"1.2.840.5", "IM0001", "a.PNG", "b.Tiff", "c.nii.gz", "d.DCM", "e.jpeg"}
    assert scan_files.read(tmp_path / "IM0001").is_bytes


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("a.png", "a.dcm", "a.nii", "a"):
        with pytest.raises((StorageError, FileFormatError), match=str(tmp_path / name)):
            scan_files.read(tmp_path / name)
