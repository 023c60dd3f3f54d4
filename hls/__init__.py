"""Hardware generation: hls4ml projects and streaming SystemVerilog, layer by layer."""
