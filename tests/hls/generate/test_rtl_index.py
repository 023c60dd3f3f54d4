"""The index of the SystemVerilog library is what its headers say."""

from __future__ import annotations

import shutil
from pathlib import Path

from quantunet.hls.generate.rtl_index import RTL_FOLDER, index, read_library


def test_committed_index_is_what_the_command_writes() -> None:
    expected = index(read_library())
    assert (RTL_FOLDER / "README.md").read_text(encoding="utf-8") == expected, (
        "run `python -m quantunet.hls.generate.rtl_index`"
    )


def test_another_header_makes_another_index(tmp_path: Path) -> None:
    folder = tmp_path / "rtl"
    shutil.copytree(RTL_FOLDER, folder)
    fork = folder / "qun_fork.sv"
    text = fork.read_text(encoding="utf-8")
    assert text.count("/// Readers [1 or more]") == 1
    fork.write_text(text.replace("/// Readers [1 or more]", "/// Readers [2 or more]"), encoding="utf-8")
    changed = index(read_library(folder))
    assert changed != index(read_library())
    assert "| Readers | 2 or more |" in changed


def test_every_module_says_who_uses_it() -> None:
    text = index(read_library())
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| [`qun_")}
    assert set(lines) == {path.stem for path in RTL_FOLDER.glob("*.sv")}
    assert lines["qun_lane_products"].endswith("| `qun_matrix_vector` |")
    assert lines["qun_frame_check"].endswith("| generated designs |")
