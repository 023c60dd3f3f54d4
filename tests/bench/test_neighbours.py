"""The neighbours' recorded figures."""

import json

from benchmarks.neighbours import MACS, RECORDED, recorded


def test_recorded_figures_say_what_when_and_where() -> None:
    rows = recorded()
    assert len(rows) == len(json.loads(RECORDED.read_text(encoding="utf-8"))["figures"]) >= 4
    for row in rows:
        assert "recorded 2026-11" in row.note
        assert row.value > 0
    assert {row.subject for row in rows} >= {"L8: nngen 1.3.4", "L8: finn-plus 1.6.1", "L16: finn-plus 1.6.1"}


def test_area_time_is_over_the_multiplications_of_a_frame() -> None:
    assert MACS == {"l8": 147_456, "l16": 2_359_296}
    (row,) = [row for row in recorded() if row.subject.startswith("L16")]
    assert row.value == 21571 * 9280 / 2_359_296
