"""Templates of generated SystemVerilog, and how they are read."""
