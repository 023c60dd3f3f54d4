"""Ways in which a training fails, read off its log (arXiv 2503.08719 names those of learned widths) and its masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantunet.model.class_scores import mean_dice
from quantunet.model.config import MAX_BITS, MIN_BITS

OSCILLATION = 0.05
"""Mean change of the validation Dice from one epoch to the next, in the last third of a phase, that is called one."""

STUCK_SHARE = 0.5
"""Share of all widths at one end of their range that is called stuck."""


def signatures(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Failure signatures of a training.

    Args:
        history: One row for each epoch: ``phase``, ``val_dice``, and the widths ``LAYER.weight``, ``LAYER.activation``.

    Returns:
        A sentence for each signature; empty where there is none. Widths that are not learned are not looked at.

    >>> rows = [{"phase": "qat", "val_dice": d, "a.weight": w, "a.activation": 2} for d, w in ((0.6, 8), (0.6, 2))]
    >>> signatures(rows)
    ['stuck at 2: 2 of 2 widths end at 2 bits (a.weight, a.activation)']
    """
    learned = [row for row in history if row["phase"] == "qat"]
    found = []
    names = [key for key in (learned[-1] if learned else {}) if key.endswith((".weight", ".activation"))]
    if any(row[name] != learned[0][name] for row in learned for name in names):
        low = [name for name in names if learned[-1][name] == MIN_BITS]
        high = [name for name in names if all(row[name] == MAX_BITS for row in learned)]
        for bits, those, what in ((MIN_BITS, low, "end at"), (MAX_BITS, high, "never left")):
            if len(those) > STUCK_SHARE * len(names):
                found.append(f"stuck at {bits}: {len(those)} of {len(names)} widths {what} {bits} bits ({_few(those)})")
    for phase in ("qat", "tune"):
        dice = [float(row["val_dice"]) for row in history if row["phase"] == phase]
        tail = dice[-max(3, len(dice) // 3) :]
        steps = [abs(b - a) for a, b in zip(tail, tail[1:], strict=False)]
        if steps and (mean := sum(steps) / len(steps)) > OSCILLATION:
            found.append(f"Dice oscillation: {mean:.3f} from epoch to epoch at the end of {phase}")
    return found


def failures(
    history: Sequence[Mapping[str, Any]],
    masks: NDArray[np.bool_] | NDArray[np.uint8],
    reference: NDArray[np.uint8],
    *,
    learned: bool,
    classes: int = 2,
) -> list[str]:
    """Reasons why a network is not worth publishing.

    Args:
        history: As for :func:`signatures`.
        masks: What the network makes of images that it was not trained on, ``(n, height, width)``; of them, at least
            one has a lesion.
        reference: The right masks, 0 and 1, or the class of each pixel.
        learned: Whether the widths were learned.
        classes: How many classes there are, the background included.

    Returns:
        A sentence for each: the masks are the same whatever the image, or no better than one that is foreground, or
        one class, everywhere, or no width has left its beginning.

    >>> black = np.zeros((2, 4, 4), np.bool_)
    >>> failures([], black, np.ones((2, 4, 4), np.uint8), learned=False)
    ['constant mask: each of 2 validation images is all background']
    """
    found = []
    count = f"each of {len(masks)} validation images"
    one = masks.flat[0]
    if (masks == one).all():
        kind = "background" if not one else "foreground" if classes == 2 else f"class {one}"
        found.append(f"constant mask: {count} is all {kind}")
    elif len(masks) > 1 and (masks == masks[0]).all():
        found.append(f"constant mask: {count} has the same mask")
    else:
        ours = mean_dice(masks, reference, classes)
        trivial = max(mean_dice(np.full_like(masks, each), reference, classes) for each in range(1, classes))
        if ours <= trivial:
            what = "foreground" if classes == 2 else "one class"
            found.append(
                f"no better than trivial: Dice {ours:.3f} on the validation part, of masks that are {what} "
                f"everywhere {trivial:.3f}"
            )
    rows = [row for row in history if row["phase"] == "qat"]
    names = [key for key in (rows[-1] if rows else {}) if key.endswith((".weight", ".activation"))]
    if learned and names and all(row[name] == MAX_BITS for row in rows for name in names):
        found.append(f"all widths as they began: {len(names)} of {len(names)} are {MAX_BITS} bits in each epoch")
    return found


def _few(names: Sequence[str], count: int = 4) -> str:
    return ", ".join(names[:count]) + (", ..." if len(names) > count else "")
