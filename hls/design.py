"""What the RTL generation makes: instances of the SystemVerilog library, the streams between them, memory files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from quantunet.ir import IntArray, QType, Shape

Style = Literal["folded-lut", "folded-dsp", "constant"]
"""How a convolution multiplies: folded, in LUTs or in hard multipliers, or unfolded, by constants."""

STYLES: tuple[Style, ...] = get_args(Style)
FOLD_STYLES: tuple[Style, ...] = ("folded-lut", "folded-dsp")
"""Styles that the search of a folding takes unless it is told others."""


@dataclass(frozen=True)
class Fold:
    """The folding of one layer.

    A convolution reads ``simd`` input channels and makes ``pe`` output channels at a time: its input stream has
    ``simd`` lanes and its output stream ``pe``. Most other ops have one lane count, ``pe == simd``.

    Attributes:
        pe: Output channels at a time.
        simd: Input channels at a time.
        style: How a convolution multiplies. ``constant`` makes a whole pixel a cycle, all channels and taps at once:
            ``pe`` and ``simd`` are then the channels. Ops without multiplications have ``folded-lut``.
    """

    pe: int
    simd: int
    style: Style = "folded-lut"

    def lanes_in(self, channels: int) -> int:
        """Return the lanes in which the layer reads a tensor: SIMD, but one where the tensor has one for all channels.

        >>> Fold(4, 4).lanes_in(8), Fold(4, 4).lanes_in(1)
        (4, 1)
        """
        return math.gcd(self.simd, channels)


@dataclass(frozen=True)
class Cycles:
    """Exact cycle counts of one layer for one frame, with the source always valid and the sink always ready.

    Attributes:
        predicted: From the first input handshake to the last output handshake, both included.
        first_output: From the first input handshake to the first output handshake, both included.
        ideal: The cycles in which the busiest resource (multipliers, or a port) has work; also the initiation interval.
    """

    predicted: int
    first_output: int
    ideal: int


@dataclass(frozen=True)
class Stream:
    """An AXI4-Stream connection that carries one tensor.

    Attributes:
        name: Signal stem in the generated SystemVerilog.
        lanes: Channels in a beat.
        qtype: The type of one channel.
        shape: ``(height, width, channels)`` of a frame.
    """

    name: str
    lanes: int
    qtype: QType
    shape: Shape

    @property
    def beats(self) -> int:
        """Beats in a frame."""
        height, width, channels = self.shape
        return height * width * channels // self.lanes

    @property
    def data_bits(self) -> int:
        """Width of ``tdata``."""
        return self.lanes * self.qtype.bits


@dataclass(frozen=True)
class Memory:
    """A file for ``$readmemh``.

    Attributes:
        file: File name, relative to the working directory of the simulation or synthesis.
        bits: Width of one element.
        words: ``(depth, elements)``; element 0 stands in the least significant bits.
    """

    file: str
    bits: int
    words: IntArray


@dataclass(frozen=True)
class Instance:
    """One module instance.

    Attributes:
        name: Instance stem; the layer's name.
        module: SystemVerilog module, ``qun_<op>``.
        params: Parameter names and values, in order; a string value is a file name.
        inputs: ``(port prefix, stream name)``, for example ``("s_axis", "x")``.
        outputs: Likewise, for example ``("m_axis", "y")``.
        memories: The memory files that the instance reads.
        sources: Modules that are generated for this instance alone, as ``(name, SystemVerilog)``, each after those that
            it uses; the last is ``module``. Their names begin with that of ``module``.
        core: The module of the library that a generated ``module`` wraps: its streams behave like this one's.
    """

    name: str
    module: str
    params: tuple[tuple[str, int | str], ...]
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    memories: tuple[Memory, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    core: str = ""

    @property
    def numbers(self) -> dict[str, int]:
        """The parameters that are whole numbers, by name."""
        return {name: value for name, value in self.params if isinstance(value, int)}

    @property
    def kind(self) -> str:
        """The module of the library that says how the instance's streams behave."""
        return self.core or self.module


@dataclass(frozen=True)
class Design:
    """A streaming design: what the generated top module wires together.

    Attributes:
        name: Module name of the top.
        streams: Every stream, each with one writer and one reader.
        instances: Every instance.
        inputs: Names of the streams that come from outside.
        outputs: Names of the streams that go outside.
    """

    name: str
    streams: tuple[Stream, ...]
    instances: tuple[Instance, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def fifos(self) -> dict[str, int]:
        """The depth of every FIFO instance, by name."""
        return {one.name: one.numbers["Depth"] for one in self.instances if one.kind == "qun_fifo"}
