"""Generated phantoms."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from quantunet import cli
from quantunet.model import phantoms


def test_deterministic_by_seed():
    images, masks = phantoms.generate(3, 32, seed=5)
    again, masks_again = phantoms.generate(3, 32, seed=5)
    assert (images == again).all()
    assert (masks == masks_again).all()
    other, _ = phantoms.generate(3, 32, seed=6)
    assert (images != other).any()


def test_an_image_does_not_depend_on_how_many_there_are():
    assert (phantoms.generate(4, 32, seed=0)[0][:2] == phantoms.generate(2, 32, seed=0)[0]).all()


def test_types_and_values():
    images, masks = phantoms.generate(20, 32, seed=0)
    assert images.dtype == masks.dtype == np.uint8
    assert set(np.unique(masks)) == {0, 1}
    assert (images.std(axis=(1, 2)) > 10).all()
    assert 1 <= (~masks.any(axis=(1, 2))).sum() < 10  # some without a lesion


def test_lesions_are_dark():
    images, masks = phantoms.generate(20, 64, seed=0)
    lesion = masks.any(axis=(1, 2))
    inside = np.array([image[mask == 1].mean() for image, mask in zip(images[lesion], masks[lesion], strict=True)])
    around = np.array([image[mask == 0].mean() for image, mask in zip(images[lesion], masks[lesion], strict=True)])
    assert (inside < around).mean() > 0.8


def test_needs_no_torch():
    modules = "quantunet.model.phantoms, quantunet.model.config, quantunet.model.data"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_command_writes_image_and_mask(tmp_path, capsys):
    out, mask = tmp_path / "phantom.png", tmp_path / "mask.png"
    assert cli.main(["phantom", str(out), "--mask", str(mask), "--size", "32", "--seed", "5"]) == 0
    images, masks = phantoms.generate(1, 32, seed=5)
    with Image.open(out) as picture, Image.open(mask) as lesion:
        assert picture.mode == lesion.mode == "L"
        assert (np.asarray(picture) == images[0]).all()
        assert (np.asarray(lesion) == masks[0] * 255).all()
    assert str(out) in capsys.readouterr().out


@pytest.mark.parametrize("size", ["8", "-1"])
def test_command_refuses_a_tiny_size(tmp_path, size, capsys):
    assert cli.main(["phantom", str(tmp_path / "p.png"), "--size", size]) == 2
    assert "--size" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
