"""Devices: which there are, which is the smallest with room, and how much of its block RAM a folding may take."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from quantunet.constraints import device as module
from quantunet.constraints.board import RESOURCES, board_names, load_board
from quantunet.constraints.device import DEVICES_FILE, devices, of_family, smallest
from quantunet.errors import BoardError


def test_every_board_has_its_device_and_sizes_grow() -> None:
    found = {device.name: device for device in devices()}
    for name in board_names():
        board = load_board(name)
        assert name in found[board.device].boards
        assert found[board.device].budget == board.budget
    names = [device.name for device in of_family("ecp5")]
    assert names == ["LFE5U-25F", "LFE5U-45F", "LFE5U-85F"]
    for resource in RESOURCES:
        counts = [getattr(device.budget, resource).count for device in of_family("ecp5")]
        assert counts == sorted(set(counts)), resource


def test_a_folding_may_take_95_percent_of_the_block_ram_and_all_of_the_rest() -> None:
    budget = load_board("ulx3s_85f").budget
    assert budget.limits == {"lut": 83640, "ff": 83640, "dsp": 156, "bram": 197}
    small = dataclasses.replace(budget, bram=dataclasses.replace(budget.bram, count=20))
    assert small.limits["bram"] == 19


def test_the_smallest_device_with_room_is_found_for_each_resource() -> None:
    for resource in RESOURCES:
        for device in of_family("ecp5"):
            most = device.budget.limits[resource]
            assert smallest({resource: most}, "ecp5") == device
            assert device.lacks({resource: most}) == {}
            assert device.lacks({resource: most + 3}) == {resource: 3}
    assert smallest({"bram": 198}, "ecp5") is None
    assert smallest({"bram": 198}, "xc7") == of_family("xc7")[0]
    assert [str(device) for device in of_family("ecp5")] == ["LFE5U-25F", "LFE5U-45F", "LFE5U-85F (ulx3s_85f)"]


def test_a_damaged_table_of_devices_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = DEVICES_FILE.read_text(encoding="utf-8")
    path = tmp_path / "devices.toml"
    monkeypatch.setattr(module, "DEVICES_FILE", path)
    for old, new, key in (('family = "ecp5"', 'family = "ice"', "family"), ("count = 56", "count = 0", "bram")):
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(BoardError, match=key):
            devices.__wrapped__()
