"""JSON and TOML from outside: bounded, unambiguous, and typed key by key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from quantunet import documents
from quantunet.documents import Fields, parse_json, read_json, read_toml
from quantunet.errors import BoardError, FileFormatError, StorageError
from quantunet.model.card_file import read_card
from quantunet.zoo import network_path


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "Expecting value"),
        ('{"a": 1,}', "double quotes|trailing comma"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' twice"),
        ('{"a": NaN}', "NaN"),
        ("[-Infinity]", "-Infinity"),
        ("[1e999]", "1e999"),
        ("[" + "9" * 101 + "]", "a number of 101 digits"),
        ("[" * 100_000 + "]" * 100_000, "nested without end"),
        ('{"a":' * 100_000, "nested without end"),
        ('["\\ud800"]', "surrogates"),
    ],
)
def test_bad_json_is_refused(text: str, got: str) -> None:
    with pytest.raises(FileFormatError, match=got) as caught:
        parse_json(text, "file.json", "a folding")
    assert str(caught.value).startswith("file.json: expected a folding, got ")
    assert len(str(caught.value)) < 300


def test_good_json_is_what_json_says() -> None:
    text = '{"a": [1, -2.5, true, null, "\\ud83d\\ude00 \\u00e9"], "b": {"a": 1e-3}, "c": ' + "9" * 100 + "}"
    assert parse_json(text, "file.json", "text") == json.loads(text)


def test_a_document_of_too_many_values_is_refused_before_one_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_VALUES", 10)
    monkeypatch.setattr(documents.json, "loads", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(FileFormatError, match="at most 10 values"):
        parse_json("[" + "[]," * 10 + "0]", "file.json", "a folding")


@pytest.mark.parametrize("read", [read_json, read_toml])
def test_a_file_is_bounded_and_utf8(tmp_path: Path, read: Callable[[Path, str], object]) -> None:
    path = tmp_path / "file"
    with pytest.raises(StorageError, match="No such file"):
        read(path, "a sweep")
    with pytest.raises(StorageError, match="directory"):
        read(tmp_path, "a sweep")
    path.write_bytes(b'"caf\xe9"')
    with pytest.raises(FileFormatError, match="UTF-8, got the byte 0xe9 at 4"):
        read(path, "a sweep")
    path.write_bytes(b" " * (documents.MAX_BYTES + 1))
    with pytest.raises(FileFormatError, match="at most 4194304 bytes"):
        read(path, "a sweep")
    with pytest.raises(FileFormatError, match="at most 4194304 bytes"):
        read(Path("/dev/zero"), "a sweep")


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "a = " + "[" * 5000, "a = 1e999", "a = nan x", "[a\n"])
def test_bad_toml_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file.toml"
    path.write_text(text)
    with pytest.raises(FileFormatError, match="expected a sweep"):
        read_toml(path, "a sweep")


VALUES: tuple[object, ...] = (
    None, True, False, 0, 1, -1, 7, 0.5, "", "a", "a\nb", [], [1], [True], ["a"], [""], {}, {"b": 1}
)  # fmt: skip


@pytest.mark.parametrize(
    ("take", "right"),
    [
        (lambda fields: fields.text("key"), ["a"]),
        (lambda fields: fields.choice("key", ("a", "b")), ["a"]),
        (lambda fields: fields.whole("key", 0, 5), [0, 1]),
        (lambda fields: fields.number("key", 0, 5), [0, 1, 0.5]),
        (lambda fields: fields.number_or_none("key", 0, 5), [None, 0, 1, 0.5]),
        (lambda fields: fields.flag("key"), [True, False]),
        (lambda fields: fields.items("key"), [[], [1], [True], ["a"], [""]]),
        (lambda fields: fields.texts("key"), [[], ["a"]]),
        (lambda fields: fields.wholes("key", 0, 5), [[], [1]]),
        (lambda fields: fields.tables("key"), [[]]),
    ],
)
def test_only_a_value_of_the_type_is_taken(take: Callable[[Fields], object], right: list[object]) -> None:
    def same(one: object, other: object) -> bool:
        return repr(one) == repr(other)  # True is 1 for ==

    taken = 0
    for value in VALUES:
        fields = Fields({"key": value}, "file", "place")
        if any(same(value, each) for each in right):
            found = take(fields)
            assert same(list(found) if isinstance(found, tuple) else found, value) or found == value
            fields.finish()
            taken += 1
            continue
        with pytest.raises(FileFormatError, match=r"file, key 'place\.key"):
            take(fields)
    assert taken == len(right)
    with pytest.raises(FileFormatError, match=r"key 'place\.key': expected a value, got none"):
        take(Fields({}, "file", "place"))


def test_keys_that_nobody_takes_are_refused_with_their_place() -> None:
    fields = Fields({"a": {"b": 1, "c": 2}}, "file", error=BoardError)
    inner = fields.table("a")
    assert inner.whole("b", 0, 3) == 1
    fields.finish()
    with pytest.raises(BoardError, match=r"file, key 'a\.c': expected a key that is known here"):
        inner.finish()


@pytest.mark.parametrize("value", [None, [], 1, "a"])
def test_what_is_no_table_is_refused(value: object) -> None:
    with pytest.raises(FileFormatError, match="file, key 'a': expected a table"):
        Fields({"a": value}, "file").table("a")
    with pytest.raises(FileFormatError, match="file: expected a table"):
        Fields(value, "file")


@pytest.mark.parametrize("key", ["", "a\nb", "\x1b[2J", "k" * 201])
def test_keys_are_words(key: str) -> None:
    with pytest.raises(FileFormatError, match="keys of 1 to 200 characters"):
        Fields({key: 1}, "file")


def test_long_and_deep_values_are_shown_short() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert documents.shown(deep) == "a deep list"
    assert len(documents.shown("x" * 1000)) == 61
    assert documents.shown(10**5000) == "a huge number"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"source": ', '"source": 7, "was": ', "data.source"),
        ('"seed": 0', '"seed": true', "training.config.seed"),
        ('"dice": 0.8636', '"dice": "x"', "scores.float.val.dice"),
    ],
)
def test_a_card_of_other_types_is_refused_by_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    text = network_path("tiny").with_suffix(".json").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "card.json"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FileFormatError, match=key.replace(".", r"\.")):
        read_card(path)
