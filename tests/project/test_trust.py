"""The page of trust is made of its record, and says what the record says."""

from __future__ import annotations

import json

from helpers.trust import PAGE, PARTS, RECORD, entry, joined
from helpers.trust_page import page

from quantunet.hls.generate.rtl_project import RTL_FOLDER


def test_the_page_is_that_of_its_record() -> None:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    assert record and set(record) <= set(PARTS)
    assert PAGE.read_text(encoding="utf-8") == page(record), "run: nox -s trust -- --page"


def test_every_module_has_a_row() -> None:
    rows = page({})
    modules = [file.stem for file in RTL_FOLDER.glob("*.sv")]
    assert len(modules) > 50
    assert all(f"| `{module}` |" in rows for module in modules)


def test_a_mutant_that_lives_is_told() -> None:
    mutant = {"line": 7, "kind": "operator", "original": "a + b", "mutated": "a - b"}
    found = {"mutant": mutant, "bench": "add"}
    counted = {"module": "qun_add", "all": 3, "found": [found], "equivalent": [mutant]}
    record = {"mutants": entry("mutants", [counted | {"explained": [], "alive": [[mutant, "visible"]]}], (), 60)}
    text = page(record)
    assert "3 mutants: 1 proven to compute the same, 1 of the other 2 found (50.00 %), 0 explained, 1 alive" in text
    assert "- `qun_add`, line 7, operator: `a + b` → `a - b`: **alive**" in text
    assert "| `qun_add` | – | 1 of 2 |" in text


def test_a_file_of_some_modules_leaves_the_others_as_they_were() -> None:
    before = {"wall": 9, "modules": {"qun_add": {"found": 1}, "qun_pad": {"found": 2}}}
    now = {"wall": 5, "modules": {"qun_add": {"found": 3}}}
    assert joined(before, now) == {"wall": 5, "modules": {"qun_add": {"found": 3}, "qun_pad": {"found": 2}}}
    assert joined({"wall": 9, "passed": 4}, {"wall": 5, "passed": 2}) == {"wall": 5, "passed": 2}
