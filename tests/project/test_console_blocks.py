"""Every block of commands in the documents is run, or says why it is not.

The line above a block is a comment, which readers do not see: ``<!-- run -->``, and the commands are run here, in a
folder that has the files which the documents speak of; ``<!-- run by tests/X.py -->``, where a test of its own looks at
what they do; or ``<!-- not run: REASON -->``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from helpers import scans, set_folders
from helpers.project import ROOT, tracked_files
from PIL import Image

from quantunet.model import phantoms

LANGUAGES = {"bash", "console", "json", "python", "text", "toml", "yaml"}
COMMANDS = {"bash", "console", "sh"}
ELSEWHERE = {"docs/science.md": "every study needs the data sets, and days", "docs/tutorials/": "run as notebooks"}
"""Documents whose blocks bear no marks, and why."""

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    path: str
    line: int
    language: str
    mark: str | None
    text: str

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


def blocks_of(path: str, text: str) -> list[Block]:
    """Return the blocks of a document."""
    return [
        Block(path, text[: found.start("language")].count("\n") + 1, found["language"], found["mark"], found["text"])
        for found in _BLOCK.finditer(text)
    ]


DOCUMENTS = [path for path in tracked_files() if path.endswith(".md") and not path.startswith((".github/", "hls/"))]
BLOCKS = [block for path in DOCUMENTS for block in blocks_of(path, (ROOT / path).read_text(encoding="utf-8"))]
MARKED = [
    block
    for block in BLOCKS
    if block.language in COMMANDS and not any(block.path.startswith(name) for name in ELSEWHERE)
]
RUN = [block for block in MARKED if block.mark == "run"]


def complaint(block: Block) -> str | None:
    """Return what is wrong with a block of commands and its mark."""
    if block.mark is None:
        return f"{block.place}: expected a comment above the block that says how it is run, got none"
    if block.mark == "run":
        return None
    named = re.findall(r"\btests/\S+?\.py\b", block.mark)
    if missing := [name for name in named if not (ROOT / name).is_file()]:
        return f"{block.place}: expected a test that exists, got {missing[0]}"
    if re.fullmatch(r"not run: \S.{8,}", block.mark):
        return None
    if re.fullmatch(r"run by tests/\S+\.py", block.mark):
        if Path(block.path).name in (ROOT / named[0]).read_text(encoding="utf-8"):
            return None
        return f"{block.place}: expected {named[0]} to name the document"
    return f"{block.place}: expected run, run by or not run, got {block.mark!r}"


def test_every_block_of_commands_is_run_or_says_why_not() -> None:
    assert len(MARKED) > 35 and len(RUN) > 10
    assert [said for said in map(complaint, MARKED) if said] == []


def test_every_block_has_a_language() -> None:
    """A block without one could hold commands that nobody looks at."""
    assert len(BLOCKS) > 70
    assert {block.place: block.language for block in BLOCKS if block.language not in LANGUAGES} == {}


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ("", "got none"),
        ("<!-- run by tests/nowhere/test_x.py -->\n", "got tests/nowhere/test_x.py"),
        ("<!-- run by tests/project/test_wheel.py -->\n", "to name the document"),
        ("<!-- not run: -->\n", "expected run, run by or not run"),
        ("<!-- runs -->\n", "expected run, run by or not run"),
        ("<!-- run -->\n\n", "got none"),
    ],
)
def test_a_block_without_a_right_mark_is_seen(above: str, said: str) -> None:
    (block,) = blocks_of("docs/x.md", f"# X\n\n{above}```console\nquantunet zoo\n```\n")
    found = complaint(block)
    assert found is not None and said in found


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with every file that the documents speak of."""
    folder = tmp_path_factory.mktemp("material")
    images, masks = phantoms.generate(24, 128, 5)
    for index, (image, mask) in enumerate(zip(images, masks, strict=True)):
        set_folders.save(folder / "mydata" / "images" / f"case{index}.png", image)
        set_folders.save(folder / "mydata" / "masks" / f"case{index}.png", 255 * mask)
    for name in ("scans/one.png", "scans/more/two.png", "a.png", "more/three.png"):
        set_folders.save(folder / name, images[0, :, :100])
    scans.dicom(folder / "b.dcm", images[1])
    scans.nifti(folder / "ct.nii.gz", np.arange(-200, 300, dtype=np.int16)[:480].reshape(12, 20, 2))
    set_folders.busi(folder / "Dataset_BUSI_with_GT", [*set_folders.BUSI, *(f"benign ({n})" for n in range(20, 26))])
    set_folders.busbra(folder)
    set_folders.chase(folder / "CHASEDB1")
    set_folders.nuclei(folder / "stage1_train")
    set_folders.isic(folder / "ISIC2018")
    (folder / "docs").symlink_to(ROOT / "docs")
    return folder


def ran(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block of commands; the first that fails ends it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-c", block.text],
        cwd=folder,
        env={**os.environ, "PATH": path, "QUANTUNET_DATA": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("block", RUN, ids=lambda block: block.place)
def test_the_commands_run_as_they_stand(block: Block, material: Path) -> None:
    done = ran(block, material)
    assert done.returncode == 0, f"{block.place}\n{done.stdout}\n{done.stderr}"
    for line in block.text.splitlines():
        for name in re.findall(r"--(?:out|rest|taps) (\S+)", line):
            assert (material / name).exists(), f"{block.place}: {line}: expected {name}"


def test_a_command_that_fails_is_seen(material: Path) -> None:
    (block,) = blocks_of("x.md", "<!-- run -->\n```console\nquantunet infer tiny no.png --out x.png\ntrue\n```\n")
    assert ran(block, material).returncode == 2


def test_the_picture_of_the_readme_can_be_made_again(material: Path) -> None:
    """Its commands give a mask of 128 by 128 pixels, which is neither empty nor full."""
    (block,) = [block for block in RUN if block.path == "README.md"]
    assert ran(block, material).returncode == 0
    with Image.open(material / "mask.png") as mask:
        values = np.asarray(mask)
    assert values.shape == (128, 128) and set(np.unique(values)) == {0, 255}
