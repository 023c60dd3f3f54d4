"""Each failure signature is found where it is, and not where it is not."""

import numpy as np
import pytest

from quantunet.model.signatures import failures, signatures


def _rows(phase, dice, *widths):
    return [
        {"phase": phase, "val_dice": d, **{f"layer{i}.weight": w[e] for i, w in enumerate(widths)}}
        for e, d in enumerate(dice)
    ]


CALM = [0.60, 0.61, 0.62, 0.62, 0.63, 0.63]


def test_a_training_that_went_well_has_none():
    assert signatures(_rows("qat", CALM, [8, 7, 6, 5, 4, 4], [8, 8, 7, 6, 6, 6])) == []


@pytest.mark.parametrize(
    ("widths", "text"),
    [
        (([8, 6, 4, 3, 2, 2], [8, 7, 5, 2, 2, 2], [8, 7, 6, 5, 5, 5]), "stuck at 2: 2 of 3"),
        (([8, 8, 8, 8, 8, 8], [8, 8, 8, 8, 8, 8], [8, 7, 6, 5, 5, 5]), "stuck at 8: 2 of 3"),
    ],
)
def test_stuck_widths(widths, text):
    (found,) = signatures(_rows("qat", CALM, *widths))
    assert found.startswith(text)
    assert "layer0.weight" in found


def test_widths_that_are_not_learned_are_not_stuck():
    assert signatures(_rows("qat", CALM, [2] * 6, [2] * 6)) == []


@pytest.mark.parametrize("phase", ["qat", "tune"])
def test_oscillation_of_the_dice(phase):
    (found,) = signatures(_rows(phase, [0.6, 0.6, 0.6, 0.7, 0.5, 0.7]))
    assert found.startswith("Dice oscillation: 0.200")
    assert phase in found


def test_the_float_phase_may_oscillate():
    assert signatures(_rows("float", [0.6, 0.1, 0.6, 0.1, 0.6, 0.1])) == []


REFERENCE = np.zeros((3, 8, 8), np.uint8)
REFERENCE[0, 2:5, 2:5] = REFERENCE[1, 4:8, 1:4] = 1
MOVED = _rows("qat", CALM, [8, 7, 6, 5, 4, 4], [8, 8, 7, 6, 6, 6])


def _found(masks, rows=MOVED, *, learned=True):
    return failures(rows, np.asarray(masks, np.bool_), REFERENCE, learned=learned)


def test_a_network_that_has_learned_something_has_not_failed():
    assert _found(REFERENCE) == []
    half = REFERENCE.copy()
    half[:, ::2] = 0
    assert _found(half) == []


@pytest.mark.parametrize(
    ("masks", "text"),
    [
        (REFERENCE * 0, "constant mask: each of 3 validation images is all background"),
        (REFERENCE * 0 + 1, "constant mask: each of 3 validation images is all foreground"),
        (np.stack([REFERENCE[0]] * 3), "constant mask: each of 3 validation images has the same mask"),
        (1 - REFERENCE, "no better than trivial: Dice 0.000 on the validation part, of masks that are foreground "),
    ],
)
def test_masks_that_no_training_is_needed_for(masks, text):
    (found,) = _found(masks)
    assert found.startswith(text)


def test_no_better_than_trivial_means_no_better():
    """All foreground has Dice 2f / (1 + f); one pixel less of background is better already."""
    masks = np.ones_like(REFERENCE)
    masks[2, 0, 0] = 0  # counts in no Dice: that image has no lesion
    (found,) = _found(masks)
    shares = REFERENCE[:2].mean(axis=(1, 2))
    assert f"everywhere {(2 * shares / (1 + shares)).mean():.3f}" in found
    masks[0, 0, 0] = 0
    assert _found(masks) == []


def test_widths_that_never_moved():
    rows = _rows("float", CALM) + _rows("qat", CALM, [8] * 6, [8] * 6)
    (found,) = _found(REFERENCE, rows)
    assert found == "all widths as they began: 2 of 2 are 8 bits in each epoch"
    assert _found(REFERENCE, rows, learned=False) == []
    assert _found(REFERENCE, _rows("qat", CALM, [8] * 6, [8, 8, 8, 8, 8, 7])) == []
