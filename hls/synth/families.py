"""Device families: the Yosys command of each, and which primitive costs what.

A LUT is counted as the device counts it: a carry cell of the Lattice families occupies two, a 16 x 4 distributed RAM
six (four of storage, two of write ports), a wide multiplexer none, because it stands beside the LUTs that it joins. An
ECP5 has two more at each end of a carry chain (:mod:`quantunet.hls.synth.carry_feeds`). Of Nexus it is not known what
place and route adds, and nothing is added. For the 7 series each LUT counts, although place and route can put two small
ones into one place. A Gowin device has a LUT for each position of a carry chain.

The Lattice and Gowin flows run with ``-nowidelut``: joining four LUTs to one of six inputs saves a level here and
there, but layers of this kind then take half as many LUTs again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from quantunet.errors import ToolFailedError

SUMS = "sums"
"""The pass of :mod:`quantunet.hls.synth.passes.sums` that leaves multiplications alone."""

SUMS_OF_PRODUCTS = "sums_of_products"
"""The same with multiplications."""

SUMS_OF_CHOSEN_PRODUCTS = "sums_of_chosen_products"
"""The same with those multiplications of which :data:`IN_LUTS` says so."""

IN_LUTS = "qun_in_luts"
"""Attribute of a multiplication of a design that mixes styles: whether it goes to LUTs, or to a hard multiplier."""

ABSORB_LUTS = "absorb_luts"
"""The pass of :mod:`quantunet.hls.synth.passes.absorb`."""

ABSORB_REGISTERS = "absorb_registers"
"""The pass of :mod:`quantunet.hls.synth.passes.output_registers`."""

SHARE_COLUMNS = "share_columns"
"""The pass of :mod:`quantunet.hls.synth.passes.shared_tables`."""

SHARED = "$columns"
"""What the name of a memory that this pass makes has behind that of the table; a place follows."""

OPEN_CARRIES = "open_carries"
"""The pass of :mod:`quantunet.hls.synth.passes.open_carries`."""

Weights = Mapping[str, int | Fraction]


@dataclass(frozen=True)
class Usage:
    """What a design takes of a device.

    Attributes:
        lut: LUT places that it occupies in the device: ``luteq``, and the ends of carry chains.
        ff: Flip-flops.
        dsp: Multipliers, in the primitive that the board's budget counts.
        bram: Block RAMs, in the primitive that the board's budget counts.
        lutram: Distributed RAM primitives; their LUTs are in ``lut`` too.
        carry: Carry primitives; their LUTs are in ``lut`` too.
        luteq: LUTs of the netlist, carry cells and distributed RAM included: what is compared with other tools' LUTs.
    """

    lut: int
    ff: int
    dsp: int
    bram: int
    lutram: int
    carry: int
    luteq: int

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.lut + other.lut,
            self.ff + other.ff,
            self.dsp + other.dsp,
            self.bram + other.bram,
            self.lutram + other.lutram,
            self.carry + other.carry,
            self.luteq + other.luteq,
        )


@dataclass(frozen=True)
class CarryChain:
    """A carry chain whose every position is a LUT of four inputs, two positions a cell.

    Attributes:
        cell: The primitive.
        generate_inputs: How many inputs the carry can be generated from.
        feed_in: Whether a chain needs a position to begin with a carry.
        inject: Parameters that are set to ``NO``.
        hex: Whether the LUT tables are given as text, like ``0x96AA``.
    """

    cell: str
    generate_inputs: int
    feed_in: bool
    inject: tuple[str, ...]
    hex: bool


@dataclass(frozen=True)
class BlockRam:
    """A block RAM with a register behind each read port, beside registers and LUTs of an ECP5.

    Attributes:
        cell: The primitive.
        widest: Bits of its widest word, which both ports read together.
        near: Primitives whose operands want a register beside them.
    """

    cell: str
    widest: int
    near: frozenset[str]


@dataclass(frozen=True)
class Family:
    """A device family.

    Attributes:
        name: As a board's ``family`` names it.
        title: For people.
        synth: The Yosys command, without the top module.
        coarse_step: The label in that command at which word-level optimisation begins.
        memory_step: The label in that command at which memories are mapped.
        lut: LUTs that a primitive occupies.
        ff: Flip-flop primitives.
        dsp: Multipliers that a primitive occupies.
        bram: Block RAMs that a primitive occupies.
        lutram: Distributed RAM primitives.
        carry: Carry primitives.
        free: Primitives that cost nothing that is counted.
        chain: The carry chain for sums of products; ``None`` where Yosys maps them.
        ram: The block RAM whose output registers are used; ``None`` where they are not.
        feed_luts: LUTs that the cell at an end of a carry chain occupies; 0 where it has none, or it is not known.
        pads: Passes that put a buffer at each pin, and make the netlist one that place and route takes; none where it
            does so itself.
    """

    name: str
    title: str
    synth: str
    coarse_step: str
    memory_step: str
    lut: Weights
    ff: frozenset[str]
    dsp: Weights
    bram: Weights
    lutram: frozenset[str]
    carry: frozenset[str]
    free: frozenset[str]
    chain: CarryChain | None = None
    ram: BlockRam | None = None
    feed_luts: int = 0
    pads: tuple[str, ...] = ()

    def passes(self, top: str, *, dsp: bool, mixed: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the passes up to the point where memories are still whole, and those after it.

        They are commands of Yosys, but for :data:`SUMS`, :data:`SUMS_OF_PRODUCTS`, :data:`SUMS_OF_CHOSEN_PRODUCTS`,
        :data:`SHARE_COLUMNS`, :data:`ABSORB_REGISTERS` and :data:`ABSORB_LUTS`. Without hard multipliers and without a
        carry chain for sums of products, multiplications go through Booth recoding first: fewer LUTs and fewer levels
        than the adder trees that Yosys makes otherwise.

        Args:
            top: The top module.
            dsp: Whether multiplications may use hard multipliers.
            mixed: Whether :data:`IN_LUTS` says of each multiplication where it goes; ``dsp`` must hold too.

        Raises:
            ToolFailedError: Multiplications are mixed, and the family has no carry chain for those in LUTs.
        """
        if mixed and (self.chain is None or not dsp):
            raise ToolFailedError(
                top,
                expected="a device family whose designs may mix multiplications in LUTs and hard multipliers",
                got=self.title,
                hint="Give all layers one style.",
            )
        synth = f"{self.synth}{'' if dsp else ' -nodsp'} -top {top}"
        narrow = ("proc -latches error", "flatten", "opt", "wreduce", "peepopt", "opt_clean")
        again = ("opt_clean", "opt_expr", "wreduce", "opt_clean")
        arithmetic: tuple[str, ...] = ()
        if self.chain is not None:
            sums = SUMS_OF_CHOSEN_PRODUCTS if mixed else SUMS if dsp else SUMS_OF_PRODUCTS
            # The second time the registers after the first sums are as narrow as these.
            arithmetic = (*narrow, sums, *again, sums, *again)
        elif not dsp:
            arithmetic = (*narrow, "booth")
        before = (
            f"{synth} -run begin:{self.coarse_step}",
            *arithmetic,
            f"{synth} -run {self.coarse_step}:{self.memory_step}",
        )
        if self.chain is None:
            return before, (f"{synth} -run {self.memory_step}:",)
        return before, (
            *(() if self.ram is None else (SHARE_COLUMNS,)),
            f"{synth} -run {self.memory_step}:check",
            *(() if self.ram is None else (ABSORB_REGISTERS, "opt_clean")),
            ABSORB_LUTS,
            "opt_clean",
            f"{synth} -run check:",
        )

    def usage(self, cells: Mapping[str, int], feeds: int, where: str) -> Usage:
        """Add up what a netlist takes.

        Args:
            cells: Count of every primitive of the netlist.
            feeds: Its ends of carry chains, as :func:`~quantunet.hls.synth.carry_feeds.carry_feeds` counts them.
            where: The layer, for the error message.

        Raises:
            ToolFailedError: The netlist holds a primitive that the family does not have.
        """
        known = {*self.lut, *self.ff, *self.dsp, *self.bram, *self.lutram, *self.carry, *self.free}
        unknown = sorted(set(cells) - known)
        if unknown:
            raise ToolFailedError(
                where,
                expected=f"a netlist of {self.title} primitives",
                got=", ".join(unknown),
                hint="Add the primitive to hls/synth/families.py, or mend the design that needs it.",
            )
        luteq = _total(self.lut, cells)
        return Usage(
            lut=luteq + self.feed_luts * feeds,
            ff=sum(cells.get(cell, 0) for cell in self.ff),
            dsp=_total(self.dsp, cells),
            bram=_total(self.bram, cells),
            lutram=sum(cells.get(cell, 0) for cell in self.lutram),
            carry=sum(cells.get(cell, 0) for cell in self.carry),
            luteq=luteq,
        )


def _total(weights: Weights, cells: Mapping[str, int]) -> int:
    return math.ceil(sum((Fraction(weight) * cells.get(cell, 0) for cell, weight in weights.items()), Fraction(0)))


ECP5 = Family(
    name="ecp5",
    title="Lattice ECP5",
    synth="synth_ecp5 -nowidelut",
    coarse_step="coarse",
    memory_step="map_ram",
    lut={"LUT4": 1, "CCU2C": 2, "DPR16X4": 6, "TRELLIS_DPR16X4": 6},
    ff=frozenset({"TRELLIS_FF"}),
    dsp={"MULT9X9D": Fraction(1, 2), "MULT18X18D": 1},
    bram={"DP16KD": 1, "PDPW16KD": 1},
    lutram=frozenset({"DPR16X4", "TRELLIS_DPR16X4"}),
    carry=frozenset({"CCU2C"}),
    free=frozenset({"PFUMX", "L6MUX21", "VHI", "VLO", "EHXPLLL"}),
    chain=CarryChain("CCU2C", generate_inputs=2, feed_in=False, inject=("INJECT1_0", "INJECT1_1"), hex=False),
    ram=BlockRam("DP16KD", widest=36, near=frozenset({"CCU2C", "MULT18X18D", "MULT9X9D"})),
    feed_luts=2,
)

NEXUS = Family(
    name="nexus",
    title="Lattice Nexus",
    synth="synth_nexus -noiopad -nowidelut",
    coarse_step="coarse",
    memory_step="map_ram",
    lut={"LUT4": 1, "INV": 1, "WIDEFN9": 2, "CCU2": 2, "DPR16X4": 6},
    ff=frozenset({"FD1P3BX", "FD1P3DX", "FD1P3IX", "FD1P3JX"}),
    dsp={
        "MULT9X9": Fraction(1, 2),
        "MULT18X18": 1,
        "MULT18X36": 2,
        "MULT36X36": 4,
        "MULTPREADD9X9": Fraction(1, 2),
        "MULTPREADD18X18": 1,
        "MULTADDSUB9X9WIDE": 2,
        "MULTADDSUB18X18": 1,
        "MULTADDSUB36X36": 4,
    },
    bram={"DP16K": 1, "PDP16K": 1, "PDPSC16K": 1},
    lutram=frozenset({"DPR16X4"}),
    carry=frozenset({"CCU2"}),
    free=frozenset({"VHI", "VLO", "IB", "OB"}),
    chain=CarryChain("CCU2", generate_inputs=3, feed_in=True, inject=("INJECT",), hex=True),
    pads=(
        "iopadmap -bits -outpad OB I:O -inpad IB O:I",
        OPEN_CARRIES,
        "opt_clean",
        "hilomap -singleton -hicell VHI Z -locell VLO Z",
    ),
)

XC7 = Family(
    name="xc7",
    title="AMD 7 series",
    synth="synth_xilinx -family xc7 -flatten -noiopad -noclkbuf",
    coarse_step="prepare",
    memory_step="map_memory",
    lut={
        **{f"LUT{inputs}": 1 for inputs in range(1, 7)},
        "INV": 1,
        "SRL16E": 1,
        "SRLC32E": 1,
        "RAM32X1S": 1,
        "RAM64X1S": 1,
        "RAM32X1D": 2,
        "RAM64X1D": 2,
        "RAM128X1S": 2,
        "RAM128X1D": 4,
        "RAM256X1S": 4,
        "RAM32M": 4,
        "RAM64M": 4,
    },
    ff=frozenset({"FDRE", "FDSE", "FDCE", "FDPE"}),
    dsp={"DSP48E1": 1},
    bram={"RAMB18E1": 1, "RAMB36E1": 2},
    lutram=frozenset(
        {"RAM32X1S", "RAM64X1S", "RAM32X1D", "RAM64X1D", "RAM128X1S", "RAM128X1D", "RAM256X1S", "RAM32M", "RAM64M"}
    ),
    carry=frozenset({"CARRY4"}),
    free=frozenset({"MUXF7", "MUXF8", "GND", "VCC"}),
)

_GOWIN_FLIP_FLOPS = ("DFF", "DFFE", "DFFS", "DFFSE", "DFFR", "DFFRE", "DFFP", "DFFPE", "DFFC", "DFFCE")


def _gowin(name: str, title: str) -> Family:
    """Return a family of Gowin: a position of a carry chain (ALU) takes a LUT, a 16 x 4 RAM six, as its tools count."""
    return Family(
        name=name,
        title=title,
        synth=f"synth_gowin -family {name} -noiopads -nowidelut",
        coarse_step="coarse",
        memory_step="map_ram",
        lut={**{f"LUT{inputs}": 1 for inputs in range(1, 5)}, "ALU": 1, "RAM16S4": 6, "RAM16SDP4": 6},
        ff=frozenset(_GOWIN_FLIP_FLOPS),
        dsp={"MULT9X9": Fraction(1, 2), "MULT18X18": 1, "MULT36X36": 4},
        bram={kind: 1 for kind in ("SP", "SPX9", "SDPB", "SDPX9B", "DPB", "DPX9B", "pROM", "pROMX9")},
        lutram=frozenset({"RAM16S4", "RAM16SDP4"}),
        carry=frozenset({"ALU"}),
        free=frozenset({"VCC", "GND"}),
    )


GW2A = _gowin("gw2a", "Gowin GW2A")
GW5A = _gowin("gw5a", "Gowin GW5A")

FAMILIES: Mapping[str, Family] = {family.name: family for family in (ECP5, NEXUS, XC7, GW2A, GW5A)}
"""The families by the name that a board's file uses."""
