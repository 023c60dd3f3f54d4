"""One op, one row, one stem: every room has the op's file, and has it once."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import pytest
from helpers.project import tracked_files

from quantunet.ops import OPS, Op, expected_files

PREFIXES = ("qun_", "tb_", "test_")
# Folders of sheets, and what they hold beside one file for each module of an op.
OP_FOLDERS: dict[str, set[str]] = {
    "golden/ops": set(),
    "hls/csim/lower": {"layer", "names", "network", "table", "weight_text", "window"},
    "hls/modules": {"sheet", "table"},
}
# Folders in which a file that is named after an op must be one of the op's files.
OP_ROOMS = ("golden/", "hls/", "rtl_sim/", "tests/golden/", "tests/rtl_sim/")


def stem_of(path: str) -> str:
    """Return a file's stem without the prefix that its room gives it."""
    stem = PurePosixPath(path).stem
    return next((stem.removeprefix(prefix) for prefix in PREFIXES if stem.startswith(prefix)), stem)


def second_files(op: Op, files: tuple[str, ...]) -> list[str]:
    """Return the files that bear an op's stem and are not in its row."""
    return [
        path
        for path in files
        if path.startswith(OP_ROOMS) and stem_of(path) == op.stem and path not in expected_files(op)
    ]


def test_each_op_has_one_row() -> None:
    assert Counter(op.stem for op in OPS).most_common(1)[0][1] == 1


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.stem)
def test_each_file_of_an_op_is_there(op: Op) -> None:
    assert [path for path in expected_files(op) if path not in tracked_files()] == []


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.stem)
def test_no_op_has_a_second_file(op: Op) -> None:
    assert second_files(op, tracked_files()) == []


@pytest.mark.parametrize("folder", OP_FOLDERS)
def test_op_folders_hold_ops_alone(folder: str) -> None:
    stems = {stem for op in OPS for stem in (op.stem, *op.modules)} | {"__init__"} | OP_FOLDERS[folder]
    inside = [path for path in tracked_files() if str(PurePosixPath(path).parent) == folder]
    assert inside
    assert [path for path in inside if PurePosixPath(path).stem not in stems] == []


def test_a_second_file_is_seen() -> None:
    op = OPS[0]
    assert second_files(op, ("golden/conv2d.py", "hls/rtl/qun_conv2d.sv", "hls/rtl/qun_ram.sv")) == ["golden/conv2d.py"]
