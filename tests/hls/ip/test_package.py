"""An IP's folder: every file is named, it is written whole or not at all, and nothing else is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.ip_tools import GRAPH, OPTIONS, write

from quantunet.errors import ModelError, StorageError
from quantunet.hls.choose.default import default_folding
from quantunet.hls.ip import litex, package
from quantunet.hls.ip.package import Options, Package
from quantunet.random_network import random_unet

PLAIN = Options(mhz=60.0, part="xc7a100tcsg324-1")


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def listed(made: Package) -> list[str]:
    return [name for part in made.parts for name in part.files]


def test_every_file_is_named_once(tmp_path: Path) -> None:
    made = write(tmp_path / "plain", options=PLAIN)
    assert len(listed(made)) > 40
    assert len(listed(made)) == len(set(listed(made)))
    assert set(listed(made)) == names(made.folder)
    assert "plain Verilog" not in {part.purpose for part in made.parts}
    assert {path.name for path in tmp_path.iterdir()} == {"plain"}


def test_the_same_network_gives_the_same_files(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, options=PLAIN).folder for name in ("first", "second"))
    assert names(first) == names(second)
    assert [name for name in names(first) if (first / name).read_bytes() != (second / name).read_bytes()] == []


def test_other_folders_are_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "work.txt").write_text("work", encoding="utf-8")
    for replace in (False, True):
        with pytest.raises(StorageError, match="with work.txt"):
            package.write(GRAPH, default_folding(GRAPH), folder, PLAIN, replace=replace)
    with pytest.raises(StorageError, match="Not a directory"):
        package.write(GRAPH, default_folding(GRAPH), folder / "work.txt", PLAIN)
    assert names(tmp_path) == {"mine/work.txt"}


def test_a_package_is_replaced_as_a_whole_where_that_is_asked_for(tmp_path: Path) -> None:
    made = write(tmp_path / "ip", options=PLAIN)
    (made.folder / "left.txt").write_text("left", encoding="utf-8")
    with pytest.raises(StorageError, match="--force"):
        write(tmp_path / "ip", options=PLAIN)
    other = random_unet(base=2, depth=1, size=4, seed=6, name="other")
    again = package.write(other, default_folding(other), made.folder, PLAIN, replace=True)
    assert again.ip.name == "qun_ip_other"
    assert names(made.folder) == set(listed(again))


def test_nothing_is_left_of_one_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = write(tmp_path / "ip", options=PLAIN)
    before = {name: (made.folder / name).read_bytes() for name in names(made.folder)}

    def fail(ip: object) -> dict[str, bytes]:
        raise ModelError("layer", expected="something else", got="this")

    monkeypatch.setattr(litex, "files", fail)
    for folder, replace in ((tmp_path / "ip", True), (tmp_path / "new", False)):
        with pytest.raises(ModelError, match="something else"):
            package.write(GRAPH, default_folding(GRAPH), folder, OPTIONS, replace=replace)
    assert [path.name for path in tmp_path.iterdir()] == ["ip"]
    assert {name: (made.folder / name).read_bytes() for name in names(made.folder)} == before
