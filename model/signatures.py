"""Ways in which learning the bit-widths fails, read off the log of a training (arXiv 2503.08719 names them)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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


def _few(names: Sequence[str], count: int = 4) -> str:
    return ", ".join(names[:count]) + (", ..." if len(names) > count else "")
