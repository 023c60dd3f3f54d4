"""Folders of results: one for each network, with a name that every file system takes."""

import dataclasses
import re

import pytest

from quantunet.errors import StorageError
from quantunet.provenance import graph_digest
from quantunet.result_folder import network_folder, remove
from quantunet.zoo import load_network


@pytest.fixture(scope="module")
def tiny():
    return load_network("tiny")


@pytest.mark.parametrize(
    "name",
    [
        "tiny",
        "",
        ".",
        "..",
        "../../escaped",
        "/etc",
        "a b",
        "-rf",
        "3net",
        "module",
        "größe",
        "网络",
        "n" * 300,
        "a\n;x",
        "$(x)",
    ]
    + ["con", "~", "a.b", "a\\b", "a\0b"],
)
def test_a_name_becomes_one_safe_folder(name, tiny, tmp_path):
    folder = network_folder(tmp_path, dataclasses.replace(tiny, name=name))
    assert folder.parent == tmp_path
    assert re.fullmatch(r"[A-Za-z0-9_]{1,40}-[0-9a-f]{8}", folder.name)
    assert folder.name.endswith(graph_digest(tiny)[:8])
    folder.mkdir()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_networks_of_one_name_have_a_folder_each(tiny, tmp_path):
    other = dataclasses.replace(load_network("wearable"), name="tiny")
    assert network_folder(tmp_path, other) != network_folder(tmp_path, tiny) == network_folder(tmp_path, tiny)


def test_old_files_are_removed_and_what_is_not_there_is_no_error(tmp_path):
    path, kept = tmp_path / "report.json", tmp_path / "kept"
    path.write_text("{}")
    kept.write_text("{}")
    remove(path, tmp_path / "none", tmp_path / "no" / "folder", kept / "below_a_file")
    assert list(tmp_path.iterdir()) == [kept]
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="folder: expected a file of an earlier run"):
        remove(tmp_path / "folder")
