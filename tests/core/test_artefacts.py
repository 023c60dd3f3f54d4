"""A kept folder or value is used only as it was made."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from quantunet import artefacts
from quantunet.errors import StorageError, ToolFailedError

KEY = "key"


def make(folder: Path) -> None:
    (folder / "program").write_bytes(b"#!/bin/sh\nexit 0\n" * 200)
    (folder / "program").chmod(0o755)
    (folder / "sub").mkdir()
    (folder / "sub" / "data.txt").write_text("1, 2, 3")
    (folder / "notes.txt").write_text("may change")


def keep(folder: Path, key: str = KEY, **options: object) -> bool:
    return artefacts.keep(folder, key, make, free=("notes.txt",), **options)  # type: ignore[arg-type]


def content(folder: Path) -> dict[str, tuple[bytes, bool]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), os.access(path, os.X_OK)) for path in files}


def edited(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def exchanged(path: Path) -> None:
    path.unlink()
    path.symlink_to("/bin/true")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda folder: edited(folder / "program", lambda data: data[: len(data) // 2]),
    "zeros": lambda folder: edited(folder / "program", lambda data: bytes(len(data))),
    "empty": lambda folder: edited(folder / "program", lambda data: b""),
    "bit": lambda folder: edited(folder / "program", flipped),
    "another program": lambda folder: exchanged(folder / "program"),
    "not executable": lambda folder: (folder / "program").chmod(0o644),
    "a folder": lambda folder: ((folder / "program").unlink(), (folder / "program").mkdir()),
    "deleted": lambda folder: (folder / "program").unlink(),
    "deleted folder": lambda folder: shutil.rmtree(folder / "sub"),
    "edited text": lambda folder: (folder / "sub" / "data.txt").write_text("1, 2, 4"),
    "one more file": lambda folder: (folder / "sub" / "more.txt").write_text(""),
    "manifest deleted": lambda folder: (folder / artefacts.MANIFEST).unlink(),
    "manifest cut": lambda folder: edited(folder / artefacts.MANIFEST, lambda data: data[: len(data) // 2]),
    "manifest zeros": lambda folder: edited(folder / artefacts.MANIFEST, lambda data: bytes(len(data))),
    "manifest bit": lambda folder: edited(folder / artefacts.MANIFEST, flipped),
    "manifest not text": lambda folder: edited(folder / artefacts.MANIFEST, lambda data: b"\xff" + data),
    "manifest deep": lambda folder: edited(folder / artefacts.MANIFEST, lambda data: b"[" * 100_000),
    "manifest list": lambda folder: edited(folder / artefacts.MANIFEST, lambda data: b"[]"),
    "manifest of nothing": lambda folder: (folder / artefacts.MANIFEST).write_text('{"key": "key", "files": {}}'),
    "manifest of other things": lambda folder: (folder / artefacts.MANIFEST).write_text('{"key": "key", "files": 5}'),
    "a file": lambda folder: (shutil.rmtree(folder), folder.write_text("")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_noticed_and_mended(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "quantunet.artefacts")
    folder = tmp_path / "kept"
    assert keep(folder)
    whole = content(folder)
    assert not keep(folder)
    assert not caplog.records
    DAMAGE[kind](folder)
    assert keep(folder)
    assert content(folder) == whole
    assert not keep(folder)
    assert len(caplog.records) == 1 and "made again" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_every_bit_of_a_manifest_counts_or_says_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    keep(folder)
    whole = (folder / artefacts.MANIFEST).read_bytes()
    noticed = 0
    for place in range(len(whole)):
        (folder / artefacts.MANIFEST).write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        wrong = artefacts._wrong(folder, KEY, (".",))
        noticed += wrong is not None
        assert wrong is not None or whole[place] in b" \n"
    assert noticed > 0.7 * len(whole)


def test_a_folder_for_another_key_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "quantunet.artefacts")
    keep(tmp_path / "a")
    assert keep(tmp_path / "a", "other")
    assert not caplog.records, "this is no damage"
    keep(tmp_path / "b", "b")
    first = artefacts.digest(tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "b").rename(tmp_path / "a")
    assert keep(tmp_path / "a", "other"), "a folder in the place of another"
    assert artefacts.digest(tmp_path / "a") == first
    with pytest.raises(StorageError, match="a kept folder"):
        artefacts.digest(tmp_path / "b")


def test_free_files_and_open_folders(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    keep(folder, closed=("sub",))
    (folder / "notes.txt").write_text("changed")
    (folder / "mine.txt").write_text("beside")
    assert not keep(folder, closed=("sub",))
    (folder / "sub" / "mine.txt").write_text("in a closed folder")
    assert keep(folder, closed=("sub",))
    assert not (folder / "mine.txt").exists()


def test_what_cannot_be_made_leaves_what_was_there(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        make(folder)
        raise ToolFailedError("tool", expected="a result", got="none")

    folder = tmp_path / "kept"
    keep(folder)
    whole = content(folder)
    with pytest.raises(ToolFailedError):
        artefacts.keep(folder, "other", fail)
    assert content(folder) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/kept: expected a folder that can be written"):
        keep(tmp_path / "file" / "kept")


VALUE = {"cells": {"LUT4": 3}, "seconds": 0.5, "names": ["a", "b"]}


def test_a_value_is_read_as_it_was_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "quantunet.artefacts")
    path = tmp_path / "value.json"
    assert artefacts.read_json(path, KEY) is None
    artefacts.write_json(path, KEY, VALUE)
    assert artefacts.read_json(path, KEY) == VALUE
    assert not caplog.records
    assert artefacts.read_json(path, "other") is None
    whole = path.read_bytes()
    unnoticed = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        found = artefacts.read_json(path, KEY)
        assert found in (None, VALUE)
        unnoticed += found is not None
    assert unnoticed < len(whole) / 4, "only white space says nothing"
    for data in (whole[: len(whole) // 2], bytes(len(whole)), b"", b"\xff", b"[]", b"[" * 100_000, b'{"key": "key"}'):
        path.write_bytes(data)
        assert artefacts.read_json(path, KEY) is None
    path.write_text(json.dumps({**json.loads(whole), "content": {**VALUE, "seconds": 0.25}}))
    assert artefacts.read_json(path, KEY) is None
