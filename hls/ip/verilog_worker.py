"""The process that runs Yosys for plain Verilog: ``python -m quantunet.hls.ip.verilog_worker TOP OUT SOURCE...``.

Its working folder is the one in which memory files are found.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pyosys import libyosys

_PASSES = (
    "hierarchy -check -top {top}",
    "proc -noopt",
    "opt_expr",
    "opt_clean",
    "opt",
    "wreduce",
    "memory_dff",
    "memory_collect",
    "opt",
    "clean -purge",
    "check -assert",
    "setattr -unset src -unset hdlname -unset keep_hierarchy -unset module_not_derived",
)


def main(top: str, out: str, sources: Sequence[str]) -> None:
    """Read SystemVerilog, flatten it and write it as Verilog.

    Args:
        top: The top module.
        out: The file to write.
        sources: SystemVerilog files, each after the files it needs.
    """
    design = libyosys.Design()
    design.run_pass(" ".join(["read_slang --threads 1 --ignore-assertions --top", top, *sources]))
    for line in _PASSES:
        design.run_pass(line.format(top=top))
    design.run_pass(f"write_verilog -noattr {out}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
