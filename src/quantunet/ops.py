"""The registry of ops: one row an op, one stem in every room, and sheets that are complete or refused.

A *sheet* is the module that says what a room knows of one op, ``<room>/<stem>.py``; a *table* is a mapping with a row
an op. Whoever needs either asks :func:`sheets` or :func:`table`, and what an op lacks is an error at import that names
the op and what is missing: nothing has a silent default. ``docs/add_an_op.md`` walks through a new op.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True)
class Op:
    """One op of the network, or a module of the hardware that moves beats between them.

    Attributes:
        stem: The op's name and its file's name in every room.
        title: What it does, in a few words.
        computes: Whether it is a node of the integer graph; plumbing (fork, fifo, width_adapter) is not.
        cpp: Whether hls4ml lacks the layer, so that ``hls/csim/cpp/`` has a kernel for it.
        styles: Styles, beside the first, folded one, in which the op has a hardware module of its own: ``constant``
            stands for the module ``<stem>_constant``.
        hardware: Stems of its hardware modules where they are others than its own and those of its styles: one for
            each kind of geometry, which ops may share.
    """

    stem: str
    title: str
    computes: bool = True
    cpp: bool = False
    styles: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()

    @property
    def modules(self) -> tuple[str, ...]:
        """Stems of its hardware modules."""
        return self.hardware or (self.stem, *(f"{self.stem}_{style}" for style in self.styles))


OPS: tuple[Op, ...] = (
    Op(
        "conv2d",
        "convolution with bias and requantisation",
        cpp=True,
        styles=("constant",),
        hardware=("conv2d", "conv2d_constant", "window_conv2d"),
    ),
    Op(
        "conv_transpose2d",
        "transpose convolution with bias and requantisation",
        cpp=True,
        hardware=("conv_transpose2d", "window_conv2d"),
    ),
    Op("depthwise_conv2d", "convolution of each channel by itself, requantised", cpp=True),
    Op("maxpool2d", "maximum over windows", cpp=True, hardware=("maxpool2d", "window_pool2d", "global_pool2d")),
    Op("sumpool2d", "exact sum over windows", cpp=True, hardware=("window_pool2d", "global_pool2d")),
    Op("requant", "requantisation to another type"),
    Op("concat", "concatenation along the channels"),
    Op("add", "weighted sum of two tensors, requantised", cpp=True),
    Op("lookup", "any function of one value, by table", cpp=True),
    Op("maximum", "the greater of two tensors, value by value"),
    Op("multiply", "exact product of two tensors, or of one and a gate", cpp=True),
    Op("argmax", "channel of the greatest value", cpp=True),
    Op("smallest_area", "a mask, empty where its foreground is too small", cpp=True),
    Op("affine", "general requantisation with constants of each channel", cpp=True),
    Op("pad", "pixels of one constant around the image", cpp=True),
    Op("crop", "the image without some rows and columns at its sides", cpp=True),
    Op("resize_nearest", "each pixel repeated", cpp=True),
    Op("resize_bilinear", "twice the size, linear between pixels, exact", cpp=True),
    Op("depth_to_space", "channels become pixels", cpp=True),
    Op("fork", "one stream to several readers", computes=False),
    Op("fifo", "buffer of whole beats", computes=False),
    Op("width_adapter", "another number of lanes", computes=False),
)


class RegistryError(ImportError):
    """An op lacks a sheet, a member of a sheet, or a row of a table."""


def op_of(stem: str) -> Op:
    """Return the row of an op.

    >>> op_of("conv2d").modules
    ('conv2d', 'conv2d_constant', 'window_conv2d')
    """
    return next(op for op in OPS if op.stem == stem)


def stems(*, computes: bool) -> tuple[str, ...]:
    """Return the stems of the ops that are nodes of the graph, or of those that are plumbing.

    >>> stems(computes=False)
    ('fork', 'fifo', 'width_adapter')
    """
    return tuple(op.stem for op in OPS if op.computes == computes)


def members(protocol: type) -> tuple[str, ...]:
    """Return the names that a protocol, and those that it extends, demand of a sheet."""
    names: dict[str, None] = {}
    for part in reversed(protocol.__mro__):
        if getattr(part, "_is_protocol", False):
            names |= dict.fromkeys(inspect.get_annotations(part))
            names |= {name: None for name, value in vars(part).items() if inspect.isfunction(value)}
    return tuple(name for name in names if not name.startswith("_"))


def sheets(package: str, wanted: Iterable[str], protocol: type) -> Mapping[str, Any]:
    """Import the sheets of a room.

    Args:
        package: The room's package of sheets.
        wanted: Stems.
        protocol: What each sheet must have.

    Returns:
        The sheets by stem.

    Raises:
        RegistryError: A sheet, or a member of one, is missing.
    """
    found = {}
    for stem in wanted:
        name = f"{package}.{stem}"
        try:
            sheet = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            message = f"the op '{stem}' has no sheet {name}; see docs/add_an_op.md"
            raise RegistryError(message) from None
        for member in members(protocol):
            if not hasattr(sheet, member):
                message = f"the sheet of the op '{stem}' ({sheet.__file__}) lacks '{member}'; see docs/add_an_op.md"
                raise RegistryError(message)
        found[stem] = sheet
    return found


def table(where: str, rows: Mapping[str, Row]) -> Mapping[str, Row]:
    """Return a table that has a row for each op of the graph, and no other.

    Args:
        where: The table's name, for the error message.
        rows: The rows by stem.

    Raises:
        RegistryError: A row is missing, or there is no such op.

    >>> table("a table", {"conv2d": 1})
    Traceback (most recent call last):
        ...
    quantunet.ops.RegistryError: a table has no row for the op 'conv_transpose2d'; see docs/add_an_op.md
    """
    known = stems(computes=True)
    for stem in known:
        if stem not in rows:
            message = f"{where} has no row for the op '{stem}'; see docs/add_an_op.md"
            raise RegistryError(message)
    for stem in rows:
        if stem not in known:
            message = f"{where} has a row for '{stem}', which is no op of quantunet.ops.OPS"
            raise RegistryError(message)
    return rows


_MODULE_FILES = (("hls/rtl/qun_", ".sv"), ("hls/modules/", ".py"), ("tests/rtl_sim/test_", ".py"))


def expected_files(op: Op) -> tuple[str, ...]:
    """Return the files that an op must have, relative to the project's root.

    >>> expected_files(OPS[-1])
    ('hls/rtl/qun_width_adapter.sv', 'hls/modules/width_adapter.py', 'tests/rtl_sim/test_width_adapter.py')
    """
    files = [f"{place}{stem}{end}" for stem in op.modules for place, end in _MODULE_FILES]
    if op.computes:
        files += [f"{folder}/{op.stem}.py" for folder in ("golden/ops", "hls/csim/lower", "hls/modules")]
        files.append(f"tests/golden/test_{op.stem}.py")
    if op.cpp:
        files.append(f"hls/csim/cpp/qun_{op.stem}.h")
    return tuple(dict.fromkeys(files))
