"""Templates of what an IP holds beside SystemVerilog."""
