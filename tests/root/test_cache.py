"""A kept folder or value is used only as it was made."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from quantunet import cache
from quantunet.errors import StorageError, ToolFailedError

KEY = "key"


def make(folder: Path) -> None:
    (folder / "program").write_bytes(b"#!/bin/sh\nexit 0\n" * 200)
    (folder / "program").chmod(0o755)
    (folder / "sub").mkdir()
    (folder / "sub" / "data.txt").write_text("1, 2, 3")
    (folder / "notes.txt").write_text("may change")


def keep(folder: Path, key: str = KEY, **options: object) -> bool:
    return cache.keep(folder, key, make, free=("notes.txt",), **options)  # type: ignore[arg-type]


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
    "manifest deleted": lambda folder: (folder / cache.MANIFEST).unlink(),
    "manifest cut": lambda folder: edited(folder / cache.MANIFEST, lambda data: data[: len(data) // 2]),
    "manifest zeros": lambda folder: edited(folder / cache.MANIFEST, lambda data: bytes(len(data))),
    "manifest bit": lambda folder: edited(folder / cache.MANIFEST, flipped),
    "manifest not text": lambda folder: edited(folder / cache.MANIFEST, lambda data: b"\xff" + data),
    "manifest deep": lambda folder: edited(folder / cache.MANIFEST, lambda data: b"[" * 100_000),
    "manifest list": lambda folder: edited(folder / cache.MANIFEST, lambda data: b"[]"),
    "manifest of nothing": lambda folder: (folder / cache.MANIFEST).write_text('{"key": "key", "files": {}}'),
    "manifest of other things": lambda folder: (folder / cache.MANIFEST).write_text('{"key": "key", "files": 5}'),
    "a file": lambda folder: (shutil.rmtree(folder), folder.write_text("")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_noticed_and_mended(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "quantunet.cache")
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
    whole = (folder / cache.MANIFEST).read_bytes()
    noticed = 0
    for place in range(len(whole)):
        (folder / cache.MANIFEST).write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        wrong = cache._wrong(folder, KEY, (".",))
        noticed += wrong is not None
        assert wrong is not None or whole[place] in b" \n"
    assert noticed > 0.7 * len(whole)


def test_a_folder_for_another_key_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "quantunet.cache")
    keep(tmp_path / "a")
    assert keep(tmp_path / "a", "other")
    assert not caplog.records, "this is no damage"
    keep(tmp_path / "b", "b")
    first = cache.digest(tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "b").rename(tmp_path / "a")
    assert keep(tmp_path / "a", "other"), "a folder in the place of another"
    assert cache.digest(tmp_path / "a") == first
    with pytest.raises(StorageError, match="a kept folder"):
        cache.digest(tmp_path / "b")


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
        cache.keep(folder, "other", fail)
    assert content(folder) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/kept: expected a folder that can be written"):
        keep(tmp_path / "file" / "kept")


VALUE = {"cells": {"LUT4": 3}, "seconds": 0.5, "names": ["a", "b"]}


def test_a_value_is_read_as_it_was_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "quantunet.cache")
    path = tmp_path / "value.json"
    assert cache.read_json(path, KEY) is None
    cache.write_json(path, KEY, VALUE)
    assert cache.read_json(path, KEY) == VALUE
    assert not caplog.records
    assert cache.read_json(path, "other") is None
    whole = path.read_bytes()
    unnoticed = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        found = cache.read_json(path, KEY)
        assert found in (None, VALUE)
        unnoticed += found is not None
    assert unnoticed < len(whole) / 4, "only white space says nothing"
    for data in (whole[: len(whole) // 2], bytes(len(whole)), b"", b"\xff", b"[]", b"[" * 100_000, b'{"key": "key"}'):
        path.write_bytes(data)
        assert cache.read_json(path, KEY) is None
    path.write_text(json.dumps({**json.loads(whole), "content": {**VALUE, "seconds": 0.25}}))
    assert cache.read_json(path, KEY) is None


@dataclasses.dataclass(frozen=True)
class One:
    a: int
    b: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Other:
    a: int
    b: tuple[int, ...] = ()


PARTS: list[tuple[object, ...]] = [
    (),
    (None,),
    ((),),
    ([],),
    ({},),
    (set(),),
    ("",),
    (b"",),
    ("", ""),
    ("ab",),
    ("a", "b"),
    (("a", "b"),),
    (["a", "b"],),
    ({"a", "b"},),
    ({"a": "b"},),
    ({"b": "a"},),
    (b"ab",),
    (b"a", b"b"),
    ("a", ("b", "c")),
    (("a", "b"), "c"),
    ("é",),
    ("\udce9",),
    ("builtins.str\0",),
    (1,),
    (-1,),
    (True,),
    (1.0,),
    ("1",),
    ("True",),
    (Fraction(1, 1),),
    (Fraction(1, 2),),
    (0.0,),
    (-0.0,),
    (float("nan"),),
    (1, 2),
    ((1, 2),),
    (12,),
    (One(1),),
    (Other(1),),
    (One(1, (2,)),),
    (One(2),),
    ({"a": 1, "b": ()},),
    (np.int64(1),),
    (np.float64(1),),
    (np.array(1),),
    (np.array([1, 2]),),
    (np.array([[1, 2]]),),
    (np.array([[1], [2]]),),
    (np.array([1, 2], np.int32),),
    (np.array([1, 2], np.uint8),),
    (np.array([258], ">i2"),),
    (np.array([258], "<i2"),),
    (np.array([True, False]),),
    (np.array(["a", "b"]),),
    (np.array(["ab"]),),
    (np.zeros((0, 3)),),
    (np.zeros((3, 0)),),
]


def test_other_parts_have_another_key() -> None:
    keys = [cache.key(*parts) for parts in PARTS]
    assert len(set(keys)) == len(keys) > 50
    assert all(len(key) == 64 for key in keys)


def test_equal_parts_have_one_key() -> None:
    assert cache.key({"a": 1, "b": 2}) == cache.key({"b": 2, "a": 1})
    assert cache.key({1, 2, 3}) == cache.key({3, 2, 1})
    columns = np.arange(12).reshape(3, 4).T
    assert cache.key(columns) == cache.key(np.ascontiguousarray(columns)) != cache.key(columns.T)
    assert cache.key(One(1, (2,))) == cache.key(One(1, (2,)))


def test_a_key_is_the_same_in_every_process() -> None:
    program = "from quantunet import cache; print(cache.key({'a', 'b', 'c'}, {'x': {1, 2}}, None))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {cache.key({"a", "b", "c"}, {"x": {1, 2}}, None) + "\n"}


def test_a_path_stands_for_what_is_in_its_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"a")
    second.write_bytes(b"a")
    key = cache.key(first)
    assert key == cache.key(second) != cache.key(b"a")
    second.write_bytes(b"b")
    assert cache.key(second) != key
    assert cache.key(first, second) != cache.key(second, first)
    for wrong in (tmp_path / "none", tmp_path):
        with pytest.raises(StorageError, match="a readable file"):
            cache.key(wrong)


@pytest.mark.parametrize("part", [object(), One, print, np.array([None]), np.zeros(1, [("a", int)]), iter(()), 1j])
def test_what_has_no_digest_is_refused(part: object) -> None:
    with pytest.raises(TypeError, match="no key from a"):
        cache.key("a", [part])


def test_files_count_with_their_names_and_contents(tmp_path: Path) -> None:
    for name in ("a.h", "sub/b.h", "c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found = cache.files(tmp_path, "**/*.h", "c.txt", "*.h")
    assert found == tuple((name, tmp_path / name) for name in ("a.h", "c.txt", "sub/b.h"))
    keys = [cache.key(found)]
    (tmp_path / "sub" / "b.h").write_text("changed")
    keys.append(cache.key(cache.files(tmp_path, "**/*.h", "c.txt")))
    (tmp_path / "sub" / "b.h").rename(tmp_path / "sub" / "d.h")
    keys.append(cache.key(cache.files(tmp_path, "**/*.h", "c.txt")))
    (tmp_path / "sub" / "e.h").touch()
    keys.append(cache.key(cache.files(tmp_path, "**/*.h", "c.txt")))
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ((), "files that are named by a pattern"),
        (("*.hpp",), r"files that are named \*\.hpp"),
        (("*.h", "*.hpp"), r"files that are named \*\.hpp"),
        (("sub",), "files that are named sub"),
    ],
)
def test_a_digest_over_no_file_is_refused(tmp_path: Path, patterns: tuple[str, ...], expected: str) -> None:
    (tmp_path / "a.h").touch()
    (tmp_path / "sub").mkdir()
    with pytest.raises(StorageError, match=f"{expected}, got none"):
        cache.files(tmp_path, *patterns)
    with pytest.raises(StorageError):
        cache.files(tmp_path / "none", *patterns)


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUANTUNET_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache.folder("kind") == tmp_path / "cache" / "quantunet" / "kind"
    monkeypatch.setenv("HOME", str(tmp_path))
    for nothing in ("", None):
        if nothing is None:
            monkeypatch.delenv("XDG_CACHE_HOME")
        else:
            monkeypatch.setenv("XDG_CACHE_HOME", nothing)
        assert cache.folder("kind") == tmp_path / ".cache" / "quantunet" / "kind"
    monkeypatch.setenv("QUANTUNET_CACHE", str(tmp_path / "mine"))
    assert cache.folder("kind") == tmp_path / "mine" / "kind"
    monkeypatch.setenv("QUANTUNET_CACHE", "")
    assert cache.folder("kind") == tmp_path / ".cache" / "quantunet" / "kind"
    assert not (tmp_path / ".cache").exists()
