"""The op table: one row an op, one stem in every room.

Adding an op is adding a row here and the files that :func:`expected_files` lists; ``docs/add_an_op.md`` walks through.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Op:
    """One op of the network.

    Attributes:
        stem: The op's name and its file's name in every room.
        title: What it does, in a few words.
        computes: Whether it is a node of the integer graph; plumbing (fork, fifo, width_adapter) is not.
        cpp: Whether hls4ml lacks the layer, so that ``hls/cpp/`` has a kernel for it.
    """

    stem: str
    title: str
    computes: bool = True
    cpp: bool = False


OPS: tuple[Op, ...] = (
    Op("conv2d", "3x3 same or 1x1 convolution with bias and requantisation"),
    Op("conv_transpose2d", "2x2 transpose convolution, stride 2, with bias and requantisation", cpp=True),
    Op("maxpool2d", "maximum over 2x2 windows"),
    Op("requant", "requantisation to another type"),
    Op("concat", "concatenation along the channels"),
    Op("sigmoid", "exact sigmoid table", cpp=True),
    Op("fork", "one stream to several readers", computes=False),
    Op("fifo", "buffer of whole beats", computes=False),
    Op("width_adapter", "another number of lanes", computes=False),
)


def expected_files(op: Op) -> tuple[str, ...]:
    """Return the files that an op must have, relative to the project's root.

    >>> expected_files(OPS[-1])
    ('hls/rtl/qun_width_adapter.sv', 'tests/rtl_sim/test_width_adapter.py')
    """
    files = [f"hls/rtl/qun_{op.stem}.sv", f"tests/rtl_sim/test_{op.stem}.py"]
    if op.computes:
        files += [
            f"golden/ops/{op.stem}.py",
            f"hls/emit/{op.stem}.py",
            f"hls/lower/{op.stem}.py",
            f"tests/golden/test_{op.stem}.py",
        ]
    if op.cpp:
        files.append(f"hls/cpp/qun_{op.stem}.h")
    return tuple(files)
