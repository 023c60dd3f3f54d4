"""Colours of classes are said in one place: in a legend that is drawn, in that of a page, and in a class map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quantunet.class_colours import LINE, drawn_legend, legend, palette
from quantunet.mask_pictures import Case, save_cases, save_overlay, save_sheet
from quantunet.page.parts import Page, Section
from quantunet.page.pictures import class_legend
from quantunet.page.render import render

NAMES = ("background", "disc", "ball", "<b>box</b>")


def colours_of(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in np.asarray(picture).reshape(-1, 3).tolist()}


def test_a_legend_has_the_colours_of_the_class_map() -> None:
    rows = legend(NAMES)
    assert [colour for colour, _ in rows] == [tuple(colour) for colour in palette(4).tolist()][1:]
    assert [text for _, text in rows] == ["1 disc", "2 ball", "3 <b>box</b>"]
    assert {colour for colour, _ in rows} < colours_of(drawn_legend(NAMES, 400))
    html = render(Page("x", "t", "", "", "", [Section("s", class_legend(NAMES))]))
    for red, green, blue in (colour for colour, _ in rows):
        assert html.count(f"background:rgb({red},{green},{blue})") == 1
    assert "&lt;b&gt;box" in html and "<b>box" not in html
    assert class_legend(()) == []


@pytest.mark.parametrize(("width", "lines"), [(400, 1), (100, 3), (8, 3)])
def test_a_legend_takes_the_lines_that_it_needs(width: int, lines: int) -> None:
    assert drawn_legend(NAMES, width).shape == (lines * LINE, width, 3)
    assert drawn_legend((), width).shape == (0, width, 3)
    assert drawn_legend(("background", *map(str, range(1, 256))), 400).shape[0] > LINE


def test_pictures_have_a_legend_where_classes_have_names(tmp_path: Path) -> None:
    image, classes = np.full((32, 64, 1), 90, np.uint8), np.zeros((32, 64), np.int64)
    classes[4:9, 4:9] = 2  # of classes 1 and 3 there is nothing but the legend
    case = Case("x", image, classes, classes)
    for name, write in (
        ("overlay", lambda path, names: save_overlay(path, image, classes, 4, names=names)),
        ("cases", lambda path, names: save_cases(path, [case], names)),
        ("sheet", lambda path, names: save_sheet(path, [("x", [case, case])], names=names)),
    ):
        found = []
        for names in ((), NAMES):
            write(tmp_path / f"{name}.png", names)
            with Image.open(tmp_path / f"{name}.png") as picture:
                found.append(np.asarray(picture.convert("RGB")))
        plain, told = found
        assert told.shape[1] == plain.shape[1] and told.shape[0] - plain.shape[0] in (LINE, 2 * LINE)
        absent = {tuple(palette(4)[index].tolist()) for index in (1, 3)}
        assert absent <= colours_of(told) and not absent & colours_of(plain), name
