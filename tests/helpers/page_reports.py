"""Pages of real runs against the reports beside them: every number, cell by cell where it is a table."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from helpers.pages import ReadPage, foreign_numbers, read_page
from PIL import Image

from quantunet.page.render import NAME


def _read(folder: Path, report: str = "report.json") -> tuple[Any, ReadPage]:
    return json.loads((folder / report).read_text(encoding="utf-8")), read_page(folder / NAME)


def _compared(report: Any) -> int:
    rtl = report["network_rtl"] or {"values_compared": 0, "layers": []}
    parts = [*report["layers"], rtl, *rtl["layers"]]
    return sum(part["values_compared"] for part in parts)


def check_cosim(folder: Path) -> ReadPage:
    """Compare the page of a co-simulation with its report."""
    report, page = _read(folder)
    rtl, layers = report["network_rtl"], report["layers"]
    differing = sum(layer["hls_mismatches"] + layer["rtl_mismatches"] for layer in layers)
    differing += rtl["mismatches"] + sum(layer["mismatches"] for layer in rtl["layers"]) if rtl else 0
    assert foreign_numbers(page, report, (_compared(report), differing)) == []
    assert page.fact("values compared").value == _compared(report) > 0
    assert page.fact("values that differ").value == differing
    columns = {"values": "values_compared", "cycles": "cycles", "predicted": "cycles_predicted",
               "ideal": "cycles_ideal",
               "PE": "pe", "SIMD": "simd", "differ HLS": "hls_mismatches", "differ RTL": "rtl_mismatches"}  # fmt: skip
    for title, key in columns.items() if layers else ():
        assert page.values("Each layer alone", title) == {layer["name"]: layer[key] for layer in layers}
    for title, key in (("input", "bits_in"), ("weights", "bits_w"), ("output", "bits_out")) if layers else ():
        assert page.values("Bits of a value", title) == {layer["name"]: layer[key] or None for layer in layers}
    if rtl and rtl["fifo_max_fill"]:
        fills = page.column("The most beats that each FIFO held", "fill")
        wanted = {name: f"{fill:,} of {depth:,}" for name, (depth, fill) in rtl["fifo_max_fill"].items()}
        assert {name: cell.text for name, cell in fills.items()} == wanted
    if rtl and rtl["layers"]:
        times = page.column("When each layer writes", "from first to last beat")
        assert {name: cell.text for name, cell in times.items()} == {
            layer["name"]: f"{layer['first_cycle']:,} to {layer['last_cycle']:,}" for layer in rtl["layers"]
        }
    assert report["tensors"]
    for title, key in (("never", "dead_codes"), ("zero", "zero_share"), ("constant channels", "constant_channels")):
        assert page.values("Codes of every tensor", title) == {one["name"]: one[key] for one in report["tensors"]}
    assert page.column("SHA-256", "digest")["graph"].text == report["provenance"]["sha256"]["graph"]
    assert (folder.parents[1] / "index.html").is_file()
    assert f"{folder.parent.name}/cosim/{NAME}" in (folder.parents[1] / "index.html").read_text(encoding="utf-8")
    _check_pictures(page)
    return page


def check_hls_synth(folder: Path) -> ReadPage:
    """Compare the page of a synthesis with its report."""
    report, page = _read(folder)
    keys = {"LUT": "lut", "FF": "ff", "DSP": "dsp", "block RAM": "bram"}
    sums = {key: sum(part[key] for part in report["plumbing"]) for key in keys.values()}
    assert foreign_numbers(page, report, sums.values()) == []
    for title, key in keys.items():
        found = page.values("Cells by layer", title)
        between = found.pop(f"between layers ({len(report['plumbing'])})", None)
        assert found == {layer["name"]: layer[key] for layer in report["layers"]}
        assert between == (sums[key] if report["plumbing"] else None)
        assert page.fact(title).value == report["total"][key]
        if report["board"]:
            assert (
                page.values("What the network takes", "share of the board's budget")[title]
                == (report["total"][f"{key}_percent"])
            )
    depths = {part["name"]: part["logic_depth"] for part in (*report["layers"], *report["plumbing"])}
    shown = page.values("Cells in a row", "logic depth")
    assert shown == {name: depths[name] for name in shown}
    assert max(depths.values()) == max(value or 0 for value in shown.values()) == report["total"]["logic_depth_max"]
    return page


def check_bitstream(folder: Path) -> ReadPage:
    """Compare the page of a bitstream with its report."""
    report, page = _read(folder)
    assert foreign_numbers(page, report) == []
    for clock in report["clocks"]:
        assert page.fact(f"{clock['name']} reaches").value == clock["mhz"]
    assert page.values("Cells used", "used") == {cell["kind"]: cell["used"] for cell in report["cells"]}
    for key in ("layer", "kind"):
        paths = {path[key]: path["arrival_ns"] for path in report["paths"][f"by_{key}"]}
        (caption,) = [name for name in page.tables if key in name and name.endswith("after the clock")]
        assert page.values(caption, "arrival") == paths
    return page


def check_evaluate(folder: Path) -> ReadPage:
    """Compare the page of an evaluation with its metrics."""
    report, page = _read(folder, "metrics.json")
    assert foreign_numbers(page, report) == []
    for part, found in report["parts"].items():
        if "classes" in found["network"]:
            rows = {str(row["class"]): row["dice"] for row in found["network"]["classes"]}
            assert page.values(f"Scores of the part {part}", "Dice") == rows
            continue
        measured = page.values(f"Scores of the part {part};", "measured")
        for name, key in (("Dice", "dice"), ("IoU", "iou"), ("images", "images"), ("HD95 in pixels", "hd95")):
            assert measured[name] == found["network"][key]
    _check_pictures(page)
    return page


def check_train(folder: Path, name: str) -> ReadPage:
    """Compare the page of a training with its card and its history."""
    card, page = _read(folder, f"{name}.json")
    history = list(csv.DictReader(io.StringIO((folder / "history.csv").read_text(encoding="utf-8"))))
    numbers = [float(row[key]) for row in history for key in ("epoch", "loss", "val_dice", "mean_bits", "seconds")]
    assert foreign_numbers(page, [card, numbers]) == []
    if "bits" in card:
        for title, key in (("weights", "weight"), ("activations", "activation")):
            widths = {layer: one[key] for layer, one in card["bits"]["layers"].items()}
            assert page.values("Bits of a value", title) == widths
    for kind in ("float", "quantised", "control"):
        for part, scores in card["scores"].get(kind, {}).items():
            assert page.values("Scores by network and part", f"{kind}, {part}")["Dice"] == scores["dice"]
    assert card["training"]["command"] in page.words
    _check_pictures(page)
    return page


def _check_pictures(page: ReadPage) -> None:
    for alt, data in page.pictures:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
        assert len(alt) > 10
