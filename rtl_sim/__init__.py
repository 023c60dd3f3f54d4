"""Verilator builds, stream drivers and cocotb benches."""
