"""The package ``qun_device_pkg``: what the SystemVerilog library takes of a device, from the sheets in Python.

``python -m quantunet.hls.generate.rtl_index`` writes it; a test holds the file in the library to it. For another device
family the constants of :mod:`quantunet.hls.resources.memory_map` change, and no module.
"""

from __future__ import annotations

from quantunet.hls.generate.rtl_project import RTL_FOLDER
from quantunet.hls.matrix import folded
from quantunet.hls.modules import fifo
from quantunet.hls.resources import memory_map
from quantunet.hls.resources.parts import CREDITS

PATH = RTL_FOLDER / "qun_device_pkg.sv"

_CONSTANTS = (
    ("BlockLuts", memory_map.BLOCK_LUTS, "LUTs that a block RAM is worth"),
    ("BlockWidth", memory_map.BLOCK_WIDTH, "Bits of the widest word of a block RAM"),
    ("TableBits", memory_map.TABLE_BITS_A_BLOCK, "Bits of a table of constants that take as many LUTs as a block RAM"),
    ("DistributedDepth", memory_map.DISTRIBUTED_DEPTH, "Words of a distributed RAM"),
    ("DistributedWidth", memory_map.DISTRIBUTED_WIDTH, "Bits of a word of a distributed RAM"),
    ("DistributedLuts", memory_map.DISTRIBUTED_LUTS, "LUTs that a distributed RAM takes"),
    ("Column", memory_map.BYTE, "Bits of a column of a block RAM"),
    ("SplitDepth", memory_map.DEEP, "Words beyond which the bits beside whole columns are a memory of their own"),
    ("SplitBits", memory_map.SMALL_REST, "Most such bits"),
    ("DeepTable", folded.DEEP_TABLE, "Words beyond which a table of weights has a register behind it"),
    ("FifoShallow", fifo.SHALLOW, "Beats up to which a FIFO is asynchronous and passes a beat on after one cycle"),
    ("Credits", CREDITS, "Beats of the output FIFO of a convolution, at least"),
)


def device_package() -> str:
    """Return the package's SystemVerilog."""
    lines = [
        "// SPDX-License-Identifier: Apache-2.0",
        "//",
        "// What the library takes of a device, and depths of its small buffers: an ECP5's.",
        "//",
        "// Latency: 0 cycles, constants.",
        "// Throughput: no data.",
        "// Lanes: none.",
        "//",
        "// Made by `python -m quantunet.hls.generate.rtl_index` of the constants in Python; edit those.",
        "",
        "`default_nettype none",
        "",
        "package qun_device_pkg;",
        "",
        "  // verilator lint_off UNUSEDPARAM",
    ]
    for name, value, meaning in _CONSTANTS:
        lines += [f"  // {meaning}", f"  localparam int unsigned {name} = {value};"]
    lines += ["  // verilator lint_on UNUSEDPARAM", "", "endpackage", "", "`default_nettype wire", ""]
    return "\n".join(lines)
