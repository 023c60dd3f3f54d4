"""What every file of the SystemVerilog library keeps to, beyond what linters see."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.faults import library_with_text
from helpers.project import ROOT

from quantunet.errors import FileFormatError
from quantunet.hls.generate.rtl_index import read_library, read_module
from quantunet.hls.generate.rtl_project import RTL_FOLDER

LIBRARY = sorted(RTL_FOLDER.glob("*.sv"))
BENCHES = sorted((ROOT / "rtl_sim" / "hdl").glob("*.sv"))
TEMPLATES = sorted([*(ROOT / "hls" / "templates").glob("*.j2"), *(ROOT / "rtl_sim" / "templates").glob("*.j2")])


def reset_faults(text: str) -> list[str]:
    """Return where a file resets otherwise than by a last ``if (!rst_n)`` in an ``always_ff @(posedge clk)``."""
    faults = [line for line in text.splitlines() if "negedge" in line or re.search(r"posedge (?!clk\))", line)]
    lines = text.splitlines()
    for number, line in enumerate(lines):
        found = re.match(r"( *)(?:end else )?if \(!rst_n\)(.*)", line)
        if found is None:
            continue
        if line.lstrip() != "if (!rst_n) begin":
            faults.append(f"{number + 1}: {line}")
            continue
        end = next(i for i in range(number + 1, len(lines)) if re.match(rf"{found[1]}end\b", lines[i]))
        if lines[end].strip() != "end":
            faults.append(f"{number + 1}: {lines[end]}")
        elif lines[end + 1].strip() != "end":
            faults.append(f"{number + 1}: something follows the reset")
    return faults


def test_headers_and_parameters_are_whole() -> None:
    modules = read_library()
    assert [module.name for module in modules] == [path.stem for path in LIBRARY]
    assert sum(len(module.parameters) for module in modules) > 100
    for path, module in zip(LIBRARY, modules, strict=True):
        text = path.read_text(encoding="utf-8")
        assert len(module.parameters) == len(re.findall(r"^ *parameter ", text, re.MULTILINE)), path
        assert re.search(rf"^(module|package) {path.stem}\b", text, re.MULTILINE), path


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("// SPDX-License-Identifier: Apache-2.0\n", "// Apache\n", "SPDX"),
        ("// Throughput: one beat a cycle.\n", "", "Throughput"),
        ("    /// Beats that it holds [2 or more]\n", "", "Depth"),
        ("    /// Beats that it holds [2 or more]\n", "    /// Beats that it holds\n", "Depth"),
    ],
)
def test_missing_piece_of_a_header_is_named(right: str, wrong: str, expected: str, tmp_path: Path) -> None:
    folder = library_with_text(tmp_path / "rtl", "qun_fifo.sv", right, wrong)
    with pytest.raises(FileFormatError, match=expected):
        read_module(folder / "qun_fifo.sv")


def test_no_net_is_declared_by_accident() -> None:
    for path in (*LIBRARY, *BENCHES, *TEMPLATES):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert "SPDX-License-Identifier: Apache-2.0" in lines[0], path
        code = [line for line in lines if line.strip() and not line.startswith(("//", "{", "`include"))]
        assert code[0] == "`default_nettype none", path
        assert code[-1] == "`default_nettype wire", path
        assert not re.search(r"^ *input +(logic|int|longint)", "\n".join(code), re.MULTILINE), path


def test_one_reset_style() -> None:
    resets = 0
    for path in LIBRARY:
        text = path.read_text(encoding="utf-8")
        assert reset_faults(text) == [], path
        resets += text.count("if (!rst_n) begin")
    assert resets > 15


@pytest.mark.parametrize(
    "text",
    [
        "  always_ff @(posedge clk) begin\n    if (!rst_n) begin\n      a <= 0;\n    end else begin\n    end\n  end\n",
        "  always_ff @(posedge clk) begin\n    if (!rst_n) begin\n      a <= 0;\n    end\n    a <= b;\n  end\n",
        "  always_ff @(posedge clk or negedge rst_n) begin\n    a <= b;\n  end\n",
        "  always_ff @(posedge clk) begin\n    if (!rst_n) a <= 0;\n  end\n",
    ],
)
def test_another_reset_style_is_seen(text: str) -> None:
    assert len(reset_faults(text)) == 1
