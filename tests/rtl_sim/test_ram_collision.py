"""A word that is read while it is written is wrong in every bench, so that no module can use one unseen."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.benches.cases import run_cases
from helpers.faults import library_with_text
from helpers.op_cases import maxpool2d_cases
from helpers.rtl import BUILD_ROOT, bench_module

from quantunet.errors import ToolFailedError


def _colliding_library(folder: Path) -> Path:
    """Return a library whose pooling writes its memory of columns while it reads it, and says nothing of it."""
    library = library_with_text(folder, "qun_maxpool2d.sv", "(take && !odd_column_q),\n", "(take),\n")
    pool = library / "qun_maxpool2d.sv"
    text = pool.read_text(encoding="utf-8")
    assert text.count("!(u_columns.write && u_columns.read)") == 1
    pool.write_text(text.replace("!(u_columns.write && u_columns.read)", "1'b1"), encoding="utf-8")
    return library


def _run(library: Path, folder: Path) -> int:
    folder.mkdir()
    case = maxpool2d_cases()[0]
    return len(run_cases([case], bench_module("maxpool2d"), BUILD_ROOT, folder, rtl_folder=library))


def test_a_word_that_was_written_while_it_was_read_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError, match=r"frame \d+ beat \d+: expected"):
        _run(_colliding_library(tmp_path / "rtl"), tmp_path / "run")


def test_the_simulator_alone_would_not_show_it(tmp_path: Path) -> None:
    library = _colliding_library(tmp_path / "rtl")
    ram = library / "qun_ram.sv"
    text = ram.read_text(encoding="utf-8")
    assert text.count("stored ^ {Bits{collided_q}}") == 1
    ram.write_text(text.replace("stored ^ {Bits{collided_q}}", "stored"), encoding="utf-8")
    assert _run(library, tmp_path / "run") > 0
