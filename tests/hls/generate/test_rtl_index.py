"""The index of the SystemVerilog library is what its headers say."""

from __future__ import annotations

from pathlib import Path

from helpers.faults import library_with_text

from quantunet.hls.generate.device_package import PATH, device_package
from quantunet.hls.generate.rtl_index import RTL_FOLDER, index, read_library


def test_committed_index_is_what_the_command_writes() -> None:
    expected = index(read_library())
    assert (RTL_FOLDER / "README.md").read_text(encoding="utf-8") == expected, (
        "run `python -m quantunet.hls.generate.rtl_index`"
    )


def test_another_header_makes_another_index(tmp_path: Path) -> None:
    folder = library_with_text(tmp_path / "rtl", "qun_fork.sv", "/// Readers [1 or more]", "/// Readers [2 or more]")
    changed = index(read_library(folder))
    assert changed != index(read_library())
    assert "| Readers | 2 or more |" in changed


def test_every_module_says_who_uses_it() -> None:
    text = index(read_library())
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| [`qun_")}
    assert set(lines) == {path.stem for path in RTL_FOLDER.glob("*.sv")}
    assert lines["qun_lane_products"].endswith("| `qun_matrix_vector` |")
    assert lines["qun_frame_check"].endswith("| generated designs |")


def test_the_device_s_constants_are_those_of_python() -> None:
    assert PATH.read_text(encoding="utf-8") == device_package(), "run `python -m quantunet.hls.generate.rtl_index`"
