"""Small folders in the layouts of the public data sets, and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]


def save(path: Path, values: NDArray[np.generic]) -> Path:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path)
    return path


def picture(seed: int, height: int = 40, width: int = 56, *, colour: bool = False) -> Bytes:
    """A picture with large and small structure, another one for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 200, (4, 4, 3 if colour else 1)).repeat(-(-height // 4), 0).repeat(-(-width // 4), 1)
    values = coarse[:height, :width] + rng.integers(0, 56, (height, width, 1))
    return np.asarray(values if colour else values[:, :, 0], np.uint8)


def mask(seed: int, height: int = 40, width: int = 56) -> Bytes:
    """A mask of 0 and 255 with one rectangle."""
    top, left = np.random.default_rng(seed).integers(2, height // 2, 2)
    values = np.zeros((height, width), np.uint8)
    values[top : top + height // 3, left : left + height // 3] = 255
    return values


BUSI = ("benign (1)", "benign (2)", "benign (10)", "malignant (1)", "normal (3)")


def busi(root: Path, names: Sequence[str] = BUSI) -> Path:
    """One image with three masks, one that is a near duplicate of the first, one without a lesion."""
    for index, name in enumerate(names):
        folder = root / name.split()[0]
        save(folder / f"{name}.png", picture(index).repeat(3).reshape(40, 56, 3))
        save(folder / f"{name}_mask.png", mask(index) * (not name.startswith("normal")))
    for extra in (1, 2):
        save(root / "benign" / f"benign (2)_mask_{extra}.png", mask(20 + extra))
    near = picture(0).astype(int)
    near[3:6, 3:6] = 255  # calipers
    save(root / "malignant" / "malignant (1).png", near)
    return root


BUSBRA = ("bus_0001-l", "bus_0001-r", "bus_0002-l", "bus_0010-s")


def busbra(root: Path) -> Path:
    """Three patients, one of them with two views."""
    (root / "BUSBRA").mkdir(parents=True)
    rows, folds = ["ID,Case,Histology,Pathology,BIRADS,Device,Width"], ["ID,Pathology,kFold"]
    for index, name in enumerate(BUSBRA):
        save(root / "BUSBRA" / "Images" / f"{name}.png", picture(index, 30 + index, 50))
        save(root / "BUSBRA" / "Masks" / f"mask_{name[4:]}.png", mask(index, 30 + index, 50))
        case, label = int(name[4:8]), ("malignant", "benign")[index // 2]
        rows.append(f'{name},{case},"cyst, simple",{label},{index + 2},GE Logiq 7 @10-14MHz,50')
        folds.append(f"{name},{label},{index + 1}")
    (root / "BUSBRA" / "bus_data.csv").write_text("\n".join(rows) + "\n", encoding="utf-8-sig")
    (root / "BUSBRA" / "5-fold-cv.csv").write_text("\r\n".join(folds[::-1][-1:] + folds[:0:-1]) + "\r\n")
    return root


CHASE = ("Image_01L", "Image_01R", "Image_12L")


def chase(root: Path) -> Path:
    """Two children, one of them with both eyes."""
    root.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(CHASE):
        Image.fromarray(picture(index, 960, 999, colour=True)).save(root / f"{name}.jpg", quality=95)
        for observer, suffix in enumerate(("_1stHO", "_2ndHO")):
            save(root / f"{name}{suffix}.png", mask(10 * index + observer, 960, 999))
    return root


NUCLEI = ("003cee", "00ae65", "a12f00", "b7")


def nuclei(root: Path) -> Path:
    """A dark picture, a light one, a stained one, and one larger than the others."""
    for index, name in enumerate(NUCLEI):
        height, width = (48, 64) if name == "b7" else (32, 32)
        values = (picture(index, height, width) // 4)[:, :, None].repeat(4, axis=2)
        values[:, :, :3] += np.uint8(150 if name == "00ae65" else 0)
        if name == "a12f00":
            values[:, :, 1] += np.uint8(40)
        values[:, :, 3] = 255
        save(root / "stage1_train" / name / "images" / f"{name}.png", values)
        for nucleus in range(index + 1):
            save(root / "stage1_train" / name / "masks" / f"{nucleus}.png", mask(nucleus, height, width))
    return root


ISIC = ("ISIC_0000000", "ISIC_0000003", "ISIC_0010001")


def isic(root: Path) -> Path:
    """Pictures and masks in two folders, with the superpixels that the archive has."""
    for index, name in enumerate(ISIC):
        path = root / "ISIC2018_Task1-2_Training_Input" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(index, colour=True)).save(path, quality=95)
        save(path.with_name(f"{name}_superpixels.png"), picture(index, colour=True))
        save(root / "ISIC2018_Task1_Training_GroundTruth" / f"{name}_segmentation.png", mask(index))
    return root


FOLDERS: dict[str, Callable[[Path], Path]] = {
    "busi": busi,
    "busbra": busbra,
    "chase": chase,
    "nuclei": nuclei,
    "isic": isic,
}
