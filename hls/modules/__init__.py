"""One file per op: its instance of a SystemVerilog module and its cycle count."""
