"""How many beats a module takes while nobody takes any of its own, for benches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from helpers.benches.cases import Case
from helpers.benches.tb_capacity import PLAN_FILE

from quantunet.hls.modules.table import module_of

BENCH = "helpers.benches.tb_capacity"


def promised(case: Case) -> list[int]:
    """Return the beats of each input that the module's sheet says are taken, or all that are sent."""
    sheet, params = module_of(case.instance), dict(case.instance.params)
    taken = (int(sheet.taken(params, np.array([0]), index)[0]) for index in range(len(case.instance.inputs)))
    return [min(pair) for pair in zip(_sent(case), taken, strict=True)]


def shows(case: Case) -> bool:
    """Return whether more is sent than is taken, so that the case says something."""
    return promised(case) != _sent(case)


def _sent(case: Case) -> list[int]:
    streams = {stream.name: stream for stream in case.streams}
    return [len(case.frames[name]) * streams[name].beats for _, name in case.instance.inputs]


def write_plan(cases: Sequence[Case], folder: Path) -> None:
    """Write what the bench expects of some cases into its working folder."""
    (folder / PLAN_FILE).write_text(json.dumps([promised(case) for case in cases]), encoding="utf-8")
