"""Each failure signature is found where it is, and not where it is not."""

import pytest

from quantunet.model.signatures import signatures


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
